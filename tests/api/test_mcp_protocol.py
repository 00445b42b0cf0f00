"""The protocol of /mcp: recorded calls of each revision, refusals before a message is read, and the door itself (case 14)."""

import json
from pathlib import Path

import pytest

from tests.support.caller import Caller
from tests.support.mcp import Mcp

RECORDED = Path(__file__).parent.parent / "fixtures" / "mcp"
REVISIONS = sorted(path.stem for path in RECORDED.glob("*.json"))
ANY = "…"  # in a recorded answer: whatever is there
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def is_like(answer, recorded):
    """Whether an answer is the recorded one, with nothing more and nothing less."""
    if recorded == ANY:
        return bool(answer)
    if isinstance(recorded, dict):
        return set(answer) == set(recorded) and all(is_like(answer[name], recorded[name]) for name in recorded)
    if isinstance(recorded, list):
        return len(answer) == len(recorded) and all(map(is_like, answer, recorded))
    return answer == recorded


def content(response):
    """The message of a response, JSON or one event; "" without one."""
    text = response.get_data(as_text=True)
    if response.mimetype == "text/event-stream":
        event, data, *rest = text.split("\n")
        assert (event, rest) == ("event: message", ["", ""])
        text = data.removeprefix("data: ")
    return json.loads(text) if text else ""


def test_every_supported_revision_is_recorded():
    assert REVISIONS == ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]


@pytest.mark.parametrize("revision", REVISIONS)
def test_recorded_calls_are_answered_as_the_revision_says(admin, revision):
    for exchange in json.loads((RECORDED / f"{revision}.json").read_text(encoding="utf-8")):
        sent = {"data": json.dumps(exchange["body"]), "headers": {"X-API-Key": admin.key, **exchange["headers"]}}
        response = admin.client.post("/mcp", **sent)
        assert response.status_code == exchange["status"], exchange
        assert is_like(content(response), exchange["answer"]), (exchange, content(response))
        events_only = exchange["headers"]["Accept"] == "text/event-stream"
        if exchange["answer"]:
            assert response.mimetype == ("text/event-stream" if events_only else "application/json")
        assert not {"Mcp-Session-Id", "Set-Cookie"} & set(response.headers.keys())


@pytest.mark.parametrize("asked", ["2026-07-28", "2024-11-05", "nonsense", 7, None])
def test_initialize_with_another_revision_is_answered_with_the_newest_that_has_it(admin, asked):
    body = {**PING, "method": "initialize", "params": {"protocolVersion": asked}}
    response = admin.client.post("/mcp", json=body, headers={"X-API-Key": admin.key})
    assert response.json["result"]["protocolVersion"] == "2025-11-25"


BROKEN = [
    ("{", -32700),
    ("", -32600),
    ("7", -32600),
    ("[]", -32600),
    ('{"jsonrpc": "1.0", "id": 1, "method": "ping"}', -32600),
    ('{"jsonrpc": "2.0", "id": 1}', -32600),
    ('{"jsonrpc": "2.0", "id": 1, "result": {}}', -32600),
    ('{"jsonrpc": "2.0", "id": null, "method": "ping"}', -32600),
    ('{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', -32600),
    ('{"jsonrpc": "2.0", "id": true, "method": "ping"}', -32600),
    ('{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
    ('{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}', -32600),
    ("[" * 100_000, -32700),
    ('"\\ud800"', -32700),
]


@pytest.mark.parametrize(("raw", "code"), BROKEN)
def test_what_is_no_message_is_refused(admin, raw, code):
    headers = {"X-API-Key": admin.key, "Content-Type": "application/json"}
    response = admin.client.post("/mcp", data=raw, headers=headers)
    assert (response.status_code, response.json["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    "params", [{"name": 7}, {"name": "whoami", "arguments": []}, {"arguments": {}}, {"name": None}]
)
def test_a_call_of_no_tool_is_refused(admin, params):
    body = {**PING, "method": "tools/call", "params": params}
    response = admin.client.post("/mcp", json=body, headers={"X-API-Key": admin.key})
    assert response.json["error"]["code"] == -32602


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH"])
def test_other_methods_are_405(admin, method):
    response = admin.client.open("/mcp", method=method, headers={"X-API-Key": admin.key})
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
    assert response.json["error"]["data"] == {"code": "method_not_allowed"}


def test_a_key_in_the_address_is_refused_although_the_header_has_one(admin):
    response = admin.client.post(f"/mcp?api_key={admin.key}", json=PING, headers={"X-API-Key": admin.key})
    assert response.status_code == 400
    assert response.json["error"]["data"] == {"code": "invalid_fields"}
    assert "api_key is unknown" in response.json["error"]["message"]


@pytest.mark.parametrize("depth", [40, 300, 900])
@pytest.mark.parametrize(("opens", "closes"), [("[", "]"), ('{"a": ', "}")])
@pytest.mark.parametrize("place", ["query", "title"])
def test_nested_arguments_are_refused(admin, place, opens, closes, depth):
    tool = "search_tickets" if place == "query" else "create_ticket"
    call = f'"method": "tools/call", "params": {{"name": "{tool}", "arguments": {{"{place}": %s}}}}'
    body = f'{{"jsonrpc": "2.0", "id": 1, {call % (opens * depth + "1" + closes * depth)}}}'
    headers = {"X-API-Key": admin.key, "Content-Type": "application/json"}
    response = admin.client.post("/mcp", data=body, headers=headers)
    assert response.status_code == 400
    assert "within one another" in response.json["error"]["message"]


def test_a_fault_is_an_error_of_the_protocol(admin, monkeypatch):
    monkeypatch.setattr("api.mcp.calls.listed_tools", lambda: 1 / 0)
    response = Mcp.of(admin).send("tools/list")
    assert (response.status_code, response.json["id"], response.json["error"]["code"]) == (500, 1, -32603)
    assert response.json["error"]["data"]["request_id"] == response.headers["X-Request-ID"]


@pytest.mark.parametrize("method", ["server/discover", "tools/list", "tools/call", "ping", "initialize"])
def test_nobody_gets_in_without_credentials(app, admin, method):
    """Case 14, through this door: no anonymous list of tools, and a key in the address counts for nothing."""
    for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer fk_wrong"}):
        for path in ("/mcp", f"/mcp?api_key={admin.key}"):
            response = app.test_client().post(path, json={**PING, "method": method}, headers=headers)
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"]
            assert response.json["error"]["code"] == 401
            assert response.json["id"] == 1


def test_a_revoked_key_ends_at_once_and_bearer_tokens_work(admin, app):
    key = admin.data(admin.post("/api/keys", {"name": "AI", "role": "agent"}), 201)
    mcp = Mcp(app.test_client(), {"Authorization": f"Bearer {key['key']}"})
    assert mcp.done("whoami")["name"] == "AI"
    admin.delete(f"/api/keys/{key['id']}")
    assert mcp.send("tools/list").status_code == 401


def test_guests_of_the_chat_may_not(app):
    client = app.test_client()
    guest = Caller(client).data(Caller(client).post("/api/auth/guest"))["access_token"]
    response = Mcp(client, {"Authorization": f"Bearer {guest}"}).send("tools/list")
    assert response.status_code == 403


ORIGINS = [
    ("https://app.example.com", True),
    ("https://desk.example.com", True),
    ("https://evil.example.com", False),
    ("http://app.example.com", False),
    ("http://localhost", False),
    ("https://app.example.com/", False),
    ("https://app.example.com.evil.example", False),
    ("null", False),
    ("*", False),
    ("", False),
]


@pytest.mark.parametrize(("origin", "is_let_in"), ORIGINS)
def test_pages_of_other_origins_are_refused(open_app, origin, is_let_in):
    app = open_app(cors_origins="https://app.example.com,*", public_url="https://desk.example.com")
    response = Mcp(app.test_client(), {"X-API-Key": "admin-key"}).send("tools/list", Origin=origin)
    assert response.status_code == (200 if is_let_in else 403)
    if not is_let_in:
        assert response.json["error"]["data"] == {"code": "forbidden"}


def test_a_page_that_is_named_may_call_across_origins(open_app):
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key,mcp-method"}
    client = open_app(cors_origins="https://app.example.com").test_client()
    answer = client.options("/mcp", headers={**preflight, "Origin": "https://app.example.com"})
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
    assert (
        "Access-Control-Allow-Origin"
        not in client.options("/mcp", headers={**preflight, "Origin": "https://b.example"}).headers
    )


@pytest.mark.parametrize(
    ("accept", "mimetype"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/event-stream, application/json", "application/json"),
        ("text/event-stream", "text/event-stream"),
        ("text/event-stream, application/json;q=0", "text/event-stream"),
        ("text/html", "application/json"),
    ],
)
def test_an_answer_is_json_unless_only_events_are_accepted(admin, accept, mimetype):
    response = Mcp.of(admin).send("tools/list", **({"Accept": accept} if accept else {}))
    assert response.mimetype == mimetype
    assert content(response)["result"]["tools"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_large_body_is_refused(admin):
    response = Mcp.of(admin).send("tools/call", {"name": "triage_text", "arguments": {"text": "x" * 2**20}})
    assert response.status_code == 413
    assert response.json["error"]["data"] == {"code": "too_large"}


def test_where_it_is_off_there_is_no_route(open_app):
    client = open_app(mcp=False).test_client()
    assert client.post("/mcp", json=PING, headers={"X-API-Key": "admin-key"}).status_code == 404
