"""The routing plan of a company: its rules ready to be tried, its teams, and which of them are assigned automatically.

A plan is kept in memory under the stamp in the company's row, which is new after each change. So a new ticket reads no rules
unless they changed, and every instance follows at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from uuid_utils import uuid7

from core.models import TEAMS
from database.search.words import fold, words_in_order
from database.tables import companies, routing_rules, teams
from storage import Row, UnitOfWork

MOST_PLANS = 200  # companies whose plan is kept
ALL = "all"  # the key of the list of conditions in the column


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a rule. `values` are in the form of Facts; `text` says it in plain words.

    Of words, `values` are single ones and `phrases` are what else may stand in the text of words.
    """

    field: str
    values: frozenset[str]
    phrases: tuple[str, ...]
    negated: bool
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that is ready to be tried. `label` names it in reasons: its name, else its position."""

    id: str
    label: str
    conditions: tuple[Condition, ...]
    team: str
    priority: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of a company in their order, the keys of its teams, and those that are assigned automatically."""

    rules: tuple[Rule, ...] = ()
    teams: frozenset[str] = frozenset(TEAMS)
    automatic: frozenset[str] = frozenset()
    uses: frozenset[str] = field(default=frozenset())  # the fields that conditions look at


NO_PLAN = Plan()
_plans: dict[str, Plan] = {}


def of_company(uow: UnitOfWork, company: Row) -> Plan:
    """The plan of the company whose row this is."""
    stamp = company["routing_stamp"]
    if not stamp:
        return NO_PLAN
    plan = _plans.get(stamp)
    if plan is None:
        if len(_plans) >= MOST_PLANS:
            _plans.clear()
        plan = _plans[stamp] = _load(uow.as_system())
    return plan


def current(uow: UnitOfWork) -> Plan:
    """The plan of the actor's company."""
    company = uow.get(companies, uow.actor.company_id)
    return of_company(uow, company) if company else NO_PLAN


def lock(uow: UnitOfWork) -> None:
    """Locks the company's row, so that changes of teams and rules follow one another."""
    uow.get(companies, uow.actor.company_id, lock=True)


def renew(uow: UnitOfWork) -> None:
    """Says that teams or rules have changed. The stamp is never used again, so a rolled-back change leaves nothing behind."""
    uow.update(companies, uow.actor.company_id, {"routing_stamp": str(uuid7())})


def rule_label(row: Mapping[str, Any]) -> str:
    """How reasons and messages name a rule."""
    return f'"{row["name"]}"' if row["name"] else f"number {row['position']}"


def _load(uow: UnitOfWork) -> Plan:
    team_rows = uow.find(uow.query(teams, teams.c.key, teams.c.assignment))
    order = (routing_rules.c.position, routing_rules.c.id)
    rules = tuple(_rule(row) for row in uow.find(uow.query(routing_rules).order_by(*order)))
    return Plan(
        rules,
        frozenset((*TEAMS, *(row["key"] for row in team_rows))),
        frozenset(row["key"] for row in team_rows if row["assignment"] == "least_loaded"),
        frozenset(condition.field for rule in rules for condition in rule.conditions),
    )


def _rule(row: Row) -> Rule:
    conditions = tuple(map(_condition, row["conditions"].get(ALL, [])))
    return Rule(row["id"], rule_label(row), conditions, row["team"], row["priority"], tuple(row["tags"]))


def _condition(stored: Row) -> Condition:
    values = (
        [part.strip() for part in stored["value"].split(",")] if stored["op"].endswith("_of") else [stored["value"]]
    )
    values = [value for value in values if value]
    negated = stored["op"] in ("is_not", "none_of")
    is_word = stored["field"] == "word"
    forms = [form for form in map(word_pattern if is_word else comparable, values) if form]
    phrases = tuple(form for form in forms if is_word and not _is_one_word(form))
    quoted = " or ".join(f'"{value}"' for value in values[:5]) + (" or …" if len(values) > 5 else "")
    text = f"{stored['field']} is {'not ' if negated else ''}{quoted}"
    single = frozenset(form.strip() for form in forms if form not in phrases)
    return Condition(stored["field"], single, phrases, negated, text)


def _is_one_word(pattern: str) -> bool:
    return pattern.endswith(" ") and " " not in pattern.strip()


def comparable(text: str) -> str:
    """A value as it is compared: without case, accents of compatible letters and outer spaces."""
    return fold(text).strip().casefold()


def word_pattern(text: str) -> str:
    """What stands in `word_text` of every text that holds this word, or these words in a row; "" when it has no word.

    Chinese and Japanese are cut into overlapping pairs, of which the last sign stands alone only where the run ends.
    """
    words = words_in_order(text)
    if len(words) > 1 and len(words[-1]) == 1 and len(words[-2]) == 2 and words[-2].endswith(words[-1]):
        words.pop()
    if not words:
        return ""
    is_part = len(words[-1]) == 1 and not words[-1].isascii()
    return f" {' '.join(words)}{'' if is_part else ' '}"


def word_text(*texts: str) -> str:
    """The words of texts, folded as a search folds them, with one space around each."""
    return f" {' '.join(words_in_order(' '.join(texts)))} "
