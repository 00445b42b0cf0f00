"""The settings `sla` and `hours`: what they hold, and what is refused by name."""

from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.office import MONDAY, OFFICE


@pytest.fixture
def clock():
    return Clock(MONDAY)


@pytest.fixture
def app(open_app, clock):
    return open_app(clock=clock, support_email="desk@example.com")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (
            {"sla": [{"priority": "high", "first_response_minutes": 0, "resolution_minutes": 60}]},
            "sla[0].first_response_minutes",
        ),
        ({"sla": [{"priority": "high", "first_response_minutes": 1}]}, "sla[0].resolution_minutes"),
        ({"sla": [{"priority": "asap", "first_response_minutes": 1, "resolution_minutes": 1}]}, "sla[0].priority"),
        ({"sla": [{"priority": "low", "first_response_minutes": 1, "resolution_minutes": 1}] * 2}, "sla"),
        ({"sla": {"high": 60}}, "sla"),
        ({"hours": {**OFFICE, "time_zone": "Mars/Olympus"}}, "hours.time_zone"),
        ({"hours": {**OFFICE, "days": []}}, "hours.days"),
        ({"hours": {**OFFICE, "days": [{"day": "mon", "opens": "17:00", "closes": "09:00"}]}}, "hours.days[0].closes"),
        ({"hours": {**OFFICE, "days": [{"day": "mon", "opens": "25:00", "closes": "26:00"}]}}, "hours.days[0].opens"),
        ({"hours": {**OFFICE, "days": [{"day": "someday", "opens": "9:00", "closes": "10:00"}]}}, "hours.days[0].day"),
        ({"hours": {**OFFICE, "holidays_country": "Atlantis"}}, "hours.holidays_country"),
        ({"hours": {**OFFICE, "own_holidays": ["soon"]}}, "hours.own_holidays[0]"),
        ({"hours": {**OFFICE, "zone": "UTC"}}, "hours.zone"),
        ({"hours": {"business_time": True}}, "hours.days"),
        ({"hours": "9 to 5"}, "hours"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(admin, changes, field):
    before = admin.data(admin.get("/api/settings"))
    answer = admin.put("/api/settings", changes)
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.json["data"]["errors"]]
    assert admin.data(admin.get("/api/settings")) == before


def test_hours_that_holidays_close_without_end_are_refused(admin, clock):
    mondays = [(MONDAY + timedelta(weeks=week)).date().isoformat() for week in range(60)]
    only_monday = {**OFFICE, "days": OFFICE["days"][:1], "own_holidays": mondays}
    answer = admin.put("/api/settings", {"hours": only_monday})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json["data"]["errors"]] == ["hours"]
    assert "open minute" in answer.json["message"]


def test_hours_that_never_reach_the_end_of_a_target_are_refused(admin):
    minute = [{"day": "mon", "opens": "09:00", "closes": "09:01"}]
    answer = admin.put("/api/settings", {"hours": {**OFFICE, "days": minute}})
    assert answer.status_code == 400
    assert "too short" in answer.json["message"]
    admin.data(admin.put("/api/settings", {"hours": {**OFFICE, "days": minute, "business_time": False}}))


def test_the_settings_are_taken_as_they_are_read_and_recorded(admin):
    admin.data(admin.put("/api/settings", {"hours": {**OFFICE, "holidays_country": "de-by"}}))
    kept = admin.data(admin.get("/api/settings"))
    assert kept["hours"]["holidays_country"] == "DE-BY"
    again = admin.data(admin.put("/api/settings", {"hours": kept["hours"], "sla": kept["sla"]}))
    assert again == kept
    admin.data(admin.put("/api/settings", {"clear": ["hours"]}))
    assert admin.data(admin.get("/api/settings"))["hours"]["time_zone"] == "UTC"
    recorded = [row for row in admin.data(admin.get("/api/audit")) if row["field"] == "hours"]
    assert len(recorded) == 2
    assert "business time" in recorded[-1]["to"]
