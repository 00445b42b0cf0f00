"""Deletes tickets: what other tickets hold of them goes with them, and what was merged into them becomes their own again."""

from database.tables import attachments, events, merges, tickets
from services.attachments import removal as files
from services.history import Change, record
from services.tickets import changes, incidents, links
from services.triage import training_examples
from storage import UnitOfWork

t = tickets.c


def remove(uow: UnitOfWork, ticket_id: str, version: int | None) -> None:
    """Deletes the ticket, its thread and waiting jobs. Its events stay without their values. Raises AppError 404, 412."""
    ticket = changes.get_for_update(uow, ticket_id, version, even_erased=True)
    uow.update_where(events, events.c.subject_id == ticket["id"], from_value="", to_value="", said_by="")
    record(uow, ticket["id"], [Change("deleted", "number", ticket["number"])])
    links.remove_all(uow, ticket)
    _separate(uow, ticket_id)
    training_examples.forget_tickets(uow, [ticket["id"]])
    incidents.leave(uow, [ticket["id"]])
    files.remove_rows(uow, attachments.c.ticket_id == ticket["id"])
    uow.delete(tickets, t.id == ticket["id"])


def _separate(uow: UnitOfWork, ticket_id: str) -> None:
    """Makes the tickets that were merged into this one their own again. They stay closed."""
    rows = uow.find(uow.query(tickets).where(t.merged_into == ticket_id, t.merged_into != ""))
    for row in rows:
        changes.write(uow, row, {"merged_into": ""}, "unmerged")
    uow.delete(merges, merges.c.ticket_id.in_([row["id"] for row in rows]))
