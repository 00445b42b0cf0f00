"""Indexes for every filter and order of lists, and tallies: counts of tickets that triggers keep in the same transaction."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FILTERED = {
    "priority": "by_priority",
    "category": "category",
    "assigned_team": "team",
    "sentiment": "sentiment",
    "customer_tier": "tier",
    "source": "source",
    "topic": "topic",
    "product": "product",
}
MEASURED = {
    "first_response": ("first_response_seconds",),
    "resolution": ("resolution_seconds",),
    "agent_resolution": ("assigned_to", "resolution_seconds"),
}
KEY = "company_id, kind, a, b, c, d, e, f, g"
SUMS = ("number", "urgency", "by_ai")
# A duration's length in digits and its first digit: 44 is 4000 to 4999 seconds.
BUCKET = "CAST(length(CAST({0} AS TEXT)) * 10 + CAST(substr(CAST({0} AS TEXT), 1, 1) AS INTEGER) AS TEXT)"
# Kind → what is counted by ({0} stands for the row), and which tickets are left out.
KINDS = {
    "all": (["status", "priority", "category", "assigned_team", "sentiment", "customer_tier", "source"], ""),
    "queue": (["status", "priority", "category", "assigned_team"], ""),
    "origin": (["status", "customer_tier", "source", "sentiment"], ""),
    "agent": (["assigned_to", "status", "priority", "category"], "{0}.assigned_to <> ''"),
    "topic": (["topic", "status", "priority", "category"], "{0}.topic <> ''"),
    "tag": (["tag", "status", "priority", "category"], ""),
    "opened": (["substr({0}.created_at, 1, 10)", "status"], ""),
    "ended": (["substr({0}.resolved_at, 1, 10)"], "{0}.resolved_at IS NOT NULL"),
    "answer": ([BUCKET.format("{0}.first_response_seconds")], "{0}.first_response_seconds IS NOT NULL"),
    "solution": (["assigned_to", BUCKET.format("{0}.resolution_seconds")], "{0}.resolution_seconds IS NOT NULL"),
}
COUNTED = (
    "status priority category assigned_team sentiment customer_tier source assigned_to topic tags created_at resolved_at "
    "first_response_seconds resolution_seconds urgency ai_response human_replied"
).split()


def upgrade() -> None:
    for column, name in FILTERED.items():
        op.create_index(f"ix_tickets_{name}", "tickets", ["company_id", column, "created_at", "id"])
    for name, columns in MEASURED.items():
        given = sa.text(f"{columns[-1]} IS NOT NULL")
        op.create_index(
            f"ix_tickets_{name}", "tickets", ["company_id", *columns], sqlite_where=given, postgresql_where=given
        )
    op.create_index("ix_tickets_due", "tickets", ["company_id", "resolve_due_at", "created_at", "id"])
    connection = op.get_bind()
    on_sqlite = connection.dialect.name == "sqlite"
    if not on_sqlite:  # which cannot read the one above backwards with the empty ones last
        connection.exec_driver_sql(
            "CREATE INDEX ix_tickets_due_last ON tickets "
            "(company_id, resolve_due_at DESC NULLS LAST, created_at DESC, id DESC)"
        )
    op.create_table(
        "tallies",
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        *(sa.Column(name, sa.Text(), server_default="", nullable=False) for name in "abcdefg"),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in SUMS),
        sa.PrimaryKeyConstraint("company_id", "kind", *"abcdefg", name=op.f("pk_tallies")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ticket_tags",
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "tag", "created_at", "ticket_id", name=op.f("pk_ticket_tags")),
        sqlite_with_rowid=False,
    )
    every = {"tally_cells": cells("t", on_sqlite), "tag_cells": tags("t", on_sqlite)}
    if on_sqlite:  # which counts anew whenever a JSON document is opened
        for name, selected in every.items():
            connection.exec_driver_sql(f"CREATE VIEW {name} AS {selected}")
    connection.exec_driver_sql(
        f"INSERT INTO ticket_tags SELECT company_id, tag, created_at, ticket_id FROM ({every['tag_cells']}) AS x"
    )
    connection.exec_driver_sql(
        f"INSERT INTO tallies SELECT {KEY}, sum(number), sum(urgency), sum(by_ai) FROM ({every['tally_cells']}) AS x "
        f"GROUP BY {KEY}"
    )
    for statement in triggers(on_sqlite):
        connection.exec_driver_sql(statement)


def cells(row: str, on_sqlite: bool) -> str:
    """One row for each kind a ticket is counted under; `row` is NEW or OLD in a trigger, or t for every ticket."""
    return " UNION ALL ".join(cell(row, kind, on_sqlite) for kind in KINDS)


def cell(row: str, kind: str, on_sqlite: bool) -> str:
    parts, where = KINDS[kind]
    values = [part.format(row) if "{0}" in part else f"{row}.{part}" for part in parts]
    values = ["j.value" if value == f"{row}.tag" else value for value in values]
    values += ["''"] * (7 - len(values))
    named = ", ".join(f"{value} AS {name}" for name, value in zip("abcdefg", values, strict=True))
    human = f"NOT {row}.human_replied"
    by_ai = (
        f"CASE WHEN {row}.status IN ('resolved', 'closed') AND {row}.ai_response <> '' AND {human} THEN 1 ELSE 0 END"
    )
    source = ["tickets t"] if row == "t" else []
    once = ""
    if kind == "tag":
        source.append(each_tag(row, on_sqlite))
        once = "DISTINCT "
    told = f" WHERE {where.format(row)}" if where else ""
    return (
        f"SELECT {once}{row}.id AS ticket_id, {row}.company_id AS company_id, '{kind}' AS kind, {named}, 1 AS number, "
        f"{row}.urgency AS urgency, {by_ai} AS by_ai{' FROM ' + ', '.join(source) if source else ''}{told}"
    )


def each_tag(row: str, on_sqlite: bool) -> str:
    return (
        f"json_each({row}.tags) j" if on_sqlite else f"jsonb_array_elements_text(CAST({row}.tags AS jsonb)) AS j(value)"
    )


def tags(row: str, on_sqlite: bool) -> str:
    source = f"{'tickets t, ' if row == 't' else ''}{each_tag(row, on_sqlite)}"
    return (
        f"SELECT DISTINCT {row}.company_id AS company_id, j.value AS tag, {row}.created_at AS created_at, "
        f"{row}.id AS ticket_id FROM {source}"
    )


def added(row: str, sign: str, on_sqlite: bool) -> str:
    """Counts a ticket in or out."""
    sums = ", ".join(f"{sign}{name}" for name in SUMS)
    raised = ", ".join(f"{name} = tallies.{name} + excluded.{name}" for name in SUMS)
    return (
        f"INSERT INTO tallies ({KEY}, {', '.join(SUMS)}) SELECT {KEY}, {sums} FROM ({cells(row, on_sqlite)}) AS x "
        f"WHERE true ON CONFLICT ({KEY}) DO UPDATE SET {raised};"
    )


def counted_out(on_sqlite: bool) -> str:
    # What no ticket has is not kept: it may be a name.
    left = f"DELETE FROM tallies WHERE number = 0 AND ({KEY}) IN (SELECT {KEY} FROM ({cells('OLD', on_sqlite)}) AS x);"
    return f"{added('OLD', '-', on_sqlite)} {left}"


def tagged(on_sqlite: bool) -> str:
    return f"INSERT INTO ticket_tags {tags('NEW', on_sqlite)};"


def untagged() -> str:
    # By the whole key: a ticket has few tags, a desk many tickets.
    return "DELETE FROM ticket_tags WHERE company_id = OLD.company_id AND created_at = OLD.created_at AND ticket_id = OLD.id"


def triggers(on_sqlite: bool) -> list[str]:
    out, into = counted_out(on_sqlite), added("NEW", "", on_sqlite)
    tag = f"{untagged()} AND tag IN (SELECT j.value FROM {each_tag('OLD', on_sqlite)});"
    bodies = {
        "INSERT": f"{into} {tagged(on_sqlite)}",
        "UPDATE": f"{out} {into} {tag} {tagged(on_sqlite)}",
        "DELETE": f"{out} {tag}",
    }
    return [statement for event, body in bodies.items() for statement in trigger(event, body, on_sqlite)]


def trigger(event: str, body: str, on_sqlite: bool) -> list[str]:
    name = f"tallies_{event.lower()}"
    if on_sqlite:
        narrowed = f"UPDATE OF {', '.join(COUNTED)}" if event == "UPDATE" else event
        return [f"CREATE TRIGGER {name} AFTER {narrowed} ON tickets BEGIN {body} END"]
    if event == "UPDATE":  # asked here: columns the trigger itself names could not be widened any more
        old, new = (", ".join(f"{row}.{column}" for column in COUNTED) for row in ("OLD", "NEW"))
        body = f"IF ({old}) IS DISTINCT FROM ({new}) THEN {body} END IF;"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
        f"CREATE TRIGGER {name} AFTER {event} ON tickets FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
