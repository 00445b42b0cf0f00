"""Shares of the connections for writing: a company whose writes stand still never holds them all, so others are served."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

WAIT_SECONDS = 5.0  # the longest a writer waits for a place
STALLED_SECONDS = 2.0  # a company that gave no place back for so long stands still: nobody waits for it


class Exhausted(Exception):
    """Every place for writers, or every one of a company, is in use, and was for a while."""


class Shares:
    """Places for writers: so many together, and at most `each` for one company at a time."""

    def __init__(self, *, each: int, together: int) -> None:
        self._each, self.together = each, together
        self._changed = threading.Condition()
        self._held: Counter[str] = Counter()
        self._moved: dict[str, float] = {}  # when a place of the company was last taken or given back

    @contextmanager
    def place(self, company: str) -> Iterator["Place"]:
        """One place for a writer of this company. Raises Exhausted, at once for a company that stands still."""
        place = Place(self, company)
        self.take(company, together=self.together)
        try:
            yield place
        finally:
            self.give_back(place.company)

    def take(self, company: str, *, together: int) -> None:
        """Waits for a place of this company while `together` or more are taken in all. Raises Exhausted."""
        until = time.monotonic() + WAIT_SECONDS
        with self._changed:
            while (full := self._held[company] >= self._each) or self._held.total() >= together:
                end = min(until, self._moved[company] + STALLED_SECONDS) if full else until
                if not self._changed.wait(max(0.0, end - time.monotonic())) and time.monotonic() >= end:
                    whose = "of one company " if full else ""
                    raise Exhausted(f"the writers {whose}do not get on, and there is no place for another")
            self._held[company] += 1
            self._moved[company] = time.monotonic()

    def give_back(self, company: str) -> None:
        """Lets the next writer in."""
        with self._changed:
            self._held[company] -= 1
            self._moved[company] = time.monotonic()
            if not self._held[company]:
                del self._held[company], self._moved[company]
            self._changed.notify_all()


class Place:
    """What one writer holds."""

    def __init__(self, shares: Shares, company: str) -> None:
        self._shares = shares
        self.company = company

    def move(self, company: str) -> None:
        """Into the share of this company, which the writer only learnt now. Raises Exhausted."""
        if company != self.company:
            self._shares.take(company, together=self._shares.together + 1)  # its own is given back
            self._shares.give_back(self.company)
            self.company = company
