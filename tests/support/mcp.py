"""A client of /mcp in tests, at the level of its messages."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

from tests.support.caller import Caller

STATELESS = "2026-07-28"
_DATA = re.compile(r"<<(data [0-9a-f]{16})>>\n(.*)\n<<end of \1>>$", re.DOTALL)


@dataclass(frozen=True)
class Result:
    """What a tool answered: whether it failed, its sentences, and its data."""

    is_error: bool
    text: str

    @property
    def data(self) -> Any:
        return json.loads(self.part)

    @property
    def part(self) -> str:
        """The data as it stands between the marks, which may be a part of it."""
        match = _DATA.search(self.text)
        assert match, self.text
        return match[2]

    @property
    def cursor(self) -> str:
        match = re.search(r'cursor "([^"]+)"', self.text)
        return match[1] if match else ""


@dataclass
class Mcp:
    """Sends messages of the newest revision with the credentials of a caller."""

    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, caller: Caller) -> "Mcp":
        return cls(caller.client, {**({"X-API-Key": caller.key} if caller.key else {}), **caller.headers})

    def send(self, method: str, params: dict[str, Any] | None = None, **headers: str) -> Any:
        """The response to a request of the newest revision."""
        meta = {f"io.modelcontextprotocol/{name}": value for name, value in META.items()}
        params = {**(params or {}), "_meta": meta}
        routing = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": method}
        if method == "tools/call":
            routing["Mcp-Name"] = params["name"]
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.client.post("/mcp", json=body, headers={**self.headers, **routing, **headers})

    def tools(self) -> list[dict[str, Any]]:
        """The tools that the caller sees."""
        listed: list[dict[str, Any]] = self.send("tools/list").json["result"]["tools"]
        return listed

    def call(self, name: str, **arguments: Any) -> Result:
        """The result of a tool."""
        response = self.send("tools/call", {"name": name, "arguments": arguments})
        assert response.status_code == 200, response.get_data(as_text=True)
        result = response.json["result"]
        (content,) = result["content"]
        assert content["type"] == "text"
        assert len(content["text"].encode()) <= 8 * 1024
        return Result(result["isError"], content["text"])

    def done(self, name: str, **arguments: Any) -> Any:
        """The data of a tool that must succeed."""
        result = self.call(name, **arguments)
        assert not result.is_error, result.text
        return result.data


META = {"protocolVersion": STATELESS, "clientInfo": {"name": "test", "version": "1"}, "clientCapabilities": {}}
