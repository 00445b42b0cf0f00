"""The tables of what comes in by mail and from other channels: messages, their originals, their keys, addresses of companies."""

from sqlalchemy import Column, ForeignKey, Index, String, Table

from database import column_types
from database.people_tables import metadata

# What came in: a mail, or a message of another channel. `state` says what it became (services/inbound/records.py).
inbound_mails = Table(
    "inbound_mails",
    metadata,
    column_types.key(),
    column_types.company(),
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE")),
    column_types.word("channel", "email"),
    column_types.word("state", "received"),
    column_types.text("note"),
    column_types.text("sender"),
    column_types.text("external_id"),  # the Message-ID of a mail, the id that another channel gave its message
    column_types.text("media"),  # media type of the original
    column_types.moment("created_at", required=True),
    Index("ix_inbound_mails_company", "company_id", "created_at", "id"),
    Index("ix_inbound_mails_ticket", "ticket_id", "created_at", "id"),
)

# The whole original of a mail, compressed (zlib) and as text (base64).
inbound_originals = Table(
    "inbound_originals",
    metadata,
    column_types.key(),
    column_types.company(),
    Column("mail_id", ForeignKey("inbound_mails.id", ondelete="CASCADE"), nullable=False),
    column_types.text("body"),
    Index("uq_inbound_originals_mail", "mail_id", unique=True),
)

# What tells a message from every other. The id is a hash of company and key, so the second of two has no room.
inbound_keys = Table(
    "inbound_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    column_types.company(),
    Column("mail_id", ForeignKey("inbound_mails.id", ondelete="CASCADE"), nullable=False),
    column_types.moment("expires_at", required=True),
    Index("ix_inbound_keys_mail", "mail_id"),
    Index("ix_inbound_keys_expires", "expires_at"),
)

# Which company an address belongs to. An address belongs to one company.
inbound_addresses = Table(
    "inbound_addresses",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("address"),
    Index("uq_inbound_addresses_address", "address", unique=True),
    Index("ix_inbound_addresses_company", "company_id"),
)
