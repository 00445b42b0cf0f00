"""The audit: every change with actor, address, before and after, for admins of the company only."""

from datetime import UTC, datetime, timedelta

import pytest

from core.models import AUDIT_FIELDS
from services.audit import SUBJECTS
from tests.conftest import FILES, add_key
from tests.support.caller import Caller
from tests.support.noted_statements import noted
from tests.support.rows import everything

PASSWORD = "correct horse battery"


def told(caller, query=""):
    return caller.data(caller.get(f"/api/audit?{query}"))


def changes(caller, subject_id):
    """What happened to a thing, oldest first."""
    found = told(caller, f"limit=200&subject_id={subject_id}")[::-1]
    return [(event["action"], event["field"], event["from"], event["to"]) for event in found]


def test_every_change_of_a_ticket_is_recorded_with_before_and_after(admin):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    plain = {
        "title": "New title",
        "description": "New words",
        "product": "Editor",
        "tags": ["a", "b"],
        "category": "billing",
        "priority": "urgent",
        "urgency": 4.5,
        "sentiment": "negative",
        "assigned_team": "customer_success",
        "customer_name": "Ada L",
        "customer_tier": "premium",
        "external_id": "x-1",
    }
    changed = admin.data(admin.put(path, plain))
    seen = {
        field: (before, after) for action, field, before, after in changes(admin, ticket["id"]) if action == "updated"
    }
    assert set(seen) == set(plain)
    for name in plain:
        before, after = (", ".join(v) if isinstance(v, list) else str(v) for v in (ticket[name], changed[name]))
        assert seen[name] == (before, after), name


def test_every_transition_of_a_ticket_is_recorded_with_before_and_after(admin):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    reply = admin.data(admin.post(f"{path}/replies", {"body": "Hello"}), 201)
    note = admin.data(admin.post(f"{path}/replies", {"body": "Hm", "internal": True}), 201)
    admin.data(admin.post(f"{path}/assign", {"agent_email": "bob"}))
    admin.data(admin.post(f"{path}/unassign", {}))
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    admin.data(admin.put(path, {"status": "closed"}))
    admin.data(admin.post(f"{path}/reopen", {}))
    admin.data(admin.delete(path))
    seen = changes(admin, ticket["id"])
    moves = [(action, field) for action, field, _, _ in seen]
    expected = [
        ("created", ""),
        ("replied", "replies"),
        ("note_added", "replies"),
        ("assigned", "assigned_to"),
        ("unassigned", "assigned_to"),
        ("resolved", "status"),
        ("closed", "status"),
        ("reopened", "status"),
        ("deleted", "number"),
    ]
    assert [move for move in expected if move not in moves] == []
    assert seen[-1] == ("deleted", "number", str(ticket["number"]), "")
    assert {reply["id"], note["id"]}.isdisjoint({after for _, _, _, after in seen}), (
        "what was written goes with the ticket"
    )


def test_the_events_of_a_deleted_ticket_keep_before_and_after(admin):
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.post(f"{path}/assign", {"agent_email": "bob"}))
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    seen = changes(admin, ticket["id"])
    for change in [
        ("assigned", "status", ticket["status"], "assigned"),
        ("assigned", "assigned_to", "", "bob"),
        ("resolved", "status", "assigned", "resolved"),
        ("resolved", "resolution", "", "Done."),
    ]:
        assert change in seen


def test_settings_users_keys_and_sign_ins_are_recorded(app, admin):
    admin.data(admin.put("/api/settings", {"ai_enabled": False, "retention_days": 30}))
    settings = [(e["field"], e["from"], e["to"]) for e in told(admin, "subject=settings")]
    assert sorted(settings) == [("ai_enabled", "true", "false"), ("retention_days", "0", "30")]
    person = {"name": "Bob", "email": "bob@example.com", "role": "agent", "password": PASSWORD}
    user = admin.data(admin.post("/api/users", person), 201)
    admin.data(admin.call("PATCH", f"/api/users/{user['id']}", {"role": "admin"}))
    caller = Caller(app.test_client())
    caller.data(caller.post("/api/auth/login", {"email": person["email"], "password": PASSWORD}))
    seen = changes(admin, user["id"])
    assert seen[:2] == [("user_created", "role", "", "agent"), ("user_changed", "role", "agent", "admin")]
    assert seen[-1][0] == "signed_in"
    key = admin.data(admin.post("/api/keys", {"name": "k", "role": "agent", "scopes": []}), 201)
    admin.data(admin.delete(f"/api/keys/{key['id']}"))
    assert [action for action, *_ in changes(admin, key["id"])] == ["key_created", "key_revoked"]


def test_each_event_has_actor_and_address(app, runtime, admin):
    agent = Caller(app.test_client(), add_key(runtime, "agent"))
    ticket = admin.ticket()
    more = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    body = {"agent_email": "bob", "user": "bob@example.com", "action": "took it"}
    agent.data(agent.post(f"/api/tickets/{ticket['id']}/assign", body, **more))
    newest = told(admin, "limit=1")[0]
    assert (newest["actor"], newest["said_by"], newest["address"]) == (
        "agent key",
        "bob@example.com (took it)",
        "192.0.2.7",
    )
    assert list(newest) == AUDIT_FIELDS
    assert (newest["subject"], newest["subject_id"]) == ("ticket", ticket["id"])


def test_events_are_paged_newest_first_without_gaps(admin):
    for number in range(4):
        admin.ticket(title=f"Ticket {number}")
    everything_told = told(admin, "limit=200")
    times = [(event["created_at"], event["id"]) for event in everything_told]
    assert times == sorted(times, reverse=True)
    pages = [admin.get(f"/api/audit?limit=3&offset={offset}") for offset in range(0, len(times) + 3, 3)]
    assert {page.json["total"] for page in pages} == {len(times)}
    assert [event for page in pages for event in page.json["data"]] == everything_told
    assert (pages[1].json["limit"], pages[1].json["offset"]) == (3, 3)


def test_filters_can_be_combined(app, runtime, admin):
    agent = Caller(app.test_client(), add_key(runtime, "agent"))
    ticket = admin.ticket()
    agent.data(agent.post(f"/api/tickets/{ticket['id']}/assign", {"agent_email": "bob", "user": "bob"}))
    admin.data(admin.put("/api/settings", {"ai_enabled": False}))
    whole = told(admin, "limit=200")
    for name, value in [
        ("subject", "ticket"),
        ("subject", "settings"),
        ("subject_id", ticket["id"]),
        ("action", "assigned"),
        ("actor", "agent key"),
        ("said_by", "bob"),
    ]:
        wanted = [event for event in whole if event[name] == value]
        assert wanted
        assert told(admin, f"limit=200&{name}={value}") == wanted
    assert told(admin, "subject=ticket&actor=agent key&action=assigned&said_by=nobody") == []
    assert admin.get("/api/audit?subject=ticket&actor=agent key").json["total"] == len(
        [event for event in whole if event["actor"] == "agent key"]
    )


def test_times_are_strict_at_both_ends(open_app):
    present = [datetime(2026, 1, 31, 8, tzinfo=UTC)]
    admin = Caller(open_app(clock=lambda: present[0]).test_client(), "admin-key")
    moments = []
    for _ in range(3):
        present[0] += timedelta(hours=1)
        moments.append(admin.ticket()["created_at"])

    def found(query):
        return sorted({event["created_at"] for event in told(admin, query)})

    assert found(f"created_after={moments[0]}") == moments[1:]
    assert found(f"created_before={moments[2]}") == moments[:2]
    assert found(f"created_after={moments[0]}&created_before={moments[2]}") == [moments[1]]


@pytest.mark.parametrize(
    "query",
    [
        "subject=cheese",
        "created_after=yesterday",
        "limit=0",
        "limit=201",
        "offset=-1",
        "nobody=1",
        "actor=" + "x" * 255,
        "subject_id=%00",
    ],
)
def test_what_is_not_known_is_refused(admin, query):
    assert admin.get(f"/api/audit?{query}").status_code == 400


def test_sql_in_a_filter_is_text(admin):
    admin.ticket()
    for value in ("' OR 1=1 --", "%", "_", "ticket' UNION SELECT 1", '"'):
        for name in ("actor", "action", "subject_id", "said_by"):
            assert admin.get("/api/audit", query_string={name: value}).json["total"] == 0


def test_only_admins_read_the_audit_of_their_company(app, runtime, admin, agent, customer, other_admin):
    admin.ticket(title="CANARY of the first")
    there = other_admin.ticket(title="CANARY of the other")
    for caller in (agent, customer):
        assert caller.get("/api/audit").status_code == 403
    narrow = Caller(app.test_client(), add_key(runtime, "admin", scopes=["tickets.read"]))
    assert narrow.get("/api/audit").status_code == 403
    allowed = Caller(app.test_client(), add_key(runtime, "admin", scopes=["audit.read", "x"]))
    assert allowed.get("/api/audit").status_code == 200
    assert admin.get(f"/api/audit?subject_id={there['id']}").json["total"] == 0
    assert there["id"] not in admin.get("/api/audit?limit=200").get_data(as_text=True)
    assert {event["subject_id"] for event in told(other_admin)} == {there["id"]}


def test_it_holds_no_secret(app, admin, runtime):
    person = {"name": "Bob", "email": "bob@example.com", "role": "admin", "password": PASSWORD}
    admin.data(admin.post("/api/users", person), 201)
    caller = Caller(app.test_client())
    signed_in = caller.data(caller.post("/api/auth/login", {"email": person["email"], "password": PASSWORD}))
    key = admin.data(admin.post("/api/keys", {"name": "k", "role": "agent", "scopes": []}), 201)
    rotated = admin.data(admin.post(f"/api/keys/{key['id']}/rotate"), 201)
    rows = everything(runtime.storage)
    secrets = [row["password_hash"] for row in rows["users"]] + [row["key_hash"] for row in rows["api_keys"]]
    secrets += [key["key"], rotated["key"], admin.key, PASSWORD, signed_in["access_token"], signed_in["refresh_token"]]
    text = admin.get("/api/audit?limit=200").get_data(as_text=True)
    assert len(text) > 500
    assert [secret for secret in secrets if secret in text] == []


def test_reading_writes_nothing(admin, runtime):
    admin.ticket()
    told(admin)
    before = everything(runtime.storage)
    for subject in SUBJECTS:
        told(admin, f"subject={subject}")
    assert everything(runtime.storage) == before


@pytest.mark.parametrize("engine", FILES)
def test_a_page_reads_an_index(admin, runtime):
    admin.ticket()
    with noted() as asked:
        told(admin, "created_after=2020-01-01&limit=10&offset=0")
    plans = []
    with runtime.storage._engine._engine.connect() as connection:
        for statement, parameters in asked:
            if "FROM events" in statement:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                plans.append(" / ".join(row[-1] for row in plan))
    assert len(plans) == 2
    for plan in plans:
        assert "ix_events_company (company_id=? AND created_at>?)" in plan, plan
        assert "TEMP B-TREE" not in plan, plan
