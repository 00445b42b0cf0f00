"""Indexes of texts of companies in memory: each follows its rows in the caller's own unit of work, and encodes in the background.

What is indexed is a `Source`: articles, or the resolved tickets of the copilot.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

from ai.retrieval.index import Article, ArticleIndex, Encodes, Hit
from database.search.words import find_stems, words_in_order
from storage import UnitOfWork

MOST_INDEXES = 200  # companies with an index in memory, those that asked last
ENCODE_SECONDS = 0.1  # of one search, for passages without a vector
QUICK = 20  # changed texts that a new ticket waits for

Stamp = tuple[int, str]


class Source(Protocol):
    """The rows of which an index is made. They are those that the caller sees."""

    def stamp(self, uow: UnitOfWork) -> Stamp:
        """Changes with every change of the rows."""
        ...

    def versions(self, uow: UnitOfWork) -> Mapping[str, int]:
        """The version of each row by id."""
        ...

    def read(self, uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Article]:
        """The texts of these rows, without those that are gone."""
        ...


def terms(text: str) -> list[str]:
    """The words of a text in their basic form, in order."""
    words = words_in_order(text)
    stems = find_stems(words)
    return [stems.get(word, word) for word in words]


class CompanyIndex:
    """The index of one company and the state of its rows that it shows."""

    def __init__(self, embeddings: Encodes, source: Source) -> None:
        self.index = ArticleIndex(embeddings, terms)
        self._source = source
        self._stamp: Stamp = (0, "")
        self._lock = threading.Lock()

    def follow(self, uow: UnitOfWork, *, wait: bool = True) -> bool:
        """Brings the index to the state of the rows. Returns whether it shows it.

        Without `wait` it does so only for a few changed rows, and never behind another thread.
        """
        stamp = self._source.stamp(uow)
        if stamp == self._stamp:
            return True
        if not self._lock.acquire(blocking=wait):
            return False
        try:
            versions = self._source.versions(uow)
            indexed = self.index.versions
            changed = [row_id for row_id, version in versions.items() if indexed.get(row_id) != version]
            if not wait and len(changed) > QUICK:
                return False
            texts = self._source.read(uow, changed)
            gone = (indexed.keys() - versions.keys()) | ({*changed} - texts.keys())
            self.index.update(texts, gone)
            self._stamp = stamp
        finally:
            self._lock.release()
        return True

    @property
    def is_encoded(self) -> bool:
        """Whether every passage has a vector."""
        return self.index.is_encoded

    def find(self, question: str, count: int) -> list[Hit]:
        """The best passages for a question. Passages without a vector get one first, for a moment."""
        self.index.encode(seconds=ENCODE_SECONDS)
        return self.index.search(question, count)


class CompanyIndexes:
    """The indexes of one source, of all companies in one process."""

    def __init__(self, embeddings: Encodes, source: Source) -> None:
        self._embeddings, self._source = embeddings, source
        self._indexes: OrderedDict[str, CompanyIndex] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, company_id: str) -> CompanyIndex:
        """The index of a company."""
        with self._lock:
            if company_id not in self._indexes:
                self._indexes[company_id] = CompanyIndex(self._embeddings, self._source)
            self._indexes.move_to_end(company_id)
            while len(self._indexes) > MOST_INDEXES:
                self._indexes.popitem(last=False)
            return self._indexes[company_id]

    def encode(self, *, seconds: float) -> None:
        """Encodes passages that have no vector yet, for about this time."""
        with self._lock:
            indexes = list(self._indexes.values())
        ends = time.monotonic() + seconds
        for company in indexes:
            company.index.encode(seconds=max(0.0, ends - time.monotonic()))
