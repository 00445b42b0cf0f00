"""Drafts by a model: kept with their citations, and what happens when the ticket moves on or the model fails meanwhile."""

import threading
import time

import pytest

from ai.llm import open_model
from tests.api.test_drafts import ARTICLE, ASKED, drafted
from tests.fakes.fake_model import FakeModel

GOOD = {"body": "Hello Ada, the second charge is a hold of the bank.", "articles": [1], "confidence": 0.75}


@pytest.fixture
def fake():
    with FakeModel() as server:
        server.reply = GOOD
        yield server


@pytest.fixture
def app(open_app, fake):
    return open_app(model=open_model("sk-test", fake.url, "test-model", 5.0), threads=8)


def test_the_model_writes_the_draft_and_cites_articles(admin, agent, fake):
    article = admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    ticket = admin.ticket(**ASKED)
    response = agent.post(f"/api/tickets/{ticket['id']}/draft", {"tone": "formal"})
    draft = agent.data(response)
    assert (draft["body"], draft["source"], draft["confidence"]) == (GOOD["body"], "model", 0.75)
    assert draft["citations"] == [{"article_id": article["id"], "title": ARTICLE["title"]}]
    assert response.json["message"] == "The draft was written by the model."
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}")) == ticket
    admin.data(admin.delete(f"/api/knowledge/{article['id']}"))
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}/draft"))[0]["citations"] == []


def test_no_word_of_another_ticket_is_sent_to_the_model(admin, fake):
    past = admin.ticket(**{**ASKED, "customer_email": "bob@example.com", "customer_name": "Bob"})
    admin.data(
        admin.post(f"/api/tickets/{past['id']}/resolve", {"resolution": "The hold of the Contoso bank was released."})
    )
    drafted(admin, admin.ticket(**ASKED))
    assert "Contoso" not in str(fake.requests[-1])


def slow_draft(caller, ticket, fake, answers):
    """Starts a draft that the model takes its time for."""
    fake.mode, fake.seconds = "slow", 1.0
    path = f"/api/tickets/{ticket['id']}/draft"
    asking = threading.Thread(target=lambda: answers.append(caller.post(path, {})))
    asking.start()
    while not fake.count:
        time.sleep(0.01)
    return asking


def test_a_draft_of_a_ticket_that_moved_on_meanwhile_is_stale(admin, agent, fake):
    ticket, answers = admin.ticket(**ASKED), []
    asking = slow_draft(agent, ticket, fake, answers)
    admin.data(
        admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Never mind.", "author_role": "customer"}), 201
    )
    asking.join()
    assert agent.data(answers[0])["stale"] is True


def test_a_draft_of_a_ticket_that_was_deleted_meanwhile_is_not_found(admin, agent, fake):
    ticket, answers = admin.ticket(**ASKED), []
    asking = slow_draft(agent, ticket, fake, answers)
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    asking.join()
    assert answers[0].status_code == 404


@pytest.mark.parametrize("mode", ["error500", "refuse", "nonsense", "huge", "empty", "not_json", "wrong_shape"])
def test_when_the_model_fails_the_article_is_quoted(admin, fake, mode):
    admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    ticket = admin.ticket(**ASKED)
    fake.mode = mode
    response = admin.post(f"/api/tickets/{ticket['id']}/draft")
    assert admin.data(response)["source"] == "knowledge"
    assert response.json["message"].startswith("The draft was written without the model: ")


@pytest.mark.parametrize(
    "body", ["We will refund you.", "Somebody will call you tomorrow.", "See https://evil.example"]
)
def test_a_draft_that_breaks_a_rule_is_replaced_and_the_reason_is_said(admin, fake, body):
    fake.reply = GOOD | {"body": body}
    response = admin.post(f"/api/tickets/{admin.ticket(**ASKED)['id']}/draft")
    draft = admin.data(response)
    assert draft["source"] == "canned"
    assert body not in draft["body"]
    assert "the model's reply" in response.json["message"]


def test_while_the_model_is_busy_the_next_step_answers_at_once(admin, fake, runtime):
    ticket = admin.ticket(**ASKED)
    while runtime.wait_slots.acquire(blocking=False):
        pass
    response = admin.post(f"/api/tickets/{ticket['id']}/draft")
    assert (admin.data(response)["source"], fake.count) == ("canned", 0)
    assert "busy" in response.json["message"]


def test_the_same_key_writes_one_draft(admin, fake):
    path = f"/api/tickets/{admin.ticket(**ASKED)['id']}/draft"
    first = admin.data(admin.post(path, headers={"Idempotency-Key": "d"}))
    assert admin.data(admin.post(path, headers={"Idempotency-Key": "d"})) == first
    assert (fake.count, len(admin.data(admin.get(path)))) == (1, 1)
