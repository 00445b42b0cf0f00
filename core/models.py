"""The domain: enumerations, field limits, the status transitions of a ticket and the public fields of each record.

database/tables.py defines the tables.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Status = Literal["new", "ai_responded", "assigned", "in_progress", "waiting_customer", "handoff", "resolved", "closed"]
Category = Literal["billing", "technical", "sales", "account", "general"]
Team = Literal["finance", "technical_support", "sales", "customer_success", "support"]
Priority = Literal["low", "medium", "high", "urgent"]
Sentiment = Literal["positive", "neutral", "negative"]
Tier = Literal["free", "standard", "premium", "enterprise"]
Source = Literal["api", "web", "powerapps", "email", "chat", "import", "other"]
Decider = Literal["model", "knowledge", "learned", "rules", "canned", "human"]
AiStatus = Literal["off", "pending", "done", "failed"]
Role = Literal["admin", "agent", "customer"]
AnsweredBy = Literal["ai", "human"]
# Why a conversation was handed to a person: they asked for one, were angry, got no answer twice, an answer was unsure, a risk
# was named, the AI had written its most turns, or the model failed.
Escalation = Literal["asked", "angry", "unanswered", "low_confidence", "risk", "turn_limit", "ai_failed"]
SlaStatus = Literal["on_track", "at_risk", "breached", "met"]
ArticleStatus = Literal["draft", "published"]
IncidentStatus = Literal["open", "resolved"]
DraftOutcome = Literal["accepted", "edited", "discarded"]
Assignment = Literal["off", "least_loaded"]  # whether the tickets of a team are assigned automatically
AuthorRole = Literal["customer", "agent", "ai", "system"]
# What the other ticket of a link is to this one: `causes` is the other side of `caused_by`.
LinkKind = Literal["related", "duplicate", "caused_by", "causes"]
PresenceState = Literal["viewing", "replying"]
WebhookFormat = Literal["json", "teams", "slack"]
DeliveryState = Literal["waiting", "blocked", "delivered", "dead"]

STATUSES: tuple[str, ...] = get_args(Status)
CATEGORIES: tuple[str, ...] = get_args(Category)
TEAMS: tuple[str, ...] = get_args(Team)
PRIORITIES: tuple[str, ...] = get_args(Priority)
SENTIMENTS: tuple[str, ...] = get_args(Sentiment)
TIERS: tuple[str, ...] = get_args(Tier)
SOURCES: tuple[str, ...] = get_args(Source)
ROLES: tuple[str, ...] = get_args(Role)
DECIDERS: tuple[str, ...] = get_args(Decider)
AUTHOR_ROLES: tuple[str, ...] = get_args(AuthorRole)
SPEAKERS = tuple(role for role in AUTHOR_ROLES if role != "system")  # of a last message
ESCALATIONS: tuple[str, ...] = get_args(Escalation)
SLA_STATUSES: tuple[str, ...] = get_args(SlaStatus)
ARTICLE_STATUSES: tuple[str, ...] = get_args(ArticleStatus)
INCIDENT_STATUSES: tuple[str, ...] = get_args(IncidentStatus)
DRAFT_OUTCOMES: tuple[str, ...] = get_args(DraftOutcome)
DISCARD_REASONS = ("wrong", "tone", "too_long", "not_asked", "other")
LINK_KINDS: tuple[str, ...] = get_args(LinkKind)
PRESENCE_STATES: tuple[str, ...] = get_args(PresenceState)
ASSIGNMENTS: tuple[str, ...] = get_args(Assignment)
WEBHOOK_FORMATS: tuple[str, ...] = get_args(WebhookFormat)
DELIVERY_STATES: tuple[str, ...] = get_args(DeliveryState)
# What can happen, in the order in which the events of one write are told.
EVENTS: tuple[str, ...] = (
    "ticket.created",
    "ticket.reopened",
    "ticket.updated",
    "ticket.assigned",
    "ticket.replied",
    "ticket.handoff",
    "ticket.merged",
    "ticket.resolved",
    "ticket.closed",
    "sla.at_risk",
    "sla.breached",
    "csat.received",
    "incident.opened",
)

FINISHED = ("resolved", "closed")
OPEN: tuple[str, ...] = tuple(status for status in STATUSES if status not in FINISHED)
TEAM_OF: dict[str, str] = {
    "billing": "finance",
    "technical": "technical_support",
    "sales": "sales",
    "account": "customer_success",
    "general": "support",
}
PRIORITY_RANK: dict[str, int] = {priority: rank for rank, priority in enumerate(PRIORITIES, 1)}

MOST_CAPACITY = 10_000  # open tickets that an agent may be said to take
DEFAULT_COMPANY = "default"  # the company of the operator

# Maximum length of each field in characters; `tags`, `links` and `watchers` are numbers of items. An e-mail address: RFC 5321
# §4.5.3.1; a title: the subject of a mail, RFC 5322 §2.1.1.
LIMITS: dict[str, int] = {
    "title": 998,
    "description": 20_000,
    "email": 254,
    "name": 120,
    "customer_id": 100,
    "product": 100,
    "tag": 50,
    "tags": 20,
    "assigned_to": 254,
    "resolution": 5_000,
    "body": 20_000,
    "external_id": 200,
    "article": 100_000,
    "key": 200,
    "password": 200,
    "totp": 60,
    "company": 120,
    "q": 200,
    "comment": 2_000,
    "file_name": 200,
    "attachment_ids": 20,
    "message": 200,
    "links": 50,
    "watchers": 20,
}


READ_ONLY_SCOPE = "read_only"  # the scope of a key that changes nothing


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the API key or user, its role and network address, and for customers which customer."""

    company_id: str
    role: Role
    name: str
    key_id: str = ""
    key_name: str = ""
    user_id: str = ""
    session_id: str = ""
    scopes: tuple[str, ...] = ()
    address: str = ""
    customer_email: str = ""
    customer_id: str = ""
    customer_row: str = ""
    guest: bool = False  # a guest of the chat: a customer whom nobody knows, and who may only chat
    guest_name: str = ""  # what a guest calls themselves
    lacks_second_factor: bool = False  # their company requires one and they have none

    @classmethod
    def system(cls, company_id: str) -> "Actor":
        """The server itself, at work for a company."""
        return cls(company_id, "admin", "system")

    @property
    def is_customer(self) -> bool:
        return self.role == "customer"

    @property
    def reads_only(self) -> bool:
        return READ_ONLY_SCOPE in self.scopes


@dataclass(frozen=True, slots=True)
class Move:
    """One legal status transition of a ticket; statuses outside `changes` stay as they are."""

    label: str
    sources: tuple[str, ...]
    target: str
    unassigned: str = ""
    changes: tuple[str, ...] = field(default=STATUSES)

    def result(self, status: str, *, assigned: bool) -> str:
        """The status after this transition from `status`."""
        if status not in self.changes:
            return status
        return self.target if assigned or not self.unassigned else self.unassigned


MOVES: dict[str, Move] = {
    "assign": Move("assigned", OPEN, "assigned", changes=("new", "ai_responded", "handoff")),
    "unassign": Move("unassigned", OPEN, "new", changes=("assigned", "in_progress")),
    "start": Move("started", OPEN, "in_progress"),
    "wait": Move("set to wait for the customer", OPEN, "waiting_customer"),
    "queue": Move("put back in the queue", ("ai_responded", "handoff", "in_progress", "waiting_customer"), "new"),
    "handoff": Move("handed to a person", OPEN, "handoff"),
    "return": Move("given back to the AI", OPEN, "new"),
    "resolve": Move("resolved", OPEN, "resolved"),
    "close": Move("closed", ("resolved",), "closed"),
    "reopen": Move("reopened", FINISHED, "in_progress", unassigned="new"),
    "ai_answer": Move("answered by AI", OPEN, "ai_responded", changes=("new",)),
    "agent_reply": Move("answered by an agent", OPEN, "waiting_customer"),
    "customer_reply": Move(
        "answered by the customer",
        STATUSES,
        "in_progress",
        unassigned="new",
        changes=("waiting_customer", *FINISHED),
    ),
}

TICKET_FIELDS: tuple[str, ...] = tuple(
    (
        "id number title description customer_email customer_id customer_name customer_tier source product tags "
        "status category priority priority_score urgency sentiment topic topic_confidence assigned_team assigned_to "
        "assigned_at ai_response ai_source ai_status ai_confidence ai_citations triage_source triage_reasons next_action "
        "resolution first_response_at first_response_due_at resolve_due_at sla_status resolved_at closed_at csat_score "
        "external_id incident_id merged_into links watchers snoozed_until expected_resolution_seconds "
        "expected_resolution_seconds_low expected_resolution_seconds_high version created_at updated_at"
    ).split()
)
# Of tickets in lists and events, services/tickets/last_messages.py.
LAST_MESSAGE_FIELDS = ("last_message", "last_message_by", "last_message_at")
STAFF_ONLY_FIELDS = frozenset(
    "priority_score topic topic_confidence assigned_to ai_confidence triage_source triage_reasons next_action links watchers "
    "snoozed_until incident_id".split()
)
# Actions of the history that customers may not see: an internal note, an internal file attached or removed.
NOTE_ADDED, INTERNAL_FILE = "note_added", "internal_file"
INTERNAL_ACTIONS = (NOTE_ADDED, INTERNAL_FILE)
CUSTOMER_TICKET_FIELDS = tuple(name for name in TICKET_FIELDS if name not in STAFF_ONLY_FIELDS)
ARTICLE_FIELDS = "id title body tags category status source version created_at updated_at".split()
REPLY_FIELDS = ["id", "ticket_id", "author_role", "author_name", "author_email", "body", "internal", "created_at"]
CUSTOMER_REPLY_FIELDS = [name for name in REPLY_FIELDS if name not in ("author_email", "internal")]
ATTACHMENT_FIELDS = "id ticket_id reply_id name content_type size author_role internal created_at".split()
CUSTOMER_ATTACHMENT_FIELDS = [name for name in ATTACHMENT_FIELDS if name != "internal"]
TransferKind = Literal["export", "import"]
TRANSFER_KINDS: tuple[str, ...] = get_args(TransferKind)
TRANSFER_STATES = ("uploading", "waiting", "running", "done", "failed", "stopped", "expired")
TRANSFER_FIELDS = "id kind state done total size created skipped rejected renumbered errors".split()
TRANSFER_FIELDS += ["created_at", "finished_at", "expires_at"]
AUDIT_FIELDS = "id action actor through said_by address subject subject_id field from to created_at".split()
USER_FIELDS = "id name email role team available capacity disabled second_factor invited_at created_at".split()
TEAM_FIELDS = "id key name members assignment built_in created_at updated_at".split()
RULE_FIELDS = "id position name conditions team priority tags problem created_at updated_at".split()
KEY_FIELDS = "id name prefix role scopes expires_at last_used_at created_at".split()
JOB_FIELDS = "id kind ticket_id state attempts last_error run_at".split()
WEBHOOK_FIELDS = "id name url events format active inactive_reason created_at updated_at".split()
DELIVERY_FIELDS = "id webhook_id event_id event ticket_id state attempts last_status last_error".split()
DELIVERY_FIELDS += ["next_try_at", "finished_at", "created_at"]
EVENT_FIELDS = ["id", "action", "actor", "said_by", "field", "from", "to", "created_at"]


def shape(row: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """The named fields of `row` in order, without those that are None."""
    return {name: value for name in fields if (value := row[name]) is not None}


def ticket_fields(actor: Actor) -> tuple[str, ...]:
    """The ticket fields this actor may see."""
    return CUSTOMER_TICKET_FIELDS if actor.is_customer else TICKET_FIELDS


def ticket_shape(row: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """A ticket with the fields this actor may see."""
    return shape(row, ticket_fields(actor))


def reply_shape(row: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """A reply with the fields this actor may see."""
    return shape(row, CUSTOMER_REPLY_FIELDS if actor.is_customer else REPLY_FIELDS)


def event_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of a ticket's history."""
    return shape({**row, "from": row["from_value"], "to": row["to_value"]}, EVENT_FIELDS)


def audit_shape(row: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of a company's audit."""
    return shape({**row, "from": row["from_value"], "to": row["to_value"]}, AUDIT_FIELDS)


def chart_rows(pairs: Mapping[str, int], keys: Iterable[str]) -> list[dict[str, Any]]:
    """Counts as rows of key, label and count, in the order of `keys`, zeros included."""
    return [{"key": key, "label": label(key), "count": pairs.get(key, 0)} for key in keys]


_LABELS = {
    "ai_responded": "AI responded",
    "waiting_customer": "Waiting for customer",
    "api": "API",
    "powerapps": "Power Apps",
    "email": "E-mail",
    "sla.at_risk": "Agreed time at risk",
    "sla.breached": "Agreed time missed",
    "csat.received": "Rating received",
}


def label(key: str) -> str:
    """The display name of an enumeration value: `in_progress` is `In progress`."""
    text = key.replace("_", " ").replace(".", " ")
    return _LABELS.get(key, text[:1].upper() + text[1:])
