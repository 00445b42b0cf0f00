"""What makes an incident: alike vectors of several customers within the window, beyond what is usual."""

import numpy as np
import pytest

from ai import incidents

LEAST, ALIKE = 5, 0.5


def groups(matters, times, customers=None, taken=()):
    """The groups among tickets whose vectors are those of `matters`: the same number, the same vector."""
    size = max(matters) + 1
    names = customers or [str(place) for place in range(len(matters))]
    vectors = np.eye(size, dtype=np.float32)[matters]
    return list(
        incidents.find_groups(vectors, times, names, least_customers=LEAST, alike=ALIKE, taken=taken),
    )


def test_five_customers_within_the_window_are_a_group_and_the_rest_is_none():
    assert groups([0, 1, 0, 2, 0, 0, 3, 0], [60.0 * n for n in range(8)]) == [[0, 2, 4, 5, 7]]


@pytest.mark.parametrize(("seconds", "number"), [(450, 1), (451, 0)])
def test_the_window_is_thirty_minutes_from_first_to_last(seconds, number):
    assert len(groups([0] * 5, [seconds * float(n) for n in range(5)])) == number


def test_tickets_of_one_customer_count_once():
    assert groups([0] * 6, [float(n) for n in range(6)], ["a", "b", "c", "d", "a", "b"]) == []


def test_what_is_usual_makes_no_group_and_what_is_new_does():
    day = [600.0 * n for n in range(100)]
    burst = [day[-1] + 60.0 * n for n in range(1, 6)]
    assert groups([0] * 105, day + burst) == []
    assert groups([n % 20 + 1 for n in range(100)] + [0] * 5, day + burst) == [[100, 101, 102, 103, 104]]


def test_a_very_busy_company_has_what_is_usual_in_a_short_time():
    times = [3.0 * n for n in range(1200)]  # an hour; every tenth ticket asks the same
    assert groups([0 if n % 10 == 0 else n + 1 for n in range(1200)], times) == []


def test_what_belongs_to_an_incident_makes_no_other_and_counts_as_usual():
    times = [3600.0 * n for n in range(10)] + [36_000.0 + n for n in range(5)]
    assert groups([0] * 15, times, taken=range(10)) == []
    assert groups([0] * 5, times[-5:], taken=[4]) == []


def test_nothing_and_few_tickets_are_no_group():
    assert list(incidents.find_groups(np.zeros((0, 3)), [], [], least_customers=LEAST, alike=ALIKE)) == []
    assert groups([0], [0.0]) == []


def test_a_text_belongs_where_it_is_like_the_mean():
    members = np.array([[1.0, 0.0], [0.8, 0.6]])
    assert incidents.belongs(np.array([0.9, 0.3]), members, alike=0.9)
    assert not incidents.belongs(np.array([0.0, 1.0]), members, alike=0.5)
    assert not incidents.belongs(np.array([0.0, 0.0]), members, alike=0.5)


@pytest.mark.parametrize(
    ("count", "mean", "tail"),
    [(5, 0.0, 0.0), (5, 0.5, 1.7e-4), (1, 0.1, 0.095), (8, 2.0, 1.1e-3), (500, 3.0, 0.0), (3, 5.0, 1.0)],
)
def test_the_tail_of_the_poisson_distribution_is_bounded_from_above(count, mean, tail):
    bound = incidents.poisson_tail(count, mean)
    assert tail * 0.95 <= bound <= max(1.3 * tail, 1e-300)


def test_an_outage_of_hundreds_of_customers_is_one_group():
    day = [600.0 * n for n in range(100)]
    burst = [day[-1] + 3.0 * n for n in range(1, 501)]
    (group,) = groups([n % 20 + 1 for n in range(100)] + [0] * 500, day + burst)
    assert len(group) == 500
