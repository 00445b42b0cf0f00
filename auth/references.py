"""Signed references to tickets in mail: in a Message-ID and in the plus part of an address. No rows, no mail.

A reference names the ticket and carries a MAC of ticket and company. It shows that we sent it, not who sends it back.
"""

import base64
import binascii
import hmac
import re
import uuid
from collections.abc import Iterable

MAC_BYTES = 10  # 80 bits: a guess is one mail, and each is counted
LENGTH = 42  # characters: 26 bytes in base32, which survives a change of case
_FORM = re.compile(rf"(?<![a-z2-7])[a-z2-7]{{{LENGTH}}}(?![a-z2-7])")
_MOST_CANDIDATES = 200


class References:
    """Makes and reads references with the secret of this server."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"foyer: reference to a ticket in mail", "sha256")

    def make(self, company_id: str, ticket_id: str) -> str:
        """The reference of a ticket, the same each time: 42 characters a-z and 2-7."""
        ticket = uuid.UUID(ticket_id).bytes
        return base64.b32encode(ticket + self._mac(company_id, ticket)).decode().rstrip("=").lower()

    def ticket_of(self, company_id: str, texts: Iterable[str]) -> str:
        """The ticket of the company that the first valid reference in these texts names, "" without one."""
        left = _MOST_CANDIDATES
        for text in texts:
            for candidate in _FORM.findall(text.lower()):
                left -= 1
                if ticket_id := self._read(company_id, candidate):
                    return ticket_id
                if left <= 0:
                    return ""
        return ""

    def _read(self, company_id: str, reference: str) -> str:
        try:
            data = base64.b32decode(reference.upper() + "=" * (-len(reference) % 8))
        except binascii.Error:
            return ""
        ticket, mac = data[:-MAC_BYTES], data[-MAC_BYTES:]
        return str(uuid.UUID(bytes=ticket)) if hmac.compare_digest(mac, self._mac(company_id, ticket)) else ""

    def _mac(self, company_id: str, ticket: bytes) -> bytes:
        return hmac.digest(self._key, ticket + company_id.encode(), "sha256")[:MAC_BYTES]
