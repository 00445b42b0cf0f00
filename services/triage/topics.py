"""Topics: a company's own labels, trained on its examples and predicted for each ticket, and the teams of topics."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.sql.elements import ColumnElement

from database.tables import examples as table
from services.history import Change, record
from services.triage import training_examples
from services.triage.trained_models import TrainedModel, TrainedModels
from services.triage.training_examples import TOPIC
from storage import OpenUnitOfWork, Row, UnitOfWork

LEAST = 0.1  # how sure a topic must be for a ticket to carry it; below this it is a guess among many
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text is about: "" when nothing was taught. `sure`: so clear that it may decide by itself."""

    name: str = ""
    confidence: float = 0.0
    sure: bool = False


def folded(topic: str) -> str:
    """The form of a topic in which two topics are compared: case does not matter."""
    return topic.casefold()


def teach(uow: UnitOfWork, pairs: Pairs) -> int:
    """Adds examples, each a text and its topic, and returns how many were new. Existing examples are not added again.

    A topic keeps the case of its first example.
    """
    spelling: dict[str, str] = {}
    for topic in [*(row["topic"] for row in list_topics(uow)), *(topic for _, topic in pairs)]:
        spelling.setdefault(folded(topic), topic)
    examples = dict.fromkeys((text, spelling[folded(topic)]) for text, topic in pairs)
    query = uow.query(table, table.c.text, table.c.label).where(
        table.c.field == TOPIC, table.c.text.in_({text for text, _ in examples})
    )
    existing = {(row["text"], row["label"]) for row in uow.find(query)}
    rows = [
        {"field": TOPIC, "text": text, "label": topic, "created_at": uow.now}
        for text, topic in examples
        if (text, topic) not in existing
    ]
    uow.insert_many(table, rows)
    _record_change(uow, "topics_taught", len(rows))
    return len(rows)


def forget(uow: UnitOfWork, pairs: Pairs) -> int:
    """Removes these examples and returns how many. The case of a topic does not matter."""
    examples = {(text, folded(topic)) for text, topic in pairs}
    # Topics are compared here and not in SQL, because the engines differ in case folding.
    query = uow.query(table, table.c.id, table.c.text, table.c.label).where(
        table.c.field == TOPIC, table.c.text.in_({text for text, _ in examples})
    )
    ids = [row["id"] for row in uow.find(query) if (row["text"], folded(row["label"])) in examples]
    return _delete_examples(uow, table.c.id.in_(ids))


def forget_all(uow: UnitOfWork) -> int:
    """Removes all examples of topics and returns how many."""
    return _delete_examples(uow, table.c.field == TOPIC)


def _delete_examples(uow: UnitOfWork, condition: ColumnElement[bool]) -> int:
    count = uow.delete(table, condition)
    _record_change(uow, "topics_forgotten", count)
    return count


def _record_change(uow: UnitOfWork, action: str, count: int) -> None:
    """Records the change and the number of examples, not their texts, and enqueues training."""
    if count:
        record(uow, uow.actor.company_id, [Change(action, "examples", "", count)], subject="company")
        training_examples.enqueue_training(uow)


def list_topics(uow: UnitOfWork) -> list[Row]:
    """Every topic with the number of its examples, sorted by name."""
    rows = uow.query(table, table.c.label, func.count()).where(table.c.field == TOPIC).group_by(table.c.label)
    return [{"topic": topic, "examples": count} for topic, count in sorted(uow.aggregate(rows))]


def predict(open_uow: OpenUnitOfWork, trained_models: TrainedModels, text: str) -> Topic:
    """The topic of a text. With up to 300 examples the model is trained first, with more the last model is used."""
    return _predict(trained_models.train(open_uow, TOPIC, wait=False), text)


def of_ticket(uow: UnitOfWork, trained_models: TrainedModels, title: str, description: str) -> Topic:
    """The topic of a new ticket, by the last trained model: a ticket does not wait for training."""
    topic = _predict(trained_models.get(uow, TOPIC), f"{title}. {description}")
    return topic if topic.confidence >= LEAST else Topic()


def team_of(topic: Topic, teams: Sequence[Row]) -> str:
    """The team that a ticket of this topic is assigned to, "" without one or if the topic is not sure enough."""
    team_by_topic = {folded(row["topic"]): str(row["team"]) for row in teams}
    return team_by_topic.get(folded(topic.name), "") if topic.sure else ""


def _predict(model: TrainedModel | None, text: str) -> Topic:
    if model is None or model.classifier is None:
        return Topic()
    classifier = model.classifier
    result = classifier.classify(text)
    place = int(result.probabilities.argmax())
    # A single topic always has probability 1: the similarity to its examples says more.
    several = len(classifier.labels) > 1
    confidence = float(result.probabilities[place]) if several else max(0.0, result.similarity)
    sure = several and confidence >= model.threshold and result.similarity >= classifier.usual_similarity
    return Topic(classifier.labels[place], round(confidence, 3), sure)
