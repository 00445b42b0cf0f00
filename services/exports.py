"""What leaves the desk whole: all tickets of a company with their threads, and everything held about one person. Only reads."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, or_

from models import TICKET_FIELDS, audit_shape, event_shape, reply_shape, ticket_shape
from services import customers, people, privacy
from storage import Desk, Row
from tables import events, jobs, replies, tickets, users

PAGE = 100
# What spreadsheets take for a formula (OWASP, CSV injection), in full width too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NOTICE_FIELDS = "id ticket_id lane kind state run_at created_at".split()

OpenDesk = Callable[[], AbstractContextManager[Desk]]
t = tickets.c


@dataclass(frozen=True, slots=True)
class Extent:
    """Which tickets an export holds: those there when it began, of a period ("" for no limit)."""

    last_id: str
    after: str = ""
    before: str = ""


def begin(desk: Desk, *, after: str = "", before: str = "") -> Extent:
    """What is there now."""
    newest = desk.aggregate(desk.rows(tickets, func.max(t.id)))[0][0]
    return Extent(newest or "", after, before)


def pages(open_desk: OpenDesk, extent: Extent) -> Iterator[list[Row]]:
    """The tickets whole, oldest first, a page at a time, each read at a desk of its own so that nobody waits for the caller."""
    moment, ticket_id = extent.after, "~"  # the period begins after that moment: "~" is past every id
    while True:
        with open_desk() as desk:
            found = _page(desk, extent, moment, ticket_id)
            page = whole(desk, found)
        if page:
            yield page
        if len(found) < PAGE:
            return
        moment, ticket_id = found[-1]["created_at"], found[-1]["id"]


def _page(desk: Desk, extent: Extent, moment: str, ticket_id: str) -> list[Row]:
    # The first condition is what the index is searched by.
    chosen = desk.rows(tickets).where(
        t.created_at >= moment, or_(t.created_at > moment, t.id > ticket_id), t.id <= extent.last_id
    )
    if extent.before:
        chosen = chosen.where(t.created_at < extent.before)
    return desk.find(chosen.order_by(t.created_at, t.id).limit(PAGE))


def whole(desk: Desk, found: Iterable[Row]) -> list[Row]:
    """Tickets as staff see them, each with its thread, notes included, and its history."""
    shaped = {row["id"]: {**ticket_shape(row, desk.actor), "replies": [], "history": []} for row in found}
    said = desk.rows(replies).where(replies.c.ticket_id.in_(shaped)).order_by(replies.c.created_at, replies.c.id)
    for reply in desk.find(said):
        shaped[reply["ticket_id"]]["replies"].append(reply_shape(reply, desk.actor))
    happened = desk.rows(events).where(events.c.subject_id.in_(shaped), events.c.subject == "ticket")
    for event in desk.find(happened.order_by(events.c.created_at, events.c.id)):
        shaped[event["subject_id"]]["history"].append(event_shape(event))
    return list(shaped.values())


def as_json(found: Iterable[list[Row]], message: str) -> Iterator[bytes]:
    """The envelope around a list of tickets, in pieces; how many they are is known, and said, at the end."""
    yield b'{"success":true,"message":%b,"data":[' % orjson.dumps(message)
    total = 0
    for page in found:
        yield (b"," if total else b"") + b",".join(map(orjson.dumps, page))
        total += len(page)
    yield b'],"total":%d,"limit":%d,"offset":0}\n' % (total, total)


def as_csv(found: Iterable[list[Row]]) -> Iterator[bytes]:
    """A row for each ticket under the names of its fields, the thread as one text at the end, in pieces."""
    yield "\ufeff".encode()  # without it spreadsheets take UTF-8 for something older
    yield _lines([[*TICKET_FIELDS, "thread"]])
    for page in found:
        yield _lines([_cells(ticket) for ticket in page])


def _lines(rows: Iterable[list[str]]) -> bytes:
    # Every cell in quotation marks: a list separator of another country must not make two cells of one.
    lines = io.StringIO()
    csv.writer(lines, quoting=csv.QUOTE_ALL).writerows(rows)
    return lines.getvalue().encode()


def _cells(ticket: Row) -> list[str]:
    values = [ticket.get(name, "") for name in TICKET_FIELDS]
    return [_harmless(_as_text(value)) for value in (*values, _thread(ticket["replies"]))]


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


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def about(desk: Desk, name: str) -> Row:
    """Everything held about a customer. Raises AppError 404."""
    row = privacy.person(desk, name)
    names = {row["email"], row["customer_id"]} - {""}
    theirs = desk.rows(tickets).where(t.customer_row == row["id"]).order_by(t.created_at, t.id)
    held = whole(desk, desk.find(theirs))
    account = desk.first(desk.rows(users).where(users.c.email == row["email"], users.c.email != ""))
    said = [events.c.said_by.startswith(f"{name} (", autoescape=True) for name in names]
    acted = or_(events.c.actor.in_(names), events.c.said_by.in_(names), *said)
    found = desk.find(desk.rows(events).where(acted).order_by(events.c.created_at, events.c.id))
    return {
        "customer": customers.profile(desk, name),
        "tickets": held,
        "notices": _waiting(desk, row),
        **({"account": people.user_shape(account)} if account else {}),
        "events": [audit_shape(event) for event in found],
    }


def _waiting(desk: Desk, row: Row) -> list[Row]:
    of_theirs = jobs.c.ticket_id.in_(desk.rows(tickets, t.id).where(t.customer_row == row["id"]))
    waiting = desk.rows(jobs).where(of_theirs, jobs.c.state.in_(("waiting", "running")))
    found = desk.find(waiting.order_by(jobs.c.created_at, jobs.c.id))
    return [{name: job[name] for name in NOTICE_FIELDS} for job in found]
