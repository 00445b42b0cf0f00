"""Counts calls per time window, in this process or in Redis for several instances.

A window begins with its first call.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from limits.errors import ConfigurationError
from limits.storage import RedisStorage, storage_from_string

from config import ConfigError

log = logging.getLogger("foyer.counters")
T = TypeVar("T")

MOST_COUNTED = 100_000
SWEEP_SECONDS = 10.0
REDIS_TIMEOUT_SECONDS = 0.5
REDIS_AGAIN_SECONDS = 10.0


class Counter(Protocol):
    """Where calls are counted."""

    def hit(self, key: str, seconds: int) -> int:
        """Counts a call in the key's window of `seconds`; returns the count so far."""

    def count(self, key: str) -> int:
        """How many calls the key's window holds."""

    def seconds_left(self, key: str) -> float:
        """Seconds until the key's window ends."""


def open_counter(uri: str) -> Counter:
    """The counter at `memory://` or `redis://…`; nothing is connected yet. Raises ConfigError."""
    return InMemory() if uri.startswith("memory://") else InRedis(uri)


class InMemory:
    """Counts of this process, for any number of threads.

    The memory storage of `limits` is not used: it starts a thread for nearly every call when idle, and scans all keys a
    hundred times a second under load.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}  # key -> count, end of the window
        self._sweep_at = clock() + SWEEP_SECONDS

    def hit(self, key: str, seconds: int) -> int:
        """As Counter says."""
        now = self._clock()
        with self._lock:
            if now >= self._sweep_at:
                self._windows = {name: window for name, window in self._windows.items() if window[1] > now}
                self._sweep_at = now + SWEEP_SECONDS
            count, ends = self._windows.get(key, (0, 0.0))
            count, ends = (count + 1, ends) if ends > now else (1, now + seconds)
            self._windows[key] = (count, ends)
            if len(self._windows) > MOST_COUNTED:  # bounds the memory
                del self._windows[next(iter(self._windows))]
        return count

    def count(self, key: str) -> int:
        """As Counter says."""
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > self._clock() else 0

    def seconds_left(self, key: str) -> float:
        """As Counter says."""
        return self._windows.get(key, (0, 0.0))[1] - self._clock()


class InRedis:
    """Counts shared by several instances; while Redis is unavailable each process counts by itself."""

    def __init__(self, uri: str) -> None:
        waits = {"socket_timeout": REDIS_TIMEOUT_SECONDS, "socket_connect_timeout": REDIS_TIMEOUT_SECONDS}
        try:
            self._redis = cast(RedisStorage, storage_from_string(uri, key_prefix="foyer", **waits))
        except ConfigurationError:
            raise ConfigError(
                "Cannot start, please correct the environment: RATE_LIMIT_STORAGE_URI names Redis, but the package redis "
                "is not installed (pip install -r requirements.txt)"
            ) from None
        except ValueError:
            raise ConfigError(
                "Cannot start, please correct the environment: RATE_LIMIT_STORAGE_URI cannot be read"
            ) from None
        self._local = InMemory()
        self._away_until = 0.0

    def hit(self, key: str, seconds: int) -> int:
        """As Counter says."""
        return self._call(lambda: self._redis.incr(key, seconds), lambda: self._local.hit(key, seconds))

    def count(self, key: str) -> int:
        """As Counter says."""
        return self._call(lambda: self._redis.get(key), lambda: self._local.count(key))

    def seconds_left(self, key: str) -> float:
        """As Counter says."""

        def shared() -> float:
            connection: Any = self._redis.get_connection()
            return float(connection.pttl(self._redis.prefixed_key(key))) / 1000

        return self._call(shared, lambda: self._local.seconds_left(key))

    def _call(self, shared: Callable[[], T], local: Callable[[], T]) -> T:
        away_until = self._away_until
        if time.monotonic() < away_until:
            return local()
        if away_until:  # one thread tries again, the others do not wait for it
            self._away_until = time.monotonic() + REDIS_AGAIN_SECONDS
        try:
            answer = shared()
        except (self._redis.base_exceptions, OSError) as error:  # type: ignore[misc]
            self._away_until = time.monotonic() + REDIS_AGAIN_SECONDS
            if not away_until:
                log.warning("Redis cannot be asked (%s): this process counts calls by itself", type(error).__name__)
            return local()
        if away_until:
            self._away_until = 0.0
            log.warning("Redis counts calls again")
        return answer
