"""Shares of the connections for writing: a company whose writes stand still never holds them all, so others are served."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

WAIT_SECONDS = 5.0  # the longest a writer waits for a place
STALLED_SECONDS = 2.0  # a company that gave no place back for so long stands still: nobody waits for it


class Exhausted(Exception):
    """Every connection, or every place of a company, is in use, and was for a while."""


class Shares:
    """Places for writers: at most `each` for one company at a time."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._changed = threading.Condition()
        self._held: dict[str, int] = {}
        self._moved: dict[str, float] = {}  # when a place of the company was last taken or given back

    @contextmanager
    def place(self, company: str) -> Iterator[None]:
        """One place for a writer of this company. Raises Exhausted when none comes free, at once of a company that stands still."""
        with self._changed:
            self._wait(company)
            self._held[company] = self._held.get(company, 0) + 1
            self._moved[company] = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._held[company] -= 1
                self._moved[company] = time.monotonic()
                if not self._held[company]:
                    del self._held[company], self._moved[company]
                self._changed.notify_all()

    def _wait(self, company: str) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while self._held.get(company, 0) >= self._each:
            left = min(until, self._moved[company] + STALLED_SECONDS) - time.monotonic()
            if left <= 0:
                raise Exhausted(f"{self._each} writers of one company are at work and do not get on")
            self._changed.wait(left)
