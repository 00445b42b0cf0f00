"""Which kinds of notices people of a company ended. What customers get about their tickets is no subscription."""

from collections.abc import Sequence
from dataclasses import replace

from channels.notice_words import STAFF_KINDS
from core.errors import forbidden, not_found
from database.tables import users
from notifier import Notice
from services.accounts.staff import AT_WORK, ROLES
from services.history import differences, record
from services.outgoing_mail import normal_address
from storage import Row, UnitOfWork


def kind_of(job: Row) -> str:
    """The kind of a mail job: a reply is of another kind for the customer than for staff."""
    by_customer = job["payload"].get("reply", {}).get("author_role") == "customer"
    return "customer_replied" if job["kind"] == "public_reply" and by_customer else str(job["kind"])


def addressed(uow: UnitOfWork, notice: Notice, kind: str) -> tuple[Notice | None, str]:
    """The notice without the recipients who ended its kind, None when nobody is left; and the id of the only recipient.

    The id is "" when several people get it, or somebody who is no user: they cannot end it by a link.
    """
    if kind not in STAFF_KINDS:
        return notice, ""
    addresses = notice.to.split(", ")
    staff = _staff(uow, [normal_address(address) for address in addresses])
    left = [
        address for address in addresses if kind not in staff.get(normal_address(address), {}).get("notices_off", [])
    ]
    if not left:
        return None, ""
    only = staff.get(normal_address(left[0]), {}) if len(left) == 1 else {}
    return replace(notice, to=", ".join(left)), str(only.get("id", ""))


def _staff(uow: UnitOfWork, addresses: Sequence[str]) -> dict[str, Row]:
    columns = (users.c.id, users.c.email, users.c.notices_off)
    at_work = uow.query(users, *columns).where(AT_WORK, users.c.email.in_(addresses), users.c.email != "")
    return {row["email"]: row for row in uow.find(at_work)}


def set_off(uow: UnitOfWork, kinds: Sequence[str]) -> None:
    """Sets the kinds that the caller, a user, does not want. Raises AppError 403 for an API key."""
    if not uow.actor.user_id:
        raise forbidden("Only people get notices. Sign in with an address and a password.")
    _store(uow, uow.actor.user_id, kinds)


def end(uow: UnitOfWork, user_id: str, kind: str) -> None:
    """Ends one kind for a user, as the link in a mail says. Raises AppError 404 for one who is no staff any more."""
    user = uow.get(users, user_id, lock=True)
    if user is None or user["role"] not in ROLES or kind not in STAFF_KINDS:
        raise not_found()
    _store(uow, user_id, [*user["notices_off"], kind])


def _store(uow: UnitOfWork, user_id: str, kinds: Sequence[str]) -> None:
    before = uow.get(users, user_id, lock=True)
    if before is None:
        raise not_found()
    chosen = [kind for kind in STAFF_KINDS if kind in kinds]  # in one order, each once
    if chosen != before["notices_off"]:
        after = uow.update(users, user_id, {"notices_off": chosen}) or before
        record(uow, user_id, differences("user_changed", before, after, ("notices_off",)), subject="user")
