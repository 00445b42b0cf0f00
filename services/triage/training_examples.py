"""What a company taught, as rows: examples from what its people decided, and who is told to learn from them.

Only people's decisions become examples, never what a customer writes; what is made of them is in taught.py.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from database.tables import examples as table
from database.tables import replies, tickets
from services import outbox
from services.privacy.mentions import Mentions, sweep
from storage import Row, UnitOfWork

LANE = "learn"
FIELDS = ("category", "priority", "sentiment", "assigned_team")
TOPIC, CATEGORY, TEAM = "topic", "category", "assigned_team"
LEAST_NAME = 4  # letters; a shorter one stands within too many words
MOST = 3_000  # examples looked at: the newest
QUICK = 300  # examples that are learnt in no time; with more, several changes are waited for
PATIENCE_SECONDS = 30
SET_BY = " set by "  # after the field's name: the reason of a value that came with the ticket

Stamp = tuple[Any, ...]


def ask_to_learn(uow: UnitOfWork) -> None:
    """Asks for it as a job of the same unit of work, unless one waits already."""
    if not outbox.waiting_ids(uow, LANE, "learn"):
        wait = bool(outbox.recently_done(uow, LANE, seconds=PATIENCE_SECONDS)) and _has_many(uow)
        outbox.enqueue(uow, [outbox.Job(LANE, "learn", delay_seconds=wait * PATIENCE_SECONDS)])


def _has_many(uow: UnitOfWork) -> bool:
    some = uow.query(table, table.c.id).where(table.c.field.in_((CATEGORY, TOPIC)))
    return len(uow.find(some.limit(QUICK + 1))) > QUICK


def corrected(uow: UnitOfWork, ticket: Row, changes: Row) -> None:
    """A person changed what triage had decided: what they chose is an example."""
    changed = [field for field in FIELDS if field in changes]
    if uow.actor.is_customer or not changed:
        return
    for field in changed:
        _keep(uow, ticket, field, str(changes[field]))
    ask_to_learn(uow)


def confirmed(uow: UnitOfWork, ticket: Row) -> None:
    """A person resolved a ticket and left its triage as it is: that is an example too."""
    if uow.actor.is_customer:
        return
    for field in FIELDS:
        _keep(uow, ticket, field, str(ticket[field]))
    ask_to_learn(uow)


def _keep(uow: UnitOfWork, ticket: Row, field: str, label: str) -> None:
    """One example per ticket and field: the last word, beside what triage had said first."""
    mine = uow.query(table).where(table.c.ticket_id == ticket["id"], table.c.field == field)
    if before := uow.first(mine):
        if before["label"] != label:
            uow.update(table, before["id"], {"label": label, "created_at": uow.now})
        return
    values = {"decided": "" if _came_with_it(ticket, field) else str(ticket[field]), "label": label, "field": field}
    if field in (CATEGORY, TEAM):  # the team follows from the category
        values["confidence"] = ticket["category_confidence"]
    uow.insert(table, {**values, "ticket_id": ticket["id"], "created_at": uow.now})


def _came_with_it(ticket: Row, field: str) -> bool:
    """Whether the field was set when the ticket was opened, so that triage never decided it."""
    names = (field, CATEGORY) if field == TEAM else (field,)
    starts = tuple(name + SET_BY for name in names)
    return any(reason.startswith(starts) for reason in ticket["triage_reasons"])


def examples(uow: UnitOfWork, field: str) -> list[Row]:
    """The newest examples of a field, oldest first: label, text, tier and category; `number` is the ticket's, 0 without one."""
    t = tickets.c
    columns = (table.c.label, table.c.text, t.number, t.title, t.description, t.customer_tier, t.category)
    rows = uow.find(_newest(uow, field, *columns))[::-1]
    for row in rows:
        row["text"] = row["text"] or f"{row['title']}. {row['description']}"
        row["number"] = row["number"] or 0
    return rows


def stamp(uow: UnitOfWork, field: str) -> Stamp:
    """Changes whenever an example is added, removed, erased or gets another label, which makes it the newest."""
    newest = _newest(uow, field, table.c.id, table.c.created_at).subquery()
    moment = newest.c.created_at
    ends: list[Any] = [func.count(), func.max(moment), func.min(moment), func.min(newest.c.id)]
    return uow.aggregate(select(*ends).select_from(newest))[0]


def _newest(uow: UnitOfWork, field: str, *columns: Any) -> Select[Any]:
    """The examples of a field that count; of erased tickets nothing is left to learn from."""
    joined = uow.query(table, *columns).join_from(table, tickets, table.c.ticket_id == tickets.c.id, isouter=True)
    chosen = joined.where(table.c.field == field, tickets.c.erased_at.is_(None))
    return chosen.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(MOST)


def lately_taught(uow: UnitOfWork, *, most: int) -> list[str]:
    """The companies that were trained last, over all companies."""
    rows = uow.query(table, table.c.company_id).group_by(table.c.company_id)
    return [company for (company,) in uow.aggregate(rows.order_by(func.max(table.c.created_at).desc()).limit(most))]


def unlearn(uow: UnitOfWork, ticket_ids: Sequence[str]) -> None:
    """These tickets are erased or deleted: what was learnt from them is to be forgotten."""
    if uow.first(uow.query(table, table.c.id).where(table.c.ticket_id.in_(ticket_ids))):
        ask_to_learn(uow)


def erase_given(uow: UnitOfWork, whose: ColumnElement[bool], names: Collection[str] = ()) -> None:
    """Removes examples that were given as texts and are what a customer wrote in these tickets, or hold one of their names.

    Ask before the words are gone from the tickets.
    """
    t, r, given = tickets.c, replies.c, table.c.text
    said = [uow.query(tickets, text) for text in (t.title, t.description, t.title + ". " + t.description)]
    said.append(uow.query(replies, r.body).join_from(replies, tickets).where(r.author_role == "customer"))
    told: list[ColumnElement[bool]] = [given.in_(words.where(whose)) for words in said]
    mentions = Mentions(name for name in names if len(name) >= LEAST_NAME)
    of_texts, gone = table.c.ticket_id.is_(None), 0
    for batch in sweep(uow, table, of_texts, mentions.near(given), columns=("text",)):
        gone += uow.delete(table, table.c.id.in_([row["id"] for row in batch if mentions.within(row["text"])]))
    if gone + uow.delete(table, of_texts, or_(*told)):
        ask_to_learn(uow)
