"""The clock of a ticket: how much of its agreed times is used, when they are due, and whether they are met. No rows.

The clock runs in open states, pauses in waiting_customer and stops in resolved and closed. A reopened ticket goes on where it
stopped. docs/metrics.md has the formulas.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core import timestamps
from core.business_time import Calendar, add_business_seconds, business_seconds_between
from core.models import FINISHED
from services.sla.targets import Targets

PAUSED = "waiting_customer"
FIRST_RESPONSE, RESOLUTION = "first_response", "resolution"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Clock:
    """`since` is when the clock started to run, "" while it does not; `consumed` are the seconds it ran before."""

    since: str
    consumed: int
    calendar: Calendar | None

    def when(self, seconds: int, start: str) -> str:
        """The moment at which so many seconds are used if the clock runs from `start` on; "" if never."""
        moment = add_business_seconds(timestamps.moment(start), seconds - self.consumed, self.calendar)
        return _stamp(moment)


@dataclass(frozen=True, slots=True)
class _Goal:
    """One of the two agreed times of a ticket: its due time, its level, and when the level changes next ("" for never)."""

    name: str
    due_at: str
    level: str
    next_at: str = ""

    @property
    def alert(self) -> str:
        """The alert that this level calls for, "" for none."""
        return f"{self.name}_{self.level}" if self.level in ("at_risk", "breached") else ""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a ticket's agreed times at one moment."""

    clock: _Clock
    goals: tuple[_Goal, _Goal]
    is_finished: bool
    told: tuple[str, ...]  # alerts that were sent before
    at: str

    @property
    def alerts(self) -> list[_Goal]:
        """The goals whose present level needs an alert that was not sent yet."""
        return [goal for goal in self.goals if goal.alert and goal.alert not in self.told]

    @property
    def status(self) -> str:
        """on_track, at_risk, breached or met; "" where nothing is agreed."""
        levels = {goal.level for goal in self.goals} - {""}
        if not levels or "breached" in levels:
            return "breached" if levels else ""
        if self.is_finished:
            return "met"
        return "at_risk" if "at_risk" in levels else "on_track"

    def fields(self, *, told: bool = False) -> dict[str, Any]:
        """The columns of the ticket. With `told` the present alerts count as sent."""
        moments = [goal.next_at for goal in self.goals if goal.next_at]
        if self.alerts and not told:
            moments.append(self.at)
        alerts = [name for goal in self.goals if goal.alert for name in _covers(goal)] if told else []
        return {
            "first_response_due_at": self.goals[0].due_at or None,
            "resolve_due_at": self.goals[1].due_at or None,
            "sla_status": self.status,
            "sla_running_since": self.clock.since or None,
            "sla_consumed_seconds": self.clock.consumed,
            "sla_next_at": min(moments, default=None),
            "sla_told": list(dict.fromkeys([*self.told, *alerts])),
        }


def _covers(goal: _Goal) -> list[str]:
    """The alerts that count as sent with this goal's alert: a breach covers the risk of it."""
    return [f"{goal.name}_at_risk", goal.alert] if goal.level == "breached" else [goal.alert]


def restored(values: Row) -> dict[str, Any]:
    """The clock and due times that an undo puts back; empty for other changes. Alerts that were sent stay recorded."""
    names = ("sla_running_since", "sla_consumed_seconds", "first_response_due_at", "resolve_due_at")
    return {name: values[name] for name in names if name in values}


def matters(before: Row, values: Row) -> bool:
    """Whether a change of these values may change the agreed times of a ticket."""
    if phase(before["status"]) != phase(values.get("status", before["status"])):
        return True
    if before["status"] in FINISHED:
        return False
    names = ("priority", "customer_tier", "first_response_at")
    return any(name in values and values[name] != before[name] for name in names)


def phase(status: str) -> str:
    """What the clock does in a status: runs, pauses or stops."""
    return "stops" if status in FINISHED else "pauses" if status == PAUSED else "runs"


def start(ticket: Row, targets: Targets, *, real_now: str) -> State:
    """The state of a ticket that is being created, with its `created_at`, which may be long ago."""
    blank: dict[str, Any] = {"sla_running_since": None, "sla_consumed_seconds": 0, "sla_told": []}
    blank |= dict.fromkeys(("first_response_at", "first_response_due_at", "resolve_due_at", "resolved_at"))
    return change({**blank, **ticket}, {}, targets, now=ticket["created_at"], real_now=real_now)


def change(before: Row, values: Row, targets: Targets, *, now: str, real_now: str) -> State:
    """The state of a ticket after a change at `now`, an order stamp; `real_now` says what is overdue."""
    after = {**before, **values}
    new_phase = phase(after["status"])
    clock = _clock_after(before, new_phase, targets.calendar, now)
    target = targets.of(after["priority"], after["customer_tier"])
    is_frozen = new_phase == "stops" and phase(before["status"]) == "stops"
    answered_at = after["first_response_at"] or (after["resolved_at"] if new_phase == "stops" else None)
    ended_at = after["resolved_at"] if new_phase == "stops" else None
    seconds = (target.first_response_seconds, target.resolution_seconds) if target else (0, 0)
    keeps_first = is_frozen or bool(before["first_response_at"])
    first_due = before["first_response_due_at"] or ""
    if not keeps_first:
        first_due = _due_at(clock, seconds[0], first_due, now, is_done=bool(answered_at))
    due = before["resolve_due_at"] or ""
    if not is_frozen:
        due = _due_at(clock, seconds[1], due, now, is_done=bool(ended_at))
    goals = (
        _goal(FIRST_RESPONSE, clock, seconds[0], first_due, answered_at, real_now),
        _goal(RESOLUTION, clock, seconds[1], due, ended_at, real_now),
    )
    return State(clock, goals, new_phase == "stops", tuple(before["sla_told"]), real_now)


def _clock_after(before: Row, new_phase: str, calendar: Calendar | None, now: str) -> _Clock:
    since, consumed = before["sla_running_since"] or "", before["sla_consumed_seconds"]
    if new_phase == "runs":
        return _Clock(since or now, consumed, calendar)
    if since:
        start, end = timestamps.moment(since), timestamps.moment(now)
        consumed += business_seconds_between(start, end, calendar)
    return _Clock("", consumed, calendar)


def _due_at(clock: _Clock, seconds: int, due_at: str, now: str, *, is_done: bool) -> str:
    """The due time after a change at `now`, "" while there is none; `due_at` was the one before.

    A pause has no due time, unless it is over already. What is done keeps the time that it was due.
    """
    if not seconds:
        return due_at if is_done else ""
    if clock.consumed >= seconds:
        latest = clock.since or now
        return min(due_at or latest, latest)
    if clock.since:
        return clock.when(seconds, clock.since)
    return (due_at or clock.when(seconds, now)) if is_done else ""


def _goal(name: str, clock: _Clock, seconds: int, due_at: str, done_at: str | None, real_now: str) -> _Goal:
    if done_at:
        return _Goal(name, due_at, ("breached" if done_at >= due_at else "met") if due_at else "")
    if due_at and due_at <= real_now:
        return _Goal(name, due_at, "breached")
    if not seconds:
        return _Goal(name, due_at, "")
    risk_seconds = seconds - seconds // 4
    if clock.consumed >= risk_seconds:
        return _Goal(name, due_at, "at_risk", due_at)
    if not clock.since:
        return _Goal(name, due_at, "on_track")
    risk_at = clock.when(risk_seconds, clock.since)
    if risk_at and risk_at <= real_now:
        return _Goal(name, due_at, "at_risk", due_at)
    return _Goal(name, due_at, "on_track", risk_at)


def _stamp(moment: datetime | None) -> str:
    return timestamps.stamp(moment) if moment else ""
