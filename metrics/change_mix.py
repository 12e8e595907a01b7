"""Whether a change came with another mix of work: then a plain average moves though nothing did inside any kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.change_units import WEEK, Change
from metrics.effects.effect import WEEKS
from metrics.effects.measures import Measure

KINDS = ("policy", "language")
"""What work is told apart by, one at a time."""

MATTERS = 0.10
"""The least move of a share that is named."""

LEAST = 100
"""Judgements on either side, for a share to be taken from."""


@dataclass(frozen=True)
class Mix:
    """The kind of work whose share moved most: dimension and member, its share before and under the change."""

    dimension: str
    member: str
    before: float
    after: float


def mix_moved(change: Change, measure: Measure, frame: pd.DataFrame, mondays: pd.DatetimeIndex) -> Mix | None:
    """The largest move of a policy's or a language's share of what the metric is a mean over, ``WEEKS`` before and
    after the start; None under ``MATTERS``, with fewer than ``LEAST`` on a side, or where kinds are not kept.
    """
    if not change.columns or any(c not in frame for c in change.columns):
        return None
    week = ((np.asarray(frame["week"].array) - mondays[0].to_numpy()) // WEEK).astype(int)
    stop = change.start + change.weeks(len(mondays))
    own = (week >= change.began - WEEKS) & (week < stop)
    for column, value in (("project_id", change.project), ("pool_id", change.pool)):
        if value is not None:
            own &= np.asarray(frame[column].array == value, bool)
    early, late = np.flatnonzero(own & (week < change.began)), np.flatnonzero(own & (week >= change.start))
    n = np.nan_to_num(np.asarray(frame[measure.bottom].array, float))
    if min(n[early].sum(), n[late].sum()) < LEAST:
        return None
    found = []
    for dimension in KINDS:
        if dimension in frame:
            kinds = pd.Categorical(frame[dimension].array)
            codes, members = kinds.codes.astype(np.int64), np.asarray(kinds.categories, object)
            before, after = (
                np.bincount(codes[at] + 1, n[at], len(members) + 1)[1:] / n[at].sum() for at in (early, late)
            )
            # Of equal moves the one of the first row is named.
            found += [
                Mix(dimension, str(members[k]), float(before[k]), float(after[k])) for k in pd.unique(codes) if k >= 0
            ]
    most = max(found, key=lambda mix: abs(mix.after - mix.before), default=None)
    return most if most is not None and abs(most.after - most.before) >= MATTERS else None
