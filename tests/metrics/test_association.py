"""Associations: scipy and statsmodels for coefficients, simulation for false alarms and coverage, published power."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.signal import lfilter
from statsmodels.stats.multitest import multipletests

from metrics.association import (
    KENDALL,
    PEARSON,
    SPEARMAN,
    Association,
    associate,
    band,
    basis,
    chance_limit,
    q_values,
    scan,
    versions_needed,
)

ROUNDS = 500  # the Monte Carlo error of a rate of 5 % is 1 point


def persistent(rng, rounds, n, phi, rho=0.0):
    """Pairs of AR(1) series whose correlation is rho at every moment: two arrays (rounds, n)."""
    shocks = rng.normal(size=(2, rounds, n + 60))
    shocks[1] = rho * shocks[0] + np.sqrt(1 - rho**2) * shocks[1]
    return lfilter([1], [1, -phi], shocks, axis=-1)[:, :, 60:]


def naive_alarms(x, y):
    """The plain test of Spearman's coefficient, of each pair of rows."""
    return np.mean(stats.pearsonr(*(stats.rankdata(s, axis=1) for s in (x, y)), axis=1).pvalue < 0.05)


# ---- the coefficient --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "theirs"), [(SPEARMAN, stats.spearmanr), (PEARSON, stats.pearsonr), (KENDALL, stats.kendalltau)]
)
def test_the_coefficient_is_scipys_with_and_without_ties(method, theirs):
    rng = np.random.default_rng(0)
    for ties in (False, True):
        x, y = persistent(rng, 1, 40, 0.3, 0.5)[:, 0]
        if ties:
            x, y = np.round(x), np.round(y)
        found = associate(x, y, method=method)
        assert found.estimate.value == pytest.approx(theirs(x, y).statistic, abs=1e-12)
        assert found.estimate.low < found.estimate.value < found.estimate.high
        assert (found.method, found.lag, found.estimate.n) == (method, 0, 40)


def test_values_that_differ_by_rounding_alone_are_ties():
    """Shares out of 5, 10 and 20 judgements, as sums of parts give them: 0.2 and 0.19999999999999998 are one rank."""
    rng = np.random.default_rng(9)
    x, y = rng.integers(0, 8, 60) / 20, rng.normal(size=60)
    beside = np.nextafter(x, np.where(rng.random(60) < 0.5, 0, 1))
    exact = stats.spearmanr(x, y).statistic
    assert associate(x, y).estimate.value == pytest.approx(exact, abs=1e-12)
    assert associate(beside, y).estimate.value == pytest.approx(exact, abs=1e-12)
    assert associate(np.nextafter(np.full(60, 0.1), rng.normal(size=60)), y).estimate.value is None


def test_p_and_interval_are_fishers_where_nothing_persists():
    """scipy's own interval of Pearson's r; where r1x r1y is not above 0 every pair counts."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        x, y = rng.normal(size=(2, 30))
        found = associate(x, y, method=PEARSON)
        if found.n_effective == 30:
            theirs = stats.pearsonr(x, y).confidence_interval()
            assert (found.estimate.low, found.estimate.high) == pytest.approx(tuple(theirs), abs=1e-9)
        assert (found.p_value < 0.05) == (not found.estimate.low < 0 < found.estimate.high)


@pytest.mark.parametrize("method", [SPEARMAN, PEARSON])
def test_partial_is_the_t_value_of_least_squares(method):
    """r = t/√(t² + df) of y on x and the controls, statsmodels; ranks for Spearman. One degree a control is paid."""
    rng = np.random.default_rng(2)
    z = rng.normal(size=(60, 2))
    x, y = z @ [1, 2] + rng.normal(size=60), z @ [2, 1] + rng.normal(size=60)
    repeated = np.column_stack([z, z.sum(1)]) if method == PEARSON else z
    found = associate(x, y, repeated, method=method)
    a, b, c = (x, y, z) if method == PEARSON else (stats.rankdata(v, axis=0) for v in (x, y, z))
    fit = sm.OLS(b, sm.add_constant(np.column_stack([a, c]))).fit()
    assert found.estimate.value == pytest.approx(fit.tvalues[1] / np.hypot(fit.tvalues[1], np.sqrt(56)), abs=1e-10)
    assert found.n_effective <= 58
    assert abs(found.estimate.value) < 0.5 * associate(x, y, method=method).estimate.value


def test_effective_points_are_the_formula():
    x, y = persistent(np.random.default_rng(3), 1, 52, 0.6)[:, 0]
    product = np.prod([sm.tsa.acf(s, nlags=1)[1] for s in (x, y)])
    assert associate(x, y, method=PEARSON).n_effective == pytest.approx(52 * (1 - product) / (1 + product))
    alternating = np.random.default_rng(4).normal(size=40) * 0.1 + (-1.0) ** np.arange(40)
    assert associate(alternating, x[:40], method=PEARSON).n_effective <= 40


def test_a_lag_pairs_each_value_with_an_earlier_one():
    rng = np.random.default_rng(5)
    x = rng.normal(size=50)
    y = np.roll(x, 2) + 0.3 * rng.normal(size=50)
    values = [cell.estimate.value for cell in scan(x, y, range(4), method=PEARSON)]
    assert values[2] == pytest.approx(np.corrcoef(x[:-2], y[2:])[0, 1])
    assert np.argmax(values) == 2
    assert [cell.lag for cell in scan(x, y, (0, 3))] == [0, 3]


def test_prewhitened_is_the_correlation_of_what_autoregression_leaves():
    x, y = persistent(np.random.default_rng(6), 1, 80, 0.7, 0.6)[:, 0]
    left = []
    for s in (x - x.mean(), y - y.mean()):
        left.append(s[1:] - sm.tsa.acf(s, nlags=1)[1] * s[:-1])
    found = associate(x, y, method=PEARSON, prewhiten=True)
    assert found.estimate.value == pytest.approx(np.corrcoef(*left)[0, 1])
    assert found.estimate.n == 79


def test_missing_values_leave_their_version_out_and_break_the_chain():
    x, y = persistent(np.random.default_rng(7), 1, 40, 0.5, 0.5)[:, 0]
    x[10], y[20] = np.nan, np.nan
    keep = np.isfinite(x) & np.isfinite(y)
    found = associate(x, y, method=PEARSON)
    assert found.estimate.value == pytest.approx(np.corrcoef(x[keep], y[keep])[0, 1])
    assert found.estimate.n == 38
    assert associate(x, y, method=PEARSON, prewhiten=True).estimate.n == 35  # three stretches, one lost in each


# ---- reasons ----------------------------------------------------------------------------------------------------


def test_no_coefficient_without_a_reason():
    rng = np.random.default_rng(8)
    x = rng.normal(size=30)
    step = (np.arange(30) > 15) * 1.0
    walk = np.cumsum(np.ones(30)) + 0.01 * x
    cases = {
        "different lengths": associate(x, x[:-1]),
        "does not vary": associate(x, np.ones(30)),
        "fewer than 3 different values": associate(x, step),
        "fewer than 10 versions": associate(x[:9], x[:9]),
        "controls explain": associate(x, x**3, controls=x),
        "fewer than 10 effective points": associate(walk, walk**2),
    }
    cases["fewer than 10 versions "] = associate(x, x, lag=25)
    for words, cell in cases.items():
        assert words.strip() in cell.estimate.reason
        assert cell.estimate.value is None
        assert cell.p_value is None
    with pytest.raises(ValueError, match="method"):
        associate(x, x, method="tau")
    with pytest.raises(ValueError, match="lag"):
        associate(x, x, lag=-1)


def test_perfect_order_has_finite_ends():
    x = np.random.default_rng(9).normal(size=26)
    for method in (SPEARMAN, PEARSON, KENDALL):
        found = associate(x, 2 * x + 1, method=method)
        assert found.estimate.value == pytest.approx(1)
        assert 0.99 < found.estimate.low < found.estimate.high == pytest.approx(1)
        assert 0 < found.p_value < 1e-6


# ---- calibration ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [26, 52])
@pytest.mark.parametrize("phi", [0.5, 0.8])
def test_unrelated_series_are_called_related_in_5_of_100_cases(n, phi):
    """Both remedies, of the cells given; the naive test fails. 26 versions at .8 leave some 70 % with 10 points."""
    pairs = persistent(np.random.default_rng(round(100 * phi) + n), ROUNDS, n, phi)
    for prewhiten, least in ((False, 0.6), (True, 0.99)):
        p = [associate(x, y, prewhiten=prewhiten).p_value for x, y in zip(*pairs, strict=True)]
        given = np.array([v for v in p if v is not None])
        assert len(given) > least * ROUNDS
        assert 0.025 <= np.mean(given < 0.05) <= 0.075
    assert naive_alarms(*pairs) > 0.09


@pytest.mark.parametrize("phi", [0.5, 0.8])
def test_controls_that_are_smooth_raise_no_false_alarms(phi):
    rng = np.random.default_rng(11)
    time = np.arange(52)
    controls = np.column_stack([time, time > 30])
    p = [associate(x, y, controls).p_value for x, y in zip(*persistent(rng, ROUNDS, 52, phi), strict=True)]
    given = np.array([v for v in p if v is not None])
    assert len(given) > 0.9 * ROUNDS
    assert 0.025 <= np.mean(given < 0.05) <= 0.065


@pytest.mark.parametrize("phi", [0.0, 0.5])
@pytest.mark.parametrize("rho", [0.0, 0.4, 0.7])
def test_intervals_cover(phi, rho):
    """Of the population's coefficient: Pearson's rho, Spearman's 6/pi asin(rho/2), Kendall's 2/pi asin rho."""
    rounds = 500  # Monte Carlo error .9 to 1.1 points, so 93 to 97 gives or takes one
    rng = np.random.default_rng(round(10 * (phi + rho)))
    truth = {PEARSON: rho, SPEARMAN: 6 / np.pi * np.arcsin(rho / 2), KENDALL: 2 / np.pi * np.arcsin(rho)}
    pairs = persistent(rng, rounds, 52, phi, rho)
    for method, true in truth.items():
        if method == KENDALL and (phi, rho) != (0.5, 0.4):
            continue
        cells = [associate(x, y, method=method).estimate for x, y in zip(*pairs, strict=True)]
        assert 0.92 <= np.mean([c.low <= true <= c.high for c in cells]) <= 0.98


def test_power_is_the_published_and_holds_by_simulation():
    assert [versions_needed(r) for r in (0.3, -0.3, 0.5)] == [85, 85, 29]
    rng = np.random.default_rng(12)
    for rho, n in ((0.3, 85), (0.5, 29)):
        x, y = persistent(rng, 4000, n, 0.0, rho)
        p = stats.pearsonr(x, y, axis=1).pvalue
        assert 0.79 <= np.mean(p < 0.05) <= 0.83
    with pytest.raises(ValueError, match="between -1 and 1"):
        versions_needed(0)


# ---- many cells, and what is drawn ------------------------------------------------------------------------------


def test_q_values_are_statsmodels_over_all_cells_and_lags():
    rng = np.random.default_rng(13)
    cells: list[Association] = []
    for k in range(12):
        x, y = persistent(rng, 1, 40, 0.4, 0.5 * (k < 3))[:, 0]
        cells += scan(x, y, (0, 1, 2))
    cells.append(associate(x, np.ones(40)))
    found = q_values(cells)
    theirs = multipletests([c.p_value for c in cells[:-1]], method="fdr_bh")[1]
    assert found.m == 36
    assert np.allclose(found.q[:-1], theirs)
    assert np.isnan(found.q[-1])


def test_chance_exceeds_the_limit_at_one_of_the_lags_in_5_of_100_cases():
    rng = np.random.default_rng(14)
    beyond = []
    for x, y in zip(*persistent(rng, 500, 40, 0.3), strict=True):
        cells = scan(x, y, (0, 1, 2), method=PEARSON)
        beyond.append(any(abs(c.estimate.value) > chance_limit(c, 3) for c in cells))
    assert 0.025 <= np.mean(beyond) <= 0.075
    assert chance_limit(associate(x, np.ones(40)), 3) is None


@pytest.mark.parametrize(("phi", "least"), [(0.0, 0.92), (0.5, 0.91)])
def test_the_band_covers_the_line(phi, least):
    """The true line is y = 2 + x / 2; at the middle and near both ends."""
    rng = np.random.default_rng(15)
    inside = []
    for x, e in zip(*persistent(rng, 250, 40, phi), strict=True):
        at = np.quantile(x, [0.05, 0.5, 0.95])
        line = band(x, 2 + x / 2 + e, at, samples=250)
        inside.append((line.low <= 2 + at / 2) & (2 + at / 2 <= line.high))
    assert np.all(np.mean(inside, axis=0) >= least)
    assert np.mean(inside) <= 0.98


def test_the_band_is_around_the_least_squares_line_and_repeats_with_its_seed():
    rng = np.random.default_rng(16)
    x = rng.normal(size=40)
    y = 1 - 3 * x + rng.normal(size=40)
    x[3] = np.nan
    line = band(x, y, [0.0, 1.0])
    fit = np.polyfit(x[np.isfinite(x)], y[np.isfinite(x)], 1)
    assert np.allclose(line.value, [fit[1], fit.sum()])
    assert np.array_equal(line.low, band(x, y, [0.0, 1.0]).low)
    assert not np.array_equal(line.low, band(x, y, [0.0, 1.0], seed=1).low)
    assert band(x[:8], y[:8], [0.0]) is None
    assert band(np.ones(40), y, [0.0]) is None


def test_basis_spans_the_columns_once():
    columns = np.random.default_rng(17).normal(size=(20, 3))
    columns = np.column_stack([columns, columns[:, 0] - 1e6 * columns[:, 1], np.zeros(20)])
    found = basis(columns)
    assert found.shape == (20, 3)
    assert np.allclose(found.T @ found, np.eye(3))
    assert np.allclose(found @ (found.T @ columns), columns)


def test_n_is_of_the_versions_used_and_not_of_the_gaps():
    rng = np.random.default_rng(1)
    x, y, trend = rng.normal(size=30), rng.normal(size=30), np.arange(30.0)
    x[[3, 11]], y[20] = np.nan, np.nan
    assert associate(x, y).estimate.n == 27
    full = associate(x, y, np.column_stack([trend, y]))  # the second control explains y fully
    assert full.estimate.value is None and "fully" in full.estimate.reason and full.estimate.n == 27
    assert associate(x, y, prewhiten=True).estimate.n == 23  # the first, and each after a gap, has no last one
