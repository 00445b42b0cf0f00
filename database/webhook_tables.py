"""The tables of webhooks and their deliveries. database/tables.py has the others."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, false, true

from database import column_types
from database.people_tables import metadata

# Where a company's events are sent. The secret is derived from SECRET_KEY, the id and `generation`, so it is not stored.
webhooks = Table(
    "webhooks",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("name"),
    column_types.text("url"),
    column_types.text_list("events"),
    column_types.word("format", "json"),
    Column("generation", Integer, nullable=False, server_default="1"),
    column_types.moment("rotated_until"),  # until when the secret of the generation before signs as well
    Column("active", Boolean, nullable=False, server_default=true()),
    column_types.text("inactive_reason"),
    # A deleted row stays for a day: a write that began before the deletion may still add a delivery to it.
    Column("deleted", Boolean, nullable=False, server_default=false()),
    column_types.moment("created_at", required=True),
    column_types.moment("updated_at", required=True),
    Index("ix_webhooks_company", "company_id", "created_at", "id"),
)

# What is sent or was sent. `body` never changes, so every try sends the same bytes. A blocked one waits until an earlier
# event of the same `subject_id` is delivered or given up.
deliveries = Table(
    "deliveries",
    metadata,
    column_types.key(),
    column_types.company(),
    Column("webhook_id", ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE")),
    column_types.text("subject_id"),
    Column("event_id", String(36), nullable=False),
    column_types.word("event"),
    column_types.text("body"),
    column_types.word("state", "waiting"),  # waiting, blocked, delivered, dead
    Column("attempts", Integer, nullable=False, server_default="0"),
    column_types.moment("next_try_at", required=True),  # while it is being sent: until when no other process sends it
    Column("last_status", Integer),  # of the HTTP answer, NULL without one
    column_types.text("last_error"),
    column_types.moment("finished_at"),
    column_types.moment("created_at", required=True),
    Index("ix_deliveries_due", "state", "webhook_id", "next_try_at", "event_id"),
    Index("ix_deliveries_order", "webhook_id", "subject_id", "state", "event_id"),
    Index("ix_deliveries_log", "webhook_id", "created_at", "id"),
    Index("ix_deliveries_ticket", "ticket_id"),
    Index("ix_deliveries_finished", "state", "finished_at"),
)
