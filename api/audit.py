"""The audit over HTTP: what happened in the company, by whom and from where."""

from api import shapes
from api.envelope import Answer, how_many
from api.fields import Choice, Moment, Text
from api.inputs import PageQuery
from api.noun import Noun
from models import LIMITS, audit_shape
from permissions import Permission
from services import audit
from storage import Desk, Row

blp = Noun("audit", __name__, description="What happened, by whom and from where.")


class AuditEvent(shapes.Event):
    """One entry of the audit."""

    subject = shapes.word(audit.SUBJECTS, "What kind of thing it happened to.")
    subject_id = shapes.text("Id of the thing it happened to.")
    address = shapes.text("Network address of the caller.")
    through = shapes.text("Name of the key it was done with, when it was one.")


class AuditQuery(PageQuery):
    """Which events."""

    subject = Choice(audit.SUBJECTS, about="What kind of thing it happened to.")
    subject_id = Text(LIMITS["key"], about="Id of the thing it happened to.")
    action = Text(LIMITS["name"], about="What happened.")
    actor = Text(LIMITS["email"], about="The credential that acted.")
    said_by = Text(LIMITS["email"] + LIMITS["name"] + 3, about="Who the calling app said was acting.")
    created_after = Moment(about="Only what happened after this time.")
    created_before = Moment(about="Only what happened before this time.")


@blp.get("/api/audit", "ListAuditEvents", may=Permission.AUDIT_READ, query=AuditQuery, gives=AuditEvent, many=True)
def list_audit_events(desk: Desk, query: Row) -> Answer:
    """List what happened.

    Every sign-in and every change of tickets, settings, people and keys, with values before and after, the newest first.
    """
    rows, total = audit.find(desk, query)
    data = [audit_shape(row) for row in rows]
    return Answer(data, how_many(total, "event"), page=(total, query["limit"], query["offset"]))
