"""Who can be given a ticket: the agents of a company, and whoever is named while it has none."""

from sqlalchemy import and_, func, or_

import models
import normal_form
from errors import conflict, invalid_field
from storage import Desk, Row
from tables import tickets, users

_staff = and_(users.c.role.in_(("agent", "admin")), ~users.c.disabled)


def resolve(desk: Desk, named: str, *, field: str = "assigned_to") -> str:
    """The value of assigned_to for what a caller named in `field`.

    Any text while the company has no agents; else an agent's e-mail or unique name, given back as the e-mail. Raises
    AppError 400, in the same words for a foreign and an unknown agent.
    """
    staff = desk.rows(users).where(_staff)
    if not desk.count(staff):
        return normal_form.email(named) if "@" in named else named
    # lower() of a database may know ASCII letters only, so the name as it is written counts as well.
    by_name = or_(users.c.name == named, func.lower(users.c.name) == named.lower())
    found = desk.find(staff.where(or_(users.c.email == normal_form.email(named), by_name)).limit(2))
    if len(found) != 1:
        raise invalid_field(
            field, "This is not an agent here. Give the e-mail address of one (see /api/lookups/agents)."
        )
    return str(found[0]["email"])


def least_busy(desk: Desk, team: str) -> str:
    """The available agent, of `team` if it has one, with the fewest open tickets. Raises AppError 409 without agents."""
    available = desk.find(desk.rows(users).where(_staff, users.c.available))
    candidates = [user for user in available if user["team"] == team] or available
    if not candidates:
        raise conflict("no_agents", "There is no available agent to choose from. Name one with agent_email.")
    load = dict(
        desk.aggregate(
            desk.rows(tickets, tickets.c.assigned_to, func.count())
            .where(tickets.c.status.in_(models.OPEN))
            .group_by(tickets.c.assigned_to)
        )
    )
    return str(min(candidates, key=lambda user: (load.get(user["email"], 0), user["email"]))["email"])


def known(desk: Desk) -> list[Row]:
    """Agents as choices: the company's agents, or everybody who was ever assigned while it has none."""
    staff = desk.find(desk.rows(users).where(_staff).order_by(users.c.name, users.c.email))
    if staff:
        return [{"key": user["email"], "label": user["name"] or user["email"]} for user in staff]
    names = desk.rows(tickets, tickets.c.assigned_to).where(tickets.c.assigned_to != "").distinct()
    return [
        {"key": row[0], "label": row[0]} for row in desk.aggregate(names.order_by(tickets.c.assigned_to).limit(200))
    ]
