"""The tables of tickets, of their threads and of conversations. database/tables.py has the others."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, false, text

from database import column_types
from database.people_tables import metadata

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
    column_types.text_list("suggested_tags"),  # tags that rules or a topic have set: none is set a second time
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
    *column_types.wait_for_an_agent(),
    column_types.moment("resolved_at"),
    Column("resolution_seconds", column_types.large_number()),
    column_types.moment("closed_at"),
    Column("csat_score", Integer),
    column_types.moment("csat_at"),  # when the customer first gave this rating
    Column("agent_replies", Integer, nullable=False, server_default="0"),  # public replies of people of the server
    *(
        Column(name, Boolean, nullable=False, server_default=false())
        for name in ("closed_by_customer", "handed_over", "reopened_after_ai")
    ),
    *(
        Column(f"expected_resolution_seconds{end}", column_types.large_number())  # when it was opened
        for end in ("", "_low", "_high")
    ),
    column_types.text("external_id"),
    column_types.text("external_scope"),  # within which external_id is unique: "" the company, else the customer's row
    column_types.text("merged_into"),  # id of the ticket that its thread is part of, services/tickets/merging.py
    column_types.text_list("links"),  # objects; both tickets of a link have it, services/tickets/links.py
    column_types.text_list("watchers"),  # addresses
    column_types.moment("snoozed_until"),
    column_types.moment("erased_at"),
    column_types.word("incident_id"),
    column_types.moment("arrived_at"),  # by the real clock; NULL for a ticket that was imported or is a demo
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
    Index(  # of those that wait for an agent
        "ix_tickets_team_queue",
        *("company_id", "assigned_team", "queue_place", "created_at", "id"),
        sqlite_where=text("queue_since IS NOT NULL"),
        postgresql_where=text("queue_since IS NOT NULL"),
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
            "sla_status": "sla",
        }.items()
    ),
    column_types.index_of_texts("ix_tickets_merged", "merged_into"),
    column_types.index_of_values("ix_tickets_snoozed", "snoozed_until", of_company=False),
    column_types.index_of_snoozed("ix_tickets_asleep"),
    column_types.index_of_texts("ix_tickets_incident", "incident_id"),
    column_types.index_of_values("ix_tickets_erased", "erased_at"),
    *(
        column_types.index_of_values(
            f"ix_tickets_{name}", column, "created_at", "assigned_team", "assigned_to", value=column
        )
        for name, column in {
            "first_response": "first_response_seconds",
            "resolution": "resolution_seconds",
            "resolved": "resolved_at",
        }.items()
    ),
    *(
        column_types.index_of_values(
            f"ix_tickets_agent_{name}", "assigned_to", column, "created_at", "assigned_team", value=column
        )
        for name, column in {"response": "first_response_seconds", "resolution": "resolution_seconds"}.items()
    ),
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
