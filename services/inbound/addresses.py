"""The addresses at which a company's mail comes in. An address belongs to one company: the first that names it."""

from collections.abc import Iterable, Sequence

from core.errors import conflict, forbidden
from core.normal_form import email
from database.tables import inbound_addresses as table
from services.inbound.loops import without_tag
from storage import Row, UnitOfWork

MOST = 20


def replace(uow: UnitOfWork, company: Row, addresses: Sequence[str]) -> None:
    """Makes these the addresses of the company. Raises AppError 403 unless the operator allows it, 409 for a taken one."""
    if addresses and not company["inbound_allowed"]:
        raise forbidden("Whoever runs this server must first allow it: flask allow-company NAME --inbound.")
    earlier = of_company(uow)
    uow.delete(table, table.c.address.in_(set(earlier) - set(addresses)))
    for address in addresses:
        if address not in earlier and not uow.insert_new(table, {"address": address}):
            raise conflict("inbound_address_taken", f"{address} takes the mail of another company already.")


def of_company(uow: UnitOfWork) -> list[str]:
    """The addresses of the actor's company."""
    return [row["address"] for row in uow.find(uow.query(table, table.c.address))]


def companies_of(uow: UnitOfWork, recipients: Iterable[str]) -> list[str]:
    """The companies whose addresses these are, over the companies that the unit of work sees; a plus part does not count."""
    forms = {form for name in recipients for form in (email(name), without_tag(email(name)))}
    rows = uow.find(uow.query(table, table.c.company_id).where(table.c.address.in_(sorted(forms)[:1000])))
    return sorted({row["company_id"] for row in rows})


def tagged(address: str, tag: str) -> str:
    """The address with a plus part, "" when that would be longer than mail allows (RFC 5321 §4.5.3.1.1)."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{tag}@{domain}" if len(local) + len(tag) < 64 else ""
