"""Fatigue: the estimator against statsmodels, coverage, planted slopes found, differences between raters not."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats

from metrics.fatigue import CANNOT_TELL, FALL, NO_SIGN, RISE, fatigue, within_raters


def shifts(rng, raters, slope, each=8, hours=8, drift=0.0):
    """Cells of rater x hour with a rise of ``slope`` an hour; ``drift``: how good raters choose late hours."""
    error = rng.uniform(0.06, 0.2, raters)
    rater, hour = np.repeat(np.arange(raters), hours), np.tile(np.arange(hours), raters)
    own = slope + rng.normal(0, 0.003, raters)[rater]
    volume = each * rng.lognormal(-0.2, 0.6, raters)[rater] * np.exp(drift * (error[rater] - 0.13) * (hour - 3.5))
    n = rng.poisson(volume)
    wrong = rng.binomial(n, np.clip(error[rater] + own * (hour - 3.5), 0, 1))
    return rater, hour, n, wrong


def test_slope_and_error_are_those_of_a_dummy_regression_clustered_by_rater():
    """statsmodels: weighted least squares with an effect per rater; errors but for the small-sample factor."""
    rater, hour, n, wrong = shifts(np.random.default_rng(0), 40, 0.01)
    rows = pd.DataFrame({"rater": rater, "hour": hour, "n": n, "y": wrong / np.maximum(n, 1)})[n > 0]
    fit = smf.wls("y ~ C(rater) + hour", rows, weights=rows["n"]).fit(
        cov_type="cluster", cov_kwds={"groups": rows["rater"], "use_correction": False}
    )
    found = within_raters(rater, hour, wrong, n).iloc[0]
    assert found["value"] == pytest.approx(fit.params["hour"])
    centred = rows["hour"] - (rows["hour"] * rows["n"]).groupby(rows["rater"]).transform("sum") / rows.groupby("rater")[
        "n"
    ].transform("sum")
    own = (rows["n"] * centred**2).groupby(rows["rater"]).sum()
    carry = own.sum() ** 2 / (own**2).sum()
    half = stats.t.ppf(0.975, carry - 1) * fit.bse["hour"] * np.sqrt(carry / (carry - 1))
    assert (found["low"], found["high"]) == pytest.approx((found["value"] - half, found["value"] + half))
    assert found["p"] == pytest.approx(
        2 * stats.t.sf(abs(found["value"]) / (half / stats.t.ppf(0.975, carry - 1)), carry - 1)
    )
    assert (found["raters"], found["n"]) == (40, n.sum())


@pytest.mark.parametrize(("raters", "each"), [(6, 8), (8, 60), (25, 2), (150, 8)])
def test_intervals_cover_and_steady_groups_are_not_called(raters, each):
    rng = np.random.default_rng(raters)
    sets = 1000 if raters < 100 else 500
    parts = [shifts(rng, raters, 0.01, each) for _ in range(sets)]
    rater, hour, n, wrong = (np.concatenate(c) for c in zip(*parts, strict=True))
    group = np.repeat(np.arange(sets), [len(p[0]) for p in parts])
    found = within_raters(rater, hour, wrong, n, group)
    covered = np.mean((found["low"] <= 0.01) & (found["high"] >= 0.01))
    assert 0.93 <= covered <= 0.97
    steady = [shifts(rng, raters, 0.0, each) for _ in range(sets)]
    rater, hour, n, wrong = (np.concatenate(c) for c in zip(*steady, strict=True))
    found = fatigue(rater, hour, n, wrong, group)
    assert 0.03 <= np.mean(found["p"] < 0.05) <= 0.065
    assert found["verdict"].isin([RISE, FALL]).mean() <= 0.005


def test_planted_fatigue_is_found_in_its_pool_only():
    rng = np.random.default_rng(1)
    pools = [shifts(rng, 40, 0.015 if p == "night" else 0.0, each=100) for p in ("day", "evening", "night")]
    rater, hour, n, wrong = (np.concatenate(c) for c in zip(*pools, strict=True))
    group = np.repeat(["day", "evening", "night"], 320)
    found = fatigue(rater, hour, n, wrong, group).set_index("group")
    assert found["verdict"].to_dict() == {"day": NO_SIGN, "evening": NO_SIGN, "night": RISE}
    assert found.loc["night", "value"] == pytest.approx(0.015, abs=0.004)
    assert found.loc["night", "mean"] == pytest.approx(wrong[group == "night"].sum() / n[group == "night"].sum())
    assert fatigue(rater, -hour, n, wrong, group)["verdict"].iloc[2] == FALL


def test_who_works_late_does_not_matter():
    """Those with many errors work late: between raters errors rise with the hour, within them they do not."""
    rng = np.random.default_rng(2)
    rater, hour, n, wrong = shifts(rng, 300, 0.0, each=20, drift=5.0)
    naive = np.polyfit(hour[n > 0], (wrong / np.maximum(n, 1))[n > 0], 1, w=np.sqrt(n[n > 0]))[0]
    found = fatigue(rater, hour, n, wrong).iloc[0]
    assert naive > 0.003
    assert abs(found["value"]) < 0.002
    assert found["verdict"] == NO_SIGN


def test_items_that_are_harder_late_are_taken_out():
    rng = np.random.default_rng(3)
    rater, hour, n, wrong = shifts(rng, 60, 0.012, each=30)
    fair = fatigue(rater, hour, n, wrong, expected=n * (0.1 + 0.012 * hour)).iloc[0]
    assert fatigue(rater, hour, n, wrong)["verdict"][0] == RISE
    assert fair["verdict"] in (NO_SIGN, CANNOT_TELL)
    assert abs(fair["value"]) < 0.004


def test_groups_are_those_of_each_alone_and_order_does_not_matter():
    rng = np.random.default_rng(4)
    rater, hour, n, wrong = shifts(rng, 30, 0.01)
    group = np.where(rng.random(len(n)) < 0.5, "a", "b")  # a rater works in both
    together = fatigue(rater, hour, n, wrong, group)
    for i, name in enumerate("ab"):
        inside = np.flatnonzero(group == name)[::-1]
        alone = fatigue(rater[inside], hour[inside], n[inside], wrong[inside], group[inside])
        columns = ["value", "low", "high", "n", "raters", "p", "mean"]
        np.testing.assert_allclose(together.loc[i, columns].astype(float), alone.loc[0, columns].astype(float))


def test_too_few_raters_or_none_give_a_reason():
    found = fatigue([1, 1, 2, 2, 3], [0, 1, 0, 1, 5], [9, 9, 9, 9, 9], [1, 2, 1, 2, 0])
    assert found["reason"].tolist() == ["fewer than 5 raters worked at different times"]
    assert found[["value", "low", "high", "q"]].isna().all(axis=None)
    assert found["verdict"].tolist() == [None]
    assert found["raters"].tolist() == [2]
    assert fatigue([1, 2], [0, 1], [0, 0], [0, 0])["reason"][0] == found["reason"][0]
    assert fatigue([], [], [], []).empty


def test_a_rater_always_at_one_hour_does_not_count():
    rater, hour, n, wrong = shifts(np.random.default_rng(5), 10, 0.01)
    fixed = np.repeat(np.arange(100, 140), 3)
    many = np.random.default_rng(6).integers(1, 50, 120)
    more = fatigue(np.r_[rater, fixed], np.r_[hour, np.full(120, 7.3)], np.r_[n, many], np.r_[wrong, many // 2]).iloc[0]
    plain = fatigue(rater, hour, n, wrong).iloc[0]
    assert (more["value"], more["low"], more["raters"]) == pytest.approx(
        (plain["value"], plain["low"], plain["raters"])
    )


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        within_raters([1, 2], [0], [1], [1])
