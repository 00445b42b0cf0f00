"""The one form of time: RFC 3339 in UTC with three fraction digits and Z, so that text order is time order."""

import re
from datetime import UTC, datetime, timedelta

LAST = "9999-12-31T23:59:59.999Z"

# A date, or date and time with up to 9 fraction digits and Z or an offset (RFC 3339 §5.6, a space for T allowed).
_ACCEPTED = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?\s?([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
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
    """A time as a person or program writes it, in the one form. Without an offset it is UTC. Raises ValueError."""
    found = _ACCEPTED.fullmatch(text.strip())
    if not found:
        raise ValueError("not a time")
    day, clock, fraction, offset = found.groups()
    offset = (offset or "Z").upper().replace("Z", "+00:00")
    value = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset}").replace(
        microsecond=int((fraction or "0").ljust(6, "0")[:6])
    )
    try:
        return stamp(value)
    except OverflowError:
        raise ValueError("not a time") from None


def later(text: str, *, seconds: float) -> str:
    """`text` moved by that many seconds."""
    return stamp(moment(text) + timedelta(seconds=seconds))


def seconds_between(start: str, end: str) -> int:
    """Whole seconds from `start` to `end`, never below zero."""
    return max(0, int((moment(end) - moment(start)).total_seconds()))
