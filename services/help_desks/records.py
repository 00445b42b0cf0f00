"""What is read from an export of another help desk, and what it becomes here. Only values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core import normal_form
from core.models import LIMITS
from storage import Row

LeftOut = tuple[str, str]  # what was left out and why, in the same words for all alike; and an example


@dataclass(frozen=True, slots=True)
class Raw:
    """One record as it stands in a file.

    `position` is its line or, in a JSON document, its number from 1. `member` names the list it stands in. Of a row of a CSV
    file (`is_row`), `values` has a list for each column in lower case: the cells that are not empty. `problem` says why
    a record cannot be used, "" if it can.
    """

    file: str
    position: int
    values: Row
    member: str = ""
    is_row: bool = False
    is_line: bool = True
    problem: str = ""

    @property
    def place(self) -> str:
        """Where it stands, for a person."""
        return f"{self.file} {'line' if self.is_line else 'record'} {self.position}" if self.position else self.file


@dataclass(frozen=True, slots=True)
class Organisation:
    """A company that customers belong to there. `tier` is one of ours, or ""."""

    name: str
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the other help desk. `email` is in our form, "" for none that is valid; `own_id` is the caller's own id."""

    id: str
    name: str = ""
    email: str = ""
    is_agent: bool = False
    organisation: str = ""
    own_id: str = ""
    is_deleted: bool = False


@dataclass(slots=True)
class Book:
    """What is known when a ticket or macro is read.

    `people` and `organisations` of the files are by their ids there. `agents` maps the address, and the name in lower case,
    to the address of an agent at work here; a name that two agents have is left out. `zone` is the time zone of times
    without an offset. `is_public`: comments that Jira marks neither public nor internal are public.
    """

    people: dict[str, Person] = field(default_factory=dict)
    organisations: dict[str, Organisation] = field(default_factory=dict)
    agents: Mapping[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    is_public: bool = False

    def know_agents_by_name(self) -> None:
        """Adds the names that the files have for the agents at work here. A list of tickets may name them by name alone."""
        people = {person.email: person.name for person in self.people.values() if person.email in self.agents}
        self.agents = {**agents_by_name(people), **self.agents}

    def agent_here(self, person: Person) -> str:
        """The address of the agent at work here who is this person, else ""."""
        return self.agents.get(person.email) or self.agents.get(person.name.lower(), "")

    def tier_of(self, person: Person) -> str:
        """The tier of the organisation of a person, or ""."""
        organisation = self.organisations.get(person.organisation)
        return organisation.tier if organisation else ""


@dataclass(slots=True)
class Mapped:
    """What a record becomes: the values of one of our records, or None with the reason among `left_out`.

    `name` is how the record is called in examples. `customer` is the customer of a ticket.
    """

    name: str
    values: Row | None
    left_out: list[LeftOut] = field(default_factory=list)
    customer: Row | None = None


def agents_by_name(people: Mapping[str, str]) -> dict[str, str]:
    """Agents as `Book` has them, from addresses and names."""
    names = [name.lower() for name in people.values()]
    unique = {name.lower(): email for email, name in people.items() if name and names.count(name.lower()) == 1}
    return unique | {email: email for email in people}


def text_of(value: Any) -> str:
    """A value as text: "" for null, no decimals for ids that became floats."""
    if value is None or isinstance(value, bool | dict | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def address_of(value: Any) -> str:
    """An e-mail address in our form; "" when it is none."""
    text = text_of(value)
    try:
        address = normal_form.valid_email(text) if "@" in text else ""
    except normal_form.EmailNotValidError:
        return ""
    return address if len(address) <= LIMITS["email"] else ""


def has_value(value: Any) -> bool:
    """Whether a field says something: false, null and what is empty say nothing, 0 does."""
    return value is not False and value not in (None, "", [], {})


def dict_of(value: Any) -> Row:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
