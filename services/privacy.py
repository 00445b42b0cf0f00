"""Making a person's data nobody's: erasing on request and after the time a company keeps things.

Rows stay where they are and lose what says who it was, so that every figure stays as it is. That the bytes leave the files
as well is a job of the same unit of work; the store does it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import and_, case, func, or_
from sqlalchemy.sql.elements import ColumnElement

import jobs
import times
from errors import not_found
from models import FINISHED
from services import learning, sessions, traces
from services.customers import by_name as customers_by_name
from services.history import Change, record
from storage import Desk, Row
from tables import customers, events, replies, tickets, users
from tables import jobs as jobs_table

ERASED = "(erased)"
LANE, SCRUB = "upkeep", "scrub"
BATCH = 100  # tickets in a unit of work: nobody waits long for it
DAY = 24 * 3600
t = tickets.c
Condition = ColumnElement[bool]
# What a figure counts by being there is not emptied: whether the AI answered, and that there was something to answer.
_NOBODYS: dict[str, Any] = {
    "title": ERASED,
    "description": ERASED,
    **dict.fromkeys(("customer_email", "customer_id", "customer_name", "product", "resolution", "external_id"), ""),
    "ai_response": case((t.ai_response != "", ERASED), else_=""),
    "ai_status": case((t.ai_status == "pending", "off"), else_=t.ai_status),  # an answer under way comes too late
    **{name: [] for name in ("ai_citations", "triage_reasons", "tags")},
    "version": t.version + 1,
}


@dataclass(frozen=True, slots=True)
class Erased:
    """Who was erased: how many tickets, and the address of the account that went with them ("" without one)."""

    tickets: int
    account: str


def person(desk: Desk, name: str, *, lock: bool = False) -> Row:
    """The customer row of an e-mail address, in any spelling, or a customer id. Raises AppError 404."""
    found = desk.first(customers_by_name(desk.rows(customers), name))
    row = desk.get(customers, found["id"], lock=lock) if found else None
    if row is None:
        raise not_found()
    return row


def erase(desk: Desk, name: str) -> Erased:
    """Makes everything held about a customer nobody's, and asks for the files to be scrubbed. Raises AppError 404."""
    row = person(desk, name, lock=True)
    theirs = desk.find(desk.rows(tickets, t.id, t.customer_name).where(t.customer_row == row["id"]))
    ids = [ticket["id"] for ticket in theirs]
    names = traces.not_staff(desk, _names(row, theirs))
    sure = traces.sure_names(desk, row, names)
    learning.erase_given(desk, t.customer_row == row["id"], names)
    for start in range(0, len(theirs), BATCH):
        portion = theirs[start : start + BATCH]
        _empty(desk, [ticket["id"] for ticket in portion])
        _unname(desk, row, portion)
    traces.forget_calls_about(desk, ids)
    account = _remove_account(desk, row["email"])
    traces.clear_actors(desk, names & {row["email"], row["customer_id"]})
    traces.clear_record(desk, sure)
    traces.forget_calls_of(desk, row, sure)
    traces.forget_jobs(desk, sure)
    desk.update(customers, row["id"], {"email": "", "customer_id": "", "name": ""})
    record(desk, row["id"], [Change("customer_erased", "tickets", "", len(theirs))], subject="customer")
    jobs.enqueue(desk, [jobs.Job(LANE, SCRUB, delay_seconds=60)])
    return Erased(len(theirs), account)


def _names(row: Row, theirs: Iterable[Row]) -> set[str]:
    return {row["email"], row["customer_id"], row["name"], *(ticket["customer_name"] for ticket in theirs)} - {""}


def _empty(desk: Desk, ids: list[str]) -> None:
    """Takes what was written out of tickets, threads and histories, and what is still to be done or answered about them."""
    desk.update_where(tickets, t.id.in_(ids), erased_at=desk.now, **_NOBODYS)
    desk.update_where(replies, replies.c.ticket_id.in_(ids), body=ERASED)
    traces.empty_history(desk, events.c.subject_id.in_(ids))
    desk.delete(jobs_table, jobs_table.c.ticket_id.in_(ids))
    learning.unlearn(desk, ids)


def _unname(desk: Desk, row: Row, theirs: Sequence[Row]) -> None:
    """Takes a customer's names out of the threads and histories of their tickets: things happened, by the same hands."""
    names = traces.not_staff(desk, _names(row, theirs))
    ids, r = [ticket["id"] for ticket in theirs], replies.c
    desk.update_where(replies, r.ticket_id.in_(ids), r.author_role == "customer", author_name="", author_email="")
    traces.unname_replies(desk, r.ticket_id.in_(ids), names)
    traces.unname_history(desk, events.c.subject_id.in_(ids), names)


def _remove_account(desk: Desk, email: str) -> str:
    """Removes the account a customer signs in with; gives its address, "" when there is none."""
    mine = desk.rows(users).where(users.c.email == email, users.c.email != "", users.c.role == "customer")
    account = desk.first(mine)
    if account is None:
        return ""
    sessions.end_all(desk, account["id"])
    desk.delete(users, users.c.id == account["id"])
    of_it = (events.c.subject == "user") & (events.c.subject_id == account["id"])
    traces.empty_history(desk, of_it)
    traces.unname_history(desk, of_it, {email, account["name"]} - {""})
    return email


def old_tickets(desk: Desk, days: int) -> list[str]:
    """Tickets that were resolved or closed and left alone for `days`."""
    return [row["id"] for row in desk.find(desk.rows(tickets, t.id).where(*_is_due(desk, days)))]


def old_customers(desk: Desk, days: int) -> list[str]:
    """Customers known for `days` or longer who have no ticket that is kept."""
    return [row["id"] for row in desk.find(desk.rows(customers, customers.c.id).where(*_is_left_alone(desk, days)))]


def erase_old_tickets(desk: Desk, ids: list[str], days: int) -> int:
    """Erases those of the tickets that are still due; tells how many."""
    chosen = desk.rows(tickets, t.id, t.customer_name, t.customer_row)
    found = desk.find(chosen.where(t.id.in_(ids), *_is_due(desk, days)).order_by(t.customer_row))
    learning.erase_given(desk, t.id.in_([ticket["id"] for ticket in found]))
    _empty(desk, [ticket["id"] for ticket in found])
    traces.forget_calls_about(desk, [ticket["id"] for ticket in found])
    people = desk.rows(customers).where(customers.c.id.in_({ticket["customer_row"] for ticket in found}))
    rows = {row["id"]: row for row in desk.find(people)}
    for customer_row, theirs in groupby(found, key=lambda ticket: ticket["customer_row"]):
        _unname(desk, rows[customer_row], list(theirs))
    return len(found)


def forget_people(desk: Desk, ids: list[str], days: int) -> int:
    """Takes the names of those of the customers that still have no ticket to keep; tells how many. Accounts stay."""
    found = desk.find(desk.rows(customers).where(customers.c.id.in_(ids), *_is_left_alone(desk, days)))
    acted_as = {row[name] for row in found for name in ("email", "customer_id")} - {""}
    traces.clear_actors(desk, traces.not_staff(desk, acted_as))
    chosen = customers.c.id.in_([row["id"] for row in found])
    desk.update_where(customers, chosen, email="", customer_id="", name="")
    return len(found)


def note_retention(desk: Desk, counts: Mapping[str, int]) -> None:
    """Puts on record what retention did."""
    changes = [Change("retention_applied", thing, "", count) for thing, count in counts.items() if count]
    record(desk, desk.actor.company_id, changes, subject="company")


def ask_for_scrubbing(desk: Desk) -> None:
    """Asks for the files to be scrubbed, should this process not live to do it at the end of its round."""
    jobs.enqueue(desk, [jobs.Job(LANE, SCRUB, delay_seconds=600)])


def _is_due(desk: Desk, days: int) -> list[Condition]:
    limit = _limit(desk, days)
    # An import is a change, but a ticket that only came in finished is as old as its end.
    unchanged = and_(t.version == 1, func.coalesce(t.closed_at, t.resolved_at) < limit)
    return [t.status.in_(FINISHED), or_(t.updated_at < limit, unchanged), t.erased_at.is_(None)]


def _is_left_alone(desk: Desk, days: int) -> list[Condition]:
    c = customers.c
    kept = desk.rows(tickets, t.id).where(t.customer_row == c.id, t.erased_at.is_(None)).exists()
    named = or_(c.email != "", c.customer_id != "", c.name != "")
    return [c.created_at < _limit(desk, days), named, ~kept]


def _limit(desk: Desk, days: int) -> str:
    return times.later(desk.real_now, seconds=-days * DAY)
