"""The full-text index on SQLite: an FTS5 table that triggers update with every change of a ticket.

It holds words only, no texts. It is rebuilt when it is missing or its definition changed.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Select, bindparam, case, column, func, literal_column, select, table, union_all

from database.search.words import REST, SEARCHED, TITLE, TITLE_COUNTS, TOKENIZER, find_stems, split_ideographs
from database.tables import tickets

_INDEX = table("ticket_words", column("rowid"))
_PLACES: Any = table("ticket_places", column("term"), column("doc"), column("col"))
_BEYOND = "\U0010ffff"  # after every letter
_ROWID: Any = literal_column("tickets.rowid")


def _text(names: tuple[str, ...], prefix: str) -> str:
    return "foyer_spaced(" + " || ' ' || ".join(f"{prefix}{name}" for name in names) + ")"


def _values(prefix: str) -> str:
    return f"{prefix}rowid, {_text(TITLE, prefix)}, {_text(REST, prefix)}"


_ADD = f"INSERT INTO ticket_words (rowid, title, rest) VALUES ({_values('NEW.')})"
# The texts once more, since the index does not hold them.
_DROP = f"INSERT INTO ticket_words (ticket_words, rowid, title, rest) VALUES ('delete', {_values('OLD.')})"
_FILL = f"INSERT INTO ticket_words (rowid, title, rest) SELECT {_values('')} FROM tickets"
_OPTIONS = f"content='', tokenize='{TOKENIZER}'"
_OBJECTS = {
    "ticket_words": f"CREATE VIRTUAL TABLE ticket_words USING fts5(title, rest, {_OPTIONS})",
    "ticket_vocabulary": "CREATE VIRTUAL TABLE ticket_vocabulary USING fts5vocab(ticket_words, row)",
    "ticket_places": "CREATE VIRTUAL TABLE ticket_places USING fts5vocab(ticket_words, instance)",
    "ticket_words_i": f"CREATE TRIGGER ticket_words_i AFTER INSERT ON tickets BEGIN {_ADD}; END",
    "ticket_words_d": f"CREATE TRIGGER ticket_words_d AFTER DELETE ON tickets BEGIN {_DROP}; END",
    "ticket_words_u": f"CREATE TRIGGER ticket_words_u AFTER UPDATE OF {', '.join(SEARCHED)} ON tickets "
    f"BEGIN {_DROP}; {_ADD}; END",
}
# Before words are written, while the index is filled; more is quicker and takes memory.
_GATHERED_BYTES = 32 * 1024 * 1024
_AT_ONCE_BYTES = 1024 * 1024  # SQLite's own choice


def prepare(connection: Connection, *, anew: bool = False) -> None:
    """Makes the index unless it is there, whole and by the present rules; the transaction is the caller's.

    `anew` when tables may have been rebuilt: the index knows rows by numbers that change then.
    """
    query = "SELECT name, sql FROM sqlite_master WHERE name LIKE 'ticket\\_%' ESCAPE '\\'"
    there = {name: sql for name, sql in connection.exec_driver_sql(query) if name in _OBJECTS}
    if there == _OBJECTS and not anew:
        return
    for name in reversed(list(there)):
        connection.exec_driver_sql(f"DROP {'TRIGGER' if name[-2:-1] == '_' else 'TABLE'} IF EXISTS {name}")
    for statement in _OBJECTS.values():
        connection.exec_driver_sql(statement)
    _set(connection, "hashsize", _GATHERED_BYTES)
    connection.exec_driver_sql(_FILL)
    _set(connection, "hashsize", _AT_ONCE_BYTES)


def _set(connection: Connection, option: str, value: int) -> None:
    connection.exec_driver_sql("INSERT INTO ticket_words (ticket_words, rank) VALUES (?, ?)", (option, value))


def teach(connection: sqlite3.Connection) -> None:
    """Gives a connection the function that the triggers call."""
    connection.create_function("foyer_spaced", 1, split_ideographs, deterministic=True)


def vacuum(connection: sqlite3.Connection) -> None:
    """VACUUM that leaves no deleted word in the index, and the index true."""
    # Or words of old texts stay in it.
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


class Index:
    """How tickets are found by words in SQLite."""

    is_written = False

    def narrow(
        self, connection: Connection, statement: Select[Any], words: list[str], *, company: str, best_first: bool
    ) -> Select[Any]:
        """`statement` narrowed to tickets that have every word, and put in the order of how well they fit."""
        forms = _forms(connection, words)
        match = literal_column("ticket_words").op("MATCH")(bindparam(None, _match(forms), unique=True))
        matches = select(_INDEX.c.rowid).where(match)
        if not best_first:
            return statement.where(_ROWID.in_(matches))
        scored = _scored(forms, matches).cte("scored")
        scored = scored.prefix_with("MATERIALIZED")  # or the planner may look for the words once for each ticket
        return statement.select_from(tickets.join(scored, scored.c.doc == _ROWID)).order_by(
            scored.c.score.desc(), tickets.c.created_at.desc(), tickets.c.id.desc()
        )

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Nothing: the triggers do it."""


def _forms(connection: Connection, words: list[str]) -> dict[str, list[str]]:
    """Each word with its other forms in the index."""
    stems = find_stems(words)
    return {word: _other_forms(connection, word, stems[word]) if word in stems else [] for word in words}


def _match(forms: Mapping[str, list[str]]) -> str:
    """What FTS5 is asked: every word, as it is, as a beginning, or in another form."""
    terms = (f'("{word}" *' + "".join(f' OR "{form}"' for form in others) + ")" for word, others in forms.items())
    return " AND ".join(terms)


def _scored(forms: Mapping[str, list[str]], matches: Select[Any]) -> Select[Any]:
    """How often each ticket has the words, in the title counted more often, and whole words twice.

    Not bm25, which weighs a word by how rare it is among all tickets: one company would see what others write.
    """
    begun, whole = _listed(list(forms)), _listed([form for word, others in forms.items() for form in (word, *others)])
    term, columns = _PLACES.c.term, select(_PLACES.c.doc, _PLACES.c.col)
    # Outer, so that SQLite goes from the words to their places and not the other way round.
    beginnings = begun.outerjoin(_PLACES, (term >= begun.c.value) & (term < begun.c.value.concat(_BEYOND)))
    exact = whole.outerjoin(_PLACES, term == whole.c.value)
    places = union_all(columns.select_from(beginnings), columns.select_from(exact)).subquery()
    score = func.sum(case((places.c.col == "title", TITLE_COUNTS), else_=1.0)).label("score")
    return select(places.c.doc, score).where(places.c.doc.in_(matches)).group_by(places.c.doc)


def _listed(words: Sequence[str]) -> Any:
    """Words as rows; as many as there are, where SQLite takes only so many terms."""
    return func.json_each(bindparam(None, orjson.dumps(words).decode(), unique=True)).table_valued("value").alias()


def _other_forms(connection: Connection, word: str, stem: str) -> list[str]:
    """The words of the index that come down to `stem` and do not begin with `word`."""
    common = stem[:-1]  # an ending that is taken off may change the letter before it: easy and easily are easi
    query = "SELECT term FROM ticket_vocabulary WHERE term >= ? AND term < ? AND term NOT GLOB '*[^a-z]*'"
    like = connection.exec_driver_sql(query, (common, f"{common[:-1]}{chr(ord(common[-1]) + 1)}")).scalars()
    candidates = [form for form in like if not form.startswith(word)]
    return [form for form, its_stem in find_stems(candidates).items() if its_stem == stem]
