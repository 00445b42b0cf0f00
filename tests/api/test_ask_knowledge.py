"""Questions to the articles: answered as in the chat, without a conversation."""

import pytest

from database.tables import conversations, events, replies, tickets

ARTICLE = {"title": "Refunds", "body": "A refund by bank transfer arrives after five working days."}
QUESTION = "How long does a refund by bank transfer take?"


def ask(caller, question):
    return caller.data(caller.post("/api/ask/knowledge", {"question": question}))


def tables(runtime):
    with runtime.storage.unit_of_work(None) as uow:
        return [uow.count(uow.query(table)) for table in (tickets, replies, conversations, events)]


def test_the_best_article_answers_everybody_alike(admin, agent, customer, stranger):
    article = admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    for caller in (admin, agent, customer):
        answer = ask(caller, QUESTION)
        assert ARTICLE["body"] in answer["answer"]
        assert [one["article_id"] for one in answer["citations"]] == [article["id"]]
        assert (answer["answered"], answer["escalation"], answer["source"]) == (True, False, "knowledge")
    assert ask(stranger, QUESTION)["citations"] == []


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("I want to talk to a human being.", "asked"),
        ("I will hurt myself.", "risk"),
        ("This is a scam, idiots!!!", "angry"),
    ],
)
def test_it_says_when_a_person_must_answer(admin, question, reason):
    answer = ask(admin, question)
    assert (answer["escalation"], answer["escalation_reason"], answer["answer"]) == (True, reason, "")


def test_without_an_article_it_says_so_and_stores_nothing(admin, runtime):
    before = tables(runtime)
    answer = ask(admin, "Do you sell bicycles?")
    assert (answer["answered"], answer["citations"], answer["confidence"]) == (False, [], 0.0)
    assert tables(runtime) == before
