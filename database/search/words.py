"""The rules of full-text search: which fields are searched, what a word is, and which words share a stem.

All engines use these rules, so all of them find the same tickets.
"""

import hashlib
import re
import sqlite3
import threading
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection, Select
from sqlalchemy.sql.elements import ColumnElement

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

# The limits of one search. benchmarks/search.py measures the slowest queries they allow.
MAX_WORDS = 8  # words of a search text that are searched for: the longest ones
MAX_CANDIDATES = 2000  # matching tickets that filters and the total look at: those added last
MAX_RANKED = 200  # matching tickets that are ordered by relevance: the newest; older ones follow by age
MAX_LITERAL_TICKETS = 1000  # tickets that are searched for text without a word: the newest
MAX_LITERAL_PARTS = 4  # parts of such a text between spaces that are searched for: the first

# Every engine uses SQLite's tokenizer: a word is a run of letters and digits, without case and accents.
MAX_WORD_LENGTH = 500  # letters of a word that are indexed; PostgreSQL accepts 2046 bytes
TOKENIZER = "unicode61 remove_diacritics 2"
# Each sign that is no ASCII letter or digit becomes a space: splitting at spaces is faster than a pattern.
_ASCII_SIGNS = {code: " " for code in range(128) if not chr(code).isalnum()}
_IDEOGRAPHS = re.compile(
    "[\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]+"
)
_INFLECTED = re.compile(f"[a-z]{{3,{MAX_WORD_LENGTH}}}")  # words that may have an English ending
MAX_CACHED_STEMS = 50_000  # about 5 MB for each thread

# Letters that accents are not taken off by Unicode, and what people type for them.
_PLAIN_LETTERS = str.maketrans(
    {
        "ł": "l",
        "Ł": "L",
        "ø": "o",
        "Ø": "O",
        "đ": "d",
        "Đ": "D",
        "ð": "d",
        "Ð": "D",
        "ħ": "h",
        "Ħ": "H",
        "ß": "ss",
        "ẞ": "SS",
        "æ": "ae",
        "Æ": "AE",
        "œ": "oe",
        "Œ": "OE",
        "þ": "th",
        "Þ": "Th",
        "ı": "i",
        "ё": "е",
        "Ё": "Е",
    }
)
# A token as it is written, with its signs: C++, C#, R&D, 2.10, .NET. Punctuation between words parts tokens.
_BETWEEN_TOKENS = str.maketrans(dict.fromkeys(",;:!?()[]{}\"'<>/\\|-", " "))
_NUMBERS = re.compile(r"#\s?([0-9]{1,9})(?![0-9])")
_NUMBER = re.compile("[0-9]{1,9}")
MAX_WHOLE_LETTERS = 2
MAX_TOKENS = 200  # tokens with signs of one ticket that are indexed as they are written

Texts = tuple[str, str]
Place = tuple[str, int, int]  # a word, the number of the text (0 title, 1 rest), and its position there


@lru_cache(maxsize=4096)
def company_prefix(company_id: str) -> str:
    """Two letters that precede every word a company has in the index, so that its searches read no other company's words.

    The letters are private-use characters, which the tokenizer takes for letters. Two companies may share a prefix:
    that costs time only, because the tickets are also filtered by company.
    """
    number = int.from_bytes(hashlib.blake2b(company_id.encode(), digest_size=3).digest()) % (6000 * 6000)
    return chr(0xE000 + number // 6000) + chr(0xE000 + number % 6000)


def fold(text: str) -> str:
    """The text as it is tokenized: compatible characters as plain ones (NFKC), letters without a decomposition as their base.

    Runs of Chinese and Japanese become overlapping pairs, so that every part of a run is found.
    """
    if text.isascii():
        return text
    return _IDEOGRAPHS.sub(_pairs, unicodedata.normalize("NFKC", text).translate(_PLAIN_LETTERS))


def _pairs(run: re.Match[str]) -> str:
    signs = run.group()
    return f" {' '.join(signs[place : place + 2] for place in range(len(signs)))} "


def ticket_texts(ticket: Mapping[str, Any]) -> Texts:
    """The two texts of a ticket: title and rest."""
    title, rest = (" ".join(as_text(ticket[name]) for name in names) for names in (TITLE, REST))
    return fold(title), fold(rest)


def as_text(value: Any) -> str:
    """The value of a searched field as text."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def words_in_order(text: str) -> list[str]:
    """The words of a text, in order, each as often as it stands there; empty when it has none."""
    if text.isascii():
        words = text.lower().translate(_ASCII_SIGNS).split()
        return (
            [word[:MAX_WORD_LENGTH] for word in words] if max(map(len, words), default=0) > MAX_WORD_LENGTH else words
        )
    positions = word_positions([(fold(text), "")])[0]
    return [word[:MAX_WORD_LENGTH] for word, _, _ in sorted(positions, key=lambda position: position[2])]


def split_words(text: str) -> list[str]:
    """The distinct words of a text, in order; empty when it has none."""
    return list(dict.fromkeys(words_in_order(text)))


def search_words(text: str) -> list[str]:
    """The words of a search text that are searched for: the longest, because long words are rarer."""
    return sorted(split_words(text), key=len, reverse=True)[:MAX_WORDS]


def signed_tokens(text: str) -> list[str]:
    """The distinct tokens of a text that hold a letter or digit and a sign, as they are written but for case."""
    tokens = unicodedata.normalize("NFKC", text).casefold().translate(_BETWEEN_TOKENS).split()
    distinct = dict.fromkeys(token.rstrip(".") for token in tokens if not token.isalnum())
    return [token for token in distinct if not token.isalnum() and any(map(str.isalnum, token))][:MAX_TOKENS]


def token_term(token: str) -> str:
    """A token of `signed_tokens` as letters and digits, for an index of words."""
    return hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=8).hexdigest()


def ticket_numbers(text: str) -> list[int]:
    """The ticket numbers that a search text names: `#7` anywhere, or a text that is only a number."""
    plain = unicodedata.normalize("NFKC", text).strip()
    numbers = _NUMBERS.findall(plain) or ([plain] if _NUMBER.fullmatch(plain) else [])
    return [int(number) for number in numbers[:MAX_WORDS]]


def is_whole(word: str) -> bool:
    """Whether a word is searched for as a whole word only: it has one or two Latin letters or digits.

    In other scripts two letters are often most of a word.
    """
    return len(word) <= MAX_WHOLE_LETTERS and word.isascii()


def word_positions(texts: Sequence[Texts]) -> list[list[Place]]:
    """The words of each ticket with their positions."""
    return _thread.tokenizer.places(texts)


def find_stems(words: Iterable[str]) -> dict[str, str]:
    """The stem of each word that can have an English ending; other words are left out."""
    return _thread.tokenizer.find_stems(words)


class Index(Protocol):
    """The full-text index of a store."""

    is_written: bool  # whether `write` must be called; otherwise triggers update the index
    key: ColumnElement[Any]  # what identifies a ticket in the index

    def candidates(self, connection: Connection, words: list[str], *, company: str, customer: str) -> Select[Any]:
        """The keys of at most MAX_CANDIDATES tickets with every word, those added last.

        Only tickets of the company, and of the customer row unless it is "".
        """

    def written(self, tokens: list[str], *, company: str) -> Select[Any]:
        """The keys of at most MAX_CANDIDATES tickets that hold all of these signed tokens, those added last."""

    def relevance(self, words: list[str], *, company: str) -> ColumnElement[Any]:
        """How well a ticket fits the words: more is better."""

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Indexes these ticket rows."""


class _Tokenizer:
    """SQLite's tokenizer and Porter stemmer, used through in-memory tables that are emptied after each call."""

    def __init__(self) -> None:
        self._stems: dict[str, str] = {}
        self._memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        for name, tokenizer in (("plain", TOKENIZER), ("stemmed", f"porter {TOKENIZER}")):
            self._memory.execute(
                f"CREATE VIRTUAL TABLE {name} USING fts5(title, rest, content='', tokenize='{tokenizer}')"
            )
            self._memory.execute(f"CREATE VIRTUAL TABLE {name}_words USING fts5vocab({name}, instance)")

    def places(self, texts: Sequence[Texts]) -> list[list[Place]]:
        """For each pair of texts its words and where they stand."""
        positions: list[list[Place]] = [[] for _ in texts]
        for word, place, column, offset in self._tokenize("plain", texts):
            # A word longer than 32 KB is cut by SQLite, perhaps within a letter.
            positions[place].append((word.decode(errors="ignore"), int(column == "rest"), offset))
        return positions

    def find_stems(self, words: Iterable[str]) -> dict[str, str]:
        """The stems of words that can have an English ending, stems of one or two letters left out."""
        known = self._stems
        found = {word: known.get(word) for word in words}
        new = [word for word, stem in found.items() if stem is None and _INFLECTED.fullmatch(word)]
        if new:
            if len(known) > MAX_CACHED_STEMS:
                known.clear()
            stems = sorted((offset, stem) for stem, _, _, offset in self._tokenize("stemmed", [(" ".join(new), "")]))
            known.update(added := {word: stem.decode() for word, (_, stem) in zip(new, stems, strict=True)})
            found.update(added)
        return {word: stem for word, stem in found.items() if stem and len(stem) > 2}

    def _tokenize(self, table: str, texts: Sequence[Texts]) -> list[tuple[bytes, int, str, int]]:
        rows = [(place, *pair) for place, pair in enumerate(texts)]
        try:
            self._memory.executemany(f"INSERT INTO {table} (rowid, title, rest) VALUES (?, ?, ?)", rows)
            query = f'SELECT CAST(term AS BLOB), doc, col, "offset" FROM {table}_words'
            return self._memory.execute(query).fetchall()
        finally:
            self._memory.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")


class _Thread(threading.local):
    """A tokenizer for each thread: a search waits for no other one."""

    @cached_property
    def tokenizer(self) -> _Tokenizer:
        return _Tokenizer()


_thread = _Thread()
