"""Triage over HTTP: what would be decided about a text, without storing it."""

from dataclasses import asdict
from typing import Any

from flask import g
from marshmallow import Schema, ValidationError, validates_schema

import models
from api import shapes
from api.envelope import Answer
from api.fields import Choice, Text
from api.gate import the_foyer
from api.noun import Noun
from models import LIMITS
from permissions import Permission
from services import judging
from storage import Row

blp = Noun("triage", __name__, description="What triage makes of a text.")


class TriageText(Schema):
    """A text to triage: either text, or title and description as of a ticket."""

    ALIASES = {"subject": "title", "message": "description"}

    text = Text(LIMITS["description"], lines=True, about="What the customer wrote; instead of title and description.")
    title = Text(LIMITS["title"], about="What it is about, in a few words.")
    description = Text(LIMITS["description"], lines=True, about="What the customer wrote.")
    customer_tier = Choice(models.TIERS, about="Plan of the customer.")

    @validates_schema(skip_on_field_errors=True)
    def _one_of_both(self, given: Row, **_: Any) -> None:
        whole, parts = "text" in given, "title" in given or "description" in given
        if whole == parts:
            raise ValidationError("Give either text, or title and description.", "text")


class Triaged(Schema):
    """What was decided, how sure that is, and why."""

    category = shapes.word(models.CATEGORIES, "Kind of question.")
    category_confidence = shapes.decimal("How sure the category is, from 0 to 1.")
    priority = shapes.word(models.PRIORITIES, "Priority.")
    priority_score = shapes.whole("Priority as a number from 0 to 100.")
    urgency = shapes.decimal("Urgency from 1.0 to 5.0.")
    sentiment = shapes.word(models.SENTIMENTS, "How the customer feels.")
    sentiment_confidence = shapes.decimal("How sure that is, from 0 to 1.")
    escalation_score = shapes.decimal("How likely this customer is lost unless a person takes over, from 0 to 1.")
    wants_human_score = shapes.decimal("How likely the customer asks for a person, from 0 to 1.")
    assigned_team = shapes.text("Team that would take care.")
    next_action = shapes.text("What to do next.")
    triage_reasons = shapes.texts("Why, in plain words.")
    triage_source = shapes.text("Who decided: rules, or learned from your own tickets.")


@blp.post("/api/triage", "TriageText", may=Permission.TICKETS_WORK, body=TriageText, gives=Triaged, own_units=True)
def triage_text(body: Row) -> Answer:
    """Triage a text.

    Says what would be decided about a text, how sure that is and why; nothing is stored.
    """
    with the_foyer().storage.desk(g.actor) as desk:
        found = judging.decide(
            desk,
            body.get("title", ""),
            body.get("text") or body.get("description", ""),
            tier=body.get("customer_tier", "standard"),
        )
    decided = asdict(found)
    data = {name: decided[name] for name in Triaged._declared_fields if name in decided}
    data |= {"triage_reasons": list(found.reasons), "triage_source": found.source}
    article = "an" if found.category[0] in "aeiou" else "a"
    return Answer(data, f"This would be {article} {found.category} ticket of {found.priority} priority.")
