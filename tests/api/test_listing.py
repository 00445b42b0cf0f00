"""Lists: every filter and every order against plain Python, pages, triggers and customers."""

import re

import pytest

from api.ticket_inputs import TicketQuery
from core import timestamps
from core.models import FINISHED, PRIORITY_RANK
from services.tickets.queries import SORTS
from tests.support.caller import Caller

pytestmark = pytest.mark.every_engine

PEOPLE = [("ada@example.com", "c-1"), ("bob@example.com", ""), ("", "c-3")]


@pytest.fixture
def sample(admin):
    """Two dozen tickets that differ in everything a list can ask for."""
    teams = ["finance", "support", "sales"]
    for n in range(24):
        email, customer_id = PEOPLE[n % 3]
        made = admin.ticket(
            title=f"Ticket {n} {'printer' if n % 4 == 0 else '100% sure'}",
            description="The Printer smokes." if n % 5 == 0 else "Nothing_special here.",
            customer_email=email,
            customer_id=customer_id,
            customer_tier=["free", "premium"][n % 2],
            source=["api", "web", "email"][n % 3],
            product=["", "Lamp", "lamp"][n % 3],
            tags=[[], ["vip"], ["vip gold", 'a"b'], ["50%"]][n % 4],
            priority=["low", "medium", "high", "urgent"][n % 4],
            urgency=[1.0, 2.5, 5.0][n % 3],
            sentiment=["positive", "neutral"][n % 2],
            category=["billing", "technical", "general"][n % 3],
            assigned_team=teams[n % 3],
            assigned_to=["", "Eva@example.com"][n % 5 == 0],
            external_id=f"x-{n}" if n % 6 == 0 else "",
        )
        if n % 7 == 0:
            admin.data(admin.post(f"/api/tickets/{made['id']}/resolve", {"resolution": "Unplugged it."}))
        if n % 8 == 1:
            admin.data(admin.put(f"/api/tickets/{made['id']}", {"status": "in_progress"}))
        if n % 6 == 2 and n % 7:
            until = timestamps.later(timestamps.stamp(timestamps.now()), seconds=3600)
            admin.data(admin.post(f"/api/tickets/{made['id']}/snooze", {"until": until}))
    return admin.data(admin.get("/api/tickets?limit=200"))


def has_words(ticket, *beginnings):
    """Whether words of the ticket begin so; the forms of a word are test_search.py's matter."""
    named = ("number", "title", "description", "tags", "customer_email", "customer_name", "customer_id", "product")
    texts = [str(ticket[name]).lower() for name in (*named, "external_id", "resolution")]
    found = re.findall(r"[^\W_]+", " ".join(texts))
    return all(any(word.startswith(beginning) for word in found) for beginning in beginnings)


FILTERS = {
    "status=in_progress": lambda t: t["status"] == "in_progress",
    "status=open": lambda t: t["status"] not in FINISHED,
    "status=Handoff,Resolved": lambda t: t["status"] in ("handoff", "resolved"),
    "status=open,closed": lambda t: t["status"] != "resolved",
    "status=all": lambda t: True,
    "status=resolved,in progress": lambda t: t["status"] in ("resolved", "in_progress"),
    "status=resolved&status=in-progress": lambda t: t["status"] in ("resolved", "in_progress"),
    "priority=high": lambda t: t["priority"] == "high",
    "priority=low,urgent": lambda t: t["priority"] in ("low", "urgent"),
    "category=billing": lambda t: t["category"] == "billing",
    "assigned_team=finance,sales": lambda t: t["assigned_team"] in ("finance", "sales"),
    "sentiment=positive": lambda t: t["sentiment"] == "positive",
    "customer_tier=premium": lambda t: t["customer_tier"] == "premium",
    "source=web,email": lambda t: t["source"] in ("web", "email"),
    "assigned_to=EVA@example.com": lambda t: t["assigned_to"] == "eva@example.com",
    "customer_email=ADA@example.com": lambda t: t["customer_email"] == "ada@example.com",
    "customer_id=c-3": lambda t: t["customer_id"] == "c-3",
    "number=12": lambda t: t["number"] == 12,
    "external_id=x-12": lambda t: t["external_id"] == "x-12",
    "product=Lamp": lambda t: t["product"] == "Lamp",
    "sla_status=met": lambda t: t["sla_status"] == "met",
    "sla_status=on track,breached": lambda t: t["sla_status"] in ("on_track", "breached"),
    "snoozed=true": lambda t: "snoozed_until" in t,
    "snoozed=False&status=open": lambda t: "snoozed_until" not in t and t["status"] not in FINISHED,
    "tag=vip": lambda t: "vip" in t["tags"],
    "tag=vip gold": lambda t: "vip gold" in t["tags"],
    'tag=a"b': lambda t: 'a"b' in t["tags"],
    "tag=50%25": lambda t: "50%" in t["tags"],
    "tag=%25": lambda t: False,
    "topic=x": lambda t: t["topic"] == "x",
    "q=printer": lambda t: has_words(t, "printer"),
    "q=SMOKES ticket": lambda t: has_words(t, "smokes", "ticket"),
    "q=100%25": lambda t: has_words(t, "100"),
    "q=_": lambda t: "_" in t["description"],
    "q=ada@": lambda t: has_words(t, "ada"),
    "q=unplugged": lambda t: has_words(t, "unplugged"),
    "q=' OR 1=1 --": lambda t: has_words(t, "or", "1"),
    "q=8 printer": lambda t: has_words(t, "8", "printer"),
    "user=ADA@example.com&role=customer": lambda t: t["customer_email"] == "ada@example.com",
    "user=c-1&role=customer": lambda t: t["customer_id"] == "c-1",
    "user=Eva@example.com&role=agent": lambda t: t["assigned_to"] == "eva@example.com",
    "user=anybody&role=admin": lambda t: True,
    "role=Admin": lambda t: True,
    "status=open&priority=high,urgent&q=sure": lambda t: (
        t["status"] not in FINISHED and t["priority"] in ("high", "urgent") and has_words(t, "sure")
    ),
    "unassigned=true": lambda t: not t["assigned_to"],
    "unassigned=false&status=open": lambda t: bool(t["assigned_to"]) and t["status"] not in FINISHED,
    "created_after={c}": lambda t, c="", u="": t["created_at"] > c,
    "created_before={c}": lambda t, c="", u="": t["created_at"] < c,
    "updated_since={u}": lambda t, c="", u="": t["updated_at"] >= u,
}


def test_every_filter_matches_plain_python(admin, sample):
    created, updated = sample[10]["created_at"], sample[10]["updated_at"]
    for query, keep in FILTERS.items():
        moments = {"c": created, "u": updated} if "{" in query else {}
        expected = [ticket["number"] for ticket in sample if keep(ticket, **moments)]
        response = admin.get(f"/api/tickets?{query.format(c=created, u=updated)}&limit=200&sort=-created_at")
        assert [ticket["number"] for ticket in admin.data(response)] == expected, query
        assert response.json["total"] == len(expected), query


def test_the_filters_select_different_tickets(sample):
    # A filter that keeps all or nothing would prove little; the few that mean to are named.
    for query, keep in FILTERS.items():
        if "{" not in query and query not in (
            "status=all",
            "role=Admin",
            "user=anybody&role=admin",
            "tag=%25",
            "topic=x",
            "q=' OR 1=1 --",
        ):
            assert 0 < sum(map(keep, sample)) < len(sample), query


def test_every_filter_has_a_test():
    named = {part.split("=")[0] for query in FILTERS for part in query.split("&")}
    elsewhere = {"view", "incident"}  # test_macros_and_views.py, test_incidents.py
    assert named | {"sort", "limit", "offset", *elsewhere} >= set(TicketQuery().fields)


def by_time(ticket, name="created_at"):
    return ticket[name], ticket["id"]


def urgent_first(ticket):
    return -ticket["urgency"], *by_time(ticket)


def important_first(ticket):
    return -PRIORITY_RANK[ticket["priority"]], -ticket["priority_score"], *by_time(ticket)


def due_first(ticket, *, last):
    """By the due time; a ticket without one is last in both directions."""
    due_at = ticket.get("resolve_due_at", "")
    return (due_at == "") == last, due_at, *by_time(ticket)


ORDERS = {
    "created_at": (by_time, False),
    "-created_at": (by_time, True),
    "updated_at": (lambda ticket: by_time(ticket, "updated_at"), False),
    "-updated_at": (lambda ticket: by_time(ticket, "updated_at"), True),
    "urgency": (urgent_first, False),
    "-urgency": (urgent_first, False),
    "priority": (important_first, False),
    "-priority": (important_first, False),
    "due": (lambda ticket: due_first(ticket, last=True), False),
    "-due": (lambda ticket: due_first(ticket, last=False), True),
}


def test_every_order_matches_plain_python_across_pages(admin, sample):
    assert set(ORDERS) | {"waiting", "-waiting"} == set(SORTS), "waiting has tests of its own"
    for sort, (key, reverse) in ORDERS.items():
        expected = [ticket["number"] for ticket in sorted(sample, key=key, reverse=reverse)]
        paged = []
        for offset in range(0, 30, 7):
            page = admin.get(f"/api/tickets?sort={sort}&limit=7&offset={offset}")
            assert (page.json["total"], page.json["limit"], page.json["offset"]) == (len(sample), 7, offset)
            paged += [ticket["number"] for ticket in page.json["data"]]
        assert paged == expected, sort


def test_the_default_page_is_the_newest_fifty(admin):
    for _ in range(52):
        admin.ticket()
    response = admin.get("/api/tickets")
    assert [ticket["number"] for ticket in response.json["data"]] == list(range(52, 2, -1))
    assert [response.json[name] for name in ("total", "limit", "offset")] == [52, 50, 0]
    assert len(admin.data(admin.get("/api/tickets?limit=200"))) == 52
    assert admin.data(admin.get("/api/tickets?offset=1000000000")) == []


def test_the_total_follows_every_change(admin, stranger):
    assert admin.get("/api/tickets").json["total"] == 0
    ticket = admin.ticket()
    assert admin.get("/api/tickets").json["total"] == 1
    assert admin.get("/api/tickets?status=ai_responded").json["total"] == 1
    admin.put(f"/api/tickets/{ticket['id']}", {"status": "handoff"})
    assert admin.get("/api/tickets?status=ai_responded").json["total"] == 0
    assert stranger.get("/api/tickets").json["total"] == 0
    admin.delete(f"/api/tickets/{ticket['id']}")
    assert admin.get("/api/tickets").json["total"] == 0


@pytest.mark.parametrize("query", ["user=ada@example.com", "role=customer", "role=agent", "user=ada&role=evil"])
def test_user_and_role_go_together(admin, query):
    assert admin.get(f"/api/tickets?{query}").status_code == 400


def test_polling_between_rapid_creates_misses_none_and_repeats_none(app, admin):
    seen, after = [], "2000-01-01"
    for n in range(1, 31):
        Caller(app.test_client(), "admin-key").ticket()
        if n % 3:
            continue
        news = admin.data(admin.get(f"/api/triggers/new-tickets?after={after}"))
        numbers = [ticket["number"] for ticket in news]
        assert numbers == sorted(numbers, reverse=True)
        seen += numbers[::-1]
        after = news[0]["created_at"]
        assert admin.data(admin.get(f"/api/triggers/new-tickets?after={after}")) == []
    assert seen == list(range(1, 31))


def test_the_update_trigger_lists_changes_newest_first(admin):
    first, second, third = (admin.ticket() for _ in range(3))
    changed = admin.data(admin.put(f"/api/tickets/{first['id']}", {"title": "New"}))
    news = admin.data(admin.get(f"/api/triggers/updated-tickets?after={second['updated_at']}"))
    assert [ticket["id"] for ticket in news] == [first["id"], third["id"]]
    assert admin.data(admin.get(f"/api/triggers/updated-tickets?after={changed['updated_at']}")) == []
    assert [t["id"] for t in admin.data(admin.get("/api/triggers/new-tickets?limit=2"))] == [third["id"], second["id"]]
    assert admin.get("/api/triggers/new-tickets?limit=2").json["total"] == 3


def test_a_customer_is_known_by_email_by_id_or_by_both(admin):
    ticket = admin.ticket(customer_email="", customer_id="c-1", urgency=2)
    assert admin.data(admin.get("/api/customers/c-1"))["email"] == ""
    both = admin.ticket(
        customer_email="Ada@Example.com", customer_id="c-1", customer_name="Ada", customer_tier="premium", urgency=4
    )
    profile = admin.data(admin.get("/api/customers/ADA@example.com"))
    assert profile == admin.data(admin.get("/api/customers/c-1"))
    wanted = {
        "email": "ada@example.com",
        "customer_id": "c-1",
        "name": "Ada",
        "tier": "premium",
        "average_urgency": 3.0,
    }
    assert {name: profile[name] for name in wanted} == wanted
    assert [profile[f"{name}_tickets"] for name in ("total", "open", "resolved")] == [2, 2, 0]
    assert (profile["first_contact_at"], profile["last_contact_at"]) == (ticket["created_at"], both["created_at"])
    # The earlier ticket says the address that became known later.
    assert admin.data(admin.get(f"/api/tickets/{ticket['id']}"))["customer_email"] == "ada@example.com"
    assert admin.get("/api/tickets?customer_email=ada@example.com").json["total"] == 2
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    profile = admin.data(admin.get("/api/customers/c-1"))
    assert [profile[f"{name}_tickets"] for name in ("total", "open", "resolved")] == [2, 1, 1]


def test_an_email_and_an_id_of_different_people_are_409_and_write_nothing(admin):
    admin.ticket(customer_email="ada@example.com", customer_id="c-1")
    admin.ticket(customer_email="bob@example.com", customer_id="")
    before = admin.data(admin.get("/api/customers"))
    new = {"title": "Help", "description": "d"}
    pairs = [("bob@example.com", "c-1"), ("ada@example.com", "c-2"), ("eve@example.com", "c-1")]
    for email, customer_id in pairs:
        response = admin.post("/api/tickets", {**new, "customer_email": email, "customer_id": customer_id})
        assert (response.status_code, response.json["data"]["code"]) == (409, "customer_conflict")
    assert admin.data(admin.get("/api/customers")) == before
    assert admin.ticket()["number"] == 3


def test_customers_are_listed_in_pages_and_searched(admin, stranger):
    for n in range(5):
        admin.ticket(customer_email=f"person{n}@example.com", customer_name=f"Name {n}", customer_id=f"id-{n}")
    emails = [person["email"] for person in admin.data(admin.get("/api/customers"))]
    assert emails == [f"person{n}@example.com" for n in (4, 3, 2, 1, 0)]
    page = admin.get("/api/customers?limit=2&offset=2")
    assert [person["email"] for person in page.json["data"]] == emails[2:4]
    assert [page.json[name] for name in ("total", "limit", "offset")] == [5, 2, 2]
    for words in ("PERSON3", "name 3", "id-3", "name id-3"):
        assert [
            person["customer_id"] for person in admin.data(admin.get("/api/customers", query_string={"q": words}))
        ] == ["id-3"]
    assert admin.get("/api/customers?q=%25").json["total"] == 0
    assert stranger.get("/api/customers").json["total"] == 0


def test_lookups_are_values_with_labels(admin, customer):
    admin.ticket(assigned_to="bob@example.com")
    for name in ("statuses", "priorities", "categories", "teams", "tiers", "agents"):
        response = admin.get(f"/api/lookups/{name}")
        assert response.json["total"] == len(response.json["data"]) > 0
        assert all(set(row) == {"key", "label"} and row["label"] for row in response.json["data"])
    assert admin.data(admin.get("/api/lookups/agents")) == [{"key": "bob@example.com", "label": "bob@example.com"}]
    assert customer.data(customer.get("/api/lookups/agents")) == []
    assert admin.get("/api/lookups/nonsense").status_code == 404
