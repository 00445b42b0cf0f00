"""Store failures: callers get 503; the log has one line when the database goes away and one when it is back.

Wrong statements and values are no failures of the store (database/errors.py): callers get 500, and jobs fail.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from core.errors import StoreUnavailable
from database.errors import is_fault
from database.sqlite_engine import SqliteFile, error_message

if TYPE_CHECKING:
    from database.postgres_engine import Postgres

log = logging.getLogger("foyer.storage")

SETTLED_SECONDS = 1.0  # a server that shuts down still answers on some connections


class Outages:
    """Watches over the units of work of one store."""

    def __init__(self, engine: "SqliteFile | Postgres") -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._since: float | None = None  # when the database went away; None while it is there
        self._failed = 0.0  # when it was away last

    @contextmanager
    def watched(self, *more: type[Exception]) -> Iterator[None]:
        """Turns what the engine (or `more`) raises into StoreUnavailable, and logs it.

        A broken constraint, and a wrong statement or value, are raised on: trying again would not help.
        """
        try:
            yield
        except IntegrityError:
            raise
        except (*self._engine.failures, *more) as error:
            if is_fault(error):
                raise
            self._log(error)
            raise StoreUnavailable from error
        if self._since is not None:
            self._end()

    def _log(self, error: Exception) -> None:
        reason = " ".join(error_message(error).split())
        if not self._engine.is_away(error):
            log.error("The data store failed: %s", reason)
            return
        with self._lock:
            began, self._failed = self._since is None, time.monotonic()
            self._since = self._since or self._failed
        if began:
            log.error("%s is away. No more is logged until it is back: %s", self._engine.place, reason)

    def _end(self) -> None:
        with self._lock:
            if self._since is None or time.monotonic() - self._failed < SETTLED_SECONDS:
                return
            since, self._since = self._since, None
        log.warning("%s is back after %d s", self._engine.place, time.monotonic() - since)
