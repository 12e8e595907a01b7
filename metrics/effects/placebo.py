"""Made-up changes: how often something as large is seen where nothing was changed.

A test's own p rests on its model of the errors; placebos rest on the data. Each made-up change is measured exactly as
the real one, at dates before it and in units without it, and compared by effect over standard deviation, so that noisy
and quiet units can be set side by side. Source: Abadie, Diamond and Hainmueller 2010 for placebos in space and in time.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.effects.effect import LEAST_BEFORE
from metrics.effects.interrupted import SEASONS, statistics

Floats = NDArray[np.float64]

LEAST_DRAWS = 19
"""With fewer made-up changes no p can be .05 or less."""


def placebo_p(observed: float, placebos: ArrayLike) -> float | None:
    """The share of changes, the real one among them, that look at least as large: (1 + count) / (1 + draws).

    observed, placebos: effects or statistics in one unit; size is what counts, not sign. None without placebos.
    Never 0: the real change is one of those compared. Source: Phipson and Smyth 2010.
    """
    placebos = np.asarray(placebos, float)
    placebos = placebos[np.isfinite(placebos)]
    if not len(placebos):
        return None
    # Equal values count as at least as large, whatever the rounding.
    return float((1 + np.sum(np.abs(placebos) >= abs(observed) * (1 - 1e-12))) / (1 + len(placebos)))


def placebo_dates(
    y: ArrayLike,
    length: int,
    until: int | None = None,
    se: ArrayLike | None = None,
    step: int = 1,
    touched: ArrayLike | None = None,
    trend: bool = True,
    seasons: tuple[int, ...] = SEASONS,
) -> Floats:
    """Statistics of changes made up in a series that had none, one per date.

    y, se, trend, seasons: as in ``interrupted``. length: weeks that a made-up change counts, as many as the real one's.
    until: the first week of a real change, before which the last made-up one must end. step: weeks between made-up
    dates; neighbouring dates share their weeks and say nearly the same, so a step of ``length`` loses little. touched:
    (periods,) weeks in which something else was changed: no made-up change counts one of them.
    """
    y = np.asarray(y, float)
    until = len(y) if until is None else until
    # Counted back from the end, so that the dates nearest the real one are among them.
    dates = range(until - length, LEAST_BEFORE - 1, -step)
    errors = None if se is None else np.asarray(se, float)[None]
    barred = None if touched is None else np.asarray(touched, bool)[None]
    found = made_up(y[None], dates, length, errors, barred, trend, seasons)[0, ::-1]
    return found[np.isfinite(found)]


def made_up(
    y: Floats,
    dates: Iterable[int],
    length: int,
    se: Floats | None = None,
    touched: NDArray[np.bool_] | None = None,
    trend: bool = True,
    seasons: tuple[int, ...] = SEASONS,
) -> Floats:
    """Statistics of changes made up in many series at the same dates: (series, dates), NaN where there is none.

    y, se, touched: (series, periods), as in ``placebo_dates``, which is this for one series.
    """
    dates = np.array(dates, int)
    many = np.repeat(dates, len(y))

    def wide(table: Floats) -> Floats:
        return np.tile(table, (len(dates), 1))

    found = statistics(wide(y), many, many + length, None if se is None else wide(se), trend, seasons)
    if touched is not None:
        counts = np.concatenate([np.zeros((len(y), 1), int), touched.cumsum(1)], axis=1)
        ends = np.minimum(dates + length, y.shape[1])
        found[(counts[:, ends] > counts[:, dates]).T.ravel()] = np.nan
    return found.reshape(len(dates), len(y)).T
