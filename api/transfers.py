"""Transfers over HTTP: everything of a company as one file, made or taken in the background."""

from typing import IO

from flask import Response, g, request
from marshmallow import Schema

from api.attachments import as_download
from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Yes
from api.http.file_fields import FileContent
from api.http.gate import check_may, current_runtime, grantable_roles
from api.http.parsing import upload
from api.http.resource import Resource
from core import models, timestamps
from core.errors import invalid_field
from core.permissions import Permission, granted
from services.attachments import on_tickets
from services.transfers import company_settings, import_files, requests
from storage import Row, UnitOfWork

blp = Resource("transfers", __name__, description="Moving everything of a company.")

ZIP = "application/zip"
MAX_PART = 32 * 1024 * 1024


class TransferError(Schema):
    """What a transfer could not take."""

    file = schemas.text("File within the ZIP.")
    line = schemas.integer("Line of that file, 0 where none is meant.")
    field = schemas.text("The field that is meant.")
    message = schemas.text("What is wrong.")


class Transfer(Schema):
    """An export or import of everything of a company."""

    id = schemas.text("Id of the transfer.")
    kind = schemas.word(models.TRANSFER_KINDS, "What is done.")
    state = schemas.word(
        models.TRANSFER_STATES,
        "How it stands; uploading: more of its file is awaited; stopped: somebody ended it, and what it added stays; "
        "expired: its file is not kept any more.",
    )
    done = schemas.integer("Rows and attached files of an export that are done; lines of an import.")
    total = schemas.integer("How many there are.")
    size = schemas.integer("Bytes of the file that are here; the next part of an import begins with this byte.")
    created = schemas.integer("Rows that an import added.")
    skipped = schemas.integer("Rows that were here already; they stay as they are.")
    rejected = schemas.integer("Rows that could not be taken.")
    renumbered = schemas.integer("Tickets that got another number, because theirs was taken.")
    errors = schemas.items(TransferError, "What could not be taken, the first 200.")
    created_at = schemas.moment("When it was asked for.", required=True)
    finished_at = schemas.moment("When it was done, or ended.")
    expires_at = schemas.moment("When its file is removed.")


class NewTransfer(Repeatable):
    """A transfer to ask for."""

    FROM_FORM = True  # or a form with these fields and the file
    FILE_TYPES = (ZIP, "application/x-zip-compressed")  # or the file itself, and the other fields in the query

    kind = Choice(
        models.TRANSFER_KINDS, required=True, about="What to do: export everything, or import an exported file."
    )
    settings = Yes(
        about="import: true takes over the settings too; else only a company without own settings gets them."
    )
    content = FileContent(
        about="import: the file in base64, up to 20 MiB. Without it, PUT the file in parts.", required=False
    )


@blp.post(
    "/api/transfers",
    "CreateTransfer",
    permission=Permission.EXPORT,
    body=NewTransfer,
    response=Transfer,
    status=201,
    manages_transactions=True,
    max_body=MAX_PART,
)
def create_transfer(body: Row) -> Answer:
    """Export or import everything.

    Tickets with threads and history, customers, people without secrets, knowledge, macros, views, settings and attached files,
    as one ZIP of JSON Lines. It is done in the background: ask for the transfer until its state is done. The file of an export
    is kept for 7 days, and until a customer is erased. The file of an import is the body (application/zip, ?kind=import), a
    part of a form, or sent in parts afterwards. Importing needs the permission import too.
    """
    kind, content = body["kind"], body.get("content")
    if kind == requests.EXPORT:
        if content is not None or "settings" in body:
            raise invalid_field("kind", "An export takes no file and no settings. To import, send kind import.")
        with current_runtime().storage.unit_of_work(g.actor, write=True) as uow:
            row = requests.request(uow, kind)
        current_runtime().runner.wake()
        return Answer(requests.transfer_shape(row), "The export is being made.", 201)
    check_may(Permission.IMPORT)
    row = _new_import(body)
    if content is not None:
        row = _put(row["id"], "", content)
    return Answer(requests.transfer_shape(row), _how_it_stands(row), 201)


def _new_import(body: Row) -> Row:
    """Asks for an import: what its caller may do, the job may do for them. Raises AppError 403, 409."""
    asks = body.get("settings")
    options = _rights()
    if asks:
        check_may(Permission.SETTINGS_WRITE)
        options["settings"] = company_settings.ALWAYS
    elif asks is False:
        options["settings"] = company_settings.NEVER
    with current_runtime().storage.unit_of_work(g.actor, write=True) as uow:
        until = timestamps.later(uow.real_now, seconds=requests.UPLOAD_SECONDS)
        return requests.request(uow, requests.IMPORT, state="uploading", options=options, expires_at=until)


def _rights() -> Row:
    """What an import may do for the caller, as options of a transfer."""
    may_set = Permission.SETTINGS_WRITE in granted(g.actor)
    settings = company_settings.IF_NONE if may_set else company_settings.NEVER
    return {"roles": grantable_roles(), "settings": settings}


def _put(transfer_id: str, content_range: str, content: IO[bytes]) -> Row:
    runtime = current_runtime()
    part = import_files.part_of(content_range, content.seek(0, 2))
    content.seek(0)
    quota = runtime.settings.attachment_quota
    row = import_files.put(
        runtime.storage, runtime.files, g.actor, transfer_id, part, content, rights=_rights(), quota=quota
    )
    runtime.runner.wake()
    return row


def _how_it_stands(row: Row) -> str:
    is_open = row["state"] == "uploading"
    return f"Send the file from byte {row['size']} on." if is_open else f"The transfer is {row['state']}."


@blp.put(
    "/api/transfers/<transfer_id>/file",
    "PutTransferFile",
    permission=Permission.IMPORT,
    response=Transfer,
    manages_transactions=True,
    max_body=MAX_PART,
    media={ZIP: {"type": "string", "format": "binary", "description": "The ZIP file of an export, or a part of it."}},
)
def put_transfer_file(transfer_id: str) -> Answer:
    """Send the file of an import.

    The whole ZIP file, up to 32 MiB, or its next part with the header Content-Range: bytes 0-33554431/200000000. A part has 1
    to 32 MiB. The answer says in `size` with which byte to go on, also after a break. The last part begins the import. It may
    do what you and who asked for it both may.
    """
    with current_runtime().storage.unit_of_work(g.actor) as uow:
        asked = requests.get(uow, transfer_id)
    if asked["options"].get("settings") == company_settings.ALWAYS:
        check_may(Permission.SETTINGS_WRITE)
    row = _put(transfer_id, request.headers.get("Content-Range", ""), upload(request))
    return Answer(requests.transfer_shape(row), _how_it_stands(row))


@blp.get(
    "/api/transfers",
    "ListTransfers",
    permission=Permission.EXPORT,
    query=PageQuery,
    response=Transfer,
    many=True,
)
def list_transfers(uow: UnitOfWork, query: Row) -> Answer:
    """List transfers.

    Exports and imports of everything of your company, of the last 90 days, newest first.
    """
    rows, total = requests.find(uow, limit=query["limit"], offset=query["offset"])
    data = [requests.transfer_shape(row) for row in rows]
    return Answer(data, how_many(total, "transfer"), page=(total, query["limit"], query["offset"]))


@blp.delete("/api/transfers/<transfer_id>", "StopTransfer", permission=Permission.EXPORT, response=Transfer)
def stop_transfer(uow: UnitOfWork, transfer_id: str) -> Answer:
    """Stop a transfer.

    A transfer that is not done ends as stopped. What an import added until then stays, and the same file sent again adds the
    rest. Of an export that is done the file is removed. Stopping an import needs the permission import too.
    """
    row = requests.get(uow, transfer_id, lock=True)
    if row["kind"] == requests.IMPORT:
        check_may(Permission.IMPORT)
    row = requests.stop(uow, row)
    return Answer(requests.transfer_shape(row), f"The transfer is {row['state']}.")


@blp.get("/api/transfers/<transfer_id>", "GetTransfer", permission=Permission.EXPORT, response=Transfer)
def get_transfer(uow: UnitOfWork, transfer_id: str) -> Answer:
    """Get a transfer.

    How far a transfer is.
    """
    row = requests.get(uow, transfer_id)
    return Answer(requests.transfer_shape(row), f"The transfer is {row['state']}.")


@blp.get(
    "/api/transfers/<transfer_id>/file",
    "GetTransferFile",
    permission=Permission.EXPORT,
    manages_transactions=True,
    downloads={ZIP: {"type": "string", "format": "binary"}},
)
def get_transfer_file(transfer_id: str) -> Response:
    """Download the file of a transfer.

    The ZIP file. A download that broke off goes on with the header Range.
    """
    runtime = current_runtime()
    with runtime.storage.unit_of_work(g.actor, write=True) as uow:
        row = requests.with_file(uow, transfer_id)
    content = on_tickets.content(runtime.files, row)
    response = as_download(content, f"foyer-export-{row['created_at'][:10]}.zip", ZIP, size=row["size"])
    response.set_etag(row["id"])
    response.make_conditional(request, accept_ranges=True, complete_length=row["size"])
    return response
