"""The effect of one change on one metric by the strongest design that who got it, and when, allows.

Rows of one kind and one summary that came to several places are one rollout and are weighed together; lots drawn allow
the difference of means; a single place whose course is not that of the others' mean may be compared with a mix of them;
all else is an interrupted series, with a comparison where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.change_overlaps import WHOLE, Overlap, new_weeks, shares
from metrics.change_panel import Panel, panel
from metrics.change_units import JOINED, Change, Floats, units_of, weekly
from metrics.effects.design import LEAST_DONORS, NEVER, choose
from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE, TOO_FEW_BEFORE, WEEKS, Design, Effect
from metrics.effects.interrupted import compared_all, interrupted
from metrics.effects.measures import Measure
from metrics.effects.placebo import made_up
from metrics.effects.randomised import randomised
from metrics.effects.staggered import dealt_anew, staggered
from metrics.effects.synthetic import complete, earlier_ratios, mix_foretells, synthetic

MOST_DRAWS = 300
"""About as many made-up changes as are looked at; dates are left out where units are many."""

BASE = LEADS = 4
"""Weeks before a start that a rollout is compared with, and weeks before those in which a move of its own is looked
for: together the eight that other designs look at."""

ROLLOUT = "rollout"
"""In ``where``: the effect is of several places together."""


class Measured(NamedTuple):
    """where: the work in words. why: what the design was chosen for. placebos: what gives the made-up changes, none
    where the design brings its own. overlaps: other changes to the same work.
    """

    where: dict[str, str]
    effect: Effect
    why: str
    placebos: Callable[[], Floats] | None
    overlaps: tuple[Overlap, ...] = ()


def rollouts(known: Sequence[Change]) -> dict[str, tuple[Change, ...]]:
    """By change_id, the rows of its kind and summary that came to several projects, or pools, or pools of projects."""
    groups: dict[tuple, list[Change]] = {}
    for change in known:
        if change.summary and change.columns:
            groups.setdefault((change.kind, change.summary, change.columns), []).append(change)
    several = [tuple(group) for group in groups.values() if len({(c.project, c.pool) for c in group}) > 1]
    return {change.change_id: group for group in several for change in group}


def together(
    members: Sequence[Change],
    known: Sequence[Change],
    measure: Measure,
    frame: pd.DataFrame,
    mondays: pd.DatetimeIndex,
) -> Measured | None:
    """Several units with a change and several without, by chance or not; None where there are too few of either.

    members: the rows of a rollout, or one row for which lots were drawn.
    """
    by, periods = members[0].columns, len(mondays)
    if any(c not in frame for c in by):
        return None
    projects = {c.project for c in members}
    if len(by) == 2 and len(projects) == 1:
        frame = frame[frame["project_id"] == members[0].project]  # its other pools are nearest
    first = min(c.start for c in members)
    cells = frame.assign(unit=units_of(frame, by))
    names, y, _ = weekly(cells, measure, mondays, first)
    others = [c for c in known if c not in members]
    held = shares(cells, names, measure.bottom, others, mondays, ~np.eye(len(names), dtype=bool))
    y[new_weeks(others, held >= WHOLE, periods, WEEKS)] = np.nan
    starts = np.full(len(names), NEVER)
    for c in sorted(members, key=lambda c: c.start, reverse=True):
        name = JOINED.join(c.where.values())
        if name in names and c.start < periods:
            row = names.index(name)
            starts[row] = c.start
            y[row, c.began : c.start] = np.nan
            y[row, periods if c.end is None else c.end :] = np.nan
    # A place without numbers where they are needed tells nothing, and is no unit of the design.
    told = np.isfinite(y).sum(1) >= LEAST_BEFORE + LEAST_AFTER
    lots = all(c.randomised for c in members) and len(set(starts[starts != NEVER].tolist())) == 1
    early = (starts != NEVER) & (starts < LEAST_BEFORE) & (not lots)
    told &= ~early
    one_project = len(by) == 2 and len(projects) == 1
    names = tuple(name.split(JOINED)[-1] if one_project else name for name in np.array(names, object)[told])
    y, starts = y[told], starts[told]
    treated = starts != NEVER
    ends = [c.end for c in members]
    end = None if None in ends else max(ends)
    kind = members[0].columns[-1].removesuffix("_id")
    where = {ROLLOUT: f"{treated.sum()} {kind}s"}
    choice = choose(starts, periods, end, lots)
    events = partial(staggered, y, starts, names, base=BASE, leads=LEADS)
    if choice.design is Design.RANDOMISED:
        effect = _by_lot(y, starts, names)
        if effect.effect.value is not None:
            shown = events()
            gaps = {name: getattr(shown, name) for name in ("weeks", "gaps", "gap_low", "gap_high")}
            return Measured(where, replace(effect, **gaps), choice.reason, None)
        choice = choose(starts, periods, end)
    if choice.design is not Design.STAGGERED:
        return None
    effect = events()
    if effect.effect.value is None:
        return None
    left_out = f"; {early.sum()} left out, {TOO_FEW_BEFORE}" if early.any() else ""
    return Measured(where, effect, choice.reason + left_out, cache(partial(dealt_anew, y, starts, base=BASE)))


def _by_lot(y: Floats, starts: NDArray[np.int64], names: Sequence[str]) -> Effect:
    """The mean of the first weeks under the change, made sharper by that of as many before."""
    treated = starts != NEVER
    start = int(starts[treated][0])
    after, before = (_row_means(y[:, at]) for at in (slice(start, start + WEEKS), slice(max(start - WEEKS, 0), start)))
    effect = randomised(np.where(np.isfinite(before), after, np.nan), treated, np.where(np.isfinite(after), before, 0))
    if effect.effect.value is None:
        return effect
    without = [name for name, got in zip(names, treated, strict=True) if not got]
    # Differences over the standard error, the unit in which other designs' made-up changes are.
    sd = effect.effect.value / effect.statistic if effect.statistic else 1.0
    return replace(
        effect, placebos=effect.placebos / sd, comparison=tuple((name, 1 / len(without)) for name in without)
    )


def _row_means(y: Floats) -> Floats:
    known = np.isfinite(y)
    enough = known.sum(1) >= LEAST_AFTER
    return np.where(enough, np.where(known, y, 0.0).sum(1) / np.maximum(known.sum(1), 1), np.nan)


def alone(
    change: Change,
    known: Sequence[Change],
    measure: Measure,
    frame: pd.DataFrame,
    mondays: pd.DatetimeIndex,
) -> Measured | None:
    """The effect of one row against the free peers; by itself where there are none, or no weeks in common."""
    found = panel(change, known, measure, frame, mondays)
    if found is None:
        return None
    units, where = found
    clean, free = units.clean, units.free(change)
    y, se = clean[units.own], None if units.se is None else units.se[units.own]
    others, names, periods = clean[free], units.named(free), len(y)
    others_se = None if units.se is None else units.se[free]
    starts = [change.start, *[NEVER] * int(free.sum())]
    found = interrupted(y, change.start, change.end, se, others, others_se, names) if free.any() else None
    if found is None or found.effect.value is None:
        why = choose(starts[:1], periods, change.end).reason
        found = interrupted(y, change.start, change.end, se)
        return Measured(where, found, why, partial(_made_up, units, change, found), units.overlaps)
    # A mix is made of whole courses: gaps would leave no week in common.
    own, whole = units.y[units.own], units.y[free]
    apart = free.sum() >= LEAST_DONORS and mix_foretells(own, whole, change.start)
    choice = choose(starts, periods, change.end, apart=apart)
    if choice.design is Design.SYNTHETIC:
        mixed = synthetic(own, whole, change.start, change.end, names, own_levels=True)
        if mixed.effect.value is not None:
            met = tuple(replace(one, left_out=False) for one in units.overlaps)
            return Measured(where, mixed, choice.reason, partial(_made_up_mixes, own, whole, change, mixed), met)
        choice = choose(starts, periods, change.end)
    return Measured(where, found, choice.reason, partial(_made_up, units, change, found), units.overlaps)


def _made_up(units: Panel, change: Change, effect: Effect) -> Floats:
    """Statistics of made-up changes, measured as the real one: in its own weeks before, and in every other unit."""
    many, periods = units.y.shape
    length = max(change.weeks(periods), LEAST_AFTER)
    step = length * max(1, round(units.y.size / length / MOST_DRAWS))
    y, se, own = units.clean, units.se, np.arange(many) == units.own
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


def _made_up_mixes(y: Floats, others: Floats, change: Change, effect: Effect) -> Floats:
    """The ratios of the others at the real date, and of all units at earlier ones."""
    every, before = complete(y, others, change.start, change.start)
    length = max(int(effect.effect.n), LEAST_AFTER)
    return np.append(effect.placebos, earlier_ratios(every[:, :before], before - length, length, own_levels=True))
