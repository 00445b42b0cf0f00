"""Which customers poll their conversation. Polls are noted in memory and written together, so that polling stays cheap."""

import threading
import time

from core.models import Actor
from database.tables import conversations as table
from storage import Storage

STEP_SECONDS = 20.0  # how exact the time of the last poll is


class Presence:
    """Polls of customers in one process since the last `flush`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, set[str]] = {}  # company -> tickets
        self._noted: dict[str, float] = {}  # ticket -> monotonic time

    def note(self, company_id: str, ticket_id: str) -> None:
        """A customer asked for the messages of this conversation."""
        now = time.monotonic()
        with self._lock:
            if now - self._noted.get(ticket_id, -STEP_SECONDS) >= STEP_SECONDS:
                self._noted[ticket_id] = now
                self._waiting.setdefault(company_id, set()).add(ticket_id)

    def flush(self, storage: Storage) -> None:
        """Writes the time into the conversations that were polled. Raises AppError 503; what is not written then is lost."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            oldest = time.monotonic() - STEP_SECONDS
            self._noted = {ticket: noted for ticket, noted in self._noted.items() if noted >= oldest}
        for company_id, ticket_ids in waiting.items():
            with storage.unit_of_work(Actor.system(company_id), write=True) as uow:
                uow.update_where(table, table.c.ticket_id.in_(ticket_ids), seen_at=uow.real_now)
