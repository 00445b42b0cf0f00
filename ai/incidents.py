"""Finds incidents in vectors of texts: several customers who write what is alike within a short time. No rows, no texts."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from ai.arrays import Floats

WINDOW_SECONDS = 30 * 60
# The cosine from which on two tickets of a company count as alike, by tier. Measured by tools/models/incidents.py, see
# docs/ai-quality.md. Without embeddings nothing is found.
ALIKE = {"static": 0.5, "minilm": 0.5}
# How improbable so many customers must be, by how many usually write what is alike in such a time.
MOST_PROBABLE = 1e-7
ENOUGH = 100  # earlier tickets that say what is usual in however short a time they came
UNSEEN = 0.25  # customers that count as usual beside those who wrote: what nobody wrote yet is not impossible


def find_groups(
    vectors: Floats,
    times: Sequence[float],
    customers: Sequence[str],
    *,
    least_customers: int,
    alike: float,
    taken: Sequence[int] = (),
) -> Iterator[list[int]]:
    """Finds groups of places whose tickets are alike, of `least_customers` or more customers within WINDOW_SECONDS.

    `vectors` is float (n, d) of unit length, `times` are seconds, increasing. The places `taken` belong to an incident: they
    only count as usual. A group is what is alike to one of its tickets.
    By what is alike in the rest of the time, so many customers must be improbable (MOST_PROBABLE), so that the usual questions
    of a company make no group. Groups share no ticket; the one with most customers comes first.
    """
    near = vectors @ vectors.T >= alike
    rest = max(0.0, times[-1] - times[0] - WINDOW_SECONDS) if len(times) else 0.0
    earlier = sum(time < times[-1] - WINDOW_SECONDS for time in times)
    is_known = rest >= WINDOW_SECONDS or (rest > 0 and earlier >= ENOUGH)  # else nothing says what is usual
    free = np.ones(len(vectors), bool)
    free[list(taken)] = False
    while True:
        best: list[int] = []
        most = least_customers - 1
        for centre in map(int, np.flatnonzero(free & ((near & free).sum(axis=1) > most))):
            places = np.flatnonzero(near[centre] & free).tolist()
            span = _busiest_span(places, centre, times, customers)
            count = len({customers[place] for place in span})
            everybody = {customers[place] for place in np.flatnonzero(near[centre]).tolist()}
            others = len(everybody - {customers[place] for place in span})
            usual = (others + UNSEEN) * WINDOW_SECONDS / rest if is_known else 0.0
            if count > most and poisson_tail(count, usual) < MOST_PROBABLE:
                best, most = span, count
        if not best:
            return
        yield best
        free[best] = False


def poisson_tail(count: int, mean: float) -> float:
    """At most how probable `count` or more events are where `mean` are expected (Poisson distribution).

    The bound is the first term of the tail times a geometric series; it is 1 up to the mean.
    """
    if count <= mean:
        return 1.0
    if not mean:
        return 0.0
    first = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1))
    return min(1.0, first / (1 - mean / (count + 1)))


def _busiest_span(places: Sequence[int], centre: int, times: Sequence[float], customers: Sequence[str]) -> list[int]:
    """Of the places, in the order of time, those within the window with most customers that holds `centre`."""
    best: list[int] = []
    most, first = 0, 0
    counts: Counter[str] = Counter()
    for last, place in enumerate(places):
        counts[customers[place]] += 1
        while times[place] - times[places[first]] > WINDOW_SECONDS:
            left = customers[places[first]]
            counts[left] -= 1
            if not counts[left]:
                del counts[left]
            first += 1
        if places[first] <= centre <= place and len(counts) >= most:
            most, best = len(counts), list(places[first : last + 1])
    return best


def belongs(vector: Floats, members: Floats, *, alike: float) -> bool:
    """Whether a text is alike to an incident: to the mean of its tickets' vectors, float (n, d)."""
    mean = members.mean(axis=0)
    length = float(np.linalg.norm(mean))
    return bool(length) and float(vector @ mean) / length >= alike
