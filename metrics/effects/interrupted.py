"""Interrupted time series: did a weekly series leave its course when the change came?

The course is a level and a line through the weeks before, errors of neighbouring weeks follow one another
(``autoregressive``), and a comparison, where there is one, takes out what happened to everybody. Source: Wagner,
Soumerai, Zhang and Ross-Degnan 2002 for segmented regression; Linden 2015 for the comparison series.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

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
from metrics.intervals import student
from metrics.spec import Estimate

Floats = NDArray[np.float64]

NO_VARIATION = "no variation from week to week"

LEAD = 8
"""The weeks before a change in which a move of its own is looked for."""

EFFECT = np.array([0.0, 1.0, 0.0, 0.0])
"""Which coefficient of ``shifted`` is the effect; the last is the line's, where there is one."""


SEASONS = (26, 52)
"""Weeks of the waves that a course may ride: half a year and a year."""

SEASON_SEEN = 0.01
"""A wave is part of the course where the weeks before show it at this p: one series without in a hundred gets one."""

WAVES = 2
"""How many waves long the weeks before must be: fewer are not told from errors that carry over."""

MOST_WEIGHT = 4.0
"""How much more than the usual unit one may count in a comparison: a variance of few weeks can be small by chance."""

AT_ONCE = 2000
"""Series fitted together: some 50 MB."""


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
    level: float = 0.95,
    seasons: tuple[int, ...] = SEASONS,
) -> Effect:
    """The effect of a change that began in week ``start``, averaged over its first weeks.

    y: (periods,) weekly values in the metric's unit, NaN without data. start: the first full week under the change; a
    week it began inside of should be NaN. end: the first week no longer under it, None while it holds; weeks from then
    on are left out, for what comes after a change may be its wake. se: (periods,) standard errors of the weeks in
    the metric's unit: a week worth little counts little. others: (units, periods) the same metric where the change
    did not happen; names: theirs. At most ``weeks`` weeks count. trend: whether the course may rise or fall; without, a
    difference to others is taken to run level, as in difference-in-differences: more is seen, and pre_trend_p matters.
    seasons: weeks of the waves looked for; none where periods are not weeks. level: of the interval of the effect; of a
    part picked out of many it is higher, so that it holds for all of them.

    Model: y = b0 + b1 t + b2 Post + b3 (t - middle of Post) Post + wave + e, e AR(1), the wave (``season``) only where
    the weeks before show one; the effect is b2, the mean of what was
    less the line carried on, whether the effect is a step or grows. With others: the same of the difference to their
    weighted mean. The interval and p are of a mixture of Student's t (``autoregressive.contrast``). pre_trend_p: the
    same test for the last ``LEAD`` weeks before, had the change come then. gaps: the weeks less the line through those
    before, with the interval of a single week: t standard errors of what was foreseen (``autoregressive.foreseen``); of
    a change that ended, ``WEEKS`` weeks more.
    Null with fewer than ``LEAST_BEFORE`` weeks
    before or ``LEAST_AFTER`` after, and for a series that does not vary.
    """
    y = seen = np.asarray(y, float)
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
    if not _varies(y[None, week], np.ones((1, len(week)), bool))[0]:
        return Effect.missing(design, NO_VARIATION, len(week))
    period = _own_season(y, used, start, se, seasons)
    model = shifted(y, week, start, se, trend, period)
    result = autoregressive.contrast(model, _along(model), level)
    since = start + np.flatnonzero(used[start : len(y) if end is None else end + WEEKS])
    shown = np.concatenate([before, since])
    gaps, half = _gaps(y, before, since, se, trend, period)
    return Effect(
        design,
        Estimate(result.value, result.low, result.high, len(after)),
        p_value=result.p,
        pre_trend_p=lead_p(y, start, se, trend, period),
        statistic=result.value / result.sd,
        weeks=(shown - start).astype(float),
        gaps=gaps,
        gap_low=gaps - half,
        gap_high=gaps + half,
        comparison=comparison,
        season=period,
        level=float(seen[after].mean()),
        until=None if end is None or end >= len(y) else end - start,
    )


def shifted(
    y: Floats,
    week: NDArray[np.int64],
    start: int,
    se: Floats | None,
    trend: bool = True,
    period: int = 0,
) -> autoregressive.Fit:
    """The model over the weeks given: (n,) rising, those from ``start`` on under the change, two of them at least."""
    used = np.zeros((1, len(y)), bool)
    used[0, week] = True
    return _shifted(y[None], used, np.array([start]), None if se is None else se[None], trend, period).of(0)


def _shifted(
    y: Floats, used: NDArray[np.bool_], start: NDArray[np.int64], se: Floats | None, trend: bool, period: int = 0
) -> autoregressive.Fit:
    """``shifted`` of many series (series, periods), each over its own weeks and with its own start; on one wave."""
    week = np.arange(y.shape[1])
    post = week >= start[:, None]
    late = (week - _mean(week, used & post)) * post
    columns = [np.ones(y.shape), post, late]
    columns += [week - _mean(week, used & ~post)] if trend else []
    columns += [np.broadcast_to(one, y.shape) for one in _wave(week, period)]
    return autoregressive.fits(y, np.stack(columns, axis=2), used, _scale(y, used, post, se))


def _along(found: autoregressive.Fit) -> Floats:
    """Which coefficient of ``shifted`` is the effect."""
    return np.eye(found.beta.shape[-1])[1]


def _wave(week: NDArray[np.int64], period: int) -> list[Floats]:
    """The columns of a wave of so many weeks; none of 0."""
    return [f(2 * np.pi * week / period) for f in (np.cos, np.sin)] if period else []


def season(
    y: Floats, before: NDArray[np.bool_], scale: Floats | None, seasons: tuple[int, ...] = SEASONS
) -> NDArray[np.int64]:
    """The weeks of the wave that each series rides, 0 for none: (series,), chosen by the weeks before a change alone.

    y, before, scale: (series, periods), as in ``autoregressive.fits``. A wave is a cosine and a sine beside level and
    line, whose turn would else be taken for a change. It is there where F of both being 0, over phi as its weights are,
    has a p below ``SEASON_SEEN``, the smaller of two periods' p counting. Asked only where least squares, which takes
    weeks for independent and sees waves too often, sees one.
    """
    week, best, pick = np.arange(y.shape[1]), np.full(len(y), SEASON_SEEN), np.zeros(len(y), int)
    many = before.sum(1)
    span = np.where(before, week, 0).max(1) - np.where(before, week, y.shape[1]).min(1) + 1
    off = np.where(before, y - _mean(np.where(before, y, 0.0), before | ~before.any(1, keepdims=True)), 0.0)
    for period in seasons:
        x = np.stack([np.ones(len(week)), week - week.mean(), *_wave(week, period)], axis=1)
        rows = np.flatnonzero((span >= WAVES * period) & (many >= period))
        products = np.einsum("sw,wi,wj->sij", before[rows].astype(float), x, x)
        sums = off[rows] @ x
        left = [
            (off[rows] ** 2).sum(1)
            - (sums[:, :k] * np.linalg.solve(products[:, :k, :k], sums[:, :k, None])[:, :, 0]).sum(1)
            for k in (2, 4)
        ]
        df = many[rows] - 4
        f = (left[0] - left[1]) / 2 / np.maximum(left[1] / df, 1e-300)
        rows = rows[special.fdtrc(2, df, f) < SEASON_SEEN]
        if not len(rows):
            continue
        wide = np.broadcast_to(x, (len(rows), *x.shape))
        fit = autoregressive.fits(y[rows], wide, before[rows], None if scale is None else scale[rows])
        wave, spread = fit.beta[:, :, 2:], fit.covariance[:, :, 2:, 2:]
        f = (wave * np.linalg.solve(spread, wave[..., None])[..., 0]).sum(2) / 2
        p = (special.fdtrc(2, np.asarray(fit.df)[:, None], f) * fit.weight).sum(1)
        better = p < best[rows]
        pick[rows[better]], best[rows[better]] = period, p[better]
    return pick


def _own_season(y: Floats, used: NDArray[np.bool_], start: int, se: Floats | None, seasons: tuple[int, ...]) -> int:
    """``season`` of one series."""
    before = used & (np.arange(len(used)) < start)
    scale = _scale(y[None, : len(used)], used[None], ~before[None], None if se is None else se[None, : len(used)])
    return int(season(y[None, : len(used)], before[None], scale, seasons)[0])


def _scale(y: Floats, used: NDArray[np.bool_], post: NDArray[np.bool_], se: Floats | None) -> Floats | None:
    """The relative standard deviations of the weeks: √(τ² + se²), τ² what the weeks before vary by beyond their se².

    Where weeks differ for other reasons than few judgements, many judgements do not make a week exact.
    """
    if se is None:
        return None
    before = used & ~post
    square = np.where(used, se, 1.0) ** 2
    off = np.where(before, y - _mean(np.where(before, y, 0.0), before), 0.0)
    variance = (off**2).sum(1, keepdims=True) / (before.sum(1, keepdims=True) - 1)
    scale = np.sqrt(np.maximum(variance - _mean(square, before), 0.0) + square)
    return scale / np.sqrt(_mean(scale**2, used))


def _mean(values: Floats, used: NDArray[np.bool_]) -> Floats:
    """(series, 1): the mean over the weeks used."""
    return (values * used).sum(1, keepdims=True) / used.sum(1, keepdims=True)


def statistics(
    y: Floats,
    start: int | NDArray[np.int64],
    stop: int | NDArray[np.int64],
    se: Floats | None = None,
    trend: bool = True,
    seasons: tuple[int, ...] = SEASONS,
    of: Callable[[autoregressive.Fit, Floats], Floats] = autoregressive.statistic,
) -> Floats:
    """The effect over its standard deviation of a change from ``start`` to ``stop``, for each of many series.

    y, se: (series, periods); start, stop: for all, or (series,). of: ``autoregressive.p_zero`` for p instead. NaN where
    ``interrupted`` gives none. Series are fitted ``AT_ONCE`` together.
    """
    start, stop = (np.broadcast_to(np.asarray(at), len(y)) for at in (start, stop))
    week = np.arange(y.shape[1])
    used = has_data(y, se) & (week < stop[:, None])
    post = week >= start[:, None]
    rows = ((used & ~post).sum(1) >= LEAST_BEFORE) & ((used & post).sum(1) >= LEAST_AFTER) & _varies(y, used)
    found = np.full(len(y), np.nan)
    places = np.flatnonzero(rows)
    for first in range(0, len(places), AT_ONCE):
        at = places[first : first + AT_ONCE]
        errors = None if se is None else se[at]
        periods = season(y[at], used[at] & ~post[at], _scale(y[at], used[at], post[at], errors), seasons)
        for period in np.unique(periods):
            one = periods == period
            rows = at[one]
            model = _shifted(y[rows], used[rows], start[rows], None if se is None else se[rows], trend, int(period))
            found[rows] = of(model, _along(model))
    return found


def _varies(y: Floats, used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether series (series, periods) vary by more than rounding."""
    high, low = (np.where(used, y, -sign * np.inf) for sign in (1, -1))
    high, low = high.max(1), low.min(1)
    return used.any(1) & (high - low > 1e-12 * np.maximum(1.0, np.maximum(np.abs(high), np.abs(low))))


def lead_p(
    y: Floats, start: int, se: Floats | None, trend: bool = True, period: int = 0, lead: int = LEAD
) -> float | None:
    """P of no move in the last ``lead`` weeks before ``start``; None with too few weeks to ask.

    period: of the wave seen in all weeks before; one that fewer weeks show is none that the effect is measured against.
    """
    used = np.flatnonzero(has_data(y, se)[:start])
    late = used >= start - lead
    if late.sum() < LEAST_AFTER or (~late).sum() < LEAST_BEFORE or np.ptp(y[used]) == 0:
        return None
    model = shifted(y, used, start - lead, se, trend, period)
    return float(autoregressive.p_zero(model, _along(model)))


def compared(y: Floats, se: Floats | None, others: Floats, others_se: ArrayLike | None, start: int) -> Compared:
    """A series less the mean of others, each about its own mean before ``start``.

    A unit's weight is 1 / the variance of its weeks before about their line, at most ``MOST_WEIGHT`` times the usual
    one: a unit that is still finding its course, or has few judgements a week, tells little of what happened to all. A
    week some units have no data in is averaged over the rest, and because every unit is taken about its own mean, that
    moves no level.
    """
    errors = None if others_se is None else np.asarray(others_se, float)
    mean, noise, weight = _means(others, errors, np.ones((1, len(others)), bool), start)
    own = se if se is not None else (None if others_se is None else np.zeros(len(y)))
    return Compared(y - mean[0], None if own is None else np.sqrt(own**2 + noise[0]), weight[0])


def compared_all(y: Floats, se: Floats | None, peers: NDArray[np.bool_], start: int) -> tuple[Floats, Floats | None]:
    """``compared`` of each of many units (units, periods) with its peers, (units, units); as it is without any."""
    mean, noise, _ = _means(y, se, peers, start)
    alone = ~peers.any(1, keepdims=True)
    errors = None if se is None else np.where(alone, se, np.sqrt(se**2 + noise))
    return np.where(alone, y, y - mean), errors


def _means(others: Floats, se: Floats | None, who: NDArray[np.bool_], start: int) -> tuple[Floats, Floats, Floats]:
    """Weighted means of the units in each row of ``who`` (rows, units), their squared errors, both (rows, periods),
    and the weights (rows, units).
    """
    known = np.isfinite(others)
    errors = np.ones(others.shape) if se is None else se
    known &= np.isfinite(errors)
    before = known[:, :start].sum(1) >= LEAST_BEFORE
    spread = np.where(known, errors, 0.0) ** 2
    variance = _about_line(others[:, :start], known[:, :start] & before[:, None])
    usual = np.median(variance[before]) if before.any() else 1.0
    weight = who * np.where(before, 1 / np.maximum(variance, max(usual, 1e-300) / MOST_WEIGHT), 0.0)
    weight = weight / np.maximum(weight.sum(1, keepdims=True), 1e-300)
    early = np.where(known[:, :start], others[:, :start], 0.0).sum(1) / np.maximum(known[:, :start].sum(1), 1)
    total = weight @ known
    with np.errstate(all="ignore"):
        mean = np.where(total > 0, weight @ np.where(known, others - early[:, None], 0.0) / total, np.nan)
        noise = np.where(total > 0, weight**2 @ spread / total**2, np.nan)
    return mean, noise, weight


def _about_line(y: Floats, used: NDArray[np.bool_]) -> Floats:
    """(units,): the variance of the weeks used about their least-squares line."""
    week = np.arange(y.shape[1])
    at = np.where(used, week - _mean(np.broadcast_to(week, y.shape), used | ~used.any(1, keepdims=True)), 0.0)
    off = np.where(used, y - _mean(np.where(used, y, 0.0), used | ~used.any(1, keepdims=True)), 0.0)
    slope = (at * off).sum(1) / np.maximum((at**2).sum(1), 1e-300)
    return ((off - slope[:, None] * at) ** 2).sum(1) / np.maximum(used.sum(1) - 2, 1)


def has_data(y: Floats, se: Floats | None) -> NDArray[np.bool_]:
    """The weeks that can be used: a value, and where standard errors are given one above 0."""
    return np.isfinite(y) if se is None else np.isfinite(y) & np.isfinite(se) & (se > 0)


def _gaps(
    y: Floats, before: NDArray[np.int64], under: NDArray[np.int64], se: Floats | None, trend: bool, period: int
) -> tuple[Floats, Floats]:
    """Weeks less the line through those before, and half the 95 % interval of each after it, NaN before."""
    week = np.concatenate([before, under])
    x = np.column_stack([np.ones(len(week)), week - before.mean()])[:, : 1 + trend]
    x = np.column_stack([x, *_wave(week, period)])
    late = week > before[-1]
    used, post = np.ones((1, len(week)), bool), late[None]
    scale = _scale(y[None, week], used, post, None if se is None else se[None, week])
    s = np.ones(len(week)) if scale is None else scale[0]
    line = autoregressive.fit(y[before], x[~late], before, s[~late])
    ahead = under - before[-1]
    value, error = autoregressive.foreseen(line, x[~late][-1] / s[~late][-1], x[late], ahead, s[late])
    fitted = np.append(x[~late] @ (line.weight @ line.beta), value)
    half = np.append(np.full(len(before), np.nan), float(student(0.975, line.df)) * error)
    return y[week] - fitted, half
