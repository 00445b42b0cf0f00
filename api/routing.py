"""Routing rules over HTTP, and trying them on a text."""

from typing import Any

from flask import g
from marshmallow import Schema, ValidationError

from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Number, TeamName, Text, Things, Words
from api.http.gate import current_runtime
from api.http.resource import Resource, check_echo
from api.ticket_inputs import PRIORITY_WORDS
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.routing import preview, rules
from storage import Row, UnitOfWork

blp = Resource("routing", __name__, description="Which team, priority and tags new tickets get.")
# What else makers call a comparison.
OP_WORDS = {
    **dict.fromkeys(("equals", "equal", "eq", "=", "==", "contains", "has", "matches"), "is"),
    **dict.fromkeys(("not_equals", "ne", "!=", "<>", "not", "excludes", "not_contains", "does_not_contain"), "is_not"),
    **dict.fromkeys(("in", "one_of", "any"), "any_of"),
    **dict.fromkeys(("not_in", "none"), "none_of"),
}
FIELD_WORDS = {"words": "word", "text": "word", "tags": "tag", "customer_tier": "tier"}


class ConditionOut(Schema):
    """A condition of a rule."""

    field = schemas.word(rules.FIELDS, "What it looks at.")
    op = schemas.word(rules.OPS, "How it compares.")
    value = schemas.text("With what; several values with commas between for any_of and none_of.")


class RuleOut(Schema):
    """A routing rule."""

    id = schemas.text("Id of the rule.")
    position = schemas.integer("Its place in the order, from 1.")
    name = schemas.text("Its name, which reasons of tickets tell.")
    conditions = schemas.items(ConditionOut, "All of them must hold; a rule without any always holds.")
    team = schemas.text("Team that it sets; empty when none.")
    priority = schemas.text("Priority that it sets; empty when none.")
    tags = schemas.texts("Tags that it adds.")
    problem = schemas.text("Why a part of it counts for nothing; empty when all is well.")
    created_at = schemas.moment("When it was added.", required=True)
    updated_at = schemas.moment("When it was last changed.", required=True)


class Value(Text):
    """The value of a condition; a list of texts is taken as one with commas between."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
            value = ", ".join(value)
        text = super()._deserialize(value, attr, data, **kwargs)
        if not text.strip(" ,"):
            raise ValidationError(f"{attr} must hold a word or a choice, not commas alone.")
        return text


class NewCondition(Schema):
    """A condition to set."""

    field = Choice(rules.FIELDS, also=FIELD_WORDS, required=True, about="What it looks at.")
    op = Choice(
        rules.OPS,
        also=OP_WORDS,
        required=True,
        about="is, is_not, any_of or none_of; a word counts anywhere in the text.",
    )
    value = Value(
        rules.MOST_VALUE,
        required=True,
        about="A value or word, in any case; several with commas for any_of and none_of.",
    )


class RuleFields(Schema):
    """Fields of a rule."""

    position = Number(1, rules.MOST_RULES, about="Its place in the order, from 1; the last when not given.")
    name = Text(LIMITS["name"], about="Its name, which reasons of tickets tell.")
    conditions = Things(
        NewCondition, rules.MOST_CONDITIONS, about="All of them must hold; a rule without any always holds."
    )
    team = TeamName(about="Team to set.")
    priority = Choice(models.PRIORITIES, also=PRIORITY_WORDS, about="Priority to set.")
    tags = Words(LIMITS["tags"], Text(LIMITS["tag"]), about="Tags to add.")


class RuleChanges(RuleFields):
    """Fields of a rule to change; what is left out stays."""

    READ_ONLY = frozenset({"id", "problem", "created_at", "updated_at"})

    clear = Words(len(rules.CLEARABLE), Choice(tuple(rules.CLEARABLE)), about="Fields to empty.")


class NewRule(RuleFields, Repeatable):
    """A rule to add."""


class RoutingText(Schema):
    """A ticket to try the rules on."""

    ALIASES = {"subject": "title", "message": "description"}

    title = Text(LIMITS["title"], required=True, about="What it is about, in a few words.")
    description = Text(LIMITS["description"], lines=True, required=True, about="What the customer wrote.")
    category = Choice(models.CATEGORIES, about="Kind of question; decided by triage when not given.")
    priority = Choice(models.PRIORITIES, also=PRIORITY_WORDS, about="Priority; decided by triage when not given.")
    tags = Words(LIMITS["tags"], Text(LIMITS["tag"]), about="Tags that the ticket would have.")
    customer_tier = Choice(models.TIERS, about="Plan of the customer.")
    source = Choice(models.SOURCES, about="Where it would come in.")


class Routed(Schema):
    """Where a ticket would go, and why."""

    team = schemas.text("Team that would take care.")
    priority = schemas.word(models.PRIORITIES, "Priority that it would have.")
    tags = schemas.texts("Tags that it would have.")
    rule_id = schemas.text("Id of the rule that decides; empty when none does.")
    category = schemas.word(models.CATEGORIES, "Category that rules see.")
    topic = schemas.text("Topic that rules see; empty when there is none.")
    language = schemas.text("Language that rules see.")
    reasons = schemas.texts("Why, in plain words.")


@blp.get(
    "/api/routing/rules",
    "ListRoutingRules",
    permission=Permission.SETTINGS_READ,
    query=PageQuery,
    response=RuleOut,
    many=True,
)
def list_rules(uow: UnitOfWork, query: Row) -> Answer:
    """List routing rules.

    In the order in which they are tried; the first whose conditions all hold decides.
    """
    data, total = rules.find(uow, limit=query["limit"], offset=query["offset"])
    return Answer(data, how_many(total, "rule"), page=(total, query["limit"], query["offset"]))


@blp.get("/api/routing/rules/<rule_id>", "GetRoutingRule", permission=Permission.SETTINGS_READ, response=RuleOut)
def get_rule(uow: UnitOfWork, rule_id: str) -> Answer:
    """Get a routing rule.

    One rule by its id.
    """
    rule = rules.get(uow, rule_id)
    return Answer(rules.rule_shape(uow, rule), f"Rule number {rule['position']}.")


@blp.post(
    "/api/routing/rules",
    "CreateRoutingRule",
    permission=Permission.SETTINGS_WRITE,
    body=NewRule,
    response=RuleOut,
    status=201,
)
def create_rule(uow: UnitOfWork, body: Row) -> Answer:
    """Add a routing rule.

    It counts from the next ticket on. Rules at its position and after it move down.
    """
    rule = rules.create(uow, body)
    return Answer(rules.rule_shape(uow, rule), f"The rule is number {rule['position']}.", 201)


@blp.patch(
    "/api/routing/rules/<rule_id>",
    "UpdateRoutingRule",
    permission=Permission.SETTINGS_WRITE,
    body=RuleChanges,
    response=RuleOut,
)
def update_rule(uow: UnitOfWork, rule_id: str, body: Row) -> Answer:
    """Change a routing rule.

    Changes the fields that are given and leaves the others; a position moves it. Tickets that it routed stay as they are.
    """
    check_echo(rules.rule_shape(uow, rules.get(uow, rule_id)))
    rule = rules.update(uow, rule_id, body)
    return Answer(rules.rule_shape(uow, rule), f"The rule is number {rule['position']}.")


@blp.delete(
    "/api/routing/rules/<rule_id>",
    "DeleteRoutingRule",
    permission=Permission.SETTINGS_WRITE,
    response=schemas.Deleted,
)
def delete_rule(uow: UnitOfWork, rule_id: str) -> Answer:
    """Delete a routing rule.

    Tickets that it routed stay as they are.
    """
    rules.remove(uow, rule_id)
    return Answer({"deleted": True}, "The rule is deleted.")


@blp.post(
    "/api/routing/test",
    "TestRouting",
    permission=Permission.SETTINGS_READ,
    body=RoutingText,
    response=Routed,
    manages_transactions=True,
    only_reads=True,
)
def test_routing(body: Row) -> Answer:
    """Try the routing rules on a text.

    Says where such a ticket would go and why; nothing is stored.
    """
    runtime = current_runtime()
    with runtime.storage.unit_of_work(g.actor) as uow:
        data = preview.preview(uow, runtime.trained_models, body)
    return Answer(data, f"This would go to the team {data['team']}.")
