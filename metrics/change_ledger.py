"""The change ledger: every recorded change with a design, an effect with its interval, and a verdict, from weekly sums.

Frames by source (``effects.measures``), a row per week and cell: week (the Monday), the columns of a cell that the
source is kept by among project_id, pool_id, language, policy, and sums. The caller leaves out weeks not settled yet.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.effects.effect import LEAST_AFTER, LEAST_BEFORE, WEEKS, Design, Effect
from metrics.effects.interrupted import compared, interrupted
from metrics.effects.measures import BY_KIND, MEASURES, SLICED, SLICED_BY, Form, Measure
from metrics.effects.placebo import placebo_dates, placebo_p
from metrics.effects.verdict import SURE, Judgement, Verdict, verdict
from metrics.multiple import holm

Floats = NDArray[np.float64]
Frames = Mapping[str, pd.DataFrame]

LEAST_SLICE = 4
"""Judgements a week, on average, for a part of the work to be looked at by itself."""

CUTS = (("pool_id", "policy"), ("language", "policy"))
"""The parts a project's work is cut into."""

ENOUGH_DRAWS = 40
"""Made-up dates after which no other project is looked at: each costs a fit per part."""

MOST_DRAWS = 300
"""About as many made-up changes as are looked at; dates are left out where units are many."""

SLICE_WEEKS = 2 * WEEKS
"""The first weeks over which the effect on a part of the work is averaged: a part has few judgements a week."""

WEEK = np.timedelta64(7, "D")

JOINED = " / "
"""Between the names of a unit's project and pool, or of a part's two sides."""


@dataclass(frozen=True)
class Change:
    """One recorded change in weeks: start, the first full week under it; began, the week it began in; end, the first
    week not wholly under it, None while it holds.
    """

    change_id: str
    kind: str
    project: str | None
    pool: str | None
    starts_on: dt.date
    began: int
    start: int
    end: int | None

    def covers(self, project: str | None, pool: str | None) -> bool:
        """Whether it touches all the work of a unit: None stands for all projects or all pools."""
        return self.project in (None, project) and self.pool in (None, pool)


@dataclass(frozen=True)
class Row:
    """One metric of one change. where: the work it was measured on. p_adjusted: after all metrics of the change."""

    change: Change
    metric: str
    where: dict[str, str]
    effect: Effect
    p_adjusted: float | None
    judgement: Judgement


@dataclass(frozen=True)
class _Panel:
    """Units by week. y, se: (units, periods); own: the unit with the change, -1 for none; peers: (units, units), which
    are compared with which; touched: (units, periods) weeks in which a recorded change was new to a unit and not to all
    of its peers.
    """

    names: tuple[str, ...]
    y: Floats
    se: Floats | None
    own: int
    peers: NDArray[np.bool_]
    touched: NDArray[np.bool_]


def ledger(changes: pd.DataFrame, frames: Frames, last_day: dt.date) -> list[Row]:
    """The rows of the ledger: by change in the order given, by metric as declared for its kind.

    changes: change_id, kind, project_id, pool_id (null is all), starts_on, ends_on (null is still). A metric whose
    frame or sums are not given, or that does not keep what the change is told apart by, has no row. p_adjusted is
    Holm's over the rows of a change; made-up changes are looked at where that is at most ``SURE``:
    elsewhere they decide nothing.
    """
    mondays = _mondays(frames, last_day)
    known = [_change(row, mondays) for row in changes.itertuples()]
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


def record(row: Row) -> dict[str, str | float | dict[str, str] | None]:
    """A row as plain values, of the keys that ``changes`` gives on the command line; where and reason come beside.

    effect, low, high: shares for shares; for handle times and costs logarithms of the ratio to what would have been.
    """
    e = row.effect.effect
    return {
        "change_id": row.change.change_id,
        "kind": row.change.kind,
        "metric": row.metric,
        "where": row.where,
        "starts_on": row.change.starts_on.isoformat(),
        "design": str(row.effect.design),
        "effect": e.value,
        "low": e.low,
        "high": e.high,
        "placebo_p": row.effect.placebo_p,
        "verdict": str(row.judgement.verdict),
        "reason": row.judgement.reason,
    }


def _mondays(frames: Frames, last_day: dt.date) -> pd.DatetimeIndex:
    """The weeks that are whole: the last one ends on ``last_day`` or before."""
    first = min(frame["week"].min() for frame in frames.values() if len(frame))
    return pd.date_range(first, pd.Timestamp(last_day) - pd.Timedelta(days=6), freq="7D")


def _change(row, mondays: pd.DatetimeIndex) -> Change:
    first = mondays[0].date()
    starts, ends = (None if pd.isna(day) else pd.Timestamp(day).date() for day in (row.starts_on, row.ends_on))
    days = (starts - first).days
    end = None if ends is None else max(((ends - first).days + 1) // 7, 0)
    project, pool = (None if pd.isna(v) else str(v) for v in (row.project_id, row.pool_id))
    return Change(str(row.change_id), str(row.kind), project, pool, starts, days // 7, -(-days // 7), end)


def _rows(change: Change, known: list[Change], frames: Frames, mondays: pd.DatetimeIndex) -> list[Row]:
    found = []
    for name in BY_KIND.get(change.kind, ()):
        measure = MEASURES[name]
        unit = _unit(change, measure, frames[measure.source], mondays) if _kept(measure, frames) else None
        if unit is not None:
            own, cells, where = unit
            panel = _panel(change, known, measure, own, cells, mondays)
            if panel.own >= 0:
                free = _free(panel, change)
                found.append((measure, where, _measured(panel, free, change), partial(_placebos, panel, change)))
    if change.kind in SLICED and change.project and not change.pool:
        found += _sliced(change, known, frames, mondays)
    adjusted = holm([np.nan if e.p_value is None else e.p_value for _, _, e, _ in found]).q
    rows = []
    for (measure, where, effect, placebos), q in zip(found, adjusted, strict=True):
        q = None if np.isnan(q) else float(q)
        if q is not None and q <= SURE:
            made_up = placebos(effect)
            effect = replace(effect, placebos=made_up, placebo_p=placebo_p(effect.statistic, made_up))
        rows.append(
            Row(change, measure.metric, where, effect, q, verdict(effect, measure.direction, measure.smallest, q))
        )
    return rows


def _kept(measure: Measure, frames: Frames) -> bool:
    """Whether the sums it is made of were given: a warehouse without audits has none of theirs."""
    needed = {measure.top, measure.bottom, *([measure.squares] if measure.squares else [])}
    return measure.source in frames and needed <= set(frames[measure.source].columns)


def _unit(
    change: Change, measure: Measure, frame: pd.DataFrame, mondays: pd.DatetimeIndex
) -> tuple[str, pd.DataFrame, dict[str, str]] | None:
    """The name of the changed work, the source's rows with a unit and a group of peers each, and the work in words.

    None where the source does not keep what tells it apart, or for a change to everything. A pool that did no such work
    before took it over from another: then the languages it works in are followed, whoever does the work.
    """
    wanted = [c for c, v in (("project_id", change.project), ("pool_id", change.pool)) if v is not None]
    if not wanted or any(c not in frame for c in wanted):
        return None
    where = {c.removesuffix("_id"): str(getattr(change, c.removesuffix("_id"))) for c in wanted}
    if len(wanted) == 1:
        return where[wanted[0].removesuffix("_id")], frame.assign(unit=frame[wanted[0]], group=""), where
    own = frame[(frame["project_id"] == change.project) & (frame["pool_id"] == change.pool)]
    weeks = own.loc[own[measure.bottom] > 0, "week"]
    early = weeks[weeks < mondays[min(change.start, len(mondays) - 1)]].nunique()
    by = "pool_id"
    if early < LEAST_BEFORE and "language" in frame and len(own):
        volume = own.groupby("language")[measure.bottom].sum()
        spoken = str(volume.idxmax())
        by, where = "language", {"project": where["project"], "language": spoken}
    cells = frame.assign(
        unit=frame["project_id"].astype(str) + JOINED + frame[by].astype(str), group=frame["project_id"]
    )
    return JOINED.join(where.values()), cells, where


def _panel(change, known, measure, own: str, cells: pd.DataFrame, mondays) -> _Panel:
    """The weekly values of all units, with who is compared with whom."""
    names, y, se = weekly(cells, measure, mondays, change.start)
    groups = cells.drop_duplicates("unit").set_index("unit")["group"].reindex(names).to_numpy()
    peers = (groups[:, None] == groups[None, :]) & ~np.eye(len(names), dtype=bool)
    new = np.array([_new(change, known, name, len(mondays)) for name in names]).reshape(len(names), -1, len(mondays))
    # What is new to a unit and to all of its peers drops out of their difference.
    shared = np.array([[new[p, k].all(0) if p.any() else new[p, k].any(0) for k in range(new.shape[1])] for p in peers])
    touched = (new & ~shared.reshape(new.shape)).any(1)
    row = names.index(own) if own in names else -1
    if row >= 0 and change.began < change.start and 0 <= change.began < len(mondays):
        y = y.copy()
        y[row, change.began] = np.nan
    return _Panel(names, y, se, row, peers, touched)


def _new(change: Change, known: list[Change], unit: str, periods: int) -> NDArray[np.bool_]:
    """The weeks in which each other recorded change was new to all the work of a unit: (changes, periods)."""
    weeks = np.zeros((len(known), periods), bool)
    parts = unit.split(JOINED)
    project = parts[0] if len(parts) == 2 or change.pool is None else None
    pool = parts[-1] if change.pool is not None else None
    for k, other in enumerate(known):
        if other is not change and other.covers(project, pool):
            weeks[k, max(other.began, 0) : other.start + WEEKS if other.end is None else other.end + 1] = True
    return weeks


def _free(panel: _Panel, change: Change) -> NDArray[np.bool_]:
    """The peers of the changed unit that nothing else was changed in, from some weeks before the change on."""
    near = slice(max(change.start - WEEKS, 0), change.start + WEEKS)
    return panel.peers[panel.own] & ~panel.touched[:, near].any(1)


def _measured(panel: _Panel, free: NDArray[np.bool_], change: Change) -> Effect:
    """The effect against the free peers; alone where there are none, or where they have no weeks in common."""
    y, se = panel.y[panel.own], None if panel.se is None else panel.se[panel.own]
    names = tuple(name.split(JOINED)[-1] for name, keep in zip(panel.names, free, strict=True) if keep)
    if free.any():
        others_se = None if panel.se is None else panel.se[free]
        found = interrupted(y, change.start, change.end, se, panel.y[free], others_se, names)
        if found.effect.value is not None:
            return found
    return interrupted(y, change.start, change.end, se)


def _placebos(panel: _Panel, change: Change, effect: Effect) -> Floats:
    """Statistics of made-up changes, measured as the real one: in its own weeks before, and in every other unit."""
    length = max(_length(change, panel.y.shape[1]), LEAST_AFTER)
    step = length * max(1, round(panel.y.size / length / MOST_DRAWS))
    found = []
    for k in range(len(panel.names)):
        y, se = panel.y[k], None if panel.se is None else panel.se[k]
        rest = panel.peers[k] & (np.arange(len(panel.names)) != panel.own)
        if effect.design is Design.COMPARED and rest.any():
            rest = _free(panel, change) if k == panel.own else rest
            others_se = None if panel.se is None else panel.se[rest]
            y, se, _ = compared(y, se, panel.y[rest], others_se, change.start)
        until = change.began if k == panel.own else len(y)
        found.append(placebo_dates(y, length, until, se, length if k == panel.own else step, panel.touched[k]))
    return np.concatenate(found)


def _length(change: Change, periods: int, most: int = WEEKS) -> int:
    """The weeks under a change that count."""
    return min(most, (periods if change.end is None else min(change.end, periods)) - change.start)


def weekly(
    cells: pd.DataFrame, measure: Measure, mondays: pd.DatetimeIndex, start: int
) -> tuple[tuple[str, ...], Floats, Floats | None]:
    """Units and their weekly values with standard errors: names, (units, periods), (units, periods) or None.

    cells: the source's rows with a column ``unit``. Per kind: top less bottom times the usual of the row's project,
    language and policy before week ``start``, the mean of the unit added back. A share's standard error is binomial at
    the unit's own share over all weeks; other forms have none, for their weeks are many judgements.
    """
    # Sums over codes: a panel is made for every metric of every change, and groups of a frame take five times as long.
    used = cells[measure.bottom].to_numpy(float) > 0
    week = ((cells["week"].to_numpy() - mondays[0].to_numpy()) // WEEK).astype(int)
    sums = {c: np.nan_to_num(cells[c].to_numpy(float)) for c in {measure.top, measure.bottom, measure.squares} - {""}}
    if measure.per_kind:
        kind = np.zeros(len(cells), int)
        for name in ("project_id", "language", "policy"):
            if name in cells:
                codes, members = pd.factorize(cells[name])
                kind = kind * (len(members) + 1) + codes + 1
        early = used & (week < (start if start < len(mondays) else len(mondays) - 1))
        with np.errstate(all="ignore"):
            usual = np.divide(*(np.bincount(kind, sums[c] * early) for c in (measure.top, measure.bottom)))[kind]
        # A kind of work that did not exist before has no usual: it says nothing of a change.
        used &= np.isfinite(usual)
        sums["foreseen"] = np.where(used, usual, 0.0) * sums[measure.bottom]
    unit, members = pd.factorize(cells["unit"].to_numpy(object)[used], sort=True)
    names = tuple(str(name) for name in members)
    inside = (week[used] >= 0) & (week[used] < len(mondays))
    place = (unit * len(mondays) + week[used])[inside]
    shape = (len(names), len(mondays))

    def table(column: str) -> Floats:
        found = np.bincount(place, sums[column][used][inside], len(names) * len(mondays)).reshape(shape)
        return np.where(there, found, np.nan)

    there = np.bincount(place, minlength=len(names) * len(mondays)).reshape(shape) > 0
    top, bottom = table(measure.top), table(measure.bottom)
    with np.errstate(all="ignore"):
        n = bottom**2 / table(measure.squares) if measure.squares else bottom
        if measure.form is Form.LOG_RATIO:
            return names, np.where((top > 0) & (bottom > 0), np.log(top / bottom), np.nan), None
        level = np.nansum(top, 1, keepdims=True) / np.nansum(bottom, 1, keepdims=True)
        value = (top - table("foreseen")) / bottom + level if measure.per_kind else top / bottom
        if measure.form is Form.LOG_MEAN:
            return names, value, None
        return names, value, np.sqrt(np.clip(level * (1 - level), 1e-4, None) / n)


def _sliced(change: Change, known: list[Change], frames: Frames, mondays: pd.DatetimeIndex) -> list[tuple]:
    """The part of a project's work that moved most, each against the rest of the project; none without parts.

    p_value: the smallest p of all parts times their number (Bonferroni). Placebos: the largest statistic of all parts
    at each made-up date before the change, and where those are few in other projects too.
    """
    measures = [MEASURES[name] for name in SLICED_BY if _kept(MEASURES[name], frames)]
    parts = _parts(change.project, change, measures, frames, mondays)
    tested = [(part, _interrupted_part(part, change)) for part in parts]
    tested = [(part, effect) for part, effect in tested if effect.p_value is not None]
    if not tested:
        return []
    part, best = min(tested, key=lambda pair: pair[1].p_value)

    def placebos(found: Effect) -> Floats:
        length = max(_length(change, len(mondays), SLICE_WEEKS), LEAST_AFTER)
        largest = _largest(parts, range(change.began - length, LEAST_BEFORE, -length), length)
        projects = sorted({p for m in measures for p in frames[m.source]["project_id"].unique()} - {change.project})
        for project in projects:
            if len(largest) >= ENOUGH_DRAWS:
                break
            new = np.array([c.project == project and c.pool is None for c in known])
            barred = {
                w for c, n in zip(known, new, strict=True) if n for w in range(c.began - length, c.start + SLICE_WEEKS)
            }
            dates = [d for d in range(len(mondays) - length, 2 * LEAST_BEFORE, -2 * length) if d not in barred]
            largest += _largest(_parts(project, change, measures, frames, mondays), dates, length)
        return np.array(largest)

    return [(part.measure, part.where, replace(best, p_value=min(1.0, best.p_value * len(tested))), placebos)]


@dataclass(frozen=True)
class _Part:
    """A part of a project's work: its weekly values, and those of the other parts of the same cut."""

    measure: Measure
    where: dict[str, str]
    y: Floats
    se: Floats
    others: Floats
    others_se: Floats


def _parts(project: str, change: Change, measures: Sequence[Measure], frames: Frames, mondays) -> list[_Part]:
    found = []
    for measure in measures:
        frame = frames[measure.source]
        frame = frame[frame["project_id"] == project]
        for cut in CUTS:
            if any(c not in frame for c in cut):
                continue
            cells = frame.assign(unit=frame[cut[0]].astype(str) + JOINED + frame[cut[1]].astype(str))
            volume = cells.groupby("unit")[measure.bottom].sum()
            cells = cells[cells["unit"].isin(volume.index[volume >= LEAST_SLICE * cells["week"].nunique()])]
            if cells["unit"].nunique() < 2:
                continue
            names, y, se = weekly(cells, measure, mondays, change.start)
            if project == change.project and 0 <= change.began < min(change.start, len(mondays)):
                y[:, change.began] = np.nan
            labels = ["project", *(c.removesuffix("_id") for c in cut)]
            for k, name in enumerate(names):
                rest = np.arange(len(names)) != k
                where = dict(zip(labels, (project, *name.split(JOINED)), strict=True))
                found.append(_Part(measure, where, y[k], se[k], y[rest], se[rest]))
    return found


def _interrupted_part(part: _Part, change: Change) -> Effect:
    return interrupted(
        part.y, change.start, change.end, part.se, part.others, part.others_se, weeks=SLICE_WEEKS, trend=False
    )


def _largest(parts: Sequence[_Part], dates: Iterable[int], length: int) -> list[float]:
    """The largest statistic over the parts at each made-up date."""
    largest = []
    for start in dates:
        stop = start + length
        made = [compared(p.y[:stop], p.se[:stop], p.others[:, :stop], p.others_se[:, :stop], start) for p in parts]
        each = [placebo_dates(m.y, length, None, m.se, stop, trend=False) for m in made]
        sizes = np.abs(np.concatenate(each)) if each else np.empty(0)
        if len(sizes):
            largest.append(float(sizes.max()))
    return largest
