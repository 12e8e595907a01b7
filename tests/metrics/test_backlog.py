"""Backlogs: the recursion by hand, ages of items followed one by one."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import backlog as bl
from metrics.backlog import Sla, backlog, backlog_age, late_stretch
from tests.metrics.queue_by_item import follow


def test_backlog_is_the_recursion():
    np.testing.assert_array_equal(backlog([10, 0, 5, 20], [4, 8, 5, 3], 3), [9, 1, 1, 18])
    # Capacity without work is lost: it does not help the day after.
    np.testing.assert_array_equal(backlog([0, 10], [50, 4]), [0, 6])
    both = backlog([[1, 2], [5, 5]], [2, 2], [0, 4])
    np.testing.assert_array_equal(both, [[0, 0], [7, 10]])


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=30), st.integers(0, 99))
def test_backlog_keeps_count_of_items(days, start):
    arrivals, capacity = np.array(days).T
    found = backlog(arrivals, capacity, start)
    before = np.r_[start, found[:-1]]
    decided = before + arrivals - found
    assert (decided >= 0).all()
    assert (decided <= capacity).all()
    assert ((decided == capacity) | (found == 0)).all()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=25))
def test_ages_are_those_of_items_followed_one_by_one(days):
    arrivals, capacity = np.array(days).T
    ages, _ = follow(arrivals.tolist(), capacity.tolist())
    found = backlog_age(arrivals, backlog(arrivals, capacity))
    for row, there in zip(found.to_dict("records"), ages, strict=True):
        assert row["n"] == row["backlog"] == len(there)
        if not there:
            assert row["reason"] == "no open items"
            assert math.isnan(row["oldest_age_days"])
            continue
        assert row["reason"] == ""
        assert row["oldest_age_days"] == there[-1]
        assert row["mean_age_days"] == pytest.approx(np.mean(there))
        assert row["median_age_days"] == np.quantile(there, 0.5, method="inverted_cdf")
        assert row["p90_age_days"] == np.quantile(there, 0.9, method="inverted_cdf")


def test_items_from_before_the_arrivals_known_have_no_age():
    found = backlog_age([10, 10, 10], [15, 22, 30])
    assert found["reason"].tolist() == [bl.OLDER_THAN_KNOWN, bl.OLDER_THAN_KNOWN, ""]
    assert found["oldest_age_days"].isna().tolist() == [True, True, False]
    # 22 open after two days: 20 known, the oldest 2 not; half of them came today or yesterday.
    assert found["median_age_days"].tolist() == [0, 1, 1]
    assert found["p90_age_days"].isna().tolist() == [True, False, False]
    assert found["mean_age_days"].isna().tolist() == [True, True, False]
    later = backlog_age([10, 10, 10], [15, 22, 30], known_from=2)
    assert later["day"].tolist() == [2]
    assert later.iloc[0].equals(found.iloc[2])
    assert list(found) == list(bl.AGE_COLUMNS)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (backlog, ([-1], [1])),
        (backlog, ([1], [1], -1)),
        (Sla, (0,)),
        (Sla, (24, 0.0)),
        (backlog_age, ([1, 2], [1])),
    ],
)
def test_what_cannot_be_is_refused(function, arguments):
    with pytest.raises(ValueError, match=r"."):
        function(*arguments)


def test_a_stretch_of_late_weeks_is_the_one_that_was_made():
    """Thirteen weeks of 1,000 items; in weeks 6 to 8 as many as 1,300 come, 1,000 are decided, 70 % in time."""
    created, closed = np.full(13, 1000.0), np.full(13, 1000.0)
    created[6:9] = 1300.0
    due = created.copy()
    in_time = np.round(0.97 * due)
    in_time[6:9] = np.round(0.7 * due[6:9])
    found = late_stretch(created, closed, due, in_time)
    assert (found.first, found.last) == (6, 8)
    assert found.usual == pytest.approx(0.97) and found.share == pytest.approx(0.7)
    assert found.outran == pytest.approx(900) and found.arrivals == pytest.approx(1.3)
    in_time[2] = 800.0  # a smaller one before it is not the one that lost the most
    assert late_stretch(created, closed, due, in_time).first == 6


def test_chance_is_no_stretch_of_late_weeks():
    """Of 400 steady queues of thirteen weeks at most a few are said to have one, thick or thin."""
    rng = np.random.default_rng(4)
    for size in (15, 80, 2000):
        due = rng.poisson(size, (200, 13)).astype(float)
        in_time = rng.binomial(due.astype(int), 0.96).astype(float)
        told = [late_stretch(d, d, d, t) is not None for d, t in zip(due, in_time, strict=True)]
        assert np.mean(told) <= 0.02
    assert late_stretch([0.0] * 3, [0.0] * 3, [0.0] * 3, [0.0] * 3) is None
    with pytest.raises(ValueError, match="Weeks have items"):
        late_stretch([1.0], [1.0], [1.0], [2.0])
