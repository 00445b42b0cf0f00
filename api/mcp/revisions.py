"""The revision of the protocol that a message is of. Checks its envelope and headers by that revision.

The newest revision is stateless: each request names its version in `_meta` and repeats what routes it in headers. The older
ones begin with `initialize`; since no session is kept, each of their requests stands for itself as well.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers

STATELESS = "2026-07-28"
WITH_HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
SUPPORTED = (STATELESS, *WITH_HANDSHAKE)
META_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_SERVER = "io.modelcontextprotocol/serverInfo"
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
INTERNAL_ERROR = -32603
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
_ENCODED = ("=?base64?", "?=")  # marks a header value in base64


@dataclass
class RpcError(Exception):
    """A message that is refused: a JSON-RPC error and its HTTP status."""

    code: int
    message: str
    status: int = 400
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a client. `id` is None for a notification."""

    id: str | int | None
    method: str
    params: dict[str, Any]
    stateless: bool

    def named_tool(self) -> tuple[str, dict[str, Any]]:
        """The name and arguments of a tools/call. Raises RpcError."""
        name, arguments = self.params.get("name"), _or_empty(self.params.get("arguments"))
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise self.invalid_params("tools/call takes params.name, a text, and params.arguments, an object.")
        return name, arguments

    def invalid_params(self, message: str) -> RpcError:
        """The refusal of this message's params. Older revisions give no status, and older clients read no body of a 400."""
        return RpcError(INVALID_PARAMS, message, 400 if self.stateless else 200)

    def unknown_method(self) -> RpcError:
        """The refusal of a method that is not offered in the revision of this message."""
        return RpcError(METHOD_NOT_FOUND, f"{self.method[:100]} is no method here.", 404 if self.stateless else 200)


def read_message(body: Mapping[str, Any], headers: Headers) -> Message:
    """The message of a body. Raises RpcError for one that is malformed, or of a revision that is not supported."""
    method, params = body.get("method"), _or_empty(body.get("params"))
    if body.get("jsonrpc") != "2.0" or not isinstance(method, str) or not isinstance(params, dict):
        raise RpcError(INVALID_REQUEST, 'Send one JSON-RPC message, with "jsonrpc": "2.0" and a method.')
    message_id = body.get("id")
    if "id" in body and (isinstance(message_id, bool) or not isinstance(message_id, str | int)):
        raise RpcError(INVALID_REQUEST, "id must be a text or a whole number.")
    version = headers.get("MCP-Protocol-Version", "").strip()
    if version and version not in SUPPORTED:
        raise _unsupported(version)
    meta = params.get("_meta", {})
    named_version = meta.get(META_VERSION) if isinstance(meta, dict) else None
    stateless = version == STATELESS or named_version is not None or method == "server/discover"
    message = Message(message_id, method, params, stateless)
    if stateless and message.id is not None:
        _check_envelope(message, meta, headers)
    return message


def negotiated(params: Mapping[str, Any]) -> str:
    """The revision in which an `initialize` is answered: the one it asks for, else the newest that has a handshake."""
    asked = params.get("protocolVersion")
    return str(asked) if asked in WITH_HANDSHAKE else WITH_HANDSHAKE[0]


def _or_empty(value: Any) -> Any:
    """The value; an empty object for null, which some clients send for what they leave out."""
    return {} if value is None else value


def _check_envelope(message: Message, meta: Any, headers: Headers) -> None:
    """Raises RpcError unless `_meta` holds what every stateless request must hold, and the headers say the same."""
    if not isinstance(meta, dict) or not isinstance(meta.get(META_VERSION), str):
        raise message.invalid_params(f"params._meta must name the revision in {META_VERSION}.")
    if not isinstance(meta.get(META_CAPABILITIES), dict):
        raise message.invalid_params(f"params._meta must hold an object in {META_CAPABILITIES}.")
    expected = {"MCP-Protocol-Version": meta[META_VERSION], "Mcp-Method": message.method}
    if message.method == "tools/call" and isinstance(message.params.get("name"), str):
        expected["Mcp-Name"] = message.params["name"]
    for name, value in expected.items():
        if _decoded(headers.get(name, "")) != value:
            text = f"The header {name} must be there and say the same as the body."
            raise RpcError(HEADER_MISMATCH, text)
    if meta[META_VERSION] != STATELESS:
        raise _unsupported(meta[META_VERSION])


def _decoded(value: str) -> str | None:
    """A header value. One that is marked as base64 is decoded; None when it is damaged."""
    value = value.strip()
    start, end = _ENCODED
    if not (value.startswith(start) and value.endswith(end)):
        return value
    try:
        return base64.b64decode(value[len(start) : -len(end)], validate=True).decode()
    except (binascii.Error, UnicodeError):
        return None


def _unsupported(version: str) -> RpcError:
    data = {"supported": list(SUPPORTED), "requested": version[:100]}
    return RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", data=data)
