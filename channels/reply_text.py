"""What a person wrote in a reply: the text above the quoted mail, without signature. The only importer of mail-parser-reply.

The library's patterns take time that grows fast with the text, so it sees a window of the text, with blank lines joined.
"""

import re

from mailparser_reply import EmailMessage
from mailparser_reply.constants import MAIL_LANGUAGES

WINDOW = 5_000  # characters; hostile texts of this length take about two seconds, of 20,000 more than a minute
_LANGUAGES = [name for name in MAIL_LANGUAGES if name != "david"]
_FORWARDED = re.compile(r"\s*(?:fwd?|wg|tr|rv|enc|doorst|vs|i|fs)\s*:", re.IGNORECASE)
_DELIMITER = re.compile(r"^-- ?$", re.MULTILINE)  # RFC 3676 §4.3
_QUOTED = re.compile(r"\s*>")


def is_forward(subject: str) -> bool:
    """Whether a subject says that somebody else's mail is passed on, whose text is what matters."""
    return _FORWARDED.match(subject) is not None


def without_signature(text: str) -> str:
    """The text above the delimiter of a signature; the text itself when nothing is above."""
    return _DELIMITER.split(text, maxsplit=1)[0].strip() or text.strip()


def reply_of(text: str) -> str:
    """The text of a reply without quoted mail and signature; the text itself when nothing else would be left."""
    window = _tidy(text)
    head, rest = window[:WINDOW], window[WINDOW:]
    cut = EmailMessage(text=head, languages=[*_LANGUAGES], keep_hyphen_lists=True).read().replies
    body = cut[0].body.strip() if cut else ""
    if len(cut) <= 1:  # no quoted mail begins in the window
        body = f"{body}{rest}" if body == head.strip() else body
    body = _without_quotes_at_end(body)
    return body or text.strip()


def _tidy(text: str) -> str:
    lines = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _without_quotes_at_end(text: str) -> str:
    lines = text.split("\n")
    while lines and (not lines[-1].strip() or _QUOTED.match(lines[-1])):
        lines.pop()
    return "\n".join(lines).strip()
