"""What a change did to the models: benchmark values of the versions trained on labels made under it, one by one.

A version counts as one period, in order of training. It is under a change when most of its items were labelled under
it: while it held, and by its pool where it names one. One with a smaller part of them is neither before nor under it.
A benchmark measured in slices alone is the mean over them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from metrics.change_designs import Measured
from metrics.change_units import Change, Floats
from metrics.effects.effect import LEAST_AFTER, TOO_SHORT, WEEKS, Design, Effect
from metrics.effects.interrupted import interrupted
from metrics.effects.measures import Form, Measure
from metrics.effects.placebo import placebo_dates
from metrics.spec import Direction

BENCHMARK = "benchmark"
"""In ``where``: the row is of models."""

SMALLEST = 0.02
"""The smallest move of a benchmark that matters."""

MOSTLY = 0.5
"""More of a version's items than this, labelled under a change, and it is a version under it."""

ALONE = "versions are trained one after another: nobody to compare with"
TOO_SMALL = "it touched no more than half of the items of any version"
SAME = f"another change reached the models within {LEAST_AFTER} versions"

Models = Mapping[str, pd.DataFrame]
"""scores: model_version, project_id, trained_at, benchmark, metric, language, policy (null is all of them), value, n
(cases; null is not known), higher_is_better. batches: model_version, pool_id (null is not known), labelled_at, items;
a batch of several pools is in as many rows."""


Series = tuple[str, str, str]
"""Project, benchmark, metric."""

SERIES = ["project_id", "benchmark", "metric"]


def of_models(change: Change, known: Sequence[Change], lines: Lines) -> list[tuple[Measure, Measured]]:
    """One effect per benchmark of the project's models, an interrupted series over versions.

    None for a change to a model itself, which is weighed by the weeks its versions were measured in. One that names no
    project is looked at in the models of every project, of every one its pool works for where it names a pool. Values
    that are no shares, such as ratings, are left out. The versions counted end where another change reaches the models.
    """
    if change.kind == "model":
        return []
    found = []
    for key, rows in lines.series.items():
        if change.project not in (None, key[0]) or (change.project is None and not lines.works(rows, change.pool)):
            continue
        part = lines.part(rows, change)
        under = np.flatnonzero(part > MOSTLY)
        start = int(under[0]) if len(under) else len(rows)
        y, se = _values(rows)
        y[:start][part[:start] > 0] = np.nan
        firsts = [lines.first(rows, c) for c in known if c is not change and c.project in (None, key[0])]
        firsts = [first for first in firsts if first < len(rows)]
        ends = [first for first in firsts if first >= start] + (start + np.flatnonzero(part[start:] <= MOSTLY)).tolist()
        end = min(ends, default=len(rows))
        if not len(under) and (why := _none_under(rows, change, lines)):
            effect = Effect.missing(Design.SERIES, why)
        elif end in firsts and start < len(rows) and end - start < LEAST_AFTER:
            effect = Effect.missing(Design.SERIES, SAME)
        else:
            effect = interrupted(y, start, end if end < len(rows) else None, se, seasons=())  # versions are no weeks
        better = Direction.HIGHER if rows["higher_is_better"].iloc[0] else Direction.LOWER
        measure = Measure(key[2], "versions", "value", "n", better, Form.SHARE, SMALLEST)
        drawn = partial(_made_up, lines, key, y, start, effect, known)
        found.append((measure, Measured({"project": key[0], BENCHMARK: key[1]}, effect, ALONE, drawn)))
    return found


def _none_under(rows: pd.DataFrame, change: Change, lines: Lines) -> str:
    """Why no version is under a change and none will be; empty where one may come."""
    if change.pool is not None and (lines.part(rows, replace(change, pool=None)) > MOSTLY).any():
        return TOO_SMALL
    ended = change.ends_on is not None and rows["trained_at"].max() > pd.Timestamp(change.ends_on)
    return TOO_SHORT if ended else ""


class Lines:
    """Versions by benchmark in order of training, and how much of each was labelled under a change.

    series: the rows of each project's benchmark and metric whose values are all shares, of models with known batches.
    """

    def __init__(self, models: Models) -> None:
        scores = models["scores"]
        scores = over_slices(scores[scores["value"].notna() & scores["trained_at"].notna()])
        batches = models["batches"]
        self._codes, names = pd.factorize(batches["model_version"])
        self._place = {name: k for k, name in enumerate(names)}
        self._at = batches["labelled_at"].to_numpy("datetime64[ns]")
        self._items = batches["items"].fillna(0.0).to_numpy(float)
        self._pool = batches["pool_id"].to_numpy(object) if "pool_id" in batches else np.full(len(batches), None)
        self._parts: dict[Change, Floats] = {}
        known = set(batches.loc[self._items > 0, "model_version"])
        scores = scores.sort_values(["trained_at", "model_version"]).reset_index(drop=True)
        groups = scores.groupby(SERIES, sort=True)
        shares = scores["value"].between(0, 1).groupby(groups.ngroup()).transform("all")
        # A version whose batches nobody knows is neither before nor under a change.
        is_known = scores["model_version"].isin(known)
        scores = scores.assign(
            value=scores["value"].where(is_known),
            place=[self._place.get(version, -1) for version in scores["model_version"]],
        )
        last = ~scores.duplicated([*SERIES, "model_version"], keep="last")
        kept, used = shares.to_numpy() & last.to_numpy(), is_known.to_numpy()
        self.series: dict[Series, pd.DataFrame] = {
            (str(project), str(benchmark), str(metric)): scores.iloc[at[kept[at]]]
            for (project, benchmark, metric), at in sorted(groups.indices.items())
            if used[at[kept[at]]].any()
        }

    def part(self, rows: pd.DataFrame, change: Change) -> Floats:
        """The part of each version's items labelled under a change, by its pool where it names one; NaN where nobody
        knows.
        """
        if change not in self._parts:
            inside = self._at >= np.datetime64(change.starts_on, "ns")
            if change.ends_on is not None:
                inside &= self._at < np.datetime64(change.ends_on + dt.timedelta(days=1), "ns")
            if change.pool is not None:
                inside &= self._pool == change.pool
            many = len(self._place)
            under, whole = (np.bincount(self._codes, self._items * at, many) for at in (inside, 1.0))
            share = np.divide(under, whole, out=np.full(many, np.nan), where=whole > 0)
            self._parts[change] = np.append(share, np.nan)  # the last stands for versions without batches
        return self._parts[change][rows["place"].to_numpy()]

    def works(self, rows: pd.DataFrame, pool: str | None) -> bool:
        """Whether a pool has labelled any item of these versions; of no pool, yes."""
        its = self._codes[(self._pool == pool) & (self._items > 0)]
        return pool is None or not set(rows["place"]).isdisjoint(its.tolist())

    def first(self, rows: pd.DataFrame, change: Change) -> int:
        """The first version a change reached, by its labels, or for a change to the model by its training; their number
        where it reached none.
        """
        if change.kind == "model":
            under = rows["trained_at"].to_numpy("datetime64[ns]") >= np.datetime64(change.starts_on, "ns")
        else:
            under = self.part(rows, change) > MOSTLY
        return int(under.argmax()) if under.any() else len(rows)


def _values(rows: pd.DataFrame) -> tuple[Floats, Floats | None]:
    """The values and their binomial standard errors at their own mean; none where the cases are not known."""
    y, n = rows["value"].to_numpy(float).copy(), rows["n"].to_numpy(float)
    level = float(np.clip(np.nanmean(y), 1e-4, 1 - 1e-4))
    return y, np.sqrt(level * (1 - level) / n) if np.all(n > 0) else None


def over_slices(scores: pd.DataFrame) -> pd.DataFrame:
    """One value per version, benchmark and metric: over all cases where that is given, else the mean over slices.

    The slices are those by most dimensions (language, policy), and of them those that at least half of the benchmark's
    versions have; each weighs what its cases are on average over versions, or as much as the others where no cases are
    known. A version that lacks one of them has no value: a mean over other slices would move by itself.
    """
    if not {"language", "policy"} <= set(scores.columns):
        return scores
    cut = scores[["language", "policy"]].notna().sum(axis=1)
    whole = [scores[cut == 0]]
    known = set(map(tuple, whole[0][SERIES].drop_duplicates().to_numpy()))
    for key, rows in scores[cut > 0].groupby(SERIES, sort=False):
        if key not in known:
            whole.append(_mean_of_slices(rows[cut[rows.index] == cut[rows.index].max()]))
    return pd.concat(whole, ignore_index=True).drop(columns=["language", "policy"])


def _mean_of_slices(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one benchmark's versions, each the mean over slices."""
    rows = rows.assign(slice=list(zip(rows["language"].astype(str), rows["policy"].astype(str), strict=True)))
    rows = rows.drop_duplicates(["model_version", "slice"], keep="last")
    value, cases = (rows.pivot(index="model_version", columns="slice", values=c) for c in ("value", "n"))
    usual = value.columns[value.notna().mean() >= MOSTLY]
    value, cases = value[usual].dropna(), cases[usual]
    weight = cases.mean() if cases.notna().any().all() else pd.Series(1.0, index=usual)
    found = rows.drop_duplicates("model_version").set_index("model_version").loc[value.index].reset_index()
    total = cases.loc[value.index].sum(axis=1, skipna=False)
    return found.assign(value=(value @ (weight / weight.sum())).to_numpy(), n=total.to_numpy()).drop(columns="slice")


def _made_up(lines: Lines, own: Series, y: Floats, start: int, effect: Effect, known: Sequence[Change]) -> Floats:
    """Statistics of made-up changes: at earlier versions of the same models, and at any of other projects' models."""
    length = max(int(effect.effect.n), LEAST_AFTER)
    found = [np.empty(0)]
    for key, rows in lines.series.items():
        if key[0] == own[0] and key != own:
            continue  # the same versions once more
        values, se = _values(rows)
        touched = np.zeros(len(rows), bool)
        for change in known:
            if change.project in (None, key[0]):
                first = lines.first(rows, change)
                touched[first : first + WEEKS] = True
        until = start if key == own else len(rows)
        found.append(placebo_dates(y if key == own else values, length, until, se, length, touched, seasons=()))
    return np.concatenate(found)
