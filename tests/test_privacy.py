"""A person's data: handed out whole, and erased so that no row tells of them while every figure stays (case 41)."""

import json
from urllib.parse import quote

import pytest

import tables
from llm import open_model
from services import lockout
from tests.caller import Caller
from tests.conftest import add_key
from tests.fake_model import FakeModel
from tests.rows import everything

pytestmark = pytest.mark.every_engine

TELLTALE = "CANARY"
ADA = {"customer_email": "ada.canary@example.com", "customer_name": "Ada Canary"}
BY_ID = {"customer_id": "canary-7", "customer_name": "Ada Canary"}
AWKWARD = {
    "customer_email": "zoë.canary+x@exämple.com",
    "customer_id": 'ca"nary\\ %_é日😀',
    "customer_name": 'Zoë "Canary" O\'Neil \\ 😀',
}
PEOPLE = pytest.mark.parametrize("person", [ADA, BY_ID, AWKWARD], ids=["email", "id", "awkward"])
OTHER = {"customer_email": "bob@example.com", "customer_id": "7", "customer_name": "Bob"}
TEXT = 'CANARY says "back\\slash" é 日 😀'


def name_of(person):
    return person.get("customer_email") or person["customer_id"]


def path_of(person, more=""):
    return f"/api/customers/{quote(name_of(person), safe='')}{more}"


def live(admin, person, *, mark=""):
    """Tickets of a person with everything that can be written about one."""
    key = {"headers": {"Idempotency-Key": f"{mark}{person['customer_name']}".encode().decode("latin-1")}}
    body = {"title": f"{TEXT} title", "description": TEXT, **person, "external_id": f"x-canary-{mark}"}
    first = admin.data(admin.post("/api/tickets", {**body, "tags": ["canary"]}, **key), 201)
    path = f"/api/tickets/{first['id']}"
    said = {"user": name_of(person), "action": "canary"}
    admin.data(admin.put(path, {"title": f"{TEXT} again", "priority": "urgent", "customer_name": "Canary Two"}))
    admin.data(admin.post(f"{path}/replies", {"body": TEXT, "author_role": "customer", **said}, **key), 201)
    admin.data(admin.post(f"{path}/replies", {"body": TEXT, "internal": True, "author_name": "Eve"}), 201)
    admin.data(admin.post(f"{path}/assign", {"agent_email": "eve@desk.example"}))
    admin.data(admin.post(f"{path}/resolve", {"resolution": TEXT}, **key))
    second = admin.ticket(
        title=TEXT, description="This is urgent, CANARY is blocked!", **{"customer_email": "", **person}
    )
    return [first["id"], second["id"]]


def rows_with(foyer, *words):
    """The rows of every table that hold one of the words in any form, in any case."""
    found = []
    for table, rows in everything(foyer.storage).items():
        for row in rows:
            text = json.dumps(row, ensure_ascii=False).lower()
            found += [(table, row) for word in words if word.lower() in text]
    return found


@PEOPLE
def test_nothing_of_an_erased_person_is_left_in_any_row(admin, foyer, person):
    live(admin, person)
    customer = Caller(
        admin.client,
        admin.key,
        {"X-On-Behalf-Of": name_of(person).encode().decode("latin-1")},
    )
    mine = {"title": TEXT, "description": TEXT}
    customer.data(customer.post("/api/tickets", mine, headers={"Idempotency-Key": "k"}), 201)
    words = ["canary", "nary\\", *(json.dumps(value, ensure_ascii=False)[1:-1] for value in person.values())]
    tables_before = {table for table, _ in rows_with(foyer, *words)}
    assert {"customers", "tickets", "replies", "events", "idempotency"} <= tables_before
    assert admin.data(admin.delete(path_of(person))) == {"erased": True, "tickets": 3}
    assert rows_with(foyer, *words) == []


@PEOPLE
def test_every_figure_stays_exactly_as_it_was(admin, person):
    live(admin, person)
    live(admin, OTHER, mark="other")
    admin.ticket(title="Help", priority="low", **{"customer_email": "", **person})
    before = admin.data(admin.get("/api/stats"))
    kept = (
        "id number status category priority priority_score urgency sentiment customer_tier source created_at updated_at"
    )

    def outlines():
        return [{name: ticket[name] for name in kept.split()} for ticket in admin.data(admin.get("/api/tickets"))]

    tickets = outlines()
    admin.data(admin.delete(path_of(person)))
    assert admin.data(admin.get("/api/stats")) == before
    assert outlines() == tickets


def test_what_is_left_of_a_ticket(admin):
    first, _ = live(admin, ADA)
    before = admin.data(admin.get(f"/api/tickets/{first}"))
    admin.data(admin.delete(path_of(ADA)))
    ticket = admin.data(admin.get(f"/api/tickets/{first}"))
    assert (ticket["title"], ticket["description"]) == ("(erased)", "(erased)")
    cleared = "customer_email customer_id customer_name resolution external_id".split()
    assert [ticket[name] for name in cleared] == [""] * 5
    assert [ticket[name] for name in ("tags", "triage_reasons", "ai_citations")] == [[], [], []]
    assert ticket["version"] == before["version"] + 1
    assert ticket["assigned_to"] == "eve@desk.example"
    thread = admin.data(admin.get(f"/api/tickets/{first}/replies"))
    assert {entry["body"] for entry in thread} == {"(erased)"}
    assert [(entry["author_role"], entry["author_name"]) for entry in thread] == [
        ("ai", "AI"),
        ("customer", ""),
        ("agent", "Eve"),
    ]
    history = admin.data(admin.get(f"/api/tickets/{first}/history"))
    assert {event["actor"] for event in history} == {"API_KEY"}
    assert "customer" in {event["said_by"] for event in history}
    told = {event["field"]: (event["from"], event["to"]) for event in history}
    assert told["title"] == ("", "")
    assert told["priority"][1] == "urgent"
    assert told["status"][1] == "resolved"


def test_who_a_customer_was_is_not_told_by_what_they_did_themselves(admin, foyer):
    admin.ticket(**ADA)
    customer = Caller(admin.client, admin.key, {"X-On-Behalf-Of": name_of(ADA)})
    ticket = customer.data(customer.post("/api/tickets", {"title": "A", "description": "B"}), 201)
    path = f"/api/tickets/{ticket['id']}/history"
    assert {event["actor"] for event in admin.data(admin.get(path))} == {name_of(ADA)}
    admin.data(admin.delete(path_of(ADA)))
    assert {event["actor"] for event in admin.data(admin.get(path))} == {"customer"}
    own = admin.data(admin.get(f"/api/audit?subject_id={ticket['id']}"))
    assert {event["address"] for event in own} == {""}


@PEOPLE
def test_what_others_have_stays_as_it_is(admin, other_admin, foyer, person):
    live(admin, OTHER, mark="other")
    there = live(other_admin, person, mark="there")
    before = everything(foyer.storage)
    live(admin, person)
    admin.data(admin.delete(path_of(person)))
    after = everything(foyer.storage)
    changing = {"companies", "api_keys"}  # the last number, and when a key was last used
    for table in set(before) - changing:
        kept = {row["id"]: row for row in after[table]}
        assert [kept.get(row["id"]) for row in before[table]] == before[table], table
    assert other_admin.data(other_admin.get(path_of(person)))["total_tickets"] == len(there)


def test_a_short_id_takes_no_stored_answers_of_others_with_it(admin):
    admin.ticket(customer_email="", customer_id="1")
    key = {"headers": {"Idempotency-Key": "mine"}}
    body = {"title": "A 1", "description": "1 and 11", **OTHER}
    made = admin.data(admin.post("/api/tickets", body, **key), 201)
    admin.data(admin.delete("/api/customers/1"))
    again = admin.post("/api/tickets", body, **key)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json["data"] == made


def test_erasing_twice_is_404_and_who_comes_again_is_somebody_new(admin):
    live(admin, ADA)
    admin.data(admin.delete(path_of(ADA)))
    assert admin.delete(path_of(ADA)).status_code == 404
    assert admin.get(path_of(ADA)).status_code == 404
    nobody = admin.delete("/api/customers/nobody@example.com")
    assert admin.delete(path_of(ADA)).get_data() == nobody.get_data()
    again = admin.ticket(**ADA)
    profile = admin.data(admin.get(path_of(ADA)))
    assert (profile["total_tickets"], profile["name"]) == (1, "Ada Canary")
    assert [ticket["id"] for ticket in admin.data(admin.get(f"/api/tickets?customer_email={name_of(ADA)}"))] == [
        again["id"]
    ]


@pytest.mark.parametrize("name", ["", " ", "%20", "%", "_"])
def test_no_name_is_nobodys_name(admin, name):
    live(admin, ADA)
    admin.data(admin.delete(path_of(ADA)))
    assert admin.delete(f"/api/customers/{quote(name)}").status_code in (404, 405)


def test_one_event_stays_that_says_it_was_done(admin):
    live(admin, ADA)
    admin.data(admin.delete(path_of(ADA)))
    found = admin.data(admin.get("/api/audit?subject=customer"))
    assert [(event["action"], event["actor"], event["to"]) for event in found] == [("customer_erased", "API_KEY", "2")]
    assert found[0]["subject_id"]


def test_an_account_goes_with_its_person_and_so_do_its_sessions(app, admin, foyer):
    person = {"name": "Ada Canary", "email": name_of(ADA), "role": "customer", "password": "correct horse battery"}
    admin.data(admin.post("/api/users", person), 201)
    client = Caller(app.test_client())
    signing_in = {"email": person["email"], "password": person["password"]}
    signed_in = client.data(client.post("/api/auth/login", signing_in))
    ada = Caller(app.test_client(), headers={"Authorization": f"Bearer {signed_in['access_token']}"})
    ada.data(ada.post("/api/tickets", {"title": "Canary", "description": "Canary"}), 201)
    client.post("/api/auth/login", {**signing_in, "password": "wrong wrong wrong"})
    assert everything(foyer.storage)["sign_in_tries"]
    admin.data(admin.delete(path_of(ADA)))
    assert everything(foyer.storage)["sign_in_tries"] == []
    assert ada.get("/api/tickets").status_code == 401
    assert client.post("/api/auth/login", signing_in).status_code == 401
    rows = everything(foyer.storage)
    assert (rows["users"], rows["sessions"]) == ([], [])
    assert rows_with(foyer, "canary") == []


def test_erasing_a_customer_does_not_open_the_door_of_somebody_elsewhere(admin, other_admin, foyer):
    # Whoever administers a company of their own could else forget the wrong tries at any address.
    other_admin.data(
        other_admin.post(
            "/api/users", {"name": "Ada", "email": name_of(ADA), "role": "agent", "password": "correct horse battery"}
        ),
        201,
    )
    here = {"name": "Ada Canary", "email": name_of(ADA), "role": "customer", "password": "correct horse battery"}
    admin.data(admin.post("/api/users", here), 201)
    with foyer.storage.desk(None, write=True) as desk:
        lockout.take_try(desk, name_of(ADA), "198.51.100.7")
    before = everything(foyer.storage)["sign_in_tries"]
    admin.ticket(**ADA)
    admin.data(admin.delete(path_of(ADA)))
    assert before
    assert everything(foyer.storage)["sign_in_tries"] == before


def test_who_works_here_keeps_account_and_record_when_erased_as_a_customer(admin, foyer):
    person = {"name": "Ada", "email": name_of(ADA), "role": "agent", "password": "correct horse battery"}
    user = admin.data(admin.post("/api/users", person), 201)
    bobs = admin.ticket(**OTHER)
    admin.data(admin.post(f"/api/tickets/{bobs['id']}/assign", {"agent_email": name_of(ADA)}))
    admin.ticket(**ADA)
    admin.data(admin.delete(path_of(ADA)))
    assert [row["id"] for row in everything(foyer.storage)["users"]] == [user["id"]]
    history = admin.data(admin.get(f"/api/tickets/{bobs['id']}/history"))
    assert name_of(ADA) in [event["to"] for event in history]


def test_an_address_on_record_elsewhere_goes_too(admin, foyer):
    bobs = admin.ticket(**OTHER)
    path = f"/api/tickets/{bobs['id']}"
    admin.data(admin.put(path, {"title": f"About {name_of(ADA).upper()}"}))
    admin.data(admin.put(path, {"title": "About a friend", "user": name_of(ADA)}))
    admin.ticket(**ADA)
    admin.data(admin.delete(path_of(ADA)))
    history = admin.data(admin.get(f"{path}/history"))
    assert name_of(ADA) not in str(history).lower()
    assert "About a friend" in [event["to"] for event in history]


@PEOPLE
def test_who_opened_a_ticket_that_was_deleted_since_is_nobody_too(admin, foyer, person):
    customer = Caller(admin.client, admin.key, {"X-On-Behalf-Of": name_of(person).encode().decode("latin-1")})
    ticket = customer.data(customer.post("/api/tickets", {"title": "Canary", "description": "Canary"}), 201)
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    created = [event for event in everything(foyer.storage)["events"] if event["action"] == "created"]
    assert [event["actor"].lower() for event in created] != ["customer"]
    admin.data(admin.delete(path_of(person)))
    left = [event for event in everything(foyer.storage)["events"] if event["action"] == "created"]
    assert [(event["actor"], event["address"]) for event in left] == [("customer", "")]
    assert rows_with(foyer, "canary", 'ca\\"nary') == []


def test_an_id_like_the_name_of_a_key_takes_no_record_from_the_key(admin):
    bobs = admin.ticket(**OTHER)
    admin.ticket(customer_email="", customer_id="API_KEY")
    admin.data(admin.delete("/api/customers/API_KEY"))
    assert {event["actor"] for event in admin.data(admin.get(f"/api/tickets/{bobs['id']}/history"))} == {"API_KEY"}


def test_what_waits_to_be_mailed_is_not_sent(admin, foyer, mailer, run_jobs):
    ids = live(admin, ADA)
    others = live(admin, OTHER, mark="other")
    waiting = {job["ticket_id"] for job in everything(foyer.storage)["jobs"] if job["lane"] == "mail"}
    assert waiting == {*ids, *others}
    admin.data(admin.delete(path_of(ADA)))
    assert {job["ticket_id"] for job in everything(foyer.storage)["jobs"]} == {*others, None}
    run_jobs()
    assert mailer.sent
    assert name_of(ADA) not in str([str(notice) for notice in mailer.sent])
    assert "Ada Canary" not in str([str(notice) for notice in mailer.sent])


def test_an_answer_under_way_comes_too_late(open_app):
    with FakeModel() as fake:
        app = open_app(model=open_model("sk-test", fake.url, "test-model", 2.0))
        admin = Caller(app.test_client(), "admin-key")
        ticket = admin.ticket(**ADA)
        admin.data(admin.delete(path_of(ADA)))
        app.extensions["foyer"].runner.run_due()
        assert fake.count == 0
    now = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert (ticket["ai_status"], now["ai_status"], now["ai_response"]) == ("pending", "off", "")


@PEOPLE
def test_everything_held_about_a_person_is_handed_out(admin, foyer, other_admin, person):
    ids = live(admin, person)
    live(admin, OTHER, mark="other")
    other_admin.ticket(title="Elsewhere", **{"customer_email": "", **person})
    held = admin.data(admin.get(path_of(person, "/export")))
    assert held["customer"] == admin.data(admin.get(path_of(person)))
    assert [ticket["id"] for ticket in held["tickets"]] == ids
    for ticket in held["tickets"]:
        path = f"/api/tickets/{ticket['id']}"
        assert ticket.pop("replies") == admin.data(admin.get(f"{path}/replies"))
        assert ticket.pop("history") == admin.data(admin.get(f"{path}/history"))
        assert ticket == admin.data(admin.get(path))
    assert {notice["ticket_id"] for notice in held["notices"]} <= set(ids)
    assert bool(held["notices"])
    text = str(held)
    assert "Bob" not in text
    assert "Elsewhere" not in text


def test_an_account_and_what_they_did_are_handed_out_without_secrets(app, admin, foyer):
    password = "correct horse battery"
    person = {"name": "Ada", "email": name_of(ADA), "role": "customer", "password": password}
    user = admin.data(admin.post("/api/users", person), 201)
    client = Caller(app.test_client())
    signed_in = client.data(client.post("/api/auth/login", {"email": name_of(ADA), "password": password}))
    admin.ticket(**ADA)
    held = admin.data(admin.get(path_of(ADA, "/export")))
    assert held["account"] == user
    assert "signed_in" in {event["action"] for event in held["events"]}
    rows = everything(foyer.storage)
    secrets = [row["password_hash"] for row in rows["users"]] + [row["key_hash"] for row in rows["api_keys"]]
    secrets += [admin.key, password, signed_in["access_token"], signed_in["refresh_token"], rows["sessions"][0]["id"]]
    assert not [secret for secret in secrets if secret in str(held)]


def test_only_admins_may_take_out_or_erase(app, foyer, admin, agent, customer):
    live(admin, ADA)
    narrow = Caller(app.test_client(), add_key(foyer, "admin", scopes=["customers.read"]))
    for caller in (agent, customer, narrow):
        assert caller.get(path_of(ADA, "/export")).status_code == 403
        assert caller.delete(path_of(ADA)).status_code == 403
    assert admin.data(admin.get(path_of(ADA)))["total_tickets"] == 2


def test_a_person_without_tickets_can_be_erased(admin, foyer):
    ticket = admin.ticket(**ADA)
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    assert admin.data(admin.delete(path_of(ADA))) == {"erased": True, "tickets": 0}
    assert rows_with(foyer, "canary") == []
    assert tables.customers.name in everything(foyer.storage)
