"""Excel files (.xlsx): reads the first visible sheet as records, like those of a CSV file, and writes one sheet.

The libraries are an optional extra (requirements-excel.txt). The reader holds a whole sheet in memory, with every
empty cell between its corners. So a file is measured first: what it unpacks to, and how far apart its corners are.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from functools import partial
from importlib.util import find_spec
from itertools import chain
from tempfile import TemporaryFile
from typing import IO, Any

from core.errors import AppError, bad_request

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_UNPACKED = 256 * 1024 * 1024
MOST_CELLS = 4_000_000  # of the rectangle that holds all cells
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384  # of Excel
MOST_IN_CELL = 32_767  # characters, of Excel
CUT = " … [cut here; a CSV file has the whole text]"
_PIECE = 256 * 1024
_WORKBOOK = "xl/workbook.xml"
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,9})["']""")
_LONGEST_PLACE = 40  # bytes of such an attribute, which two pieces may share

Cells = tuple[int, list[str]]  # the number of a row, from 1, and its cells as text


def is_spreadsheet(file: IO[bytes]) -> bool:
    """Whether a file is an Excel workbook of XML files. The file is at its beginning again afterwards."""
    file.seek(0)
    is_one = False
    if file.read(4) == b"PK\x03\x04":
        with suppress(Exception), zipfile.ZipFile(file) as archive:  # the library raises many kinds for damaged files
            is_one = _WORKBOOK in archive.namelist()
    file.seek(0)
    return is_one


def rows(file: IO[bytes]) -> Iterator[Cells]:
    """The rows of the first visible sheet that are not empty. Raises AppError 400."""
    _check_installed("python_calamine")
    _measure(file)
    file.seek(0)
    yield from _numbered(_sheet(file))


def _sheet(file: IO[bytes]) -> Iterator[list[Any]]:
    import python_calamine

    try:
        book = python_calamine.load_workbook(file)
        visible = [
            number
            for number, sheet in enumerate(book.sheets_metadata)
            if sheet.visible == python_calamine.SheetVisibleEnum.Visible
            and sheet.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        if not visible:
            raise bad_request("empty_file", "The Excel file has no sheet that is shown.")
        return iter(book.get_sheet_by_index(visible[0]).iter_rows())
    except python_calamine.PasswordError:
        raise bad_request("bad_excel", "The Excel file has a password. Save it without one.") from None
    except python_calamine.CalamineError:
        raise bad_request("bad_excel", "The Excel file cannot be read. Save it again, or as CSV.") from None


def _numbered(sheet: Iterator[list[Any]]) -> Iterator[Cells]:
    for number, cells in enumerate(sheet, 1):
        texts = [_text(cell) for cell in cells]
        if any(texts):
            yield number, texts


def _text(cell: Any) -> str:
    """A cell as it would stand in a CSV file."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell) if isinstance(cell, timedelta) else str(cell or "")


def _measure(file: IO[bytes]) -> None:
    """Raises AppError 400 for a workbook that would take too much memory, or that is damaged."""
    file.seek(0)
    unpacked = 0
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                corners = _Corners()
                with archive.open(member) as content:
                    while piece := content.read(_PIECE):
                        unpacked += len(piece)
                        corners.add(piece)
                        if unpacked > MOST_UNPACKED or corners.cells > MOST_CELLS:
                            raise bad_request(
                                "too_large_excel",
                                f"The Excel file is too large: at most {MOST_CELLS:,} cells are read. Send it as CSV.",
                            )
    except AppError:
        raise
    except Exception:  # the library raises many kinds
        raise bad_request("bad_excel", "The Excel file cannot be read. Save it again, or as CSV.") from None


class _Corners:
    """How many cells lie between the corners of what an XML file of a workbook names as places."""

    def __init__(self) -> None:
        self._tail = b""
        self._rows = self._columns = 1

    def add(self, piece: bytes) -> None:
        """Looks at the next bytes."""
        text = self._tail + piece
        for letters, digits in _PLACE.findall(text):
            self._rows = max(self._rows, int(digits))
            self._columns = max(self._columns, _column(letters))
        self._tail = text[-_LONGEST_PLACE:]

    @property
    def cells(self) -> int:
        """All cells up to the last place."""
        return self._rows * self._columns


def _column(letters: bytes) -> int:
    """The number of a column: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number


def write(header: list[str], lines: Iterable[Sequence[str | float]], *, sheet_name: str = "Tickets") -> IO[bytes]:
    """A workbook of one sheet, at its beginning, with every text as text: no formula, link or number is made of it.

    A text that is longer than a cell may be is cut, and says so. Raises AppError 400 for more rows than a sheet has, OSError.
    """
    _check_installed("xlsxwriter")
    import xlsxwriter

    file: IO[bytes] = TemporaryFile()  # noqa: SIM115  # the caller closes it
    with xlsxwriter.Workbook(file, {"constant_memory": True, "use_zip64": True}) as book:
        sheet = book.add_worksheet(sheet_name)
        sheet.freeze_panes(1, 0)
        for number, cells in enumerate(chain([header], lines)):
            if number >= MOST_ROWS:
                raise bad_request(
                    "too_many_rows", f"A sheet has {MOST_ROWS:,} rows at most. Export a shorter period, or CSV."
                )
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell if len(cell) <= MOST_IN_CELL else _cut(cell))
                else:
                    sheet.write_number(number, column, cell)
    file.seek(0)
    return file


def _cut(text: str) -> str:
    return text[: MOST_IN_CELL - len(CUT)] + CUT


def pieces(file: IO[bytes]) -> Iterator[bytes]:
    """A file in pieces; it is closed at the end."""
    with file:
        yield from iter(partial(file.read, _PIECE), b"")


def _check_installed(library: str) -> None:
    if find_spec(library) is None:
        raise bad_request(
            "no_excel", "This server takes no Excel files: it needs pip install -r requirements-excel.txt."
        )
