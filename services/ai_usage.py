"""The use of the model: calls and tokens of each company and day, cost, the daily budget, and the report of what AI did.

Calls are noted in memory and written every few seconds. A killed process loses the last ones.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable

from sqlalchemy import func

from core import timestamps
from core.models import ESCALATIONS, Actor, chart_rows
from database.tables import ai_usage as table
from database.tables import conversations, events, replies
from services import settings
from storage import Row, Storage, UnitOfWork

SWITCHED_OFF = "the model is switched off in the settings"
OVER_BUDGET = "the model's budget of today is used up"
PER_MILLION = 1_000_000  # prices are for so many tokens
DAY_LENGTH = 10  # of a time as text
DAY_SECONDS = 24 * 3600
ANSWERS = ("model", "knowledge", "canned")


class UsageLog:
    """Calls of the model in this process that are not written yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, Counter[str]] = {}

    def note(self, company_id: str, tokens_in: int, tokens_out: int) -> None:
        """One call of the model for a company ("" counts nowhere), with the tokens that the provider counted."""
        if not company_id:
            return
        with self._lock:
            counts = self._counts.setdefault(company_id, Counter())
            counts.update(model_calls=1, tokens_in=tokens_in, tokens_out=tokens_out)

    def flush(self, storage: Storage) -> None:
        """Writes the counts. Raises AppError 503; what is not written stays noted."""
        with self._lock:
            waiting = {company_id: Counter(counts) for company_id, counts in self._counts.items()}
        for company_id, counts in waiting.items():
            with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
                _add(uow, counts)
            with self._lock:
                self._counts[company_id] -= counts
                if not self._counts[company_id]:
                    del self._counts[company_id]


def _add(uow: UnitOfWork, counts: Counter[str]) -> None:
    day = uow.real_now[:DAY_LENGTH]
    row_id = hashlib.sha256(f"{uow.actor.company_id} {day}".encode()).hexdigest()[:36]
    uow.insert_new(table, {"id": row_id, "day": day})
    row = uow.get(table, row_id, lock=True)
    if row is not None:
        uow.update(table, row_id, {name: row[name] + number for name, number in counts.items()})


def refusal(uow: UnitOfWork) -> str:
    """Why the model must not be asked now, "" when it may."""
    current = settings.current(uow)
    if not current["ai_enabled"]:
        return SWITCHED_OFF
    return OVER_BUDGET if is_over_budget(uow, current) else ""


def budget_note(uow: UnitOfWork) -> str:
    """A sentence when the company's budget of today is used up, else ""."""
    return f"{OVER_BUDGET.capitalize()}; answers come without it." if is_over_budget(uow, settings.current(uow)) else ""


def is_over_budget(uow: UnitOfWork, current: Row) -> bool:
    """Whether the company's model has cost as much today as the setting ai_daily_budget_usd allows."""
    budget = current["ai_daily_budget_usd"]
    if not budget:
        return False
    today = uow.first(uow.query(table).where(table.c.day == uow.real_now[:DAY_LENGTH]))
    return today is not None and cost(today, current) >= budget


def cost(counts: Row, current: Row) -> float:
    """The estimated cost in USD of `tokens_in` and `tokens_out`, by the prices in the settings."""
    paid = counts["tokens_in"] * current["ai_input_price"] + counts["tokens_out"] * current["ai_output_price"]
    return float(round(paid / PER_MILLION, 6))


def report(uow: UnitOfWork, days: list[str]) -> list[Row]:
    """One row for each of these days (like 2026-11-29, UTC, in order) of the actor's company."""
    current = settings.current(uow)
    first, after = days[0], timestamps.later(f"{days[-1]}T00:00:00.000Z", seconds=DAY_SECONDS)[:DAY_LENGTH]
    calls = {row["day"]: row for row in uow.find(uow.query(table).where(table.c.day >= first, table.c.day < after))}
    nothing = {"model_calls": 0, "tokens_in": 0, "tokens_out": 0}
    answers, handoffs = _answers(uow, first, after), _handoffs(uow, first, after)
    ended, reopened = _ended(uow, first, after), _reopened(uow, first, after)
    rows = []
    for day in days:
        counts = {name: calls.get(day, nothing)[name] for name in nothing}
        reasons = {reason: handoffs[day, reason] for reason in ESCALATIONS}
        rows.append(
            {
                "day": day,
                **counts,
                "cost_usd": cost(counts, current),
                **{f"answers_{source}": answers[day, source] for source in ANSWERS},
                "handoffs": sum(reasons.values()),
                "handoffs_by_reason": chart_rows(reasons, ESCALATIONS),
                "resolved_confirmed": ended[day, "customer"],
                "resolved_assumed": ended[day, "silence"],
                "reopened": reopened[day, ""],
            }
        )
    return rows


def _answers(uow: UnitOfWork, first: str, after: str) -> Counter[tuple[str, str]]:
    """AI answers by day and source, turns of chats included."""
    day, r = func.substr(replies.c.created_at, 1, DAY_LENGTH), replies.c
    by_ai = (r.ai_source != "", r.created_at >= first, r.created_at < after)
    return _counter(
        uow.aggregate(uow.query(replies, day, r.ai_source, func.count()).where(*by_ai).group_by(day, r.ai_source))
    )


def _handoffs(uow: UnitOfWork, first: str, after: str) -> Counter[tuple[str, str]]:
    """Conversations that the AI handed over, by day and reason."""
    day, e = func.substr(events.c.created_at, 1, DAY_LENGTH), events.c
    handoffs = (e.action == "handed_over", e.field == "escalation_reason", e.created_at >= first, e.created_at < after)
    return _counter(
        uow.aggregate(uow.query(events, day, e.to_value, func.count()).where(*handoffs).group_by(day, e.to_value))
    )


def _ended(uow: UnitOfWork, first: str, after: str) -> Counter[tuple[str, str]]:
    """Conversations that ended while the AI answered them, by day and who ended them. One that goes on has not ended."""
    day, c = func.substr(conversations.c.ended_at, 1, DAY_LENGTH), conversations.c
    ended = (c.answered_by == "ai", c.ended_at >= first, c.ended_at < after)
    return _counter(
        uow.aggregate(uow.query(conversations, day, c.ended_by, func.count()).where(*ended).group_by(day, c.ended_by))
    )


def _reopened(uow: UnitOfWork, first: str, after: str) -> Counter[tuple[str, str]]:
    """Conversations that had ended and went on, by day."""
    day, e = func.substr(events.c.created_at, 1, DAY_LENGTH), events.c
    reopenings = (e.action == "reopened", e.field == "ended_by", e.created_at >= first, e.created_at < after)
    return _counter(
        uow.aggregate(uow.query(events, day, e.to_value, func.count()).where(*reopenings).group_by(day, e.to_value))
    )


def _counter(rows: Iterable[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    return Counter({(day, name): number for day, name, number in rows})
