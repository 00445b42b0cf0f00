"""The rules of full-text search: which fields are searched, what a word is, and which words share a stem.

All engines use these rules, so all of them find the same tickets.
"""

import re
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection, Select

# A ticket is two texts: what it is called, which counts more, and the rest. Only what its customer sees, or everybody could
# find out the rest by searching for it.
TITLE = ("number", "title")
REST = (
    "description",
    "tags",
    "customer_email",
    "customer_name",
    "customer_id",
    "product",
    "external_id",
    "resolution",
)
SEARCHED = TITLE + REST
# Where a sign that is no word is looked for.
AS_WRITTEN = tuple(name for name in SEARCHED if name not in ("number", "tags"))
TITLE_COUNTS = 8.0  # times as much as the rest
# SQLite's tokenizer decides everywhere: a word is a run of letters and digits, without case and accents.
LONGEST = 500  # letters of a word that count; PostgreSQL takes 2046 bytes
TOKENIZER = "unicode61 remove_diacritics 2"
_WITHOUT_SPACES = re.compile(
    "[\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
_BENDS = re.compile(f"[a-z]{{3,{LONGEST}}}")  # what English endings are looked for at

Texts = tuple[str, str]
Place = tuple[str, int, int]  # a word, which of the two texts it is in, and the how manieth there


def spaced(text: str) -> str:
    """A text with the runs of Chinese and Japanese cut into overlapping pairs, so that any part of a run is found."""
    return text if text.isascii() else _WITHOUT_SPACES.sub(_pairs, text)


def _pairs(run: re.Match[str]) -> str:
    signs = run.group()
    return f" {' '.join(signs[place : place + 2] for place in range(len(signs)))} "


def texts(ticket: Mapping[str, Any]) -> Texts:
    """The two texts of a ticket, given by its row."""
    title, rest = (" ".join(_said(ticket[name]) for name in names) for names in (TITLE, REST))
    return spaced(title), spaced(rest)


def _said(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def words(said: str) -> list[str]:
    """The words of what somebody searches for, each once; none when there is nothing in it that could be a word."""
    found = _tokenizer().places([(spaced(said), "")])[0]
    return list(dict.fromkeys(word[:LONGEST] for word, _, _ in sorted(found, key=lambda place: place[2])))


def places(of: Sequence[Texts]) -> list[list[Place]]:
    """The words of many tickets, with the places they stand at."""
    return _tokenizer().places(of)


def stems(of: Iterable[str]) -> dict[str, str]:
    """What the words that can have an English ending come down to without it; other words are left out."""
    bending = [word for word in dict.fromkeys(of) if _BENDS.fullmatch(word)]
    found = _tokenizer().stems(bending) if bending else []
    return {word: stem for word, stem in zip(bending, found, strict=True) if len(stem) > 2}


class Index(Protocol):
    """How a store finds tickets by words."""

    is_written: bool  # whether `write` has to be called; else the store does it by itself

    def narrow(
        self, connection: Connection, statement: Select[Any], words: list[str], *, company: str, best_first: bool
    ) -> Select[Any]:
        """`statement`, of a company ("": of all), narrowed to tickets with every word; `best_first` also puts them in order."""

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Indexes tickets as their rows are now."""


class _Tokenizer:
    """SQLite's own tokenizer and Porter stemmer, asked through tables in memory that are emptied after each question."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        for name, tokenizer in (("plain", TOKENIZER), ("stemmed", f"porter {TOKENIZER}")):
            self._memory.execute(
                f"CREATE VIRTUAL TABLE {name} USING fts5(title, rest, content='', tokenize='{tokenizer}')"
            )
            self._memory.execute(f"CREATE VIRTUAL TABLE {name}_words USING fts5vocab({name}, instance)")

    def places(self, of: Sequence[Texts]) -> list[list[Place]]:
        """For each pair of texts its words and where they stand."""
        found: list[list[Place]] = [[] for _ in of]
        for word, place, column, offset in self._ask("plain", of):
            # A word longer than 32 KB is cut by SQLite, perhaps within a letter.
            found[place].append((word.decode(errors="ignore"), int(column == "rest"), offset))
        return found

    def stems(self, of: Sequence[str]) -> list[str]:
        """The stems of words, in their order."""
        found = sorted((offset, word) for word, _, _, offset in self._ask("stemmed", [(" ".join(of), "")]))
        return [word.decode() for _, word in found]

    def _ask(self, table: str, of: Sequence[Texts]) -> list[tuple[bytes, int, str, int]]:
        rows = [(place, *pair) for place, pair in enumerate(of)]
        with self._lock:
            try:
                self._memory.executemany(f"INSERT INTO {table} (rowid, title, rest) VALUES (?, ?, ?)", rows)
                query = f'SELECT CAST(term AS BLOB), doc, col, "offset" FROM {table}_words'
                return self._memory.execute(query).fetchall()
            finally:
                self._memory.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")


@cache
def _tokenizer() -> _Tokenizer:
    return _Tokenizer()
