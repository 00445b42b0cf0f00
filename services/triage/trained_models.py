"""Models trained on the examples of companies: one per company and field, held in memory.

A ticket that is opened only reads them: nothing waits for training. No model is used for another company.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ai.embeddings import Embeddings
from ai.triage import cross_validation
from ai.triage.rules import triage
from ai.triage.scoring import LIKE
from ai.triage.text_classifier import TextClassifier
from ai.triage.trainable_classifier import NO_THRESHOLD, TrainableClassifier
from core.models import TEAM_OF
from database.tables import tickets
from services.stats.forecast import ResolutionTimes
from services.triage import training_examples
from services.triage.training_examples import CATEGORY, FIELDS, QUICK, TEAM, TOPIC, Stamp
from storage import OpenUnitOfWork, Row, UnitOfWork

SIMILAR_COLUMNS = "id number customer_row title description category priority".split()
OVERRULED = ("priority", "sentiment", TEAM)  # fields in which a confident model overrules the rules
MAX_EXAMPLES = 30_000  # of all models together: about 60 MB
MAX_MODELS = 10_000  # the models without examples included

Key = tuple[str, str]  # company, field


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """The model of one field, trained on the examples as they were at `stamp`; `classifier` is None without usable examples.

    `numbers` holds each example's ticket number, 0 for an example that was sent as text. `weight` is the weight of the model
    against the built-in sentences, 0 when cross-validation showed no gain. From the confidence `threshold` on the model
    decides alone.
    """

    classifier: TrainableClassifier | None
    stamp: Stamp
    numbers: Sequence[int] = ()
    weight: float = 0.0
    threshold: float = NO_THRESHOLD


@dataclass(frozen=True, slots=True)
class Prediction:
    """A label with its confidence (0 to 1), and the number and similarity of the most similar ticket."""

    label: str
    confidence: float
    number: int
    similarity: float


class TrainedModels:
    """The embeddings of one server and the models it trained with them. Threads share it."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.embeddings = embeddings
        self.text_classifier = TextClassifier(embeddings) if embeddings else None
        self.resolution_times = ResolutionTimes()
        self._lock = threading.Lock()
        self._models: OrderedDict[Key, TrainedModel] = OrderedDict()
        self._training_locks: dict[Key, threading.Lock] = {}
        self._rule_results: dict[int, tuple[str, str]] = {}  # by the hash of a text: priority and sentiment
        self._missing_companies: dict[str, None] = {}  # in the order in which they were missed

    def get(self, uow: UnitOfWork, field: str) -> TrainedModel | None:
        """The model of a field of the actor's company, if there is one. A model never trained here is noted as missing."""
        company = uow.actor.company_id
        with self._lock:
            model = self._models.get((company, field))
            if model is None:
                self._missing_companies[company] = None
                return None
            self._models.move_to_end((company, field))
        return model if model.classifier else None

    def predict(self, uow: UnitOfWork, field: str, text: str) -> Prediction | None:
        """The label of a text, or None where the model may not decide alone."""
        model = self.get(uow, field)
        if model is None or model.classifier is None or model.threshold > 1:
            return None
        result = model.classifier.classify(text)
        place = int(result.probabilities.argmax())
        confidence = float(result.probabilities[place])
        if confidence < model.threshold or result.similarity < LIKE:
            return None
        label = model.classifier.labels[place]
        return Prediction(label, confidence, model.numbers[result.nearest], result.similarity)

    def train(self, open_uow: OpenUnitOfWork, field: str, *, wait: bool = True) -> TrainedModel:
        """Trains the model of a field unless its examples are unchanged. The unit of work must see the whole company.

        Without `wait`, returns the model there is rather than train on more than 300 examples.
        """
        with open_uow() as uow:
            key = uow.actor.company_id, field
            stamp, model = training_examples.stamp(uow, field), self._models.get(key)
        if model and (model.stamp == stamp or (not wait and stamp[0] > QUICK)):
            return model
        with self._training_lock(key):
            with open_uow() as uow:
                stamp, model = training_examples.stamp(uow, field), self._models.get(key)
                if model and model.stamp == stamp:
                    return model
                rows = training_examples.examples(uow, field) if self.embeddings else []
            model = self._fit(rows, field, stamp)
            self._store(key, model)
        return model

    def train_all(self, open_uow: OpenUnitOfWork) -> None:
        """Trains the models of a company whose examples changed."""
        for field in (*FIELDS, TOPIC):
            self.train(open_uow, field)

    def companies(self) -> set[str]:
        """The companies that have a model here, also one without examples."""
        with self._lock:
            return {company for company, _ in self._models}

    def pop_missing_companies(self) -> list[str]:
        """The companies whose models were missing since the last call."""
        with self._lock:
            companies = list(self._missing_companies)
            self._missing_companies.clear()
        return companies

    def clear(self) -> None:
        """Removes all models: another store was opened."""
        with self._lock:
            self._models.clear()
            self._missing_companies.clear()
        self.resolution_times.clear()

    def find_similar(self, uow: UnitOfWork, ticket: Row, *, most: int) -> list[Row]:
        """The most similar tickets whose category a person confirmed, the most similar first, with SIMILAR_COLUMNS.

        The unit of work must see the whole company.
        """
        model = self.get(uow, CATEGORY)
        if model is None or model.classifier is None:
            return []
        vector = self.embeddings.encode([f"{ticket['title']}. {ticket['description']}"])[0]
        similarity = model.classifier.vectors @ vector
        numbers = [model.numbers[place] for place in np.argsort(-similarity)[: most + 1] if similarity[place] >= LIKE]
        other_numbers = [number for number in numbers if number != ticket["number"]][:most]
        t = tickets.c
        query = uow.query(tickets, *(t[name] for name in SIMILAR_COLUMNS))
        rows = {row["number"]: row for row in uow.find(query.where(t.number.in_(other_numbers), t.erased_at.is_(None)))}
        return [rows[number] for number in other_numbers if number in rows]

    def _fit(self, rows: Sequence[Row], field: str, stamp: Stamp) -> TrainedModel:
        labels = [row["label"] for row in rows]
        if not rows or (field != TOPIC and len(set(labels)) < 2):
            return TrainedModel(None, stamp)
        rule_labels = [self._rule_label(row, field) for row in rows] if field in OVERRULED else []
        if rule_labels == labels:
            return TrainedModel(None, stamp)  # the rules decide the same
        texts = [row["text"] for row in rows]
        classifier = TrainableClassifier(self.embeddings, texts, labels)
        weight = 0.0
        if field == CATEGORY and self.text_classifier:
            weight = cross_validation.category_weight(classifier, self.text_classifier.category_scores(texts))
        threshold = cross_validation.find_threshold(classifier, rule_labels) if rule_labels else classifier.threshold
        return TrainedModel(classifier, stamp, [row["number"] for row in rows], weight, threshold)

    def _rule_label(self, row: Row, field: str) -> str:
        """The decision of the rules alone; the team follows from the category that people confirmed."""
        if field == TEAM:
            return TEAM_OF[row["category"]]
        text = row["title"], row["description"], row["customer_tier"]
        key = hash(text)
        if (result := self._rule_results.get(key)) is None:
            decision = triage(text[0], text[1], tier=text[2], classifier=self.text_classifier)
            if len(self._rule_results) >= MAX_EXAMPLES:
                self._rule_results.clear()
            result = self._rule_results[key] = decision.priority, decision.sentiment
        return result[OVERRULED.index(field)]

    def _store(self, key: Key, model: TrainedModel) -> None:
        """Keeps the model, and removes the least recently used ones beyond the limits."""
        with self._lock:
            self._models[key] = model
            self._models.move_to_end(key)
            examples = sum(len(model.numbers) for model in self._models.values())
            while len(self._models) > 1 and (examples > MAX_EXAMPLES or len(self._models) > MAX_MODELS):
                examples -= len(self._models.popitem(last=False)[1].numbers)

    def _training_lock(self, key: Key) -> threading.Lock:
        with self._lock:
            return self._training_locks.setdefault(key, threading.Lock())
