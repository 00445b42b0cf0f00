"""The parts of the server that the copilot uses. It asks the model if settings and budget allow it and a wait slot is free."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Semaphore
from typing import TypeVar

from ai.model_call import Completes
from ai.ticket_data import NO_MODEL
from services import ai_usage
from services.copilot.past_tickets import PastTickets
from services.knowledge.search import Knowledge
from services.triage.trained_models import TrainedModels
from storage import OpenUnitOfWork

BUSY = "the model was busy with other tickets"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the running server for one call. `open_uow` opens a unit of work of the caller."""

    open_uow: OpenUnitOfWork
    model: Completes | None
    trained_models: TrainedModels
    knowledge: Knowledge
    past_tickets: PastTickets
    wait_slots: Semaphore  # how many callers may wait for the model at once

    def ask(self, call: Callable[[Completes, float], tuple[T | None, str]], *, started: float) -> tuple[T | None, str]:
        """What the model gives, or None and the reason in plain words.

        `call` gets the model and the monotonic time by which it must end; `started` is when the caller began.
        """
        if self.model is None:
            return None, NO_MODEL
        if refusal := self._refusal():
            return None, refusal
        if not self.wait_slots.acquire(blocking=False):
            return None, BUSY
        try:
            return call(self.model, started + self.model.timeout_seconds)
        finally:
            self.wait_slots.release()

    def _refusal(self) -> str:
        with self.open_uow() as uow:
            return ai_usage.refusal(uow)
