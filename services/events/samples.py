"""A body of each event that looks real, for makers who map its fields before anything has happened."""

from typing import Any

from core import timestamps
from core.models import EVENTS, Actor
from database import column_types
from database.tables import tickets
from services.events import happenings, shapes
from services.events.happenings import Happening
from storage import Row

AT = "2026-01-31T09:30:00.000Z"
_TICKET_ID, _REPLY_ID, _INCIDENT_ID = (f"019c1345-5d40-7000-8000-00000000000{digit}" for digit in (1, 2, 3))
_TICKET: dict[str, Any] = {
    "id": _TICKET_ID,
    "number": 1042,
    "title": "Charged twice for January",
    "description": "My card was charged twice this month. Please refund the second payment.",
    "customer_email": "ada@example.com",
    "customer_id": "C-1017",
    "customer_name": "Ada Lovelace",
    "customer_tier": "premium",
    "source": "web",
    "product": "Pro plan",
    "tags": ["refund"],
    "status": "assigned",
    "category": "billing",
    "priority": "high",
    "priority_score": 72,
    "urgency": 3.6,
    "sentiment": "negative",
    "topic": "",
    "assigned_team": "finance",
    "assigned_to": "bob@example.com",
    "ai_response": "I am sorry about the second charge. Our finance team looks into it.",
    "ai_source": "canned",
    "ai_status": "done",
    "ai_confidence": 0.62,
    "ai_citations": [],
    "triage_source": "rules",
    "triage_reasons": ["category billing: charged twice"],
    "next_action": "Check the payment and answer within the agreed time.",
    "resolution": "",
    "sla_status": "on_track",
    "external_id": "",
    "version": 2,
}
_OF_EVENT: dict[str, Row] = {
    "ticket.created": {"status": "new", "assigned_to": "", "version": 1},
    "ticket.replied": {"status": "waiting_customer", "version": 3},
    "ticket.handoff": {"status": "handoff", "version": 3},
    "ticket.resolved": {
        "status": "resolved",
        "resolution": "The second payment is refunded.",
        "version": 4,
        "resolved_at": AT,
    },
    "ticket.closed": {
        "status": "closed",
        "resolution": "The second payment is refunded.",
        "closed_at": AT,
        "version": 5,
    },
    "ticket.reopened": {"status": "in_progress", "version": 5},
    "sla.at_risk": {"sla_status": "at_risk"},
    "sla.breached": {"sla_status": "breached"},
    "csat.received": {"status": "resolved", "resolution": "The second payment is refunded.", "csat_score": 5},
}
_REPLY = {
    "id": _REPLY_ID,
    "ticket_id": _TICKET_ID,
    "author_role": "agent",
    "author_name": "Bob",
    "author_email": "bob@example.com",
    "body": "The refund is on its way. It takes up to five days.",
    "internal": False,
    "created_at": AT,
}
_INCIDENT = {
    "id": _INCIDENT_ID,
    "title": "The app does not load",
    "status": "open",
    "opened_at": AT,
    "resolved_at": None,
}


def sample(event: str, actor: Actor, *, id_: str = "") -> Row | None:
    """The event as the actor would see it, None for an unknown name and for one that the actor is never told of."""
    if event not in EVENTS or (actor.is_customer and event in happenings.STAFF_ONLY):
        return None
    is_incident = event == "incident.opened"
    subject, subject_id = ("incident", _INCIDENT_ID) if is_incident else ("ticket", _TICKET_ID)
    one = Happening(id_ or happenings.event_id(AT, subject_id, event), event, AT, subject, subject_id)
    reply = _REPLY if event == "ticket.replied" else None
    ticket, incident = (None, _INCIDENT) if is_incident else (_ticket(event), None)
    return shapes.shape(one, actor, ticket=ticket, reply=reply, incident=incident)


def _ticket(event: str) -> Row:
    """The row of the sample's ticket: every column, those that are not set with their default."""
    created_at = timestamps.later(AT, seconds=-7200)
    due_at = timestamps.later(created_at, seconds=4 * 3600)
    row = column_types.default_values(tickets) | _TICKET | {"created_at": created_at, "updated_at": AT}
    row |= {"first_response_due_at": due_at, "resolve_due_at": due_at, "assigned_at": AT}
    return row | _OF_EVENT.get(event, {})
