"""Subscriptions: which address gets which events of a company. Only changes rows; nothing is sent here."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Select

from core import models, timestamps
from core.errors import conflict, not_found
from database.tables import deliveries
from database.tables import webhooks as table
from services.clearing import pop_cleared
from services.history import Change, record
from services.prepared_statements import prepared
from services.webhooks import secrets
from storage import Row, UnitOfWork

MOST_OF_COMPANY = 50
DELETED_KEPT_SECONDS = 24 * 3600
CLEARABLE = {"name": ""}
GONE = "The receiver answered 410 Gone."
w = table.c


def webhook_shape(webhook: Row) -> Row:
    """The public fields of a webhook, without its secret."""
    return models.shape(webhook, models.WEBHOOK_FIELDS)


def find(uow: UnitOfWork) -> list[Row]:
    """The company's webhooks, oldest first."""
    return uow.find(uow.query(table).where(~w.deleted).order_by(w.created_at, w.id))


def get(uow: UnitOfWork, webhook_id: str, *, lock: bool = False) -> Row:
    """A webhook of the company. Raises AppError 404."""
    webhook = uow.get(table, webhook_id, lock=lock)
    if webhook is None or webhook["deleted"]:
        raise not_found()
    return webhook


def create(uow: UnitOfWork, fields: Row) -> Row:
    """Adds a webhook, whose url was checked. Raises AppError 409 when the company has too many."""
    if len(find(uow)) >= MOST_OF_COMPANY:
        raise conflict("too_many", f"Your company has {MOST_OF_COMPANY} webhooks already. Delete one first.")
    names = ("url", "events", "format", "name")
    values = {name: fields[name] for name in names if name in fields}
    webhook = uow.insert(table, {**values, "created_at": uow.now, "updated_at": uow.now})
    changes = [Change("created", "host", "", host_of(webhook)), Change("created", "events", "", webhook["events"])]
    record(uow, webhook["id"], changes, subject="webhook")
    return webhook


def update(uow: UnitOfWork, webhook_id: str, fields: Row) -> Row:
    """Changes the given fields; `active` True sends again after the receiver was gone, `rotate_secret` makes a new secret.

    Raises AppError 404.
    """
    webhook = get(uow, webhook_id, lock=True)
    fields |= pop_cleared(fields, CLEARABLE)
    rotate = fields.pop("rotate_secret", False)
    values = {name: value for name, value in fields.items() if webhook[name] != value}
    changes = [Change("changed", name, webhook[name], value) for name, value in values.items() if name != "url"]
    if "url" in values:  # an address may hold a key, so the history has its host alone
        changes.append(Change("changed", "host", host_of(webhook), host_of(values)))
    if values.get("active"):
        values["inactive_reason"] = ""
    if rotate:
        until = timestamps.later(uow.real_now, seconds=secrets.ROTATION_SECONDS)
        values |= {"generation": webhook["generation"] + 1, "rotated_until": until}
        changes.append(Change("secret_rotated", "rotated_until", "", until))
    if not values:
        return webhook
    record(uow, webhook_id, changes, subject="webhook")
    return uow.update(table, webhook_id, {**values, "updated_at": uow.now}) or webhook


def remove(uow: UnitOfWork, webhook_id: str) -> None:
    """Deletes a webhook with its deliveries. One that does not exist, was deleted or is foreign is left as it is."""
    webhook = uow.get(table, webhook_id, lock=True)
    if webhook is None or webhook["deleted"]:
        return
    uow.update(table, webhook_id, {"deleted": True, "active": False, "url": "", "name": "", "updated_at": uow.now})
    uow.delete(deliveries, deliveries.c.webhook_id == webhook_id)
    record(uow, webhook_id, [Change("deleted", "host", host_of(webhook), "")], subject="webhook")


def receiver_is_gone(uow: UnitOfWork, webhook_id: str, url: str) -> None:
    """The receiver at `url` answered 410: nothing is sent to it any more. A webhook that has another url by now stays."""
    webhook = uow.get(table, webhook_id, lock=True)
    if webhook is None or not webhook["active"] or webhook["url"] != url:
        return
    uow.update(table, webhook_id, {"active": False, "inactive_reason": GONE, "updated_at": uow.now})
    d = deliveries.c
    unsent = (d.webhook_id == webhook_id, d.state.in_(("waiting", "blocked")))
    uow.update_where(deliveries, *unsent, state="dead", last_error=GONE, finished_at=uow.real_now)
    record(uow, webhook_id, [Change("unsubscribed", "host", host_of(webhook), "410")], subject="webhook")


def host_of(webhook: Row) -> str:
    """The host of a webhook's address, which is all that logs and the history show of it."""
    return urlsplit(webhook["url"]).hostname or ""


def active_ones(uow: UnitOfWork) -> Sequence[Row]:
    """The company's webhooks that get events: id, events and format of each."""

    def build() -> Select[Any]:
        return uow.query(table, w.id, w.events, w.format).where(w.active, ~w.deleted)

    return uow.find(prepared(uow, "active webhooks", build))  # on PostgreSQL each write asks


def purge(uow: UnitOfWork) -> int:
    """Deletes the rows of webhooks that were deleted a day ago; returns how many."""
    before = timestamps.later(uow.now, seconds=-DELETED_KEPT_SECONDS)
    return uow.delete(table, w.deleted, w.updated_at < before)
