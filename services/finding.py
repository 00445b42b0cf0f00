"""Lists of tickets: which filters there are, and how many tickets meet them. Only reads; pages.py reads the pages."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, and_, func, or_, true
from sqlalchemy.sql.elements import ColumnElement

import models
import normal_form
import times
from models import ticket_fields
from services import pages, tallies
from storage import Desk, Row
from tables import customers, tickets

t = tickets.c
REMEMBERED_ROWS = 50  # what galleries ask for again and again; longer pages are not worth their memory
Condition = ColumnElement[bool]
NEWEST = "-created_at"
READ = (tickets, customers)  # the tables that filters look at
PAGE = ("sort", "limit", "offset")


def _any_of(name: str) -> Callable[[Desk, Any], Condition]:
    return lambda desk, words: tallies.one_of(t[name], words)


def _is(name: str) -> Callable[[Desk, Any], Condition]:
    return lambda desk, value: t[name] == value


def _assigned_to(desk: Desk, agent: str) -> Condition:
    return tallies.one_of(t.assigned_to, _either(agent))


def _either(agent: str) -> list[str]:
    return sorted({agent, agent.lower(), normal_form.email(agent)})


def _written_by(desk: Desk, person: Condition) -> Condition:
    return t.customer_row.in_(desk.rows(customers, customers.c.id).where(person))


def _named(column: ColumnElement[str], name: str) -> Condition:
    return and_(column == name, column != "")  # the indexes of customers hold only what is set


def _has_tag(desk: Desk, tag: str) -> Condition:
    return t.id.in_(pages.tagged(desk, tag))


FILTERS: dict[str, Callable[[Desk, Any], Condition]] = {
    **{name: _any_of(name) for name in "status priority category assigned_team sentiment customer_tier source".split()},
    **{name: _is(name) for name in "external_id product topic".split()},
    "assigned_to": _assigned_to,
    "tag": _has_tag,
    "customer_email": lambda desk, email: _written_by(desk, _named(customers.c.email, email)),
    "customer_id": lambda desk, customer_id: _written_by(desk, _named(customers.c.customer_id, customer_id)),
    "created_after": lambda desk, moment: t.created_at > moment,
    "created_before": lambda desk, moment: t.created_at < moment,
    "updated_since": lambda desk, moment: t.updated_at >= moment,
}
# Whose tickets `user` means, by the role named beside it.
_PERSON: dict[str, Callable[[Desk, str], Condition]] = {
    "customer": lambda desk, user: _written_by(
        desk, or_(_named(customers.c.email, normal_form.email(user)), _named(customers.c.customer_id, user))
    ),
    "agent": _assigned_to,
    "admin": lambda desk, user: true(),
}


def find(desk: Desk, wanted: Row) -> tuple[list[Row], int]:
    """One page of the tickets that meet every filter in `wanted`, as this actor may see them, and how many meet them.

    In the order of `sort`; where nothing is said, what fits the words of `q` best comes first, and without them the newest.
    """
    if "q" not in wanted:
        wanted = {"sort": NEWEST, **wanted}
    if set(wanted.get("status", ())) >= set(models.STATUSES):
        wanted = {name: value for name, value in wanted.items() if name != "status"}
    said = {name: str(value) for name, value in wanted.items()}
    filters = tuple(item for item in said.items() if item[0] not in PAGE)
    counts = desk.remembered(READ, ("counts", filters), lambda: _counts(desk, wanted))
    if wanted["offset"] >= counts[""]:
        return [], counts[""]
    if wanted["limit"] > REMEMBERED_ROWS:
        return _page(desk, wanted, counts), counts[""]
    page = desk.remembered(READ, ("page", tuple(said.items())), lambda: _page(desk, wanted, counts))
    return page, counts[""]


def _counts(desk: Desk, wanted: Row) -> dict[str, int]:
    """How many tickets meet every filter, under "", and where tallies tell, how many meet each one, under its name."""
    words = _words(wanted)
    tallied = None if words is None else tallies.counts(desk, words)
    return tallied or {"": desk.count(_chosen(desk, _conditions(desk, wanted), wanted))}


def _words(wanted: Row) -> dict[str, list[str]] | None:
    """The filters as the words each field may have; None when there is one that is not of that kind."""
    words = {name: value for name, value in wanted.items() if name not in (*PAGE, "user", "role")}
    if "user" in wanted and wanted["role"] != "admin":
        if wanted["role"] == "customer" or "assigned_to" in words:
            return None
        words["assigned_to"] = wanted["user"]
    if "assigned_to" in words:
        words["assigned_to"] = _either(words["assigned_to"])
    return {name: [value] if isinstance(value, str) else value for name, value in words.items()}


def _page(desk: Desk, wanted: Row, counts: dict[str, int]) -> list[Row]:
    conditions = _conditions(desk, wanted)
    if "sort" not in wanted:
        return pages.shown(desk, _chosen(desk, conditions, wanted, best_first=True), wanted)
    words = _words(wanted) if len(counts) > 1 else None
    way = pages.way(counts, words or {}, wanted["sort"])
    rows = _chosen(desk, pages.led(desk, conditions, way, wanted), wanted)
    return pages.read(desk, rows, way, wanted)


def _conditions(desk: Desk, wanted: Row) -> dict[str, Condition]:
    """Each filter by its name."""
    named = {name: FILTERS[name](desk, value) for name, value in wanted.items() if name in FILTERS}
    if "user" in wanted:
        named["assigned_to" if "assigned_to" not in named else "user"] = _PERSON[wanted["role"]](desk, wanted["user"])
    return named


def _chosen(desk: Desk, conditions: dict[str, Condition], wanted: Row, *, best_first: bool = False) -> Select[Any]:
    """The tickets of this actor that meet the conditions; `best_first` in the order of how well they fit the words."""
    chosen = desk.only(tickets, ticket_fields(desk.actor)).where(*conditions.values())
    return desk.search(chosen, wanted["q"], best_first=best_first) if "q" in wanted else chosen


def newer(desk: Desk, column: str, after: str, *, limit: int) -> tuple[list[Row], int]:
    """For pollers: tickets whose `column` time is later than `after`, newest first, and how many there are in all.

    With `after` the oldest `limit` of them, and whoever shares the time of the last one as well, so more than `limit` if need
    be: a poller that sends the newest time it saw as the next `after` misses none. Without (""): the newest `limit`.
    """
    moment = t[column]
    newest_first = (moment.desc(), t.id.desc())
    chosen = desk.only(tickets, ticket_fields(desk.actor))
    if not after:
        known = tallies.counts(desk, {})
        total = desk.count(chosen) if known is None else known[""]
        return desk.shapes(chosen.order_by(*newest_first).limit(limit), tickets, ticket_fields(desk.actor)), total
    later = desk.rows(tickets, moment).where(moment > after)
    last = later.order_by(moment).limit(1).offset(limit - 1).scalar_subquery()
    # One statement, so that a write between two does not part a moment.
    page = chosen.where(moment > after, moment <= func.coalesce(last, times.LAST)).order_by(*newest_first)
    return desk.shapes(page, tickets, ticket_fields(desk.actor)), desk.count(later)
