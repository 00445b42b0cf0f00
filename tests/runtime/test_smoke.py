"""The smoke test, against a working server, broken servers and other programs."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
from flask import Flask, Request, Response
from werkzeug.serving import make_server

from commands.smoke import CUSTOMER, STEPS, smoke
from tests.conftest import add_key
from tests.fakes.running_server import KEY, free_port, running_server

HTML = Response("<!doctype html><title>A shop</title>", mimetype="text/html")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server in a process of its own."""
    with running_server(tmp_path_factory.mktemp("data")) as url:
        yield url


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address at which a WSGI application answers meanwhile."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def broken(app: Flask, method: str, path_end: str, wrong: Callable[[Response], Response]) -> Any:
    """The server, except that one route answers what `wrong` makes of the right answer."""

    def proxy(environ: Any, start_response: Any) -> Any:
        asked = Request(environ)
        response = Response.from_app(app, environ)
        if (asked.method, asked.path.endswith(path_end)) == (method, True):
            response = wrong(response)
        return response(environ, start_response)

    return proxy


def changed(status: int | None = None, **news: Any) -> Callable[[Response], Response]:
    """The right answer with another status or other fields in its data."""

    def change(response: Response) -> Response:
        body = json.loads(response.get_data())
        if isinstance(body["data"], dict):
            body["data"] |= news
        response.set_data(json.dumps(body))
        response.status_code = status or response.status_code
        return response

    return change


def walk(url: str, key: str = KEY) -> tuple[int, list[str]]:
    """The exit code and the lines of one run."""
    lines: list[str] = []
    return smoke(url, key, say=lines.append), lines


def tickets_at(url: str) -> int:
    """How many tickets a server holds."""
    answer = requests.get(f"{url}/api/tickets", headers={"X-API-Key": KEY}, timeout=30)
    return int(answer.json()["total"])


def test_a_working_server_passes_every_step_and_keeps_no_ticket(server):
    code, lines = walk(server)
    assert code == 0, lines
    assert [line.split()[0] for line in lines[1:-1]] == ["ok"] * (len(STEPS) + 1)
    assert tickets_at(server) == 0


def test_it_can_be_run_again_and_with_a_slash_at_the_end(server):
    code, lines = walk(f"{server}/")
    assert code == 0, lines
    found = requests.get(f"{server}/api/customers", headers={"X-API-Key": KEY}, timeout=30).json()["data"]
    assert [customer["customer_id"] for customer in found] == [CUSTOMER]


def test_each_step_has_its_own_label():
    labels = [label for label, _ in STEPS]
    assert len(set(labels)) == len(labels)
    assert all(0 < len(label) < 40 for label in labels)


def test_a_wrong_key_is_reported(server):
    code, lines = walk(server, "fk_another-key")
    assert code == 1
    assert any("does not accept this key" in line for line in lines)
    assert tickets_at(server) == 0


def test_the_key_is_never_printed(server):
    for key in (KEY, "fk_another-key"):
        _, lines = walk(server, key)
        assert key not in "\n".join(lines)


def test_a_key_that_the_server_returns_is_not_printed(app):
    def tell_it(response: Response) -> Response:
        body = {"success": False, "message": "Bad: admin-key\x1b[2J", "data": {"code": "bad", "errors": []}}
        return Response(json.dumps(body), 400, headers={"X-Request-ID": "1"}, mimetype="application/json")

    with served(broken(app, "GET", "/lookups/statuses", tell_it)) as url:
        code, lines = walk(url, "admin-key")
    assert code == 1
    assert "Bad: [key] [2J" in lines[-2]


@pytest.mark.parametrize("key", ["", " ", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_refused_at_once(key):
    code, lines = walk("http://127.0.0.1:1", key)
    assert code == 1
    assert "key must be given" in lines[0]


@pytest.mark.parametrize(
    "url", ["", "desk.example.com", "ftp://desk.example.com", "http://", "http://[", "http://a:99999", "http://a/?b=c"]
)
def test_an_invalid_address_is_refused_at_once(url):
    code, lines = walk(url)
    assert code == 1
    assert lines == ["The address must look like https://desk.example.com."]


def test_an_address_without_a_server_is_reported():
    code, lines = walk(f"http://127.0.0.1:{free_port()}")
    assert code == 1
    assert "Cannot connect to http://127.0.0.1:" in lines[1]
    assert "is the server running" in lines[1]


def test_a_server_that_answers_html_is_reported_as_not_foyer():
    with served(HTML) as url:
        code, lines = walk(url)
    assert code == 1
    assert "HTML instead of JSON (200): is this the address of a server?" in lines[1]


def test_a_missing_certificate_is_reported():
    with served(HTML) as url:
        code, lines = walk(url.replace("http:", "https:"))
    assert code == 1
    assert "No secure connection to https://127.0.0.1" in lines[1]


def test_a_redirect_is_reported_with_the_new_address():
    moved = Response("", 301, headers={"Location": "https://desk.example.com/api/health"})
    with served(moved) as url:
        code, lines = walk(url)
    assert code == 1
    assert "redirected to https://desk.example.com/api/health: use that address" in lines[1]


def test_a_password_in_the_address_is_not_printed():
    code, lines = walk(f"http://me:secret@127.0.0.1:{free_port()}")
    assert code == 1
    assert "secret" not in "\n".join(lines)


def test_a_key_without_the_delete_permission_is_reported(app, runtime):
    with served(app) as url:
        code, lines = walk(url, add_key(runtime, "agent"))
    assert code == 1
    assert "FAIL delete what was made" in lines[-2]
    assert "the key of an admin" in lines[-2]


BROKEN = [
    ("POST", "/resolve", changed(500), "resolve the ticket", "success does not fit the status"),
    ("POST", "/resolve", lambda _: HTML, "resolve the ticket", "answered HTML"),
    ("POST", "/assign", changed(assigned_to="Somebody else"), "assign the ticket", "assigned_to is 'Somebody else'"),
    ("POST", "/assign", changed(product=None), "assign the ticket", "null in data"),
    ("GET", "/history", changed(201), "read its history", "answered 201 instead of 200"),
    ("PUT", "", changed(version=1), "update the ticket", "version is 1, 2 was expected"),
    ("GET", "/ai_response", changed(ai_status="maybe"), "read the AI response", "ai_status is 'maybe'"),
    ("POST", "/api/tickets", changed(id="another"), "create it again", "id is"),
]


@pytest.mark.parametrize(("method", "path_end", "wrong", "step", "reason"), BROKEN)
def test_a_server_with_one_broken_route_fails_at_that_step_and_keeps_no_ticket(
    app, admin, method, path_end, wrong, step, reason
):
    if step == "create it again":
        first = wrong
        wrong = lambda response: first(response) if "Idempotent-Replay" in response.headers else response  # noqa: E731
    with served(broken(app, method, path_end, wrong)) as url:
        code, lines = walk(url, "admin-key")
    assert code == 1
    assert [line for line in lines if line.startswith("FAIL")] == [lines[-3]], lines
    assert lines[-3].startswith(f"FAIL {step}")
    assert reason in lines[-3]
    assert lines[-2].startswith("ok   delete what was made")
    assert admin.get("/api/tickets").json["total"] == 0


def test_a_ticket_with_a_bad_creation_response_is_deleted_too(app, admin):
    with served(broken(app, "POST", "/api/tickets", lambda _: HTML)) as url:
        code, lines = walk(url, "admin-key")
    assert code == 1
    assert lines[-3].startswith("FAIL create a ticket")
    assert admin.get("/api/tickets").json["total"] == 0


def test_the_ticket_is_deleted_when_the_run_is_interrupted(app, admin):
    def interrupt(line: str) -> None:
        if "assign the ticket" in line:
            raise KeyboardInterrupt

    with served(app) as url, pytest.raises(KeyboardInterrupt):
        smoke(url, "admin-key", say=interrupt)
    assert admin.get("/api/tickets").json["total"] == 0


def test_other_tickets_are_not_deleted(app, admin):
    mine = admin.ticket(customer_id=CUSTOMER, customer_email="")
    with served(app) as url:
        code, lines = walk(url, "admin-key")
    assert code == 0, lines
    assert [ticket["id"] for ticket in admin.get("/api/tickets").json["data"]] == [mine["id"]]
