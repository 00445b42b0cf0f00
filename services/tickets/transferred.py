"""Tickets of a transfer from another server, added as whole rows. Nobody is told, answered or alerted; nothing is recorded."""

from collections.abc import Collection, Sequence

from core.models import FINISHED
from database.tables import companies
from database.tables import tickets as table
from services import settings
from services.sla import clocks, targets
from storage import Row, UnitOfWork

t = table.c
MOST_MERGES = 100  # of one ticket into the next


def reserve_numbers(uow: UnitOfWork, highest: int) -> None:
    """Lets new tickets begin behind this number."""
    company = uow.get(companies, uow.actor.company_id, lock=True)
    if company is not None and company["last_number"] < highest:
        uow.update(companies, company["id"], {"last_number": highest})


def settle(uow: UnitOfWork, rows: Sequence[Row]) -> None:
    """Changes the rows so that no alert, answer or incident follows from what happened before."""
    agreed = targets.of_settings(settings.current(uow))
    for row in rows:
        row["arrived_at"] = None
        row["ai_status"] = "off" if row["ai_status"] == "pending" else row["ai_status"]
        if row["queue_since"]:
            row["escalated_at"] = row["escalated_at"] or uow.real_now
        if row["status"] not in FINISHED:
            has_clock = row["sla_running_since"] or row["sla_consumed_seconds"] or row["resolve_due_at"]
            state = (
                clocks.change(row, {}, agreed, now=uow.now, real_now=uow.real_now)
                if has_clock
                else clocks.start(row, agreed, real_now=uow.real_now)
            )
            row |= state.fields(told=True)


def number(uow: UnitOfWork, rows: Sequence[Row]) -> int:
    """Gives the rows whose number is taken the next one. Returns how many. The company stays locked until the commit."""
    company = uow.get(companies, uow.actor.company_id, lock=True) or {"id": "", "last_number": 0}
    numbers = uow.query(table, t.number).where(t.number.in_([row["number"] for row in rows]))
    taken = {row["number"] for row in uow.find(numbers)}
    last, changed = company["last_number"], 0
    for row in rows:
        if row["number"] in taken:
            last = row["number"] = last + 1
            changed += 1
        taken.add(row["number"])
        last = max(last, row["number"])
    if last > company["last_number"]:
        uow.update(companies, company["id"], {"last_number": last})
    return changed


def insert(uow: UnitOfWork, rows: Sequence[Row]) -> None:
    """Adds the rows, without links and merges, which `connect` sets."""
    uow.insert_many(table, rows)


def connect(uow: UnitOfWork, ticket: Row, links: Sequence[Row], merged_into: str) -> bool:
    """Sets links and merge of a ticket of a transfer. Returns whether the merge can be: not in a circle, and of a closed one."""
    can_merge = not merged_into or (ticket["status"] == "closed" and not _leads_to(uow, merged_into, ticket["id"]))
    values = {"links": list(links), "merged_into": merged_into if can_merge else ""}
    uow.update(table, ticket["id"], values)
    return can_merge


def _leads_to(uow: UnitOfWork, ticket_id: str, target_id: str) -> bool:
    for _ in range(MOST_MERGES):
        if ticket_id == target_id:
            return True
        row = uow.first(uow.query(table, t.merged_into).where(t.id == ticket_id))
        if row is None or not row["merged_into"]:
            return False
        ticket_id = row["merged_into"]
    return True


def named(uow: UnitOfWork, ids: Collection[str]) -> dict[str, Row]:
    """The tickets with these ids, with what `connect` needs of them."""
    columns = (t.id, t.number, t.version, t.status, t.links, t.merged_into)
    return {row["id"]: row for row in uow.find(uow.query(table, *columns).where(t.id.in_(ids)))}
