"""Limits the write connections of each company, so that a stalled company never holds them all."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

WAIT_SECONDS = 5.0  # the longest wait for a place
STALLED_SECONDS = 2.0  # a company that returned no place for this long counts as stalled: its writers fail at once


class Exhausted(Exception):
    """All places, or all places of the company, stayed in use for too long."""


class Shares:
    """Places for writers: `together` in all, and at most `each` for one company."""

    def __init__(self, *, each: int, together: int) -> None:
        self._each, self.together = each, together
        self._changed = threading.Condition()
        self._in_use: Counter[str] = Counter()
        self._changed_at: dict[str, float] = {}  # when a place of the company was last taken or returned

    @contextmanager
    def place(self, company: str) -> Iterator["Place"]:
        """A place for a writer of this company. Raises Exhausted, without waiting when the company is stalled."""
        place = Place(self, company)
        self.take(company, together=self.together)
        try:
            yield place
        finally:
            self.release(place.company)

    def take(self, company: str, *, together: int) -> None:
        """Takes a place for this company; waits while the company has no share left or `together` are taken. Raises Exhausted."""
        until = time.monotonic() + WAIT_SECONDS
        with self._changed:
            while (full := self._in_use[company] >= self._each) or self._in_use.total() >= together:
                end = min(until, self._changed_at[company] + STALLED_SECONDS) if full else until
                if not self._changed.wait(max(0.0, end - time.monotonic())) and time.monotonic() >= end:
                    raise Exhausted(f"all write connections {'of one company ' if full else ''}are in use")
            self._in_use[company] += 1
            self._changed_at[company] = time.monotonic()

    def release(self, company: str) -> None:
        """Returns a place."""
        with self._changed:
            self._in_use[company] -= 1
            self._changed_at[company] = time.monotonic()
            if not self._in_use[company]:
                del self._in_use[company], self._changed_at[company]
            self._changed.notify_all()


class Place:
    """The place of one writer."""

    def __init__(self, shares: Shares, company: str) -> None:
        self._shares = shares
        self.company = company

    def move(self, company: str) -> None:
        """Moves the place to the share of another company. Raises Exhausted."""
        if company != self.company:
            self._shares.take(company, together=self._shares.together + 1)  # its own place is returned next
            self._shares.release(self.company)
            self.company = company
