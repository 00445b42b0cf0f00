"""Triage over HTTP: what would be decided about a text, without storing it."""

from dataclasses import asdict
from typing import Any

from flask import g
from marshmallow import Schema, ValidationError, validates_schema

from api.http import schemas
from api.http.envelope import Answer
from api.http.fields import Choice, Text
from api.http.gate import current_runtime
from api.http.resource import Resource
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.triage import decide
from storage import Row

blp = Resource("triage", __name__, description="How triage classifies a text.")


class TriageText(Schema):
    """A text to triage: either text, or title and description as of a ticket."""

    ALIASES = {"subject": "title", "message": "description"}

    text = Text(LIMITS["description"], lines=True, about="What the customer wrote; instead of title and description.")
    title = Text(LIMITS["title"], about="What it is about, in a few words.")
    description = Text(LIMITS["description"], lines=True, about="What the customer wrote.")
    customer_tier = Choice(models.TIERS, about="Plan of the customer.")

    @validates_schema(skip_on_field_errors=True)
    def _one_of_both(self, fields: Row, **_: Any) -> None:
        has_text, has_parts = "text" in fields, "title" in fields or "description" in fields
        if has_text == has_parts:
            raise ValidationError("Give either text, or title and description.", "text")


class Triaged(Schema):
    """What was decided, how sure that is, and why."""

    category = schemas.word(models.CATEGORIES, "Kind of question.")
    category_confidence = schemas.decimal("How sure the category is, from 0 to 1.")
    priority = schemas.word(models.PRIORITIES, "Priority.")
    priority_score = schemas.integer("Priority as a number from 0 to 100.")
    urgency = schemas.decimal("Urgency from 1.0 to 5.0.")
    sentiment = schemas.word(models.SENTIMENTS, "How the customer feels.")
    sentiment_confidence = schemas.decimal("How sure that is, from 0 to 1.")
    escalation_score = schemas.decimal("How likely this customer is lost unless a person takes over, from 0 to 1.")
    wants_human_score = schemas.decimal("How likely the customer asks for a person, from 0 to 1.")
    assigned_team = schemas.text("Team that would take care.")
    next_action = schemas.text("What to do next.")
    triage_reasons = schemas.texts("Why, in plain words.")
    triage_source = schemas.text("Who decided: rules, or learned from your own tickets.")


@blp.post(
    "/api/triage",
    "TriageText",
    permission=Permission.TICKETS_WORK,
    body=TriageText,
    response=Triaged,
    manages_transactions=True,
    only_reads=True,
)
def triage_text(body: Row) -> Answer:
    """Triage a text.

    Says what would be decided about a text, how sure that is and why; nothing is stored.
    """
    runtime = current_runtime()
    with runtime.storage.unit_of_work(g.actor) as uow:
        classification = decide.decide(
            uow,
            runtime.trained_models,
            body.get("title", ""),
            body.get("text") or body.get("description", ""),
            tier=body.get("customer_tier", "standard"),
        )
    decided = asdict(classification)
    data = {name: decided[name] for name in Triaged._declared_fields if name in decided}
    data |= {"triage_reasons": list(classification.reasons), "triage_source": classification.source}
    article = "an" if classification.category[0] in "aeiou" else "a"
    return Answer(
        data, f"This would be {article} {classification.category} ticket of {classification.priority} priority."
    )
