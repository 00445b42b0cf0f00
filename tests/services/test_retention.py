"""Retention periods: old tickets and their customers are erased automatically (case 41)."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.handlers import tidy
from services.privacy import erasure
from tests.conftest import add_key
from tests.support.caller import Caller
from tests.support.rows import everything

pytestmark = pytest.mark.every_engine

START = datetime(2026, 1, 31, 8, tzinfo=UTC)


class Clock:
    """A clock that the test sets."""

    def __init__(self):
        self.present = START

    def __call__(self):
        return self.present

    def on_day(self, day):
        self.present = START + timedelta(days=day, hours=1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock)


def resolved(caller, **fields):
    ticket = caller.ticket(**{"description": "CANARY", "customer_name": "Canary", **fields})
    path = f"/api/tickets/{ticket['id']}"
    caller.data(caller.post(f"{path}/replies", {"body": "CANARY"}), 201)
    caller.data(caller.post(f"{path}/resolve", {"resolution": "CANARY"}))
    return ticket["id"]


def description(caller, ticket_id):
    return caller.data(caller.get(f"/api/tickets/{ticket_id}"))["description"]


def keep(caller, days):
    assert caller.data(caller.put("/api/settings", {"retention_days": days}))["retention_days"] == days


def holding(folder, word):
    return [path.name for path in folder.rglob("*") if path.is_file() and word in path.read_bytes()]


def test_without_a_retention_period_nothing_is_erased(admin, runtime, clock):
    assert admin.data(admin.get("/api/settings"))["retention_days"] == 0
    old_id = resolved(admin)
    clock.on_day(3650)
    tidy(runtime)
    assert description(admin, old_id) == "CANARY"


@pytest.mark.one_engine  # refused before the store is asked
@pytest.mark.parametrize("value", [-1, 3651, 0.5, 1.5, "0.5", "a", True, [1], 10**20])
def test_the_period_is_a_whole_number_up_to_ten_years(admin, value):
    answer = admin.put("/api/settings", {"retention_days": value})
    assert (answer.status_code, answer.json["data"]["errors"][0]["field"]) == (400, "retention_days")
    assert admin.data(admin.get("/api/settings"))["retention_days"] == 0


@pytest.mark.parametrize("value", [0, 1, 3650, "30"])
def test_accepted_periods(admin, value):
    assert admin.data(admin.put("/api/settings", {"retention_days": value}))["retention_days"] == int(value)
    events = admin.data(admin.get("/api/audit?subject=settings"))
    assert [(event["field"], event["from"], event["to"]) for event in events] == (
        [("retention_days", "0", str(int(value)))] if int(value) else []
    )


def test_only_data_past_the_period_is_erased_with_its_bytes(admin, runtime, clock, tmp_path):
    keep(admin, 30)
    old_id = resolved(admin)
    open_id = admin.ticket(description="Still open", customer_email="eve@example.com")["id"]
    closed_id = resolved(admin, customer_email="carl@example.com")
    admin.data(admin.put(f"/api/tickets/{closed_id}", {"status": "closed"}))
    clock.on_day(10)
    recent_id = resolved(admin, customer_email="bob@example.com", description="Recent", customer_name="Bob")
    clock.on_day(29)
    tidy(runtime)
    assert description(admin, old_id) == "CANARY"
    clock.on_day(31)
    figures = admin.data(admin.get("/api/stats"))
    tidy(runtime)
    descriptions = [description(admin, ticket) for ticket in (old_id, closed_id, open_id, recent_id)]
    assert descriptions == ["(erased)", "(erased)", "Still open", "Recent"]
    emails = {row["email"] for row in everything(runtime.storage)["customers"]}
    assert emails == {"", "eve@example.com", "bob@example.com"}
    assert admin.data(admin.get("/api/stats")) == figures
    assert holding(tmp_path, b"ada@example.com") == []
    assert holding(tmp_path, b"carl@example.com") == []


def test_a_customer_with_a_newer_ticket_is_kept(admin, runtime, clock):
    keep(admin, 30)
    old_id = resolved(admin)
    clock.on_day(20)
    new_id = resolved(admin, description="New")
    clock.on_day(31)
    tidy(runtime)
    assert [description(admin, ticket) for ticket in (old_id, new_id)] == ["(erased)", "New"]
    assert admin.data(admin.get(f"/api/tickets/{old_id}"))["customer_email"] == ""
    assert admin.data(admin.get("/api/customers/ada@example.com"))["total_tickets"] == 2
    clock.on_day(51)
    tidy(runtime)
    assert admin.get("/api/customers/ada@example.com").status_code == 404


def test_customers_without_tickets_are_erased(admin, customer, runtime, clock):
    keep(admin, 30)
    ticket = customer.data(customer.post("/api/tickets", {"title": "Mine", "description": "Mine"}), 201)
    admin.data(admin.delete(f"/api/tickets/{ticket['id']}"))
    clock.on_day(29)
    tidy(runtime)
    assert admin.get("/api/customers/ada@example.com").status_code == 200
    clock.on_day(31)
    tidy(runtime)
    assert admin.get("/api/customers/ada@example.com").status_code == 404
    assert "ada@example.com" not in str(everything(runtime.storage))


def test_a_changed_ticket_is_not_due(admin, runtime, clock):
    keep(admin, 30)
    old_id = resolved(admin)
    clock.on_day(20)
    admin.data(admin.put(f"/api/tickets/{old_id}", {"priority": "low", "tags": ["looked-at"]}))
    clock.on_day(31)
    tidy(runtime)
    assert description(admin, old_id) == "CANARY"


def test_a_merged_ticket_is_due_with_the_one_it_went_into(admin, runtime, clock):
    keep(admin, 30)
    source, target = (admin.ticket(description="CANARY")["id"] for _ in range(2))
    admin.data(admin.post(f"/api/tickets/{source}/merge", {"into": target}))
    clock.on_day(40)
    tidy(runtime)
    assert description(admin, source) == "CANARY", "its thread goes on in an open ticket"
    admin.data(admin.post(f"/api/tickets/{target}/resolve", {"resolution": "Done."}))
    clock.on_day(75)
    tidy(runtime)
    assert {description(admin, source), description(admin, target)} == {"(erased)"}


def test_the_age_of_an_imported_ticket_counts_from_its_end(admin, runtime, clock):
    keep(admin, 30)
    row = {"description": "CANARY", "customer_email": "ada@example.com", "created_at": "2025-01-01", "status": "closed"}
    ended = {"long ago": "2025-01-02", "recently": "2026-01-30"}
    rows = [{**row, "external_id": name, "closed_at": day} for name, day in ended.items()]
    assert admin.data(admin.post("/api/import", rows))["created"] == 2
    tidy(runtime)
    tickets = admin.data(admin.get("/api/tickets"))
    assert sorted(ticket["description"] for ticket in tickets) == ["(erased)", "CANARY"]
    (ticket,) = [ticket for ticket in tickets if ticket["description"] == "CANARY"]
    assert ticket["external_id"] == "recently"


def test_retention_is_recorded_once_with_counts(admin, runtime, clock):
    keep(admin, 1)
    for number in range(3):
        resolved(admin, customer_email=f"c{number}@example.com")
    clock.on_day(2)
    tidy(runtime)
    events = admin.data(admin.get("/api/audit?action=retention_applied"))
    assert {(event["actor"], event["field"], event["to"]) for event in events} == {
        ("system", "tickets", "3"),
        ("system", "customers", "3"),
    }
    before = everything(runtime.storage)
    tidy(runtime)
    assert everything(runtime.storage) == before


def test_retention_works_in_small_batches(admin, runtime, clock, monkeypatch):
    monkeypatch.setattr(erasure, "BATCH", 2)
    keep(admin, 1)
    for number in range(5):
        resolved(admin, customer_email=f"c{number % 3}@example.com")
    clock.on_day(2)
    tidy(runtime)
    rows = everything(runtime.storage)
    assert {row["description"] for row in rows["tickets"]} == {"(erased)"}
    assert {row["email"] for row in rows["customers"]} == {""}
    assert len({row["erased_at"] for row in rows["tickets"]}) == 3, "each unit of work has its own time"
    assert {row["state"] for row in rows["jobs"] if row["lane"] == "upkeep"} == {"done"}


def test_each_company_has_its_own_retention_period(app, admin, runtime, clock):
    other_admin = Caller(app.test_client(), add_key(runtime, "admin", company="other"))
    keep(other_admin, 1)
    own_id, other_id = resolved(admin), resolved(other_admin)
    clock.on_day(2)
    tidy(runtime)
    assert description(admin, own_id) == "CANARY"
    assert description(other_admin, other_id) == "(erased)"
    assert admin.get("/api/audit?action=retention_applied").json["total"] == 0
    assert other_admin.get("/api/audit?action=retention_applied").json["total"] == 2


def test_the_history_of_an_erased_ticket_keeps_actions_without_texts(admin, runtime, clock):
    keep(admin, 1)
    old_id = resolved(admin)
    clock.on_day(2)
    tidy(runtime)
    history = admin.data(admin.get(f"/api/tickets/{old_id}/history"))
    assert {event["action"] for event in history} >= {"created", "replied", "resolved"}
    assert "CANARY" not in str(history)
    assert ("status", "resolved") in {(event["field"], event["to"]) for event in history}


def test_retention_does_not_delete_accounts(app, admin, runtime, clock):
    person = {"name": "Ada", "email": "ada@example.com", "role": "customer", "password": "correct horse battery"}
    admin.data(admin.post("/api/users", person), 201)
    keep(admin, 1)
    resolved(admin)
    clock.on_day(2)
    tidy(runtime)
    signing_in = {"email": person["email"], "password": person["password"]}
    ada = Caller(app.test_client())
    token = ada.data(ada.post("/api/auth/login", signing_in))["access_token"]
    signed_in = Caller(app.test_client(), headers={"Authorization": f"Bearer {token}"})
    assert signed_in.get("/api/tickets").json["total"] == 0
