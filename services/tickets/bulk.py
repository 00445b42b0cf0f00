"""Changes many tickets at once, with a result for each, and undoes a bulk within 15 minutes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from core import timestamps
from core.errors import AppError, invalid_field
from core.models import ticket_shape
from database.tables import bulk_items, bulks
from services.routing import agents
from services.tickets import changes, last_messages, macros, queries, snooze
from storage import Row, UnitOfWork

MOST_TICKETS = 500
AT_ONCE = 50  # tickets in one unit of work, so that other writers do not wait long
UNDO_SECONDS = 15 * 60
NOT_RESTORED = "id company_id version updated_at raised".split()  # changes.write leaves the mark `raised` on the row
# Action -> the function that does it to one ticket, with its arguments as keywords.
ACTIONS: dict[str, Callable[..., Row]] = {
    "assign": lambda uow, ticket_id, agent_email="", auto=False, **who: changes.assign(
        uow, ticket_id, agent_email, auto=auto, **who
    ),
    "unassign": changes.unassign,
    "resolve": changes.resolve,
    "reopen": changes.reopen,
    "snooze": snooze.snooze,
    "macro": lambda uow, ticket_id, macro_id="", **who: macros.apply(uow, ticket_id, macros.get(uow, macro_id), **who),
    "close": lambda uow, ticket_id, **who: changes.update(uow, ticket_id, {"status": "closed"}, **who),
}
# The arguments that each action needs: at least one of them, and no others.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "assign": ("agent_email", "auto"),
    "resolve": ("resolution",),
    "snooze": ("until",),
    "macro": ("macro_id",),
}


@dataclass(frozen=True, slots=True)
class Item:
    """A ticket of a bulk, and the version that the caller saw."""

    ticket_id: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What is done to each ticket: an action with arguments, or fields to set."""

    action: str = ""
    arguments: Row = field(default_factory=dict)
    fields: Row = field(default_factory=dict)
    said_by: str = ""

    def check(self) -> None:
        """Raises AppError 400 when arguments are missing or belong to another action."""
        names = ARGUMENTS.get(self.action, ())
        for name in self.arguments:
            if name not in names:
                raise invalid_field(f"arguments.{name}", f"The action {self.action} takes no {name}.")
        if names and not self.arguments:
            raise invalid_field("arguments", f"The action {self.action} needs {' or '.join(names)} in arguments.")

    def prepare(self, uow: UnitOfWork) -> None:
        """Raises AppError 404 for a macro that does not exist, before any ticket is changed."""
        if self.action == "macro":
            macros.get(uow, self.arguments["macro_id"])

    def do(self, uow: UnitOfWork, item: Item) -> Row:
        """Does it to one ticket. Raises AppError 400, 404, 409, 412."""
        who: Row = {"said_by": self.said_by, "version": item.version}
        if self.action:
            return ACTIONS[self.action](uow, item.ticket_id, **self.arguments, **who)
        return changes.update(uow, item.ticket_id, dict(self.fields), **who)


def matching(uow: UnitOfWork, filters: Row) -> list[Item]:
    """The tickets that match filters of the list. Raises AppError 400 when they are too many."""
    rows, total = queries.find(uow, {**filters, "limit": MOST_TICKETS, "offset": 0})
    if total > MOST_TICKETS:
        message = f"filter matches {total} tickets; at most {MOST_TICKETS} are changed at once. Narrow it."
        raise invalid_field("filter", message)
    return [Item(row["id"]) for row in rows]


def start(uow: UnitOfWork) -> str:
    """A new bulk; returns its id."""
    return str(uow.insert(bulks, {"created_at": uow.now})["id"])


def run(uow: UnitOfWork, bulk_id: str, items: Sequence[Item], work: Work) -> list[Row]:
    """Does the work to each ticket. One that fails is left as it was and does not stop the others."""
    results = [_attempt(uow, bulk_id, item.ticket_id, partial(_one, uow, bulk_id, item, work)) for item in items]
    return _with_last_messages(uow, results)


def _with_last_messages(uow: UnitOfWork, results: list[Row]) -> list[Row]:
    last_messages.add(uow, [result["ticket"] for result in results if "ticket" in result])
    return results


def _one(uow: UnitOfWork, bulk_id: str, item: Item, work: Work) -> tuple[str, Row]:
    before = changes.get_for_update(uow, item.ticket_id, item.version)
    after = work.do(uow, item)
    old = {str(name): value for name, value in before.items() if name not in NOT_RESTORED and after[name] != value}
    if old:
        item_row = {"bulk_id": bulk_id, "ticket_id": after["id"], "version": after["version"], "before": old}
        uow.insert(bulk_items, {**item_row, "created_at": uow.now})
    return f"Ticket #{after['number']} is changed." if old else f"Ticket #{after['number']} stays as it is.", after


def undo(uow: UnitOfWork, bulk_id: str, *, said_by: str = "") -> list[Row]:
    """Puts every ticket of a bulk back, unless it was changed since. Raises AppError 404, also after 15 minutes and a second time.

    What was mailed stays sent.
    """
    bulk = uow.get(bulks, bulk_id, lock=True)
    if bulk is None or bulk["created_at"] < timestamps.later(uow.now, seconds=-UNDO_SECONDS):
        minutes = UNDO_SECONDS // 60
        message = (
            f"No bulk of the last {minutes} minutes has this bulk_id, or it is undone already. Nothing was changed."
        )
        raise AppError(message, "not_found", 404)
    rows = uow.find(uow.query(bulk_items).where(bulk_items.c.bulk_id == bulk_id).order_by(bulk_items.c.id))
    results = [_attempt(uow, bulk_id, row["ticket_id"], partial(_undo_one, uow, row, said_by=said_by)) for row in rows]
    uow.delete(bulks, bulks.c.id == bulk_id)
    return _with_last_messages(uow, results)


def _undo_one(uow: UnitOfWork, item: Row, *, said_by: str) -> tuple[str, Row]:
    ticket = changes.get_for_update(uow, item["ticket_id"])
    number = ticket["number"]
    if ticket["version"] != item["version"]:
        raise AppError(f"Ticket #{number} was changed since, so it stays as it is.", "stale_version", 412)
    agent = item["before"].get("assigned_to")
    if agent and not agents.is_agent(uow, agent):
        message = f"Whoever had ticket #{number} is no agent any more, so it stays as it is. Assign it by hand."
        raise invalid_field("bulk_id", message)
    after = changes.write(uow, ticket, item["before"], "undone", said_by=said_by)
    if after["assigned_team"] != item["before"].get("assigned_team", after["assigned_team"]):
        return f"Ticket #{number} is as it was, but its team is gone: it is in {after['assigned_team']} now.", after
    return f"Ticket #{number} is as it was.", after


def _attempt(uow: UnitOfWork, bulk_id: str, ticket_id: str, work: Callable[[], tuple[str, Row]]) -> Row:
    """The result of one ticket; `code` is "" when it worked, and `ticket` is what became of it."""
    result: dict[str, Any] = {"id": ticket_id, "bulk_id": bulk_id}
    try:
        with uow.attempt():
            message, ticket = work()
            shown = ticket_shape(ticket, uow.actor)
            return {**result, "success": True, "message": message, "code": "", "ticket": shown}
    except AppError as error:
        if error.status >= 500:
            raise
        return {**result, "success": False, "message": error.message, "code": error.code}


def purge(uow: UnitOfWork) -> int:
    """Deletes bulks that can no longer be undone; returns how many."""
    return uow.delete(bulks, bulks.c.created_at < timestamps.later(uow.now, seconds=-UNDO_SECONDS))
