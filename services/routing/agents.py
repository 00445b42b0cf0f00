"""Agents to assign tickets to: resolve a name, find the least busy agent, list them."""

from sqlalchemy import and_, func, or_

from core import models, normal_form
from core.errors import conflict, invalid_field
from database.tables import tickets, users
from storage import Row, UnitOfWork

_staff = and_(users.c.role.in_(("agent", "admin")), ~users.c.disabled)


def resolve(uow: UnitOfWork, name: str, *, field: str = "assigned_to") -> str:
    """Returns the value of assigned_to for the name that the caller sent in `field`.

    Any text is valid while the company has no agents. Otherwise the name must be an agent's e-mail or unique name, and the
    e-mail is returned. Raises AppError 400, with the same message for agents of other companies and unknown agents.
    """
    staff = uow.query(users).where(_staff)
    if not uow.count(staff):
        return normal_form.email(name) if "@" in name else name
    # lower() of a database may know ASCII letters only, so the name as it is written counts as well.
    by_name = or_(users.c.name == name, func.lower(users.c.name) == name.lower())
    matches = uow.find(staff.where(or_(users.c.email == normal_form.email(name), by_name)).limit(2))
    if len(matches) != 1:
        raise invalid_field(
            field, "No agent of your company matches. Send the e-mail address of an agent (see /api/lookups/agents)."
        )
    return str(matches[0]["email"])


def least_busy(uow: UnitOfWork, team: str) -> str:
    """As `find_least_busy`. Raises AppError 409 without agents."""
    agent = find_least_busy(uow, team)
    if not agent:
        raise conflict("no_agents", "No agent is available. Name one in agent_email.")
    return agent


def find_least_busy(uow: UnitOfWork, team: str) -> str:
    """The available agent with the fewest open tickets, of `team` if possible; "" when nobody is available."""
    available = uow.find(uow.query(users).where(_staff, users.c.available))
    candidates = [user for user in available if user["team"] == team] or available
    if not candidates:
        return ""
    load = dict(
        uow.aggregate(
            uow.query(tickets, tickets.c.assigned_to, func.count())
            .where(tickets.c.status.in_(models.OPEN))
            .group_by(tickets.c.assigned_to)
        )
    )
    return str(min(candidates, key=lambda user: (load.get(user["email"], 0), user["email"]))["email"])


def list_agents(uow: UnitOfWork) -> list[Row]:
    """Agents as [{"key", "label"}]; while the company has none, all names that tickets were assigned to."""
    staff = uow.find(uow.query(users).where(_staff).order_by(users.c.name, users.c.email))
    if staff:
        return [{"key": user["email"], "label": user["name"] or user["email"]} for user in staff]
    names = uow.query(tickets, tickets.c.assigned_to).where(tickets.c.assigned_to != "").distinct()
    return [{"key": row[0], "label": row[0]} for row in uow.aggregate(names.order_by(tickets.c.assigned_to).limit(200))]
