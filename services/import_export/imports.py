"""Import tickets from rows of a file, in batches. Sending a file again creates no duplicates.

No answers or mails are sent. import_files.py reads the files.
"""

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from core import timestamps
from core.errors import AppError, FieldError, invalid_field
from core.models import FINISHED
from database.tables import customers
from services.import_export.import_files import RawRow, batches
from services.tickets import create
from services.triage import decide
from storage import Row, UnitOfWork

BATCH = 100
MOST_ERRORS = 200
GOOD_TITLE = 80
PREFIX = "import:"

OpenUnitOfWork = Callable[[], AbstractContextManager[UnitOfWork]]
Check = Callable[[Row], Row]


@dataclass(slots=True)
class Result:
    """Result of an import. `customers` counts new customers; `errors` holds the first 200 problems."""

    read: int = 0
    created: int = 0
    skipped: int = 0
    rejected: int = 0
    customers: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, line: int, problems: Iterable[FieldError]) -> None:
        """Counts a rejected row and adds its problems."""
        self.rejected += 1
        for problem in problems:
            if len(self.errors) < MOST_ERRORS:
                self.errors.append({"line": line, "field": problem.field, "message": problem.message})

    def add(self, other: "Result") -> None:
        """Adds the result of another batch."""
        for name in ("read", "created", "skipped", "rejected", "customers"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.errors = (self.errors + other.errors)[:MOST_ERRORS]

    def as_data(self) -> Row:
        """The public shape."""
        return asdict(self)


def import_rows(open_desk: OpenUnitOfWork, rows: Iterable[RawRow], check: Check) -> Iterable[Result]:
    """Imports the rows and yields the result of each batch after its commit.

    `open_desk` opens a write unit of work; other writers proceed between batches. `check` validates and normalises a row's
    values, or raises AppError.
    """
    for portion in batches(rows, BATCH):
        result = Result(read=len(portion))
        good = _checked(portion, check, result)
        if good:
            decide.prepare([_named(values) for _, values in good])
            # A separate result: nothing is counted if the unit of work is rolled back.
            result.add(_import_batch(open_desk, good))
        yield result


def total(results: Iterable[Result]) -> Result:
    """Adds up the results of all batches."""
    total = Result()
    for result in results:
        total.add(result)
    return total


def _checked(portion: Iterable[RawRow], check: Check, result: Result) -> list[tuple[int, Row]]:
    good = []
    for row in portion:
        try:
            if row.problem is None:
                good.append((row.line, check(row.values)))
            else:
                result.reject(row.line, [row.problem])
        except AppError as error:
            result.reject(row.line, _reasons(error))
    return good


def _import_batch(open_desk: OpenUnitOfWork, good: Iterable[tuple[int, Row]]) -> Result:
    result = Result()
    with open_desk() as uow:
        for line, values in good:
            try:
                with uow.attempt():
                    _import_one(uow, values)
                result.created += 1
            except AppError as error:
                if error.status >= 500:
                    raise
                if error.code == "external_id_taken":
                    result.skipped += 1
                else:
                    result.reject(line, _reasons(error))
        # uow.now is unique per unit of work, so these customers were created in this batch.
        result.customers = uow.count(uow.query(customers).where(customers.c.created_at == uow.now))
    return result


def _reasons(error: AppError) -> Iterable[FieldError]:
    return error.errors or [FieldError("", error.message)]


def _import_one(uow: UnitOfWork, values: Row) -> None:
    past = _past(values, uow.now)
    fields = {"source": "import", **_named(values)}
    fields["external_id"] = fields.get("external_id") or _fingerprint(fields)
    if fields.get("assigned_to"):
        past["assigned_at"] = past.get("created_at", uow.now)
    create.import_ticket(uow, fields, **past)


def _named(values: Row) -> Row:
    return values | {"title": values.get("title") or title_of(values["description"])}


def _past(values: Row, now: str) -> Row:
    """The columns about the ticket's past. Raises AppError 400 if they contradict each other."""
    created, status = values.get("created_at", now), values.get("status", "new")
    if created > now:
        raise invalid_field("created_at", "created_at must not be in the future.")
    if status == "assigned" and not values.get("assigned_to"):
        raise invalid_field("assigned_to", "To assign the ticket, name an agent in assigned_to.")
    finished = ("resolution", "resolved_at", "closed_at")
    if status not in FINISHED and (early := [name for name in finished if name in values]):
        raise invalid_field(early[0], f"{early[0]} belongs to a ticket whose status is resolved or closed.")
    past: Row = {"created_at": created}
    if status != "new":
        past["status"] = status
    return past | _ending(values, created, status, now) if status in FINISHED else past


def _ending(values: Row, created: str, status: str, now: str) -> Row:
    """Resolution fields. Without a known end, created_at stands for it and no duration is set."""
    resolved = str(values.get("resolved_at", values.get("closed_at", created)))
    closed = str(values.get("closed_at", resolved))
    if not created <= resolved <= closed <= now:
        raise invalid_field(
            "resolved_at", "created_at, resolved_at and closed_at must be in this order and not in the future."
        )
    ending: Row = {"resolution": values.get("resolution", ""), "resolved_at": resolved}
    if "resolved_at" in values or "closed_at" in values:
        ending["resolution_seconds"] = timestamps.seconds_between(created, resolved)
    if status == "closed":
        ending["closed_at"] = closed
    return ending


def title_of(message: str) -> str:
    """The first sentence or line of a message, cut at a word boundary to GOOD_TITLE characters."""
    line = " ".join(message.strip().splitlines()[0].split())
    ends = [at + 1 for mark in ".!?" if 0 <= (at := line.find(f"{mark} ")) < GOOD_TITLE]
    sentence = line[: min(ends)] if ends else line
    if len(sentence) <= GOOD_TITLE:
        return sentence
    cut = sentence[: GOOD_TITLE - 1]
    return (cut.rpartition(" ")[0] or cut).rstrip(" ,;:-") + "…"


def _fingerprint(fields: Row) -> str:
    """A stable id from customer, time and text, so that a repeated import recognises the ticket."""
    names = ("customer_email", "customer_id", "created_at", "title", "description")
    parts = orjson.dumps([fields.get(name, "") for name in names])
    return PREFIX + hashlib.sha256(parts).hexdigest()[:32]
