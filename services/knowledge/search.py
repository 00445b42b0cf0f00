"""Finds the passages of a company's published articles that answer a question.

Each process keeps an index per company in memory. Before each search it is compared with the published articles that the caller
sees. So it answers from no draft, no deleted article and no other company.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func

from ai.embeddings import Embeddings
from ai.embeddings.remote import RemoteEmbeddings
from ai.llm import ModelUnavailable
from ai.retrieval.index import ANSWER_SCORE, Article, Hit
from database.tables import articles as table
from services import ai_usage
from services.knowledge.company_index import CompanyIndexes, Stamp
from services.prepared_statements import prepared
from storage import OpenUnitOfWork, Row, UnitOfWork

BACKGROUND_SECONDS = 5.0  # of one round of the background thread
READ_AT_ONCE = 500  # articles
MOST_QUESTION = 2_000  # characters of a ticket that are searched for
MOST_PASSAGES = 3  # that an answer rests on

log = logging.getLogger("foyer.knowledge")


def good_enough(hits: Sequence[Hit]) -> Hit | None:
    """The best of these passages, if it answers well enough to be sent to a customer."""
    return hits[0] if hits and hits[0].score >= ANSWER_SCORE and hits[0].passage else None


class _PublishedArticles:
    """The articles that an index is made of."""

    def stamp(self, uow: UnitOfWork) -> Stamp:
        """Changes with every change of the published articles: times only increase, and a deletion lowers the number."""

        def build() -> Select[Any]:
            columns = (func.count(), func.max(table.c.updated_at))
            return uow.query(table, *columns).where(table.c.status == "published")

        def read() -> Stamp:
            ((count, newest),) = uow.aggregate(prepared(uow, "published articles", build))
            return int(count), str(newest or "")

        return uow.cached((table,), "published articles", read)

    def versions(self, uow: UnitOfWork) -> Mapping[str, int]:
        """The version of each published article."""
        rows = uow.find(uow.query(table, table.c.id, table.c.version).where(table.c.status == "published"))
        return {row["id"]: row["version"] for row in rows}

    def read(self, uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Article]:
        """The texts of those that are still published."""
        texts: dict[str, Article] = {}
        for start in range(0, len(ids), READ_AT_ONCE):
            is_one = table.c.id.in_(ids[start : start + READ_AT_ONCE])
            columns = (table.c.id, table.c.title, table.c.body, table.c.version)
            for row in uow.find(uow.query(table, *columns).where(is_one, table.c.status == "published")):
                texts[row["id"]] = Article(row["title"], row["body"], row["version"])
        return texts


class Knowledge:
    """The indexes of all companies in one process."""

    def __init__(self, embeddings: Embeddings, remote: RemoteEmbeddings | None = None) -> None:
        """With `remote` embeddings a company's articles are searched by them once all have a vector, else by the local ones."""
        self._indexes = CompanyIndexes(embeddings, _PublishedArticles())
        self._remote = remote
        self._remote_indexes = CompanyIndexes(remote, _PublishedArticles()) if remote else None
        self._behind: set[str] = set()  # companies whose tickets did not wait for the index
        self._to_encode: set[str] = set()  # companies whose articles have no vectors of the provider yet

    def search(self, uow: UnitOfWork, question: str, count: int, *, wait: bool = True) -> list[Hit]:
        """The best passages of the actor's company for a question, at most one of each article, the best first.

        Without `wait` there are none while many articles are not indexed yet.
        """
        company = self._indexes.of(uow.actor.company_id)
        if not company.follow(uow, wait=wait):
            self._behind.add(uow.actor.company_id)
            return []
        hits = self._search_remotely(uow, question, count)
        return company.find(question, count) if hits is None else hits

    def _search_remotely(self, uow: UnitOfWork, question: str, count: int) -> list[Hit] | None:
        """The passages by the provider's embeddings; None when they cannot answer at once, or the company allows no model."""
        if self._remote_indexes is None or not (self._remote and self._remote.width) or ai_usage.refusal(uow):
            return None
        company = self._remote_indexes.of(uow.actor.company_id)
        if not company.follow(uow, wait=False) or not company.is_encoded:
            self._to_encode.add(uow.actor.company_id)
            return None
        try:
            return company.index.search(question, count)
        except (ModelUnavailable, ValueError):
            return None

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
        self._encode_remotely(open_uow)
        while self._behind:
            company_id = self._behind.pop()
            with open_uow(company_id) as uow:
                self._indexes.of(company_id).follow(uow)
        self._indexes.encode(seconds=BACKGROUND_SECONDS)

    def _encode_remotely(self, open_uow: OpenUnitOfWork) -> None:
        """Asks the provider for vectors of articles for some seconds. What it does not give now is asked for again."""
        if self._remote is None or self._remote_indexes is None:
            return
        try:
            self._remote.learn_width()
            for company_id in list(self._to_encode):
                with open_uow(company_id) as uow:
                    if ai_usage.refusal(uow):
                        continue
                    company = self._remote_indexes.of(company_id)
                    company.follow(uow)
                if company.index.encode(seconds=BACKGROUND_SECONDS):
                    self._to_encode.discard(company_id)
        except (ModelUnavailable, ValueError) as error:
            log.warning("The provider gives no embeddings, so articles are searched without: %s", error)
