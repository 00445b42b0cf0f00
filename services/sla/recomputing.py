"""The job that recomputes the agreed times of a company's open tickets after its settings changed."""

from services import outbox
from storage import UnitOfWork

QUEUE, RECOMPUTE = "sla", "recompute"
BATCH = 100  # tickets per unit of work, so that other writers do not wait long


def enqueue(uow: UnitOfWork) -> None:
    """Enqueues the job unless one waits already, which will read the settings as they are then."""
    if not outbox.waiting_ids(uow, QUEUE, RECOMPUTE):
        outbox.enqueue(uow, [outbox.Job(QUEUE, RECOMPUTE)])
