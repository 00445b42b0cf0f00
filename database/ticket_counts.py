"""Ticket counters by field values, and the tags of tickets: tables that triggers keep in the transaction of each change.

A list's total is read from the counters. database/ticket_sums.py has the figures of statistics.
"""

# Kind -> the fields in the columns a to g. Tickets that have no value in the first field of PARTIAL kinds are left out.
KINDS: dict[str, tuple[str, ...]] = {
    "queue": ("status", "priority", "category", "assigned_team"),
    "origin": ("status", "customer_tier", "source", "sentiment"),
    "agent": ("assigned_to", "status", "priority", "category"),
    "topic": ("topic", "status", "priority", "category"),
    "tag": ("tag", "status", "priority", "category"),
    "all": ("status", "priority", "category", "assigned_team", "sentiment", "customer_tier", "source"),
}
PARTIAL = ("agent", "topic", "tag")  # kinds with many rows, used only with a filter on their first field
KEY = "company_id, kind, a, b, c, d, e, f, g"
# A change of anything else is free.
_READ = "status priority category assigned_team sentiment customer_tier source assigned_to topic tags".split()


def remove(*, on_sqlite: bool) -> list[str]:
    """The statements that drop the counters of before with their triggers. The tags of tickets stay."""
    triggers = [f"tallies_{event}" for event in ("insert", "update", "delete")]
    if on_sqlite:
        dropped = [f"DROP TRIGGER IF EXISTS {name}" for name in triggers]
        return [*dropped, "DROP VIEW IF EXISTS tally_cells", "DROP TABLE tallies"]
    dropped = [f"DROP TRIGGER {name} ON tickets" for name in triggers]
    return [*dropped, *(f"DROP FUNCTION {name}()" for name in triggers), "DROP TABLE tallies"]


def renew_update() -> list[str]:
    """The statements that make SQLite's trigger of changes anew. The counters stay."""
    (trigger,) = (statement for statement in _triggers(True) if statement.startswith("CREATE TRIGGER tallies_update "))
    return ["DROP TRIGGER IF EXISTS tallies_update", trigger]


def create(*, on_sqlite: bool) -> list[str]:
    """The statements that make the counters with their triggers and count all tickets."""
    letters = ", ".join(f"{name} TEXT DEFAULT '' NOT NULL" for name in "abcdefg")
    table = (
        "CREATE TABLE tallies (company_id VARCHAR(36) NOT NULL, kind VARCHAR(40) NOT NULL, "
        f"{letters}, number INTEGER DEFAULT '0' NOT NULL, CONSTRAINT pk_tallies PRIMARY KEY ({KEY}))"
    )
    every = " UNION ALL ".join(_cell("t", kind, on_sqlite) for kind in KINDS)
    fill = f"INSERT INTO tallies SELECT {KEY}, sum(number) FROM ({every}) AS x GROUP BY {KEY}"
    # A JSON document is counted anew when it is opened (database/bulk_load.py), by this view.
    view = [f"CREATE VIEW tally_cells AS {every}"] if on_sqlite else []
    return [table + (" WITHOUT ROWID" if on_sqlite else ""), *view, fill, *_triggers(on_sqlite)]


def _cell(row: str, kind: str, on_sqlite: bool) -> str:
    """Rows of one kind; `row` is NEW or OLD in a trigger, or t for every ticket."""
    fields = KINDS[kind]
    values = ["j.value" if name == "tag" else f"{row}.{name}" for name in fields] + ["''"] * (7 - len(fields))
    named = ", ".join(f"{value} AS {name}" for name, value in zip("abcdefg", values, strict=True))
    sources = ["tickets t"] if row == "t" else []
    distinct, condition = "", ""
    if kind == "tag":
        sources.append(_each_tag(row, on_sqlite))
        distinct = "DISTINCT "
    elif kind in PARTIAL:
        condition = f" WHERE {row}.{fields[0]} <> ''"
    source = f" FROM {', '.join(sources)}" if sources else ""
    return (
        f"SELECT {distinct}{row}.id AS ticket_id, {row}.company_id AS company_id, '{kind}' AS kind, {named}, "
        f"1 AS number{source}{condition}"
    )


def _cells(row: str, on_sqlite: bool) -> str:
    return " UNION ALL ".join(_cell(row, kind, on_sqlite) for kind in KINDS)


def _each_tag(row: str, on_sqlite: bool) -> str:
    if on_sqlite:
        return f"json_each({row}.tags) j"
    return f"jsonb_array_elements_text(CAST({row}.tags AS jsonb)) AS j(value)"


def _add(row: str, sign: str, on_sqlite: bool) -> str:
    return (
        f"INSERT INTO tallies ({KEY}, number) SELECT {KEY}, {sign}number FROM ({_cells(row, on_sqlite)}) AS x WHERE true "
        f"ON CONFLICT ({KEY}) DO UPDATE SET number = tallies.number + excluded.number;"
    )


def _triggers(on_sqlite: bool) -> list[str]:
    count_in = _add("NEW", "", on_sqlite)
    # What no ticket has is not kept: it may be a name.
    empty = (
        f"DELETE FROM tallies WHERE number = 0 AND ({KEY}) IN (SELECT {KEY} FROM ({_cells('OLD', on_sqlite)}) AS x);"
    )
    count_out = f"{_add('OLD', '-', on_sqlite)} {empty}"
    tag = (
        f"INSERT INTO ticket_tags SELECT DISTINCT NEW.company_id, j.value, NEW.created_at, NEW.id "
        f"FROM {_each_tag('NEW', on_sqlite)};"
    )
    # By the whole key: a ticket has few tags, a company many tickets.
    untag = (
        "DELETE FROM ticket_tags WHERE company_id = OLD.company_id AND created_at = OLD.created_at AND ticket_id = OLD.id "
        f"AND tag IN (SELECT j.value FROM {_each_tag('OLD', on_sqlite)});"
    )
    bodies = {
        "INSERT": f"{count_in} {tag}",
        "UPDATE": f"{count_out} {count_in} {untag} {tag}",
        "DELETE": f"{count_out} {untag}",
    }
    return [statement for event, body in bodies.items() for statement in _trigger(event, body, on_sqlite)]


def _timing(event: str) -> str:
    """When a trigger of SQLite runs. A reply names the status and mostly leaves it as it is, so values are compared."""
    if event != "UPDATE":
        return f"{event} ON tickets"
    differs = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in _READ)
    return f"UPDATE OF {', '.join(_READ)} ON tickets WHEN {differs}"


def _trigger(event: str, body: str, on_sqlite: bool) -> list[str]:
    name = f"tallies_{event.lower()}"
    if on_sqlite:
        return [f"CREATE TRIGGER {name} AFTER {_timing(event)} BEGIN {body} END"]
    if event == "UPDATE":  # asked here: columns that a trigger itself names could not be widened any more
        old, new = (", ".join(f"{row}.{column}" for column in _READ) for row in ("OLD", "NEW"))
        body = f"IF ({old}) IS DISTINCT FROM ({new}) THEN {body} END IF;"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
        f"CREATE TRIGGER {name} AFTER {event} ON tickets FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
