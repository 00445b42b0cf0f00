"""Triage as the company at hand gets it: the words, the meaning by the tier of this process, and what the company taught."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ai.triage import cross_validation
from ai.triage.rules import Triage, overruled, triage
from ai.triage.scoring import Own
from ai.triage.text_classifier import meaning_now
from core.models import CATEGORIES
from services import settings
from services.triage import topics, trained_models
from services.triage.training_examples import CATEGORY
from storage import Row, UnitOfWork


def prepare(rows: Sequence[Row]) -> None:
    """Finds out what tickets mean before a unit of work begins, in which others would wait for it; `decide` remembers it."""
    if meaning := meaning_now():
        meaning.encoder.encode([f"{row['title']}. {row['description']}" for row in rows])


def decide(uow: UnitOfWork, title: str, description: str, *, tier: str) -> Triage:
    """The whole decision about a text of the actor's company, its topic and where that leads included; nothing is stored."""
    text = f"{title}. {description}"
    found = triage(title, description, tier=tier, meaning=meaning_now(), own=_own(uow, text))
    said = {field: says for field in trained_models.OVERRULED if (says := trained_models.says(uow, field, text))}
    found = overruled(found, {field: (one.label, one.number, one.likeness) for field, one in said.items()})
    return _routed(uow, found, topics.of_ticket(uow, title, description))


def _routed(uow: UnitOfWork, found: Triage, topic: topics.Topic) -> Triage:
    """A triage with its topic, which also decides the team where it is sure enough and the company named one for it."""
    told = replace(found, topic=topic.name, topic_confidence=topic.confidence)
    # The settings are read only where they count: nearly every ticket asks the store nothing here.
    team = topics.team_of(topic, settings.current(uow)["topic_teams"]) if topic.sure else ""
    if not team:
        return told
    reason = f'team {team}: the topic "{topic.name}" ({topic.confidence:.0%} sure)'
    return replace(told, assigned_team=team, topic_team=team, source="learned", reasons=(*found.reasons, reason))


def _own(uow: UnitOfWork, text: str) -> Own | None:
    """What the company's own tickets say of a text, where they were found to decide better."""
    known = trained_models.known(uow, CATEGORY)
    if known is None or known.learner is None or not known.weight:
        return None
    found = known.learner.find(text)
    scores = known.weight * cross_validation.spread(known.learner.labels, np.array([found.scores]))[0]
    return Own(dict(zip(CATEGORIES, scores.tolist(), strict=True)), known.numbers[found.nearest], found.likeness)
