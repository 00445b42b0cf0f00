"""All tables, the same for every engine. database/column_types.py has the column types.

Unset text is "", an unset date or number is NULL. Times are RFC 3339 text in UTC with three fraction digits, so they
sort as text.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from database import column_types
from database.attachment_tables import attachments
from database.desk_tables import merges, presence
from database.inbound_tables import inbound_addresses, inbound_keys, inbound_mails, inbound_originals
from database.incident_tables import incidents
from database.notice_tables import notice_texts
from database.people_tables import (
    api_keys,
    companies,
    customers,
    erased_people,
    metadata,
    sessions,
    sign_in_tries,
    users,
)
from database.routing_tables import routing_rules, teams
from database.second_factor_tables import exchange_codes, second_factors
from database.sign_in_tables import sign_in_tokens
from database.ticket_sums import tables as _tables_of_sums
from database.ticket_tables import conversations, replies, tickets
from database.transfer_tables import transfers
from database.webhook_tables import deliveries, webhooks

__all__ = [
    "api_keys",
    "attachments",
    "companies",
    "conversations",
    "customers",
    "deliveries",
    "erased_people",
    "exchange_codes",
    "inbound_addresses",
    "inbound_keys",
    "inbound_mails",
    "inbound_originals",
    "incidents",
    "merges",
    "metadata",
    "notice_texts",
    "presence",
    "replies",
    "routing_rules",
    "second_factors",
    "sessions",
    "sign_in_tokens",
    "sign_in_tries",
    "teams",
    "tickets",
    "transfers",
    "users",
    "webhooks",
]

# Calls of the model of a company on a day, and their tokens.
ai_usage = Table(
    "ai_usage",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.word("day"),
    *(
        Column(name, column_types.large_number(), nullable=False, server_default="0")
        for name in ("model_calls", "tokens_in", "tokens_out")
    ),
    Index("ix_ai_usage_day", "company_id", "day"),
)

# What happened, to tickets and to everything else: a ticket's history and the audit are the same rows.
events = Table(
    "events",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.word("subject", "ticket"),
    column_types.text("subject_id"),
    column_types.word("action"),
    column_types.text("actor"),
    column_types.text("through"),
    column_types.text("said_by"),
    column_types.text("address"),
    column_types.word("field"),
    column_types.text("from_value"),
    column_types.text("to_value"),
    column_types.moment("created_at", required=True),
    Index("ix_events_subject", "subject_id", "created_at", "id"),
    Index("ix_events_company", "company_id", "created_at", "id"),
    Index(
        "ix_events_removed",
        "company_id",
        "created_at",
        "id",
        sqlite_where=column_types.is_removal(),
        postgresql_where=column_types.is_removal(),
    ),
)

# What people of a company decided, for triage to learn from and to be measured by. The text is the ticket's, or given here.
examples = Table(
    "examples",
    metadata,
    column_types.key(),
    column_types.company(),
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE")),
    column_types.word("field"),
    column_types.text("text"),
    column_types.text("label"),
    column_types.text("decided"),
    Column("confidence", column_types.Fixed(3)),
    column_types.moment("created_at", required=True),
    Index("ix_examples_field", "company_id", "field", "created_at", "id"),
    Index("ix_examples_ticket", "ticket_id", "field"),
)

articles = Table(
    "articles",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("title"),
    column_types.text("body"),
    column_types.text_list("tags"),
    column_types.word("category", "general"),
    column_types.word("status", "published"),
    column_types.text("source"),  # where an import took it from; unique when set, so that a second import finds it
    Column("version", Integer, nullable=False, server_default="1"),
    column_types.moment("created_at", required=True),
    column_types.moment("updated_at", required=True),
    Index("ix_articles_updated", "company_id", "updated_at", "id"),
    column_types.unique_when_set("uq_articles_source", "source"),
)

# Many tickets changed at once, and what each was before, for undoing it within some minutes.
bulks = Table(
    "bulks",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.moment("created_at", required=True),
)

bulk_items = Table(
    "bulk_items",
    metadata,
    column_types.key(),
    column_types.company(),
    Column("bulk_id", ForeignKey("bulks.id", ondelete="CASCADE"), nullable=False),
    column_types.ticket(),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("before", column_types.JsonText, nullable=False, server_default="{}"),
    column_types.moment("created_at", required=True),
    Index("ix_bulk_items_bulk", "bulk_id"),
    Index("ix_bulk_items_ticket", "ticket_id"),
)

views = Table(
    "views",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("name"),
    Column("filter", column_types.JsonText, nullable=False, server_default="{}"),
    column_types.word("sort"),
    column_types.text("owner"),  # id of the user or key
    Column("shared", Boolean, nullable=False, server_default=false()),
    column_types.moment("created_at", required=True),
    column_types.moment("updated_at", required=True),
    Index("ix_views_company", "company_id", "name", "id"),
)

macros = Table(
    "macros",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("name"),
    Column("changes", column_types.JsonText, nullable=False, server_default="{}"),
    column_types.text("body"),
    column_types.moment("created_at", required=True),
    column_types.moment("updated_at", required=True),
    Index("ix_macros_company", "company_id", "name", "id"),
)

# Replies that were drafted for agents. `version` is the ticket's when the draft was written; `outcome` is "" until it is known.
drafts = Table(
    "drafts",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.ticket(),
    Column("version", Integer, nullable=False, server_default="1"),
    column_types.text("body"),
    column_types.word("source", "canned"),
    Column("confidence", column_types.Fixed(3), nullable=False, server_default="0"),
    column_types.text_list("citations"),
    column_types.word("outcome"),
    column_types.text("edited_body"),
    column_types.word("reason"),  # why it was discarded
    column_types.text("reason_text"),
    column_types.moment("created_at", required=True),
    Index("ix_drafts_ticket", "ticket_id", "created_at", "id"),
    Index("ix_drafts_company", "company_id", "created_at", "id"),
)

# Which articles answered which tickets. `escalated`: a person replied too, or the ticket was handed to one.
citations = Table(
    "citations",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.ticket(),
    Column("article_id", ForeignKey("articles.id", ondelete="CASCADE"), nullable=False),
    Column("escalated", Boolean, nullable=False, server_default=false()),
    column_types.moment("created_at", required=True),
    Index("uq_citations_ticket", "ticket_id", "article_id", unique=True),
    Index("ix_citations_article", "company_id", "article_id", "escalated"),
)

jobs = Table(
    "jobs",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.word("lane"),
    column_types.word("kind"),
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE")),
    Column("payload", column_types.JsonText, nullable=False, server_default="{}"),
    column_types.word("state", "waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    column_types.moment("run_at", required=True),
    column_types.text("last_error"),
    column_types.moment("created_at", required=True),
    Index("ix_jobs_due", "state", "lane", "run_at"),
    Index("ix_jobs_ticket", "ticket_id"),
)

# Mails of a company in an hour: to its own people, to all others, and to each outside recipient (by a hash in the id).
mail_counts = Table(
    "mail_counts",
    metadata,
    Column("id", String(64), primary_key=True),
    column_types.company(),
    column_types.word("kind"),
    column_types.moment("hour", required=True),
    Column("sent", Integer, nullable=False, server_default="0"),
    Column("held", Integer, nullable=False, server_default="0"),
)

idempotency = Table(
    "idempotency",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("caller"),
    column_types.text("route"),
    column_types.text("key"),
    Column("body_hash", String(64), nullable=False),
    column_types.word("state", "done"),
    Column("status", Integer),
    column_types.text("answer"),
    column_types.moment("expires_at", required=True),
    column_types.moment("created_at", required=True),
    UniqueConstraint("company_id", "caller", "route", "key"),
)

# Tables computed from the tickets, to answer quickly. Triggers count `tallies` and `ticket_tags`, and write `stale_days`, in the
# transaction of each change; a job counts the sums. The JSON document does not hold them.
derived = MetaData()

# Ticket counters: `number` tickets have the values a to g in the fields of `kind` (database/ticket_counts.py).
tallies = Table(
    "tallies",
    derived,
    Column("company_id", String(36), primary_key=True),
    Column("kind", String(40), primary_key=True),
    *(Column(name, Text, primary_key=True, server_default="") for name in "abcdefg"),
    Column("number", Integer, nullable=False, server_default="0"),
)

# One row for each tag of each ticket.
ticket_tags = Table(
    "ticket_tags",
    derived,
    Column("company_id", String(36), primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("created_at", String(24), primary_key=True),
    Column("ticket_id", String(36), primary_key=True),
)

# Sums over tickets by the day and month in which they were opened, for statistics of any period (database/ticket_sums.py).
ticket_sums, word_sums, stale_days = _tables_of_sums(derived)
