"""What this process learnt of what companies taught: heads by company and field, refitted in jobs, the oldest let go.

Asked while a ticket is opened, it asks the store nothing and waits for nobody; nothing here is asked across companies.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from ai import embeddings
from ai.triage import cross_validation
from ai.triage.rules import triage
from ai.triage.scoring import LIKE
from ai.triage.text_classifier import meaning_now
from ai.triage.trainable_classifier import NEVER, Learner
from core.models import TEAM_OF
from database.tables import tickets
from services.triage import training_examples
from services.triage.training_examples import CATEGORY, FIELDS, QUICK, TEAM, TOPIC, Stamp
from storage import Row, UnitOfWork

NEAREST = "id number customer_row title description category priority".split()  # what is read of a like ticket
OVERRULED = ("priority", "sentiment", TEAM)  # by own examples that are sure enough
MOST_HELD = 30_000  # examples of all companies together: about 60 MB
MOST_HEADS = 10_000  # and of companies that taught nothing

OpenUnitOfWork = Callable[[], AbstractContextManager[UnitOfWork]]
Key = tuple[str, str, str]  # company, field, tier


@dataclass(frozen=True, slots=True)
class Taught:
    """What was learnt of one field from the examples as they were at `stamp`; `learner` is None when there was nothing to learn.

    `numbers` are the numbers of the tickets the examples are from, 0 where they were given as texts. `weight` is what they
    count against the sentences every company starts with, 0 when leaving one out showed no gain; `threshold` is how sure
    they must be to decide by themselves.
    """

    learner: Learner | None
    stamp: Stamp
    tier: embeddings.Embeddings
    numbers: Sequence[int] = ()
    weight: float = 0.0
    threshold: float = NEVER


@dataclass(frozen=True, slots=True)
class Said:
    """What own examples say of a text: a label, how sure that is, and the ticket most like it with how like it is."""

    label: str
    sure: float
    number: int
    likeness: float


_lock = threading.Lock()
_held: OrderedDict[Key, Taught] = OrderedDict()
_learning: dict[Key, threading.Lock] = {}
_by_rule: dict[int, tuple[str, str]] = {}  # by the hash of a text: priority and sentiment
_asked_for: dict[str, None] = {}  # companies, in the order they were asked for


def known(uow: UnitOfWork, field: str) -> Taught | None:
    """What this process last learnt of a field of the actor's company, if anything; what it does not hold is asked for."""
    company = uow.actor.company_id
    key = company, field, embeddings.current().name
    with _lock:
        found = _held.get(key)
        if found is None:
            _asked_for[company] = None
            return None
        _held.move_to_end(key)
    return found if found.learner else None


def says(uow: UnitOfWork, field: str, text: str) -> Said | None:
    """What own examples say of a text where they may decide by themselves, or None."""
    taught = known(uow, field)
    if taught is None or taught.learner is None or taught.threshold > 1:
        return None
    found = taught.learner.find(text)
    place = int(found.chances.argmax())
    sure = float(found.chances[place])
    if sure < taught.threshold or found.likeness < LIKE:
        return None
    return Said(taught.learner.labels[place], sure, taught.numbers[found.nearest], found.likeness)


def learn(open_desk: OpenUnitOfWork, field: str, *, patient: bool = True) -> Taught | None:
    """What the examples of a field teach, trained now unless they are unchanged. The units of work see the whole company.

    Whoever is not `patient` gets what is known already rather than wait until many examples are learnt.
    """
    tier = embeddings.current()
    with open_desk() as uow:
        key = uow.actor.company_id, field, tier.name
        stamp, before = training_examples.stamp(uow, field), _held.get(key)
        if before and before.stamp == stamp and before.tier is tier:
            return before
        if before and not patient and stamp[0] > QUICK:
            return before
    with _one_at_a_time(key):
        with open_desk() as uow:
            stamp, before = training_examples.stamp(uow, field), _held.get(key)
            if before and before.stamp == stamp and before.tier is tier:
                return before
            rows = training_examples.examples(uow, field) if tier else []
        found = _fitted(rows, field, stamp, tier)
        _hold(key, found)
    return found


def learn_all(open_desk: OpenUnitOfWork) -> None:
    """The job: learns whatever changed in a company."""
    for field in (*FIELDS, TOPIC):
        learn(open_desk, field)


def held() -> set[str]:
    """The companies of which something was learnt here."""
    with _lock:
        return {company for company, _, _ in _held}


def asked_for() -> list[str]:
    """The companies that were asked for here and of which nothing is held. Told once."""
    with _lock:
        companies = list(_asked_for)
        _asked_for.clear()
    return companies


def forget_all() -> None:
    """What was learnt belongs to the store it was learnt from: another one is opened."""
    with _lock:
        _held.clear()
        _asked_for.clear()


def nearest(uow: UnitOfWork, ticket: Row, *, most: int) -> list[Row]:
    """The company's tickets most like this one whose category a person saw, the most similar first: the named columns.

    The unit of work must see the whole company.
    """
    taught = known(uow, CATEGORY)
    if taught is None or taught.learner is None:
        return []
    vector = taught.learner.encoder.encode([f"{ticket['title']}. {ticket['description']}"])[0]
    likeness = taught.learner.vectors @ vector
    numbers = [taught.numbers[place] for place in np.argsort(-likeness)[: most + 1] if likeness[place] >= LIKE]
    others = [number for number in numbers if number != ticket["number"]][:most]
    t = tickets.c
    chosen = uow.query(tickets, *(t[name] for name in NEAREST)).where(t.number.in_(others), t.erased_at.is_(None))
    rows = {row["number"]: row for row in uow.find(chosen)}
    return [rows[number] for number in others if number in rows]


def _fitted(rows: Sequence[Row], field: str, stamp: Stamp, tier: embeddings.Embeddings) -> Taught:
    nothing = Taught(None, stamp, tier)
    labels = [row["label"] for row in rows]
    if not rows or (field != TOPIC and len(set(labels)) < 2):
        return nothing
    ruled = [_ruled(row, field, tier.name) for row in rows] if field in OVERRULED else []
    if ruled == labels:
        return nothing  # the rules say the same
    learner = Learner(tier, [row["text"] for row in rows], labels)
    weight = cross_validation.category_weight(learner, meaning_now()) if field == CATEGORY else 0.0
    threshold = cross_validation.from_where(learner, ruled) if ruled else learner.threshold
    return Taught(learner, stamp, tier, [row["number"] for row in rows], weight, threshold)


def _ruled(row: Row, field: str, tier: str) -> str:
    """What is decided without own examples: by the rules, and of the team by the category that people left standing."""
    if field == TEAM:
        return TEAM_OF[row["category"]]
    text = row["title"], row["description"], row["customer_tier"]
    key = hash((*text, tier))
    if (found := _by_rule.get(key)) is None:
        decided = triage(text[0], text[1], tier=text[2], meaning=meaning_now())
        if len(_by_rule) >= MOST_HELD:
            _by_rule.clear()
        found = _by_rule[key] = decided.priority, decided.sentiment
    return found[OVERRULED.index(field)]


def _hold(key: Key, found: Taught) -> None:
    with _lock:
        _held[key] = found
        _held.move_to_end(key)
        many = sum(len(taught.numbers) for taught in _held.values())
        while len(_held) > 1 and (many > MOST_HELD or len(_held) > MOST_HEADS):
            many -= len(_held.popitem(last=False)[1].numbers)


def _one_at_a_time(key: Key) -> threading.Lock:
    with _lock:
        return _learning.setdefault(key, threading.Lock())
