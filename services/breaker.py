"""When to stop asking a service that keeps failing, and when to try it again.

Only the counting lives here: what a failure is, and what is done instead, is for the caller to say.
"""

import threading
from collections.abc import Callable

FAILURES = 5
OPEN_SECONDS = 30.0


class Breaker:
    """Refuses calls for OPEN_SECONDS after FAILURES failures in a row, then lets one trial through; thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._closes_at = 0.0
        self._on_trial = False

    def enter(self) -> bool | None:
        """Whether this call is the trial; None when the call is refused."""
        with self._lock:
            if self._failures < FAILURES:
                return False
            if self._refuses():
                return None
            self._on_trial = True
            return True

    def leave(self, *, trial: bool, healthy: bool | None) -> None:
        """Take note of how the call went; None changes nothing but ends a trial."""
        with self._lock:
            if trial:
                self._on_trial = False
            if healthy:
                self._failures = 0
            elif healthy is False:
                self._failures += 1
                self._closes_at = self._clock() + OPEN_SECONDS

    @property
    def open(self) -> bool:
        """Whether a call made now would be refused."""
        with self._lock:
            return self._failures >= FAILURES and self._refuses()

    def _refuses(self) -> bool:
        return self._on_trial or self._clock() < self._closes_at
