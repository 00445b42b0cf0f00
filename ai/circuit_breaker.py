"""Circuit breaker: stops calls to a service that keeps failing, and tries it again later.

This module only counts. The caller decides what a failure is and what to do instead.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

FAILURES = 5
OPEN_SECONDS = 30.0
MOST_COMPANIES = 10_000  # with a breaker at once; above that the oldest breaker is dropped

# The result of a call: any answer, even an unusable one; a failure after the text was sent; no connection.
Health = Literal["answered", "failing", "unreachable"]


class Breaker:
    """Refuses calls for OPEN_SECONDS after FAILURES failures in a row, then allows one trial. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._closes_at = 0.0
        self._on_trial = False

    def enter(self) -> bool | None:
        """Returns whether this call is the trial, or None if the call is refused."""
        with self._lock:
            if self._failures < FAILURES:
                return False
            if self._on_trial or self._clock() < self._closes_at:
                return None
            self._on_trial = True
            return True

    def leave(self, *, trial: bool, healthy: bool | None) -> None:
        """Records the result of the call. None only ends a trial."""
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
    """The breakers of a service that many companies use: one for each company and a shared one. Thread-safe.

    The shared breaker counts only failed connections, because no text can cause them. A failure after the text was sent may
    be caused by that text, so only its company's breaker counts it. Any answer resets both counts.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._shared = Breaker(clock)
        self._by_company: OrderedDict[str, Breaker] = OrderedDict()  # of companies with failures

    def enter(self, company: str) -> Attempt | None:
        """Allows a call of a company, or returns None if it is refused. Pass the attempt to `leave` afterwards."""
        shared_trial = self._shared.enter()
        if shared_trial is None:
            return None
        with self._lock:
            breaker = self._by_company.get(company)
        own_trial = breaker.enter() if breaker else False
        if own_trial is None:
            self._shared.leave(trial=shared_trial, healthy=None)
            return None
        return Attempt(company, shared_trial, own_trial)

    def leave(self, attempt: Attempt, health: Health | None) -> None:
        """Records the result of the call. None means that the result is unknown."""
        reached = None if health is None else health != "unreachable"
        self._shared.leave(trial=attempt.shared_trial, healthy=reached)
        with self._lock:
            if health == "answered":
                self._by_company.pop(attempt.company, None)
            elif health == "failing" and attempt.company not in self._by_company:
                self._by_company[attempt.company] = Breaker(self._clock)
                if len(self._by_company) > MOST_COMPANIES:
                    self._by_company.popitem(last=False)
            breaker = self._by_company.get(attempt.company)
        if breaker:
            breaker.leave(trial=attempt.own_trial, healthy=False if health == "failing" else None)
