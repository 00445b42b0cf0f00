"""On SQLite a change of a ticket counts it again only where a counted value differs, as on PostgreSQL."""

from alembic import op

from database import ticket_counts

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in ticket_counts.renew_update():
            op.get_bind().exec_driver_sql(statement)
