"""Outgoing mail: the sender of a company's mail, and the hourly limits.

Each company has an hourly limit for one outside recipient and for all of them; mails over the limit are not sent. Mails to
its own users and alerts are counted separately. An unconfirmed company can only mail its own admins,
and only notices without words of its own: the addresses may be strangers'. Customers open tickets
only in their own name, and agents and admins are trusted.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress

from email_validator import EmailNotValidError
from sqlalchemy import func, or_

from channels.notice_words import SIGN_IN_KINDS
from core import normal_form, timestamps
from core.models import DEFAULT_COMPANY
from core.redaction import mask_email
from database.tables import companies, jobs, mail_counts, users
from services import settings
from services.accounts.staff import ROLES
from services.tickets import notifications
from storage import Row, UnitOfWork

log = logging.getLogger("foyer.mail")

KEPT_SECONDS = 24 * 3600
# Mails per hour to a company's own users. The operator's company has no such limit; other companies can add any address
# as a user or support address.
MAX_TO_STAFF, NO_LIMIT = 500, 10**9
# Mails per hour to one mailbox from all unconfirmed companies together; links that confirm an address are counted separately.
MAX_OF_UNCONFIRMED, MAX_LINKS = 20, 5
# Links and codes to sign in, to one mailbox from one company, by kind: a stranger who uses up somebody's codes leaves them links.
SIGN_IN, MAX_SIGN_IN = "sign in", {"invitation": 10, "password_reset": 3, "sign_in_code": 7}
# What anybody may ask for, counted apart from all other mails of a company: those of its people, and of who registers. So
# strangers use up neither the mails about tickets nor, by made-up addresses, the codes of its people.
ASKED, ASKED_TO_REGISTER, ASKED_BY_ANYBODY = "asked", "register", ("password_reset", "sign_in_code")
# Notices that hold nothing anybody wrote.
WITHOUT_WORDS = ("ticket_received", "assigned", notifications.CONFIRM, "password_reset", "sign_in_code")
# What is counted: all staff, all other recipients, an unconfirmed company, one outside recipient.
TO_STAFF, TO_OTHERS, UNCONFIRMED, TO_ONE = "staff", "others", "unconfirmed", "one"
# What the operator's company counts for all unconfirmed ones: mails and links to one mailbox.
OF_UNCONFIRMED, LINKS = "of unconfirmed", "links"


def sender(uow: UnitOfWork, payload: Row, *, from_name: str, support_email: str) -> dict[str, str]:
    """The sender fields of a mail: from_name, reply_to and support_email, each "" if not set.

    `from_name` and `support_email` come from the environment and apply only to the operator's company. `support_email` may
    hold several addresses with commas between.
    """
    if not _is_confirmed(uow):
        return {"from_name": "", "reply_to": "", "support_email": ""}
    company_settings = settings.current(uow)
    operators = uow.actor.company_id == DEFAULT_COMPANY
    return {
        "from_name": company_settings["mail_name"] or (from_name if operators else ""),
        "reply_to": company_settings["reply_to"],
        "support_email": payload.get("support_email") or (support_email if operators else ""),
    }


def may_send(uow: UnitOfWork, job: Row, to: str, *, support_email: str, operators: Callable[[], UnitOfWork]) -> bool:
    """Whether the mail of a job may be sent to that address now. A retried job is counted once.

    `operators` opens the operator's company in the same unit of work; it counts for all unconfirmed companies together.
    """
    if job["payload"].get("counted"):
        return True
    limits = _limits(uow, job, to, support_email)
    if job["kind"] in SIGN_IN_KINDS:
        limits.append((SIGN_IN, f"{job['kind']} {_one_mailbox(to)}", MAX_SIGN_IN[job["kind"]]))
    rows = [(uow, _row(uow, kind, name), most) for kind, name, most in limits]
    if rows[0][2] and limits[0][0] == UNCONFIRMED:
        of_all = operators()
        kind, most = (
            (LINKS, MAX_LINKS) if job["kind"] == notifications.CONFIRM else (OF_UNCONFIRMED, MAX_OF_UNCONFIRMED)
        )
        rows.append((of_all, _row(of_all, kind, _one_mailbox(to)), most))
    if any(row["sent"] >= most for _, row, most in rows):
        _hold_back(uow, rows[0][1], to)
        return False
    for counting, row, _ in rows:
        counting.count_up(mail_counts, row["id"], "sent")
    uow.update(jobs, job["id"], {"payload": {**job["payload"], "counted": True}})
    return True


def held_back(uow: UnitOfWork) -> int:
    """Number of mails not sent because of limits in the last 24 hours, over the companies that the unit of work sees."""
    since = timestamps.later(uow.real_now, seconds=-KEPT_SECONDS)
    ((total,),) = uow.aggregate(uow.query(mail_counts, func.sum(mail_counts.c.held)).where(mail_counts.c.hour > since))
    return int(total or 0)


def purge(uow: UnitOfWork) -> int:
    """Deletes counts of recipients after their hour and counts of companies after a day; returns how many."""
    c, day_ago = mail_counts.c, timestamps.later(uow.real_now, seconds=-KEPT_SECONDS)
    of_one = c.kind.in_((TO_ONE, OF_UNCONFIRMED, LINKS, SIGN_IN))
    is_over = or_(c.hour < day_ago, of_one & (c.hour < _hour(uow)), c.hour > uow.real_now)
    return uow.delete(mail_counts, is_over)


def _is_confirmed(uow: UnitOfWork) -> bool:
    company = uow.get(companies, uow.actor.company_id)
    return company is not None and company["confirmed_at"] is not None


def _limits(uow: UnitOfWork, job: Row, to: str, support_email: str) -> list[tuple[str, str, int]]:
    """The counters of a job's mail to that address as (kind, name, limit per hour); the company's counter first."""
    company = uow.get(companies, uow.actor.company_id) or {"id": "", "settings": {}, "confirmed_at": None}
    company_settings = settings.of_company(company)
    to_one, to_all = company_settings["recipient_mails_per_hour"], company_settings["company_mails_per_hour"]
    if company["confirmed_at"] is None:
        goes = job["kind"] in WITHOUT_WORDS and _is_staff(uow, to, ("admin",))
        return [(UNCONFIRMED, "", to_one if goes else 0)]
    if job["kind"] in ASKED_BY_ANYBODY:
        return [(ASKED_TO_REGISTER if job["payload"].get("unknown") else ASKED, "", to_all)]
    is_alert = {*map(normal_address, to.split(","))} <= {*map(normal_address, support_email.split(","))}
    if is_alert or _is_staff(uow, to, ROLES):
        return [(TO_STAFF, "", NO_LIMIT if company["id"] == DEFAULT_COMPANY else MAX_TO_STAFF)]
    return [(TO_OTHERS, "", to_all), (TO_ONE, _one_mailbox(to), to_one)]


def _is_staff(uow: UnitOfWork, to: str, roles: tuple[str, ...]) -> bool:
    staff = uow.query(users, users.c.id).where(users.c.role.in_(roles), ~users.c.disabled)
    return uow.first(staff.where(users.c.email == normal_address(to))) is not None


def normal_address(address: str) -> str:
    """The address in the normal form of users and settings; "" if it is invalid."""
    with suppress(EmailNotValidError):
        return normal_form.valid_email(address)
    return ""


def _one_mailbox(to: str) -> str:
    """The address without its plus part: such addresses belong to one mailbox."""
    name, _, domain = normal_address(to).rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def _row(uow: UnitOfWork, kind: str, name: str) -> Row:
    """The counter of this hour, locked until commit. Of a recipient only a hash is stored."""
    hour = _hour(uow)
    row_id = hashlib.sha256(f"{uow.actor.company_id} {hour} {kind} {name}".encode()).hexdigest()
    uow.insert_new(mail_counts, {"id": row_id, "kind": kind, "hour": hour})
    return uow.get(mail_counts, row_id, lock=True) or {"id": row_id, "sent": 0, "held": 0}


def _hour(uow: UnitOfWork) -> str:
    """The beginning of the hour."""
    return f"{uow.real_now[:13]}:00:00.000Z"


def _hold_back(uow: UnitOfWork, row: Row, to: str) -> None:
    uow.count_up(mail_counts, row["id"], "held")
    if not row["held"]:  # one log line per hour
        log.warning(
            "Mails of company %s (%s) are not sent in this hour from one to %s on: a limit per hour was reached%s",
            uow.actor.company_id,
            row["kind"],
            mask_email(to),
            ", or the company is not confirmed" if row["kind"] == UNCONFIRMED else "",
        )
