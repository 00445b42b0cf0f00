"""A ticket that an article answers gets the article quoted, without a model and when the model fails."""

import pytest

from ai.llm import Model
from ai.retrieval.index import ArticleIndex
from database.tables import articles, tickets
from jobs.handlers import ModelSync
from services.knowledge.company_index import QUICK
from storage import open_storage
from tests.fakes.fake_model import FakeModel
from tests.support.caller import Caller

ARTICLE = {
    "title": "How long refunds take",
    "body": "A refund goes back to the card and arrives after five working days.",
    "category": "billing",
}
ASKED = {"title": "When does my refund arrive?", "description": "How long does a refund to the card take to arrive?"}


def add_article(admin, **fields):
    return admin.data(admin.post("/api/knowledge", {**ARTICLE, **fields}), 201)


def test_a_new_ticket_is_answered_by_the_article(admin, mailer, run_jobs):
    article = add_article(admin)
    ticket = admin.ticket(**ASKED)
    assert (ticket["ai_source"], ticket["ai_status"], ticket["status"]) == ("knowledge", "done", "ai_responded")
    assert ticket["ai_citations"] == [article["id"]]
    assert 0.45 <= ticket["ai_confidence"] <= 1
    assert "“How long refunds take”" in ticket["ai_response"]
    assert ARTICLE["body"] in ticket["ai_response"]
    assert "a person will read it" in ticket["ai_response"]
    thread = admin.data(admin.get(f"/api/tickets/{ticket['id']}/replies"))
    assert [(reply["author_role"], reply["body"]) for reply in thread] == [("ai", ticket["ai_response"])]
    run_jobs()
    assert any(ARTICLE["body"] in notice.text for notice in mailer.sent)


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"status": "draft"}, ASKED),
        ({}, {"title": "Login", "description": "I cannot sign in on my new phone."}),
        ({}, {"title": "😀", "description": "😀"}),
    ],
)
def test_without_a_published_article_that_fits_the_answer_is_canned(admin, fields, asked):
    add_article(admin, **fields)
    ticket = admin.ticket(**asked)
    assert (ticket["ai_source"], ticket["ai_citations"]) == ("canned", [])


def test_an_article_of_another_company_answers_nothing(admin, other_admin):
    add_article(other_admin)
    assert admin.ticket(**ASKED)["ai_source"] == "canned"


def test_what_an_article_says_is_quoted_as_text(admin):
    add_article(admin, body="A refund to the card takes <script>alert(1)</script> five days to arrive {{x}} %s.")
    text = admin.ticket(**ASKED)["ai_response"]
    assert "<script>" not in text
    assert "{{x}} %s" in text


def test_a_new_answer_on_request_rests_on_the_article_too(admin):
    ticket = admin.ticket(**ASKED)
    assert ticket["ai_source"] == "canned"
    article = add_article(admin)
    answer = admin.data(admin.post(f"/api/tickets/{ticket['id']}/ai_response", {}))
    assert (answer["ai_source"], answer["ai_citations"]) == ("knowledge", [article["id"]])


def test_when_the_model_fails_the_article_answers(open_app):
    with FakeModel() as fake:
        model = Model(api_key="sk-test-0123456789", base_url=fake.url, name="fake-1")
        app = open_app(model=model)
        admin, runtime = Caller(app.test_client(), "admin-key"), app.extensions["runtime"]
        article = add_article(admin)
        fake.mode = "nonsense"
        failed = admin.ticket(**ASKED)
        other = admin.ticket(title="Login", description="I cannot sign in on my new phone.")
        while runtime.runner.run_due():
            pass
        ticket = admin.data(admin.get(f"/api/tickets/{failed['id']}"))
        assert (ticket["ai_source"], ticket["ai_citations"]) == ("knowledge", [article["id"]])
        history = admin.data(admin.get(f"/api/tickets/{failed['id']}/history"))
        assert "ai_failed" in [event["action"] for event in history]
        assert admin.data(admin.get(f"/api/tickets/{other['id']}"))["ai_source"] == "canned"
        fake.mode = "ok"
        answered = admin.ticket(**ASKED)
        runtime.runner.run_due()
        assert admin.data(admin.get(f"/api/tickets/{answered['id']}"))["ai_source"] == "model"
        model.close()


def test_a_ticket_waits_for_no_index_of_many_articles(admin, runtime):
    rows = [
        {
            "title": f"Thing {number}",
            "body": "Something else entirely, which has as many words as the other article has.",
        }
        for number in range(QUICK)
    ]
    admin.data(admin.post("/api/import/knowledge", [*rows, ARTICLE]))
    assert admin.ticket(**ASKED)["ai_source"] == "canned"
    ModelSync(runtime)()
    assert admin.ticket(**ASKED)["ai_source"] == "knowledge"


def test_a_ticket_does_not_fail_because_of_an_article(admin, monkeypatch, caplog):
    add_article(admin)

    def fail(*_):
        raise ValueError("secret words of a customer")

    monkeypatch.setattr(ArticleIndex, "search", fail)
    assert admin.ticket(**ASKED)["ai_source"] == "canned"
    assert "No article was looked for: ValueError" in caplog.text
    assert "secret words" not in caplog.text


def test_an_answered_ticket_and_its_article_are_there_after_a_restart(admin, runtime):
    article, ticket = add_article(admin), admin.ticket(**ASKED)
    admin.data(admin.put(f"/api/knowledge/{article['id']}", {"clear": ["tags", "source"], "status": "draft"}))
    runtime.stop()
    store = open_storage("json:", runtime.settings.data_dir)
    with store.unit_of_work(None) as uow:
        assert uow.get(tickets, ticket["id"])["ai_citations"] == [article["id"]]
        assert uow.get(articles, article["id"])["status"] == "draft"
    store.close()


def test_the_model_rests_on_the_articles_and_cites_them(open_app):
    with FakeModel() as fake:
        model = Model(api_key="k", base_url=fake.url, name="m", timeout_seconds=5)
        app = open_app(model=model)
        admin, runtime = Caller(app.test_client(), "admin-key"), app.extensions["runtime"]
        article = add_article(admin)
        fake.reply = {"articles": [1]}
        ticket = admin.ticket(**ASKED)
        runtime.runner.run_due()
        answered = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
        assert (answered["ai_source"], answered["ai_citations"]) == ("model", [article["id"]])
        assert ARTICLE["body"] in fake.requests[0]["messages"][1]["content"]
        fake.reply = {"articles": [2]}
        ticket = admin.ticket(**ASKED)
        runtime.runner.run_due()
        answered = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
        assert answered["ai_source"] == "knowledge", "an answer that cites what was not given is not used"
        model.close()
