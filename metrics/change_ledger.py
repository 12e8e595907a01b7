"""The change ledger: every recorded change with a design, an effect with its interval, and a verdict, from weekly sums.

Frames by source (``effects.measures``), a row per week and cell: week (the Monday), the columns of a cell that the
source is kept by among project_id, pool_id, language, policy, and sums. Weeks not settled yet are left out by the caller.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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

LEAST_SLICE = 5
"""Judgements a week, on average, for a part of the work to be looked at by itself."""

TWO_CUTS = (("pool_id", "policy"), ("language", "policy"))
"""The parts a project's work is cut into."""


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
class _Series:
    """The unit with the change and the others: values and standard errors by week; touched: weeks of other changes."""

    y: Floats
    se: Floats | None
    others: Floats
    others_se: Floats | None
    names: tuple[str, ...]
    touched: NDArray[np.bool_]


def ledger(changes: pd.DataFrame, frames: Frames, last_day: dt.date) -> list[Row]:
    """The rows of the ledger: by change in the order given, by metric as declared for its kind.

    changes: change_id, kind, project_id, pool_id (null is all), starts_on, ends_on (null is still). A metric whose
    frame is not given, or does not keep what the change is told apart by, has no row. p_adjusted is Holm's over the
    rows of a change; made-up changes are looked at where that is at most ``SURE``: elsewhere they decide nothing.
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
    found: list[tuple[Measure, dict[str, str], Effect, _Series]] = []
    for name in BY_KIND.get(change.kind, ()):
        measure = MEASURES[name]
        if measure.source in frames:
            unit = _unit(change, measure, frames[measure.source], mondays)
            if unit is not None:
                own, others, where = unit
                series = _series(change, known, measure, frames[measure.source], own, others, mondays)
                found.append((measure, where, _measured(series, change), series))
    sliced = _sliced(change, known, frames, mondays) if change.kind in SLICED and change.project else None
    p = [e.p_value for _, _, e, _ in found] + ([sliced[2].p_value] if sliced else [])
    adjusted = holm([np.nan if value is None else value for value in p]).q
    rows = []
    for (measure, where, effect, series), q in zip([*found, *([sliced] if sliced else [])], adjusted, strict=True):
        q = None if np.isnan(q) else float(q)
        if q is not None and q <= SURE:
            effect = series(effect) if callable(series) else _with_placebos(effect, series, change)
        judged = verdict(effect, measure.direction, measure.smallest, q)
        rows.append(Row(change, measure.metric, where, effect, q, judged))
    return rows


def _unit(change: Change, measure: Measure, frame: pd.DataFrame, mondays: pd.DatetimeIndex):
    """The columns and the value that tell the changed work apart, and the rows it is compared within.

    None where the source does not keep them. A pool that did no such work before took it over from another: then the
    languages it works in are followed, whoever does the work.
    """
    wanted = [c for c, v in (("project_id", change.project), ("pool_id", change.pool)) if v is not None]
    if any(c not in frame for c in wanted):
        return None
    inside = frame if change.project is None or change.pool is None else frame[frame["project_id"] == change.project]
    columns = ["pool_id"] if change.pool is not None else ["project_id"]
    if not wanted:
        return None
    key = change.pool or change.project
    own = inside[inside[columns[0]] == key]
    weeks = own.loc[own[measure.bottom] > 0, "week"]
    early = weeks[weeks < mondays[min(change.start, len(mondays) - 1)]].nunique()
    where = {c.removesuffix("_id"): str(v) for c, v in (("project_id", change.project), ("pool_id", change.pool)) if v}
    if change.pool and change.project and early < LEAST_BEFORE and "language" in frame:
        volume = own.groupby("language")[measure.bottom].sum()
        spoken = sorted(volume.index[volume > 0.2 * volume.sum()])
        cells = inside.assign(unit=np.where(inside["language"].isin(spoken), key, inside["language"]))
        return key, cells, {"project": change.project, "language": ", ".join(spoken)}
    return key, inside.assign(unit=inside[columns[0]]), where


def _series(change, known, measure, frame, own, cells, mondays) -> _Series:
    """The weekly series of a change's work and of the units without it."""
    unit, y, se = weekly(cells, measure, mondays, change.start)
    touched = np.array([_touched(change, known, name, len(mondays)) for name in unit])
    near = slice(max(change.start - WEEKS, 0), change.start + WEEKS)
    free = np.array([name != own and not t[near].any() for name, t in zip(unit, touched, strict=True)])
    if own not in unit:
        empty = np.full(len(mondays), np.nan)
        return _Series(empty, None, y[:0], None, (), touched[:0])
    row = unit.index(own)
    y = y.copy()
    if change.began < change.start and 0 <= change.began < len(mondays):
        y[row, change.began] = np.nan
    names = tuple(name for name, keep in zip(unit, free, strict=True) if keep)
    order = np.concatenate([[row], np.flatnonzero(free)])
    spread = None if se is None else se[order[1:]]
    return _Series(y[row], None if se is None else se[row], y[order[1:]], spread, names, touched[order])


def _touched(change: Change, known: list[Change], unit: str, periods: int) -> NDArray[np.bool_]:
    """The weeks in which another recorded change was new to all the work of a unit."""
    weeks = np.zeros(periods, bool)
    project = unit if change.pool is None else change.project
    pool = None if change.pool is None else unit
    for other in known:
        if other is not change and other.covers(project, pool) and (other.project, other.pool) != (None, None):
            weeks[other.began : min(other.start + WEEKS, periods if other.end is None else other.end + 1)] = True
    return weeks


def weekly(
    cells: pd.DataFrame, measure: Measure, mondays: pd.DatetimeIndex, start: int
) -> tuple[tuple[str, ...], Floats, Floats | None]:
    """Units and their weekly values with standard errors: names, (units, periods), (units, periods) or None.

    cells: the source's rows with a column ``unit``. Per kind: top less bottom times the usual of the row's project,
    language and policy before week ``start``, the mean of the unit added back. A share's standard error is binomial at
    the unit's own share over all weeks; a log mean's falls with √n.
    """
    columns = [measure.top, measure.bottom, *([measure.squares] if measure.squares else [])]
    cells = cells[cells[measure.bottom] > 0]
    if measure.per_kind:
        kind = [c for c in ("project_id", "language", "policy") if c in cells]
        early = cells["week"] < (mondays[start] if start < len(mondays) else mondays[-1])
        sums = cells[early].groupby(kind)[[measure.top, measure.bottom]].sum()
        usual = (sums[measure.top] / sums[measure.bottom]).rename("usual").reset_index()
        cells = cells.merge(usual, on=kind, how="left")
        # A kind of work that did not exist before has no usual: it says nothing of a change.
        cells = cells[cells["usual"].notna()]
        cells = cells.assign(foreseen=cells["usual"] * cells[measure.bottom])
        columns.append("foreseen")
    sums = cells.groupby(["unit", "week"])[columns].sum()
    names = tuple(sorted(cells["unit"].unique()))

    def table(column: str) -> Floats:
        wide = sums[column].unstack("week").reindex(index=names, columns=mondays)
        return wide.to_numpy(float)

    top, bottom = table(measure.top), table(measure.bottom)
    with np.errstate(all="ignore"):
        n = bottom**2 / table(measure.squares) if measure.squares else bottom
        if measure.form is Form.LOG_RATIO:
            return names, np.where((top > 0) & (bottom > 0), np.log(top / bottom), np.nan), None
        level = np.nansum(top, 1, keepdims=True) / np.nansum(bottom, 1, keepdims=True)
        value = (top - table("foreseen")) / bottom + level if measure.per_kind else top / bottom
        spread = np.sqrt(np.clip(level * (1 - level), 1e-4, None)) if measure.form is Form.SHARE else 1.0
        return names, value, spread / np.sqrt(n)


def _measured(series: _Series, change: Change) -> Effect:
    if len(series.others):
        found = interrupted(
            series.y, change.start, change.end, series.se, series.others, series.others_se, series.names
        )
        if found.effect.value is not None or not np.isfinite(series.y).any():
            return found
    return interrupted(series.y, change.start, change.end, series.se)


def _with_placebos(effect: Effect, series: _Series, change: Change) -> Effect:
    """The effect with its placebo p: own weeks before the change, and every other unit against the rest."""
    length = min(WEEKS, len(series.y) - change.start, WEEKS if change.end is None else change.end - change.start)
    with_others = effect.design is Design.COMPARED
    found = []
    for k, touched in enumerate(series.touched):
        y = series.y if k == 0 else series.others[k - 1]
        spread = series.others_se
        se = series.se if k == 0 or spread is None else spread[k - 1]
        rest = np.arange(len(series.others)) != k - 1
        if with_others and rest.any():
            rest_se = None if spread is None else spread[rest]
            y, se, _ = compared(y, se, series.others[rest], rest_se, change.start)
        until = change.began if k == 0 else len(y)
        found.append(placebo_dates(y, max(length, LEAST_AFTER), until, se, max(length, LEAST_AFTER), touched))
    placebos = np.concatenate(found) if found else np.empty(0)
    return replace(effect, placebos=placebos, placebo_p=placebo_p(effect.statistic, placebos))


def _sliced(change: Change, known: list[Change], frames: Frames, mondays: pd.DatetimeIndex):
    """The part of a project's work that moved most, each against the rest of the project; None without parts.

    p_value: the smallest p of all parts times their number. Placebos: the largest statistic of all parts at each
    made-up date before the change.
    """
    measure = MEASURES[SLICED_BY]
    if measure.source not in frames:
        return None
    frame = frames[measure.source]
    frame = frame[frame["project_id"] == change.project]
    parts: list[tuple[dict[str, str], Effect, Floats, Floats | None]] = []
    for cut in TWO_CUTS:
        if any(c not in frame for c in cut):
            continue
        cells = frame.assign(unit=frame[cut[0]].astype(str) + " / " + frame[cut[1]].astype(str))
        volume = cells.groupby("unit")[measure.bottom].sum()
        cells = cells[cells["unit"].isin(volume.index[volume >= LEAST_SLICE * len(mondays)])]
        if not len(cells):
            continue
        names, y, se = weekly(cells, measure, mondays, change.start)
        if change.began < change.start and 0 <= change.began < len(mondays):
            y[:, change.began] = np.nan
        for k, name in enumerate(names):
            rest = np.arange(len(names)) != k
            if rest.any():
                effect = interrupted(y[k], change.start, change.end, se[k], y[rest], se[rest])
                made = compared(y[k], se[k], y[rest], se[rest], change.start)
                labels = [c.removesuffix("_id") for c in cut]
                where = {"project": change.project, **dict(zip(labels, name.split(" / "), strict=True))}
                parts.append((where, effect, made.y, made.se))
    tested = [part for part in parts if part[1].p_value is not None]
    if not tested:
        return None
    best = min(tested, key=lambda part: part[1].p_value)
    effect = replace(best[1], p_value=min(1.0, best[1].p_value * len(tested)))

    def with_placebos(found: Effect) -> Effect:
        length = int(found.effect.n)
        dates = range(change.began - length, 2 * LEAST_BEFORE, -length)
        largest = []
        for start in dates:
            each = [
                placebo_dates(y[: start + length], length, None, se[: start + length], 10**6) for *_, y, se in tested
            ]
            sizes = np.abs(np.concatenate(each))
            if len(sizes):
                largest.append(float(sizes.max()))
        return replace(found, placebos=np.array(largest), placebo_p=placebo_p(found.statistic, largest))

    return measure, best[0], effect, with_placebos
