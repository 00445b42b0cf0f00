"""Migration of e-mail addresses that an older release stored in another spelling."""

from database import migrations
from tests.services.test_account_steps import AT, add_company, connection  # noqa: F401

ODD = "\u01f0an@ex\u00e4mple.com"  # its first letter is composed in lower case only: earlier releases left it in two parts
LEFT = "j\u030can@ex\u00e4mple.com"


def insert(connection, table, **values):  # noqa: F811
    names = ", ".join(values)
    marks = ", ".join(f"'{value}'" for value in values.values())
    connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({marks})")


def addresses(connection, table, column="email"):  # noqa: F811
    return {row[0]: row[1] for row in connection.exec_driver_sql(f"SELECT id, {column} FROM {table}")}


def test_addresses_are_normalized_unless_the_result_is_in_use(connection):  # noqa: F811
    migrations.upgrade(connection, "0009")
    for company in ("default", "c1"):
        add_company(connection, company, company)
    emails = {"a": LEFT, "b": "Ada@XN--EXMPLE-CUA.com", "c": "bob@example.com", "d": "not an address", "e": "", "f": ""}
    for table in ("customers", "users"):
        for row, email in emails.items():
            insert(connection, table, id=f"{table}-{row}", company_id="default", email=email, created_at=AT)
        for row, email in {"x": ODD, "y": LEFT}.items():
            insert(connection, table, id=f"{table}-{row}", company_id="c1", email=email, created_at=AT)
    ticket = {"company_id": "default", "created_at": AT, "updated_at": AT}
    insert(connection, "tickets", id="t1", customer_row="customers-a", number="1", customer_email=LEFT, **ticket)
    insert(connection, "tickets", id="t2", customer_row="customers-a", number="2", customer_email="", **ticket)
    insert(connection, "replies", id="r1", company_id="default", ticket_id="t1", author_email=LEFT, created_at=AT)
    migrations.upgrade(connection, "0010")
    expected = {**emails, "a": ODD, "b": "ada@ex\u00e4mple.com", "x": ODD, "y": LEFT}
    for table in ("customers", "users"):
        assert addresses(connection, table) == {f"{table}-{row}": email for row, email in expected.items()}
    assert addresses(connection, "tickets", "customer_email") == {"t1": ODD, "t2": ""}
    assert addresses(connection, "replies", "author_email") == {"r1": ODD}
