"""What comes in by mail and from other channels; whether a company may take mail."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _company() -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    return sa.Column("company_id", sa.String(length=36), nullable=False), sa.ForeignKeyConstraint(
        ["company_id"], ["companies.id"]
    )


def upgrade() -> None:
    op.add_column("companies", sa.Column("inbound_allowed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE companies SET inbound_allowed = true WHERE id = 'default'")
    op.create_table(
        "inbound_mails",
        sa.Column("id", sa.String(length=36), primary_key=True),
        *_company(),
        sa.Column("ticket_id", sa.String(length=36), sa.ForeignKey("tickets.id", ondelete="CASCADE"), nullable=True),
        sa.Column("channel", sa.String(length=40), server_default="email", nullable=False),
        sa.Column("state", sa.String(length=40), server_default="received", nullable=False),
        *map(_text, ("note", "sender", "external_id", "media")),
        sa.Column("created_at", sa.String(length=24), nullable=False),
    )
    op.create_index("ix_inbound_mails_company", "inbound_mails", ["company_id", "created_at", "id"])
    op.create_index("ix_inbound_mails_ticket", "inbound_mails", ["ticket_id", "created_at", "id"])
    mail = "inbound_mails.id"
    op.create_table(
        "inbound_originals",
        sa.Column("id", sa.String(length=36), primary_key=True),
        *_company(),
        sa.Column("mail_id", sa.String(length=36), sa.ForeignKey(mail, ondelete="CASCADE"), nullable=False),
        _text("body"),
    )
    op.create_index("uq_inbound_originals_mail", "inbound_originals", ["mail_id"], unique=True)
    op.create_table(
        "inbound_keys",
        sa.Column("id", sa.String(length=64), primary_key=True),
        *_company(),
        sa.Column("mail_id", sa.String(length=36), sa.ForeignKey(mail, ondelete="CASCADE"), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
    )
    op.create_index("ix_inbound_keys_mail", "inbound_keys", ["mail_id"])
    op.create_index("ix_inbound_keys_expires", "inbound_keys", ["expires_at"])
    op.create_table(
        "inbound_addresses", sa.Column("id", sa.String(length=36), primary_key=True), *_company(), _text("address")
    )
    op.create_index("uq_inbound_addresses_address", "inbound_addresses", ["address"], unique=True)
    op.create_index("ix_inbound_addresses_company", "inbound_addresses", ["company_id"])
