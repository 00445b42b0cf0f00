"""An agent asks about a ticket."""

import pytest

from ai.llm import open_model
from tests.api.test_drafts import ARTICLE, ASKED, resolved
from tests.fakes.fake_model import FakeModel

VERSION = "It is version 2.1 of the app on an old phone."


def asked(caller, ticket, question, **more):
    response = caller.post(f"/api/tickets/{ticket['id']}/ask", {"question": question}, **more)
    return caller.data(response), response.json["message"]


def test_without_a_model_the_best_support_is_quoted(admin, agent):
    ticket = admin.ticket(**ASKED)
    article = admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    history = admin.data(admin.get(f"/api/tickets/{ticket['id']}/history"))
    answer, message = asked(agent, ticket, "Why is a customer charged twice?")
    assert answer == {
        "answer": f"From the article “{ARTICLE['title']}”: A second charge is a hold of the bank.",
        "citations": [{"article_id": article["id"], "title": ARTICLE["title"]}],
        "source": "knowledge",
    }
    assert message == "The answer was written without the model: no model is set up."
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}/history")) == history


def test_a_past_resolution_answers_and_names_nobody(admin):
    past = resolved(admin, "Grace, the hold was released by the bank.")
    answer, _ = asked(
        admin, admin.ticket(**ASKED), "How do we help somebody whose card was charged twice for one order?"
    )
    assert answer["answer"].startswith(f"Ticket #{past['number']} is like this one")
    assert (answer["source"], answer["citations"], "Grace" in answer["answer"]) == ("learned", [], False)


def test_the_tickets_own_messages_and_notes_answer(admin):
    ticket = admin.ticket(title="It closes", description="The app closes at once.")
    path = f"/api/tickets/{ticket['id']}/replies"
    admin.data(admin.post(path, {"body": VERSION, "internal": True}), 201)
    answer, _ = asked(admin, ticket, "Which version of the app is it?")
    assert (answer["source"], answer["citations"]) == ("rules", [])
    assert VERSION in answer["answer"]


@pytest.mark.parametrize("question", ["What is the capital of Peru?", "😀", "?" * 2_000])
def test_what_nothing_supports_is_not_answered(admin, question):
    admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    answer, _ = asked(admin, admin.ticket(**ASKED), question)
    assert (answer["source"], answer["citations"]) == ("canned", [])
    assert answer["answer"].startswith("No article, no resolved ticket and no message of this ticket answers that.")


@pytest.mark.parametrize("question", ["", "   ", "x" * 2_001, None, 7])
def test_a_wrong_question_is_refused(admin, question):
    response = admin.post(f"/api/tickets/{admin.ticket()['id']}/ask", {"question": question})
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "question")


class TestWithModel:
    @pytest.fixture
    def fake(self):
        with FakeModel() as server:
            server.reply = {"answer": "It is version 2.1.", "articles": []}
            yield server

    @pytest.fixture
    def app(self, open_app, fake):
        return open_app(model=open_model("sk-test", fake.url, "test-model", 5.0), threads=8)

    def test_the_model_answers_from_the_ticket_its_notes_and_articles(self, admin, fake):
        article = admin.data(admin.post("/api/knowledge", ARTICLE), 201)
        ticket = admin.ticket(**ASKED)
        note = {"body": VERSION, "internal": True}
        admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", note), 201)
        fake.reply = {"answer": "A hold of the bank.", "articles": [1]}
        answer, message = asked(admin, ticket, "Why charged twice?")
        cited = [{"article_id": article["id"], "title": ARTICLE["title"]}]
        assert answer == {"answer": "A hold of the bank.", "citations": cited, "source": "model"}
        assert message == "The answer was written by the model."
        data = fake.requests[-1]["messages"][1]["content"]
        for text in (VERSION, "A second charge is a hold of the bank.", '"question": "Why charged twice?"'):
            assert text in data

    @pytest.mark.parametrize(
        ("reply", "mode"),
        [
            ({"answer": "![x](https://evil.example/a.png)"}, "ok"),
            ({"answer": ""}, "ok"),
            ({"articles": [9]}, "ok"),
            ({}, "error500"),
            ({}, "nonsense"),
        ],
    )
    def test_an_answer_that_cannot_be_used_is_replaced_and_the_reason_is_said(self, admin, fake, reply, mode):
        fake.reply, fake.mode = fake.reply | reply, mode
        answer, message = asked(admin, admin.ticket(title="Hello", description="Hello there."), "Which version is it?")
        assert answer["source"] == "canned"
        assert message.startswith("The answer was written without the model: ")
