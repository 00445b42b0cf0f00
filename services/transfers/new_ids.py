"""Ids of imported rows. They follow from the company and the old id, so an import that is repeated adds no row twice.

Rows of one moment are in the order of their ids: a UUID version 7 has a time and a counter (RFC 9562 §5.7). A new id keeps
this part of the old one, and the rest is a keyed hash. So threads and histories stay in their order.
"""

import hmac
import uuid
from secrets import token_hex

from database.tables import companies
from storage import UnitOfWork

_ORDERED_BYTES = 12  # of a UUID version 7: 48 bits of time, version, 12 bits, variant, 30 bits of the counter


def salt(uow: UnitOfWork) -> str:
    """The company's salt, made by its first import. Who does not know it cannot choose the id of a new row."""
    company = uow.get(companies, uow.actor.company_id, lock=True) or {"transfer_salt": ""}
    if company["transfer_salt"]:
        return str(company["transfer_salt"])
    new_salt = token_hex(16)
    uow.update(companies, uow.actor.company_id, {"transfer_salt": new_salt})
    return new_salt


def derived(salt: str, file: str, old_id: str) -> str:
    """The id that the row of a file gets in the company with this salt."""
    digest = hmac.digest(salt.encode(), f"{file}/{old_id}".encode(), "sha256")
    old = _ordered(old_id)
    if old is not None:
        return str(uuid.UUID(bytes=old.bytes[:_ORDERED_BYTES] + digest[: 16 - _ORDERED_BYTES]))
    return str(uuid.UUID(bytes=digest[:16], version=5))


def _ordered(text: str) -> uuid.UUID | None:
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return value if value.version == 7 and str(value) == text else None
