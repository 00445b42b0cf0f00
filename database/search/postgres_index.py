"""The full-text index on PostgreSQL: one tsvector per ticket, written with the words of database/search/words.py.

A ticket changed by another program leaves the index until the next start, which fills it in.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, cast, column, func, literal_column, select, table
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql.elements import ColumnElement

from database.search.words import (
    MAX_CANDIDATES,
    MAX_WORD_LENGTH,
    SEARCHED,
    TITLE_COUNTS,
    Place,
    as_text,
    company_prefix,
    find_stems,
    is_whole,
    signed_tokens,
    ticket_texts,
    token_term,
    word_positions,
)
from database.tables import tickets

_INDEX = table("ticket_words", column("ticket_id"), column("words"))
_BATCH = 500
_LAST_PLACE = 16_383  # PostgreSQL does not tell later positions apart
_COUNTS = (
    f"'{{{1 / TITLE_COUNTS}, 0, 0, 1}}'::real[]"  # weights of positions D, C, B and A: the rest is D and the title A
)
_WRITE = (
    "INSERT INTO ticket_words (ticket_id, words) VALUES (%s, %s::tsvector) "
    "ON CONFLICT (ticket_id) DO UPDATE SET words = excluded.words"
)
_MISSING = (
    f"SELECT id, company_id, customer_row, {', '.join(SEARCHED)} FROM tickets t "
    f"WHERE NOT EXISTS (SELECT FROM ticket_words w WHERE w.ticket_id = t.id) LIMIT {_BATCH}"
)


def fill(connection: Connection) -> None:
    """Indexes the tickets that are not indexed. The caller owns the transaction."""
    while rows := [dict(row) for row in connection.exec_driver_sql(_MISSING).mappings()]:
        Index().write(connection, rows)


def _vector(ticket: Mapping[str, Any], places: Iterable[Place], stems: dict[str, str]) -> str:
    """The tsvector of a ticket: its words, their stems and its customer, each with the prefix of the company, and the prefix.

    A stem and a customer begin with a sign that no word has.
    """
    prefix = company_prefix(ticket["company_id"])
    positions: dict[str, list[str]] = defaultdict(list)
    for word, text, place in places:
        position = f"{min(place + 1, _LAST_PLACE)}{'' if text else 'A'}"
        positions[word[:MAX_WORD_LENGTH]].append(position)
        if word in stems:
            positions[f"={stems[word]}"].append(position)
    words = (f"'{prefix}{word}':{','.join(where)}" for word, where in positions.items())
    tokens = signed_tokens(" ".join(as_text(ticket[name]) for name in SEARCHED))
    written = (_written_term(prefix, token) for token in tokens)
    return " ".join([f"'{prefix}'", _customer_term(prefix, ticket["customer_row"]), *written, *words])


def _written_term(prefix: str, token: str) -> str:
    return f"'{prefix}&{token_term(token)}'"


def _customer_term(prefix: str, customer_row: str) -> str:
    escaped = customer_row.replace("\\", "\\\\").replace("'", "''")
    return f"'{prefix}@{escaped}'"


class Index:
    """How tickets are found by words in PostgreSQL."""

    is_written = True
    key: ColumnElement[Any] = tickets.c.id

    def candidates(self, connection: Connection, words: list[str], *, company: str, customer: str) -> Select[Any]:
        """The ids of at most MAX_CANDIDATES tickets with every word, those added last."""
        prefix = company_prefix(company)
        owner = _customer_term(prefix, customer) if customer else f"'{prefix}'"
        return _newest_matches(_query(prefix, words), owner)

    def written(self, tokens: list[str], *, company: str) -> Select[Any]:
        """The ids of at most MAX_CANDIDATES tickets that hold all of these signed tokens, those added last."""
        prefix = company_prefix(company)
        return _newest_matches(" & ".join(_written_term(prefix, token) for token in tokens), f"'{prefix}'")

    def relevance(self, words: list[str], *, company: str) -> ColumnElement[Any]:
        """The rank of PostgreSQL, counted once more for whole words: ts_rank rates a beginning and a word alike."""
        prefix = company_prefix(company)
        whole = " | ".join(f"'{prefix}{word}'" for word in words)
        rank = _rank(_as_query(_query(prefix, words))) + _rank(_as_query(whole))
        return select(rank).where(_INDEX.c.ticket_id == tickets.c.id).correlate(tickets).scalar_subquery()

    def write(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Indexes these ticket rows."""
        positions = word_positions([ticket_texts(row) for row in rows])
        stems = find_stems(word for places in positions for word, _, _ in places)
        values = [(row["id"], _vector(row, places, stems)) for row, places in zip(rows, positions, strict=True)]
        connection.exec_driver_sql(_WRITE, values if len(values) > 1 else values[0])


def _newest_matches(query: str, owner: str) -> Select[Any]:
    # Two conditions: a planner without statistics then expects fewer matches than the company has tickets.
    conditions = [_INDEX.c.words.op("@@")(_as_query(one)) for one in (query, owner)]
    statement = select(_INDEX.c.ticket_id).where(*conditions)
    # Materialized, so that the planner uses the index of words and then the order of ids, never the ids first.
    matches = statement.cte().prefix_with("MATERIALIZED")
    return select(matches.c.ticket_id).order_by(matches.c.ticket_id.desc()).limit(MAX_CANDIDATES)


def _as_query(tsquery: str) -> ColumnElement[Any]:
    # A subquery hides the words from the planner. It then expects few matches and uses the index of words. With the words
    # it would go by statistics that are old, missing, or of no use for beginnings.
    return select(cast(bindparam(None, tsquery, unique=True), TSQUERY)).scalar_subquery()


def _rank(query: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.ts_rank(literal_column(_COUNTS), _INDEX.c.words, query)


def _query(prefix: str, words: Sequence[str]) -> str:
    """The tsquery: every word, as it is, as a beginning, or in another form."""
    stems = find_stems(words)
    groups = []
    for word in words:
        terms = [f"'{prefix}{word}'", *([] if is_whole(word) else [f"'{prefix}{word}':*"])]
        if word in stems:
            terms.append(f"'{prefix}={stems[word]}'")
        groups.append(f"({' | '.join(terms)})")
    return " & ".join(groups)
