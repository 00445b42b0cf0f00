"""Cells of CSV files for spreadsheets: none of them is read as a formula."""

import csv
import io
from collections.abc import Iterable

BOM = "\ufeff".encode()  # without it, spreadsheets do not read UTF-8
# Characters that start a formula in spreadsheets (OWASP, CSV injection), also in full width.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def escape_formula(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would read a formula."""
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA_STARTS) else cell


def lines(rows: Iterable[list[str]]) -> bytes:
    """The bytes of a CSV file with these rows. The cells are not changed."""
    # All cells are quoted, because the list separator of a spreadsheet depends on the country.
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode()
