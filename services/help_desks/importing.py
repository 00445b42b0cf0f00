"""Brings the files of an export in: people first, then tickets with their customers, a portion at a time.

The files are read twice, so their order does not matter: a ticket names its people by id. In memory are the people and
organisations of the files, the keys of the records so far, and one portion.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import IO

from core.errors import AppError
from services.help_desks import reading
from services.help_desks.drafts import customer_values
from services.help_desks.products import MACRO, ORGANISATION, PERSON, TICKET, Product, left_out_of
from services.help_desks.records import Book, Mapped, Person, Raw
from services.help_desks.report import Report
from services.help_desks.writing import MOST
from services.import_export.imports import Result
from services.privacy.erased_people import ERASED_HERE
from storage import Row

MOST_TEXT = 1_000_000  # characters of the tickets that are written at once
TWICE = "records that stand in the files twice: the first one counts"
ORGANISATIONS = "organisations: there are none here; a customer takes their tier, if it is one of ours"
UNKNOWN = "records of a kind that is not known here"
NAMELESS = "people without an address and without a ticket"
ERASED = "records of people who were erased here"
GONE = "deleted people: those with tickets come with their ticket"

Open = Callable[[], AbstractContextManager[IO[bytes]]]  # opens a file at its beginning
Check = Callable[[str, Row], Row]  # the values of a record of a kind in the server's form; raises AppError
Bring = Callable[[str, Sequence[Row]], Result]  # writes records of a kind


@dataclass(slots=True)
class _Portion:
    """Records of one kind that wait to be written, with the places they come from."""

    rows: list[Row] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    text: int = 0


@dataclass(slots=True)
class Import:
    """One run over `files`: the name of each, and a function that opens it. `check` and `bring` are given, so no row is
    read or written here.
    """

    product: Product
    files: Sequence[tuple[str, Open]]
    book: Book
    check: Check
    bring: Bring
    report: Report
    charset: str = ""
    _portions: dict[str, _Portion] = field(default_factory=dict)
    _met: set[tuple[str, str]] = field(default_factory=set)

    def run(self) -> Report:
        """Brings everything in and returns the report. Raises AppError 503, OSError."""
        for raw in self._raws():
            if not raw.problem:
                self._note_person_or_organisation(raw)
        self.book.know_agents_by_name()
        for person in self.book.people.values():
            self._add_person(person)
        for raw in self._raws():
            self._take(raw)
        for kind in ("customers", "agents", "macros", "tickets"):
            self._flush(kind)
        return self.report

    def _raws(self) -> Iterator[Raw]:
        members = (*self.product.members, *self.product.refused)
        for name, open_file in self.files:
            with open_file() as file:
                yield from reading.raws(name, file, members, self.charset)

    def _note_person_or_organisation(self, raw: Raw) -> None:
        kind, values = self.product.kind_of(raw.values, raw.member, is_row=raw.is_row)
        if raw.member in self.product.refused:
            return
        if kind == ORGANISATION:
            organisation_id, organisation = self.product.organisation(values)
            if organisation_id not in self.book.organisations:
                self.book.organisations[organisation_id] = organisation
                self.report.leave_out([(ORGANISATIONS, organisation.name)])
        elif kind == PERSON:
            person = self.product.row_person(values) if raw.is_row else self.product.person(values)
            key = person.id or person.email or person.name
            if key in self.book.people:
                self.report.leave_out([(TWICE, person.name)])
            elif key:
                self.book.people[key] = person
            self.report.leave_out(left_out_of(person.name, values, self.product.person_left_out))

    def _add_person(self, person: Person) -> None:
        if person.is_deleted:
            self.report.leave_out([(GONE, person.name)])
        elif not person.email:
            self.report.leave_out([(NAMELESS, person.name)])
        elif person.is_agent or self.book.agent_here(person):
            self._add("agents", {"email": person.email, "name": " ".join(person.name.split())[:120]}, person.name)
        elif self.product.tells_customers:
            self._add("customers", customer_values(person, self.book, self.product.name.lower()), person.name)

    def _take(self, raw: Raw) -> None:
        if raw.problem:
            self.report.fail(raw.place, raw.problem)
            return
        if raw.member in self.product.refused:
            self.report.leave_out([(self.product.refused[raw.member], raw.place)])
            return
        kind, values = self.product.kind_of(raw.values, raw.member, is_row=raw.is_row)
        mappers = {MACRO: self.product.macro, TICKET: self.product.row_ticket if raw.is_row else self.product.ticket}
        if kind in mappers:
            try:
                mapped = mappers[kind](values, self.book)
            except (ValueError, OverflowError) as error:
                self.report.fail(raw.place, str(error))
            else:
                self._add_mapped("macros" if kind == MACRO else "tickets", mapped, raw.place)
        elif not kind:
            self.report.leave_out([(UNKNOWN, raw.place)])

    def _add_mapped(self, kind: str, mapped: Mapped, place: str) -> None:
        if not self._is_new(kind, mapped.name):
            self.report.leave_out([(TWICE, mapped.name)])
            return
        self.report.leave_out(mapped.left_out)
        if mapped.customer:
            self._add("customers", mapped.customer, place)
        if mapped.values is not None:
            self._add(kind, mapped.values, place, known_new=True)

    def _is_new(self, kind: str, key: str) -> bool:
        if (kind, key) in self._met:
            return False
        self._met.add((kind, key))
        return True

    def _add(self, kind: str, values: Row, place: str, *, known_new: bool = False) -> None:
        key = values.get("email") or values.get("customer_email") or values.get("customer_id") or ""
        if not known_new and not self._is_new(kind, str(key)):
            return
        try:
            row = self.check(kind, values)
        except AppError as error:
            self.report.fail(place, _said(error))
            return
        portion = self._portions.setdefault(kind, _Portion())
        portion.rows.append(row)
        portion.places.append(place)
        portion.text += _size(row) if kind == "tickets" else 0
        if len(portion.rows) >= MOST or portion.text >= MOST_TEXT:
            if kind == "tickets":
                self._flush("customers")
            self._flush(kind)

    def _flush(self, kind: str) -> None:
        portion = self._portions.pop(kind, None)
        if portion is None:
            return
        result = self.bring(kind, portion.rows)
        self.report.taken[kind] += result.created
        self.report.skipped[kind] += result.skipped
        self.report.replies += result.replies
        refused: dict[int, list[str]] = {}
        for error in result.errors:
            if error["message"] == ERASED_HERE:
                self.report.leave_out([(ERASED, "")])
                continue
            refused.setdefault(error["line"], []).append(": ".join(filter(None, (error["field"], error["message"]))))
        for position, messages in refused.items():
            self.report.fail(portion.places[position - 1], " ".join(messages))


def _size(row: Row) -> int:
    return len(row["description"]) + sum(len(reply["body"]) + 200 for reply in row.get("replies", []))


def _said(error: AppError) -> str:
    if not error.errors:
        return error.message
    return " ".join(": ".join(filter(None, (problem.field, problem.message))) for problem in error.errors)
