"""What a change did to the models: benchmark values of the versions trained on labels made under it, one by one.

A version counts as one period, in order of training. It is under a change when most of its items were labelled from the
change's first day on; one with a smaller part of them is neither before nor under it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from metrics.change_designs import Measured
from metrics.change_units import Change, Floats
from metrics.effects.effect import LEAST_AFTER, WEEKS, Design, Effect
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
SAME = f"another change reached the models within {LEAST_AFTER} versions"

Models = Mapping[str, pd.DataFrame]
"""scores: model_version, project_id, trained_at, benchmark, metric, value, n (cases; null is not known),
higher_is_better; one row per version and benchmark, over all its cases. batches: model_version, labelled_at, items."""


Series = tuple[str, str, str]
"""Project, benchmark, metric."""


def of_models(change: Change, known: Sequence[Change], lines: Lines) -> list[tuple[Measure, Measured]]:
    """One effect per benchmark of the project's models, an interrupted series over versions.

    None for a change to a model itself, which is weighed by the weeks its versions were measured in, and for one that
    names no project. Values that are no shares, such as ratings, are left out. The versions counted end where another
    change to the project reaches the models.
    """
    if change.kind == "model" or change.project is None:
        return []
    found = []
    for key, rows in lines.series.items():
        if key[0] != change.project:
            continue
        part = lines.part(rows, change)
        under = np.flatnonzero(part > MOSTLY)
        start = int(under[0]) if len(under) else len(rows)
        y, se = _values(rows)
        y[:start][part[:start] > 0] = np.nan
        firsts = [lines.first(rows, c) for c in known if c is not change and _reaches(c, change.project)]
        ends = [first for first in firsts if first >= start] + (start + np.flatnonzero(part[start:] <= MOSTLY)).tolist()
        end = min(ends, default=len(rows))
        if end in firsts and start < len(rows) and end - start < LEAST_AFTER:
            effect = Effect.missing(Design.SERIES, SAME)
        else:
            effect = interrupted(y, start, end if end < len(rows) else None, se)
        better = Direction.HIGHER if rows["higher_is_better"].iloc[0] else Direction.LOWER
        measure = Measure(key[2], "versions", "value", "n", better, Form.SHARE, SMALLEST)
        drawn = partial(_made_up, lines, key, y, start, effect, known)
        found.append((measure, Measured({"project": key[0], BENCHMARK: key[1]}, effect, ALONE, drawn)))
    return found


class Lines:
    """Versions by benchmark in order of training, and how much of each was labelled under a change.

    series: the rows of each project's benchmark and metric whose values are all shares, of models with known batches.
    """

    def __init__(self, models: Models) -> None:
        scores = models["scores"]
        scores = scores[scores["value"].notna() & scores["trained_at"].notna()]
        scores = scores.sort_values(["trained_at", "model_version"])
        self.series: dict[Series, pd.DataFrame] = {
            (str(project), str(benchmark), str(metric)): rows.drop_duplicates("model_version", keep="last")
            for (project, benchmark, metric), rows in scores.groupby(["project_id", "benchmark", "metric"])
            if rows["value"].between(0, 1).all()
        }
        batches = models["batches"]
        self._codes, names = pd.factorize(batches["model_version"])
        self._place = {name: k for k, name in enumerate(names)}
        self._at = batches["labelled_at"].to_numpy("datetime64[ns]")
        self._items = batches["items"].fillna(0.0).to_numpy(float)
        self._parts: dict[Change, dict[str, float]] = {}
        known = set(batches.loc[self._items > 0, "model_version"])
        # A version whose batches nobody knows is neither before nor under a change.
        self.series = {
            key: rows.assign(value=rows["value"].where(rows["model_version"].isin(known)))
            for key, rows in self.series.items()
            if not known.isdisjoint(rows["model_version"])
        }

    def part(self, rows: pd.DataFrame, change: Change) -> Floats:
        """The part of each version's items labelled while a change held; NaN where nobody knows."""
        if change not in self._parts:
            inside = self._at >= np.datetime64(change.starts_on, "ns")
            if change.ends_on is not None:
                inside &= self._at < np.datetime64(change.ends_on + dt.timedelta(days=1), "ns")
            many = len(self._place)
            under, whole = (np.bincount(self._codes, self._items * at, many) for at in (inside, 1.0))
            share = np.divide(under, whole, out=np.full(many, np.nan), where=whole > 0)
            self._parts[change] = {name: float(share[k]) for name, k in self._place.items()}
        parts = self._parts[change]
        return np.array([parts.get(version, np.nan) for version in rows["model_version"]])

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


def _reaches(change: Change, project: str) -> bool:
    """Whether it may move the models of a project by itself."""
    return change.project == project or (change.project is None and change.pool is None)


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
            if _reaches(change, key[0]):
                first = lines.first(rows, change)
                touched[first : first + WEEKS] = True
        until = start if key == own else len(rows)
        found.append(placebo_dates(y if key == own else values, length, until, se, length, touched))
    return np.concatenate(found)
