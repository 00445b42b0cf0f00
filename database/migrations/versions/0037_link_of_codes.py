"""The link of a mailed code has a token of its own: `token_hash` is that of the link, `code_hash` that of the six digits."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in_tokens", sa.Column("code_hash", sa.String(64), server_default="", nullable=False))
    op.execute("UPDATE sign_in_tokens SET code_hash = token_hash WHERE kind = 'code'")
