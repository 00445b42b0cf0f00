"""Remembers erased people by marks alone, so that no import brings them back. They may still write again themselves."""

from collections.abc import Iterable, Mapping, Sequence

from auth.erasure_marks import ErasureMarks
from database.tables import erased_people as table
from storage import Row, UnitOfWork

ERASED_HERE = "This person was erased here, so no import brings them back."
CUSTOMER_COLUMNS = ("customer_email", "customer_id")


def remember(uow: UnitOfWork, marks: ErasureMarks, names: Iterable[str]) -> None:
    """Keeps the marks of an erased person's address and customer id."""
    for name in filter(None, names):
        uow.insert_new(table, {"id": marks.of(uow.actor.company_id, name), "created_at": uow.now})


def fields_of_erased(
    uow: UnitOfWork, marks: ErasureMarks, numbered: Iterable[tuple[int, Row]], columns: Sequence[str] = CUSTOMER_COLUMNS
) -> Mapping[int, str]:
    """The rows that name an erased person in one of the columns: their numbers, each with that column."""
    names = [
        (marks.of(uow.actor.company_id, row[column]), number, column)
        for number, row in numbered
        for column in columns
        if row.get(column)
    ]
    erased = {row["id"] for row in uow.find(uow.query(table).where(table.c.id.in_({mark for mark, _, _ in names})))}
    return {number: column for mark, number, column in reversed(names) if mark in erased}
