"""Business time: count and add the seconds in which a desk is open, by its hours, time zone and holidays.

A moment is open when its local time lies within the hours of its weekday. Its local date must be no holiday. A local
hour that a clock change skips has no moments; one that it repeats counts twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_DAYS = 3_660  # how far a calendar is searched: ten years, so that a search without an open day ends
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000  # milliseconds

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a desk is open.

    `week` has for each weekday, Monday first, its open spans in minutes after local midnight: (540, 1020) is 9:00 to 17:00.
    `country` is a code of ISO 3166 whose public holidays are closed, such as DE or DE-BY; "" for none.
    """

    time_zone: str
    week: tuple[Spans, ...]
    country: str = ""
    own_holidays: frozenset[date] = frozenset()


def add_business_seconds(start: datetime, seconds: int, calendar: Calendar | None) -> datetime | None:
    """The first moment at which `seconds` of open time have passed since `start` (aware); `start` itself for 0 or less.

    Without a calendar all time counts. None when there is not so much open time within MOST_DAYS, or in the years until 9999.
    """
    if seconds <= 0:
        return start
    if calendar is None:
        return _moment(_milliseconds(start) + seconds * 1000)
    begin, left = _milliseconds(start), seconds * 1000
    for span_start, span_end in _open_spans(calendar, begin):
        length = span_end - max(span_start, begin)
        if length >= left:
            return _moment(max(span_start, begin) + left)
        left -= max(0, length)
    return None


def business_seconds_between(start: datetime, end: datetime, calendar: Calendar | None) -> int:
    """Whole seconds of open time from `start` to `end` (aware), at most those of MOST_DAYS, never below zero."""
    first, last = _milliseconds(start), _milliseconds(end)
    if calendar is None:
        return max(0, last - first) // 1000
    total = 0
    for span_start, span_end in _open_spans(calendar, first):
        if span_start >= last:
            break
        total += max(0, min(span_end, last) - max(span_start, first))
    return total // 1000


def zone_name(text: str) -> str:
    """The name of the IANA time zone that `text` spells in any case. Raises ValueError when there is none."""
    name = _zones().get(text.strip().lower().replace(" ", "_"))
    if name is None:
        raise ValueError("not a time zone")
    return name


def country_code(text: str) -> str:
    """The country, or part of one (DE-BY), whose holidays are known, in capitals. Raises ValueError for others."""
    code = text.strip().upper().replace("_", "-")
    country, dash, part = code.partition("-")
    import holidays  # loaded when a company has holidays

    supported = holidays.list_supported_countries()
    if country not in supported or (dash and part not in supported[country]):
        raise ValueError("not a country with known holidays")
    return code


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}


@lru_cache(maxsize=512)
def _holidays_of(code: str, year: int) -> frozenset[date]:
    import holidays

    country, _, part = code.partition("-")
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=year))


def _open_spans(calendar: Calendar, begin: int) -> Iterator[tuple[int, int]]:
    """The open spans of MOST_DAYS days in order, as milliseconds since 1970, from the UTC day that holds `begin` on."""
    first_day = begin // _DAY
    for day in range(first_day, first_day + MOST_DAYS):
        try:
            yield from _spans_of_day(calendar, day)
        except OverflowError:  # beyond the calendar of Python
            return


@lru_cache(maxsize=20_000)
def _spans_of_day(calendar: Calendar, day: int) -> Spans:
    """The open spans of one UTC day, counted from 1970-01-01."""
    spans = []
    for start, end, offset in _offsets_of_day(calendar.time_zone, day):
        for local_day in range((start + offset) // _DAY, (end + offset - 1) // _DAY + 1):
            for opens, closes in _hours_of(calendar, local_day):
                span_start = max(start, local_day * _DAY + opens * _MINUTE - offset)
                span_end = min(end, local_day * _DAY + closes * _MINUTE - offset)
                if span_start < span_end:
                    spans.append((span_start, span_end))
    return tuple(sorted(spans))


def _hours_of(calendar: Calendar, local_day: int) -> Spans:
    """The open spans of a local date, in minutes; overlapping ones are joined."""
    local_date = (_EPOCH + timedelta(days=local_day)).date()
    if local_date in calendar.own_holidays:
        return ()
    if calendar.country and local_date in _holidays_of(calendar.country, local_date.year):
        return ()
    joined: list[tuple[int, int]] = []
    for opens, closes in sorted(calendar.week[local_date.weekday()]):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(closes, joined[-1][1]))
        else:
            joined.append((opens, closes))
    return tuple(joined)


@lru_cache(maxsize=20_000)
def _offsets_of_day(time_zone: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """The parts of a UTC day with one offset each: start, end and offset in milliseconds."""
    zone = ZoneInfo(time_zone)
    parts: list[tuple[int, int, int]] = []
    for start in range(day * _DAY, (day + 1) * _DAY, _HOUR):  # no zone changes its clocks twice within an hour
        end = start + _HOUR
        offset, later_offset = _offset(zone, start), _offset(zone, end)
        change = end if offset == later_offset else _change(zone, start, end)
        for part_start, part_end, part_offset in ((start, change, offset), (change, end, later_offset)):
            if part_start == part_end:
                continue
            if parts and parts[-1][2] == part_offset:
                parts[-1] = (parts[-1][0], part_end, part_offset)
            else:
                parts.append((part_start, part_end, part_offset))
    return tuple(parts)


def _change(zone: ZoneInfo, start: int, end: int) -> int:
    """The first second with the offset of `end`, by bisection."""
    target = _offset(zone, end)
    low, high = start // 1000, end // 1000
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(zone, middle * 1000) == target else (middle, high)
    return high * 1000


def _offset(zone: ZoneInfo, milliseconds: int) -> int:
    offset = (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds() * 1000)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _moment(milliseconds: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None
