"""The place of each ticket in the queue of who waits, and its index."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("queue_place", sa.String(length=40), server_default="", nullable=False))
    op.execute(
        "UPDATE tickets SET queue_place = CASE WHEN status = 'handoff' THEN '0' || updated_at "
        "WHEN status IN ('new', 'assigned', 'in_progress') THEN '1' || created_at ELSE '2' || created_at END"
    )
    op.create_index("ix_tickets_waiting", "tickets", ["company_id", "queue_place", "created_at", "id"])
