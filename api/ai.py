"""How right the AI was, over HTTP."""

from marshmallow import Schema

from api import shapes
from api.envelope import Answer, how_many
from api.noun import Noun
from permissions import Permission
from services import quality
from storage import Desk

blp = Noun("ai", __name__, description="How right triage is on your own tickets.")


class Figures(Schema):
    """Figures of one month or one band of confidence."""

    key = shapes.text("Which month, or where the band begins.")
    label = shapes.text("Text to show.")
    decided = shapes.whole("Decisions a person has corrected or left as they were when resolving the ticket.")
    corrected = shapes.whole("How many of them a person corrected.")
    accuracy = shapes.decimal("Share of them that nobody corrected, from 0 to 1.", required=False)


class FieldQuality(Schema):
    """How right triage is about one field."""

    field = shapes.text("Which field.")
    decided = shapes.whole("Decisions a person has corrected or left as they were when resolving the ticket.")
    corrected = shapes.whole("How many of them a person corrected.")
    accuracy = shapes.decimal(
        "Share of them that nobody corrected, from 0 to 1; left out when there are none.", required=False
    )
    per_month = shapes.items(Figures, "The same month by month.")
    calibration = shapes.items(Figures, "For the category: the same by how sure triage was.")


@blp.get("/api/ai/quality", "GetAiQuality", may=Permission.STATS_READ, gives=FieldQuality, many=True)
def get_quality(desk: Desk) -> Answer:
    """Get the quality of triage.

    For each field triage decides: how often people corrected it, month by month, and whether it is as sure as it is right.
    """
    found = quality.report(desk)
    return Answer(found, how_many(len(found), "field"), page=(len(found), len(found), 0))
