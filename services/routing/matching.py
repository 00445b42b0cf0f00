"""Tries the routing rules of a company on a ticket, and says in plain words what they decide and why. Nothing is stored.

Regular expressions play no part: words are folded as a search folds them, other values are compared without case.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from ai.chat_sentences import OTHER, language_of
from ai.triage.rules import Triage
from core.models import LIMITS, PRIORITY_RANK, TEAM_OF
from services.routing.plan import Condition, Plan, Rule, comparable, word_text
from storage import Row

MOST_IN_REASON = 5  # conditions of a rule that a reason tells


@dataclass
class Facts:
    """What conditions look at. The words and the language of the text are found only when a condition asks for them."""

    title: str
    description: str
    category: str
    topic: str
    tags: Collection[str]
    tier: str
    source: str

    @cached_property
    def text(self) -> str:
        """Every word of title and description, folded, in order."""
        return word_text(self.title, self.description)

    @cached_property
    def words(self) -> frozenset[str]:
        """The distinct words of the text."""
        return frozenset(self.text.split())

    @cached_property
    def language(self) -> str:
        """The code of the language, `other` for one that is not known."""
        language = language_of(f"{self.title} {self.description}")
        return language.code if language else OTHER

    def meets(self, condition: Condition) -> bool:
        """Whether the condition holds."""
        return self._has(condition) is not condition.negated

    def _has(self, condition: Condition) -> bool:
        if condition.field == "word":
            return not condition.values.isdisjoint(self.words) or any(
                phrase in self.text for phrase in condition.phrases
            )
        if condition.field == "tag":
            return not condition.values.isdisjoint(map(comparable, self.tags))
        return comparable(getattr(self, condition.field)) in condition.values


@dataclass(frozen=True, slots=True)
class Decision:
    """What routing decides: the team, the priority, and the tags to add, each with a reason; and the rule, None without one."""

    team: str
    priority: str
    tags: tuple[str, ...]
    rule: Rule | None
    reasons: tuple[str, ...]


def facts_of(ticket: Row, triage: Row) -> Facts:
    """The facts of a ticket with these fields of its triage."""
    return Facts(
        title=ticket["title"],
        description=ticket["description"],
        category=triage["category"],
        topic=triage.get("topic") or ticket.get("topic") or "",
        tags=ticket.get("tags", []),
        tier=ticket["customer_tier"],
        source=ticket.get("source", "api"),
    )


def first_match(plan: Plan, facts: Facts) -> Rule | None:
    """The first rule whose conditions all hold."""
    return next((rule for rule in plan.rules if all(map(facts.meets, rule.conditions))), None)


def decide(
    plan: Plan,
    facts: Facts,
    triage: Row,
    *,
    risk: str = "",
    topic_tag: str = "",
    human: Collection[str] = (),
    suggested: Collection[str] = (),
) -> Decision:
    """What the rules make of a ticket whose triage has these fields; the fields `human` were set by a person and stay.

    A rule never lowers the priority that a named `risk` gave. `topic_tag` is the reason why the topic becomes a tag, "" when
    it does not. Tags that were `suggested` for this ticket before are not suggested again.
    """
    rule = first_match(plan, facts)
    why = f"rule {rule.label}{_because(rule)}" if rule else ""
    team, of_team = _team(plan, rule, triage, why) if "assigned_team" not in human else (triage["assigned_team"], [])
    priority, of_priority = (
        _priority(rule, triage["priority"], why, risk) if rule and "priority" not in human else (triage["priority"], [])
    )
    candidates = [(facts.topic, topic_tag)] if topic_tag else []
    tags, of_tags = _tags([*candidates, *((tag, why) for tag in (rule.tags if rule else ()))], facts.tags, suggested)
    return Decision(team, priority, tags, rule, (*of_team, *of_priority, *of_tags))


def _team(plan: Plan, rule: Rule | None, triage: Row, why: str) -> tuple[str, list[str]]:
    """The team and its reasons. A team that was deleted after a rule or training named it counts for nothing."""
    team, reasons = triage["assigned_team"], []
    if rule and rule.team in plan.teams:
        return rule.team, [f"team {rule.team}: {why}"]
    if team not in plan.teams:
        reasons.append(f"team {TEAM_OF[triage['category']]}: there is no team {team} any more")
        team = TEAM_OF[triage["category"]]
    if rule and rule.team:
        reasons.append(f"team {team}: rule {rule.label} names the team {rule.team}, which does not exist")
    return team, reasons


def _priority(rule: Rule, priority: str, why: str, risk: str) -> tuple[str, list[str]]:
    if not rule.priority:
        return priority, []
    if risk and PRIORITY_RANK[rule.priority] < PRIORITY_RANK[priority]:
        return priority, [f"priority {priority}: {why} sets {rule.priority}, which does not count for a risk ({risk})"]
    return rule.priority, [f"priority {rule.priority}: {why}"]


def _tags(
    candidates: Sequence[tuple[str, str]], present: Collection[str], suggested: Collection[str]
) -> tuple[tuple[str, ...], list[str]]:
    """The tags to add, and the reason of each."""
    forms = {comparable(tag) for tag in (*present, *suggested)}
    reasons: dict[str, str] = {}
    for tag, why in candidates:
        if comparable(tag) not in forms:
            reasons[tag] = why
            forms.add(comparable(tag))
    tags = list(reasons)
    room = max(0, LIMITS["tags"] - len(present))
    texts = [f"tag {tag}: {reasons[tag]}" for tag in tags[:room]]
    return tuple(tags[:room]), texts + [
        f"tag {tag} not set: a ticket has at most {LIMITS['tags']}" for tag in tags[room:]
    ]


def topic_reason(triage: Triage) -> str:
    """Why the topic becomes a tag; "" where it is not sure."""
    return f'the topic "{triage.topic}" ({triage.topic_confidence:.0%} sure)' if triage.topic_sure else ""


def _because(rule: Rule) -> str:
    texts = [condition.text for condition in rule.conditions[:MOST_IN_REASON]]
    more = ["…"] if len(rule.conditions) > MOST_IN_REASON else []
    return f" ({', '.join(texts + more) or 'it has no conditions'})"


def apply(
    plan: Plan, ticket: Row, triage: Triage, values: Row, *, human: Collection[str] = (), tag_topics: bool = False
) -> Row:
    """The fields `values` of a triage as routing changes them; what a person set (`human`) stays.

    A tag is added once for each ticket: one that was taken off does not come back.
    """
    topic_tag = topic_reason(triage) if tag_topics else ""
    if not plan.rules and not topic_tag and values["assigned_team"] in plan.teams:
        return values
    suggested = ticket.get("suggested_tags", [])
    decision = decide(
        plan,
        facts_of(ticket, values),
        values,
        risk=triage.risk,
        topic_tag=topic_tag,
        human=human,
        suggested=suggested,
    )
    routed = {**values, "assigned_team": decision.team}
    if decision.priority != values["priority"]:
        routed |= {"priority": decision.priority, "priority_rank": PRIORITY_RANK[decision.priority]}
    if decision.tags:
        routed["tags"] = [*ticket.get("tags", []), *decision.tags]
        routed["suggested_tags"] = [*suggested, *decision.tags]
    routed["triage_reasons"] = [*decision.reasons, *values["triage_reasons"]]
    return routed
