"""Before a change: how large an effect would be called, and how many weeks or pools that takes.

Plans are held to what the ledger does: at most ``WEEKS`` weeks under a change count, p is Holm's over the metrics that
a kind of change is judged by, no move may be seen before it, and at most one in twenty made-up changes looks as large.
They are made with a guessed carry-over phi and spread; take both from the weeks at hand (``carry_over``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal, special

from metrics.effects import autoregressive
from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE, WEEKS
from metrics.effects.interrupted import LEAD, statistics
from metrics.effects.verdict import SURE
from metrics.intervals import student

Floats = NDArray[np.float64]

POWER = 0.8
"""The chance with which an effect that is there should be called."""

MOST_POOLS = 200
MOST_BEFORE = 156
"""Three years: who waits longer for weeks before a change plans no change."""

DRAWS = 400
"""Simulated series of a plan: its chance is then right to two points."""


class CarryOver(NamedTuple):
    """phi: how strongly a week follows the one before. sd: of a week about its line."""

    phi: float
    sd: float


def carry_over(y: ArrayLike) -> CarryOver | None:
    """Phi and sd of a weekly series without a change, about a line; None with fewer than ``LEAST_BEFORE`` weeks."""
    y = np.asarray(y, float)
    week = np.flatnonzero(np.isfinite(y))
    if len(week) < LEAST_BEFORE or np.ptp(y[week]) == 0:
        return None
    x = np.column_stack([np.ones(len(week)), week])
    found = autoregressive.fit(y[week], x, week)
    off = y[week] - x @ (found.weight @ found.beta)
    return CarryOver(found.phi, float(np.sqrt((off**2).sum() / (len(week) - 2))))


def effect_se(before: int, after: int, sd: float, phi: float) -> float:
    """The standard error of the mean effect of ``interrupted`` in a series with known phi, in the unit of sd.

    sd² (X'R⁻¹X)⁻¹ at the effect's place, R the correlation phi^|i - j| of the weeks. Carry-over raises it: at phi .6
    it is about double. X'R⁻¹X is that of the first week and of each later one less phi times the one before, over
    √(1 - phi²): Prais and Winsten's transformation, which needs no inverse of a matrix of weeks.
    """
    week = np.arange(before + after)
    post = week >= before
    late = (week - week[post].mean()) * post
    x = np.column_stack([np.ones(len(week)), week, post, late]).astype(float)
    moved = (x[1:] - phi * x[:-1]) / np.sqrt(1 - phi**2)
    return float(sd * np.sqrt(np.linalg.inv(np.outer(x[0], x[0]) + moved.T @ moved)[2, 2]))


def detectable(se: float, df: float, power: float = POWER, alpha: float = SURE) -> float:
    """The smallest effect seen with this chance at p ``alpha``: (t of 1 - alpha/2 + t of power) se, in se's unit."""
    return float((student(1 - alpha / 2, df) + student(power, df)) * se)


def chance_of_seeing(effect: float, se: float, df: float) -> float:
    """The chance that an effect of this size gives p at most .05 with its sign: 1 - F(t.975 - |effect| / se)."""
    return float(special.stdtr(df, abs(effect) / se - student(0.975, df)))


def smallest_called(
    before: int, after: int, sd: float, phi: float, metrics: int = 1, power: float = POWER
) -> float | None:
    """The smallest effect that the ledger calls with this chance after so many weeks under a change, in sd's unit.

    metrics: how many the change is judged by; p must then be .05 / metrics (Holm's first step). By simulation: a series
    without effect is fitted as ``interrupted`` fits it, and an effect added to it moves the estimate by itself and
    nothing else, so each series has a smallest effect that would be called in it: the one that takes 0 out of the
    interval at .05 / metrics, and the statistic above 19 of 20 of those without effect, which is what made-up changes
    ask. Series that seem to move in the ``LEAD`` weeks before have none. The answer is their quantile at ``power``;
    None with fewer weeks than are weighed. The fit does not know phi, so this is more than ``detectable`` says.
    """
    if before < LEAST_BEFORE or after < LEAST_AFTER:
        return None
    least = _least_called(before, min(after, WEEKS), round(float(np.clip(phi, -0.9, 0.9)) / 0.05) * 0.05, metrics)
    found = float(np.quantile(least, power, method="higher"))
    return sd * found if np.isfinite(found) else None


@lru_cache(maxsize=256)
def _least_called(before: int, after: int, phi: float, metrics: int) -> Floats:
    """(DRAWS,): the smallest effect that would be called in each of many series of sd 1, infinite where none would."""
    shocks = np.random.default_rng(0).normal(size=(DRAWS, before + after))
    shocks[:, 0] /= np.sqrt(1 - phi**2)
    y = np.sqrt(1 - phi**2) * signal.lfilter([1.0], [1.0, -phi], shocks, axis=1)
    end = before + after
    low = statistics(y, before, end, of=lambda fit, along: autoregressive.lower_end(fit, along, SURE / metrics))
    ratio, value = statistics(y, before, end), statistics(y, before, end, of=autoregressive.value)
    as_large = np.quantile(np.abs(ratio), 1 - SURE)
    moved = statistics(y[:, :before], before - LEAD, before, of=autoregressive.p_zero)
    return np.where(moved > SURE, np.maximum(-low, as_large * value / ratio - value), np.inf)


def weeks_needed(
    effect: float, before: int, sd: float, phi: float, metrics: int = 1, power: float = POWER
) -> int | None:
    """The fewest full weeks under a change after which an effect would be called; None where ``WEEKS`` do not do.

    effect, sd: in the metric's unit. before: weeks on record before. The ledger counts no more weeks after, and they
    would help little: what would have come without the change is the unknown.
    """
    return _fewest(lambda weeks: smallest_called(before, weeks, sd, phi, metrics, power), effect, LEAST_AFTER, WEEKS, 1)


def before_needed(
    effect: float, before: int, sd: float, phi: float, metrics: int = 1, power: float = POWER
) -> int | None:
    """The weeks before a change, by quarters more than there are, with which ``WEEKS`` under it would do; None where
    ``MOST_BEFORE`` do not: with phi far from 0 more weeks before soon say nothing new.
    """
    return _fewest(
        lambda weeks: smallest_called(weeks, WEEKS, sd, phi, metrics, power), effect, before, MOST_BEFORE, 13
    )


def _fewest(least: Callable[[int], float | None], effect: float, low: int, high: int, step: int) -> int | None:
    """The first of low, low + step, ... up to high at which the smallest effect is at most this one, by halving."""
    choices = range(low, high + 1, step)

    def enough(weeks: int) -> bool:
        found = least(weeks)
        return found is not None and found <= abs(effect)

    if not choices or not enough(choices[-1]):
        return None
    return choices[bisect_left(choices, True, key=enough)]


def mean_change_sd(before: int, after: int, sd: float, phi: float) -> float:
    """The standard deviation of a unit's mean after less its mean before, weeks alone; in the unit of sd."""
    week = np.arange(before + after)
    along = np.where(week >= before, 1 / after, -1 / before)
    return float(sd * np.sqrt(along @ (float(phi) ** np.abs(week[:, None] - week[None, :])) @ along))


def pools_needed(effect: float, change_sd: float, metrics: int = 1, power: float = POWER) -> int | None:
    """Pools with and as many without a change, each, to have an effect called by difference-in-differences.

    change_sd: the standard deviation of a pool's change without any effect (``mean_change_sd``). metrics: as in
    ``smallest_called``. The fewest m with (t of 1 - .05 / 2 metrics + t of power / .95) change_sd √(2 / m) at most the
    effect, 2 m - 2 degrees of freedom: one in twenty without a move before seems to have one, whatever the effect. None
    where ``MOST_POOLS`` do not do.
    """
    for m in range(2, MOST_POOLS + 1):
        least = detectable(change_sd * np.sqrt(2 / m), 2 * m - 2, power / (1 - SURE), SURE / metrics)
        if least <= abs(effect):
            return m
    return None
