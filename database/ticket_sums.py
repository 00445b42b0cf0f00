"""Sums over tickets by day and month of their creation: of all, of each team, agent, and team with agent; and of their words.

Triggers keep the tables `ticket_sums` and `word_sums` in the transaction of each change, so a figure of any period costs a row
for each month and day of it. A new word of an enumeration needs a migration that calls `create` again.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Column, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import postgresql, sqlite

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
SPANS = {"months": 7, "days": 10}  # the length of a month and of a day as text
# What the triggers read; a change of anything else is free.
_READ = (
    "status priority category sentiment source customer_tier urgency ai_response human_replied handed_over "
    "closed_by_customer reopened_after_ai sla_status csat_score agent_replies"
).split()
_PLACE_COLUMNS = ("assigned_team", "assigned_to", "created_at")


def _one(condition: str) -> str:
    return f"CASE WHEN {condition} THEN 1 ELSE 0 END"


def _steps(column: str) -> Iterator[str]:
    for low, high in zip(STEPS, (*STEPS[1:], None), strict=True):
        value = f"{{0}}.{column}"
        yield f"{value} >= {low}" + (f" AND {value} < {high}" if high else "")


def _half_hour(number: int) -> str:
    minute = "< '30'" if number % 2 == 0 else ">= '30'"
    hour = f"substr({{0}}.created_at, 12, 2) = '{number // 2:02}'"
    return f"{hour} AND substr({{0}}.created_at, 15, 2) {minute}"


# {0} stands for the ticket's row.
_ADDED = {
    "number": "1",
    "urgency": "{0}.urgency",
    "csat_sum": "COALESCE({0}.csat_score, 0)",
    "replies": "{0}.agent_replies",
}
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
# Each sum and the number that a ticket adds to it.
SUMS = {**_ADDED, **{name: _one(condition) for name, condition in _CONDITIONS.items()}}
STEP_SUMS = [f"{name}_{step}" for name in DURATIONS for step in STEPS]
KEY = ("company_id", "kind", "span", "team", "agent")
WORD_KEY = ("company_id", "kind", "span", "word", "team", "agent")


def tables(metadata: MetaData) -> tuple[Table, Table]:
    """The tables `ticket_sums` and `word_sums`."""

    def key(names: tuple[str, ...]) -> Iterator[Column[str]]:
        for name in names:
            kind = {"company_id": String(36), "kind": String(40), "span": String(10)}.get(name, Text())
            yield Column(name, kind, primary_key=True, server_default=None if name == "company_id" else "")

    def sums(names: tuple[str, ...]) -> Iterator[Column[int]]:
        return (Column(name, Integer, nullable=False, server_default="0") for name in names)

    return (
        Table("ticket_sums", metadata, *key(KEY), *sums(tuple(SUMS)), sqlite_with_rowid=False),
        Table("word_sums", metadata, *key(WORD_KEY), *sums(("number",)), sqlite_with_rowid=False),
    )


def create(on_sqlite: bool) -> Iterator[str]:
    """The statements that make, fill and keep both tables; those of an earlier definition must be dropped before."""
    from sqlalchemy.schema import CreateTable

    dialect = sqlite.dialect() if on_sqlite else postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in tables(MetaData()):
        yield str(CreateTable(table).compile(dialect=dialect))
    yield from fill(on_sqlite)
    yield from _triggers(on_sqlite)


def fill(on_sqlite: bool) -> Iterator[str]:
    """The statements that count all tickets into both tables, which must be empty."""
    names = ", ".join(SUMS)
    summed = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    counted = (f"count(*) FILTER (WHERE {condition})" for condition in _CONDITIONS.values())  # half the time of sums
    added = ", ".join(
        f"{text.format('t')} AS {name}"
        for name, text in zip(SUMS, (*(f"sum({text})" for text in _ADDED.values()), *counted), strict=True)
    )
    into = f"INSERT INTO ticket_sums ({', '.join(KEY)}, {names})"
    yield (
        f"{into} SELECT t.company_id, 'pair_days', substr(t.created_at, 1, 10) AS span, t.assigned_team, t.assigned_to, {added} "
        "FROM tickets t GROUP BY t.company_id, span, t.assigned_team, t.assigned_to"
    )
    yield (
        f"{into} SELECT company_id, 'pair_months', substr(span, 1, 7) AS month, team, agent, {summed} FROM ticket_sums "
        "WHERE kind = 'pair_days' GROUP BY company_id, month, team, agent"
    )
    for kind, source, team, agent in (
        ("agent", "pair", "''", "agent"),
        ("team", "pair", "team", "''"),
        ("all", "team", "''", "''"),
    ):
        grouped = "company_id, span" + (f", {kind}" if kind != "all" else "")
        for spans in SPANS:
            yield (
                f"{into} SELECT company_id, '{kind}_{spans}', span, {team}, {agent}, {summed} FROM ticket_sums "
                f"WHERE kind = '{source}_{spans}' GROUP BY {grouped}"
            )
    words = f"INSERT INTO word_sums ({', '.join(WORD_KEY)}, number)"
    for kind, source, word in _word_sources("t", on_sqlite):
        tickets = "tickets t" + (f", {source}" if source else "")
        yield (
            f"{words} SELECT w.company_id, '{kind}_pair_days', substr(w.created_at, 1, 10) AS span, w.word, w.team, w.agent, "
            f"count(*) FROM (SELECT DISTINCT t.id, t.company_id, t.created_at, {word} AS word, t.assigned_team AS team, "
            f"t.assigned_to AS agent FROM {tickets} WHERE {word} <> '') AS w "
            "GROUP BY w.company_id, span, w.word, w.team, w.agent"
        )
        yield (
            f"{words} SELECT company_id, '{kind}_all_days', span, word, '', '', sum(number) FROM word_sums "
            f"WHERE kind = '{kind}_pair_days' GROUP BY company_id, span, word"
        )
        for scope in ("all", "pair"):
            yield (
                f"{words} SELECT company_id, '{kind}_{scope}_months', substr(span, 1, 7) AS month, word, team, agent, sum(number) "
                f"FROM word_sums WHERE kind = '{kind}_{scope}_days' GROUP BY company_id, month, word, team, agent"
            )


def _word_sources(row: str, on_sqlite: bool) -> Iterator[tuple[str, str, str]]:
    """For topics and tags: the kind, where the words of a ticket come from, and the word."""
    yield "topic", "", f"{row}.topic"
    tags = f"json_each({row}.tags) j"
    if not on_sqlite:
        tags = f"jsonb_array_elements_text(CAST({row}.tags AS jsonb)) AS j(value)"
    yield "tag", tags, "j.value"


def _scopes(kinds: tuple[str, ...]) -> str:
    rows = [(kind, span, size) for kind in kinds for span, size in SPANS.items()]
    first, *rest = (f"'{kind}' AS scope, '{kind}_{span}' AS kind, {size} AS size" for kind, span, size in rows)
    return f"(SELECT {first} {' '.join(f'UNION ALL SELECT {row}' for row in rest)}) AS s"


_TEAM = "CASE WHEN s.scope IN ('team', 'pair') THEN n.team ELSE '' END"
_AGENT = "CASE WHEN s.scope IN ('agent', 'pair') THEN n.agent ELSE '' END"


def _numbers(row: str, names: Iterable[str]) -> str:
    return ", ".join(f"{SUMS[name].format(row)} AS {name}" for name in names)


def _add(source: str, names: Iterable[str], sign: str = "") -> str:
    """Adds what `source` selects, a ticket's place and the named numbers, to the rows that the ticket is counted in."""
    names = tuple(names)
    raised = ", ".join(f"{name} = ticket_sums.{name} + excluded.{name}" for name in names)
    return (
        f"INSERT INTO ticket_sums ({', '.join(KEY)}, {', '.join(names)}) "
        f"SELECT n.company_id, s.kind, substr(n.created_at, 1, s.size), {_TEAM}, {_AGENT}, "
        f"{', '.join(f'{sign}n.{name}' for name in names)} FROM ({source} LIMIT 1) AS n, {_scopes(KINDS)} WHERE true "
        f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {raised};"
    )


def _place(row: str) -> str:
    names = {"company_id": "company_id", "created_at": "created_at", "assigned_team": "team", "assigned_to": "agent"}
    return ", ".join(f"{row}.{column} AS {name}" for column, name in names.items())


def _drop_empty(table: str) -> str:
    """Deletes the rows in which the old ticket was the last one: they may hold a name."""
    days = "substr(OLD.created_at, 1, 7), substr(OLD.created_at, 1, 10)"
    kinds = [f"{kind}_{span}" for kind in KINDS for span in SPANS]
    if table == "word_sums":
        kinds = [f"{word}_{kind}_{span}" for word in ("topic", "tag") for kind in ("all", "pair") for span in SPANS]
    of_kind = ", ".join(f"'{kind}'" for kind in kinds)
    return (
        f"DELETE FROM {table} WHERE number = 0 AND company_id = OLD.company_id AND kind IN ({of_kind}) AND span IN ({days}) "
        "AND team IN ('', OLD.assigned_team) AND agent IN ('', OLD.assigned_to);"
    )


def _add_words(row: str, sign: str, on_sqlite: bool) -> str:
    statements = []
    for kind, source, word in _word_sources(row, on_sqlite):
        words = f"SELECT DISTINCT {word} AS word, {_place(row)}" + (f" FROM {source}" if source else "")
        scopes = _scopes(("all", "pair"))
        statements.append(
            f"INSERT INTO word_sums ({', '.join(WORD_KEY)}, number) "
            f"SELECT n.company_id, '{kind}_' || s.kind, substr(n.created_at, 1, s.size), n.word, {_TEAM}, {_AGENT}, {sign}1 "
            f"FROM ({words}) AS n, {scopes} WHERE n.word <> '' "
            f"ON CONFLICT ({', '.join(WORD_KEY)}) DO UPDATE SET number = word_sums.number + excluded.number;"
        )
    return " ".join(statements)


_WORDS_READ = ("topic", "tags", "assigned_team", "assigned_to", "created_at")


def _triggers(on_sqlite: bool) -> Iterator[str]:
    """The triggers: a new ticket is added, a deleted one taken away, and a change adds the difference."""
    same_place = " AND ".join(f"NEW.{name} = OLD.{name}" for name in _PLACE_COLUMNS)
    untimed = " AND ".join(f"NEW.{column} IS NULL" for column in DURATIONS.values())
    usual = [name for name in SUMS if name not in STEP_SUMS]  # a new ticket has no durations

    def added(names: Iterable[str]) -> str:
        return _add(f"SELECT {_place('NEW')}, {_numbers('NEW', names)}", names)

    def difference(names: list[str]) -> str:
        numbers = (f"({SUMS[name].format('NEW')}) - ({SUMS[name].format('OLD')}) AS {name}" for name in names)
        return _add(f"SELECT {_place('NEW')}, {', '.join(numbers)}", names)

    taken = _add(f"SELECT {_place('OLD')}, {_numbers('OLD', SUMS)}", SUMS, "-") + f" {_drop_empty('ticket_sums')}"
    words_in = _add_words("NEW", "", on_sqlite)
    words_out = f"{_add_words('OLD', '-', on_sqlite)} {_drop_empty('word_sums')}"
    yield from _trigger("ticket_sums_insert", "INSERT", (), untimed, f"{added(usual)} {words_in}", on_sqlite)
    yield from _trigger("ticket_sums_import", "INSERT", (), f"NOT ({untimed})", f"{added(SUMS)} {words_in}", on_sqlite)
    yield from _trigger("ticket_sums_delete", "DELETE", (), "", f"{taken} {words_out}", on_sqlite)
    # Few columns change at a time, and each costs.
    changed = [name for name in usual if name not in (*HALF_HOURS, "number")]
    yield from _trigger("ticket_sums_change", "UPDATE", _READ, same_place, difference(changed), on_sqlite)
    durations = tuple(DURATIONS.values())
    yield from _trigger("ticket_sums_time", "UPDATE", durations, same_place, difference(STEP_SUMS), on_sqlite)
    everything = (*_READ, *_PLACE_COLUMNS, *durations)
    moved = f"NOT ({same_place})"
    yield from _trigger("ticket_sums_move", "UPDATE", everything, moved, f"{taken} {added(SUMS)}", on_sqlite)
    yield from _trigger("word_sums_change", "UPDATE", _WORDS_READ, "", f"{words_out} {words_in}", on_sqlite)


def _trigger(
    name: str, event: str, columns: tuple[str, ...] | list[str], condition: str, body: str, on_sqlite: bool
) -> Iterator[str]:
    differs = ""
    if columns:
        old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
        differs = f"({old}) IS DISTINCT FROM ({new})" if not on_sqlite else f"({old}) IS NOT ({new})"
    when = " AND ".join(filter(None, (differs, condition)))
    if on_sqlite:
        watched = f"UPDATE OF {', '.join(columns)}" if columns else event
        yield f"CREATE TRIGGER {name} AFTER {watched} ON tickets {f'WHEN {when}' if when else ''} BEGIN {body} END"
        return
    body = f"IF {when} THEN {body} END IF;" if when else body
    yield f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
    yield f"CREATE TRIGGER {name} AFTER {event} ON tickets FOR EACH ROW EXECUTE FUNCTION {name}()"
