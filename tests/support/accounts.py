"""A registered company and users who sign in, by a clock that the test puts forward."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.caller import Caller

GOOD = "correct horse battery"


ACME = {"company": "Acme", "name": "Zoë", "email": "zoe@acme.example", "password": GOOD}


@pytest.fixture
def clock():
    """A clock that is put forward by `clock.append(seconds)`."""
    moved = []

    def now():
        return datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=sum(moved))

    now.moved = moved
    return now


@pytest.fixture
def server(open_app, clock):
    """A server by that clock: its app."""
    return open_app(clock=clock)


@pytest.fixture
def nobody(server):
    """A caller without credentials."""
    return Caller(server.test_client())


@pytest.fixture
def acme(nobody):
    """What registering the company Acme answered."""
    return nobody.data(nobody.post("/api/companies", ACME), 201)


def bearing(caller, token):
    """The same client with an access token."""
    return Caller(caller.client, "", {"Authorization": f"Bearer {token}"})


def at(address):
    return {"environ_base": {"REMOTE_ADDR": address}}


def rows(app, table):
    with app.extensions["runtime"].storage.unit_of_work(None) as uow:
        return uow.find(uow.query(table))


def log_in(caller, email=ACME["email"], password=GOOD, **more):
    return caller.post("/api/auth/login", {"email": email, "password": password}, **more)


def refresh(caller, token, status=200):
    return caller.data(caller.post("/api/auth/refresh", {"refresh_token": token}), status)
