"""Which errors of a database are faults of ours, and what callers and jobs get for them."""

import sqlite3

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from core.errors import StoreUnavailable
from database.errors import is_fault
from tests.support.rows import add_company

FAULT, FAILURE = True, False
STATES = {
    "22P05": FAULT,  # a character that the database's encoding has not
    "22P02": FAULT,
    "22021": FAULT,
    "22003": FAULT,
    "22001": FAULT,
    "21000": FAULT,
    "54000": FAULT,
    "08006": FAILURE,
    "0A000": FAILURE,  # a cached plan must not change its result type
    "25006": FAILURE,  # a standby takes no writes
    "40001": FAILURE,
    "40P01": FAILURE,
    "42P01": FAILURE,  # as during an upgrade
    "53100": FAILURE,
    "53300": FAILURE,
    "55P03": FAILURE,
    "57014": FAILURE,
    "57P01": FAILURE,
    "58030": FAILURE,
    "XX001": FAILURE,
}


@pytest.mark.parametrize("state", STATES)
def test_the_class_of_a_sqlstate_decides(state):
    cause = psycopg.errors.lookup(state)()
    assert is_fault(cause) is STATES[state]
    assert is_fault(DBAPIError("SELECT 1", None, cause)) is STATES[state]


@pytest.mark.parametrize(
    ("cause", "fault"),
    [
        (psycopg.DataError("cannot be sent"), FAULT),
        (psycopg.NotSupportedError("cannot be sent"), FAULT),
        (psycopg.OperationalError("the connection is closed"), FAILURE),
        (sqlite3.DataError("string or blob too big"), FAULT),
        (sqlite3.OperationalError("disk I/O error"), FAILURE),
        (sqlite3.ProgrammingError("Cannot operate on a closed database."), FAILURE),
        (OSError("no space left"), FAILURE),
    ],
)
def test_without_a_sqlstate_the_kind_decides(cause, fault):
    assert is_fault(cause) is fault


def test_a_malformed_value_is_no_outage_of_postgresql(store):
    add_company(store)
    for statement, expected in (("SELECT 'x'::text::integer", DBAPIError), ("SELECT pg_sleep(2)", StoreUnavailable)):
        with pytest.raises(expected), store.unit_of_work(None) as uow:  # noqa: PT012
            uow._connection.exec_driver_sql("SET statement_timeout = 50")
            uow._connection.exec_driver_sql(statement)
