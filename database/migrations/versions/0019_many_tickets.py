"""Working many tickets: what a bulk changed, for undoing it; saved views; macros."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_bulks_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulks")),
    )
    op.create_table(
        "bulk_items",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("bulk_id", sa.String(length=36), nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("before", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_bulk_items_company_id")),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulks.id"], name=op.f("fk_bulk_items_bulk_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_bulk_items_ticket_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_items")),
    )
    op.create_index("ix_bulk_items_bulk", "bulk_items", ["bulk_id"])
    op.create_index("ix_bulk_items_ticket", "bulk_items", ["ticket_id"])
    for name, own in (("views", "filter"), ("macros", "changes")):
        op.create_table(
            name,
            sa.Column("id", sa.String(length=36), nullable=False),
            sa.Column("company_id", sa.String(length=36), nullable=False),
            sa.Column("name", sa.Text(), server_default="", nullable=False),
            sa.Column(own, sa.Text(), server_default="{}", nullable=False),
            *(
                [
                    sa.Column("sort", sa.String(length=40), server_default="", nullable=False),
                    sa.Column("owner", sa.Text(), server_default="", nullable=False),
                    sa.Column("shared", sa.Boolean(), server_default=sa.false(), nullable=False),
                ]
                if name == "views"
                else [sa.Column("body", sa.Text(), server_default="", nullable=False)]
            ),
            sa.Column("created_at", sa.String(length=24), nullable=False),
            sa.Column("updated_at", sa.String(length=24), nullable=False),
            sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f(f"fk_{name}_company_id")),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        )
        op.create_index(f"ix_{name}_company", name, ["company_id", "name", "id"])
