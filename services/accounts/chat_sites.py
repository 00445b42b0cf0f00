"""Which sites may show the chat of a company; asked before anybody is signed in."""

from core import origins
from core.models import DEFAULT_COMPANY
from database.tables import companies as companies_table
from services import settings
from services.accounts import companies
from storage import Storage


def allowed(storage: Storage, company: str) -> list[str]:
    """The origins that may show the chat of the company of that name, of "" the company `default`. None for no company."""
    with storage.unit_of_work(None) as uow:
        row = companies.find_by_name(uow, company) if company else uow.get(companies_table, DEFAULT_COMPANY)
    # What a hand wrote into the data must not end the directive.
    return list(filter(origins.is_origin, settings.of_company(row)["chat_origins"])) if row else []
