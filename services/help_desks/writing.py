"""Writes records of another help desk: customers, agents, macros, and tickets with their threads. Nobody is told of them.

What is here already stays as it is, so the same records once more change nothing.
"""

from collections.abc import Sequence
from contextlib import suppress

from auth.erasure_marks import ErasureMarks
from core import timestamps
from core.errors import AppError, FieldError
from database.tables import customers as customers_table
from database.tables import macros as macros_table
from database.tables import users as users_table
from services import settings
from services.accounts import users
from services.import_export import imports
from services.import_export.imports import Good, Result
from services.tickets import customers, macros
from services.triage.trained_models import TrainedModels
from storage import OpenUnitOfWork, Row, UnitOfWork

# Customers come before the tickets that are theirs.
KINDS = ("customers", "agents", "macros", "tickets")
MOST = 100  # records of a kind that are written at once
MOST_REPLIES = 1_000  # of a ticket


class _UndoneError(Exception):
    """Rolls the unit of work of a dry run back."""


def bring_in(
    open_uow: OpenUnitOfWork,
    trained_models: TrainedModels,
    marks: ErasureMarks,
    kind: str,
    rows: Sequence[Row],
    *,
    dry_run: bool = False,
) -> Result:
    """Writes records of one kind. `line` of an error in the result is the position of the record, from 1.

    `kind` is one of KINDS, and `rows` are checked. With `dry_run` everything is done and then rolled back. Raises AppError 503.
    """
    if kind == "tickets":
        with open_uow() as uow:
            rows = _closed_by_now(uow, rows)
        return imports.bring_in(open_uow, trained_models, marks, list(enumerate(rows, 1)), dry_run=dry_run)
    result = Result(read=len(rows))
    with open_uow() as uow:
        numbered = list(enumerate(rows, 1))
        if kind == "customers":
            numbered = imports.without_erased(uow, marks, numbered, result)
        new = _new(uow, kind, numbered, result)
    if new:
        with suppress(_UndoneError), open_uow(write=True) as uow:
            for position, row in new:
                _try_one(uow, kind, position, row, result)
            if dry_run:
                raise _UndoneError
    return result


def _new(uow: UnitOfWork, kind: str, numbered: list[Good], result: Result) -> list[Good]:
    """The records that are not here, found by one question for each key; the others are counted as skipped."""
    here = {
        (name, row[0])
        for name, column in _KEYS[kind].items()
        if (values := {row[name] for _, row in numbered if row.get(name)})
        for row in uow.aggregate(uow.query(column.table, column).where(column.in_(values)))
    }
    new = [(position, row) for position, row in numbered if not here & {(name, row.get(name)) for name in _KEYS[kind]}]
    result.skipped += len(numbered) - len(new)
    return new


def _closed_by_now(uow: UnitOfWork, rows: Sequence[Row]) -> list[Row]:
    """The tickets. One that would close automatically at once is closed already, so no webhook hears of it today."""
    days = settings.current(uow)["auto_close_days"]
    return [{**row, **_closing(row, days, uow.now)} for row in rows]


def _closing(row: Row, days: int, now: str) -> Row:
    if not days or row.get("status") != "resolved" or not row.get("resolved_at"):
        return {}
    closed = timestamps.later(row["resolved_at"], seconds=days * 24 * 3600)
    return {"status": "closed", "closed_at": closed} if closed <= now else {}


def _try_one(uow: UnitOfWork, kind: str, position: int, row: Row, result: Result) -> None:
    if not _new(uow, kind, [(position, row)], result):  # two of one request, or somebody was faster
        return
    try:
        with uow.attempt():
            _write(uow, kind, row)
    except AppError as error:
        if error.status >= 500:
            raise
        result.reject(position, error.errors or [FieldError("", error.message)])
    else:
        result.created += 1


def _write(uow: UnitOfWork, kind: str, row: Row) -> None:
    """Adds a record. An agent cannot sign in until an admin says so."""
    if kind == "customers":
        customers.find_or_create(uow, row)
    elif kind == "agents":
        users.create(uow, {**row, "role": "agent", "disabled": True})
    else:
        macros.create(uow, row)


# What a record of each kind is known by.
_KEYS = {
    "customers": {"customer_email": customers_table.c.email, "customer_id": customers_table.c.customer_id},
    "agents": {"email": users_table.c.email},
    "macros": {"name": macros_table.c.name},
}
