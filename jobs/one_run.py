"""One run of everything that is due, which then ends: for hosts that run code only while they are called (AWS Lambda).

It works in the caller's thread. Any number of runs may overlap: jobs are claimed, and periodic work has one process at a time.
"""

import logging
import time

from jobs.runner import POLL_SECONDS, Periodic, Runner
from jobs.webhook_runner import WebhookRunner

log = logging.getLogger("foyer.jobs")


class OneRun:
    """The runs of one process. It remembers when it did each periodic work, by the real clock, since it may be suspended."""

    def __init__(self, runner: Runner, webhooks: WebhookRunner) -> None:
        self._runner, self._webhooks = runner, webhooks
        self._done_at: dict[str, float] = {}

    def __call__(self, *, seconds: float, periodic: bool = True) -> int:
        """Runs what is due until nothing is left. After `seconds` it begins nothing more. Returns the number of jobs.

        Raises AppError 503.
        """
        until = time.monotonic() + seconds
        with self._runner.heartbeats():
            unconfirmed = self._runner.running_elsewhere()  # until their process sends another heartbeat
            if periodic:
                self._do_periodic(until)
            count = self._run_due(until)
            # A live process sends the next heartbeat within seconds. Jobs of an ended one become due, and are run here.
            while unconfirmed and time.monotonic() < until:
                time.sleep(POLL_SECONDS)
                running = self._runner.running_elsewhere()
                unconfirmed = {
                    job_id: heartbeat for job_id, heartbeat in unconfirmed.items() if running.get(job_id) == heartbeat
                }
                count += self._run_due(until)
        self.sync_memory()
        if time.monotonic() >= until and self.has_due():
            log.warning("The time of this run was used up; the next one goes on")
        return count

    def has_due(self) -> bool:
        """Whether a job or a delivery is due. Raises AppError 503."""
        return self._runner.has_due() or self._webhooks.has_due()

    def sync_memory(self) -> None:
        """Does the periodic work of each process: it stores what was noted in memory and reads what others stored."""
        for task in self._runner.periodic:
            if not task.in_one_process:
                self._runner.do(task)

    def _do_periodic(self, until: float) -> None:
        for task in self._runner.periodic:
            if task.in_one_process and self._is_due(task) and time.monotonic() < until:
                self._done_at[task.name] = time.time()
                self._runner.do(task)

    def _is_due(self, task: Periodic) -> bool:
        return abs(time.time() - self._done_at.get(task.name, 0.0)) >= task.seconds

    def _run_due(self, until: float) -> int:
        total = 0
        while time.monotonic() < until:
            count = self._runner.run_due(until=until) + self._webhooks.run_due(until=until)
            if not count:
                break
            total += count
        return total
