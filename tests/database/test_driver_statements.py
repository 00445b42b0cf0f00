"""Statements on the driver's own connection give what SQLAlchemy gives: rows, stored values of each type, and errors."""

import pytest
from sqlalchemy import bindparam, create_engine, func, literal, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.models import Actor
from database.column_types import is_broken
from database.driver_statements import compiled, driver_of, is_kept
from database.insert_statements import insert_into
from database.tables import customers, metadata, tickets
from services.prepared_statements import prepared, text


@pytest.fixture
def filled(admin, run_jobs, runtime):
    """A connection to a store with rows in many tables."""
    admin.data(admin.post("/api/demo"), 200)
    ticket = admin.ticket(tags=["a", "ü"], urgency=4.3, external_id="X-1")
    admin.data(admin.post(f"/api/tickets/{ticket['id']}/resolve", {"resolution": "Done."}))
    run_jobs()
    with runtime.storage._engine.read() as connection:
        yield connection


@pytest.fixture
def prepare(filled):
    """Compiles a statement for the store."""
    return lambda statement, columns=None: compiled(statement, columns, dialect=filled.dialect.name)


@pytest.mark.every_engine
def test_rows_are_those_of_sqlalchemy(filled, prepare):
    full = 0
    for table in metadata.sorted_tables:
        rows = [row._asdict() for row in filled.execute(select(table))]
        assert prepare(select(table)).fetch_dicts(driver_of(filled), {}) == rows, table.name
        full += bool(rows)
    assert full > 10


def test_values_are_stored_as_by_sqlalchemy(filled):
    ways = [create_engine("sqlite://").connect() for _ in range(2)]
    for connection in ways:
        metadata.create_all(connection)
        connection.commit()
    for table in metadata.sorted_tables:
        rows = [row._asdict() for row in filled.execute(select(table))]
        if rows:
            ways[0].execute(insert_into(table), rows)
            compiled(insert_into(table), tuple(rows[0])).run_many(driver_of(ways[1]), rows)
            stored = [connection.exec_driver_sql(f'SELECT * FROM "{table.name}"').all() for connection in ways]
            assert stored[0] == stored[1], table.name


@pytest.mark.every_engine
def test_constants_and_labels_of_a_statement_count(filled, prepare):
    constants = select(tickets.c.status.label("state"), literal("x").label("sign")).where(tickets.c.number > 3)
    for statement in (constants, select(func.count()).where(tickets.c.number == bindparam("number_"))):
        rows = [tuple(row) for row in filled.execute(statement, {"number_": 1})]
        assert rows
        assert prepare(statement).fetch(driver_of(filled), {"number_": 1}) == rows


@pytest.mark.parametrize("expanding", [tickets.c.id.in_(bindparam("ids_", expanding=True)), tickets.c.id.in_(["a"])])
def test_a_list_of_values_is_left_to_sqlalchemy(expanding):
    assert not compiled(select(tickets.c.id).where(expanding)).is_fixed


@pytest.mark.every_engine
def test_errors_are_those_of_sqlalchemy_and_hold_no_values(filled, prepare):
    customer = dict(filled.execute(select(customers)).first()._mapping)
    again = {**customer, "id": "another", "customer_id": "", "name": "a secret name"}
    with pytest.raises(IntegrityError) as twice:
        prepare(insert_into(customers), tuple(again)).run_many(driver_of(filled), [again])
    assert is_broken(twice.value, customers, "uq_customers_email")
    assert "a secret name" not in str(twice.value)
    missing = select(tickets.c.id).where(func.no_such_function(tickets.c.id) == "x")
    with pytest.raises(DBAPIError):
        prepare(missing).fetch(driver_of(filled), {})


def test_a_statement_is_prepared_for_each_visibility(admin, runtime):
    ticket = admin.ticket(customer_email="ada@example.com")
    admin.ticket(customer_email="bob@example.com")

    def numbers(actor):
        with runtime.storage.unit_of_work(actor) as uow:
            query = prepared(
                uow, "of a test", lambda: uow.query(tickets, tickets.c.number).where(tickets.c.source == text("source"))
            )
            assert is_kept(query)
            return [found["number"] for found in uow.find(query, source="api")]

    with runtime.storage.unit_of_work(None) as uow:
        of_ada = uow.find(select(customers.c.id).where(customers.c.email == "ada@example.com"))[0]["id"]
    customer = Actor("default", "customer", "ada", customer_email="ada@example.com", customer_row=of_ada)
    other = Actor("other", "admin", "eve")
    for _ in range(2):
        assert numbers(Actor("default", "admin", "ann")) == [1, 2]
        assert numbers(customer) == [ticket["number"]]
        assert numbers(other) == []
        assert numbers(None) == [1, 2]
