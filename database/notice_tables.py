"""The table of notices that a company words itself: one row for a kind and a language."""

from sqlalchemy import Index, Table

from database import column_types
from database.people_tables import metadata

notice_texts = Table(
    "notice_texts",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.word("kind"),
    column_types.word("language"),  # ISO 639-1; "" is the company's own text for every language
    column_types.text("subject"),
    column_types.text("text"),
    column_types.moment("created_at", required=True),
    Index("uq_notice_texts_kind", "company_id", "kind", "language", unique=True),
)
