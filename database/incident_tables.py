"""The table of incidents: several customers who wrote what is alike within a short time. Tickets name theirs."""

from sqlalchemy import Index, Table

from database import column_types
from database.people_tables import metadata

incidents = Table(
    "incidents",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("title"),
    column_types.word("status", "open"),
    column_types.moment("opened_at", required=True),
    column_types.moment("newest_at", required=True),  # when the newest of its tickets arrived, by the real clock
    column_types.moment("resolved_at"),
    Index("ix_incidents_opened", "company_id", "opened_at", "id"),
    Index("ix_incidents_newest", "company_id", "status", "newest_at"),
)
