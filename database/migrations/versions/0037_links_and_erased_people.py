"""Links of mailed codes have a token of their own, and imports know whom an admin erased.

Of a code, `token_hash` is that of the mail's link and `code_hash` that of the six digits.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in_tokens", sa.Column("code_hash", sa.String(64), server_default="", nullable=False))
    op.execute("UPDATE sign_in_tokens SET code_hash = token_hash WHERE kind = 'code'")
    op.create_table(
        "erased_people",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_erased_people_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erased_people")),
    )
