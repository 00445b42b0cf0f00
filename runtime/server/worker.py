"""gunicorn's threaded worker, except that a thread takes a request only when all of it has arrived.

Slow clients wait in the worker's loop: while they send, while they read, and until they close. Requests that write wait there
for their turn. Over TLS spoken by gunicorn itself it is the plain threaded worker.
"""

import errno
import resource
import selectors
import socket
import time
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

from runtime.server import refusals
from runtime.server.outlet import Outlet
from runtime.server.request_intake import Intake
from runtime.server.write_turns import WriteTurns

PIECE = 64 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LARGE_AT_ONCE = 8  # bodies over 1 MiB that are kept on disk at the same time
LINGER_SECONDS = 2.0  # how long a closed connection may go on sending
SWEEP_SECONDS = 0.25
FILES_PER_CONNECTION = 3  # its socket, its body, its answer
OTHER_FILES = 200  # of the process: the store, its journal, a connection for each thread


class Connection(TConn):  # type: ignore[misc]
    """A client's connection. `intake` is what it is sending; without one a thread or a timer has the connection."""

    def __init__(self, worker: "ServerWorker", sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(worker.cfg, Outlet(sock), client, server)
        self.worker = worker
        self.initialized = True  # there is no handshake
        self.requests = 0
        self.intake: Intake | None = None
        self.rest = b""  # what arrived behind the request at hand
        self.deadline = 0.0

    def close(self, graceful: bool = False) -> None:
        """Closes at once, or lets the client read the answer first."""
        self.sock.forget()
        if self.parser is not None:
            self.parser.unreader.close()
        if graceful:
            self.worker.linger(self)
        else:
            util.close(self.sock)


class ServerWorker(ThreadWorker):  # type: ignore[misc]
    """The worker class of gunicorn.conf.py. Everything but `_keepalive_after` runs in the loop, in one thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: set[Connection] = set()
        self._large: set[Connection] = set()
        self._next_sweep = 0.0
        self._writes: WriteTurns[Connection] = WriteTurns(self.cfg.threads)

    def init_process(self) -> None:
        """Runs the worker until it is told to stop."""
        util.write_error = refusals.write_error
        self.worker_connections = _connections(self.cfg.worker_connections)
        self.max_keepalived = self.worker_connections - self.cfg.threads
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Takes a new connection. It costs no thread."""
        if self.cfg.is_ssl:
            super().accept(listener)
            return
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED):
                raise
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self, sock, client, listener.getsockname()))

    def enqueue_req(self, conn: Any) -> None:
        """Receives the next request of a connection, then hands it to a thread."""
        if not isinstance(conn, Connection):
            super().enqueue_req(conn)
            return
        conn.requests += 1
        conn.intake = Intake(self.cfg, conn.client, conn.requests)
        rest, conn.rest = conn.rest, b""
        if rest:
            self._take_in(conn, conn.intake, rest)
        else:
            self._receive(conn)

    def finish_request(self, conn: Any, future: "Future[Any]") -> None:
        """Sends what is left of the answer, then keeps or closes the connection. The next write may run."""
        self._large.discard(conn)
        following = self._writes.end(conn)
        if following is not None:
            super().enqueue_req(following)
        if isinstance(conn, Connection) and conn.sock.unsent:
            self._wait(conn, selectors.EVENT_WRITE, partial(self._send, future=future), conn.sock.deadline)
        else:
            super().finish_request(conn, future)

    def murder_pending(self) -> None:
        """Ends what has waited for its client too long. gunicorn's loop calls it after every turn."""
        super().murder_pending()
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_SECONDS
        for conn in [conn for conn in self._waiting if conn.deadline <= now]:
            if conn.intake is not None and conn.intake.has_started:
                self._refuse(conn, 408)
            else:
                self._drop(conn)

    def linger(self, conn: Connection) -> None:
        """Closes our side and waits a moment for the client's, or it might lose the answer it is reading."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            util.close(conn.sock)
            return
        self.nr_conns += 1
        self._wait(conn, selectors.EVENT_READ, self._discard, time.monotonic() + LINGER_SECONDS)

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        for conn in self._waiting:
            if conn.intake is not None and not conn.intake.has_started:
                conn.deadline = min(conn.deadline, deadline)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        keep_alive = bool(super()._keepalive_after(conn, keepalive))
        if not isinstance(conn, Connection):
            return keep_alive
        if conn.parser.unreader.read():
            return False  # gunicorn saw the body end elsewhere than we did
        conn.parser.unreader.close()
        if conn.rest:
            conn.parser.unreader.unread(conn.rest)  # tells finish_request that the next request has begun to arrive
        return keep_alive

    def _wait(self, conn: Connection, event: int, callback: Any, deadline: float) -> None:
        """Calls `callback` whenever the client has sent something, or can take something, until `deadline`."""
        conn.deadline = deadline
        if conn not in self._waiting:
            self._waiting.add(conn)
            self.poller.register(conn.sock, event, lambda _: callback(conn))

    def _stop_waiting(self, conn: Connection) -> None:
        if conn in self._waiting:
            self._waiting.remove(conn)
            self.poller.unregister(conn.sock)

    def _end_intake(self, conn: Connection) -> None:
        self._stop_waiting(conn)
        if conn.intake is not None:
            conn.parser, conn.rest, conn.intake = conn.intake.request, conn.intake.rest, None

    def _drop(self, conn: Connection, *, graceful: bool = False) -> None:
        self._end_intake(conn)
        self._large.discard(conn)
        self.nr_conns -= 1
        conn.close(graceful)

    def _refuse(self, conn: Connection, status: int) -> None:
        """Answers without the app, and closes."""
        try:
            conn.sock.sendall(refusals.response(status))
        except OSError:
            self.log.debug("The client has left.")
        self._drop(conn, graceful=True)

    def _receive(self, conn: Connection) -> None:
        intake = conn.intake
        if intake is None:
            return
        try:
            data = conn.sock.recv(PIECE)
        except BlockingIOError:
            self._wait(conn, selectors.EVENT_READ, self._receive, intake.deadline)
            return
        except OSError:
            self._drop(conn)
            return
        if data:
            self._take_in(conn, intake, data)
        elif intake.request is None:
            self._drop(conn)
        else:
            intake.end()  # the app says what is wrong with a body that breaks off
            self._dispatch(conn)

    def _take_in(self, conn: Connection, intake: Intake, data: bytes) -> None:
        try:
            intake.add(data)
        except OSError as error:
            self.log.warning("A request cannot be kept: %s", error)
            self._refuse(conn, 503)
            return
        if intake.complete:
            self._dispatch(conn)
        elif intake.large and conn not in self._large and len(self._large) >= LARGE_AT_ONCE:
            self._refuse(conn, 503)
        else:
            self._go_on(conn, intake)

    def _go_on(self, conn: Connection, intake: Intake) -> None:
        if intake.large:
            self._large.add(conn)
        try:
            if intake.wants_continue:
                intake.wants_continue = False
                conn.sock.sendall(CONTINUE)
        except OSError:
            self._drop(conn)
            return
        self._wait(conn, selectors.EVENT_READ, self._receive, intake.deadline)

    def _dispatch(self, conn: Connection) -> None:
        self._end_intake(conn)
        if not conn.parser.writes or self._writes.begin(conn):
            super().enqueue_req(conn)

    def _send(self, conn: Connection, future: "Future[Any]") -> None:
        try:
            conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        conn.deadline = conn.sock.deadline
        if not conn.sock.unsent:
            self._stop_waiting(conn)
            super().finish_request(conn, future)

    def _discard(self, conn: Connection) -> None:
        try:
            if conn.sock.recv(PIECE):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._drop(conn)


def _connections(most: int) -> int:
    """How many connections there are files for, once the process may open as many as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    needed = OTHER_FILES + most * FILES_PER_CONNECTION
    if soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(most, max(8, (soft - OTHER_FILES) // FILES_PER_CONNECTION))
