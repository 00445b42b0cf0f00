"""Signs people in at an OpenID Connect issuer: the code flow with PKCE (OpenID Connect Core §3.1, RFC 7636). No rows.

The nonce and the verifier are derived from the state and the server's secret. So the browser keeps the state alone.
"""

import base64
import hashlib
import hmac
import logging
import secrets
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from auth.oidc import UNREACHABLE, Issuer, Unusable, fetch_json
from core.errors import unavailable

log = logging.getLogger("foyer.oidc")

SCOPES = "openid profile email"
Json = dict[str, Any]


class OidcClient:
    """This server as a client of one issuer. Without `client_secret` it is a public client."""

    def __init__(
        self, issuer: Issuer, *, client_id: str, client_secret: str, return_to: str, server_secret: str
    ) -> None:
        self.issuer_url = issuer.url
        self._issuer = issuer
        self._client_id, self._client_secret, self._return_to = client_id, client_secret, return_to
        self._key = hmac.digest(server_secret.encode(), b"foyer: sign-in at an issuer", "sha256")

    @staticmethod
    def new_state() -> str:
        """A state: 256 random bits."""
        return secrets.token_urlsafe(32)

    def address(self, state: str) -> str:
        """Where the browser goes to sign in. Raises AppError 503 when the issuer cannot be reached."""
        endpoint = self._issuer.endpoint("authorization_endpoint")
        challenge = hashlib.sha256(self._derived("verifier", state).encode()).digest()
        values = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": self._return_to,
            "scope": SCOPES,
            "state": state,
            "nonce": self._derived("nonce", state),
            "code_challenge": _as_text(challenge),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(values)}"

    def claims(self, state: str, code: str) -> Json | None:
        """The claims of the person whom the issuer sent back with `code`; None for a code that it refuses, or a wrong token.

        Raises AppError 503 when the issuer cannot be reached.
        """
        token = self._id_token(state, code)
        claims = self._issuer.claims(token, audience=self._client_id) if token else None
        if claims is None or not self._is_ours(claims, state):
            log.warning("A sign-in at the OpenID Connect issuer gave no valid token")
            return None
        return claims

    def _is_ours(self, claims: Json, state: str) -> bool:
        """Whether the token answers this sign-in of this client (OpenID Connect Core §3.1.3.7)."""
        nonce, party = claims.get("nonce"), claims.get("azp")
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        is_for_us = party == self._client_id or (party is None and not several)
        return isinstance(nonce, str) and is_for_us and _same(nonce, self._derived("nonce", state))

    def _id_token(self, state: str, code: str) -> str:
        """The ID token that the issuer gives for a code, "" when it refuses. Raises AppError 503."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._return_to,
            "code_verifier": self._derived("verifier", state),
        }
        endpoint, login = self._issuer.endpoint("token_endpoint"), None
        if self._client_secret and not self._issuer.supports(
            "token_endpoint_auth_methods_supported", "client_secret_post"
        ):
            login = (quote_plus(self._client_id), quote_plus(self._client_secret))  # RFC 6749 §2.3.1
        else:
            form |= {"client_id": self._client_id}
            form |= {"client_secret": self._client_secret} if self._client_secret else {}
        try:
            token = fetch_json(endpoint, form=form, login=login).get("id_token")
        except UNREACHABLE as error:
            log.warning("The OpenID Connect issuer gives no token: %s", error)
            if isinstance(error, Unusable) and 400 <= error.status < 500:
                return ""
            raise unavailable("The sign-in service cannot be reached. Please try again.") from error
        return token if isinstance(token, str) else ""

    def _derived(self, name: str, state: str) -> str:
        return _as_text(hmac.digest(self._key, f"{name} {state}".encode(), "sha256"))


def _as_text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
