"""Handing a conversation to people: every reason, who is told, and that the AI stays silent until a person gives it back."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from jobs.handlers import close_silent_chats
from services.chat import handoff, turns
from tests.support.caller import Caller
from tests.support.chat import ARTICLE, QUESTION, UNKNOWN, say


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
        (["ich will mich umbringen"], "risk"),
        (["je veux mourir"], "risk"),
        (["No quiero vivir más"], "risk"),
        (["he threatens to hurt me"], "risk"),
        (["please transfer me"], "asked"),
        (["Could a colleague of yours take a look at this?"], "asked"),
        (["kann ich bitte einen mitarbeiter haben"], "asked"),
        (["можно поговорить с человеком"], "asked"),
        ([UNKNOWN, "please"], "asked"),
        ([UNKNOWN, "yes i want to cancel"], "asked"),
        (["I will take legal action against you"], "risk"),
    ],
)
def test_case_37_each_reason_hands_over_with_a_sentence_for_the_customer(admin, messages, reason):
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


def test_a_resolved_conversation_of_long_ago_goes_on_when_its_customer_names_it(open_app):
    now = [datetime(2026, 3, 1, 8, 0, tzinfo=UTC)]
    caller = Caller(open_app(clock=lambda: now[0]).test_client(), "admin-key")
    ticket = say(caller, "Hello")["ticket_id"]
    caller.data(caller.post(f"/api/tickets/{ticket}/resolve", {"resolution": "Done."}))
    now[0] += timedelta(days=40)
    assert say(caller, "Hello again", conversation_id=ticket)["conversation_id"] == ticket


def test_a_danger_in_a_conversation_with_a_person_is_answered_and_told(admin, mailer, run_jobs):
    admin.put("/api/settings", {"support_email": "team@example.com"})
    ticket = say(admin, "I want to speak to a person")["ticket_id"]
    assert say(admin, "hello?")["reply"] == ""
    answer = say(admin, "I am going to kill myself tonight")
    assert "emergency number" in answer["reply"]
    assert admin.data(admin.get(f"/api/tickets/{ticket}"))["priority"] == "urgent"
    run_jobs()
    assert any("urgent" in notice.text for notice in mailer.sent)


def test_the_ticket_is_triaged_again_by_all_that_the_customer_wrote(admin):
    ticket = say(admin, "hello")["ticket_id"]
    say(admin, "the app is down for all of our customers, we lose thousands every minute, this is urgent!!")
    say(admin, "I want a human")
    after = admin.data(admin.get(f"/api/tickets/{ticket}"))
    assert (after["category"], after["priority"]) == ("technical", "urgent")
    assert any("answer" in reason or "urgency" in reason for reason in after["triage_reasons"])


def test_a_message_that_was_never_answered_is_handed_over_by_the_sweep(open_app):
    now = [datetime(2026, 3, 1, 8, 0, tzinfo=UTC)]
    app = open_app(clock=lambda: now[0])
    runtime, caller = app.extensions["runtime"], Caller(app.test_client(), "admin-key")
    conversation = say(caller, "Hello")["conversation_id"]
    caller.post(f"/api/tickets/{conversation}/replies", {"body": "Where is it?", "author_role": "customer"})
    now[0] += timedelta(seconds=121)
    close_silent_chats(runtime)
    seen = caller.data(caller.get(f"/api/chat/{conversation}"))
    assert (seen["status"], seen["escalation_reason"]) == ("handoff", "ai_failed")
    assert seen["messages"][-1]["role"] == "system"


def test_a_conversation_of_people_that_goes_on_after_its_end_is_theirs_again_and_says_so(admin):
    ticket = say(admin, "I want a human")["ticket_id"]
    admin.post(f"/api/tickets/{ticket}/resolve", {"resolution": "We sent you a new card."})
    messages = admin.data(admin.get(f"/api/chat/{ticket}/messages"))
    assert (messages[-1]["role"], messages[-1]["body"]) == ("system", "We sent you a new card.")
    answer = say(admin, "It has not arrived", conversation_id=ticket)
    assert (answer["status"], answer["escalation_reason"]) == ("handoff", "asked")
    assert answer["reply"]


def test_the_ai_writes_no_letter_into_a_conversation(admin):
    ticket = say(admin, "I want a human")["ticket_id"]
    assert admin.post(f"/api/tickets/{ticket}/ai_response").status_code == 409


def test_a_plain_ticket_of_the_chat_is_a_conversation_with_its_first_message(admin):
    ticket = admin.ticket(source="chat", description="Where is my parcel?")
    messages = admin.data(admin.get(f"/api/chat/{ticket['id']}"))["messages"]
    assert (messages[0]["role"], messages[0]["body"]) == ("customer", "Where is my parcel?")


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
    assert "as soon as one is" in answer["reply"]
    assert "e-mail" in answer["reply"]
    assert "e-mail" not in admin.data(admin.post("/api/chat", {"user_id": "u", "message": "human"}))["reply"]


def test_outside_the_hours_the_customer_is_told_when_the_desk_opens(open_app):
    now = [datetime(2026, 3, 1, 20, 0, tzinfo=UTC)]  # a Sunday
    caller = Caller(open_app(clock=lambda: now[0]).test_client(), "admin-key")
    days = [{"day": day, "opens": "09:00", "closes": "17:00"} for day in ("monday", "tuesday")]
    caller.data(
        caller.put("/api/settings", {"hours": {"time_zone": "Europe/Berlin", "days": days, "business_time": True}})
    )
    add_agent(caller)
    assert "open again on 2026-03-02 09:00 (Europe/Berlin)" in say(caller, "human")["reply"]
    now[0] = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert "closed" not in say(caller, "human", customer_email="eve@example.com")["reply"]


def test_a_company_may_have_people_answer_first(admin):
    admin.put("/api/settings", {"human_first": True})
    admin.post("/api/knowledge", ARTICLE)
    answer = say(admin, QUESTION)
    assert (answer["ai_source"], answer["status"], answer["citations"]) == ("canned", "handoff", [])
    assert (answer["escalation"], answer["escalation_reason"]) == (True, "")
    messages = admin.data(admin.get(f"/api/chat/{answer['conversation_id']}/messages"))
    assert [message["role"] for message in messages] == ["customer", "system"]
    assert say(admin, QUESTION)["reply"] == ""
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
        ai_turns = ["ai"] if first else []
        for event in filter(None, (first, *events)):
            EVENTS[event](admin, ticket)
            answer = say(admin, QUESTION, conversation_id=ticket, **named)
            assert (answer["ai_source"] in ("human", "canned"), answer["escalation"]) == (True, True), events
            messages = admin.data(admin.get(f"/api/chat/{ticket}"))["messages"]
            assert [one["role"] for one in messages if one["role"] == "ai"] == ai_turns, events
        admin.data(admin.post(f"/api/chat/{ticket}/return"))
        back = say(admin, QUESTION, conversation_id=ticket, **named)
        assert (back["ai_source"], back["escalation"], back["status"]) == ("knowledge", False, "ai_responded"), events


def test_only_staff_give_a_conversation_back(customer):
    conversation = customer.data(customer.post("/api/chat", {"message": "human"}))["conversation_id"]
    assert customer.post(f"/api/chat/{conversation}/return").status_code == 403


def test_a_reply_of_a_person_is_mailed_unless_the_customer_reads_along(app, runtime, admin, customer, mailer, run_jobs):
    conversation = customer.data(customer.post("/api/chat", {"message": "human"}))["conversation_id"]
    reply = {"body": "Hello, I am Bob."}
    admin.data(admin.post(f"/api/tickets/{conversation}/replies", reply), 201)
    run_jobs()
    assert mailer.sent == []
    jobs = admin.data(admin.get("/api/jobs"))
    assert [job["kind"] for job in jobs] == ["public_reply"]
