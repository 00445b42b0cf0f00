"""Emptying fields, and tickets sent back whole: what may be cleared, what is read-only, what is as it was."""

import pytest

from core import models
from services.tickets.changes import CLEARABLE


def errors_of(response):
    assert response.status_code == 400, response.get_data(as_text=True)
    return {error["field"]: error["message"] for error in response.json["data"]["errors"]}


def path_of(ticket):
    return f"/api/tickets/{ticket['id']}"


SET = {"product": "Lamp", "tags": ["vip"], "customer_name": "Ada", "external_id": "x-1", "assigned_to": "bob"}


def test_every_field_that_can_be_cleared_has_its_test():
    # test_snooze.py clears snoozed_until.
    assert {*SET, "snoozed_until"} == set(CLEARABLE)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("field", SET)
def test_a_field_is_cleared_by_name(admin, method, field):
    ticket = admin.ticket(**SET)
    cleared = admin.data(admin.call(method, path_of(ticket), {"clear": [field]}))
    assert cleared[field] == ([] if field == "tags" else "")
    assert {name: cleared[name] for name in SET if name != field} == {name: SET[name] for name in SET if name != field}
    assert cleared["version"] == ticket["version"] + 1
    if field == "assigned_to":
        assert (cleared["status"], "assigned_at" in cleared) == ("new", False)


def test_all_fields_are_cleared_in_one_change(admin):
    ticket = admin.ticket(**SET)
    cleared = admin.data(admin.put(path_of(ticket), {"clear": list(SET)}))
    assert [cleared[name] for name in SET] == ["", [], "", "", ""]
    assert cleared["version"] == ticket["version"] + 1


@pytest.mark.parametrize("field", SET)
def test_a_field_both_given_and_cleared_is_400(admin, field):
    ticket = admin.ticket(**SET)
    assert set(errors_of(admin.put(path_of(ticket), {"clear": [field], field: SET[field], "title": "New"}))) == {field}
    assert admin.data(admin.get(path_of(ticket))) == ticket


@pytest.mark.parametrize("field", ["title", "status", "id", "company_id", "resolution", "nonsense", 7, ["product"]])
def test_what_cannot_be_cleared_is_400_and_lists_what_can(admin, field):
    ticket = admin.ticket()
    (message,) = errors_of(admin.put(path_of(ticket), {"clear": [field]})).values()
    assert all(name in message for name in CLEARABLE)
    assert admin.data(admin.get(path_of(ticket))) == ticket


def test_an_empty_list_empties_a_list(admin):
    ticket = admin.ticket(tags=["vip"])
    assert admin.data(admin.put(path_of(ticket), {"tags": []}))["tags"] == []


def test_a_ticket_sent_back_whole_changes_nothing(admin):
    for ticket in (admin.ticket(), admin.ticket(**SET)):
        assert admin.data(admin.put(path_of(ticket), ticket)) == ticket
        assert admin.data(admin.call("PATCH", path_of(ticket), ticket)) == ticket


@pytest.mark.parametrize(
    "change",
    [
        {"title": "New"},
        {"tags": ["a", "b"]},
        {"priority": "urgent"},
        {"product": "Lamp"},
        {"assigned_to": "bob"},
        {"status": "in_progress"},
        {"status": "resolved", "resolution": "Done."},
    ],
)
def test_a_ticket_sent_back_whole_with_one_change_makes_that_change(admin, change):
    ticket = admin.ticket()
    changed = admin.data(admin.put(path_of(ticket), {**ticket, **change}))
    assert {name: changed[name] for name in change} == change
    assert changed["version"] == ticket["version"] + 1
    # The moves themselves have their say: whoever is given a ticket has it assigned.
    assert changed["status"] == change.get("status", "assigned" if "assigned_to" in change else "ai_responded")


def test_a_resolved_ticket_sent_back_whole_keeps_its_resolution(admin):
    ticket = admin.ticket()
    resolved = admin.data(admin.post(f"{path_of(ticket)}/resolve", {"resolution": "Done."}))
    changed = admin.data(admin.put(path_of(ticket), {**resolved, "tags": ["late"]}))
    assert (changed["status"], changed["resolution"], changed["tags"]) == ("resolved", "Done.", ["late"])
    closed = admin.data(admin.put(path_of(ticket), {**changed, "status": "closed"}))
    assert (closed["status"], closed["resolution"], closed["resolved_at"]) == (
        "closed",
        "Done.",
        resolved["resolved_at"],
    )


READ_ONLY = {
    "id": "x",
    "incident_id": "x",
    "number": 99,
    "customer_email": "eve@example.com",
    "email": "eve@example.com",
    "customer_id": "eve",
    "source": "web",
    "priority_score": 1,
    "topic": "x",
    "topic_confidence": 0.5,
    "assigned_at": "2026-01-01T00:00:00.000Z",
    "ai_response": "x",
    "ai_source": "human",
    "ai_status": "off",
    "ai_confidence": 0.1,
    "ai_citations": ["x"],
    "triage_source": "model",
    "triage_reasons": [],
    "next_action": "x",
    "first_response_at": "2026-01-01T00:00:00.000Z",
    "first_response_due_at": "2026-01-01T00:00:00.000Z",
    "resolve_due_at": "2026-01-01T00:00:00.000Z",
    "sla_status": "x",
    "merged_into": "x",
    "links": [{"ticket_id": "x", "number": 1, "kind": "related"}],
    "watchers": ["eve@example.com"],
    "snoozed_until": "2026-01-01T00:00:00.000Z",
    "resolved_at": "2026-01-01T00:00:00.000Z",
    "closed_at": "2026-01-01T00:00:00.000Z",
    "csat_score": 5,
    "expected_resolution_seconds": 5,
    "expected_resolution_seconds_low": 5,
    "expected_resolution_seconds_high": 5,
    "created_at": "2026-01-01T00:00:00.000Z",
    "updated_at": "2026-01-01T00:00:00.000Z",
}


def test_a_changed_read_only_field_is_400(admin):
    ticket = admin.ticket()
    for field, value in READ_ONLY.items():
        response = admin.put(path_of(ticket), {"title": "New", field: value})
        ((name, message),) = errors_of(response).items()
        assert name == ("customer_email" if field == "email" else field)
        assert response.json["data"]["code"] == "read_only"
        assert "read_only" in message
    assert admin.data(admin.get(path_of(ticket))) == ticket


def test_every_field_of_a_ticket_is_either_written_or_read_only():
    written = {*models.TICKET_FIELDS} - set(READ_ONLY)
    assert written == {
        *("title description product tags status category priority urgency sentiment assigned_team".split()),
        *("assigned_to resolution customer_name customer_tier external_id version".split()),
    }
