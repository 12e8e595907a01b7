"""How fast do new raters learn, and when have they learnt? A power law of practice with a floor, fitted to a pool.

err(x) = plateau + (start - plateau) · x^(-rate), x = 1, 2, 3, ... weeks of tenure (or items seen, in blocks).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.intervals import wilson
from metrics.spec import Estimate

Floats = NDArray[np.float64]

LEAST_PERIODS = 5
NO_JUDGEMENTS = "no judgements"
FEW_PERIODS = f"fewer than {LEAST_PERIODS} periods of tenure with judgements"
NO_LEARNING = "no sign that errors fall with tenure"
BEYOND = "the plateau lies beyond the tenure seen"

RATES = np.geomspace(0.1, 5.0, 90)
"""The rates tried, evenly on the log scale: at .1 what is above the plateau halves in 1,000 weeks, at 5 in two."""


@dataclass(frozen=True)
class LearningCurve:
    """One pool's curve. ``start``, ``plateau``: error rates, shares; ``periods``: tenure until within ``near`` of the
    plateau, in periods (1 = the first); ``rate``: the power. ``fitted``: one row per period with judgements: period,
    value (error rate seen), low, high (Wilson), n, fitted (NaN where there is no curve).
    """

    start: Estimate
    plateau: Estimate
    rate: Estimate
    periods: Estimate
    fitted: pd.DataFrame


def learning_curve(
    period: ArrayLike,
    n: ArrayLike,
    wrong: ArrayLike,
    near: float = 0.01,
    design_effect: float = 1.0,
    draws: int = 300,
    seed: int = 0,
) -> LearningCurve:
    """The learning curve of one pool from its counts by tenure.

    period: (cells,), tenure from 1 on; n, wrong: counts on gold, of all the pool's raters together; cells of one period
    are added up. near: how close to the plateau counts as learnt, a share. design_effect: by how much clustering by
    rater widens the variance.

    Fit: for each rate of ``RATES`` start and plateau follow by weighted least squares (weights n/p(1 - p), p from a
    first fit, both kept within 0..1 and start >= plateau); the rate with the smallest weighted squares is taken.
    periods = ((start - plateau)/near)^(1/rate), at least 1. Intervals: parametric bootstrap, seeded, percentiles
    at i/(draws + 1).
    No curve for fewer than ``LEAST_PERIODS`` periods, or where the curve does not fit better than one error rate for
    all (drop of the weighted squares / design effect below 7.8, the 95 % point of chi-squared with 3 degrees of
    freedom); no ``periods`` where a fifth of the draws lie beyond the last period seen. The raters
    of a pool change with tenure: those who leave early may be those who err most, and this looks like learning.
    Raises ValueError for a period below 1 or counts that are none. Source: Newell and Rosenbloom 1981.
    """
    x, n, wrong = _by_period(period, n, wrong)
    effective = n / design_effect
    total = float(n.sum())
    share = np.divide(wrong, n, out=np.full(n.shape, np.nan), where=n > 0)
    found = _wilson_table(x, share, n, effective)
    if len(x) < LEAST_PERIODS:
        return _nothing(FEW_PERIODS if len(x) else NO_JUDGEMENTS, total, found)
    (fit, squares), flat = _fit(x, share[None], effective[None]), wrong.sum() / n.sum()
    level = max(flat * (1 - flat), 1e-9)
    drop = (effective * (share - flat) ** 2).sum() / level - squares[0]
    start, plateau, rate = fit[0]
    if drop < special.chdtri(3, 0.05) or start - plateau <= 0:
        return _nothing(NO_LEARNING, total, found)
    curve = plateau + (start - plateau) * x**-rate
    found["fitted"] = curve
    rng = np.random.default_rng(seed)
    size = np.maximum(np.round(effective), 1)
    again = rng.binomial(size.astype(np.int64), np.clip(curve, 0, 1), (draws, len(x))) / size
    drawn = _fit(x, again, np.broadcast_to(size, again.shape))[0]
    weeks, drawn_weeks = _until(fit, near)[0], _until(drawn, near)
    last = float(x.max())
    if np.mean(drawn_weeks > last) > 0.2:
        until = Estimate.missing(BEYOND, total)
    else:
        until = _percentiles(weeks, drawn_weeks, total)
    return LearningCurve(
        _percentiles(start, drawn[:, 0], total),
        _percentiles(plateau, drawn[:, 1], total),
        _percentiles(rate, drawn[:, 2], total),
        until,
        found,
    )


# ------------------------------------------------------------------------------------------------------------ helpers


def _by_period(period: ArrayLike, n: ArrayLike, wrong: ArrayLike) -> tuple[Floats, Floats, Floats]:
    period, n, wrong = (np.atleast_1d(np.asarray(c, dtype=float)) for c in (period, n, wrong))
    if not len(period) == len(n) == len(wrong):
        raise ValueError("period, n and wrong differ in length.")
    if np.any(period < 1) or not np.all((wrong >= 0) & (wrong <= n)):
        raise ValueError("A period is 1 or more and wrong lies between 0 and n.")
    x, place = np.unique(period[n > 0], return_inverse=True)
    return x, np.bincount(place, n[n > 0], len(x)), np.bincount(place, wrong[n > 0], len(x))


def _fit(x: Floats, share: Floats, n: Floats) -> tuple[Floats, Floats]:
    """(start, plateau, rate) of each row of shares, (rows, 3), and the weighted squares left, (rows,)."""
    basis = x[None, :] ** -RATES[:, None]  # (rates, periods): 1 at the first period, 0 at the end of all
    flat = (share * n).sum(1, keepdims=True) / n.sum(1, keepdims=True)
    p = np.clip(np.broadcast_to(flat, share.shape), 1e-3, 1 - 1e-3)
    rows = np.arange(len(share))
    for _ in range(3):
        w = n / (p * (1 - p))
        sw, swb, swbb = w.sum(1)[:, None], _products(w, basis), _products(w, basis**2)
        swy, swby = (w * share).sum(1)[:, None], _products(w * share, basis)
        swyy = (w * share**2).sum(1)[:, None]
        det = np.maximum(sw * swbb - swb**2, 1e-12)
        gain = np.maximum((sw * swby - swb * swy) / det, 0.0)
        floor = (swy - gain * swb) / sw
        # Below 0 there is no error rate: the plateau is 0 and the gain is fitted alone.
        gain = np.where(floor < 0, np.maximum(swby / swbb, 0.0), gain)
        floor = np.maximum(floor, 0.0)
        gain = np.minimum(gain, 1 - floor)
        squares = swyy - 2 * (floor * swy + gain * swby) + floor**2 * sw + 2 * floor * gain * swb + gain**2 * swbb
        best = squares.argmin(1)
        floor, gain = floor[rows, best], gain[rows, best]
        p = np.clip(floor[:, None] + gain[:, None] * basis[best], 1e-3, 1 - 1e-3)
    return np.column_stack([floor + gain, floor, RATES[best]]), squares[rows, best]


def _products(rows: Floats, basis: Floats) -> Floats:
    """The inner products, (rows, rates); not by ``@``, whose threads cost more than this on a busy machine."""
    return np.einsum("rp,kp->rk", rows, basis)


def _until(fit: Floats, near: float) -> Floats:
    """The period from which on the curve lies within ``near`` of its plateau."""
    above = np.maximum((fit[:, 0] - fit[:, 1]) / near, 1.0)
    return np.exp(np.minimum(np.log(above) / fit[:, 2], 30.0))


def _percentiles(value: float, drawn: Floats, n: float) -> Estimate:
    low, high = np.percentile(drawn, [2.5, 97.5], method="weibull")
    return Estimate(float(value), float(min(low, value)), float(max(high, value)), n)


def _wilson_table(x: Floats, share: Floats, n: Floats, effective: Floats) -> pd.DataFrame:
    found = wilson(share * effective, effective)
    return pd.DataFrame(
        {"period": x, "value": share, "low": found.low, "high": found.high, "n": n, "fitted": np.full(len(x), np.nan)}
    )


def _nothing(reason: str, n: float, found: pd.DataFrame) -> LearningCurve:
    missing = Estimate.missing(reason, n)
    return LearningCurve(missing, missing, missing, missing, found)
