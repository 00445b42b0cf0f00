"""The feed of events over HTTP: order, cursor, ETag, and what customers and strangers see of it (case 8)."""

import uuid

import pytest

from core.models import STAFF_ONLY_FIELDS, Actor
from database.tables import events
from services.history import Change, record
from services.tickets import changes


def feed(caller, **query):
    return caller.data(caller.get("/api/events", query_string=query))


def story(admin):
    """A ticket with a note, a reply, an assignment and a resolution."""
    ticket = admin.ticket()
    path = f"/api/tickets/{ticket['id']}"
    admin.data(admin.post(f"{path}/replies", {"body": "Between us.", "internal": True}), 201)
    admin.data(admin.post(f"{path}/assign", {"agent_email": "bob@example.com"}))
    admin.data(admin.post(f"{path}/replies", {"body": "Please try again."}), 201)
    admin.data(admin.put(path, {"priority": "high"}))
    admin.data(admin.post(f"{path}/resolve", {"resolution": "Done."}))
    return ticket


STAFF = "created replied assigned replied updated resolved".split()


@pytest.mark.every_engine
def test_the_feed_has_every_event_once_oldest_first_whatever_the_limit(admin):
    tickets = [story(admin), story(admin)]
    whole = feed(admin, limit=200)
    assert [event["event"] for event in whole] == [f"ticket.{name}" for name in STAFF * 2]
    assert [event["ticket_id"] for event in whole] == [ticket["id"] for ticket in tickets for _ in STAFF]
    for limit in (1, 5):
        page, after = [], ""
        while rows := feed(admin, after=after, limit=limit):
            assert len(rows) <= limit
            page += rows
            after = rows[-1]["id"]
        assert page == whole
    assert feed(admin, after=whole[3]["id"].upper()) == whole[4:]
    assert feed(admin, after=whole[3]["created_at"]) == whole[4:]


def test_the_ticket_is_as_it_is_now_and_the_reply_as_it_was_written(admin):
    ticket = story(admin)
    rows = feed(admin)
    (now,) = [one for one in admin.data(admin.get("/api/tickets")) if one["id"] == ticket["id"]]
    assert {event["event"] for event in rows if event["ticket"] != now} == set()
    note, reply = (event for event in rows if event["event"] == "ticket.replied")
    assert (note["internal"], note["reply"]["body"]) == (True, "Between us.")
    assert (reply["internal"], reply["reply"]["body"]) == (False, "Please try again.")


def test_case_8_a_customer_sees_events_of_own_tickets_without_notes_and_what_only_staff_knows(admin, customer, runtime):
    ticket = story(admin)
    other = admin.ticket(customer_email="eve@example.com")
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        record(uow, ticket["id"], [Change("sla_breached", "resolve_due_at", "", uow.now)])
        record(uow, "incident", [Change("opened")], subject="incident")
        changes.write(uow, changes.get_for_update(uow, ticket["id"]), {"topic": "plans"}, "updated")
    seen = feed(customer)
    told = "created assigned replied updated resolved".split()
    assert [event["event"] for event in seen] == [f"ticket.{name}" for name in told]
    staff = {event["id"]: event for event in feed(admin)}
    assert {staff[event["id"]]["event"] for event in seen} == {event["event"] for event in seen}
    for event in seen:
        assert set(event["ticket"]).isdisjoint(STAFF_ONLY_FIELDS)
        assert set(event) <= {"id", "event", "created_at", "ticket_id", "ticket", "reply"}
        assert set(event.get("reply", {})).isdisjoint({"author_email", "internal"})
    text = customer.get("/api/events").get_data(as_text=True)
    for word in ("Between us.", "bob@example.com", "eve@example.com", other["id"], "plans"):
        assert word not in text
    assert {event["event"] for event in staff.values()} >= {"sla.breached", "incident.opened"}


def test_case_8_a_customer_who_names_an_event_of_another_one_goes_on_from_its_time(admin, customer, stranger):
    admin.ticket(customer_email="eve@example.com")
    foreign = feed(admin)[-1]["id"]
    mine = customer.ticket()
    assert [event["ticket_id"] for event in feed(customer, after=foreign)] == [mine["id"]]
    assert feed(stranger, after=foreign) == []


@pytest.mark.parametrize("after", ["x", "0", str(uuid.UUID(int=4 << 76)), "yesterday"])
def test_what_is_no_event_and_no_time_is_refused(admin, after):
    refused = admin.get("/api/events", query_string={"after": after})
    assert refused.json["data"]["errors"] == [
        {"field": "after", "message": "after must be the id of an event that you were sent, or a time."}
    ]


@pytest.mark.every_engine
def test_without_news_the_answer_is_304_and_with_news_it_is_not(admin, customer):
    for caller in (admin, customer):
        ticket = customer.ticket()
        last = feed(caller, limit=200)[-1]["id"]
        path = f"/api/events?after={last}"
        tag = caller.get(path).headers["ETag"]
        headers = {"X-API-Key": caller.key, "If-None-Match": tag, **caller.headers}
        unchanged = caller.client.get(path, headers=headers)
        assert (unchanged.status_code, unchanged.data) == (304, b"")
        customer.post(f"/api/tickets/{ticket['id']}/replies", {"body": "Any news?"})
        changed = caller.client.get(path, headers=headers)
        assert changed.status_code == 200
        assert [event["event"] for event in changed.json["data"]] == ["ticket.replied"]


def test_a_long_write_and_many_rows_without_news_are_read_in_portions(admin, runtime, monkeypatch):
    from services.events import feed as service

    monkeypatch.setattr(service, "BATCH", 7)
    ids = [admin.ticket()["id"] for _ in range(5)]
    with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        for id_ in ids:  # one write with more rows than are read at once
            ticket = changes.get_for_update(uow, id_)
            changes.write(uow, ticket, {"product": "x", "external_id": id_, "title": "y"}, "updated")
    for _ in range(20):
        with runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
            record(uow, ids[0], [Change("not_mailed", "resolved", "", "full")])
    admin.post(f"/api/tickets/{ids[0]}/resolve", {"resolution": "Done."})
    rows = feed(admin, limit=200)
    assert [event["event"] for event in rows] == ["ticket.created"] * 5 + ["ticket.updated"] * 5 + ["ticket.resolved"]
    assert feed(admin, after=rows[6]["id"], limit=3) == rows[7:10]


def test_events_of_a_deleted_ticket_are_gone_and_those_of_an_erased_customer_name_nobody(admin, runtime):
    deleted, erased = story(admin), story(admin)
    admin.delete(f"/api/tickets/{deleted['id']}")
    before = [event["id"] for event in feed(admin) if event["ticket_id"] == erased["id"]]
    admin.data(admin.delete("/api/customers/ada@example.com"))
    rows = feed(admin)
    assert {event["ticket_id"] for event in rows} == {erased["id"]}
    assert "ada@example.com" not in str(rows)
    assert "Please try again." not in str(rows)
    assert [event["id"] for event in rows][: len(before)] == before


def test_the_rows_of_one_write_never_lie_on_both_sides_of_a_cursor(admin, runtime):
    """Order stamps of a company are given and committed in one order, so nothing appears behind a cursor."""
    story(admin)
    with runtime.storage.unit_of_work(None) as uow:
        stamps = [row["created_at"] for row in uow.find(uow.query(events).where(events.c.subject == "ticket"))]
    ids = [event["id"] for event in feed(admin)]
    assert len(set(stamps)) == len(ids) == len(STAFF)
