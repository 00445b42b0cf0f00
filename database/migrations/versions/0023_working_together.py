"""Working on tickets together: merges, links, watchers, snooze, and who is at which ticket; a filter by agreed times."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("merged_into", sa.Text(), server_default="", nullable=False))
    op.add_column("tickets", sa.Column("links", sa.Text(), server_default="[]", nullable=False))
    op.add_column("tickets", sa.Column("watchers", sa.Text(), server_default="[]", nullable=False))
    op.add_column("tickets", sa.Column("snoozed_until", sa.String(length=24), nullable=True))
    is_merged, is_snoozed = sa.text("merged_into <> ''"), sa.text("snoozed_until IS NOT NULL")
    columns = ["company_id", "merged_into"]
    op.create_index("ix_tickets_merged", "tickets", columns, sqlite_where=is_merged, postgresql_where=is_merged)
    columns = ["snoozed_until"]
    op.create_index("ix_tickets_snoozed", "tickets", columns, sqlite_where=is_snoozed, postgresql_where=is_snoozed)
    columns = ["company_id", "status", "created_at", "id"]
    op.create_index("ix_tickets_asleep", "tickets", columns, sqlite_where=is_snoozed, postgresql_where=is_snoozed)
    op.create_index("ix_tickets_sla", "tickets", ["company_id", "sla_status", "created_at", "id"])
    _create(
        "merges",
        sa.Column("before", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
    )
    op.create_index("uq_merges_ticket", "merges", ["ticket_id"], unique=True)
    _create(
        "presence",
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(length=40), server_default="viewing", nullable=False),
        sa.Column("since", sa.String(length=24), nullable=False),
        sa.Column("seen_at", sa.String(length=24), nullable=False),
    )
    op.create_index("ix_presence_ticket", "presence", ["ticket_id"])


def _create(name: str, *columns: sa.Column[Any]) -> None:
    """Creates a table of a company whose rows belong to a ticket."""
    op.create_table(
        name,
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f(f"fk_{name}_company_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f(f"fk_{name}_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
