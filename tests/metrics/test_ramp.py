"""Ramp: known curves found again, coverage over simulated cohorts, scipy's fit, reasons, and leavers' arithmetic."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from metrics import ramp as rp
from metrics.ramp import attrition_cost, ramp
from metrics.spec import Estimate

TARGET = 0.92


def cohort(rng, name="2026-01", raters=25, weeks=26, start=150.0, plateau=85.0, power=1.1, quality=1.0, each=120):
    """Rows of raters who start slow and err much, and of the same cohort's later weeks (27 to 40) at 80 seconds.

    Errors: .06 + .14·x^-quality; pace: raters differ by 8 %.
    """
    x = np.tile(np.arange(1, weeks + 15 if weeks == 26 else weeks + 1), (raters, 1))
    own = np.exp(rng.normal(-0.0032, 0.08, (raters, 1)))
    seconds = np.where(x <= 26, plateau + (start - plateau) * x.astype(float) ** -power, 80.0) * own
    n = rng.poisson(each, x.shape) + 1
    gold = rng.binomial(n, 0.25)
    right = rng.binomial(gold, 1 - (0.06 + 0.14 * x.astype(float) ** -quality))
    rater = np.broadcast_to(np.array([f"{name} {i}" for i in range(raters)])[:, None], x.shape)
    columns = {"rater": rater, "week": x, "judgements": n, "seconds": rng.gamma(2 * n, seconds / 2)}
    columns |= {"gold": gold, "right": right}
    return pd.DataFrame({"cohort": name} | {c: v.ravel() for c, v in columns.items()})


def measured(rows, **options):
    columns = ("cohort", "rater", "week", "judgements", "seconds", "gold", "right")
    return ramp(*(rows[c] for c in columns), **({"target_accuracy": TARGET} | options))


def test_the_fit_is_scipys():
    rows = cohort(np.random.default_rng(0), raters=40, each=800)
    found = measured(rows)
    early = rows[rows["week"] <= 26].groupby("week")[["judgements", "seconds", "gold", "right"]].sum()
    x, y = early.index.to_numpy(float), (early["seconds"] / early["judgements"]).to_numpy()

    def curve(x, start, plateau, power):
        return plateau + (start - plateau) * x**-power

    best, _ = optimize.curve_fit(curve, x, y, p0=[140, 80, 1.0], sigma=early["judgements"] ** -0.5)
    np.testing.assert_allclose(3600 / found.weeks["per_hour_fitted"][:26], curve(x, *best), rtol=2e-3)
    late = rows[rows["week"] >= 26]
    tenured = late["seconds"].sum() / late["judgements"].sum()
    assert found.tenured.value == pytest.approx(3600 / tenured)
    weeks = ((best[0] - best[1]) / (tenured / 0.9 - best[1])) ** (1 / best[2])
    row = found.cohorts.iloc[0]
    assert row["speed_weeks"] == pytest.approx(weeks, rel=0.03)
    errors = (1 - early["right"] / early["gold"]).to_numpy()
    best, _ = optimize.curve_fit(curve, x, errors, p0=[0.2, 0.05, 1.0], sigma=early["gold"] ** -0.5)
    np.testing.assert_allclose(1 - found.weeks["accuracy_fitted"][:26], curve(x, *best), atol=1e-3)
    assert row["value"] == max(row["speed_weeks"], row["quality_weeks"])


@pytest.mark.parametrize("same_people", [True, False])
@pytest.mark.parametrize(("quality", "weeks"), [(2.0, (70 / (80 / 0.9 - 80)) ** (1 / 1.1)), (0.8, 7**1.25)])
def test_intervals_cover_known_weeks(quality, weeks, same_people):
    """Pace 80 + 70·x^-1.1 <= 80/.9 after 6.5 weeks; errors .06 + .14·x^-q <= .08 after 2.6, or 11.4 weeks."""
    rng, rows = np.random.default_rng(1), []
    for i in range(200):
        own, others = (cohort(rng, name, plateau=80, quality=quality, each=400) for name in "ab")
        late = own if same_people else others
        mixed = pd.concat([own[own["week"] <= 26], late[late["week"] > 26]])
        rows.append(measured(mixed, draws=150, seed=i, tenured_from=27).cohorts.iloc[0])
    told = [row for row in rows if not row["reason"]]
    assert len(told) >= 190
    inside = [row["low"] <= weeks <= (np.inf if np.isnan(row["high"]) else row["high"]) for row in told]
    assert 0.93 <= np.mean(inside) <= 0.97
    assert np.median([row["value"] for row in told]) == pytest.approx(weeks, rel=0.1)


def test_pace_and_quality_each_can_be_the_later():
    rng = np.random.default_rng(2)
    slow = measured(cohort(rng, plateau=80, power=0.8, quality=2.0, raters=60, each=400)).cohorts.iloc[0]
    assert slow["value"] == slow["speed_weeks"] > slow["quality_weeks"]
    faulty = measured(cohort(rng, plateau=78, power=2.0, quality=1.0, raters=60, each=400)).cohorts.iloc[0]
    assert faulty["value"] == faulty["quality_weeks"] > faulty["speed_weeks"]
    assert faulty["speed_weeks"] == pytest.approx((72 / (80 / 0.9 - 78)) ** 0.5, rel=0.1)


def test_the_table_of_weeks_holds_the_sums():
    rows = cohort(np.random.default_rng(3))
    found = measured(rows)
    third = rows[rows["week"] == 3]
    row = found.weeks.set_index("week").loc[3]
    assert row["per_hour"] == pytest.approx(third["judgements"].sum() / third["seconds"].sum() * 3600)
    assert row["of_tenured"] == pytest.approx(row["per_hour"] / found.tenured.value)
    assert row["accuracy"] == pytest.approx(third["right"].sum() / third["gold"].sum())
    assert row["per_hour_low"] < row["per_hour"] < row["per_hour_high"]
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert (row["raters"], row["judgements"], row["gold"]) == (25, third["judgements"].sum(), third["gold"].sum())
    assert list(found.weeks) == list(rp.WEEK_COLUMNS)
    assert list(found.cohorts) == list(rp.COHORT_COLUMNS)
    assert found.weeks["week"].max() == 26


def test_hours_lost_are_those_of_the_curve():
    """Hours at work times how far the fitted pace lies behind the tenured one, week by week until it is reached."""
    rows = cohort(np.random.default_rng(4), plateau=80)
    found = measured(rows)
    row, weeks = found.cohorts.iloc[0], found.weeks
    lost = 0.0
    for week in range(1, 27):
        if week < row["speed_weeks"]:
            mean_hours = rows[rows["week"] == week]["seconds"].sum() / 3600 / 25
            lost += mean_hours * (1 - weeks["per_hour_fitted"][week - 1] / found.tenured.value)
    assert row["loss_hours"] == pytest.approx(lost)
    assert row["loss_low"] < row["loss_hours"] < row["loss_high"]


def test_cohorts_are_apart_and_rows_add_up():
    rng = np.random.default_rng(5)
    a, b = cohort(rng, "a", plateau=80), cohort(rng, "b", plateau=80, start=300)
    both = measured(pd.concat([b, a]))
    assert both.cohorts["cohort"].tolist() == ["a", "b"]
    assert both.cohorts["loss_hours"][1] > 2 * both.cohorts["loss_hours"][0]
    sums = ["judgements", "seconds", "gold", "right"]
    half = a.assign(**{c: a[c] // 2 for c in sums})
    rest = a.assign(**{c: a[c] - half[c] for c in sums})
    whole, split = measured(a), measured(pd.concat([half, rest]))
    pd.testing.assert_frame_equal(whole.cohorts, split.cohorts)


def test_a_raters_early_and_late_weeks_are_drawn_together():
    """Every rater keeps to a pace of his own: whoever is drawn, the cohort's ratio to its later self is the same."""
    own, weeks = np.linspace(0.7, 1.4, 9), np.arange(1, 41.0)
    rater, week = (x.ravel() for x in np.meshgrid(np.arange(9), weeks, indexing="ij"))
    seconds = 100 * own[rater] * np.where(week <= 26, 80 + 70 / week, 80)
    rows = pd.DataFrame({"cohort": "b", "rater": rater, "week": week, "judgements": 100, "seconds": seconds})
    rows = rows.assign(gold=50, right=49)
    others = rows[week <= 26].assign(cohort="a", rater=rater[week <= 26] % 4)  # come before them in any order
    row = measured(pd.concat([others, rows]), tenured_from=27).cohorts.iloc[1]
    assert row["low"] == pytest.approx(row["value"]) == row["high"]
    assert row["value"] == pytest.approx(70 / (80 / 0.9 - 80), rel=0.02)


def test_weeks_that_many_draws_do_not_reach_are_not_told():
    def why(value, beyond):
        return rp._why_not(np.array([value] + [5.0] * (10 - beyond) + [9.0] * beyond), 8.0, rp.TOO_SLOW)

    assert [why(5.0, 0), why(5.0, 2), why(5.0, 3), why(9.0, 0)] == ["", "", rp.BEYOND, rp.BEYOND]
    assert why(np.inf, 0) == rp.TOO_SLOW


def test_a_curve_has_no_plateau_below_0():
    """Falling as a straight line: the free optimum lies below 0; at 0 a power of x alone is left."""
    x = np.arange(1, 21)
    start, plateau, power = rp._power_law(x, (1.05 - 0.05 * x)[None], np.ones((1, 20)))[0]
    assert plateau == 0
    tried = [((1.05 - 0.05 * x - g * x**-b) ** 2).sum() for b in rp.RATES for g in np.linspace(0.5, 1.5, 201)]
    assert ((1.05 - 0.05 * x - start * x**-power) ** 2).sum() <= min(tried) + 1e-9


def test_the_seed_alone_decides():
    rows = cohort(np.random.default_rng(6), plateau=80)
    pd.testing.assert_frame_equal(measured(rows, seed=1).cohorts, measured(rows, seed=1).cohorts)
    assert not measured(rows, seed=1).cohorts.equals(measured(rows, seed=2).cohorts)


def test_raters_who_were_never_slow_are_there_from_the_first_week():
    row = measured(cohort(np.random.default_rng(7), start=80, plateau=80, quality=5.0)).cohorts.iloc[0]
    assert row["speed_weeks"] == row["loss_low"] + 1 == 1
    assert row["loss_hours"] == 0


def reasons(rows, **options):
    row = measured(rows, **options).cohorts.iloc[0]
    assert row[["value", "low", "high"]].isna().all() == bool(row["reason"])
    assert row[["speed_weeks", "loss_hours"]].isna().all() == bool(row["speed_reason"])
    assert np.isnan(row["quality_weeks"]) == bool(row["quality_reason"])
    return row["reason"], row["speed_reason"], row["quality_reason"]


def test_what_cannot_be_told_has_a_reason():
    rng = np.random.default_rng(8)
    good = cohort(rng, plateau=80, each=400)
    assert reasons(good) == ("", "", "")
    assert reasons(cohort(rng, plateau=110, power=2.0, each=400)) == (rp.TOO_SLOW, rp.TOO_SLOW, "")
    assert reasons(good, target_accuracy=0.99) == (rp.TOO_FAULTY, "", rp.TOO_FAULTY)
    assert reasons(good.assign(gold=0, right=0)) == (rp.NO_GOLD, "", rp.NO_GOLD)
    few = good.assign(gold=good["gold"].where(good["week"] < 4, 0), right=good["right"].where(good["week"] < 4, 0))
    assert reasons(few) == (rp.FEW_GOLD_WEEKS, "", rp.FEW_GOLD_WEEKS)
    assert reasons(good[good["week"] < 26])[0] == rp.NO_REFERENCE
    assert reasons(good[(good["week"] < 5) | (good["week"] > 26)])[0] == rp.FEW_WEEKS
    assert reasons(good[good["week"] > 26])[0] == rp.NO_WORK
    two = pd.concat([good, cohort(rng, "0 small", raters=2, plateau=80)])
    assert reasons(two)[0] == rp.FEW_RATERS
    slow = pd.concat([good, cohort(rng, "0 new", weeks=8, plateau=80, power=0.6, each=800)])
    assert reasons(slow)[:2] == (rp.BEYOND, rp.BEYOND)


def test_nothing_at_all_is_an_empty_table():
    found = ramp([], [], [], [], [], [], [], target_accuracy=0.9)
    assert len(found.cohorts) == len(found.weeks) == 0
    assert found.tenured.reason == rp.NO_REFERENCE


@pytest.mark.parametrize(
    "change",
    [{"week": 0}, {"judgements": -1}, {"right": 1e9}, {"seconds": 0}, {"gold": np.nan}],
)
def test_sums_that_cannot_be_are_refused(change):
    rows = cohort(np.random.default_rng(9), raters=3).assign(**change)
    with pytest.raises(ValueError, match=r"Weeks of tenure|No more gold"):
        measured(rows)


@pytest.mark.parametrize("options", [{"share": 0}, {"target_accuracy": 1.2}, {"ramp_weeks": 2}, {"tenured_from": 1}])
def test_aims_that_cannot_be_are_refused(options):
    with pytest.raises(ValueError, match="Aims"):
        measured(cohort(np.random.default_rng(9), raters=3), **options)


# ---- leavers


def test_cost_of_attrition_is_the_sum_of_its_parts():
    found = attrition_cost(6, Estimate(50.0, 40.0, 65.0, 20), 12.0, 900.0, 400.0, average_headcount=80)
    assert found.ramp == Estimate(3600.0, 2880.0, 4680.0, 6)
    assert (found.hiring.value, found.training.value) == (5400, 2400)
    assert found.total == Estimate(11400.0, 10680.0, 12480.0, 6)
    assert found.per_leaver == Estimate(1900.0, 1780.0, 2080.0, 6)
    assert found.rate.value == pytest.approx(0.075)


def test_what_is_not_known_of_leavers_has_a_reason():
    unknown = attrition_cost(3, Estimate.missing("fewer than 3 raters"), 12, 900, 400)
    assert unknown.total.reason == unknown.per_leaver.reason == unknown.ramp.reason == "fewer than 3 raters"
    assert unknown.hiring.value == 2700
    assert unknown.rate.reason == rp.NO_HEADCOUNT
    assert attrition_cost(3, Estimate(1.0), 12, 900, 400, 0).rate.reason == rp.NO_HEADCOUNT
    uncounted = attrition_cost(None, Estimate(10.0), 12, 900, 400, 50)
    assert uncounted.total.reason == uncounted.rate.reason == uncounted.hiring.reason == rp.NO_LEAVERS
    assert uncounted.per_leaver.value == 1420
    nobody = attrition_cost(0, Estimate(10.0, 5.0, 15.0), 12, 900, 400, 50)
    assert (nobody.total.value, nobody.rate.value) == (0, 0)
    with pytest.raises(ValueError, match="0 or more"):
        attrition_cost(-1, Estimate(1.0), 12, 900, 400)
