"""What the model costs each company a day, when conversations ended, and an index of AI answers by time."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ai_usage",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("day", sa.String(length=40), server_default="", nullable=False),
        *(
            sa.Column(
                name, sa.Integer().with_variant(sa.BigInteger(), "postgresql"), server_default="0", nullable=False
            )
            for name in ("model_calls", "tokens_in", "tokens_out")
        ),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_ai_usage_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ai_usage")),
    )
    op.create_index("ix_ai_usage_day", "ai_usage", ["company_id", "day"])
    op.add_column("conversations", sa.Column("ended_at", sa.String(length=24), nullable=True))
    ended, written = sa.text("ended_at IS NOT NULL"), sa.text("ai_source <> ''")
    op.create_index(
        "ix_conversations_ended",
        "conversations",
        ["company_id", "ended_at"],
        sqlite_where=ended,
        postgresql_where=ended,
    )
    op.create_index(
        "ix_replies_ai", "replies", ["company_id", "created_at"], sqlite_where=written, postgresql_where=written
    )
