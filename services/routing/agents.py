"""Agents to assign tickets to: resolve a name, list them, and find the one who is free for a ticket."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, or_

from core import models, normal_form, timestamps
from core.errors import conflict, invalid_field
from database.tables import tallies, tickets, users
from services import settings
from services.accounts.staff import AT_WORK
from services.prepared_statements import prepared, text
from services.sla import targets
from storage import Row, UnitOfWork

ASSIGNED_TO = "assigned to "  # how the reason of an automatic assignment begins


def resolve(uow: UnitOfWork, name: str, *, field: str = "assigned_to") -> str:
    """Returns the value of assigned_to for the name that the caller sent in `field`.

    Any text is valid while the company has no agents. Otherwise the name must be an agent's e-mail or unique name, and the
    e-mail is returned. Raises AppError 400, with the same message for agents of other companies and unknown agents.
    """
    email = normal_form.email(name)
    matches = uow.find(_named(uow), email_=email, name_=name, lower_=name.lower())
    if len(matches) == 1:
        return str(matches[0]["email"])
    if matches or has_agents(uow):
        raise invalid_field(
            field, "No agent of your company matches. Send the e-mail address of an agent (see /api/lookups/agents)."
        )
    return email if "@" in name else name


def _named(uow: UnitOfWork) -> Select[Any]:
    """The SELECT of two agents with that address or name."""

    def build() -> Select[Any]:
        # lower() of a database may know ASCII letters only, so the name as it is written counts as well.
        by_name = or_(users.c.name == text("name_"), func.lower(users.c.name) == text("lower_"))
        return uow.query(users, users.c.email).where(AT_WORK, or_(users.c.email == text("email_"), by_name)).limit(2)

    return prepared(uow, "agents by name", build)


def has_agents(uow: UnitOfWork) -> bool:
    """Whether anybody is an agent of the company."""
    one = prepared(uow, "an agent", lambda: uow.query(users, users.c.id).where(AT_WORK).limit(1))
    return bool(uow.find(one))


def is_agent(uow: UnitOfWork, email: str) -> bool:
    """Whether an agent of the company has that address."""
    return bool(email) and bool(uow.count(uow.query(users).where(AT_WORK, users.c.email == email)))


def has_left(uow: UnitOfWork, name: str) -> bool:
    """Whether a ticket's agent is none any more. While a company has no agents, any name is one."""
    system = uow.as_system()  # a customer sees no agents
    return bool(name) and not is_agent(system, name) and has_agents(system)


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent chosen for a ticket, and why in plain words."""

    email: str
    reason: str


class Pool:
    """The agents who are available, with their open work, as one unit of work sees them.

    The unit of work must see the whole company. In a writing one nobody else assigns meanwhile, so capacity holds.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        u, company_settings = users.c, settings.current(uow)
        self.opens_again = targets.opens_again(company_settings, timestamps.moment(uow.real_now))
        people = uow.query(users, u.email, u.team, u.capacity, u.last_assigned_at).where(
            AT_WORK, u.available, u.email != ""
        )
        self._people = [] if self.opens_again else uow.find(people)
        self._open = _open_work(uow, [person["email"] for person in self._people])
        self._teams = set() if self.opens_again else _teams_with_members(uow)

    def choose(self, team: str, *, helpers: bool = True, exclude: Collection[str] = ()) -> Choice | None:
        """The free agent with the least open work, of those the one idle for longest; None when nobody is free.

        Members of the team come first. Others are asked with `helpers`, and where the team has no members.
        """
        free = [person for person in self._people if self._has_room(person) and person["email"] not in exclude]
        members = [person for person in free if person["team"] == team]
        candidates = members or (free if helpers or team not in self._teams else [])
        if not candidates:
            return None
        best = min(
            candidates, key=lambda person: (self._load(person), person["last_assigned_at"] or "", person["email"])
        )
        where = f"team {team}" if members else "all teams"
        return Choice(best["email"], f"{ASSIGNED_TO}{best['email']}: least open work ({self._load(best)}) in {where}")

    def note(self, email: str) -> None:
        """Counts a ticket that this agent got."""
        self._open[email] = self._open.get(email, 0) + 1
        for person in self._people:
            if person["email"] == email:
                person["last_assigned_at"] = self._uow.now

    def _load(self, person: Row) -> int:
        return self._open.get(person["email"], 0)

    def _has_room(self, person: Row) -> bool:
        return person["capacity"] is None or self._load(person) < person["capacity"]


def _open_work(uow: UnitOfWork, emails: list[str]) -> dict[str, int]:
    """The number of open tickets of each agent, from the counters that the database maintains."""
    c = tallies.c
    of_agents = (c.kind == "agent", c.a.in_(emails), c.b.in_(models.OPEN))
    rows = uow.aggregate(uow.query(tallies, c.a, func.sum(c.number)).where(*of_agents).group_by(c.a)) if emails else []
    return {email: int(number) for email, number in rows}


def _teams_with_members(uow: UnitOfWork) -> set[str]:
    return {
        row[0] for row in uow.aggregate(uow.query(users, users.c.team).where(AT_WORK, users.c.team != "").distinct())
    }


def with_reason(reasons: list[str], reason: str) -> list[str]:
    """The reasons with that of an automatic assignment, in the place of an earlier one."""
    return [*(one for one in reasons if not one.startswith(ASSIGNED_TO)), reason]


def note_assigned(uow: UnitOfWork, email: str) -> None:
    """Notes when an agent last got a ticket, by which the one who is idle for longest is found."""
    for user_id in uow.ids_by(users, "email", email):
        uow.update(users, user_id, {"last_assigned_at": uow.now})


def choose(uow: UnitOfWork, team: str) -> Choice:
    """The free agent for a ticket of that team. Raises AppError 409 when nobody is free."""
    pool = Pool(uow.as_system())
    choice = pool.choose(team)
    if choice is None and pool.opens_again:
        raise conflict(
            "no_agents", f"You are closed now and open again on {pool.opens_again}. Name an agent in agent_email."
        )
    if choice is None:
        raise conflict("no_agents", "No agent is free: available, and below capacity. Name one in agent_email.")
    return choice


def find_free(uow: UnitOfWork, team: str) -> str:
    """The free agent for a ticket of that team, "" when nobody is free."""
    choice = Pool(uow.as_system()).choose(team)
    return choice.email if choice else ""


def list_agents(uow: UnitOfWork) -> list[Row]:
    """Agents as [{"key", "label"}]; while the company has none, all names that tickets were assigned to."""
    staff = uow.find(uow.query(users).where(AT_WORK).order_by(users.c.name, users.c.email))
    if staff:
        return [{"key": user["email"], "label": user["name"] or user["email"]} for user in staff]
    names = uow.query(tickets, tickets.c.assigned_to).where(tickets.c.assigned_to != "").distinct()
    return [{"key": row[0], "label": row[0]} for row in uow.aggregate(names.order_by(tickets.c.assigned_to).limit(200))]
