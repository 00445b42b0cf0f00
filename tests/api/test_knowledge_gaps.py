"""What customers ask and no article answers."""

import pytest

from ai.embeddings import Embeddings
from tests.services.test_article_answers import ASKED, add_article

DELIVERY = [
    {"title": "Where is my parcel?", "description": "My parcel has not arrived yet."},
    {"title": "Parcel not arrived", "description": "My parcel has still not arrived. Where is it?"},
    {"title": "When does my parcel arrive?", "description": "The parcel has not arrived."},
]
CURRENCY = {"title": "How do I change the currency?", "description": "Our shop sells in another currency now."}


def gaps(caller, query=""):
    return caller.data(caller.get(f"/api/ai/knowledge-gaps{query}"))


@pytest.mark.every_engine
def test_alike_questions_stand_together_the_most_frequent_first(admin, agent, other_admin):
    asked = [admin.ticket(**fields) for fields in (DELIVERY[0], CURRENCY, *DELIVERY[1:])]
    other_admin.ticket(title="Foreign", description="A question of another company.")
    delivery, currency = gaps(agent)
    assert delivery["question"] in [fields["title"] for fields in DELIVERY]
    assert (delivery["count"], delivery["last_asked_at"]) == (3, asked[3]["created_at"])
    assert delivery["ticket_ids"] == [asked[3]["id"], asked[2]["id"], asked[0]["id"]]
    assert (currency["question"], currency["count"]) == (CURRENCY["title"], 1)
    assert [row["count"] for row in gaps(agent, "?limit=1")] == [3]


def test_the_period_bounds_the_tickets(admin):
    first, second = admin.ticket(**CURRENCY), admin.ticket(**DELIVERY[0])
    at = second["created_at"]
    assert [row["ticket_ids"] for row in gaps(admin, f"?from={at}")] == [[second["id"]]]
    assert [row["ticket_ids"] for row in gaps(admin, f"?to={at}")] == [[first["id"]]]
    assert admin.get(f"/api/ai/knowledge-gaps?from={at}&to={at}").status_code == 400


def test_what_an_article_answers_is_no_gap_before_and_after(admin):
    ticket = admin.ticket(**ASKED)
    assert [row["ticket_ids"] for row in gaps(admin)] == [[ticket["id"]]]
    article = add_article(admin)
    assert gaps(admin) == []
    assert admin.ticket(**ASKED)["ai_source"] == "knowledge"
    admin.data(admin.put(f"/api/knowledge/{article['id']}", {"status": "draft"}))
    assert [row["ticket_ids"] for row in gaps(admin)] == [[ticket["id"]]]


def test_a_chat_that_was_handed_over_without_an_answer_is_a_gap(admin):
    for message in ("How do I change the currency of my shop?", "I said the currency of the shop, how?"):
        answer = admin.data(admin.post("/api/chat", {"message": message, "customer_email": "ada@example.com"}))
    assert answer["escalation_reason"] == "unanswered"
    (gap,) = gaps(admin)
    assert (gap["question"], gap["ticket_ids"]) == ("How do I change the currency of my shop?", [answer["ticket_id"]])


@pytest.mark.parametrize(
    ("fields", "question"),
    [
        ({"title": "Hello", "description": "How do I change the currency?"}, "How do I change the currency?"),
        ({"title": "x" * 900, "description": "y"}, "x" * 200),
    ],
)
def test_a_title_that_says_nothing_is_not_the_question(admin, fields, question):
    admin.ticket(**fields)
    assert [row["question"] for row in gaps(admin)] == [question]


def test_greetings_and_signs_alone_are_no_question(admin):
    admin.ticket(title="Hello", description="Thank you!")
    admin.ticket(title="😀", description="🔥")
    assert gaps(admin) == []


def test_an_erased_ticket_is_no_gap(admin):
    admin.ticket(**CURRENCY)
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert gaps(admin) == []


def test_without_embeddings_the_words_decide(admin, runtime):
    runtime.embeddings = Embeddings(None, "none")
    for fields in (DELIVERY[0], DELIVERY[0], CURRENCY):
        admin.ticket(**fields)
    assert [row["count"] for row in gaps(admin)] == [2, 1]
