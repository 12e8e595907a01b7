"""Throughput as the catalogue has it: sums, an interval by hand, coverage over simulated raters."""

import numpy as np
import pytest
from scipy import stats

from metrics.catalogue import METRICS
from metrics.shapes import clusters_name, product_name

ACCEPTED, JUDGED = METRICS["accepted_labels_per_hour"], METRICS["throughput_per_hour"]


def an_hour(metric, count, seconds):
    """The catalogue's estimate of groups (rows) from raters' sums (columns)."""
    x, n = metric.shape.pair
    count, seconds = (np.atleast_2d(np.asarray(v, float)) for v in (count, seconds))
    sums = {x: count.sum(1), n: seconds.sum(1), product_name(x, x): (count**2).sum(1)}
    sums |= {product_name(x, n): (count * seconds).sum(1), product_name(n, n): (seconds**2).sum(1)}
    return metric.shape.estimate(sums | {clusters_name(n): (seconds > 0).sum(1).astype(float)}, metric)


def test_an_hour_brings_the_sum_over_the_sum():
    found = an_hour(ACCEPTED, [[20, 25], [90, 0]], [[3600, 3600], [7200, 0]])
    assert found.value.tolist() == [22.5, 45] and found.n.tolist() == [2, 2]
    assert an_hour(JUDGED, [30, 30], [3600, 3600]).value.tolist() == [30]
    # One rater alone: a value, and nothing on how raters differ.
    assert np.isnan(found.low).tolist() == [False, True]


def test_the_interval_of_equal_raters_hours_is_a_mean_with_student_t_and_a_longer_upper_end():
    """Equal hours each: the delta-method interval of a mean over raters, by scipy, and Hall's term (skewness 3 CV)."""
    per_hour = np.array([40.0, 52, 47, 35, 60, 44])
    found = an_hour(ACCEPTED, per_hour * 10, np.full(6, 36_000.0))
    error, z = stats.sem(per_hour) / per_hour.mean(), stats.norm.ppf(0.975)
    half = stats.t.ppf(0.975, 5) * error
    ends = [0, -half, half + error**2 * (3 * (2 * z**2 + 1) / 6 - z**2 / 2)]
    known = [float(x[0]) for x in (found.value, found.low, found.high)]
    assert known == pytest.approx(list(per_hour.mean() * np.exp(ends)))


def test_intervals_cover_when_raters_differ():
    rng = np.random.default_rng(0)
    runs, raters = 1500, 12
    seconds = rng.lognormal(10, 0.5, (runs, raters))
    pace = 40 * rng.lognormal(-0.02, 0.2, (runs, raters))
    done = rng.poisson(pace * seconds / 3600)
    accepted = rng.binomial(done, 0.9)
    for metric, count, truth in ((JUDGED, done, 40), (ACCEPTED, accepted, 36)):
        found = an_hour(metric, count, seconds)
        assert 0.93 <= ((found.low <= truth) & (truth <= found.high)).mean() <= 0.97


def test_no_hours_no_number():
    found = an_hour(ACCEPTED, [0, 0], [0, 0])
    assert np.isnan(found.value).all() and np.isnan(found.low).all()
