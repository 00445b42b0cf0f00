"""Erase personal data, on request or after the retention period.

Rows stay and lose their personal fields, so that statistics do not change. A job of the same unit of work then removes the
bytes from the files of the store.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import and_, case, func, or_
from sqlalchemy.sql.elements import ColumnElement

from core import timestamps
from core.errors import not_found
from core.models import FINISHED
from database.tables import api_keys, customers, events, idempotency, replies, tickets, users
from database.tables import jobs as jobs_table
from services import outbox
from services.accounts import sessions
from services.history import Change, record
from services.tickets.anonymise import ERASED, anonymise
from services.triage import training_examples
from storage import Row, UnitOfWork

ERASED_ACTOR = "customer"  # replaces a customer's name in the history
# Actors of the system. A customer with such a name is not removed from the history of others.
SYSTEM_ACTORS = {"ai", "system", "command line", "start"}
QUEUE, SCRUB = "upkeep", "scrub"
BATCH = 100  # tickets per unit of work, so that other writers do not wait long
DAY = 24 * 3600
# History fields whose values are numbers or words of a fixed list, so never personal.
IMPERSONAL_FIELDS = (
    "number status category priority priority_score urgency sentiment customer_tier source assigned_team ai_source ai_status prompt"
).split()
_AFTER_ID = 38  # `caller` of a stored call: id of the credential, a space, the customer it acted for
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

t = tickets.c
Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Erased:
    """Result of an erasure: number of tickets, and the address of the deleted account ("" without one)."""

    tickets: int
    account: str


def get_customer(uow: UnitOfWork, name: str, *, lock: bool = False) -> Row:
    """Returns the customer row of an e-mail address or customer id. Raises AppError 404."""
    key = name.strip()
    by_email, by_id = customers.c.email == key.lower(), customers.c.customer_id == key
    best_first = uow.query(customers).where(or_(by_email, by_id)).order_by(case((by_email, 0), else_=1))
    match = uow.first(best_first) if key else None
    row = uow.get(customers, match["id"], lock=lock) if match else None
    if row is None:
        raise not_found()
    return row


def erase(uow: UnitOfWork, name: str) -> Erased:
    """Erases all data about a customer and enqueues the scrubbing of the files. Raises AppError 404."""
    row = get_customer(uow, name, lock=True)
    theirs = uow.find(uow.query(tickets, t.id, t.customer_name).where(t.customer_row == row["id"]))
    training_examples.erase_given(uow, t.customer_row == row["id"], (row["email"], row["name"], row["customer_id"]))
    for start in range(0, len(theirs), BATCH):
        portion = theirs[start : start + BATCH]
        _erase_tickets(uow, [ticket["id"] for ticket in portion])
        _remove_names(uow, row, portion)
    _forget_calls_about(uow, {ticket["id"] for ticket in theirs})
    account = _remove_account(uow, row["email"])
    acted_as = _acted_as(uow, [row])
    _clear_actors(uow, acted_as)
    if row["email"] in acted_as:
        _clear_mentions(uow, row["email"])
    _forget_calls_of(uow, row)
    uow.update(customers, row["id"], {"email": "", "customer_id": "", "name": ""})
    record(uow, row["id"], [Change("customer_erased", "tickets", "", len(theirs))], subject="customer")
    outbox.enqueue(uow, [outbox.Job(QUEUE, SCRUB, delay_seconds=60)])
    return Erased(len(theirs), account)


def _erase_tickets(uow: UnitOfWork, ids: list[str]) -> None:
    """Empties tickets, replies and history; deletes their jobs and training examples."""
    anonymise(uow, ids)
    uow.update_where(replies, replies.c.ticket_id.in_(ids), body=ERASED)
    _empty_history(uow, events.c.subject_id.in_(ids))
    uow.delete(jobs_table, jobs_table.c.ticket_id.in_(ids))
    training_examples.unlearn(uow, ids)


def _empty_history(uow: UnitOfWork, about_them: Condition) -> None:
    uow.update_where(events, about_them, events.c.field.not_in(IMPERSONAL_FIELDS), from_value="", to_value="")


def _remove_names(uow: UnitOfWork, row: Row, theirs: Sequence[Row]) -> None:
    """Removes a customer's names from the threads and history of their tickets."""
    own_names = {row["email"], row["customer_id"], row["name"], *(ticket["customer_name"] for ticket in theirs)} - {""}
    names = _not_staff(uow, own_names)
    ids, r = [ticket["id"] for ticket in theirs], replies.c
    by_them = or_(r.author_role == "customer", _is_one(r.author_name, names), _is_one(r.author_email, names))
    uow.update_where(replies, r.ticket_id.in_(ids), by_them, author_name="", author_email="")
    if row["email"] in names:
        uow.update_where(replies, _is_one(r.author_email, [row["email"]]), author_name="", author_email="")
    _remove_names_from_history(uow, events.c.subject_id.in_(ids), names)


def _remove_names_from_history(uow: UnitOfWork, about_them: Condition, names: set[str]) -> None:
    e = events.c
    uow.update_where(events, about_them, _is_one(e.actor, names), actor=ERASED_ACTOR, address="")
    by_them = or_(
        _is_one(e.said_by, names),
        *(e.said_by.startswith(f"{name} (", autoescape=True) for name in names),
    )
    uow.update_where(events, about_them, by_them, said_by=ERASED_ACTOR)


def _is_one(column: ColumnElement[str], names: Iterable[str]) -> Condition:
    return or_(column.in_(set(names)), func.lower(column).in_({name.lower() for name in names}))


def _remove_account(uow: UnitOfWork, email: str) -> str:
    """Deletes the customer's user account; returns its address, "" without one."""
    mine = uow.query(users).where(users.c.email == email, users.c.email != "", users.c.role == "customer")
    account = uow.first(mine)
    if account is None:
        return ""
    sessions.end_all(uow, account["id"])
    uow.delete(users, users.c.id == account["id"])
    of_it = (events.c.subject == "user") & (events.c.subject_id == account["id"])
    _empty_history(uow, of_it)
    _remove_names_from_history(uow, of_it, {email, account["name"]} - {""})
    return email


def _acted_as(uow: UnitOfWork, people: Iterable[Row]) -> set[str]:
    """The names that customers acted under, except names that staff or keys also have."""
    return _not_staff(uow, {row[name] for row in people for name in ("email", "customer_id")} - {""})


def _not_staff(uow: UnitOfWork, names: set[str]) -> set[str]:
    """The names that belong to no key, staff member or system actor."""
    staff = uow.query(users, users.c.email).where(users.c.email.in_(names), users.c.role != "customer")
    keys = uow.query(api_keys, api_keys.c.name).where(api_keys.c.name.in_(names))
    return names - {row["email"] for row in uow.find(staff)} - {row["name"] for row in uow.find(keys)} - SYSTEM_ACTORS


def _clear_actors(uow: UnitOfWork, names: set[str]) -> None:
    """Removes customers as actors from all other events, such as those of deleted tickets."""
    if names:
        uow.update_where(events, events.c.actor.in_(names), actor=ERASED_ACTOR, address="")


def _clear_mentions(uow: UnitOfWork, email: str) -> None:
    """Removes an address from all other events of the company."""
    e = events.c
    whole = re.compile(rf"(?<![\w.+-]){re.escape(email)}(?![\w-])", re.IGNORECASE)  # not a part of another address
    for column, instead in ((e.from_value, ""), (e.to_value, ""), (e.said_by, ERASED_ACTOR)):
        near = uow.find(uow.query(events, e.id, column).where(column.icontains(email, autoescape=True)))
        named = [row["id"] for row in near if whole.search(row[column.name])]
        for start in range(0, len(named), BATCH):
            uow.update_where(events, e.id.in_(named[start : start + BATCH]), **{column.name: instead})


def _forget_calls_of(uow: UnitOfWork, row: Row) -> None:
    """Deletes stored calls that the customer made, or whose key or response contains their identity."""
    c, email, own_id = idempotency.c, row["email"], row["customer_id"]
    conditions = [func.substr(c.caller, _AFTER_ID) == name for name in (email, own_id) if name]
    if email:
        conditions += [c.key.icontains(email, autoescape=True), c.answer.icontains(_in_answer(email), autoescape=True)]
    if own_id:  # searched together with its field name, because an id may be as short as 7
        conditions += [c.key == own_id, c.answer.contains(_in_answer({"customer_id": own_id}), autoescape=True)]
    uow.delete(idempotency, or_(*conditions))


def _in_answer(value: Any) -> str:
    """A value as it appears in a stored response, which is JSON within JSON."""
    inner = orjson.dumps(value).decode()
    return orjson.dumps(inner[1:-1] if isinstance(value, dict) else inner).decode()[1:-1]


def _forget_calls_about(uow: UnitOfWork, ids: set[str]) -> None:
    """Deletes stored calls whose route contains the id of one of the tickets."""
    c = idempotency.c
    calls = uow.find(uow.query(idempotency, c.id, c.route)) if ids else []
    about = [call["id"] for call in calls if not ids.isdisjoint(_UUID.findall(call["route"]))]
    for start in range(0, len(about), BATCH):
        uow.delete(idempotency, c.id.in_(about[start : start + BATCH]))


def find_old_tickets(uow: UnitOfWork, days: int) -> list[str]:
    """Ids of finished tickets that were not changed for `days`."""
    return [row["id"] for row in uow.find(uow.query(tickets, t.id).where(*_is_due(uow, days)))]


def find_old_customers(uow: UnitOfWork, days: int) -> list[str]:
    """Ids of customers older than `days` who have only erased tickets, or none."""
    return [row["id"] for row in uow.find(uow.query(customers, customers.c.id).where(*_is_left_alone(uow, days)))]


def erase_old_tickets(uow: UnitOfWork, ids: list[str], days: int) -> int:
    """Erases the given tickets that are still due; returns how many."""
    columns = uow.query(tickets, t.id, t.customer_name, t.customer_row)
    due = uow.find(columns.where(t.id.in_(ids), *_is_due(uow, days)).order_by(t.customer_row))
    training_examples.erase_given(uow, t.id.in_([ticket["id"] for ticket in due]))
    _erase_tickets(uow, [ticket["id"] for ticket in due])
    _forget_calls_about(uow, {ticket["id"] for ticket in due})
    people = uow.query(customers).where(customers.c.id.in_({ticket["customer_row"] for ticket in due}))
    rows = {row["id"]: row for row in uow.find(people)}
    for customer_row, theirs in groupby(due, key=lambda ticket: ticket["customer_row"]):
        _remove_names(uow, rows[customer_row], list(theirs))
    return len(due)


def erase_old_customers(uow: UnitOfWork, ids: list[str], days: int) -> int:
    """Empties the names of the given customers that are still due; returns how many. User accounts stay."""
    due = uow.find(uow.query(customers).where(customers.c.id.in_(ids), *_is_left_alone(uow, days)))
    _clear_actors(uow, _acted_as(uow, due))
    these = customers.c.id.in_([row["id"] for row in due])
    uow.update_where(customers, these, email="", customer_id="", name="")
    return len(due)


def record_retention(uow: UnitOfWork, counts: Mapping[str, int]) -> None:
    """Records the counts of a retention run in the audit log."""
    changes = [Change("retention_applied", thing, "", count) for thing, count in counts.items() if count]
    record(uow, uow.actor.company_id, changes, subject="company")


def enqueue_scrub(uow: UnitOfWork) -> None:
    """Enqueues a scrub as a fallback, in case this process stops before its own."""
    outbox.enqueue(uow, [outbox.Job(QUEUE, SCRUB, delay_seconds=600)])


def _is_due(uow: UnitOfWork, days: int) -> list[Condition]:
    limit = _limit(uow, days)
    # updated_at of an imported ticket is the time of the import, so an unchanged one is as old as its end.
    unchanged = and_(t.version == 1, func.coalesce(t.closed_at, t.resolved_at) < limit)
    return [t.status.in_(FINISHED), or_(t.updated_at < limit, unchanged), t.erased_at.is_(None)]


def _is_left_alone(uow: UnitOfWork, days: int) -> list[Condition]:
    c = customers.c
    has_tickets = uow.query(tickets, t.id).where(t.customer_row == c.id, t.erased_at.is_(None)).exists()
    has_name = or_(c.email != "", c.customer_id != "", c.name != "")
    return [c.created_at < _limit(uow, days), has_name, ~has_tickets]


def _limit(uow: UnitOfWork, days: int) -> str:
    return timestamps.later(uow.real_now, seconds=-days * DAY)
