"""Transfers over HTTP: everything of a company as one file, made in the background and then downloaded."""

from flask import Response, g, request
from marshmallow import Schema

from api.attachments import as_download
from api.http import schemas
from api.http.common_inputs import Repeatable
from api.http.envelope import Answer
from api.http.fields import Choice
from api.http.gate import current_runtime
from api.http.resource import Resource
from core import models
from core.permissions import Permission
from services.attachments import on_tickets
from services.transfers import requests
from storage import Row, UnitOfWork

blp = Resource("transfers", __name__, description="Moving everything of a company.")

ZIP = "application/zip"


class TransferError(Schema):
    """What a transfer could not take."""

    file = schemas.text("File within the ZIP.")
    line = schemas.integer("Line of that file, 0 where none is meant.")
    field = schemas.text("The field that is meant.")
    message = schemas.text("What is wrong.")


class Transfer(Schema):
    """An export of everything of a company."""

    id = schemas.text("Id of the transfer.")
    kind = schemas.word(requests.KINDS, "What is done.")
    state = schemas.word(models.TRANSFER_STATES, "How it stands; expired: its file is not kept any more.")
    done = schemas.integer("Rows and attached files that are done.")
    total = schemas.integer("How many there are.")
    size = schemas.integer("Bytes of the file, 0 while there is none.")
    errors = schemas.items(TransferError, "What could not be taken, the first 200.")
    created_at = schemas.moment("When it was asked for.", required=True)
    finished_at = schemas.moment("When it was done.")
    expires_at = schemas.moment("When its file is removed.")


class NewTransfer(Repeatable):
    """A transfer to ask for."""

    kind = Choice(requests.KINDS, required=True, about="What to do: export everything of your company.")


@blp.post(
    "/api/transfers", "CreateTransfer", permission=Permission.EXPORT, body=NewTransfer, response=Transfer, status=201
)
def create_transfer(uow: UnitOfWork, body: Row) -> Answer:
    """Export everything.

    Tickets with threads and history, customers, people without secrets, knowledge, macros, views, settings and attached files,
    as one ZIP of JSON Lines. It is made in the background: ask for the transfer until its state is done, then download its file.
    The file is kept for 7 days, and until a customer is erased.
    """
    row = requests.request(uow, body["kind"])
    return Answer(requests.transfer_shape(row), "The export is being made.", 201)


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
