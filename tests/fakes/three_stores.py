"""One server on each engine, asked the same at the same moment: their answers must be the same to the byte, but for random ids."""

import difflib
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from app import create_app
from config import Settings
from core.permissions import ACT_FOR_CUSTOMERS
from notifier import MemoryMailer
from runtime.bootstrap import Runtime
from tests.conftest import SECRET, add_key
from tests.support.rows import file_url

ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NAME = re.compile(r"\bid-\d+\b")
SECRETS = re.compile(r"fk_[\w-]+|eyJ[\w.-]+")
STORE = re.compile(r'"storage":\{[^}]*\}')  # /api/health says which it is
ADMIN_KEY = "admin-key of every server"
HEADERS = ("ETag", "Idempotent-Replay", "Retry-After", "Allow", "Content-Type", "Content-Disposition")


class Clock:
    """A clock that all servers share and that is moved by hand, back as well."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class OneStore:
    """A server, and the names its random ids go by: id-1 is what it told first."""

    def __init__(self, engine: str, url: str, folder: Path, clock: Clock) -> None:
        self.engine = engine
        self._clock = clock
        self._settings = Settings(
            _env_file=None,
            data_dir=folder,
            database_url=url,
            api_key=ADMIN_KEY,
            secret_key=SECRET,
            open_registration=True,
            embeddings="static",
            rate_limit="off",
        )
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self.open()

    def open(self) -> None:
        """Opens the server, or opens it again."""
        self.mailer = MemoryMailer()
        self.app = create_app(self._settings, clock=self._clock, mailer=self.mailer)
        self.runtime: Runtime = self.app.extensions["runtime"]
        _ = self.runtime.storage

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> dict[str, Any]:
        """The response, as text in which ids have names."""
        given: dict[str, Any] = {}
        if isinstance(body, bytes):
            given["data"] = body
        elif body is not None:
            given = {"data": self._with_ids(orjson.dumps(body).decode()), "content_type": "application/json"}
        answer = self.app.test_client().open(self._with_ids(path), method=method, headers=headers, **given)
        compared = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
        return {"status": answer.status_code, **compared, "body": self._with_names(answer.get_data(as_text=True))}

    def work(self) -> dict[str, Any]:
        """Runs due jobs and returns their number and the mail they sent."""
        done, before = self.runtime.runner.run_due(), len(self.mailer.sent)
        mails = [f"{one.kind} #{one.number} {one.to} {one.subject}\n{one.text}" for one in self.mailer.sent]
        self.mailer.sent.clear()
        return {"done": done, "mails": before, "body": self._with_names("\n\n".join(mails))}

    def _with_names(self, text: str) -> str:
        def named(found: re.Match[str]) -> str:
            name = self._names.setdefault(found[0], f"id-{len(self._names) + 1}")
            self._ids[name] = found[0]
            return name

        return STORE.sub('"storage":{}', SECRETS.sub("a secret", ID.sub(named, text)))

    def _with_ids(self, text: str) -> str:
        return NAME.sub(lambda found: self._ids.get(found[0], found[0]), text)


class ThreeStores:
    """The servers together."""

    def __init__(self, folder: Path, postgresql_url: str) -> None:
        self.clock = Clock()
        self.calls: list[str] = []
        urls = {engine: file_url(engine, folder / engine) for engine in ("json", "sqlite")}
        urls["postgresql"] = postgresql_url
        self._stores = [OneStore(engine, url, folder / engine, self.clock) for engine, url in urls.items()]
        self._callers: dict[str, dict[str, str]] = {"admin": {"X-API-Key": ADMIN_KEY}, "nobody": {}}
        for store in self._stores:
            agent, acting = add_key(store.runtime, "agent"), add_key(store.runtime, "agent", scopes=[ACT_FOR_CUSTOMERS])
            self._callers["agent"] = {"X-API-Key": agent}
            self._callers["customer"] = {"X-API-Key": acting, "X-On-Behalf-Of": "ada@example.com"}
            self._callers["stranger"] = {"X-API-Key": add_key(store.runtime, "admin", company="other")}

    def ask(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status and JSON of the common response. Raises AssertionError when responses differ."""
        self.calls.append(f"{who} {method} {path} {body!r} {headers or ''}")
        given = {**self._callers[who], **{name.replace("_", "-"): value for name, value in headers.items()}}
        answer = self._same([store.ask(method, path, body, given) for store in self._stores])
        text = answer["body"]
        return answer["status"], orjson.loads(text) if text.startswith("{") else text

    def work(self) -> None:
        """Runs due jobs on all of them."""
        self.calls.append("work")
        self._same([store.work() for store in self._stores])

    def restart(self) -> None:
        """Stops and starts all of them."""
        self.calls.append("restart")
        for store in self._stores:
            store.runtime.stop()
            store.open()

    def stop(self) -> None:
        """Closes them."""
        for store in self._stores:
            store.runtime.stop()

    def _same(self, answers: list[dict[str, Any]]) -> dict[str, Any]:
        first = answers[0]
        for store, answer in zip(self._stores, answers, strict=True):
            assert answer == first, "\n".join(
                [f"{store.engine} answers otherwise to", self.calls[-1], *_changes(first, answer)]
            )
        if first.get("status", 200) >= 500 and first["status"] != 503:
            raise AssertionError(f"{self.calls[-1]} answered {first}")
        return first


def _changes(first: dict[str, Any], other: dict[str, Any]) -> list[str]:
    texts = [re.sub(r"(?<=[,\[{])", "\n", f"{answer}").splitlines() for answer in (first, other)]
    return list(difflib.unified_diff(*texts, "json", "other", lineterm="", n=1))[:60]


def examples(usual: int) -> int:
    """The number of random runs: FOYER_EXAMPLES, for a longer comparison than in CI, or `usual`."""
    return int(os.environ.get("FOYER_EXAMPLES", usual))
