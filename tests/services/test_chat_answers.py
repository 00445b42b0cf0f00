"""What the AI answers in a chat: from articles, by the model within its bounds, in the language of the customer."""

import threading
import time

import pytest

from ai.llm import open_model
from tests.conftest import add_key
from tests.fakes.fake_model import FakeModel
from tests.support.caller import Caller
from tests.support.chat import ANSWERED, ARTICLE, QUESTION, UNKNOWN, say


@pytest.fixture
def fake():
    with FakeModel() as server:
        server.reply = dict(ANSWERED)
        yield server


@pytest.fixture
def with_model(open_app, fake):
    """The admin of a server whose model is `fake`, with an article."""
    app = open_app(model=open_model("sk-test", fake.url, "test-model", 2.0), threads=8)
    caller = Caller(app.test_client(), "admin-key")
    caller.post("/api/knowledge", ARTICLE)
    return caller


@pytest.mark.parametrize(
    "message",
    [
        "I don't want to talk to a person",
        "I spoke to an agent yesterday",
        "How do I become a support agent?",
        "My parcel arrived broken",
        "Apple pay button missing on android",
        "I cannot print labels in purple",
        "My support staff cannot log in",
        "thanks, that solved it",
        "goodbye",
        "👍",
        "thank you for your help",
        "vielen Dank für die Hilfe",
        "no movement since 6 days",
        "yes please",
        QUESTION,
    ],
)
def test_these_messages_do_not_ask_for_a_person(admin, message):
    admin.post("/api/knowledge", ARTICLE)
    assert say(admin, message)["escalation"] is False


def test_a_question_about_fraud_that_an_article_answers_is_no_risk(admin):
    body = "To mark an order as fraud, open the order and choose Mark as fraud. The order is then held."
    admin.post("/api/knowledge", {"title": "How to mark an order as fraud", "body": body})
    assert say(admin, "How do I mark an order as fraud?")["ai_source"] == "knowledge"
    assert say(admin, "There was fraud on my account, I never made these orders")["escalation_reason"] == "risk"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Combien de temps prend un remboursement ?", "Je ne trouve rien"),
        ("Combien coûte un abonnement ?", "Je ne trouve rien"),
        ("Hallo", "Guten Tag"),
        ("Wie lange dauert eine Erstattung?", "Hilfeartikeln"),
        ("¿Cuánto cuesta una suscripción?", "No encuentro"),
        ("Quanto costa un abbonamento?", "non trovo"),
        ("Quanto custa uma assinatura?", "Não encontro"),
        ("Hoeveel kost een abonnement?", "Ik vind hier"),
        ("How much is a subscription?", "I found nothing"),
    ],
)
def test_each_language_is_answered_in_itself(admin, message, words):
    assert words in say(admin, message)["reply"]


def test_thanks_and_goodbyes_are_answered_as_such_and_a_no_is_a_no(admin):
    say(admin, UNKNOWN)
    declined = say(admin, "no thanks")
    assert (declined["escalation"], "no person then" in declined["reply"]) == (False, True)
    assert "You are welcome" in say(admin, "ok great thanks")["reply"]
    assert "Gern geschehen" in say(admin, "danke, tschüss", customer_email="eve@example.com")["reply"]
    assert say(admin, "goodbye")["escalation"] is False


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


@pytest.mark.parametrize("kind", ["answer", "none", "question", "courtesy"])
def test_what_rests_on_no_article_is_not_said(with_model, fake, kind):
    guess = "Your plan includes 99 seats and a free pony, just enable Turbo mode. " * 4
    fake.reply |= {"reply": guess, "kind": kind, "articles": []}
    assert "pony" not in say(with_model, QUESTION)["reply"]


def test_the_model_answers_from_the_article_and_cites_it(with_model, fake):
    answer = say(with_model, QUESTION)
    assert (answer["reply"], answer["ai_source"]) == ("It takes five working days.", "model")
    assert [cited["title"] for cited in answer["citations"]] == [ARTICLE["title"]]
    prompt = fake.requests[0]["messages"][-1]["content"]
    assert ARTICLE["body"] in prompt
    assert '"people": "open now"' in prompt
    assert QUESTION in prompt
    assert "ada@example.com" not in prompt


BROKEN = ["error500", "refuse", "nonsense", "wrong_shape", "huge", "reset", "empty", "silent", "not_json"]


@pytest.mark.parametrize("mode", BROKEN)
def test_case_36_when_the_model_fails_the_article_answers_and_without_one_a_person(with_model, fake, mode):
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
        {"reply": "I have reset your password and cancelled your subscription."},
        {"reply": "I've forwarded this to our billing team and they will email you."},
        {"reply": "I connected you with a human agent; they are joining now."},
        {"reply": "Your money will be back in your account by Friday."},
        {"reply": "You qualify for a full refund. We guarantee it."},
        {"reply": "Use the discount code SAVE50 for 50 percent off."},
        {"reply": "Expect our technician at your door tomorrow at 9."},
        {"reply": "Ti rimborseremo domani."},
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
def test_case_37_a_person_who_answers_while_the_model_writes_wins_and_the_draft_is_kept(with_model, fake):
    conversation = say(with_model, "Hello")["conversation_id"]
    assert fake.count == 0, "a greeting needs no model"
    fake.mode, fake.seconds = "slow", 1.0
    answers = []
    writer = threading.Thread(target=lambda: answers.append(say(with_model, QUESTION)))
    writer.start()
    while fake.count < 1:
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


def test_the_ai_answers_only_the_customers_own_company(open_app):
    app = open_app()
    runtime = app.extensions["runtime"]
    ours, theirs = (Caller(app.test_client(), add_key(runtime, "admin", company=name)) for name in ("one", "two"))
    theirs.data(theirs.post("/api/knowledge", ARTICLE), 201)
    assert say(ours, QUESTION)["citations"] == []
    assert say(theirs, QUESTION)["citations"] != []
