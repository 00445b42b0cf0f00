"""Removes other traces of an erased person: history, stored calls, training examples and finished jobs.

Outside their own tickets only unambiguous names are removed; other texts stay.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import and_, func, or_, true
from sqlalchemy.sql.elements import ColumnElement

from database.tables import (
    api_keys,
    customers,
    deliveries,
    events,
    idempotency,
    macros,
    notice_texts,
    replies,
    tickets,
    users,
    views,
)
from database.tables import jobs as jobs_table
from services.attachments import removal
from services.privacy.mentions import Mentions, folded, sweep
from services.routing import rules
from services.webhooks import deliveries as webhook_deliveries
from storage import Row, UnitOfWork

SOMEBODY = "customer"  # replaces a name in the history
# Actors of the system itself; never taken for the name of a customer.
SYSTEM_ACTORS = {"ai", "system", "command line", "start"}
# Fields of the history whose values are enumerated or numbers, and so name nobody.
TELLS_NOBODY = (
    "number status category priority priority_score urgency sentiment customer_tier source assigned_team ai_source ai_status "
    "prompt escalation_reason ended_by first_response_due_at resolve_due_at "
    "merged_into merged_from links snoozed_until"
).split()
BATCH = 100  # ids in one statement
_AFTER_ID = 38  # the caller of a stored call is a credential's id, a space, and the customer it acted for
_TICKET_CALL = "POST /api/tickets/"
_CHAT_CALL = "POST /api/chat"
_LEAST_NAME, _LEAST_ID, _LEAST_NUMBER = 3, 6, 8  # least length of what identifies one person in any text

Condition = ColumnElement[bool]
e = events.c


def not_staff(uow: UnitOfWork, names: set[str]) -> set[str]:
    """The names without those of API keys and staff, whose actions stay on record."""
    staff = uow.query(users, users.c.email.label("name")).where(
        is_one(users.c.email, names), users.c.role != "customer"
    )
    keys = uow.query(api_keys, api_keys.c.name).where(is_one(api_keys.c.name, names))
    excluded = {row["name"].lower() for statement in (staff, keys) for row in uow.find(statement)} | SYSTEM_ACTORS
    return {name for name in names if name.lower() not in excluded}


def sure_names(uow: UnitOfWork, row: Row, names: set[str]) -> set[str]:
    """The names that identify the customer in any text: address, long id, and a full name no other customer has."""
    own_id = row["customer_id"]
    long = len(own_id) >= (_LEAST_NUMBER if own_id.isdigit() else _LEAST_ID)
    full = {name for name in names - {row["email"], own_id} if _is_full(name)}
    queries = [
        uow.query(customers, customers.c.name.label("name")).where(
            customers.c.id != row["id"], is_one(customers.c.name, full)
        ),
        uow.query(tickets, tickets.c.customer_name.label("name")).where(
            tickets.c.customer_row != row["id"], is_one(tickets.c.customer_name, full)
        ),
        uow.query(users, users.c.name.label("name")).where(users.c.role != "customer", is_one(users.c.name, full)),
    ]
    shared = {folded(other["name"]) for query in queries for other in uow.find(query.distinct()) if full}
    unique = {name for name in full if folded(name) not in shared}
    return (unique | {row["email"]} | ({own_id} if long else set())) & names


def _is_full(name: str) -> bool:
    """Whether it is a first and a last name, or a name in a script without spaces between words."""
    text = folded(name)
    return " " in text or (len(text) >= _LEAST_NAME and text.lower() == text.upper() and not text.isdigit())


def is_one(column: ColumnElement[str], names: Iterable[str]) -> Condition:
    """Whether a column is one of the names, in any case."""
    return or_(column.in_(set(names)), func.lower(column).in_({name.lower() for name in names}))


def empty_history(uow: UnitOfWork, about_them: Condition) -> None:
    """Clears the values before and after in events whose field can name a person."""
    uow.update_where(events, about_them, e.field.not_in(TELLS_NOBODY), from_value="", to_value="")


def unname_history(uow: UnitOfWork, about_them: Condition, names: set[str]) -> None:
    """Removes names from the actor and the on-behalf user of events, also inside a longer text."""
    uow.update_where(events, about_them, is_one(e.actor, names), actor=SOMEBODY, address="")
    _clear(uow, Mentions(names), {"said_by": SOMEBODY}, about_them)


def unname_replies(uow: UnitOfWork, about_them: Condition, names: set[str]) -> None:
    """Removes names from the authors of replies."""
    mentions, r, columns = Mentions(names), replies.c, ("author_name", "author_email")
    by_people = and_(about_them, r.author_role != "ai")
    for batch in sweep(uow, replies, by_people, mentions.condition(r.author_name, r.author_email), columns=columns):
        ids = [row["id"] for row in batch if mentions.within([row[name] for name in columns])]
        uow.update_where(replies, r.id.in_(ids), author_name="", author_email="")


def clear_actors(uow: UnitOfWork, names: set[str]) -> None:
    """Removes customers from all other events, such as those of deleted tickets."""
    if names:
        exactly = or_(e.said_by.in_(names), *(e.said_by.startswith(f"{name} (", autoescape=True) for name in names))
        uow.update_where(events, e.actor.in_(names), actor=SOMEBODY, address="")
        uow.update_where(events, exactly, said_by=SOMEBODY)


def clear_record(uow: UnitOfWork, names: set[str]) -> None:
    """Removes unambiguous names from the company's whole history and from the authors of all replies."""
    mentions = Mentions(names)
    _clear(uow, mentions, {"said_by": SOMEBODY})
    _clear(uow, mentions, {"from_value": "", "to_value": ""}, e.field.not_in(TELLS_NOBODY))
    unname_replies(uow, true(), names)


def _clear(uow: UnitOfWork, mentions: Mentions, instead: dict[str, str], *conditions: Condition) -> None:
    names_somebody = mentions.condition(*(e[name] for name in instead))
    for batch in sweep(uow, events, *conditions, names_somebody, columns=instead):
        for name, value in instead.items():
            ids = [row["id"] for row in batch if mentions.within(row[name])]
            if ids:
                uow.update_where(events, e.id.in_(ids), **{name: value})


def forget_calls_of(uow: UnitOfWork, row: Row, names: set[str]) -> None:
    """Deletes stored calls that the person made, or whose key or response names them."""
    c, own_id = idempotency.c, row["customer_id"]
    conditions = [func.substr(c.caller, _AFTER_ID) == name for name in (row["email"], own_id) if name]
    if own_id:  # together with its field name, because an id can be as short as 7
        conditions += [c.key == own_id, c.answer.contains(_in_answer({"customer_id": own_id}), autoescape=True)]
    if conditions:
        uow.delete(idempotency, or_(*conditions))
    mentions = Mentions(names | {row["email"]} - {""})
    for batch in sweep(uow, idempotency, mentions.condition(c.key, c.answer), columns=("key", "answer")):
        ids = [call["id"] for call in batch if mentions.within([call["key"], _texts(call["answer"])])]
        uow.delete(idempotency, c.id.in_(ids))


def _in_answer(fields: dict[str, Any]) -> str:
    """Fields as they appear in a stored response, which is JSON within JSON."""
    return orjson.dumps(orjson.dumps(fields).decode()[1:-1]).decode()[1:-1]


def _texts(answer: str) -> Any:
    """The values in a stored response."""
    try:
        return orjson.loads(orjson.loads(answer)[1])
    except (orjson.JSONDecodeError, IndexError, TypeError, KeyError):
        return answer  # an unfinished call, or a file


def forget_calls_about(uow: UnitOfWork, ids: Sequence[str]) -> None:
    """Deletes stored calls to URLs of one of the tickets, and messages of a chat that it is."""
    ticket_id = func.substr(idempotency.c.route, len(_TICKET_CALL) + 1, 36)
    for start in range(0, len(ids), BATCH):
        uow.delete(idempotency, ticket_id.in_(ids[start : start + BATCH]))
        in_answer = or_(*(idempotency.c.answer.contains(name) for name in ids[start : start + BATCH]))
        uow.delete(idempotency, idempotency.c.route == _CHAT_CALL, in_answer)


def forget_views_and_macros(uow: UnitOfWork, names: set[str]) -> None:
    """Deletes saved views and macros that name the person."""
    mentions = Mentions(names)
    for table, columns in (
        (views, ("name", "filter")),
        (macros, ("name", "body", "changes")),
        (notice_texts, ("subject", "text")),
    ):
        rows = uow.find(uow.query(table, table.c.id, *(table.c[name] for name in columns)))
        ids = [row["id"] for row in rows if mentions.within([row[name] for name in columns])]
        uow.delete(table, table.c.id.in_(ids))


def forget_rules(uow: UnitOfWork, names: set[str]) -> None:
    """Deletes routing rules that name the person."""
    rules.forget(uow, Mentions(names).within)


def forget_jobs(uow: UnitOfWork, names: set[str]) -> None:
    """Deletes jobs that name the person: finished ones, and those without a ticket. Waiting mail to others stays."""
    mentions, j = Mentions(names), jobs_table.c
    # A job that removes files names nobody; without it the files would stay.
    waits = and_(j.ticket_id.is_(None), j.state == "waiting", j.lane != removal.QUEUE)
    over = or_(j.state.in_(("done", "dead")), waits)
    for batch in sweep(
        uow, jobs_table, over, mentions.condition(j.payload, j.last_error), columns=("payload", "last_error")
    ):
        ids = [job["id"] for job in batch if mentions.within([job["payload"], job["last_error"]])]
        uow.delete(jobs_table, j.id.in_(ids))


def forget_deliveries(uow: UnitOfWork, names: set[str]) -> None:
    """Deletes deliveries of webhooks whose bodies name the person."""
    mentions, d = Mentions(names), deliveries.c
    for batch in sweep(uow, deliveries, mentions.condition(d.body), columns=("body",)):
        ids = [row["id"] for row in batch if mentions.within(orjson.loads(row["body"] or "{}"))]
        if ids:
            webhook_deliveries.forget(uow, ids)
