"""Runs Alembic from code: every engine, the JSON file included, uses the same migrations.

Alembic is loaded only where a step runs. A start of a store in its newest shape, or of a new one, takes a tenth of a second less.
"""

from functools import cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, create_engine, inspect

HERE = Path(__file__).resolve().parent
# What all steps leave in a new SQLite file: its revision and statements. Written by python -m tools.new_sqlite.
NEW_SQLITE = HERE / "new_sqlite.json"
VERSIONS = "alembic_version"  # Alembic's table


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Brings the connected database to `revision`, inside the caller's transaction.

    A new SQLite file gets at once what the steps would leave in it.
    """
    if connection.dialect.name == "sqlite" and not _has_tables(connection) and revision in ("head", head()):
        statements = at_once()
        for statement in statements:
            connection.exec_driver_sql(statement)
        if statements:
            return
    run_steps(connection, revision)


def at_once() -> list[str]:
    """The statements that make a new SQLite file of the newest revision; none while NEW_SQLITE is of another one."""
    new = _new_sqlite()
    return list(new["statements"]) if new["revision"] == head() else []


def left_by_steps() -> dict[str, Any]:
    """What NEW_SQLITE holds: the newest revision, and the statements that make what all steps leave in a new SQLite file."""
    schema = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        run_steps(connection)
        statements = [str(statement) for statement in connection.exec_driver_sql(schema).scalars()]
    engine.dispose()
    return {"revision": head(), "statements": [*statements, f"INSERT INTO {VERSIONS} VALUES ('{head()}')"]}


def run_steps(connection: Connection, revision: str = "head") -> None:
    """Brings the connected database to `revision` step by step, inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def head() -> str:
    """The newest revision."""
    return _revisions(HERE)[-1]


def has_revision(revision: str) -> bool:
    """Whether this program has the steps from `revision` on."""
    return revision in _revisions(HERE)


def current(connection: Connection) -> str:
    """The revision of the connected database, "" when it is empty."""
    if not inspect(connection).has_table(VERSIONS):
        return ""
    return connection.exec_driver_sql(f"SELECT version_num FROM {VERSIONS}").scalar() or ""


def _has_tables(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first() is not None


@cache
def _new_sqlite() -> dict[str, Any]:
    new: dict[str, Any] = orjson.loads(NEW_SQLITE.read_bytes())
    return new


@cache
def _revisions(folder: Path) -> list[str]:
    """The revisions of the migrations in `folder`, the newest last: the names of their files begin with them."""
    return sorted(path.stem.partition("_")[0] for path in (folder / "versions").glob("[!_]*.py"))
