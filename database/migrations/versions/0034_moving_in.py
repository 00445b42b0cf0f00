"""Moving in: what an import of everything of a company holds, and the salt from which it derives ids."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("companies", sa.Column("transfer_salt", sa.Text(), server_default="", nullable=False))
    for name in ("file_size", "created", "skipped", "rejected", "renumbered"):
        large_number = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
        op.add_column("transfers", sa.Column(name, large_number, server_default="0", nullable=False))
    for name, default in (("parts", "[]"), ("options", "{}"), ("place", "{}")):
        op.add_column("transfers", sa.Column(name, sa.Text(), server_default=default, nullable=False))
