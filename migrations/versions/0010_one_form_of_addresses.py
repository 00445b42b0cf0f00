"""E-mail addresses in their one form, where an older release stored another spelling; one that is taken then stays as it is."""

import unicodedata

import sqlalchemy as sa
from alembic import op
from email_validator import EmailNotValidError, validate_email

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("customers", "users"):
        for row in _spelled_otherwise(table, "email"):
            _respell(table, row)
    for row in _spelled_otherwise("replies", "author_email"):
        _run("UPDATE replies SET author_email = :email WHERE id = :id", id=row.id, email=_form(row.email))


def _spelled_otherwise(table: str, column: str) -> list[sa.Row]:  # type: ignore[type-arg]
    """The rows whose address is not in its form; ASCII in lower case is, unless a part of the domain is punycode."""
    on_sqlite = op.get_context().dialect.name == "sqlite"
    size = f"length(CAST({column} AS BLOB))" if on_sqlite else f"octet_length({column})"
    rows = _run(
        f"SELECT id, company_id, {column} AS email FROM {table} WHERE {column} <> '' "
        f"AND ({size} <> length({column}) OR lower({column}) <> {column} OR {column} LIKE '%xn--%')"
    )
    return [row for row in rows if _form(row.email) != row.email]


def _respell(table: str, row: sa.Row) -> None:  # type: ignore[type-arg]
    email = _form(row.email)
    taken = _run(
        f"SELECT id FROM {table} WHERE company_id = :company AND email = :email", company=row.company_id, email=email
    )
    if taken:
        return
    _run(f"UPDATE {table} SET email = :email WHERE id = :id", id=row.id, email=email)
    if table == "customers":
        _run(
            "UPDATE tickets SET customer_email = :email WHERE customer_row = :id AND customer_email <> ''",
            id=row.id,
            email=email,
        )


def _form(text: str) -> str:
    try:
        valid = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return text
    return unicodedata.normalize("NFC", valid.normalized.lower())


def _run(statement: str, **values: str) -> list[sa.Row]:  # type: ignore[type-arg]
    result = op.get_bind().execute(sa.text(statement), values)
    return list(result.all()) if result.returns_rows else []
