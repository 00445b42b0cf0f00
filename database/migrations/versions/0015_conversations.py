"""Conversations: tickets with turns, answered by the AI or by a person."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("replies", sa.Column("ai_source", sa.String(length=40), server_default="", nullable=False))
    op.add_column("replies", sa.Column("citations", sa.Text(), server_default="[]", nullable=False))
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("answered_by", sa.String(length=40), server_default="ai", nullable=False),
        sa.Column("escalation_reason", sa.String(length=40), server_default="", nullable=False),
        sa.Column("ai_turns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unanswered_turns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended_by", sa.String(length=40), server_default="", nullable=False),
        sa.Column("last_turn_at", sa.String(length=24), nullable=False),
        sa.Column("idle_due_at", sa.String(length=24), nullable=True),
        sa.Column("warned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("seen_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_conversations_company_id")),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_conversations_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
    )
    op.create_index("uq_conversations_ticket", "conversations", ["ticket_id"], unique=True)
    op.create_index("ix_conversations_idle", "conversations", ["idle_due_at"])
