"""The table of transfers: exports and imports of everything of a company. database/file_store/ keeps their files.

The file of an export has the transfer's id; that of an import arrives in parts, each a file with an id of its own.
"""

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
    Column(
        "file_size", column_types.large_number(), nullable=False, server_default="0"
    ),  # of an import, once it is known
    *(
        Column(name, column_types.large_number(), nullable=False, server_default="0")  # rows of an import
        for name in ("created", "skipped", "rejected", "renumbered")
    ),
    column_types.text_list("parts"),  # of an import: ids of the files that it consists of, in order
    Column("options", column_types.JsonText, nullable=False, server_default="{}"),  # what whoever asked for it may do
    Column("place", column_types.JsonText, nullable=False, server_default="{}"),  # up to where the file is imported
    column_types.text_list("errors"),  # objects with file, line, field and message
    column_types.moment("created_at", required=True),
    column_types.moment("finished_at"),
    column_types.moment("expires_at"),  # when the file is removed
    Index("ix_transfers_company", "company_id", "created_at", "id"),
)
