"""The first tables of the desk."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "companies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last_number", sa.Integer(), server_default="0", nullable=False),
        sa.Column("settings", sa.Text(), server_default="{}", nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_companies")),
        sa.UniqueConstraint("name", name=op.f("uq_companies_name")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("prefix", sa.String(length=40), server_default="", nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=40), server_default="admin", nullable=False),
        sa.Column("scopes", sa.Text(), server_default="[]", nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=True),
        sa.Column("last_used_at", sa.String(length=24), nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_api_keys_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_table(
        "customers",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("customer_id", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("tier", sa.String(length=40), server_default="standard", nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_customers_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
    )
    op.create_index(
        "uq_customers_customer_id",
        "customers",
        ["company_id", "customer_id"],
        unique=True,
        sqlite_where=sa.text("customer_id <> ''"),
        postgresql_where=sa.text("customer_id <> ''"),
    )
    op.create_index(
        "uq_customers_email",
        "customers",
        ["company_id", "email"],
        unique=True,
        sqlite_where=sa.text("email <> ''"),
        postgresql_where=sa.text("email <> ''"),
    )
    op.create_table(
        "idempotency",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("caller", sa.Text(), server_default="", nullable=False),
        sa.Column("route", sa.Text(), server_default="", nullable=False),
        sa.Column("key", sa.Text(), server_default="", nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=40), server_default="done", nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_idempotency_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotency")),
        sa.UniqueConstraint(
            "company_id", "caller", "route", "key", name=op.f("uq_idempotency_company_id_caller_route_key")
        ),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.String(length=40), server_default="agent", nullable=False),
        sa.Column("team", sa.String(length=40), server_default="", nullable=False),
        sa.Column("available", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_users_company_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("company_id", "email", name=op.f("uq_users_company_id_email")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("customer_row", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("customer_email", sa.Text(), server_default="", nullable=False),
        sa.Column("customer_id", sa.Text(), server_default="", nullable=False),
        sa.Column("customer_name", sa.Text(), server_default="", nullable=False),
        sa.Column("customer_tier", sa.String(length=40), server_default="standard", nullable=False),
        sa.Column("source", sa.String(length=40), server_default="api", nullable=False),
        sa.Column("product", sa.Text(), server_default="", nullable=False),
        sa.Column("tags", sa.Text(), server_default="[]", nullable=False),
        sa.Column("status", sa.String(length=40), server_default="new", nullable=False),
        sa.Column("category", sa.String(length=40), server_default="general", nullable=False),
        sa.Column("priority", sa.String(length=40), server_default="medium", nullable=False),
        sa.Column("priority_rank", sa.Integer(), server_default="2", nullable=False),
        sa.Column("priority_score", sa.Integer(), server_default="0", nullable=False),
        sa.Column("urgency", sa.Integer(), server_default="10", nullable=False),
        sa.Column("sentiment", sa.String(length=40), server_default="neutral", nullable=False),
        sa.Column("topic", sa.Text(), server_default="", nullable=False),
        sa.Column("topic_confidence", sa.Integer(), nullable=True),
        sa.Column("assigned_team", sa.String(length=40), server_default="support", nullable=False),
        sa.Column("assigned_to", sa.Text(), server_default="", nullable=False),
        sa.Column("assigned_at", sa.String(length=24), nullable=True),
        sa.Column("ai_response", sa.Text(), server_default="", nullable=False),
        sa.Column("ai_source", sa.String(length=40), server_default="", nullable=False),
        sa.Column("ai_status", sa.String(length=40), server_default="off", nullable=False),
        sa.Column("ai_confidence", sa.Integer(), nullable=True),
        sa.Column("ai_citations", sa.Text(), server_default="[]", nullable=False),
        sa.Column("triage_source", sa.String(length=40), server_default="rules", nullable=False),
        sa.Column("triage_reasons", sa.Text(), server_default="[]", nullable=False),
        sa.Column("next_action", sa.Text(), server_default="", nullable=False),
        sa.Column("resolution", sa.Text(), server_default="", nullable=False),
        sa.Column("human_replied", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("first_response_at", sa.String(length=24), nullable=True),
        sa.Column("first_response_seconds", sa.Integer(), nullable=True),
        sa.Column("first_response_due_at", sa.String(length=24), nullable=True),
        sa.Column("resolve_due_at", sa.String(length=24), nullable=True),
        sa.Column("sla_status", sa.String(length=40), server_default="", nullable=False),
        sa.Column("resolved_at", sa.String(length=24), nullable=True),
        sa.Column("resolution_seconds", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.String(length=24), nullable=True),
        sa.Column("csat_score", sa.Integer(), nullable=True),
        sa.Column("external_id", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_tickets_company_id")),
        sa.ForeignKeyConstraint(["customer_row"], ["customers.id"], name=op.f("fk_tickets_customer_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    op.create_index("ix_tickets_assigned", "tickets", ["company_id", "assigned_to", "created_at", "id"], unique=False)
    op.create_index("ix_tickets_created", "tickets", ["company_id", "created_at", "id"], unique=False)
    op.create_index("ix_tickets_customer", "tickets", ["company_id", "customer_row", "created_at", "id"], unique=False)
    op.create_index("ix_tickets_status", "tickets", ["company_id", "status", "created_at", "id"], unique=False)
    op.create_index("uq_tickets_number", "tickets", ["company_id", "number"], unique=True)
    op.create_index(
        "ix_tickets_urgency", "tickets", ["company_id", sa.text("urgency DESC"), "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_tickets_priority",
        "tickets",
        ["company_id", sa.text("priority_rank DESC"), sa.text("priority_score DESC"), "created_at", "id"],
        unique=False,
    )
    op.create_index("ix_tickets_updated", "tickets", ["company_id", "updated_at", "id"], unique=False)
    op.create_index(
        "uq_tickets_external_id",
        "tickets",
        ["company_id", "external_id"],
        unique=True,
        sqlite_where=sa.text("external_id <> ''"),
        postgresql_where=sa.text("external_id <> ''"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=40), server_default="", nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("said_by", sa.Text(), server_default="", nullable=False),
        sa.Column("field", sa.String(length=40), server_default="", nullable=False),
        sa.Column("from_value", sa.Text(), server_default="", nullable=False),
        sa.Column("to_value", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_events_company_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_events_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_ticket", "events", ["ticket_id", "created_at", "id"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("lane", sa.String(length=40), server_default="", nullable=False),
        sa.Column("kind", sa.String(length=40), server_default="", nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=True),
        sa.Column("payload", sa.Text(), server_default="{}", nullable=False),
        sa.Column("state", sa.String(length=40), server_default="waiting", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("run_at", sa.String(length=24), nullable=False),
        sa.Column("last_error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_jobs_company_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_jobs_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index("ix_jobs_due", "jobs", ["state", "lane", "run_at"], unique=False)
    op.create_table(
        "replies",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("ticket_id", sa.String(length=36), nullable=False),
        sa.Column("author_role", sa.String(length=40), server_default="agent", nullable=False),
        sa.Column("author_name", sa.Text(), server_default="", nullable=False),
        sa.Column("author_email", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("internal", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_replies_company_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_replies_ticket_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
    )
    op.create_index("ix_replies_ticket", "replies", ["ticket_id", "created_at", "id"], unique=False)
