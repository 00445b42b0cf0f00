"""Jobs of routing: automatic assignment and escalation, which repeat, and the tickets of an agent who left."""

from collections.abc import Callable
from functools import partial

from core import timestamps
from core.models import Actor
from jobs.runner import alone, in_batches
from services.routing import assignment, departures, escalation
from storage import Row, Storage

MOST_ROUNDS = 20  # of one company in one turn, so that others follow soon
BACK_SECONDS = 60  # a clock set back by more may have dated tickets that wait


def assign_waiting(storage: Storage) -> None:
    """Assigns what waits in the queues of teams with automatic assignment."""
    with storage.unit_of_work(None) as uow:
        company_ids = assignment.company_ids(uow)
    for company_id in company_ids:
        alone("The automatic assignment of a company", partial(_assign, storage, Actor.system(company_id)))


def _assign(storage: Storage, actor: Actor) -> None:
    with storage.unit_of_work(actor) as uow:
        more = assignment.is_possible(uow)
    for _ in range(MOST_ROUNDS):
        if not more:
            return
        with storage.unit_of_work(actor, write=True) as uow:
            more = assignment.assign_some(uow)


class Escalation:
    """Escalates what nobody took in time. After the clock went back, tickets do not wait for a time that is still to come."""

    def __init__(self, storage: Callable[[], Storage]) -> None:
        self._storage = storage
        self._latest = ""

    def __call__(self) -> None:
        storage = self._storage()
        now = storage.real_now()
        if not self._latest or timestamps.seconds_between(now, self._latest) > BACK_SECONDS:
            with storage.unit_of_work(None) as uow:
                ahead = escalation.companies_ahead(uow)
            for company_id in ahead:
                alone(
                    "The queues of a company",
                    partial(in_batches, storage, Actor.system(company_id), escalation.correct_clock),
                )
        self._latest = now
        with storage.unit_of_work(None) as uow:
            company_ids = escalation.company_ids(uow)
        for company_id in company_ids:
            alone("The escalation of a company", partial(_escalate, storage, Actor.system(company_id)))


def _escalate(storage: Storage, actor: Actor) -> None:
    for _ in range(MOST_ROUNDS):
        with storage.unit_of_work(actor) as uow:
            ticket_ids = escalation.due(uow)
        if not ticket_ids:
            return
        with storage.unit_of_work(actor, write=True) as uow:
            escalation.escalate(uow, ticket_ids)


def return_tickets(storage: Storage, job: Row) -> None:
    """Moves the open tickets of an agent who left, in batches. Done twice, it finds none left."""
    agent, to = job["payload"]["agent"], job["payload"]["to"]
    in_batches(storage, Actor.system(job["company_id"]), lambda uow: departures.move_some(uow, agent, to))
