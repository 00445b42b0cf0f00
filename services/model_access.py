"""The model and what its prompts are made of, for one call. Also the limit of callers who wait for the model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def wait_slot(slots: Semaphore) -> Iterator[bool]:
    """Yields whether a slot was free. Such a slot is held until the block ends."""
    is_free = slots.acquire(blocking=False)
    try:
        yield is_free
    finally:
        if is_free:
            slots.release()


@dataclass(frozen=True, slots=True)
class ModelAccess:
    """The model and what its prompts are made of. `open_uow` opens units of work of one actor.

    `wait_slots` limits how many callers wait at once. `mails` says whether the server sends mail.
    """

    open_uow: OpenUnitOfWork
    model: Completes | None
    trained_models: TrainedModels
    knowledge: Knowledge
    past_tickets: PastTickets
    wait_slots: Semaphore
    mails: bool = False

    def ask(self, call: Callable[[Completes, float], tuple[T | None, str]], *, started: float) -> tuple[T | None, str]:
        """What the model gives, or None and the reason in plain words.

        `call` gets the model and the monotonic time by which it must end; `started` is when the caller began.
        """
        if self.model is None:
            return None, NO_MODEL
        with self.open_uow() as uow:
            refusal = ai_usage.refusal(uow)
        if refusal:
            return None, refusal
        with wait_slot(self.wait_slots) as is_free:
            return call(self.model, started + self.model.timeout_seconds) if is_free else (None, BUSY)
