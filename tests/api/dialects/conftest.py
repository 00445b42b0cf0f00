"""A server that speaks every dialect, and clients that send what the neighbours' documents show."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from core.setting_values import DIALECTS
from tests.support.spec_check import check_response, rule_of

ALL = ",".join(DIALECTS)


@dataclass
class Client:
    """A client of a dialect; every answer is held to what /openapi.json says of its route."""

    app: Any
    key: str = "admin-key"
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, **more: Any) -> Any:
        credentials = {"X-API-Key": self.key} if self.key else {}
        headers = {**credentials, **self.headers, **more.pop("headers", {})}
        response = self.app.test_client().open(path, method=method, headers=headers, **more)
        if rule := rule_of(self.app, method, path):
            check_response(self.app, response, method, rule)
        return response

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, **more: Any) -> Any:
        return self.call("POST", path, **more)

    def patch(self, path: str, **more: Any) -> Any:
        return self.call("PATCH", path, **more)


@pytest.fixture
def app(open_app: Any) -> Any:
    """A server that speaks every dialect."""
    return open_app(dialects=ALL)


@pytest.fixture
def client(app: Any) -> Client:
    """A client with the admin's key."""
    return Client(app)
