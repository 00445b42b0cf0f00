"""When tickets come in: their number for each hour of the week in the company's time zone. Only reads."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func
from sqlalchemy.sql.elements import ColumnElement

from core.business_time import WEEKDAYS, zone_name
from database.tables import tickets
from database.ticket_sums import HALF_HOURS
from services import settings
from services.stats import statements
from services.stats.period import MIDNIGHT, Selection
from services.stats.sums import COUNTS_OF_DAY, SumsOf
from storage import Row, UnitOfWork

t = tickets.c
KEYS = tuple(f"{day[:3]}-{hour:02}" for day in WEEKDAYS for hour in range(24))
LABELS = tuple(f"{day[:3].capitalize()} {hour:02}:00" for day in WEEKDAYS for hour in range(24))
_HALF_HOUR = timedelta(minutes=30)


def by_hour(uow: UnitOfWork, selection: Selection, sums: SumsOf) -> list[Row]:
    """The number of tickets for each hour of the week, as {key, label, count}."""
    zone = _zone(uow)
    half_hours = {day: numbers[len(COUNTS_OF_DAY) :] for day, numbers in sums.whole_days.items()}
    counts = np.zeros(len(KEYS), dtype=np.int64)
    places = {day: _places(day, zone) for day in half_hours}
    even_days = [day for day, of_day in places.items() if of_day is not None]
    if even_days:
        where = np.array([places[day] for day in even_days])
        np.add.at(counts, where, np.array([half_hours[day] for day in even_days], dtype=np.int64))
    odd_days = _by_minute(uow, selection, [day for day in places if places[day] is None])
    for minute, number in (*odd_days, *sums.uncounted_minutes()):
        counts[_place(datetime.fromisoformat(f"{minute}:00Z"), zone)] += number
    rows = zip(KEYS, LABELS, counts.tolist(), strict=True)
    return [{"key": key, "label": text, "count": count} for key, text, count in rows]


def _zone(uow: UnitOfWork) -> str:
    try:
        return zone_name(settings.current(uow)["hours"]["time_zone"])
    except (ValueError, KeyError, TypeError, AttributeError):  # somebody may have edited the settings in the file
        return "UTC"


def _by_minute(uow: UnitOfWork, selection: Selection, days: list[str]) -> Iterator[tuple[str, int]]:
    """The tickets of these days by the minute of their creation, like 2026-11-20T09:41."""
    if not days:
        return
    minute = func.substr(t.created_at, 1, 16)
    within = t.created_at.between(min(days) + MIDNIGHT, f"{max(days)}T23:59:59.999Z")
    query = uow.query(tickets, minute, func.count()).where(within, *_of_time(selection)).group_by(minute)
    place = statements.place(query, selection, t.assigned_team, t.assigned_to)
    odd_days = set(days)
    for text, number in uow.aggregate(place, **statements.place_values(selection)):
        if text[:10] in odd_days:
            yield text, number


def _of_time(selection: Selection) -> list[ColumnElement[bool]]:
    after = [t.created_at >= selection.start] if selection.start else []
    return after + ([t.created_at < selection.end] if selection.end else [])


@lru_cache(maxsize=20_000)
def _places(day: str, zone: str) -> tuple[int, ...] | None:
    """The place in KEYS of each half-hour of a day in UTC; None when one of them lies in two hours of the zone."""
    start = datetime.fromisoformat(day).replace(tzinfo=UTC)
    try:
        moments = [start + number * _HALF_HOUR for number in range(len(HALF_HOURS))]
        offsets = [_offset(moment, zone) for moment in moments]
        ends = [_offset(moment, zone) for moment in _ends(moments)]
    except OverflowError:  # the first or last day of the calendar
        return None
    if offsets != ends or any(offset % _HALF_HOUR for offset in offsets):
        return None
    return tuple(_place(moment, zone) for moment in moments)


def _ends(moments: Iterable[datetime]) -> Iterator[datetime]:
    return (moment + _HALF_HOUR - timedelta(milliseconds=1) for moment in moments)


def _offset(moment: datetime, zone: str) -> Any:
    return moment.astimezone(ZoneInfo(zone)).utcoffset()


def _place(moment: datetime, zone: str) -> int:
    try:
        local = moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        local = moment
    return 24 * local.weekday() + local.hour
