"""Plays steps of the story at a desk of its own: a temporary folder, a clock of its own, and nothing of the environment.

What differs from one desk to the next (ids, keys, tokens) is shown by a name that follows from the order of appearance.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from config import Settings
from tools.api_examples.collection import Book, Request, filled_in, saved_values
from tools.api_examples.steps import OURS, Step, StoryError

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
BETWEEN = timedelta(seconds=20)  # from one call to the next
KEY = "the-key-of-the-desk-in-the-examples"
RUN = "1042"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECRET_FIELDS = ("access_token", "refresh_token", "key", "prefix")


@dataclass(frozen=True)
class Told:
    """A step that was played: what was sent and what came back, both with names in place of ids and secrets."""

    step: Step
    request: Request
    status: int
    media: str
    text: str


@dataclass
class Names:
    """The names that stand for values nobody can foretell."""

    names: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def learn(self, text: str, data: Any) -> None:
        """Names the ids and secrets of an answer that have no name yet."""
        for id_ in _ID.findall(text):
            self._name(id_, "", "01920000-0000-7000-8000-{:012}")
        for kind, secret in _secrets(data):
            self._name(secret, kind, f"EXAMPLE-{kind}-{{}}")

    def shown(self, text: str) -> str:
        """The text with names in place of what has one, the longest first: a prefix is a part of its key."""
        for value in sorted(self.names, key=len, reverse=True):
            text = text.replace(value, self.names[value])
        return text

    def _name(self, value: str, kind: str, form: str) -> None:
        if value not in self.names:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.names[value] = form.format(self.counts[kind])


@dataclass
class Player:
    """Plays steps one after the other, and remembers what they save."""

    book: Book
    client: FlaskClient
    clock: list[datetime]
    names: Names = field(default_factory=Names)
    values: dict[str, str] = field(default_factory=dict)

    def play(self, step: Step) -> Told:
        """Sends a step. Raises StoryError when it is not answered as it says."""
        self.clock[0] += BETWEEN
        try:
            request = self.book.request(step).mapped(lambda text: filled_in(text, self.values))
        except StoryError as error:
            raise StoryError(f"{step.name}: {error}") from None
        response = self.client.open(
            request.url, method=request.method, headers=self._headers(request), data=request.body or None
        )
        text = response.get_data(as_text=True)
        data = json.loads(text)["data"] if response.is_json else {}
        if response.status_code != step.status or (step.code and data["code"] != step.code):
            raise StoryError(f"{step.name}: {response.status_code} instead of {step.status} {step.code}: {text}")
        self.values |= saved_values(step, data)
        self.names.learn(text, data)
        shown = request.mapped(self.names.shown)
        return Told(step, shown, response.status_code, response.mimetype or "", self.names.shown(text))

    def credential(self, request: Request) -> str:
        """The credential of a request as it is shown."""
        return self.names.shown(self.values[request.credential])

    def _headers(self, request: Request) -> dict[str, str]:
        if request.credential in ("", OURS):
            return {**request.headers, **({"X-API-Key": KEY} if request.credential else {})}
        return {**request.headers, "Authorization": f"Bearer {self.values[request.credential]}"}


@contextmanager
def player(book: Book) -> Iterator[Player]:
    """A player at a fresh desk that is gone afterwards."""
    clock = [START]
    with TemporaryDirectory() as folder:
        app = _desk(Path(folder), clock)
        given = {variable.name: variable.value for variable in book.variables if variable.value}
        try:
            yield Player(book, app.test_client(), clock, values={**given, OURS: KEY, "runId": RUN})
        finally:
            app.extensions["runtime"].stop()


def _desk(folder: Path, clock: list[datetime]) -> Flask:
    """A desk whose every setting is its default: what is given outranks the environment."""
    defaults = {name: setting.get_default() for name, setting in Settings.model_fields.items()}
    settings = Settings(_env_file=None, **{**defaults, "data_dir": folder, "api_key": KEY, "embeddings": "static"})
    return create_app(settings, clock=lambda: clock[0])


def _secrets(data: Any) -> Iterator[tuple[str, str]]:
    """Every secret in an answer, with the field it stands in."""
    if isinstance(data, list):
        for inner in data:
            yield from _secrets(inner)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name in _SECRET_FIELDS and isinstance(value, str) and ("_" in name or value.startswith("fk_")):
                yield name, value
            yield from _secrets(value)
