"""The API of UrgencyIQ for its clients: messages by urgency, replies, customers, seeding, model switch (docs/dialects.md)."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import orjson
from flask import Response, request
from marshmallow import ValidationError

from api import ticket_opening
from api.dialects import urgencyiq_shapes as shapes
from api.dialects.dialect import ERROR_TEXT, RESOLUTION, WAIT_SECONDS, Dialect, error_text, show, without_zone
from api.http.common_inputs import Repeatable
from api.http.envelope import as_json
from api.http.field_names import is_empty
from api.http.fields import Number
from api.http.gate import check_operator, current_runtime
from api.http.parsing import upload
from api.imports import FORM, MAX_FILE, columns_of, import_rows, summary
from core.errors import FieldError, bad_request, forbidden, unavailable
from core.models import FINISHED
from core.permissions import Permission
from services import settings
from services.import_export import import_files, imports
from services.import_export.import_values import RawRow
from services.tickets import changes, queries, replies, threads
from storage import Row, UnitOfWork

log = logging.getLogger("foyer.api")
_USER_ID = Number(1, shapes.MOST_ID)

blp = Dialect(
    "urgencyiq",
    __name__,
    description="Messages by urgency for clients of UrgencyIQ.",
    paths=("/api/messages", "/api/get", "/api/set", "/admin/seed"),
    error_form=error_text,
    error_schema=ERROR_TEXT,
    added_properties=shapes.ADDED_PROPERTIES,
)


def _sent(ticket: Row) -> Response:
    return show({"success": True, "message_id": ticket["number"], "urgency": ticket["urgency"]}, 201)


def _wait_for_urgency(response: Response, *, key: str, **_: Any) -> Response:
    return ticket_opening.with_answer(response, key=key, seconds=WAIT_SECONDS, show=_sent)


@blp.post(
    "/api/messages/send",
    "UrgencyiqSendMessage",
    permission=Permission.TICKETS_CREATE,
    body=shapes.UrgencyiqNewMessage,
    response=shapes.UrgencyiqSent,
    status=201,
    before=ticket_opening.prepare,
    after=_wait_for_urgency,
)
def send_message(uow: UnitOfWork, body: Row) -> Response:
    """Send an UrgencyIQ message.

    Opens a ticket. With a language model it waits some seconds, so that the urgency is the one of both.
    """
    return _sent(ticket_opening.open_ticket(uow, body))


@blp.get(
    "/api/messages",
    "UrgencyiqListMessages",
    permission=Permission.TICKETS_READ,
    query=shapes.UrgencyiqQuery,
    response=shapes.UrgencyiqMessage,
    many=True,
)
def list_messages(uow: UnitOfWork, query: Row) -> Response:
    """List UrgencyIQ messages.

    Open ones, the most urgent first, unless told otherwise. The header X-Total-Count says how many match.
    """
    filters = {"status": shapes.MEANT[query["status"]], "sort": shapes.SORTS[query["sort"]]}
    filters |= {"limit": query["limit"], "offset": query["offset"]}
    if "user_id" in query:
        filters["customer_id"] = str(query["user_id"])
    if "search" in query:
        filters["q"] = query["search"]
    rows, total = queries.find(uow, filters)
    by_ticket = threads.by_agents(uow, [row["id"] for row in rows])
    messages = [_message(row, by_ticket.get(row["id"], [])) for row in rows]
    return show(messages, headers={"X-Total-Count": str(total)})


def _message(ticket: Row, replies_of_agents: list[Row]) -> Row:
    name = ticket["customer_id"]
    return {
        "id": ticket["number"],
        "customer_id": int(name) if _is_whole(name) else None,
        "message": ticket["description"],
        "timestamp": without_zone(ticket["created_at"]),
        "urgency": ticket["urgency"],
        "status": "resolved" if ticket["status"] in FINISHED else "open",
        "assigned_to": ticket.get("assigned_to") or None,
        "assigned_at": without_zone(ticket.get("assigned_at")),
        "replies": [
            {"agent_name": row["author_name"], "reply": row["body"], "timestamp": without_zone(row["created_at"])}
            for row in replies_of_agents
        ],
    }


def _is_whole(name: str) -> bool:
    """Whether it is a whole number from 1 as this API writes it: 007 is another customer than 7."""
    return name.isascii() and name.isdigit() and name[0] != "0" and len(name) <= len(str(shapes.MOST_ID))


@blp.post(
    "/api/messages/<number>/reply",
    "UrgencyiqReply",
    permission=Permission.REPLIES_WRITE,
    body=shapes.UrgencyiqNewReply,
    response=shapes.UrgencyiqDone,
    status=201,
)
def reply(uow: UnitOfWork, number: str, body: Row) -> Response:
    """Reply to an UrgencyIQ message.

    A public reply of an agent, which is mailed to the customer.
    """
    if uow.actor.is_customer:
        raise forbidden("Only agents reply here. Customers write by POST /api/tickets/{id}/replies.")
    agent = body["agent_name"]
    ticket = queries.by_number(uow, number)
    replies.add(uow, ticket["id"], {"body": body["reply"], "author_name": agent}, said_by=agent)
    return show({"success": True}, 201)


@blp.post(
    "/api/messages/<number>/resolve",
    "UrgencyiqResolve",
    permission=Permission.TICKETS_WORK,
    body=Repeatable,
    response=shapes.UrgencyiqDone,
)
def resolve(uow: UnitOfWork, number: str, body: Row) -> Response:
    """Resolve an UrgencyIQ message.

    Resolves the ticket and tells the customer; a resolved one stays as it is.
    """
    ticket = queries.by_number(uow, number)
    if ticket["status"] not in FINISHED:
        changes.resolve(uow, ticket["id"], RESOLUTION)
    return show({"success": True})


@blp.post(
    "/api/messages/<number>/assign",
    "UrgencyiqAssign",
    permission=Permission.TICKETS_WORK,
    body=shapes.UrgencyiqAgent,
    response=shapes.UrgencyiqAssigned,
)
def assign(uow: UnitOfWork, number: str, body: Row) -> Response:
    """Assign an UrgencyIQ message.

    Gives the ticket to an agent. Any name will do while the company has no agents.
    """
    ticket = changes.assign(uow, queries.by_number(uow, number)["id"], body["agent_name"])
    assigned = {"assigned_to": ticket["assigned_to"], "assigned_at": without_zone(ticket["assigned_at"])}
    return show({"success": True, **assigned})


@blp.post(
    "/api/messages/<number>/unassign",
    "UrgencyiqUnassign",
    permission=Permission.TICKETS_WORK,
    body=Repeatable,
    response=shapes.UrgencyiqDone,
)
def unassign(uow: UnitOfWork, number: str, body: Row) -> Response:
    """Unassign an UrgencyIQ message.

    Takes the ticket from its agent.
    """
    changes.unassign(uow, queries.by_number(uow, number)["id"])
    return show({"success": True})


@blp.get("/api/get/llm", "UrgencyiqGetSwitch", permission=Permission.SETTINGS_READ, response=shapes.UrgencyiqSwitch)
def get_switch(uow: UnitOfWork) -> Response:
    """Get the UrgencyIQ model switch.

    The setting ai_enabled.
    """
    return show({"use_llm": settings.current(uow)["ai_enabled"]})


@blp.post(
    "/api/set/llm",
    "UrgencyiqSetSwitch",
    permission=Permission.SETTINGS_WRITE,
    body=shapes.UrgencyiqNewSwitch,
    response=shapes.UrgencyiqDone,
)
def set_switch(uow: UnitOfWork, body: Row) -> Response:
    """Set the UrgencyIQ model switch.

    Sets the setting ai_enabled, from the next message on.
    """
    settings.change(uow, {"ai_enabled": body["use_llm"]})
    return show({"success": True})


@blp.post(
    "/admin/seed",
    "UrgencyiqSeed",
    permission=Permission.IMPORT,
    response=shapes.UrgencyiqSeeded,
    manages_transactions=True,
    max_body=MAX_FILE,
    media={"text/csv": {"type": "string", "description": "User ID, Timestamp (UTC) and Message Body."}},
)
def seed() -> Response:
    """Seed UrgencyIQ messages.

    Imports the CSV of the body, or of the server's own file when the operator sends none. Rows that are here are skipped.
    """
    file = upload(request)
    is_empty = not file.read(1)
    file.seek(0)
    if not is_empty:
        return _seeded(file)
    if request.mimetype == FORM:
        raise bad_request("no_file", "The form holds no file. Send the CSV as the body, or as the file of a form.")
    with _own_file() as own_file:
        return _seeded(own_file)


def _seeded(file: IO[bytes]) -> Response:
    rows = import_files.read(file, "csv", columns=columns_of(), charset=request.mimetype_params.get("charset", ""))
    result = import_rows(map(_with_whole_id, rows))
    counts = {"rows": result.read, "messages": result.created, "customers": result.customers}
    is_whole = result.created == result.read and not result.stopped
    return show({"success": True, "seeded": counts, **({} if is_whole else {"note": _note(result)})})


def _with_whole_id(row: RawRow) -> RawRow:
    """The row with its User ID as messages have it, which spreadsheets write as 7.0; with a problem when it is no such number."""
    user_id = row.values.get("user_id", "")
    if is_empty(user_id):
        return row
    try:
        return replace(row, values={**row.values, "user_id": str(_USER_ID.deserialize(user_id, "user_id"))})
    except ValidationError as error:
        return replace(row, problem=FieldError("user_id", error.messages[0]))


def _note(result: imports.Result) -> str:
    """What became of the rows that made no ticket, and why the first of them was refused."""
    reasons = [one for one in result.errors if one["message"] != result.stopped]
    first = f" Line {reasons[0]['line']}: {reasons[0]['message']}" if reasons else ""
    return f"{summary(result)}{first}"


def _own_file() -> IO[bytes]:
    """The file of DIALECT_SEED_FILE, which is the operator's alone. Raises AppError 400, 403, 503."""
    path = current_runtime().settings.dialect_seed_file
    if not path:
        raise bad_request("no_file", "Send the CSV as the body, or name a file in DIALECT_SEED_FILE.")
    check_operator()
    try:
        return Path(path).open("rb")
    except OSError as error:
        log.error("DIALECT_SEED_FILE: %s", error)
        raise unavailable("The file of DIALECT_SEED_FILE cannot be read.") from None


@blp.after_app_request  # type: ignore[untyped-decorator]
def add_beside(response: Response) -> Response:
    """Puts the fields of UrgencyIQ beside our envelope, where a path is ours too."""
    name = (request.view_args or {}).get("name", "")
    is_customer = request.endpoint == "customers.GetCustomer" and _is_whole(name)
    if not response.is_json or not (is_customer or request.endpoint == "health.GetHealth"):
        return response
    body = orjson.loads(response.get_data())
    if not body["success"]:
        beside: Row = {"error": body["message"]}
    else:
        beside = _customer(name, body["data"]) if is_customer else {"status": body["data"]["status"]}
    response.set_data(as_json({**body, **beside}, response.status_code, {}).get_data())
    return response


def _customer(name: str, profile: Row) -> Row:
    return {
        "id": int(name),
        "total_messages": profile["total_tickets"],
        "open_messages": profile["open_tickets"],
        "resolved_messages": profile["resolved_tickets"],
        "avg_urgency": profile.get("average_urgency", 0),
        "first_contact": without_zone(profile.get("first_contact_at")),
        "last_contact": without_zone(profile.get("last_contact_at")),
    }
