"""The outbox: jobs are enqueued inside the caller's unit of work, claimed, run, backed off and given up here.

What a job does is jobs/handlers.py's business.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import and_

from core import timestamps
from core.errors import AppError, StoreUnavailable
from core.redaction import mask
from database.tables import jobs as table
from services.outbox import LONGEST_WAIT_SECONDS
from storage import Row, Storage, UnitOfWork

log = logging.getLogger("foyer.jobs")

# 5 s, 20 s, 80 s, 5 min, then every 10 minutes: an outage of an hour is bridged, one of a day is not.
DELAYS_SECONDS = (5, 20, 80, 300, 600, 600, 600, 600, 600, 600)
# A process gives a sign of life for the jobs it is at. Whoever sees the same sign for so long puts the job back: measured by
# the one that watches, so that neither a clock that differs nor a store that was away for a while lets anybody take it early.
SIGN_SECONDS = 3.0
SILENT_SECONDS = 15.0
POLL_SECONDS = 1.0
TIDY_SECONDS = 3600
FOLLOW_SECONDS = 3.0
STOP_SECONDS = 20
PAUSE_SECONDS = 0.2  # after a batch of log lines: requests go before their own notices
BATCH = {"mail": 50, "ai": 1, "upkeep": 1, "learn": 1}
THREADS = {"mail": 1, "ai": 3, "upkeep": 1, "learn": 1}


class PermanentFailure(Exception):
    """Trying again would not help."""


class Runner:
    """Runs jobs, each lane in threads of its own. `workers` says for each lane what is done with a job.

    `tidy` runs hourly in one process, `sync_models` every few seconds in each: what others did may concern it as well.
    """

    def __init__(
        self,
        storage: Callable[[], Storage],
        workers: Mapping[str, Callable[[Row], None]],
        *,
        tidy: Callable[[], None] = lambda: None,
        sync_models: Callable[[], None] = lambda: None,
    ) -> None:
        self._storage = storage
        self._workers = workers
        self._tidy = tidy
        self._sync_models = sync_models
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._threads: list[threading.Thread] = []
        self._watch = threading.Thread()
        self._at_hand: set[str] = set()  # what this process has claimed and not settled
        self._signed_at: float | None = None  # when that was last said in the store; None while nobody says it
        self._seen: dict[str, tuple[str, float]] = {}  # the last sign of each job of another process, and since when
        # What reached another machine is settled before the next is sent; what stays in this process may wait for the rest.
        self.settled_together: frozenset[str] = frozenset()

    def start(self) -> None:
        """Starts the threads."""
        if self._threads:
            return
        if self._storage().exclusive:
            self._take_back_orphans()
        self._stopping.clear()
        self._stopped.clear()
        self._watch = self._regularly("watching over the jobs", SIGN_SECONDS, self.watch, until=self._stopped)
        self._threads = [
            threading.Thread(target=self._work, args=(lane,), name=f"foyer-{lane}-{number}", daemon=True)
            for lane in self._workers
            for number in range(THREADS[lane])
        ]
        for thread in self._threads:
            thread.start()
        self._threads.append(self._regularly("tidying", TIDY_SECONDS, self._tidy_alone, until=self._stopping))
        self._threads.append(self._regularly("following", FOLLOW_SECONDS, self._sync_models, until=self._stopping))

    def stop(self) -> None:
        """Lets the jobs at hand finish."""
        self._stopping.set()
        self._wake.set()
        until = time.monotonic() + STOP_SECONDS  # of all together: hosts that ask politely do not wait for ever
        for thread in self._threads:
            thread.join(timeout=max(0.0, until - time.monotonic()))
        self._stopped.set()  # only now: what is at hand to the end needs its signs of life
        if self._threads:
            self._watch.join(timeout=1 + max(0.0, until - time.monotonic()))
        self._threads = []
        self._signed_at = None

    def wake(self) -> None:
        """Says that somebody waits for a job that was just committed."""
        self._wake.set()

    def run_due(self) -> int:
        """Runs the jobs that are due now, in the caller's thread; tells how many."""
        return sum(self._round(lane) for lane in self._workers)

    def _take_back_orphans(self) -> None:
        # Nobody else has this store: whatever runs there, no longer runs.
        with self._storage().unit_of_work(None, write=True) as uow:
            uow.update_where(table, table.c.state == "running", state="waiting", run_at=uow.real_now)

    def _regularly(
        self, what: str, seconds: float, work: Callable[[], None], *, until: threading.Event
    ) -> threading.Thread:
        def go_on() -> None:
            while True:
                try:
                    work()
                except StoreUnavailable:
                    pass  # logged by the store
                except AppError as error:
                    log.warning("%s failed and is tried again: %s", what.capitalize(), error)
                except Exception:
                    log.exception("%s failed and is tried again in %d s", what.capitalize(), seconds)
                if until.wait(seconds):
                    return

        thread = threading.Thread(target=go_on, name=f"foyer-{what.split()[0]}", daemon=True)
        thread.start()
        return thread

    def _tidy_alone(self) -> None:
        with self._storage().exclusive_task("tidy") as ours:
            if ours:
                self._tidy()

    def watch(self) -> None:
        """Gives a sign of life for the jobs at hand, and puts back those whose process gives none any more."""
        # What was seen is forgotten when the store fails: it is watched anew then.
        at_hand, seen, self._seen = set(self._at_hand), self._seen, {}
        with self._storage().unit_of_work(None) as uow:
            running = uow.find(uow.query(table, table.c.id, table.c.run_at).where(table.c.state == "running"))
            misdated = _misdated(uow, self._workers)
        now = time.monotonic()
        for job in running:
            sign, since = seen.get(job["id"], ("", now))
            self._seen[job["id"]] = (job["run_at"], since if sign == job["run_at"] else now)
        silent = [
            job for job in running if now - self._seen[job["id"]][1] >= SILENT_SECONDS and job["id"] not in at_hand
        ]
        if at_hand or silent or misdated:
            with self._storage().unit_of_work(None, write=True) as uow:
                uow.update_where(table, table.c.id.in_(at_hand), table.c.state == "running", run_at=uow.real_now)
                for job in silent:
                    same = (table.c.id == job["id"], table.c.run_at == job["run_at"], table.c.state == "running")
                    if uow.update_where(table, *same, state="waiting", run_at=uow.real_now):
                        log.warning("Job %s is taken up again: the process that was at it is gone", job["id"])
                if uow.update_where(table, table.c.id.in_(misdated), table.c.state == "waiting", run_at=uow.real_now):
                    log.warning("%d jobs were dated ahead of the clock and are due now", len(misdated))
        self._signed_at = now

    def _work(self, lane: str) -> None:
        while not self._stopping.is_set():
            try:
                done = self._round(lane)
            except StoreUnavailable:
                done = 0  # logged by the store
            except Exception:
                log.exception("The %s lane could not look for jobs", lane)
                done = 0
            if not done:
                self._wake.wait(POLL_SECONDS)
                if not self._stopping.is_set():  # a stop is for every thread to see
                    self._wake.clear()
            elif lane in self.settled_together:
                self._stopping.wait(PAUSE_SECONDS)

    def _round(self, lane: str) -> int:
        with self._storage().unit_of_work(None) as uow:
            if not uow.first(uow.query(table, table.c.id).where(_is_due(lane, uow.real_now))):
                return 0
        with self._storage().unit_of_work(None, write=True) as uow:
            taken = uow.claim(lane, limit=BATCH[lane])
        ids = {job["id"] for job in taken}
        self._at_hand |= ids
        try:
            self._do(taken)
        finally:
            self._at_hand -= ids
        return len(taken)

    def _do(self, taken: Sequence[Row]) -> None:
        began, outcomes = time.monotonic(), []
        for place, job in enumerate(taken):
            if self._stopping.is_set():
                self._hand_back(taken[place:])
                break
            if self._was_silent(began):
                log.warning("This process stood still: %d jobs are left to whoever took them", len(taken) - place)
                break
            outcomes.append((job, self._run(job)))
            if job["lane"] not in self.settled_together:
                self._settle(outcomes)
                outcomes = []
        self._settle(outcomes)

    def _was_silent(self, began: float) -> bool:
        """Whether others may hold us for dead by now."""
        return self._signed_at is not None and time.monotonic() - max(self._signed_at, began) > SILENT_SECONDS / 2

    def _hand_back(self, untouched: Sequence[Row]) -> None:
        """Jobs that were taken and not begun when the server stops are there for the next one."""
        with self._storage().unit_of_work(None, write=True) as uow:
            ids = [job["id"] for job in untouched]
            uow.update_where(
                table, table.c.id.in_(ids), table.c.state == "running", state="waiting", run_at=uow.real_now
            )

    def _run(self, job: Row) -> Exception | None:
        try:
            self._workers[job["lane"]](job)
        except Exception as error:
            return error
        return None

    def _settle(self, outcomes: Sequence[tuple[Row, Exception | None]]) -> None:
        """Puts down what became of jobs. What was sent is not to be sent again because the store was away for a moment."""
        while outcomes:
            try:
                self._put_down(outcomes)
                break
            except AppError:
                if self._stopping.wait(POLL_SECONDS):
                    raise

    def _put_down(self, outcomes: Sequence[tuple[Row, Exception | None]]) -> None:
        with self._storage().unit_of_work(None, write=True) as uow:
            done = [job["id"] for job, error in outcomes if error is None]
            # What a job was made of may be a customer's words: they are kept no longer than they are needed.
            uow.update_where(table, table.c.id.in_(done), state="done", run_at=uow.real_now, last_error="", payload={})
            for job, error in outcomes:
                if error is not None:
                    uow.update(table, job["id"], _after_failure(job, error, uow.real_now))


def _misdated(uow: UnitOfWork, lanes: Iterable[str]) -> list[str]:
    """The waiting jobs, by id, that are dated further ahead than any job is put off: the clock was ahead then."""
    latest = timestamps.later(uow.real_now, seconds=LONGEST_WAIT_SECONDS)
    ahead = (table.c.state == "waiting", table.c.lane.in_(list(lanes)), table.c.run_at > latest)
    return [job["id"] for job in uow.find(uow.query(table, table.c.id).where(*ahead))]


def _is_due(lane: str, now: str) -> Any:
    return and_(table.c.state == "waiting", table.c.lane == lane, table.c.run_at <= now)


def is_last_try(job: Row) -> bool:
    """Whether a job that fails now is not tried again."""
    return bool(job["attempts"] > len(DELAYS_SECONDS))


def _after_failure(job: Row, error: Exception, now: str) -> Row:
    ours = isinstance(error, AppError | PermanentFailure)
    reason = mask(str(error) if ours else f"{type(error).__name__}: {error}")[:500]
    tries = job["attempts"]
    if isinstance(error, PermanentFailure) or is_last_try(job):
        log.error("Job %s (%s) is given up after %d tries: %s", job["id"], job["kind"], tries, reason)
        return {"state": "dead", "last_error": reason}
    delay = DELAYS_SECONDS[tries - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - spreads retries, keeps no secret
    log.warning("Job %s (%s) failed and is tried again in %d s: %s", job["id"], job["kind"], delay, reason)
    return {"state": "waiting", "run_at": timestamps.later(now, seconds=delay), "last_error": reason}
