"""Resolved tickets that are like a ticket, for agents."""

import pytest

CHARGED = {"title": "Charged twice", "description": "I was charged twice for one order. Please give the money back."}
PRINTER = {"title": "Printer jams", "description": "The label printer jams after every second label."}


def resolved(admin, resolution, **fields):
    ticket = admin.ticket(**fields)
    return admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": resolution}))


def similar(caller, ticket, query=""):
    return caller.data(caller.get(f"/api/tickets/{ticket['id']}/similar{query}"))


@pytest.mark.every_engine
def test_resolved_tickets_like_this_one_are_listed_the_best_first(admin, agent):
    best = resolved(admin, "The second payment was returned.", customer_email="bob@example.com", **CHARGED)
    resolved(admin, "The roller was cleaned.", **PRINTER)
    admin.ticket(**CHARGED)  # still open
    ticket = admin.ticket(title="Double charge", description="Why was my card charged twice for the same order?")
    (first, *rest) = similar(agent, ticket)
    assert {name: first[name] for name in first if name != "score"} == {
        "ticket_id": best["id"],
        "number": best["number"],
        "title": "Charged twice",
        "resolution": "The second payment was returned.",
        "resolved_at": best["resolved_at"],
    }
    assert [row["ticket_id"] for row in rest if row["score"] >= first["score"]] == []
    assert 0.3 <= first["score"] <= 1
    assert len(similar(agent, ticket, "?k=1")) == 1


def test_a_resolved_ticket_is_not_like_itself(admin):
    ticket = resolved(admin, "The second payment was returned.", **CHARGED)
    assert similar(admin, ticket) == []


def test_what_becomes_of_a_resolved_ticket_counts_at_once(admin):
    past = resolved(admin, "The second payment was returned.", **CHARGED)
    ticket = admin.ticket(**CHARGED)
    path = f"/api/tickets/{past['id']}"
    assert len(similar(admin, ticket)) == 1
    admin.data(admin.put(path, {"resolution": "Both payments were returned."}))
    assert [row["resolution"] for row in similar(admin, ticket)] == ["Both payments were returned."]
    admin.data(admin.post(f"{path}/reopen"))
    assert similar(admin, ticket) == []
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Returned."}))
    assert len(similar(admin, ticket)) == 1
    admin.data(admin.delete(path))
    assert similar(admin, ticket) == []


def test_an_erased_ticket_is_like_none(admin):
    resolved(admin, "The second payment was returned.", customer_email="bob@example.com", **CHARGED)
    ticket = admin.ticket(**CHARGED)
    assert len(similar(admin, ticket)) == 1
    admin.data(admin.delete("/api/customers/bob@example.com"))
    assert similar(admin, ticket) == []


def test_no_ticket_of_another_company_is_like_this_one(admin, other_admin):
    resolved(other_admin, "The second payment was returned.", **CHARGED)
    ticket = admin.ticket(**CHARGED)
    assert similar(admin, ticket) == []
    assert other_admin.get(f"/api/tickets/{ticket['id']}/similar").status_code == 404


@pytest.mark.parametrize("k", ["0", "21", "many"])
def test_a_wrong_number_is_refused(admin, k):
    response = admin.get(f"/api/tickets/{admin.ticket()['id']}/similar?k={k}")
    assert (response.status_code, response.json["data"]["errors"][0]["field"]) == (400, "k")


def test_a_ticket_of_signs_alone_has_an_answer(admin):
    resolved(admin, "The second payment was returned.", **CHARGED)
    assert similar(admin, admin.ticket(title="😀", description="🔥🔥")) == []


def test_without_embeddings_words_alone_find_it(open_app):
    from tests.support.caller import Caller

    app = open_app()
    app.extensions["runtime"].embeddings = type(app.extensions["runtime"].embeddings)(None, "none")
    admin = Caller(app.test_client(), "admin-key")
    resolved(admin, "The second payment was returned.", **CHARGED)
    assert len(similar(admin, admin.ticket(**CHARGED))) == 1
