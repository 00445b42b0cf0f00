"""Accuracy of triage over HTTP."""

from marshmallow import Schema

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.resource import Resource
from core.permissions import Permission
from services.stats import ai_quality
from storage import UnitOfWork

blp = Resource("ai", __name__, description="How right triage is on your own tickets.")


class Figures(Schema):
    """Figures of one month or one band of confidence."""

    key = schemas.text("Which month, or where the band begins.")
    label = schemas.text("Text to show.")
    decided = schemas.integer("Decisions a person has corrected or left as they were when resolving the ticket.")
    corrected = schemas.integer("How many of them a person corrected.")
    accuracy = schemas.decimal("Share of them that nobody corrected, from 0 to 1.", required=False)


class FieldQuality(Schema):
    """How right triage is about one field."""

    field = schemas.text("Which field.")
    decided = schemas.integer("Decisions a person has corrected or left as they were when resolving the ticket.")
    corrected = schemas.integer("How many of them a person corrected.")
    accuracy = schemas.decimal(
        "Share of them that nobody corrected, from 0 to 1; left out when there are none.", required=False
    )
    per_month = schemas.items(Figures, "The same month by month.")
    calibration = schemas.items(Figures, "For the category: the same by how sure triage was.")


@blp.get("/api/ai/quality", "GetAiQuality", permission=Permission.STATS_READ, response=FieldQuality, many=True)
def get_quality(uow: UnitOfWork) -> Answer:
    """Get the quality of triage.

    For each field triage decides: how often people corrected it, month by month, and whether it is as sure as it is right.
    """
    rows = ai_quality.report(uow)
    return Answer(rows, how_many(len(rows), "field"), page=(len(rows), len(rows), 0))
