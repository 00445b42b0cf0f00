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

# A ticket is indexed as two texts: the title, which counts more, and the rest. Only fields its customer sees are searched:
# otherwise a search would reveal the others.
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
# The fields searched for text without a word, for example an emoji.
LITERAL_FIELDS = tuple(name for name in SEARCHED if name not in ("number", "tags"))
TITLE_COUNTS = 8.0  # weight of the title relative to the rest
# Every engine uses SQLite's tokenizer: a word is a run of letters and digits, without case and accents.
MAX_WORD_LENGTH = 500  # letters of a word that are indexed; PostgreSQL accepts 2046 bytes
TOKENIZER = "unicode61 remove_diacritics 2"
_IDEOGRAPHS = re.compile(
    "[\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
_INFLECTED = re.compile(f"[a-z]{{3,{MAX_WORD_LENGTH}}}")  # words that may have an English ending

Texts = tuple[str, str]
Place = tuple[str, int, int]  # a word, the number of the text (0 title, 1 rest), and its position there


def split_ideographs(text: str) -> str:
    """The text with runs of Chinese and Japanese split into overlapping pairs, so that every part of a run is found."""
    return text if text.isascii() else _IDEOGRAPHS.sub(_pairs, text)


def _pairs(run: re.Match[str]) -> str:
    signs = run.group()
    return f" {' '.join(signs[place : place + 2] for place in range(len(signs)))} "


def ticket_texts(ticket: Mapping[str, Any]) -> Texts:
    """The two texts of a ticket: title and rest."""
    title, rest = (" ".join(_as_text(ticket[name]) for name in names) for names in (TITLE, REST))
    return split_ideographs(title), split_ideographs(rest)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def split_words(text: str) -> list[str]:
    """The distinct words of a search text, in order; empty when it has none."""
    positions = _tokenizer().places([(split_ideographs(text), "")])[0]
    return list(
        dict.fromkeys(word[:MAX_WORD_LENGTH] for word, _, _ in sorted(positions, key=lambda position: position[2]))
    )


def word_positions(of: Sequence[Texts]) -> list[list[Place]]:
    """The words of each ticket with their positions."""
    return _tokenizer().places(of)


def find_stems(of: Iterable[str]) -> dict[str, str]:
    """The stem of each word that can have an English ending; other words are left out."""
    inflected = [word for word in dict.fromkeys(of) if _INFLECTED.fullmatch(word)]
    stems = _tokenizer().stems(inflected) if inflected else []
    return {word: stem for word, stem in zip(inflected, stems, strict=True) if len(stem) > 2}


class Index(Protocol):
    """The full-text index of a store."""

    is_written: bool  # whether `write` must be called; otherwise triggers update the index

    def narrow(
        self, connection: Connection, statement: Select[Any], words: list[str], *, company: str, best_first: bool
    ) -> Select[Any]:
        """`statement` limited to the tickets of a company ("" for all) with every word; `best_first` orders by relevance."""

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Indexes these ticket rows."""


class _Tokenizer:
    """SQLite's tokenizer and Porter stemmer, used through in-memory tables that are emptied after each call."""

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
        positions: list[list[Place]] = [[] for _ in of]
        for word, place, column, offset in self._ask("plain", of):
            # A word longer than 32 KB is cut by SQLite, perhaps within a letter.
            positions[place].append((word.decode(errors="ignore"), int(column == "rest"), offset))
        return positions

    def stems(self, of: Sequence[str]) -> list[str]:
        """The stems of words, in their order."""
        stems = sorted((offset, word) for word, _, _, offset in self._ask("stemmed", [(" ".join(of), "")]))
        return [word.decode() for _, word in stems]

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
