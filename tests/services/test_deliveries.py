"""Deliveries: the order, the tries, what ends them, and what an erasure takes with it. Receivers are real HTTP servers."""

import os
import random
import threading
from collections import Counter, defaultdict

import pytest

from core.models import LAST_MESSAGE_FIELDS, Actor
from database.tables import deliveries
from jobs.handlers import tidy
from services.history import Change, record
from services.tickets import changes
from services.webhooks.deliveries import DELAYS_SECONDS
from tests.conftest import OTHER_COMPANY, add_key
from tests.fakes.webhook_receiver import Receiver, resets
from tests.support.caller import Caller
from tests.support.clock import Clock

FAILS = (500, 503, 404, 301)


class Desk:
    """A server with a clock of its own, its admin, and a webhook for every event at `receiver`."""

    def __init__(self, app, clock, receiver, **fields):
        self.clock, self.receiver, self.runtime = clock, receiver, app.extensions["runtime"]
        self.client = app.test_client()
        self.admin = Caller(self.client, "admin-key")
        body = {"url": receiver.url, "events": "*", **fields}
        self.hook = self.admin.data(self.admin.post("/api/webhooks", body), 201)["id"]

    def send(self):
        """Sends what is due, until nothing more is."""
        while self.runtime.webhooks.run_due():
            pass

    def log(self, **query):
        return self.admin.get(f"/api/webhooks/{self.hook}/deliveries", query_string=query).json["data"]

    def resolve(self, ticket):
        self.admin.data(self.admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))


@pytest.fixture
def receiver():
    with Receiver() as one:
        yield one


@pytest.fixture
def desk(open_app, receiver):
    clock = Clock()
    return Desk(open_app(webhook_allow_hosts="127.0.0.1", clock=clock), clock, receiver)


@pytest.mark.every_engine
def test_case_21_tries_follow_the_ladder_with_the_same_id_and_bytes_and_then_the_delivery_is_dead(desk, receiver):
    receiver.behaviour = lambda call, handler: FAILS[len(receiver.calls) % len(FAILS)]
    desk.admin.ticket()
    desk.send()
    for tries, seconds in enumerate(DELAYS_SECONDS, 1):
        assert len(receiver.calls) == tries
        [waiting] = desk.log()
        assert (waiting["state"], waiting["attempts"]) == ("waiting", tries)
        desk.clock.forward(seconds=seconds - 1)
        desk.send()
        assert len(receiver.calls) == tries, "a second too early"
        desk.clock.forward(seconds=1)
        desk.send()
    assert (DELAYS_SECONDS, len(receiver.calls)) == ((2, 8, 60, 300, 1800, 7200, 21600, 86400), 9)
    assert len({(call.id, call.body) for call in receiver.calls}) == 1
    [dead] = desk.log()
    assert (dead["state"], dead["attempts"], "next_try_at" in dead) == ("dead", 9, False)
    assert "The receiver answered" in dead["last_error"]
    desk.clock.forward(days=2)
    desk.send()
    assert len(receiver.calls) == 9


@pytest.mark.every_engine
def test_a_later_event_of_a_ticket_waits_for_the_earlier_one_and_other_tickets_do_not(desk, receiver):
    first, second = desk.admin.ticket(), desk.admin.ticket()
    receiver.behaviour = lambda call, handler: 500 if call.json["ticket_id"] == first["id"] else 200
    desk.resolve(first)
    desk.resolve(second)
    desk.send()
    assert [call.json["event"] for call in receiver.calls if call.json["ticket_id"] == first["id"]] == [
        "ticket.created"
    ]
    assert [call.json["event"] for call in receiver.accepted] == ["ticket.created", "ticket.resolved"]
    receiver.behaviour = lambda call, handler: 200
    desk.clock.forward(seconds=2)
    desk.send()
    assert [call.json["event"] for call in receiver.accepted[2:]] == ["ticket.created", "ticket.resolved"]


def test_what_is_behind_a_dead_delivery_goes_on(desk, receiver):
    receiver.behaviour = lambda call, handler: 500 if call.json["event"] == "ticket.created" else 200
    desk.resolve(desk.admin.ticket())
    for seconds in (0, *DELAYS_SECONDS):
        assert receiver.accepted == []
        desk.clock.forward(seconds=seconds)
        desk.send()
    assert [call.json["event"] for call in receiver.accepted] == ["ticket.resolved"]


def test_case_21_a_receiver_that_answers_410_is_unsubscribed_until_somebody_takes_it_up_again(desk, receiver):
    receiver.behaviour = lambda call, handler: 410
    ticket = desk.admin.ticket()
    desk.resolve(ticket)
    desk.send()
    desk.admin.ticket()
    desk.send()
    assert len(receiver.calls) == 1
    [webhook] = desk.admin.get("/api/webhooks").json["data"]
    assert (webhook["active"], webhook["inactive_reason"]) == (False, "The receiver answered 410 Gone.")
    assert {row["state"] for row in desk.log()} == {"dead"}
    assert "unsubscribed" in desk.admin.get("/api/audit?subject=webhook").get_data(as_text=True)
    receiver.behaviour = lambda call, handler: 200
    desk.admin.data(desk.admin.call("PATCH", f"/api/webhooks/{desk.hook}", {"active": True}))
    desk.admin.ticket()
    desk.send()
    assert len(receiver.accepted) == 1
    assert "inactive_reason" in webhook
    assert desk.admin.get("/api/webhooks").json["data"][0]["inactive_reason"] == ""


def test_an_event_of_the_moment_in_which_the_receiver_was_found_gone_does_not_wait_for_ever(desk, receiver):
    receiver.behaviour = lambda call, handler: 410
    desk.admin.ticket()
    desk.send()
    with desk.runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update_where(deliveries, deliveries.c.webhook_id == desk.hook, state="waiting", finished_at=None)
    tidy(desk.runtime)
    assert {row["state"] for row in desk.log()} == {"dead"}


def test_a_410_of_an_address_that_was_replaced_meanwhile_changes_nothing(desk, receiver):
    def replaces(call, handler):
        url = f"{receiver.url}/new"
        assert desk.admin.call("PATCH", f"/api/webhooks/{desk.hook}", {"url": url}).status_code == 200
        return 410

    receiver.behaviour = replaces
    desk.admin.ticket()
    desk.runtime.webhooks.run_due()
    assert desk.admin.get("/api/webhooks").json["data"][0]["active"] is True


@pytest.mark.parametrize(("asked", "pause"), [("30", 30), ("1", 2), ("999999999", 86400)])
def test_case_21_retry_after_is_respected_within_bounds_and_holds_the_whole_webhook(desk, receiver, asked, pause):
    receiver.behaviour = lambda call, handler: (429, {"Retry-After": asked})
    desk.admin.ticket()
    desk.send()
    receiver.behaviour = lambda call, handler: 200
    desk.clock.forward(seconds=pause - 1)
    desk.send()
    assert receiver.accepted == []
    desk.clock.forward(seconds=1)
    desk.admin.ticket()
    desk.send()
    assert len(receiver.accepted) == 2


def test_while_a_receiver_asks_to_wait_its_other_deliveries_wait_too(desk, receiver):
    receiver.behaviour = lambda call, handler: (429, {"Retry-After": "30"})
    desk.admin.ticket()
    desk.send()
    desk.admin.ticket()
    desk.send()
    assert len(receiver.calls) == 1


def test_case_21_a_replay_sends_the_same_id_and_bytes_again_and_disturbs_no_order(desk, receiver):
    ticket = desk.admin.ticket()
    desk.send()
    [delivered] = desk.log()
    waiting = desk.admin.post(f"/api/deliveries/{delivered['id']}/replay", {})
    assert desk.admin.data(waiting)["state"] == "waiting"
    again = desk.admin.post(f"/api/deliveries/{delivered['id']}/replay", {})
    assert (again.status_code, again.json["data"]["code"]) == (409, "still_waiting")
    desk.resolve(ticket)
    desk.send()
    assert [call.json["event"] for call in receiver.calls] == ["ticket.created", "ticket.created", "ticket.resolved"]
    first, second, _ = receiver.calls
    assert (first.id, first.body) == (second.id, second.body)


def test_a_dead_delivery_can_be_replayed_with_all_its_tries(desk, receiver):
    receiver.behaviour = resets
    desk.admin.ticket()
    for seconds in (0, *DELAYS_SECONDS):
        desk.clock.forward(seconds=seconds)
        desk.send()
    [dead] = desk.log(state="dead")
    desk.admin.data(desk.admin.post(f"/api/deliveries/{dead['id']}/replay", {}))
    desk.send()
    [row] = desk.log()
    assert (row["state"], row["attempts"]) == ("waiting", 1)


def test_a_delivery_of_another_company_is_not_found(desk):
    desk.admin.ticket()
    desk.send()
    [row] = desk.log()
    stranger = Caller(desk.client, add_key(desk.runtime, "admin", company=OTHER_COMPANY))
    assert stranger.post(f"/api/deliveries/{row['id']}/replay", {}).status_code == 404
    assert stranger.get(f"/api/webhooks/{desk.hook}/deliveries").status_code == 404


@pytest.mark.every_engine
def test_deleting_a_ticket_or_erasing_its_customer_takes_its_deliveries_along(desk, receiver):
    receiver.behaviour = lambda call, handler: 500
    deleted, erased, kept = (desk.admin.ticket(customer_email=f"{name}@example.com") for name in ("ada", "eve", "bob"))
    desk.admin.post(f"/api/tickets/{kept['id']}/replies", {"body": "As eve@example.com says, it works."})
    desk.resolve(kept)
    desk.send()
    desk.admin.delete(f"/api/tickets/{deleted['id']}")
    desk.admin.data(desk.admin.delete("/api/customers/eve@example.com"))
    with desk.runtime.storage.unit_of_work(None) as uow:
        rows = uow.find(uow.query(deliveries))
    assert {row["ticket_id"] for row in rows} == {kept["id"]}
    assert "eve@example.com" not in "".join(row["body"] for row in rows)
    receiver.behaviour = lambda call, handler: 200
    desk.clock.forward(seconds=2)
    desk.send()
    assert [call.json["event"] for call in receiver.accepted] == ["ticket.created", "ticket.resolved"]
    assert erased["id"] not in "".join(call.body.decode() for call in receiver.accepted)


def test_the_log_forgets_delivered_ones_after_a_week_and_dead_ones_after_30_days(desk, receiver):
    desk.admin.ticket()
    desk.send()
    receiver.behaviour = lambda call, handler: 410
    desk.admin.ticket()
    desk.send()
    for days, states in ((6, {"delivered", "dead"}), (2, {"dead"}), (21, {"dead"}), (2, set())):
        desk.clock.forward(days=days)
        tidy(desk.runtime)
        assert {row["state"] for row in desk.log()} == states


def test_what_a_wrong_clock_dated_far_ahead_and_what_lost_its_predecessor_is_sent_all_the_same(desk, receiver):
    ticket = desk.admin.ticket()
    desk.resolve(ticket)
    with desk.runtime.storage.unit_of_work(None, write=True) as uow:
        d = deliveries.c
        uow.delete(deliveries, d.state == "waiting")
    desk.admin.ticket()
    with desk.runtime.storage.unit_of_work(None, write=True) as uow:
        uow.update_where(deliveries, d.state == "waiting", next_try_at="2031-01-01T00:00:00.000Z")
    desk.send()
    assert receiver.calls == []
    tidy(desk.runtime)
    desk.send()
    assert {call.json["event"] for call in receiver.calls} == {"ticket.resolved", "ticket.created"}


def test_case_21_a_slow_and_a_dead_receiver_delay_nobody_else(open_app, receiver, free_port):
    """The slow one answers only when the test lets it; meanwhile everything else is done."""
    released = threading.Event()

    def slow(call, handler):
        released.wait(30)
        return 200

    app = open_app(webhook_allow_hosts="127.0.0.1")
    with Receiver(slow) as sluggish:
        desk = Desk(app, Clock(), sluggish)
        for url in (f"http://127.0.0.1:{free_port}/", receiver.url):
            desk.admin.data(desk.admin.post("/api/webhooks", {"url": url, "events": "*"}), 201)
        desk.runtime.start()
        tickets = [desk.admin.ticket() for _ in range(40)]
        received = receiver.wait(40)
        assert {call.json["ticket_id"] for call in received} == {ticket["id"] for ticket in tickets}
        assert len(sluggish.accepted) == 0
        released.set()
        sluggish.wait(40)


def fails_a_third_of_the_time(receiver):
    """Answers with an error, a redirect or a reset; of some calls the work is done and only the answer is lost."""
    chance, failures = random.Random(1), Counter()

    def behave(call, handler):
        if chance.random() > 1 / 3 or failures[call.id] == len(DELAYS_SECONDS):
            return 200  # of 20,000 calls one would fail nine times by chance, and its delivery would be dead
        failures[call.id] += 1
        if chance.random() < 0.3:
            receiver.accepted.append(call)
        return resets(call, handler) if chance.random() < 0.2 else chance.choice(FAILS)

    return behave


def change_all(desk, ids, product):
    """One write that changes each ticket."""
    with desk.runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        for id_ in ids:
            changes.write(uow, changes.get_for_update(uow, id_), {"product": product}, "updated")


# `FOYER_EVENTS=10000 pytest tests/services/test_deliveries.py -k third` sends as many as the issue asks for.
def test_every_event_arrives_in_order_for_each_ticket_at_a_receiver_that_fails_a_third_of_the_time(desk, receiver):
    receiver.behaviour = fails_a_third_of_the_time(receiver)
    tickets = [desk.admin.ticket()["id"] for _ in range(50)]
    of_each = int(os.environ.get("FOYER_EVENTS", "600")) // len(tickets)
    for number in range(of_each - 1):
        change_all(desk, tickets, f"round {number}")
        if number % 10 == 0:  # some are sent while others are made
            desk.runtime.webhooks.run_due()
    desk.send()
    while desk.log(state="waiting", limit=1):
        desk.clock.forward(seconds=600)
        desk.send()
    assert desk.log(state="dead") == []
    bodies, order = defaultdict(set), defaultdict(list)
    for call in receiver.accepted:
        if call.id not in bodies:
            order[call.json["ticket_id"]].append(call.id)
        bodies[call.id].add(call.body)
    assert len(bodies) == of_each * len(tickets)
    assert {len(of_id) for of_id in bodies.values()} == {1}
    assert all(ids == sorted(ids) and len(ids) == of_each for ids in order.values())


def test_case_24_a_consumer_that_keeps_the_newest_of_each_id_ends_as_the_source_after_drops_repeats_and_reorder(
    desk, receiver
):
    tickets = [desk.admin.ticket() for _ in range(5)]
    for position, ticket in enumerate(tickets):
        desk.admin.data(desk.admin.put(f"/api/tickets/{ticket['id']}", {"priority": "urgent"}))
        if position % 2:
            desk.resolve(ticket)
    desk.send()
    chance = random.Random(2)
    arrived = [call.json for call in receiver.accepted] * 2
    chance.shuffle(arrived)
    lost = {event["id"] for event in chance.sample(arrived, 4)}
    after, polled = "", []
    while rows := desk.admin.get("/api/events", query_string={"after": after, "limit": 3}).json["data"]:
        polled += rows
        after = rows[-1]["id"]
    state, seen = {}, set()
    for event in [event for event in arrived if event["id"] not in lost] + polled:  # the feed brings what was lost
        ticket = {name: value for name, value in event["ticket"].items() if name not in LAST_MESSAGE_FIELDS}
        newest = state.get(event["ticket_id"], ticket)
        if event["id"] not in seen and ticket["updated_at"] >= newest["updated_at"]:
            state[event["ticket_id"]] = ticket
        seen.add(event["id"])
    assert state == {
        ticket["id"]: desk.admin.data(desk.admin.get(f"/api/tickets/{ticket['id']}")) for ticket in tickets
    }
    assert seen == {call.id for call in receiver.accepted}


def test_a_note_in_the_history_that_is_no_news_makes_no_delivery(desk, receiver):
    ticket = desk.admin.ticket()
    desk.send()
    with desk.runtime.storage.unit_of_work(Actor.system("default"), write=True) as uow:
        record(uow, ticket["id"], [Change("not_mailed", "resolved", "", "no such mailbox")])
    desk.send()
    assert len(receiver.calls) == 1
