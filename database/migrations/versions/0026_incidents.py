"""Incidents, which of them a ticket belongs to, and when a ticket arrived by the real clock."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("company_id", sa.String(36), nullable=False),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("status", sa.String(40), nullable=False, server_default="open"),
        sa.Column("opened_at", sa.String(24), nullable=False),
        sa.Column("newest_at", sa.String(24), nullable=False),
        sa.Column("resolved_at", sa.String(24)),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_incidents_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index("ix_incidents_opened", "incidents", ["company_id", "opened_at", "id"])
    op.create_index("ix_incidents_newest", "incidents", ["company_id", "status", "newest_at"])
    op.add_column("tickets", sa.Column("incident_id", sa.String(40), server_default="", nullable=False))
    op.add_column("tickets", sa.Column("arrived_at", sa.String(24)))
    is_set = sa.text("incident_id <> ''")
    columns = ["company_id", "incident_id"]
    op.create_index("ix_tickets_incident", "tickets", columns, sqlite_where=is_set, postgresql_where=is_set)
