"""What became of tickets: the customer's rating, who ended them, replies of people, and the expected time of resolution."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

FLAGS = ("closed_by_customer", "handed_over", "reopened_after_ai")
SECONDS = ("expected_resolution_seconds", "expected_resolution_seconds_low", "expected_resolution_seconds_high")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("csat_at", sa.String(length=24), nullable=True))
    op.add_column("tickets", sa.Column("agent_replies", sa.Integer(), server_default="0", nullable=False))
    for name in FLAGS:
        op.add_column("tickets", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    for name in SECONDS:
        op.add_column("tickets", sa.Column(name, sa.BigInteger() if _is_postgres() else sa.Integer(), nullable=True))
    _fill()


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
