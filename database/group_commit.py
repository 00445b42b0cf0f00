"""Write transactions of several threads, committed together: one wait for the disk serves them all.

One thread at a time runs its statements. When others wait for their turn, the commit is left to the last of them.
Nobody gets an answer before the commit: neither a writer, nor a writer who was refused for what an earlier one wrote.
"""

import copy
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection

from core.errors import unavailable
from database.driver_statements import driver_of

MOST_MEMBERS = 32  # of one group: the first of them waits for the last
MOST_SECONDS = 0.05  # from the beginning of a group until no further writer joins


class _Group:
    """The members of one commit."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.begun = time.monotonic()
        self.members = 0
        self.touched: set[str] = set()
        self.committed = threading.Event()  # set after the commit, and after its failure
        self.error: BaseException | None = None


class GroupCommit:
    """Admits one writer at a time to the engine's write connection, and commits for several of them at once."""

    def __init__(
        self,
        *,
        connect: Callable[[], Connection],
        commit: Callable[[Connection], None],
        discard: Callable[[Connection], None],
    ) -> None:
        """`connect` returns a connection in a write transaction; `discard` rolls one back and closes it."""
        self._connect, self._commit, self._discard = connect, commit, discard
        self.on_commit: Callable[[set[str]], None] = lambda touched: None  # called with the names of written tables
        self._turn = threading.Lock()
        self._counting = threading.Lock()
        self._waiting = 0  # writers that wait for their turn
        self._group: _Group | None = None

    @contextmanager
    def member(self, touched: set[str]) -> Iterator[Connection]:
        """The write connection, for one writer. Its changes are on disk when the block has ended; else it raises.

        When the block raises, its changes are undone. The block adds the names of tables it writes to `touched`.
        """
        self._take_turn()
        try:
            group = self._group or self._begin()
        except BaseException:
            self._turn.release()
            raise
        is_first, own_error = not group.members, None
        try:
            if not is_first:
                driver_of(group.connection).execute("SAVEPOINT member")
            yield group.connection
            if not is_first:
                driver_of(group.connection).execute("RELEASE member")
            group.members += 1
            group.touched |= touched
        except BaseException as error:
            own_error = error
            self._undo(group, error, is_first=is_first)
        finally:
            self._end_turn()
        if own_error is None or not is_first:  # a refused first member has seen no uncommitted change
            group.committed.wait()
            if group.error and group.error is not own_error:
                raise _error_of_member(group.error)
        if own_error:
            raise own_error

    @contextmanager
    def paused(self) -> Iterator[None]:
        """No writer has a turn within the block, and no group is open."""
        with self._turn:
            self._close_group()
            yield

    def _take_turn(self) -> None:
        with self._counting:
            self._waiting += 1
        try:
            self._turn.acquire()
        finally:
            with self._counting:
                self._waiting -= 1

    def _end_turn(self) -> None:
        """Commits the group unless a waiting writer will join it; then lets the next writer have its turn."""
        try:
            group = self._group
            if group and (not self._waiting or group.members >= MOST_MEMBERS or _is_old(group)):
                self._close_group()
        finally:
            self._turn.release()

    def _begin(self) -> _Group:
        self._group = _Group(self._connect())
        return self._group

    def _undo(self, group: _Group, error: BaseException, *, is_first: bool) -> None:
        """Undoes the changes of one member, or of the whole group where SQLite has rolled back everything."""
        if not is_first and driver_of(group.connection).in_transaction:
            with suppress(sqlite3.Error):
                driver_of(group.connection).execute("ROLLBACK TO member")
                driver_of(group.connection).execute("RELEASE member")
                return
        self._fail(group, error)

    def _fail(self, group: _Group, error: BaseException) -> None:
        self._group, group.error = None, error
        try:
            self._discard(group.connection)
        finally:
            group.committed.set()

    def _close_group(self) -> None:
        """Commits the open group. Its members learn of a failure, not the caller."""
        group = self._group
        if group is None:
            return
        try:
            self._commit(group.connection)
        except BaseException as error:
            self._fail(group, error)
            if not isinstance(error, Exception):
                raise
        else:
            self._group = None
        finally:
            try:
                self.on_commit(group.touched)
            finally:
                group.committed.set()


def _is_old(group: _Group) -> bool:
    return time.monotonic() - group.begun > MOST_SECONDS


def _error_of_member(error: BaseException) -> Exception:
    """The error of a group for one of its members: an object of its own, because each thread adds its traceback."""
    if not isinstance(error, Exception):
        return unavailable("The server is stopping. Please try again shortly.")
    try:
        return copy.copy(error)
    except Exception:  # an error that cannot be copied
        return error
