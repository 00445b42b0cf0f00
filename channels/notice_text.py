"""Texts of notices: what users wrote as plain text, as one line of a header, and as HTML; and the ids of mails."""

import html
import re
from collections.abc import Mapping
from email.policy import EmailPolicy
from typing import Any

from core.normal_form import mailable
from core.plain_text import NOT_TEXT, clean

_DIRECTION_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class MessageIds:
    """A header of several Message-IDs for the mail library: one in a line, each in one piece."""

    max_count = 1
    name: str

    @staticmethod
    def parse(value: str, fields: dict[str, Any]) -> None:
        fields["parse_tree"], fields["decoded"] = None, value

    def fold(self, *, policy: EmailPolicy) -> str:
        return f"{self.name}: {f'{policy.linesep} '.join(str(self).split())}{policy.linesep}"


def plain(value: object) -> str:
    """User text for a body: in the form of core/plain_text.py, without what UTF-8 cannot hold."""
    return clean(NOT_TEXT.sub(" ", "" if value is None else str(value)), lines=True)


def one_line(value: object) -> str:
    """User text for a header or a sentence: one line, and no encoded words for the library to decode."""
    return " ".join(_DIRECTION_MARKS.sub("", plain(value)).split()).replace("=?", "= ?")


def message_id(name: str, domain: str) -> str:
    """The Message-ID of that name, `<name@domain>`, of characters that every mail server takes."""
    name, domain = (re.sub("[^A-Za-z0-9.-]", "-", part) for part in (name, domain or "localhost"))
    return f"<{name}@{domain}>"


def as_html(paragraphs: Mapping[str, str]) -> str:
    """The paragraphs (opening, quoted, closing, link) as a page; everything in them is escaped."""
    rows = []
    for part, text in paragraphs.items():
        safe = html.escape(text).replace("\n", "<br>\n")
        inner = f'<a href="{safe}" style="color:#1a56b0">{safe}</a>' if part == "link" else safe
        bar = ";padding:8px 16px;border-left:3px solid #c5cad3" if part == "quoted" else ""
        rows.append(f'<div dir="auto" style="margin:0 0 16px{bar}">{inner}</div>\n')
    return f'<!doctype html>\n<meta charset="utf-8">\n<body style="font:15px/1.5 sans-serif">\n{"".join(rows)}</body>\n'


def well_formed(address: str) -> bool:
    """Whether mail can be sent to this address: letters before the @ are ASCII, the domain may be international."""
    return bool(deliverable(address))


def deliverable(address: str | None) -> str:
    """The address in ASCII, or "" for anything that is not exactly one address."""
    return mailable(address) if address else ""
