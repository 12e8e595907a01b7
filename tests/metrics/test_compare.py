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
    assert found["value"] == pytest.approx(now[0] / now[1] - before[0] / before[1])
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def test_noise_is_called_clear_in_about_one_of_twenty():
    r = np.random.default_rng(5)
    n = np.full(4000, 400.0)
    found = compare.change(frame(r.binomial(400, 0.9, 4000), n), frame(r.binomial(400, 0.9, 4000), n), ["key"])
    assert 0.03 < ((found["low"] > 0) | (found["high"] < 0)).mean() < 0.07


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
    assert found["key"].tolist() == [0]  # ten points on a hundred are within noise, five on a thousand are not
