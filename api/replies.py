"""The thread of a ticket over HTTP: read it, add to it."""

from api import shapes
from api.envelope import Answer, how_many
from api.fields import Choice, Email, Text, Yes
from api.inputs import PageQuery, Repeatable
from api.noun import Noun
from api.ticket_inputs import Versioned, said
from models import LIMITS, reply_shape
from permissions import Permission
from services import replies
from storage import Desk, Row

blp = Noun("replies", __name__, description="The thread of a ticket.")


class NewReply(Versioned, Repeatable):
    """Something to add to a thread."""

    ALIASES = {"reply": "body", "message": "body", "agent_name": "author_name"}

    body = Text(LIMITS["body"], lines=True, required=True, about="What to say.")
    internal = Yes(about="true: a note that customers never see.")
    author_role = Choice(("agent", "customer"), about="customer: passed on in the customer's name.")
    author_name = Text(LIMITS["name"], about="Name to show as the author.")
    author_email = Email(about="E-mail address of the author.")


@blp.get(
    "/api/tickets/<ticket_id>/replies",
    "ListReplies",
    may=Permission.TICKETS_READ,
    query=PageQuery,
    gives=shapes.Reply,
    many=True,
)
def list_replies(desk: Desk, ticket_id: str, query: Row) -> Answer:
    """List the replies of a ticket.

    The thread, oldest first; customers see it without notes.
    """
    rows, total = replies.of_ticket(desk, ticket_id, limit=query["limit"], offset=query["offset"])
    data = [reply_shape(row, desk.actor) for row in rows]
    return Answer(data, how_many(total, "reply", "replies"), page=(total, query["limit"], query["offset"]))


@blp.post(
    "/api/tickets/<ticket_id>/replies",
    "CreateReply",
    may=Permission.REPLIES_WRITE,
    body=NewReply,
    gives=shapes.Reply,
    status=201,
)
def create_reply(desk: Desk, ticket_id: str, body: Row) -> Answer:
    """Reply to a ticket.

    Adds a public reply, which is mailed to the other side, or an internal note.
    """
    reply = replies.add(desk, ticket_id, body, **said(body))
    return Answer(
        reply_shape(reply, desk.actor), "The note is saved." if reply["internal"] else "The reply is sent.", 201
    )
