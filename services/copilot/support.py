"""Finds what an answer to an agent rests on: passages of articles, and resolutions of similar tickets without names."""

from collections.abc import Sequence
from dataclasses import dataclass

from ai.reply_checks import guards
from ai.retrieval.index import Hit
from ai.ticket_data import seen_texts
from database.tables import replies
from services.copilot.identities import eraser
from services.copilot.past_tickets import PastTicket, question_of
from services.model_access import ModelAccess
from storage import Row, UnitOfWork

ARTICLES = 3  # passages that the model is shown
CANDIDATES = 5  # similar tickets whose resolutions are looked at
# A person reads it before it is sent, so it may be less alike than what is sent by itself (ai/retrieval/index.py).
QUOTE_SCORE = 0.3
FEWEST_WORDS = 3  # of a resolution that says something
MOST_TEXT = 4_000  # characters of each text of another customer


@dataclass(frozen=True, slots=True)
class Resolution:
    """How a similar ticket was resolved, in words that name nobody."""

    text: str
    number: int
    score: float


def newest_question(ticket: Row, thread: Sequence[Row]) -> list[str]:
    """What to search for: what the ticket asks, and what its customer wrote last."""
    customer_texts = [
        entry["body"] for entry in thread if entry["author_role"] == "customer" and not entry.get("internal")
    ]
    return [question_of(ticket), *(f"{ticket['title']}. {body}" for body in customer_texts[-1:])]


def passages(uow: UnitOfWork, access: ModelAccess, questions: Sequence[str]) -> list[Hit]:
    """The best passages of published articles for any of the questions, the best first."""
    hits = [hit for question in questions for hit in access.knowledge.search(uow, question, ARTICLES) if hit.passage]
    best: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda hit: -hit.score):
        best.setdefault(hit.article_id, hit)
    return list(best.values())[:ARTICLES]


def best_resolution(
    uow: UnitOfWork, access: ModelAccess, ticket: Row, thread: Sequence[Row], questions: Sequence[str]
) -> Resolution | None:
    """The resolution of the most similar ticket that may be told to this ticket's customer, if one is similar enough."""
    candidates: list[PastTicket] = []
    for question in questions:
        candidates += access.past_tickets.find(uow, question, CANDIDATES, without=ticket["id"])
    seen = seen_texts(ticket, thread)
    for past in sorted(candidates, key=lambda past: -past.score):
        if past.score < QUOTE_SCORE:
            return None
        if text := _tellable(uow, ticket, past.row, seen):
            return Resolution(text, past.row["number"], past.score)
    return None


def _tellable(uow: UnitOfWork, ticket: Row, past: Row, seen: str) -> str:
    """The resolution without names, "" when it says too little, makes a promise or repeats what its customer wrote."""
    others = [] if past["customer_row"] == ticket["customer_row"] else _said_by_customer(uow, past)
    checks = guards.Guards(seen=seen, secret="", others=others)
    if checks.repeats_another(past["resolution"]):  # before names are taken out of it
        return ""
    text = guards.plain_text(eraser(uow, past)(past["resolution"]))
    return "" if len(text.split()) < FEWEST_WORDS or checks.objection(text) else text


def _said_by_customer(uow: UnitOfWork, past: Row) -> list[str]:
    own = uow.query(replies, replies.c.body).where(
        replies.c.ticket_id == past["id"], replies.c.author_role == "customer"
    )
    texts = [f"{past['title']}. {past['description']}", *(row["body"] for row in uow.find(own.limit(CANDIDATES * 10)))]
    return [text[:MOST_TEXT] for text in texts]
