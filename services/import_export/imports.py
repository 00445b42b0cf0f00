"""Bringing in tickets from elsewhere: rows of a file, in portions, each ticket once however often the file is sent.

Nobody is answered, mailed or called. How a file is read is import_rows.py's matter.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from math import inf
from time import monotonic
from typing import Any

import orjson
from sqlalchemy import or_

from auth.erasure_marks import ErasureMarks
from core import timestamps
from core.errors import AppError, FieldError, invalid, invalid_field
from core.models import FINISHED
from database.tables import customers, tickets
from services.import_export.import_values import RawRow
from services.privacy import erased_people
from services.tickets import create
from services.tickets.titles import title_of
from services.triage import decide
from services.triage.trained_models import TrainedModels
from storage import OpenUnitOfWork, Row, UnitOfWork

t = tickets.c

BATCH = 100
BATCH_TEXT = 200_000  # characters: fewer rows when they are long
UNIT_SECONDS = 0.1  # a unit of work ends after it, so that others who write have their turn
SECONDS = 45  # an import over HTTP ends after it, before whoever waits gives up
MOST_REFUSED = 1000
MOST_ERRORS = 200
PREFIX = "import:"

Check = Callable[[Row], Row]
Good = tuple[int, Row]  # the line of a row and its values


@dataclass(slots=True)
class Result:
    """What became of a file. `customers` counts the people who were new; `errors` holds the first 200 reasons.

    `stopped` says why the rest of the file was not read; the last of the errors says so too. `ignored` names the columns that
    were left out. `replies` counts what came with the tickets that were made.
    """

    read: int = 0
    created: int = 0
    skipped: int = 0
    rejected: int = 0
    customers: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    stopped: str = ""
    ignored: list[str] = field(default_factory=list)
    replies: int = 0

    def reject(self, line: int, problems: Iterable[FieldError]) -> None:
        """Counts a refused row and says why."""
        self.rejected += 1
        for problem in problems:
            if len(self.errors) < MOST_ERRORS:
                self.errors.append({"line": line, "field": problem.field, "message": problem.message})

    def stop(self, line: int, reason: str) -> None:
        """Says that nothing from this line on was read, as the last of the errors."""
        self.stopped = f"Stopped at line {line}: {reason}"
        self.errors.append({"line": line, "field": "", "message": self.stopped})

    def add(self, other: "Result") -> None:
        """Counts what became of another part of the file."""
        for name in ("read", "created", "skipped", "rejected", "customers", "replies"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        stop = other.errors[-1:] if other.stopped else []
        reasons = self.errors + other.errors[: len(other.errors) - len(stop)]
        self.errors = reasons[:MOST_ERRORS] + stop
        self.stopped = other.stopped

    def as_data(self) -> Row:
        """The public shape."""
        return {name: value for name, value in asdict(self).items() if name not in ("stopped", "replies")}


def import_rows(
    open_uow: OpenUnitOfWork,
    trained_models: TrainedModels,
    marks: ErasureMarks,
    rows: Iterable[RawRow],
    check: Check,
    *,
    seconds: float = inf,
    dry_run: bool = False,
) -> Iterator[Result]:
    """Imports the rows and yields what became of each portion once it is committed.

    `open_uow` opens a unit of work, with write=True one that may write; other writers have their turn between two of them.
    `marks` tell who was erased here: tickets of theirs are refused.
    `check` gives a row's values in the server's own form, or raises AppError: the rules of input live with the API. Stops after
    `seconds`, and after 1,000 refused rows. With `dry_run` everything is done and then undone.
    """
    return in_portions(
        rows, check, partial(bring_in, open_uow, trained_models, marks, dry_run=dry_run), seconds=seconds
    )


def in_portions(
    rows: Iterable[RawRow], check: Check, bring: Callable[[list[Good]], Result], *, seconds: float = inf
) -> Iterator[Result]:
    """Checks the rows, hands the good ones to `bring` a portion at a time, and yields what became of each portion."""
    waiting, ends, external_ids = iter(rows), monotonic() + seconds, set[str]()
    row, refused = next(waiting, None), 0
    while row is not None:
        result, good, text = Result(), list[Good](), 0
        while row is not None and result.read < BATCH and text < BATCH_TEXT:
            result.read += 1
            for line, values in _checked(row, check, result, external_ids):
                good.append((line, values))
                text += len(str(values.get("description", "")))
            row = next(waiting, None)
        if good:
            result.add(bring(good))
        refused += result.rejected
        if row is not None and refused >= MOST_REFUSED:
            result.stop(row.line, f"{refused:,} rows were refused. Mend them and send the file again.")
        elif row is not None and monotonic() >= ends:
            result.stop(row.line, f"after {seconds:g} seconds. Send the file again: rows that are here are skipped.")
        yield result
        if result.stopped:
            return


def whole(results: Iterable[Result]) -> Result:
    """All portions as one."""
    total = Result()
    for result in results:
        total.add(result)
    return total


def _checked(row: RawRow, check: Check, result: Result, external_ids: set[str]) -> list[Good]:
    """The row as a list of one, of none when it is refused. `external_ids` are those of the rows before it."""
    try:
        if row.problem is not None:
            raise invalid(row.problem)
        values = check(row.values)
        external_id = str(values.get("external_id") or "").strip()
        if external_id in external_ids:
            raise invalid_field("external_id", f"Another row of this file has the external_id {external_id[:60]}.")
    except AppError as error:
        result.reject(row.line, _reasons(error))
        return []
    if external_id:
        external_ids.add(external_id)
    return [(row.line, values)]


def bring_in(
    open_uow: OpenUnitOfWork,
    trained_models: TrainedModels,
    marks: ErasureMarks,
    good: list[Good],
    *,
    dry_run: bool = False,
) -> Result:
    """Imports one portion of rows that were checked. With `dry_run` everything is done and then undone.

    A row may have `replies`, the thread of its ticket (services/tickets/past_threads.py).
    """
    result = Result()
    with open_uow() as uow:
        new = deque(_not_here(uow, without_erased(uow, marks, good, result), result))
    if new:
        decide.prepare(trained_models, [_named(values) for _, values in new])
    while new:
        # A second result: when the unit of work is undone, nothing of it may have been counted.
        result.add(_one_unit(open_uow, trained_models, new, dry_run=dry_run))
    return result


def without_erased(uow: UnitOfWork, marks: ErasureMarks, good: list[Good], result: Result) -> list[Good]:
    """The rows of people who were not erased here. The others are refused."""
    fields = erased_people.fields_of_erased(uow, marks, good)
    for line, name in fields.items():
        result.reject(line, [FieldError(name, erased_people.ERASED_HERE)])
    return [(line, values) for line, values in good if line not in fields]


def _not_here(uow: UnitOfWork, good: list[Good], result: Result) -> Iterator[Good]:
    """The rows that are not here already. One query finds them, so a file that is sent again is done soon."""
    names = [_external_id(_named(values)) for _, values in good]
    same = or_(t.external_id.in_(names) & (t.external_scope == ""), t.id.in_(names))  # an id: of our own export
    rows = uow.find(uow.query(tickets, t.external_id, t.id).where(same))
    here = {name for row in rows for name in (row["external_id"], row["id"])}
    for name, (line, values) in zip(names, good, strict=True):
        if name in here:
            result.skipped += 1
        else:
            yield line, values


class _UndoneError(Exception):
    """Ends a unit of work whose changes are not wanted."""


def _one_unit(open_uow: OpenUnitOfWork, trained_models: TrainedModels, new: deque[Good], *, dry_run: bool) -> Result:
    """Takes rows and imports them in one unit of work, as many as there is time for."""
    result, ends = Result(), monotonic() + UNIT_SECONDS
    with suppress(_UndoneError), open_uow(write=True) as uow:
        while new:
            _try_one(uow, trained_models, *new.popleft(), result)
            if monotonic() >= ends:
                break
        # Units of work never share a moment, so whoever has this one's was met here first.
        result.customers = uow.count(uow.query(customers).where(customers.c.created_at == uow.now))
        if dry_run:
            raise _UndoneError
    return result


def _try_one(uow: UnitOfWork, trained_models: TrainedModels, line: int, values: Row, result: Result) -> None:
    try:
        with uow.attempt():
            _bring_in_one(uow, trained_models, values)
        result.created += 1
        result.replies += len(values.get("replies", []))
    except AppError as error:
        if error.status >= 500:
            raise
        if error.code == "external_id_taken":
            result.skipped += 1
        else:
            result.reject(line, _reasons(error))


def _reasons(error: AppError) -> Iterable[FieldError]:
    return error.errors or [FieldError("", error.message)]


def _bring_in_one(uow: UnitOfWork, trained_models: TrainedModels, values: Row) -> None:
    past = _past(values, uow.now)
    fields = {"source": "import", **_named(values)}
    thread = _thread(fields.pop("replies", []), uow.now)
    fields["external_id"] = _external_id(fields)
    if fields.get("assigned_to"):
        past["assigned_at"] = past.get("created_at", uow.now)
    create.import_ticket(uow, trained_models, fields, thread=thread, **past)


def _thread(replies: list[Row], now: str) -> list[Row]:
    """The entries of a thread with every column. Raises AppError 400 for one of the future."""
    blank = {"author_role": "agent", "author_name": "", "author_email": "", "internal": False}
    if any(reply["created_at"] > now for reply in replies):
        raise invalid_field("replies", "created_at of a reply must not be in the future.")
    return [{**blank, **reply} for reply in replies]


def _named(values: Row) -> Row:
    return values | {"title": values.get("title") or title_of(values["description"])}


def _past(values: Row, now: str) -> Row:
    """The columns that say how it went before the ticket came here. Raises AppError 400 when they contradict each other."""
    created, status = values.get("created_at", now), values.get("status", "new")
    if created > now:
        raise invalid_field("created_at", "created_at must not be in the future.")
    if status == "assigned" and not values.get("assigned_to"):
        raise invalid_field("assigned_to", "To assign the ticket, say to whom in assigned_to.")
    finished = ("resolution", "resolved_at", "closed_at")
    if status not in FINISHED and (early := [name for name in finished if name in values]):
        raise invalid_field(early[0], f"{early[0]} belongs to a ticket whose status is resolved or closed.")
    past: Row = {"created_at": created}
    if status != "new":
        past["status"] = status
    return past | _ending(values, created, status, now) if status in FINISHED else past


def _ending(values: Row, created: str, status: str, now: str) -> Row:
    """When and how it was resolved. When that is not known, no duration is made up and the start stands for the end."""
    resolved = str(values.get("resolved_at", values.get("closed_at", created)))
    closed = str(values.get("closed_at", resolved))
    if not created <= resolved <= closed <= now:
        raise invalid_field("resolved_at", "created_at, resolved_at and closed_at must follow each other, up to now.")
    ending: Row = {"resolution": values.get("resolution", ""), "resolved_at": resolved}
    if "resolved_at" in values or "closed_at" in values:
        ending["resolution_seconds"] = timestamps.seconds_between(created, resolved)
    if status == "closed":
        ending["closed_at"] = closed
    return ending


def _external_id(fields: Row) -> str:
    """Its own, or one that is the same for the same ticket in every run: who wrote it, when, and what."""
    if fields.get("external_id"):
        return str(fields["external_id"])
    names = ("customer_email", "customer_id", "created_at", "title", "description")
    parts = orjson.dumps([fields.get(name, "") for name in names])
    return PREFIX + hashlib.sha256(parts).hexdigest()[:32]
