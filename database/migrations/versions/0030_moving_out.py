"""Moving out: indexes of what is gone (events of deletions, erased tickets), and exports of everything of a company."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
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
    op.create_table(
        "transfers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="export", nullable=False),
        sa.Column("state", sa.String(length=40), server_default="waiting", nullable=False),
        *(
            sa.Column(
                name, sa.Integer().with_variant(sa.BigInteger(), "postgresql"), server_default="0", nullable=False
            )
            for name in ("done", "total", "size")
        ),
        sa.Column("errors", sa.Text(), server_default="[]", nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("finished_at", sa.String(length=24)),
        sa.Column("expires_at", sa.String(length=24)),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_transfers_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfers")),
    )
    op.create_index("ix_transfers_company", "transfers", ["company_id", "created_at", "id"])
    op.create_index(
        "ix_tickets_erased", "tickets", ["company_id", "erased_at"], sqlite_where=ERASED, postgresql_where=ERASED
    )
