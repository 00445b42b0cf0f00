"""Handing a conversation to people: every reason, who is told, and that the AI stays silent until a person gives it back."""

import itertools
import threading
import time

import pytest

from ai.llm import open_model
from services.chat import handoff, turns
from tests.conftest import add_key
from tests.fakes.fake_model import FakeModel
from tests.support.caller import Caller

ADA = {"customer_email": "ada@example.com"}
ARTICLE = {
    "title": "How long refunds take",
    "body": "A refund goes back to the card and arrives after five working days.",
}
QUESTION = "How long does a refund to the card take to arrive?"
UNKNOWN = "Which colour does the moon have on Tuesdays?"


@pytest.fixture
def fake():
    with FakeModel() as server:
        server.reply = {
            "reply": "It takes five working days.",
            "kind": "answer",
            "articles": [1],
            "wants_person": False,
        }
        yield server


@pytest.fixture
def with_model(open_app, fake):
    """The admin of a server whose model is `fake`, with an article."""
    app = open_app(model=open_model("sk-test", fake.url, "test-model", 2.0), threads=8)
    caller = Caller(app.test_client(), "admin-key")
    caller.post("/api/knowledge", ARTICLE)
    return caller


def say(caller, message, **fields):
    return caller.data(caller.post("/api/chat", {"message": message, **ADA, **fields}))


def add_agent(admin, email="bob@example.com"):
    return admin.data(admin.post("/api/users", {"name": "Bob", "email": email, "role": "agent"}), 201)


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        (["I want to speak to a person"], "asked"),
        (["Can somebody call me back please"], "asked"),
        (["human"], "asked"),
        (["Ich möchte mit einem Menschen sprechen"], "asked"),
        (["Je veux parler à un conseiller"], "asked"),
        (["Quiero hablar con una persona"], "asked"),
        ([UNKNOWN, "yes please"], "asked"),
        ([UNKNOWN, "Ja, bitte"], "asked"),
        (["This is ridiculous, your bot is useless"], "angry"),
        (["Das ist eine Unverschämtheit"], "angry"),
        ([UNKNOWN, "Do you know the price of cheese in Narnia?"], "unanswered"),
        (["Gdzie jest moja faktura za ostatni miesiąc?"], "unanswered"),
        (["私はログインできません"], "unanswered"),
        (["There are transactions I never made, this is fraud"], "risk"),
        (["I want to kill myself"], "risk"),
        (["I will take legal action against you"], "risk"),
    ],
)
def test_each_reason_hands_over_with_a_sentence_for_the_customer(admin, messages, reason):
    answers = [say(admin, message) for message in messages]
    assert [answer["escalation"] for answer in answers] == [False] * (len(messages) - 1) + [True]
    last = answers[-1]
    assert (last["escalation_reason"], last["status"], last["ai_source"]) == (reason, "handoff", "canned")
    assert last["reply"]
    assert last["citations"] == []
    thread = admin.data(admin.get(f"/api/tickets/{last['ticket_id']}/replies"))
    assert [(turn["author_role"], turn["internal"]) for turn in thread[-2:]] == [("system", False), ("ai", True)]
    assert handoff.REASONS[reason] in thread[-1]["body"]
    assert messages[0][:400] in thread[-1]["body"]
    history = admin.data(admin.get(f"/api/tickets/{last['ticket_id']}/history"))
    assert [event["to"] for event in history if event["field"] == "escalation_reason"] == [reason]


@pytest.mark.parametrize(
    "message",
    [
        "I don't want to talk to a person",
        "I spoke to an agent yesterday",
        "How do I become a support agent?",
        "My parcel arrived broken",
        "yes please",
        QUESTION,
    ],
)
def test_these_messages_do_not_ask_for_a_person(admin, message):
    admin.post("/api/knowledge", ARTICLE)
    assert say(admin, message)["escalation"] is False


def test_whoever_may_come_to_harm_is_told_to_call_for_help_and_the_ticket_is_urgent(admin):
    first = say(admin, "Hello")
    answer = say(admin, "I want to kill myself")
    assert "emergency number" in answer["reply"]
    assert admin.data(admin.get(f"/api/tickets/{first['ticket_id']}"))["priority"] == "urgent"


def test_after_its_most_answers_the_ai_hands_over(admin):
    admin.post("/api/knowledge", ARTICLE)
    for _ in range(turns.MOST_AI_TURNS):
        assert say(admin, QUESTION)["escalation"] is False
    assert say(admin, QUESTION)["escalation_reason"] == "turn_limit"


@pytest.mark.parametrize(
    ("reply", "message", "reason"),
    [
        ({"confidence": 0.2}, QUESTION, "low_confidence"),
        ({"wants_person": True}, QUESTION, "asked"),
        ({"kind": "none", "articles": []}, QUESTION, ""),
        ({"articles": []}, QUESTION, ""),
    ],
)
def test_the_models_answer_decides_by_its_fields(with_model, fake, reply, message, reason):
    fake.reply |= reply
    answer = say(with_model, message)
    assert (answer["escalation"], answer["escalation_reason"]) == (bool(reason), reason)
    assert answer["citations"] == []


def test_the_model_answers_from_the_article_and_cites_it(with_model, fake):
    answer = say(with_model, QUESTION)
    assert (answer["reply"], answer["ai_source"]) == ("It takes five working days.", "model")
    assert [cited["title"] for cited in answer["citations"]] == [ARTICLE["title"]]
    prompt = fake.requests[0]["messages"][-1]["content"]
    assert ARTICLE["body"] in prompt
    assert QUESTION in prompt
    assert "ada@example.com" not in prompt


BROKEN = ["error500", "refuse", "nonsense", "wrong_shape", "huge", "reset", "empty", "silent", "not_json"]


@pytest.mark.parametrize("mode", BROKEN)
def test_when_the_model_fails_the_article_answers_and_without_one_a_person(with_model, fake, mode):
    fake.mode = mode
    assert say(with_model, QUESTION)["ai_source"] == "knowledge"
    answer = say(with_model, UNKNOWN)
    assert (answer["escalation_reason"], answer["status"]) == ("ai_failed", "handoff")


@pytest.mark.parametrize(
    "reply",
    [
        {"reply": "We will refund you tomorrow."},
        {"reply": "See https://evil.example/x"},
        {"reply": "Please send us your password."},
        {"articles": [2]},
        {"articles": ["1"]},
        {"articles": "1"},
        {"kind": "refund"},
        {"confidence": "very"},
        {"reply": "x" * 5_000},
        {"reply": "  "},
    ],
)
def test_what_the_model_must_not_say_is_never_sent(with_model, fake, reply):
    fake.reply |= reply
    answer = say(with_model, QUESTION)
    assert answer["ai_source"] == "knowledge"
    assert ARTICLE["body"] in answer["reply"]


@pytest.mark.every_engine
def test_an_available_agent_gets_the_conversation_and_people_are_told(admin, mailer, run_jobs):
    admin.put("/api/settings", {"support_email": "team@example.com"})
    add_agent(admin)
    answer = say(admin, "I want to speak to a person")
    ticket = admin.data(admin.get(f"/api/tickets/{answer['ticket_id']}"))
    assert (ticket["assigned_to"], ticket["status"]) == ("bob@example.com", "handoff")
    assert "as soon as possible" in answer["reply"]
    run_jobs()
    assert {notice.to for notice in mailer.sent} == {"team@example.com", "bob@example.com"}
    alert = next(notice for notice in mailer.sent if notice.to == "team@example.com")
    assert "the customer asked for a person" in alert.text


def test_without_agents_the_customer_is_told_that_the_conversation_waits(admin):
    answer = say(admin, "I want to speak to a person")
    assert "waits first in the queue" in answer["reply"]
    assert "e-mail" in answer["reply"]
    assert "e-mail" not in admin.data(admin.post("/api/chat", {"user_id": "u", "message": "human"}))["reply"]


def test_a_company_may_have_people_answer_first(admin):
    admin.put("/api/settings", {"human_first": True})
    admin.post("/api/knowledge", ARTICLE)
    answer = say(admin, QUESTION)
    assert (answer["reply"], answer["ai_source"], answer["status"]) == ("", "human", "handoff")
    assert (answer["escalation"], answer["escalation_reason"]) == (True, "")
    messages = admin.data(admin.get(f"/api/chat/{answer['conversation_id']}/messages"))
    assert [message["role"] for message in messages] == ["customer", "system"]
    admin.data(admin.post(f"/api/chat/{answer['conversation_id']}/return"))
    assert say(admin, QUESTION)["ai_source"] == "knowledge"


# What may happen to a conversation once a person has it; none of it may let the AI speak again.
EVENTS = {
    "customer writes": lambda admin, ticket: admin.post("/api/chat", {"message": "Hello", "conversation_id": ticket}),
    "agent replies": lambda admin, ticket: admin.post(f"/api/tickets/{ticket}/replies", {"body": "I am on it."}),
    "assigned": lambda admin, ticket: admin.post(f"/api/tickets/{ticket}/assign", {"agent_email": "bob"}),
    "unassigned": lambda admin, ticket: admin.post(f"/api/tickets/{ticket}/unassign"),
    "queued": lambda admin, ticket: admin.put(f"/api/tickets/{ticket}", {"status": "new"}),
    "resolved and back": lambda admin, ticket: (
        admin.post(f"/api/tickets/{ticket}/resolve", {"resolution": "Done."}),
        admin.post(f"/api/tickets/{ticket}/reopen"),
    ),
    "closed": lambda admin, ticket: admin.post(f"/api/chat/{ticket}/close"),
    "answer on request": lambda admin, ticket: admin.post(f"/api/tickets/{ticket}/ai_response"),
}


@pytest.mark.parametrize("first", [None, "agent replies", "assigned"])
def test_once_a_person_has_it_the_ai_stays_silent_until_a_person_gives_it_back(open_app, first):
    admin = Caller(open_app(rate_limit="off").test_client(), "admin-key")
    admin.post("/api/knowledge", ARTICLE)
    for number, events in enumerate(itertools.permutations(EVENTS, 2)):
        named = {"customer_email": f"ada{number}@example.com"}
        ticket = say(admin, "I want to speak to a person" if first is None else "Hello", **named)["ticket_id"]
        for event in filter(None, (first, *events)):
            EVENTS[event](admin, ticket)
            answer = say(admin, QUESTION, conversation_id=ticket, **named)
            assert (answer["reply"], answer["ai_source"], answer["escalation"]) == ("", "human", True), events
        admin.data(admin.post(f"/api/chat/{ticket}/return"))
        back = say(admin, QUESTION, conversation_id=ticket, **named)
        assert (back["ai_source"], back["escalation"], back["status"]) == ("knowledge", False, "ai_responded"), events


def test_only_staff_give_a_conversation_back(customer):
    conversation = customer.data(customer.post("/api/chat", {"message": "human"}))["conversation_id"]
    assert customer.post(f"/api/chat/{conversation}/return").status_code == 403


@pytest.mark.every_engine
def test_a_person_who_answers_while_the_model_writes_wins_and_the_draft_is_kept(with_model, fake):
    conversation = say(with_model, "Hello")["conversation_id"]
    fake.mode, fake.seconds = "slow", 1.0
    answers = []
    writer = threading.Thread(target=lambda: answers.append(say(with_model, QUESTION)))
    writer.start()
    while fake.count < 2:
        time.sleep(0.01)
    with_model.data(with_model.post(f"/api/tickets/{conversation}/replies", {"body": "I am Bob, I look at it."}), 201)
    writer.join()
    assert (answers[0]["reply"], answers[0]["ai_source"]) == ("", "human")
    thread = with_model.data(with_model.get(f"/api/tickets/{conversation}/replies"))
    assert [turn["author_role"] for turn in thread if not turn["internal"]][-2:] == ["customer", "agent"]
    notes = [turn["body"] for turn in thread if turn["internal"]]
    assert "It takes five working days." in notes[-1]
    (draft,) = with_model.data(with_model.get(f"/api/tickets/{conversation}/draft"))
    assert (draft["source"], draft["stale"]) == ("model", True)
    assert "It takes five working days." in draft["body"]


def test_a_reply_of_a_person_is_mailed_unless_the_customer_reads_along(app, runtime, admin, customer, mailer, run_jobs):
    conversation = customer.data(customer.post("/api/chat", {"message": "human"}))["conversation_id"]
    reply = {"body": "Hello, I am Bob."}
    admin.data(admin.post(f"/api/tickets/{conversation}/replies", reply), 201)
    run_jobs()
    assert mailer.sent == []
    jobs = admin.data(admin.get("/api/jobs"))
    assert [job["kind"] for job in jobs] == ["public_reply"]


def test_the_ai_answers_only_the_customers_own_company(open_app):
    app = open_app()
    runtime = app.extensions["runtime"]
    ours, theirs = (Caller(app.test_client(), add_key(runtime, "admin", company=name)) for name in ("one", "two"))
    theirs.data(theirs.post("/api/knowledge", ARTICLE), 201)
    assert say(ours, QUESTION)["citations"] == []
    assert say(theirs, QUESTION)["citations"] != []
