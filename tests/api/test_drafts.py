"""Drafts of replies without a model: where they come from, that they name no other customer, and what becomes of them."""

import pytest

from ai import canned_drafts
from ai.reply_checks import guards
from core.models import CATEGORIES
from services.tickets.anonymise import ERASED

ARTICLE = {
    "title": "Why you were charged twice",
    "body": "A second charge is a hold of the bank. It disappears by itself.",
}
ASKED = {"title": "Charged twice", "description": "Why was I charged twice?", "customer_name": "Ada Lovelace"}
PAST = {
    "title": "Charged twice for one order",
    "description": "My card was charged twice. I am Grace Hopper of Navy Systems, see order ORD-77812.",
    "customer_email": "grace@navy.example",
    "customer_name": "Grace Hopper",
    "customer_id": "cus_4711",
}


def drafted(caller, ticket, **fields):
    return caller.data(caller.post(f"/api/tickets/{ticket['id']}/draft", fields))


def resolved(admin, resolution, **fields):
    ticket = admin.ticket(**{**PAST, **fields})
    return admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": resolution}))


def decided(caller, draft, **fields):
    return caller.post(f"/api/tickets/{draft['ticket_id']}/draft/{draft['draft_id']}", fields)


@pytest.mark.every_engine
def test_a_draft_is_kept_read_and_decided_and_changes_nothing_of_its_ticket(admin, agent, mailer, run_jobs):
    article = admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    ticket = admin.ticket(**ASKED)
    run_jobs()
    mailer.sent.clear()
    path = f"/api/tickets/{ticket['id']}"
    before = [admin.data(admin.get(f"{path}{more}")) for more in ("", "/replies", "/history")]
    draft = drafted(agent, ticket)
    assert draft["citations"] == [{"article_id": article["id"], "title": ARTICLE["title"]}]
    assert (draft["source"], draft["stale"], draft["outcome"], draft["edited_body"]) == ("knowledge", False, "", "")
    assert 0.3 <= draft["confidence"] <= 1
    assert draft["body"].startswith("Hello Ada Lovelace,")
    assert "A second charge is a hold of the bank." in draft["body"]
    assert agent.data(agent.get(f"{path}/draft")) == [draft]
    after = agent.data(decided(agent, draft, outcome="accepted"))
    assert after == {**draft, "outcome": "accepted"}
    assert [admin.data(admin.get(f"{path}{more}")) for more in ("", "/replies", "/history")] == before
    run_jobs()
    assert mailer.sent == []


def test_without_an_article_the_draft_says_how_a_similar_ticket_was_resolved(admin):
    resolved(
        admin,
        "Hi Grace, the hold on your card for ORD-77812 was released, see https://shop.example/o/77812 or grace@navy.example.",
    )
    draft = drafted(admin, admin.ticket(**ASKED))
    assert (draft["source"], draft["citations"]) == ("learned", [])
    assert "Hi [name], the hold on your card for [number] was released, see [link] or [address]." in draft["body"]
    assert not [word for word in ("Grace", "Hopper", "navy", "77812", "shop.example") if word in draft["body"]]


@pytest.mark.parametrize(
    "resolution",
    [
        "We refunded you today.",  # a promise of money to somebody else
        "Somebody will call you tomorrow.",
        "89.00 EUR were sent back to the card.",
        "Send us your password and we look.",
        "Grace wrote: I am Grace Hopper of Navy Systems, see order ORD-77812.",
        "Done.",
    ],
)
def test_a_resolution_that_must_not_be_told_is_not_told(admin, resolution):
    resolved(admin, resolution)
    assert drafted(admin, admin.ticket(**ASKED))["source"] == "canned"


def test_what_the_other_customer_wrote_is_not_repeated(admin):
    words = "Our merger with Contoso will be announced on Friday before the market opens"
    resolved(admin, f"As you wrote: {words}.", description=f"My card was charged twice. {words}.")
    assert drafted(admin, admin.ticket(**ASKED))["source"] == "canned"


def test_the_better_of_article_and_resolution_is_quoted(admin):
    admin.data(admin.post("/api/knowledge", {**ARTICLE, "title": "Charges", "body": "Charges are shown twice."}), 201)
    resolved(admin, "The hold was released by the bank.", title=ASKED["title"], description=ASKED["description"])
    assert drafted(admin, admin.ticket(**ASKED))["source"] == "learned"


def test_the_newest_message_of_the_customer_counts(admin):
    ticket = admin.ticket(title="Hello", description="I have a question about something.")
    assert drafted(admin, ticket)["source"] == "canned"
    admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    reply = {"body": "Why was I charged twice?", "author_role": "customer"}
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/replies", reply), 201)
    assert drafted(admin, ticket)["source"] == "knowledge"


@pytest.mark.parametrize("status", ["draft", "deleted", "of another company"])
def test_only_published_articles_of_the_company_are_cited(admin, other_admin, status):
    owner = other_admin if status == "of another company" else admin
    article = owner.data(owner.post("/api/knowledge", ARTICLE), 201)
    ticket = admin.ticket(**ASKED)
    before = drafted(admin, ticket)
    if status == "draft":
        admin.data(admin.put(f"/api/knowledge/{article['id']}", {"status": "draft"}))
    elif status == "deleted":
        admin.data(admin.delete(f"/api/knowledge/{article['id']}"))
    draft = drafted(admin, ticket)
    assert (draft["source"], draft["citations"]) == ("canned", [])
    listed = admin.data(admin.get(f"/api/tickets/{ticket['id']}/draft"))
    assert [row["citations"] for row in listed if row["draft_id"] == before["draft_id"]] == [[]]


def test_a_draft_is_stale_when_the_ticket_moved_on(admin):
    ticket = admin.ticket(**ASKED)
    draft = drafted(admin, ticket)
    admin.data(
        admin.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Anything new?", "author_role": "customer"}), 201
    )
    assert [row["stale"] for row in admin.data(admin.get(f"/api/tickets/{ticket['id']}/draft"))] == [True]
    answer = decided(admin, draft, outcome="accepted")
    assert admin.data(answer)["stale"] is True
    assert "changed" in answer.json["message"]
    assert drafted(admin, ticket)["stale"] is False


def test_an_edited_draft_keeps_what_it_became(admin):
    draft = drafted(admin, admin.ticket())
    refused = decided(admin, draft, outcome="edited")
    assert (refused.status_code, refused.json["data"]["errors"][0]["field"]) == (400, "body")
    assert admin.data(decided(admin, draft, outcome="edited", body="Better."))["edited_body"] == "Better."


@pytest.mark.parametrize(
    ("fields", "field"),
    [({}, "outcome"), ({"outcome": "sent"}, "outcome"), ({"outcome": "accepted", "body": "Another."}, "body")],
)
def test_a_wrong_outcome_is_refused_by_field(admin, fields, field):
    response = decided(admin, drafted(admin, admin.ticket()), **fields)
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, field)


def test_an_outcome_is_recorded_once(admin):
    draft = drafted(admin, admin.ticket())
    first = admin.data(decided(admin, draft, outcome="edited", body="Better."))
    assert admin.data(decided(admin, draft, outcome="edited", body="Better.")) == first
    for other in ({"outcome": "edited", "body": "Best."}, {"outcome": "accepted"}, {"outcome": "discarded"}):
        assert decided(admin, draft, **other).json["data"]["code"] == "already_decided"


def test_a_discarded_draft_says_why_until_its_customer_is_erased(admin):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}/draft"
    drafts = [admin.data(admin.post(path, {}))["draft_id"] for _ in range(2)]
    why = {"outcome": "discarded", "reason": "tone", "reason_text": "Ada is angry."}
    assert admin.post(f"{path}/{drafts[0]}", {**why, "outcome": "accepted"}).status_code == 400
    assert admin.post(f"{path}/{drafts[0]}", {**why, "reason": "bad"}).status_code == 400
    assert admin.data(admin.post(f"{path}/{drafts[0]}", why))["reason"] == "tone"
    assert admin.data(admin.post(f"{path}/{drafts[0]}", why))["reason_text"] == "Ada is angry.", "the same again"
    assert admin.post(f"{path}/{drafts[0]}", {**why, "reason": "wrong"}).status_code == 409
    assert admin.data(admin.post(f"{path}/{drafts[1]}", {"outcome": "discarded"}))["reason"] == ""

    def quality():
        return next(row for row in admin.data(admin.get("/api/ai/quality")) if row["field"] == "draft")

    assert {row["key"]: row["count"] for row in quality()["discard_reasons"] if row["count"]} == {"tone": 1}
    (said,) = quality()["feedback"]
    assert (said["draft_id"], said["reason_text"]) == (drafts[0], "Ada is angry.")
    admin.data(admin.delete("/api/customers/ada@example.com"))
    assert quality()["feedback"] == []


def test_a_draft_of_another_ticket_or_company_is_not_found(admin, other_admin):
    ticket, other = admin.ticket(), admin.ticket()
    draft, foreign = drafted(admin, ticket), drafted(other_admin, other_admin.ticket())
    for path in (f"{other['id']}/draft/{draft['draft_id']}", f"{ticket['id']}/draft/{foreign['draft_id']}"):
        assert admin.post(f"/api/tickets/{path}", {"outcome": "accepted"}).status_code == 404


def test_drafts_go_with_their_ticket_and_are_emptied_with_their_customer(admin, runtime):
    deleted, erased = admin.ticket(), admin.ticket(customer_email="bob@example.com", customer_name="Bob Miller")
    drafted(admin, deleted)
    decided(admin, drafted(admin, erased), outcome="edited", body="Hello Bob Miller.")
    admin.data(admin.delete(f"/api/tickets/{deleted['id']}"))
    admin.data(admin.delete("/api/customers/bob@example.com"))
    (left,) = admin.data(admin.get(f"/api/tickets/{erased['id']}/draft"))
    assert (left["body"], left["edited_body"], left["outcome"]) == (ERASED, "", "edited")
    assert admin.post(f"/api/tickets/{erased['id']}/draft").json["data"]["code"] == "erased"


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_ready_made_draft_promises_nothing(category):
    ticket = {"category": category, "customer_name": "Ada"}
    texts = [
        canned_drafts.from_category(ticket),
        canned_drafts.from_article(ticket, "Refunds", "They go to the card."),
        canned_drafts.from_resolution(ticket, "The hold was released."),
    ]
    assert [guards.objection(text, seen="", secret="") for text in texts] == ["", "", ""]


@pytest.mark.every_engine
def test_the_quality_tells_what_became_of_drafts_by_source(admin, other_admin):
    canned = [drafted(admin, admin.ticket()) for _ in range(3)]
    admin.data(decided(admin, canned[0], outcome="accepted"))
    admin.data(decided(admin, canned[1], outcome="discarded"))
    admin.data(admin.post("/api/knowledge", ARTICLE), 201)
    admin.data(decided(admin, drafted(admin, admin.ticket(**ASKED)), outcome="edited", body="Better."))
    drafted(other_admin, other_admin.ticket())
    quality = next(row for row in admin.data(admin.get("/api/ai/quality")) if row["field"] == "draft")
    assert [quality[name] for name in ("field", "decided", "corrected", "accuracy")] == ["draft", 3, 2, 0.333]
    assert [(month["decided"], month["corrected"]) for month in quality["per_month"]] == [(3, 2)]
    assert sum(band["decided"] for band in quality["calibration"]) == 3
    names = ("key", "written", "accepted", "edited", "discarded", "acceptance")
    assert [tuple(row.get(name) for name in names) for row in quality["drafts"]] == [
        ("all", 4, 1, 1, 1, 0.333),
        ("knowledge", 1, 0, 1, 0, 0.0),
        ("canned", 3, 1, 0, 1, 0.5),
    ]
