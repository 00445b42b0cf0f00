"""Makes and checks tokens of mailed links, and codes of six digits. Each works once. No rows, no mail.

Only an HMAC with the secret of this server is kept, so rows alone open nothing. A code is bound to its row.
"""

import hmac
import secrets

TOKEN_BYTES = 32
TOKEN_LENGTH = 43  # of such a token as text
CODE_DIGITS = 6


class OneTime:
    """Tokens and codes of this server."""

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"foyer: links and codes to sign in", "sha256")

    def new_token(self) -> str:
        """A token of 256 random bits, 43 characters that are safe in a URL."""
        return secrets.token_urlsafe(TOKEN_BYTES)

    def new_code(self) -> str:
        """Six random digits."""
        return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"

    def token_hash(self, kind: str, token: str) -> str:
        """What is kept of a token: 64 characters."""
        return self._mac(f"{kind} {token}")

    def is_token(self, stored_hash: str, kind: str, token: str) -> bool:
        """Whether this token was kept so. Takes as long for a row without one."""
        return hmac.compare_digest(stored_hash, self.token_hash(kind, token)) and bool(stored_hash)

    def code_hash(self, row_id: str, code: str) -> str:
        """What is kept of the code of that row: 64 characters."""
        return self._mac(f"code {row_id} {code}")

    def is_code(self, stored_hash: str, row_id: str, code: str) -> bool:
        """Whether the row has this code. Takes as long for a row without one."""
        return hmac.compare_digest(stored_hash, self.code_hash(row_id, code)) and bool(stored_hash)

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "surrogateescape"), "sha256").hex()
