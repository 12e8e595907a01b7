"""Before a change: how large an effect could be seen, and how many weeks or pools that takes.

Plans are made with a guessed carry-over phi and spread; take both from the weeks at hand (``carry_over``).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.effects import autoregressive
from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE
from metrics.intervals import student

Floats = NDArray[np.float64]

POWER = 0.8
"""The chance with which an effect that is there should be seen."""

MOST_WEEKS = 52
MOST_POOLS = 200


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


def detectable(se: float, df: float, power: float = POWER) -> float:
    """The smallest effect seen with this chance at p .05: (t.975 + t.power) se, in the unit of se."""
    return float((student(0.975, df) + student(power, df)) * se)


def chance_of_seeing(effect: float, se: float, df: float) -> float:
    """The chance that an effect of this size gives p at most .05 with its sign: 1 - F(t.975 - |effect| / se)."""
    return float(special.stdtr(df, abs(effect) / se - student(0.975, df)))


def weeks_needed(effect: float, before: int, sd: float, phi: float, power: float = POWER) -> int | None:
    """The fewest full weeks under a change after which an effect would be seen; None where ``MOST_WEEKS`` do not do.

    effect, sd: in the metric's unit. before: weeks on record before. More weeks after help little once the weeks before
    are fewer: what would have come without the change is then the unknown.
    """
    if before < LEAST_BEFORE:
        return None
    for after in range(LEAST_AFTER, MOST_WEEKS + 1):
        if detectable(effect_se(before, after, sd, phi), before + after - 4, power) <= abs(effect):
            return after
    return None


def mean_change_sd(before: int, after: int, sd: float, phi: float) -> float:
    """The standard deviation of a unit's mean after less its mean before, weeks alone; in the unit of sd."""
    week = np.arange(before + after)
    along = np.where(week >= before, 1 / after, -1 / before)
    return float(sd * np.sqrt(along @ (float(phi) ** np.abs(week[:, None] - week[None, :])) @ along))


def pools_needed(effect: float, change_sd: float, power: float = POWER) -> int | None:
    """Pools with and as many without a change, each, to see an effect by difference-in-differences.

    change_sd: the standard deviation of a pool's change without any effect (``mean_change_sd``). The fewest m with
    (t.975 + t.power) change_sd √(2 / m) at most the effect, 2 m - 2 degrees of freedom; None where ``MOST_POOLS`` do
    not do.
    """
    for m in range(2, MOST_POOLS + 1):
        if detectable(change_sd * np.sqrt(2 / m), 2 * m - 2, power) <= abs(effect):
            return m
    return None
