"""The figures of the dashboard as the rows of a table, for a spreadsheet."""

from collections.abc import Iterator
from typing import IO

from core.models import label
from services.import_export import spreadsheets
from services.import_export.csv_cells import BOM, escape_formula, lines
from storage import Row

ACRONYMS = ("ai", "csat", "sla")
KEYS = {"agents": "agent", "sla_by_week": "key"}  # tables with several numbers in a row, and what names it
COLUMNS = ("figure", "key", "label", "value", "previous")


def as_csv(figures: Row) -> bytes:
    """A CSV file with a row for each number: single ones, those of each chart, and those of each agent."""
    cells = [[escape_formula(str(row[name])) for name in COLUMNS] for row in _rows(figures)]
    return BOM + lines([list(COLUMNS), *cells])


def as_sheet(figures: Row) -> IO[bytes]:
    """The same rows as an Excel file, at its beginning. Raises AppError 400."""
    rows = [[row[name] for name in COLUMNS] for row in _rows(figures)]
    return spreadsheets.write(list(COLUMNS), rows, sheet_name="Figures")


def _rows(figures: Row) -> Iterator[Row]:
    previous = figures.get("previous", {})
    for figure, value in figures.items():
        if isinstance(value, int | float):
            earlier = previous.get(figure, "")
            yield {"figure": figure, "key": "", "label": _label(figure), "value": value, "previous": earlier}
        elif figure in KEYS:
            for row in value:
                key = row[KEYS[figure]]
                for name, number in row.items():
                    if name not in ("agent", "key", "label"):
                        yield {"figure": f"{figure}.{name}", "key": key, "label": key, "value": number, "previous": ""}
        elif isinstance(value, list) and figure != "changes":  # those are in the column `previous`
            for row in value:
                place = {"figure": figure, "key": row["key"], "label": row["label"]}
                yield {**place, "value": row["count"], "previous": ""}


def _label(figure: str) -> str:
    """The name of a figure: `csat_count` is `CSAT count`."""
    words = [word.upper() if word in ACRONYMS else word for word in figure.split("_")]
    return label("_".join(words))
