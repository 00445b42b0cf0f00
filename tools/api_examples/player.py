"""Development only: plays the scenario on a fresh server in a temporary folder, with a clock of its own.

Ids, keys and tokens are shown as placeholders, numbered in order of appearance. So docs/api.md changes only when the
API does.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask.testing import FlaskClient

from app import create_app
from config import Settings
from notifier import MemoryMailer
from tools.api_examples.scenario import ADMIN_KEY, VARIABLES, Request, Scenario, ScenarioError, Step, fill_in

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
BETWEEN_CALLS = timedelta(seconds=20)
KEY = "the-key-of-the-server-in-the-examples"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_SECRETS = ("access_token", "refresh_token", "key", "prefix", "secret", "qr_path")
_SECRET_FORM = re.compile(r"(fk_|whsec_).+|[A-Z2-7]{32}")  # of a field whose name alone does not say it


@dataclass(frozen=True)
class Exchange:
    """A step that was played: request and answer, with placeholders for ids and secrets."""

    step: Step
    request: Request
    status: int
    media: str
    text: str


@dataclass
class Player:
    """Plays steps one after the other and keeps the variables they save."""

    scenario: Scenario
    client: FlaskClient
    clock: list[datetime]
    values: dict[str, str]
    placeholders: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def play(self, step: Step) -> Exchange:
        """Sends a step. Raises ScenarioError when the answer is not the expected one."""
        self.clock[0] += BETWEEN_CALLS
        try:
            request = self.scenario.request(step).map_texts(lambda text: fill_in(text, self.values))
        except ScenarioError as error:
            raise ScenarioError(f"{step.name}: {error}") from None
        headers = {**request.headers, **self._credential(request)}
        response = self.client.open(request.url, method=request.method, headers=headers, data=request.body or None)
        text = response.get_data(as_text=True)
        data = json.loads(text)["data"] if response.is_json else {}
        if response.status_code != step.status or (step.code and data["code"] != step.code):
            raise ScenarioError(f"{step.name}: {response.status_code} instead of {step.status} {step.code}: {text}")
        self.values |= {name: _value_at(step, data, place) for name, place in step.saves.items()}
        for identifier in _ID.findall(text):
            self._name(identifier, "", "01920000-0000-7000-8000-{:012}")
        for kind, secret in _secrets(data):
            self._name(secret, kind, f"EXAMPLE-{kind}-{{}}")
        media = response.mimetype or ""
        return Exchange(
            step, request.map_texts(self.with_placeholders), response.status_code, media, self.with_placeholders(text)
        )

    def with_placeholders(self, text: str) -> str:
        """The text with placeholders, the longest value first: a prefix is part of its key."""
        for value in sorted(self.placeholders, key=len, reverse=True):
            text = text.replace(value, self.placeholders[value])
        return text

    def _name(self, value: str, kind: str, form: str) -> None:
        if value not in self.placeholders:
            self.counts[kind] += 1
            self.placeholders[value] = form.format(self.counts[kind])

    def _credential(self, request: Request) -> dict[str, str]:
        if request.credential in ("", ADMIN_KEY):
            return {"X-API-Key": KEY} if request.credential else {}
        return {"Authorization": f"Bearer {self.values[request.credential]}"}


@contextmanager
def open_player(scenario: Scenario) -> Iterator[Player]:
    """A player on a fresh server, which is removed afterwards. Every setting is its default, whatever the environment."""
    clock = [START]
    values = {name: value for name, (_, value) in VARIABLES.items() if value} | {ADMIN_KEY: KEY, "runId": "1042"}
    with TemporaryDirectory() as folder:
        defaults = {name: setting.get_default() for name, setting in Settings.model_fields.items()}
        overrides = {"data_dir": Path(folder), "api_key": KEY, "embeddings": "static"}
        settings = Settings(_env_file=None, **{**defaults, **overrides})
        mailer = MemoryMailer()
        mailer.mode = "smtp"  # as if there were a mail server
        app = create_app(settings, clock=lambda: clock[0], mailer=mailer)
        try:
            yield Player(scenario, app.test_client(), clock, values)
        finally:
            app.extensions["runtime"].stop()


def _value_at(step: Step, data: Any, place: str) -> str:
    """The value at a place of the data, as text. Raises ScenarioError when it is not there."""
    value = data
    for part in place.split("."):
        try:
            value = value[int(part) if isinstance(value, list) else part]
        except (LookupError, TypeError, ValueError):
            raise ScenarioError(f"{step.name}: the answer has no {place}.") from None
    return value if isinstance(value, str) else json.dumps(value)


def _secrets(data: Any) -> Iterator[tuple[str, str]]:
    """Every secret in an answer, with the name of its field."""
    if isinstance(data, list):
        for inner in data:
            yield from _secrets(inner)
    elif isinstance(data, dict):
        for name, value in data.items():
            if name in _SECRETS and isinstance(value, str) and ("_" in name or _SECRET_FORM.match(value)):
                yield name, value
            if name == "link" and isinstance(value, str) and "#" in value:
                yield "token", value.partition("#")[2]
            yield from _secrets(value)
