"""Can an outlook's probability be said? Past periods as simulated beside what was measured in them.

A simulation of capacity knows nothing of items that are late for other reasons: one that waited for a second opinion,
one nobody picked up. How many those are is what past periods leave between simulated and measured; and how far any
probability can be trusted is bounded by how many periods there were to try it on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

MOST_APART = 0.02
"""Simulated and measured attainment further apart than this: the simulation misses what makes this queue late."""

LEAST_PERIODS = 5
"""Fewer periods than this cannot tell a rare miss from none."""

PERIOD_COLUMNS = ("simulated", "measured", "n")


@dataclass(frozen=True, eq=False)
class Check:
    """How the simulation did on past periods, and what they leave to say.

    periods: a row per past period, the oldest first: simulated, measured (share in time, 0 to 1; simulated from
    capacity alone), n (items due). simulated, measured: shares in time over the newest periods, simulated with what was
    late otherwise in the periods before them; None where not known. otherwise: what each period had late beyond the
    simulated, a share, below 0 where the simulation had more. reason: why no probability is said, "" where one is.
    """

    periods: pd.DataFrame
    simulated: float | None = None
    measured: float | None = None
    otherwise: tuple[float, ...] = ()
    reason: str = ""

    @property
    def most(self) -> float:
        """The highest probability, 0 to 1, that this many periods can support: one miss more would be 1 - most."""
        n = len(self.otherwise)
        return n / (n + 1)


def check(simulated: ArrayLike, measured: ArrayLike, due: ArrayLike, newest: int) -> Check:
    """Sets simulated beside measured, the oldest period first.

    simulated, measured: (periods,) shares of due items in time, simulated with the arrivals and staff there were; due:
    (periods,) items due, those of 0 left out; newest: how many of the last periods are compared. Their simulated share
    is less the median of what the periods before had late otherwise: no period is compared with itself. A reason where
    fewer than ``LEAST_PERIODS`` lie before them, or the two are more than ``MOST_APART`` apart.
    Raises ValueError for shares outside 0..1, unequal lengths or no newest period.
    """
    simulated, measured, due = (np.asarray(x, dtype=float) for x in (simulated, measured, due))
    if not simulated.shape == measured.shape == due.shape or newest < 1 or np.any(due < 0):
        raise ValueError("Each past period has a simulated and a measured share and the items due; one is the newest.")
    rows = pd.DataFrame({"simulated": simulated, "measured": measured, "n": due})[due > 0].reset_index(drop=True)
    if not ((rows[["simulated", "measured"]] >= 0) & (rows[["simulated", "measured"]] <= 1)).all(axis=None):
        raise ValueError("Shares in time lie between 0 and 1.")
    otherwise = (rows["simulated"] - rows["measured"]).to_numpy()
    if len(rows) < LEAST_PERIODS + newest:
        return Check(rows, reason=f"fewer than {LEAST_PERIODS + newest} past periods to try the simulation on")
    last = rows.tail(newest)
    usual = float(np.median(otherwise[:-newest]))
    expected = float(np.average(last["simulated"], weights=last["n"])) - usual
    found = float(np.average(last["measured"], weights=last["n"]))
    expected = min(max(expected, 0.0), 1.0)
    apart = "" if abs(expected - found) <= MOST_APART + 1e-12 else "simulated and measured are too far apart"
    return Check(rows, expected, found, tuple(float(x) for x in otherwise), apart)


def in_ten(most: float) -> tuple[int, int]:
    """The highest and lowest chance in ten that may be said, for ``Check.most``: 9 and 1 for 12 periods."""
    return math.floor(10 * most + 1e-9), math.ceil(10 * (1 - most) - 1e-9)
