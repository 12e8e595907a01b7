"""Difference-in-differences for a change that came to some units, at one time or at different ones.

A unit is compared with those that do not have the change yet, each cohort from its own last weeks before. A regression
with a dummy per unit and week compares the late ones with the early ones, whose effect is still growing, and so can
miss the sign. Source: Callaway and Sant'Anna 2021; Goodman-Bacon 2021 for what is wrong with the regression.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.effects.design import NEVER
from metrics.effects.effect import TOO_EARLY, WEEKS, Design, Effect
from metrics.intervals import student
from metrics.spec import Estimate

Floats = NDArray[np.float64]

OWN = 5
"""A cohort of this many units shows by itself how its units differ; a smaller one is judged by all units."""

NOBODY = "no unit without the change to compare with"
DRAWS = 99
"""Made-up rollouts at most."""


class Spread(NamedTuple):
    """The covariance of several sums over the panel, and the degrees of freedom it rests on, together and of each."""

    covariance: Floats
    df: float
    each: Floats

    def half(self) -> Floats:
        """Half the 95 % interval of each sum; NaN where its units do not show how they differ."""
        variance = np.diag(self.covariance)
        return np.where(variance > 0, student(0.975, np.maximum(self.each, 1e-9)) * np.sqrt(variance), np.nan)


def staggered(
    y: ArrayLike,
    starts: ArrayLike,
    names: tuple[str, ...] = (),
    weeks: int = WEEKS,
    base: int = 1,
    leads: int = 4,
    never_only: bool = False,
) -> Effect:
    """The mean effect over the first weeks after a change, over the units that got it.

    y: (units, periods) weekly values in the metric's unit, NaN without data. starts: (units,) the first full week of
    the change, ``NEVER`` where it does not come. base: weeks before a start that are averaged to compare with; 1 is
    Callaway and Sant'Anna's, more are more exact where the weeks before run in parallel. leads: weeks before those in
    which a move of its own is looked for. never_only: compare with units that never get it, not with those not yet.

    Formula: ATT(g, t) = mean over cohort g of (Y_t - base) - mean over units without the change at t of the same;
    ATT(e) = mean of ATT(g, g + e) over cohorts, by their units; the effect is the mean of ATT(e), e < weeks. It is one
    sum A·Y over the panel; units are independent, so its variance is the sum over units of the variance of their part,
    about the mean of their cohort (n / (n - 1) as of a sample; in cohorts under ``OWN`` units, of all units' series).
    Interval: Student's t with Satterthwaite's degrees of freedom. It speaks of these units. pre_trend_p: Hotelling's T²
    of the ``leads`` weeks before the base being 0 together; of their mean being 0 where units are too few for that.

    Null with nobody to compare with, no week after, or no cohort of two units. n is the units that got it.
    """
    y, starts = np.asarray(y, float), np.asarray(starts)
    treated = (starts != NEVER) & (starts < y.shape[1])
    if not treated.any():
        return Effect.missing(Design.STAGGERED, TOO_EARLY)
    total, filled = _total(y, starts, weeks, base, never_only)
    if total is None:
        return Effect.missing(Design.STAGGERED, NOBODY, int(treated.sum()))
    value = float((total * filled).sum())
    before = [_event(y, starts, -base - lead, base, never_only) for lead in range(1, leads + 1)]
    before = [b for b in before if b is not None]
    events = [(e, _event(y, starts, e, base, never_only)) for e in range(-base - leads, weeks)]
    events = [(e, a) for e, a in events if a is not None]
    single = np.array([a for _, a in events])
    gaps, each = np.einsum("kup,up->k", single, filled), _spread(single, filled, y, starts)
    half = np.full(len(events), np.nan) if each is None else each.half()
    # Those that never get it; units not yet treated compare too, but not for all of the weeks.
    share = -np.where(total < 0, total, 0.0).sum(1) * ~treated
    named = names or tuple(str(unit) for unit in range(len(y)))
    comparison = ((name, s / share.sum()) for name, s in zip(named, share, strict=True) if s > 0)
    estimate, p, statistic = Estimate(value, n=int(treated.sum())), None, None
    spread = _spread(total[None], filled, y, starts)
    if spread is not None and spread.covariance[0, 0] > 0:
        se = float(np.sqrt(spread.covariance[0, 0]))
        within, statistic = float(student(0.975, spread.df)) * se, value / se
        p = float(2 * special.stdtr(spread.df, -abs(statistic)))
        estimate = Estimate(value, value - within, value + within, int(treated.sum()))
    return Effect(
        Design.STAGGERED,
        estimate,
        p_value=p,
        pre_trend_p=_joint_p(np.array(before), filled, y, starts) if before else None,
        statistic=statistic,
        weeks=np.array([e for e, _ in events], float),
        gaps=gaps,
        gap_low=gaps - half,
        gap_high=gaps + half,
        comparison=tuple(comparison),
    )


def dealt_anew(
    y: ArrayLike, starts: ArrayLike, weeks: int = WEEKS, base: int = 1, draws: int = DRAWS, seed: int = 0
) -> Floats:
    """Statistics of made-up rollouts: the same starts dealt out to other units, each dealing once, the real one not.

    All dealings where there are at most ``draws``, else as many by lot. Exact where every unit might as well have been
    any other (Fisher 1935); the statistic is the effect over its standard error, so unlike spreads do little harm
    (Chung and Romano 2013).
    """
    y, starts = np.asarray(y, float), np.asarray(starts)
    rng = np.random.default_rng(seed)
    counts = np.unique(starts, return_counts=True)[1]
    log = special.gammaln(len(starts) + 1) - special.gammaln(counts + 1).sum()
    most = draws if log > 20 else min(draws, round(np.exp(log)) - 1)
    seen, found = {tuple(starts)}, []
    # A dealing comes up again and again when they are few; to meet the last of them takes about their number times ln.
    for _ in range(20 * draws):
        if len(seen) > most:
            break
        dealt = rng.permutation(starts)
        if tuple(dealt) in seen:
            continue
        seen.add(tuple(dealt))
        total, filled = _total(y, dealt, weeks, base, False)
        spread = None if total is None else _spread(total[None], filled, y, dealt)
        if spread is not None and spread.covariance[0, 0] > 0:
            found.append(float((total * filled).sum() / np.sqrt(spread.covariance[0, 0])))
    return np.array(found)


def _total(
    y: Floats, starts: NDArray[np.int64], weeks: int, base: int, never_only: bool
) -> tuple[Floats | None, Floats]:
    """The coefficients of the effect over the panel, None with nobody to compare with; and the panel without NaN: a
    unit without data in a week has no part in that week.
    """
    after = [_event(y, starts, e, base, never_only) for e in range(weeks)]
    after = [a for a in after if a is not None]
    return np.mean(after, axis=0) if after else None, np.where(np.isfinite(y), y, 0.0)


def two_by_two(before: ArrayLike, after: ArrayLike, before_treated: ArrayLike, after_treated: ArrayLike) -> Estimate:
    """The difference-in-differences of four samples of single values, with its interval.

    Formula: (mean after - mean before) of the treated less the same of the others; variance Σ over samples of
    Σ(x - mean)² / n², times N / (N - 4), which is HC1 of the regression with both dummies and their product; t with
    N - 4 degrees of freedom. Null without a value in each sample; no interval where N is 4 or less.
    """
    samples = [np.asarray(x, float) for x in (before, after, before_treated, after_treated)]
    if any(len(x) == 0 for x in samples):
        return Estimate.missing("a sample without values")
    old, new, old_treated, new_treated = (float(x.mean()) for x in samples)
    value, n = (new_treated - old_treated) - (new - old), sum(len(x) for x in samples)
    if n <= 4:
        return Estimate(value, n=n)
    variance = sum(float(((x - x.mean()) ** 2).sum()) / len(x) ** 2 for x in samples) * n / (n - 4)
    half = float(student(0.975, n - 4)) * np.sqrt(variance)
    return Estimate(value, value - half, value + half, n)


def _event(y: Floats, starts: NDArray[np.int64], e: int, base: int, never_only: bool) -> Floats | None:
    """The coefficients (units, periods) of ATT(e): its sum with y is the effect e weeks after. None without cohorts."""
    known = np.isfinite(y)
    total, size = np.zeros(y.shape), 0
    for start in np.unique(starts[starts != NEVER]):
        t, early = start + e, max(start - base, 0)
        if not 0 <= t < y.shape[1] or early >= start:
            continue
        usable = known[:, t] & known[:, early:start].any(1)
        own = usable & (starts == start)
        free = starts == NEVER
        if not never_only:
            free = free | (starts > max(t, start - 1))
        free = free & usable & (starts != start)
        if own.any() and free.any():
            many = int(own.sum())
            # Cohorts count by their units: each of its own counts 1, the others together as much.
            unit = own - free * (many / free.sum())
            total[:, t] += unit
            shares = known[:, early:start] / np.maximum(known[:, early:start].sum(1, keepdims=True), 1)
            total[:, early:start] -= unit[:, None] * shares
            size += many
    return total / size if size else None


def _spread(sums: Floats, filled: Floats, y: Floats, starts: NDArray[np.int64]) -> Spread | None:
    """The covariance of the sums (k, units, periods) with the panel; None where no cohort has two units."""
    cohorts = [np.flatnonzero(starts == start) for start in np.unique(starts)]
    off = np.zeros(y.shape)
    for rows in cohorts:
        known = np.isfinite(y[rows])
        off[rows] = np.where(known, filled[rows] - filled[rows].sum(0) / np.maximum(known.sum(0), 1), 0.0)
    several = [rows for rows in cohorts if len(rows) > 1]
    if not several:
        return None
    everyone = np.concatenate(several)
    pooled_df = sum(len(rows) - 1 for rows in several)
    k = len(sums)
    found: list[tuple[Floats, float]] = []
    pooled = np.zeros((k, k))
    for rows in cohorts:
        if len(rows) >= OWN:
            parts = np.einsum("kup,up->ku", sums[:, rows], off[rows])
            found.append((parts @ parts.T * len(rows) / (len(rows) - 1), len(rows) - 1))
            continue
        for unit in rows:
            parts = sums[:, unit] @ off[everyone].T
            pooled += parts @ parts.T / pooled_df
    if np.any(pooled):
        found.append((pooled, pooled_df))
    if not found:
        return None
    covariance = np.sum([c for c, _ in found], axis=0)
    every = [(np.trace(c) ** 2, df) for c, df in found]
    below = sum(square / df for square, df in every)
    own = np.sum([np.diag(c) ** 2 / df for c, df in found], axis=0)
    each = np.divide(np.diag(covariance) ** 2, own, out=np.full(k, float(pooled_df)), where=own > 0)
    df = float(np.trace(covariance) ** 2 / below) if below > 0 else float(pooled_df)
    return Spread(covariance, df, each)


def _joint_p(sums: Floats, filled: Floats, y: Floats, starts: NDArray[np.int64]) -> float | None:
    """P of the sums being 0 together, by Hotelling's T² as an F; None with too few units for so many."""
    spread = _spread(sums, filled, y, starts)
    q = len(sums)
    if spread is None:
        return None
    if spread.df <= q or np.linalg.matrix_rank(spread.covariance) < q:
        return _joint_p(sums.mean(0, keepdims=True), filled, y, starts) if q > 1 else None
    at = np.einsum("kup,up->k", sums, filled)
    squared = float(at @ np.linalg.solve(spread.covariance, at))
    low = spread.df - q + 1
    return float(special.fdtrc(q, low, squared * low / (spread.df * q)))
