"""The tables, one set for every engine; the kinds of column they are made of are in columns.py.

Text that is not set is "", a date or number that is not set is NULL. Times are RFC 3339 text in UTC with three fraction
digits, so they sort as text.
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
    true,
)

import columns

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


companies = Table(
    "companies",
    metadata,
    columns.key(),
    Column("name", Text, nullable=False, unique=True),
    # How the name reads and how it looks (company_names.py); a company from before may have no key of its look.
    columns.text("name_key"),
    columns.text("look_key"),
    Column("last_number", Integer, nullable=False, server_default="0"),
    Column("settings", columns.JsonText, nullable=False, server_default="{}"),
    # When its first admin's address was confirmed. Until then the company mails only its own admins.
    columns.moment("confirmed_at"),
    # Whether people of the OpenID Connect issuer may belong to it, which only the operator says.
    Column("oidc_allowed", Boolean, nullable=False, server_default=false()),
    columns.moment("created_at", required=True),
    columns.unique_when_set("uq_companies_name_key", "name_key", of_company=False),
    columns.unique_when_set("uq_companies_look_key", "look_key", of_company=False),
)

users = Table(
    "users",
    metadata,
    columns.key(),
    columns.company(),
    columns.text("email"),
    columns.text("name"),
    columns.word("role", "agent"),
    columns.word("team"),
    Column("available", Boolean, nullable=False, server_default=true()),
    Column("disabled", Boolean, nullable=False, server_default=false()),
    columns.text("password_hash"),
    columns.text("identity"),
    columns.moment("created_at", required=True),
    columns.unique_when_set("uq_users_email", "email"),
    columns.unique_when_set("uq_users_identity", "identity"),
    Index("ix_users_company", "company_id", "email"),
    Index("ix_users_email", "email"),
)

sessions = Table(
    "sessions",
    metadata,
    columns.key(),
    columns.company(),
    columns.user(),
    Column("generation", Integer, nullable=False, server_default="1"),
    columns.moment("rotated_at", required=True),
    columns.moment("expires_at", required=True),
    columns.moment("created_at", required=True),
    Index("ix_sessions_user", "user_id"),
)

# Wrong passwords, whether or not there is such an account: one row for the account, one for each place they came from.
# The ids are hashes; `account` is the id of the account's own row.
sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("account", String(64), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    columns.moment("tries_until"),
    Index("ix_sign_in_tries_account", "account"),
)

api_keys = Table(
    "api_keys",
    metadata,
    columns.key(),
    columns.company(),
    columns.text("name"),
    columns.word("prefix"),
    Column("key_hash", String(64), nullable=False, unique=True),
    columns.word("role", "admin"),
    columns.listed("scopes"),
    columns.moment("expires_at"),
    columns.moment("last_used_at"),
    columns.moment("created_at", required=True),
)

customers = Table(
    "customers",
    metadata,
    columns.key(),
    columns.company(),
    columns.text("email"),
    columns.text("customer_id"),
    columns.text("name"),
    columns.word("tier", "standard"),
    columns.moment("created_at", required=True),
    columns.unique_when_set("uq_customers_email", "email"),
    columns.unique_when_set("uq_customers_customer_id", "customer_id"),
)

tickets = Table(
    "tickets",
    metadata,
    columns.key(),
    columns.company(),
    Column("customer_row", ForeignKey("customers.id"), nullable=False),
    Column("number", Integer, nullable=False),
    columns.text("title"),
    columns.text("description"),
    columns.text("customer_email"),
    columns.text("customer_id"),
    columns.text("customer_name"),
    columns.word("customer_tier", "standard"),
    columns.word("source", "api"),
    columns.text("product"),
    columns.listed("tags"),
    columns.word("status", "new"),
    columns.word("category", "general"),
    columns.word("priority", "medium"),
    Column("priority_rank", Integer, nullable=False, server_default="2"),
    Column("priority_score", Integer, nullable=False, server_default="0"),
    Column("urgency", columns.Fixed(1), nullable=False, server_default="10"),
    columns.word("sentiment", "neutral"),
    columns.text("topic"),
    Column("topic_confidence", columns.Fixed(3)),
    columns.word("assigned_team", "support"),
    columns.text("assigned_to"),
    columns.moment("assigned_at"),
    columns.text("ai_response"),
    columns.word("ai_source"),
    columns.word("ai_status", "off"),
    Column("ai_confidence", columns.Fixed(3)),
    columns.listed("ai_citations"),
    columns.word("triage_source", "rules"),
    columns.listed("triage_reasons"),
    Column("category_confidence", columns.Fixed(3)),
    columns.text("next_action"),
    columns.text("resolution"),
    Column("human_replied", Boolean, nullable=False, server_default=false()),
    columns.moment("first_response_at"),
    Column("first_response_seconds", columns.seconds()),
    columns.moment("first_response_due_at"),
    columns.moment("resolve_due_at"),
    columns.word("sla_status"),
    columns.moment("resolved_at"),
    Column("resolution_seconds", columns.seconds()),
    columns.moment("closed_at"),
    Column("csat_score", Integer),
    columns.text("external_id"),
    columns.text("external_scope"),  # within which external_id is unique: "" the company, else the customer's row
    columns.moment("erased_at"),
    Column("version", Integer, nullable=False, server_default="1"),
    columns.moment("created_at", required=True),
    columns.moment("updated_at", required=True),
    Index("uq_tickets_number", "company_id", "number", unique=True),
    Index("ix_tickets_created", "company_id", "created_at", "id"),
    Index("ix_tickets_updated", "company_id", "updated_at", "id"),
    Index("ix_tickets_status", "company_id", "status", "created_at", "id"),
    Index("ix_tickets_customer", "company_id", "customer_row", "created_at", "id"),
    Index("ix_tickets_assigned", "company_id", "assigned_to", "created_at", "id"),
    columns.unique_when_set("uq_tickets_external_id", "external_id", "external_scope"),
    Index("ix_tickets_urgency", "company_id", text("urgency DESC"), "created_at", "id"),
    Index(
        "ix_tickets_priority", "company_id", text("priority_rank DESC"), text("priority_score DESC"), "created_at", "id"
    ),
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
    columns.measured("ix_tickets_first_response", "first_response_seconds"),
    columns.measured("ix_tickets_resolution", "resolution_seconds"),
    columns.measured("ix_tickets_agent_resolution", "assigned_to", "resolution_seconds"),
)

replies = Table(
    "replies",
    metadata,
    columns.key(),
    columns.company(),
    columns.ticket(),
    columns.word("author_role", "agent"),
    columns.text("author_name"),
    columns.text("author_email"),
    columns.text("body"),
    Column("internal", Boolean, nullable=False, server_default=false()),
    columns.moment("created_at", required=True),
    Index("ix_replies_ticket", "ticket_id", "created_at", "id"),
)

# What happened, to tickets and to everything else: a ticket's history and the audit are the same rows.
events = Table(
    "events",
    metadata,
    columns.key(),
    columns.company(),
    columns.word("subject", "ticket"),
    columns.text("subject_id"),
    columns.word("action"),
    columns.text("actor"),
    columns.text("through"),
    columns.text("said_by"),
    columns.text("address"),
    columns.word("field"),
    columns.text("from_value"),
    columns.text("to_value"),
    columns.moment("created_at", required=True),
    Index("ix_events_subject", "subject_id", "created_at", "id"),
    Index("ix_events_company", "company_id", "created_at", "id"),
)

# What people of a company decided, for triage to learn from and to be measured by. The text is the ticket's, or given here.
examples = Table(
    "examples",
    metadata,
    columns.key(),
    columns.company(),
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE")),
    columns.word("field"),
    columns.text("text"),
    columns.text("label"),
    columns.text("decided"),
    Column("confidence", columns.Fixed(3)),
    columns.moment("created_at", required=True),
    Index("ix_examples_field", "company_id", "field", "created_at", "id"),
    Index("ix_examples_ticket", "ticket_id", "field"),
)

jobs = Table(
    "jobs",
    metadata,
    columns.key(),
    columns.company(),
    columns.word("lane"),
    columns.word("kind"),
    Column("ticket_id", ForeignKey("tickets.id", ondelete="CASCADE")),
    Column("payload", columns.JsonText, nullable=False, server_default="{}"),
    columns.word("state", "waiting"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    columns.moment("run_at", required=True),
    columns.text("last_error"),
    columns.moment("created_at", required=True),
    Index("ix_jobs_due", "state", "lane", "run_at"),
    Index("ix_jobs_ticket", "ticket_id"),
)

# Mails of a company in an hour: to its own people, to all others, and to each outside recipient (by a hash in the id).
mail_counts = Table(
    "mail_counts",
    metadata,
    Column("id", String(64), primary_key=True),
    columns.company(),
    columns.word("kind"),
    columns.moment("hour", required=True),
    Column("sent", Integer, nullable=False, server_default="0"),
    Column("held", Integer, nullable=False, server_default="0"),
)

idempotency = Table(
    "idempotency",
    metadata,
    columns.key(),
    columns.company(),
    columns.text("caller"),
    columns.text("route"),
    columns.text("key"),
    Column("body_hash", String(64), nullable=False),
    columns.word("state", "done"),
    Column("status", Integer),
    columns.text("answer"),
    columns.moment("expires_at", required=True),
    columns.moment("created_at", required=True),
    UniqueConstraint("company_id", "caller", "route", "key"),
)

# What follows from the tickets and is only there to answer quickly: triggers of the database keep it in the transaction of
# the change (migrations/versions/0004_growth.py), and the JSON document does not hold it.
derived = MetaData()

# How many tickets have these values together: `kind` says which, in the order of a to g; with their urgency in tenths added
# up, and how many of them AI resolved.
TALLIES = "queue origin agent topic tag all opened ended answer solution".split()
tallies = Table(
    "tallies",
    derived,
    Column("company_id", String(36), primary_key=True),
    Column("kind", String(40), primary_key=True),
    *(Column(name, Text, primary_key=True, server_default="") for name in "abcdefg"),
    *(Column(name, Integer, nullable=False, server_default="0") for name in ("number", "urgency", "by_ai")),
)

# Each tag of each ticket.
ticket_tags = Table(
    "ticket_tags",
    derived,
    Column("company_id", String(36), primary_key=True),
    Column("tag", Text, primary_key=True),
    Column("created_at", String(24), primary_key=True),
    Column("ticket_id", String(36), primary_key=True),
)
