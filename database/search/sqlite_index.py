"""The full-text index on SQLite: an FTS5 table that triggers update with every change of a ticket.

It holds words only, no texts. It is rebuilt when it is missing or its definition changed.
"""

import hashlib
import re
import sqlite3
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Select, bindparam, column, func, literal_column, select, table
from sqlalchemy.sql.elements import ColumnElement

from database.search.words import (
    MAX_CANDIDATES,
    REST,
    SEARCHED,
    TITLE,
    TITLE_COUNTS,
    TOKENIZER,
    company_prefix,
    find_stems,
    fold,
    is_whole,
    signed_tokens,
    split_words,
    token_term,
)

_INDEX = table("ticket_words", column("rowid"))
_ROWID: Any = literal_column("tickets.rowid")
_BEFORE = "\x01"  # before every letter
# Signs of terms that are not words, in a range that company_prefix does not use.
_STEM, _CUSTOMER, _WRITTEN = "\uf8fe", "\uf8ff", "\uf8fd"
# The index also holds the beginnings of words up to this length. Without them FTS5 merges the tickets of every word
# with a beginning before it returns the first: 80 ms for one letter among 100,000 tickets, against 0.5 ms.
MAX_INDEXED_BEGINNING = 6
_BEGINNINGS = " ".join(
    str(2 + length) for length in range(1, MAX_INDEXED_BEGINNING + 1)
)  # company_prefix has 2 letters
MAX_EXPANSIONS = 64  # words that the longer beginnings of one search stand for, in all
MAX_RANKED_LETTERS = 1000  # letters of title and rest that are read to order tickets by relevance


def _terms_of(prefix: str) -> str:
    text = " || ' ' || ".join(f"{prefix}{name}" for name in SEARCHED)
    return f"foyer_terms({prefix}company_id, {prefix}customer_row, {text})"


_ADD = f"INSERT INTO ticket_words (rowid, terms) VALUES (NEW.rowid, {_terms_of('NEW.')})"
# The terms once more, since the index does not hold the text.
_DROP = f"INSERT INTO ticket_words (ticket_words, rowid, terms) VALUES ('delete', OLD.rowid, {_terms_of('OLD.')})"
_FILL = f"INSERT INTO ticket_words (rowid, terms) SELECT rowid, {_terms_of('')} FROM tickets"
# Neither positions nor lengths: searches do not need them, and they would make the index three times as large.
_OPTIONS = f"content='', detail=none, columnsize=0, tokenize='{TOKENIZER}', prefix='{_BEGINNINGS}'"
_OBJECTS = {
    "ticket_words": f"CREATE VIRTUAL TABLE ticket_words USING fts5(terms, {_OPTIONS})",
    "ticket_vocabulary": "CREATE VIRTUAL TABLE ticket_vocabulary USING fts5vocab(ticket_words, instance)",
    "ticket_words_i": f"CREATE TRIGGER ticket_words_i AFTER INSERT ON tickets BEGIN {_ADD}; END",
    "ticket_words_d": f"CREATE TRIGGER ticket_words_d AFTER DELETE ON tickets BEGIN {_DROP}; END",
    "ticket_words_u": f"CREATE TRIGGER ticket_words_u AFTER UPDATE OF customer_row, {', '.join(SEARCHED)} ON tickets "
    f"BEGIN {_DROP}; {_ADD}; END",
}
_FORMER_OBJECTS = {"ticket_places"}
# Before words are written, while the index is filled; more is quicker and takes memory.
_GATHERED_BYTES = 32 * 1024 * 1024
_AT_ONCE_BYTES = 1024 * 1024  # SQLite's own choice


def prepare(connection: Connection, *, anew: bool = False) -> None:
    """Makes the index unless it exists, complete and by the present rules. The caller owns the transaction.

    `anew` when tables may have been rebuilt: the index knows rows by numbers that change then.
    """
    query = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'ticket\\_%' ESCAPE '\\'"
    present = {
        name: sql for name, sql in connection.exec_driver_sql(query) if name in _OBJECTS.keys() | _FORMER_OBJECTS
    }
    if present == _OBJECTS and not anew:
        return
    for name in sorted(present, reverse=True):  # triggers and vocabulary before the index
        connection.exec_driver_sql(f"DROP {'TRIGGER' if name[-2:-1] == '_' else 'TABLE'} IF EXISTS {name}")
    for statement in _OBJECTS.values():
        connection.exec_driver_sql(statement)
    _set(connection, "hashsize", _GATHERED_BYTES)
    connection.exec_driver_sql(_FILL)
    _set(connection, "hashsize", _AT_ONCE_BYTES)


def _set(connection: Connection, option: str, value: int) -> None:
    connection.exec_driver_sql("INSERT INTO ticket_words (ticket_words, rank) VALUES (?, ?)", (option, value))


def teach(connection: sqlite3.Connection) -> None:
    """Gives a connection the functions that the triggers and searches call."""
    connection.create_function("foyer_terms", 3, index_terms, deterministic=True)
    connection.create_function("foyer_relevance", 3, relevance_of, deterministic=True)


def vacuum(connection: sqlite3.Connection) -> None:
    """VACUUM that leaves no deleted word in the index, and the index correct."""
    # Without it words of old texts stay in the index.
    connection.execute("INSERT INTO ticket_words (ticket_words) VALUES ('optimize')")
    last = _last(connection)
    connection.execute("VACUUM")
    if _last(connection) != last:  # SQLite may number rows anew, by which the index knows them
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO ticket_words (ticket_words) VALUES ('delete-all')")
        connection.execute(_FILL)
        connection.execute("COMMIT")


def _last(connection: sqlite3.Connection) -> Any:
    return connection.execute("SELECT max(rowid) FROM tickets").fetchone()


def index_terms(company_id: str, customer_row: str, text: str) -> str:
    """What the index holds of a ticket: its words, their stems and its customer, each with the prefix of the company."""
    words = split_words(text)
    stems = {f"{_STEM}{stem}" for word, stem in find_stems(words).items() if stem != word}
    prefix = company_prefix(company_id)
    written = [f"{_WRITTEN}{token_term(token)}" for token in signed_tokens(text)]
    return prefix + f" {prefix}".join((_customer_term(customer_row), *stems, *written, *words))


def _customer_term(customer_row: str) -> str:
    return _CUSTOMER + hashlib.blake2b(customer_row.encode(), digest_size=8).hexdigest()


class Index:
    """How tickets are found by words in SQLite."""

    is_written = False
    key: ColumnElement[Any] = _ROWID

    def candidates(self, connection: Connection, words: list[str], *, company: str, customer: str) -> Select[Any]:
        """The row numbers of at most MAX_CANDIDATES tickets with every word, those added last."""
        match = match_expression(connection, words, company=company, customer=customer)
        return _newest_matches(match)

    def written(self, tokens: list[str], *, company: str) -> Select[Any]:
        """The row numbers of at most MAX_CANDIDATES tickets that hold all of these signed tokens, those added last."""
        prefix = company_prefix(company)
        return _newest_matches(" AND ".join(f'"{prefix}{_WRITTEN}{token_term(token)}"' for token in tokens))

    def relevance(self, words: list[str], *, company: str) -> ColumnElement[Any]:
        """How often the words occur, in the title counted more often, and whole words twice.

        Not bm25, which weighs a word by how rare it is among all tickets: one company would see what others write.
        """
        title, rest = (func.substr(_joined(names), 1, MAX_RANKED_LETTERS) for names in (TITLE, REST))
        return func.foyer_relevance(orjson.dumps(words).decode(), title, rest)

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Nothing: the triggers do it."""


def _newest_matches(match: str) -> Select[Any]:
    matches = literal_column("ticket_words").op("MATCH")(bindparam(None, match, unique=True))
    return select(_INDEX.c.rowid).where(matches).order_by(_INDEX.c.rowid.desc()).limit(MAX_CANDIDATES)


def _joined(names: Sequence[str]) -> Any:
    return literal_column(" || ' ' || ".join(f"tickets.{name}" for name in names))


def match_expression(connection: Connection, words: list[str], *, company: str, customer: str) -> str:
    """The FTS5 query: every word, as it is, as a beginning, or in another form."""
    prefix, stems = company_prefix(company), find_stems(words)
    number_of_long = sum(len(word) > MAX_INDEXED_BEGINNING for word in words)
    groups = [f'("{prefix}{_customer_term(customer)}")'] if customer else []
    for word in words:
        if is_whole(word):
            terms = [f'"{prefix}{word}"']
        elif len(word) <= MAX_INDEXED_BEGINNING:
            terms = [f'"{prefix}{word}" *']
        else:
            longer = _words_beginning_with(connection, prefix + word, MAX_EXPANSIONS // number_of_long)
            terms = [f'"{term}"' for term in (prefix + word, *longer)]
        if stem := stems.get(word):
            terms.append(f'"{prefix}{_STEM}{stem}"')
            if find_stems([stem]).get(stem) == stem:  # a word that is its own stem is indexed once, as a word
                terms.append(f'"{prefix}{stem}"')
        groups.append(f"({' OR '.join(terms)})")
    return " AND ".join(groups)


def _words_beginning_with(connection: Connection, start: str, limit: int) -> list[str]:
    """The first `limit` terms of the index that begin with `start` and are longer."""
    terms: list[str] = []
    last = start
    while len(terms) < limit:
        # One seek for each term: the vocabulary has a row for each ticket of a term, and `>` would read all of them.
        query = "SELECT term FROM ticket_vocabulary WHERE term >= ? LIMIT 1"
        last = connection.exec_driver_sql(query, (f"{last}{_BEFORE}",)).scalar() or ""
        if not last.startswith(start):
            break
        terms.append(last)
    return terms


def relevance_of(words_json: str, title: str, rest: str) -> float:
    """How often a ticket has the words or their stems as beginnings, and again as whole words; the title counts more."""
    title, rest = f" {_folded(title)} ", f" {_folded(rest)} "
    words = orjson.loads(words_json)
    stems = find_stems(words)
    score = 0.0
    for word in words:
        for beginning in {f" {word}", f" {stems.get(word, word)}"}:
            score += TITLE_COUNTS * title.count(beginning) + rest.count(beginning)
        score += TITLE_COUNTS * title.count(f" {word} ") + rest.count(f" {word} ")
    return score


_MARKS = dict.fromkeys(range(0x300, 0x370))  # the combining accents
_WORD = re.compile(r"[^\W_]+")


def _folded(text: str) -> str:
    """The words of a text, without case and accents, with a space between them."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", fold(text)).translate(_MARKS)
    return "  ".join(_WORD.findall(text.casefold()))
