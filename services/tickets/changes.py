"""Change tickets: check the transition, write fields and history, enqueue notifications. The only writer of ticket state."""

from collections.abc import Container, Iterable
from typing import Any

from core import timestamps
from core.errors import conflict, invalid_field, not_found, stale
from core.models import FINISHED, MOVES, PRIORITY_RANK, TEAM_OF, TEAMS, label, ticket_shape
from database.tables import replies, tickets
from services import settings
from services.chat import conversations
from services.clearing import pop_cleared
from services.history import AI, Change, record
from services.knowledge import citations
from services.routing import agents, teams
from services.sla import clocks, targets
from services.tickets import notifications, team_queue, transition_facts, waiting
from services.triage import training_examples
from storage import Row, UnitOfWork

# Status sent by a caller -> transition. Resolved and closed tickets can only be reopened.
MOVE_TO = {
    "new": "queue",
    "assigned": "assign",
    "in_progress": "start",
    "waiting_customer": "wait",
    "handoff": "handoff",
    "resolved": "resolve",
    "closed": "close",
}
PLAIN_FIELDS = (
    "title description product tags category priority urgency sentiment assigned_team customer_name customer_tier external_id"
).split()
CLEARABLE: dict[str, Any] = {"product": "", "tags": [], "customer_name": "", "external_id": "", "assigned_to": ""}
CLEARABLE["snoozed_until"] = None
STATE_FIELDS = ("status", "assigned_to", "resolution")
TRIAGE_FIELDS = ("category", "priority", "urgency", "sentiment", "assigned_team")


# Derived or long fields get no history entry of their own.
NOT_IN_HISTORY = frozenset(
    "priority_rank assigned_at resolved_at closed_at resolution_seconds first_response_at first_response_seconds "
    "human_replied first_response_due_at resolve_due_at sla_status sla_running_since sla_consumed_seconds sla_next_at "
    "sla_told queue_place queue_since escalated_at suggested_tags links watchers external_scope csat_at agent_replies "
    "closed_by_customer handed_over reopened_after_ai triage_source triage_reasons category_confidence topic_confidence "
    "ai_response".split()
)
RECORDED = frozenset(tickets.c.keys()) - NOT_IN_HISTORY


def get(uow: UnitOfWork, ticket_id: str) -> Row:
    """Returns the ticket. Raises AppError 404."""
    ticket = uow.cached((tickets,), ("ticket", ticket_id), lambda: uow.get(tickets, ticket_id))
    if ticket is None:
        raise not_found()
    return ticket


def get_for_update(uow: UnitOfWork, ticket_id: str, version: int | None = None, *, even_erased: bool = False) -> Row:
    """Returns the ticket, locked until this unit of work ends.

    Raises AppError 404, 409 if the ticket is erased, and 412 if `version` is not the current one.
    """
    ticket = uow.get(tickets, ticket_id, lock=True)
    if ticket is None:
        raise not_found()
    if ticket["erased_at"] and not even_erased:
        raise conflict("erased", f"Ticket #{ticket['number']} was erased with its customer. It cannot be changed.")
    if version is not None and version != ticket["version"]:
        raise stale(ticket_shape(ticket, uow.actor))
    return ticket


def assign(
    uow: UnitOfWork, ticket_id: str, name: str, *, auto: bool = False, said_by: str = "", version: int | None = None
) -> Row:
    """Assigns the ticket to the named agent or, with `auto`, to the one who is free. Raises AppError 400, 404, 409, 412.

    With `auto` a ticket that an agent of the company has stays theirs.
    """
    ticket = get_for_update(uow, ticket_id, version)
    check_move(ticket, "assign")
    if not auto:
        return assign_to(uow, ticket, agents.resolve(uow, name, field="agent_email"), said_by=said_by)
    if agents.is_agent(uow, ticket["assigned_to"]):
        return assign_to(uow, ticket, ticket["assigned_to"], said_by=said_by)
    choice = agents.choose(uow, ticket["assigned_team"])
    return assign_to(uow, ticket, choice.email, reason=choice.reason, said_by=said_by)


def assign_to(
    uow: UnitOfWork, ticket: Row, agent: str, *, reason: str = "", said_by: str = "", background: bool = False
) -> Row:
    """Assigns the ticket and mails the agent. `reason` says why it was chosen automatically. Raises AppError 409."""
    if agent == ticket["assigned_to"] and ticket["status"] not in MOVES["assign"].changes:
        return ticket
    values = {**move_fields(ticket, "assign"), "assigned_to": agent, "assigned_at": uow.now}
    if reason:
        values["triage_reasons"] = agents.with_reason(ticket["triage_reasons"], reason)
    ticket_after = write(uow, ticket, values, "assigned", said_by=said_by, background=background)
    agents.note_assigned(uow, agent)
    notifications.notify_assigned(uow, ticket_after)
    return ticket_after


def unassign(uow: UnitOfWork, ticket_id: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Removes the agent from the ticket. Raises AppError 404, 409, 412."""
    ticket = get_for_update(uow, ticket_id, version)
    check_move(ticket, "unassign")
    if not ticket["assigned_to"]:
        return ticket
    return write(uow, ticket, unassign_fields(ticket), "unassigned", said_by=said_by)


def unassign_fields(ticket: Row) -> Row:
    """The fields that taking a ticket from its agent sets. Raises AppError 409."""
    return {**move_fields(ticket, "unassign"), "assigned_to": "", "assigned_at": None}


def resolve(uow: UnitOfWork, ticket_id: str, resolution: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Resolves the ticket and notifies the customer. Raises AppError 404, 409, 412."""
    ticket = get_for_update(uow, ticket_id, version)
    return _resolve(uow, ticket, resolution, said_by=said_by)


def _resolve(uow: UnitOfWork, ticket: Row, resolution: str, *, said_by: str) -> Row:
    values = {**move_fields(ticket, "resolve"), "resolution": resolution, **_resolution_time(uow, ticket)}
    ticket_after = write(uow, ticket, values, "resolved", said_by=said_by)
    if ticket["source"] == conversations.CHAT:
        turn = {"author_role": "system", "author_name": "System", "body": resolution, "created_at": uow.now}
        uow.insert_many(replies, [{"ticket_id": ticket["id"], **turn}])
    notifications.notify_resolved(uow, ticket_after)
    training_examples.confirmed(uow, ticket_after)
    return ticket_after


def _resolution_time(uow: UnitOfWork, ticket: Row) -> Row:
    return {"resolved_at": uow.now, "resolution_seconds": timestamps.seconds_between(ticket["created_at"], uow.now)}


def reopen(uow: UnitOfWork, ticket_id: str, *, said_by: str = "", version: int | None = None) -> Row:
    """Reopens a resolved or closed ticket. Raises AppError 404, 409, 412."""
    ticket = get_for_update(uow, ticket_id, version)
    return write(uow, ticket, reopen_fields(ticket, "reopen"), "reopened", said_by=said_by)


def reopen_fields(ticket: Row, move: str) -> Row:
    """The fields that a transition back to an open status sets."""
    values = move_fields(ticket, move)
    if ticket["status"] in FINISHED:
        values |= {"resolved_at": None, "closed_at": None, "resolution_seconds": None, "resolution": ""}
    return values


def close_conversation(uow: UnitOfWork, ticket: Row, resolution: str, *, said_by: str = "") -> Row:
    """Resolves and closes a conversation in one step. Nobody is mailed. Raises AppError 409 for a finished one."""
    check_move(ticket, "resolve")
    values = {"status": "closed", "closed_at": uow.now, "resolution": resolution, **_resolution_time(uow, ticket)}
    return write(uow, ticket, values, "closed", said_by=said_by)


def close_resolved(uow: UnitOfWork, ticket_id: str) -> bool:
    """Closes a ticket that is still resolved; nobody is mailed. Returns whether it was."""
    ticket = uow.get(tickets, ticket_id, lock=True)
    if ticket is None or ticket["status"] != "resolved" or ticket["erased_at"]:
        return False
    write(uow, ticket, {**move_fields(ticket, "close"), "closed_at": uow.now}, "closed")
    return True


def return_to_ai(uow: UnitOfWork, ticket: Row, *, said_by: str = "") -> Row:
    """Takes a conversation from its agent, for the AI to answer. Raises AppError 409 for a finished one."""
    values = {**move_fields(ticket, "return"), "assigned_to": "", "assigned_at": None, "queue_since": None}
    return write(uow, ticket, values, "returned_to_ai", said_by=said_by)


def update(uow: UnitOfWork, ticket_id: str, fields: Row, *, said_by: str = "", version: int | None = None) -> Row:
    """Updates the given fields; status, assigned_to and resolution are transitions. Raises AppError 400, 404, 409, 412."""
    ticket = get_for_update(uow, ticket_id, version)
    cleared = pop_cleared(fields, CLEARABLE)
    # Clients may send the whole ticket back. State fields with their current value request no transition.
    fields = {name: value for name, value in fields.items() if name not in STATE_FIELDS or ticket[name] != value}
    unassign_it = cleared.pop("assigned_to", None) is not None
    wake_it = ticket["snoozed_until"] and "snoozed_until" in cleared
    cleared.pop("snoozed_until", None)
    plain_fields = cleared | {name: fields[name] for name in PLAIN_FIELDS if name in fields}
    ticket = _write_plain(uow, ticket, plain_fields, said_by=said_by)
    if wake_it:
        ticket = write(uow, ticket, {"snoozed_until": None}, "woken", said_by=said_by)
    if unassign_it and ticket["assigned_to"]:
        check_move(ticket, "unassign")
        ticket = write(uow, ticket, unassign_fields(ticket), "unassigned", said_by=said_by)
    return _apply_state_fields(uow, ticket, fields, said_by=said_by)


def _write_plain(uow: UnitOfWork, ticket: Row, plain_fields: Row, *, said_by: str) -> Row:
    if plain_fields.get("assigned_team", ticket["assigned_team"]) != ticket["assigned_team"]:
        plain_fields["assigned_team"] = teams.resolve(uow, plain_fields["assigned_team"], field="assigned_team")
    changes = {name: value for name, value in plain_fields.items() if ticket[name] != value}
    if "category" in changes and "assigned_team" not in plain_fields:
        changes["assigned_team"] = TEAM_OF[changes["category"]]
    if any(name in changes for name in TRIAGE_FIELDS):
        changes["triage_source"] = "human"
    if "priority" in changes:
        changes["priority_rank"] = PRIORITY_RANK[changes["priority"]]
    if not changes:
        return ticket
    if "external_id" in changes:
        _check_external_id(uow, changes["external_id"])
        changes["external_scope"] = ""
    ticket_after = write(uow, ticket, changes, "updated", said_by=said_by)
    training_examples.corrected(uow, ticket, changes)
    if changes.get("priority") == "urgent":
        notifications.notify_urgent(uow, ticket_after)
    return ticket_after


def _check_external_id(uow: UnitOfWork, external_id: str) -> None:
    same = (tickets.c.external_id == external_id, tickets.c.external_scope == "")
    if external_id and uow.count(uow.query(tickets).where(*same)):
        raise conflict("external_id_taken", "Another ticket has this external_id.")


def _apply_state_fields(uow: UnitOfWork, ticket: Row, fields: Row, *, said_by: str) -> Row:
    agent = agents.resolve(uow, fields["assigned_to"]) if fields.get("assigned_to") else ""
    if agent and agent != ticket["assigned_to"]:
        check_move(ticket, "assign")
        ticket = assign_to(uow, ticket, agent, said_by=said_by)
    status, resolution = str(fields.get("status", ticket["status"])), str(fields.get("resolution", ""))
    if status != ticket["status"]:
        return _change_status(uow, ticket, status, resolution=resolution, said_by=said_by)
    if resolution:
        _check_finished(status)
        return write(uow, ticket, {"resolution": resolution}, "updated", said_by=said_by)
    return ticket


def _check_finished(status: str) -> None:
    if status not in FINISHED:
        raise invalid_field("resolution", "To resolve the ticket, send status resolved together with the resolution.")


def _change_status(uow: UnitOfWork, ticket: Row, status: str, *, resolution: str, said_by: str) -> Row:
    if status == "resolved" and ticket["status"] != "closed":
        if not resolution:
            raise invalid_field("resolution", "To resolve the ticket, send a resolution.")
        return _resolve(uow, ticket, resolution, said_by=said_by)
    if resolution:
        _check_finished(status)
    if status == "assigned" and not ticket["assigned_to"]:
        raise invalid_field("assigned_to", "To assign the ticket, name an agent in assigned_to.")
    back = ticket["status"] in FINISHED and status == status_after(ticket, "reopen")
    move = "reopen" if back else MOVE_TO.get(status, "")
    if not move:
        raise conflict("move_not_allowed", f"Only the AI sets a ticket to {label(status)}.")
    values = reopen_fields(ticket, move) if back else move_fields(ticket, move)
    if status == "closed":
        values |= {"closed_at": uow.now, "resolution": resolution or ticket["resolution"]}
    return write(uow, ticket, {**values, "status": status}, MOVES[move].label, said_by=said_by)


def check_move(ticket: Row, move: str) -> None:
    """Raises AppError 409 if the transition is not allowed from the ticket's status, or the ticket is merged."""
    check_own(ticket, MOVES[move].label)
    if ticket["status"] not in MOVES[move].sources:
        message = (
            f"Ticket #{ticket['number']} is {label(ticket['status']).lower()}, so it cannot be {MOVES[move].label}."
        )
        if ticket["status"] in FINISHED:
            message += " Reopen it first."
        raise conflict("move_not_allowed", message)


def check_own(ticket: Row, done: str) -> None:
    """Raises AppError 409 if the ticket is merged, so that it cannot be `done`, like "snoozed"."""
    if ticket["merged_into"]:
        message = f"Ticket #{ticket['number']} is merged into another ticket, so it cannot be {done}. "
        raise conflict("merged", f"{message}Undo the merge first.")


def status_after(ticket: Row, move: str) -> str:
    """The ticket's status after the transition, whether or not it is allowed."""
    return MOVES[move].result(ticket["status"], assigned=bool(ticket["assigned_to"]))


def move_fields(ticket: Row, move: str) -> Row:
    """The fields that a transition sets. Raises AppError 409 if it is not allowed."""
    check_move(ticket, move)
    return {"status": status_after(ticket, move)}


def write(
    uow: UnitOfWork,
    ticket: Row,
    values: Row,
    action: str,
    *,
    said_by: str = "",
    by_ai: bool = False,
    background: bool = False,
    recorded: Container[str] = RECORDED,
) -> Row:
    """Stores the values and one event for each visible change of a `recorded` field. A person's change increments the version.

    `by_ai` and `background` writes keep it.
    """
    # Several writes of one request increment it once.
    keep_version = by_ai or background or ticket.get("raised", False)
    version = {} if keep_version else {"version": ticket["version"] + 1}
    if values.get("status", ticket["status"]) != ticket["status"] and "queue_place" not in values:
        values = values | {"queue_place": waiting.place_after(ticket, values["status"], now=uow.now)}
    if action != "undone":
        values = values | transition_facts.after(ticket, values, by_customer=uow.actor.is_customer)
    values = _with_snooze(ticket, values)
    if clocks.matters(ticket, values):
        agreed = targets.of_settings(settings.current(uow))
        clock = ticket | clocks.restored(values)
        values = values | clocks.change(clock, values, agreed, now=uow.now, real_now=uow.real_now).fields()
    if _is_left_behind(uow, ticket, values):
        values = values | unassign_fields({**ticket, **values})
    values = values | _team_that_exists(uow, ticket, values)
    values = values | team_queue.after(ticket, values, real_now=uow.real_now)
    after = uow.update(tickets, ticket["id"], {**values, **version, "updated_at": uow.now})
    if after is None:
        raise not_found()
    if citations.needs_a_person(values):
        citations.escalate(uow, ticket["id"])
    after["raised"] = ticket.get("raised", False) or not by_ai
    if ticket["source"] == conversations.CHAT and not by_ai and _takes(uow, ticket, after):
        conversations.take_over(uow, after)
    record(uow, ticket["id"], _changes(ticket, values, action, recorded), said_by=said_by, actor=AI if by_ai else "")
    return after


def _is_left_behind(uow: UnitOfWork, ticket: Row, values: Row) -> bool:
    """Whether a finished ticket opens again whose agent has left meanwhile."""
    opens = ticket["status"] in FINISHED and values.get("status", "closed") not in FINISHED
    return opens and "assigned_to" not in values and agents.has_left(uow, ticket["assigned_to"])


def _team_that_exists(uow: UnitOfWork, ticket: Row, values: Row) -> Row:
    """The team of its category, for a ticket that opens again or is put back when its team was deleted meanwhile."""
    after = ticket | values
    opens = ticket["status"] in FINISHED or after["assigned_team"] != ticket["assigned_team"]
    if after["status"] in FINISHED or not opens or after["assigned_team"] in {"", *TEAMS}:
        return {}
    return {} if after["assigned_team"] in teams.names(uow) else {"assigned_team": TEAM_OF[after["category"]]}


def _with_snooze(ticket: Row, values: Row) -> Row:
    """The values with their place in the queue while the ticket is snoozed. What is finished is not snoozed."""
    if values.get("status") in FINISHED and ticket["snoozed_until"]:
        values = values | {"snoozed_until": None}
    after = ticket | values
    if "queue_place" not in values and bool(after["snoozed_until"]) == bool(ticket["snoozed_until"]):
        return values
    return values | {"queue_place": waiting.place_while(after["snoozed_until"], after["queue_place"])}


def write_quietly(uow: UnitOfWork, ticket: Row, values: Row, *, visible: bool) -> Row:
    """Stores values that follow from time alone, without an event; the version stays. `visible` ones are news to pollers."""
    values = values | team_queue.after(ticket, values, real_now=uow.real_now)
    after = uow.update(tickets, ticket["id"], {**values, "updated_at": uow.now} if visible else values)
    if after is None:
        raise not_found()
    return after


def _takes(uow: UnitOfWork, before: Row, after: Row) -> bool:
    """Whether staff took a conversation with this change."""
    return not uow.actor.is_customer and after["status"] != before["status"] and after["status"] in conversations.TAKEN


def _changes(ticket: Row, values: Row, action: str, recorded: Container[str]) -> Iterable[Change]:
    for name, value in values.items():
        if name in recorded and ticket[name] != value:
            is_woken = name == "snoozed_until" and value is None and values.get("status") not in FINISHED
            yield Change("woken" if is_woken else action, name, ticket[name], value)
