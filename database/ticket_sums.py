"""Sums over tickets by day and month of their creation: of all, of each team, agent, and team with agent; and of their words.

They are in the tables `ticket_sums` and `word_sums`. A day in `stale_days` has no sums: one of its tickets changed after the last
count. Triggers write such days in the transaction of each change. database/day_counts.py counts them again.
"""

from collections.abc import Iterator

from sqlalchemy import Column, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable

from core import models

# Lower bounds of the steps of a duration in seconds: a percentile is looked up within its step.
STEPS = (
    *(0, 30, 60, 120, 180, 300, 450, 600, 900, 1_200, 1_800, 2_700, 3_600, 5_400, 7_200, 10_800),
    *(14_400, 21_600, 28_800, 43_200, 64_800, 86_400, 129_600, 172_800, 259_200, 345_600, 518_400, 691_200),
    *(1_036_800, 1_382_400, 2_073_600, 2_764_800),
)
DURATIONS = {"response": "first_response_seconds", "resolution": "resolution_seconds"}
WORDS = {
    "status": models.STATUSES,
    "priority": models.PRIORITIES,
    "category": models.CATEGORIES,
    "sentiment": models.SENTIMENTS,
    "source": models.SOURCES,
    "customer_tier": models.TIERS,
}
HALF_HOURS = tuple(f"half_{number:02}" for number in range(48))
_FINISHED = "{0}.status IN ('resolved', 'closed')"
_BY_AI = f"{_FINISHED} AND {{0}}.ai_response <> '' AND NOT {{0}}.human_replied"
_HELPED = "{0}.ai_response <> '' AND ({0}.human_replied OR {0}.handed_over)"
_CONFIRMED = "({0}.csat_score >= 4 OR ({0}.csat_score IS NULL AND {0}.closed_by_customer))"
# What is counted: a condition on a ticket.
_COUNTED = {
    "finished": _FINISHED,
    "by_ai": _BY_AI,
    "ai_confirmed": f"{_BY_AI} AND {_CONFIRMED}",
    "ai_assumed": f"{_BY_AI} AND {{0}}.csat_score IS NULL AND NOT {{0}}.closed_by_customer",
    "ai_handed_over": _HELPED,
    "ai_reopened": "{0}.reopened_after_ai",
    "sla_met": "{0}.sla_status = 'met'",
    "sla_breached": "{0}.sla_status = 'breached'",
    "csat_count": "{0}.csat_score IS NOT NULL",
}
KINDS = ("all", "team", "agent", "pair")  # pair: a team and an agent
WORD_KINDS = tuple(f"{word}_{scope}" for word in ("topic", "tag") for scope in ("all", "pair"))
# What sums and words are made of; a change of anything else makes no day stale.
_READ = (
    "status priority category sentiment source customer_tier urgency ai_response human_replied handed_over closed_by_customer "
    "reopened_after_ai sla_status csat_score agent_replies topic tags assigned_team assigned_to created_at"
).split() + list(DURATIONS.values())


def _steps(column: str) -> Iterator[str]:
    for low, high in zip(STEPS, (*STEPS[1:], None), strict=True):
        value = f"{{0}}.{column}"
        yield f"{value} >= {low}" + (f" AND {value} < {high}" if high else "")


def _half_hour(number: int) -> str:
    minute = "< '30'" if number % 2 == 0 else ">= '30'"
    hour = f"substr({{0}}.created_at, 12, 2) = '{number // 2:02}'"
    return f"{hour} AND substr({{0}}.created_at, 15, 2) {minute}"


_CONDITIONS: dict[str, str] = {
    **_COUNTED,
    **{f"{field}_{word}": f"{{0}}.{field} = '{word}'" for field, words in WORDS.items() for word in words},
    **{
        f"{name}_{step}": text
        for name, column in DURATIONS.items()
        for step, text in zip(STEPS, _steps(column), strict=True)
    },
    **{name: _half_hour(number) for number, name in enumerate(HALF_HOURS)},
}
# Each sum as SQL over the tickets of a group; {0} stands for the table of tickets.
SUMS = {
    "number": "count(*)",
    "urgency": "sum({0}.urgency)",
    "csat_sum": "sum(COALESCE({0}.csat_score, 0))",
    "replies": "sum({0}.agent_replies)",
    **{name: f"count(*) FILTER (WHERE {condition})" for name, condition in _CONDITIONS.items()},
}
KEY = ("company_id", "kind", "span", "team", "agent")
WORD_KEY = ("company_id", "kind", "span", "word", "team", "agent")


def tables(metadata: MetaData) -> tuple[Table, Table, Table]:
    """The tables `ticket_sums`, `word_sums` and `stale_days`. `kind` is like team_days or all_months, `span` a day or month."""

    def key(names: tuple[str, ...]) -> Iterator[Column[str]]:
        sizes = {"company_id": 36, "kind": 40, "span": 10, "day": 10}
        for name in names:
            kind = String(sizes[name]) if name in sizes else Text()
            default = "" if name in ("kind", "span", "word", "team", "agent") else None
            yield Column(name, kind, primary_key=True, server_default=default)

    def sums(names: tuple[str, ...]) -> Iterator[Column[int]]:
        return (Column(name, Integer, nullable=False, server_default="0") for name in names)

    return (
        Table("ticket_sums", metadata, *key(KEY), *sums(tuple(SUMS)), sqlite_with_rowid=False),
        Table("word_sums", metadata, *key(WORD_KEY), *sums(("number",)), sqlite_with_rowid=False),
        Table("stale_days", metadata, *key(("company_id", "day")), sqlite_with_rowid=False),
    )


def create(on_sqlite: bool) -> Iterator[str]:
    """The statements that make the tables and triggers. Every day with tickets is stale."""
    dialect = sqlite.dialect() if on_sqlite else postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in tables(MetaData()):
        yield str(CreateTable(table).compile(dialect=dialect))
    yield MAKE_ALL_STALE
    yield from _triggers_of_sqlite() if on_sqlite else _triggers_of_postgres()


# Run it only when `stale_days` is empty.
MAKE_ALL_STALE = "INSERT INTO stale_days SELECT DISTINCT company_id, substr(created_at, 1, 10) FROM tickets"


def _make_stale(row: str, on_sqlite: bool) -> str:
    # On PostgreSQL the row is locked: whoever counts the day meanwhile waits for this change.
    conflict = "NOTHING" if on_sqlite else "UPDATE SET day = excluded.day"
    return (
        f"INSERT INTO stale_days (company_id, day) VALUES ({row}.company_id, substr({row}.created_at, 1, 10)) "
        f"ON CONFLICT (company_id, day) DO {conflict};"
    )


def _delete_sums(row: str) -> str:
    """Deletes the sums of a stale day and of its month."""

    def delete(table: str, kinds: tuple[str, ...]) -> str:
        names = ", ".join(f"'{kind}_{spans}'" for kind in kinds for spans in ("days", "months"))
        spans = f"{row}.day, substr({row}.day, 1, 7)"
        return f"DELETE FROM {table} WHERE company_id = {row}.company_id AND kind IN ({names}) AND span IN ({spans});"

    return f"{delete('ticket_sums', KINDS)} {delete('word_sums', WORD_KINDS)}"


def _columns(row: str) -> str:
    return ", ".join(f"{row}.{column}" for column in _READ)


def _triggers_of_sqlite() -> Iterator[str]:
    old, new = (_make_stale(row, on_sqlite=True) for row in ("OLD", "NEW"))
    yield f"CREATE TRIGGER stale_days_insert AFTER INSERT ON tickets BEGIN {new} END"
    yield f"CREATE TRIGGER stale_days_delete AFTER DELETE ON tickets BEGIN {old} END"
    differs = f"({_columns('OLD')}) IS NOT ({_columns('NEW')})"
    yield (
        f"CREATE TRIGGER stale_days_update AFTER UPDATE OF {', '.join(_READ)} ON tickets WHEN {differs} "
        f"BEGIN {old} {new} END"
    )
    yield f"CREATE TRIGGER stale_days_delete_sums AFTER INSERT ON stale_days BEGIN {_delete_sums('NEW')} END"


def _triggers_of_postgres() -> Iterator[str]:
    old, new = (_make_stale(row, on_sqlite=False) for row in ("OLD", "NEW"))
    # Asked here: columns that a trigger itself names could not be widened any more.
    same = f"TG_OP = 'UPDATE' AND ({_columns('OLD')}) IS NOT DISTINCT FROM ({_columns('NEW')})"
    of_ticket = (
        f"IF TG_OP = 'INSERT' THEN {new} ELSIF TG_OP = 'DELETE' THEN {old} ELSIF NOT ({same}) THEN {old} {new} END IF;"
    )
    for name, events, table, body in (
        ("stale_days_of_ticket", "INSERT OR UPDATE OR DELETE", "tickets", of_ticket),
        ("stale_days_delete_sums", "INSERT", "stale_days", _delete_sums("NEW")),
    ):
        yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
        yield f"CREATE TRIGGER {name} AFTER {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
