"""The change ledger: every recorded change with a design, an effect with its interval, and a verdict, from weekly sums.

Frames as in ``change_units``. Parts of it: ``change_units`` (weeks and units), ``change_panel`` (who is compared with
whom), ``change_overlaps`` (other changes to the same work), ``change_designs`` (the strongest design), ``change_parts``
(parts of a project), ``change_mix`` (another mix of work), ``change_models`` (benchmarks).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from metrics.change_designs import Measured, alone, rollouts, together
from metrics.change_mix import Mix, mix_moved
from metrics.change_models import BENCHMARK, Lines, Models, of_models
from metrics.change_overlaps import Overlap
from metrics.change_parts import most_moved
from metrics.change_units import ALL_WORK, EVERYTHING, Change, Frames, changes_in_weeks, kept, keyed, whole_weeks
from metrics.effects.effect import Design, Effect
from metrics.effects.measures import BY_KIND, MEASURES, SLICED, Measure
from metrics.effects.placebo import placebo_p
from metrics.effects.verdict import SURE, Judgement, Verdict, verdict
from metrics.multiple import holm

NOT_KEPT = "nothing it is judged by is kept for the work it touched"
"""Why a change has no effect on any metric: its place is not known, or none of its metrics is told apart by it."""


@dataclass(frozen=True)
class Row:
    """One metric of one change. where: the work it was measured on. p_adjusted: after all metrics of the change. why:
    what its design was chosen for, in words. mix: the kind of work whose share moved with it, where one did. overlaps:
    other recorded changes to the same work near its weeks.
    """

    change: Change
    metric: str
    where: dict[str, str]
    effect: Effect
    p_adjusted: float | None
    judgement: Judgement
    why: str = ""
    mix: Mix | None = None
    overlaps: tuple[Overlap, ...] = ()

    @property
    def of_models(self) -> bool:
        """Whether it is a benchmark of models trained on the change's labels: then its periods are versions."""
        return BENCHMARK in self.where


def ledger(changes: pd.DataFrame, frames: Frames, last_day: dt.date, models: Models | None = None) -> list[Row]:
    """The rows of the ledger: by change in the order given, by metric as declared for its kind, then by benchmark of
    the models trained on its labels, where ``models`` are given.

    changes: as in ``changes_in_weeks``; every one has a row. A metric whose frame or sums are not given, or that does
    not keep what the change is told apart by, has none; where that holds of all of them, one row of ``Design.NONE``
    says so. p_adjusted is Holm's over all rows of a change, benchmarks among them: two families of 5 % each would call
    one idle change in ten. Made-up changes are looked at where it is at most ``SURE``: elsewhere they decide nothing.
    """
    mondays = whole_weeks(frames, last_day)
    known, frames = changes_in_weeks(changes, mondays), keyed(frames)
    several = rollouts(known)
    once: dict[tuple[str, str], Measured | None] = {}
    lines = None if models is None else Lines(models)
    rows = []
    for change in known:
        members = several.get(change.change_id, (change,))
        found = _of_work(change, members, known, frames, mondays, once) or [_not_kept(change)]
        found += of_models(change, known, lines) if lines else []
        judged = _judged(change, found)
        rows += [_in_versions(row) if row.of_models else _with_mix(row, frames, mondays) for row in judged]
    return rows


def overall(rows: Sequence[Row]) -> Verdict:
    """One verdict on a change: harm where anything was harmed, else worked where anything was better.

    Else, of the work alone, too early where that holds of all rows, no effect seen where that holds of all that have a
    number, and cannot tell: labels that the models have not seen yet leave nothing open about the work.
    """
    for decisive in (Verdict.HARM, Verdict.WORKED):
        if decisive in {row.judgement.verdict for row in rows}:
            return decisive
    rows = [row for row in rows if not row.of_models]
    said = [row.judgement.verdict for row in rows]
    if said and all(v is Verdict.TOO_EARLY for v in said):
        return Verdict.TOO_EARLY
    measured = [row.judgement.verdict for row in rows if row.effect.effect.value is not None]
    return Verdict.NO_EFFECT if measured and set(measured) == {Verdict.NO_EFFECT} else Verdict.CANNOT_TELL


def _of_work(
    change: Change,
    members: Sequence[Change],
    known: list[Change],
    frames: Frames,
    mondays: pd.DatetimeIndex,
    once: dict[tuple[str, str], Measured | None],
) -> list[tuple[Measure, Measured]]:
    """once: what was measured of rollouts, of which every row has the same."""
    found: list[tuple[Measure, Measured]] = []
    for name in BY_KIND.get(change.kind, ()):
        measure = MEASURES[name]
        if not kept(measure, frames):
            continue
        frame, one = frames[measure.source], None
        if len(members) > 1 or (change.randomised and change.columns):
            key = (members[0].change_id, name)
            if key not in once:
                once[key] = together(members, known, measure, frame, mondays)
            one = once[key]
        one = one or alone(change, known, measure, frame, mondays)
        found += [(measure, one)] if one is not None else []
    if change.kind in SLICED and change.project and not change.pool:
        part = most_moved(change, known, frames, mondays)
        found += [] if part is None else [(part.measure, Measured(part.where, part.effect, part.why, part.placebos))]
    return found


def _not_kept(change: Change) -> tuple[Measure, Measured]:
    """A change that no metric is kept for stands under the first that it was to be judged by."""
    measure = MEASURES[next(iter(BY_KIND.get(change.kind, MEASURES)))]
    where = change.where or {EVERYTHING: ALL_WORK}
    return measure, Measured(where, Effect.missing(Design.NONE, NOT_KEPT), NOT_KEPT, None)


def _judged(change: Change, found: Sequence[tuple[Measure, Measured]]) -> list[Row]:
    """The rows of metrics that are adjusted together."""
    adjusted = holm([np.nan if one.effect.p_value is None else one.effect.p_value for _, one in found]).q
    rows = []
    for (measure, one), q in zip(found, adjusted, strict=True):
        effect, q = one.effect, None if np.isnan(q) else float(q)
        if q is not None and q <= SURE and one.placebos is not None:
            drawn = one.placebos()
            effect = replace(effect, placebos=drawn, placebo_p=placebo_p(effect.statistic, drawn))
        judged = _told_apart(verdict(effect, measure.direction, measure.smallest, q), one.overlaps)
        rows.append(Row(change, measure.metric, one.where, effect, q, judged, one.why, overlaps=one.overlaps))
    return rows


def _told_apart(judged: Judgement, overlaps: Sequence[Overlap]) -> Judgement:
    """What two changes did at once is neither's: a verdict of one of them is withheld."""
    together = [one.change_id for one in overlaps if one.at_once]
    if judged.verdict not in (Verdict.HARM, Verdict.WORKED) or not together:
        return judged
    came = f"{' and '.join(together)} came to the same work at the same time"
    return judged._replace(verdict=Verdict.CANNOT_TELL, reason=came)


def _in_versions(row: Row) -> Row:
    """Reasons speak of weeks; of models a period is a version."""
    reason = row.judgement.reason.replace("full weeks", "versions").replace("weeks", "versions")
    return replace(row, judgement=row.judgement._replace(reason=reason))


def _with_mix(row: Row, frames: Frames, mondays: pd.DatetimeIndex) -> Row:
    """With the kind of work that moved; a rollout is of places with a mix of their own, a part is one kind of work."""
    if row.where != row.change.where or row.effect.design is Design.NONE:
        return row
    measure = MEASURES[row.metric]
    return replace(row, mix=mix_moved(row.change, measure, frames[measure.source], mondays))
