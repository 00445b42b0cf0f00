"""Which company a mail belongs to: the one that named its recipient as an address of its own, else the operator's."""

from collections.abc import Sequence

from core.models import DEFAULT_COMPANY
from services.inbound import addresses
from storage import Storage


def companies_for(storage: Storage, envelope: Sequence[str], named: Sequence[str]) -> list[str]:
    """The companies whose mail this is: by the recipients of the envelope, else by those that the headers name."""
    with storage.unit_of_work(None) as uow:
        for recipients in (envelope, named):
            if recipients and (companies := addresses.companies_of(uow, recipients)):
                return companies
    return [DEFAULT_COMPANY]
