"""The thread of a ticket over HTTP: read it, add to it."""

from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Email, Text, Words, Yes
from api.http.gate import current_runtime
from api.http.resource import Resource
from api.ticket_inputs import Versioned, pop_actor_and_version
from core.models import LIMITS, reply_shape
from core.permissions import Permission
from services.attachments import binding
from services.tickets import changes, follow_ups, replies
from storage import Row, UnitOfWork

blp = Resource("replies", __name__, description="The thread of a ticket.")


class NewReply(Versioned, Repeatable):
    """Something to add to a thread."""

    ALIASES = {"reply": "body", "message": "body", "agent_name": "author_name"}

    body = Text(LIMITS["body"], lines=True, required=True, about="What to say.")
    internal = Yes(about="true: a note that customers never see.")
    author_role = Choice(("agent", "customer"), about="customer: passed on in the customer's name.")
    author_name = Text(LIMITS["name"], about="Name to show as the author.")
    author_email = Email(about="E-mail address of the author.")
    attachment_ids = Words(
        LIMITS["attachment_ids"], Text(LIMITS["key"]), about="Files of the ticket to send with it, uploaded before."
    )


@blp.get(
    "/api/tickets/<ticket_id>/replies",
    "ListReplies",
    permission=Permission.TICKETS_READ,
    query=PageQuery,
    response=schemas.Reply,
    many=True,
)
def list_replies(uow: UnitOfWork, ticket_id: str, query: Row) -> Answer:
    """List the replies of a ticket.

    The thread, oldest first; customers see it without notes.
    """
    rows, total = replies.of_ticket(uow, ticket_id, limit=query["limit"], offset=query["offset"])
    data = [reply_shape(row, uow.actor) for row in rows]
    return Answer(data, how_many(total, "reply", "replies"), page=(total, query["limit"], query["offset"]))


@blp.post(
    "/api/tickets/<ticket_id>/replies",
    "CreateReply",
    permission=Permission.REPLIES_WRITE,
    body=NewReply,
    response=schemas.Reply,
    status=201,
)
def create_reply(uow: UnitOfWork, ticket_id: str, body: Row) -> Answer:
    """Reply to a ticket.

    Adds a public reply, which is mailed to the other side, or an internal note. A customer's reply reopens a resolved or
    closed ticket, or after `reopen_days` opens a new one. What is written to a merged ticket is added to the one it went into.
    """
    runtime, who = current_runtime(), pop_actor_and_version(body)
    model_ready, attachment_ids = runtime.model is not None, body.pop("attachment_ids", [])
    reply, ticket = follow_ups.add_reply(uow, runtime.trained_models, ticket_id, body, model_ready=model_ready, **who)
    binding.bind(uow, ticket_id, reply, attachment_ids)
    message = "The note is saved." if reply["internal"] else "The reply is sent."
    if ticket:
        message = f"The ticket was resolved long ago, so the reply has opened ticket #{ticket['number']}."
    elif reply["ticket_id"] != ticket_id:
        message = f"The ticket is merged, so this is in ticket #{changes.get(uow, reply['ticket_id'])['number']}."
    return Answer(reply_shape(reply, uow.actor), message, 201)
