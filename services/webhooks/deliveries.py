"""Deliveries: what is to be sent to which webhook, when it is tried, and what became of it. Nothing is sent here.

For one webhook the events of one ticket are delivered in order: later ones are blocked until the earlier one is delivered
or given up. Other tickets do not wait.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import func

from channels.webhook_sender import Outcome
from core import models, timestamps
from core.errors import conflict, not_found
from database.tables import deliveries as table
from database.tables import webhooks
from services.events.happenings import Happening
from services.history import Change, record
from services.webhooks import subscriptions
from storage import Row, UnitOfWork

# Pauses between tries: 2 s, 8 s, 1 min, 5 min, 30 min, 2 h, 6 h, 24 h. Then the delivery is dead.
DELAYS_SECONDS = (2, 8, 60, 300, 1800, 7200, 21_600, 86_400)
LONGEST_WAIT_SECONDS = DELAYS_SECONDS[-1]
LEASE_SECONDS = 120  # while a delivery is being sent no other process sends it; longer than any try takes
KEPT_SECONDS = {"delivered": 7 * 24 * 3600, "dead": 30 * 24 * 3600}
UNFINISHED = ("waiting", "blocked")
PUBLIC_STATE = {"waiting": "waiting", "blocked": "waiting", "delivered": "delivered", "dead": "dead"}
STATES = ("waiting", "delivered", "dead")
MOST_KEYS = 200  # in one statement
d = table.c


def delivery_shape(delivery: Row) -> Row:
    """The public fields of a delivery, without the body."""
    finished = delivery["state"] in ("delivered", "dead")
    fields = {**delivery, "state": PUBLIC_STATE[delivery["state"]], "ticket_id": delivery["ticket_id"] or ""}
    return models.shape(fields | ({"next_try_at": None} if finished else {}), models.DELIVERY_FIELDS)


def add(uow: UnitOfWork, new: Sequence[tuple[str, Happening, str]]) -> None:
    """Adds deliveries, each of a webhook's id, an event and its body. Events of one subject are in order."""
    webhook_ids, subjects = {webhook_id for webhook_id, _, _ in new}, sorted({one.subject_id for _, one, _ in new})
    behind = {
        (row["webhook_id"], row["subject_id"])
        for start in range(0, len(subjects), MOST_KEYS)
        for row in uow.find(
            uow.query(table, d.webhook_id, d.subject_id).where(
                d.webhook_id.in_(webhook_ids),
                d.subject_id.in_(subjects[start : start + MOST_KEYS]),
                d.state.in_(UNFINISHED),
            )
        )
    }
    rows = []
    for webhook_id, one, body in new:
        key = (webhook_id, one.subject_id)
        rows.append(_row(uow, webhook_id, one, body) | {"state": "blocked" if key in behind else "waiting"})
        behind.add(key)
    uow.insert_many(table, rows)


def _row(uow: UnitOfWork, webhook_id: str, one: Happening, body: str) -> Row:
    return {
        "webhook_id": webhook_id,
        "ticket_id": one.ticket_id or None,
        "subject_id": one.subject_id,
        "event_id": one.id,
        "event": one.event,
        "body": body,
        "next_try_at": uow.real_now,
        "created_at": uow.now,
    }


def add_test(uow: UnitOfWork, webhook_id: str, event: Row, body: str) -> Row:
    """Adds a delivery of a sample, which waits for no other. Returns it."""
    values = {"webhook_id": webhook_id, "subject_id": event["id"], "event_id": event["id"], "event": event["event"]}
    return uow.insert(table, {**values, "body": body, "next_try_at": uow.real_now, "created_at": uow.now})


def due(uow: UnitOfWork) -> list[Row]:
    """For each active webhook with deliveries that are due: its row and their number `due`. Of every company."""
    number = func.count().label("due")
    counted = (
        uow.query(table, d.webhook_id, number)
        .where(d.state == "waiting", d.next_try_at <= uow.real_now)
        .group_by(d.webhook_id)
    )
    numbers = {row["webhook_id"]: row["due"] for row in uow.find(counted)}
    active = uow.query(webhooks).where(webhooks.c.id.in_(numbers), webhooks.c.active, ~webhooks.c.deleted)
    return [{**row, "due": numbers[row["id"]]} for row in (uow.find(active) if numbers else [])]


def claim(uow: UnitOfWork, webhook_id: str, *, limit: int, sending: Iterable[str], lease: bool) -> list[Row]:
    """The next due deliveries of a webhook, without those that this process is sending.

    With `lease` other processes leave them alone for LEASE_SECONDS; without it no other process uses the store.
    """
    query = uow.query(table).where(d.state == "waiting", d.webhook_id == webhook_id, d.next_try_at <= uow.real_now)
    query = query.where(d.id.not_in(list(sending))).order_by(d.next_try_at, d.event_id).limit(limit)
    if not lease:
        return uow.find(query)
    rows = uow.find(query.with_for_update(skip_locked=True))
    until = timestamps.later(uow.real_now, seconds=LEASE_SECONDS)
    uow.update_where(table, d.id.in_([row["id"] for row in rows]), next_try_at=until)
    return rows


def finish(uow: UnitOfWork, results: Mapping[str, Outcome]) -> None:
    """Stores what became of tries of the company's deliveries, by their ids, and lets the next events of the subjects go."""
    rows = uow.find(uow.query(table).where(d.id.in_(list(results)), d.state == "waiting"))
    finished = set()
    for delivery in rows:
        outcome = results[delivery["id"]]
        values = _after(delivery, outcome, uow.real_now)
        uow.update(table, delivery["id"], values)
        if values["state"] != "waiting":
            finished.add((delivery["webhook_id"], delivery["subject_id"]))
    unblock(uow, finished)


def _after(delivery: Row, outcome: Outcome, now: str) -> Row:
    """The fields of a delivery after a try."""
    attempts = delivery["attempts"] + 1
    values: Row = {"attempts": attempts, "last_status": outcome.status or None, "last_error": outcome.error}
    if outcome.delivered:
        return {**values, "state": "delivered", "last_error": "", "finished_at": now}
    if attempts > len(DELAYS_SECONDS):
        return {**values, "state": "dead", "finished_at": now}
    asked = min(outcome.retry_after, LONGEST_WAIT_SECONDS)
    delay = max(DELAYS_SECONDS[attempts - 1], asked)
    return {**values, "state": "waiting", "next_try_at": timestamps.later(now, seconds=delay)}


def unblock(uow: UnitOfWork, keys: Iterable[tuple[str, str]]) -> None:
    """Makes the next event due of each webhook and subject, unless one of them is still waiting."""
    pending = sorted(keys)
    for start in range(0, len(pending), MOST_KEYS):
        portion = pending[start : start + MOST_KEYS]
        first = func.min(d.event_id).label("first")
        query = uow.query(table, d.webhook_id, d.subject_id, d.state, first).where(
            d.webhook_id.in_({webhook_id for webhook_id, _ in portion}),
            d.subject_id.in_({subject_id for _, subject_id in portion}),
            d.state.in_(UNFINISHED),
        )
        firsts = {
            (row["webhook_id"], row["subject_id"], row["state"]): row["first"]
            for row in uow.find(query.group_by(d.webhook_id, d.subject_id, d.state))
        }
        following: dict[str, list[str]] = {}
        for key in portion:
            if (*key, "waiting") not in firsts and (*key, "blocked") in firsts:
                following.setdefault(key[0], []).append(firsts[*key, "blocked"])
        for webhook_id, event_ids in following.items():
            of_webhook = (d.webhook_id == webhook_id, d.event_id.in_(event_ids), d.state == "blocked")
            uow.update_where(table, *of_webhook, state="waiting", next_try_at=uow.real_now)


def find(uow: UnitOfWork, webhook_id: str, filters: Row) -> tuple[list[Row], int]:
    """One page of a webhook's deliveries, newest first, and the total. Raises AppError 404."""
    subscriptions.get(uow, webhook_id)
    stored = [state for state, public in PUBLIC_STATE.items() if public in filters["state"]]
    query = uow.query(table).where(d.webhook_id == webhook_id, d.state.in_(stored))
    page = query.order_by(d.created_at.desc(), d.id.desc()).limit(filters["limit"]).offset(filters["offset"])
    return uow.find(page), uow.count(query)


def replay(uow: UnitOfWork, delivery_id: str) -> Row:
    """Sends a finished delivery again at once, with the same id and body, and all its tries. Raises AppError 404, 409."""
    delivery = uow.get(table, delivery_id, lock=True)
    if delivery is None:
        raise not_found()
    if delivery["state"] in UNFINISHED:
        raise conflict("still_waiting", "This delivery is still waiting. Only a finished one can be sent again.")
    if not subscriptions.get(uow, delivery["webhook_id"])["active"]:
        raise conflict("inactive", "The webhook is not active. Set active to true first.")
    record(uow, delivery["webhook_id"], [Change("replayed", "delivery", "", delivery_id)], subject="webhook")
    values = {"state": "waiting", "attempts": 0, "next_try_at": uow.real_now, "finished_at": None}
    return uow.update(table, delivery_id, values) or delivery


def purge(uow: UnitOfWork) -> int:
    """Deletes deliveries 7 days after they were delivered and 30 days after they died; returns how many.

    It also makes due what a wrong clock dated, and frees events whose earlier one was deleted. Events that came while
    the receiver was found gone are given up. Of every company.
    """
    gone = uow.query(webhooks, webhooks.c.id).where(~webhooks.c.active, webhooks.c.inactive_reason != "")
    unsent = (d.webhook_id.in_([row["id"] for row in uow.find(gone)]), d.state.in_(UNFINISHED))
    uow.update_where(table, *unsent, state="dead", last_error=subscriptions.GONE, finished_at=uow.real_now)
    latest = timestamps.later(uow.real_now, seconds=LONGEST_WAIT_SECONDS + 3600)
    uow.update_where(table, d.state == "waiting", d.next_try_at > latest, next_try_at=uow.real_now)
    earlier = table.alias()
    has_earlier = (
        uow.query(table, d.id)
        .with_only_columns(earlier.c.id)
        .where(earlier.c.webhook_id == d.webhook_id, earlier.c.subject_id == d.subject_id, earlier.c.state == "waiting")
        .correlate(table)
        .exists()
    )
    stuck = uow.find(uow.query(table, d.webhook_id, d.subject_id).where(d.state == "blocked", ~has_earlier).distinct())
    unblock(uow, {(row["webhook_id"], row["subject_id"]) for row in stuck})
    return sum(
        uow.delete(table, d.state == state, d.finished_at < timestamps.later(uow.real_now, seconds=-seconds))
        for state, seconds in KEPT_SECONDS.items()
    )


def forget(uow: UnitOfWork, ids: Sequence[str]) -> None:
    """Deletes deliveries whose bodies name an erased person; those behind them go on."""
    rows = uow.find(uow.query(table, d.webhook_id, d.subject_id).where(d.id.in_(ids)).distinct())
    uow.delete(table, d.id.in_(ids))
    unblock(uow, {(row["webhook_id"], row["subject_id"]) for row in rows})
