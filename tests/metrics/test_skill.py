"""Skill from little gold: reference fits, exact plans, and what the verdicts promise, by simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from metrics import rater_prior, skill
from metrics.skill import ABOVE, BELOW, CANNOT_TELL, exact_plan, expected_right, fit_prior, gold_needed, rater_skill


def volumes(rng, raters, typical=35):
    return np.maximum(1, rng.lognormal(np.log(typical), 0.7, raters).astype(int))


# ---- the prior


@pytest.mark.parametrize("seed", range(4))
def test_the_prior_is_where_a_general_optimiser_ends(seed):
    rng = np.random.default_rng(seed)
    n = volumes(rng, 60)
    offset = rng.normal(0, 0.5, 60)
    k = rng.binomial(n, special.expit(rng.normal(2, 0.8, 60) + offset))

    def loss(point):
        mean, weight = special.expit(point[0] + offset), np.exp(point[1])
        a, b = weight * mean, weight * (1 - mean)
        return -np.sum(special.betaln(a + k, b + n - k) - special.betaln(a, b))

    best = optimize.minimize(loss, [2.0, 2.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10})
    found = fit_prior(k, n, offset)
    assert found.log_likelihood == pytest.approx(-best.fun, abs=1e-6)
    assert special.logit(found.mean) == pytest.approx(best.x[0], abs=1e-4)
    assert np.log(found.a + found.b) == pytest.approx(best.x[1], abs=1e-3)


def test_newtons_derivatives_are_those_of_the_likelihood():
    rng = np.random.default_rng(9)
    n, offset = volumes(rng, 40).astype(float), rng.normal(0, 0.5, 40)
    k = rng.binomial(n.astype(int), 0.8).astype(float)

    def value(mean, log_weight):
        a, b = rater_prior._beta(np.array([mean, log_weight]), offset)
        return np.sum(special.betaln(a + k, b + n - k) - special.betaln(a, b))

    def slope(mean, log_weight, h=1e-4):
        by_mean = (value(mean + h, log_weight) - value(mean - h, log_weight)) / (2 * h)
        return np.array([by_mean, (value(mean, log_weight + h) - value(mean, log_weight - h)) / (2 * h)])

    gradient, curvature = rater_prior._derivatives(np.array([1.2, 2.5]), k, n, offset)
    np.testing.assert_allclose(gradient, slope(1.2, 2.5), rtol=1e-5)
    bent = [(slope(1.2 + d, 2.5 + e) - slope(1.2 - d, 2.5 - e)) / 2e-3 for d, e in ((1e-3, 0), (0, 1e-3))]
    np.testing.assert_allclose(curvature, bent, rtol=1e-3)


def test_raters_more_alike_than_chance_are_said_to_be_alike():
    found = fit_prior([18] * 30, [20] * 30)
    assert not found.converged
    assert found.a + found.b >= 1e4
    assert found.mean == pytest.approx(0.9, abs=1e-3)
    # With the typical spread as a prior a handful of raters keeps room for differences.
    moderated = fit_prior([18] * 5, [20] * 5, typical=1.0)
    assert moderated.converged
    assert 10 < moderated.a + moderated.b < 300


@pytest.mark.parametrize("share", [0, 1])
def test_raters_without_a_miss_or_a_hit_have_a_fit(share):
    found = rater_skill(np.full(20, 30 * share), np.full(20, 30), 0.9)
    assert found[["value", "low", "high"]].notna().all(axis=None)
    assert (abs(found["value"] - share) < 0.02).all()


# ---- verdicts


@pytest.mark.parametrize("sd", [0.05, 0.015, 0.005])
@pytest.mark.parametrize("raters", [10, 30, 100])
def test_intervals_cover_on_average_over_raters(raters, sd):
    """93 to 97 % where the counts can show how raters differ; more, never less, where they cannot.

    Intervals narrow enough for raters who hardly differ would leave out raters who differ a little, and counts so few
    cannot tell the one from the other.
    """
    rng = np.random.default_rng(raters)
    weight = 0.93 * 0.07 / sd**2 - 1
    for n in (20, 60, 200):
        covered = []
        for _ in range(1200 // raters):
            truth = rng.beta(0.93 * weight, 0.07 * weight, raters)
            found = rater_skill(rng.binomial(n, truth), np.full(raters, n), 0.9)
            covered.append(np.mean((found["low"] <= truth) & (truth <= found["high"])))
        shown = sd == 0.05 or (sd == 0.015 and n == 200)
        assert 0.93 <= np.mean(covered) <= (0.97 if shown else 1), n


@pytest.mark.parametrize(("raters", "weight"), [(15, 19), (200, 19), (200, 80)])
def test_intervals_cover_raters_of_unequal_volume(raters, weight):
    rng = np.random.default_rng(raters)
    covered = []
    for _ in range(1500 // raters + 15):
        truth = rng.beta(0.93 * weight, 0.07 * weight, raters)
        n = volumes(rng, raters)
        found = rater_skill(rng.binomial(n, truth), n, 0.9)
        covered.append(np.mean((found["low"] <= truth) & (truth <= found["high"])))
    assert 0.93 <= np.mean(covered) <= 0.97


def test_the_ends_are_quantiles_of_the_mixture():
    """scipy's distribution function, summed over the betas, is .025 and .975 at the ends."""
    rng = np.random.default_rng(7)
    n, offset = volumes(rng, 40).astype(float), rng.normal(0, 0.5, 40)
    right = rng.binomial(n.astype(int), 0.85).astype(float)
    mean, log_weight, chance = rater_prior.likely_priors(right, n, offset)
    a, b = rater_prior.betas(mean, log_weight, offset)
    found = skill.of_mixture(a + right, b + n - right, chance, (0.025, 0.975))
    for end, probability in zip(found[1:], (0.025, 0.975), strict=True):
        np.testing.assert_allclose(chance @ stats.beta.cdf(end, a + right, b + n - right), probability, atol=1e-4)


def test_the_likely_betas_are_those_of_a_fine_grid():
    """Mean and spread of the logit mean and of log(a + b) against a plain grid of 160 x 240 betas."""
    rng = np.random.default_rng(8)
    n = volumes(rng, 15).astype(float)
    right = rng.binomial(n.astype(int), rng.beta(18, 2, 15)).astype(float)
    mean, log_weight = (g.ravel() for g in np.meshgrid(np.linspace(0, 5, 160), np.linspace(0, np.log(1e5), 240)))
    share, weight = special.expit(mean)[:, None], np.exp(log_weight)[:, None]
    log = stats.betabinom.logpmf(right, n, weight * share, weight * (1 - share)).sum(1)
    log += np.log(weight / (1 + weight) ** 2)[:, 0] + stats.beta.logpdf(share, 0.5, 0.5)[:, 0]
    log += np.log(share * (1 - share))[:, 0]
    plain = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    found_mean, found_weight, chance = rater_prior.likely_priors(right, n, np.zeros(15))
    for found, grid in ((found_mean, mean), (found_weight, log_weight)):
        centre, expected = chance @ found, plain @ grid
        spread = np.sqrt(plain @ (grid - expected) ** 2)
        assert centre == pytest.approx(expected, abs=0.1 * spread)
        assert np.sqrt(chance @ (found - centre) ** 2) == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize("others", [0.80, 0.90, 0.97])
@pytest.mark.parametrize("target", [0.85, 0.95])
def test_a_rater_at_target_is_called_below_in_five_percent_at_most(others, target):
    """Whatever the colleagues are like; and called above as rarely."""
    rng = np.random.default_rng(int(100 * others))
    at, n = np.arange(4000) < 2000, volumes(rng, 4000, 120)
    truth = np.where(at, target, rng.beta(others * 40, (1 - others) * 40, 4000))
    verdict = rater_skill(rng.binomial(n, truth), n, target)["verdict"].to_numpy()[at]
    slack = 2 * np.sqrt(0.05 * 0.95 / 2000)
    assert np.mean(verdict == BELOW) <= 0.05 + slack
    assert np.mean(verdict == ABOVE) <= 0.05 + slack


def test_the_interval_of_the_call_leaves_out_the_target_of_everyone_called():
    """With its level an interval never speaks against the call drawn beside it; with 95 % it now and then would."""
    rng = np.random.default_rng(12)
    spoke_against, called = 0, np.zeros(2)
    for _ in range(25):
        truth, n = rng.beta(42, 8, 60), volumes(rng, 60, 60)
        right, expected = rng.binomial(n, truth), n * rng.uniform(0.78, 0.9, 60)
        found = rater_skill(right, n, 0.84, expected, level=skill.CALLING)
        below, above = (found["verdict"] == verdict for verdict in (BELOW, ABOVE))
        assert (found["high"][below] <= 0.84).all() and (found["low"][above] >= 0.84).all()
        # The other way round: an end that reaches beyond the target means that no such call was made.
        assert not below[found["high"] > 0.84].any() and not above[found["low"] < 0.84].any()
        called += below.sum(), above.sum()
        wide = rater_skill(right, n, 0.84, expected)
        assert (wide["verdict"] == found["verdict"]).all()
        spoke_against += int((wide["high"][below] > 0.84).sum() + (wide["low"][above] < 0.84).sum())
    assert (called > 20).all() and spoke_against > 20


def test_the_interval_of_the_call_covers_nine_in_ten():
    rng = np.random.default_rng(13)
    covered = []
    for _ in range(60):
        truth, n = rng.beta(42, 8, 100), volumes(rng, 100, 60)
        found = rater_skill(rng.binomial(n, truth), n, 0.84, level=skill.CALLING)
        covered.append(np.mean((found["low"] <= truth) & (truth <= found["high"])))
    assert 0.88 <= np.mean(covered) <= 0.92


def test_the_posterior_alone_would_not_protect_the_rater_at_target():
    """Why the exact test is asked too."""
    rng = np.random.default_rng(0)
    at, n = np.arange(4000) < 1000, volumes(rng, 4000, 120)
    truth = np.where(at, 0.95, rng.beta(32, 8, 4000))
    found = rater_skill(rng.binomial(n, truth), n, 0.95)[at]
    assert (found["p_below"] >= 0.95).mean() > 0.08


def test_of_those_called_below_no_more_are_wrong_than_said():
    rng = np.random.default_rng(1)
    wrong, said, found_of_bad = [], [], []
    for _ in range(20):
        truth, n = rng.beta(23, 2, 300), volumes(rng, 300, 60)
        found = rater_skill(rng.binomial(n, truth), n, 0.9)
        called = (found["verdict"] == BELOW).to_numpy()
        wrong.append(np.mean(truth[called] >= 0.9))
        said.append(found["error"][called].mean())
        found_of_bad.append(called[truth < 0.82].mean())
        assert found["q"].max() == pytest.approx(said[-1])
        assert found["q"].notna().tolist() == called.tolist()
    assert np.mean(wrong) <= np.mean(said) + 0.01 <= 0.06
    assert np.mean(found_of_bad) > 0.6


def test_a_table_a_reader_can_trust_row_by_row():
    found = rater_skill([28, 0, 200, 100, 1], [30, 0, 205, 150, 1], 0.9)
    assert found["verdict"].tolist() == [CANNOT_TELL, None, ABOVE, BELOW, CANNOT_TELL]
    assert found["reason"].tolist() == ["", "no gold judgements", "", "", ""]
    assert found.loc[1, ["value", "low", "high", "observed", "p_below", "error", "q", "q_bh"]].isna().all()
    some = found.drop(index=1)
    assert ((some["low"] <= some["value"]) & (some["value"] <= some["high"])).all()
    assert found["n"].tolist() == [30, 0, 205, 150, 1]
    tests = stats.binom.cdf([28, 200, 100, 1], [30, 205, 150, 1], 0.9)
    np.testing.assert_allclose(some["q_bh"], stats.false_discovery_control(tests))
    assert rater_skill([0], [0], 0.9)["reason"].tolist() == ["no gold judgements"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 90)), min_size=2, max_size=12), st.floats(0.5, 0.99))
def test_one_more_right_never_lowers_a_rater(rows, target):
    """Among raters with the same n the one with more right is never called worse."""
    right = np.array([min(r) for r in rows])
    found = rater_skill(right, np.full(len(right), 90), target).assign(right=right).sort_values("right")
    assert (np.diff(found["value"]) >= -1e-12).all()
    assert (np.diff(found["p_below"]) <= 1e-12).all()
    rank = found["verdict"].map({BELOW: 0, CANNOT_TELL: 1, ABOVE: 2})
    assert (np.diff(rank) >= 0).all()


# ---- difficulty and mix


def mixed(rng, raters=600, strata=40, cells=8, each=12, skill_of=None):
    """Raters of whom half mostly see hard strata; accuracies on the average mix."""
    hard = rng.normal(2.2, 0.8, strata)
    ability = rng.normal(0, 0.4, raters) if skill_of is None else np.full(raters, skill_of)
    leaning = np.where(np.arange(raters) % 2, 1.2, -1.2)
    keys = leaning[:, None] * (hard - 2.2) + rng.gumbel(size=(raters, strata))
    chosen = np.argsort(-keys, axis=1)[:, :cells].ravel()
    who = np.repeat(np.arange(raters), cells)
    n = rng.poisson(each, len(who))
    return hard, ability, who, chosen, rng.binomial(n, special.expit(hard[chosen] + ability[who])), n


def test_hard_items_are_not_held_against_a_rater():
    rng = np.random.default_rng(3)
    hard, ability, who, stratum, right, n = mixed(rng)
    total, k = np.bincount(who, n), np.bincount(who, right)
    mix = np.bincount(stratum, n, len(hard)) / n.sum()
    truth = special.expit(hard + ability[:, None]) @ mix
    raw, fair = rater_skill(k, total, 0.88), rater_skill(k, total, 0.88, expected_right(who, stratum, right, n))
    easy, hard_work = np.arange(600) % 2 == 1, np.arange(600) % 2 == 0
    assert raw["value"][easy].mean() - raw["value"][hard_work].mean() > 0.08
    assert abs(fair["value"][easy].mean() - fair["value"][hard_work].mean()) < 0.015
    assert 0.93 <= np.mean((fair["low"] <= truth) & (truth <= fair["high"])) <= 0.97
    assert np.mean((raw["low"] <= truth) & (truth <= raw["high"])) < 0.85


def test_a_rater_at_target_on_the_average_mix_is_rarely_called_below():
    """Half see hard items and miss the target on what they see; judged fairly they are called in 5 % at most."""
    rng = np.random.default_rng(4)
    hard, _, who, stratum, right, n = mixed(rng, raters=1500, skill_of=0.0)
    mix = np.bincount(stratum, n, len(hard)) / n.sum()
    target = float(special.expit(hard) @ mix)
    total, k = np.bincount(who, n), np.bincount(who, right)
    fair = rater_skill(k, total, target, expected_right(who, stratum, right, n))
    assert (fair["verdict"] == BELOW).mean() <= 0.05
    assert (rater_skill(k, total, target)["verdict"] == BELOW).mean() > 0.15


def test_expected_right_of_one_stratum_is_the_overall_share():
    expected = expected_right([0, 1, 2], [0, 0, 0], [18, 40, 9], [20, 50, 10])
    share = expected / np.array([20, 50, 10])
    assert share == pytest.approx(np.full(3, share[0]))
    assert share[0] == pytest.approx(67 / 80, abs=0.03)
    np.testing.assert_allclose(skill.mix_offset(expected, [20, 50, 10]), 0, atol=1e-12)
    plain, fair = (rater_skill([18, 40, 9], [20, 50, 10], 0.9, e) for e in (None, expected))
    pd.testing.assert_frame_equal(plain, fair)


def test_expected_right_without_judgements_and_of_unequal_columns():
    assert expected_right([], [], [], []).tolist() == []
    assert expected_right([0, 1], [0, 0], [0, 0], [0, 0]).tolist() == [0, 0]
    assert skill.mix_offset([0, 0], [0, 0]).tolist() == [0, 0]
    with pytest.raises(ValueError, match="differ in length"):
        expected_right([0], [0, 1], [1, 1], [2, 2])


# ---- gold needed


@pytest.mark.parametrize(
    ("good", "bad", "n", "limit"),
    [(0.95, 0.9, 169, 155), (0.9, 0.8, 78, 65), (0.95, 0.85, 52, 46), (0.98, 0.95, 226, 217)],
)
def test_exact_plans_are_those_of_the_table(good, bad, n, limit):
    found = exact_plan(good, bad)
    assert (found.n, found.flag_at_most) == (n, limit)
    assert found.false_alarm == pytest.approx(stats.binom.cdf(limit, n, good))
    assert found.power == pytest.approx(stats.binom.cdf(limit, n, bad))
    assert found.false_alarm <= 0.05
    assert found.power >= 0.8


def test_a_plan_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match="needs"):
        exact_plan(0.8, 0.9)
    with pytest.raises(ValueError, match="more than 2,000"):
        exact_plan(0.9, 0.895)


def test_a_new_rater_needs_about_the_exact_plan():
    found = gold_needed([0, 0, 0], [0, 0, 0], [0.95, 0.9, 0.95], [0.9, 0.8, 0.85])
    assert np.all(abs(found["more"] - [169, 78, 52]) <= 12)


def test_the_gold_said_to_be_needed_settles_raters():
    """Raters below and above target, some gold seen: after ``more`` the verdict falls in 80 % or a little more."""
    rng = np.random.default_rng(5)
    for accuracy in (0.82, 0.96):
        n = volumes(rng, 4000, 40)
        right = rng.binomial(n, accuracy)
        before = rater_skill(right, n, 0.9)["verdict"] == CANNOT_TELL
        more = gold_needed(right, n, 0.9, np.full(4000, accuracy))["more"].to_numpy().astype(int)
        after = stats.binom.cdf(right + rng.binomial(more, accuracy), n + more, 0.9)
        if accuracy > 0.9:
            after = stats.binom.sf(right + rng.binomial(more, accuracy) - 1, n + more, 0.9)
        assert 0.78 <= np.mean(after[before] <= 0.05) <= 0.88


@pytest.mark.parametrize(("raters", "weight"), [(10, 30), (40, 100), (200, 30)])
def test_the_planned_gold_settles_the_verdict_over_all_priors(raters, weight):
    """The plan asks one prior, the verdict all likely ones: three in four and more fall as planned all the same."""
    rng = np.random.default_rng(6)
    fell = []
    for _ in range(600 // raters):
        n = volumes(rng, raters)
        right = rng.binomial(n, rng.beta(0.93 * weight, 0.07 * weight, raters))
        before = rater_skill(right, n, 0.9)
        value = before["value"].to_numpy()
        more = gold_needed(right, n, 0.9, value, fit_prior(right, n, typical=1.0))["more"]
        planned = ((before["verdict"] == CANNOT_TELL) & more.notna()).to_numpy()
        more = np.where(planned, more, 0).astype(int)
        after = rater_skill(right + rng.binomial(more, value), n + more, 0.9)["verdict"]
        fell.extend((after == np.where(value < 0.9, BELOW, ABOVE))[planned])
    assert 0.75 <= np.mean(fell) <= 0.92


def test_a_prior_that_speaks_against_the_verdict_asks_for_more_gold():
    prior = skill.Prior(95.0, 5.0, 0.0, True)
    alone, doubted = (gold_needed(17, 20, 0.9, 0.82, p)["more"][0] for p in (None, prior))
    assert doubted > alone + 20


def test_a_rater_at_target_cannot_be_settled():
    found = gold_needed([18, 17], [20, 20], 0.9, [0.9, 0.7])
    assert np.isnan(found["more"][0])
    assert found["reason"].tolist() == ["more than 2,000 gold judgements: too close to the target to tell", ""]


@pytest.mark.parametrize("p", [0.01, 0.05, 0.3, 0.5, 0.8, 0.9, 0.95, 0.98, 0.999])
@pytest.mark.parametrize("wrong", [0.001, 0.01, 0.05, 0.2])
def test_the_limit_of_the_exact_test_is_scipys(p, wrong):
    n = np.arange(1, 2001, dtype=float)
    k = stats.binom.ppf(wrong, n, p)
    k = np.where(stats.binom.cdf(k, n, p) <= wrong, k, k - 1)
    np.testing.assert_array_equal(skill._largest_rejected(n, np.full(len(n), p), wrong), k)


@settings(deadline=None)
@given(st.integers(-2, 60), st.integers(0, 50), st.floats(0.01, 0.99))
def test_the_binomial_tail_is_scipys(k, n, p):
    assert skill.binomial_at_most(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), abs=1e-12)


def test_trigamma_is_scipys():
    x = np.geomspace(1e-4, 1e6, 300)
    np.testing.assert_allclose(rater_prior._trigamma(x), special.polygamma(1, x), rtol=1e-10)


@pytest.mark.parametrize("call", [lambda: rater_skill([5], [4], 0.9), lambda: fit_prior([-1], [4])])
def test_counts_that_cannot_be_are_refused(call):
    with pytest.raises(ValueError, match="between 0 and n"):
        call()


def test_a_target_outside_the_shares_is_refused():
    with pytest.raises(ValueError, match="target accuracy"):
        rater_skill([5], [6], 90)


def test_no_judgements_give_no_prior():
    with pytest.raises(ValueError, match="with judgements"):
        fit_prior([0, 0], [0, 0])
