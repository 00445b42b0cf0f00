"""Shows a conversation and its messages, closes it, and gives it back to the AI."""

from collections.abc import Iterable

from sqlalchemy import and_, or_

from core.errors import invalid_field, not_found
from core.models import FINISHED
from services.attachments import on_tickets
from services.chat import conversations
from services.knowledge import citations
from services.tickets import changes, threads
from storage import Row, UnitOfWork

MOST_MESSAGES = 200
CLOSED_BY = {True: "The customer closed the conversation.", False: "The conversation was closed by an agent."}


def get_ticket(uow: UnitOfWork, conversation_id: str, version: int | None = None, *, lock: bool = False) -> Row:
    """The ticket of a conversation. Raises AppError 404, also for a ticket of another source; with `lock` also 409 and 412."""
    ticket = changes.get_for_update(uow, conversation_id, version) if lock else changes.get(uow, conversation_id)
    if ticket["source"] != conversations.CHAT:
        raise not_found()
    return ticket


def conversation(uow: UnitOfWork, conversation_id: str) -> Row:
    """A conversation with its newest messages. Raises AppError 404."""
    ticket = get_ticket(uow, conversation_id)
    state = conversations.find(uow, ticket)
    return {
        "conversation_id": ticket["id"],
        "ticket_id": ticket["id"],
        "number": ticket["number"],
        "status": ticket["status"],
        "escalation": state["answered_by"] == "human",
        "escalation_reason": state["escalation_reason"],
        "ended_by": state["ended_by"],
        "merged_into": ticket["merged_into"],
        "messages": _shapes(uow, ticket, threads.recent_public(uow, ticket["id"], most=MOST_MESSAGES)),
    }


def after(uow: UnitOfWork, conversation_id: str, last_id: str, *, limit: int) -> tuple[list[Row], int, str]:
    """The messages after the one with that id, oldest first; without an id the newest ones.

    Also returns how many there are in all, and an ETag that changes with the conversation.

    Raises AppError 400, 404.
    """
    ticket = get_ticket(uow, conversation_id)
    public, c = threads.of_ticket(uow, ticket["id"], public=True)
    if last_id:
        last = uow.first(public.where(c.id == last_id))
        if last is None:
            raise invalid_field("after", "after must be the id of a message of this conversation.")
        later, same_time = c.created_at > last["created_at"], c.created_at == last["created_at"]
        public = public.where(or_(later, and_(same_time, c.id > last_id)))
    oldest_first = public.order_by(c.created_at, c.id)
    newest_first = public.order_by(c.created_at.desc(), c.id.desc())
    rows = uow.find(oldest_first.limit(limit)) if last_id else uow.find(newest_first.limit(limit))[::-1]
    newest = rows[-1]["id"] if rows else last_id
    total = len(rows) if len(rows) < limit else uow.count(public)
    return _shapes(uow, ticket, rows), total, f"{ticket['updated_at']}-{newest}"


def close(uow: UnitOfWork, conversation_id: str, *, said_by: str = "", version: int | None = None) -> None:
    """Closes a conversation, for its customer or an agent. A finished one stays as it is. Raises AppError 404, 409, 412."""
    ticket = get_ticket(uow, conversation_id, version, lock=True)
    if ticket["status"] in FINISHED:
        return
    by_customer = uow.actor.is_customer
    changes.close_conversation(uow, ticket, CLOSED_BY[by_customer], said_by=said_by)
    conversations.end(uow, conversations.get(uow, ticket), "customer" if by_customer else "agent")


def give_back(uow: UnitOfWork, conversation_id: str, *, said_by: str = "", version: int | None = None) -> None:
    """Lets the AI answer again; nothing happens where it does. Raises AppError 404, 409, 412."""
    ticket = get_ticket(uow, conversation_id, version, lock=True)
    state = conversations.get(uow, ticket)
    if state["answered_by"] == "human":
        changes.return_to_ai(uow, ticket, said_by=said_by)
        conversations.give_back(uow, state)


def _shapes(uow: UnitOfWork, ticket: Row, rows: Iterable[Row]) -> list[Row]:
    """Messages as they are shown. Articles that are not published any more are not cited."""
    rows = list(rows)
    ids = {cited for row in rows for cited in row["citations"]}
    articles = {one["article_id"]: one for one in citations.shown(uow, sorted(ids))}
    files = _files(uow, ticket, rows)
    return [
        {
            "id": row["id"],
            "role": row["author_role"],
            "author_name": row["author_name"],
            "body": row["body"],
            "created_at": row["created_at"],
            "citations": [articles[cited] for cited in row["citations"] if cited in articles],
            "attachments": files.get(row["id"], []),
        }
        for row in rows
    ]


def _files(uow: UnitOfWork, ticket: Row, rows: list[Row]) -> dict[str, list[Row]]:
    """The public files of these messages by their ids. Those of the ticket itself belong to its first message."""
    begins = rows and rows[0]["author_role"] == "customer" and rows[0]["created_at"] == ticket["created_at"]
    files: dict[str, list[Row]] = {}
    for row in on_tickets.public_of(uow, {row["ticket_id"] for row in rows}):
        message_id = row["reply_id"] or (rows[0]["id"] if begins else "")
        files.setdefault(message_id, []).append(on_tickets.attachment_shape(row, uow.actor))
    return files
