"""The fields of a ticket that its triage sets, as they are and as the company's routing changes them."""

from ai.triage.rules import Triage
from core.models import PRIORITY_RANK
from services import settings
from services.routing import matching, plan
from storage import Row, UnitOfWork


def routed(uow: UnitOfWork, ticket: Row, triage: Triage) -> Row:
    """The fields that a new triage of a ticket sets, as the company's routing changes them."""
    tag_topics = triage.topic_sure and settings.current(uow)["tag_topics"]
    return matching.apply(plan.current(uow), ticket, triage, of_triage(triage), tag_topics=tag_topics)


def of_triage(triage: Triage) -> Row:
    """The fields that a triage result sets. Without a new topic, the old topic stays."""
    topic = {"topic": triage.topic, "topic_confidence": triage.topic_confidence} if triage.topic else {}
    return {
        **topic,
        "category": triage.category,
        "priority": triage.priority,
        "priority_rank": PRIORITY_RANK[triage.priority],
        "priority_score": triage.priority_score,
        "urgency": triage.urgency,
        "sentiment": triage.sentiment,
        "assigned_team": triage.assigned_team,
        "triage_source": triage.source,
        "triage_reasons": list(triage.reasons),
        "category_confidence": triage.category_confidence,
        "next_action": triage.next_action,
    }
