"""Erasure removes a person, in any spelling, from the history, stored calls, examples and jobs of others."""

import unicodedata
from urllib.parse import quote

import pytest

from core.models import Actor
from database.tables import customers, events, idempotency
from database.tables import jobs as jobs_table
from services import outbox
from services.privacy.mentions import Mentions
from storage import UnitOfWork
from tests.services.test_privacy import rows_with
from tests.support.caller import Caller
from tests.support.rows import everything

pytestmark = pytest.mark.every_engine

ADA = {"customer_email": "zoë.canary@exämple.com", "customer_id": "canary-17", "customer_name": "Zoë Canary"}
BOB = {"customer_email": "bob@example.com", "customer_name": "Bob"}
SPELLINGS = {
    "as it is": "zoë.canary@exämple.com",
    "punycode": "zoë.canary@xn--exmple-cua.com",
    "decomposed": "zoe\u0308.canary@exa\u0308mple.com",
    "upper case": "ZOË.CANARY@EXÄMPLE.COM",
    "all of it": "ZOE\u0308.Canary@XN--EXMPLE-CUA.com",
    "invisible ends": "\u200bzoë.canary@exämple.com\ufeff",
}
EVERY_SPELLING = pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
WORDS = ("canary", "exämple", "exa\u0308mple", "xn--exmple", "Zoë", "Zoe\u0308")


def erase(admin, name=ADA["customer_email"]):
    return admin.data(admin.delete(f"/api/customers/{quote(name, safe='')}"))


@EVERY_SPELLING
def test_every_route_finds_an_address_in_any_spelling(admin, spelling):
    ticket = admin.ticket(**ADA)
    latin = spelling.encode().decode("latin-1")
    path = f"/api/customers/{quote(spelling, safe='')}"
    assert admin.data(admin.get(path))["email"] == ADA["customer_email"]
    assert admin.data(admin.get(f"{path}/export"))["customer"]["email"] == ADA["customer_email"]
    for query in (f"customer_email={quote(spelling)}", f"role=customer&user={quote(spelling)}"):
        assert [row["id"] for row in admin.data(admin.get(f"/api/tickets?{query}"))] == [ticket["id"]], query
    assert admin.get(f"/api/customers?q={quote(spelling)}").json["total"] == 1
    customer = Caller(admin.client, admin.key, {"X-On-Behalf-Of": latin})
    assert [row["id"] for row in customer.data(customer.get("/api/tickets"))] == [ticket["id"]]
    customer_ticket = customer.data(
        customer.post("/api/tickets", {"title": "A", "description": "B", "customer_email": spelling}), 201
    )
    imported = admin.data(admin.post("/api/import", [{"description": "C", "customer_email": spelling}]))
    assert (imported["created"], imported["customers"]) == (1, 0)
    assert admin.get(f"/api/audit?actor={quote(spelling)}").json["data"][0]["subject_id"] == customer_ticket["id"]
    assert admin.get("/api/customers").json["total"] == 1
    assert erase(admin, spelling)["tickets"] == 3


def test_an_old_row_with_another_spelling_is_found_by_it(admin, runtime):
    admin.ticket(customer_email="\u01f0an@example.com", customer_name="New")
    with runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow:
        uow.insert(customers, {"email": "j\u030can@example.com", "name": "Old", "created_at": uow.now})
    spelling = "/api/customers/" + quote("j\u030can@example.com")
    assert [admin.data(admin.delete(spelling))["tickets"] for _ in range(2)] == [1, 0]
    assert admin.delete(spelling).status_code == 404


@EVERY_SPELLING
def test_sign_in_accepts_any_spelling_of_the_address(admin, spelling):
    person = {"name": "Zoë", "email": SPELLINGS["punycode"], "role": "agent", "password": "correct horse battery"}
    assert admin.data(admin.post("/api/users", person), 201)["email"] == SPELLINGS["as it is"]
    assert admin.post("/api/users", {**person, "email": spelling}).status_code == 409
    caller = Caller(admin.client)
    signed_in = caller.data(caller.post("/api/auth/login", {"email": spelling, "password": person["password"]}))
    assert signed_in["user"]["email"] == SPELLINGS["as it is"]
    ticket = admin.ticket(**BOB)
    assigned = admin.data(
        admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": spelling.strip("\u200b\ufeff")})
    )
    assert assigned["assigned_to"] == SPELLINGS["as it is"]


def test_a_name_within_a_longer_text_of_the_history_is_removed(admin, runtime, run_jobs):
    adas, bobs = admin.ticket(**ADA), admin.ticket(**BOB)
    paths = [f"/api/tickets/{ticket['id']}" for ticket in (adas, bobs)]
    floors = [f"{spelling}, second floor" for spelling in SPELLINGS.values()]
    for path in paths:
        for user in (*floors, "ZOE\u0308  canary, for her mother", "Eve for canary-17", ADA["customer_id"]):
            admin.data(admin.put(path, {"title": f"From {user}", "user": user, "action": "typed in"}))
            admin.data(admin.post(f"{path}/replies", {"body": "Hello.", "user": user}), 201)
    admin.data(admin.put(paths[1], {"title": "About a friend", "user": "Eve"}))
    run_jobs()
    before = everything(runtime.storage)["events"]
    erase(admin)
    assert rows_with(runtime, *WORDS) == []
    after = everything(runtime.storage)["events"]
    assert [event["id"] for event in after][: len(before)] == [event["id"] for event in before]
    remaining = [event for event in after if event["said_by"] == "Eve"]
    assert [event["to_value"] for event in remaining] == ["About a friend"]


@pytest.mark.parametrize("key", ["order 7 of Zoë Canary", "canary-17", "canary-17/7", *SPELLINGS.values()], ids=ascii)
def test_a_stored_call_with_the_person_in_its_key_is_deleted(admin, runtime, key):
    admin.ticket(**ADA)
    header = {"headers": {"Idempotency-Key": key.encode().decode("latin-1")}}
    admin.data(admin.post("/api/triage", {"text": "I was charged twice."}, **header))
    bobs = admin.post("/api/tickets", {"title": "A", "description": "B", **BOB, "client_reference": "of Bob"})
    erase(admin)
    assert [call["key"] for call in everything(runtime.storage)["idempotency"]] == ["of Bob"]
    repeated = admin.post("/api/tickets", {"title": "A", "description": "B", **BOB, "client_reference": "of Bob"})
    assert repeated.get_data() == bobs.get_data()


def test_ambiguous_names_are_kept(admin, runtime):
    """First names, short ids and a full name of two customers do not identify one person."""
    admin.ticket(customer_email="ann@example.com", customer_id="17", customer_name="Ann")
    admin.ticket(customer_email="jo@example.com", customer_name="Jo Smith")
    admin.ticket(customer_email="other.jo@example.com", customer_name="Jo Smith")
    path = f"/api/tickets/{admin.ticket(**BOB)['id']}"
    titles = ["Ann broke 17 of them", "Jo Smith called", "See ann@example.com.au.test-and-more@x.test"]
    for title in titles:
        admin.data(admin.put(path, {"title": title, "user": f"agent {title[:2]}"}))
    for name in ("ann@example.com", "jo@example.com"):
        erase(admin, name)
    title_events = [event for event in admin.data(admin.get(f"{path}/history")) if event["field"] == "title"]
    assert [event["to"] for event in title_events][:2] == titles[:2]
    assert [event["said_by"] for event in title_events] == [f"agent {title[:2]}" for title in titles]


@pytest.mark.parametrize("name", ["AI", "api_key", "System"])
def test_erasing_a_customer_named_like_a_system_actor_keeps_its_events(admin, name):
    ticket = admin.ticket(customer_email="", customer_id=name, customer_name=name)
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.put(path, {"priority": "urgent"}))
    before = [event["actor"] for event in admin.data(admin.get(f"{path}/history"))]
    erase(admin, name)
    assert [event["actor"] for event in admin.data(admin.get(f"{path}/history"))] == before
    assert [entry["author_name"] for entry in admin.data(admin.get(f"{path}/replies"))] == ["AI"]


def test_finished_jobs_with_the_person_are_deleted_and_waiting_jobs_are_kept(admin, runtime):
    bobs = admin.ticket(**BOB)
    admin.ticket(**ADA)
    with runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow:
        uow.delete(jobs_table, jobs_table.c.id != "")
        payload = {"ticket": {"number": 1, "title": "From zoë.canary@xn--exmple-cua.com"}}
        outbox.enqueue(uow, [outbox.Job("mail", kind, bobs["id"], payload) for kind in ("done", "dead", "waiting")])
        outbox.enqueue(uow, [outbox.Job("mail", "invitation", payload={"to": [ADA["customer_email"]]})])
        for state in ("done", "dead"):
            uow.update_where(jobs_table, jobs_table.c.kind == state, state=state)
        outbox.enqueue(uow, [outbox.Job("mail", "failed", bobs["id"])])
        failure = {"state": "dead", "last_error": "no mailbox for canary-17"}
        uow.update_where(jobs_table, jobs_table.c.kind == "failed", **failure)
    erase(admin)
    assert {job["kind"] for job in everything(runtime.storage)["jobs"]} == {"waiting", "scrub"}


@EVERY_SPELLING
def test_an_example_with_the_person_is_deleted(admin, runtime, spelling):
    admin.ticket(**ADA)
    for text in (f"Parcel for {spelling} is lost", "ZOE\u0308 CANARY did not get it", "Where is my parcel?"):
        admin.data(admin.post("/api/topics/examples", {"text": text, "topic": "delivery"}), 201)
    erase(admin)
    assert [row["text"] for row in everything(runtime.storage)["examples"]] == ["Where is my parcel?"]


def test_erasure_reads_only_the_stored_calls_that_it_deletes(admin, runtime, monkeypatch):
    ticket = admin.ticket(**ADA)
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/reopen", headers={"Idempotency-Key": "k"}), 409)
    with runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow:
        call = {"caller": "x", "body_hash": "", "expires_at": "2999-01-01T00:00:00.000Z", "created_at": uow.now}
        answer = '[{},"{\\"data\\":{\\"customer_email\\":\\"bob@example.com\\"}}"]'
        rows = [
            {
                **call,
                "key": str(number),
                "answer": answer,
                "route": f"POST /api/tickets/{ticket['id'][:-4]}x{number:03}/reopen",
            }
            for number in range(500)
        ]
        uow.insert_many(idempotency, rows)
    rows_read = []
    find = UnitOfWork.find

    def counting_find(uow, statement, **params):
        result = find(uow, statement, **params)
        rows_read.extend(result if idempotency.name in str(statement.compile()) else [])
        return result

    monkeypatch.setattr(UnitOfWork, "find", counting_find)
    erase(admin)
    assert len(rows_read) <= 2
    monkeypatch.undo()
    assert len(everything(runtime.storage)["idempotency"]) == 500


def test_every_route_of_a_ticket_begins_with_the_prefix_that_erasure_uses(app):
    rules = [rule.rule for rule in app.url_map.iter_rules() if "POST" in rule.methods and "<ticket_id>" in rule.rule]
    assert rules
    assert all(rule.startswith("/api/tickets/<ticket_id>") for rule in rules)


NAMES = [
    "zoë.canary@exämple.com",
    "Zoë Canary",
    'Zo "ë" \\ Ca',
    "山田太郎",
    "Иван Петров",
    "é",
    "日本@例え.jp",
    "7",
    "O'Neil",
]


@pytest.mark.parametrize("name", NAMES)
def test_the_database_condition_finds_every_spelling_of_a_name(runtime, name):
    texts = {
        unicodedata.normalize(form, spelling)
        for form in ("NFC", "NFD")
        for spelling in (name, name.upper(), name.lower(), f"Hello {name}, you", f"({name})")
    }
    mentions = Mentions([name])
    actor = Actor("default", "admin", "test")
    with runtime.storage.unit_of_work(actor, write=True) as uow:
        base = {"subject_id": "x", "created_at": uow.now}
        uow.insert_many(events, [{**base, "said_by": text} for text in texts])
        matches = {
            row["said_by"]
            for row in uow.find(uow.query(events, events.c.said_by).where(mentions.condition(events.c.said_by)))
        }
    assert {text for text in texts if mentions.within(text)} == texts
    assert texts <= matches
