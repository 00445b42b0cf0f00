"""What one process remembers of its store until a table it came from is written to."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 200  # things remembered at once; with pages of 50 tickets of common length about 15 MB


class Memory:
    """Answers by key, each good for as long as its table's count of writes has not moved.

    Only for a store that no other process writes to: `exclusive` False remembers nothing.
    """

    def __init__(self, *, exclusive: bool) -> None:
        self._exclusive = exclusive
        self._writes: dict[str, int] = {}
        self._known: dict[Hashable, tuple[int, Any]] = {}

    def recall(self, table: str, key: Hashable, load: Callable[[], T]) -> T:
        """What is remembered under `key`, or what `load` reads now."""
        if not self._exclusive:
            return load()
        # Read before loading: a write that is committed meanwhile makes what was loaded worthless, not wrong.
        writes = self._writes.get(table, 0)
        found = self._known.get((table, key))
        if found is not None and found[0] == writes:
            value: T = found[1]
            return value
        value = load()
        if value is None:
            return value  # what is not there is asked for by strangers, who must not push out what is
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[(table, key)] = (writes, value)
        return value

    def written(self, tables: Iterable[str]) -> None:
        """These tables were written to, and the writing is committed."""
        for table in tables:
            self._writes[table] = self._writes.get(table, 0) + 1
