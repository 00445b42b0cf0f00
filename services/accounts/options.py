"""How people may come in at a company, for its sign-in page."""

from config import Settings
from core import timestamps
from core.company_names import name_key
from services import settings
from services.accounts import companies
from services.sla import targets
from storage import Row, Storage


def of_company(storage: Storage, name: str, *, mails: bool) -> Row:
    """The ways to sign in at the company of that name, "" for the company `default`; `mails`: there is a mail server.

    The keys: company, name, password, codes, registration, chat_guests, opens. Raises AppError 404.
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


def takes_issuer(storage: Storage, server: Settings, name: str) -> bool:
    """Whether people of the server's OpenID Connect issuer may belong to the company of that name."""
    with storage.unit_of_work(None) as uow:
        company = companies.get_by_name(uow, name)
    is_named = bool(server.oidc_company_claim) or company["name_key"] == name_key(server.oidc_company)
    return bool(company["oidc_allowed"]) and is_named
