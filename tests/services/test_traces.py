"""Erasing takes a person out of everything beside their own rows: the record, stored calls, examples, jobs; in any spelling."""

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
EVERY_SPELLING = pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
WORDS = ("canary", "exämple", "exa\u0308mple", "xn--exmple", "Zoë", "Zoe\u0308")


def erase(admin, name=ADA["customer_email"]):
    return admin.data(admin.delete(f"/api/customers/{quote(name, safe='')}"))


@EVERY_SPELLING
def test_an_address_in_any_spelling_is_found_everywhere(admin, spelled):
    ticket = admin.ticket(**ADA)
    latin = spelled.encode().decode("latin-1")
    path = f"/api/customers/{quote(spelled, safe='')}"
    assert admin.data(admin.get(path))["email"] == ADA["customer_email"]
    assert admin.data(admin.get(f"{path}/export"))["customer"]["email"] == ADA["customer_email"]
    for query in (f"customer_email={quote(spelled)}", f"role=customer&user={quote(spelled)}"):
        assert [row["id"] for row in admin.data(admin.get(f"/api/tickets?{query}"))] == [ticket["id"]], query
    assert admin.get(f"/api/customers?q={quote(spelled)}").json["total"] == 1
    customer = Caller(admin.client, admin.key, {"X-On-Behalf-Of": latin})
    assert [row["id"] for row in customer.data(customer.get("/api/tickets"))] == [ticket["id"]]
    own = customer.data(
        customer.post("/api/tickets", {"title": "A", "description": "B", "customer_email": spelled}), 201
    )
    imported = admin.data(admin.post("/api/import", [{"description": "C", "customer_email": spelled}]))
    assert (imported["created"], imported["customers"]) == (1, 0)
    assert admin.get(f"/api/audit?actor={quote(spelled)}").json["data"][0]["subject_id"] == own["id"]
    assert admin.get("/api/customers").json["total"] == 1
    assert erase(admin, spelled)["tickets"] == 3


def test_an_old_row_whose_address_somebody_else_has_is_found_as_it_is_spelled(admin, runtime):
    admin.ticket(customer_email="\u01f0an@example.com", customer_name="New")
    with runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow:
        uow.insert(customers, {"email": "j\u030can@example.com", "name": "Old", "created_at": uow.now})
    spelled = "/api/customers/" + quote("j\u030can@example.com")
    assert [admin.data(admin.delete(spelled))["tickets"] for _ in range(2)] == [1, 0]
    assert admin.delete(spelled).status_code == 404


@EVERY_SPELLING
def test_who_signs_in_may_spell_their_address_as_they_like(admin, spelled):
    person = {"name": "Zoë", "email": SPELLINGS["punycode"], "role": "agent", "password": "correct horse battery"}
    assert admin.data(admin.post("/api/users", person), 201)["email"] == SPELLINGS["as it is"]
    assert admin.post("/api/users", {**person, "email": spelled}).status_code == 409
    caller = Caller(admin.client)
    signed_in = caller.data(caller.post("/api/auth/login", {"email": spelled, "password": person["password"]}))
    assert signed_in["user"]["email"] == SPELLINGS["as it is"]
    ticket = admin.ticket(**BOB)
    assigned = admin.data(
        admin.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": spelled.strip("\u200b\ufeff")})
    )
    assert assigned["assigned_to"] == SPELLINGS["as it is"]


@EVERY_SPELLING
def test_a_name_within_a_longer_text_on_record_goes_too(admin, runtime, run_jobs, spelled):
    own, bobs = admin.ticket(**ADA), admin.ticket(**BOB)
    paths = [f"/api/tickets/{ticket['id']}" for ticket in (own, bobs)]
    for path in paths:
        for user in (
            f"{spelled}, second floor",
            "ZOE\u0308  canary, for her mother",
            "Eve for canary-17",
            ADA["customer_id"],
        ):
            admin.data(admin.put(path, {"title": f"From {user}", "user": user, "action": "typed in"}))
            admin.data(admin.post(f"{path}/replies", {"body": "Hello.", "user": user}), 201)
    admin.data(admin.put(paths[1], {"title": "About a friend", "user": "Eve"}))
    run_jobs()
    before = everything(runtime.storage)["events"]
    erase(admin)
    assert rows_with(runtime, *WORDS) == []
    after = everything(runtime.storage)["events"]
    assert [event["id"] for event in after][: len(before)] == [event["id"] for event in before]
    left = [event for event in after if event["said_by"] == "Eve"]
    assert [event["to_value"] for event in left] == ["About a friend"]


@pytest.mark.parametrize("key", ["order 7 of Zoë Canary", "canary-17", "canary-17/7", *SPELLINGS.values()], ids=ascii)
def test_a_stored_call_whose_key_names_the_person_goes(admin, runtime, key):
    admin.ticket(**ADA)
    header = {"headers": {"Idempotency-Key": key.encode().decode("latin-1")}}
    admin.data(admin.post("/api/triage", {"text": "I was charged twice."}, **header))
    bobs = admin.post("/api/tickets", {"title": "A", "description": "B", **BOB, "client_reference": "of Bob"})
    erase(admin)
    assert [call["key"] for call in everything(runtime.storage)["idempotency"]] == ["of Bob"]
    again = admin.post("/api/tickets", {"title": "A", "description": "B", **BOB, "client_reference": "of Bob"})
    assert again.get_data() == bobs.get_data()


def test_what_may_be_somebody_else_stays(admin, runtime):
    """First names, short ids, and a full name that two customers have tell nothing sure about one."""
    admin.ticket(customer_email="ann@example.com", customer_id="17", customer_name="Ann")
    admin.ticket(customer_email="jo@example.com", customer_name="Jo Smith")
    admin.ticket(customer_email="other.jo@example.com", customer_name="Jo Smith")
    path = f"/api/tickets/{admin.ticket(**BOB)['id']}"
    titles = ["Ann broke 17 of them", "Jo Smith called", "See ann@example.com.au.test-and-more@x.test"]
    for title in titles:
        admin.data(admin.put(path, {"title": title, "user": f"agent {title[:2]}"}))
    for name in ("ann@example.com", "jo@example.com"):
        erase(admin, name)
    told = [event for event in admin.data(admin.get(f"{path}/history")) if event["field"] == "title"]
    assert [event["to"] for event in told][:2] == titles[:2]
    assert [event["said_by"] for event in told] == [f"agent {title[:2]}" for title in titles]


@pytest.mark.parametrize("name", ["AI", "api_key", "System"])
def test_who_is_called_like_the_server_or_a_key_takes_no_record_from_it(admin, name):
    ticket = admin.ticket(customer_email="", customer_id=name, customer_name=name)
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.put(path, {"priority": "urgent"}))
    before = [event["actor"] for event in admin.data(admin.get(f"{path}/history"))]
    erase(admin, name)
    assert [event["actor"] for event in admin.data(admin.get(f"{path}/history"))] == before
    assert [entry["author_name"] for entry in admin.data(admin.get(f"{path}/replies"))] == ["AI"]


def test_jobs_that_are_over_and_name_the_person_go_and_what_waits_for_others_stays(admin, runtime):
    bobs = admin.ticket(**BOB)
    admin.ticket(**ADA)
    with runtime.storage.unit_of_work(Actor("default", "admin", "test"), write=True) as uow:
        uow.delete(jobs_table, jobs_table.c.id != "")
        told = {"ticket": {"number": 1, "title": "From zoë.canary@xn--exmple-cua.com"}}
        outbox.enqueue(uow, [outbox.Job("mail", kind, bobs["id"], told) for kind in ("done", "dead", "waiting")])
        outbox.enqueue(uow, [outbox.Job("mail", "invitation", payload={"to": [ADA["customer_email"]]})])
        for state in ("done", "dead"):
            uow.update_where(jobs_table, jobs_table.c.kind == state, state=state)
        outbox.enqueue(uow, [outbox.Job("mail", "failed", bobs["id"])])
        news = {"state": "dead", "last_error": "no mailbox for canary-17"}
        uow.update_where(jobs_table, jobs_table.c.kind == "failed", **news)
    erase(admin)
    assert {job["kind"] for job in everything(runtime.storage)["jobs"]} == {"waiting", "scrub"}


@EVERY_SPELLING
def test_an_example_that_names_the_person_goes(admin, runtime, spelled):
    admin.ticket(**ADA)
    for text in (f"Parcel for {spelled} is lost", "ZOE\u0308 CANARY did not get it", "Where is my parcel?"):
        admin.data(admin.post("/api/topics/examples", {"text": text, "topic": "delivery"}), 201)
    erase(admin)
    assert [row["text"] for row in everything(runtime.storage)["examples"]] == ["Where is my parcel?"]


def test_erasing_reads_no_more_stored_calls_than_it_removes(admin, runtime, monkeypatch):
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
                "route": f"POST /api/tickets/{ticket['id'][:-4]}{number:04}/reopen",
            }
            for number in range(500)
        ]
        uow.insert_many(idempotency, rows)
    read = []
    find = UnitOfWork.find

    def noted(uow, statement, **params):
        found = find(uow, statement, **params)
        read.extend(found if idempotency.name in str(statement.compile()) else [])
        return found

    monkeypatch.setattr(UnitOfWork, "find", noted)
    erase(admin)
    assert len(read) <= 2
    monkeypatch.undo()
    assert len(everything(runtime.storage)["idempotency"]) == 500


def test_every_stored_call_about_a_ticket_begins_as_erasing_expects(app):
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
def test_no_spelling_of_a_name_is_left_out_by_the_database(runtime, name):
    texts = {
        unicodedata.normalize(form, spelled)
        for form in ("NFC", "NFD")
        for spelled in (name, name.upper(), name.lower(), f"Hello {name}, you", f"({name})")
    }
    mentions = Mentions([name])
    actor = Actor("default", "admin", "test")
    with runtime.storage.unit_of_work(actor, write=True) as uow:
        base = {"subject_id": "x", "created_at": uow.now}
        uow.insert_many(events, [{**base, "said_by": text} for text in texts])
        found = {
            row["said_by"]
            for row in uow.find(uow.query(events, events.c.said_by).where(mentions.near(events.c.said_by)))
        }
    assert {text for text in texts if mentions.within(text)} == texts
    assert texts <= found
