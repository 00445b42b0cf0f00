"""Finds texts that name a person: an exact test in Python, and a broader SQL condition that misses none.

Spellings count as one: case, spaces, composed or decomposed letters, a domain in Unicode or in punycode.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Table, Text, false, or_, type_coerce
from sqlalchemy.sql.elements import ColumnElement

from storage import Row, UnitOfWork

BATCH = 100  # rows in memory at once; a stored response can be as long as a page of tickets
_PUNYCODE = re.compile(r"xn--[a-z0-9-]+")
# Characters that JSON, and JSON within JSON, does not escape.
_PLAIN_RUN = re.compile(r"[!#-\[\]-~]+")
_LEAST_RUN = 3  # shorter runs occur in too many texts


class Mentions:
    """Finds texts that contain one of the names as whole words."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted({name for name in names if folded(name)})
        self._pattern = re.compile("|".join(_word_pattern(folded(name)) for name in self._names) or r"(?!)")

    def within(self, value: Any) -> bool:
        """Whether a text, or any text in a list or an object, contains one of the names."""
        if isinstance(value, str):
            return self._pattern.search(folded(value)) is not None
        values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return any(map(self.within, values))

    def condition(self, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
        """True for every row with a name in one of the columns, and for some others; `within` decides."""
        texts = [type_coerce(column, Text) for column in columns]
        parts = {part for name in self._names for part in _parts(name)}
        return or_(false(), *(text.icontains(part, autoescape=True) for text in texts for part in parts))


def folded(text: str) -> str:
    """The text in its canonical spelling."""
    spaced = " ".join(unicodedata.normalize("NFC", text.lower()).split())
    return _PUNYCODE.sub(_in_unicode, spaced) if "xn--" in spaced else spaced


def sweep(
    uow: UnitOfWork, table: Table, *conditions: ColumnElement[bool], columns: Iterable[str]
) -> Iterator[list[Row]]:
    """Yields the rows that meet the conditions, with id and the named columns. They may be changed meanwhile."""
    last = ""
    query = uow.query(table, table.c.id, *(table.c[name] for name in columns)).where(*conditions).order_by(table.c.id)
    while batch := uow.find(query.where(table.c.id > last).limit(BATCH)):
        yield batch
        last = batch[-1]["id"]


def _in_unicode(label: re.Match[str]) -> str:
    try:
        return unicodedata.normalize("NFC", label[0][4:].encode().decode("punycode"))
    except UnicodeError:
        return label[0]


def _word_pattern(name: str) -> str:
    """A pattern for the name as whole words, and not inside another address."""
    before, after = (r"(?<![\w.+-])", r"(?![\w-])") if "@" in name else (r"(?<!\w)", r"(?!\w)")
    return (before if _has_words(name[0]) else "") + re.escape(name) + (after if _has_words(name[-1]) else "")


def _has_words(character: str) -> bool:
    """Whether the character is of a script with spaces between words: a digit or a letter with upper and lower case."""
    return character.isdigit() or character.lower() != character.upper()


def _parts(name: str) -> set[str]:
    """Parts of the name; every spelling contains at least one of them, ignoring the case of ASCII letters."""
    name = unicodedata.normalize("NFC", name.strip())
    local, at, domain = name.rpartition("@")
    surely = local + at if at and not domain.isascii() else name
    run = max(_PLAIN_RUN.findall(surely), key=len, default="")
    if len(run) >= _LEAST_RUN or (at and not domain.isascii()):
        return {run}
    return {
        unicodedata.normalize(form, spelling)
        for form in ("NFC", "NFD")
        for spelling in (name, name.lower(), name.upper(), name.title())
    }
