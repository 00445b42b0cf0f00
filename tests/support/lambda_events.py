"""Events of API Gateway in both formats, made from one recorded event of each, and what an answer to them holds."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "aws"
FORMATS = ("http_api", "rest_api")
JSON = "application/json"


class Context:
    """Lambda's context; `seconds` are left to the function."""

    aws_request_id = "8f507cfc-xmpl-4697-b07a-ac58fc914c95"

    def __init__(self, seconds: float = 300) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


def event(
    form: str, method: str, url: str, body: bytes | Any = None, *, cookies: tuple[str, ...] = (), **headers: str
) -> dict[str, Any]:
    """An event of that format. Bytes as a body are sent in base64, other bodies as JSON; `_` in a header's name is a hyphen."""
    made: dict[str, Any] = json.loads((FOLDER / f"{form}.json").read_text())
    sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    if body is not None and "content-type" not in sent:
        sent["content-type"] = JSON
    made["isBase64Encoded"] = isinstance(body, bytes)
    made["body"] = base64.b64encode(body).decode() if isinstance(body, bytes) else body and json.dumps(body)
    return (_http if form == "http_api" else _rest)(made, method, urlsplit(url), sent, cookies)


def _http(made: dict[str, Any], method: str, url: Any, headers: Mapping[str, str], cookies: Any) -> dict[str, Any]:
    made["requestContext"]["http"] |= {"method": method, "path": url.path}
    made |= {"rawPath": url.path, "rawQueryString": url.query, "cookies": list(cookies)}
    made["headers"] |= headers
    return made


def _rest(made: dict[str, Any], method: str, url: Any, headers: Mapping[str, str], cookies: Any) -> dict[str, Any]:
    query = parse_qs(url.query, keep_blank_values=True)
    made |= {"httpMethod": method, "path": url.path}
    made["requestContext"] |= {"httpMethod": method, "path": f"/prod{url.path}"}
    made["queryStringParameters"] = {name: values[-1] for name, values in query.items()} or None
    made["multiValueQueryStringParameters"] = query or None
    for name, values in {**{name: [value] for name, value in headers.items()}, "Cookie": list(cookies)}.items():
        if values:
            own = "-".join(word.capitalize() for word in name.split("-"))
            made["headers"][own], made["multiValueHeaders"][own] = values[-1], values
    return made


def body_of(answer: Mapping[str, Any]) -> bytes:
    """The bytes of an answer's body."""
    text = answer["body"]
    return base64.b64decode(text) if answer["isBase64Encoded"] else text.encode()


def json_of(answer: Mapping[str, Any], status: int = 200) -> Any:
    """The body of an answer, which must have that status."""
    body = json.loads(body_of(answer))
    assert answer["statusCode"] == status, body
    return body


def header_of(answer: Mapping[str, Any], name: str) -> list[str]:
    """The values of a header of an answer."""
    if name.lower() == "set-cookie" and "cookies" in answer:
        return list(answer["cookies"])
    pairs = [(key, [value]) for key, value in answer.get("headers", {}).items()]
    pairs += list(answer.get("multiValueHeaders", {}).items())
    return [value for key, values in pairs if key.lower() == name.lower() for value in values]
