"""The full-text index on PostgreSQL: one tsvector per ticket, written with the words of database/search/words.py.

A ticket changed by another program leaves the index until the next start, which fills it in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import CTE, Connection, Select, bindparam, cast, column, func, literal_column, select, table
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql.elements import ColumnElement

from database.search.words import (
    MAX_WORD_LENGTH,
    SEARCHED,
    TITLE_COUNTS,
    Place,
    find_stems,
    ticket_texts,
    word_positions,
)
from database.tables import tickets

_INDEX = table("ticket_words", column("ticket_id"), column("words"))
_BATCH = 500
_LAST_PLACE = 16_383  # places beyond are all this one to PostgreSQL
_COUNTS = f"'{{{1 / TITLE_COUNTS}, 0, 0, 1}}'::real[]"  # of places D, C, B and A: the rest is D and the title A
_WRITE = (
    "INSERT INTO ticket_words (ticket_id, words) VALUES (%s, %s::tsvector) "
    "ON CONFLICT (ticket_id) DO UPDATE SET words = excluded.words"
)
_MISSING = (
    f"SELECT id, company_id, {', '.join(SEARCHED)} FROM tickets t "
    f"WHERE NOT EXISTS (SELECT FROM ticket_words w WHERE w.ticket_id = t.id) LIMIT {_BATCH}"
)


def fill(connection: Connection) -> None:
    """Indexes the tickets that are not; the transaction is the caller's."""
    while rows := [dict(row) for row in connection.exec_driver_sql(_MISSING).mappings()]:
        Index().write(connection, rows)


def _vector(company: str, places: Iterable[Place], stems: dict[str, str]) -> str:
    """The words of a ticket as PostgreSQL reads a tsvector: each, and its stem with a sign that no word has, with places.

    Its company is one as well, with another sign: the index tells apart whose tickets say a word.
    """
    at: dict[str, list[str]] = defaultdict(list)
    for word, text, place in places:
        where = f"{min(place + 1, _LAST_PLACE)}{'' if text else 'A'}"
        at[word[:MAX_WORD_LENGTH]].append(where)
        if word in stems:
            at[f"={stems[word]}"].append(where)
    return " ".join([_owned(company), *(f"'{word}':{','.join(where)}" for word, where in at.items())])


def _owned(company: str) -> str:
    """A company as a word of the index."""
    escaped = company.replace("\\", "\\\\").replace("'", "''")
    return f"'@{escaped}'"


class Index:
    """How tickets are found by words in PostgreSQL."""

    is_written = True

    def narrow(
        self, connection: Connection, statement: Select[Any], words: list[str], *, company: str, best_first: bool
    ) -> Select[Any]:
        """`statement` narrowed to tickets that have every word, and put in the order of how well they fit."""
        query = _as_query(_query(words))
        asked = [query, _as_query(_owned(company))] if company else [query]
        match = [_INDEX.c.words.op("@@")(one) for one in asked]
        if not best_first:
            return statement.where(tickets.c.id.in_(select(_matches(match).c.ticket_id)))
        # Once more, by whole words: a beginning and a word are one to ts_rank.
        whole = _as_query(" | ".join(f"'{word}'" for word in words))
        score = _rank(query) + _rank(whole)
        scored = _matches(match, score.label("score"))
        return statement.select_from(tickets.join(scored, scored.c.ticket_id == tickets.c.id)).order_by(
            scored.c.score.desc(), tickets.c.created_at.desc(), tickets.c.id.desc()
        )

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Indexes tickets as their rows are now."""
        positions = word_positions([ticket_texts(row) for row in rows])
        stems = find_stems(word for places in positions for word, _, _ in places)
        values = [
            (row["id"], _vector(row["company_id"], places, stems)) for row, places in zip(rows, positions, strict=True)
        ]
        connection.exec_driver_sql(_WRITE, values if len(values) > 1 else values[0])


def _matches(match: Sequence[ColumnElement[bool]], *more: ColumnElement[Any]) -> CTE:
    """What the index finds, by itself: or a planner that takes a company for small would look at each of its tickets."""
    return select(_INDEX.c.ticket_id, *more).where(*match).cte("found").prefix_with("MATERIALIZED")


def _as_query(tsquery: str) -> ColumnElement[Any]:
    # Selected, so that the planner does not see the words: it takes an unseen question to find few, and so goes from the
    # index of words to the tickets. What it sees it judges by statistics that are old, missing, or of no use for beginnings.
    return select(cast(bindparam(None, tsquery, unique=True), TSQUERY)).scalar_subquery()


def _rank(query: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.ts_rank(literal_column(_COUNTS), _INDEX.c.words, query)


def _query(words: Iterable[str]) -> str:
    """What PostgreSQL is asked: every word, as it is, as a beginning, or in another form."""
    terms = list(words)
    stems = find_stems(terms)
    asked = ([f"'{word}' | '{word}':*", *([f"'={stems[word]}'"] if word in stems else [])] for word in terms)
    return " & ".join(f"({' | '.join(forms)})" for forms in asked)
