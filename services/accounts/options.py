"""How people may come in at a company, for its sign-in page."""

from core import timestamps
from services import settings
from services.accounts import companies
from services.sla import targets
from storage import Row, Storage


def of_company(storage: Storage, name: str, *, mails: bool) -> Row:
    """The ways to sign in at the company of that name, of "" the company `default`; `mails`: there is a mail server.

    Raises AppError 404.
    """
    with storage.unit_of_work(None) as uow:
        company = companies.get_by_name(uow, name)
    company_settings = settings.of_company(company)
    codes = mails and company["confirmed_at"] is not None  # others mail nobody but their admins
    return {
        "company": company["name"],
        "name": company_settings["mail_name"] or company["name"],
        "password": True,
        "codes": codes,
        "registration": codes and company_settings["registration"],
        "chat_guests": company_settings["chat_guests"],
        "opens": targets.opens_again(company_settings, timestamps.moment(storage.real_now())),
    }
