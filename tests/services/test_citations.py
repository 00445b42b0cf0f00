"""How often articles answered, and how often a person was needed all the same."""

import pytest

from database.tables import citations
from storage import open_storage
from tests.services.test_article_answers import ASKED, add_article
from tests.support.rows import everything


def times(caller, article):
    row = caller.data(caller.get(f"/api/knowledge/{article['id']}"))
    return row["times_answered"], row["times_escalated"]


@pytest.mark.every_engine
def test_an_article_tells_how_often_it_answered_and_how_often_a_person_was_needed(admin, other_admin):
    article, other = add_article(admin), add_article(admin, title="Labels", body="How labels are printed.")
    assert (article["times_answered"], article["times_escalated"]) == (0, 0)
    tickets = [admin.ticket(**ASKED) for _ in range(3)]
    assert times(admin, article) == (3, 0)
    admin.data(admin.post(f"/api/tickets/{tickets[0]['id']}/replies", {"body": "Let me look."}), 201)
    admin.data(admin.put(f"/api/tickets/{tickets[1]['id']}", {"status": "handoff"}))
    assert times(admin, article) == (3, 2)
    assert times(admin, other) == (0, 0)
    listed = {row["id"]: row["times_answered"] for row in admin.data(admin.get("/api/knowledge"))}
    assert listed == {article["id"]: 3, other["id"]: 0}
    admin.data(admin.delete(f"/api/tickets/{tickets[0]['id']}"))
    assert times(admin, article) == (2, 1)


def test_an_answer_that_is_written_again_counts_once(admin):
    article, ticket = add_article(admin), admin.ticket(**ASKED)
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/ai_response"))
    assert times(admin, article) == (1, 0)


def test_turns_of_a_chat_count_their_ticket_once(admin):
    article = add_article(admin)
    for message in (ASKED["description"], "thanks", ASKED["description"]):
        answer = admin.data(admin.post("/api/chat", {"message": message, "customer_email": "ada@example.com"}))
    assert answer["ai_source"] == "knowledge"
    assert times(admin, article) == (1, 0)


def test_customers_see_no_counts(admin, customer):
    article = add_article(admin)
    assert "times_answered" not in customer.data(customer.get(f"/api/knowledge/{article['id']}"))
    assert "times_answered" not in customer.data(customer.get("/api/knowledge"))[0]


def test_a_customers_own_ticket_counts(admin, customer):
    article = add_article(admin)
    assert customer.data(customer.post("/api/tickets", ASKED), 201)["ai_source"] == "knowledge"
    assert times(admin, article) == (1, 0)


def test_an_article_may_be_sent_back_with_its_counts(admin):
    article = admin.data(admin.get(f"/api/knowledge/{add_article(admin)['id']}"))
    assert admin.data(admin.put(f"/api/knowledge/{article['id']}", {**article, "title": "New"}))["title"] == "New"


def test_citations_go_with_their_article_and_with_erased_tickets(admin, runtime):
    article = add_article(admin)
    admin.ticket(**ASKED)
    admin.ticket(**ASKED, customer_email="bob@example.com")
    admin.data(admin.delete("/api/customers/bob@example.com"))
    assert times(admin, article) == (1, 0)
    admin.data(admin.delete(f"/api/knowledge/{article['id']}"))
    with runtime.storage.unit_of_work(None) as uow:
        assert uow.find(uow.query(citations)) == []


def test_a_file_with_drafts_and_citations_opens_again(admin, runtime, tmp_path):
    add_article(admin)
    ticket = admin.ticket(**ASKED)
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/draft"))
    before = everything(runtime.storage)
    runtime.stop()
    store = open_storage("json:", tmp_path)
    assert everything(store) == before
    store.close()
