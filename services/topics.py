"""A company's own labels: topics, taught by examples and told of every ticket."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func

from services import learning
from services.learning import TOPIC, Taught
from storage import Desk, Row
from tables import examples as table


@dataclass(frozen=True, slots=True)
class Topic:
    """What a text is about: "" when nothing was taught. `sure`: so clear that it may decide by itself."""

    name: str = ""
    confidence: float = 0.0
    sure: bool = False


def teach(desk: Desk, pairs: Sequence[tuple[str, str]]) -> int:
    """Adds examples, each a text and its topic; one that is known already is not added again. Tells how many are new."""
    chosen = desk.rows(table, table.c.text, table.c.label).where(
        table.c.field == TOPIC, table.c.text.in_([text for text, _ in pairs])
    )
    known = {(row["text"], row["label"]) for row in desk.find(chosen)}
    new = [pair for pair in dict.fromkeys(pairs) if pair not in known]
    desk.insert_many(
        table, [{"field": TOPIC, "text": text, "label": topic, "created_at": desk.now} for text, topic in new]
    )
    learning.ask_to_learn(desk)
    return len(new)


def forget(desk: Desk, pairs: Sequence[tuple[str, str]]) -> int:
    """Removes these examples, or all when none is named; tells how many."""
    gone = 0
    for text, topic in pairs:
        gone += desk.delete(table, table.c.field == TOPIC, table.c.text == text, table.c.label == topic)
    if not pairs:
        gone = desk.delete(table, table.c.field == TOPIC)
    learning.ask_to_learn(desk)
    return gone


def known(desk: Desk) -> list[Row]:
    """Every topic with how many examples it has, by name."""
    rows = desk.rows(table, table.c.label, func.count()).where(table.c.field == TOPIC).group_by(table.c.label)
    return [{"topic": topic, "examples": count} for topic, count in sorted(desk.aggregate(rows))]


def predict(desk: Desk, text: str) -> Topic:
    """What a text is about, by the examples as they are now."""
    return _told(learning.learn(desk, TOPIC), text)


def of_ticket(desk: Desk, title: str, description: str) -> Topic:
    """What a new ticket is about, by what was last learnt: nobody waits for learning."""
    return _told(learning.known(desk, TOPIC), f"{title}. {description}")


def _told(taught: Taught | None, text: str) -> Topic:
    if taught is None:
        return Topic()
    learner = taught.learner
    found = learner.find(text)
    place = int(found.chances.argmax())
    # A single topic is always the likeliest: how like its examples the text is says more.
    sure = float(found.chances[place]) if len(learner.labels) > 1 else max(0.0, found.likeness)
    return Topic(learner.labels[place], round(sure, 3), len(learner.labels) > 1 and sure >= learner.threshold)
