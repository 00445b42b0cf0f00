"""Access by mail: somebody asks for a code or a new password, and whoever reads the address gets it.

What asks stores one job, whether or not there is such an account. So the answer and its cost tell nothing.
"""

from dataclasses import replace
from typing import Any

from sqlalchemy import and_

from core import networks
from core.errors import AppError, conflict
from core.models import DEFAULT_COMPANY, Actor
from database.tables import companies as companies_table
from database.tables import sign_in_tokens, users
from services import outbox, settings
from services.accounts import companies, one_time
from services.accounts.one_time import CODE, RESET, Kind
from services.history import Change, record
from services.tickets.notifications import QUEUE
from storage import Row, Storage, UnitOfWork

FIND = "find_account"
MAIL_OF: dict[Kind, str] = {CODE: "sign_in_code", RESET: "password_reset"}
MOST_ACCOUNTS = 3  # of one address at several companies; each gets a mail of its own
# Who may come in by mail: not disabled, no open invitation, and not only by an OpenID Connect issuer.
_comes_by_mail = and_(
    ~users.c.disabled, users.c.invited_at.is_(None), (users.c.identity == "") | (users.c.password_hash != "")
)


def may_come(user: Row) -> bool:
    """Whether the condition of `_comes_by_mail` holds for the row of a user."""
    by_issuer_alone = user["identity"] != "" and user["password_hash"] == ""
    return not user["disabled"] and user["invited_at"] is None and not by_issuer_alone


def check_mails(*, mails: bool) -> None:
    """Raises AppError 409 when this server sends no mail."""
    if not mails:
        raise conflict("no_mail", "This server sends no mail. Ask an admin of your company for a password.")


def ask(storage: Storage, kind: Kind, email: str, company: str, **payload: Any) -> None:
    """Has a code or a link mailed to that address, if somebody there may come in by it.

    Without a company it is for the address at every company, for some of them. `payload` are language and address of the caller.
    """
    with storage.unit_of_work(None, write=True) as uow:
        row = companies.find_by_name(uow, company) if company else None
        where = {"everywhere": not company, "nowhere": bool(company) and row is None}
        _enqueue(uow, row["id"] if row else DEFAULT_COMPANY, {"ask": kind, "email": email} | where | payload)


def ask_to_register(storage: Storage, email: str, company: str, fields: Row, **payload: Any) -> None:
    """Has a code mailed that confirms the address of a new customer. Somebody with an account gets a code to sign in.

    `fields` are name and password_hash. Raises AppError 403, 404.
    """
    with storage.unit_of_work(None, write=True) as uow:
        row = companies.get_by_name(uow, company)
        if not takes_registrations(row):
            raise AppError("This company takes no registrations. Ask it for an account.", "forbidden", 403)
        _enqueue(uow, row["id"], {"ask": CODE, "email": email, "register": fields} | payload)


def takes_registrations(company: Row) -> bool:
    """Whether customers may register themselves. A company that is not confirmed could not mail them."""
    return bool(settings.of_company(company)["registration"]) and company["confirmed_at"] is not None


def _enqueue(uow: UnitOfWork, company_id: str, payload: Row) -> None:
    outbox.enqueue(uow.as_actor(_system(company_id)), [outbox.Job(QUEUE, FIND, payload=payload)])


def find_accounts(uow: UnitOfWork, company_id: str, payload: Row) -> None:
    """Opens a code or link for each account of the address and enqueues its mail. A registration has no account yet."""
    kind, email = payload["ask"], payload["email"]
    if payload.get("nowhere"):
        return
    accounts = uow.query(users).join(companies_table, companies_table.c.id == users.c.company_id)
    accounts = accounts.where(users.c.email == email, users.c.email != "")
    if not payload.get("everywhere"):
        accounts = accounts.where(users.c.company_id == company_id)
    oldest = companies_table.c.confirmed_at.is_(None), users.c.created_at, users.c.id
    people = uow.find(accounts.where(_comes_by_mail).order_by(*oldest).limit(MOST_ACCOUNTS))
    for user in sorted(
        people, key=lambda user: str(user["company_id"])
    ):  # companies are locked in one order: no deadlock
        _open(uow, user["company_id"], kind, email, payload, user_id=user["id"])
    if kind == CODE and not people and uow.first(accounts) is None:
        for company, fields in _registrations(uow, company_id, payload).items():
            _open(uow, company, kind, email, payload, fields=fields)


def place_of(address: str) -> str:
    """The network that an address belongs to."""
    return networks.holder(address, ipv6_bits=networks.SITE_BITS)


def _registrations(uow: UnitOfWork, company_id: str, payload: Row) -> dict[str, Row]:
    """What a code would register, by company: now, or earlier with a code that was not used yet.

    A password that somebody chose earlier is dropped: it may have been somebody else. `place` is where it was chosen:
    codes.confirm takes it from there alone.
    """
    if "register" in payload:
        return {company_id: payload["register"] | {"place": place_of(payload.get("address", ""))}}
    c = sign_in_tokens.c
    earlier = uow.query(sign_in_tokens).where(c.email == payload["email"], c.kind == CODE, c.user_id.is_(None))
    if not payload.get("everywhere"):
        earlier = earlier.where(c.company_id == company_id)
    rows = uow.find(earlier.where(c.expires_at > uow.real_now).limit(MOST_ACCOUNTS))
    return {row["company_id"]: {"name": row["fields"].get("name", ""), "password_hash": ""} for row in rows}


def _open(
    uow: UnitOfWork,
    company_id: str,
    kind: Kind,
    email: str,
    payload: Row,
    *,
    user_id: str = "",
    fields: Row | None = None,
) -> None:
    company_uow = uow.as_actor(_system(company_id, address=payload.get("address", "")))
    row = one_time.start(company_uow, kind, email, user_id=user_id, fields=fields)
    enqueue_mail(company_uow, MAIL_OF[kind], row, payload.get("language", ""))
    if kind == RESET:
        record(company_uow, user_id, [Change("reset_requested")], subject="user", actor=email)


def enqueue_mail(uow: UnitOfWork, notice: str, row: Row, language: str) -> None:
    """Enqueues the mail of an open row. The job holds neither the address nor the token, but whether nobody has the address."""
    payload = {"token_id": row["id"], "language": language, "unknown": row["user_id"] is None}
    outbox.enqueue(uow, [outbox.Job(QUEUE, notice, payload=payload)])


def _system(company_id: str, *, address: str = "") -> Actor:
    return replace(Actor.system(company_id), address=address)
