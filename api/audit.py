"""The audit over HTTP: what happened in the company, by whom and from where."""

from api.http import schemas
from api.http.common_inputs import PageQuery
from api.http.envelope import Answer, how_many
from api.http.fields import Choice, Moment, Person, Text
from api.http.resource import Resource
from core.models import LIMITS, audit_shape
from core.permissions import Permission
from services import audit
from storage import Row, UnitOfWork

blp = Resource("audit", __name__, description="What happened, by whom and from where.")


class AuditEvent(schemas.Event):
    """One entry of the audit."""

    subject = schemas.word(audit.SUBJECTS, "What kind of thing it happened to.")
    subject_id = schemas.text("Id of the thing it happened to.")
    address = schemas.text("Network address of the caller.")
    through = schemas.text("Name of the key it was done with, when it was one.")


class AuditQuery(PageQuery):
    """Which events."""

    subject = Choice(audit.SUBJECTS, about="What kind of thing it happened to.")
    subject_id = Text(LIMITS["key"], about="Id of the thing it happened to.")
    action = Text(LIMITS["name"], about="What happened.")
    actor = Person(LIMITS["email"], about="The credential that acted.")
    said_by = Text(LIMITS["email"] + LIMITS["name"] + 3, about="Who the calling app said was acting.")
    created_after = Moment(about="Only what happened after this time.")
    created_before = Moment(about="Only what happened before this time.")


@blp.get(
    "/api/audit", "ListAuditEvents", permission=Permission.AUDIT_READ, query=AuditQuery, response=AuditEvent, many=True
)
def list_audit_events(uow: UnitOfWork, query: Row) -> Answer:
    """List what happened.

    Every sign-in and every change of tickets, settings, people and keys, with values before and after, the newest first.
    """
    rows, total = audit.find(uow, query)
    data = [audit_shape(row) for row in rows]
    return Answer(data, how_many(total, "event"), page=(total, query["limit"], query["offset"]))
