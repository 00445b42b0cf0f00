"""What became of tickets: the customer's rating, who ended them, replies of people, the expected time of resolution, and sums.

The sums are computed from the tickets, so they are made as database/ticket_sums.py defines them now.
"""

import sqlalchemy as sa
from alembic import op

from database import ticket_sums

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

FLAGS = ("closed_by_customer", "handed_over", "reopened_after_ai")
SECONDS = ("expected_resolution_seconds", "expected_resolution_seconds_low", "expected_resolution_seconds_high")

PLACE = ("created_at", "assigned_team")
MEASURED = {
    "first_response": ("first_response_seconds", *PLACE, "assigned_to"),
    "resolution": ("resolution_seconds", *PLACE, "assigned_to"),
    "agent_response": ("assigned_to", "first_response_seconds", *PLACE),
    "agent_resolution": ("assigned_to", "resolution_seconds", *PLACE),
    "resolved": ("resolved_at", *PLACE, "assigned_to"),
}
REPLACED = ("first_response", "resolution", "agent_resolution")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("csat_at", sa.String(length=24), nullable=True))
    op.add_column("tickets", sa.Column("agent_replies", sa.Integer(), server_default="0", nullable=False))
    for name in FLAGS:
        op.add_column("tickets", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    for name in SECONDS:
        op.add_column("tickets", sa.Column(name, sa.BigInteger() if _is_postgres() else sa.Integer(), nullable=True))
    _fill()
    for name, columns in MEASURED.items():
        is_set = sa.text(f"{columns[0 if columns[0] != 'assigned_to' else 1]} IS NOT NULL")
        if name in REPLACED:
            op.drop_index(f"ix_tickets_{name}", "tickets")
        op.create_index(
            f"ix_tickets_{name}", "tickets", ["company_id", *columns], sqlite_where=is_set, postgresql_where=is_set
        )
    for statement in ticket_sums.create(on_sqlite=not _is_postgres()):
        op.get_bind().exec_driver_sql(statement)


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _fill() -> None:
    """The new columns of old tickets, as far as other tables know them."""
    op.execute(
        "UPDATE tickets SET agent_replies = (SELECT count(*) FROM replies WHERE replies.ticket_id = tickets.id "
        "AND replies.author_role = 'agent' AND NOT replies.internal) WHERE human_replied"
    )
    op.execute(
        "UPDATE tickets SET handed_over = true WHERE id IN (SELECT subject_id FROM events "
        "WHERE subject = 'ticket' AND field = 'status' AND to_value = 'handoff')"
    )
    op.execute(
        "UPDATE tickets SET closed_by_customer = true WHERE status = 'closed' "
        "AND id IN (SELECT ticket_id FROM conversations WHERE ended_by = 'customer')"
    )
