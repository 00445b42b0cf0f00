"""When to stop asking a service that keeps failing, and when to try it again.

Only the counting lives here: what a failure is, and what is done instead, is for the caller to say.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

FAILURES = 5
OPEN_SECONDS = 30.0
MOST_COMPANIES = 10_000  # whose failures are counted at once; the longest untouched are let go

# How a call went: any answer, however bad; an outage after the text was sent; no connection at all.
Health = Literal["answered", "failing", "unreachable"]


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
            if self._on_trial or self._clock() < self._closes_at:
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


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that was let through: for whom, and by which breakers as their trial."""

    company: str
    shared_trial: bool
    own_trial: bool


class Breakers:
    """The breakers of a service that many companies use: one for each company, and one that they share; thread-safe.

    The shared one counts failed connections alone, which no text can provoke. Whatever fails after the text was sent may be
    that text's doing, so it is counted for its company alone. An answer ends both counts, whether or not it can be used.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._shared = Breaker(clock)
        self._own: OrderedDict[str, Breaker] = OrderedDict()  # of companies with failures

    def enter(self, company: str) -> Attempt | None:
        """Lets a call of a company through, or None when it is refused. Give the attempt to `leave` afterwards."""
        shared = self._shared.enter()
        if shared is None:
            return None
        with self._lock:
            breaker = self._own.get(company)
        own = breaker.enter() if breaker else False
        if own is None:
            self._shared.leave(trial=shared, healthy=None)
            return None
        return Attempt(company, shared, own)

    def leave(self, attempt: Attempt, health: Health | None) -> None:
        """Take note of how the call went; None says nothing about the service."""
        reached = None if health is None else health != "unreachable"
        self._shared.leave(trial=attempt.shared_trial, healthy=reached)
        with self._lock:
            if health == "answered":
                self._own.pop(attempt.company, None)
            elif health == "failing" and attempt.company not in self._own:
                self._own[attempt.company] = Breaker(self._clock)
                if len(self._own) > MOST_COMPANIES:
                    self._own.popitem(last=False)
            breaker = self._own.get(attempt.company)
        if breaker:
            breaker.leave(trial=attempt.own_trial, healthy=False if health == "failing" else None)
