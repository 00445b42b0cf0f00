"""Escalation: what nobody takes within `escalate_after_minutes` of open time is told to the support address, once per ticket.

The periodic job reads an index of tickets that wait and were not escalated, so its cost grows with those alone.
"""

from core import timestamps
from core.business_time import Calendar, business_seconds_between
from core.models import label
from database.tables import companies, tickets
from services import settings
from services.history import Change, record
from services.sla import targets
from services.tickets import changes, notifications
from storage import Row, UnitOfWork

BATCH = 50  # tickets per unit of work, so that other writers do not wait long
MOST_NOTICES = 5  # of one batch; with more tickets one notice tells of all
AHEAD_SECONDS = 60  # a ticket that waits since a later moment than this was dated by a clock that was ahead
t = tickets.c


def company_ids(uow: UnitOfWork) -> list[str]:
    """The companies, of all, in which waiting tickets are escalated."""
    return [row["id"] for row in uow.find(uow.query(companies)) if settings.of_company(row)["escalate_after_minutes"]]


def due(uow: UnitOfWork) -> list[str]:
    """The ids of the company's tickets that are to be escalated now, those that wait for longest first, at most BATCH."""
    own = settings.current(uow)
    seconds = 60 * own["escalate_after_minutes"]
    calendar = _calendar(own)
    if not seconds or targets.opens_again(own, timestamps.moment(uow.real_now)):
        return []  # nobody could have taken it in closed time, and what is due then is due when the desk opens
    latest = timestamps.later(uow.real_now, seconds=-seconds)
    unescalated = (t.queue_since.is_not(None), t.escalated_at.is_(None), t.queue_since <= latest)
    rows = uow.find(uow.query(tickets, t.id, t.queue_since).where(*unescalated).order_by(t.queue_since).limit(BATCH))
    ids = []
    for row in rows:
        if _open_seconds(row["queue_since"], uow.real_now, calendar) < seconds:
            break  # those after it wait for less
        ids.append(row["id"])
    return ids


def escalate(uow: UnitOfWork, ticket_ids: list[str]) -> int:
    """Escalates those tickets that still wait; returns how many."""
    minutes = settings.current(uow)["escalate_after_minutes"]
    escalated = []
    for ticket_id in ticket_ids:
        ticket = uow.get(tickets, ticket_id, lock=True)
        if ticket is None or not ticket["queue_since"] or ticket["escalated_at"] or ticket["erased_at"]:
            continue
        values = {"escalated_at": uow.real_now, "next_action": f"Assign it: nobody has taken it for {_time(minutes)}."}
        escalated.append(changes.write_quietly(uow, ticket, values, visible=True))
        change = Change("escalated", "assigned_team", "", ticket["assigned_team"])
        record(uow, ticket_id, [change])
    _tell(uow, escalated, minutes)
    return len(escalated)


def correct_clock(uow: UnitOfWork) -> bool:
    """Tickets that wait since a moment that is still to come wait from now: the clock was ahead. Returns whether there are more."""
    ahead = t.queue_since > timestamps.later(uow.real_now, seconds=AHEAD_SECONDS)
    rows = uow.find(uow.query(tickets).where(t.queue_since.is_not(None), ahead).limit(BATCH))
    for row in rows:
        changes.write_quietly(uow, row, {"queue_since": uow.real_now}, visible=False)
    return len(rows) == BATCH


def companies_ahead(uow: UnitOfWork) -> list[str]:
    """The companies, of all, with tickets that wait since a moment that is still to come."""
    ahead = t.queue_since > timestamps.later(uow.real_now, seconds=AHEAD_SECONDS)
    return [
        row["company_id"]
        for row in uow.find(uow.query(tickets, t.company_id).where(t.queue_since.is_not(None), ahead).distinct())
    ]


def _tell(uow: UnitOfWork, escalated: list[Row], minutes: int) -> None:
    """One notice for each ticket, or one for all when they are many."""
    if len(escalated) > MOST_NOTICES:
        first = escalated[0]
        sentence = (
            f"Nobody has taken {len(escalated)} tickets for {_time(minutes)}. #{first['number']} waits for longest."
        )
        notifications.notify_escalated(uow, first, sentence)
        return
    for ticket in escalated:
        team = label(ticket["assigned_team"])
        sentence = f"Nobody of the team {team} has taken ticket #{ticket['number']} for {_time(minutes)}."
        notifications.notify_escalated(uow, ticket, sentence)


def _time(minutes: int) -> str:
    return (
        f"{minutes} min" if minutes < 120 else f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    )


def _calendar(own: Row) -> Calendar | None:
    """The opening hours; None where they cannot be read, and all time counts."""
    try:
        return targets.calendar_of(own["hours"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _open_seconds(since: str, now: str, calendar: Calendar | None) -> int:
    return business_seconds_between(timestamps.moment(since), timestamps.moment(now), calendar)
