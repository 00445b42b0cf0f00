"""Notices that companies word themselves, the kinds that people ended, and when the last digest was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice_texts",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False, server_default=""),
        sa.Column("language", sa.String(40), nullable=False, server_default=""),
        sa.Column("subject", sa.Text, nullable=False, server_default=""),
        sa.Column("text", sa.Text, nullable=False, server_default=""),
        sa.Column("created_at", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_notice_texts_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_texts")),
    )
    op.create_index("uq_notice_texts_kind", "notice_texts", ["company_id", "kind", "language"], unique=True)
    op.add_column("users", sa.Column("notices_off", sa.Text, server_default="[]", nullable=False))
    op.add_column("companies", sa.Column("digest_at", sa.String(24)))
