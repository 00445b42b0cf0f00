"""An in-memory cache of query results, valid until one of their tables is written to."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from sqlalchemy import Table

T = TypeVar("T")
MAX_ENTRIES = 200  # about 15 MB with pages of 50 tickets of average length


class ReadCache:
    """Values by key. An entry is valid while the write counts of its tables have not changed.

    With `exclusive` False nothing is cached, because other processes may write to the store.
    """

    def __init__(self, *, exclusive: bool) -> None:
        self._exclusive = exclusive
        self._writes: dict[str, int] = {}
        self._entries: dict[Hashable, tuple[list[int], Any]] = {}

    def get_or_load(self, tables: tuple[Table, ...], key: Hashable, load: Callable[[], T]) -> T:
        """The value cached under `key`, or the result of `load`, which reads from `tables`."""
        if not self._exclusive:
            return load()
        # Read before loading: a concurrent write only makes the entry stale.
        writes = [self._writes.get(table.name, 0) for table in tables]
        entry = self._entries.get((tables, key))
        if entry is not None and entry[0] == writes:
            cached: T = entry[1]
            return cached
        value = load()
        if value is None:
            return value  # not cached: requests for unknown rows must not displace useful entries
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.clear()
        self._entries[(tables, key)] = (writes, value)
        return value

    def invalidate(self, tables: Iterable[str]) -> None:
        """Makes the entries of these tables stale. Call it after the commit."""
        for table in tables:
            self._writes[table] = self._writes.get(table, 0) + 1
