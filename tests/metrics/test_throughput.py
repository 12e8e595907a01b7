"""Throughput, time use and SLA attainment: plain sums, coverage over simulated clusters, reasons."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metrics import throughput as tp
from metrics.throughput import paid_time, sla_attainment, throughput, time_use


def test_an_hour_brings_the_sum_over_the_sum():
    found = throughput(
        ["b", "a", "a", "a"], ["r1", "r1", "r2", "r2"], [100, 30, 20, 10], [90, 20, 20, 5], [7200, 3600, 1800, 1800]
    )
    assert found["group"].tolist() == ["a", "a", "b", "b"]
    assert found["metric"].tolist() == ["judgements_per_hour", "accepted_per_hour"] * 2
    assert found["value"].tolist() == [30, 22.5, 50, 45]
    assert found["n"].tolist() == [2, 2, 2, 2]
    assert (found["reason"] == "").all()
    assert list(found) == list(tp.COLUMNS)
    # One rater alone: a value, and nothing on how raters differ.
    assert found["low"].isna().tolist() == [False, False, True, True]


def test_the_interval_of_equal_raters_hours_is_a_mean_with_student_t_and_a_longer_upper_end():
    """Equal hours each: the delta-method interval of a mean over raters, by scipy, and Hall's term (skewness 3 CV)."""
    per_hour = np.array([40.0, 52, 47, 35, 60, 44])
    found = throughput(["g"] * 6, range(6), per_hour * 10, per_hour * 8, np.full(6, 36_000.0)).iloc[0]
    error, z = stats.sem(per_hour) / per_hour.mean(), stats.norm.ppf(0.975)
    half = stats.t.ppf(0.975, 5) * error
    ends = [0, -half, half + error**2 * (3 * (2 * z**2 + 1) / 6 - z**2 / 2)]
    assert found[["value", "low", "high"]].tolist() == pytest.approx(list(per_hour.mean() * np.exp(ends)))


def test_intervals_cover_when_raters_differ():
    rng = np.random.default_rng(0)
    runs, raters = 1500, 12
    seconds = rng.lognormal(10, 0.5, (runs, raters))
    pace = 40 * rng.lognormal(-0.02, 0.2, (runs, raters))
    done = rng.poisson(pace * seconds / 3600)
    accepted = rng.binomial(done, 0.9)
    group, rater = np.repeat(np.arange(runs), raters), np.tile(np.arange(raters), runs)
    found = throughput(group, rater, done.ravel(), accepted.ravel(), seconds.ravel())
    for metric, truth in (("judgements_per_hour", 40), ("accepted_per_hour", 36)):
        part = found[found["metric"] == metric]
        assert 0.93 <= ((part["low"] <= truth) & (truth <= part["high"])).mean() <= 0.97


def test_hours_go_where_the_sums_say():
    found = time_use(
        ["g", "g", "h"],
        [1, 2, 1],
        np.array([100, 100, 40]) * 3600,
        np.array([90, 95, 44]) * 3600,
        np.array([60, 70, 22]) * 3600,
        np.array([80, 75, 33]) * 3600,
    ).set_index(["group", "metric"])
    expected = {
        "utilisation": (130 / 185, 0.5, 185, 44),
        "idle": (55 / 185, 0.5, 185, 44),
        "idle_hours": (27.5, 22, 2, 1),
        "occupancy": (130 / 155, 22 / 33, 155, 33),
        "adherence": (185 / 200, 1.1, 200, 40),
    }
    assert list(found.index) == [(g, m) for g in "gh" for m in expected]
    for metric, (g, h, n_g, n_h) in expected.items():
        assert found.loc[("g", metric), ["value", "n"]].tolist() == pytest.approx([g, n_g])
        assert found.loc[("h", metric), ["value", "n"]].tolist() == pytest.approx([h, n_h])
    assert (found["reason"] == "").all()


def test_shares_stay_below_1_and_adherence_may_not():
    weeks = np.arange(4)
    logged = np.array([50, 10, 40, 30]) * 3600.0
    found = time_use(["g"] * 4, weeks, logged * 0.8, logged, logged * [0.99, 0.4, 1.0, 0.9], logged)
    found = found.set_index("metric")
    assert found.loc["utilisation", "high"] == found.loc["occupancy", "high"] == 1
    assert found.loc["utilisation", "low"] < found.loc["utilisation", "value"] < 1
    assert found.loc["adherence", "value"] == pytest.approx(1.25)


def test_no_hours_no_number():
    found = time_use(["a", "b"], [1, 1], [0, 3600], [3600, 0], [1800, 0]).set_index(["group", "metric"])["reason"]
    assert found["a"].to_dict() == {
        "utilisation": "",
        "idle": "",
        "idle_hours": "",
        "occupancy": tp.NO_AVAILABLE_HOURS,
        "adherence": tp.NO_SCHEDULED_HOURS,
    }
    assert found["b"].to_dict() == {
        "utilisation": tp.NO_LOGGED_HOURS,
        "idle": tp.NO_LOGGED_HOURS,
        "idle_hours": tp.NO_LOGGED_HOURS,
        "occupancy": tp.NO_AVAILABLE_HOURS,
        "adherence": "",
    }
    zero = throughput(["a"], [1], [5], [5], [0])
    assert zero["reason"].tolist() == [tp.NO_PRODUCTIVE_HOURS] * 2
    assert zero[["value", "low", "high"]].isna().all(axis=None)


def test_more_active_than_logged_time_is_no_utilisation():
    found = time_use(["a"] * 2, [1, 2], [3600] * 2, [3600] * 2, [3700] * 2, [3600] * 2).set_index("metric")
    assert found.loc[["utilisation", "idle", "idle_hours"], "reason"].tolist() == [tp.MORE_ACTIVE] * 3
    assert found.loc["occupancy", "reason"] == tp.MORE_THAN_AVAILABLE
    assert found["value"].notna().tolist() == [False, False, False, False, True]


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
    logged = rng.uniform(1, 9, 60) * 3600
    rows = logged * 1.1, logged, logged * rng.uniform(0.5, 0.9, 60)
    together = time_use(group, cluster, *rows)
    for name in "abc":
        own = group == name
        alone = time_use(group[own], cluster[own], *(x[own] for x in rows))
        pd.testing.assert_frame_equal(together[together["group"] == name].reset_index(drop=True), alone)
    doubled = time_use(np.tile(group, 2), np.tile(cluster, 2), *(np.tile(x / 2, 2) for x in rows))
    pd.testing.assert_frame_equal(together, doubled)


@pytest.mark.parametrize(
    "arguments",
    [(["a"], [1], [-1], [0], [60]), (["a"], [1], [1], [np.nan], [60]), (["a", "b"], [1, 1], [1], [1], [60])],
)
def test_sums_that_cannot_be_are_refused(arguments):
    with pytest.raises(ValueError, match="judgements"):
        throughput(*arguments)


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
    use = time_use(["g"] * 50, range(50), logged, logged, active, available).set_index("metric")["value"]
    assert found.items == pytest.approx(use["utilisation"])
    assert found.waiting + found.away == pytest.approx(use["idle"])
    assert found.items / (found.items + found.waiting) == pytest.approx(use["occupancy"])


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
