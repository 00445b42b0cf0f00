"""The table of what lets somebody in once: invitations, links to a new password, and codes, each sent by mail."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from database import column_types
from database.people_tables import metadata

# `token_hash` is an HMAC of the token of the mail's link with SECRET_KEY, "" until the mail is made; `code_hash` is that of the
# six digits. `fields` is what a registration makes.
# Of a guest who signed out, `token_hash` is that of the guest's id.
sign_in_tokens = Table(
    "sign_in_tokens",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.word("kind"),  # invite, reset, code or ended_guest
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE")),  # NULL of a registration: there is nobody yet
    column_types.text("email"),
    Column("token_hash", String(64), nullable=False, server_default=""),
    Column("code_hash", String(64), nullable=False, server_default=""),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("fields", column_types.JsonText, nullable=False, server_default="{}"),
    column_types.moment("expires_at", required=True),
    column_types.moment("created_at", required=True),
    Index("ix_sign_in_tokens_hash", "token_hash"),
    Index("ix_sign_in_tokens_email", "email", "kind"),
    Index("ix_sign_in_tokens_user", "user_id"),
)
