"""Forecasts: statsmodels' exponential smoothing, bands that cover in simulation, reasons where nothing can be said."""

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from metrics import forecast as fc
from metrics.forecast import ETS, SEASONAL_NAIVE, fit_ets, forecast, least_days, sample_paths

WEEK = np.array([200, 210, 220, 150, -300, -440, -40])


def series(kind, days, rng):
    """Volume around 1,600 a day with a weekly pattern and different sorts of luck."""
    base = 1600 + WEEK[np.arange(days) % 7]
    if kind == "independent":
        found = base + rng.normal(0, 60, days)
    elif kind == "wandering":
        found = base + np.cumsum(rng.normal(0, 12, days)) + rng.normal(0, 50, days)
    elif kind == "counts":
        found = rng.poisson(base * np.exp(np.cumsum(rng.normal(0, 0.01, days))) * rng.gamma(100, 0.01, days))
    else:
        found = rng.poisson((60 + WEEK[np.arange(days) % 7] / 10) * np.exp(0.001 * np.arange(days)))
    return np.maximum(found, 0.0)


def statsmodels_ets(y, ours):
    """Their model with our parameters; smooth() then leaves nothing to estimate."""
    model = ETSModel(
        pd.Series(y), error="add", trend="add", damped_trend=True, seasonal="add", seasonal_periods=7,
        initialization_method="known", initial_level=ours.initial[0], initial_trend=ours.initial[1],
        initial_seasonal=ours.initial[2:],
    )  # fmt: skip
    given = {"smoothing_level": ours.alpha, "smoothing_trend": ours.beta, "smoothing_seasonal": ours.gamma}
    given |= {"damping_trend": ours.phi, "initial_level": ours.initial[0], "initial_trend": ours.initial[1]}
    given |= {f"initial_seasonal.{k}": v for k, v in enumerate(ours.initial[2:])}
    return model.smooth([given[name] for name in model.param_names])


@pytest.mark.parametrize("kind", ["independent", "wandering", "counts"])
def test_smoothing_is_statsmodels_given_the_parameters(kind):
    y = series(kind, 150, np.random.default_rng(1))
    ours = fit_ets(y)
    theirs = statsmodels_ets(y, ours)
    assert ours.squares == pytest.approx(theirs.sse, rel=1e-8)
    assert ours.log_likelihood == pytest.approx(theirs.llf, abs=1e-6)
    np.testing.assert_allclose(ours.forecast(28), theirs.forecast(28), rtol=1e-9)
    assert ours.initial[2:].sum() == pytest.approx(0, abs=1e-6)


@pytest.mark.filterwarnings("ignore:Maximum Likelihood optimization failed")  # theirs, after 300 rounds
@pytest.mark.parametrize("kind", ["independent", "wandering", "counts"])
def test_the_fit_is_as_likely_as_statsmodels_own(kind):
    """The grid may lose half a unit of log-likelihood; exact initial states win some of it back."""
    y = series(kind, 150, np.random.default_rng(2))
    ours = fit_ets(y)
    model = ETSModel(pd.Series(y), error="add", trend="add", damped_trend=True, seasonal="add", seasonal_periods=7)
    theirs = model.fit(disp=False, maxiter=300)
    assert ours.log_likelihood > theirs.llf - 0.5
    spread = math.sqrt(theirs.sse / 150)
    assert np.abs(ours.forecast(28) - theirs.forecast(28)).mean() < 0.35 * spread


def test_initial_states_are_the_best_for_any_parameters():
    """No small step away from them makes the squared errors smaller."""
    y = series("wandering", 90, np.random.default_rng(3))
    one = np.array([[0.3, 0.02, 0.1, 0.9]])
    ours = fit_ets(y, one)
    rng = np.random.default_rng(4)

    def squares(initial):
        level, trend, season, total = initial[0], initial[1], list(initial[2:]), 0.0
        for day, seen in enumerate(y):
            error = seen - level - 0.9 * trend - season[day % 7]
            level, trend = level + 0.9 * trend + 0.3 * error, 0.9 * trend + 0.02 * error
            season[day % 7] += 0.1 * error
            total += error**2
        return total

    assert squares(ours.initial) == pytest.approx(ours.squares, rel=1e-9)
    assert all(squares(ours.initial + rng.normal(0, 1, 9)) > ours.squares for _ in range(50))


def test_every_origin_has_the_model_of_its_own_past():
    y = series("counts", 160, np.random.default_rng(5))
    origins = np.array([60, 95, 160])
    together = fc._ets_from(y, origins, 14)
    alone = [fit_ets(y[:o]).forecast(14) for o in origins]
    np.testing.assert_allclose(together, alone, rtol=1e-7)


def test_the_future_does_not_reach_the_backtest():
    """A change of the last week moves the errors of that week only."""
    y = series("independent", 150, np.random.default_rng(6))
    changed = y.copy()
    changed[-7:] += 500.0
    before, after = forecast(y), forecast(changed)
    assert before.method == after.method == ETS
    last_week = np.arange(150 - 7, 150)
    ahead = (150 - 7 * np.arange(len(before.errors), 0, -1))[:, None] + np.arange(28)
    moved = ~np.isclose(before.errors, after.errors, equal_nan=True)
    assert not moved[~np.isin(ahead, last_week)].any()
    assert moved[np.isin(ahead, last_week)].all()


def test_errors_and_mase_are_those_of_the_definition():
    y = series("independent", 140, np.random.default_rng(7))
    found = forecast(y, steps=10)
    weeks = (140 - 56) // 7
    origins = 140 - 7 * np.arange(weeks, 0, -1)
    scale = np.mean([abs(y[t] - y[t - 7]) for t in range(7, origins[-1])])
    naive, smooth = [], []
    for i, origin in enumerate(origins):
        model = fit_ets(y[:origin]).forecast(10)
        for h in range(10):
            if origin + h < 140:
                naive.append(abs(y[origin + h] - y[origin - 7 + h % 7]))
                smooth.append(abs(y[origin + h] - model[h]))
                assert found.errors[i, h] == pytest.approx(y[origin + h] - model[h], abs=1e-6)
            else:
                assert math.isnan(found.errors[i, h])
    table = found.methods.set_index("method")
    assert table.loc[SEASONAL_NAIVE, "value"] == pytest.approx(np.mean(naive) / scale)
    assert table.loc[ETS, "value"] == pytest.approx(np.mean(smooth) / scale, rel=1e-6)
    assert table.loc[ETS, "mean_absolute_error_items"] == pytest.approx(np.mean(smooth), rel=1e-6)
    assert table["n"].tolist() == [len(naive)] * 2
    assert (table["low"] < table["value"]).all()
    assert (table["value"] < table["high"]).all()
    assert found.method == ETS == table["value"].idxmin()
    assert table["chosen"].tolist() == [False, True]


def test_bands_are_the_finite_sample_quantiles_of_the_errors():
    found = forecast(series("counts", 200, np.random.default_rng(8)))
    for step in (0, 13, 27):
        size = np.abs(found.errors[:, step])
        size = size[np.isfinite(size)]
        row = found.points.iloc[step]
        assert row["high"] - row["value"] == pytest.approx(np.quantile(size, 0.8, method="weibull"))
        assert row["low"] == pytest.approx(max(2 * row["value"] - row["high"], 0))
        assert row["n"] == len(size)


def test_bands_cover_eight_days_in_ten():
    """75 to 85 % of coming days at nominal 80 %, over four sorts of series; the backtest's own coverage likewise."""
    rng = np.random.default_rng(9)
    inside, rolling = [], []
    for kind in ("independent", "wandering", "counts", "small"):
        for _ in range(24):
            y = series(kind, 168, rng)
            found = forecast(y[:140])
            inside.append(((y[140:] >= found.points["low"]) & (y[140:] <= found.points["high"])).mean())
            rolling.append(found.methods.set_index("method").loc[found.method, "coverage"])
    assert 0.75 <= np.mean(inside) <= 0.85
    assert 0.75 <= np.mean(rolling) <= 0.85


def test_backtest_coverage_uses_earlier_errors_only():
    rng = np.random.default_rng(10)
    errors = rng.normal(0, 1, (12, 14))
    errors[-1, 7:] = np.nan
    covered = tried = 0
    for origin in range(12):
        for step in range(14):
            known = [errors[i, step] for i in range(12) if i + step // 7 + 1 <= origin]
            if len(known) >= 4 and np.isfinite(errors[origin, step]):
                covered += abs(errors[origin, step]) <= np.quantile(np.abs(known), 0.8, method="weibull")
                tried += 1
    assert fc._rolling_coverage(errors, 0.8) == (covered, tried)


def test_seasonal_naive_wins_where_only_last_week_counts():
    """Each weekday wanders by itself in large steps: nothing else carries over."""
    rng = np.random.default_rng(11)
    y = (1000 + np.cumsum(rng.choice([-80.0, 80.0], (24, 7)), axis=0)).ravel().clip(0)
    found = forecast(y)
    assert found.method == SEASONAL_NAIVE
    np.testing.assert_array_equal(found.points["value"], np.tile(y[-7:], 4))


def test_paths_have_the_bands_and_the_memory_of_the_errors():
    y = series("wandering", 300, np.random.default_rng(12))
    found = forecast(y)
    paths = sample_paths(found, 20_000, seed=1)
    assert paths.shape == (20_000, 28)
    inside = (paths >= found.points["low"].to_numpy()) & (paths <= found.points["high"].to_numpy())
    assert inside.mean(axis=0) == pytest.approx(np.full(28, 0.8), abs=0.012)
    assert paths.mean(axis=0) == pytest.approx(found.points["value"].to_numpy(), rel=0.01)
    whole = found.errors[~np.isnan(found.errors).any(axis=1)]
    products = whole.T @ whole
    theirs = products / np.sqrt(np.outer(np.diag(products), np.diag(products)))
    np.testing.assert_allclose(np.corrcoef(paths.T), theirs, atol=0.04)
    # Days of a path err together: their sum spreads wider than that of independent days.
    assert paths.sum(axis=1).std() > 1.5 * np.sqrt(paths.var(axis=0).sum())
    np.testing.assert_array_equal(sample_paths(found, 50, seed=3), sample_paths(found, 50, seed=3))
    assert not np.array_equal(sample_paths(found, 50, seed=3), sample_paths(found, 50, seed=4))


def test_forecasts_and_paths_stay_at_0_or_above():
    y = np.random.default_rng(13).poisson(np.tile([6, 5, 5, 4, 1, 0.2, 0.1], 20)).astype(float)
    found = forecast(y)
    assert (found.points[["value", "low"]].to_numpy() >= 0).all()
    assert (sample_paths(found) >= 0).all()


@pytest.mark.parametrize(
    ("volume", "reason"),
    [
        (np.arange(104.0), "fewer than 105 days of volume"),
        (np.array([]), "fewer than 105 days of volume"),
        (np.zeros(200), "no volume"),
        (np.tile([5.0, 4, 3, 2, 1, 0, 0], 30), "volume repeats exactly every week: nothing to calibrate a band on"),
    ],
)
def test_too_little_gives_a_reason(volume, reason):
    found = forecast(volume)
    assert (found.reason, found.method) == (reason, "")
    assert set(found.points["reason"]) == set(found.methods["reason"]) == {reason}
    assert found.points[["value", "low", "high"]].isna().all(axis=None)
    assert list(found.points) == list(fc.POINT_COLUMNS)
    assert list(found.methods) == list(fc.METHOD_COLUMNS)
    with pytest.raises(ValueError, match="no forecast"):
        sample_paths(found)


def test_the_fewest_days_are_enough():
    assert (least_days(), least_days(7), least_days(28, 0.9)) == (105, 84, 140)
    y = series("independent", 140, np.random.default_rng(14))
    for steps, level in ((28, 0.8), (7, 0.8), (28, 0.9)):
        found = forecast(y[: least_days(steps, level)], steps, level)
        assert not found.reason
        assert found.points.notna().all(axis=None)
        assert forecast(y[: least_days(steps, level) - 1], steps, level).reason
    assert list(found.points) == list(fc.POINT_COLUMNS)
    assert list(found.methods) == list(fc.METHOD_COLUMNS)


def test_older_days_than_the_limit_change_nothing():
    y = series("counts", fc.MOST_DAYS + 100, np.random.default_rng(15))
    pd.testing.assert_frame_equal(forecast(y).points, forecast(y[100:]).points)


@pytest.mark.parametrize("volume", [[1.0] * 200 + [-1.0], [1.0] * 200 + [math.nan], [[1.0] * 200]])
def test_volumes_that_cannot_be_are_refused(volume):
    with pytest.raises(ValueError, match="Volume"):
        forecast(volume)


@pytest.mark.parametrize(("steps", "level"), [(0, 0.8), (57, 0.8), (28, 0.0), (28, 1.0)])
def test_steps_and_levels_that_cannot_be_are_refused(steps, level):
    with pytest.raises(ValueError, match="steps"):
        forecast(np.ones(300), steps, level)


def test_smoothing_needs_two_weeks():
    with pytest.raises(ValueError, match="14 days"):
        fit_ets(np.ones(13))
