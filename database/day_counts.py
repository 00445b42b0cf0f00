"""Counts the tickets of a stale day into the sums of database/ticket_sums.py, and those of its month when no other day is stale."""

from collections.abc import Iterator
from functools import cache

from sqlalchemy import Connection, TextClause, text

from database.ticket_sums import KEY, KINDS, SUMS, WORD_KEY, WORD_KINDS

_NAMES = ", ".join(SUMS)
_TOTALS = ", ".join(f"sum({name})" for name in SUMS)
_INTO_SUMS = f"INSERT INTO ticket_sums ({', '.join(KEY)}, {_NAMES})"
_INTO_WORDS = f"INSERT INTO word_sums ({', '.join(WORD_KEY)}, number)"
_IN_DAY = "t.company_id = :company AND t.created_at >= :start AND t.created_at < :end"
# Which rows of the day a kind is summed from, and its team and agent.
_SOURCE_OF_KIND = {"agent": ("pair", "''", "agent"), "team": ("pair", "team", "''"), "all": ("team", "''", "''")}
_ANY_STALE_DAY_OF_MONTH = text(
    "SELECT 1 FROM stale_days WHERE company_id = :company AND day >= :first AND day <= :last LIMIT 1"
)
_DELETE_STALE_DAY = text("DELETE FROM stale_days WHERE company_id = :company AND day = :day")


def count_day(connection: Connection, company: str, day: str) -> None:
    """Counts a stale day, like 2026-11-20, in the caller's transaction; does nothing for others."""
    on_sqlite = connection.dialect.name == "sqlite"
    month = day[:7]
    values = dict(company=company, day=day, start=f"{day}T", end=f"{day}T24")
    values |= dict(month=month, first=f"{month}-01", last=f"{month}-31")
    # First: on PostgreSQL this waits for those who change the day.
    if not connection.execute(_DELETE_STALE_DAY, values).rowcount:
        return
    for statement in _of_day(on_sqlite):
        connection.execute(statement, values)
    if not connection.execute(_ANY_STALE_DAY_OF_MONTH, values).first():
        for statement in _of_month():
            connection.execute(statement, values)


@cache
def _of_day(on_sqlite: bool) -> tuple[TextClause, ...]:
    return tuple(map(text, (*_sums_of_day(), *_words_of_day(on_sqlite))))


@cache
def _of_month() -> tuple[TextClause, ...]:
    return tuple(map(text, (*_sums_of_month(), *_words_of_month())))


def _sums_of_day() -> Iterator[str]:
    sums = ", ".join(text.format("t") for text in SUMS.values())
    place = "t.company_id, t.assigned_team, t.assigned_to"
    yield (
        f"{_INTO_SUMS} SELECT t.company_id, 'pair_days', CAST(:day AS TEXT), t.assigned_team, t.assigned_to, {sums} "
        f"FROM tickets t WHERE {_IN_DAY} GROUP BY {place}"
    )
    for kind, (source, team, agent) in _SOURCE_OF_KIND.items():
        group = f", {kind}" if kind != "all" else ""
        yield (
            f"{_INTO_SUMS} SELECT company_id, '{kind}_days', span, {team}, {agent}, {_TOTALS} FROM ticket_sums "
            f"WHERE company_id = :company AND kind = '{source}_days' AND span = :day GROUP BY company_id, span{group}"
        )


def _words_of_day(on_sqlite: bool) -> Iterator[str]:
    tags = "json_each(t.tags) j" if on_sqlite else "jsonb_array_elements_text(CAST(t.tags AS jsonb)) AS j(value)"
    for kind, source, word in (("topic", "tickets t", "t.topic"), ("tag", f"tickets t, {tags}", "j.value")):
        yield (
            f"{_INTO_WORDS} SELECT w.company_id, '{kind}_pair_days', CAST(:day AS TEXT), w.word, w.team, w.agent, count(*) "
            f"FROM (SELECT DISTINCT t.id, t.company_id, {word} AS word, t.assigned_team AS team, t.assigned_to AS agent "
            f"FROM {source} WHERE {_IN_DAY} AND {word} <> '') AS w GROUP BY w.company_id, w.word, w.team, w.agent"
        )
        yield (
            f"{_INTO_WORDS} SELECT company_id, '{kind}_all_days', span, word, '', '', sum(number) FROM word_sums "
            f"WHERE company_id = :company AND kind = '{kind}_pair_days' AND span = :day GROUP BY company_id, span, word"
        )


def _sums_of_month() -> Iterator[str]:
    return _month("ticket_sums", KINDS, f"{_INTO_SUMS} SELECT", "team, agent", _TOTALS)


def _words_of_month() -> Iterator[str]:
    return _month("word_sums", WORD_KINDS, f"{_INTO_WORDS} SELECT", "word, team, agent", "sum(number)")


def _month(table: str, kinds: tuple[str, ...], insert: str, place: str, totals: str) -> Iterator[str]:
    """Sums the days of the month by `place`, the columns of the key after `span`."""
    # On PostgreSQL a writer that does not lock the company may have left rows: its stale day was not to be seen.
    names = ", ".join(f"'{kind}_months'" for kind in kinds)
    yield f"DELETE FROM {table} WHERE company_id = :company AND kind IN ({names}) AND span = :month"
    for kind in kinds:
        yield (
            f"{insert} company_id, '{kind}_months', CAST(:month AS TEXT), {place}, {totals} FROM {table} "
            f"WHERE company_id = :company AND kind = '{kind}_days' AND span >= :first AND span <= :last "
            f"GROUP BY company_id, {place}"
        )
