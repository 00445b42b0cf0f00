"""Columns, functions and planner statistics of the tables on PostgreSQL; range and order match SQLite."""

from functools import cache

from sqlalchemy import Connection

from database.tables import derived, metadata

BEGIN_WRITE = "foyer_begin_write"
# A function, because it keeps its plan: planning takes ten times as long as reading two indexes. Each statement has its own
# snapshot, so the second sees what the previous holder of the lock committed.
_BODY = """
BEGIN
    PERFORM pg_advisory_xact_lock(kind, key);
    RETURN greatest(
        (SELECT max(updated_at) FROM tickets WHERE company_id = company),
        (SELECT max(created_at) FROM events WHERE company_id = company)
    );
END
"""


def make_functions(connection: Connection) -> None:
    """Makes the function with which writers of a company lock it, which returns the newest timestamp of its tickets and events."""
    written = (
        "SELECT 1 FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname = %s AND prosrc = %s"
    )
    if not connection.exec_driver_sql(written, (BEGIN_WRITE, _BODY)).first():
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {BEGIN_WRITE}(kind integer, key integer, company text) RETURNS text "
            f"LANGUAGE plpgsql AS $${_BODY}$$"
        )


def analyze(connection: Connection, *, anew: bool) -> None:
    """Updates the planner statistics of tables that have doubled in size, or of all tables with `anew` (after a copy).

    Autovacuum handles the growth while the server runs.
    """
    known_size = "0" if anew else "2 * c.relpages * current_setting('block_size')::bigint"
    names = ", ".join(f"'{name}'" for name in ("ticket_words", *metadata.tables, *derived.tables))
    grown = connection.exec_driver_sql(
        "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace "
        f"AND c.relname IN ({names}) AND pg_relation_size(c.oid) > {known_size} ORDER BY 1"
    )
    if tables := ", ".join(grown.scalars()):
        connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {tables}")


@cache
def _wide() -> str:
    """The SQL for the columns that have a smaller range or another sort order than in SQLite."""
    names = ", ".join(f"'{table.name}'" for table in (*metadata.sorted_tables, *derived.sorted_tables))
    return (
        "SELECT c.relname, a.attname, CASE WHEN t.typname = 'int4' THEN 'bigint' ELSE 'text COLLATE \"C\"' END "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid "
        "LEFT JOIN pg_collation l ON l.oid = a.attcollation "
        "WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 "
        f"AND NOT a.attisdropped AND c.relname IN ({names}) AND (t.typname IN ('int4', 'varchar') "
        "OR (t.typname = 'text' AND l.collname <> 'C')) ORDER BY 1, 2"
    )


def widen(connection: Connection) -> None:
    """Gives the columns the steps of migrations/ have made the range and the order they have in SQLite.

    Text of any length in the order of its bytes, whole numbers of 64 bits: so an answer is the same on every engine.
    """
    changes: dict[str, list[str]] = {}
    for table, column, kind in connection.exec_driver_sql(_wide()).all():
        changes.setdefault(table, []).append(f'ALTER COLUMN "{column}" TYPE {kind}')
    for table, altered in changes.items():
        connection.exec_driver_sql(f'ALTER TABLE "{table}" {", ".join(altered)}')
