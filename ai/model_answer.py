"""Unpacks a model's answer: endpoints wrap the same JSON object in fences, thinking, parts or words. Nothing is judged here."""

import json
import re
from typing import Any

_THINKING = re.compile(r"\A\s*(?:<think(?:ing)?>)?.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[a-z0-9_+-]*[ \t]*\n(.*?)\n?[ \t]*```", re.DOTALL | re.IGNORECASE)


def content_text(content: Any) -> str:
    """The text of a message: a string, or a list of parts of which those with text count. Raises TypeError."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str))


def json_object(text: str) -> dict[str, Any]:
    """The one JSON object of a text. Raises ValueError when there is none."""
    text = text.strip().removeprefix("\ufeff").strip()
    if "</think" in text.lower() and not text.startswith("{"):
        text = _THINKING.sub("", text, count=1).strip()
    fences = _FENCE.findall(text)
    candidates = [text, *(fences if len(fences) == 1 else []), text[text.find("{") : text.rfind("}") + 1]]
    for candidate in candidates:
        try:
            answer = json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(answer, dict):
            return answer
    raise ValueError("no JSON object")


def error_sentence(body: bytes) -> str:
    """What a provider says about a failure, on one line of at most 200 characters; "" when it says nothing readable."""
    text = body.decode("utf-8", "replace")
    try:
        data = json.loads(text)
        data = data[0] if isinstance(data, list) and data else data
        error = data.get("error", data)
        text = error if isinstance(error, str) else error.get("message") or error.get("detail") or ""
    except (ValueError, AttributeError, LookupError, RecursionError):
        text = "" if text.lstrip().startswith(("<", "{", "[")) else text
    return " ".join(str(text).split())[:200]
