"""Finds the passages of a company's published articles that answer a question.

Each process keeps an index per company in memory. Before each search it is compared with the published articles that the caller
sees. So it answers from no draft, no deleted article and no other company.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import func

from ai.embeddings import Embeddings
from ai.retrieval.index import ANSWER_SCORE, Article, ArticleIndex, Hit
from database.search.words import find_stems, words_in_order
from database.tables import articles as table
from storage import Row, UnitOfWork

MOST_INDEXES = 200  # companies with an index in memory, those that asked last
ENCODE_SECONDS = 0.1  # of one search, for passages without a vector
BACKGROUND_SECONDS = 5.0  # of one round of the background thread
READ_AT_ONCE = 500  # articles
QUICK = 20  # changed articles that a new ticket waits for
MOST_QUESTION = 2_000  # characters of a ticket that are searched for

MOST_PASSAGES = 3  # that an answer rests on

Stamp = tuple[int, str]
OpenUnitOfWork = Callable[[str], AbstractContextManager[UnitOfWork]]
log = logging.getLogger("foyer.knowledge")


def good_enough(hits: Sequence[Hit]) -> Hit | None:
    """The best of these passages, if it answers well enough to be sent to a customer."""
    return hits[0] if hits and hits[0].score >= ANSWER_SCORE and hits[0].passage else None


def terms(text: str) -> list[str]:
    """The words of a text in their basic form, in order."""
    words = words_in_order(text)
    stems = find_stems(words)
    return [stems.get(word, word) for word in words]


class _CompanyIndex:
    """The index of one company and the state of its articles that it shows."""

    def __init__(self, embeddings: Embeddings) -> None:
        self.index = ArticleIndex(embeddings, terms)
        self.stamp: Stamp = (0, "")
        self.lock = threading.Lock()

    def follow(self, uow: UnitOfWork, *, wait: bool = True) -> bool:
        """Brings the index to the state of the published articles. Returns whether it shows it.

        Without `wait` it does so only for a few changed articles, and never behind another thread.
        """
        stamp = _stamp(uow)
        if stamp == self.stamp:
            return True
        if not self.lock.acquire(blocking=wait):
            return False
        try:
            rows = uow.find(uow.query(table, table.c.id, table.c.version).where(table.c.status == "published"))
            versions = {row["id"]: row["version"] for row in rows}
            indexed = self.index.versions
            changed = [row_id for row_id, version in versions.items() if indexed.get(row_id) != version]
            if not wait and len(changed) > QUICK:
                return False
            articles = _read(uow, changed)
            gone = (indexed.keys() - versions.keys()) | ({*changed} - articles.keys())
            self.index.update(articles, gone)
            self.stamp = stamp
        finally:
            self.lock.release()
        return True

    def find(self, question: str, count: int) -> list[Hit]:
        """The best passages for a question. Passages without a vector get one first, for a moment."""
        self.index.encode(seconds=ENCODE_SECONDS)
        return self.index.search(question, count)


class Knowledge:
    """The indexes of all companies in one process."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._embeddings = embeddings
        self._indexes: OrderedDict[str, _CompanyIndex] = OrderedDict()
        self._behind: set[str] = set()  # companies whose tickets did not wait for the index
        self._lock = threading.Lock()

    def search(self, uow: UnitOfWork, question: str, count: int, *, wait: bool = True) -> list[Hit]:
        """The best passages of the actor's company for a question, at most one of each article, the best first.

        Without `wait` there are none while many articles are not indexed yet.
        """
        company = self._of_company(uow.actor.company_id)
        if not company.follow(uow, wait=wait):
            self._behind.add(uow.actor.company_id)
            return []
        return company.find(question, count)

    def for_ticket(self, uow: UnitOfWork, ticket: Row, *, wait: bool = True) -> list[Hit]:
        """The best passages for a ticket (its `title` and `description`), the best first.

        Without `wait` there are none while many articles are not indexed yet. Never raises: a ticket does not fail for it.
        """
        question = f"{ticket['title']}. {ticket['description']}"[:MOST_QUESTION]
        try:
            return self.search(uow, question, MOST_PASSAGES, wait=wait)
        except Exception as error:  # its text may quote the customer
            log.error("No article was looked for: %s", type(error).__name__)
            return []

    def catch_up(self, open_uow: OpenUnitOfWork) -> None:
        """Indexes what tickets did not wait for, then encodes passages for some seconds.

        `open_uow` opens a unit of work of a company. Until it has a vector, a passage is found by its words.
        """
        while self._behind:
            company_id = self._behind.pop()
            with open_uow(company_id) as uow:
                self._of_company(company_id).follow(uow)
        with self._lock:
            indexes = list(self._indexes.values())
        ends = time.monotonic() + BACKGROUND_SECONDS
        for company in indexes:
            company.index.encode(seconds=max(0.0, ends - time.monotonic()))

    def _of_company(self, company_id: str) -> _CompanyIndex:
        with self._lock:
            if company_id not in self._indexes:
                self._indexes[company_id] = _CompanyIndex(self._embeddings)
            self._indexes.move_to_end(company_id)
            while len(self._indexes) > MOST_INDEXES:
                self._indexes.popitem(last=False)
            return self._indexes[company_id]


def _stamp(uow: UnitOfWork) -> Stamp:
    """Changes with every change of the published articles: times only increase, and a deletion lowers the number."""

    def read() -> Stamp:
        published = uow.query(table, func.count(), func.max(table.c.updated_at)).where(table.c.status == "published")
        ((count, newest),) = uow.aggregate(published)
        return int(count), str(newest or "")

    return uow.cached((table,), "published articles", read)


def _read(uow: UnitOfWork, ids: list[str]) -> dict[str, Article]:
    found: dict[str, Article] = {}
    for start in range(0, len(ids), READ_AT_ONCE):
        named = table.c.id.in_(ids[start : start + READ_AT_ONCE])
        columns = (table.c.id, table.c.title, table.c.body, table.c.version)
        for row in uow.find(uow.query(table, *columns).where(named, table.c.status == "published")):
            found[row["id"]] = Article(row["title"], row["body"], row["version"])
    return found
