"""Timestamps as text: RFC 3339 in UTC with milliseconds and Z, so that they sort as text.

`Clocks` holds the two clocks of a store: the real clock and the order stamps of rows.
"""

import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

FIRST = "0001-01-01T00:00:00.000Z"
LAST = "9999-12-31T23:59:59.999Z"
APART_SECONDS = 60  # order stamps further ahead of the real clock are reported

log = logging.getLogger("foyer.storage")

Clock = Callable[[], datetime]

# A date, or date and time with up to 9 fraction digits and Z, UTC, GMT or an offset (RFC 3339 §5.6, a space for T allowed).
_ACCEPTED = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?\s?([Zz]|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """`moment` (aware) as text, cut to milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"


def moment(text: str) -> datetime:
    """The aware datetime of a text made by `stamp`."""
    return datetime.fromisoformat(text)


def read(text: str) -> str:
    """Parses a date or date-time into the form of `stamp`; UTC without an offset. Raises ValueError."""
    match = _ACCEPTED.fullmatch(text.strip())
    if not match:
        raise ValueError("not a time")
    day, clock, fraction, offset = match.groups()
    offset = "+00:00" if (offset or "Z").upper() in ("Z", "UTC", "GMT") else offset
    value = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset}").replace(
        microsecond=int((fraction or "0").ljust(6, "0")[:6])
    )
    try:
        return stamp(value)
    except OverflowError:
        raise ValueError("not a time") from None


def later(text: str, *, seconds: float) -> str:
    """`text` moved by that many seconds, but not out of the calendar."""
    try:
        return stamp(moment(text) + timedelta(seconds=seconds))
    except OverflowError:
        return LAST if seconds > 0 else FIRST


def seconds_between(start: str, end: str) -> int:
    """Whole seconds from `start` to `end`, never below zero."""
    return max(0, int((moment(end) - moment(start)).total_seconds()))


class Clocks:
    """The real clock of a store and the order stamps of its writes, which only increase.

    Order stamps give the order of rows. Expiry and due times (keys, sessions, locks, jobs) use the real clock.
    """

    def __init__(self, clock: Clock, last: str) -> None:
        """`last` is the latest order stamp in the store, "" when there is none."""
        self._clock = clock
        self._last = last
        self._lock = threading.Lock()
        self._reported = False

    def real_now(self) -> str:
        """The real clock. It may go back when somebody sets it."""
        return stamp(self._clock())

    def order_now(self, real_now: str = "") -> str:
        """The current order stamp: the real clock, or `real_now` of it, but never before the last order stamp."""
        return max(real_now or self.real_now(), self._last)

    def next(self, latest: str = "") -> str:
        """A new order stamp, later than every earlier one and than `latest`."""
        with self._lock:
            last, real = max(latest, self._last), self.real_now()
            self._last = real if real > last else later(last, seconds=0.001)
            self._report()
            return self._last

    def ahead_seconds(self) -> int:
        """By how many seconds the order stamps are ahead of the real clock; 0 up to a minute."""
        seconds = seconds_between(self.real_now(), self._last) if self._last else 0
        return seconds if seconds > APART_SECONDS else 0

    def _report(self) -> None:
        """Logs once when the clocks are apart, and again only after they agreed."""
        seconds = self.ahead_seconds()
        if seconds and not self._reported:
            log.warning(
                "The newest row is %s ahead of the clock of this machine. Rows keep their order; new ones get times after %s",
                duration(seconds),
                self._last,
            )
        self._reported = bool(seconds)


def duration(seconds: int) -> str:
    """Seconds for a person: the largest whole unit, as in "2 hours"."""
    for name, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = round(seconds / length)
            return f"{count} {name}{'s' * (count != 1)}"
    return f"{seconds} second{'s' * (seconds != 1)}"
