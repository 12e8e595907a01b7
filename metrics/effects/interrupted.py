"""Interrupted time series: did a weekly series leave its course when the change came?

The course is a level and a line through the weeks before, errors of neighbouring weeks follow one another
(``autoregressive``), and a comparison, where there is one, takes out what happened to everybody. Source: Wagner,
Soumerai, Zhang and Ross-Degnan 2002 for segmented regression; Linden 2015 for the comparison series.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.effects import autoregressive
from metrics.effects.effect import (
    LEAST_AFTER,
    LEAST_BEFORE,
    TOO_EARLY,
    TOO_FEW_BEFORE,
    TOO_SHORT,
    WEEKS,
    Design,
    Effect,
)
from metrics.spec import Estimate

Floats = NDArray[np.float64]

NO_VARIATION = "no variation from week to week"

LEAD = 8
"""The weeks before a change in which a move of its own is looked for."""

EFFECT = np.array([0.0, 1.0, 0.0, 0.0])
"""Which coefficient of ``shifted`` is the effect; the last is the line's, where there is one."""


class Compared(NamedTuple):
    """A series less its comparison: y, se (periods,), NaN where either is missing; weights (units,) sum to 1."""

    y: Floats
    se: Floats | None
    weights: Floats


def interrupted(
    y: ArrayLike,
    start: int,
    end: int | None = None,
    se: ArrayLike | None = None,
    others: ArrayLike | None = None,
    others_se: ArrayLike | None = None,
    names: tuple[str, ...] = (),
    weeks: int = WEEKS,
    trend: bool = True,
) -> Effect:
    """The effect of a change that began in week ``start``, averaged over its first weeks.

    y: (periods,) weekly values in the metric's unit, NaN without data. start: the first full week under the change; a
    week it began inside of should be NaN. end: the first week no longer under it, None while it holds; weeks from then
    on are left out, for what comes after a change may be its wake. se: (periods,) standard errors of the weeks in
    the metric's unit: a week worth little counts little. others: (units, periods) the same metric where the change
    did not happen; names: theirs. At most ``weeks`` weeks count. trend: whether the course may rise or fall; without, a
    difference to others is taken to run level, as in difference-in-differences: more is seen, and pre_trend_p matters.

    Model: y = b0 + b1 t + b2 Post + b3 (t - middle of Post) Post + e, e AR(1); the effect is b2, the mean of what was
    less the line carried on, whether the effect is a step or grows. With others: the same of the difference to their
    weighted mean. The interval and p are of a mixture of Student's t (``autoregressive.contrast``). pre_trend_p: the
    same test for the last ``LEAD`` weeks before, had the change come then. Null with fewer than ``LEAST_BEFORE`` weeks
    before or ``LEAST_AFTER`` after, and for a series that does not vary.
    """
    y = np.asarray(y, float)
    se = None if se is None else np.asarray(se, float)
    comparison: tuple[tuple[str, float], ...] = ()
    design = Design.SERIES
    if others is not None and len(others):
        design = Design.COMPARED
        y, se, weights = compared(y, se, np.asarray(others, float), others_se, start)
        named = names or tuple(str(unit) for unit in range(len(weights)))
        comparison = tuple((name, float(w)) for name, w in zip(named, weights, strict=True) if w > 0)
    stop = min(start + weeks, len(y) if end is None else min(end, len(y)))
    used = has_data(y, se)
    before, after = np.flatnonzero(used[:start]), start + np.flatnonzero(used[start:stop])
    if len(after) < LEAST_AFTER:
        running = (end is None or end >= len(y)) and len(y) - start < weeks
        return Effect.missing(design, TOO_EARLY if running else TOO_SHORT, len(after))
    if len(before) < LEAST_BEFORE:
        return Effect.missing(design, TOO_FEW_BEFORE, len(before))
    week = np.concatenate([before, after])
    if np.ptp(y[week]) <= 1e-12 * max(1.0, np.abs(y[week]).max()):
        return Effect.missing(design, NO_VARIATION, len(week))
    result = autoregressive.contrast(shifted(y, week, start, se, trend), EFFECT[: 3 + trend])
    line = _line(y, before, se, trend)
    gaps = y - line(np.arange(len(y)))
    shown = np.concatenate([before, start + np.flatnonzero(used[start : len(y) if end is None else end])])
    return Effect(
        design,
        Estimate(result.value, result.low, result.high, len(after)),
        p_value=result.p,
        pre_trend_p=lead_p(y, start, se, trend),
        statistic=result.value / result.sd,
        weeks=(shown - start).astype(float),
        gaps=gaps[shown],
        comparison=comparison,
    )


def shifted(
    y: Floats, week: NDArray[np.int64], start: int, se: Floats | None, trend: bool = True
) -> autoregressive.Fit:
    """The model over the weeks given: (n,) rising, those from ``start`` on under the change, two of them at least."""
    post = week >= start
    late = (week - week[post].mean()) * post
    columns = [np.ones(len(week)), post.astype(float), late]
    columns += [week - week[~post].mean()] if trend else []
    return autoregressive.fit(y[week], np.column_stack(columns), week, _scale(y[week], post, se, week))


def _scale(y: Floats, post: NDArray[np.bool_], se: Floats | None, week: NDArray[np.int64]) -> Floats | None:
    """The relative standard deviations of the weeks: √(τ² + se²), τ² what the weeks before vary by beyond their se².

    Where weeks differ for other reasons than few judgements, many judgements do not make a week exact.
    """
    if se is None:
        return None
    square = se[week] ** 2
    beyond = max(float(y[~post].var(ddof=1) - square[~post].mean()), 0.0)
    scale = np.sqrt(beyond + square)
    return scale / np.sqrt(np.mean(scale**2))


def lead_p(y: Floats, start: int, se: Floats | None, trend: bool = True, lead: int = LEAD) -> float | None:
    """P of no move in the last ``lead`` weeks before ``start``; None with too few weeks to ask."""
    used = np.flatnonzero(has_data(y, se)[:start])
    late = used >= start - lead
    if late.sum() < LEAST_AFTER or (~late).sum() < LEAST_BEFORE or np.ptp(y[used]) == 0:
        return None
    return autoregressive.p_zero(shifted(y, used, start - lead, se, trend), EFFECT[: 3 + trend])


def compared(y: Floats, se: Floats | None, others: Floats, others_se: ArrayLike | None, start: int) -> Compared:
    """A series less the mean of others, each about its own mean before ``start``.

    A unit's weight is 1 / its mean squared standard error, or equal where those are not given; a week some units have
    no data in is averaged over the rest, and because every unit is taken about its own mean, that moves no level.
    """
    known = np.isfinite(others)
    errors = np.ones(others.shape) if others_se is None else np.asarray(others_se, float)
    known &= np.isfinite(errors)
    before = known[:, :start].sum(1) >= LEAST_BEFORE
    count = np.maximum(known.sum(1), 1)
    spread = np.where(known, errors, 0.0) ** 2
    weight = np.where(before, count / np.maximum(spread.sum(1), 1e-300), 0.0)
    weight = weight / max(weight.sum(), 1e-300)
    early = np.where(known[:, :start], others[:, :start], 0.0).sum(1) / np.maximum(known[:, :start].sum(1), 1)
    parts = np.where(known, weight[:, None], 0.0)
    total = parts.sum(0)
    with np.errstate(all="ignore"):
        mean = np.where(total > 0, (parts * np.where(known, others - early[:, None], 0)).sum(0) / total, np.nan)
        noise = np.where(total > 0, (parts**2 * spread).sum(0) / total**2, np.nan)
    own = se if se is not None else (None if others_se is None else np.zeros(len(y)))
    return Compared(y - mean, None if own is None else np.sqrt(own**2 + noise), weight)


def has_data(y: Floats, se: Floats | None) -> NDArray[np.bool_]:
    """The weeks that can be used: a value, and where standard errors are given one above 0."""
    return np.isfinite(y) if se is None else np.isfinite(y) & np.isfinite(se) & (se > 0)


def _line(y: Floats, before: NDArray[np.int64], se: Floats | None, trend: bool) -> np.poly1d:
    return np.poly1d(np.polyfit(before, y[before], int(trend), w=None if se is None else 1 / se[before]))
