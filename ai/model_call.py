"""A structured call of the language model: the model's interface, masked data, and typed fields of its answer.

It has no prompts. Each caller has its own prompt and schema (ai_responder.py, ai/chat_reply.py, ai/copilot_prompts.py).
"""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ai.llm import ModelUnavailable
from ai.reply_checks.guards import Guards, plain_text
from ai.retrieval.index import Hit
from core.redaction import mask

_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{1,12})?")
MAX_TITLE, MAX_PASSAGE = 200, 2_000  # characters of a passage in a prompt
MARGIN = 500  # characters beyond the limit that are masked before the cut, so that no half card number remains

_REASONS = {
    "timeout": "the model did not answer within {seconds:.0f} s",
    "refused": "the model refused to answer",
    "bad_answer": "the model's answer could not be read",
    "breaker_open": "the model failed several times in a row and is not asked for a moment",
    "busy": "the model was busy with other tickets",
    "error": "the model could not be reached",
    "too_large": "the model's answer was too large",
    "rate_limited": "the model's provider limits how often it may be asked",
    "wrong_key": "the model's provider refused the key (OPENAI_API_KEY)",
    "unknown_model": "the provider does not know the model or the address (OPENAI_MODEL, OPENAI_BASE_URL)",
    "rejected": "the model's provider refused the request",
}


def fault_note(model: "Completes | None") -> str:
    """The reason why the last call of the model failed, "" when it worked or there is no model."""
    reason = getattr(model, "fault", "")
    return (
        _REASONS.get(reason, _REASONS["error"]).format(seconds=getattr(model, "timeout_seconds", 0)) if reason else ""
    )


class Completes(Protocol):
    """The interface of a model. llm.Model implements it."""

    @property
    def name(self) -> str: ...

    @property
    def timeout_seconds(self) -> float:
        """The time limit of a call without a deadline."""
        ...

    def complete(
        self,
        messages: list[dict[str, str]],
        schema: dict[str, Any],
        *,
        schema_name: str,
        deadline_seconds: float | None = None,
        company: str = "",
    ) -> dict[str, Any]:
        """Returns a JSON object within the deadline. Raises ModelUnavailable. Failures are counted per `company`."""
        ...


class NotUsable(Exception):
    """The model gave no answer, or one that must not be used. The text is the reason in plain words.

    `busy`: the model was occupied with other calls and was not asked. `of_endpoint`: the call failed, not its answer.
    """

    def __init__(self, reason: str, *, busy: bool = False, of_endpoint: bool = False) -> None:
        super().__init__(reason)
        self.busy = busy
        self.of_endpoint = of_endpoint


def ask(
    model: Completes,
    instructions: str,
    data: str,
    schema: dict[str, Any],
    *,
    schema_name: str,
    deadline_seconds: float | None = None,
    company: str = "",
) -> dict[str, Any]:
    """The model's answer, as a JSON object, to instructions (of ours) and data (of strangers). Raises NotUsable."""
    messages = [{"role": "system", "content": instructions}, {"role": "user", "content": data}]
    try:
        return model.complete(
            messages, schema, schema_name=schema_name, deadline_seconds=deadline_seconds, company=company
        )
    except ModelUnavailable as error:
        reason = _REASONS.get(error.reason, _REASONS["error"]).format(seconds=max(1.0, error.seconds))
        raise NotUsable(reason, busy=error.reason == "busy", of_endpoint=True) from None


def masked(value: Any, limit: int) -> Any:
    """A value for the model: texts, also in lists, cut to `limit` characters and without card numbers and secrets."""
    if isinstance(value, str):
        # Lone surrogates are replaced, because they cannot be sent. Masking only reads MARGIN characters beyond the limit.
        return mask(value[: limit + MARGIN].encode("utf-8", "replace").decode())[:limit]
    if isinstance(value, list | tuple):
        return [masked(item, limit) for item in value]
    return value if isinstance(value, int | float) else str(value)


def plain_field(answer: Mapping[str, Any], name: str, most: int) -> str:
    """A field of the answer as plain text, if it is not empty and has at most `most` characters. Raises NotUsable."""
    value = answer.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise NotUsable(f"the model's answer had no {name} of a usable length")
    text = plain_text(value)
    if not any(unicodedata.category(char)[0] in "LN" for char in text):
        raise NotUsable(f"the model's {name} was empty")
    return text


def reply_text(answer: Mapping[str, Any], checks: Guards, most: int, *, name: str = "reply") -> str:
    """The field `reply` as plain text, if it is not empty, not too long and passes the checks. Raises NotUsable."""
    text = plain_field(answer, name, most)
    if objection := checks.objection(text):
        raise NotUsable(objection)
    return text


def choice(answer: Mapping[str, Any], name: str, choices: Sequence[str]) -> str:
    """A field of the answer that must be one of `choices`, in any case. Raises NotUsable."""
    value = answer.get(name)
    word = re.sub(r"[\s_-]+", "_", value.strip().lower()) if isinstance(value, str) else ""
    if word not in choices:
        raise NotUsable(f"the model's {name} was not one of the allowed values")
    return word


def number(answer: Mapping[str, Any], name: str, *, low: float, high: float) -> float:
    """A field of the answer that must be a number from `low` to `high`; text is taken. Raises NotUsable."""
    value = answer.get(name)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise NotUsable(f"the model's {name} was not a number")
    if not low <= value <= high:
        raise NotUsable(f"the model's {name} was out of range")
    return float(value)


def cited(answer: Mapping[str, Any], passages: Sequence[Hit]) -> list[str]:
    """The ids of the articles that the answer names by their numbers in the prompt, which begin at 1. Raises NotUsable."""
    numbers = answer.get("articles", [])
    by_number = dict(enumerate((hit.article_id for hit in passages), 1))
    if not isinstance(numbers, list):
        raise NotUsable("the model's articles were not a list")
    if any(isinstance(named, bool) or not isinstance(named, int) or named not in by_number for named in numbers):
        raise NotUsable("the model cited an article that it was not given")
    return list(dict.fromkeys(by_number[named] for named in numbers))


def articles_part(passages: Sequence[Hit]) -> list[dict[str, Any]]:
    """The passages for a prompt: number, title, heading and text of each."""
    return [
        {
            "number": position,
            "title": masked(hit.title, MAX_TITLE),
            "heading": masked(hit.heading, MAX_TITLE),
            "text": masked(hit.whole, MAX_PASSAGE),
        }
        for position, hit in enumerate(passages, 1)
    ]


def articles_text(passages: Sequence[Hit]) -> str:
    """The texts of passages that a reply may repeat."""
    return "\n".join(f"{hit.title}\n{hit.heading}\n{hit.whole}" for hit in passages)
