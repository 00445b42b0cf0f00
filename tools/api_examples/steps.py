"""What the story of the API is made of: steps, each one request and what it must answer.

The Postman collection and docs/api.md tell the same story; what they say of a route comes from its declaration, so a
step holds only what no declaration knows. No step is written here, and nothing is sent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
OURS = "apiKey"  # the variable that holds the credential of whoever runs the story


class StoryError(Exception):
    """The story cannot be told as it stands; the text names the step."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request and what it must answer.

    `{{name}}` is a variable, in a body `"{{#name}}"` one that stands without quotes. A path parameter that is not given
    is the variable of its name: ticket_id is {{ticketId}}.
    """

    operation: str  # operationId of the route it asks
    name: str
    about: str = ""  # what is special here; what the route does, its declaration says
    status: int = 200
    code: str = ""  # of the error that is expected
    method: str = ""  # another one than the route's, to be refused
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None  # an object or a list for JSON, else text
    media: str = JSON
    credential: str | None = None  # the variable that holds it, "" for none; ours when the route needs one
    plain: bool = False  # the answer is no JSON
    also: tuple[int, ...] = ()  # other statuses that some desks rightly answer
    saves: Mapping[str, str] = field(default_factory=dict)  # variable: where in data its value stands, like "user.id"
    # What is true: the JavaScript after `pm.` that says so, about `answer`.
    checks: Mapping[str, str] = field(default_factory=dict)
    script: tuple[str, ...] = ()  # further JavaScript, after the checks

    @property
    def refused(self) -> bool:
        """Whether the answer is an error."""
        return self.status >= 400


@dataclass(frozen=True)
class Chapter:
    """Steps that belong together."""

    name: str
    about: str
    steps: Sequence[Step] = field(default_factory=tuple)


@dataclass(frozen=True)
class Variable:
    """A value the steps share: given by whoever runs the story, or set on the way."""

    name: str
    about: str
    value: str = ""


def is_true(field_: str) -> str:
    """The check that a field of the answer is true."""
    return equals(field_, "true")


def equals(field_: str, javascript: str) -> str:
    """The check that a field of the answer equals a JavaScript value."""
    return f"expect(answer.{field_}).to.equal({javascript})"


def same(field_: str, variable: str) -> str:
    """The check that a field of the answer is what a variable holds."""
    return equals(field_, f'pm.variables.get("{variable}")')


def filled(field_: str) -> str:
    """The check that a field of the answer is a text that says something."""
    return f'expect(answer.{field_}).to.be.a("string").and.not.empty'


def includes(things: str, javascript: str) -> str:
    """The check that a list made of the answer includes a JavaScript value."""
    return f"expect({things}).to.include({javascript})"
