"""Erase personal data, on request or after the retention period.

Rows stay and lose their personal fields, so that statistics do not change. A job of the same unit of work then removes the
bytes from the files of the store.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import and_, func, or_
from sqlalchemy.sql.elements import ColumnElement

from auth.erasure_marks import ErasureMarks
from core import timestamps
from core.errors import not_found
from core.models import FINISHED
from database.tables import (
    attachments,
    bulk_items,
    customers,
    deliveries,
    drafts,
    events,
    merges,
    replies,
    tickets,
    users,
)
from database.tables import jobs as jobs_table
from services import outbox
from services.accounts import one_time, sessions
from services.attachments import removal
from services.copilot import proposals
from services.history import Change, record
from services.inbound import records as inbound
from services.knowledge import citations
from services.privacy import erased_people, traces
from services.tickets import incidents, merged, watchers
from services.tickets.anonymise import ERASED, anonymise
from services.tickets.customers import by_name as customers_by_name
from services.transfers import requests
from services.triage import training_examples
from storage import Row, UnitOfWork

QUEUE, SCRUB = "upkeep", "scrub"
BATCH = 100  # tickets per unit of work, so that other writers do not wait long
DAY = 24 * 3600
t = tickets.c
Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Erased:
    """Result of an erasure: number of tickets, and the address of the deleted account ("" without one)."""

    tickets: int
    account: str


def get_customer(uow: UnitOfWork, name: str, *, lock: bool = False) -> Row:
    """The customer row of an e-mail address, in any spelling, or a customer id. Raises AppError 404."""
    match = uow.first(customers_by_name(uow.query(customers), name))
    row = uow.get(customers, match["id"], lock=lock) if match else None
    if row is None:
        raise not_found()
    return row


def erase(uow: UnitOfWork, name: str, marks: ErasureMarks) -> Erased:
    """Erases all data about a customer and enqueues the scrubbing of the files. Raises AppError 404."""
    row = get_customer(uow, name, lock=True)
    ticket_rows = uow.find(uow.query(tickets, t.id, t.customer_name).where(t.customer_row == row["id"]))
    ids = [ticket["id"] for ticket in ticket_rows]
    names = traces.not_staff(uow, _names(row, ticket_rows))
    sure = traces.sure_names(uow, row, names)
    training_examples.erase_texts(uow, t.customer_row == row["id"], names)
    for start in range(0, len(ticket_rows), BATCH):
        portion = ticket_rows[start : start + BATCH]
        _erase_tickets(uow, [ticket["id"] for ticket in portion])
        _remove_names(uow, row, portion)
    traces.forget_calls_about(uow, ids)
    account = _remove_account(uow, row["email"])
    traces.clear_actors(uow, names & {row["email"], row["customer_id"]})
    inbound.forget_sender(uow, {name for name in (row["email"], row["customer_id"]) if name})
    traces.clear_record(uow, sure)
    traces.forget_calls_of(uow, row, sure)
    traces.forget_jobs(uow, sure)
    traces.forget_deliveries(uow, sure)
    traces.forget_views_and_macros(uow, sure)
    traces.forget_rules(uow, sure)
    watchers.forget(uow, row["email"])
    requests.forget(uow, imports=True)
    erased_people.remember(uow, marks, (row["email"], row["customer_id"]))
    uow.update(customers, row["id"], {"email": "", "customer_id": "", "name": ""})
    record(uow, row["id"], [Change("customer_erased", "tickets", "", len(ticket_rows))], subject="customer")
    outbox.enqueue(uow, [outbox.Job(QUEUE, SCRUB, delay_seconds=60)])
    return Erased(len(ticket_rows), account)


def _names(row: Row, ticket_rows: Iterable[Row]) -> set[str]:
    return {row["email"], row["customer_id"], row["name"], *(ticket["customer_name"] for ticket in ticket_rows)} - {""}


def _erase_tickets(uow: UnitOfWork, ids: list[str]) -> None:
    """Empties tickets, replies, drafts and history; deletes their files, jobs, deliveries and training examples."""
    anonymise(uow, ids)
    incidents.leave(uow, ids)
    uow.update_where(replies, replies.c.ticket_id.in_(ids), body=ERASED)
    uow.update_where(drafts, drafts.c.ticket_id.in_(ids), body=ERASED, edited_body="", reason_text="", citations=[])
    traces.empty_history(uow, events.c.subject_id.in_(ids))
    removal.remove_rows(uow, attachments.c.ticket_id.in_(ids))
    uow.delete(bulk_items, bulk_items.c.ticket_id.in_(ids))
    uow.delete(merges, merges.c.ticket_id.in_(ids))
    uow.delete(jobs_table, jobs_table.c.ticket_id.in_(ids))
    uow.delete(deliveries, deliveries.c.ticket_id.in_(ids))
    training_examples.forget_tickets(uow, ids)
    citations.forget_tickets(uow, ids)
    inbound.forget_tickets(uow, ids)
    proposals.forget_tickets(uow, ids)


def _remove_names(uow: UnitOfWork, row: Row, ticket_rows: Sequence[Row]) -> None:
    """Removes a customer's names from the threads and history of their tickets."""
    names = traces.not_staff(uow, _names(row, ticket_rows))
    ids, r = [ticket["id"] for ticket in ticket_rows], replies.c
    uow.update_where(replies, r.ticket_id.in_(ids), r.author_role == "customer", author_name="", author_email="")
    traces.unname_replies(uow, r.ticket_id.in_(ids), names)
    traces.unname_history(uow, events.c.subject_id.in_(ids), names)


def _remove_account(uow: UnitOfWork, email: str) -> str:
    """Deletes the customer's user account; returns its address, "" without one."""
    if not email:
        return ""
    one_time.end_all(uow, "", email)
    query = uow.query(users).where(users.c.email == email, users.c.role == "customer")
    account = uow.first(query)
    if account is None:
        return ""
    sessions.end_all(uow, account["id"])
    uow.delete(users, users.c.id == account["id"])
    of_it = (events.c.subject == "user") & (events.c.subject_id == account["id"])
    traces.empty_history(uow, of_it)
    traces.unname_history(uow, of_it, {email, account["name"]} - {""})
    return email


def find_old_tickets(uow: UnitOfWork, days: int) -> list[str]:
    """Ids of finished tickets that were not changed for `days`."""
    return [row["id"] for row in _find_due(uow, days)]


def find_old_customers(uow: UnitOfWork, days: int) -> list[str]:
    """Ids of customers older than `days` who have only erased tickets, or none."""
    return [row["id"] for row in uow.find(uow.query(customers, customers.c.id).where(*_is_left_alone(uow, days)))]


def erase_old_tickets(uow: UnitOfWork, ids: list[str], days: int) -> int:
    """Erases the given tickets that are still due; returns how many."""
    ticket_rows = _find_due(uow, days, t.id.in_(ids))
    training_examples.erase_texts(uow, t.id.in_([ticket["id"] for ticket in ticket_rows]))
    _erase_tickets(uow, [ticket["id"] for ticket in ticket_rows])
    traces.forget_calls_about(uow, [ticket["id"] for ticket in ticket_rows])
    people = uow.query(customers).where(customers.c.id.in_({ticket["customer_row"] for ticket in ticket_rows}))
    rows = {row["id"]: row for row in uow.find(people)}
    for customer_row, rows_of_customer in groupby(ticket_rows, key=lambda ticket: ticket["customer_row"]):
        _remove_names(uow, rows[customer_row], list(rows_of_customer))
    return len(ticket_rows)


def erase_old_customers(uow: UnitOfWork, ids: list[str], days: int) -> int:
    """Empties the names of the given customers that are still due; returns how many. User accounts stay."""
    customer_rows = uow.find(uow.query(customers).where(customers.c.id.in_(ids), *_is_left_alone(uow, days)))
    acted_as = {row[name] for row in customer_rows for name in ("email", "customer_id")} - {""}
    traces.clear_actors(uow, traces.not_staff(uow, acted_as))
    of_customers = customers.c.id.in_([row["id"] for row in customer_rows])
    uow.update_where(customers, of_customers, email="", customer_id="", name="")
    return len(customer_rows)


def record_retention(uow: UnitOfWork, counts: Mapping[str, int]) -> None:
    """Records the counts of a retention run in the audit log."""
    changes = [Change("retention_applied", thing, "", count) for thing, count in counts.items() if count]
    record(uow, uow.actor.company_id, changes, subject="company")
    requests.forget(uow)


def enqueue_scrub(uow: UnitOfWork) -> None:
    """Enqueues a scrub as a fallback, in case this process stops before its own."""
    outbox.enqueue(uow, [outbox.Job(QUEUE, SCRUB, delay_seconds=600)])


def _find_due(uow: UnitOfWork, days: int, *conditions: Condition) -> list[Row]:
    """Finished tickets that were not changed for `days`, by customer; a merged one is due with the ticket it went into."""
    columns = uow.query(tickets, t.id, t.customer_name, t.customer_row, t.merged_into)
    rows = uow.find(columns.where(*_is_due(uow, days), *conditions).order_by(t.customer_row))
    return [row for row in rows if not row["merged_into"] or _is_over(uow, merged.root(uow, row), days)]


def _is_over(uow: UnitOfWork, ticket: Row, days: int) -> bool:
    is_due = or_(and_(*_is_due(uow, days)), t.erased_at.is_not(None))
    return uow.first(uow.query(tickets, t.id).where(t.id == ticket["id"], is_due)) is not None


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
