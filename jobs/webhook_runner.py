"""Sends the deliveries of webhooks: claims what is due, sends it in threads of its own, stores the results together.

A slow receiver holds a few threads for seconds, never those of other receivers, of jobs or of requests. Each try ends
within a bounded time. A try whose process was killed is made again: the receiver tells repeats by the id.
"""

import logging
import math
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue

from channels.webhook_sender import Outcome, Sender
from core import timestamps
from core.errors import AppError, StoreUnavailable
from core.models import Actor
from services.webhooks import deliveries, secrets, subscriptions
from storage import Row, Storage

log = logging.getLogger("foyer.webhooks")

THREADS = 64  # deliveries that are sent at once
OF_COMPANY, OF_WEBHOOK = 24, 8  # of these threads
POLL_SECONDS = 1.0
STOP_SECONDS = 12.0  # a little longer than any try takes
LONGEST_PAUSE_SECONDS = 3600  # of a whole webhook, when its receiver asks for it


class WebhookRunner:
    """Sends what is due. `start` does it in the background, `run_due` in the caller's thread."""

    def __init__(self, storage: Callable[[], Storage], secret: Callable[[], str], sender: Sender) -> None:
        self._storage, self._secret, self._sender = storage, secret, sender
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._results: SimpleQueue[tuple[Row, Row, Outcome]] = SimpleQueue()  # delivery, webhook, outcome
        self._sending: dict[str, Row] = {}  # deliveries that are being sent or whose result is not stored, by id
        self._paused: dict[str, str] = {}  # webhook -> time until which its receiver wants nothing

    def start(self) -> None:
        """Starts the thread that claims."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._work, name="foyer-webhooks", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Waits until the current tries are over, STOP_SECONDS at most, and stores their results."""
        self._stopping.set()
        self._wake.set()
        if self._thread:
            self._thread.join(STOP_SECONDS)
            self._thread = None
        if self._pool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        self._sending.clear()

    def wake(self) -> None:
        """Says that there is something to send."""
        self._wake.set()

    def has_due(self) -> bool:
        """Whether a delivery is due."""
        with self._storage().unit_of_work(None) as uow:
            return bool(deliveries.due(uow))

    def run_due(self, *, until: float = math.inf) -> int:
        """Sends what is due, once, and returns how many deliveries that were. After `until`, a monotonic time, it begins none."""
        count = 0
        self._store_results()  # of an earlier run that lost the store
        while time.monotonic() < until and (claimed := self._claim()):
            count += claimed
            while self._sending:
                self._wake.wait(POLL_SECONDS)
                self._wake.clear()
                self._store_results()
        return count

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                busy = self._store_results() + self._claim()
            except StoreUnavailable:
                busy = 0  # logged by the store
            except Exception:
                log.exception("Webhooks could not be sent, and are tried again")
                busy = 0
            if not busy:
                self._wake.wait(POLL_SECONDS)
        until = time.monotonic() + STOP_SECONDS - 1
        while self._sending and time.monotonic() < until:
            self._wake.wait(0.05)
            self._wake.clear()
            try:
                self._store_results()
            except AppError:
                log.warning("Results of webhooks are lost with the store; they are sent again")
                return

    def _claim(self) -> int:
        """Starts as many due deliveries as there is room for, and returns their number."""
        storage = self._storage()
        with storage.unit_of_work(None) as uow:
            due = deliveries.due(uow)
        of_company = Counter(row["company_id"] for row in list(self._sending.values()))
        of_webhook = Counter(row["webhook_id"] for row in list(self._sending.values()))
        claimed: list[tuple[Row, Row]] = []
        # Those that have the fewest threads come first, so that many deliveries of one keep nobody waiting.
        for webhook in sorted(due, key=lambda row: of_webhook[row["id"]]):
            room = min(
                THREADS - len(self._sending) - len(claimed),
                OF_COMPANY - of_company[webhook["company_id"]],
                OF_WEBHOOK - of_webhook[webhook["id"]],
            )
            if room > 0 and self._paused.get(webhook["id"], "") <= storage.real_now():
                rows = self._claim_of(storage, webhook["id"], room)
                claimed += [(row, webhook) for row in rows]
                of_company[webhook["company_id"]] += len(rows)
        for delivery, webhook in claimed:
            self._begin(delivery, webhook)
        return len(claimed)

    def _claim_of(self, storage: Storage, webhook_id: str, limit: int) -> list[Row]:
        sending, lease = set(self._sending), not storage.exclusive
        with storage.unit_of_work(None, write=lease) as uow:
            return deliveries.claim(uow, webhook_id, limit=limit, sending=sending, lease=lease)

    def _begin(self, delivery: Row, webhook: Row) -> None:
        self._pool = self._pool or ThreadPoolExecutor(THREADS, thread_name_prefix="foyer-webhook")
        self._sending[delivery["id"]] = {name: delivery[name] for name in ("company_id", "webhook_id")}

        def done(future: "Future[Outcome]") -> None:
            error = None if future.cancelled() else future.exception()
            if error:
                log.error("A webhook could not be sent: %s", type(error).__name__)
            outcome = future.result() if not (future.cancelled() or error) else Outcome(0, "It could not be sent.")
            self._results.put((delivery, webhook, outcome))
            self._wake.set()

        self._pool.submit(self._send, delivery, webhook).add_done_callback(done)

    def _send(self, delivery: Row, webhook: Row) -> Outcome:
        body, now = delivery["body"], timestamps.now()
        real_now = self._storage().real_now()
        headers = secrets.headers(self._secret(), webhook, delivery["event_id"], body, now=now, real_now=real_now)
        return self._sender.post(webhook["url"], body.encode(), headers)

    def _store_results(self) -> int:
        """Stores the results that have arrived, those of a company in one transaction. Returns their number."""
        arrived: dict[str, list[tuple[Row, Row, Outcome]]] = defaultdict(list)
        try:
            while True:
                result = self._results.get_nowait()
                arrived[result[0]["company_id"]].append(result)
        except Empty:
            pass
        count = 0
        for company_id in list(arrived):
            try:
                self._store(company_id, arrived[company_id])
            except AppError:
                for result in (result for rest in arrived.values() for result in rest):
                    self._results.put(result)  # sent is sent: the result is stored when the store is back
                raise
            count += len(arrived.pop(company_id))
        return count

    def _store(self, company_id: str, results: list[tuple[Row, Row, Outcome]]) -> None:
        outcomes: Mapping[str, Outcome] = {delivery["id"]: outcome for delivery, _, outcome in results}
        with self._storage().unit_of_work(Actor.system(company_id), write=True) as uow:
            deliveries.finish(uow, outcomes)
            for webhook_id, url in {(webhook["id"], webhook["url"]) for _, webhook, one in results if one.gone}:
                subscriptions.receiver_is_gone(uow, webhook_id, url)
        for delivery, webhook, outcome in results:
            if outcome.status == 429 and outcome.retry_after:
                pause = min(outcome.retry_after, LONGEST_PAUSE_SECONDS)
                self._paused[webhook["id"]] = timestamps.later(self._storage().real_now(), seconds=pause)
            if not outcome.delivered:
                host = subscriptions.host_of(webhook)
                log.warning("The webhook %s (%s) was not delivered: %s", delivery["id"], host, outcome.error)
            self._sending.pop(delivery["id"], None)
