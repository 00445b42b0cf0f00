"""Triage of a text for one company: words, the text classifier, the company's trained models and its topics."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ai.triage import cross_validation
from ai.triage.rules import Triage, overruled, triage
from ai.triage.scoring import Own
from core.models import CATEGORIES
from services import settings
from services.triage import topics
from services.triage.trained_models import OVERRULED, TrainedModels
from services.triage.training_examples import CATEGORY
from storage import Row, UnitOfWork


def prepare(trained_models: TrainedModels, rows: Sequence[Row]) -> None:
    """Encodes the texts of tickets before a unit of work begins, so that other writers do not wait for it."""
    if trained_models.embeddings:
        trained_models.embeddings.encode([f"{row['title']}. {row['description']}" for row in rows])


def decide(uow: UnitOfWork, trained_models: TrainedModels, title: str, description: str, *, tier: str) -> Triage:
    """The triage of a text of the actor's company, with its topic and team. Nothing is stored."""
    text = f"{title}. {description}"
    own = _own_scores(uow, trained_models, text)
    decision = triage(title, description, tier=tier, classifier=trained_models.text_classifier, own=own)
    predictions = {field: trained_models.predict(uow, field, text) for field in OVERRULED}
    decision = overruled(
        decision, {field: (own.label, own.number, own.similarity) for field, own in predictions.items() if own}
    )
    return _add_topic(uow, decision, topics.of_ticket(uow, trained_models, title, description))


def _add_topic(uow: UnitOfWork, decision: Triage, topic: topics.Topic) -> Triage:
    """Adds the topic. A confident topic decides the team that the setting topic_teams names for it."""
    # Only a confident topic needs the settings: nearly every ticket is triaged without a query.
    team = topics.team_of(topic, settings.current(uow)["topic_teams"]) if topic.sure else ""
    decision = replace(decision, topic=topic.name, topic_confidence=topic.confidence, topic_sure=topic.sure)
    if not team:
        return decision
    reason = f'team {team}: the topic "{topic.name}" ({topic.confidence:.0%} sure)'
    return replace(decision, assigned_team=team, topic_team=team, source="learned", reasons=(*decision.reasons, reason))


def _own_scores(uow: UnitOfWork, trained_models: TrainedModels, text: str) -> Own | None:
    """The category scores of the company's own model, if cross-validation showed a gain."""
    model = trained_models.get(uow, CATEGORY)
    if model is None or model.classifier is None or not model.weight:
        return None
    result = model.classifier.classify(text)
    scores = model.weight * cross_validation.category_columns(model.classifier.labels, np.array([result.scores]))[0]
    by_category = dict(zip(CATEGORIES, scores.tolist(), strict=True))
    return Own(by_category, model.numbers[result.nearest], result.similarity)
