"""The change ledger: every recorded change with a design, an effect with its interval, and a verdict, from weekly sums.

Frames as in ``change_units``. Parts of it: ``change_units`` (weeks and units), ``change_parts`` (parts of a project).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from metrics.change_parts import most_moved
from metrics.change_units import Change, Floats, Frames, Panel, changes_in_weeks, kept, keyed, panel, whole_weeks
from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE, Design, Effect
from metrics.effects.interrupted import compared_all, interrupted
from metrics.effects.measures import BY_KIND, MEASURES, SLICED, Measure
from metrics.effects.placebo import made_up, placebo_p
from metrics.effects.verdict import SURE, Judgement, Verdict, verdict
from metrics.multiple import holm

MOST_DRAWS = 300
"""About as many made-up changes as are looked at; dates are left out where units are many."""


@dataclass(frozen=True)
class Row:
    """One metric of one change. where: the work it was measured on. p_adjusted: after all metrics of the change."""

    change: Change
    metric: str
    where: dict[str, str]
    effect: Effect
    p_adjusted: float | None
    judgement: Judgement


def ledger(changes: pd.DataFrame, frames: Frames, last_day: dt.date) -> list[Row]:
    """The rows of the ledger: by change in the order given, by metric as declared for its kind.

    changes: as in ``changes_in_weeks``. A metric whose frame or sums are not given, or that does not keep what the
    change is told apart by, has no row. p_adjusted is Holm's over the rows of a change; made-up changes are looked at
    where that is at most ``SURE``: elsewhere they decide nothing.
    """
    mondays = whole_weeks(frames, last_day)
    known, frames = changes_in_weeks(changes, mondays), keyed(frames)
    rows = []
    for change in known:
        rows += _rows(change, known, frames, mondays)
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


def _rows(change: Change, known: list[Change], frames: Frames, mondays: pd.DatetimeIndex) -> list[Row]:
    found: list[tuple[Measure, dict[str, str], Effect, Callable[[], Floats]]] = []
    for name in BY_KIND.get(change.kind, ()):
        measure = MEASURES[name]
        units = panel(change, known, measure, frames[measure.source], mondays) if kept(measure, frames) else None
        if units is not None:
            effect = _measured(units[0], change)
            found.append((measure, units[1], effect, partial(_placebos, units[0], change, effect)))
    if change.kind in SLICED and change.project and not change.pool:
        part = most_moved(change, known, frames, mondays)
        found += [part] if part is not None else []
    adjusted = holm([np.nan if e.p_value is None else e.p_value for _, _, e, _ in found]).q
    rows = []
    for (measure, where, effect, placebos), q in zip(found, adjusted, strict=True):
        q = None if np.isnan(q) else float(q)
        if q is not None and q <= SURE:
            drawn = placebos()
            effect = replace(effect, placebos=drawn, placebo_p=placebo_p(effect.statistic, drawn))
        judged = verdict(effect, measure.direction, measure.smallest, q)
        rows.append(Row(change, measure.metric, where, effect, q, judged))
    return rows


def _measured(units: Panel, change: Change) -> Effect:
    """The effect against the free peers; alone where there are none, or where they have no weeks in common."""
    y, se, free = units.y[units.own], None if units.se is None else units.se[units.own], units.free(change)
    if free.any():
        others_se = None if units.se is None else units.se[free]
        found = interrupted(y, change.start, change.end, se, units.y[free], others_se, units.named(free))
        if found.effect.value is not None:
            return found
    return interrupted(y, change.start, change.end, se)


def _placebos(units: Panel, change: Change, effect: Effect) -> Floats:
    """Statistics of made-up changes, measured as the real one: in its own weeks before, and in every other unit."""
    many, periods = units.y.shape
    length = max(change.weeks(periods), LEAST_AFTER)
    step = length * max(1, round(units.y.size / length / MOST_DRAWS))
    y, se, own = units.y, units.se, np.arange(many) == units.own
    if effect.design is Design.COMPARED:
        peers = units.peers & ~own
        peers[units.own] = units.free(change)
        y, se = compared_all(y, se, peers, change.start)
    found = []
    for who, until, gap in ((own, change.began, length), (~own, periods, step)):
        dates = range(until - length, LEAST_BEFORE - 1, -gap)
        found.append(made_up(y[who], dates, length, None if se is None else se[who], units.touched[who]))
    drawn = np.concatenate([at.ravel() for at in found])
    return drawn[np.isfinite(drawn)]
