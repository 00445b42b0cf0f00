"""Follows the clocks of tickets: stores what has become at risk or overdue, and alerts once for each.

A periodic job reads the tickets whose `sla_next_at` has passed. So its cost grows with what is due alone.
"""

from core.models import OPEN
from database.tables import tickets
from services import settings
from services.history import Change, record
from services.sla import clocks, targets
from services.tickets import changes, notifications
from storage import Row, UnitOfWork

MOST_AT_ONCE = 200
t = tickets.c
FIELD_OF = {clocks.FIRST_RESPONSE: "first_response_due_at", clocks.RESOLUTION: "resolve_due_at"}
INTERNAL = frozenset({"sla_running_since", "sla_consumed_seconds", "sla_next_at", "sla_told"})


def due(uow: UnitOfWork) -> list[Row]:
    """The tickets, of every company, whose `sla_next_at` has passed: `id` and `company_id` of each, the longest due first."""
    query = uow.query(tickets, t.id, t.company_id).where(t.sla_next_at <= uow.real_now)
    return uow.find(query.order_by(t.sla_next_at).limit(MOST_AT_ONCE))


def open_ids(uow: UnitOfWork) -> list[str]:
    """The ids of the company's open tickets."""
    return [row["id"] for row in uow.find(uow.query(tickets, t.id).where(t.status.in_(OPEN)).order_by(t.id))]


def take_step(uow: UnitOfWork, ticket_id: str, *, tell: bool = True) -> None:
    """Recomputes the agreed times of one ticket, and sends the alerts that were not sent yet.

    With `tell` False the present alerts are recorded as sent and not sent. The same holds for a ticket without `sla_status`,
    which an earlier release stored.
    """
    ticket = uow.get(tickets, ticket_id, lock=True)
    if ticket is None:
        return
    if ticket["erased_at"]:
        changes.write_quietly(uow, ticket, {"sla_next_at": None}, visible=False)
        return
    agreed = targets.of_settings(settings.current(uow))
    state = clocks.change(ticket, {}, agreed, now=uow.now, real_now=uow.real_now)
    values = {name: value for name, value in state.fields(told=True).items() if ticket[name] != value}
    if not values:
        return
    after = changes.write_quietly(uow, ticket, values, visible=not values.keys() <= INTERNAL)
    if not tell or not ticket["sla_status"]:
        return
    alerts = state.alerts
    record(uow, ticket_id, [Change(f"sla_{goal.level}", FIELD_OF[goal.name], "", goal.due_at) for goal in alerts])
    for goal in alerts:
        notifications.notify_sla(uow, after, goal.name, goal.level, goal.due_at)


def recompute(uow: UnitOfWork, ticket_ids: list[str]) -> None:
    """Recomputes tickets by the present settings. What is overdue by them already is shown, without an alert."""
    for ticket_id in ticket_ids:
        take_step(uow, ticket_id, tell=False)
