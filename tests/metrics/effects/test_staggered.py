"""Staggered difference-in-differences: worked examples, coverage under effects that differ, pre-trends."""

import importlib

import numpy as np
import pytest
import statsmodels.formula.api as smf
from pandas import DataFrame
from scipy import stats

from metrics.effects.design import NEVER
from metrics.effects.effect import TOO_EARLY, Design
from metrics.effects.staggered import NOBODY, dealt_anew, staggered, two_by_two
from tests.metrics.effects.simulated import ar1

design = importlib.import_module("metrics.effects.staggered")  # the package gives the function this name

BEFORE, AFTER, BEFORE_TREATED, AFTER_TREATED = [20, 21, 19], [25, 24, 26], [22, 18, 20], [23, 17, 19]


def test_the_worked_example():
    found = two_by_two(BEFORE, AFTER, BEFORE_TREATED, AFTER_TREATED)
    assert found.value == pytest.approx(-5.333333, abs=1e-6)
    assert (found.high - found.value) / 2.306004 == pytest.approx(2.260777, abs=1e-6)  # t, 8 degrees of freedom


def test_four_samples_equal_the_regression_with_hc1():
    rng = np.random.default_rng(1)
    samples = [rng.normal(k, k, size) for k, size in ((1, 7), (2, 5), (3, 9), (4, 6))]
    rows = [(v, k % 2, k // 2) for k, values in enumerate(samples) for v in values]
    fit = smf.ols("y ~ post * treated", DataFrame(rows, columns=["y", "post", "treated"])).fit(
        cov_type="HC1", use_t=True
    )
    found = two_by_two(*samples)
    assert found.value == pytest.approx(fit.params["post:treated"])
    np.testing.assert_allclose((found.low, found.high), fit.conf_int().loc["post:treated"])


def test_card_and_krueger_from_their_cell_means():
    found = staggered([[20.44, 21.03], [23.33, 21.17]], [1, NEVER], weeks=1)
    assert found.effect.value == pytest.approx(2.75)
    assert found.effect.low is None  # one restaurant chain of means each says nothing of how they differ


def test_one_cohort_against_the_rest_is_welch_s_comparison_of_changes():
    """With one start and two periods: the means of the changes, variances of their own."""
    rng = np.random.default_rng(2)
    y = rng.normal(size=(14, 2))
    change = y[:, 1] - y[:, 0]
    starts = np.array([1] * 6 + [NEVER] * 8)
    variance = change[:6].var(ddof=1) / 6 + change[6:].var(ddof=1) / 8
    found = staggered(y, starts, weeks=1)
    assert found.effect.value == pytest.approx(change[:6].mean() - change[6:].mean())
    assert found.statistic == pytest.approx(found.effect.value / np.sqrt(variance))


COHORTS = {
    "four of six": [15] * 6 + [22] * 6 + [29] * 6 + [NEVER] * 6,
    "three of one": [12, 15, 18, *[NEVER] * 9],
    "four of one, few without": [16, 19, 22, 25, *[NEVER] * 4],
    "one of four": [20] * 4 + [NEVER] * 4,
}


def panel(rng, units=24, periods=40, phi=0.4):
    """Units and weeks with levels of their own, three cohorts and a rest; effects that grow, by cohort differently."""
    starts = np.repeat([15, 22, 29, NEVER], units // 4)
    y = ar1(rng, (units, periods), phi) + 3 * rng.normal(size=periods) + np.linspace(0, 5, periods)
    effect, true = growing(starts, periods)
    return y + effect + 10 * rng.normal(size=(units, 1)), starts, true


def growing(starts, periods=40):
    """Effects that grow, by cohort differently: over units and weeks, and the mean of the first eight."""
    slope = dict(zip(sorted(set(starts) - {NEVER}), (1.0, 0.3, -0.5, 0.1), strict=False)) | {NEVER: 0.0}
    since = np.arange(periods)[None] - starts[:, None]
    under = (since >= 0) & (starts[:, None] != NEVER)
    effect = np.where(under, np.vectorize(slope.get)(starts)[:, None] * (since + 1), 0.0)
    return effect, float(effect[under & (since < 8)].mean())


@pytest.mark.parametrize(
    ("cohorts", "base", "phi"),
    [
        ("four of six", 1, 0.3),
        ("four of six", 4, 0.8),
        *[(small, 4, phi) for small in ("three of one", "four of one, few without") for phi in (0.3, 0.5, 0.8)],
        ("one of four", 4, 0.5),
    ],
)
def test_intervals_and_the_move_before_hold_for_cohorts_of_any_size(cohorts, base, phi):
    """Effects that differ by cohort and grow; 2,000 panels: 93 to 97 % are covered, 2.5 to 7.5 % seem to move before.

    Without gaps the coefficients are those of every panel: they are taken once, and what they give is compared with
    the whole of ``staggered``.
    """
    rng, starts, draws = np.random.default_rng(3), np.array(COHORTS[cohorts]), 2000
    effect, true = growing(starts)
    every = ar1(rng, (draws, len(starts), 40), phi) + effect + 3 * rng.normal(size=40) + 10 * rng.normal()
    total, _ = design._total(effect, starts, 8, base, False)
    leads = np.mean([design._event(effect, starts, -base - lead, base, False) for lead in (1, 2, 3, 4)], axis=0)
    hits = moved = 0
    for k, y in enumerate(every):
        found, before = (design._tested(a, y, y, starts) for a in (total, leads))
        value = (total * y).sum()
        hits += abs(value - true) <= found.half
        moved += before.p <= 0.05
        if k < 3:
            whole = staggered(y, starts, base=base, leads=4)
            assert (whole.effect.value, whole.effect.high) == pytest.approx((value, value + found.half))
            assert (whole.p_value, whole.pre_trend_p) == pytest.approx((found.p, before.p))
    assert 0.93 <= hits / draws <= 0.97, hits
    assert 0.025 <= moved / draws <= 0.075, moved


@pytest.mark.parametrize(("climb", "least"), [(0.15, 0.12), (0.3, 0.35)])
def test_a_climb_is_noticed_in_cohorts_of_one_too(climb, least):
    """Four pools at four times, eight without; weeks of sd 1. The mean of four weeks less that of the four after them
    differs by four steps; with known variance it is seen with this chance, units guessing it cost a little.
    """
    rng, starts, phi, draws = np.random.default_rng(9), np.array([16, 19, 22, 25, *[NEVER] * 8]), 0.3, 400
    apart = np.array([-0.25] * 4 + [0.25] * 4)
    along = apart @ phi ** np.abs(np.subtract.outer(np.arange(8), np.arange(8))) @ apart
    reach = 4 * climb / np.sqrt(along * (1 / 4 + 1 / 8))
    known = stats.norm.sf(1.96 - reach)
    rises = climb * np.arange(30) * (starts[:, None] != NEVER)
    leads = np.mean([design._event(rises, starts, -4 - lead, 4, False) for lead in (1, 2, 3, 4)], axis=0)
    panels = np.sqrt(1 - phi**2) * ar1(rng, (draws, 12, 30), phi) + rises
    seen = np.mean([design._tested(leads, y, y, starts).p <= 0.05 for y in panels])
    assert least <= seen <= known + 2 * np.sqrt(known * (1 - known) / draws), (seen, known)


def test_with_one_date_degrees_of_freedom_are_those_of_the_units():
    """Small cohorts of one date share all their weeks: pooled Student's t with 4 + 4 - 2."""
    y, starts = np.random.default_rng(10).normal(size=(8, 2)), np.array([1] * 4 + [NEVER] * 4)
    change = y[:, 1] - y[:, 0]
    found, oracle = staggered(y, starts, weeks=1), stats.ttest_ind(change[:4], change[4:])
    assert (found.statistic, found.p_value) == pytest.approx((oracle.statistic, oracle.pvalue))
    ends = oracle.confidence_interval()
    assert (found.effect.low, found.effect.high) == pytest.approx((ends.low, ends.high))


def test_a_dummy_per_unit_and_week_is_biased_here_and_this_is_not():
    rng = np.random.default_rng(5)
    y, starts, true = panel(rng, units=200, phi=0.0)
    on = ((np.arange(40)[None] >= starts[:, None]) & (starts[:, None] != NEVER)).astype(float)
    truth_now = np.where(on > 0, 1, 0)
    means = [a - a.mean(0) - a.mean(1, keepdims=True) + a.mean() for a in (y, on)]
    regression = float((means[0] * means[1]).sum() / (means[1] ** 2).sum())
    since = np.arange(40)[None] - starts[:, None]
    slope = np.select([starts == 15, starts == 22, starts == 29], [1.0, 0.3, -0.5], 0.0)[:, None]
    mean_effect = float((slope * (since + 1))[truth_now == 1].mean())
    assert abs(regression - mean_effect) > 2
    assert staggered(y, starts).effect.value == pytest.approx(true, abs=0.3)
    whole = staggered(y, starts, weeks=11).gaps[-11:]  # all three cohorts are seen for eleven weeks
    np.testing.assert_allclose(whole, (1.0 + 0.3 - 0.5) / 3 * np.arange(1, 12), atol=0.6)


def test_units_that_were_moving_before_are_noticed():
    rng, seen = np.random.default_rng(6), 0
    for _ in range(40):
        y = ar1(rng, (20, 30), 0.2)
        y[:8] += np.clip(np.arange(30) - 10, 0, None)  # from five weeks before the change on
        seen += staggered(y, [15] * 8 + [NEVER] * 12).pre_trend_p <= 0.05
    assert seen >= 38


def test_those_not_yet_treated_count_until_they_are():
    y = np.zeros((3, 6))
    y[0, 2:] = 5.0
    y[1, 4:] = 7.0
    y[:, :] += np.arange(6)
    found = staggered(y, [2, 4, NEVER], weeks=2, leads=0)
    assert found.effect.value == pytest.approx(6.0)
    assert dict(found.comparison) == {"2": pytest.approx(1.0)}
    assert staggered(y[:2], [2, 4], weeks=2, leads=0).effect.value == pytest.approx(5.0)
    # Two weeks on, the second unit has the change too: only the third is compared with then, and the effect is 5.
    assert staggered(y, [2, 4, NEVER], weeks=3, leads=0).effect.value == pytest.approx((6 + 6 + 5) / 3)
    assert staggered(y[:2], [2, 4], never_only=True).effect.reason == NOBODY


def test_a_week_without_data_takes_part_in_nothing():
    rng = np.random.default_rng(7)
    y = rng.normal(size=(10, 20))
    starts = np.array([10] * 5 + [NEVER] * 5)
    y[0, 12] = y[7, 9] = np.nan
    found = staggered(y, starts, base=2, weeks=3)
    gaps = []
    for t in (10, 11, 12):
        off = y[:, t] - np.nanmean(y[:, 8:10], axis=1)
        gaps.append(np.nanmean(off[:5]) - np.nanmean(off[5:]))
    assert found.effect.value == pytest.approx(np.mean(gaps))


def test_no_number_without_a_reason():
    y = np.random.default_rng(8).normal(size=(6, 20))
    assert staggered(y, [NEVER] * 6).effect.reason == TOO_EARLY
    assert staggered(y, [25] * 3 + [NEVER] * 3).effect.reason == TOO_EARLY
    assert staggered(y, [10] * 6).effect.reason == NOBODY
    assert staggered(y, [10] * 3 + [NEVER] * 3).design is Design.STAGGERED
    assert two_by_two([], [1], [1], [1]).value is None


def test_the_interval_of_a_single_week_holds_no_effect_19_times_in_20():
    rng, held, weeks = np.random.default_rng(11), 0, 0
    for _ in range(120):
        y = ar1(rng, (16, 40), 0.4) + 3 * rng.normal(size=40)
        found = staggered(y, np.repeat([20, 26, NEVER, NEVER], 4), base=4)
        held += ((found.gap_low <= 0) & (found.gap_high >= 0))[found.weeks >= 0].sum()
        weeks += (found.weeks >= 0).sum()
    assert 0.93 <= held / weeks <= 0.97, held / weeks


def test_rollouts_dealt_anew_are_all_the_ways_there_are():
    """Four of eight at one time: 70 ways, the real one not among them; without effect their ranks are even."""
    rng, ranks = np.random.default_rng(12), []
    starts = np.repeat([20, NEVER], 4)
    for _ in range(25):
        y = ar1(rng, (8, 30), 0.4)
        found = dealt_anew(y, starts, base=4)
        assert len(found) == 69
        own = staggered(y, starts, base=4).statistic
        assert np.isclose(np.abs(found), abs(own)).sum() == 1  # those with and those without, changed over
        ranks.append(np.mean(np.abs(found) >= abs(own)))
    assert stats.kstest(ranks, "uniform").pvalue > 0.01
