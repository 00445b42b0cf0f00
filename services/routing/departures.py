"""What becomes of the open tickets of an agent who leaves: they go back to the queues of their teams, and this is told once.

An agent leaves when they are deleted, disabled, or no longer staff. The first tickets go back in the unit of work of
that change. A job moves the others in batches, so other writers do not wait long.
"""

from sqlalchemy.sql.elements import ColumnElement

from core.models import OPEN
from database.tables import tickets
from services import outbox
from services.accounts import staff
from services.history import Change, record
from services.routing import agents
from services.tickets import background_assignment, notifications
from storage import Row, UnitOfWork

QUEUE, RETURN_TICKETS = "routing", "return_tickets"
AT_ONCE = 10  # tickets per unit of work: other writers wait for so many at most
t = tickets.c


def after_change(uow: UnitOfWork, before: Row, after: Row | None) -> None:
    """After a user was changed, or deleted (`after` None): an agent's tickets go back, or follow a new address."""
    if not _is_agent(before):
        return
    stays = after is not None and _is_agent(after)
    if stays and after and after["email"] == before["email"]:
        return
    to = after["email"] if stays and after else ""
    number = uow.count(uow.query(tickets).where(*_open_of(before["email"])))
    if not number:
        return
    first = uow.first(uow.query(tickets).where(*_open_of(before["email"])).order_by(t.created_at, t.id))
    if not to and first:
        action = Change("tickets_returned", "tickets", "", number)
        record(uow, before["id"], [action], subject="user")
        notifications.notify_returned(uow, first, before["name"] or before["email"], number)
    move_some(uow, before["email"], to)
    if number > AT_ONCE:
        payload = {"agent": before["email"], "to": to}
        outbox.enqueue(uow, [outbox.Job(QUEUE, RETURN_TICKETS, payload=payload)])


def move_some(uow: UnitOfWork, agent: str, to: str) -> bool:
    """Moves up to AT_ONCE open tickets of an agent to their teams' queues, or to the agent `to`. Returns whether there are more.

    Nothing is moved from somebody who is an agent again.
    """
    if agents.is_agent(uow, agent):
        return False
    rows = uow.find(uow.query(tickets, t.id).where(*_open_of(agent)).order_by(t.created_at, t.id).limit(AT_ONCE))
    for row in rows:
        background_assignment.move_from(uow, row["id"], agent, to)
    return len(rows) == AT_ONCE


def _open_of(agent: str) -> tuple[ColumnElement[bool], ...]:
    return t.assigned_to == agent, t.status.in_(OPEN), t.erased_at.is_(None)


def _is_agent(user: Row) -> bool:
    return staff.is_at_work(user) and bool(user["email"])
