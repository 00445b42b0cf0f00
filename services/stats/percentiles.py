"""Medians and 90th percentiles of durations. Only reads.

The sums say in which step of a duration the value lies, and an index gives the value.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Select, bindparam, literal, select, union_all

from database.tables import tickets
from database.ticket_sums import DURATIONS, STEPS
from services.prepared_statements import prepared, text
from services.stats.period import Selection
from services.stats.sums import STEP_NAMES, Sums
from storage import UnitOfWork

t = tickets.c
MOST_ARMS = 64  # values looked up in one statement; a power of two
LIMITS = ("start", "end", "team", "agent")
BEYOND = 2**62  # more than any duration


class Figure(NamedTuple):
    """One figure: its name, the duration, the tickets, and the sums that count them in steps."""

    name: Any
    measure: str
    selection: Selection
    sums: Sums
    of: str  # median or p90


class Place(NamedTuple):
    """Where the values are: `size` values after `skipped` ones, in the order from `bound` up, or from just below it down."""

    bound: int
    skipped: int
    size: int
    downwards: bool


Arm = tuple[Figure, Place]


def find(uow: UnitOfWork, figures: Sequence[Figure]) -> dict[Any, int]:
    """The value of each figure that has any. A median of two middle values is their mean, halves rounded up."""
    groups: dict[tuple[Any, ...], list[Arm]] = defaultdict(list)
    for figure in figures:
        if place := _place(figure):
            limits = tuple(name for name in LIMITS if getattr(figure.selection, name))
            groups[figure.measure, limits, place.downwards].append((figure, place))
    values: dict[Any, int] = {}
    for (measure, limits, downwards), arms in groups.items():
        for start in range(0, len(arms), MOST_ARMS):
            values |= _look_up(uow, measure, limits, downwards, arms[start : start + MOST_ARMS])
    return values


def of_selection(selection: Selection, sums: Sums, prefix: Any = "") -> Iterator[Figure]:
    """The medians and 90th percentiles of a selection, under (prefix, field of the answer)."""
    for measure, column in DURATIONS.items():
        for of in ("median", "p90"):
            yield Figure((prefix, f"{column}_{of}"), measure, selection, sums, of)


def by_figure(values: Mapping[Any, int], prefix: Any) -> dict[str, int]:
    """The values under that prefix, by field of the answer."""
    return {name[1]: value for name, value in values.items() if name[0] == prefix}


def half_up(part: int, whole: int) -> int:
    """`part` / `whole` as a whole number, halves rounded up; in integers, so that every engine gives the same."""
    return (2 * part + whole) // (2 * whole)


def _place(figure: Figure) -> Place | None:
    """Where to find the values of a figure, from the nearer end of the step that holds them; None when there are none."""
    sizes = [figure.sums[name] for name in STEP_NAMES[figure.measure]]
    ends = list(accumulate(sizes))  # how many values there are up to the end of each step
    total = ends[-1]
    if not total:
        return None
    first, size = ((total - 1) // 2, 2 - total % 2) if figure.of == "median" else (-(-9 * total // 10) - 1, 1)
    step, last_step = bisect_right(ends, first), bisect_right(ends, first + size - 1)
    upwards = first - (ends[step] - sizes[step])
    downwards = ends[last_step] - (first + size)
    if upwards <= downwards:
        return Place(STEPS[step], upwards, size, False)
    return Place(STEPS[last_step + 1] if last_step + 1 < len(STEPS) else BEYOND, downwards, size, True)


def _look_up(
    uow: UnitOfWork, measure: str, limits: tuple[str, ...], downwards: bool, arms: list[Arm]
) -> dict[Any, int]:
    """Reads the values. The number of arms of the statement is a power of two; those in excess read nothing."""
    size = 1 << (len(arms) - 1).bit_length()
    statement = prepared(
        uow,
        ("percentiles", measure, limits, downwards, size),
        lambda: _statement(uow, measure, limits, downwards, size),
    )
    params: dict[str, Any] = {}
    for number in range(size):
        figure, place = arms[number] if number < len(arms) else (arms[0][0], Place(0, 0, 0, downwards))
        params |= {f"bound_{number}": place.bound, f"skipped_{number}": place.skipped, f"size_{number}": place.size}
        params |= {f"{name}_{number}": getattr(figure.selection, name) for name in limits}
    values: dict[int, list[int]] = defaultdict(list)
    for number, seconds in uow.aggregate(statement, **params):
        values[number].append(int(seconds))
    return {arms[number][0].name: half_up(sum(some), len(some)) for number, some in values.items()}


def _statement(uow: UnitOfWork, measure: str, limits: tuple[str, ...], downwards: bool, size: int) -> Select[Any]:
    arms = [_arm(uow, number, measure, limits, downwards) for number in range(size)]
    return select(union_all(*arms).subquery()) if size > 1 else arms[0]


def _arm(uow: UnitOfWork, number: int, measure: str, limits: tuple[str, ...], downwards: bool) -> Select[Any]:
    def parameter(name: str) -> Any:
        return bindparam(f"{name}_{number}", type_=BigInteger())

    column = t[DURATIONS[measure]]
    # The index of the duration is read from the bound on; it holds the other columns too.
    created_at, team = uow.no_index(t.created_at), uow.no_index(t.assigned_team)
    conditions = {
        "start": created_at >= text(f"start_{number}"),
        "end": created_at < text(f"end_{number}"),
        "team": team == text(f"team_{number}"),
        "agent": t.assigned_to == text(f"agent_{number}"),
    }
    in_step = column < parameter("bound") if downwards else column >= parameter("bound")
    query = uow.query(tickets, column.label("seconds")).where(in_step, *(conditions[name] for name in limits))
    values = query.order_by(column.desc() if downwards else column)
    rows = values.limit(parameter("size")).offset(parameter("skipped")).subquery()
    return select(literal(number, literal_execute=True).label("number"), rows.c.seconds)
