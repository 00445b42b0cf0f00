"""The chat over HTTP: write a message, follow the conversation, close it, give it back to the AI."""

from flask import Response
from marshmallow import Schema

from api.attachments import Attachment
from api.chat_answers import answer_message
from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer, how_many, if_changed
from api.http.fields import Email, Id, Number, Text, Words, Yes
from api.http.gate import current_runtime
from api.http.resource import Resource
from api.ticket_inputs import MoveTicket, pop_actor_and_version
from core import models
from core.models import LIMITS, Actor
from core.permissions import Permission
from services.chat import messages
from storage import Row, UnitOfWork

blp = Resource("chat", __name__, description="Conversations: the AI answers from your articles, or a person does.")
TO_FOLLOW = "1200 per minute"  # of guests at one address, which may be an office
ENDED = "The conversation was closed."


class ChatReply(Schema):
    """The answer to a message."""

    conversation_id = schemas.text("Id of the conversation; send it with the next message.")
    ticket_id = schemas.text("Id of its ticket, which is the same.")
    number = schemas.integer("Number of the ticket for people.")
    reply = schemas.text("What to show to the customer; empty while a person answers.")
    escalation = schemas.flag("Whether a person answers this conversation.")
    escalation_reason = schemas.text("Why it was handed to a person.", enum=["", *models.ESCALATIONS])
    status = schemas.word(models.STATUSES, "State of the ticket.")
    ai_source = schemas.word(models.DECIDERS, "Who wrote the reply.")
    ai_confidence = schemas.decimal("How sure the reply is, from 0 to 1.", required=False)
    citations = schemas.items(schemas.Citation, "The articles that the reply rests on.")


class Message(Schema):
    """One turn of a conversation."""

    id = schemas.text("Id of the message.")
    role = schemas.word(models.AUTHOR_ROLES, "Who wrote it.")
    author_name = schemas.text("Name of the author.")
    body = schemas.text("What it says.")
    created_at = schemas.moment("When it was written.", required=True)
    citations = schemas.items(schemas.Citation, "The articles that it rests on.")
    attachments = schemas.items(
        Attachment, "The files that it has; those of the ticket itself are with the first message."
    )


class ConversationOut(Schema):
    """A conversation with its messages."""

    conversation_id = schemas.text("Id of the conversation.")
    ticket_id = schemas.text("Id of its ticket, which is the same.")
    number = schemas.integer("Number of the ticket for people.")
    status = schemas.word(models.STATUSES, "State of the ticket.")
    escalation = schemas.flag("Whether a person answers this conversation.")
    escalation_reason = schemas.text("Why it was handed to a person.", enum=["", *models.ESCALATIONS])
    ended_by = schemas.text("Who ended it: customer, agent or silence.")
    merged_into = schemas.text("Id of the conversation it goes on in, when it was merged.")
    messages = schemas.items(Message, "The newest 200 messages, oldest first.")


class NewMessage(Repeatable):
    """A message of a customer."""

    ALIASES = {"user_id": "customer_id", "email": "customer_email", "name": "customer_name", "text": "message"}

    message = Text(LIMITS["body"], lines=True, required=True, about="What the customer writes.")
    conversation_id = Id(
        LIMITS["key"], about="The conversation to go on with; without it the open one of the last day."
    )
    customer_email = Email(about="E-mail address of the customer.")
    customer_id = Id(LIMITS["customer_id"], about="Id of the customer in your own systems, instead of the address.")
    customer_name = Text(LIMITS["name"], about="Name of the customer.")
    product = Text(LIMITS["product"], about="Product it is about.")
    attachment_ids = Words(
        LIMITS["attachment_ids"],
        Text(LIMITS["key"]),
        about="Files to send with it, uploaded to the conversation's ticket before.",
    )
    person = Yes(about="true: a person must answer; the conversation is handed over at once.")


class MessagesQuery(Schema):
    """Which messages."""

    after = Id(LIMITS["key"], about="Id of the last message you have; only newer ones are listed.")
    limit = Number(1, 200, load_default=200, about="How many at most.")


@blp.post(
    "/api/chat",
    "SendChatMessage",
    permission=Permission.TICKETS_CREATE,
    body=NewMessage,
    response=ChatReply,
    manages_transactions=True,
    guests="30 per minute",
)
def send_message(body: Row) -> Answer:
    """Send a chat message.

    Stores the message and answers it: with the model grounded in your articles, else with the best article. When that is not
    enough, or the customer asks, the conversation is handed to a person. An address that a guest gives is shown to agents.
    """
    result = answer_message(body)
    message = "The conversation is with a person." if result["reply"] else "A person answers this conversation."
    return Answer(result, message if result["escalation"] else "Answered.")


@blp.get(
    "/api/chat/<conversation_id>",
    "GetConversation",
    permission=Permission.TICKETS_READ,
    response=ConversationOut,
    guests=TO_FOLLOW,
)
def get_conversation(uow: UnitOfWork, conversation_id: str) -> Answer:
    """Get a conversation.

    Its state and its messages.
    """
    conversation = messages.conversation(uow, conversation_id)
    _note_presence(uow.actor, conversation_id)
    return Answer(conversation, f"Conversation #{conversation['number']}.")


@blp.get(
    "/api/chat/<conversation_id>/messages",
    "ListMessages",
    permission=Permission.TICKETS_READ,
    query=MessagesQuery,
    response=Message,
    many=True,
    guests=TO_FOLLOW,
)
def list_messages(uow: UnitOfWork, conversation_id: str, query: Row) -> Response:
    """List the messages of a conversation.

    Those after the one you name, oldest first; without one the newest. Send the ETag as If-None-Match: without news the
    answer is an empty 304.
    """
    rows, total, etag = messages.after(uow, conversation_id, query.get("after", ""), limit=query["limit"])
    _note_presence(uow.actor, conversation_id)
    page = (total, query["limit"], 0)
    return if_changed(Answer(rows, how_many(total, "message"), page=page, headers={"ETag": f'"{etag}"'}))


@blp.post(
    "/api/chat/<conversation_id>/close",
    "CloseConversation",
    permission=Permission.REPLIES_WRITE,
    body=MoveTicket,
    response=ConversationOut,
    guests="60 per minute",
)
def close_conversation(uow: UnitOfWork, conversation_id: str, body: Row) -> Answer:
    """Close a conversation.

    Resolves and closes it; a later message with its id opens it again.
    """
    messages.close(uow, conversation_id, **pop_actor_and_version(body))
    return Answer(messages.conversation(uow, conversation_id), ENDED)


@blp.post(
    "/api/chat/<conversation_id>/return",
    "ReturnConversation",
    permission=Permission.TICKETS_WORK,
    body=MoveTicket,
    response=ConversationOut,
)
def return_conversation(uow: UnitOfWork, conversation_id: str, body: Row) -> Answer:
    """Give a conversation back to the AI.

    The AI answers the next message. Only a person can do this.
    """
    messages.give_back(uow, conversation_id, **pop_actor_and_version(body))
    return Answer(messages.conversation(uow, conversation_id), "The AI answers this conversation again.")


def _note_presence(actor: Actor, conversation_id: str) -> None:
    """Notes that the customer follows the conversation, so that replies are not mailed as well."""
    if actor.is_customer and not actor.reads_only:
        current_runtime().chat_presence.note(actor.company_id, conversation_id)
