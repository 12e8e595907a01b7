"""Quantiles from log buckets: numpy on the durations themselves is the oracle."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import quantiles as qs
from metrics.quantiles import bucket_of, grouped_quantile, lower_edge, quantile, upper_edge


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
    table = pd.DataFrame({"group": np.repeat(np.arange(1500), n), "bucket": bucket_of(seconds).ravel(), "n": 1})
    found = grouped_quantile(table, ["group"], q)
    coverage = ((found["low"] <= population) & (population <= found["high"])).mean()
    assert 0.94 <= coverage <= 0.99
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()


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
    found = grouped_quantile(table, ["project_id", "pool_id"], 0.9)
    assert list(found.columns) == ["project_id", "pool_id", "value", "low", "high", "n"]
    assert len(found) == 6
    for row in found.itertuples():
        part = table[(table["project_id"] == row.project_id) & (table["pool_id"] == row.pool_id)]
        alone = quantile(part["bucket"], part["n"], 0.9)
        assert (row.value, row.low, row.high, row.n) == pytest.approx((alone.value, alone.low, alone.high, alone.n))


def test_group_of_no_durations_has_no_number():
    table = pd.DataFrame({"pool_id": ["a", "b"], "bucket": [10, 10], "n": [0, 50]})
    found = grouped_quantile(table, ["pool_id"], 0.5)
    assert found["value"].isna().tolist() == [True, False]
    assert found["n"].tolist() == [0, 50]
