"""The targets and opening hours of a company, read from its settings `sla` and `hours`. It uses values only, no rows."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from core import business_time
from core.business_time import WEEKDAYS, Calendar, add_business_seconds
from core.models import PRIORITIES, TIERS

log = logging.getLogger("foyer")

MOST_MINUTES = 366 * 24 * 60
LONGEST_CLOSED_DAYS = 366
MOST_OWN_HOLIDAYS = 1_000
MOST_SPANS = 50
_MINUTES = {"urgent": (60, 480), "high": (240, 1_440), "medium": (480, 4_320), "low": (1_440, 7_200)}
DEFAULT_SLA: list[dict[str, Any]] = [
    {"priority": priority, "tier": "", "first_response_minutes": first, "resolution_minutes": resolution}
    for priority, (first, resolution) in _MINUTES.items()
]
DEFAULT_HOURS: dict[str, Any] = {
    "time_zone": "UTC",
    "days": [{"day": day, "opens": "00:00", "closes": "24:00"} for day in WEEKDAYS],
    "holidays_country": "",
    "own_holidays": [],
    "business_time": False,
}


@dataclass(frozen=True, slots=True)
class Target:
    """The agreed times of a ticket, in counted seconds (all time, or business time)."""

    first_response_seconds: int
    resolution_seconds: int


@dataclass(frozen=True, slots=True)
class Targets:
    """What a company agreed: a target for each (priority, tier), where tier "" is every tier; and the business calendar.

    Without a calendar all time counts.
    """

    by_kind: Mapping[tuple[str, str], Target]
    calendar: Calendar | None

    def of(self, priority: str, tier: str) -> Target | None:
        """The target of that priority for that tier, else of that priority; None when nothing is agreed."""
        return self.by_kind.get((priority, tier)) or self.by_kind.get((priority, ""))


def of_settings(settings: Mapping[str, Any]) -> Targets:
    """The targets that the settings `sla` and `hours` say, remembered by their values.

    Unknown values, such as a country that the library dropped, are logged, and the defaults are used.
    """
    return _remembered(orjson.dumps([settings["sla"], settings["hours"]]))


@lru_cache(maxsize=1_000)
def _remembered(text: bytes) -> Targets:
    rows, hours = orjson.loads(text)
    try:
        return _read(rows, hours)
    except ValueError:
        log.warning("The settings sla and hours of a company have unknown values. The defaults are used")
        return _read(DEFAULT_SLA, DEFAULT_HOURS)


def _read(rows: Any, hours: Any) -> Targets:
    """The targets of settings. Raises ValueError when they are not as they must be."""
    try:
        by_kind = dict(map(_target, rows))
        calendar = calendar_of(hours)
        return Targets(by_kind, calendar if hours["business_time"] else None)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None


def _target(row: dict[str, Any]) -> tuple[tuple[str, str], Target]:
    kind, minutes = (row["priority"], row["tier"]), (row["first_response_minutes"], row["resolution_minutes"])
    if kind[0] not in PRIORITIES or kind[1] not in ("", *TIERS):
        raise ValueError("no such priority or tier")
    if any(type(number) is not int or not 0 < number <= MOST_MINUTES for number in minutes):
        raise ValueError("not a number of minutes")
    return kind, Target(60 * minutes[0], 60 * minutes[1])


def calendar_of(hours: Mapping[str, Any]) -> Calendar:
    """The calendar that the setting `hours` says. Raises ValueError, KeyError, TypeError and AttributeError for other values."""
    week: dict[str, list[tuple[int, int]]] = {day: [] for day in WEEKDAYS}
    for row in hours["days"]:
        week[row["day"]].append((_minute(row["opens"]), _minute(row["closes"])))
    own_holidays = frozenset(map(date.fromisoformat, hours["own_holidays"]))
    country = business_time.country_code(hours["holidays_country"]) if hours["holidays_country"] else ""
    zone = business_time.zone_name(hours["time_zone"])
    return Calendar(zone, tuple(tuple(week[day]) for day in WEEKDAYS), country, own_holidays)


def opens_again(settings: Mapping[str, Any], now: datetime) -> str:
    """When a closed desk opens, as 2026-11-30 09:00 (Europe/Berlin); "" while it is open, and when the hours say nothing."""
    try:
        calendar = calendar_of(settings["hours"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    second = add_business_seconds(now, 1, calendar)
    opens = second - timedelta(seconds=1) if second else now
    if opens - now < timedelta(minutes=1):
        return ""
    return f"{opens.astimezone(ZoneInfo(calendar.time_zone)):%Y-%m-%d %H:%M} ({calendar.time_zone})"


def _minute(text: str) -> int:
    hour, minute = map(int, text.split(":"))
    if not 0 <= 60 * hour + minute <= 1440 or not 0 <= minute < 60:
        raise ValueError("not a time of day")
    return 60 * hour + minute


def never_ends(settings: Mapping[str, Any], start: datetime) -> str:
    """Why the hours are refused, "" when they are not: closed for a year from `start` on, or too short for a target."""
    targets, calendar = of_settings(settings), calendar_of(settings["hours"])
    first = add_business_seconds(start, 60, calendar)
    if first is None or (first - start).days > LONGEST_CLOSED_DAYS:
        return "hours must have an open minute within a year that is no holiday. Add a day with opens and closes."
    longest = max((target.resolution_seconds for target in targets.by_kind.values()), default=0)
    if add_business_seconds(start, longest, targets.calendar) is None:
        return "hours are too short: the longest time in sla does not end within ten years. Open for longer, or agree on less."
    return ""


def fault(settings: Mapping[str, Any]) -> str:
    """What is wrong with the stored settings `sla` and `hours`, "" when nothing is."""
    for name, example in (("sla", DEFAULT_SLA[0]), ("hours", DEFAULT_HOURS)):
        values = {"sla": DEFAULT_SLA, "hours": DEFAULT_HOURS} | {name: settings[name]}
        try:
            _read(values["sla"], values["hours"])
        except ValueError:
            shape = "a list of objects" if name == "sla" else "an object"
            return f"{name} must be {shape} like {orjson.dumps(example).decode()}"
    return ""


def for_audit(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings `sla` and `hours` as short texts."""
    rows, hours = settings["sla"], settings["hours"]
    return {
        "sla": [
            f"{row['priority']}{' ' * bool(row['tier'])}{row['tier']}: "
            f"{row['first_response_minutes']} / {row['resolution_minutes']} min"
            for row in rows
        ],
        "hours": [
            hours["time_zone"],
            *(f"{row['day']} {row['opens']}-{row['closes']}" for row in hours["days"]),
            *([hours["holidays_country"]] if hours["holidays_country"] else []),
            *hours["own_holidays"],
            "business time" if hours["business_time"] else "calendar time",
        ],
    }
