"""Incidents over HTTP: list them, answer and resolve all their tickets."""

from flask import g
from marshmallow import Schema

from api.http import schemas
from api.http.common_inputs import PageQuery, Repeatable
from api.http.envelope import Answer, how_many
from api.http.fields import Choices, Text
from api.http.gate import current_runtime
from api.http.resource import Resource
from api.ticket_inputs import WriteMeta, pop_actor_and_version
from core import models
from core.models import LIMITS
from core.permissions import Permission
from services.incidents import actions
from services.tickets import incidents, macros
from storage import Row, UnitOfWork

blp = Resource("incidents", __name__, description="What several customers write about at the same time.")


class Incident(Schema):
    """Tickets of several customers who wrote what is alike within 30 minutes."""

    id = schemas.text("Id of the incident.")
    title = schemas.text("What its first ticket is about, without names.")
    status = schemas.word(models.INCIDENT_STATUSES, "State of the incident.")
    ticket_count = schemas.integer("How many tickets belong to it.")
    ticket_ids = schemas.texts("Ids of its tickets, the earliest first, at most 500.")
    opened_at = schemas.moment("When it was noticed.", required=True)
    resolved_at = schemas.moment("When it was resolved.")


class IncidentResult(Schema):
    """What became of one ticket."""

    id = schemas.text("Id of the ticket.")
    success = schemas.flag("Whether it was done.")
    message = schemas.text("What was done, or why not.")
    code = schemas.text("Code of the error; empty when it was done.")


class IncidentQuery(PageQuery):
    """Which incidents."""

    status = Choices(
        models.INCIDENT_STATUSES, groups={"all": models.INCIDENT_STATUSES}, about="open, resolved or all; default all."
    )


class IncidentReply(WriteMeta, Repeatable):
    """An answer to all customers of an incident."""

    body = Text(
        LIMITS["body"],
        lines=True,
        required=True,
        about=f"The answer; variables: {', '.join(macros.VARIABLES)}.",
    )


class IncidentResolution(WriteMeta, Repeatable):
    """How an incident was resolved."""

    resolution = Text(
        LIMITS["resolution"],
        lines=True,
        required=True,
        about="How it was resolved; sent to each customer. It may hold the variables of an answer.",
    )


@blp.get(
    "/api/incidents",
    "ListIncidents",
    permission=Permission.TICKETS_WORK,
    query=IncidentQuery,
    response=Incident,
    many=True,
)
def list_incidents(uow: UnitOfWork, query: Row) -> Answer:
    """List incidents.

    What several customers wrote about within 30 minutes, the newest first, with their tickets.
    """
    statuses = query.get("status") or models.INCIDENT_STATUSES
    rows, total = incidents.find(uow, statuses=statuses, limit=query["limit"], offset=query["offset"])
    return Answer(rows, how_many(total, "incident"), page=(total, query["limit"], query["offset"]))


def _act(incident_id: str, kind: str, body: Row, done: str) -> Answer:
    said_by = pop_actor_and_version(body)["said_by"]
    storage = current_runtime().storage
    with storage.unit_of_work(g.actor, write=True) as uow:
        job_id = actions.start(uow, incident_id, kind, body[actions.FIELD[kind]], said_by=said_by)
    results: list[Row] = []
    while True:
        with storage.unit_of_work(g.actor, write=True) as uow:
            some = actions.run_some(uow, job_id)
        if not some:
            break
        results += some
    good = sum(result["success"] for result in results)
    message = f"{good} of {len(results)} open tickets are {done}."
    return Answer(results, message, page=(len(results), len(results), 0))


@blp.post(
    "/api/incidents/<incident_id>/reply",
    "ReplyToIncident",
    permission=Permission.TICKETS_WORK,
    body=IncidentReply,
    response=IncidentResult,
    many=True,
    manages_transactions=True,
)
def reply_to_incident(incident_id: str, body: Row) -> Answer:
    """Answer an incident.

    Writes a public reply to each open ticket of the incident, mailed to its own customer, with one result for each. A ticket
    whose last message is this answer already is left alone, so the call may be repeated.
    """
    return _act(incident_id, actions.REPLY, body, "answered")


@blp.post(
    "/api/incidents/<incident_id>/resolve",
    "ResolveIncident",
    permission=Permission.TICKETS_WORK,
    body=IncidentResolution,
    response=IncidentResult,
    many=True,
    manages_transactions=True,
)
def resolve_incident(incident_id: str, body: Row) -> Answer:
    """Resolve an incident.

    Resolves each open ticket of the incident, with one result for each. No further ticket joins it.
    """
    return _act(incident_id, actions.RESOLVE, body, "resolved")
