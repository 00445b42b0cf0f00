"""Writes records of another help desk: customers, agents, macros, and tickets with their threads. Nobody is told of them.

What is here already stays as it is, so the same records once more change nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress

from sqlalchemy import or_

from core import timestamps
from core.errors import AppError, FieldError
from database.tables import customers as customers_table
from database.tables import macros as macros_table
from database.tables import users as users_table
from services import settings
from services.accounts import users
from services.import_export import imports
from services.import_export.imports import Result
from services.tickets import customers, macros
from services.triage.trained_models import TrainedModels
from storage import OpenUnitOfWork, Row, UnitOfWork

# Customers come before the tickets that are theirs.
KINDS = ("customers", "agents", "macros", "tickets")
MOST = 100  # records of a kind that are written at once
MOST_REPLIES = 1_000  # of a ticket


class _UndoneError(Exception):
    """Ends a unit of work whose changes are not wanted."""


def bring_in(
    open_uow: OpenUnitOfWork,
    trained_models: TrainedModels,
    kind: str,
    rows: Sequence[Row],
    *,
    dry_run: bool = False,
) -> Result:
    """Writes records of one kind and says what became of each; the line of an error is the record's position, from 1.

    With `dry_run` everything is done and then undone.
    """
    if kind == "tickets":
        with open_uow() as uow:
            rows = _closed_by_now(uow, rows)
        return imports.bring_in(open_uow, trained_models, list(enumerate(rows, 1)), dry_run=dry_run)
    result = Result(read=len(rows))
    if rows:
        with suppress(_UndoneError), open_uow(write=True) as uow:
            for position, row in enumerate(rows, 1):
                _try_one(uow, _WRITERS[kind], position, row, result)
            if dry_run:
                raise _UndoneError
    return result


def _closed_by_now(uow: UnitOfWork, rows: Sequence[Row]) -> list[Row]:
    """The tickets, those closed that would close by themselves at once: their closing years ago is no event of today."""
    days = settings.current(uow)["auto_close_days"]
    return [{**row, **_closing(row, days, uow.now)} for row in rows]


def _closing(row: Row, days: int, now: str) -> Row:
    if not days or row.get("status") != "resolved" or not row.get("resolved_at"):
        return {}
    closed = timestamps.later(row["resolved_at"], seconds=days * 24 * 3600)
    return {"status": "closed", "closed_at": closed} if closed <= now else {}


def _try_one(uow: UnitOfWork, write: "_Writer", position: int, row: Row, result: Result) -> None:
    try:
        with uow.attempt():
            is_new = write(uow, row)
    except AppError as error:
        if error.status >= 500:
            raise
        result.reject(position, error.errors or [FieldError("", error.message)])
    else:
        result.created += is_new
        result.skipped += not is_new


def _customer(uow: UnitOfWork, row: Row) -> bool:
    """Adds a customer; False for one who is here, by address or id."""
    c, email, customer_id = customers_table.c, row.get("customer_email", ""), row.get("customer_id", "")
    same = or_((c.email == email) & (c.email != ""), (c.customer_id == customer_id) & (c.customer_id != ""))
    if uow.count(uow.query(customers_table).where(same)):
        return False
    customers.find_or_create(uow, row)
    return True


def _agent(uow: UnitOfWork, row: Row) -> bool:
    """Adds an agent who cannot sign in until an admin says so; False for an address that signs in already."""
    if uow.count(uow.query(users_table).where(users_table.c.email == row["email"])):
        return False
    users.create(uow, {**row, "role": "agent", "disabled": True})
    return True


def _macro(uow: UnitOfWork, row: Row) -> bool:
    """Adds a macro; False when there is one of that name."""
    if uow.count(uow.query(macros_table).where(macros_table.c.name == row["name"])):
        return False
    macros.create(uow, row)
    return True


_Writer = Callable[[UnitOfWork, Row], bool]
_WRITERS: dict[str, _Writer] = {"customers": _customer, "agents": _agent, "macros": _macro}
