"""Teams of a company: the built-in ones, which every company has, and its own. Members are the users whose `team` is its key.

A built-in team has a row only once it was changed. Its id follows from the company and its key.
"""

import re
import uuid
from collections.abc import Sequence

from core import models, normal_form
from core.errors import AppError, conflict, invalid_field, not_found
from core.models import OPEN, TEAM_FIELDS, TEAM_OF, TEAMS, label, shape
from database.search.words import fold, words_in_order
from database.tables import companies, routing_rules, tickets, users
from database.tables import teams as table
from services.accounts import staff
from services.history import Change, differences, record
from services.routing import plan
from storage import Row, UnitOfWork

MOST_TEAMS = 200
MOST_MEMBERS = 500
MOST_KEY = 40
_KEY = re.compile(f"[a-z][a-z0-9_]{{0,{MOST_KEY - 1}}}")
_STAFF = users.c.role.in_(staff.ROLES)  # a disabled user stays a member
_ID_OF_BUILT_IN = uuid.UUID("5b1a4f0e-6f0c-4d0e-9d53-1f6f2f0a7c11")


def find(uow: UnitOfWork) -> list[Row]:
    """Every team of the company with its members: the built-in ones first, then its own by name."""
    rows = {row["key"]: row for row in uow.find(uow.query(table).order_by(table.c.name, table.c.key))}
    company = uow.get(companies, uow.actor.company_id) or {"created_at": uow.now}
    built_in = [rows.pop(key, {}) or _built_in(uow, key, company["created_at"]) for key in TEAMS]
    members = _members(uow)
    return [_with_members(row, members.get(row["key"], [])) for row in (*built_in, *rows.values())]


def get(uow: UnitOfWork, team_id: str) -> Row:
    """One team with its members. Raises AppError 404."""
    team = next((team for team in find(uow) if team["id"] == team_id), None)
    if team is None:
        raise not_found()
    return team


def team_shape(team: Row) -> Row:
    """The public fields of a team."""
    return shape(team, TEAM_FIELDS)


def create(uow: UnitOfWork, fields: Row) -> Row:
    """Adds a team. Without a key it gets one made of its name. Raises AppError 400, 409 when key or name is taken."""
    existing = find(uow)
    if len(existing) >= MOST_TEAMS:
        raise conflict("too_many_teams", f"A company may have at most {MOST_TEAMS} teams.")
    key = _key(fields["key"] if fields.get("key") else _word(fields["name"]), fields)
    _check_free(existing, key, fields["name"])
    members = _resolve_members(uow, fields.get("members", []))
    row = {"key": key, "name": fields["name"], "assignment": fields.get("assignment", "off")}
    team = uow.insert(table, {**row, "created_at": uow.now, "updated_at": uow.now})
    record(uow, team["id"], [Change("created", "name", "", team["name"])], subject="team")
    _set_members(uow, team, members)
    plan.renew(uow)
    return get(uow, team["id"])


def update(uow: UnitOfWork, team_id: str, fields: Row) -> Row:
    """Changes name, members and assignment. The members that are given are all there are. Raises AppError 400, 404, 409."""
    plan.lock(uow)
    before = get(uow, team_id)
    if "name" in fields:
        _check_free([team for team in find(uow) if team["id"] != team_id], "", fields["name"])
    members = _resolve_members(uow, fields["members"]) if "members" in fields else None
    values: Row = {name: fields[name] for name in ("name", "assignment") if name in fields}
    if uow.update(table, team_id, {**values, "updated_at": uow.now}) is None:
        stored = {name: before[name] for name in ("id", "key", "name", "assignment", "created_at")}
        uow.insert(table, {**stored, **values, "updated_at": uow.now})
    after = {**before, **values}
    record(uow, team_id, differences("changed", before, after, ("name", "assignment")), subject="team")
    if members is not None:
        _set_members(uow, after, members)
    plan.renew(uow)
    return get(uow, team_id)


def remove(uow: UnitOfWork, team_id: str) -> None:
    """Deletes a team; its members belong to none. Raises AppError 404, and 409 while anything still leads to the team."""
    plan.lock(uow)
    team = get(uow, team_id)
    if reason := _still_used(uow, team):
        raise conflict("team_in_use", reason)
    uow.update_where(users, users.c.team == team["key"], team="")
    uow.delete(table, table.c.id == team_id)
    record(uow, team_id, [Change("deleted", "name", team["name"], "")], subject="team")
    plan.renew(uow)


def names(uow: UnitOfWork) -> dict[str, str]:
    """The name of each team of the actor's company by its key, the built-in ones first; customers may know them too."""
    system = uow.as_system()
    changed = {row["key"]: row["name"] for row in system.find(system.query(table).order_by(table.c.name, table.c.key))}
    return {key: label(key) for key in TEAMS} | changed


def resolve(uow: UnitOfWork, text: str, *, field: str, of_past: bool = False) -> str:
    """The key of the team that a key or name says. With `of_past` also one that tickets still have.

    Raises AppError 400 with the teams there are.
    """
    if text in TEAMS:
        return text
    known = names(uow)
    word = _word(text)
    by_name = [key for key, name in known.items() if _word(name) == word]
    if word in known or by_name:
        return word if word in known else by_name[0]
    if of_past and uow.count(uow.query(tickets, tickets.c.id).where(tickets.c.assigned_team == word).limit(1)):
        return word
    raise _unknown(known, field)


def _unknown(known: dict[str, str], field: str) -> AppError:
    choices = ", ".join(list(known)[:20]) + (", …" if len(known) > 20 else "")
    return invalid_field(field, f"{field} must be one of your teams: {choices}.")


def _word(text: str) -> str:
    """A text in the form of a key: `Technical support` is technical_support."""
    return "_".join(words_in_order(text))[:MOST_KEY].rstrip("_") or text


def _key(text: str, fields: Row) -> str:
    key = fold(text).strip().lower().replace(" ", "_").replace("-", "_")
    if _KEY.fullmatch(key):
        key = _word(key)  # a team is found by this form of what names it, so `a__b_` is a_b
    else:
        message = f"key must be a letter and then letters a to z, digits and _, at most {MOST_KEY}, like night_shift."
        raise invalid_field("key", message if fields.get("key") else f"This name makes no key. {message}")
    return key


def _check_free(others: Sequence[Row], key: str, name: str) -> None:
    if any(team["key"] == key for team in others):
        raise conflict("team_exists", f"There is a team with the key {key} already.")
    word = _word(name)
    if any(word in (team["key"], _word(team["name"])) for team in others):
        raise conflict("team_exists", "There is a team of this name already.")


def _still_used(uow: UnitOfWork, team: Row) -> str:
    """What still leads to the team, as a sentence; "" when nothing does."""
    key = team["key"]
    if key in TEAMS:
        category = next(category for category, built_in in TEAM_OF.items() if built_in == key)
        return f"This team is built in: tickets of the category {category} go to it. Rename it instead."
    r = routing_rules.c
    rules = uow.find(uow.query(routing_rules, r.position, r.name).where(r.team == key).order_by(r.position))
    if rules:
        listed = ", ".join(plan.rule_label(rule) for rule in rules[:5]) + (", …" if len(rules) > 5 else "")
        return _short(f"Routing rules name this team: {listed}. Change or delete them first.")
    company = uow.get(companies, uow.actor.company_id) or {"settings": {}}
    topics = [row["topic"] for row in company["settings"].get("topic_teams", []) if row["team"] == key]
    if topics:
        return _short(f"The setting topic_teams names this team: {', '.join(topics[:5])}. Change it first.")
    waiting = uow.count(uow.query(tickets).where(tickets.c.assigned_team == key, tickets.c.status.in_(OPEN)))
    if waiting:
        return f"{waiting} open {'ticket belongs' if waiting == 1 else 'tickets belong'} to this team. Move them first."
    return ""


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= models.LIMITS["message"] else f"{sentence[: models.LIMITS['message'] - 1]}…"


def id_of_built_in(company_id: str, key: str) -> str:
    """The id of a built-in team of a company."""
    return str(uuid.uuid5(_ID_OF_BUILT_IN, f"{company_id}/{key}"))


def is_key(text: str) -> bool:
    """Whether a text is the key of a team, in its one form."""
    return bool(_KEY.fullmatch(text)) and _word(text) == text


def _built_in(uow: UnitOfWork, key: str, created_at: str) -> Row:
    team_id = id_of_built_in(uow.actor.company_id, key)
    times = {"created_at": created_at, "updated_at": created_at}
    return {"id": team_id, "key": key, "name": label(key), "assignment": "off", **times}


def _with_members(team: Row, members: list[str]) -> Row:
    return {**team, "members": members, "built_in": team["key"] in TEAMS}


def _members(uow: UnitOfWork) -> dict[str, list[str]]:
    """The members of each team, by the key of the team: e-mail addresses, ids where there is none."""
    u = users.c
    staff = uow.find(uow.query(users, u.id, u.email, u.team).where(u.team != "", _STAFF).order_by(u.email, u.id))
    members: dict[str, list[str]] = {}
    for user in staff:
        members.setdefault(user["team"], []).append(user["email"] or user["id"])
    return members


def _resolve_members(uow: UnitOfWork, named: Sequence[str]) -> list[Row]:
    """The users that e-mail addresses, ids and unique names say. Raises AppError 400."""
    u = users.c
    staff = uow.find(uow.query(users, u.id, u.email, u.name, u.team).where(_STAFF)) if named else []
    members_by_id: dict[str, Row] = {}
    for place, text in enumerate(named):
        word = text.lower()
        keys = (text, normal_form.email(text) if "@" in text else word)
        matches = [user for user in staff if {user["id"], user["email"]} & set(keys)] or [
            user for user in staff if user["name"].lower() == word
        ]
        if len(matches) != 1:
            message = "Send the e-mail address of an agent or admin of your company (see /api/lookups/agents)."
            raise invalid_field(f"members[{place}]", message)
        members_by_id[matches[0]["id"]] = matches[0]
    return list(members_by_id.values())


def _set_members(uow: UnitOfWork, team: Row, members: Sequence[Row]) -> None:
    """Makes these users the members. Whoever was in another team leaves that one."""
    ids = {member["id"] for member in members}
    u = users.c
    leavers = uow.find(uow.query(users, u.id, u.email, u.team).where(u.team == team["key"], u.id.not_in(ids)))
    joiners = [member for member in members if member["team"] != team["key"]]
    for rows, key in ((leavers, ""), (joiners, team["key"])):
        for row in rows:
            uow.update(users, row["id"], {"team": key})
            record(uow, row["id"], [Change("user_changed", "team", row["team"], key)], subject="user")
