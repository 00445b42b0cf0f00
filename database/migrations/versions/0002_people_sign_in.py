"""People sign in; keys and addresses count wrong tries; what happened is one table for tickets and everything else."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _companies()
    _people()
    _sessions()
    _keys()
    _events()
    op.create_index("ix_jobs_ticket", "jobs", ["ticket_id"])
    op.add_column("tickets", sa.Column("erased_at", sa.String(length=24), nullable=True))


def _companies() -> None:
    op.add_column("companies", sa.Column("name_key", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE companies SET name_key = lower(name)")
    given = sa.text("name_key <> ''")
    op.create_index(
        "uq_companies_name_key", "companies", ["name_key"], unique=True, sqlite_where=given, postgresql_where=given
    )


def _people() -> None:
    with op.batch_alter_table("users") as users:
        users.drop_constraint("uq_users_company_id_email", type_="unique")
        users.add_column(sa.Column("disabled", sa.Boolean(), server_default=sa.false(), nullable=False))
        users.add_column(sa.Column("password_hash", sa.Text(), server_default="", nullable=False))
        users.add_column(sa.Column("identity", sa.Text(), server_default="", nullable=False))
    for column in ("email", "identity"):
        given = sa.text(f"{column} <> ''")
        op.create_index(
            f"uq_users_{column}", "users", [column], unique=True, sqlite_where=given, postgresql_where=given
        )
    op.create_index("ix_users_company", "users", ["company_id", "email"])


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("company_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="1", nullable=False),
        sa.Column("rotated_at", sa.String(length=24), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["company_id"], ["companies.id"], name=op.f("fk_sessions_company_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index("ix_sessions_user", "sessions", ["user_id"])
    op.create_table(
        "sign_in_tries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries_until", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_tries")),
    )


def _keys() -> None:
    op.add_column("api_keys", sa.Column("tries", sa.Integer(), server_default="0", nullable=False))
    op.add_column("api_keys", sa.Column("tries_until", sa.String(length=24), nullable=True))
    op.create_index("ix_api_keys_prefix", "api_keys", ["prefix"])


def _events() -> None:
    op.drop_index("ix_events_ticket", "events")
    with op.batch_alter_table("events") as events:
        events.drop_constraint("fk_events_ticket_id", type_="foreignkey")
        events.alter_column("ticket_id", new_column_name="subject_id", type_=sa.Text(), server_default="")
        events.add_column(sa.Column("subject", sa.String(length=40), server_default="ticket", nullable=False))
        events.add_column(sa.Column("through", sa.Text(), server_default="", nullable=False))
        events.add_column(sa.Column("address", sa.Text(), server_default="", nullable=False))
    op.create_index("ix_events_subject", "events", ["subject_id", "created_at", "id"])
    op.create_index("ix_events_company", "events", ["company_id", "created_at", "id"])
