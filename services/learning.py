"""What a company taught: examples from what its people decided, learnt in a job and held in this process.

Only people's decisions become examples, never what a customer writes; nothing here is asked across companies.
"""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Select, func

import embeddings
import jobs
from models import CATEGORIES
from services.learner import Learner, chances
from services.meaning import Floats, meaning_now
from services.weighing import LIKE
from storage import Desk, Row
from tables import examples as table
from tables import tickets

LANE = "learn"
SHOWN = ("title", "category", "priority")  # of a like ticket, to the model
FIELDS = ("category", "priority", "sentiment", "assigned_team")
TOPIC, CATEGORY = "topic", "category"
MOST = 3_000  # examples looked at: the newest
WEIGHTS = (0.5, 1.0, 2.0)  # what the company's own examples may count against the sentences every company starts with

CLEARLY = 1.0  # standard errors that what own examples gain must exceed
WARMTHS = (0.08, 0.12, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class Taught:
    """What was learnt of one field from the examples as they were at `stamp`.

    `numbers` are the numbers of the tickets the examples are from, 0 where they were given as texts; `weight` is what they
    count against the sentences every company starts with, 0 when leaving one out showed no gain.
    """

    learner: Learner
    numbers: Sequence[int]
    stamp: tuple[int, str]
    weight: float = 1.0


_lock = threading.Lock()
_taught: dict[tuple[str, str, str], Taught | None] = {}


def known(desk: Desk, field: str) -> Taught | None:
    """What this process last learnt of a field of the actor's company; asks the store nothing."""
    return _taught.get(_key(desk, field))


def learn(desk: Desk, field: str) -> Taught | None:
    """What the examples of a field teach, learnt now unless they are as they were; None when there are none to learn from.

    Ask at a desk that sees the whole company.
    """
    tier, key = embeddings.current(), _key(desk, field)
    if not tier:
        return None
    stamp = _stamp(desk, field)
    before = _taught.get(key)
    if before and before.stamp == stamp and before.learner.encoder is tier:
        return before
    rows = _examples(desk, field)
    found = None
    if rows and (field == TOPIC or len({row["label"] for row in rows}) > 1):
        learner = Learner(tier, [row["text"] for row in rows], [row["label"] for row in rows])
        weight = _weight(learner) if field == CATEGORY else 1.0
        found = Taught(learner, [row["number"] or 0 for row in rows], stamp, weight)
    with _lock:
        _taught[key] = found
    return found


def learn_all(desk: Desk) -> None:
    """The job: learns whatever changed in the actor's company."""
    for field in (CATEGORY, TOPIC):
        learn(desk, field)


def nearest(desk: Desk, ticket: Row, *, most: int = 3) -> list[Row]:
    """The company's tickets most like this one whose category a person saw: title, category and priority, the likest first.

    Ask at a desk that sees the whole company.
    """
    taught = known(desk, CATEGORY)
    if taught is None:
        return []
    vector = taught.learner.encoder.encode([f"{ticket['title']}. {ticket['description']}"])[0]
    likeness = taught.learner.vectors @ vector
    numbers = [taught.numbers[place] for place in np.argsort(-likeness)[: most + 1] if likeness[place] >= LIKE]
    wanted = [number for number in numbers if number != ticket["number"]][:most]
    chosen = desk.rows(tickets, tickets.c.number, tickets.c.title, tickets.c.category, tickets.c.priority)
    found = {
        row["number"]: row
        for row in desk.find(chosen.where(tickets.c.number.in_(wanted), tickets.c.erased_at.is_(None)))
    }
    return [{name: found[number][name] for name in SHOWN} for number in wanted if number in found]


def ask_to_learn(desk: Desk) -> None:
    """Asks for it as a job of the same unit of work, unless one waits already."""
    if not jobs.waiting(desk, LANE, "learn"):
        jobs.enqueue(desk, [jobs.Job(LANE, "learn")])


def corrected(desk: Desk, ticket: Row, changes: Row) -> None:
    """A person changed what triage had decided: what they chose is an example."""
    if desk.actor.is_customer:
        return
    for field in FIELDS:
        if field in changes:
            _keep(desk, ticket, field, str(changes[field]))
    if any(field in changes for field in FIELDS):
        ask_to_learn(desk)


def confirmed(desk: Desk, ticket: Row) -> None:
    """A person resolved a ticket and left its triage as it is: that is an example too."""
    if desk.actor.is_customer:
        return
    for field in FIELDS:
        _keep(desk, ticket, field, str(ticket[field]))
    ask_to_learn(desk)


def _keep(desk: Desk, ticket: Row, field: str, label: str) -> None:
    """One example per ticket and field: the last word, beside what triage had said first."""
    mine = desk.rows(table).where(table.c.ticket_id == ticket["id"], table.c.field == field)
    if before := desk.first(mine):
        desk.update(table, before["id"], {"label": label, "created_at": desk.now})
        return
    by_person = ticket["triage_source"] == "human" and label == ticket[field]
    values = {"decided": "" if by_person else str(ticket[field]), "label": label, "field": field}
    if field == CATEGORY:
        values["confidence"] = ticket["category_confidence"]
    desk.insert(table, {**values, "ticket_id": ticket["id"], "created_at": desk.now})


def _key(desk: Desk, field: str) -> tuple[str, str, str]:
    return desk.actor.company_id, field, embeddings.current().name


def forget_all() -> None:
    """What was learnt belongs to the store it was learnt from: another one is opened."""
    with _lock:
        _taught.clear()


def _stamp(desk: Desk, field: str) -> tuple[int, str]:
    """Changes whenever an example is added, removed, erased or gets another label, which makes it the newest."""
    ((count, last),) = desk.aggregate(_usable(desk, field, func.count(), func.max(table.c.created_at)))
    return count, last or ""


def _usable(desk: Desk, field: str, *columns: Any) -> Select[Any]:
    """The examples of a field; of erased tickets nothing is left to learn from."""
    joined = desk.rows(table, *columns).join_from(table, tickets, table.c.ticket_id == tickets.c.id, isouter=True)
    return joined.where(table.c.field == field, tickets.c.erased_at.is_(None))


def _examples(desk: Desk, field: str) -> list[Row]:
    """The newest examples with their texts, oldest first."""
    columns = (table.c.label, table.c.text, tickets.c.number, tickets.c.title, tickets.c.description)
    newest = _usable(desk, field, *columns).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(MOST)
    rows = desk.find(newest)[::-1]
    for row in rows:
        row["text"] = row["text"] or f"{row['title']}. {row['description']}"
    return rows


def _weight(learner: Learner) -> float:
    """What own examples may count: chosen on examples left out, and nothing unless they clearly decide better with it."""
    meaning = meaning_now()
    if meaning is None:
        return 0.0
    right = spread(learner.labels, learner.wanted).argmax(1)
    start, own = meaning.category(learner.vectors), spread(learner.labels, learner.left_out)
    rows = np.arange(len(right))

    def surprise(weight: float) -> Floats:
        scores = start + weight * own
        # Each at the warmth that suits it: else mere noise would seem to help where the start is too sure of itself.
        return min((-np.log(chances(scores, warmth)[rows, right]) for warmth in WARMTHS), key=np.mean)

    def hits(weight: float) -> int:
        return int(((start + weight * own).argmax(1) == right).sum())

    best = min(WEIGHTS, key=lambda weight: float(surprise(weight).mean()))
    gain = surprise(0) - surprise(best)
    clear = gain.mean() > CLEARLY * gain.std() / len(gain) ** 0.5
    return best if clear and hits(best) >= hits(0) else 0.0


def spread(labels: Iterable[str], scores: Floats) -> Floats:
    """Scores of some labels as columns of all categories."""
    found = np.zeros((len(scores), len(CATEGORIES)))
    for place, label in enumerate(labels):
        if label in CATEGORIES:
            found[:, CATEGORIES.index(label)] = scores[:, place]
    return found
