"""Finds resolved tickets of the company that are like a ticket or a question, and how they were resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ai.embeddings import Embeddings
from ai.retrieval.index import Article
from core.models import FINISHED
from database.tables import tickets
from services.knowledge.company_index import CompanyIndexes, Stamp
from services.knowledge.search import MOST_QUESTION
from storage import Row, UnitOfWork

MOST_TICKETS = 1_000  # of each finished state, the newest, that are searched
READ_AT_ONCE = 500  # tickets
LEAST_SCORE = 0.15  # below it two tickets have little more in common than usual words
BACKGROUND_SECONDS = 2.0  # of one round of the background thread
COLUMNS = (
    "id number customer_row customer_name customer_email customer_id title description resolution resolved_at".split()
)
t = tickets.c


@dataclass(frozen=True, slots=True)
class PastTicket:
    """A resolved ticket, with COLUMNS, and how much it is like the question, from 0 to 1."""

    row: Row
    score: float


class _ResolvedTickets:
    """The tickets that the index is made of: the newest that have a resolution and are not erased."""

    def stamp(self, uow: UnitOfWork) -> Stamp:
        """Changes with every change of these tickets by a person, and when one is deleted or erased."""
        versions = self.versions(uow)
        return len(versions), str(hash(frozenset(versions.items())))

    def versions(self, uow: UnitOfWork) -> Mapping[str, int]:
        """The version of each of these tickets."""

        def read() -> dict[str, int]:
            query = uow.query(tickets, t.id, t.version).where(t.resolution != "", t.erased_at.is_(None))
            rows = [
                row
                for status in FINISHED  # each by itself, in the order of an index
                for row in uow.find(
                    query.where(t.status == status).order_by(t.created_at.desc(), t.id.desc()).limit(MOST_TICKETS)
                )
            ]
            return {row["id"]: row["version"] for row in rows}

        return uow.cached((tickets,), "resolved tickets", read)

    def read(self, uow: UnitOfWork, ids: Sequence[str]) -> dict[str, Article]:
        """The questions of the customers: title and description."""
        texts: dict[str, Article] = {}
        columns = (t.id, t.title, t.description, t.version)
        for start in range(0, len(ids), READ_AT_ONCE):
            is_one = t.id.in_(ids[start : start + READ_AT_ONCE])
            for row in uow.find(uow.query(tickets, *columns).where(is_one, t.erased_at.is_(None))):
                texts[row["id"]] = Article(row["title"], row["description"][:MOST_QUESTION], row["version"])
        return texts


class PastTickets:
    """The indexes of the resolved tickets of all companies in one process. The callers are staff, who see whole companies."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._indexes = CompanyIndexes(embeddings, _ResolvedTickets())

    def find(self, uow: UnitOfWork, question: str, count: int, *, without: str = "") -> list[PastTicket]:
        """Resolved tickets that are like a question, the best first; not the one with the id `without`."""
        company = self._indexes.of(uow.actor.company_id)
        company.follow(uow)
        hits = [hit for hit in company.find(question[:MOST_QUESTION], count + 1) if hit.article_id != without]
        scores = {hit.article_id: hit.score for hit in hits[:count] if hit.score >= LEAST_SCORE}
        query = uow.query(tickets, *(t[name] for name in COLUMNS))
        rows = uow.find(query.where(t.id.in_(scores), t.status.in_(FINISHED), t.erased_at.is_(None)))
        return sorted((PastTicket(row, scores[row["id"]]) for row in rows), key=lambda past: -past.score)

    def encode(self) -> None:
        """Encodes tickets that have no vector yet, for a moment."""
        self._indexes.encode(seconds=BACKGROUND_SECONDS)


def question_of(ticket: Row) -> str:
    """What a ticket asks, as it is searched for."""
    return f"{ticket['title']}. {ticket['description']}"[:MOST_QUESTION]
