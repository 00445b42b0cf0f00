"""Companies have a key of how their name looks; the key of how it reads is made anew, without what cannot be seen.

A company keeps its old key, or has no key of its look, where another one that was there before would have the same.
"""

import sqlalchemy as sa
from alembic import op

from company_names import look_key, name_key

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("companies", sa.Column("look_key", sa.Text(), server_default="", nullable=False))
    _make_keys()
    filled = sa.text("look_key <> ''")
    op.create_index(
        "uq_companies_look_key", "companies", ["look_key"], unique=True, sqlite_where=filled, postgresql_where=filled
    )


def _make_keys() -> None:
    table = sa.table("companies", *(sa.column(name) for name in ("id", "name", "name_key", "look_key", "created_at")))
    t = table.c
    first = sa.case((t.id == "default", 0), else_=1)
    connection = op.get_bind()
    rows = connection.execute(sa.select(t.id, t.name, t.name_key).order_by(first, t.created_at, t.id)).all()
    read, looks = {row.name_key for row in rows} | {""}, {""}
    for row in rows:
        reads, look = name_key(row.name), look_key(row.name)
        keys = {"name_key": row.name_key if reads in read else reads, "look_key": "" if look in looks else look}
        read.add(reads)
        looks.add(look)
        connection.execute(sa.update(table).where(t.id == row.id).values(keys))
