"""Learning curves: scipy's fit, coverage of known curves, and reasons where no curve can be had."""

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.proportion import proportion_confint

from metrics.learning import RATES, learning_curve

WEEKS = np.arange(1, 27)
MISSING = "no sign that errors fall with tenure"


def pool(rng, start, plateau, rate, first=1500):
    """Counts of a pool whose gold thins out with tenure."""
    n = np.round(first * np.exp(-0.03 * WEEKS)).astype(int)
    return n, rng.binomial(n, plateau + (start - plateau) * WEEKS**-rate)


def test_the_fit_is_scipys():
    n, wrong = pool(np.random.default_rng(0), 0.25, 0.06, 1.2)
    found = learning_curve(WEEKS, n, wrong)

    def curve(x, start, plateau, rate):
        return plateau + (start - plateau) * x**-rate

    guess = curve(WEEKS, found.start.value, found.plateau.value, found.rate.value)
    best, _ = optimize.curve_fit(curve, WEEKS, wrong / n, p0=[0.2, 0.05, 1.0], sigma=np.sqrt(guess * (1 - guess) / n))
    assert (found.start.value, found.plateau.value) == pytest.approx(tuple(best[:2]), abs=0.003)
    assert found.rate.value == pytest.approx(best[2], rel=RATES[1] / RATES[0] - 1)
    np.testing.assert_allclose(found.fitted["fitted"], guess)
    assert found.periods.value == pytest.approx(((best[0] - best[1]) / 0.01) ** (1 / best[2]), rel=0.1)


# start, plateau, rate, gold of the first week: within a point of the plateau after 8, 12, 4, 5, 48 and 46,000 weeks.
FAST = [(0.22, 0.05, 1.4, 1500), (0.25, 0.06, 1.2, 1000), (0.25, 0.02, 2.5, 500), (0.15, 0.1, 1.0, 2000)]
SLOW = [(0.3, 0.08, 0.8, 1500), (0.3, 0.08, 0.8, 300), (0.3, 0.05, 0.3, 4000)]


@pytest.fixture(scope="module")
def known_pools():
    """Which intervals hold the truth, (curves, pools, 3); per curve how often ``periods`` is given, and then holds."""
    rng = np.random.default_rng(1)
    held, dated = [], []
    for start, plateau, rate, first in FAST + SLOW:
        found = [learning_curve(WEEKS, *pool(rng, start, plateau, rate, first)) for _ in range(150)]
        weeks = ((start - plateau) / 0.01) ** (1 / rate)
        ends = [[(f.start, start), (f.plateau, plateau), (f.rate, rate)] for f in found]
        held.append([[e.low <= truth <= e.high for e, truth in row] for row in ends])
        given = [f.periods for f in found if f.periods.value is not None]
        dated.append((len(given) / 150, sum(e.low <= weeks <= e.high for e in given) / max(len(given), 1)))
    return np.array(held), np.array(dated)


@pytest.mark.parametrize("which", range(3), ids=["start", "plateau", "rate"])
def test_intervals_cover_known_curves(known_pools, which):
    held = known_pools[0][:, :, which].mean(1)
    assert 0.93 <= held.mean() <= 0.97 + 0.01  # curves hardly bent lie on the safe side
    assert 0.93 <= held[: len(FAST)].mean() <= 0.97
    # 150 pools give one curve's coverage to three points either way.
    assert held.min() >= 0.91


def test_the_date_of_fast_curves_covers_and_slow_ones_have_none(known_pools):
    given, held = known_pools[1].T
    usual = given > 0.5
    assert usual[[0, 2]].all()
    assert 0.93 <= np.average(held[usual], weights=given[usual]) <= 0.98
    assert (given * (1 - held))[~usual].max() <= 0.05
    assert (given[len(FAST) :] <= 0.03).all()


def test_the_ends_are_profiles():
    """At an end the best of all other curves, found by scipy, leaves t² more weighted squares than the best of all."""
    n, wrong = pool(np.random.default_rng(6), 0.25, 0.06, 1.2)
    found, share = learning_curve(WEEKS, n, wrong), wrong / n
    guess = found.fitted["fitted"].to_numpy()
    weights = n / (guess * (1 - guess))

    def squares(start, plateau, rate):
        return np.sum(weights * (share - plateau - (start - plateau) * WEEKS**-rate) ** 2)

    values = [found.start.value, found.plateau.value, found.rate.value]
    least = optimize.minimize(lambda v: squares(*v), values, method="Nelder-Mead").fun
    for place, estimate in enumerate((found.start, found.plateau, found.rate)):
        others = np.delete(values, place)
        for end in (estimate.low, estimate.high):
            best = optimize.minimize(
                lambda v, e=end, i=place: squares(*np.insert(v, i, e)), others, method="Nelder-Mead"
            )
            assert best.fun - least == pytest.approx(stats.t.ppf(0.975, 23) ** 2, abs=0.1)


def test_pools_that_do_not_learn_get_no_curve():
    rng = np.random.default_rng(2)
    flat = [learning_curve(WEEKS, n := np.full(26, 300), rng.binomial(n, 0.08)) for _ in range(200)]
    assert np.mean([f.start.reason == MISSING for f in flat]) >= 0.95
    worse = learning_curve(WEEKS, np.full(26, 500), np.round(500 * (0.2 - 0.15 / WEEKS)))
    assert worse.periods.reason == worse.rate.reason == MISSING
    assert worse.fitted["fitted"].isna().all()
    assert worse.fitted["value"].notna().all()


def test_slow_learners_have_a_curve_but_no_date():
    n, wrong = pool(np.random.default_rng(3), 0.3, 0.05, 0.3, first=4000)
    found = learning_curve(WEEKS, n, wrong)
    assert found.start.value == pytest.approx(0.3, abs=0.03)
    assert (found.periods.value, found.periods.reason) == (None, "the plateau lies beyond the tenure seen")


@pytest.mark.parametrize(
    ("periods", "reason"),
    [
        ([6], "fewer than 5 periods of tenure with judgements"),
        ([1, 2, 3, 4], "fewer than 5 periods of tenure with judgements"),
        ([], "no judgements"),
    ],
)
def test_too_little_gives_a_reason(periods, reason):
    found = learning_curve(periods, [50] * len(periods), [10] * len(periods))
    assert {found.start.reason, found.plateau.reason, found.rate.reason, found.periods.reason} == {reason}
    assert len(found.fitted) == len(periods)


def test_faultless_pools_do_not_fail():
    assert learning_curve(WEEKS, np.full(26, 50), np.zeros(26)).start.reason == MISSING
    assert learning_curve(WEEKS, np.full(26, 50), np.full(26, 50)).start.reason == MISSING


def test_learning_to_no_error_has_a_plateau_at_zero():
    found = learning_curve(WEEKS, np.full(26, 2000), np.round(2000 * 0.3 * WEEKS**-2.0))
    assert found.plateau.value == pytest.approx(0, abs=0.002)
    assert found.plateau.low >= 0
    assert found.periods.value == pytest.approx(np.sqrt(30), rel=0.05)


def test_cells_of_one_period_add_up_and_periods_without_judgements_are_left_out():
    n, wrong = pool(np.random.default_rng(4), 0.25, 0.06, 1.2)
    whole = learning_curve(WEEKS, n, wrong)
    split = learning_curve(
        np.r_[WEEKS[::-1], WEEKS, 40],
        np.r_[n[::-1] // 2, n - n // 2, 0],
        np.r_[wrong[::-1] // 2, wrong - wrong // 2, 0],
    )
    assert split.periods == whole.periods
    assert split.fitted.equals(whole.fitted)
    low, high = proportion_confint(wrong, n, method="wilson")
    np.testing.assert_allclose(whole.fitted[["low", "high"]], np.column_stack([low, high]))


def test_a_design_effect_widens():
    n, wrong = pool(np.random.default_rng(5), 0.25, 0.06, 1.3)
    plain, wide = learning_curve(WEEKS, n, wrong), learning_curve(WEEKS, n, wrong, design_effect=3.0)
    assert wide.plateau.value == pytest.approx(plain.plateau.value, abs=0.002)
    assert wide.plateau.high - wide.plateau.low > 1.3 * (plain.plateau.high - plain.plateau.low)


@pytest.mark.parametrize("wrong", [([0, 1], [5, 5], [1, 1]), ([1, 2], [5, 5], [6, 1]), ([1, 2], [5], [1])])
def test_counts_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="period"):
        learning_curve(*wrong)
