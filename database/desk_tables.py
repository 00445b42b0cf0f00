"""The tables of agents who work on tickets together: merges, and who is at which ticket. database/tables.py has the others."""

from sqlalchemy import Column, Index, Table

from database import column_types
from database.people_tables import metadata

# What a merged ticket was before, for undoing the merge. `ticket_id` is the ticket that went into another one.
merges = Table(
    "merges",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.ticket(),
    Column("before", column_types.JsonText, nullable=False, server_default="{}"),
    column_types.moment("created_at", required=True),
    Index("uq_merges_ticket", "ticket_id", unique=True),
)

# Who is at which ticket, where several processes serve (services/tickets/presence.py). Rows live for 30 seconds.
presence = Table(
    "presence",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.ticket(),
    column_types.text("name"),
    column_types.word("state", "viewing"),
    column_types.moment("since", required=True),
    column_types.moment("seen_at", required=True),
    Index("ix_presence_ticket", "ticket_id"),
)
