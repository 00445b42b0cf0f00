"""An external_id that a customer gives is unique among the tickets they made, and takes none from the company.

Tickets that are there keep theirs among the company's: who gave it is not stored.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tickets", sa.Column("external_scope", sa.Text(), server_default="", nullable=False))
    op.drop_index("uq_tickets_external_id", "tickets")
    is_set = sa.text("external_id <> ''")
    op.create_index(
        "uq_tickets_external_id",
        "tickets",
        ["company_id", "external_id", "external_scope"],
        unique=True,
        sqlite_where=is_set,
        postgresql_where=is_set,
    )
