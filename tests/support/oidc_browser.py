"""A browser that signs in at the issuer of a test: it follows redirects, and keeps cookies."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from database.tables import exchange_codes, sessions
from tests.fakes.fake_issuer import issuer
from tests.support.accounts import rows
from tests.support.caller import Caller

PUBLIC_URL = "http://localhost"
CLIENT = "foyer-at-the-issuer"


@dataclass
class Browser:
    """One browser at the server `app`."""

    app: Any
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def begin(self, page: str | None = "/desk") -> str:
        """Presses the button: where the server sends the browser."""
        answer = self.client.get("/api/auth/oidc/start", query_string={} if page is None else {"next": page})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return str(answer.location)

    def at_issuer(self, address: str) -> str:
        """Signs in at the issuer: where that sends the browser back to."""
        answer = requests.get(address, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def come_back(self, address: str) -> str:
        """Comes back to the server: the page of ours with its fragment."""
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{PUBLIC_URL}/api/auth/oidc/callback"
        answer = self.client.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return str(answer.location)

    def sign_in(self, page: str | None = "/desk") -> str:
        """All of that."""
        return self.come_back(self.at_issuer(self.begin(page)))

    def exchange(self, page: str) -> Any:
        """What the page does with its fragment."""
        return Caller(self.client).post("/api/auth/oidc/exchange", {"code": code_in(page)})


def code_in(page: str) -> str:
    """The code in the fragment of a page."""
    [code] = parse_qs(urlsplit(page).fragment)["session"]
    return code


@pytest.fixture
def fake():
    with issuer() as running:
        running.flow.person = {
            "sub": "ada-1",
            "email": "ada@example.com",
            "email_verified": True,
            "name": "Ada",
            "roles": ["agent"],
        }
        yield running


@pytest.fixture
def server(open_app, fake):
    """A server with the button; its people belong to `default`."""

    def make(**more):
        given = {"oidc_issuer": fake.url, "oidc_client_id": CLIENT, "public_url": PUBLIC_URL, **more}
        return open_app(**given)

    return make


@pytest.fixture
def browser(server):
    return Browser(server())


def nobody_came_in(app):
    assert rows(app, sessions) == []
    assert rows(app, exchange_codes) == []
