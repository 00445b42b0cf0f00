"""How often a caller may call: the general limit of each credential, and the limits of routes that need none.

Checked by the gate before anything is stored; what is counted where is counters.py's.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from flask import current_app, g, request
from limits import RateLimitItem, parse_many

import normal_form
from api.envelope import how_many
from api.parsing import read_json
from config import SHORTEST_API_KEY, Settings
from counters import Counter, open_counter
from errors import AppError
from models import Actor
from networks import SITE_BITS, holder

WRONG_KEYS = 30  # of one address, within
WRONG_KEYS_SECONDS = 60
RIGHT_KEY_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class DoorLimit:
    """How often a route without credentials may be called: by one address, by it for one account, by all together."""

    per_address: str
    per_account: str = ""
    in_all: str = ""


class Limits:
    """The limits of one app. Raises ConfigError when they cannot be counted where the settings say."""

    def __init__(self, settings: Settings, *, counter: Counter | None = None) -> None:
        self.general = () if settings.rate_limit == "off" else _parsed(settings.rate_limit)
        self.counter = counter or open_counter(settings.rate_limit_storage_uri.get_secret_value())

    def count(self, limits: tuple[RateLimitItem, ...], key: str) -> tuple[int, int]:
        """One more call; gives what is left of the limit that has least left, and that limit. Raises AppError 429."""
        least = None
        for limit in limits:
            place = limit.key_for(key)
            left = limit.amount - self.counter.hit(place, limit.get_expiry())
            if left < 0:
                raise _too_many(limit, self.counter.seconds_left(place))
            least = min(least or (left, limit.amount), (left, limit.amount))
        return least or (0, 0)


def check_credential(actor: Actor) -> None:
    """Counts a call of a key or person, whoever it acts for and from whatever address. Raises AppError 429."""
    limits = _the_limits()
    if limits.general:
        g.calls_left = limits.count(limits.general, f"{actor.company_id} {actor.key_id or actor.user_id}")


def present_key(key: str, look: Callable[[str], Actor | None]) -> Actor | None:
    """Who presents a key, None for a wrong one. Wrong keys are counted by where they come from. Raises AppError 429.

    A key of the length that production demands cannot be guessed: it is always looked at, so wrong ones lock no right one
    out. A shorter one is not looked at while too many wrong ones come from there, unless it was right there before.
    """
    counter, place = _the_limits().counter, holder(request.remote_addr or "", ipv6_bits=SITE_BITS)
    wrong, right = f"wrong key {place}", f"right key {place} {hashlib.sha256(key.encode(errors='replace')).hexdigest()}"
    is_short = len(key) < SHORTEST_API_KEY
    if is_short and counter.held(wrong) >= WRONG_KEYS and not counter.held(right):
        raise _too_many_keys(counter.seconds_left(wrong))
    actor = look(key)
    if actor is None and counter.hit(wrong, WRONG_KEYS_SECONDS) > WRONG_KEYS:
        raise _too_many_keys(counter.seconds_left(wrong))
    if actor is not None and is_short:
        counter.hit(right, RIGHT_KEY_SECONDS)
    return actor


def check_door(limit: DoorLimit | None) -> None:
    """Counts a call of somebody unknown, where the route has a limit. Raises AppError 429, and 400 for a broken body."""
    if limit is None:
        return
    limits, route, address = _the_limits(), request.endpoint, holder(request.remote_addr or "")
    limits.count(_parsed(limit.per_address), f"{route} {address}")
    if limit.per_account:
        named = read_json(request).get("email")
        account = hashlib.sha256(normal_form.email(named).encode() if isinstance(named, str) else b"").hexdigest()
        limits.count(_parsed(limit.per_account), f"{route} {address} {account}")
    if limit.in_all:
        limits.count(_parsed(limit.in_all), f"{route}")


def headers() -> tuple[tuple[str, str], ...]:
    """The limit of this request's caller and what is left of it; nothing where nothing was counted."""
    left = g.get("calls_left")
    return _headers(*left) if left else ()


def _the_limits() -> Limits:
    limits: Limits = current_app.extensions["limits"]
    return limits


def _headers(left: int, amount: int) -> tuple[tuple[str, str], ...]:
    return ("X-RateLimit-Limit", str(amount)), ("X-RateLimit-Remaining", str(left))


@cache
def _parsed(text: str) -> tuple[RateLimitItem, ...]:
    return tuple(parse_many(text))


def _too_many_keys(seconds_left: float) -> AppError:
    seconds = max(1, math.ceil(seconds_left))
    message = f"Too many wrong API keys came from your address. Try again in {how_many(seconds, 'second')}"
    return AppError(message, "locked_out", 429, headers={"Retry-After": str(seconds)})


def _too_many(limit: RateLimitItem, seconds_left: float) -> AppError:
    seconds = max(1, math.ceil(seconds_left))
    several = f"{limit.multiples} {limit.GRANULARITY.name}s" if limit.multiples > 1 else limit.GRANULARITY.name
    message = f"Too many requests: at most {limit.amount} per {several}. Try again in {how_many(seconds, 'second')}"
    return AppError(
        message, "rate_limited", 429, headers={"Retry-After": str(seconds), **dict(_headers(0, limit.amount))}
    )
