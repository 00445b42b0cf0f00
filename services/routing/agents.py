"""Who can be given a ticket: the agents of a company, and whoever is named while it has none."""

from sqlalchemy import and_, func, or_

from core import models
from core.errors import conflict, invalid_field
from database.tables import tickets, users
from storage import Row, UnitOfWork

_staff = and_(users.c.role.in_(("agent", "admin")), ~users.c.disabled)


def resolve(uow: UnitOfWork, name: str, *, field: str = "assigned_to") -> str:
    """The value of assigned_to for what a caller named in `field`.

    Any text while the company has no agents; else an agent's e-mail or unique name, given back as the e-mail. Raises
    AppError 400, in the same words for a foreign and an unknown agent.
    """
    staff = uow.query(users).where(_staff)
    if not uow.count(staff):
        return name.lower() if "@" in name else name
    # lower() of a database may know ASCII letters only, so the name as it is written counts as well.
    by_name = or_(users.c.name == name, func.lower(users.c.name) == name.lower())
    matches = uow.find(staff.where(or_(users.c.email == name.lower(), by_name)).limit(2))
    if len(matches) != 1:
        raise invalid_field(
            field, "This is not an agent here. Give the e-mail address of one (see /api/lookups/agents)."
        )
    return str(matches[0]["email"])


def least_busy(uow: UnitOfWork, team: str) -> str:
    """The available agent, of `team` if it has one, with the fewest open tickets. Raises AppError 409 without agents."""
    available = uow.find(uow.query(users).where(_staff, users.c.available))
    candidates = [user for user in available if user["team"] == team] or available
    if not candidates:
        raise conflict("no_agents", "There is no available agent to choose from. Name one with agent_email.")
    load = dict(
        uow.aggregate(
            uow.query(tickets, tickets.c.assigned_to, func.count())
            .where(tickets.c.status.in_(models.OPEN))
            .group_by(tickets.c.assigned_to)
        )
    )
    return str(min(candidates, key=lambda user: (load.get(user["email"], 0), user["email"]))["email"])


def list_agents(uow: UnitOfWork) -> list[Row]:
    """Agents as choices: the company's agents, or everybody who was ever assigned while it has none."""
    staff = uow.find(uow.query(users).where(_staff).order_by(users.c.name, users.c.email))
    if staff:
        return [{"key": user["email"], "label": user["name"] or user["email"]} for user in staff]
    names = uow.query(tickets, tickets.c.assigned_to).where(tickets.c.assigned_to != "").distinct()
    return [{"key": row[0], "label": row[0]} for row in uow.aggregate(names.order_by(tickets.c.assigned_to).limit(200))]
