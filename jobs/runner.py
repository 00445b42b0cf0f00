"""The job runner: claims due jobs, runs them, records the results and retries failed jobs.

Services enqueue the jobs (services/outbox.py). jobs/handlers.py defines what each kind of job does.
"""

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_

from core import timestamps
from core.errors import AppError, StoreUnavailable
from core.models import Actor
from core.redaction import mask
from database.tables import jobs as table
from services.outbox import LONGEST_WAIT_SECONDS
from storage import Row, Storage, UnitOfWork

log = logging.getLogger("foyer.jobs")

# 5 s, 20 s, 80 s, 5 min, then every 10 minutes: retries outlast an outage of an hour, but not one of a day.
DELAYS_SECONDS = (5, 20, 80, 300, 600, 600, 600, 600, 600, 600)
# Each process updates `run_at` of its running jobs: that is their heartbeat. Another process takes a job over when it has
# seen the same heartbeat for HEARTBEAT_TIMEOUT_SECONDS. It measures that time with its own monotonic clock. So neither a
# wrong clock nor an outage of the store causes an early takeover.
HEARTBEAT_SECONDS = 3.0
HEARTBEAT_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 1.0
STOP_SECONDS = 20
BATCH = {
    "mail": 50,
    "ai": 1,
    "alerts": 10,
    "upkeep": 1,
    "learn": 1,
    "sla": 1,
    "routing": 1,
    "incidents": 1,
    "inbound": 5,
    "files": 10,
    "transfers": 1,
}
THREADS = dict.fromkeys(BATCH, 1) | {"ai": 3}


class PermanentFailure(Exception):
    """A retry would not help."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that is repeated every `seconds`, in each process or, with `in_one_process`, in one of them at a time."""

    name: str
    seconds: float
    work: Callable[[], None]
    in_one_process: bool = False


def alone(what: str, work: Callable[[], None]) -> None:
    """Does one part of a periodic work. Its failure is logged and stops no other part. Raises StoreUnavailable."""
    try:
        work()
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("%s could not be followed", what)


def in_batches(storage: Storage, actor: Actor, do_some: Callable[[UnitOfWork], object]) -> None:
    """Calls `do_some`, each time in its own unit of work, until it returns a false value: nothing is left to do."""
    more = True
    while more:
        with storage.unit_of_work(actor, write=True) as uow:
            more = bool(do_some(uow))


class Runner:
    """Runs jobs and periodic work. Each queue has its own threads, and `workers` holds one function per queue."""

    def __init__(
        self,
        storage: Callable[[], Storage],
        workers: Mapping[str, Callable[[Row], None]],
        periodic: Sequence[Periodic] = (),
    ) -> None:
        self.periodic = periodic
        self.on_wake: Callable[[], None] = lambda: None  # also called by `wake`
        self._storage = storage
        self._workers = workers
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._threads: list[threading.Thread] = []
        self._heartbeat_thread = threading.Thread()
        self._claimed_ids: set[str] = set()  # jobs that this process has claimed and not finished
        self._last_heartbeat: float | None = None  # monotonic time of it; None while no heartbeat thread runs
        # For each running job: its last heartbeat, and the monotonic time at which this process first saw it.
        self._heartbeats: dict[str, tuple[str, float]] = {}

    def start(self) -> None:
        """Starts the threads."""
        if self._threads:
            return
        if self._storage().exclusive:
            self._release_orphans()
        self._stopping.clear()
        self._stopped.clear()
        self._heartbeat_thread = self._start_heartbeats()
        self._threads = [
            threading.Thread(target=self._work, args=(queue,), name=f"foyer-{queue}-{number}", daemon=True)
            for queue in self._workers
            for number in range(THREADS[queue])
        ]
        for thread in self._threads:
            thread.start()
        for task in self.periodic:
            self._threads.append(self._start_periodic(task, until=self._stopping))

    def stop(self) -> None:
        """Waits until the running jobs are finished, STOP_SECONDS at most, and ends the threads."""
        self._stopping.set()
        self._wake.set()
        # For all threads together: the host kills a process that stops slowly.
        deadline = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))
        self._stopped.set()  # only now: running jobs need heartbeats until they are finished
        if self._threads:
            self._heartbeat_thread.join(timeout=1 + max(0.0, deadline - time.monotonic()))
        self._threads = []
        self._last_heartbeat = None

    def wake(self) -> None:
        """Tells the threads that a job was just committed."""
        self._wake.set()
        self.on_wake()

    def run_due(self, *, until: float = math.inf) -> int:
        """Runs a batch of due jobs of each queue in the caller's thread and returns their number.

        After `until`, a monotonic time, no job is begun.
        """
        return sum(self._run_batch(queue, until) for queue in self._workers if time.monotonic() < until)

    def has_due(self) -> bool:
        """Whether a job is due."""
        with self._storage().unit_of_work(None) as uow:
            due = (table.c.state == "waiting", table.c.run_at <= uow.real_now)
            return uow.first(uow.query(table, table.c.id).where(*due)) is not None

    @contextmanager
    def heartbeats(self) -> Iterator[None]:
        """Sends heartbeats while the block runs, for a caller of `run_due`."""
        self._stopped.clear()
        thread = self._start_heartbeats()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()
            self._last_heartbeat = None

    def running_elsewhere(self) -> dict[str, str]:
        """The jobs that other processes have claimed, each with its last heartbeat."""
        with self._storage().unit_of_work(None) as uow:
            rows = uow.find(uow.query(table, table.c.id, table.c.run_at).where(table.c.state == "running"))
        return {row["id"]: row["run_at"] for row in rows if row["id"] not in self._claimed_ids}

    def do(self, task: Periodic) -> None:
        """Does a periodic work once. Its failure is logged, because it is repeated anyway."""
        try:
            if task.in_one_process:
                self._run_in_one_process(task)
            else:
                task.work()
        except StoreUnavailable:
            pass  # logged by the store
        except AppError as error:
            log.warning("%s failed and is tried again: %s", task.name.capitalize(), error)
        except Exception:
            log.exception("%s failed and is tried again in %d s", task.name.capitalize(), task.seconds)

    def _release_orphans(self) -> None:
        # No other process uses this store, so jobs in state running belong to a process that ended.
        with self._storage().unit_of_work(None, write=True) as uow:
            uow.update_where(table, table.c.state == "running", state="waiting", run_at=uow.real_now)

    def _start_heartbeats(self) -> threading.Thread:
        return self._start_periodic(
            Periodic("heartbeat", HEARTBEAT_SECONDS, self.check_heartbeats), until=self._stopped
        )

    def _start_periodic(self, task: Periodic, *, until: threading.Event) -> threading.Thread:
        def repeat() -> None:
            while True:
                self.do(task)
                if until.wait(task.seconds):
                    return

        thread = threading.Thread(target=repeat, name=f"foyer-{task.name.replace(' ', '-')}", daemon=True)
        thread.start()
        return thread

    def _run_in_one_process(self, task: Periodic) -> None:
        with self._storage().exclusive_task(task.name) as acquired:
            if acquired:
                task.work()

    def check_heartbeats(self) -> None:
        """Sends the heartbeat of this process's jobs and makes jobs without heartbeat due again."""
        # The heartbeats are cleared first: after a failure of the store they are measured anew.
        claimed_ids, earlier, self._heartbeats = set(self._claimed_ids), self._heartbeats, {}
        with self._storage().unit_of_work(None) as uow:
            running = uow.find(uow.query(table, table.c.id, table.c.run_at).where(table.c.state == "running"))
            misdated_ids = _misdated_ids(uow, self._workers)
        now = time.monotonic()
        for job in running:
            heartbeat, since = earlier.get(job["id"], ("", now))
            self._heartbeats[job["id"]] = (job["run_at"], since if heartbeat == job["run_at"] else now)
        orphans = [
            job
            for job in running
            if now - self._heartbeats[job["id"]][1] >= HEARTBEAT_TIMEOUT_SECONDS and job["id"] not in claimed_ids
        ]
        if claimed_ids or orphans or misdated_ids:
            with self._storage().unit_of_work(None, write=True) as uow:
                uow.update_where(table, table.c.id.in_(claimed_ids), table.c.state == "running", run_at=uow.real_now)
                for job in orphans:
                    unchanged = (table.c.id == job["id"], table.c.run_at == job["run_at"], table.c.state == "running")
                    if uow.update_where(table, *unchanged, state="waiting", run_at=uow.real_now):
                        log.warning("Job %s is due again: the process that ran it sends no heartbeat", job["id"])
                misdated = (table.c.id.in_(misdated_ids), table.c.state == "waiting")
                if uow.update_where(table, *misdated, run_at=uow.real_now):
                    log.warning("%d jobs were dated ahead of the clock and are due now", len(misdated_ids))
        self._last_heartbeat = now

    def _work(self, queue: str) -> None:
        while not self._stopping.is_set():
            try:
                count = self._run_batch(queue, math.inf)
            except StoreUnavailable:
                count = 0  # logged by the store
            except Exception:
                log.exception("The jobs of the queue %s could not be read", queue)
                count = 0
            if not count:
                self._wake.wait(POLL_SECONDS)
                if not self._stopping.is_set():  # while stopping the event stays set, for every thread
                    self._wake.clear()

    def _run_batch(self, queue: str, until: float) -> int:
        with self._storage().unit_of_work(None) as uow:
            if not uow.first(uow.query(table, table.c.id).where(_is_due(queue, uow.real_now))):
                return 0
        with self._storage().unit_of_work(None, write=True) as uow:
            batch = uow.claim(queue, limit=BATCH[queue])
        ids = {job["id"] for job in batch}
        self._claimed_ids |= ids
        try:
            self._run_jobs(batch, until)
        finally:
            self._claimed_ids -= ids
        return len(batch)

    def _run_jobs(self, batch: Sequence[Row], until: float) -> None:
        started = time.monotonic()
        for position, job in enumerate(batch):
            if self._stopping.is_set() or time.monotonic() >= until:
                self._release(batch[position:])
                break
            if self._missed_heartbeats(started):
                log.warning("This process was suspended: %d jobs are left to other processes", len(batch) - position)
                break
            # After each job: what has reached another machine must not run twice.
            self._record_result(job, self._run(job))

    def _missed_heartbeats(self, started: float) -> bool:
        """Whether other processes may take this process for ended by now."""
        last = self._last_heartbeat
        return last is not None and time.monotonic() - max(last, started) > HEARTBEAT_TIMEOUT_SECONDS / 2

    def _release(self, jobs: Sequence[Row]) -> None:
        """Makes claimed jobs that were not started due again, when the server stops or a run ends."""
        with self._storage().unit_of_work(None, write=True) as uow:
            ids = [job["id"] for job in jobs]
            uow.update_where(
                table, table.c.id.in_(ids), table.c.state == "running", state="waiting", run_at=uow.real_now
            )

    def _run(self, job: Row) -> Exception | None:
        try:
            self._workers[job["lane"]](job)
        except Exception as error:
            return error
        return None

    def _record_result(self, job: Row, error: Exception | None) -> None:
        """Stores the result of a job. Repeats that while the store fails, because a sent mail must not be sent again."""
        while True:
            try:
                self._write_result(job, error)
                break
            except AppError:
                if self._stopping.wait(POLL_SECONDS):
                    raise

    def _write_result(self, job: Row, error: Exception | None) -> None:
        with self._storage().unit_of_work(None, write=True) as uow:
            # The payload may hold a customer's texts. They are deleted as soon as the job is done.
            done = {"state": "done", "run_at": uow.real_now, "last_error": "", "payload": {}}
            uow.update(table, job["id"], _after_failure(job, error, uow.real_now) if error else done)


def _misdated_ids(uow: UnitOfWork, queues: Iterable[str]) -> list[str]:
    """Ids of waiting jobs dated beyond the longest delay: they were written while the clock was ahead."""
    latest = timestamps.later(uow.real_now, seconds=LONGEST_WAIT_SECONDS)
    misdated = (table.c.state == "waiting", table.c.lane.in_(list(queues)), table.c.run_at > latest)
    return [job["id"] for job in uow.find(uow.query(table, table.c.id).where(*misdated))]


def _is_due(queue: str, now: str) -> Any:
    return and_(table.c.state == "waiting", table.c.lane == queue, table.c.run_at <= now)


def is_last_try(job: Row) -> bool:
    """Whether the job is not retried if it fails now."""
    return bool(job["attempts"] > len(DELAYS_SECONDS))


def _after_failure(job: Row, error: Exception, now: str) -> Row:
    """The fields of a job after a failed try: due later, or failed for good."""
    expected = isinstance(error, AppError | PermanentFailure)
    reason = mask(str(error) if expected else f"{type(error).__name__}: {error}")[:500]
    attempts = job["attempts"]
    if isinstance(error, PermanentFailure) or is_last_try(job):
        log.error("Job %s (%s) failed for good after %d tries: %s", job["id"], job["kind"], attempts, reason)
        return {"state": "dead", "last_error": reason}
    delay = DELAYS_SECONDS[attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, keeps no secret
    log.warning("Job %s (%s) failed and is tried again in %d s: %s", job["id"], job["kind"], delay, reason)
    return {"state": "waiting", "run_at": timestamps.later(now, seconds=delay), "last_error": reason}
