"""Similar tickets of the company: their triage labels, and the texts of other customers that an answer must not repeat.

The model sees only labels and counts. The texts are used to check its reply.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func

from database.tables import replies, tickets
from services.triage.trained_models import TrainedModels
from storage import Row, UnitOfWork

MAX_SIMILAR = 5  # similar tickets whose labels are counted
MAX_COMPARED = 100  # newest tickets whose texts are compared: a gateway that mixes up answers would repeat them
MAX_REPLIES = 200
MAX_CHARACTERS_EACH, MAX_CHARACTERS = 4_000, 200_000  # characters


@dataclass(frozen=True, slots=True)
class Similar:
    """`judged`: category, priority and count of similar tickets, most frequent first. `others`: texts of other customers."""

    judged: list[dict[str, Any]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def find_similar(uow: UnitOfWork, trained_models: TrainedModels, ticket: Row) -> Similar:
    """Finds similar tickets. The unit of work must see the whole company."""
    rows = trained_models.find_similar(uow, ticket, most=MAX_SIMILAR)
    counts = Counter((row["category"], row["priority"]) for row in rows)
    judged = [{"category": label[0], "priority": label[1], "count": count} for label, count in counts.most_common()]
    return Similar(judged, _texts_of_others(uow, ticket, rows))


def _texts_of_others(uow: UnitOfWork, ticket: Row, similar_rows: list[Row]) -> list[str]:
    """Texts of other customers in the similar and the newest tickets, limited in number and length."""
    t, r = tickets.c, replies.c
    description = func.substr(t.description, 1, MAX_CHARACTERS_EACH).label("description")
    newest = uow.query(tickets, t.id, t.customer_row, t.title, description).order_by(t.created_at.desc(), t.id.desc())
    rows = [*similar_rows, *uow.find(newest.limit(MAX_COMPARED))]
    rows_of_others = {row["id"]: row for row in rows if row["customer_row"] != ticket["customer_row"]}
    texts = [f"{row['title']}. {row['description']}"[:MAX_CHARACTERS_EACH] for row in rows_of_others.values()]
    customer_replies = uow.query(replies, r.body).where(
        r.ticket_id.in_(rows_of_others), r.author_role == "customer", ~r.internal
    )
    texts += [row["body"][:MAX_CHARACTERS_EACH] for row in uow.find(customer_replies.limit(MAX_REPLIES))]
    return _limit_total(texts)


def _limit_total(texts: list[str]) -> list[str]:
    remaining, result = MAX_CHARACTERS, []
    for text in texts:
        result.append(text[:remaining])
        remaining -= len(text)
        if remaining <= 0:
            break
    return result
