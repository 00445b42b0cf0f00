"""Counters that no list reads are gone: statistics have sums of their own (0022). A change of a ticket costs less."""

from alembic import op

from database import ticket_counts

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in (*ticket_counts.remove(on_sqlite=on_sqlite), *ticket_counts.create(on_sqlite=on_sqlite)):
        op.get_bind().exec_driver_sql(statement)
