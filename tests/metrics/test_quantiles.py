"""Quantiles from log buckets: numpy on the durations themselves is the oracle."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import quantiles as qs
from metrics.intervals import mean_design_effect
from metrics.quantiles import bucket_of, group_quantiles, lower_edge, quantile, upper_edge


def histogram(seconds):
    return np.unique(bucket_of(seconds), return_counts=True)


@pytest.mark.parametrize(("n", "sigma"), [(100_000, 0.5), (100_000, 1.4), (1_000_000, 0.9)])
def test_quantiles_of_lognormal_durations_match_numpy(n, sigma):
    """Within 1 %, as stated for durations that are smooth on the scale of a bucket; median about 55 seconds."""
    seconds = np.random.default_rng(n).lognormal(4, sigma, n)
    for q in (0.05, 0.25, 0.5, 0.9, 0.99):
        assert quantile(*histogram(seconds), q).value == pytest.approx(np.quantile(seconds, q), rel=0.01)


@given(
    st.lists(st.floats(1.0, 1e7), min_size=1, max_size=60),
    st.sampled_from([0.1, 0.5, 0.9]),
)
def test_a_quantile_is_never_off_by_more_than_a_bucket(seconds, q):
    """Any durations at all, against numpy's inverted empirical distribution: value and oracle share a bucket."""
    found = quantile(*histogram(seconds), q).value
    exact = [np.quantile(seconds, q, method=method) for method in ("inverted_cdf", "higher")]
    nearest = np.clip(found, min(exact), max(exact))
    assert abs(found / nearest - 1) <= qs.MOST_ERROR + 1e-6


def test_stated_error_is_that_of_a_bucket():
    assert pytest.approx(0.0905, abs=1e-4) == qs.MOST_ERROR
    assert upper_edge(40) / lower_edge(40) - 1 == pytest.approx(qs.MOST_ERROR)


def test_buckets_hold_their_edges_and_doublings_start_new_ones():
    buckets = np.arange(qs.LOWEST_BUCKET, qs.HIGHEST_BUCKET + 1)
    np.testing.assert_array_equal(bucket_of(lower_edge(buckets)), buckets)
    np.testing.assert_array_equal(bucket_of(upper_edge(buckets[:-1]) * (1 - 1e-6)), buckets[:-1])
    np.testing.assert_array_equal(bucket_of([1, 2, 4, 8, 1024]), [0, 8, 16, 24, 80])


def test_durations_beyond_the_range_fall_in_its_ends():
    found = bucket_of([0, -5, 0.3, 1e12, math.nan])
    np.testing.assert_array_equal(found, [qs.LOWEST_BUCKET] * 3 + [qs.HIGHEST_BUCKET, math.nan])


@pytest.mark.parametrize(("n", "q"), [(10, 0.5), (40, 0.9), (200, 0.5), (200, 0.9), (2000, 0.9)])
def test_interval_covers_the_quantile_of_the_population(n, q):
    rng = np.random.default_rng(n)
    population = np.quantile(rng.lognormal(3.5, 0.9, 1_000_000), q)
    seconds = rng.lognormal(3.5, 0.9, (1500, n))
    found = group_quantiles(bucket_of(seconds).ravel(), np.ones(1500 * n), np.repeat(np.arange(1500), n), 1500, q)
    coverage = ((found.low <= population) & (population <= found.high)).mean()
    assert 0.94 <= coverage <= 0.99
    assert (found.low <= found.value).all()
    assert (found.value <= found.high).all()


@pytest.mark.parametrize(("raters", "each", "q"), [(12, 60, 0.5), (40, 25, 0.5), (40, 50, 0.9)])
def test_interval_covers_where_raters_differ_in_speed_and_that_of_independent_durations_does_not(raters, each, q):
    """Raters' typical times differ by a standard deviation of .4 on the log scale, their own times by .7."""
    rng = np.random.default_rng(raters)
    runs, n = 1200, raters * each
    logs = 3.5 + rng.normal(0, 0.4, (runs, raters, 1)) + rng.normal(0, 0.7, (runs, raters, each))
    population = math.exp(3.5 + math.hypot(0.4, 0.7) * {0.5: 0.0, 0.9: 1.2815516}[q])
    sums = logs.sum(2)
    design = mean_design_effect(
        sums.sum(1),
        np.full(runs, n),
        (sums**2).sum(1),
        (sums * each).sum(1),
        np.full(runs, raters * each**2),
        np.full(runs, raters),
        (logs**2).sum((1, 2)),
    )
    rows = bucket_of(np.exp(logs)).ravel(), np.ones(runs * n), np.repeat(np.arange(runs), n), runs, q
    covered = []
    for found in (group_quantiles(*rows, design), group_quantiles(*rows)):
        covered.append(((found.low <= population) & (population <= found.high)).mean())
    assert 0.92 <= covered[0] <= (0.99 if q == 0.5 else 0.999)  # far from the middle it errs on the wide side
    assert covered[1] < 0.75


def test_interval_is_that_of_the_binomial_order_statistics():
    """n = 100, median: ranks 40 and 61 (any table of order-statistic intervals for the median)."""
    seconds = np.sort(np.random.default_rng(1).lognormal(4, 1, 100))
    found = quantile(*histogram(seconds), 0.5)
    assert found.low == pytest.approx(seconds[39], rel=qs.MOST_ERROR)
    assert found.high == pytest.approx(seconds[60], rel=qs.MOST_ERROR)
    one_by_one = quantile(np.arange(100), np.ones(100), 0.5)
    assert (one_by_one.low, one_by_one.high) == pytest.approx((lower_edge(39.5), lower_edge(60.5)))


@pytest.mark.parametrize(
    ("n", "q", "exists"),
    [(5, 0.5, False), (6, 0.5, True), (35, 0.9, False), (37, 0.9, True), (35, 0.1, False), (37, 0.1, True)],
)
def test_no_interval_where_no_rank_can_bound_the_quantile(n, q, exists):
    found = quantile([30], [n], q)
    assert found.value is not None
    assert (found.low is not None) == (found.high is not None) == exists


def test_no_durations_are_missing_with_a_reason():
    for buckets, counts in (([], []), ([3, 4], [0, 0])):
        found = quantile(buckets, counts, 0.5)
        assert (found.value, found.reason) == (None, "no durations")


@pytest.mark.parametrize("q", [0, 1, -0.1, 2])
def test_only_quantiles_inside_0_and_1(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile([1], [1], q)


def test_counts_below_zero_are_refused():
    with pytest.raises(ValueError, match="fewer than 0"):
        quantile([1, 2], [1, -1], 0.5)


def test_groups_are_those_of_one_by_one_and_rows_may_repeat():
    rng = np.random.default_rng(6)
    table = pd.DataFrame(
        {
            "project_id": rng.choice(["a", "b"], 500),
            "pool_id": rng.choice(["x", "y", "z"], 500),
            "bucket": rng.integers(0, 90, 500),
            "n": rng.integers(0, 30, 500),
        }
    )
    group = table.groupby(["project_id", "pool_id"]).ngroup().to_numpy()
    found = group_quantiles(table["bucket"], table["n"], group, 6, 0.9)
    for k in range(6):
        part = table[group == k]
        alone = quantile(part["bucket"], part["n"], 0.9)
        assert [column[k] for column in found] == pytest.approx((alone.value, alone.low, alone.high, alone.n))


def test_group_of_no_durations_has_no_number():
    found = group_quantiles([10, 10], [0, 50], np.array([0, 1]), 3, 0.5)
    assert np.isnan(found.value).tolist() == [True, False, True]
    assert found.n.tolist() == [0, 50, 0]


def test_quantiles_of_ten_million_durations_keep_the_stated_errors():
    """Smooth durations within 1 %; the same rounded to ten seconds, where buckets hold one value, within a bucket."""
    seconds = np.random.default_rng(7).lognormal(4, 0.9, 10_000_000)
    rounded = np.maximum(np.round(seconds, -1), 10.0)
    shares = (0.01, 0.1, 0.5, 0.9, 0.99, 0.999)
    for durations, most in ((seconds, 0.01), (rounded, qs.MOST_ERROR)):
        counts = np.bincount(bucket_of(durations).astype(np.int64))
        ranks = [math.ceil(q * len(durations)) - 1 for q in shares]
        exact = np.partition(durations, ranks)[ranks]
        found = [quantile(np.arange(len(counts)), counts, q) for q in shares]
        assert np.abs(np.array([f.value for f in found]) / exact - 1).max() <= most
        assert {f.n for f in found} == {10_000_000}
