"""Drift: the score test against statsmodels, coverage, planted drifters found, hard items not taken for drift."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special

from metrics.drift import CANNOT_TELL, DOWN, NO_SIGN, UP, peer_share, rater_drift


def simulate(rng, raters, periods, each, sd=0.0, slopes=None, hard=0.0, noise=0.0):
    """Slopes and counts of raters of unequal volume; ``hard`` is added to every rater's logits, period by period."""
    slopes = rng.normal(0, sd, raters) if slopes is None else slopes
    n = rng.poisson(each * rng.lognormal(-0.1, 0.4, (raters, 1)), (raters, periods))
    time = np.arange(periods) - (periods - 1) / 2
    logits = rng.normal(2.5, 0.5, (raters, 1)) + slopes[:, None] * time + hard
    return slopes, rng.binomial(n, special.expit(logits + noise * rng.normal(size=n.shape))), n


def test_the_score_test_is_that_of_statsmodels():
    """One rater at a time: Rao's score statistic of the slope in a logistic regression, prior on the level aside."""
    rng = np.random.default_rng(0)
    _, right, n = simulate(rng, 12, 10, 400, slopes=np.full(12, 0.05))
    found = rater_drift(right, n)
    time = np.arange(10.0)
    dispersion = []
    for k, m, z in zip(right, n, found["z"], strict=True):
        p = k.sum() / m.sum()
        own = (m * time).sum() / m.sum()
        score = (k * (time - own)).sum() / np.sqrt(p * (1 - p) * (m * (time - own) ** 2).sum())
        dispersion.append((score / z) ** 2)
    assert np.ptp(dispersion) < 0.02 * np.mean(dispersion)
    fit = sm.GLM(
        np.column_stack([right[0], n[0] - right[0]]), sm.add_constant(time), family=sm.families.Binomial()
    ).fit()
    assert fit.tvalues[1] == pytest.approx(found["z"][0] * np.sqrt(dispersion[0]), rel=0.05)
    assert found["slope"][0] == pytest.approx(fit.params[1], abs=0.02)


@pytest.mark.parametrize(
    ("raters", "periods", "each", "sd"),
    [(20, 12, 8, 0.08), (20, 12, 30, 0.08), (50, 12, 20, 0.05), (200, 12, 8, 0.08), (400, 26, 5, 0.03)],
)
def test_intervals_cover(raters, periods, each, sd):
    rng = np.random.default_rng(periods)
    covered = []
    for _ in range(3000 // raters):
        slopes, right, n = simulate(rng, raters, periods, each, sd)
        found = rater_drift(right, n)
        covered.append(np.mean((found["slope_low"] <= slopes) & (slopes <= found["slope_high"])))
    assert 0.93 <= np.mean(covered) <= 0.97


def test_a_handful_of_raters_keeps_wide_intervals():
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(60):
        slopes, right, n = simulate(rng, 5, 12, 10, 0.08)
        found = rater_drift(right, n)
        covered.append(np.mean((found["slope_low"] <= slopes) & (slopes <= found["slope_high"])))
    assert np.mean(covered) >= 0.92


def test_steady_raters_are_called_five_times_in_a_hundred_at_most():
    """p is uniform enough (5 % below .05), and a set of steady raters gives a false call in 5 % of sets."""
    rng = np.random.default_rng(2)
    small, called = [], []
    for _ in range(60):
        _, right, n = simulate(rng, 200, 12, 8)
        found = rater_drift(right, n)
        small.append(np.mean(found["p"] < 0.05))
        called.append(found["verdict"].isin([UP, DOWN]).any())
    assert 0.035 <= np.mean(small) <= 0.06
    assert np.mean(called) <= 0.10


@pytest.mark.parametrize(("raters", "each"), [(2, 60), (8, 60), (30, 300)])
def test_few_steady_raters_or_much_gold_are_not_called_more_often(raters, each):
    """Weeks vary by .6 logits: with few raters that variation is itself estimated from a handful of weeks."""
    rng = np.random.default_rng(raters)
    small, called = [], []
    for _ in range(max(500 // raters, 50)):
        _, right, n = simulate(rng, raters, 12, each, noise=0.6)
        found = rater_drift(right, n)
        small.append(np.mean(found["p"] < 0.05))
        called.append(found["verdict"].isin([UP, DOWN]).mean())
    assert np.mean(small) <= 0.065
    assert np.mean(called) <= 0.05


@pytest.mark.parametrize(("raters", "each"), [(20, 20), (100, 20)])
def test_intervals_cover_where_weeks_vary_on_top_of_the_slopes(raters, each):
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(3000 // raters):
        slopes, right, n = simulate(rng, raters, 12, each, 0.08, noise=0.6)
        found = rater_drift(right, n)
        covered.append(np.mean((found["slope_low"] <= slopes) & (slopes <= found["slope_high"])))
    assert 0.93 <= np.mean(covered) <= 0.97


def test_planted_drifters_are_found_and_the_rest_left_alone():
    """15 of 300 lose .25 logits a week over 12 weeks, 5 gain as much, 30 gold judgements a week."""
    rng = np.random.default_rng(3)
    slopes = np.zeros(300)
    slopes[:15], slopes[15:20] = -0.25, 0.25
    down, up, false = [], [], []
    for _ in range(10):
        _, right, n = simulate(rng, 300, 12, 30, slopes=slopes)
        verdict = rater_drift(right, n)["verdict"].to_numpy()
        called = np.isin(verdict, [UP, DOWN])
        down.append(np.mean(verdict[:15] == DOWN))
        up.append(np.mean(verdict[15:20] == UP))
        false.append(called[20:].sum() / max(called.sum(), 1))
    assert np.mean(down) > 0.75
    assert np.mean(up) > 0.5  # near 100 % right there is little room to be seen rising
    assert np.mean(false) <= 0.06


def test_counts_that_vary_by_more_than_chance_raise_no_alarm():
    rng = np.random.default_rng(4)
    _, right, n = simulate(rng, 300, 12, 60, noise=0.6)
    found = rater_drift(right, n)
    assert np.mean(found["p"] < 0.05) < 0.08
    assert not found["verdict"].isin([UP, DOWN]).any()


@pytest.mark.parametrize("by", ["anchors", "peers"])
def test_harder_items_are_not_taken_for_drift(by):
    """Items lose 1.5 logits over the window for everybody; one rater really drifts."""
    rng = np.random.default_rng(5)
    hard = np.linspace(0.75, -0.75, 12)
    slopes = np.zeros(80)
    slopes[0] = -0.35
    _, right, n = simulate(rng, 80, 12, 40, slopes=slopes, hard=hard)
    expected = np.tile(special.expit(2.5 + hard), (80, 1)) if by == "anchors" else peer_share(right, n)
    naive, fair = rater_drift(right, n), rater_drift(right, n, expected)
    assert np.mean(naive["verdict"] == DOWN) > 0.5
    assert fair["verdict"][0] == DOWN
    assert np.mean(fair["verdict"][1:].isin([UP, DOWN])) < 0.05


def test_no_sign_is_said_only_when_a_drift_that_matters_is_excluded():
    rng = np.random.default_rng(6)
    _, right, n = simulate(rng, 100, 12, 400, slopes=np.zeros(100))
    found = rater_drift(right, n)
    assert (found["verdict"] == NO_SIGN).mean() > 0.8
    _, right, n = simulate(rng, 100, 12, 2, slopes=np.zeros(100))
    assert (rater_drift(right, n)["verdict"] == CANNOT_TELL).mean() > 0.8
    quiet = found[found["verdict"] == NO_SIGN]
    assert (quiet["low"] >= -0.03).all()
    assert (quiet["high"] <= 0.03).all()


def test_value_is_the_change_in_accuracy_from_first_to_last():
    time = np.arange(11) - 5
    share = special.expit(2 - 0.2 * time)
    n = np.full((30, 11), 10_000)
    found = rater_drift(np.round(n * share), n)
    assert found["value"].to_numpy() == pytest.approx(np.full(30, share[-1] - share[0]), abs=0.003)
    assert found["slope"].to_numpy() == pytest.approx(np.full(30, -0.2), abs=0.003)
    assert ((found["low"] <= found["value"]) & (found["value"] <= found["high"])).all()


def test_value_speaks_of_all_periods_whenever_a_rater_worked():
    """Raters with gold in the first half only: level and change are those of the curve over all periods."""
    time = np.arange(11) - 5
    share = special.expit(2 - 0.2 * time)
    n = np.full((30, 11), 20_000)
    n[:15, 6:] = 0
    found = rater_drift(np.round(n * share), n)
    assert found["value"].to_numpy() == pytest.approx(np.full(30, share[-1] - share[0]), abs=0.006)


def test_rows_without_a_slope_have_a_reason_and_faultless_raters_an_interval():
    right = np.array([[0, 0, 0, 0], [5, 5, 0, 0], [20, 20, 20, 20], [20, 18, 19, 17], [0, 0, 0, 0]])
    n = np.array([[0, 0, 0, 0], [5, 6, 0, 0], [20, 20, 20, 20], [20, 20, 20, 20], [20, 20, 20, 20]])
    found = rater_drift(right, n)
    assert found["reason"].tolist() == ["no gold judgements", "gold judgements in fewer than 3 periods", "", "", ""]
    assert found.loc[:1, ["value", "low", "high", "slope", "p", "q"]].isna().all(axis=None)
    assert found.loc[:1, "verdict"].isna().all()
    assert found.loc[2:, ["value", "low", "high", "p", "q"]].notna().all(axis=None)
    assert found.loc[2, "z"] == pytest.approx(0, abs=0.1)
    assert found["n"].tolist() == [0, 11, 80, 80, 80]
    assert rater_drift(right[:2], n[:2])["verdict"].isna().all()


def test_raters_do_not_depend_on_their_order():
    rng = np.random.default_rng(7)
    _, right, n = simulate(rng, 40, 10, 10, 0.1)
    order = rng.permutation(40)
    plain, mixed = rater_drift(right, n), rater_drift(right[order], n[order])
    np.testing.assert_allclose(mixed["slope"], plain["slope"].to_numpy()[order], atol=1e-9)
    assert mixed["verdict"].tolist() == plain["verdict"].iloc[order].tolist()


def test_peers_leave_the_rater_out():
    found = peer_share([[10, 0], [6, 0], [8, 4]], [[10, 0], [10, 0], [10, 5]])
    np.testing.assert_allclose(found[:, 0], [14.5 / 21, 18.5 / 21, 16.5 / 21])
    np.testing.assert_allclose(found[:, 1], [4.5 / 6, 4.5 / 6, np.nan])


@pytest.mark.parametrize("wrong", [([1, 2], [1, 2]), ([[3]], [[2]]), ([[1, 1]], [[1], [1]])])
def test_counts_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="right"):
        rater_drift(*wrong)
    with pytest.raises(ValueError, match="expected has"):
        rater_drift([[1, 1, 1]], [[1, 1, 1]], [[0.5]])
