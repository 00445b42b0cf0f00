"""The clocks of agreed times. Open tickets of before are computed by the periodic job, without alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("sla_running_since", sa.String(length=24), nullable=True))
    op.add_column("tickets", sa.Column("sla_consumed_seconds", sa.Integer(), server_default="0", nullable=False))
    op.add_column("tickets", sa.Column("sla_next_at", sa.String(length=24), nullable=True))
    op.add_column("tickets", sa.Column("sla_told", sa.Text(), server_default="[]", nullable=False))
    op.execute("UPDATE tickets SET sla_next_at = created_at WHERE status NOT IN ('resolved', 'closed')")
    op.execute(
        "UPDATE tickets SET sla_running_since = created_at WHERE sla_next_at IS NOT NULL AND status <> 'waiting_customer'"
    )
    is_set = sa.text("sla_next_at IS NOT NULL")
    op.create_index("ix_tickets_sla_next", "tickets", ["sla_next_at"], sqlite_where=is_set, postgresql_where=is_set)
