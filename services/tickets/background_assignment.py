"""Changes of who has a ticket that nobody asked for: automatic assignment, and what an agent who leaves had."""

from core.models import FINISHED
from database.tables import tickets
from services.routing import agents
from services.tickets import changes
from storage import Row, UnitOfWork


def assign_waiting(uow: UnitOfWork, ticket_id: str, choice: agents.Choice) -> bool:
    """Assigns a ticket that still waits in the queue of its team; returns whether it did. The version stays."""
    ticket = uow.get(tickets, ticket_id, lock=True)
    if ticket is None or not ticket["queue_since"] or ticket["assigned_to"] or ticket["erased_at"]:
        return False
    changes.assign_to(uow, ticket, choice.email, reason=choice.reason, background=True)
    return True


def move_from(uow: UnitOfWork, ticket_id: str, agent: str, to: str) -> None:
    """Takes an open ticket from an agent who left, or gives it to their new address `to`: one event, and no mail."""
    ticket = uow.get(tickets, ticket_id, lock=True)
    if ticket is None or ticket["assigned_to"] != agent or ticket["status"] in FINISHED or ticket["erased_at"]:
        return
    values: Row = {"assigned_to": to} if to else changes.unassign_fields(ticket)
    changes.write(uow, ticket, values, "assigned" if to else "unassigned", recorded=("assigned_to",))


def keep_out_of_queue(uow: UnitOfWork, ticket_id: str) -> None:
    """A ticket of the past is neither assigned by itself nor escalated, until its state changes."""
    uow.update(tickets, ticket_id, {"queue_since": None})
