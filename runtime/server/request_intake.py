"""Receives one HTTP request piece by piece, without waiting, and knows when it is complete.

gunicorn's own parser reads the head and says how the body is framed. Nothing here touches a socket.
"""

import re
import time
from tempfile import SpooledTemporaryFile
from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, NoMoreData
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import Unreader

from runtime.server import pace
from runtime.server.chunked_body import ChunkedBody
from runtime.server.write_turns import READS

KIBI, MEBI = 1024, 1024 * 1024
HEAD_MOST = 64 * KIBI
SMALL_BODY = MEBI  # the most that must arrive within pace.SECONDS, head included
LARGEST_BODY = 33 * MEBI  # a little more than any route takes; of a larger one only the head is read
IN_MEMORY = 64 * KIBI
# Where a head ends, or goes wrong: gunicorn refuses a line feed that stands alone.
_HEAD_END = re.compile(rb"\r\n\r\n|(?<!\r)\n")


class ReceivedBytes(Unreader):  # type: ignore[misc]
    """The bytes of one request, read by gunicorn's parser. Their end is the end of the input: it never waits."""

    def __init__(self, head: bytes) -> None:
        super().__init__()
        self.buf.write(head)
        self.body: SpooledTemporaryFile[bytes] | None = None

    def chunk(self, size_hint: int | None = None) -> bytes:
        """The next bytes of the body, b"" after the last."""
        return self.body.read(max(size_hint or 0, 8 * KIBI)) if self.body else b""

    def add(self, data: bytes) -> None:
        """Keeps bytes of the body, beyond `IN_MEMORY` in a file without a name. Raises OSError when the disk is full."""
        if self.body is None:
            self.body = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self.body.write(data)

    def close(self) -> None:
        """Forgets the body."""
        if self.body is not None:
            self.body.close()


class ReceivedRequest(RequestParser):  # type: ignore[misc]
    """gunicorn's parser for one request whose head has arrived. It hands out the request, or raises what is wrong with it."""

    def __init__(self, cfg: Any, unread_bytes: ReceivedBytes, client: Any, number: int) -> None:
        super().__init__(cfg, (), client)
        self.unreader = unread_bytes
        self.req_count = number - 1
        self.error: Exception | None = None
        try:
            super().__next__()
        except Exception as error:
            self.error = error

    @property
    def writes(self) -> bool:
        """Whether the method says that something may change. A request that is refused changes nothing."""
        return self.error is None and self.mesg.method not in READS

    def __next__(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.mesg


class Intake:
    """What has arrived of one request.

    `complete`: a thread may take it, as `request`. `rest`: what followed it. `deadline`: when it must be complete, in
    seconds of time.monotonic().
    """

    def __init__(self, cfg: Any, client: Any, number: int) -> None:
        self._cfg, self._client, self._number = cfg, client, number
        self._head = bytearray()
        self._searched = 0
        self._remaining = 0
        self._chunked: ChunkedBody | None = None
        self._started = time.monotonic()
        self.deadline = self._started + pace.SECONDS
        self.request: ReceivedRequest | None = None
        self.size = 0  # of the body, as it is sent
        self.complete = False
        self.wants_continue = False
        self.rest = b""

    @property
    def has_started(self) -> bool:
        """Whether anything has arrived."""
        return bool(self._head)

    @property
    def large(self) -> bool:
        """Whether the body is larger than what most routes take."""
        return self.size + self._remaining > SMALL_BODY

    def add(self, data: bytes) -> None:
        """Takes in bytes. Raises OSError when the body cannot be kept."""
        if self.request is None:
            self._head += data
            data = self._read_head()
        if self.request is not None and not self.complete:
            self._read_body(self.request, data)

    def end(self) -> None:
        """The client sends no more: the request is as complete as it will be."""
        self.complete = True
        if self.request is not None and self.request.unreader.body is not None:
            self.request.unreader.body.seek(0)

    def _read_head(self) -> bytes:
        """Reads the head once it has arrived; returns what followed it."""
        while match := _HEAD_END.search(self._head, self._searched, HEAD_MOST):
            request = self._parse(match.end())
            if not isinstance(request.error, NoMoreData):
                return self._with_head(request, match.end())
            self._searched = match.end()  # the head of a proxy protocol may hold anything
        self._searched = max(self._searched, len(self._head) - 3)
        if len(self._head) > HEAD_MOST:
            request = self._parse(HEAD_MOST)
            if isinstance(request.error, NoMoreData):
                is_line = b"\n" not in self._head
                request.error = LimitRequestLine(HEAD_MOST, HEAD_MOST) if is_line else LimitRequestHeaders("too long")
            return self._with_head(request, HEAD_MOST)
        return b""

    def _parse(self, end: int) -> ReceivedRequest:
        return ReceivedRequest(self._cfg, ReceivedBytes(bytes(self._head[:end])), self._client, self._number)

    def _with_head(self, request: ReceivedRequest, end: int) -> bytes:
        self.request, rest = request, bytes(self._head[end:])
        if request.error is not None:
            self.complete = True
            return b""
        reader = request.mesg.body.reader
        if isinstance(reader, ChunkedReader):
            self._chunked = ChunkedBody()
        else:
            self._remaining = reader.length
        if self._remaining > LARGEST_BODY:
            self._refuse_body(request)
        elif request.mesg._expected_100_continue:
            request.mesg._expected_100_continue = False  # or gunicorn would say it again
            self.wants_continue = not rest
        return rest

    def _refuse_body(self, request: ReceivedRequest) -> None:
        """Lets the app answer without the rest of the body; what still arrives of it is not another request."""
        request.mesg.force_close()
        self.end()

    def _read_body(self, request: ReceivedRequest, data: bytes) -> None:
        length = self._chunked.take(data) if self._chunked else min(self._remaining, len(data))
        if length:
            request.unreader.add(data[:length])
        self.size += length
        self._remaining -= 0 if self._chunked else length
        if self._chunked.done if self._chunked else not self._remaining:
            self.end()
            self.rest = data[length:]
        elif self.size > LARGEST_BODY:
            self._refuse_body(request)
        elif self._chunked or self.large:
            self.deadline = pace.deadline(self._started, self.size, time.monotonic())
