"""Which tickets statistics are about: a period of their creation, a team, an agent. Only values; nothing is read."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta

from core import timestamps

AFTER_ALL = "~"  # later than every day and moment
MIDNIGHT = "T00:00:00.000Z"
MOST_STALE_MONTHS = 24  # SQLite takes 500 parts of one statement; a stale month makes two


@dataclass(frozen=True, slots=True)
class Selection:
    """Tickets created from `start` to before `end`, of a team, of an agent; "" for no limit."""

    start: str = ""
    end: str = ""
    team: str = ""
    agent: str = ""

    def before(self, now: str) -> "Selection | None":
        """The same tickets of the period before, which is as long. Without an end this period ends now. None without a start."""
        if not self.start:
            return None
        length = timestamps.moment(self.end or now) - timestamps.moment(self.start)
        if length <= timedelta(0):  # begins in the future
            return None
        start = timestamps.later(self.start, seconds=-length.total_seconds())
        return replace(self, start=start, end=self.start)


@dataclass(frozen=True, slots=True)
class Cover:
    """A period as whole days from `first_day` to before `day_end`, whole months among them, and parts of days.

    `months` is (first month, month after the last); it is empty when the first is not before the other. `parts` are periods
    shorter than a day, or of tickets that no whole day covers.
    """

    first_day: str
    day_end: str
    months: tuple[str, str]
    parts: tuple[tuple[str, str], ...]

    def spans(self, stale_months: Collection[str] = ()) -> list[tuple[str, str, str]]:
        """The whole months and the whole days beside them, each as (months or days, start, exclusive end).

        A stale month is listed by its days. When too many are stale, the whole period is.
        """
        start, end = self.months
        if start >= end or len(stale_months) > MOST_STALE_MONTHS:
            ranges = [("days", self.first_day, self.day_end)]
        else:
            ranges = [("days", self.first_day, _first_day_of(start)), ("days", _first_day_of(end), self.day_end)]
            for month in sorted(month for month in stale_months if start <= month < end):
                next_start = _next_month(month)
                ranges += [("months", start, month), ("days", _first_day_of(month), _first_day_of(next_start))]
                start = next_start
            ranges.append(("months", start, end))
        return [(unit, first, last) for unit, first, last in ranges if first < last]


def cover(start: str, end: str) -> Cover:
    """How whole months, whole days and parts of days make up the period from `start` to before `end`."""
    first_day, parts = start[:10], []
    if start and not start.endswith(MIDNIGHT):
        first_day = _next_day(first_day)
        parts.append((start, min(first_day + MIDNIGHT, end or AFTER_ALL)))
    day_end = end[:10] if end else AFTER_ALL
    if end and not end.endswith(MIDNIGHT) and (not start or day_end >= first_day):
        parts.append((day_end + MIDNIGHT, end))
    first_month = (
        first_day[:7] if first_day in ("", AFTER_ALL) or first_day.endswith("-01") else _next_month(first_day[:7])
    )
    return Cover(first_day, day_end, (first_month, day_end[:7]), tuple(parts))


def _next_day(day: str) -> str:
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except OverflowError:
        return AFTER_ALL


def _first_day_of(month: str) -> str:
    return f"{month}-01" if month not in ("", AFTER_ALL) else month


def _next_month(month: str) -> str:
    year, number = int(month[:4]), int(month[5:7])
    return f"{year + number // 12:04}-{number % 12 + 1:02}" if (year, number) < (9999, 12) else AFTER_ALL
