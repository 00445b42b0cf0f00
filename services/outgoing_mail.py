"""Whom a company's mail is from, and whether a mail may go: decided here for every mail of every company.

Each company has a limit per hour for one outside recipient and for all of them; what is over it is not sent. Mails to its
own people and alerts are counted apart. A company that is not confirmed mails only its own admins, and nothing that anybody
wrote: their addresses may be strangers'. In a confirmed one every ticket counts as written by its customer: customers open
tickets in their own name alone, and agents and admins are trusted.
"""

import hashlib
import logging
from collections.abc import Callable
from contextlib import suppress
from email.utils import parseaddr

from email_validator import EmailNotValidError
from sqlalchemy import func, or_

import normal_form
import times
from models import DEFAULT_COMPANY
from services import notices, settings
from services.masking import mask_email
from storage import Desk, Row
from tables import companies, jobs, mail_counts, users

log = logging.getLogger("foyer.mail")

KEPT_SECONDS = 24 * 3600
STAFF = ("agent", "admin")
# Most mails per hour to a company's own people. The operator's company has no such limit; in others anybody can be made
# a user or the support address.
MOST_TO_STAFF, NO_LIMIT = 500, 10**9
# Most mails per hour to one mailbox from all unconfirmed companies together, the links to confirm an address apart.
MOST_OF_UNCONFIRMED, MOST_LINKS = 20, 5
WITHOUT_WORDS = ("ticket_received", "assigned", notices.CONFIRM)  # notices that hold nothing anybody wrote
# What is counted, the whole of a company first: its people, everybody else, an unconfirmed company, one outside recipient.
TO_STAFF, TO_OTHERS, UNCONFIRMED, TO_ONE = "staff", "others", "unconfirmed", "one"
# What the operator's company counts for all unconfirmed ones: mails and links to one mailbox.
OF_UNCONFIRMED, LINKS = "of unconfirmed", "links"


def sender(desk: Desk, payload: Row, *, mail_from: str, support_email: str) -> dict[str, str]:
    """Keywords of a notice: from_name, reply_to and support_email (whom it alerts or names), each "" when not set.

    `mail_from` and `support_email` are the environment's. Its name and support address serve the operator's company alone.
    """
    if not _is_confirmed(desk):
        return {"from_name": "", "reply_to": "", "support_email": ""}
    own = settings.current(desk)
    operators = desk.actor.company_id == DEFAULT_COMPANY
    return {
        "from_name": own["mail_name"] or (parseaddr(mail_from)[0] if operators else ""),
        "reply_to": own["reply_to"],
        "support_email": payload.get("support_email") or (support_email if operators else ""),
    }


def may_go(desk: Desk, job: Row, to: str, *, support_email: str, operators: Callable[[], Desk]) -> bool:
    """Whether the mail of a job may go to that address now. A job is counted once, however often it is tried.

    `operators` gives a desk of the operator's company, which counts for all companies together, in the same unit of work.
    """
    if job["payload"].get("counted"):
        return True
    limits = _limits(desk, job["kind"], to, support_email)
    rows = [(desk, _row(desk, kind, name), most) for kind, name, most in limits]
    if rows[0][2] and limits[0][0] == UNCONFIRMED:
        of_all = operators()
        kind, most = (LINKS, MOST_LINKS) if job["kind"] == notices.CONFIRM else (OF_UNCONFIRMED, MOST_OF_UNCONFIRMED)
        rows.append((of_all, _row(of_all, kind, _one_mailbox(to)), most))
    if any(row["sent"] >= most for _, row, most in rows):
        _hold_back(desk, rows[0][1], to)
        return False
    for counting, row, _ in rows:
        counting.count_up(mail_counts, row["id"], "sent")
    desk.update(jobs, job["id"], {"payload": {**job["payload"], "counted": True}})
    return True


def held_back(desk: Desk) -> int:
    """How many mails of the last 24 hours were not sent, of the companies that this unit of work sees."""
    since = times.later(desk.real_now, seconds=-KEPT_SECONDS)
    ((total,),) = desk.aggregate(desk.rows(mail_counts, func.sum(mail_counts.c.held)).where(mail_counts.c.hour > since))
    return int(total or 0)


def purge(desk: Desk) -> int:
    """Removes the counts of recipients after their hour and those of companies after a day; tells how many."""
    c, day_ago = mail_counts.c, times.later(desk.real_now, seconds=-KEPT_SECONDS)
    of_one = c.kind.in_((TO_ONE, OF_UNCONFIRMED, LINKS))
    is_over = or_(c.hour < day_ago, of_one & (c.hour < _hour(desk)), c.hour > desk.real_now)
    return desk.delete(mail_counts, is_over)


def _is_confirmed(desk: Desk) -> bool:
    company = desk.get(companies, desk.actor.company_id)
    return company is not None and company["confirmed_at"] is not None


def _limits(desk: Desk, notice: str, to: str, support_email: str) -> list[tuple[str, str, int]]:
    """What a notice to that address counts for: (kind, name within it, most per hour), the company's own count first."""
    company = desk.get(companies, desk.actor.company_id) or {"id": "", "settings": {}, "confirmed_at": None}
    own = settings.of_company(company)
    to_one, to_all = own["recipient_mails_per_hour"], own["company_mails_per_hour"]
    if company["confirmed_at"] is None:
        goes = notice in WITHOUT_WORDS and _works_here(desk, to, ("admin",))
        return [(UNCONFIRMED, "", to_one if goes else 0)]
    if _written(to) == _written(support_email) or _works_here(desk, to, STAFF):
        return [(TO_STAFF, "", NO_LIMIT if company["id"] == DEFAULT_COMPANY else MOST_TO_STAFF)]
    return [(TO_OTHERS, "", to_all), (TO_ONE, _one_mailbox(to), to_one)]


def _works_here(desk: Desk, to: str, roles: tuple[str, ...]) -> bool:
    staff = desk.rows(users, users.c.id).where(users.c.role.in_(roles), ~users.c.disabled)
    return desk.first(staff.where(users.c.email == _written(to))) is not None


def _written(address: str) -> str:
    """The address as users and settings hold it, "" for what is none."""
    with suppress(EmailNotValidError):
        return normal_form.valid_email(address)
    return ""


def _one_mailbox(to: str) -> str:
    """The address without what follows a plus: such addresses are one person's."""
    name, _, domain = _written(to).rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def _row(desk: Desk, kind: str, name: str) -> Row:
    """This hour's count, locked to the end of the unit of work. Of a recipient only a hash is stored."""
    hour = _hour(desk)
    row_id = hashlib.sha256(f"{desk.actor.company_id} {hour} {kind} {name}".encode()).hexdigest()
    desk.insert_new(mail_counts, {"id": row_id, "kind": kind, "hour": hour})
    return desk.get(mail_counts, row_id, lock=True) or {"id": row_id, "sent": 0, "held": 0}


def _hour(desk: Desk) -> str:
    """The beginning of the hour."""
    return f"{desk.real_now[:13]}:00:00.000Z"


def _hold_back(desk: Desk, row: Row, to: str) -> None:
    desk.count_up(mail_counts, row["id"], "held")
    if not row["held"]:  # once per hour: a flood of mails is no flood of log lines
        log.warning(
            "Mails of company %s (%s) are not sent in this hour from one to %s on: a limit per hour was reached%s",
            desk.actor.company_id,
            row["kind"],
            mask_email(to),
            ", or the company is not confirmed" if row["kind"] == UNCONFIRMED else "",
        )
