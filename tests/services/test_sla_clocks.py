"""The clock of a ticket against a count of its minutes, for any order of pauses, ends and changes of priority."""

from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from core.timestamps import stamp
from services.sla import clocks, targets

START = datetime(2026, 3, 27, 14, 0, tzinfo=UTC)  # a Friday; the clocks of Berlin change on Sunday
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
HOURS = {
    "time_zone": "Europe/Berlin",
    "days": [{"day": day, "opens": "09:00", "closes": "17:00"} for day in DAYS],
    "holidays_country": "",
    "own_holidays": ["2026-03-31"],
    "business_time": True,
}
MINUTES = {"urgent": (60, 480), "low": (240, 960)}
AGREED = targets.of_settings(
    {
        "sla": [
            {"priority": priority, "tier": "", "first_response_minutes": first, "resolution_minutes": last}
            for priority, (first, last) in MINUTES.items()
        ],
        "hours": HOURS,
    }
)
STATUSES = ("new", "in_progress", "waiting_customer", "resolved")
steps = st.lists(st.tuples(st.integers(1, 1500), st.sampled_from(STATUSES), st.sampled_from(list(MINUTES))), max_size=6)


def at(minute):
    return stamp(START + timedelta(minutes=minute))


@cache
def is_open(minute):
    """Whether a minute after START lies in the hours: UTC+1 until Sunday 29 March 2026, 1:00 UTC, then UTC+2."""
    moment = START + timedelta(minutes=minute)
    local = moment + timedelta(hours=1 if moment < datetime(2026, 3, 29, 1, tzinfo=UTC) else 2)
    return local.weekday() < 5 and 9 <= local.hour < 17 and local.day != 31


@settings(max_examples=100, deadline=None)
@given(steps)
def test_due_times_are_those_of_the_minutes_that_the_clock_ran(changes):
    ticket = {"status": "new", "priority": "low", "customer_tier": "standard", "created_at": at(0)}
    blank = dict.fromkeys(("first_response_at", "resolved_at"))
    ticket |= blank | clocks.start(ticket, AGREED, real_now=at(0)).fields()
    used, minute = 0, 0  # open minutes while the clock ran
    for wait, status, priority in changes:
        before, runs = minute, clocks.phase(ticket["status"]) == "runs"
        minute += wait
        used += sum(map(is_open, range(before, minute))) if runs else 0
        ends = status == "resolved"  # which never comes with another priority in one write
        values = {"status": status, "priority": ticket["priority"] if ends else priority}
        if clocks.phase(ticket["status"]) == "stops" and ends:
            continue  # what is finished is not changed
        values["resolved_at"] = at(minute) if ends else None
        ticket |= values | clocks.change(ticket, values, AGREED, now=at(minute), real_now=at(minute)).fields(told=True)
        check(ticket, used, minute)


def check(ticket, used, minute):
    last = MINUTES[ticket["priority"]][1]
    assert ticket["sla_consumed_seconds"] <= 60 * used
    if clocks.phase(ticket["status"]) == "runs" and used < last:
        following = [later for later in range(minute, minute + 14 * 1440) if is_open(later)]
        assert ticket["resolve_due_at"] == at(following[last - used - 1] + 1)
    if clocks.phase(ticket["status"]) == "pauses" and used < last:
        assert ticket["resolve_due_at"] is None
    if used >= last:
        assert ticket["resolve_due_at"] <= at(minute)
        assert ticket["sla_status"] == "breached"
    elif ticket["status"] == "resolved":
        assert ticket["sla_status"] == ("breached" if used >= MINUTES[ticket["priority"]][0] else "met")
    elif used >= last - last // 4:
        assert ticket["sla_status"] in ("at_risk", "breached")
    if ticket["sla_next_at"]:
        assert ticket["sla_next_at"] > at(minute)
