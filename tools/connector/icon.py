"""The connector's icon, drawn and written as a PNG without a graphics library, the same bytes on every machine."""

import struct
import zlib
from collections.abc import Iterator
from functools import cache

COLOUR = "#1f5f78"
SIZE = 230
SHADES = 16  # a four-bit palette from the brand colour to white
FINE = 3  # sub-pixels each way, for smooth edges


@cache
def icon() -> bytes:
    """The PNG: a white archway with a lit doorway on a square of the brand colour."""
    # One stored block: what a compressor makes differs between its versions, and the file is compared byte for byte.
    pixels = b"".join(_rows())
    length = len(pixels)
    block = struct.pack("<BBBHH", 0x78, 0x01, 1, length, length ^ 0xFFFF) + pixels
    block += struct.pack(">I", zlib.adler32(pixels))
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 4, 3, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", _palette()), (b"IDAT", block), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _palette() -> bytes:
    brand = bytes.fromhex(COLOUR[1:])
    return bytes(channel + (255 - channel) * shade // (SHADES - 1) for shade in range(SHADES) for channel in brand)


def _rows() -> Iterator[bytes]:
    for y in range(SIZE):
        shades = [_shade(x, y) for x in range(SIZE)]
        pairs = zip(shades[::2], shades[1::2], strict=True)
        yield b"\0" + bytes(first << 4 | right for first, right in pairs)


def _shade(x: int, y: int) -> int:
    """How white a pixel is, from the share of its sub-pixels that the drawing covers."""
    steps = [(2 * step + 1) / (2 * FINE) for step in range(FINE)]
    covered = sum(_is_white(x + dx, y + dy) for dx in steps for dy in steps)
    return covered * (SHADES - 1) // (FINE * FINE)


def _is_white(x: float, y: float) -> bool:
    """The drawing, within the middle 160 x 160: an arch, its doorway, an open door and a threshold."""
    x -= SIZE / 2
    threshold = 183 <= y <= 195 and abs(x) <= 80
    arch = _arched(x, y, half=62) and not _arched(x, y, half=44)
    door = _arched(x, y, half=32) and x >= -8
    knob = (x + 0.5) ** 2 + (y - 135) ** 2 <= 16
    return threshold or (y <= 183 and (arch or (door and not knob)))


def _arched(x: float, y: float, *, half: float) -> bool:
    """Whether the point is within an arch of this half width around the doorway."""
    top = 97.0
    return abs(x) <= half if y > top else x * x + (y - top) ** 2 <= half * half
