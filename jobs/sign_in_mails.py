"""Jobs of the mails of sign-ins: one finds the accounts of an address, the others make a token and its mail."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from auth.one_time import OneTime
from channels.sign_in_mails import sign_in_mail
from core.models import Actor
from database.tables import companies, sign_in_tokens
from notifier import Notice
from services.accounts import mailed_access, one_time
from services.notices import wording
from storage import Row, Storage

NOTICE_OF = {one_time.INVITE: "invitation", one_time.RESET: "password_reset", one_time.CODE: "sign_in_code"}
KINDS = (mailed_access.FIND, *NOTICE_OF.values())


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail needs beside its words: the row whose token and code it holds, and the name of the company."""

    row: Row
    token: str
    code: str
    company: str


def notice(storage: Storage, secrets: OneTime, job: Row, header: Row, may_send: Callable[[str], bool]) -> Notice | None:
    """The mail of a job, None when there is none to send or `may_send` refuses its address.

    A job that is tried again makes another token. A mail that is not sent makes none, and ends no token before it.
    """
    if job["kind"] == mailed_access.FIND:
        with storage.unit_of_work(None, write=True) as uow:
            mailed_access.find_accounts(uow, job["company_id"], job["payload"])
        return None
    to = _address(storage, job)
    mail = _with_token(storage, secrets, job) if to and may_send(to) else None
    if mail is None:
        return None
    with storage.unit_of_work(Actor.system(job["company_id"])) as uow:
        language = job["payload"].get("language", "")
        words: dict[str, Any] = wording.of_mail(uow, language=language)
    kind = NOTICE_OF[mail.row["kind"]]
    words |= {"language": language, "company": mail.company, "code": mail.code}
    return sign_in_mail(kind, mail.row["email"], mail.token, **header, **words)


def _address(storage: Storage, job: Row) -> str:
    """Whom the mail of a job goes to, "" when it is not wanted any more."""
    with storage.unit_of_work(Actor.system(job["company_id"])) as uow:
        row = uow.get(sign_in_tokens, job["payload"]["token_id"])
    return row["email"] if row else ""


def _with_token(storage: Storage, secrets: OneTime, job: Row) -> Mail | None:
    with storage.unit_of_work(Actor.system(job["company_id"]), write=True) as uow:
        row = uow.get(sign_in_tokens, job["payload"]["token_id"], lock=True)
        company = uow.get(companies, job["company_id"])
        if row is None or company is None:
            return None  # used, ended, or replaced by a later one
        return Mail(row, *one_time.give_token(uow, row, secrets), company["name"])
