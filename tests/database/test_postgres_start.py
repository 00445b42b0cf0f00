"""Start on PostgreSQL: tables are created once, addresses hide the password, production settings apply."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import create_app
from config import ConfigError, Settings, load_settings
from database import migrations, postgres_engine, postgres_tables, tables
from database.postgres_engine import Postgres
from storage import StorageError, open_storage
from tests.conftest import SECRET
from tests.support.rows import add_customer, add_ticket


def test_concurrent_starts_create_tables_company_and_key_once(postgresql, tmp_path):
    barrier, places = threading.Barrier(4), []

    def start(number):
        folder = tmp_path / str(number)
        settings = Settings(_env_file=None, data_dir=folder, database_url=url, secret_key=SECRET)
        app = create_app(settings)
        barrier.wait(60)
        storage = app.extensions["runtime"].storage
        places.append(storage.place)
        app.extensions["runtime"].stop()

    with postgresql.fresh(empty=True) as url:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(start, range(4)))
        assert len(places) == 4
        storage = open_storage(url, tmp_path)
        with storage.unit_of_work(None) as uow:
            assert [row["id"] for row in uow.find(uow.query(tables.companies))] == ["default"]
            assert uow.count(uow.query(tables.api_keys)) == 1
        with storage._engine.read() as connection:
            assert migrations.current(connection) == migrations.head()
            names = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").scalars()
            assert {*names} == {*tables.metadata.tables, *tables.derived.tables, "alembic_version", "ticket_words"}
        storage.close()
    assert len([path for path in tmp_path.iterdir() if (path / "api_key").exists()]) == 1


def test_a_start_makes_the_function_of_writers_that_is_missing_or_differs(url, tmp_path):
    name = postgres_tables.BEGIN_WRITE
    other = f"CREATE OR REPLACE FUNCTION {name}(kind integer, key integer, company text) RETURNS text "
    for step in (f"DROP FUNCTION {name}", other + "LANGUAGE sql AS $$ SELECT 'other' $$", "SELECT 1"):
        store = open_storage(url, tmp_path)
        with store._engine.read() as connection:
            assert connection.exec_driver_sql(f"SELECT {name}(1, 1, 'none')").scalar() is None
            connection.exec_driver_sql(step)
        store.close()


def test_every_column_has_the_range_and_order_that_it_has_in_sqlite(store):
    with store._engine.read() as connection:
        assert connection.exec_driver_sql(postgres_tables._wide()).all() == []
    with store.unit_of_work(None, write=True) as uow:
        for name in ("Zoë", "a", "~", "B", "é", "-"):
            uow.insert(tables.companies, {"id": name, "name": name, "created_at": uow.now})
        company_rows = uow.find(uow.query(tables.companies).order_by(tables.companies.c.name))
        assert [row["name"] for row in company_rows] == ["-", "B", "Zoë", "a", "~", "é"]
        ada = add_customer(uow, company="a")
        ticket_id = add_ticket(uow, ada, 1, "a", resolution_seconds=10**10, assigned_team="x" * 200)
        assert uow.get(tables.tickets, ticket_id)["resolution_seconds"] == 10**10


def test_a_newer_revision_is_refused_and_not_changed(url, tmp_path):
    engine = Postgres(url).open()
    with engine.write() as connection:
        engine.begin_write(connection, "")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match=r"newer Foyer \(revision 9999\)"):
        open_storage(url, tmp_path)
    engine.close()


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://foyer:hunter/2@127.0.0.1:1/desk",
        "postgresql://foyer:hunt@er2@127.0.0.1:1/desk",
        "postgresql://foyer:hunter#2@127.0.0.1:1/desk",
        "postgresql://foyer:hunter 2@127.0.0.1:1/desk",
        "postgresql://foyer:hunter?2=@127.0.0.1:1/desk",
        "postgresql://foyer:x?hunter2@127.0.0.1:1/desk",
        "postgresql://foyer:x?hunter=2@127.0.0.1:1/desk",
        "postgresql://foyer:hunter2@127.0.0.1:1/desk?frog=2",
        "postgresql://foyer@127.0.0.1:1/desk?password=hunter2",
        "postgresql://foyer:hunter2@127.0.0.1:1/desk",
        "postgres://foyer:hunt%65r2@127.0.0.1:1/desk",
    ],
)
def test_no_password_is_in_an_error_or_a_log_line(address, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(postgres_engine, "START_WAIT_SECONDS", 0)
    with pytest.raises(StorageError) as error_info:
        open_storage(address, tmp_path)
    output = str(error_info.value) + caplog.text + repr(error_info.value.__context__)
    assert "hunt" not in output
    assert error_info.value.__cause__ is None


def test_a_wrong_password_is_reported_at_once_and_not_shown(server, tmp_path):
    with pytest.raises(
        StorageError, match=r"database postgres on 127\.0\.0\.1 cannot be opened: .*authentication"
    ) as error_info:
        open_storage(server.url.replace("p%40ss%2Fword", "hunter2"), tmp_path)
    assert "hunter2" not in str(error_info.value)


def test_on_postgresql_a_server_is_in_production(monkeypatch):
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("DATABASE_URL", "postgres://foyer:hunter2@db/desk")
    with pytest.raises(ConfigError, match="SECRET_KEY") as error_info:
        load_settings()
    assert "hunter2" not in str(error_info.value)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    assert load_settings().production
    assert "hunter2" not in repr(load_settings())


def test_flask_migrate_makes_the_tables(postgresql, tmp_path):
    with postgresql.fresh(empty=True) as url:
        app = create_app(Settings(_env_file=None, data_dir=tmp_path, database_url=url, secret_key=SECRET))
        with app.app_context():
            result = app.test_cli_runner().invoke(args=["migrate"])
        assert result.exit_code == 0, result.output
        assert "has the newest shape" in result.output
        assert "p%40ss" not in result.output
        engine = Postgres(url)
        with engine.read() as connection:
            assert migrations.current(connection) == migrations.head()
        engine.close()
