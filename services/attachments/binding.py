"""Binds files that were uploaded to a ticket to a reply of it."""

from collections.abc import Sequence

from core.errors import invalid_field
from database.tables import attachments
from services.tickets import merged
from storage import Row, UnitOfWork

a = attachments.c


def bind(uow: UnitOfWork, ticket_id: str, reply: Row, ids: Sequence[str]) -> None:
    """Makes files of the ticket files of the reply, as visible as it is. A customer binds only what customers added.

    Raises AppError 400, the same for an unknown file and one of another ticket, and for one that a reply has already.
    """
    file_ids = set(ids)
    if not file_ids:
        return
    of_thread = [ticket_id, reply["ticket_id"], *merged.sources(uow, reply["ticket_id"])]
    free = uow.query(attachments, a.id).where(a.id.in_(file_ids), a.ticket_id.in_(of_thread), a.reply_id == "")
    if uow.actor.is_customer:
        free = free.where(a.author_role == "customer")
    if len(uow.find(free.with_for_update())) != len(file_ids):
        raise invalid_field(
            "attachment_ids", "attachment_ids must name files of this ticket that no reply has yet. Upload them first."
        )
    bound = {"reply_id": reply["id"], "internal": reply["internal"], "ticket_id": reply["ticket_id"]}
    uow.update_where(attachments, a.id.in_(file_ids), **bound)
