"""What a request's thread writes its answer to: a socket that does not keep a thread waiting for a slow reader."""

import errno
import select
import socket
import time
from tempfile import SpooledTemporaryFile
from typing import Any

from runtime.server import pace

IN_MEMORY = 64 * 1024
UNSENT_MOST = 4 * 1024 * 1024  # beyond that a thread waits, as long as the reader keeps pace
PIECE = 256 * 1024


class Outlet:
    """A socket that never blocks. What the client does not take at once is kept, for `flush` to send later.

    `unsent` is the number of bytes kept, `deadline` the time.monotonic() by which the client must have read on.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._file: SpooledTemporaryFile[bytes] | None = None
        self._read_position = 0  # bytes of _file that are sent
        self.unsent = 0
        self._since = self.deadline = 0.0
        self._moved = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def setblocking(self, flag: bool) -> None:
        """gunicorn asks for blocking sockets in its threads; this one stays as it is."""

    def settimeout(self, seconds: float | None) -> None:
        """There is nothing to wait for."""

    def gettimeout(self) -> float:
        """That of a socket that does not block."""
        return 0.0

    def sendall(self, data: bytes) -> None:
        """Sends or keeps everything. Raises ConnectionResetError when the client reads too slowly, OSError when it has left."""
        view = memoryview(data)
        while True:
            if not self.unsent:
                view = view[self._send(view) :]
            if not view:
                self._since = 0.0
                return
            if self.unsent + len(view) <= UNSENT_MOST:
                self._keep(view)
                return
            self._wait()

    def send(self, data: bytes) -> int:
        """As `sendall`."""
        self.sendall(data)
        return len(data)

    def flush(self) -> None:
        """Sends of what is kept as much as the client takes at once. Raises OSError when it has left."""
        while self.unsent and self._file is not None:
            self._file.seek(self._read_position)
            piece = self._file.read(PIECE)
            count = self._send(memoryview(piece))
            self._read_position += count
            self.unsent -= count
            if not self.unsent:
                self.forget()
            elif count < len(piece):
                return

    def forget(self) -> None:
        """Drops what is kept."""
        if self._file is not None:
            self._file.close()
        self._file, self._read_position, self.unsent, self._since = None, 0, 0, 0.0

    def _send(self, view: memoryview) -> int:
        try:
            count = self._sock.send(view)
        except BlockingIOError:
            count = 0
        if self._since and count:
            self._moved += count
            self.deadline = pace.deadline(self._since, self._moved, time.monotonic())
        return count

    def _start_clock(self) -> None:
        if not self._since:
            self._since, self._moved = time.monotonic(), 0
            self.deadline = self._since + pace.SECONDS

    def _keep(self, view: memoryview) -> None:
        self._start_clock()
        if self._file is None:
            self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._file.seek(0, 2)
        self._file.write(view)
        self.unsent += len(view)

    def _wait(self) -> None:
        self._start_clock()
        ready = select.poll()
        ready.register(self._sock, select.POLLOUT)
        if not ready.poll(max(0.0, self.deadline - time.monotonic()) * 1000):
            raise ConnectionResetError(errno.ECONNRESET, "The client reads too slowly.")
        if self.unsent:
            self.flush()
