"""Exports: all tickets of a company with threads and history, and all data about one customer. Only reads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import orjson
from sqlalchemy import func, or_

from core.models import TICKET_FIELDS, audit_shape, event_shape, reply_shape, ticket_shape
from database.tables import attachments, drafts, events, jobs, replies, tickets
from database.tables import users as users_table
from services.accounts import own_sessions, users
from services.attachments.on_tickets import attachment_shape
from services.import_export import spreadsheets
from services.import_export.csv_cells import BOM, escape_formula, lines
from services.inbound import records as inbound
from services.privacy import erasure
from services.tickets import customers, watchers
from storage import OpenUnitOfWork, Row, UnitOfWork

PAGE = 100
NOTICE_FIELDS = "id ticket_id lane kind state run_at created_at".split()

t = tickets.c


@dataclass(frozen=True, slots=True)
class Extent:
    """The tickets of an export: those that existed at its start, within a period ("" for no limit)."""

    last_id: str
    after: str = ""
    before: str = ""


def current_extent(uow: UnitOfWork, *, after: str = "", before: str = "") -> Extent:
    """The extent of an export that starts now."""
    newest = uow.aggregate(uow.query(tickets, func.max(t.id)))[0][0]
    return Extent(newest or "", after, before)


def pages(open_uow: OpenUnitOfWork, extent: Extent) -> Iterator[list[Row]]:
    """Pages of tickets with threads, oldest first. Each page has its own unit of work, so a slow client blocks nobody."""
    moment, ticket_id = extent.after, "~"  # the period begins after that moment: "~" is past every id
    while True:
        with open_uow() as uow:
            rows = _page(uow, extent, moment, ticket_id)
            page = with_threads(uow, rows)
        if page:
            yield page
        if len(rows) < PAGE:
            return
        moment, ticket_id = rows[-1]["created_at"], rows[-1]["id"]


def _page(uow: UnitOfWork, extent: Extent, moment: str, ticket_id: str) -> list[Row]:
    # The first condition lets the database use the index.
    rows = uow.query(tickets).where(
        t.created_at >= moment, or_(t.created_at > moment, t.id > ticket_id), t.id <= extent.last_id
    )
    if extent.before:
        rows = rows.where(t.created_at < extent.before)
    return uow.find(rows.order_by(t.created_at, t.id).limit(PAGE))


def with_threads(uow: UnitOfWork, rows: Iterable[Row]) -> list[Row]:
    """Tickets as staff see them, each with its history and its thread including internal notes."""
    tickets_by_id = {row["id"]: {**ticket_shape(row, uow.actor), "replies": [], "history": []} for row in rows}
    thread = (
        uow.query(replies).where(replies.c.ticket_id.in_(tickets_by_id)).order_by(replies.c.created_at, replies.c.id)
    )
    for reply in uow.find(thread):
        tickets_by_id[reply["ticket_id"]]["replies"].append(reply_shape(reply, uow.actor))
    history = uow.query(events).where(events.c.subject_id.in_(tickets_by_id), events.c.subject == "ticket")
    for event in uow.find(history.order_by(events.c.created_at, events.c.id)):
        tickets_by_id[event["subject_id"]]["history"].append(event_shape(event))
    return list(tickets_by_id.values())


def as_json(batches: Iterable[list[Row]], message: str) -> Iterator[bytes]:
    """The JSON response as chunks; the total comes at the end, when it is known."""
    yield b'{"success":true,"message":%b,"data":[' % orjson.dumps(message)
    total = 0
    for page in batches:
        yield (b"," if total else b"") + b",".join(map(orjson.dumps, page))
        total += len(page)
    yield b'],"total":%d,"limit":%d,"offset":0}\n' % (total, total)


def as_csv(batches: Iterable[list[Row]]) -> Iterator[bytes]:
    """CSV as chunks: one row per ticket, the thread as one text in the last column."""
    yield BOM
    yield lines([[*TICKET_FIELDS, "thread"]])
    for page in batches:
        yield lines([_cells(ticket) for ticket in page])


def as_sheet(batches: Iterable[list[Row]]) -> IO[bytes]:
    """An Excel file, at its beginning: one row per ticket, the thread as one text in the last column. Raises AppError 400."""
    return spreadsheets.write([*TICKET_FIELDS, "thread"], (_plain_cells(ticket) for page in batches for ticket in page))


def _cells(ticket: Row) -> list[str]:
    return [escape_formula(cell) for cell in _plain_cells(ticket)]


def _plain_cells(ticket: Row) -> list[str]:
    values = [ticket.get(name, "") for name in TICKET_FIELDS]
    return [_as_text(value) for value in (*values, _thread(ticket["replies"]))]


def _as_text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(item if isinstance(item, str) else orjson.dumps(item).decode() for item in value)
    return str(value)


def _thread(entries: Iterable[Row]) -> str:
    return "\n".join(_line(entry) for entry in entries)


def _line(entry: Row) -> str:
    role = f"{entry['author_role']}, note" if entry["internal"] else entry["author_role"]
    who = " ".join(word for word in (entry["author_name"], f"<{entry['author_email']}>") if word not in ("", "<>"))
    return f"{entry['created_at']} {role} {who}: {' '.join(entry['body'].split())}"


def personal_data(uow: UnitOfWork, name: str) -> Row:
    """All data about a customer. Raises AppError 404."""
    row = erasure.get_customer(uow, name)
    names = {row["email"], row["customer_id"]} - {""}
    theirs = uow.query(tickets).where(t.customer_row == row["id"]).order_by(t.created_at, t.id)
    held_tickets = with_threads(uow, uow.find(theirs))
    account = uow.first(uow.query(users_table).where(users_table.c.email == row["email"], users_table.c.email != ""))
    said = [events.c.said_by.startswith(f"{name} (", autoescape=True) for name in names]
    acted = or_(events.c.actor.in_(names), events.c.said_by.in_(names), *said)
    actions = uow.find(uow.query(events).where(acted).order_by(events.c.created_at, events.c.id))
    return {
        "customer": customers.profile(uow, name),
        "tickets": [_without_others(ticket) for ticket in held_tickets],
        "attachments": _attachments(uow, row),
        "drafts": _drafts(uow, row),
        "notices": _pending_notices(uow, row),
        "messages": inbound.of_customer(uow, row),
        "watched": watchers.watched_by(uow, row["email"]),
        **({"account": users.user_shape(account)} if account else {}),
        "sessions": own_sessions.of_user(uow, account["id"]) if account else [],
        "events": [audit_shape(event) for event in actions],
    }


def _attachments(uow: UnitOfWork, row: Row) -> list[Row]:
    """The files of their tickets; GET /api/attachments/{id} has the bytes."""
    of_theirs = attachments.c.ticket_id.in_(uow.query(tickets, t.id).where(t.customer_row == row["id"]))
    rows = uow.find(uow.query(attachments).where(of_theirs).order_by(attachments.c.created_at, attachments.c.id))
    return [attachment_shape(one, uow.actor) for one in rows]


def _without_others(ticket: Row) -> Row:
    """A ticket without what is about other people: who watches it, and tickets that are linked."""
    about_others = ("watchers", "links")
    history = [event for event in ticket["history"] if event["field"] not in about_others]
    return {name: value for name, value in ticket.items() if name not in about_others} | {"history": history}


def _drafts(uow: UnitOfWork, row: Row) -> list[Row]:
    of_theirs = drafts.c.ticket_id.in_(uow.query(tickets, t.id).where(t.customer_row == row["id"]))
    rows = uow.find(uow.query(drafts).where(of_theirs).order_by(drafts.c.created_at, drafts.c.id))
    return [{name: draft[name] for name in ("id", "ticket_id", "body", "source", "created_at")} for draft in rows]


def _pending_notices(uow: UnitOfWork, row: Row) -> list[Row]:
    of_theirs = jobs.c.ticket_id.in_(uow.query(tickets, t.id).where(t.customer_row == row["id"]))
    waiting = uow.query(jobs).where(of_theirs, jobs.c.state.in_(("waiting", "running")))
    pending = uow.find(waiting.order_by(jobs.c.created_at, jobs.c.id))
    return [{name: job[name] for name in NOTICE_FIELDS} for job in pending]
