"""Companies have a moment of confirmation and say whether they take the people of the OpenID Connect issuer."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("companies", sa.Column("confirmed_at", sa.String(length=24), nullable=True))
    op.add_column("companies", sa.Column("oidc_allowed", sa.Boolean(), server_default=sa.false(), nullable=False))
    # The companies that exist were trusted so far. Whether an issuer may speak for one is the operator's word alone.
    op.execute("UPDATE companies SET confirmed_at = created_at")
    op.execute("UPDATE companies SET oidc_allowed = true WHERE id = 'default'")
