"""Throughput as the catalogue has it, paid time, SLA attainment: sums, coverage over simulated clusters, reasons."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metrics import throughput as tp
from metrics.catalogue import METRICS
from metrics.shapes import clusters_name, product_name
from metrics.throughput import paid_time, sla_attainment

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


def test_overdue_and_open_items_count_as_missed():
    """80 decided in time, 5 too late, 15 still open: 80 of 100, not 80 of 85."""
    found = sla_attainment(["q", "q"], [1, 2], [60, 40], [50, 30], [8, 7]).iloc[0]
    assert found["value"] == 0.8
    assert found[["n", "missed", "late", "overdue_open"]].tolist() == [100, 20, 5, 15]
    assert found["low"] < 0.8 < found["high"]
    unknown = sla_attainment(["q", "q"], [1, 2], [60, 40], [50, 30])
    assert unknown[["late", "overdue_open"]].isna().all(axis=None)
    assert unknown["value"].tolist() == [0.8]
    assert list(unknown) == list(tp.ATTAINMENT_COLUMNS)


def test_attainment_covers_when_weeks_differ():
    rng = np.random.default_rng(1)
    runs, weeks = 1500, 13
    due = np.round(rng.lognormal(6, 0.3, (runs, weeks)))
    share = rng.beta(0.9 * 19, 0.1 * 19, (runs, weeks))
    in_time = rng.binomial(due.astype(int), share)
    group, week = np.repeat(np.arange(runs), weeks), np.tile(np.arange(weeks), runs)
    found = sla_attainment(group, week, due.ravel(), in_time.ravel())
    assert 0.93 <= ((found["low"] <= 0.9) & (found["high"] >= 0.9)).mean() <= 0.97


def test_nothing_due_is_null():
    found = sla_attainment(["a", "b"], [1, 1], [0, 10], [0, 10])
    assert found["reason"].tolist() == [tp.NO_DUE, ""]
    assert found["value"].isna().tolist() == [True, False]
    assert found["value"][1] == 1
    assert found["low"][1] < 1


def test_groups_are_apart_and_rows_add_up():
    rng = np.random.default_rng(2)
    group, cluster = rng.choice(list("abc"), 60), rng.integers(0, 5, 60)
    due = rng.integers(5, 50, 60).astype(float)
    in_time = rng.binomial(due.astype(int), 0.9).astype(float)
    together = sla_attainment(group, cluster, due, in_time)
    for name in "abc":
        own = group == name
        alone = sla_attainment(group[own], cluster[own], due[own], in_time[own])
        pd.testing.assert_frame_equal(together[together["group"] == name].reset_index(drop=True), alone)
    doubled = sla_attainment(*(np.tile(x, 2) for x in (group, cluster)), *(np.tile(x / 2, 2) for x in (due, in_time)))
    pd.testing.assert_frame_equal(together, doubled)


@pytest.mark.parametrize(
    "arguments", [(["a"], [1], [-1], [0]), (["a"], [1], [1], [np.nan]), (["a", "b"], [1, 1], [1], [1])]
)
def test_sums_that_cannot_be_are_refused(arguments):
    with pytest.raises(ValueError, match="due"):
        sla_attainment(*arguments)


def test_more_in_time_and_open_than_due_is_refused():
    with pytest.raises(ValueError, match="among those due"):
        sla_attainment(["a"], [1], [10], [8], [3])


# ---- where paid time goes --------------------------------------------------------------------------------------


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
        ((0, 0, 0, 0), None, tp.NO_LOGGED_HOURS),
        ((3600, 3700, 3600, 3600), None, tp.MORE_ACTIVE),
        ((3600, 1800, 0, 0), 0.5, tp.NO_AVAILABLE_HOURS),
        ((3600, 1800, 1700, 900), 0.5, tp.NO_AVAILABLE_HOURS),  # known of half the shifts only
        ((3600, 1800, 1700, 1800), 0.5, tp.MORE_THAN_AVAILABLE),
        ((3600, 1800, 3700, 1800), 0.5, tp.MORE_THAN_AVAILABLE),
    ],
)
def test_paid_time_that_cannot_be_told_apart_has_a_reason(seconds, items, reason):
    found = paid_time(*seconds)
    assert (found.items, found.waiting, found.away, found.reason) == (items, None, None, reason)
