"""What became of drafts, by source: how many were written, accepted, edited and discarded. Only reads."""

from collections import Counter
from typing import Any

from sqlalchemy import func

from core.models import DISCARD_REASONS, DRAFT_OUTCOMES, chart_rows, label
from database.tables import drafts as table
from storage import Row, UnitOfWork

FIELD = "draft"
ALL = "all"
MOST_FEEDBACK = 50
SOURCES = ("model", "knowledge", "learned", "canned")


def decided_by_month(uow: UnitOfWork) -> list[tuple[str, bool, int]]:
    """Month, whether they were accepted as they were, and how many drafts of which the outcome is known."""
    return _decided(uow, func.substr(table.c.created_at, 1, 7))


def decided_by_confidence(uow: UnitOfWork) -> list[tuple[float, bool, int]]:
    """Confidence, whether they were accepted as they were, and how many drafts of which the outcome is known."""
    return _decided(uow, table.c.confidence)


def by_source(uow: UnitOfWork) -> list[Row]:
    """How many drafts of all and of each source were written, and what became of them; sources without drafts are left out."""
    rows = uow.aggregate(
        uow.query(table, table.c.source, table.c.outcome, func.count()).group_by(table.c.source, table.c.outcome)
    )
    counts: dict[str, Counter[str]] = {source: Counter() for source in (ALL, *SOURCES)}
    for source, outcome, count in rows:
        for key in (ALL, source):
            counts.setdefault(key, Counter())[outcome] += count
    return [_figures(source, outcomes) for source, outcomes in counts.items() if outcomes or source == ALL]


def discard_reasons(uow: UnitOfWork) -> list[Row]:
    """How many drafts were discarded for each reason."""
    counted = uow.query(table, table.c.reason, func.count()).where(table.c.reason != "").group_by(table.c.reason)
    return chart_rows({reason: count for reason, count in uow.aggregate(counted)}, DISCARD_REASONS)


def feedback(uow: UnitOfWork) -> list[Row]:
    """The newest drafts that were discarded with words of an agent."""
    c = table.c
    query = uow.query(table).where(c.reason_text != "").order_by(c.created_at.desc(), c.id.desc()).limit(MOST_FEEDBACK)
    names = ("ticket_id", "reason", "reason_text", "created_at")
    return [{"draft_id": row["id"], **{name: row[name] for name in names}} for row in uow.find(query)]


def _figures(source: str, outcomes: Counter[str]) -> Row:
    decided = sum(outcomes[name] for name in DRAFT_OUTCOMES)
    figures: Row = {"key": source, "label": label(source), "written": outcomes.total()}
    figures |= {name: outcomes[name] for name in DRAFT_OUTCOMES}
    return figures | ({"acceptance": round(outcomes["accepted"] / decided, 3)} if decided else {})


def _decided(uow: UnitOfWork, column: Any) -> list[tuple[Any, bool, int]]:
    accepted = table.c.outcome == "accepted"
    query = uow.query(table, column, accepted, func.count()).where(table.c.outcome != "").group_by(column, accepted)
    return [(value, bool(is_accepted), count) for value, is_accepted, count in uow.aggregate(query)]
