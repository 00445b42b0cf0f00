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
    text,
)

from database import column_types
from database.people_tables import api_keys, companies, customers, metadata, sessions, sign_in_tries, users

__all__ = ["api_keys", "companies", "customers", "metadata", "sessions", "sign_in_tries", "users"]

tickets = Table(
    "tickets",
    metadata,
    column_types.key(),
    column_types.company(),
    Column("customer_row", ForeignKey("customers.id"), nullable=False),
    Column("number", Integer, nullable=False),
    column_types.text("title"),
    column_types.text("description"),
    column_types.text("customer_email"),
    column_types.text("customer_id"),
    column_types.text("customer_name"),
    column_types.word("customer_tier", "standard"),
    column_types.word("source", "api"),
    column_types.text("product"),
    column_types.text_list("tags"),
    column_types.word("status", "new"),
    column_types.word("category", "general"),
    column_types.word("priority", "medium"),
    Column("priority_rank", Integer, nullable=False, server_default="2"),
    Column("priority_score", Integer, nullable=False, server_default="0"),
    Column("urgency", column_types.Fixed(1), nullable=False, server_default="10"),
    column_types.word("sentiment", "neutral"),
    column_types.text("topic"),
    Column("topic_confidence", column_types.Fixed(3)),
    column_types.word("assigned_team", "support"),
    column_types.text("assigned_to"),
    column_types.moment("assigned_at"),
    column_types.text("ai_response"),
    column_types.word("ai_source"),
    column_types.word("ai_status", "off"),
    Column("ai_confidence", column_types.Fixed(3)),
    column_types.text_list("ai_citations"),
    column_types.word("triage_source", "rules"),
    column_types.text_list("triage_reasons"),
    Column("category_confidence", column_types.Fixed(3)),
    column_types.text("next_action"),
    column_types.text("resolution"),
    Column("human_replied", Boolean, nullable=False, server_default=false()),
    column_types.moment("first_response_at"),
    Column("first_response_seconds", column_types.large_number()),
    column_types.moment("first_response_due_at"),
    column_types.moment("resolve_due_at"),
    column_types.word("sla_status"),
    column_types.word("queue_place"),  # services/tickets/waiting.py
    *column_types.clock_of_agreed_times(),
    column_types.moment("resolved_at"),
    Column("resolution_seconds", column_types.large_number()),
    column_types.moment("closed_at"),
    Column("csat_score", Integer),
    column_types.text("external_id"),
    column_types.text("external_scope"),  # within which external_id is unique: "" the company, else the customer's row
    column_types.moment("erased_at"),
    Column("version", Integer, nullable=False, server_default="1"),
    column_types.moment("created_at", required=True),
    column_types.moment("updated_at", required=True),
    Index("uq_tickets_number", "company_id", "number", unique=True),
    Index("ix_tickets_created", "company_id", "created_at", "id"),
    Index("ix_tickets_updated", "company_id", "updated_at", "id"),
    Index("ix_tickets_status", "company_id", "status", "created_at", "id"),
    Index("ix_tickets_customer", "company_id", "customer_row", "created_at", "id"),
    Index("ix_tickets_assigned", "company_id", "assigned_to", "created_at", "id"),
    column_types.unique_when_set("uq_tickets_external_id", "external_id", "external_scope"),
    Index("ix_tickets_urgency", "company_id", text("urgency DESC"), "created_at", "id"),
    Index(
        "ix_tickets_priority", "company_id", text("priority_rank DESC"), text("priority_score DESC"), "created_at", "id"
    ),
    Index("ix_tickets_waiting", "company_id", "queue_place", "created_at", "id"),
    Index("ix_tickets_due", "company_id", "resolve_due_at", "created_at", "id"),
    *(
        Index(f"ix_tickets_{name}", "company_id", column, "created_at", "id")
        for column, name in {
            "priority": "by_priority",
            "category": "category",
            "assigned_team": "team",
            "sentiment": "sentiment",
            "customer_tier": "tier",
            "source": "source",
            "topic": "topic",
            "product": "product",
        }.items()
    ),
    column_types.index_of_values("ix_tickets_first_response", "first_response_seconds"),
    column_types.index_of_values("ix_tickets_resolution", "resolution_seconds"),
    column_types.index_of_values("ix_tickets_agent_resolution", "assigned_to", "resolution_seconds"),
)

replies = Table(
    "replies",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.ticket(),
    column_types.word("author_role", "agent"),
    column_types.text("author_name"),
    column_types.text("author_email"),
    column_types.text("body"),
    Column("internal", Boolean, nullable=False, server_default=false()),
    column_types.word("ai_source"),  # of a turn that the AI wrote
    column_types.text_list("citations"),  # ids of the articles that it rests on
    column_types.moment("created_at", required=True),
    Index("ix_replies_ticket", "ticket_id", "created_at", "id"),
    Index(
        "ix_replies_ai",
        "company_id",
        "created_at",
        sqlite_where=text("ai_source <> ''"),
        postgresql_where=text("ai_source <> ''"),
    ),
)

# The state of a conversation: a ticket with the source chat. Its turns are the replies of the ticket.
conversations = Table(
    "conversations",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.ticket(),
    column_types.word("answered_by", "ai"),  # ai or human
    column_types.word("escalation_reason"),
    Column("ai_turns", Integer, nullable=False, server_default="0"),  # since a person gave it back
    Column("unanswered_turns", Integer, nullable=False, server_default="0"),  # in a row
    column_types.word("ended_by"),  # customer, agent or silence, "" while it is open
    column_types.moment("ended_at"),
    column_types.moment("last_turn_at", required=True),
    column_types.moment("idle_due_at"),  # when the next step of closing a silent conversation is due
    Column("warned", Boolean, nullable=False, server_default=false()),
    column_types.moment("seen_at", required=True),  # when the customer last asked for new messages, in steps of seconds
    Index("uq_conversations_ticket", "ticket_id", unique=True),
    Index("ix_conversations_idle", "idle_due_at"),
    column_types.index_of_values("ix_conversations_ended", "ended_at"),
)

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

# Tables computed from the tickets, to answer quickly. Triggers of the database update them in the transaction of the change
# (database/migrations/versions/0004_growth.py). The JSON document does not hold them.
derived = MetaData()

# Ticket counters: `number` tickets have the values a to g in the fields of `kind` (KINDS in services/stats/counters.py).
# `urgency` is the sum of their urgency in tenths, `by_ai` how many of them AI resolved.
TALLIES = "queue origin agent topic tag all opened ended answer solution".split()
tallies = Table(
    "tallies",
    derived,
    Column("company_id", String(36), primary_key=True),
    Column("kind", String(40), primary_key=True),
    *(Column(name, Text, primary_key=True, server_default="") for name in "abcdefg"),
    *(Column(name, Integer, nullable=False, server_default="0") for name in ("number", "urgency", "by_ai")),
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
