"""Finds the end of a chunked body while it arrives. gunicorn's own reader checks it later, and says what is wrong."""

import re

LINE_MOST = 8190
_SIZE = re.compile(rb"([0-9a-fA-F]{1,16})[ \t]*(?:;.*)?\r\n", re.DOTALL)


class ChunkedBody:
    """Follows the framing of one chunked body. `done` once it has ended or cannot be followed any further."""

    def __init__(self) -> None:
        self.done = False
        self._line = b""
        self._remaining = 0  # bytes of the current chunk still to come, its line end included
        self._in_trailers = False

    def take(self, data: bytes) -> int:
        """How many of the next bytes belong to the body."""
        position = 0
        while position < len(data) and not self.done:
            if self._remaining:
                step = min(self._remaining, len(data) - position)
                self._remaining -= step
                position += step
            else:
                position = self._take_line(data, position)
        return position

    def _take_line(self, data: bytes, start: int) -> int:
        newline = data.find(b"\n", start)
        end = newline + 1 or len(data)
        self._line += data[start:end]
        if newline >= 0:
            self._end_line()
        elif len(self._line) > LINE_MOST:
            self.done = True
        return end

    def _end_line(self) -> None:
        line, self._line = self._line, b""
        if self._in_trailers:
            self.done = line == b"\r\n"
            return
        size = _SIZE.fullmatch(line)
        if size is None:
            self.done = True
        elif length := int(size[1], 16):
            self._remaining = length + len(b"\r\n")
        else:
            self._in_trailers = True
