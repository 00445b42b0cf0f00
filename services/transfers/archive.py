"""Reads the ZIP file of an import, which anybody may have made.

Nothing of it is unpacked to a disk, and memory does not grow with the file.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, Any

import orjson

from services.transfers.contents import FORMAT, TABLES
from storage import Row

MEBI = 1024 * 1024
MOST_DIRECTORY = 16 * MEBI  # bytes of the list of members, which is held in memory: about 150,000 attached files
MOST_LINE = 40 * MEBI  # bytes: the original of a mail of 25 MiB that could not be compressed, in base64
MOST_SMALL = 4 * MEBI  # bytes of settings.json and manifest.json
UNPACKED_TIMES, UNPACKED_FREE = 20, 256 * MEBI  # all members together: so many times the file, and so many bytes more
PIECE = 256 * 1024
ROWS, SETTINGS = ".jsonl", "settings.json"
_ATTACHED = re.compile(r"attachments/[0-9A-Za-z-]{1,64}")
_ACCEPTED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_DAMAGED = (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error)


class Unusable(Exception):
    """The file cannot be imported at all. The text says why."""


class Archive:
    """An opened ZIP file. `ignored` has the names of members that mean nothing here. Raises Unusable."""

    def __init__(self, file: IO[bytes]) -> None:
        size = file.seek(0, 2)
        self._zip = _opened(file)
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.ignored: list[str] = []
        for member in self._zip.infolist():
            self._add(member)
        if sum(member.file_size for member in self._members.values()) > size * UNPACKED_TIMES + UNPACKED_FREE:
            raise Unusable("Unpacked, the file would be larger than any export: it may be a ZIP bomb.")
        self.lines: dict[str, int] = {}  # by file, counted by `verify`
        self.highest_number = 0  # of the tickets

    def _add(self, member: zipfile.ZipInfo) -> None:
        name = member.filename
        shown = ascii(name[:80])
        parts = name.split("/")
        if (
            name != member.orig_filename
            or "\\" in name
            or ".." in parts
            or name.startswith("/")
            or not name.isprintable()
        ):
            raise Unusable(f"The name {shown} in the ZIP is not accepted.")
        if name in self._members:
            raise Unusable(f"{shown} stands twice in the ZIP.")
        if member.flag_bits & 1 or member.compress_type not in _ACCEPTED:
            raise Unusable(f"{shown} is encrypted, or compressed in a way that is not accepted. Use deflate.")
        is_rows = name.endswith(ROWS) and name.removesuffix(ROWS) in TABLES
        if is_rows or name in ("manifest.json", SETTINGS) or _ATTACHED.fullmatch(name):
            self._members[name] = member
        elif not member.is_dir():
            self.ignored.append(name)

    def verify(self, highest: int) -> None:
        """Reads every row and the settings once, so that nothing of a damaged or shortened file is imported. Raises Unusable.

        `highest` is the largest number of a ticket that is accepted.
        """
        manifest = self.read_small("manifest.json")
        if manifest.get("format") != FORMAT:
            raise Unusable(f"manifest.json must say format {FORMAT}. Export the data again with this version of Foyer.")
        if SETTINGS in self._members:
            self._read(SETTINGS)
        for name in TABLES:
            self.lines[name] = 0
            for number_of_line, line in self.read_lines(name):
                self.lines[name] = number_of_line
                if name == "tickets" and (number := _number(line)) <= highest:
                    self.highest_number = max(self.highest_number, number)
        counts = manifest.get("lines", {})
        for name, lines in self.lines.items():
            if not isinstance(counts, dict) or counts.get(name, 0) != lines:
                raise Unusable(
                    f"{name}{ROWS} has {lines} lines, and manifest.json says otherwise. The file is damaged."
                )

    def read_small(self, name: str) -> Row:
        """The object of manifest.json or settings.json. Raises Unusable."""
        try:
            value = orjson.loads(self._read(name))
        except ValueError:
            raise Unusable(f"{name} is no JSON.") from None
        if not isinstance(value, dict):
            raise Unusable(f"{name} must be an object.")
        return value

    def _read(self, name: str) -> bytes:
        """The bytes of a small member. Raises Unusable."""
        member = self._members.get(name)
        if member is None:
            raise Unusable(f"{name} is missing. Send the ZIP file of an export as it is.")
        if member.file_size > MOST_SMALL:
            raise Unusable(f"{name} is larger than {MOST_SMALL // MEBI} MiB.")
        try:
            return self._zip.read(member)
        except _DAMAGED:
            raise Unusable(f"{name} is damaged.") from None

    def read_lines(self, name: str) -> Iterator[tuple[int, bytes]]:
        """The number of each line of a file, from 1, and its bytes. Raises Unusable where it is damaged."""
        member = self._members.get(f"{name}{ROWS}")
        if member is None:
            return
        number = 0
        try:
            with io.BufferedReader(self._zip.open(member), PIECE) as file:  # type: ignore[type-var]
                while line := file.readline(MOST_LINE + 1):
                    number += 1
                    if len(line) > MOST_LINE:
                        raise Unusable(f"Line {number} of {name}{ROWS} is longer than {MOST_LINE // MEBI} MiB.")
                    yield number, line
        except _DAMAGED as error:
            raise Unusable(f"{name}{ROWS} is damaged after line {number}.") from error

    def attached(self, old_id: str) -> IO[bytes] | None:
        """The attached file of that id, opened; None when it is missing. Its `read` raises Unusable for a damaged file."""
        member = self._members.get(f"attachments/{old_id}")
        return None if member is None else _Attached(self._zip, member)  # type: ignore[return-value]


class _Attached:
    """A member to read from its beginning, once or several times. A damaged one raises Unusable."""

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._archive, self._member = archive, member
        self._file: Any = None

    def seek(self, offset: int, whence: int = 0) -> int:
        """Goes to the beginning, or says how long the file is (`whence` 2). It goes nowhere else."""
        self._file = None
        return self._member.file_size if whence == 2 else 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        try:
            self._file = self._file or self._archive.open(self._member)
            return bytes(self._file.read(size))
        except _DAMAGED:
            raise Unusable("The file is damaged in the ZIP.") from None


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        end: Any = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # as ZipFile reads it
        if end and end[zipfile._ECD_SIZE] > MOST_DIRECTORY:  # type: ignore[attr-defined]
            raise Unusable("The ZIP holds too many files: about 150,000 are accepted.")
        return zipfile.ZipFile(file)
    except _DAMAGED:
        raise Unusable("The file is no ZIP, or a part of one: it cannot be read to its end.") from None


def _number(line: bytes) -> int:
    try:
        row = orjson.loads(line)
        number = row.get("number") if isinstance(row, dict) else 0
    except ValueError:
        return 0
    return number if type(number) is int else 0
