"""The table of files that are attached to tickets. database/file_store/ keeps their bytes."""

from sqlalchemy import Boolean, Column, Index, String, Table, false

from database import column_types
from database.people_tables import metadata

# The file store names a file by `company_id` and `id`. `reply_id` is "" while no reply has it.
attachments = Table(
    "attachments",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.ticket(),
    Column("reply_id", String(36), nullable=False, server_default=""),
    column_types.text("name"),  # as it is shown
    column_types.text("content_type"),
    Column("size", column_types.large_number(), nullable=False, server_default="0"),  # bytes
    Column("sha256", String(64), nullable=False, server_default=""),
    column_types.word("author_role", "agent"),  # agent or customer
    Column("internal", Boolean, nullable=False, server_default=false()),  # customers do not see it
    column_types.moment("created_at", required=True),
    Index("ix_attachments_ticket", "ticket_id", "created_at", "id"),
    Index("ix_attachments_size", "company_id", "size"),
)
