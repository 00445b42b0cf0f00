"""Where a ticket would go by triage and the routing rules, without storing anything."""

from core.models import TEAM_OF
from database.tables import companies
from services import settings
from services.routing import matching, plan
from services.triage import decide
from services.triage.trained_models import TrainedModels
from storage import Row, UnitOfWork


def preview(uow: UnitOfWork, trained_models: TrainedModels, fields: Row) -> Row:
    """Team, priority, tags, rule and reasons of a ticket with these fields: title and description, and perhaps others.

    A category or priority that is given counts as set by a person, as in a new ticket.
    """
    ticket = {"customer_tier": "standard", "source": "api", "tags": [], **fields}
    triage = decide.decide(uow, trained_models, ticket["title"], ticket["description"], tier=ticket["customer_tier"])
    values: Row = {name: getattr(triage, name) for name in ("category", "priority", "assigned_team", "topic")}
    human: Row = {name: fields[name] for name in ("category", "priority") if name in fields}
    values |= human
    if "category" in human:
        values["assigned_team"] = TEAM_OF[values["category"]]
    company = uow.get(companies, uow.actor.company_id) or {"settings": {}, "routing_stamp": ""}
    facts = matching.facts_of(ticket, values)
    decision = matching.decide(
        plan.of_company(uow, company),
        facts,
        values,
        risk=triage.risk,
        topic_tag=matching.topic_reason(triage) if settings.of_company(company)["tag_topics"] else "",
        human=human,
    )
    return {
        "team": decision.team,
        "priority": decision.priority,
        "tags": [*ticket["tags"], *decision.tags],
        "rule_id": decision.rule.id if decision.rule else "",
        "category": values["category"],
        "topic": values["topic"],
        "language": facts.language,
        "reasons": [*decision.reasons, *triage.reasons],
    }
