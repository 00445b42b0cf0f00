"""A caller of the API in tests: sends JSON with its key, and holds every answer to the envelope."""

from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient


@dataclass
class Caller:
    """A client with credentials. `call` checks the envelope and gives the response; `data` also checks the status."""

    client: FlaskClient
    key: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Any request under /api; its answer's form is checked."""
        headers = {**({"X-API-Key": self.key} if self.key else {}), **self.headers, **more.pop("headers", {})}
        sent = {"json": body} if body is not None else {}
        response = self.client.open(path, method=method, headers=headers, **sent, **more)
        if response.mimetype != "text/csv":  # a declared download
            check_envelope(response)
        return response

    def get(self, path: str, **more: Any) -> Any:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.call("POST", path, {} if body is None and "data" not in more else body, **more)

    def put(self, path: str, body: Any, **more: Any) -> Any:
        return self.call("PUT", path, body, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.call("DELETE", path, **more)

    def data(self, response: Any, status: int = 200) -> Any:
        """The data of an answer that must have this status."""
        assert response.status_code == status, response.get_data(as_text=True)
        return response.json["data"]

    def ticket(self, **fields: Any) -> dict[str, Any]:
        """Opens a ticket, with believable words where none are given."""
        body = {"title": "Question about my plan", "description": "How do I change my plan?"}
        body |= {"customer_email": "ada@example.com", **fields}
        made: dict[str, Any] = self.data(self.post("/api/tickets", body), 201)
        return made


def check_envelope(response: Any) -> None:
    """Every answer under /api: success, message, data; success says what the status says; no null anywhere."""
    body = response.json
    assert set(body) - {"total", "limit", "offset"} == {"success", "message", "data"}, body
    assert body["success"] is (response.status_code < 400), body
    assert isinstance(body["message"], str), body
    assert 0 < len(body["message"]) <= 200, body
    assert response.headers["X-Request-ID"]
    if isinstance(body["data"], list):
        assert {"total", "limit", "offset"} <= set(body), body
    else:
        assert isinstance(body["data"], dict), body
    if response.status_code >= 400:
        assert body["data"]["code"], body
        assert isinstance(body["data"]["errors"], list), body
    assert b"null" not in response.data or not has_null(body), body


def has_null(value: Any) -> bool:
    """Whether there is a null anywhere in a JSON value."""
    if isinstance(value, dict):
        return any(has_null(inner) for inner in value.values())
    if isinstance(value, list):
        return any(has_null(inner) for inner in value)
    return value is None
