"""Looks for incidents after tickets were committed, and finishes answers to an incident that a crash interrupted."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from ai.arrays import Floats
from ai.embeddings import Embeddings
from ai.incidents import ALIKE
from core.errors import StoreUnavailable
from core.models import Actor
from jobs.runner import alone, in_batches
from services.incidents import actions, detection
from storage import Row, Storage

MOST_VECTORS = 20_000  # of all companies; about 30 MB
AT_ONCE = 20  # texts that are encoded in one go


class Search:
    """Looks at each company that has new tickets since the last time. After a start it looks at all of them once."""

    def __init__(self, storage: Callable[[], Storage], embeddings: Callable[[], Embeddings]) -> None:
        self._storage = storage
        self._embeddings = embeddings
        self._numbers: dict[str, int] = {}  # company -> its newest ticket number when it was looked at
        self._vectors: OrderedDict[str, Floats] = OrderedDict()  # by ticket id; no text is kept in memory

    def __call__(self) -> None:
        embeddings = self._embeddings()
        if embeddings.name not in ALIKE:
            return
        with self._storage().unit_of_work(None) as uow:
            numbers = detection.ticket_numbers(uow)
        for company_id, number in numbers.items():
            if self._numbers.get(company_id) != number:
                alone("The incidents of a company", partial(self._look, company_id, number, embeddings))

    def _look(self, company_id: str, number: int, embeddings: Embeddings) -> None:
        self._numbers[company_id] = number  # beforehand: what fails is logged once, not every few seconds
        try:
            is_new = self._find(Actor.system(company_id), embeddings)
        except StoreUnavailable:
            del self._numbers[company_id]
            raise
        if is_new:
            del self._numbers[company_id]  # the next time further tickets may join what was found

    def _find(self, actor: Actor, embeddings: Embeddings) -> bool:
        """Stores what is found among the company's tickets. Returns whether anything was."""
        storage = self._storage()
        with storage.unit_of_work(actor) as uow:
            state = detection.load(uow)
        if state is None:
            return False
        vectors = self._encoded(actor, state.ids(), embeddings)
        findings = detection.find(state, vectors, alike=ALIKE[embeddings.name])
        if findings:
            with storage.unit_of_work(actor, write=True) as uow:
                detection.store(uow, findings, least_customers=state.least_customers)
        return bool(findings)

    def _encoded(self, actor: Actor, ids: list[str], embeddings: Embeddings) -> dict[str, Floats]:
        """The vectors of tickets; those that are not in memory are read and encoded, a few at a time."""
        missing = [ticket_id for ticket_id in ids if ticket_id not in self._vectors]
        vectors = {ticket_id: self._vectors[ticket_id] for ticket_id in ids if ticket_id in self._vectors}
        for start in range(0, len(missing), AT_ONCE):
            with self._storage().unit_of_work(actor) as uow:
                texts = detection.texts(uow, missing[start : start + AT_ONCE])
            if texts:
                vectors |= zip(texts, embeddings.encode(list(texts.values())), strict=True)
        for ticket_id, vector in vectors.items():
            self._vectors[ticket_id] = vector
            self._vectors.move_to_end(ticket_id)
        while len(self._vectors) > MOST_VECTORS:
            self._vectors.popitem(last=False)
        return vectors


def resume(storage: Storage, job: Row) -> None:
    """Answers or resolves the tickets of an incident that a crash left out."""
    in_batches(storage, actions.actor_of(job), lambda uow: actions.run_some(uow, job["id"]))
