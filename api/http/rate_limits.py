"""Rate limits: one for each credential, and one for each public route.

The gate checks them before a view runs; api/http/rate_counters.py counts.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from flask import current_app, request
from limits import RateLimitItem, parse_many

from api.http.envelope import how_many
from api.http.headers import put_on
from api.http.parsing import read_json
from api.http.rate_counters import Counter, open_counter
from config import SHORTEST_API_KEY, Settings
from core import normal_form
from core.errors import AppError
from core.models import Actor
from core.networks import SITE_BITS, holder

WRONG_KEYS = 30  # of one address, within
WRONG_KEYS_SECONDS = 60
RIGHT_KEY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class PublicRateLimit:
    """Limits of a public route: per address, per address and account, and in all."""

    per_address: str
    per_account: str = ""
    in_all: str = ""


class Limits:
    """The limits of one app. Raises ConfigError when the counter cannot be opened."""

    def __init__(self, settings: Settings, *, counter: Counter | None = None) -> None:
        self.general = () if settings.rate_limit == "off" else _parse_limits(settings.rate_limit)
        self.counter = counter or open_counter(settings.rate_limit_storage_uri.get_secret_value())

    def count(self, limits: tuple[RateLimitItem, ...], key: str) -> tuple[int, int]:
        """Counts a call. Returns the least remaining calls and their limit. Raises AppError 429."""
        least = None
        for limit in limits:
            counter_key = limit.key_for(key)
            remaining = limit.amount - self.counter.hit(counter_key, limit.get_expiry())
            if remaining < 0:
                raise _too_many(limit, self.counter.seconds_left(counter_key))
            least = min(least or (remaining, limit.amount), (remaining, limit.amount))
        return least or (0, 0)


def check_credential(actor: Actor) -> None:
    """Counts a call of an API key or user, for whatever customer and from whatever address. Raises AppError 429."""
    limits = _current_limits()
    if limits.general:
        caller = actor.key_id or actor.user_id or actor.customer_id
        put_on(_headers(*limits.count(limits.general, f"{actor.company_id} {caller}")))


def check_guest(limit: str) -> None:
    """Counts a call of a guest by the network address, since anybody may be many guests. Raises AppError 429."""
    address = holder(request.remote_addr or "")
    _current_limits().count(_parse_limits(limit), f"guests {request.endpoint} {address}")


def present_key(key: str, look: Callable[[str], Actor | None]) -> Actor | None:
    """Who presents a key, None for a wrong one. Wrong keys are counted by where they come from. Raises AppError 429.

    A key of the length that production demands cannot be guessed: it is always looked at, so wrong ones lock no right one
    out. A shorter one is not looked at while too many wrong ones come from there, unless it was right there before.
    """
    counter, place = _current_limits().counter, holder(request.remote_addr or "", ipv6_bits=SITE_BITS)
    wrong, is_short = f"wrong key {place}", len(key) < SHORTEST_API_KEY
    right = f"right key {place} {hashlib.sha256(key.encode(errors='replace')).hexdigest()}" if is_short else ""
    if is_short and counter.count(wrong) >= WRONG_KEYS and not counter.count(right):
        raise _too_many_keys(counter.seconds_left(wrong))
    actor = look(key)
    if actor is None and counter.hit(wrong, WRONG_KEYS_SECONDS) > WRONG_KEYS:
        raise _too_many_keys(counter.seconds_left(wrong))
    if actor is not None and is_short:
        counter.hit(right, RIGHT_KEY_SECONDS)
    return actor


def check_public(limit: PublicRateLimit | None) -> None:
    """Counts a call without credentials if the route has a limit. Raises AppError 429, and 400 for an invalid body."""
    if limit is None:
        return
    limits, route, address = _current_limits(), request.endpoint, holder(request.remote_addr or "")
    limits.count(_parse_limits(limit.per_address), f"{route} {address}")
    if limit.per_account:
        named = read_json(request).get("email")
        account = hashlib.sha256(normal_form.email(named).encode() if isinstance(named, str) else b"").hexdigest()
        limits.count(_parse_limits(limit.per_account), f"{route} {address} {account}")
    if limit.in_all:
        limits.count(_parse_limits(limit.in_all), f"{route}")


def _current_limits() -> Limits:
    limits: Limits = current_app.extensions["limits"]
    return limits


def _headers(remaining: int, limit: int) -> dict[str, str]:
    return {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(remaining)}


@cache
def _parse_limits(text: str) -> tuple[RateLimitItem, ...]:
    return tuple(parse_many(text))


def _too_many_keys(seconds_left: float) -> AppError:
    seconds = max(1, math.ceil(seconds_left))
    message = f"Too many wrong API keys came from your address. Try again in {how_many(seconds, 'second')}"
    return AppError(message, "locked_out", 429, headers={"Retry-After": str(seconds)})


def _too_many(limit: RateLimitItem, seconds_left: float) -> AppError:
    seconds = max(1, math.ceil(seconds_left))
    several = f"{limit.multiples} {limit.GRANULARITY.name}s" if limit.multiples > 1 else limit.GRANULARITY.name
    message = f"Too many requests: at most {limit.amount} per {several}. Try again in {how_many(seconds, 'second')}"
    return AppError(message, "rate_limited", 429, headers={"Retry-After": str(seconds), **_headers(0, limit.amount)})
