"""Teams, routing rules, the capacity of agents, and since when a ticket waits for an agent."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_table(
        "teams",
        sa.Column("key", sa.String(length=40), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("assignment", sa.String(length=40), server_default="off", nullable=False),
    )
    _create_table(
        "routing_rules",
        sa.Column("position", sa.Integer(), server_default="1", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("conditions", sa.Text(), server_default="{}", nullable=False),
        sa.Column("team", sa.String(length=40), server_default="", nullable=False),
        sa.Column("priority", sa.String(length=40), server_default="", nullable=False),
        sa.Column("tags", sa.Text(), server_default="[]", nullable=False),
    )
    op.create_index("uq_teams_key", "teams", ["company_id", "key"], unique=True)
    op.create_index("ix_routing_rules_position", "routing_rules", ["company_id", "position", "id"])
    op.add_column("companies", sa.Column("routing_stamp", sa.Text(), server_default="", nullable=False))
    op.add_column("users", sa.Column("capacity", sa.Integer(), nullable=True))
    op.add_column("users", sa.Column("last_assigned_at", sa.String(length=24), nullable=True))
    op.add_column("tickets", sa.Column("suggested_tags", sa.Text(), server_default="[]", nullable=False))
    op.add_column("tickets", sa.Column("queue_since", sa.String(length=24), nullable=True))
    op.add_column("tickets", sa.Column("escalated_at", sa.String(length=24), nullable=True))
    # Tickets of before wait from their last change on; imported ones and conversations with the AI do not wait.
    op.execute(
        "UPDATE tickets SET queue_since = updated_at WHERE assigned_to = '' AND source <> 'import' AND erased_at IS NULL "
        "AND (status = 'handoff' OR (source <> 'chat' AND status IN ('new', 'ai_responded', 'in_progress')))"
    )
    waits = sa.text("queue_since IS NOT NULL")
    unescalated = sa.text("queue_since IS NOT NULL AND escalated_at IS NULL")
    for name, columns, where in (
        ("ix_tickets_team_queue", ["company_id", "assigned_team", "queue_place", "created_at", "id"], waits),
        ("ix_tickets_unescalated", ["company_id", "queue_since"], unescalated),
    ):
        op.create_index(name, "tickets", columns, sqlite_where=where, postgresql_where=where)


def _create_table(name: str, *columns: "sa.Column[Any]") -> None:
    op.create_table(
        name,
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        *columns,
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f(f"fk_{name}_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )
