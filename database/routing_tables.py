"""The tables of routing: teams and rules. database/tables.py has all tables.

Members of a team are the users whose `team` is its key.
"""

from sqlalchemy import Column, Index, Integer, Table

from database import column_types
from database.people_tables import metadata

# A company's own teams, and those of the built-in ones that it changed. The others have no row (services/routing/teams.py).
teams = Table(
    "teams",
    metadata,
    column_types.key(),
    column_types.company(),
    column_types.word("key"),
    column_types.text("name"),
    column_types.word("assignment", "off"),  # off or least_loaded
    column_types.moment("created_at", required=True),
    column_types.moment("updated_at", required=True),
    Index("uq_teams_key", "company_id", "key", unique=True),
)

# Rules in the order of `position`, from 1 without gaps; the first whose conditions all hold decides.
routing_rules = Table(
    "routing_rules",
    metadata,
    column_types.key(),
    column_types.company(),
    Column("position", Integer, nullable=False, server_default="1"),
    column_types.text("name"),
    Column("conditions", column_types.JsonText, nullable=False, server_default="{}"),  # {"all": [{field, op, value}]}
    column_types.word("team"),
    column_types.word("priority"),
    column_types.text_list("tags"),
    column_types.moment("created_at", required=True),
    column_types.moment("updated_at", required=True),
    Index("ix_routing_rules_position", "company_id", "position", "id"),
)
