"""Indexes of what is gone: events of deletions, and erased tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0027"
branch_labels = None
depends_on = None

REMOVAL = sa.text("action IN ('deleted', 'user_deleted', 'customer_erased')")
ERASED = sa.text("erased_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_events_removed",
        "events",
        ["company_id", "created_at", "id"],
        sqlite_where=REMOVAL,
        postgresql_where=REMOVAL,
    )
    op.create_index(
        "ix_tickets_erased", "tickets", ["company_id", "erased_at"], sqlite_where=ERASED, postgresql_where=ERASED
    )
