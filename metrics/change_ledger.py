"""The change ledger: every recorded change with a design, an effect with its interval, and a verdict, from weekly sums.

Frames as in ``change_units``. Parts of it: ``change_units`` (weeks and
units), ``change_designs`` (who is compared with whom), ``change_parts`` (parts of a project), ``change_mix``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from metrics.change_designs import Measured, alone, rollouts, together
from metrics.change_mix import Mix, mix_moved
from metrics.change_parts import most_moved
from metrics.change_units import Change, Frames, changes_in_weeks, kept, keyed, whole_weeks
from metrics.effects.effect import Effect
from metrics.effects.measures import BY_KIND, MEASURES, SLICED, Measure
from metrics.effects.placebo import placebo_p
from metrics.effects.verdict import SURE, Judgement, Verdict, verdict
from metrics.multiple import holm

PARTS = "the part of the project that moved most, against the other parts"
"""Why a guideline's row on a part of the work is compared as it is."""


@dataclass(frozen=True)
class Row:
    """One metric of one change. where: the work it was measured on. p_adjusted: after all metrics of the change. why:
    what its design was chosen for, in words. mix: the kind of work whose share moved with it, where one did.
    """

    change: Change
    metric: str
    where: dict[str, str]
    effect: Effect
    p_adjusted: float | None
    judgement: Judgement
    why: str = ""
    mix: Mix | None = None


def ledger(changes: pd.DataFrame, frames: Frames, last_day: dt.date) -> list[Row]:
    """The rows of the ledger: by change in the order given, by metric as declared for its kind.

    changes: as in ``changes_in_weeks``. A metric whose frame or sums are not given, or that does not keep what the
    change is told apart by, has no row. p_adjusted is Holm's over the rows of a change; made-up changes are looked at
    where that is at most ``SURE``: elsewhere they decide nothing.
    """
    mondays = whole_weeks(frames, last_day)
    known, frames = changes_in_weeks(changes, mondays), keyed(frames)
    several = rollouts(known)
    once: dict[tuple[str, str], Measured | None] = {}
    rows = []
    for change in known:
        members = several.get(change.change_id, (change,))
        rows += _rows(change, members, known, frames, mondays, once)
    return rows


def overall(rows: Sequence[Row]) -> Verdict:
    """One verdict on a change: harm where anything was harmed, else worked where anything was better.

    Else too early where that holds of all rows, no effect seen where that holds of all that have a number, and cannot
    tell.
    """
    said = [row.judgement.verdict for row in rows]
    for decisive in (Verdict.HARM, Verdict.WORKED):
        if decisive in said:
            return decisive
    if said and all(v is Verdict.TOO_EARLY for v in said):
        return Verdict.TOO_EARLY
    measured = [row.judgement.verdict for row in rows if row.effect.effect.value is not None]
    return Verdict.NO_EFFECT if measured and set(measured) == {Verdict.NO_EFFECT} else Verdict.CANNOT_TELL


def _rows(
    change: Change,
    members: Sequence[Change],
    known: list[Change],
    frames: Frames,
    mondays: pd.DatetimeIndex,
    once: dict[tuple[str, str], Measured | None],
) -> list[Row]:
    """once: what was measured of rollouts, of which every row has the same."""
    found: list[tuple[Measure, Measured]] = []
    for name in BY_KIND.get(change.kind, ()):
        measure = MEASURES[name]
        if not kept(measure, frames):
            continue
        frame, one = frames[measure.source], None
        if len(members) > 1 or change.randomised:
            key = (members[0].change_id, name)
            if key not in once:
                once[key] = together(members, known, measure, frame, mondays)
            one = once[key]
        one = one or alone(change, known, measure, frame, mondays)
        found += [(measure, one)] if one is not None else []
    if change.kind in SLICED and change.project and not change.pool:
        part = most_moved(change, known, frames, mondays)
        found += [(part[0], Measured(part[1], part[2], PARTS, part[3]))] if part is not None else []
    adjusted = holm([np.nan if one.effect.p_value is None else one.effect.p_value for _, one in found]).q
    rows = []
    for (measure, one), q in zip(found, adjusted, strict=True):
        effect, q = one.effect, None if np.isnan(q) else float(q)
        if q is not None and q <= SURE and one.placebos is not None:
            drawn = one.placebos()
            effect = replace(effect, placebos=drawn, placebo_p=placebo_p(effect.statistic, drawn))
        judged = verdict(effect, measure.direction, measure.smallest, q)
        # A rollout is of several places, each with a mix of its own; a part is one kind of work.
        whole = one.where == change.where
        mix = mix_moved(change, measure, frames[measure.source], mondays) if whole else None
        rows.append(Row(change, measure.metric, one.where, effect, q, judged, one.why, mix))
    return rows
