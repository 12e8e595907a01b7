"""How much work will arrive? Daily volume forecast by two methods, of which a backtest picks the better and sets bands.

Both methods and every origin of the backtest see only the days before the origin. Origins lie whole weeks before the
last day, so that a step of the backtest falls on the weekday of the same step of the forecast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import clustered_ratio

Floats = NDArray[np.float64]

SEASON = 7
"""Days after which volume repeats its pattern."""

LEAST_TRAINING_DAYS = 56
"""Fewer days than this before an origin cannot show level, trend and seven weekdays at once."""

MOST_DAYS = 364
"""Older days are left out: they say more about last year's work than about next week's."""

MOST_ORIGINS = 26
"""Weeks the backtest goes back from the last day."""

SEASONAL_NAIVE, ETS = "seasonal naive", "ets"

NO_REPEAT = "volume repeats exactly every week: nothing to calibrate a band on"
NO_VOLUME = "no volume"

POINT_COLUMNS = ("step", "value", "low", "high", "n", "reason")
METHOD_COLUMNS = (
    "method", "value", "low", "high", "n", "reason", "mean_absolute_error_items", "coverage", "covered_n", "chosen",
)  # fmt: skip


def _grid() -> Floats:
    """Smoothing of level, trend and season, and damping, in the usual bounds of a stable model."""
    combinations = [
        (alpha, alpha * share, gamma * (1 - alpha), phi)
        for alpha in (0.001, 0.02, 0.06, 0.12, 0.2, 0.32, 0.5, 0.75)
        for share in (0.001, 0.05, 0.2, 0.6)
        for gamma in (0.001, 0.05, 0.12, 0.25, 0.5)
        for phi in (0.8, 0.9, 0.98)
    ]
    return np.array(combinations)


GRID = _grid()
"""(480, 4): the parameters tried, alpha (level), beta (trend), gamma (season), phi (damping)."""


@dataclass(frozen=True, eq=False)
class Ets:
    """An exponential-smoothing model at the end of its data.

    alpha, beta, gamma, phi: smoothing of level, trend and season, and damping, all 0 to 1, beta <= alpha, gamma <= 1 -
    alpha. level, trend: items a day; season: (7,) items, that of the next day first. initial: (9,) level, trend and
    the seasons of the first 7 days before any was seen. squares: sum of squared one-step errors; days: how many.
    log_likelihood: Gaussian, at the variance squares / days.
    """

    alpha: float
    beta: float
    gamma: float
    phi: float
    level: float
    trend: float
    season: Floats
    initial: Floats
    squares: float
    days: int

    @property
    def log_likelihood(self) -> float:
        """Of the days given the parameters, in natural logarithms; infinite for a perfect fit."""
        if self.squares <= 0:
            return math.inf
        return -self.days / 2 * (math.log(2 * math.pi * self.squares / self.days) + 1)

    def forecast(self, steps: int) -> Floats:
        """The expected volume of the next days, (steps,), items; not cut off at 0."""
        damped = np.cumsum(self.phi ** np.arange(1, steps + 1))
        return self.level + damped * self.trend + self.season[np.arange(steps) % SEASON]


@dataclass(frozen=True, eq=False)
class Forecast:
    """The days to come, and how the methods did on days gone by.

    points: a row per day: step (1 = the day after the last), value, low, high (items, 0 or more), n (errors behind the
        band), reason. Empty reason where there is a number.
    methods: a row per method: method; value (MASE, mean absolute scaled error: 1 is the error of last week's value
        one step ahead), low, high (95 %, over blocks of origins that do not overlap), n (errors), reason;
        mean_absolute_error_items; coverage (share of later origins' days inside a band made of earlier errors only),
        covered_n (how many); chosen.
    errors: (origins, steps) actual - forecast of the chosen method, oldest origin first, NaN for days to come.
    method: the chosen one, "" when there is none. level: of the bands. reason: why there is no forecast, or "".
    """

    points: pd.DataFrame
    methods: pd.DataFrame
    errors: Floats
    method: str
    level: float
    reason: str = ""


def least_days(steps: int = 28, level: float = 0.80) -> int:
    """The days of volume that ``forecast`` needs: training, and origins enough for a band at the last step."""
    return LEAST_TRAINING_DAYS + SEASON * (_least_errors(level) + math.ceil(steps / SEASON) - 1)


def forecast(volume: ArrayLike, steps: int = 28, level: float = 0.80) -> Forecast:
    """The volume of the next ``steps`` days with bands that held on past days.

    volume: (days,) items by day in order of time, no day left out (a day without work is 0), no day half over. Of
    longer histories the last ``MOST_DAYS`` count. level: the share of days that fall into the band of their step.

    Methods: the value of the same weekday in the last week seen, and ``fit_ets``. Each forecasts from every origin 1,
    2, ... weeks back (at most ``MOST_ORIGINS``, at least ``LEAST_TRAINING_DAYS`` before each). MASE = mean |error| /
    mean |y_t - y_(t-7)| over the days before the last origin; the lower MASE is chosen, seasonal naive on a tie.
    Band: value ± the level·(n + 1)-th smallest |error| of that step over the n origins, between ranks in proportion
    (split conformal with the finite-sample rank), never narrowing below 0. Errors that are exchangeable over weeks
    give the level exactly; a change unlike any of the last half year is not in them.
    No forecast, with a reason, for fewer days than ``least_days``, no volume at all, or one that repeats exactly.
    Raises ValueError for volumes that are negative or missing, steps below 1 or above 8 weeks, or a level outside 0..1.
    Source: Hyndman and Koehler 2006 (MASE); Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018 (conformal bands).
    """
    y = _checked(volume)
    if not 1 <= steps <= 8 * SEASON or not 0 < level < 1:
        raise ValueError("A forecast has 1 to 56 steps and a level between 0 and 1.")
    needed = least_days(steps, level)
    if len(y) < needed:
        return _nothing(f"fewer than {needed} days of volume", steps, level, len(y))
    if not y.any():
        return _nothing(NO_VOLUME, steps, level, len(y))
    y = y[-MOST_DAYS:]
    weeks = min(MOST_ORIGINS, (len(y) - LEAST_TRAINING_DAYS) // SEASON)
    origins = len(y) - SEASON * np.arange(weeks, -1, -1)  # the last is the forecast itself
    scale = float(np.mean(np.abs(y[SEASON : origins[-2]] - y[: origins[-2] - SEASON])))
    if scale <= 0:
        return _nothing(NO_REPEAT, steps, level, len(y))
    ahead = origins[:-1, None] + np.arange(steps)
    actual = np.where(ahead < len(y), y[np.minimum(ahead, len(y) - 1)], np.nan)
    made = {SEASONAL_NAIVE: _naive(y, origins, steps), ETS: _ets_from(y, origins, steps)}
    made = {name: np.maximum(values, 0.0) for name, values in made.items()}
    errors = {name: actual - values[:-1] for name, values in made.items()}
    methods = pd.DataFrame([_score(name, e, scale, level) for name, e in errors.items()])
    chosen = str(methods["method"][int(np.argmin(methods["value"]))])
    methods["chosen"] = methods["method"] == chosen
    half, n = _half_widths(errors[chosen], level)
    value = made[chosen][-1]
    points = pd.DataFrame(
        {
            "step": np.arange(1, steps + 1),
            "value": value,
            "low": np.maximum(value - half, 0.0),
            "high": value + half,
            "n": n,
            "reason": "",
        }
    )
    return Forecast(points, methods[list(METHOD_COLUMNS)], errors[chosen], chosen, level)


def sample_paths(found: Forecast, paths: int = 2000, seed: int = 0) -> Floats:
    """Ways the coming days may go, (paths, steps), items, 0 or more: days of one path err together as they did before.

    Each path is the forecast plus a random sum of the backtest's whole error paths (weights normal, so that variances
    and correlations between days are those of the errors), each step scaled to the half width of its band: the share
    ``level`` of paths lies inside. Seeded. Raises ValueError where there is no forecast.
    Source: the multiplier bootstrap, Wu 1986.
    """
    if found.reason:
        raise ValueError(f"There is no forecast to draw from: {found.reason}.")
    whole = found.errors[~np.isnan(found.errors).any(axis=1)]
    half, _ = _half_widths(found.errors, found.level)
    size = np.sqrt((whole**2).sum(axis=0))
    reach = half / special.ndtri(0.5 + found.level / 2)
    pattern = np.divide(whole * reach, size, out=np.zeros_like(whole), where=size > 0)
    weights = np.random.default_rng(seed).standard_normal((paths, len(whole)))
    return np.maximum(found.points["value"].to_numpy() + np.einsum("po,os->ps", weights, pattern), 0.0)


def fit_ets(volume: ArrayLike, grid: Floats = GRID) -> Ets:
    """Exponential smoothing with additive errors, damped trend and weekly season, by maximum likelihood over a grid.

    volume: (days,) items by day, at least 14. grid: (rows, 4) alpha, beta, gamma, phi to choose from. For each row the
    initial states that maximise the likelihood are exact: one-step errors are linear in them, so least squares gives
    them. e_t = y_t - l - φb - s_(t-7); l' = l + φb + αe; b' = φb + βe; s_t = s_(t-7) + γe; seasons sum to 0 at the
    start. Raises ValueError for fewer days or volumes that are negative or missing.
    Source: Hyndman, Koehler, Ord and Snyder 2008, model ETS(A,Ad,A).
    """
    y = _checked(volume)
    if len(y) < 2 * SEASON:
        raise ValueError("Exponential smoothing with a weekly season needs 14 days or more.")
    return _fit_ets(y, np.array([len(y)]), np.asarray(grid, dtype=float))[0]


# ------------------------------------------------------------------------------------------------------------ helpers

_STATES = SEASON + 1
"""Free initial states: level, trend and six seasons; the seventh makes them sum to 0."""


def _checked(volume: ArrayLike) -> Floats:
    y = np.asarray(volume, dtype=float)
    if y.ndim != 1 or not np.isfinite(y).all() or np.any(y < 0):
        raise ValueError("Volume is one number of items a day, 0 or more, no day left out.")
    return y


def _least_errors(level: float) -> int:
    return math.ceil(level / (1 - level) - 1e-9)


def _naive(y: Floats, origins: NDArray[np.int64], steps: int) -> Floats:
    """(origins, steps) the same weekday of the week before each origin."""
    return y[origins[:, None] - SEASON + np.arange(steps) % SEASON]


def _ets_from(y: Floats, origins: NDArray[np.int64], steps: int) -> Floats:
    return np.stack([model.forecast(steps) for model in _fit_ets(y, origins, GRID)])


def _fit_ets(y: Floats, origins: NDArray[np.int64], grid: Floats) -> list[Ets]:
    """The best model on the days before each origin (rising); one pass over the days serves all origins."""
    middle = y.mean()  # keeps the sums of squares small beside their differences; the level takes it back
    y = y - middle
    rows, columns = len(grid), 1 + _STATES
    alpha, beta, gamma, phi = (grid[:, k, None] for k in range(4))
    # Column 0 follows the data from states of 0; column c how the errors change with initial state c.
    level, trend = np.zeros((2, rows, columns))
    season = np.zeros((SEASON, rows, columns))
    level[:, 1] = trend[:, 2] = 1.0
    for k in range(SEASON - 1):
        season[k, :, 3 + k] = 1.0
    season[SEASON - 1, :, 3:] = -1.0
    start = np.concatenate([level[None, 0], trend[None, 0], season[:, 0]])
    gram, errors, models = np.zeros((rows, columns, columns)), [], []
    ends = set(origins.tolist())
    for day in range(int(origins[-1])):
        damped, k = phi * trend, day % SEASON
        expected = level + damped
        error = -(expected + season[k])
        error[:, 0] += y[day]
        level = expected + alpha * error
        trend = damped + beta * error
        season[k] += gamma * error
        errors.append(error)
        if day + 1 in ends:
            block = np.stack(errors, axis=1)
            gram += np.matmul(block.transpose(0, 2, 1), block)
            errors = []
            initial, squares = _initial(gram)
            best = int(squares.argmin())
            mixed = np.concatenate([[1.0], initial[best]])
            later = [(day + 1 + j) % SEASON for j in range(SEASON)]
            first = start @ mixed
            first[0] += middle
            models.append(
                Ets(
                    *(float(p) for p in grid[best]),
                    float(level[best] @ mixed + middle),
                    float(trend[best] @ mixed),
                    season[later, best] @ mixed,
                    first,
                    max(float(squares[best]), 0.0),
                    day + 1,
                )
            )
    return models


def _initial(gram: Floats) -> tuple[Floats, Floats]:
    """The initial states with the smallest sum of squared errors, (rows, states), and that sum, (rows,)."""
    inner, cross = gram[:, 1:, 1:], gram[:, 1:, 0]
    # A trend that dies out within days looks like a level: a ridge of rounding size keeps the equations solvable.
    ridge = 1e-12 * np.trace(inner, axis1=1, axis2=2)[:, None, None] * np.eye(_STATES)
    initial = -np.linalg.solve(inner + ridge, cross[..., None])[..., 0]
    squares = gram[:, 0, 0] + 2 * (cross * initial).sum(axis=1) + np.einsum("ri,rij,rj->r", initial, inner, initial)
    return initial, squares


def _half_widths(errors: Floats, level: float) -> tuple[Floats, NDArray[np.int64]]:
    """The half width of the band at each step and the errors behind it; NaN where they are too few."""
    size = np.sort(np.abs(errors), axis=0)  # NaN last
    n = np.isfinite(size).sum(axis=0)
    rank = level * (n + 1)
    enough = n >= _least_errors(level)
    whole = np.clip(np.floor(rank + 1e-9).astype(np.int64), 1, np.maximum(n, 1))
    next_ = np.minimum(whole + 1, np.maximum(n, 1))
    column = np.arange(errors.shape[1])
    below, above = size[whole - 1, column], size[next_ - 1, column]
    return np.where(enough, below + (above - below) * np.clip(rank - whole, 0, 1), np.nan), n


def _score(name: str, errors: Floats, scale: float, level: float) -> dict:
    """One row of ``Forecast.methods``."""
    known = np.isfinite(errors)
    size = np.where(known, np.abs(errors), 0.0) / scale
    # Origins whose days overlap err together: they make one cluster.
    block = np.arange(len(errors)) // math.ceil(errors.shape[1] / SEASON)
    x, n = np.bincount(block, size.sum(axis=1)), np.bincount(block, known.sum(axis=1))
    found = clustered_ratio(x.sum(), n.sum(), (x * x).sum(), (x * n).sum(), (n * n).sum(), (n > 0).sum())
    covered, tried = _rolling_coverage(errors, level)
    return {
        "method": name,
        "value": float(found.value[0]),
        "low": float(found.low[0]),
        "high": float(found.high[0]),
        "n": int(n.sum()),
        "reason": "",
        "mean_absolute_error_items": float(found.value[0]) * scale,
        "coverage": covered / tried if tried else math.nan,
        "covered_n": tried,
    }


def _rolling_coverage(errors: Floats, level: float) -> tuple[int, int]:
    """How many errors lie inside a band made of those errors alone that were known at their origin, and of how many."""
    covered = tried = 0
    for first in range(0, errors.shape[1], SEASON):
        part = errors[:, first : first + SEASON]
        behind = first // SEASON + 1  # weeks until an origin's errors of these steps are known
        for origin in range(behind + _least_errors(level) - 1, len(errors)):
            half, _ = _half_widths(part[: origin - behind + 1], level)
            judged = np.isfinite(part[origin])
            covered += int((np.abs(part[origin]) <= half)[judged].sum())
            tried += int(judged.sum())
    return covered, tried


def _nothing(reason: str, steps: int, level: float, days: int) -> Forecast:
    points = pd.DataFrame({"step": np.arange(1, steps + 1), "value": np.nan, "low": np.nan, "high": np.nan, "n": 0})
    points["reason"] = reason
    methods = pd.DataFrame({"method": [SEASONAL_NAIVE, ETS]}).reindex(columns=list(METHOD_COLUMNS))
    methods = methods.assign(n=0, covered_n=0, chosen=False, reason=reason)
    return Forecast(points, methods, np.empty((0, steps)), "", level, reason)
