"""The table of transfers: exports of everything of a company. database/file_store/ keeps their files, by the transfer's id."""

from sqlalchemy import Column, Index, Table

from database import column_types
from database.people_tables import metadata

transfers = Table(
    "transfers",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.word("kind", "export"),
    column_types.word("state", "waiting"),
    Column("done", column_types.large_number(), nullable=False, server_default="0"),  # things of `total`
    Column("total", column_types.large_number(), nullable=False, server_default="0"),
    Column("size", column_types.large_number(), nullable=False, server_default="0"),  # bytes of the file
    column_types.text_list("errors"),  # objects with file, line, field and message
    column_types.moment("created_at", required=True),
    column_types.moment("finished_at"),
    column_types.moment("expires_at"),  # when the file is removed
    Index("ix_transfers_company", "company_id", "created_at", "id"),
)
