"""Why a draft was discarded: a reason, and words of the agent."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("drafts", sa.Column("reason", sa.String(length=40), server_default="", nullable=False))
    op.add_column("drafts", sa.Column("reason_text", sa.Text(), server_default="", nullable=False))
