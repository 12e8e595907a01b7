"""Who a changed piece of work is compared with, and which weeks of whom other recorded changes spoil."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.change_overlaps import CONSIDERABLE, WHOLE, Overlap, first_weeks, new_weeks, of_own, shares
from metrics.change_units import ALL_WORK, EVERYTHING, JOINED, Change, Floats, units_of, weekly
from metrics.effects.effect import LEAST_BEFORE, WEEKS
from metrics.effects.measures import Measure


@dataclass(frozen=True)
class Panel:
    """Units by week. y, se: (units, periods); own: the unit with the change; peers: (units, units), which are compared
    with which; touched: (units, periods) weeks in which another recorded change was new to all of a unit and not to all
    of its peers; spoilt: (units, periods) weeks that are left out, because one, or the work itself, was new; overlaps:
    the other changes to the changed work.
    """

    names: tuple[str, ...]
    y: Floats
    se: Floats | None
    own: int
    peers: NDArray[np.bool_]
    touched: NDArray[np.bool_]
    spoilt: NDArray[np.bool_]
    overlaps: tuple[Overlap, ...]

    @property
    def clean(self) -> Floats:
        """The values without the weeks that are left out."""
        return np.where(self.spoilt, np.nan, self.y)

    def free(self, change: Change) -> NDArray[np.bool_]:
        """The peers of the changed unit that nothing else was changed in, from some weeks before the change on."""
        near = slice(max(change.start - WEEKS, 0), change.start + WEEKS)
        return self.peers[self.own] & ~self.touched[:, near].any(1)

    def named(self, units: NDArray[np.bool_]) -> tuple[str, ...]:
        """What single units are called: the last of their names."""
        return tuple(name.split(JOINED)[-1] for name, keep in zip(self.names, units, strict=True) if keep)


def panel(
    change: Change,
    known: Sequence[Change],
    measure: Measure,
    frame: pd.DataFrame,
    mondays: pd.DatetimeIndex,
) -> tuple[Panel, dict[str, str]] | None:
    """The weekly values of all units, with who is compared with whom, and the changed work in words.

    None where the source does not keep what tells it apart, or has no such work. A change to everything is in one unit
    without peers. A pool that did no such work before took it over from another: then the languages it works in are
    followed, whoever does the work.
    """
    by, where = change.columns, change.where
    if not by:
        by, where = (EVERYTHING,), {EVERYTHING: ALL_WORK}
        frame = frame.assign(**{EVERYTHING: pd.Categorical.from_codes(np.zeros(len(frame), int), [ALL_WORK])})
    if any(c not in frame for c in by):
        return None
    if len(by) == 2:
        own = frame[(frame["project_id"] == change.project) & (frame["pool_id"] == change.pool)]
        weeks = own.loc[own[measure.bottom] > 0, "week"]
        early = weeks[weeks < mondays[min(change.start, len(mondays) - 1)]].nunique()
        if early < LEAST_BEFORE and "language" in frame and len(own):
            volume = own.groupby("language", observed=True)[measure.bottom].sum()
            by, where = ("project_id", "language"), {"project": where["project"], "language": str(volume.idxmax())}
    cells = frame.assign(unit=units_of(frame, by))
    names, y, se = weekly(cells, measure, mondays, change.start)
    name = JOINED.join(where.values())
    if name not in names:
        return None
    groups = np.array([n.split(JOINED)[0] if len(by) == 2 else "" for n in names])
    peers = (groups[:, None] == groups[None, :]) & ~np.eye(len(names), dtype=bool)
    row = names.index(name)
    if change.began < change.start and 0 <= change.began < len(mondays):
        y[row, change.began] = np.nan
    others = [c for c in known if c is not change]
    held = shares(cells, names, measure.bottom, others, mondays, peers)
    touched = new_weeks(others, held >= WHOLE, len(mondays), WEEKS)
    spoilt = new_weeks(others, held >= CONSIDERABLE, len(mondays))
    spoilt |= first_weeks(np.isfinite(y))
    spoilt[row], met = of_own(change, others, held[row], np.isfinite(y[row]), mondays)
    return Panel(names, y, se, row, peers, touched, spoilt, met), where
