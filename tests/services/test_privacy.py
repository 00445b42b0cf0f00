"""Personal data: the export is complete, and erasure leaves no trace in any row but keeps every figure (case 41)."""

import json
from urllib.parse import quote

import pytest

from ai.llm import open_model
from database import tables
from services.accounts import lockout
from tests.conftest import add_key
from tests.fakes.fake_model import FakeModel
from tests.support.caller import Caller
from tests.support.rows import everything

pytestmark = pytest.mark.every_engine

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


def create_data(admin, person, *, mark=""):
    """Creates two tickets of a person, with every kind of text and event."""
    key = {"headers": {"Idempotency-Key": f"{mark}{person['customer_name']}".encode().decode("latin-1")}}
    body = {"title": f"{TEXT} title", "description": TEXT, **person, "external_id": f"x-canary-{mark}"}
    first = admin.data(admin.post("/api/tickets", {**body, "tags": ["canary"]}, **key), 201)
    path = f"/api/tickets/{first['id']}"
    on_behalf = {"user": name_of(person), "action": "canary"}
    admin.data(admin.put(path, {"title": f"{TEXT} again", "priority": "urgent", "customer_name": "Canary Two"}))
    admin.data(admin.post(f"{path}/replies", {"body": TEXT, "author_role": "customer", **on_behalf}, **key), 201)
    admin.data(admin.post(f"{path}/replies", {"body": TEXT, "internal": True, "author_name": "Eve"}), 201)
    admin.data(admin.post(f"{path}/assign", {"agent_email": "eve@desk.example"}))
    admin.data(admin.post(f"{path}/resolve", {"resolution": TEXT}, **key))
    second = admin.ticket(
        title=TEXT, description="This is urgent, CANARY is blocked!", **{"customer_email": "", **person}
    )
    return [first["id"], second["id"]]


def rows_with(runtime, *words):
    """The rows of all tables that hold one of the words, in any case."""
    matches = []
    for table, rows in everything(runtime.storage).items():
        for row in rows:
            text = json.dumps(row, ensure_ascii=False).lower()
            matches += [(table, row) for word in words if word.lower() in text]
    return matches


@PEOPLE
def test_no_row_holds_data_of_an_erased_customer(admin, runtime, person):
    create_data(admin, person)
    customer = Caller(
        admin.client,
        admin.key,
        {"X-On-Behalf-Of": name_of(person).encode().decode("latin-1")},
    )
    body = {"title": TEXT, "description": TEXT}
    customer.data(customer.post("/api/tickets", body, headers={"Idempotency-Key": "k"}), 201)
    words = ["canary", "nary\\", *(json.dumps(value, ensure_ascii=False)[1:-1] for value in person.values())]
    tables_before = {table for table, _ in rows_with(runtime, *words)}
    assert {"customers", "tickets", "replies", "events", "idempotency"} <= tables_before
    assert admin.data(admin.delete(path_of(person))) == {"erased": True, "tickets": 3}
    assert rows_with(runtime, *words) == []


@PEOPLE
def test_statistics_do_not_change_after_an_erasure(admin, person):
    create_data(admin, person)
    create_data(admin, OTHER, mark="other")
    admin.ticket(title="Help", priority="low", **{"customer_email": "", **person})

    def statistics():
        figures = admin.data(admin.get("/api/stats"))
        figures.pop("by_tag")  # a tag may name a person, so it is erased
        return figures

    before = statistics()
    names = (
        "id number status category priority priority_score urgency sentiment customer_tier source created_at updated_at"
    )

    def outlines():
        return [{name: ticket[name] for name in names.split()} for ticket in admin.data(admin.get("/api/tickets"))]

    tickets = outlines()
    admin.data(admin.delete(path_of(person)))
    assert statistics() == before
    assert outlines() == tickets


def test_the_fields_of_an_erased_ticket(admin):
    first, _ = create_data(admin, ADA)
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
    changes = {event["field"]: (event["from"], event["to"]) for event in history}
    assert changes["title"] == ("", "")
    assert changes["priority"][1] == "urgent"
    assert changes["status"][1] == "resolved"


def test_events_of_an_erased_customer_do_not_identify_them(admin, runtime):
    admin.ticket(**ADA)
    customer = Caller(admin.client, admin.key, {"X-On-Behalf-Of": name_of(ADA)})
    ticket = customer.data(customer.post("/api/tickets", {"title": "A", "description": "B"}), 201)
    path = f"/api/tickets/{ticket['id']}/history"
    assert {event["actor"] for event in admin.data(admin.get(path))} == {name_of(ADA)}
    admin.data(admin.delete(path_of(ADA)))
    assert {event["actor"] for event in admin.data(admin.get(path))} == {"customer"}
    events = admin.data(admin.get(f"/api/audit?subject_id={ticket['id']}"))
    assert {event["address"] for event in events} == {""}


@PEOPLE
def test_data_of_others_is_not_erased(admin, other_admin, runtime, person):
    create_data(admin, OTHER, mark="other")
    ticket_ids = create_data(other_admin, person, mark="there")
    before = everything(runtime.storage)
    create_data(admin, person)
    admin.data(admin.delete(path_of(person)))
    after = everything(runtime.storage)
    changing = {"companies", "api_keys"}  # the last number, and when a key was last used
    for table in set(before) - changing:
        rows = {row["id"]: row for row in after[table]}
        assert [rows.get(row["id"]) for row in before[table]] == before[table], table
    assert other_admin.data(other_admin.get(path_of(person)))["total_tickets"] == len(ticket_ids)


def test_a_short_customer_id_does_not_delete_stored_responses_of_others(admin):
    admin.ticket(customer_email="", customer_id="1")
    key = {"headers": {"Idempotency-Key": "mine"}}
    body = {"title": "A 1", "description": "1 and 11", **OTHER}
    ticket = admin.data(admin.post("/api/tickets", body, **key), 201)
    admin.data(admin.delete("/api/customers/1"))
    response = admin.post("/api/tickets", body, **key)
    assert response.headers["Idempotent-Replay"] == "true"
    assert response.json["data"] == ticket


def test_a_second_erasure_is_404_and_a_returning_customer_is_new(admin):
    create_data(admin, ADA)
    admin.data(admin.delete(path_of(ADA)))
    assert admin.delete(path_of(ADA)).status_code == 404
    assert admin.get(path_of(ADA)).status_code == 404
    nobody = admin.delete("/api/customers/nobody@example.com")
    assert admin.delete(path_of(ADA)).get_data() == nobody.get_data()
    ticket = admin.ticket(**ADA)
    profile = admin.data(admin.get(path_of(ADA)))
    assert (profile["total_tickets"], profile["name"]) == (1, "Ada Canary")
    assert [ticket["id"] for ticket in admin.data(admin.get(f"/api/tickets?customer_email={name_of(ADA)}"))] == [
        ticket["id"]
    ]


@pytest.mark.parametrize("name", ["", " ", "%20", "%", "_"])
def test_an_empty_name_matches_no_customer(admin, name):
    create_data(admin, ADA)
    admin.data(admin.delete(path_of(ADA)))
    assert admin.delete(f"/api/customers/{quote(name)}").status_code in (404, 405)


def test_the_erasure_itself_is_recorded(admin):
    create_data(admin, ADA)
    admin.data(admin.delete(path_of(ADA)))
    events = admin.data(admin.get("/api/audit?subject=customer"))
    assert [(event["action"], event["actor"], event["to"]) for event in events] == [("customer_erased", "API_KEY", "2")]
    assert events[0]["subject_id"]


def test_erasure_deletes_account_and_sessions(app, admin, runtime):
    person = {"name": "Ada Canary", "email": name_of(ADA), "role": "customer", "password": "correct horse battery"}
    admin.data(admin.post("/api/users", person), 201)
    client = Caller(app.test_client())
    signing_in = {"email": person["email"], "password": person["password"]}
    signed_in = client.data(client.post("/api/auth/login", signing_in))
    ada = Caller(app.test_client(), headers={"Authorization": f"Bearer {signed_in['access_token']}"})
    ada.data(ada.post("/api/tickets", {"title": "Canary", "description": "Canary"}), 201)
    client.post("/api/auth/login", {**signing_in, "password": "wrong wrong wrong"})
    assert everything(runtime.storage)["sign_in_tries"]
    admin.data(admin.delete(path_of(ADA)))
    assert everything(runtime.storage)["sign_in_tries"] == []
    assert ada.get("/api/tickets").status_code == 401
    assert client.post("/api/auth/login", signing_in).status_code == 401
    rows = everything(runtime.storage)
    assert (rows["users"], rows["sessions"]) == ([], [])
    assert rows_with(runtime, "canary") == []


def test_erasure_does_not_reset_a_lockout_of_another_company(admin, other_admin, runtime):
    # Otherwise the admin of any company could reset the lock-out of any address.
    other_admin.data(
        other_admin.post(
            "/api/users", {"name": "Ada", "email": name_of(ADA), "role": "agent", "password": "correct horse battery"}
        ),
        201,
    )
    person = {"name": "Ada Canary", "email": name_of(ADA), "role": "customer", "password": "correct horse battery"}
    admin.data(admin.post("/api/users", person), 201)
    with runtime.storage.unit_of_work(None, write=True) as uow:
        lockout.count_attempt(uow, name_of(ADA), "198.51.100.7")
    before = everything(runtime.storage)["sign_in_tries"]
    admin.ticket(**ADA)
    admin.data(admin.delete(path_of(ADA)))
    assert before
    assert everything(runtime.storage)["sign_in_tries"] == before


def test_staff_keep_account_and_history_when_erased_as_customers(admin, runtime):
    person = {"name": "Ada", "email": name_of(ADA), "role": "agent", "password": "correct horse battery"}
    user = admin.data(admin.post("/api/users", person), 201)
    bobs = admin.ticket(**OTHER)
    admin.data(admin.post(f"/api/tickets/{bobs['id']}/assign", {"agent_email": name_of(ADA)}))
    admin.ticket(**ADA)
    admin.data(admin.delete(path_of(ADA)))
    assert [row["id"] for row in everything(runtime.storage)["users"]] == [user["id"]]
    history = admin.data(admin.get(f"/api/tickets/{bobs['id']}/history"))
    assert name_of(ADA) in [event["to"] for event in history]


def test_an_erased_address_is_removed_from_other_events(admin, runtime):
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
def test_events_of_deleted_tickets_lose_the_erased_customer(admin, runtime, person):
    customer = Caller(admin.client, admin.key, {"X-On-Behalf-Of": name_of(person).encode().decode("latin-1")})
    ticket = customer.data(customer.post("/api/tickets", {"title": "Canary", "description": "Canary"}), 201)
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    created = [event for event in everything(runtime.storage)["events"] if event["action"] == "created"]
    assert [event["actor"].lower() for event in created] != ["customer"]
    admin.data(admin.delete(path_of(person)))
    remaining = [event for event in everything(runtime.storage)["events"] if event["action"] == "created"]
    assert [(event["actor"], event["address"]) for event in remaining] == [("customer", "")]
    assert rows_with(runtime, "canary", 'ca\\"nary') == []


def test_a_customer_id_equal_to_a_key_name_leaves_events_of_the_key(admin):
    bobs = admin.ticket(**OTHER)
    admin.ticket(customer_email="", customer_id="API_KEY")
    admin.data(admin.delete("/api/customers/API_KEY"))
    assert {event["actor"] for event in admin.data(admin.get(f"/api/tickets/{bobs['id']}/history"))} == {"API_KEY"}


def test_waiting_mail_of_an_erased_customer_is_not_sent(admin, runtime, mailer, run_jobs):
    ids = create_data(admin, ADA)
    other_ids = create_data(admin, OTHER, mark="other")
    mailed_ids = {job["ticket_id"] for job in everything(runtime.storage)["jobs"] if job["lane"] == "mail"}
    assert mailed_ids == {*ids, *other_ids}
    admin.data(admin.delete(path_of(ADA)))
    assert {job["ticket_id"] for job in everything(runtime.storage)["jobs"]} == {*other_ids, None}
    run_jobs()
    assert mailer.sent
    assert name_of(ADA) not in str([str(notice) for notice in mailer.sent])
    assert "Ada Canary" not in str([str(notice) for notice in mailer.sent])


def test_a_pending_answer_is_dropped_after_an_erasure(open_app):
    with FakeModel() as fake:
        app = open_app(model=open_model("sk-test", fake.url, "test-model", 2.0))
        admin = Caller(app.test_client(), "admin-key")
        ticket = admin.ticket(**ADA)
        admin.data(admin.delete(path_of(ADA)))
        app.extensions["runtime"].runner.run_due()
        assert fake.count == 0
    now = admin.data(admin.get(f"/api/tickets/{ticket['id']}"))
    assert (ticket["ai_status"], now["ai_status"], now["ai_response"]) == ("pending", "off", "")


@PEOPLE
def test_the_data_export_of_a_customer_is_complete(admin, runtime, other_admin, person):
    ids = create_data(admin, person)
    create_data(admin, OTHER, mark="other")
    other_admin.ticket(title="Elsewhere", **{"customer_email": "", **person})
    export = admin.data(admin.get(path_of(person, "/export")))
    assert export["customer"] == admin.data(admin.get(path_of(person)))
    assert [ticket["id"] for ticket in export["tickets"]] == ids
    for ticket in export["tickets"]:
        path = f"/api/tickets/{ticket['id']}"
        assert ticket.pop("replies") == admin.data(admin.get(f"{path}/replies"))
        assert ticket.pop("history") == admin.data(admin.get(f"{path}/history"))
        shown = admin.data(admin.get(path))
        assert (shown.pop("links"), shown.pop("watchers")) == ([], [])  # they are about others
        assert ticket == shown
    assert {notice["ticket_id"] for notice in export["notices"]} <= set(ids)
    assert bool(export["notices"])
    text = str(export)
    assert "Bob" not in text
    assert "Elsewhere" not in text


def test_the_data_export_holds_account_and_events_without_secrets(app, admin, runtime):
    password = "correct horse battery"
    person = {"name": "Ada", "email": name_of(ADA), "role": "customer", "password": password}
    user = admin.data(admin.post("/api/users", person), 201)
    client = Caller(app.test_client())
    signed_in = client.data(client.post("/api/auth/login", {"email": name_of(ADA), "password": password}))
    admin.ticket(**ADA)
    export = admin.data(admin.get(path_of(ADA, "/export")))
    assert export["account"] == user
    assert "signed_in" in {event["action"] for event in export["events"]}
    rows = everything(runtime.storage)
    secrets = [row["password_hash"] for row in rows["users"]] + [row["key_hash"] for row in rows["api_keys"]]
    secrets += [admin.key, password, signed_in["access_token"], signed_in["refresh_token"], rows["sessions"][0]["id"]]
    assert not [secret for secret in secrets if secret in str(export)]


def test_only_admins_can_export_or_erase_a_customer(app, runtime, admin, agent, customer):
    create_data(admin, ADA)
    narrow = Caller(app.test_client(), add_key(runtime, "admin", scopes=["customers.read"]))
    for caller in (agent, customer, narrow):
        assert caller.get(path_of(ADA, "/export")).status_code == 403
        assert caller.delete(path_of(ADA)).status_code == 403
    assert admin.data(admin.get(path_of(ADA)))["total_tickets"] == 2


def test_a_person_without_tickets_can_be_erased(admin, runtime):
    ticket = admin.ticket(**ADA)
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    assert admin.data(admin.delete(path_of(ADA))) == {"erased": True, "tickets": 0}
    assert rows_with(runtime, "canary") == []
    assert tables.customers.name in everything(runtime.storage)
