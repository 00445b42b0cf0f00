"""Runs Alembic from code: every engine, the JSON file included, uses the same migrations."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).resolve().parent


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Brings the connected database to `revision`, inside the caller's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def head() -> str:
    """The newest revision."""
    return str(_steps(HERE).get_current_head())


def has_revision(revision: str) -> bool:
    """Whether this program has the steps from `revision` on."""
    return any(step.revision == revision for step in _steps(HERE).walk_revisions())


def current(connection: Connection) -> str:
    """The revision of the connected database, "" when it is empty."""
    return MigrationContext.configure(connection).get_current_revision() or ""


@cache
def _steps(folder: Path) -> ScriptDirectory:
    """The migrations in `folder`, read once per process: reading them takes tens of milliseconds."""
    return ScriptDirectory(str(folder))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
