"""Files on tickets and replies over HTTP. A file is always sent as a download, never shown by a browser."""

from collections.abc import Iterable
from functools import partial
from urllib.parse import quote

from flask import Response, g, request
from marshmallow import Schema, fields

from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Text, Yes
from api.http.file_fields import FileContent
from api.http.gate import current_runtime
from api.http.resource import ANY_MEDIA, Resource
from api.ticket_inputs import WriteMeta, pop_actor_and_version
from core.errors import conflict, forbidden
from core.models import LIMITS
from core.permissions import Permission
from services.attachments import on_tickets, uploads
from services.tickets import changes
from storage import Row, UnitOfWork

blp = Resource("attachments", __name__, description="Files on tickets and replies.")

TO_READ = "120 per minute"  # of guests of the chat at one address
MAX_BODY = 32 * 1024 * 1024  # of the largest file (services/settings.py), in base64, and what stands around it
POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


class Attachment(Schema):
    """A file on a ticket."""

    id = schemas.text("Id of the file.")
    ticket_id = schemas.text("Id of its ticket.")
    reply_id = schemas.text("Id of the reply that has it; empty for a file of the ticket itself.")
    name = schemas.text("Name to show.")
    content_type = schemas.text("What it is, read from its bytes.")
    size = schemas.integer("Bytes.")
    author_role = schemas.word(("agent", "customer"), "Who added it.")
    internal = fields.Boolean(metadata={"description": "Customers do not see it."})
    created_at = schemas.moment("When it was added.", required=True)


class NewAttachment(WriteMeta, Repeatable):
    """A file to add to a ticket."""

    FROM_FORM = True  # or a form with these fields and the file

    name = Text(LIMITS["file_name"], about="Name to show, like invoice.pdf; of a form the file's own name.")
    content_type = Text(LIMITS["file_name"], about="What you say it is. What counts are the bytes.")
    content = FileContent(about="The file in base64.")
    internal = Yes(about="true: customers do not see it.")


@blp.post(
    "/api/tickets/<ticket_id>/attachments",
    "CreateAttachment",
    permission=Permission.REPLIES_WRITE,
    body=NewAttachment,
    response=Attachment,
    status=201,
    manages_transactions=True,
    max_body=MAX_BODY,
    guests="10 per minute",
)
def create_attachment(ticket_id: str, body: Row) -> Answer:
    """Attach a file to a ticket.

    Takes the file in base64, or a form (multipart/form-data) with the file. Name it in `attachment_ids` of a reply to make
    it a file of that reply. Settings say how large it may be and of which types.
    """
    runtime, said_by = current_runtime(), pop_actor_and_version(body)["said_by"]
    open_uow, quota = partial(runtime.storage.unit_of_work, g.actor), runtime.settings.attachment_quota
    internal = bool(body.get("internal"))
    with open_uow() as uow:
        ticket = changes.get(uow, ticket_id)
    if ticket["erased_at"]:
        raise conflict("erased", f"Ticket #{ticket['number']} was erased with its customer. It cannot be changed.")
    if internal and g.actor.is_customer:
        raise forbidden("Customers may not do this.")
    stored_file = uploads.keep(
        runtime.storage,
        runtime.files,
        g.actor.company_id,
        body.get("name", ""),
        body["content"],
        quota=quota,
        guest=g.actor.guest,
    )
    with open_uow(write=True) as uow:
        row = uploads.attach(uow, ticket_id, stored_file, quota=quota, internal=internal, said_by=said_by)
    return Answer(on_tickets.attachment_shape(row, g.actor), "The file is attached.", 201)


@blp.get(
    "/api/tickets/<ticket_id>/attachments",
    "ListAttachments",
    permission=Permission.TICKETS_READ,
    query=PageQuery,
    response=Attachment,
    many=True,
    guests=TO_READ,
)
def list_attachments(uow: UnitOfWork, ticket_id: str, query: Row) -> Answer:
    """List the files of a ticket.

    The files of the ticket and of its replies, oldest first; customers see them without internal ones.
    """
    rows, total = on_tickets.of_ticket(uow, ticket_id, limit=query["limit"], offset=query["offset"])
    data = [on_tickets.attachment_shape(row, uow.actor) for row in rows]
    return Answer(data, how_many(total, "file"), page=(total, query["limit"], query["offset"]))


@blp.get(
    "/api/attachments/<attachment_id>",
    "GetAttachment",
    permission=Permission.TICKETS_READ,
    manages_transactions=True,
    downloads={media: {"type": "string", "format": "binary"} for media in ("application/octet-stream", ANY_MEDIA)},
    guests=TO_READ,
)
def get_attachment(attachment_id: str) -> Response:
    """Download a file.

    The bytes of a file, as a download.
    """
    runtime = current_runtime()
    with runtime.storage.unit_of_work(g.actor) as uow:
        row = on_tickets.get(uow, attachment_id)
    content: Iterable[bytes] = [] if request.method == "HEAD" else on_tickets.content(runtime.files, row)
    return as_download(content, row["name"], row["content_type"], size=row["size"])


@blp.delete(
    "/api/attachments/<attachment_id>",
    "DeleteAttachment",
    permission=Permission.REPLIES_WRITE,
    response=schemas.Deleted,
    guests=TO_READ,
)
def delete_attachment(uow: UnitOfWork, attachment_id: str) -> Answer:
    """Remove a file.

    Customers remove only a file that they added and that no reply has yet. The bytes are removed right after.
    """
    on_tickets.remove(uow, attachment_id)
    return Answer({"deleted": True}, "The file is removed.")


def as_download(content: Iterable[bytes], name: str, media: str, *, size: int | None) -> Response:
    """A file as a response that no browser shows or runs. The name is given as in RFC 6266, in ASCII and in full."""
    response = Response(content, content_type=media)
    if size is not None:
        response.content_length = size
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    names = {"filename": plain} if plain == name else {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}
    response.headers.set("Content-Disposition", "attachment", **names)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response
