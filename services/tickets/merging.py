"""Merges a ticket into another one of the same customer, and undoes it. No reply is moved: a thread is read from all its tickets.

Only a ticket that is not merged can be merged or merged into, and not into itself. So there is no circle.
"""

from core.errors import AppError, conflict, invalid_field
from core.models import FINISHED, OPEN
from database.tables import merges, tickets
from services.chat import conversations
from services.history import Change, record
from services.routing import agents
from services.tickets import changes, merged, waiting
from storage import Row, UnitOfWork

# What a merge changes in an open ticket, and undoing it puts back.
RESTORED = "status assigned_to assigned_at closed_at human_replied queue_place snoozed_until".split()


def merge(uow: UnitOfWork, ticket_id: str, into: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Closes the ticket and makes its thread a part of the other one's; returns it. Nobody is mailed.

    Raises AppError 400, 404, 409, 412.
    """
    source = changes.get_for_update(uow, ticket_id, version)
    if into == source["id"]:
        raise invalid_field("into", "A ticket cannot be merged into itself.")
    target = changes.get_for_update(uow, into)
    _check(uow, source, target)
    was_open = source["status"] in OPEN
    before = {name: source[name] for name in RESTORED if source[name] is not None}
    uow.insert(merges, {"ticket_id": source["id"], "before": before, "created_at": uow.now})
    values = {"merged_into": target["id"], "status": "closed", "closed_at": source["closed_at"] or uow.now}
    if was_open:
        # It counts for no agent, and not as resolved by the AI.
        values |= {"assigned_to": "", "assigned_at": None, "human_replied": True}
        values["ai_status"] = "off" if source["ai_status"] == "pending" else source["ai_status"]
    after = changes.write(uow, source, values, "merged", said_by=said_by)
    if was_open:
        after = changes.write_quietly(uow, after, {"sla_status": "", "sla_next_at": None}, visible=False)
        if source["source"] == conversations.CHAT:
            conversations.end(uow, conversations.get(uow, source), "agent")
    changes.write(uow, target, _waits_as(source, target) if was_open else {}, "merged", said_by=said_by)
    record(uow, target["id"], [Change("merged", "merged_from", "", source["id"])], said_by=said_by)
    return after


def _check(uow: UnitOfWork, source: Row, target: Row) -> None:
    """Raises AppError 409 if the one ticket cannot be merged into the other."""
    names = f"#{source['number']}", f"#{target['number']}"
    if source["merged_into"]:
        raise conflict("already_merged", f"Ticket {names[0]} is merged already. Undo that first.")
    if target["merged_into"]:
        number = merged.root(uow, target)["number"]
        raise conflict("already_merged", f"Ticket {names[1]} is merged into #{number}. Merge into that one.")
    if source["customer_row"] != target["customer_row"]:
        message = "These tickets are of different customers, who would read each other's words. Link them instead."
        raise conflict("other_customer", message)
    if source["source"] == conversations.CHAT != target["source"]:
        message = "A chat can only be merged into a chat. Merge the other ticket into the chat, or link them."
        raise conflict("conversation", message)
    if target["status"] in FINISHED and source["status"] in OPEN:
        raise conflict("move_not_allowed", f"Ticket {names[1]} is {target['status']}. Reopen it first.")
    if len(merged.sources(uow, source["id"])) + len(merged.sources(uow, target["id"])) + 2 > merged.MOST:
        raise conflict("too_many_merged", f"At most {merged.MOST} tickets can be merged into one.")


def _waits_as(source: Row, target: Row) -> Row:
    """What the target gets of a source that waits for us: it waits as well, since the earlier of both times."""
    since = waiting.waits_since(source)
    if not since:
        return {}
    status = changes.status_after(target, "customer_reply")
    earliest = min(since, waiting.waits_since(target) or since)
    return {"status": status, "queue_place": waiting.place_since(status, earliest)}


def unmerge(uow: UnitOfWork, ticket_id: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Undoes a merge and returns the ticket as it was before. What was written since stays in the other one.

    Raises AppError 404, 409, 412.
    """
    ticket = changes.get_for_update(uow, ticket_id, version)
    if not ticket["merged_into"]:
        raise conflict("not_merged", f"Ticket #{ticket['number']} is not merged.")
    row = uow.first(uow.query(merges).where(merges.c.ticket_id == ticket["id"]))
    before = _restorable(uow, row["before"]) if row else {}
    after = changes.write(uow, ticket, {**before, "merged_into": ""}, "unmerged", said_by=said_by)
    uow.delete(merges, merges.c.ticket_id == ticket["id"])
    if ticket["source"] == conversations.CHAT and after["status"] in OPEN:
        conversations.resume(uow, conversations.get(uow, after))
    if target := uow.get(tickets, ticket["merged_into"], lock=True):
        changes.write(uow, target, {}, "unmerged", said_by=said_by)
        record(uow, target["id"], [Change("unmerged", "merged_from", ticket["id"], "")], said_by=said_by)
    return after


def _restorable(uow: UnitOfWork, before: Row) -> Row:
    """The values of before the merge, without an agent who has left and a snooze that is over."""
    values = {**dict.fromkeys(("assigned_at", "closed_at", "snoozed_until")), **before}
    if (values["snoozed_until"] or "") <= uow.real_now:
        values["snoozed_until"] = None
    try:
        if values.get("assigned_to"):
            agents.resolve(uow, values["assigned_to"])
    except AppError:
        values |= {"assigned_to": "", "assigned_at": None}
        values["status"] = "new" if values["status"] == "assigned" else values["status"]
    return values
