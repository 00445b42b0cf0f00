"""Signing in by mail: invitations, links and codes; sessions that say from where; guests of the chat."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("companies", sa.Column("guest_stamp", sa.Text(), server_default="", nullable=False))
    op.add_column("users", sa.Column("invited_at", sa.String(length=24)))
    op.add_column("sessions", sa.Column("remember", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("sessions", sa.Column("device", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "sign_in_tokens",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="", nullable=False),
        sa.Column("user_id", sa.String(length=36)),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("token_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fields", sa.Text(), server_default="{}", nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_sign_in_tokens_company_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_in_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_tokens")),
    )
    op.create_index("ix_sign_in_tokens_hash", "sign_in_tokens", ["token_hash"])
    op.create_index("ix_sign_in_tokens_email", "sign_in_tokens", ["email", "kind"])
    op.create_index("ix_sign_in_tokens_user", "sign_in_tokens", ["user_id"])
