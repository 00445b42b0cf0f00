"""The tables of companies and people: users, sessions, keys and customers. database/tables.py has all tables.

It also makes the metadata that every table belongs to.
"""

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text, false, true

from database import column_types

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
    column_types.key(),
    Column("name", Text, nullable=False, unique=True),
    # How the name reads and how it looks (core/company_names.py); a company from before may have no key of its look.
    column_types.text("name_key"),
    column_types.text("look_key"),
    Column("last_number", Integer, nullable=False, server_default="0"),
    Column("settings", column_types.JsonText, nullable=False, server_default="{}"),
    # When its first admin's address was confirmed. Until then the company mails only its own admins.
    column_types.moment("confirmed_at"),
    # Whether people of the OpenID Connect issuer may belong to it, which only the operator says.
    Column("oidc_allowed", Boolean, nullable=False, server_default=false()),
    # Whether it may claim addresses that mail comes in at, which only the operator says.
    Column("inbound_allowed", Boolean, nullable=False, server_default=false()),
    # New with each change of teams or routing rules, "" while there are none (services/routing/plan.py).
    column_types.text("routing_stamp"),
    column_types.text("guest_stamp"),  # new when guests of the chat are switched off: their earlier tokens are over
    column_types.text("transfer_salt"),  # from which imports derive ids (services/transfers/new_ids.py)
    column_types.moment("digest_at"),  # when the last digest of urgent tickets was made, by the real clock
    column_types.moment("created_at", required=True),
    column_types.unique_when_set("uq_companies_name_key", "name_key", of_company=False),
    column_types.unique_when_set("uq_companies_look_key", "look_key", of_company=False),
)

users = Table(
    "users",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("email"),
    column_types.text("name"),
    column_types.word("role", "agent"),
    column_types.word("team"),
    Column("available", Boolean, nullable=False, server_default=true()),
    Column("capacity", Integer),  # open tickets up to which tickets are assigned automatically; NULL is unlimited
    column_types.moment("last_assigned_at"),  # when a ticket was last assigned to them
    Column("disabled", Boolean, nullable=False, server_default=false()),
    column_types.text("password_hash"),
    column_types.text("identity"),
    # Whether they sign in with a second factor too; the table second_factors has it.
    Column("second_factor", Boolean, nullable=False, server_default=false()),
    column_types.text_list("notices_off"),  # kinds of notices that they ended
    column_types.moment("invited_at"),  # when they were invited; NULL once they accepted, and for everybody else
    column_types.moment("created_at", required=True),
    column_types.unique_when_set("uq_users_email", "email"),
    column_types.unique_when_set("uq_users_identity", "identity"),
    Index("ix_users_company", "company_id", "email"),
    Index("ix_users_email", "email"),
)

sessions = Table(
    "sessions",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.user(),
    Column("generation", Integer, nullable=False, server_default="1"),
    column_types.moment("rotated_at", required=True),
    column_types.moment("expires_at", required=True),
    Column("remember", Boolean, nullable=False, server_default=false()),  # stays signed in for longer
    column_types.text("device"),  # browser and system, in a few words
    column_types.moment("created_at", required=True),
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
    column_types.moment("tries_until"),
    Index("ix_sign_in_tries_account", "account"),
)

# Whom an admin erased. The id is a mark of the address or customer id (auth/erasure_marks.py), which tells nothing about it.
erased_people = Table(
    "erased_people",
    metadata,
    Column("id", String(64), primary_key=True),
    column_types.company(),
    column_types.moment("created_at", required=True),
)

api_keys = Table(
    "api_keys",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("name"),
    column_types.word("prefix"),
    Column("key_hash", String(64), nullable=False, unique=True),
    column_types.word("role", "admin"),
    column_types.text_list("scopes"),
    column_types.moment("expires_at"),
    column_types.moment("last_used_at"),
    column_types.moment("created_at", required=True),
)

customers = Table(
    "customers",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.text("email"),
    column_types.text("customer_id"),
    column_types.text("name"),
    column_types.word("tier", "standard"),
    column_types.moment("created_at", required=True),
    column_types.unique_when_set("uq_customers_email", "email"),
    column_types.unique_when_set("uq_customers_customer_id", "customer_id"),
)
