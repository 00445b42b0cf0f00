"""Which events follow from rows of the history, and their ids."""

import uuid

import pytest

from core.models import EVENTS
from services.events import happenings

AT, LATER = "2026-03-01T08:00:00.000Z", "2026-03-01T08:00:00.001Z"


def row(action, field="", before="", after="", *, subject="ticket", subject_id="t1", at=AT):
    values = {"action": action, "field": field, "from_value": before, "to_value": after}
    return {**values, "subject": subject, "subject_id": subject_id, "created_at": at}


def names(rows, **more):
    return [one.event for one in happenings.derive(rows, **more)]


# What a write records -> the events that staff is told, and those that customers are told.
WRITES = {
    "a new ticket with its first answer": (
        [row("created"), row("ai_answered", "status", "new", "ai_responded")],
        ["ticket.created"],
        ["ticket.created"],
    ),
    "an import": ([row("imported"), row("ai_answered", "status", "new", "ai_responded")][:1], [], []),
    "two fields": (
        [row("updated", "title", "a", "b"), row("updated", "priority", "low", "high")],
        ["ticket.updated"],
        ["ticket.updated"],
    ),
    "a field that only staff sees": ([row("updated", "topic", "", "delivery")], ["ticket.updated"], []),
    "assigned": (
        [row("assigned", "status", "new", "assigned"), row("assigned", "assigned_to", "", "bob")],
        ["ticket.assigned"],
        ["ticket.assigned"],
    ),
    "unassigned": (
        [row("unassigned", "status", "assigned", "new"), row("unassigned", "assigned_to", "bob", "")],
        ["ticket.updated"],
        ["ticket.updated"],
    ),
    "an agent's reply": (
        [row("replied", "status", "new", "waiting_customer"), row("replied", "replies", "", "r1")],
        ["ticket.replied"],
        ["ticket.replied"],
    ),
    "a customer's reply to a resolved ticket": (
        [row("replied", "status", "resolved", "in_progress"), row("replied", "replies", "", "r1")],
        ["ticket.reopened", "ticket.replied"],
        ["ticket.reopened", "ticket.replied"],
    ),
    "a note": ([row("note_added", "replies", "", "r1")], ["ticket.replied"], []),
    "resolved": (
        [row("resolved", "status", "assigned", "resolved"), row("resolved", "resolution", "", "Done.")],
        ["ticket.resolved"],
        ["ticket.resolved"],
    ),
    "a field and the resolution in one call": (
        [row("updated", "product", "", "x"), row("resolved", "status", "assigned", "resolved")],
        ["ticket.updated", "ticket.resolved"],
        ["ticket.updated", "ticket.resolved"],
    ),
    "closed": ([row("closed", "status", "resolved", "closed")], ["ticket.closed"], ["ticket.closed"]),
    "reopened": ([row("reopened", "status", "closed", "new")], ["ticket.reopened"], ["ticket.reopened"]),
    "handed over": (
        [
            row("handed_over", "status", "new", "handoff"),
            row("handed_over", "assigned_to", "", "bob"),
            row("handed_over", "next_action", "", "Answer."),
            row("handed_over", "escalation_reason", "", "asked"),
        ],
        ["ticket.assigned", "ticket.handoff"],
        ["ticket.handoff"],
    ),
    "a status set by hand": ([row("started", "status", "assigned", "in_progress")], *[["ticket.updated"]] * 2),
    "an answer of the AI": ([row("ai_answered", "status", "new", "ai_responded")], *[["ticket.updated"]] * 2),
    "undone": ([row("undone", "status", "resolved", "assigned")], *[["ticket.reopened"]] * 2),
    "merged": (
        [row("merged", "merged_into", "", "t2"), row("merged", "status", "new", "closed")],
        *[["ticket.merged", "ticket.closed"]] * 2,
    ),
    "a rating": ([row("rated", "csat_score", "", "5")], ["csat.received"], ["csat.received"]),
    "a time at risk": ([row("sla_at_risk", "resolve_due_at", "", AT)], ["sla.at_risk"], []),
    "a time missed": ([row("sla_breached", "resolve_due_at", "", AT)], ["sla.breached"], []),
    "an incident": ([row("opened", subject="incident", subject_id="i1")], ["incident.opened"], []),
    "no news": (
        [row("ai_failed"), row("not_mailed", "resolved", "", "x"), row("follow_up", "number", "1", "2")],
        [],
        [],
    ),
    "another subject": ([row("created", "name", subject="macro"), row("signed_in", subject="user")], [], []),
    "deleted": ([row("deleted", "number", "7")], [], []),
}


@pytest.mark.parametrize("write", WRITES)
def test_the_rows_of_a_write_give_one_event_of_each_name(write):
    rows, staff, customer = WRITES[write]
    assert names(rows) == staff
    assert names(rows, for_customer=True) == customer


def test_every_event_follows_from_some_write():
    assert {event for _, events, _ in WRITES.values() for event in events} == set(EVENTS)


def test_an_event_has_the_same_id_for_staff_and_customers_and_whenever_it_is_derived():
    rows = [row("note_added", "replies", "", "r1"), row("replied", "replies", "", "r2")]
    [staff], [customer] = happenings.derive(rows), happenings.derive(rows, for_customer=True)
    assert staff.id == customer.id == happenings.derive(rows)[0].id
    assert (staff.reply_id, staff.internal, customer.reply_id) == ("r2", False, "r2")


def test_ids_are_uuids_in_the_order_of_the_writes_and_within_a_write_in_that_of_the_events():
    rows = [
        row("closed", "status", "resolved", "closed"),
        row("updated", "title"),
        row("updated", "title", subject_id="t2"),
    ]
    found = happenings.derive([*rows, row("created", at=LATER)])
    ids = [one.id for one in found]
    assert ids == sorted(set(ids))
    assert [one.event for one in found] == ["ticket.updated", "ticket.updated", "ticket.closed", "ticket.created"]
    assert {uuid.UUID(id_).version for id_ in ids} == {7}
    assert [happenings.stamp_of(id_) for id_ in ids] == [AT, AT, AT, LATER]


@pytest.mark.parametrize(
    "text", ["", "x", "0a7d9b5e-6d52-4c9e-9d6c-6a3f6f6f0e11", "ffffffff-ffff-7fff-bfff-ffffffffffff"]
)
def test_what_is_no_id_of_an_event_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        happenings.stamp_of(text)
