"""A ticket and its thread as data of a prompt, and the texts of both that an answer may repeat.

Each text is masked and cut to size. JSON keeps it inside its own string, so that no text can end its part.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ai.model_call import masked

MAX_DESCRIPTION = 12_000
MAX_ENTRY = 3_000
MAX_ENTRIES = 12
CHECKING_SHARE = 0.05  # share of the deadline that is reserved for the checks of the reply
NO_MODEL = "no model is set up"
NOT_PROCESSED = "the model's answer could not be processed"

# The ticket fields in the prompt. Addresses and ids are not sent to the model.
_NUMBER = re.compile(r"\d(?:[\s().+-]{0,3}\d){5,}")  # a telephone number, however it is grouped
_CONTACT = re.compile(r"[@/\\]|[^\W\d]\.[^\W\d]|www", re.IGNORECASE)
_PROMPT_FIELDS = "number title description customer_name customer_tier product tags category priority sentiment".split()


def ticket_parts(
    ticket: Mapping[str, Any], thread: Sequence[Mapping[str, Any]], *, notes: bool = False
) -> dict[str, Any]:
    """The ticket and the newest entries of its thread (oldest first); `notes` includes internal ones."""
    fields = {name: masked(ticket[name], MAX_DESCRIPTION) for name in _PROMPT_FIELDS if ticket.get(name)}
    entries = [
        {
            "from": "internal note" if entry.get("internal") else str(entry.get("author_role", "")),
            "text": masked(entry.get("body", ""), MAX_ENTRY),
        }
        for entry in _newest(thread, notes)
    ]
    return {"ticket": fields, "thread": entries}


def as_data(content: Mapping[str, Any], task: str) -> str:
    """The parts that are not empty, and the thread, as one line of JSON; then the task."""
    parts = {name: part for name, part in content.items() if part or name == "thread"}
    return f"The ticket, as data:\n{json.dumps(parts, ensure_ascii=False)}\nEnd of the data. {task}"


def seen_texts(ticket: Mapping[str, Any], thread: Sequence[Mapping[str, Any]], *, notes: bool = False) -> str:
    """The texts of the ticket and its thread, whose links and numbers an answer may repeat."""
    names = ("title", "description", "customer_email", "customer_name", "product", "tags")
    texts = [str(ticket.get(name) or "")[:MAX_DESCRIPTION] for name in names]
    return "\n".join([*texts, *(str(entry.get("body") or "")[:MAX_ENTRY] for entry in _newest(thread, notes))])


def repeatable_texts(ticket: Mapping[str, Any], thread: Sequence[Mapping[str, Any]]) -> str:
    """What an automatic answer may repeat. Of a ticket by mail no link, address or number: its sender is not proven.

    Whoever writes a mail in another's name could else make us mail a link of theirs to that person.
    """
    texts = seen_texts(ticket, thread)
    if ticket.get("source") != "email":
        return texts
    return " ".join(word for word in _NUMBER.sub(" ", texts).split() if not _CONTACT.search(word))


def _newest(thread: Sequence[Mapping[str, Any]], notes: bool) -> list[Mapping[str, Any]]:
    return [entry for entry in thread if notes or not entry.get("internal")][-MAX_ENTRIES:]
