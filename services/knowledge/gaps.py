"""Finds questions that no article answers, by grouping alike tickets with a canned answer or handed over unanswered. Only reads."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import and_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from ai.arrays import Floats
from ai.embeddings import Embeddings
from ai.extracts import sentences
from database.tables import conversations, tickets
from services.knowledge.search import MOST_QUESTION, Knowledge, good_enough
from storage import Row, UnitOfWork

MOST_LOOKED_AT = 5_000  # newest tickets of the period among which unanswered ones are looked for
MOST_TICKETS = 300  # newest unanswered ones that are grouped
MOST_GROUPS = 100  # most frequent groups that are compared with the articles of today
MOST_NAMED = 50  # newest tickets that a group names
MOST_LETTERS = 200  # of a question, and of a description that is compared
# The cosine from which on two questions are taken for alike. Of questions of 25 intents (CLINC150), 9 of 10 pairs in a group
# had the same intent with the static table, and nearly all with MiniLM.
ALIKE = {"static": 0.55, "minilm": 0.5}
ALIKE_WORDS = 0.5  # the same without embeddings, of the words they hold
UNANSWERED = ("unanswered", "low_confidence")  # reasons of a handoff
ANSWERED = ("model", "knowledge")
COLUMNS = "id title description created_at ai_source status human_replied".split()


def find(
    uow: UnitOfWork, knowledge: Knowledge, embeddings: Embeddings, *, since: str, until: str, limit: int
) -> list[Row]:
    """The most frequent questions of tickets created from `since` and before `until` ("" for no bound) that nothing answers.

    Each has the text of its most typical ticket, the number of tickets, the time of the newest and the ids of the newest.
    Questions that an article answers by now are left out.
    """
    rows = [row for row in _unanswered(uow, since, until) if _question(row)]
    groups = _grouped(rows, embeddings)
    gaps: list[Row] = []
    for typical, members in groups[:MOST_GROUPS]:
        if len(gaps) == limit:
            break
        asked = f"{typical['title']}. {typical['description']}"[:MOST_QUESTION]
        if good_enough(knowledge.search(uow, asked, 1)) is None:
            ids = [row["id"] for row in members[:MOST_NAMED]]
            newest = members[0]["created_at"]
            gaps.append(
                {"question": _question(typical), "count": len(members), "last_asked_at": newest, "ticket_ids": ids}
            )
    return gaps


def _unanswered(uow: UnitOfWork, since: str, until: str) -> list[Row]:
    """The newest unanswered tickets of the period, newest first."""
    t = tickets.c
    period: list[ColumnElement[bool]] = [t.erased_at.is_(None)]
    period += [t.created_at >= since] if since else []
    period += [t.created_at < until] if until else []
    newest_first = (t.created_at.desc(), t.id.desc())
    recent = uow.query(tickets, *(t[name] for name in COLUMNS)).where(*period).order_by(*newest_first)
    r = recent.limit(MOST_LOOKED_AT).subquery().c
    given_up = uow.query(conversations, conversations.c.ticket_id).where(
        conversations.c.escalation_reason.in_(UNANSWERED)
    )
    waiting = and_(r.status == "handoff", ~r.human_replied, r.ai_source.not_in(ANSWERED))
    condition = or_(r.ai_source == "canned", waiting, r.id.in_(given_up))
    query = select(*r).where(condition).order_by(r.created_at.desc(), r.id.desc())
    return uow.find(query.limit(MOST_TICKETS))


def _question(row: Row) -> str:
    """What a ticket asks, in one sentence: its title, or the first sentence of a ticket whose title says nothing."""
    candidates = [*sentences(row["title"]), *sentences(row["description"])]
    return candidates[0][:MOST_LETTERS] if candidates else ""


def _grouped(rows: Sequence[Row], embeddings: Embeddings) -> list[tuple[Row, list[Row]]]:
    """Groups of alike rows, each with its most typical row and its rows in their order; the largest groups first."""
    if not rows:
        return []
    vectors = _vectors(rows, embeddings)
    least = ALIKE.get(embeddings.name, ALIKE_WORDS)
    sums: list[Floats] = []  # of the vectors of each group
    members: list[list[int]] = []
    for place, vector in enumerate(vectors):
        means = np.array([total / np.linalg.norm(total) for total in sums]) if sums else np.zeros((0, len(vector)))
        cosines = means @ vector
        best = int(cosines.argmax()) if sums else -1
        if sums and cosines[best] >= least:
            sums[best] = sums[best] + vector
            members[best].append(place)
        else:
            sums.append(vector)
            members.append([place])
    order = sorted(range(len(sums)), key=lambda group: -len(members[group]))
    return [
        (
            rows[max(members[group], key=lambda place: float(vectors[place] @ sums[group]))],
            [rows[place] for place in members[group]],
        )
        for group in order
    ]


def _vectors(rows: Sequence[Row], embeddings: Embeddings) -> Floats:
    """A unit vector for each row: its meaning, or without embeddings which words it holds."""
    texts = [f"{row['title']}. {row['description'][:MOST_LETTERS]}" for row in rows]
    if embeddings:
        return embeddings.encode(texts)
    words = [set(text.lower().split()) for text in texts]
    places = {word: place for place, word in enumerate(sorted(set().union(*words)))}
    vectors = np.zeros((len(rows), len(places)), np.float32)
    for row, held in enumerate(words):
        vectors[row, [places[word] for word in held]] = 1 / np.sqrt(len(held))
    return vectors
