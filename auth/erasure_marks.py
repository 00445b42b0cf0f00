"""Marks of erased people: keyed hashes that recognise an address or customer id and tell nothing about it.

The key follows from SECRET_KEY, so rows alone cannot be compared with a list of addresses.
With another SECRET_KEY no mark is found again.
"""

import hmac


class ErasureMarks:
    """Makes the marks of this server."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"foyer: who was erased", "sha256")

    def of(self, company_id: str, name: str) -> str:
        """The mark of an e-mail address, in any case, or of a customer id: 64 characters, of one company alone."""
        normalized = name.strip().casefold() if "@" in name else name.strip()
        return hmac.digest(self._key, f"{company_id}\0{normalized}".encode("utf-8", "surrogateescape"), "sha256").hex()
