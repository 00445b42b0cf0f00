"""E-mail addresses and identities are unique in a company; wrong tries are counted by place, and no longer at keys."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _users()
    _tries()
    op.drop_index("ix_api_keys_prefix", "api_keys")
    with op.batch_alter_table("api_keys") as keys:
        keys.drop_column("tries")
        keys.drop_column("tries_until")


def _users() -> None:
    for column in ("email", "identity"):
        op.drop_index(f"uq_users_{column}", "users")
    # An identity began with the name of its company, as it was unique among all.
    op.execute(
        "UPDATE users SET identity = substr(identity, "
        "(SELECT length(companies.name_key) + 2 FROM companies WHERE companies.id = users.company_id)) "
        "WHERE identity <> ''"
    )
    for column in ("email", "identity"):
        filled = sa.text(f"{column} <> ''")
        op.create_index(
            f"uq_users_{column}",
            "users",
            ["company_id", column],
            unique=True,
            sqlite_where=filled,
            postgresql_where=filled,
        )
    op.create_index("ix_users_email", "users", ["email"])


def _tries() -> None:
    op.drop_table("sign_in_tries")  # none of them would have counted for more than a quarter of an hour
    op.create_table(
        "sign_in_tries",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries_until", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_tries")),
    )
    op.create_index("ix_sign_in_tries_account", "sign_in_tries", ["account"])
