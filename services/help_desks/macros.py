"""Macros of other help desks: their variables in our names, their actions as fields to set."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.models import LIMITS
from services.help_desks import texts
from services.help_desks.records import LeftOut, Mapped
from storage import Row

_PLACEHOLDER = re.compile(r"\{\{\{?\s{0,9}([^{}]{1,200}?)\s{0,9}\}\}\}?")
_LOGIC = ("{%", "%}")
RESOLVED = "Solved."  # a ticket is resolved with a sentence, which a macro of another help desk does not have
LOGIC = "macros: their text has conditions ({% … %}), which there are none of here"
INTERNAL = "macros: they write internal notes, and a macro here replies to the customer"
NOTHING = "macros: nothing of them can be done here"


@dataclass(slots=True)
class MacroDraft:
    """A macro in the words of its product; `changes` are our fields to set."""

    name: str
    body: str = ""
    changes: Row = field(default_factory=dict)
    is_internal: bool = False
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, what: str, example: str = "") -> None:
        """Notes that something of the macro was left out."""
        self.left_out.append((what, " ".join(filter(None, (self.name, example)))))

    def refuse(self, what: str) -> Mapped:
        """A macro that is not taken, with the reason."""
        return Mapped(self.name, None, [(what, self.name)])


def finish(draft: MacroDraft, names: Mapping[str, str]) -> Mapped:
    """Our macro. `names` maps their variables to ours; a variable without a counterpart stays as its name in brackets."""
    if any(sign in draft.body for sign in _LOGIC):
        return draft.refuse(LOGIC)
    if draft.body and draft.is_internal:
        return draft.refuse(INTERNAL)
    if not draft.body and not draft.changes:
        return draft.refuse(NOTHING)

    def ours(match: re.Match[str]) -> str:
        name = match[1].split("|")[0].strip()
        if name in names:
            return f"{{{{{names[name]}}}}}"
        draft.leave_out("variables of macros: there are none like them, so the text has them in brackets", name)
        return f"[{name}]"

    body = texts.of_text(_PLACEHOLDER.sub(ours, draft.body))
    if len(body) > LIMITS["body"]:
        draft.leave_out(f"ends of texts of macros: at most {LIMITS['body']:,} characters are kept")
    if draft.changes.get("status") == "resolved":
        draft.changes.setdefault("resolution", RESOLVED)
    name = " ".join(draft.name.split())[: LIMITS["name"]]
    values: Row = {"name": name, "body": body[: LIMITS["body"]], "set": draft.changes}
    return Mapped(draft.name, {key: value for key, value in values.items() if value}, draft.left_out)
