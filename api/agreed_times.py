"""The settings `sla` and `hours` over HTTP: targets per priority and tier, opening hours, time zone and holidays."""

import re
from typing import Any

from marshmallow import Schema, ValidationError, post_load, validates_schema

from api.http import schemas
from api.http.fields import Choice, Number, Text, Things, Words, Yes
from core import business_time, models, timestamps
from core.business_time import WEEKDAYS
from services.sla import targets
from storage import Row

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::00(?:\.0+)?)?")
_MOST_TARGETS = len(models.PRIORITIES) * (1 + len(models.TIERS))
ABOUT = {
    "priority": "The priority it is for.",
    "tier": "The plan it is for; empty for every plan without a row of its own.",
    "first_response_minutes": "Minutes until a person has answered.",
    "resolution_minutes": "Minutes until it is resolved.",
    "time_zone": "Your time zone by its IANA name, such as Europe/Berlin.",
    "days": "The opening hours, one row for each span of a day; a day without a row is closed.",
    "day": "The day of the week.",
    "opens": "When you open, such as 09:00.",
    "closes": "When you close, such as 17:00; 24:00 is the end of the day.",
    "holidays_country": "Country whose public holidays are closed, such as DE, or a part of it, such as DE-BY; empty for none.",
    "own_holidays": "Further days on which you are closed, such as 2026-12-24.",
    "business_time": "Whether agreed times count only opening hours; if not, they count every hour.",
}


class SlaTarget(Schema):
    """The agreed times of a priority."""

    priority = schemas.word(models.PRIORITIES, ABOUT["priority"])
    tier = schemas.text(ABOUT["tier"])
    first_response_minutes = schemas.integer(ABOUT["first_response_minutes"])
    resolution_minutes = schemas.integer(ABOUT["resolution_minutes"])


class OpeningHours(Schema):
    """A span of a day in which you are open."""

    day = schemas.word(WEEKDAYS, ABOUT["day"])
    opens = schemas.text(ABOUT["opens"])
    closes = schemas.text(ABOUT["closes"])


class Hours(Schema):
    """When you are open."""

    time_zone = schemas.text(ABOUT["time_zone"])
    days = schemas.items(OpeningHours, ABOUT["days"])
    holidays_country = schemas.text(ABOUT["holidays_country"])
    own_holidays = schemas.texts(ABOUT["own_holidays"])
    business_time = schemas.flag(ABOUT["business_time"])


class TimeOfDay(Text):
    """A time of day in hours and minutes, from 00:00 to 24:00."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(20, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        match = _CLOCK.fullmatch(super()._deserialize(value, attr, data, **kwargs))
        hour, minute = map(int, match.groups()) if match else (99, 0)
        if 60 * hour + minute > 24 * 60 or minute > 59:
            raise ValidationError(f"{attr} must be a time of day like 09:00, from 00:00 to 24:00.")
        return f"{hour:02}:{minute:02}"


class Day(Text):
    """A date without a time."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(10, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return timestamps.read(text)[: len("2026-12-24")]
        except ValueError:
            raise ValidationError(f"{attr} must be a date like 2026-12-24.") from None


class TimeZone(Text):
    """An IANA time zone, in any case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(100, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return business_time.zone_name(text)
        except ValueError:
            raise ValidationError(f"{attr} must be the name of a time zone, like Europe/Berlin or UTC.") from None


class Country(Text):
    """A country, or a part of one, whose public holidays are known."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(20, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return business_time.country_code(text)
        except ValueError:
            raise ValidationError(f"{attr} must be the code of a country or a part of it, like DE or DE-BY.") from None


class NewSlaTarget(Schema):
    """The agreed times of a priority, to be set."""

    priority = Choice(models.PRIORITIES, required=True, about=ABOUT["priority"])
    tier = Choice(models.TIERS, about=ABOUT["tier"])
    first_response_minutes = Number(1, targets.MOST_MINUTES, required=True, about=ABOUT["first_response_minutes"])
    resolution_minutes = Number(1, targets.MOST_MINUTES, required=True, about=ABOUT["resolution_minutes"])

    @post_load
    def _whole(self, row: Row, **_: Any) -> Row:
        return {"priority": row["priority"], "tier": "", **row}


class NewOpeningHours(Schema):
    """A span of a day in which you are open, to be set."""

    day = Choice(WEEKDAYS, also={day[:3]: day for day in WEEKDAYS}, required=True, about=ABOUT["day"])
    opens = TimeOfDay(required=True, about=ABOUT["opens"])
    closes = TimeOfDay(required=True, about=ABOUT["closes"])

    @validates_schema(skip_on_field_errors=True)
    def _opens_before_it_closes(self, row: Row, **_: Any) -> None:
        if row["opens"] >= row["closes"]:
            message = "closes must be later than opens. For hours past midnight write a row for each of the two days."
            raise ValidationError(message, "closes")


class NewHours(Schema):
    """When you are open, to be set as a whole."""

    time_zone = TimeZone(required=True, about=ABOUT["time_zone"])
    days = Things(NewOpeningHours, targets.MOST_SPANS, least=1, required=True, about=ABOUT["days"])
    holidays_country = Country(about=ABOUT["holidays_country"])
    own_holidays = Words(targets.MOST_OWN_HOLIDAYS, Day(), about=ABOUT["own_holidays"])
    business_time = Yes(required=True, about=ABOUT["business_time"])

    @post_load
    def _whole(self, hours: Row, **_: Any) -> Row:
        closed = {"holidays_country": hours.get("holidays_country", ""), "own_holidays": hours.get("own_holidays", [])}
        return {name: (hours | closed)[name] for name in targets.DEFAULT_HOURS}


def new_targets(about: str) -> Things:
    """The field `sla`."""
    return Things(NewSlaTarget, _MOST_TARGETS, about=about)


def check_targets(rows: list[Row]) -> None:
    """Raises ValidationError when a priority and tier are named twice."""
    seen: set[tuple[str, str]] = set()
    for row in rows:
        if (kind := (row["priority"], row["tier"])) in seen:
            raise ValidationError(f"sla names {' '.join(kind).strip()} twice. Name each priority and tier once.", "sla")
        seen.add(kind)
