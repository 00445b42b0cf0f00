"""Macros: a reply text with variables and changes, applied to a ticket together. Variables are substituted, never evaluated."""

from core import text_variables
from core.errors import invalid_field, not_found
from core.models import LIMITS, shape
from core.normal_form import is_blank
from database.tables import companies
from database.tables import macros as table
from services import settings
from services.clearing import pop_cleared
from services.history import Change, record
from services.tickets import changes, replies
from storage import Row, UnitOfWork

FIELDS = "id name body set created_at updated_at".split()
CLEARABLE: Row = {"body": "", "set": {}}
VARIABLES = ("customer_name", "customer_email", "ticket_number", "ticket_title", "agent_name", "company_name")


def macro_shape(macro: Row) -> Row:
    """The public fields of a macro."""
    return shape({**macro, "set": macro["changes"]}, FIELDS)


def get(uow: UnitOfWork, macro_id: str, *, lock: bool = False) -> Row:
    """One macro. Raises AppError 404."""
    macro = uow.get(table, macro_id, lock=lock)
    if macro is None:
        raise not_found()
    return macro


def find(uow: UnitOfWork, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the company's macros by name, and the total."""
    query = uow.query(table)
    return uow.find(query.order_by(table.c.name, table.c.id).limit(limit).offset(offset)), uow.count(query)


def create(uow: UnitOfWork, fields: Row) -> Row:
    """Adds a macro. Raises AppError 400 for one that does nothing or names an unknown variable."""
    values = {"name": fields["name"], "body": fields.get("body", ""), "changes": fields.get("set", {})}
    _check(values)
    macro = uow.insert(table, {**values, "created_at": uow.now, "updated_at": uow.now})
    record(uow, macro["id"], [Change("created", "name", "", macro["name"])], subject="macro")
    return macro


def update(uow: UnitOfWork, macro_id: str, fields: Row) -> Row:
    """Changes the given fields and empties those in `clear`. Raises AppError 400, 404."""
    fields = fields | pop_cleared(fields, CLEARABLE)
    macro = get(uow, macro_id, lock=True)
    if "set" in fields:
        fields = {name: value for name, value in fields.items() if name != "set"} | {"changes": fields["set"]}
    _check({**macro, **fields})
    changed = [Change("changed", name, macro[name], value) for name, value in fields.items() if macro[name] != value]
    record(uow, macro_id, changed, subject="macro")
    return uow.update(table, macro_id, {**fields, "updated_at": uow.now}) or macro


def remove(uow: UnitOfWork, macro_id: str) -> None:
    """Deletes a macro. Raises AppError 404."""
    macro = get(uow, macro_id, lock=True)
    uow.delete(table, table.c.id == macro_id)
    record(uow, macro_id, [Change("deleted", "name", macro["name"], "")], subject="macro")


def _check(macro: Row) -> None:
    if not macro["body"] and not macro["changes"]:
        raise invalid_field("body", "A macro needs a body, fields to set, or both.")
    check_variables(macro["body"])


def check_variables(text: str, *, field: str = "body") -> None:
    """Raises AppError 400 when the text of a field names a variable that there is not."""
    if fault := text_variables.fault(text, VARIABLES, field=field):
        raise invalid_field(field, fault)


def text_for(uow: UnitOfWork, body: str, ticket: Row, *, said_by: str = "") -> str:
    """A text with the variables of a ticket filled in. A variable without a value becomes empty."""
    company = uow.get(companies, uow.actor.company_id) or {"name": ""}
    values = {
        "customer_name": ticket["customer_name"],
        "customer_email": ticket["customer_email"],
        "ticket_number": str(ticket["number"]),
        "ticket_title": ticket["title"],
        "agent_name": "Support" if not said_by or "@" in said_by else said_by,
        "company_name": settings.current(uow)["mail_name"] or company["name"],
    }
    return text_variables.fill(body, values)


def usable(text: str, *, field: str = "macro_id", what: str = "The reply of this macro", most: str = "body") -> str:
    """The text, with at most LIMITS[most] characters. Raises AppError 400 when nothing is left of it, or it is too long."""
    if is_blank(text) or len(text) > LIMITS[most]:
        fault = "is empty" if is_blank(text) else f"has more than {LIMITS[most]:,} characters"
        raise invalid_field(field, f"{what} {fault} for this ticket.")
    return text


def apply(uow: UnitOfWork, ticket_id: str, macro: Row, *, said_by: str = "", version: int | None = None) -> Row:
    """Replies with the text and makes the changes; returns the ticket. Raises AppError 400, 404, 409, 412."""
    ticket = changes.get_for_update(uow, ticket_id, version)
    if macro["body"]:
        text = usable(text_for(uow, macro["body"], ticket, said_by=said_by))
        replies.add(uow, ticket_id, {"body": text}, said_by=said_by)
    if macro["changes"]:
        changes.update(uow, ticket_id, dict(macro["changes"]), said_by=said_by)
    return changes.get_for_update(uow, ticket_id)
