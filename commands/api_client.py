"""Calls a server over HTTP as any client would: one request, its answer held to the contract's form.

It only uses the HTTP API. An error is one sentence for the user and never contains the key.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT_SECONDS = 35  # free hosts wake slowly


class ContractError(Exception):
    """The server did something else than the contract says; the text is for a person."""


class Answer(NamedTuple):
    """A response whose form has been checked."""

    status: int
    data: Any
    message: str
    headers: Any


@dataclass
class ApiClient:
    """A server at an address, called with a key."""

    url: str
    key: str
    session: requests.Session

    def call(self, method: str, path: str, *, want: int = 200, keyed: bool = True, **more: Any) -> Answer:
        """Sends a request. The response must have the envelope and the status `want` (or `also`). Raises ContractError."""
        headers = {**({"X-API-Key": self.key} if keyed else {}), **more.pop("headers", {})}
        statuses = (want, more.pop("also", want))
        return check_response(self._send(method, path, headers=headers, **more), f"{method} {path}", statuses=statuses)

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: dict[str, Any], **more: Any) -> Answer:
        return self.call("POST", path, json=body, **more)

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        server, address = printable(self.url), self.url + path
        try:
            return self.session.request(method, address, timeout=TIMEOUT_SECONDS, allow_redirects=False, **more)
        except requests.exceptions.SSLError:
            sentence = f"No secure connection to {server}: check its certificate, or whether it is an http:// address."
        except requests.exceptions.Timeout:
            sentence = f"{server} did not answer within {TIMEOUT_SECONDS} seconds; if it was asleep, try again."
        except requests.exceptions.ConnectionError:
            sentence = f"Cannot connect to {server}: is the server running, and is the address right?"
        except (requests.exceptions.RequestException, ValueError):
            sentence = f"{server} cannot be called: is the address right?"
        raise ContractError(sentence)


def unusable(url: str, key: str) -> str:
    """Why these cannot be used at all; "" when they can."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_valid = False
    if not is_valid or parts.query or parts.fragment:
        return "The address must look like https://desk.example.com."
    if not key or key != key.strip() or not (key.isascii() and key.isprintable()):
        return "The key must be given, in plain characters without spaces around it."
    return ""


def printable(url: str) -> str:
    """The address without the parts that may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def check_response(response: requests.Response, request: str, *, statuses: tuple[int, ...]) -> Answer:
    """The response, if its form and status are as expected. Raises ContractError."""
    status = response.status_code
    if 300 <= status < 400:
        target = printable(urljoin(response.url, response.headers.get("Location", "")))
        raise ContractError(f"{request} is redirected to {target}: use that address.")
    try:
        body = response.json()
    except ValueError:
        html = "html" in response.headers.get("Content-Type", "").lower()
        kind = "HTML" if html else "something else"
        raise ContractError(
            f"{request} answered {kind} instead of JSON ({status}): is this the address of a server?"
        ) from None
    if flaw := envelope_flaw(body, status):
        raise ContractError(f"{request} answered {status}, but {flaw}.")
    expect("X-Request-ID" in response.headers, f"{request} answered without X-Request-ID.")
    if status == 401 not in statuses:
        raise ContractError("The server does not accept this key (401): is it the key of this server?")
    if status == 403 not in statuses:
        raise ContractError(f"This key may not do {request} (403): the test needs the key of an admin.")
    expect(status in statuses, f"{request} answered {status} instead of {statuses[0]}: {body['message']}")
    return Answer(status, body["data"], body["message"], response.headers)


def envelope_flaw(body: Any, status: int) -> str:
    """The fault in the form of a response, "" without one."""
    if not isinstance(body, dict) or not {"success", "message", "data"} <= body.keys():
        return "without success, message and data"
    message, data = body["message"], body["data"]
    page = all(type(body.get(name)) is int for name in ("total", "limit", "offset"))
    coded = isinstance(data, dict) and data.get("code") and isinstance(data.get("errors"), list)
    checks = [
        (body["success"] is (status < 400), "success does not fit the status"),
        (isinstance(message, str) and 0 < len(message) <= 200, "message is not a sentence of at most 200 characters"),
        (isinstance(data, dict | list), "data is neither an object nor a list"),
        (not isinstance(data, list) or page, "the list has no total, limit and offset"),
        (status < 400 or coded, "the error has no code and errors"),
        (not has_null(data), "there is a null in data"),
    ]
    return next((sentence for fine, sentence in checks if not fine), "")


def has_null(value: Any) -> bool:
    """Whether there is a null anywhere in a JSON value."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(has_null(item) for item in inner)


def expect(condition: bool, sentence: str) -> None:
    if not condition:
        raise ContractError(sentence)


def expect_values(values: dict[str, Any], **expected: Any) -> None:
    for name, value in expected.items():
        expect(name in values, f"{name} is missing in the answer.")
        expect(values[name] == value, f"{name} is {values[name]!r}, {value!r} was expected.")
