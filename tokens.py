"""The tokens of signed-in people: signed here, read here. Besides oidc.py the only importer of jwt.

An access token says who is signed in and for how long; a refresh token says which session it continues and as the
how-manieth of its line. Neither is kept anywhere: what is kept is the session (services/sessions.py).
"""

from typing import Any

import jwt

import times

ALGORITHM = "HS256"
ISSUER = "foyer"
ACCESS, REFRESH, CONFIRM = "foyer:access", "foyer:refresh", "foyer:confirm"
ACCESS_SECONDS = 900
CONFIRM_SECONDS = 7 * 24 * 3600
_REQUIRED = ["iss", "aud", "exp", "sub", "typ"]


class Tokens:
    """Signs and reads with one secret of 32 bytes or more. Every moment is text as in times.py."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    def access(self, user_id: str, session_id: str, *, now: str) -> str:
        """A token that stands for the person for 15 minutes."""
        expires = times.later(now, seconds=ACCESS_SECONDS)
        return self._signed(ACCESS, expires, sub=user_id, sid=session_id)

    def refresh(self, user_id: str, session_id: str, generation: int, *, expires: str) -> str:
        """A token to continue the session with, once. The same input gives the same token."""
        return self._signed(REFRESH, expires, sub=user_id, sid=session_id, gen=generation)

    def confirmation(self, user_id: str, email: str, company: str, *, now: str) -> str:
        """A token that shows, for a week, that its bearer reads the mail of that address; `company` is its name, to show."""
        return self._signed(
            CONFIRM, times.later(now, seconds=CONFIRM_SECONDS), sub=user_id, email=email, company=company
        )

    def read_access(self, token: str, *, now: str) -> dict[str, Any] | None:
        """What an access token says, None when it is not one of ours or its time is over."""
        return self._read(token, ACCESS, now, needs=("sid",))

    def read_refresh(self, token: str, *, now: str) -> dict[str, Any] | None:
        """What a refresh token says, None when it is not one of ours or its time is over."""
        return self._read(token, REFRESH, now, needs=("sid", "gen"))

    def read_confirmation(self, token: str, *, now: str) -> dict[str, Any] | None:
        """What a confirmation token says, None when it is not one of ours or its time is over."""
        return self._read(token, CONFIRM, now, needs=("email",))

    def _signed(self, kind: str, expires: str, **claims: Any) -> str:
        claims |= {"iss": ISSUER, "aud": kind, "typ": kind, "exp": int(times.moment(expires).timestamp())}
        return jwt.encode(claims, self._secret, ALGORITHM)

    def _read(self, token: str, kind: str, now: str, *, needs: tuple[str, ...]) -> dict[str, Any] | None:
        try:
            # The algorithm is ours to choose, never the token's; the time is the caller's real clock.
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                [ALGORITHM],
                audience=kind,
                issuer=ISSUER,
                options={"require": [*_REQUIRED, *needs], "verify_exp": False},
            )
        except jwt.InvalidTokenError:
            return None
        alive = isinstance(claims["exp"], int) and claims["exp"] > times.moment(now).timestamp()
        return claims if alive and claims["typ"] == kind else None
