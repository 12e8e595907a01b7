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
    own = np.ones(len(frame), bool)
    for column, value in (("project_id", change.project), ("pool_id", change.pool)):
        own &= np.ones(len(frame), bool) if value is None else (frame[column] == value).to_numpy(bool)
    week = ((frame["week"].to_numpy() - mondays[0].to_numpy()) // WEEK).astype(int)
    stop = change.start + change.weeks(len(mondays))
    early = own & (week < change.began) & (week >= change.began - WEEKS)
    late = own & (week >= change.start) & (week < stop)
    n = frame[measure.bottom].fillna(0).to_numpy(float)
    if min(n[early].sum(), n[late].sum()) < LEAST:
        return None
    found = []
    for dimension in KINDS:
        if dimension in frame:
            codes, members = pd.factorize(frame[dimension])
            before, after = (
                np.bincount(codes[at] + 1, n[at], len(members) + 1)[1:] / n[at].sum() for at in (early, late)
            )
            found += [
                Mix(dimension, str(m), float(b), float(a)) for m, b, a in zip(members, before, after, strict=True)
            ]
    most = max(found, key=lambda mix: abs(mix.after - mix.before), default=None)
    return most if most is not None and abs(most.after - most.before) >= MATTERS else None
