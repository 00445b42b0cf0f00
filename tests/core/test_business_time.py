"""Business time against a minute-by-minute count, across clock changes and holidays."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.business_time import (
    MOST_DAYS,
    Calendar,
    add_business_seconds,
    business_seconds_between,
    country_code,
    zone_name,
)

few = settings(max_examples=40, deadline=None)
MINUTE = timedelta(minutes=1)
ROUND_THE_CLOCK = (((0, 1440),),) * 7
OFFICE = (((540, 1020),),) * 5 + ((),) * 2
NIGHTS = (((0, 150), (90, 200), (1380, 1440)),) * 7  # overlapping, and across the hour that a clock change takes
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "Africa/Cairo",
]
# Within a week of a clock change of one of the zones, or of the day that Apia skipped, or of holidays.
STARTS = [
    datetime(2026, 3, 27, tzinfo=UTC),
    datetime(2026, 10, 23, tzinfo=UTC),
    datetime(2026, 3, 6, tzinfo=UTC),
    datetime(2026, 10, 30, tzinfo=UTC),
    datetime(2026, 4, 3, tzinfo=UTC),
    datetime(2011, 12, 28, tzinfo=UTC),
    datetime(2026, 12, 23, tzinfo=UTC),
    datetime(2026, 4, 22, tzinfo=UTC),
]

spans = st.lists(
    st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda span: span[0] < span[1]), max_size=3
).map(tuple)
calendars = st.builds(
    Calendar,
    time_zone=st.sampled_from(ZONES),
    week=st.one_of(st.sampled_from([ROUND_THE_CLOCK, OFFICE, NIGHTS]), st.tuples(*[spans] * 7).filter(any)),
    country=st.sampled_from(["", "DE", "DE-BY", "US"]),
    own_holidays=st.sampled_from([frozenset(), frozenset({date(2026, 3, 29), date(2026, 10, 26)})]),
)
moments = st.builds(lambda start, minutes: start + minutes * MINUTE, st.sampled_from(STARTS), st.integers(0, 5 * 1440))


@cache
def public_holidays(code, year):
    country, _, part = code.partition("-")
    return set(holidays.country_holidays(country, subdiv=part or None, years=year))


def is_open(calendar, moment):
    """Whether a moment is open, by the definition alone."""
    local = moment.astimezone(ZoneInfo(calendar.time_zone))
    if local.date() in calendar.own_holidays:
        return False
    if calendar.country and local.date() in public_holidays(calendar.country, local.year):
        return False
    minute = local.hour * 60 + local.minute
    return any(opens <= minute < closes for opens, closes in calendar.week[local.weekday()])


def open_minutes(calendar, start, minutes):
    return [start + number * MINUTE for number in range(minutes) if is_open(calendar, start + number * MINUTE)]


@few
@given(calendars, moments, st.integers(0, 3 * 1440))
@example(Calendar("Europe/Berlin", NIGHTS), datetime(2026, 3, 28, 20, tzinfo=UTC), 1440)
@example(Calendar("Europe/Berlin", NIGHTS), datetime(2026, 10, 24, 20, tzinfo=UTC), 1440)
@example(Calendar("Pacific/Apia", OFFICE), datetime(2011, 12, 29, tzinfo=UTC), 2880)
def test_the_seconds_between_two_moments_are_those_of_each_open_minute(calendar, start, minutes):
    counted = 60 * len(open_minutes(calendar, start, minutes))
    assert business_seconds_between(start, start + minutes * MINUTE, calendar) == counted


@few
@given(calendars, moments, st.integers(1, 1000))
@example(Calendar("Australia/Lord_Howe", NIGHTS), datetime(2026, 4, 4, 12, tzinfo=UTC), 400)
def test_adding_ends_with_the_last_open_minute_that_is_needed(calendar, start, minutes):
    opened = open_minutes(calendar, start, 4 * 1440)
    due = add_business_seconds(start, minutes * 60, calendar)
    if len(opened) >= minutes:
        assert due == opened[minutes - 1] + MINUTE
    else:
        assert due is None or due > start + 4 * 1440 * MINUTE


@few
@given(calendars, moments, st.integers(0, 10**6), st.integers(0, 59_999))
def test_what_is_added_lies_between(calendar, start, seconds, milliseconds):
    start += timedelta(milliseconds=milliseconds)
    due = add_business_seconds(start, seconds, calendar)
    if due is not None:
        assert business_seconds_between(start, due, calendar) == seconds


@few
@given(moments, st.integers(0, 10**7))
def test_without_a_calendar_all_time_counts(start, seconds):
    due = add_business_seconds(start, seconds, None)
    assert due == start + timedelta(seconds=seconds)
    assert business_seconds_between(start, due, None) == seconds
    assert business_seconds_between(due, start, None) == 0


@pytest.mark.parametrize(
    "calendar",
    [
        Calendar("UTC", ((),) * 7),
        Calendar(
            "UTC",
            (((0, 60),),) + ((),) * 6,
            own_holidays=frozenset(date(2026, 1, 5) + timedelta(days=day) for day in range(MOST_DAYS + 7)),
        ),
    ],
)
def test_a_calendar_that_never_opens_has_no_end_and_no_time(calendar):
    start = datetime(2026, 1, 5, tzinfo=UTC)
    assert add_business_seconds(start, 1, calendar) is None
    assert business_seconds_between(start, start + timedelta(days=365_000), calendar) == 0


@pytest.mark.parametrize("calendar", [None, Calendar("Pacific/Kiritimati", ROUND_THE_CLOCK)])
def test_the_end_of_the_calendar_is_no_error(calendar):
    assert add_business_seconds(datetime(9999, 12, 31, tzinfo=UTC), 10**7, calendar) is None


@pytest.mark.parametrize(
    ("text", "name"), [("europe/berlin", "Europe/Berlin"), (" UTC ", "UTC"), ("America/new york", "America/New_York")]
)
def test_a_time_zone_is_found_in_any_case(text, name):
    assert zone_name(text) == name


@pytest.mark.parametrize("text", ["", "Mars/Olympus", "../../etc/passwd", "CEST+2", "Europe/"])
def test_what_is_no_time_zone_is_refused(text):
    with pytest.raises(ValueError, match="not a time zone"):
        zone_name(text)


@pytest.mark.parametrize(("text", "code"), [("de", "DE"), ("de-by", "DE-BY"), ("US", "US")])
def test_a_country_may_have_a_part(text, code):
    assert country_code(text) == code


@pytest.mark.parametrize("text", ["XX", "DE-XX", "Germany", "../DE", "DE-"])
def test_a_country_without_known_holidays_is_refused(text):
    with pytest.raises(ValueError, match="not a country"):
        country_code(text)
