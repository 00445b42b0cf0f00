"""The digest of urgent tickets that nobody has: one mail for each of a company's people, once in an interval."""

from typing import Any

from sqlalchemy import Select

from core import timestamps
from core.models import OPEN
from database.tables import companies, tickets, users
from services import outbox, settings
from services.accounts.staff import AT_WORK, is_at_work
from services.tickets import notifications
from storage import Row, UnitOfWork

DIGEST = "urgent_digest"
MOST_LISTED = 50  # tickets in one mail
MOST_PEOPLE = 500
MINUTE = 60
t = tickets.c


def company_ids(uow: UnitOfWork) -> list[str]:
    """The companies, of all, whose digest is due."""
    return [row["id"] for row in uow.find(uow.query(companies)) if _is_due(uow, row)]


def _is_due(uow: UnitOfWork, company: Row) -> bool:
    """Whether the interval is over. After the clock was set back, one longer than the interval is."""
    minutes, last = settings.of_company(company)["urgent_digest_minutes"], company["digest_at"]
    if not minutes or last is None:
        return bool(minutes)
    return bool(last > uow.real_now or timestamps.later(last, seconds=minutes * MINUTE) <= uow.real_now)


def send(uow: UnitOfWork) -> None:
    """Enqueues the digest of the actor's company, if it is due and a ticket waits. The interval begins anew either way.

    Its time and its mails are written together, so it is sent once whatever stops or runs beside it.
    """
    company = uow.get(companies, uow.actor.company_id, lock=True)
    if company is None or not _is_due(uow, company):
        return
    is_backwards = company["digest_at"] is not None and company["digest_at"] > uow.real_now
    uow.update(companies, company["id"], {"digest_at": uow.real_now})
    if is_backwards or not uow.count(_waiting(uow)):
        return
    at_work = uow.query(users, users.c.id, users.c.notices_off).where(AT_WORK, users.c.email != "")
    people = uow.find(at_work.limit(MOST_PEOPLE))
    payloads = [{"user_id": row["id"]} for row in people if DIGEST not in row["notices_off"]] if people else [{}]
    support_email = settings.of_company(company)["support_email"]
    jobs = [outbox.Job(notifications.QUEUE, DIGEST, payload=one | {"support_email": support_email}) for one in payloads]
    outbox.enqueue(uow, jobs)


def content(uow: UnitOfWork, job: Row, *, support_email: str) -> tuple[str, list[Row], int]:
    """Recipient of a digest ("" for nobody any more), the tickets that it lists, and the number of all.

    A company without people has it sent to the first support address.
    """
    query = _waiting(uow)
    rows = uow.find(query.order_by(t.created_at, t.id).limit(MOST_LISTED))
    if not (user_id := job["payload"].get("user_id", "")):
        return support_email.partition(",")[0], rows, uow.count(query)
    user = uow.get(users, user_id)
    return str(user["email"]) if user is not None and is_at_work(user) else "", rows, uow.count(query)


def _waiting(uow: UnitOfWork) -> Select[Any]:
    """The open urgent tickets that nobody has."""
    is_waiting = (t.priority == "urgent", t.assigned_to == "", t.status.in_(OPEN), t.erased_at.is_(None))
    return uow.query(tickets, t.id, t.number, t.title).where(*is_waiting)
