"""Training examples: the decisions of a company's people, stored as rows; and the jobs that train on them.

Only decisions of people become examples, never what a customer writes.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from database.tables import examples as table
from database.tables import replies, tickets
from services import outbox
from services.prepared_statements import prepared, text
from services.privacy.mentions import Mentions, sweep
from storage import Row, UnitOfWork

QUEUE = "learn"
FIELDS = ("category", "priority", "sentiment", "assigned_team")
TOPIC, CATEGORY, TEAM = "topic", "category", "assigned_team"
LEAST_NAME = 4  # letters; a shorter name is part of too many words
MOST = 3_000  # newest examples that are used
QUICK = 300  # up to so many examples training is immediate; with more it runs at most every 30 seconds
RETRAIN_EVERY_SECONDS = 30
SET_BY = " set by "  # after the field's name: the reason of a value that came with the ticket

Stamp = tuple[Any, ...]


def enqueue_training(uow: UnitOfWork) -> None:
    """Enqueues a training job in the same unit of work, unless one is waiting already."""
    if not outbox.waiting_ids(uow, QUEUE, "learn"):
        wait = bool(outbox.recently_done(uow, QUEUE, seconds=RETRAIN_EVERY_SECONDS)) and _has_many_examples(uow)
        outbox.enqueue(uow, [outbox.Job(QUEUE, "learn", delay_seconds=wait * RETRAIN_EVERY_SECONDS)])


def _has_many_examples(uow: UnitOfWork) -> bool:
    some = uow.query(table, table.c.id).where(table.c.field.in_((CATEGORY, TOPIC)))
    return len(uow.find(some.limit(QUICK + 1))) > QUICK


def corrected(uow: UnitOfWork, ticket: Row, changes: Row) -> None:
    """Stores the fields of triage that a person changed as examples."""
    changed_fields = [field for field in FIELDS if field in changes]
    if uow.actor.is_customer or not changed_fields:
        return
    _store(uow, ticket, {field: str(changes[field]) for field in changed_fields})
    enqueue_training(uow)


def confirmed(uow: UnitOfWork, ticket: Row) -> None:
    """Stores the triage of a ticket that a person resolved as examples."""
    if uow.actor.is_customer:
        return
    _store(uow, ticket, {field: str(ticket[field]) for field in FIELDS})
    enqueue_training(uow)


def _store(uow: UnitOfWork, ticket: Row, labels: dict[str, str]) -> None:
    """Stores one example per ticket and field: the latest label, beside the first decision of triage."""
    of_ticket = prepared(uow, "examples of a ticket", lambda: uow.query(table).where(table.c.ticket_id == text("id_")))
    stored = {example["field"]: example for example in uow.find(of_ticket, id_=ticket["id"])}
    for field in stored.keys() & labels.keys():
        if stored[field]["label"] != labels[field]:
            uow.update(table, stored[field]["id"], {"label": labels[field], "created_at": uow.now})
    new_fields = [field for field in labels if field not in stored]
    uow.insert_many(table, [_example(ticket, field, labels[field]) | {"created_at": uow.now} for field in new_fields])


def _example(ticket: Row, field: str, label: str) -> Row:
    decided = "" if _set_by_caller(ticket, field) else str(ticket[field])
    # The team follows from the category.
    confidence = ticket["category_confidence"] if field in (CATEGORY, TEAM) else None
    return {"ticket_id": ticket["id"], "field": field, "label": label, "decided": decided, "confidence": confidence}


def _set_by_caller(ticket: Row, field: str) -> bool:
    """Whether the caller set the field when the ticket was created, so that triage did not decide it."""
    names = (field, CATEGORY) if field == TEAM else (field,)
    starts = tuple(name + SET_BY for name in names)
    return any(reason.startswith(starts) for reason in ticket["triage_reasons"])


def examples(uow: UnitOfWork, field: str) -> list[Row]:
    """The newest examples of a field, oldest first. `number` is that of the ticket, 0 without one."""
    t = tickets.c
    columns = (table.c.label, table.c.text, t.number, t.title, t.description, t.customer_tier, t.category)
    rows = uow.find(_newest(uow, field, *columns))[::-1]
    for row in rows:
        row["text"] = row["text"] or f"{row['title']}. {row['description']}"
        row["number"] = row["number"] or 0
    return rows


def stamp(uow: UnitOfWork, field: str) -> Stamp:
    """A value that changes with every change of the examples of a field."""
    newest = _newest(uow, field, table.c.id, table.c.created_at).subquery()
    moment = newest.c.created_at
    ends: list[Any] = [func.count(), func.max(moment), func.min(moment), func.min(newest.c.id)]
    return uow.aggregate(select(*ends).select_from(newest))[0]


def _newest(uow: UnitOfWork, field: str, *columns: Any) -> Select[Any]:
    """The newest examples of a field, without those of erased tickets."""
    query = uow.query(table, *columns).join_from(table, tickets, table.c.ticket_id == tickets.c.id, isouter=True)
    of_field = query.where(table.c.field == field, tickets.c.erased_at.is_(None))
    return of_field.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(MOST)


def recently_trained(uow: UnitOfWork, *, most: int) -> list[str]:
    """The companies with the newest examples. The unit of work must see all companies."""
    rows = uow.query(table, table.c.company_id).group_by(table.c.company_id)
    return [company for (company,) in uow.aggregate(rows.order_by(func.max(table.c.created_at).desc()).limit(most))]


def forget_tickets(uow: UnitOfWork, ticket_ids: Sequence[str]) -> None:
    """Enqueues a training job when tickets with examples are erased or deleted."""
    if uow.first(uow.query(table, table.c.id).where(table.c.ticket_id.in_(ticket_ids))):
        enqueue_training(uow)


def erase_texts(uow: UnitOfWork, of_customer: ColumnElement[bool], names: Collection[str] = ()) -> None:
    """Deletes examples sent as text that repeat a text of these tickets, or that hold one of the customer's names.

    Call it before the texts are erased from the tickets.
    """
    t, r, text = tickets.c, replies.c, table.c.text
    texts = [uow.query(tickets, column) for column in (t.title, t.description, t.title + ". " + t.description)]
    texts.append(uow.query(replies, r.body).join_from(replies, tickets).where(r.author_role == "customer"))
    repeats: list[ColumnElement[bool]] = [text.in_(query.where(of_customer)) for query in texts]
    mentions = Mentions(name for name in names if len(name) >= LEAST_NAME)
    of_texts, deleted = table.c.ticket_id.is_(None), 0
    for batch in sweep(uow, table, of_texts, mentions.condition(text), columns=("text",)):
        deleted += uow.delete(table, table.c.id.in_([row["id"] for row in batch if mentions.within(row["text"])]))
    if deleted + uow.delete(table, of_texts, or_(*repeats)):
        enqueue_training(uow)
