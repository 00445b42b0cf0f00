"""Reading files of tickets row by row, CSV, JSON or Excel, in little memory however long they are."""

import codecs
from collections.abc import Iterator
from typing import IO

from core.errors import bad_request
from services.import_export import import_csv, import_json, spreadsheets
from services.import_export.import_values import Columns, RawRow

# How ZIP (and so .xlsx), gzip, old Excel, PDF and Zstandard files begin.
_NO_TEXT = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x28\xb5\x2f\xfd")
_BLANK = b" \t\r\n" + codecs.BOM_UTF8
_LOOKED_AT = 100  # lines


def read(file: IO[bytes], kind: str, *, columns: Columns, charset: str = "") -> Iterator[RawRow]:
    """The rows of a file, read as they are asked for.

    `kind` is csv, json, jsonl (one object a line) or "" for whatever it looks like; `charset` is what the sender says of a
    CSV file. The file is seekable and at its beginning. Raises AppError 400, before the first row, when the file as a whole
    cannot be used.
    """
    if spreadsheets.is_spreadsheet(file):
        yield from import_csv.sheet_rows(file, columns)
        return
    if file.read(4).startswith(_NO_TEXT):
        raise bad_request(
            "not_text", "This is a compressed file or an old spreadsheet. Save it as .xlsx, CSV or JSON and send that."
        )
    file.seek(0)
    kind = kind if kind in ("csv", "jsonl") else _look(file, kind)
    file.seek(0)
    if kind == "csv":
        yield from import_csv.rows(file, columns, charset)
    else:
        yield from (import_json.lines if kind == "jsonl" else import_json.rows)(file, columns)


def _look(file: IO[bytes], kind: str) -> str:
    """Whether a file is CSV, JSON or JSON Lines, by its first two lines that are not blank."""
    lines = _first_lines(file)
    first = lines[0].strip(_BLANK) if lines else b""
    if not kind and first[:1] not in (b"{", b"["):
        return "csv"
    is_lines = len(lines) > 1 and lines[1].lstrip().startswith(b"{") and first.startswith(b"{") and first.endswith(b"}")
    return "jsonl" if is_lines else "json"


def _first_lines(file: IO[bytes]) -> list[bytes]:
    lines: list[bytes] = []
    for _ in range(_LOOKED_AT):
        line = file.readline(import_json.MAX_ITEM)
        if line.strip(_BLANK):
            lines.append(line)
        if not line or len(lines) == 2:
            break
    return lines
