"""Which requests that write may run now. One thread is left to reads, so that none waits behind a queue of writes."""

from collections import deque
from typing import Generic, TypeVar

READS = ("GET", "HEAD", "OPTIONS")  # methods that change nothing (RFC 9110, 9.2.1)
FEWEST = 2  # writes at once: one may wait for a model, and another must not wait for that

C = TypeVar("C")


class WriteTurns(Generic[C]):
    """The connections with a request that writes. One thread uses it, so it needs no lock."""

    def __init__(self, threads: int) -> None:
        """With fewer than three threads none is left to reads."""
        self._most = max(FEWEST, threads - 1)
        self._running: set[C] = set()
        self._waiting: deque[C] = deque()

    def begin(self, connection: C) -> bool:
        """Whether it may run now; else it waits, and `end` hands it out in its turn."""
        if len(self._running) < self._most:
            self._running.add(connection)
            return True
        self._waiting.append(connection)
        return False

    def end(self, connection: C) -> C | None:
        """Notes that a request was answered, and returns the connection whose turn it is now."""
        if connection not in self._running:
            return None
        self._running.remove(connection)
        if not self._waiting:
            return None
        following = self._waiting.popleft()
        self._running.add(following)
        return following
