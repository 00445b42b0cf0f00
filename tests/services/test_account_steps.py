"""Migration of companies, users and keys of older revisions."""

import pytest
from sqlalchemy import create_engine

from database import migrations
from tests.support.rows import file_url

AT = "2026-03-01T12:00:00.000Z"


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request, tmp_path):
    """A connection to an empty store, in a transaction."""
    if request.param == "sqlite":
        engine = create_engine(file_url("sqlite", tmp_path))
        with engine.begin() as connection:
            yield connection
        return
    with request.getfixturevalue("postgresql").fresh(empty=True) as url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            yield connection
        engine.dispose()


def add_company(connection, company, name_key):
    connection.exec_driver_sql(
        f"INSERT INTO companies (id, name, name_key, created_at) VALUES ('{company}', '{name_key}', '{name_key}', '{AT}')"
    )


def add_user(connection, user, company, identity):
    connection.exec_driver_sql(
        "INSERT INTO users (id, company_id, email, identity, created_at) "
        f"VALUES ('{user}', '{company}', '{user}@example.com', '{identity}', '{AT}')"
    )


def test_an_identity_loses_the_name_of_its_company(connection):
    migrations.upgrade(connection, "0008")
    for company, name_key in {"default": "default", "c1": "blue moon ltd"}.items():
        add_company(connection, company, name_key)
        add_user(connection, f"{company}-ada", company, f"{name_key} https://issuer.example|ada 1")
        add_user(connection, f"{company}-bob", company, "")
    migrations.upgrade(connection, "0009")
    rows = connection.exec_driver_sql("SELECT id, identity FROM users ORDER BY id").all()
    assert [tuple(row) for row in rows] == [
        ("c1-ada", "https://issuer.example|ada 1"),
        ("c1-bob", ""),
        ("default-ada", "https://issuer.example|ada 1"),
        ("default-bob", ""),
    ]


def test_existing_names_that_look_alike_are_kept(connection):
    migrations.upgrade(connection, "0010")
    for company, name in {"c1": "acme", "c2": "\u0430cme", "c3": "blue\u034fmoon", "default": "default"}.items():
        add_company(connection, company, name)
    migrations.upgrade(connection, "0011")
    rows = connection.exec_driver_sql("SELECT id, name_key, look_key FROM companies ORDER BY id").all()
    assert [tuple(row) for row in rows] == [
        ("c1", "acme", "acrne"),
        ("c2", "\u0430cme", ""),
        ("c3", "bluemoon", "bluernoon"),
        ("default", "default", "default"),
    ]
