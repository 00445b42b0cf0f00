"""A cache of what one process read from its store. An entry is valid until one of its tables is written to."""

from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from sqlalchemy import Table

T = TypeVar("T")
MOST = 200  # things remembered at once; with pages of 50 tickets of common length about 15 MB


class ReadCache:
    """Values by key, each valid while the counts of writes to its tables have not changed.

    Only for a store that no other process writes to: `exclusive` False caches nothing.
    """

    def __init__(self, *, exclusive: bool) -> None:
        self._exclusive = exclusive
        self._writes: dict[str, int] = {}
        self._known: dict[Hashable, tuple[list[int], Any]] = {}

    def recall(self, tables: tuple[Table, ...], key: Hashable, load: Callable[[], T]) -> T:
        """The value cached under `key`, or what `load` reads from these tables now."""
        if not self._exclusive:
            return load()
        # Read before loading: a write that is committed meanwhile makes what was loaded worthless, not wrong.
        writes = [self._writes.get(table.name, 0) for table in tables]
        found = self._known.get((tables, key))
        if found is not None and found[0] == writes:
            value: T = found[1]
            return value
        value = load()
        if value is None:
            return value  # what is not there is asked for by strangers, who must not push out what is
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[(tables, key)] = (writes, value)
        return value

    def written(self, tables: Iterable[str]) -> None:
        """These tables were written to, and the writing is committed."""
        for table in tables:
            self._writes[table] = self._writes.get(table, 0) + 1
