"""Quality of the AI over HTTP: how right triage and expected times are, and what became of drafts."""

from marshmallow import Schema, fields

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.resource import Resource
from core import models
from core.permissions import Permission
from services.stats import ai_quality
from storage import UnitOfWork

blp = Resource("ai", __name__, description="How right the AI is on your own tickets.")


class Figures(Schema):
    """Figures of one month or one band of confidence."""

    key = schemas.text("Which month, or where the band begins.")
    label = schemas.text("Text to show.")
    decided = schemas.integer("Decisions a person has corrected or left as they were when resolving the ticket.")
    corrected = schemas.integer("How many of them a person corrected.")
    accuracy = schemas.decimal("Share of them that nobody corrected, from 0 to 1.", required=False)


class DraftFigures(Schema):
    """What became of the drafts of one source."""

    key = schemas.text("Which source: model, knowledge, learned or canned; all for all together.")
    label = schemas.text("Text to show.")
    written = schemas.integer("Drafts that were written.")
    accepted = schemas.integer("How many were accepted as they were.")
    edited = schemas.integer("How many were changed before they were sent.")
    discarded = schemas.integer("How many were discarded.")
    acceptance = schemas.decimal("Share of those with an outcome that were accepted, from 0 to 1.", required=False)


class DraftFeedback(Schema):
    """Why an agent discarded a draft."""

    draft_id = schemas.text("Id of the draft.")
    ticket_id = schemas.text("Id of its ticket.")
    reason = schemas.word(models.DISCARD_REASONS, "The reason.")
    reason_text = schemas.text("The same in the agent's words.")
    created_at = schemas.moment("When the draft was written.", required=True)


class FieldQuality(Schema):
    """How right triage is about one field, or how good drafts or expected times are."""

    field = schemas.text("Which field of triage, draft, or expected_resolution_seconds.")
    decided = schemas.integer(
        "Decisions a person has corrected or left as they were; drafts with an outcome; resolved tickets with an expected time."
    )
    corrected = schemas.integer(
        "How many of them a person corrected; of expected times, how many intervals were wrong."
    )
    accuracy = schemas.decimal(
        "Share of them that nobody corrected, from 0 to 1; left out when there are none.", required=False
    )
    per_month = schemas.items(Figures, "The same month by month.")
    calibration = schemas.items(Figures, "For the category and drafts: the same by how sure the AI was.")
    drafts = schemas.items(DraftFigures, "For drafts: what became of them, by source.")
    discard_reasons = fields.List(
        fields.Nested(schemas.Count), metadata={"description": "For drafts: why they were discarded."}
    )
    feedback = fields.List(
        fields.Nested(DraftFeedback),
        metadata={"description": "For drafts: the newest 50 that were discarded with words of an agent."},
    )
    median_absolute_error_seconds = schemas.integer(
        "For expected times: the median difference between expected and real time.", required=False
    )


@blp.get("/api/ai/quality", "GetAiQuality", permission=Permission.STATS_READ, response=FieldQuality, many=True)
def get_quality(uow: UnitOfWork) -> Answer:
    """Get the quality of the AI.

    Says how often people corrected each field that triage decides, and drafts, month by month. Confidence is compared with how
    often it was right. Drafts are also counted by source: written, accepted, edited and discarded. For
    expected_resolution_seconds it says how often the interval held the time. Each ticket is judged by what was resolved
    before it was opened.
    """
    rows = ai_quality.report(uow)
    return Answer(rows, how_many(len(rows), "field"), page=(len(rows), len(rows), 0))
