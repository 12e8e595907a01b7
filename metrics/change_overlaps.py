"""Other recorded changes to the same work: the weeks in which they were new say nothing of this one.

A vendor switch in one language of a project moves the project's mean for months. Taken for the project's own course, it
makes every later change there impossible to judge, or is taken for its effect. Interrupted series of work that was
changed more than once leave such weeks out (Bernal, Cummins and Gasparrini 2017 on phase-in periods).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.change_units import WEEK, Change, Floats, codes
from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE
from metrics.effects.interrupted import LEAD

SETTLING = 13
"""Weeks until work has settled after a change that stays: a quarter. People learn, and backlogs drain, for weeks."""

CONSIDERABLE = 0.10
"""The least share of the work whose change can be seen in the whole."""

MOST = 0.5
"""From this share on, two changes at one time cannot be told apart."""

WHOLE = 0.999

SAME_TIME = 2
"""Weeks: what came this much earlier, or in the first weeks that count, came at the same time."""


@dataclass(frozen=True)
class Overlap:
    """Another change to the changed work. share: of the work in its weeks, 0 to 1. since, until: the days it was new,
    until the first settled one. left_out: whether those weeks are no part of what was measured. at_once: whether it
    came at the same time and to most of the work, so that what was measured is of both.
    """

    change_id: str
    share: float
    since: dt.date
    until: dt.date
    left_out: bool
    at_once: bool


def shares(
    cells: pd.DataFrame,
    names: Sequence[str],
    bottom: str,
    others: Sequence[Change],
    mondays: pd.DatetimeIndex,
    peers: NDArray[np.bool_],
) -> Floats:
    """(units, others): the share of each unit's work, in the weeks another change was new, that it came to.

    cells: the source's rows with a column ``unit`` of ``names``; bottom: the column work is counted by; peers: (units,
    units). 0 where a source does not keep what tells the changed work apart, and where all of a unit and all of each of
    its peers was changed: that drops out of their difference.
    """
    week = ((cells["week"].to_numpy() - mondays[0].to_numpy()) // WEEK).astype(int)
    known_units, known = codes(cells["unit"])
    known = pd.Index(names).get_indexer([str(name) for name in known])
    unit = np.append(known, -1)[known_units]  # the last stands for null
    volume = np.nan_to_num(cells[bottom].to_numpy(float))
    columns = {c: codes(cells[c]) for c in ("project_id", "pool_id") if c in cells}
    found = np.zeros((len(names), len(others)))
    for k, other in enumerate(others):
        places = [(c, v) for c, v in (("project_id", other.project), ("pool_id", other.pool)) if v is not None]
        if any(c not in columns or v not in columns[c][1] for c, v in places):
            continue
        first, stop = _new(other, len(mondays))
        here = (unit >= 0) & (week >= first) & (week < stop)
        changed = here.copy()
        for c, v in places:
            changed &= columns[c][0] == np.flatnonzero(columns[c][1] == v)[0]
        every, part = (np.bincount(unit[at], volume[at], len(names)) for at in (here, changed))
        found[:, k] = np.divide(part, every, out=np.zeros(len(names)), where=every > 0)
    whole = found >= WHOLE
    shared = whole & peers.any(1)[:, None] & ~(peers @ ~whole)
    return np.where(shared, 0.0, found)


def new_weeks(
    others: Sequence[Change], came_to: NDArray[np.bool_], periods: int, settling: int = SETTLING
) -> NDArray[np.bool_]:
    """(units, periods): the weeks in which any change that came to a unit, (units, others), was new."""
    found = np.zeros((len(came_to), periods), bool)
    for k, other in enumerate(others):
        first, stop = _new(other, periods, settling)
        found[came_to[:, k], first:stop] = True
    return found


def first_weeks(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(units, periods): the first ``SETTLING`` weeks of units that began later than the data did.

    known: (units, periods) weeks with data. New work gets faster and better by itself for weeks.
    """
    week = np.arange(known.shape[1])
    began = np.where(known.any(1), known.argmax(1), 0)
    new = began > np.flatnonzero(known.any(0)).min(initial=0) + LEAD
    return new[:, None] & (week >= began[:, None]) & (week < began[:, None] + SETTLING)


def of_own(
    change: Change, others: Sequence[Change], share: Floats, known: NDArray[np.bool_], mondays: pd.DatetimeIndex
) -> tuple[NDArray[np.bool_], tuple[Overlap, ...]]:
    """The weeks of the changed work that are left out, (periods,), and the other changes that came to it near them.

    share: (others,) of the work; known: (periods,) weeks with data. Left out are the weeks of a change that had settled
    ``LEAD`` weeks before this one, while twice ``LEAST_BEFORE`` weeks before are left, and those from one on that came
    ``LEAST_AFTER`` weeks later or more. One nearer is in what was measured, and is told.
    """
    periods = len(mondays)
    out, met = np.zeros(periods, bool), []
    stop_here = change.start + change.weeks(periods)
    before = np.arange(periods) < change.start
    # The largest first: where weeks before are few, it is the one that spoils them most.
    for k in np.argsort(-share, kind="stable"):
        other, (first, stop) = others[k], _new(others[k], periods)
        if share[k] < CONSIDERABLE or stop <= first or first >= stop_here:
            continue
        weeks = np.zeros(periods, bool)
        if stop <= change.began - LEAD:
            weeks[first:stop] = True
            weeks &= (known & before & ~out & ~weeks).sum() >= 2 * LEAST_BEFORE
        elif first >= change.start + LEAST_AFTER:
            weeks[first:] = (known & ~before)[:first].sum() >= LEAST_AFTER
        at_once = not weeks.any() and share[k] >= MOST and other.began >= change.began - SAME_TIME
        if not weeks.any() and stop <= change.began - LEAD:
            continue  # long settled, and its weeks are needed
        out |= weeks
        since, until = (mondays[0] + pd.Timedelta(weeks=int(w)) for w in (first, stop))
        since = max(since.date(), other.starts_on)
        met.append(Overlap(other.change_id, float(share[k]), since, until.date(), bool(weeks.any()), at_once))
    return out, tuple(sorted(met, key=lambda one: (one.since, one.change_id)))


def _new(change: Change, periods: int, settling: int = SETTLING) -> tuple[int, int]:
    """The first week in which a change was new and the first in which it no longer was: settled, or taken back."""
    stop = change.start + settling if change.end is None else change.end + 1
    return min(max(change.began, 0), periods), min(max(stop, 0), periods)
