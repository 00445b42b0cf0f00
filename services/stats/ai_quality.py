"""Quality of triage, drafts and expected times: how often they were right. Only reads."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import func

from core.models import label
from database.tables import examples as table
from services.stats import draft_quality, forecast
from services.triage.training_examples import CATEGORY, FIELDS
from storage import Row, UnitOfWork

STEPS = (0.0, 0.3, 0.5, 0.7, 0.9)  # lower bounds of the confidence bands


def report(uow: UnitOfWork) -> list[Row]:
    """For each triage field, drafts and expected times: accuracy in total and per month; for some also the calibration."""
    right = table.c.label == table.c.decided
    month = func.substr(table.c.created_at, 1, 7)
    rows = uow.aggregate(
        uow.query(table, table.c.field, month, right, func.count())
        .where(table.c.field.in_(FIELDS), table.c.decided != "")
        .group_by(table.c.field, month, right)
    )
    sureness = uow.aggregate(
        uow.query(table, table.c.confidence, right, func.count())
        .where(table.c.field == CATEGORY, table.c.decided != "", table.c.confidence.is_not(None))
        .group_by(table.c.confidence, right)
    )
    of_triage = [
        {
            "field": field,
            **_figures((bool(ok), count) for name, _, ok, count in rows if name == field),
            "per_month": _per_month((month, bool(ok), count) for name, month, ok, count in rows if name == field),
            "calibration": _calibration(sureness) if field == CATEGORY else [],
            "drafts": [],
        }
        for field in FIELDS
    ]
    return [*of_triage, _of_drafts(uow), _of_forecast(uow)]


def _of_forecast(uow: UnitOfWork) -> Row:
    """The same of expected times of resolution: one is right whose interval held the time."""
    outcomes, error = forecast.quality(uow)
    return {
        "field": forecast.FIELD,
        **_figures((is_right, 1) for _, is_right in outcomes),
        "per_month": _per_month((month, is_right, 1) for month, is_right in outcomes),
        "calibration": [],
        "drafts": [],
        **({"median_absolute_error_seconds": error} if error is not None else {}),
    }


def _of_drafts(uow: UnitOfWork) -> Row:
    """The same of drafts: one is right that was accepted as it was."""
    per_month = draft_quality.decided_by_month(uow)
    return {
        "field": draft_quality.FIELD,
        **_figures((accepted, count) for _, accepted, count in per_month),
        "per_month": _per_month(per_month),
        "calibration": _calibration(draft_quality.decided_by_confidence(uow)),
        "drafts": draft_quality.by_source(uow),
        "discard_reasons": draft_quality.discard_reasons(uow),
        "feedback": draft_quality.feedback(uow),
    }


def _figures(counts: Iterable[tuple[bool, int]]) -> Row:
    by_outcome: dict[bool, int] = defaultdict(int)
    for right, count in counts:
        by_outcome[right] += count
    decided = sum(by_outcome.values())
    figures: Row = {"decided": decided, "corrected": by_outcome[False]}
    return figures | ({"accuracy": round(by_outcome[True] / decided, 3)} if decided else {})


def _per_month(rows: Iterable[tuple[str, bool, int]]) -> list[Row]:
    months: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for month, right, count in rows:
        months[month].append((right, count))
    return [{"key": month, "label": month, **_figures(counts)} for month, counts in sorted(months.items())]


def _calibration(rows: Iterable[tuple[Any, ...]]) -> list[Row]:
    """Accuracy of categories per band of confidence; empty bands are left out."""
    bands: dict[float, list[tuple[bool, int]]] = defaultdict(list)
    for sure, right, count in rows:
        bands[max(step for step in STEPS if sure >= step)].append((bool(right), count))
    ends = dict(zip(STEPS, (*STEPS[1:], 1.0), strict=True))
    return [
        {"key": f"{low:.1f}", "label": label(f"{low:.0%} to {ends[low]:.0%} sure"), **_figures(counts)}
        for low, counts in sorted(bands.items())
    ]
