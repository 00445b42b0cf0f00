"""What else tells of a person who is erased: the record of what happened, stored calls, examples and finished jobs.

Only what surely means this person is cleared outside their own tickets; texts that others wrote about others stay.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import and_, func, or_, true
from sqlalchemy.sql.elements import ColumnElement

from services.mentions import Mentions, folded, sweep
from storage import Desk, Row
from tables import api_keys, customers, events, idempotency, replies, tickets, users
from tables import jobs as jobs_table

SOMEBODY = "customer"  # stands in the history where a name stood
# Who acts by themselves; no customer's name, whatever they call themselves.
THE_DESK = {"ai", "system", "command line", "start"}
# Fields of the history whose values are of a closed list or numbers, and tell nothing about anybody.
TELLS_NOBODY = (
    "number status category priority priority_score urgency sentiment customer_tier source assigned_team ai_source ai_status prompt"
).split()
BATCH = 100  # ids in one statement
_AFTER_ID = 38  # a caller of a stored call is the id of a credential, a space, and the customer it acted for
_TICKET_CALL = "POST /api/tickets/"
_LEAST_NAME, _LEAST_ID, _LEAST_NUMBER = 3, 6, 8  # characters of what names one person wherever it stands

Condition = ColumnElement[bool]
e = events.c


def not_staff(desk: Desk, names: set[str]) -> set[str]:
    """Those of the names that no key has and nobody who works here: what staff did stays theirs."""
    staff = desk.rows(users, users.c.email.label("name")).where(
        is_one(users.c.email, names), users.c.role != "customer"
    )
    keys = desk.rows(api_keys, api_keys.c.name).where(is_one(api_keys.c.name, names))
    taken = {row["name"].lower() for statement in (staff, keys) for row in desk.find(statement)} | THE_DESK
    return {name for name in names if name.lower() not in taken}


def sure_names(desk: Desk, row: Row, names: set[str]) -> set[str]:
    """Those of a customer's names that mean nobody else, wherever they stand: address, long id, a full name only they have."""
    own_id = row["customer_id"]
    long = len(own_id) >= (_LEAST_NUMBER if own_id.isdigit() else _LEAST_ID)
    full = {name for name in names - {row["email"], own_id} if _is_full(name)}
    others = [
        desk.rows(customers, customers.c.name.label("name")).where(
            customers.c.id != row["id"], is_one(customers.c.name, full)
        ),
        desk.rows(tickets, tickets.c.customer_name.label("name")).where(
            tickets.c.customer_row != row["id"], is_one(tickets.c.customer_name, full)
        ),
        desk.rows(users, users.c.name.label("name")).where(users.c.role != "customer", is_one(users.c.name, full)),
    ]
    taken = {folded(found["name"]) for statement in others for found in desk.find(statement.distinct()) if full}
    sure = {name for name in full if folded(name) not in taken}
    return (sure | {row["email"]} | ({own_id} if long else set())) & names


def _is_full(name: str) -> bool:
    """A first name and another, or a name in a script that puts no spaces between words."""
    plain = folded(name)
    return " " in plain or (len(plain) >= _LEAST_NAME and plain.lower() == plain.upper() and not plain.isdigit())


def is_one(column: ColumnElement[str], names: Iterable[str]) -> Condition:
    """Whether a column is one of the names, in any case."""
    return or_(column.in_(set(names)), func.lower(column).in_({name.lower() for name in names}))


def empty_history(desk: Desk, about_them: Condition) -> None:
    """Takes the values before and after out of events, where they could tell of somebody."""
    desk.update_where(events, about_them, e.field.not_in(TELLS_NOBODY), from_value="", to_value="")


def unname_history(desk: Desk, about_them: Condition, names: set[str]) -> None:
    """Takes names out of who did it and who was said to do it, also where more is said than the name."""
    desk.update_where(events, about_them, is_one(e.actor, names), actor=SOMEBODY, address="")
    _clear(desk, Mentions(names), {"said_by": SOMEBODY}, about_them)


def unname_replies(desk: Desk, about_them: Condition, names: set[str]) -> None:
    """Takes names out of who wrote the entries of threads."""
    mentions, r, columns = Mentions(names), replies.c, ("author_name", "author_email")
    by_people = and_(about_them, r.author_role != "ai")
    for batch in sweep(desk, replies, by_people, mentions.near(r.author_name, r.author_email), columns=columns):
        ids = [row["id"] for row in batch if mentions.within([row[name] for name in columns])]
        desk.update_where(replies, r.id.in_(ids), author_name="", author_email="")


def clear_actors(desk: Desk, names: set[str]) -> None:
    """Takes customers out of whatever else they did, such as tickets that were deleted since."""
    if names:
        exactly = or_(e.said_by.in_(names), *(e.said_by.startswith(f"{name} (", autoescape=True) for name in names))
        desk.update_where(events, e.actor.in_(names), actor=SOMEBODY, address="")
        desk.update_where(events, exactly, said_by=SOMEBODY)


def clear_record(desk: Desk, names: set[str]) -> None:
    """Takes names that are sure out of whatever is on record in the company, and out of who wrote in any thread."""
    mentions = Mentions(names)
    _clear(desk, mentions, {"said_by": SOMEBODY})
    _clear(desk, mentions, {"from_value": "", "to_value": ""}, e.field.not_in(TELLS_NOBODY))
    unname_replies(desk, true(), names)


def _clear(desk: Desk, mentions: Mentions, instead: dict[str, str], *conditions: Condition) -> None:
    near = mentions.near(*(e[name] for name in instead))
    for batch in sweep(desk, events, *conditions, near, columns=instead):
        for name, value in instead.items():
            ids = [row["id"] for row in batch if mentions.within(row[name])]
            if ids:
                desk.update_where(events, e.id.in_(ids), **{name: value})


def forget_calls_of(desk: Desk, row: Row, names: set[str]) -> None:
    """Stored calls that the person made, or whose key or answer tells of them."""
    c, own_id = idempotency.c, row["customer_id"]
    told = [func.substr(c.caller, _AFTER_ID) == name for name in (row["email"], own_id) if name]
    if own_id:  # with the field it stands in: an id may be as short as 7
        told += [c.key == own_id, c.answer.contains(_in_answer({"customer_id": own_id}), autoescape=True)]
    if told:
        desk.delete(idempotency, or_(*told))
    mentions = Mentions(names | {row["email"]} - {""})
    for batch in sweep(desk, idempotency, mentions.near(c.key, c.answer), columns=("key", "answer")):
        ids = [call["id"] for call in batch if mentions.within([call["key"], _texts(call["answer"])])]
        desk.delete(idempotency, c.id.in_(ids))


def _in_answer(fields: dict[str, Any]) -> str:
    """Fields as they stand in a stored answer, which is JSON within JSON."""
    return orjson.dumps(orjson.dumps(fields).decode()[1:-1]).decode()[1:-1]


def _texts(answer: str) -> Any:
    """What a stored answer says, as values."""
    try:
        return orjson.loads(orjson.loads(answer)[1])
    except (orjson.JSONDecodeError, IndexError, TypeError, KeyError):
        return answer  # of a call that is not finished, or of a file


def forget_calls_about(desk: Desk, ids: Sequence[str]) -> None:
    """Stored calls to addresses that name one of the tickets."""
    named = func.substr(idempotency.c.route, len(_TICKET_CALL) + 1, 36)
    for start in range(0, len(ids), BATCH):
        desk.delete(idempotency, named.in_(ids[start : start + BATCH]))


def forget_jobs(desk: Desk, names: set[str]) -> None:
    """Jobs that name the person: those that are over, and those of no ticket. A notice to others that waits is theirs."""
    mentions, j = Mentions(names), jobs_table.c
    over = or_(j.state.in_(("done", "dead")), and_(j.ticket_id.is_(None), j.state == "waiting"))
    for batch in sweep(
        desk, jobs_table, over, mentions.near(j.payload, j.last_error), columns=("payload", "last_error")
    ):
        ids = [job["id"] for job in batch if mentions.within([job["payload"], job["last_error"]])]
        desk.delete(jobs_table, j.id.in_(ids))
