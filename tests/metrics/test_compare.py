"""Changes between two estimates: Newcombe's published example, and that noise is not called a move."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics import compare
from metrics.catalogue import METRICS
from metrics.intervals import wilson


def frame(hits, n) -> pd.DataFrame:
    hits, n = np.atleast_1d(hits).astype(float), np.atleast_1d(n).astype(float)
    value, low, high = wilson(hits, n)
    return pd.DataFrame({"key": range(len(n)), "value": value, "low": low, "high": high, "n": n})


@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 20), 0.6791, 1.0)],
)
def test_the_difference_of_two_shares_has_newcombes_interval(now, before, low, high):
    """Newcombe 1998, Interval estimation for the difference between independent proportions, method 10, table II."""
    found = compare.change(frame(*now), frame(*before), ["key"]).iloc[0]
    assert found["before"] == before[0] / before[1]
    assert found["change"] == pytest.approx(now[0] / now[1] - before[0] / before[1])
    assert found["change_low"] == pytest.approx(low, abs=5e-4)
    assert found["change_high"] == pytest.approx(high, abs=5e-4)


def test_groups_are_matched_by_key_and_one_without_a_number_before_has_no_change():
    now = frame([5, 6, 7], [10, 10, 10]).assign(key=["a", "b", "c"])
    before = frame([1, 2], [10, 10]).assign(key=["c", "a"])
    found = compare.change(now, before, ["key"])
    assert found["change"].tolist() == pytest.approx([0.3, np.nan, 0.6], nan_ok=True)
    assert found["score"].tolist()[1] == 0


def test_noise_is_called_clear_in_about_one_of_twenty():
    r = np.random.default_rng(5)
    n = np.full(4000, 400.0)
    found = compare.change(frame(r.binomial(400, 0.9, 4000), n), frame(r.binomial(400, 0.9, 4000), n), ["key"])
    assert 0.03 < ((found["change_low"] > 0) | (found["change_high"] < 0)).mean() < 0.07
    assert compare.largest(found, 4000)["clear"].sum() < 8  # and of all those none is called clear among so many


def test_of_the_moves_listed_few_are_chance():
    """300 of 3,000 shares moved by six points; of those listed at most about one in twenty did not move."""
    r = np.random.default_rng(6)
    n = np.full(3000, 400.0)
    truth = np.where(np.arange(3000) < 300, 0.84, 0.9)
    found = compare.change(frame(r.binomial(400, truth), n), frame(r.binomial(400, 0.9, 3000), n), ["key"])
    listed = compare.largest(found, 3000)
    listed = listed[listed["clear"]]
    assert (listed.index >= 300).mean() < 0.08
    assert len(listed) > 60


def test_direction_decides_what_is_better():
    up, down = (0.02, 0.01, 0.03), (-0.02, -0.03, -0.01)
    assert compare.judge(METRICS["gold_accuracy"], *up) == compare.BETTER
    assert compare.judge(METRICS["gold_accuracy"], *down) == compare.WORSE
    assert compare.judge(METRICS["rework_rate"], *up) == compare.WORSE
    assert compare.judge(METRICS["skip_rate"], *up) == compare.NEITHER
    assert compare.judge(METRICS["gold_accuracy"], 0.02, -0.01, 0.05) == compare.UNCLEAR
    assert compare.judge(METRICS["judgements"], 20.0, np.nan, np.nan) == compare.UNCLEAR


def test_the_largest_moves_are_those_clearest_of_their_own_uncertainty():
    now, before = frame([950, 60, 500], [1000, 100, 1000]), frame([900, 50, 501], [1000, 100, 1000])
    found = compare.largest(compare.change(now, before, ["key"]))
    assert found.index.tolist() == [0]  # ten points on a hundred are within noise, five on a thousand are not
