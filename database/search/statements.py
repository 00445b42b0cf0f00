"""SELECTs of tickets, limited to those that match a search text."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, case, or_, select
from sqlalchemy.sql.elements import ColumnElement

from database.search.words import (
    LITERAL_FIELDS,
    MAX_LITERAL_PARTS,
    MAX_LITERAL_TICKETS,
    MAX_RANKED,
    MAX_WORDS,
    Index,
    search_words,
    signed_tokens,
    ticket_numbers,
)
from database.tables import tickets

t = tickets.c
_NEWEST_FIRST = (t.created_at.desc(), t.id.desc())


def matching(
    statement: Select[Any],
    text: str,
    *,
    index: Index,
    connection: Connection,
    visible_ids: Select[Any],
    company: str,
    customer: str,
    best_first: bool,
) -> Select[Any]:
    """A SELECT of tickets, limited to those that match a search text.

    With `best_first` it is ordered. A ticket whose number is named comes first. Then come tickets with the text's signs as
    written, then the others by relevance. `visible_ids` selects the ids of all tickets the actor sees. The limits in words.py
    bound the work.
    """
    text = text.replace("\x00", "\ufffd").encode(errors="replace").decode()
    words = search_words(text)
    if not words:
        newest = visible_ids.order_by(*_NEWEST_FIRST).limit(MAX_LITERAL_TICKETS)
        parts = " ".join(text.split()[:MAX_LITERAL_PARTS])
        matches = containing(statement.where(t.id.in_(newest)), parts, [t[name] for name in LITERAL_FIELDS])
        return matches.order_by(*_NEWEST_FIRST) if best_first else matches
    candidates = index.candidates(connection, words, company=company, customer=customer).cte("candidates")
    # Materialized: it is read once for the order and once for the rows.
    keys: Any = select(candidates.prefix_with("MATERIALIZED"))
    numbers = ticket_numbers(text)
    if numbers:  # a union: with OR the planner would read every ticket
        keys = keys.union_all(
            select(index.key).select_from(tickets).where(t.company_id == company, t.number.in_(numbers))
        )
    matches = statement.where(index.key.in_(keys))
    if not best_first:
        return matches
    tokens = signed_tokens(text)[:MAX_WORDS]
    is_written = [index.key.in_(index.written(tokens, company=company))] if tokens else []
    # Materialized: a planner that expects few matches would look for each among all tickets, newest first.
    all_matches = matches.with_only_columns(t.id, t.created_at).cte("matches").prefix_with("MATERIALIZED")
    newest_matches = (
        select(all_matches.c.id).order_by(all_matches.c.created_at.desc(), all_matches.c.id.desc()).limit(MAX_RANKED)
    )
    is_ranked = t.id.in_(newest_matches)
    relevance = case((is_ranked, index.relevance(words, company=company)), else_=0)
    is_named = [t.number.in_(numbers)] if numbers else []
    first = [case((condition, 0), else_=1) for condition in (*is_named, *is_written)]
    return matches.order_by(*first, relevance.desc(), *_NEWEST_FIRST)


def containing(statement: Select[Any], words: str, columns: Sequence[ColumnElement[Any]]) -> Select[Any]:
    """`statement` limited to rows where one of the columns contains each word, ignoring case."""
    for word in words.split():
        statement = statement.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return statement
