"""What a mapper of another help desk's records offers, and the parts that several of them share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.help_desks.drafts import Draft
from services.help_desks.records import Book, LeftOut, Mapped, Organisation, Person, address_of, has_value, text_of
from storage import Row

ORGANISATION, PERSON, MACRO, TICKET = "organisation", "person", "macro", "ticket"


@dataclass(frozen=True, slots=True)
class Product:
    """A help desk whose exports are read. Its functions are pure.

    A kind is ORGANISATION, PERSON, MACRO or TICKET. `members` has the kind of the records in a list, by the name of the list.
    `wrappers` has the kind of the record in an object with one key, by that key. `refused` has the reason why a list is not
    taken, by its name. `guess` gives the kind of another record, "" for an unknown one, and `row` that of a row of a CSV file.
    `tells_customers`: every person who is no agent is a customer; otherwise only people with tickets are.
    """

    name: str
    members: Mapping[str, str]
    wrappers: Mapping[str, str]
    refused: Mapping[str, str]
    guess: Callable[[Row], str]
    row: Callable[[Row], str]
    organisation: Callable[[Row], tuple[str, Organisation]]
    person: Callable[[Row], Person]
    row_person: Callable[[Row], Person]
    macro: Callable[[Row, Book], Mapped]
    ticket: Callable[[Row, Book], Mapped]
    row_ticket: Callable[[Row, Book], Mapped]
    person_left_out: Mapping[str, str] = field(default_factory=dict)
    tells_customers: bool = True

    def kind_of(self, values: Row, member: str, *, is_row: bool) -> tuple[str, Row]:
        """What a record is, and the record without a wrapper around it."""
        if is_row:
            return self.row(values), values
        if member in self.members:
            kind = self.members[member]
        elif len(values) == 1 and isinstance(next(iter(values.values())), dict):
            member = next(iter(values))
            return self.wrappers.get(member, ""), values[member]
        else:
            return self.guess(values), values
        inner = next(iter(values.values())) if len(values) == 1 else None
        return kind, inner if isinstance(inner, dict) else values


def cell(row: Row, *columns: str) -> str:
    """The first cell under the first of these columns that is not empty, else "". A cell of dashes counts as empty."""
    value = next((row[column][0].strip() for column in columns if row.get(column)), "")
    return value if value.strip("-") else ""


def row_person(row: Row, *, agents: Iterable[str] = ()) -> Person:
    """A person of a list of people as CSV; `agents` are the roles of agents, in lower case."""
    return Person(
        id=cell(row, "id", "user id", "contact id"),
        name=cell(row, "name", "user name", "full name", "display name"),
        email=address_of(cell(row, "email", "email address", "primary email", "e-mail")),
        is_agent=cell(row, "role", "user type").lower() in agents,
        organisation=cell(row, "organization id", "company id"),
        own_id=cell(row, "external id", "unique external id"),
        is_deleted=cell(row, "active", "user status").lower() in ("false", "no", "inactive", "deleted"),
    )


def known(book: Book, person_id: Any, record: Any, as_person: Callable[[Row], Person]) -> Person | None:
    """A person by the record in the ticket, else by id; None without both. A person known by id alone has no name."""
    person_here = book.people.get(text_of(person_id))
    if isinstance(record, dict):
        person = as_person(record)
        known_id = person.id or text_of(person_id)
        person_here = book.people.get(known_id) or person_here
        if person_here and (person_here.email or not person.email):
            return person_here
        return person if known_id else None
    return person_here or (Person(text_of(person_id)) if text_of(person_id) else None)


def leave_out_fields(draft: Draft, values: Row, fields: Mapping[str, str]) -> None:
    """Notes each of these fields that has a value; a value with words in it is shown as the example."""
    for name, what in fields.items():
        value = values.get(name)
        if has_value(value):
            draft.leave_out(what, text_of(value)[:40])


def left_out_of(name: str, values: Row, fields: Mapping[str, str]) -> list[LeftOut]:
    """The fields of a record that have a value and are left out."""
    return [(what, name) for field_name, what in fields.items() if has_value(values.get(field_name))]


def word(draft: Draft, name: str, there: str, ours: Mapping[str, str]) -> str:
    """Our word for one of theirs in lower case, "" for one that is unknown, which is noted."""
    if there and there not in ours:
        draft.leave_out(f"unknown words for {name}", there)
    return ours.get(there, "")
