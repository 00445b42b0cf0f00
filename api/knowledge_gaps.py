"""Gaps of the knowledge over HTTP: what customers ask and no article answers."""

from marshmallow import Schema, ValidationError, validates_schema

from api.http import schemas
from api.http.envelope import Answer, how_many
from api.http.fields import Moment, Number
from api.http.gate import current_runtime
from api.http.resource import Resource
from core.permissions import Permission
from services.knowledge import gaps
from storage import Row, UnitOfWork

blp = Resource("knowledge_gaps", __name__, description="What no article answers.")
USUAL, MOST = 20, 50


class GapsQuery(Schema):
    """Which tickets, and how many questions."""

    start = Moment(data_key="from", about="Only tickets created then or later.")
    end = Moment(data_key="to", about="Only tickets created before.")
    limit = Number(1, MOST, load_default=USUAL, about="How many questions at most.")

    @validates_schema
    def check_order(self, values: Row, **_: object) -> None:
        if "start" in values and "end" in values and values["start"] >= values["end"]:
            raise ValidationError("to must be after from.", "to")


class Gap(Schema):
    """A question that no article answers."""

    question = schemas.text("The question, in the words of its most typical ticket.")
    count = schemas.integer("How many of the newest unanswered tickets ask it.")
    last_asked_at = schemas.moment("When the newest of them was created.", required=True)
    ticket_ids = schemas.texts("Ids of these tickets, the newest first, at most 50.")


@blp.get(
    "/api/ai/knowledge-gaps",
    "ListKnowledgeGaps",
    permission=Permission.STATS_READ,
    query=GapsQuery,
    response=Gap,
    many=True,
)
def list_gaps(uow: UnitOfWork, query: Row) -> Answer:
    """List what no article answers.

    Groups of alike questions, the most frequent first, from tickets with a canned answer or handed over unanswered. The newest
    300 such tickets among the newest 5,000 of the period count. Questions that an article answers by now are left out.
    """
    runtime = current_runtime()
    rows = gaps.find(
        uow,
        runtime.knowledge,
        runtime.embeddings,
        since=query.get("start", ""),
        until=query.get("end", ""),
        limit=query["limit"],
    )
    return Answer(rows, how_many(len(rows), "question"), page=(len(rows), query["limit"], 0))
