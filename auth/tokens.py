"""Signs and reads tokens (JWT): for access, and of the links that are mailed.

An access token names the user and its expiry. A refresh token names the session and its generation in it.
Tokens are not stored; sessions are (services/accounts/sessions.py).
"""

from functools import lru_cache
from typing import Any

import jwt

from core import timestamps

ALGORITHM = "HS256"
ISSUER = "foyer"
ACCESS, REFRESH, CONFIRM, RATE = "foyer:access", "foyer:refresh", "foyer:confirm", "foyer:rate"
GUEST, GUEST_REFRESH = "foyer:guest", "foyer:guest-refresh"
GUEST_SECONDS = 30 * 24 * 3600
OIDC, OIDC_SECONDS = "foyer:oidc", 600
CHALLENGE, CHALLENGE_SECONDS = "foyer:second_factor", 300
UNSUBSCRIBE, UNSUBSCRIBE_SECONDS = "foyer:unsubscribe", 365 * 24 * 3600
ACCESS_SECONDS = 900
CONFIRM_SECONDS = 7 * 24 * 3600
RATE_SECONDS = 30 * 24 * 3600
_REQUIRED = ["iss", "aud", "exp", "sub", "typ"]
_GUEST = ("company", "name", "stamp", "since")
MOST_VERIFIED = 1_000  # tokens whose signature is not computed again: a page presents the same one for 15 minutes


class Tokens:
    """Signs and reads tokens with one secret of at least 32 bytes. Times are text as in core/timestamps.py."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._verified = lru_cache(MOST_VERIFIED)(self._verify)

    def access(self, user_id: str, session_id: str, *, now: str) -> str:
        """An access token, valid for 15 minutes."""
        expires = timestamps.later(now, seconds=ACCESS_SECONDS)
        return self._signed(ACCESS, expires, sub=user_id, sid=session_id)

    def refresh(self, user_id: str, session_id: str, generation: int, *, expires: str) -> str:
        """A refresh token, valid once. The same input gives the same token."""
        return self._signed(REFRESH, expires, sub=user_id, sid=session_id, gen=generation)

    def guest(self, claims: dict[str, str], *, now: str) -> tuple[str, str]:
        """The access token (15 minutes) and the refresh token (30 days) of a guest of the chat, who has no row.

        `claims` are sub (the guest's id), company, name, stamp (of the company) and since (when the guest came).
        """
        until = timestamps.later(now, seconds=ACCESS_SECONDS), timestamps.later(now, seconds=GUEST_SECONDS)
        return self._signed(GUEST, until[0], **claims), self._signed(GUEST_REFRESH, until[1], **claims)

    def confirmation(self, user_id: str, email: str, company: str, *, now: str) -> str:
        """A token that shows, for a week, that its bearer reads the mail of that address; `company` is its name, to show."""
        return self._signed(
            CONFIRM, timestamps.later(now, seconds=CONFIRM_SECONDS), sub=user_id, email=email, company=company
        )

    def challenge(self, user_id: str, mark: str, way: str, *, now: str) -> str:
        """A token that shows, for 5 minutes, that its bearer has the first factor of the user.

        `mark` is of that factor, `way` its name.
        """
        expires = timestamps.later(now, seconds=CHALLENGE_SECONDS)
        return self._signed(CHALLENGE, expires, sub=user_id, mark=mark, way=way)

    def oidc_state(self, state: str, page: str, *, now: str) -> str:
        """A token for 10 minutes: the state of a sign-in at the issuer, and the page that it began from."""
        return self._signed(OIDC, timestamps.later(now, seconds=OIDC_SECONDS), sub=state, page=page)

    def rating(self, ticket_id: str, company_id: str, *, now: str) -> str:
        """A token that lets its bearer rate this ticket of this company, and nothing else, for 30 days."""
        return self._signed(RATE, timestamps.later(now, seconds=RATE_SECONDS), sub=ticket_id, company=company_id)

    def unsubscribe(self, user_id: str, company_id: str, kind: str, *, now: str) -> str:
        """A token that lets its bearer end one kind of notice to this user, and nothing else, for a year."""
        expires = timestamps.later(now, seconds=UNSUBSCRIBE_SECONDS)
        return self._signed(UNSUBSCRIBE, expires, sub=user_id, company=company_id, notice=kind)

    def read_access(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a token; None when it is invalid or expired."""
        return self._read(token, ACCESS, now, needs=("sid",))

    def read_refresh(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a token; None when it is invalid or expired."""
        return self._read(token, REFRESH, now, needs=("sid", "gen"))

    def read_guest(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a guest's access token; None when it is invalid or expired."""
        return self._read(token, GUEST, now, needs=_GUEST)

    def read_guest_refresh(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a guest's refresh token; None when it is invalid or expired."""
        return self._read(token, GUEST_REFRESH, now, needs=_GUEST)

    def read_confirmation(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a token; None when it is invalid or expired."""
        return self._read(token, CONFIRM, now, needs=("email",))

    def read_challenge(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a token; None when it is invalid or expired."""
        return self._read(token, CHALLENGE, now, needs=("mark", "way"))

    def read_oidc_state(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a token; None when it is invalid or expired."""
        return self._read(token, OIDC, now, needs=("page",))

    def read_rating(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a token; None when it is invalid or expired."""
        return self._read(token, RATE, now, needs=("company",))

    def read_unsubscribe(self, token: str, *, now: str) -> dict[str, Any] | None:
        """The claims of a token; None when it is invalid or expired."""
        return self._read(token, UNSUBSCRIBE, now, needs=("company", "notice"))

    def _signed(self, kind: str, expires: str, **claims: Any) -> str:
        claims |= {"iss": ISSUER, "aud": kind, "typ": kind, "exp": int(timestamps.moment(expires).timestamp())}
        return jwt.encode(claims, self._secret, ALGORITHM)

    def _read(self, token: str, kind: str, now: str, *, needs: tuple[str, ...]) -> dict[str, Any] | None:
        """The claims of a token that is valid at `now`. Whoever asks still looks whether its session or row is there."""
        try:
            claims = self._verified(token, kind, needs)
        except jwt.InvalidTokenError:
            return None
        unexpired = isinstance(claims["exp"], int) and claims["exp"] > timestamps.moment(now).timestamp()
        return {**claims} if unexpired and claims["typ"] == kind else None

    def _verify(self, token: str, kind: str, needs: tuple[str, ...]) -> dict[str, Any]:
        """The claims of a token with a valid signature, whatever its expiry; they follow from the token and the secret alone."""
        # The algorithm is fixed here, never taken from the token.
        claims: dict[str, Any] = jwt.decode(
            token,
            self._secret,
            [ALGORITHM],
            audience=kind,
            issuer=ISSUER,
            options={"require": [*_REQUIRED, *needs], "verify_exp": False},
        )
        return claims
