"""Finds incidents among a company's newest tickets, and which new tickets join an open one.

Nothing here makes a new ticket wait: jobs/incidents.py calls this after tickets are committed. What is found depends
on the rows alone. So it is found again after a crash, and once by several processes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ai import incidents as alike_texts
from ai.arrays import Floats
from ai.incidents import WINDOW_SECONDS
from core import timestamps
from database.tables import companies, tickets
from database.tables import incidents as table
from services import settings
from services.tickets import incidents
from storage import Row, UnitOfWork

MOST_TICKETS = 300  # newest tickets of a company that are compared, and as many from before the window
DAY_SECONDS = 24 * 3600  # how old they may be: what is usual is read from them
FRESH_SECONDS = 2 * WINDOW_SECONDS  # an older ticket neither makes an incident nor joins one
AHEAD_SECONDS = 60  # a ticket that arrived later than now by more was written while the clock was wrong
MOST_MEMBERS = 50  # newest tickets of an open incident that a new one is compared with
MOST_OPEN = 20  # open incidents of a company that a new ticket may join
t = tickets.c

Vectors = Callable[[Sequence[str]], Floats]  # the vectors of the tickets with these ids


@dataclass(frozen=True, slots=True)
class State:
    """A company's newest tickets, the earliest first, and its open incidents with their newest tickets."""

    rows: list[Row]
    open_incidents: list[Row]
    members: dict[str, list[str]]
    least_customers: int
    real_now: str

    def ids(self) -> list[str]:
        """The ids of all tickets that are compared."""
        return list(
            dict.fromkeys([*(row["id"] for row in self.rows), *(i for ids in self.members.values() for i in ids)])
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Tickets that make an incident, or that join the one with `incident_id`."""

    ids: list[str]
    incident_id: str = ""


def ticket_numbers(uow: UnitOfWork) -> dict[str, int]:
    """The newest ticket number of each company with tickets: it tells where there are new tickets."""
    query = uow.query(companies, companies.c.id, companies.c.last_number).where(companies.c.last_number > 0)
    return {row["id"]: row["last_number"] for row in uow.find(query)}


def load(uow: UnitOfWork) -> State | None:
    """What is compared in the actor's company; None when incidents are switched off or no new ticket is without one."""
    company_settings = settings.current(uow)
    if not company_settings["incidents_enabled"]:
        return None
    now = uow.real_now
    day_ago, latest = timestamps.later(now, seconds=-DAY_SECONDS), timestamps.later(now, seconds=AHEAD_SECONDS)
    fresh = timestamps.later(now, seconds=-FRESH_SECONDS)
    # A ticket's created_at is never before its arrival, so the index of created_at bounds the search.
    is_recent = (t.created_at >= day_ago, t.arrived_at >= day_ago, t.arrived_at <= latest, t.erased_at.is_(None))
    query = uow.query(tickets, t.id, t.number, t.customer_row, t.arrived_at, t.incident_id).where(*is_recent)
    newest_first = query.order_by(t.created_at.desc(), t.id.desc()).limit(MOST_TICKETS)
    since = timestamps.later(now, seconds=-WINDOW_SECONDS)
    # Two portions, so that a company with very many tickets in the window still has what is usual.
    rows = uow.find(newest_first.where(t.arrived_at >= since)) + uow.find(newest_first.where(t.arrived_at < since))
    rows = sorted(rows, key=lambda row: (row["arrived_at"], row["number"]))
    if not any(row["arrived_at"] >= fresh and not row["incident_id"] for row in rows):
        return None
    open_incidents = incidents.joinable(uow, since=fresh)[:MOST_OPEN]
    members = {row["id"]: _newest_members(uow, row["id"]) for row in open_incidents}
    return State(rows, open_incidents, members, max(2, company_settings["incident_customers"]), now)


def _newest_members(uow: UnitOfWork, incident_id: str) -> list[str]:
    query = uow.query(tickets, t.id).where(t.incident_id == incident_id, t.incident_id != "")
    return [row["id"] for row in uow.find(query.order_by(t.created_at.desc(), t.id.desc()).limit(MOST_MEMBERS))]


def texts(uow: UnitOfWork, ids: Iterable[str]) -> dict[str, str]:
    """The text of each ticket as triage encodes it, so that a vector that is at hand is used."""
    query = uow.query(tickets, t.id, t.title, t.description).where(t.id.in_(list(ids)), t.erased_at.is_(None))
    return {row["id"]: f"{row['title']}. {row['description']}" for row in uow.find(query)}


def find(state: State, vectors: dict[str, Floats], *, alike: float) -> list[Finding]:
    """The tickets that join open incidents, and those that make a new one. Tickets without a vector are left out.

    One new incident at a time: what is alike to the whole of it joins before the rest makes another.
    """
    fresh = timestamps.later(state.real_now, seconds=-FRESH_SECONDS)
    free = [row for row in state.rows if not row["incident_id"] and row["id"] in vectors]
    joins: dict[str, list[str]] = {}
    newest = {incident["id"]: incident["newest_at"] for incident in state.open_incidents}
    members = {name: np.array([vectors[i] for i in ids if i in vectors]) for name, ids in state.members.items()}
    for row in free:
        for name in newest:
            within = _apart(row["arrived_at"], newest[name]) <= WINDOW_SECONDS and row["arrived_at"] >= fresh
            if within and alike_texts.belongs(vectors[row["id"]], members[name], alike=alike):
                joins.setdefault(name, []).append(row["id"])
                newest[name] = max(newest[name], row["arrived_at"])
                break
    findings = [Finding(ids, name) for name, ids in joins.items()]
    joined = {i for ids in joins.values() for i in ids}
    return findings + _new(state, vectors, joined, fresh, alike)


def _new(state: State, vectors: dict[str, Floats], joined: set[str], fresh: str, alike: float) -> list[Finding]:
    rows = [row for row in state.rows if row["id"] in vectors]
    places_in_incidents = [place for place, row in enumerate(rows) if row["incident_id"] or row["id"] in joined]
    if len(rows) - len(places_in_incidents) < state.least_customers:
        return []
    first = timestamps.moment(rows[0]["arrived_at"])
    groups = alike_texts.find_groups(
        np.array([vectors[row["id"]] for row in rows]),
        [(timestamps.moment(row["arrived_at"]) - first).total_seconds() for row in rows],
        [row["customer_row"] for row in rows],
        least_customers=state.least_customers,
        alike=alike,
        taken=places_in_incidents,
    )
    for group in groups:
        if rows[group[-1]]["arrived_at"] >= fresh:
            return [Finding([rows[place]["id"] for place in group])]
    return []


def _apart(one: str, other: str) -> float:
    return abs((timestamps.moment(one) - timestamps.moment(other)).total_seconds())


def store(uow: UnitOfWork, findings: Sequence[Finding], *, least_customers: int) -> None:
    """Stores what was found, as far as it still holds: another process may have been faster, or a ticket may be gone."""
    for finding in findings:
        is_free = (t.id.in_(finding.ids), t.incident_id == "", t.erased_at.is_(None))
        columns = (t.id, t.number, t.customer_row, t.arrived_at)
        rows = uow.find(uow.query(tickets, *columns).where(*is_free).order_by(t.created_at, t.id))
        if not finding.incident_id:
            if len({row["customer_row"] for row in rows}) >= least_customers:
                incidents.open_incident(uow, rows[: incidents.MOST_TICKETS])
            continue
        incident = uow.get(table, finding.incident_id, lock=True)
        if rows and incident is not None and incident["status"] == "open":
            incidents.join(uow, incident, rows)
