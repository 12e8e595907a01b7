"""Panel coefficients: statsmodels with dummies, simulation for coverage and for what measurement error takes away."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.signal import lfilter

from metrics.panel import LEAST_CLUSTERS, fixed_effects, series_coefficient

TRUE = 0.5


def persistent(rng, shape, phi):
    """AR(1) series along the last axis with variance 1."""
    shocks = rng.normal(size=(*shape[:-1], shape[-1] + 60))
    return lfilter([np.sqrt(1 - phi**2)], [1, -phi], shocks, axis=-1)[..., 60:]


def panel(rng, units, periods, noise=0.0, uneven=False):
    """y, x as measured, unit, period; errors persist within units; uneven: of unequal spread and a quarter missing."""
    x, e = persistent(rng, (units, periods), 0.5), persistent(rng, (units, periods), 0.55)
    if uneven:
        e, x = e * rng.lognormal(0, 0.5, (units, 1)), x * rng.lognormal(0, 0.4, (units, 1))
    y = TRUE * x + e + rng.normal(size=(units, 1)) + rng.normal(size=periods)
    unit, period = np.indices((units, periods))
    kept = rng.random((units, periods)) >= 0.25 * uneven
    return y[kept], (x + noise * rng.normal(size=x.shape))[kept], unit[kept], period[kept]


def covers(estimate):
    return estimate.low <= TRUE <= estimate.high


def holds(inside):
    """93 to 97 %, give or take one Monte Carlo error: 1 point with 500 rounds, 1.8 with 150, 2.2 with 100."""
    error = np.sqrt(0.05 * 0.95 / len(inside))
    return 0.93 - error <= np.mean(inside) <= 0.97 + error


# ---- several projects -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_coefficient_is_that_of_a_dummy_for_each_unit_and_period(uneven, weighted):
    rng = np.random.default_rng(0)
    for units, periods in ((7, 5), (12, 20)):
        y, x, unit, period = panel(rng, units, periods, uneven=uneven)
        z = rng.normal(size=(len(y), 2))
        weights = rng.uniform(0.5, 4, len(y)) if weighted else None
        found = fixed_effects(y, x, unit, period, z, weights)
        dummies = [np.eye(units)[unit], np.eye(periods)[period][:, 1:]]
        fit = sm.WLS(y, np.column_stack([x, z, *dummies]), weights=1.0 if weights is None else weights).fit()
        assert found.raw.value == pytest.approx(fit.params[0], abs=1e-8)
        assert found.raw.n == len(y)
        assert found.clusters == units


def test_keys_may_be_names_and_order_does_not_matter():
    y, x, unit, period = panel(np.random.default_rng(1), 8, 6)
    order = np.random.default_rng(2).permutation(len(y))
    names = np.array([f"P{u:02d}" for u in unit])
    one, other = fixed_effects(y, x, unit, period), fixed_effects(*(s[order] for s in (y, x, names, period)))
    assert (one.raw.low, one.raw.high) == pytest.approx((other.raw.low, other.raw.high))


def test_many_clusters_have_the_plain_sandwich():
    """CR2 and the plain cluster-robust error of statsmodels meet as clusters grow, and t the normal."""
    y, x, unit, period = panel(np.random.default_rng(3), 150, 5)
    found = fixed_effects(y, x, unit, period)
    design = np.column_stack([x, np.eye(150)[unit], np.eye(5)[period][:, 1:]])
    error = sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": unit, "use_correction": False}).bse[0]
    assert (found.raw.high - found.raw.low) / 2 / 1.96 == pytest.approx(error, rel=0.04)


def test_the_degrees_of_freedom_are_bell_and_mccaffreys_in_the_case_they_solve():
    """Equal clusters, x the same in each, no periods to share: errors of G - 1 contrasts, df near G - 1."""
    rng = np.random.default_rng(4)
    units, periods = 9, 8
    unit = np.repeat(np.arange(units), periods)
    x = np.tile(rng.normal(size=periods), units)
    y = TRUE * x + rng.normal(size=len(x))
    found = fixed_effects(y, x, unit, np.zeros(len(x)))
    slopes = np.array([np.polyfit(x[unit == u], y[unit == u], 1)[0] for u in range(units)])
    half = 2.306004 * slopes.std(ddof=1) / 3  # t with 8 degrees of freedom, .975
    assert found.raw.value == pytest.approx(slopes.mean())
    assert (found.raw.high - found.raw.low) / 2 == pytest.approx(half, rel=1e-6)


@pytest.mark.parametrize(("units", "periods", "rounds"), [(5, 20, 250), (8, 20, 500), (40, 10, 100)])
@pytest.mark.parametrize("uneven", [False, True])
def test_intervals_cover_under_persistent_errors(units, periods, rounds, uneven):
    rng = np.random.default_rng(units + uneven)
    raw, corrected = [], []
    for _ in range(rounds):
        y, x, unit, period = panel(rng, units, periods, uneven=uneven)
        raw.append(covers(fixed_effects(y, x, unit, period).raw))
        noisy = fixed_effects(y, x + 0.6 * rng.normal(size=len(x)), unit, period, x_variance=0.36).corrected
        if noisy.value is not None:
            corrected.append(covers(noisy))
    assert holds(raw)
    assert holds(corrected)
    assert len(corrected) > 0.95 * rounds


@pytest.mark.parametrize("phi", [0.3, 0.8])
def test_intervals_cover_whatever_the_persistence_of_errors(phi):
    """1,200 panels of 8 projects and 20 releases, as measured: 93 to 97 %."""
    rng, inside = np.random.default_rng(20), []
    unit, period = (at.ravel() for at in np.indices((8, 20)))
    for _ in range(1200):
        x, e = persistent(rng, (8, 20), 0.5), persistent(rng, (8, 20), phi)
        inside.append(covers(fixed_effects((TRUE * x + e).ravel(), x.ravel(), unit, period).raw))
    assert 0.93 <= np.mean(inside) <= 0.97, np.mean(inside)


def test_plain_intervals_would_not_cover():
    """What the cluster-robust error is for: errors and x that persist, taken as independent."""
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(200):
        y, x, unit, period = panel(rng, 8, 20)
        x_rest, y_rest = (s - np.bincount(unit, s)[unit] / 20 - np.bincount(period, s)[period] / 8 for s in (x, y))
        fit = sm.OLS(y_rest - y_rest.mean(), x_rest - x_rest.mean()).fit()
        inside.append(abs(fit.params[0] - TRUE) < 2 * fit.bse[0])
    assert np.mean(inside) < 0.92


def test_p_is_uniform_enough_without_an_effect():
    rng = np.random.default_rng(6)
    p = []
    for _ in range(300):
        y, x, unit, period = panel(rng, 8, 20)
        p.append(fixed_effects(y - TRUE * x, x, unit, period).p_value)
    assert 0.025 <= np.mean(np.array(p) < 0.05) <= 0.075
    assert np.mean(p) == pytest.approx(0.5, abs=0.05)


def test_rows_of_one_cluster_count_once():
    """Each project's rows three times over: clusters keep the interval as it was, units of their own shrink it."""
    y, x, unit, period = panel(np.random.default_rng(7), 10, 12)
    thrice = [np.tile(s, 3) for s in (y, x, unit, period)]
    own = np.repeat([0, 10, 20], len(y)) + thrice[2]
    one = fixed_effects(y, x, unit, period).raw
    clustered = fixed_effects(thrice[0], thrice[1], own, thrice[3], cluster=thrice[2])
    loose = fixed_effects(thrice[0], thrice[1], own, thrice[3]).raw
    width = one.high - one.low
    assert clustered.clusters == 10
    assert clustered.raw.high - clustered.raw.low == pytest.approx(width, rel=0.02)
    assert loose.high - loose.low < 0.7 * width


def test_what_measurement_error_takes_away_is_given_back():
    """Known reliability: 1 - s²/Var within x, Var of the x without unit and period means; over samples unbiased."""
    rng = np.random.default_rng(8)
    raw, corrected, reliability = [], [], []
    for _ in range(150):
        y, x, unit, period = panel(rng, 20, 15, noise=0.6)
        found = fixed_effects(y, x, unit, period, x_variance=np.full(len(x), 0.36))
        within = x.reshape(20, 15)
        within = within - within.mean(1, keepdims=True) - within.mean(0) + within.mean()
        assert found.reliability == pytest.approx(1 - 0.36 / ((within**2).sum() / (19 * 14)))
        assert found.corrected.value == pytest.approx(found.raw.value / found.reliability)
        raw.append(found.raw.value)
        corrected.append(found.corrected.value)
        reliability.append(found.reliability)
    assert np.mean(corrected) == pytest.approx(TRUE, abs=0.02)
    assert np.mean(raw) == pytest.approx(TRUE * np.mean(reliability), abs=0.02)
    assert np.mean(raw) < 0.4


def test_no_error_leaves_nothing_to_correct():
    y, x, unit, period = panel(np.random.default_rng(9), 8, 10)
    found = fixed_effects(y, x, unit, period, x_variance=0.0)
    assert found.reliability == 1
    assert found.corrected == found.raw


def test_no_panel_coefficient_without_a_reason():
    rng = np.random.default_rng(10)
    y, x, unit, period = panel(rng, 8, 10)
    few = unit < LEAST_CLUSTERS - 1
    cases = {
        "projects tell": fixed_effects(y[few], x[few], unit[few], period[few]),
        "quality does not vary": fixed_effects(y, unit * 0.1 + period * 0.3, unit, period),
        "quality does not vary beyond": fixed_effects(y, x, unit, period, controls=2 * x + unit),
        "the benchmark does not vary": fixed_effects(np.full(len(y), 0.9), x, unit, period),
        "no version": fixed_effects(y * np.nan, x, unit, period),
    }
    for words, found in cases.items():
        assert words in found.raw.reason
        assert words in found.corrected.reason
        assert found.p_value is None
    known = fixed_effects(y, x, unit, period)
    assert "not known" in known.corrected.reason
    assert known.reliability is None
    vague = fixed_effects(y, x, unit, period, x_variance=0.5)
    assert "measurement error" in vague.corrected.reason
    assert 0 < vague.reliability < 0.4
    assert vague.raw == known.raw
    alone = np.where(unit < 4, x, 0.0)
    assert fixed_effects(y, alone, unit, np.zeros(len(y))).clusters == 4
    with pytest.raises(ValueError, match="within one cluster"):
        fixed_effects(y, x, unit, period, cluster=period)
    with pytest.raises(ValueError, match="weight"):
        fixed_effects(y, x, unit, period, weights=np.zeros(len(y)))
    with pytest.raises(ValueError, match="variance"):
        fixed_effects(y, x, unit, period, x_variance=-1)


# ---- one project ------------------------------------------------------------------------------------------------


def series(rng, n, noise=0.0, persistence=0.4, phi=0.55):
    """y, x as measured, time and a base-model dummy; errors as in the sample data, AR(1) with .55."""
    x, e, time = persistent(rng, (n,), persistence), persistent(rng, (n,), phi), np.arange(n)
    base = (time > 0.6 * n) * 1.0
    return TRUE * x + 0.03 * time + base + e, x + noise * rng.normal(size=n), time, base


@pytest.mark.parametrize(("n", "rounds"), [(26, 200), (39, 150), (77, 150)])
def test_series_intervals_cover(n, rounds):
    rng = np.random.default_rng(n)
    raw, corrected = [], []
    for _ in range(rounds):
        y, x, time, base = series(rng, n)
        raw.append(covers(series_coefficient(y, x, time, base).raw))
        noisy = series_coefficient(y, x + 0.4 * rng.normal(size=n), time, base, 0.16).corrected
        if noisy.value is not None:
            corrected.append(covers(noisy))
    assert holds(raw)
    assert holds(corrected)
    assert len(corrected) > 0.95 * rounds


@pytest.mark.parametrize("phi", [0.3, 0.8])
def test_series_intervals_cover_whatever_the_persistence_of_errors(phi):
    """400 series of 39 versions."""
    rng = np.random.default_rng(21)
    assert holds([covers(series_coefficient(*series(rng, 39, phi=phi)).raw) for _ in range(400)])


def test_plain_least_squares_would_not_cover_a_series():
    rng = np.random.default_rng(11)
    inside = []
    for _ in range(300):
        y, x, time, base = series(rng, 39, persistence=0.7)
        low, high = sm.OLS(y, np.column_stack([x, np.ones(39), time, base])).fit().conf_int()[0]
        inside.append(low <= TRUE <= high)
    assert np.mean(inside) < 0.92


def test_a_long_series_is_statsmodels_generalised_least_squares():
    """400 versions leave the persistence in little doubt: iterated GLS with AR(1) gives the same line and error."""
    y, x, time, base = series(np.random.default_rng(12), 400)
    fit = sm.GLSAR(y, np.column_stack([x, np.ones(400), time, base]), rho=1).iterative_fit(20)
    found = series_coefficient(y, x, time, base)
    assert found.raw.value == pytest.approx(fit.params[0], abs=0.005)
    assert (found.raw.high - found.raw.low) / 2 / 1.966 == pytest.approx(fit.bse[0], rel=0.03)
    assert found.clusters == 1


def test_a_series_gets_back_what_measurement_error_takes():
    rng = np.random.default_rng(13)
    raw, corrected = [], []
    for _ in range(100):
        y, x, time, base = series(rng, 77, noise=0.4)
        found = series_coefficient(y, x, time, base, np.full(77, 0.16))
        raw.append(found.raw.value)
        corrected.append(found.corrected.value)
        assert 0.4 < found.reliability < 1
    assert np.mean(corrected) == pytest.approx(TRUE, abs=0.04)
    assert np.mean(raw) < 0.44
    exact = series_coefficient(y, x, time, base, 0.0)
    assert exact.corrected.value == pytest.approx(exact.raw.value)
    assert exact.corrected.high == pytest.approx(exact.raw.high)


def test_no_series_coefficient_without_a_reason():
    y, x, time, base = series(np.random.default_rng(14), 26)
    assert "fewer than 10 versions beyond the 3" in series_coefficient(y[:12], x[:12], time[:12]).raw.reason
    assert "quality does not vary" in series_coefficient(y, 2.0 * time + base, time, base).raw.reason
    assert "the benchmark does not vary" in series_coefficient(np.ones(26), x, time, base).raw.reason
    assert "not known" in series_coefficient(y, x, time, base).corrected.reason
    assert "measurement error" in series_coefficient(y, x, time, base, 0.9).corrected.reason
    y[5] = np.nan
    assert series_coefficient(y, x, time, base).raw.n == 25
    with pytest.raises(ValueError, match="variance"):
        series_coefficient(y, x, time, base, -0.1)
