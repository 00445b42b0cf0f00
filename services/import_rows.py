"""Reading files of tickets row by row, CSV or JSON, in little memory however long they are."""

from collections.abc import Collection, Iterator
from typing import IO

from errors import bad_request
from services import import_csv, import_json
from services.import_values import RawRow

# How ZIP (and so .xlsx), gzip, old Excel, PDF and Zstandard files begin.
_NO_TEXT = (b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x28\xb5\x2f\xfd")


def read(file: IO[bytes], kind: str, *, known: Collection[str]) -> Iterator[RawRow]:
    """The rows of a file of `kind` csv or json, read as they are asked for; `known` are the column names that mean something.

    The file is seekable and at its beginning. Raises AppError 400, before the first row, when the file as a whole cannot be
    used.
    """
    if file.read(4).startswith(_NO_TEXT):
        raise bad_request(
            "not_text", "This is a compressed file or a spreadsheet. Save it as CSV or JSON and send that."
        )
    file.seek(0)
    yield from import_json.rows(file) if kind == "json" else import_csv.rows(file, known)
