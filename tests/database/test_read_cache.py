"""The read cache: no caller gets an entry of another caller, and a write invalidates entries."""

from itertools import permutations

import pytest

from core.models import Actor
from database.tables import customers, metadata, tickets
from tests.api.test_every_route_every_role import PUBLIC, files_of_world, operations, world  # noqa: F401
from tests.support.caller import Caller
from tests.support.route_calls import CALLS, NEW

ACTORS = {
    "nobody's": None,
    "admin": Actor("default", "admin", "x"),
    "agent": Actor("default", "agent", "x"),
    "admin elsewhere": Actor("other", "admin", "x"),
    "customer without identity": Actor("default", "customer", "x"),
    "customer by e-mail": Actor("default", "customer", "x", customer_email="ada@example.com"),
    "customer by id": Actor("default", "customer", "x", customer_id="ada@example.com"),
    "customer by row": Actor("default", "customer", "x", customer_row="ada@example.com"),
}


@pytest.mark.parametrize(("first", "second"), list(permutations(ACTORS, 2)))
def test_actors_with_different_visibility_share_no_entry(runtime, first, second):
    def read_company(name):
        with runtime.storage.unit_of_work(ACTORS[name]) as uow:
            return uow.cached((tickets,), "anything", lambda: name)

    assert (read_company(first), read_company(second), read_company(first)) == (first, second, first)


def test_reads_of_authentication_and_of_actors_share_no_entry(runtime):
    assert runtime.storage.cached((tickets,), "anything", lambda: "before") == "before"
    for actor in ACTORS.values():
        with runtime.storage.unit_of_work(actor) as uow:
            assert uow.cached((tickets,), "anything", lambda: "after") == "after"


def test_a_list_by_customer_follows_the_customer(admin, runtime):
    admin.ticket()
    path = "/api/tickets?customer_email=ada@example.com"
    assert admin.get(path).json["total"] == 1
    with runtime.storage.unit_of_work(Actor("default", "admin", "x"), write=True) as uow:
        uow.update_where(customers, customers.c.email == "ada@example.com", email="eve@example.com")
    assert admin.get(path).json["total"] == 0
    assert admin.get(path.replace("ada", "eve")).json["total"] == 1


QUERIES = {
    "ListTickets": [
        "",
        "?limit=1",
        "?q=question",
        "?status=open",
        "?customer_email=ada@example.com",
        "?offset=1",
        "?sort=urgency",
        "?sla_status=on_track",
        "?snoozed=false",
    ],
    "ListCustomers": ["", "?q=ada"],
    "ListRoutingRules": ["", "?limit=1"],
    "ListTombstones": ["", "?limit=1"],
    "OnNewTicket": ["", "?limit=1"],
    "ListArticles": ["", "?status=draft"],
    "SearchKnowledge": ["?q=refund"],
    "ListMessages": ["", "?limit=1"],
    "ListSimilarTickets": ["?k=2"],
    "ListKnowledgeGaps": ["", "?limit=1"],
    "ListDrafts": ["", "?limit=1"],
    "ListIncidents": ["", "?status=resolved"],
    "ListEvents": ["", "?limit=1", "?after=2020-01-01"],
    "ListDeliveries": ["", "?state=dead"],
    "ListInboundMails": ["", "?state=ticket"],
}


READERS = (
    "admin, agent, acting key, customer, other customer, signed-in customer, customer key without a customer, "
    "acting for nobody, agent elsewhere, nobody"
).split(", ")


READS = [name for name in CALLS if name.startswith(("Get", "List", "On", "Export", "Search"))]


def test_every_reading_route_is_covered(app):
    assert {name for name, (method, *_) in operations(app).items() if method == "GET"} - PUBLIC == set(READS)


def forget(app):
    """Empties the cache, as every write does."""
    with app.extensions["runtime"].storage.unit_of_work(None, write=True) as uow:
        uow.touched |= set(metadata.tables)


def status_and_headers(answer):
    """Status and headers of a response."""
    return answer.status_code, answer.headers.get("ETag"), answer.headers.get("Content-Length")


@pytest.mark.parametrize("operation", READS)
def test_reads_of_one_caller_do_not_change_the_reads_of_another(world, operation):  # noqa: F811
    _, rule, _ = operations(world.app)[operation]
    ids = {**world.ids, "name": "agents"} if operation == "ListChoices" else world.ids
    callers = {name: world.callers[name] for name in READERS}
    for query in QUERIES.get(operation, [""]):
        path, uncached = world.path(rule, ids) + query, {}
        for name, caller in callers.items():
            forget(world.app)
            uncached[name] = caller.get(path)
        for order in (READERS, READERS[::-1]):  # so each reads after each other one, and one entry is the first one's
            forget(world.app)
            for name in order * 2:
                answer = callers[name].get(path)
                assert (answer.get_data(), status_and_headers(answer)) == (
                    uncached[name].get_data(),
                    status_and_headers(uncached[name]),
                ), name
        for name, caller in callers.items():
            headers = {"X-API-Key": caller.key} if caller.key else {}
            head = caller.client.head(path, headers={**headers, **caller.headers, "If-None-Match": '"1"'})
            assert status_and_headers(head) == status_and_headers(uncached[name]), name


INVISIBLE = ["\u2003", "\u200b", "\u00a0", "\u2060\ufeff", "\u00ad", "\u3164", "\ufe0f", "\u115f\u2800", "\U000e0020"]


@pytest.mark.parametrize("person", INVISIBLE, ids=ascii)
def test_an_invisible_customer_name_is_rejected_with_advice(world, person):  # noqa: F811
    key = world.callers["acting key"].key
    caller = Caller(world.app.test_client(), key, {"X-On-Behalf-Of": person.encode().decode("latin-1")})
    before = world.rows()
    for answer in (caller.get("/api/tickets"), caller.get("/api/me"), caller.post("/api/tickets", NEW)):
        assert (answer.status_code, answer.json["data"]["code"]) == (403, "customer_not_named")
        assert "X-On-Behalf-Of" in answer.json["message"]
    assert world.rows() == before
    response = world.callers["admin"].post("/api/tickets", {**NEW, "customer_id": person})
    assert response.status_code == 400


def test_blank_looking_bytes_in_on_behalf_of_are_rejected(world):  # noqa: F811
    key = world.callers["acting key"].key
    for header in ("\xa0", "\x85"):
        answer = Caller(world.app.test_client(), key, {"X-On-Behalf-Of": header}).get("/api/tickets")
        assert answer.status_code == 400
