"""Paid time: by hand, its parts add up, and what cannot be told apart has a reason."""

import numpy as np
import pytest

from metrics import paid_time as pt
from metrics.paid_time import paid_time


def test_paid_time_is_items_waiting_and_away():
    """Of 10 paid hours 6 on items, 2 free and without work, 2 of breaks: counted by hand."""
    found = paid_time(36_000, 21_600, 28_800, 21_600)
    assert (found.hours, found.reason) == (10, "")
    assert (found.items, found.waiting, found.away) == pytest.approx((0.6, 0.2, 0.2))


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_of_paid_time_add_up_and_agree_with_occupancy(seed):
    rng = np.random.default_rng(seed)
    active, waiting, away = rng.uniform(0, 30_000, (3, 50))
    available, logged = active + waiting, active + waiting + away
    found = paid_time(logged.sum(), active.sum(), available.sum(), active.sum())
    assert found.items + found.waiting + found.away == pytest.approx(1)
    assert found.items == pytest.approx(active.sum() / logged.sum())
    assert found.waiting + found.away == pytest.approx(1 - active.sum() / logged.sum())
    assert found.items / (found.items + found.waiting) == pytest.approx(active.sum() / available.sum())


@pytest.mark.parametrize(
    ("seconds", "items", "reason"),
    [
        ((0, 0, 0, 0), None, pt.NO_LOGGED_HOURS),
        ((3600, 3700, 3600, 3600), None, pt.MORE_ACTIVE),
        ((3600, 1800, 0, 0), 0.5, pt.NO_AVAILABLE_HOURS),
        ((3600, 1800, 1700, 900), 0.5, pt.NO_AVAILABLE_HOURS),  # known of half the shifts only
        ((3600, 1800, 1700, 1800), 0.5, pt.MORE_THAN_AVAILABLE),
        ((3600, 1800, 3700, 1800), 0.5, pt.MORE_THAN_AVAILABLE),
    ],
)
def test_paid_time_that_cannot_be_told_apart_has_a_reason(seconds, items, reason):
    found = paid_time(*seconds)
    assert (found.items, found.waiting, found.away, found.reason) == (items, None, None, reason)
