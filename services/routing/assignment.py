"""Automatic assignment: the tickets that wait in the queues of teams with `least_loaded` go to agents who are free.

A new ticket is assigned when it is created (services/tickets/create.py). The periodic job takes what waits: because nobody was
free, because the model's answer came first, or because its agent left.
"""

from sqlalchemy import and_, or_

from core import timestamps
from core.models import Actor
from database.tables import events, teams, tickets
from services.routing import agents, plan
from services.tickets import background_assignment
from storage import UnitOfWork

BATCH = 25  # tickets per unit of work, so that other writers do not wait long
MOST_LOOKED_AT = 200  # of one team: some may have been taken from everybody who is free
PENDING_SECONDS = 600  # a ticket whose answer of the model takes longer is assigned without it
t = tickets.c


def company_ids(uow: UnitOfWork) -> list[str]:
    """The companies, of all, that have a team which is assigned automatically."""
    query = uow.query(teams, teams.c.company_id).where(teams.c.assignment == "least_loaded")
    return [row["company_id"] for row in uow.find(query.distinct())]


def is_possible(uow: UnitOfWork) -> bool:
    """Whether a waiting ticket of the company could be assigned now. It reads, so that a writer is opened only for a reason."""
    waiting = [team for team in plan.current(uow).automatic if _waiting(uow, team, 1)]
    pool = agents.Pool(uow) if waiting else None
    return pool is not None and any(pool.choose(team, helpers=False) for team in waiting)


def assign_some(uow: UnitOfWork) -> bool:
    """Assigns up to BATCH waiting tickets of the company. Returns whether there may be more to assign."""
    pool = agents.Pool(uow)
    number = 0
    for team in sorted(plan.current(uow).automatic):
        if not pool.choose(team, helpers=False):
            continue
        for ticket_id in _waiting(uow, team, MOST_LOOKED_AT):
            if number >= BATCH:
                return True
            choice = pool.choose(team, helpers=False, exclude=_taken_from(uow, ticket_id))
            if choice and background_assignment.assign_waiting(uow, ticket_id, choice):
                pool.note(choice.email)
                number += 1
            if not pool.choose(team, helpers=False):
                break
    return False


def _waiting(uow: UnitOfWork, team: str, limit: int) -> list[str]:
    """The ids of tickets that wait for an agent of the team: handed-over conversations first, then who waits for longest."""
    long_ago = timestamps.later(uow.real_now, seconds=-PENDING_SECONDS)
    answered = or_(t.ai_status != "pending", t.queue_since < long_ago)
    waits = and_(t.queue_since.is_not(None), t.assigned_to == "", t.assigned_team == team, t.erased_at.is_(None))
    query = uow.query(tickets, t.id).where(waits, answered).order_by(t.queue_place, t.created_at, t.id).limit(limit)
    return [row["id"] for row in uow.find(query)]


def _taken_from(uow: UnitOfWork, ticket_id: str) -> set[str]:
    """The agents from whom a person took the ticket: it does not go back to them by itself."""
    e = events.c
    rows = uow.find(
        uow.query(events, e.from_value, e.actor).where(
            e.subject_id == ticket_id, e.action == "unassigned", e.field == "assigned_to"
        )
    )
    return {row["from_value"] for row in rows if row["actor"] != Actor.system("").name}
