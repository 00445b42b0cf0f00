"""Routing rules of a company: create, list, move, change and delete them. services/routing/matching.py tries them."""

from collections.abc import Callable, Sequence
from typing import Any

from ai.chat_sentences import LANGUAGE_CODES
from core import models
from core.errors import conflict, invalid_field, not_found
from core.models import LIMITS, RULE_FIELDS, label, shape
from database.tables import routing_rules as table
from services.clearing import pop_cleared
from services.history import Change, differences, record
from services.routing import plan, teams
from storage import Row, UnitOfWork

MOST_RULES = 1_000
MOST_CONDITIONS = 20
MOST_VALUES = 100  # of one condition, with commas between
MOST_VALUE = 1_000  # characters of the value of a condition
FIELDS = ("category", "topic", "tag", "word", "tier", "source", "language")
OPS = ("is", "is_not", "any_of", "none_of")
# The values of fields that have a fixed list of them.
CHOICES: dict[str, Sequence[str]] = {
    "category": models.CATEGORIES,
    "tier": models.TIERS,
    "source": models.SOURCES,
    "language": LANGUAGE_CODES,
}
CLEARABLE = {"name": "", "team": "", "priority": "", "tags": [], "conditions": []}
_AUDITED = ("position", "name", "team", "priority", "tags")
r = table.c


def rule_shape(uow: UnitOfWork, rule: Row) -> Row:
    """The public fields of a rule."""
    known = teams.names(uow)
    return _shape(rule, known)


def find(uow: UnitOfWork, *, limit: int, offset: int) -> tuple[list[Row], int]:
    """One page of the rules as they are shown, in their order, and the total."""
    known = teams.names(uow)
    page = uow.find(uow.query(table).order_by(r.position, r.id).limit(limit).offset(offset))
    return [_shape(rule, known) for rule in page], uow.count(uow.query(table))


def get(uow: UnitOfWork, rule_id: str) -> Row:
    """One rule. Raises AppError 404."""
    rule = uow.get(table, rule_id)
    if rule is None:
        raise not_found()
    return rule


def create(uow: UnitOfWork, fields: Row) -> Row:
    """Adds a rule at its position, the last one without. Raises AppError 400, 409."""
    plan.lock(uow)
    number = uow.count(uow.query(table))
    if number >= MOST_RULES:
        raise conflict("too_many_rules", f"A company may have at most {MOST_RULES:,} routing rules.")
    values = _checked(uow, {"name": "", "team": "", "priority": "", "tags": [], "conditions": [], **fields})
    position: int = min(fields.get("position") or number + 1, number + 1)
    uow.update_where(table, r.position >= position, position=r.position + 1)
    rule = uow.insert(table, {**values, "position": position, "created_at": uow.now, "updated_at": uow.now})
    record(uow, rule["id"], [Change("created", "rule", "", plan.rule_label(rule))], subject="routing_rule")
    plan.renew(uow)
    return rule


def update(uow: UnitOfWork, rule_id: str, fields: Row) -> Row:
    """Changes the given fields; a new position moves the rule, and the others close up. Raises AppError 400, 404."""
    plan.lock(uow)
    before = get(uow, rule_id)
    fields |= pop_cleared(fields, CLEARABLE)
    values = _checked(uow, {**before, "conditions": before["conditions"].get(plan.ALL, []), **fields})
    position: int = min(fields.get("position") or before["position"], uow.count(uow.query(table)))
    if position < before["position"]:
        uow.update_where(table, r.position >= position, r.position < before["position"], position=r.position + 1)
    elif position > before["position"]:
        uow.update_where(table, r.position > before["position"], r.position <= position, position=r.position - 1)
    after = uow.update(table, rule_id, {**values, "position": position, "updated_at": uow.now}) or before
    changed = differences("changed", before, after, _AUDITED)
    if before["conditions"] != after["conditions"]:
        changed.append(Change("changed", "conditions", _as_text(before), _as_text(after)))
    record(uow, rule_id, changed, subject="routing_rule")
    plan.renew(uow)
    return after


def remove(uow: UnitOfWork, rule_id: str) -> None:
    """Deletes a rule; those after it move up. Raises AppError 404."""
    plan.lock(uow)
    rule = get(uow, rule_id)
    uow.delete(table, r.id == rule_id)
    uow.update_where(table, r.position > rule["position"], position=r.position - 1)
    record(uow, rule_id, [Change("deleted", "rule", plan.rule_label(rule), "")], subject="routing_rule")
    plan.renew(uow)


def forget(uow: UnitOfWork, names: Callable[[list[Any]], bool]) -> None:
    """Deletes the rules whose texts name an erased person, as `names` says. The history keeps no word of them."""
    rows = uow.find(uow.query(table).order_by(r.position.desc()))
    rules_of_person = [row for row in rows if names([row["name"], row["conditions"], row["tags"]])]
    for rule in rules_of_person:
        uow.delete(table, r.id == rule["id"])
        uow.update_where(table, r.position > rule["position"], position=r.position - 1)
        record(uow, rule["id"], [Change("deleted", "rule")], subject="routing_rule")
    if rules_of_person:
        plan.renew(uow)


def move_in(uow: UnitOfWork, rows: Sequence[Row]) -> None:
    """Adds whole rows behind the company's rules, in the order of their positions. Nothing is recorded."""
    plan.lock(uow)
    number = uow.count(uow.query(table))
    ordered = sorted(rows, key=lambda row: (row["position"], row["id"]))
    uow.insert_many(table, [{**row, "position": place} for place, row in enumerate(ordered, number + 1)])
    plan.renew(uow)


def checked(uow: UnitOfWork, rule: Row) -> Row:
    """The values of a whole row, checked as those of a new rule. Raises AppError 400."""
    conditions = rule["conditions"].get(plan.ALL, [])
    names = {"field", "op", "value"}
    texts = isinstance(conditions, list) and all(
        isinstance(one, dict) and one.keys() == names and set(map(type, one.values())) == {str} for one in conditions
    )
    others = rule["conditions"].keys() - {plan.ALL}  # left out, they would make a rule that always holds
    if not texts or others or len(conditions) > MOST_CONDITIONS or any(one["op"] not in OPS for one in conditions):
        raise invalid_field(
            "conditions", 'conditions must be like {"all": [{"field": "tag", "op": "is", "value": "vip"}]}.'
        )
    if wrong := [one["field"] for one in conditions if one["field"] not in FIELDS]:
        raise invalid_field("conditions", f"There is no field {wrong[0][:40]} in conditions.")
    return {**rule, **_checked(uow, {**rule, "conditions": conditions})}


def _shape(rule: Row, known: dict[str, str]) -> Row:
    missing = bool(rule["team"]) and rule["team"] not in known
    problem = f"There is no team {rule['team']}, so this rule sets no team." if missing else ""
    shown = {**rule, "conditions": rule["conditions"].get(plan.ALL, []), "problem": problem}
    return shape(shown, RULE_FIELDS)


def _as_text(rule: Row) -> str:
    return "; ".join(f"{one['field']} {one['op']} {one['value']}" for one in rule["conditions"].get(plan.ALL, []))


def _checked(uow: UnitOfWork, rule: Row) -> Row:
    """The values of a rule as they are stored. Raises AppError 400."""
    team = teams.resolve(uow, rule["team"], field="team") if rule["team"] else ""
    if not (team or rule["priority"] or rule["tags"]):
        raise invalid_field("team", "A rule needs a team, a priority or tags to set.")
    conditions = [_condition(one, f"conditions[{place}]") for place, one in enumerate(rule["conditions"])]
    stored = {name: rule[name] for name in ("name", "priority", "tags")}
    return {**stored, "team": team, "conditions": {plan.ALL: conditions}}


def _condition(condition: Row, name: str) -> Row:
    """A condition with its value in the one form. Raises AppError 400."""
    field, op = condition["field"], condition["op"]
    parts = condition["value"].split(",") if op.endswith("_of") else [condition["value"]]
    values = [_value(field, part, f"{name}.value") for part in map(str.strip, parts) if part]
    if not 0 < len(values) <= MOST_VALUES:
        raise invalid_field(f"{name}.value", f"{name}.value must hold 1 to {MOST_VALUES} values with commas between.")
    return {"field": field, "op": op, "value": ", ".join(values)}


def _value(field: str, text: str, name: str) -> str:
    choices = CHOICES.get(field)
    if choices is not None:
        word = text.lower().replace(" ", "_").replace("-", "_")
        if word not in choices:
            raise invalid_field(name, f"{name} must be one of: {', '.join(choices)}.")
        return word
    if field == "word" and not plan.word_pattern(text):
        raise invalid_field(name, f"{name} must hold a letter or a digit.")
    if field in ("tag", "topic") and len(text) > LIMITS["tag"]:
        raise invalid_field(name, f"{label(field)}s have at most {LIMITS['tag']} characters.")
    return text
