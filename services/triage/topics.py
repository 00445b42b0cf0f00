"""A company's own labels: topics, taught by examples and told of every ticket, and the teams that surely known ones go to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.sql.elements import ColumnElement

from database.tables import examples as table
from services.history import Change, record
from services.triage import training_examples
from services.triage.trained_models import OpenUnitOfWork, TrainedModel, TrainedModels
from services.triage.training_examples import TOPIC
from storage import Row, UnitOfWork

LEAST = 0.1  # how sure a topic must be for a ticket to carry it; below this it is a guess among many
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text is about: "" when nothing was taught. `sure`: so clear that it may decide by itself."""

    name: str = ""
    confidence: float = 0.0
    sure: bool = False


def folded(topic: str) -> str:
    """A topic in the one form by which two are the same, whatever the case they are written in."""
    return topic.casefold()


def teach(uow: UnitOfWork, pairs: Pairs) -> int:
    """Adds examples, each a text and its topic; one that is known already is not added again. Tells how many are new.

    A topic is written as it was the first time, whatever the case it is written in now.
    """
    spelled: dict[str, str] = {}
    for topic in [*(row["topic"] for row in known(uow)), *(topic for _, topic in pairs)]:
        spelled.setdefault(folded(topic), topic)
    wanted = dict.fromkeys((text, spelled[folded(topic)]) for text, topic in pairs)
    chosen = uow.query(table, table.c.text, table.c.label).where(
        table.c.field == TOPIC, table.c.text.in_({text for text, _ in wanted})
    )
    there = {(row["text"], row["label"]) for row in uow.find(chosen)}
    new = [
        {"field": TOPIC, "text": text, "label": topic, "created_at": uow.now}
        for text, topic in wanted
        if (text, topic) not in there
    ]
    uow.insert_many(table, new)
    _changed(uow, "topics_taught", len(new))
    return len(new)


def forget(uow: UnitOfWork, pairs: Pairs) -> int:
    """Removes these examples, whatever the case their topics are written in; tells how many."""
    wanted = {(text, folded(topic)) for text, topic in pairs}
    # Which topics are the same is said here alone: each engine has its own idea of case.
    chosen = uow.query(table, table.c.id, table.c.text, table.c.label).where(
        table.c.field == TOPIC, table.c.text.in_({text for text, _ in wanted})
    )
    named = [row["id"] for row in uow.find(chosen) if (row["text"], folded(row["label"])) in wanted]
    return _forgotten(uow, table.c.id.in_(named))


def forget_all(uow: UnitOfWork) -> int:
    """Removes every example of a topic; tells how many."""
    return _forgotten(uow, table.c.field == TOPIC)


def _forgotten(uow: UnitOfWork, which: ColumnElement[bool]) -> int:
    gone = uow.delete(table, which)
    _changed(uow, "topics_forgotten", gone)
    return gone


def _changed(uow: UnitOfWork, action: str, count: int) -> None:
    """Puts on record that it was done, by how many examples; never what they say."""
    if count:
        record(uow, uow.actor.company_id, [Change(action, "examples", "", count)], subject="company")
        training_examples.enqueue_training(uow)


def known(uow: UnitOfWork) -> list[Row]:
    """Every topic with how many examples it has, by name."""
    rows = uow.query(table, table.c.label, func.count()).where(table.c.field == TOPIC).group_by(table.c.label)
    return [{"topic": topic, "examples": count} for topic, count in sorted(uow.aggregate(rows))]


def predict(open_uow: OpenUnitOfWork, trained_models: TrainedModels, text: str) -> Topic:
    """The topic of a text, by the current examples; with more than 300 of them, by those trained last."""
    return _predict(trained_models.train(open_uow, TOPIC, wait=False), text)


def of_ticket(uow: UnitOfWork, trained_models: TrainedModels, title: str, description: str) -> Topic:
    """The topic of a new ticket, by the model trained last: a ticket does not wait for training."""
    topic = _predict(trained_models.get(uow, TOPIC), f"{title}. {description}")
    return topic if topic.confidence >= LEAST else Topic()


def team_of(topic: Topic, teams: Sequence[Row]) -> str:
    """The team a ticket of this topic goes to by itself, "" when none is named or the topic is not sure enough."""
    named = {folded(row["topic"]): str(row["team"]) for row in teams}
    return named.get(folded(topic.name), "") if topic.sure else ""


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
