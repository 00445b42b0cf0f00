"""A new SQLite file is made at once as the migrations would leave it."""

import sqlite3

import orjson
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from database import bulk_load, migrations
from tools.new_sqlite import ordered_lines

REVISIONS = "SELECT version_num FROM alembic_version"
STEPS = ScriptDirectory(str(migrations.HERE))


@pytest.fixture
def connection():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def stale(tmp_path, monkeypatch):
    """A file of an older revision that makes one table only."""
    file = tmp_path / "new_sqlite.json"
    file.write_bytes(orjson.dumps({"revision": "0001", "statements": ["CREATE TABLE stale (id)"]}))
    monkeypatch.setattr(migrations, "NEW_SQLITE", file)
    migrations._new_sqlite.cache_clear()
    yield
    migrations._new_sqlite.cache_clear()


def dump(connection) -> list[list[str]]:
    """Schema and rows. Constraints of a table that a step copies come in any order."""
    driver: sqlite3.Connection = connection.connection.driver_connection
    return [ordered_lines(statement) for statement in driver.iterdump()]


@pytest.mark.parametrize("revision", ["head", migrations.head()])
def test_it_has_the_schema_and_the_rows_that_all_steps_leave(connection, revision, monkeypatch):
    engine = create_engine("sqlite://")
    with engine.connect() as stepwise:
        migrations.run_steps(stepwise)
        expected = dump(stepwise)
    engine.dispose()
    monkeypatch.setattr(migrations, "run_steps", None)
    migrations.upgrade(connection, revision)
    assert dump(connection) == expected


def test_an_older_revision_and_a_file_with_tables_go_step_by_step(connection):
    before_last = str(STEPS.get_revision(migrations.head()).down_revision)
    migrations.upgrade(connection, before_last)
    assert connection.exec_driver_sql(REVISIONS).scalars().all() == [before_last]
    migrations.upgrade(connection)
    assert connection.exec_driver_sql(REVISIONS).scalars().all() == [migrations.head()]


def test_a_file_that_is_out_of_date_is_not_used(connection, stale):
    migrations.upgrade(connection)
    tables = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
    assert "stale" not in tables
    assert "tickets" in tables


@pytest.mark.parametrize("is_stale", [False, True], ids=["at once", "step by step"])
def test_tables_for_a_bulk_load_and_what_is_made_later_are_the_whole(connection, request, is_stale):
    migrations.upgrade(connection)
    expected = sorted(connection.exec_driver_sql("SELECT type, name, tbl_name FROM sqlite_master").all())
    if is_stale:
        request.getfixturevalue("stale")
    engine = create_engine("sqlite://")
    with engine.connect() as loaded:
        later = bulk_load.make_tables(loaded, migrations.head())
        assert loaded.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE sql LIKE 'CREATE INDEX%'").scalar() == 0
        bulk_load.recreate(loaded, later)
        assert sorted(loaded.exec_driver_sql("SELECT type, name, tbl_name FROM sqlite_master").all()) == expected
    engine.dispose()
