"""The tables of the second factor and of sign-ins by an OpenID Connect issuer. database/tables.py has the others."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from database import column_types
from database.people_tables import metadata

# The second factor of a user, whose id it has; `users.second_factor` says whether it is on. The secret is derived from
# SECRET_KEY, the user and `salt`, so it is not stored. `recovery_hashes` are SHA-256 of the recovery codes that are left.
second_factors = Table(
    "second_factors",
    metadata,
    Column("id", String(36), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    column_types.company(),
    column_types.word("salt"),
    Column("last_step", Integer, nullable=False, server_default="0"),  # of the last code that was accepted (RFC 6238)
    column_types.text_list("recovery_hashes"),
    column_types.moment("created_at", required=True),
)

# Codes that a page exchanges for a session, within a minute and once. The id is a hash of the code and of what the browser has.
exchange_codes = Table(
    "exchange_codes",
    metadata,
    Column("id", String(64), primary_key=True),
    column_types.company(),
    column_types.user(),
    column_types.moment("expires_at", required=True),
    column_types.moment("created_at", required=True),
    Index("ix_exchange_codes_user", "user_id"),
    Index("ix_exchange_codes_expires", "expires_at"),
)
