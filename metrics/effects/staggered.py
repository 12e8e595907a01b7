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
    """The variance of each of several sums over the panel (k,), and the degrees of freedom it rests on (k,)."""

    variance: Floats
    df: Floats

    def half(self) -> Floats:
        """Half the 95 % interval of each sum; NaN where its units do not show how they differ."""
        some = self.variance > 0
        return np.where(some, student(0.975, np.maximum(self.df, 1e-9)) * np.sqrt(self.variance), np.nan)


class Tested(NamedTuple):
    """A sum over its standard error, half its 95 % interval, and the two-sided p of 0."""

    statistic: float
    half: float
    p: float


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
    Interval: Student's t with Satterthwaite's degrees of freedom. It speaks of these units. pre_trend_p: the same test
    of the mean of the ``leads`` weeks before the base being 0: a climb or a step shows there, with few units too; their
    being 0 one by one (Hotelling's T²) would notice it about half as often.

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
    moved = _tested(np.mean(before, axis=0), filled, y, starts) if before else None
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
    found = _tested(total, filled, y, starts)
    if found is not None:
        statistic, p = found.statistic, found.p
        estimate = Estimate(value, value - found.half, value + found.half, int(treated.sum()))
    return Effect(
        Design.STAGGERED,
        estimate,
        p_value=p,
        pre_trend_p=None if moved is None else moved.p,
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
        one = _tested(total, filled, y, dealt)
        if one is not None:
            found.append(one.statistic)
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
    """The variance of each of the sums (k, units, periods) with the panel; None where no cohort has two units.

    It is Σ over cohorts c of tr(M_c S_c), S_c the covariance of the weeks within c over n_c - 1, M_c = Σ a_i a_i' over
    parts a_i of units: those of c itself where it is large, and those of the units of small cohorts at c's share of all
    degrees of freedom. Satterthwaite's degrees of freedom, 2 E² / Var, are worked out as if weeks were independent and
    varied alike: E = Σ tr M_c, Var = Σ 2 tr(M_c²) / (n_c - 1), with tr(M_c²) = Σ_ij (a_i a_j)². Parts that fall on
    different weeks have errors of their own, so that many small cohorts are less uncertain than one.
    """
    cohorts = [np.flatnonzero(starts == start) for start in np.unique(starts)]
    several = [rows for rows in cohorts if len(rows) > 1]
    if not several:
        return None
    pooled_df = sum(len(rows) - 1 for rows in several)
    small = np.flatnonzero(np.isin(starts, [starts[rows[0]] for rows in cohorts if len(rows) < OWN]))
    small = small[np.any(sums[:, small], axis=(0, 2))]
    variance, expected, varies = np.zeros((3, len(sums)))
    for rows in several:
        df, known = len(rows) - 1, np.isfinite(y[rows])
        off = np.where(known, filled[rows] - filled[rows].sum(0) / np.maximum(known.sum(0), 1), 0.0)
        own = rows if len(rows) >= OWN else rows[:0]
        # A large cohort's units each with their own part, n / (n - 1) as of a sample; small ones' with all there are.
        alone = np.einsum("kup,up->ku", sums[:, own], off[: len(own)])
        pooled = sums[:, small] @ off.T
        variance += (alone**2).sum(1) * len(rows) / df + (pooled**2).sum((1, 2)) / pooled_df
        parts = np.concatenate([sums[:, own], sums[:, small] * np.sqrt(df / pooled_df)], axis=1)
        products = parts @ parts.swapaxes(1, 2)
        expected += np.einsum("kuu->k", products)
        varies += (products**2).sum((1, 2)) / df
    df = np.divide(expected**2, varies, out=np.full(len(sums), float(pooled_df)), where=varies > 0)
    return Spread(variance, df)


def _tested(total: Floats | None, filled: Floats, y: Floats, starts: NDArray[np.int64]) -> Tested | None:
    """One sum against 0; None where its units do not show how they differ."""
    spread = None if total is None else _spread(total[None], filled, y, starts)
    if spread is None or not spread.variance[0] > 0:
        return None
    statistic = float((total * filled).sum() / np.sqrt(spread.variance[0]))
    return Tested(statistic, float(spread.half()[0]), float(2 * special.stdtr(spread.df[0], -abs(statistic))))
