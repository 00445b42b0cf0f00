"""Calls a server over HTTP as any client would: one request, its answer held to the contract's form.

It knows the server only from outside, and says what went wrong in a sentence for the person who waits; never the key.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests

TIMEOUT_SECONDS = 35  # free hosts wake slowly


class ContractError(Exception):
    """The server did something else than the contract says; the text is for a person."""


class Answer(NamedTuple):
    """What came back, its form checked already."""

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
        """Sends one request; its answer must have the envelope and the status `want` (or `also`). Raises Surprise."""
        headers = {**({"X-API-Key": self.key} if keyed else {}), **more.pop("headers", {})}
        wanted = (want, more.pop("also", want))
        return checked(self._sent(method, path, headers=headers, **more), f"{method} {path}", wanted=wanted)

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: dict[str, Any], **more: Any) -> Answer:
        return self.call("POST", path, json=body, **more)

    def _sent(self, method: str, path: str, **more: Any) -> requests.Response:
        where, address = shown(self.url), self.url + path
        try:
            return self.session.request(method, address, timeout=TIMEOUT_SECONDS, allow_redirects=False, **more)
        except requests.exceptions.SSLError:
            sentence = f"No secure connection to {where}: check its certificate, or whether it is an http:// address."
        except requests.exceptions.Timeout:
            sentence = f"{where} did not answer within {TIMEOUT_SECONDS} seconds; if it was asleep, try again."
        except requests.exceptions.ConnectionError:
            sentence = f"Cannot connect to {where}: is the server running, and is the address right?"
        except (requests.exceptions.RequestException, ValueError):
            sentence = f"{where} cannot be called: is the address right?"
        raise ContractError(sentence)


def unusable(url: str, key: str) -> str:
    """Why these cannot be used at all; "" when they can."""
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        named = False
    if not named or parts.query or parts.fragment:
        return "The address must look like https://desk.example.com."
    if not key or key != key.strip() or not (key.isascii() and key.isprintable()):
        return "The key must be given, in plain characters without spaces around it."
    return ""


def shown(url: str) -> str:
    """The address without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def checked(response: requests.Response, request: str, *, wanted: tuple[int, ...]) -> Answer:
    """The answer, when it has the form and the status it must have. Raises Surprise."""
    status = response.status_code
    if 300 <= status < 400:
        target = shown(urljoin(response.url, response.headers.get("Location", "")))
        raise ContractError(f"{request} is redirected to {target}: use that address.")
    try:
        body = response.json()
    except ValueError:
        html = "html" in response.headers.get("Content-Type", "").lower()
        what = "HTML" if html else "something else"
        raise ContractError(
            f"{request} answered {what} instead of JSON ({status}): is this the address of a server?"
        ) from None
    if flaw := envelope_flaw(body, status):
        raise ContractError(f"{request} answered {status}, but {flaw}.")
    expect("X-Request-ID" in response.headers, f"{request} answered without X-Request-ID.")
    if status == 401 not in wanted:
        raise ContractError("The server does not accept this key (401): is it the key of this server?")
    if status == 403 not in wanted:
        raise ContractError(f"This key may not do {request} (403): the test needs the key of an admin.")
    expect(status in wanted, f"{request} answered {status} instead of {wanted[0]}: {body['message']}")
    return Answer(status, body["data"], body["message"], response.headers)


def envelope_flaw(body: Any, status: int) -> str:
    """What is wrong with the form of an answer; "" when nothing is."""
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


def expect_values(found: dict[str, Any], **wanted: Any) -> None:
    for name, value in wanted.items():
        expect(name in found, f"{name} is missing in the answer.")
        expect(found[name] == value, f"{name} is {found[name]!r}, {value!r} was expected.")
