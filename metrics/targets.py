"""Which target is in force for a slice, and how an estimate stands against it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.spec import Direction, Metric, Status


@dataclass(frozen=True, slots=True)
class Target:
    """The value to reach and the value to worry at; for a band metric the band's lower and upper end."""

    target: float
    warn: float
    owner: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One row of the contract's `targets`."""

    project: str | None
    pool: str | None
    valid_from: dt.date
    valid_to: dt.date | None
    target: Target

    def fits(self, on: dt.date | None, project: str | None, pool: str | None) -> bool:
        """Whether it holds on a day (None is the latest) for a project and pool (None is all)."""
        in_time = on is None or (self.valid_from <= on and (self.valid_to is None or on <= self.valid_to))
        return in_time and self.project in (None, project) and self.pool in (None, pool)

    @property
    def rank(self) -> tuple:
        """More specific is higher, then newer."""
        return (self.project is not None, self.pool is not None, self.valid_from)


class Targets:
    """The targets of a warehouse, ready to be asked many times."""

    def __init__(self, rows: pd.DataFrame) -> None:
        """rows: the contract's `targets`."""
        self._rules: dict[str, list[_Rule]] = {}
        self._known: dict[tuple, Target | None] = {}  # asked again for every row of every page
        for row in rows.to_dict("records"):
            goal = Target(float(row["target"]), float(row["warn"]), _text(row["owner"]) or "")
            rule = _Rule(
                _text(row["project_id"]), _text(row["pool_id"]), _day(row["valid_from"]), _day(row["valid_to"]), goal
            )
            self._rules.setdefault(row["metric"], []).append(rule)

    def in_force(
        self, metric: Metric, on: dt.date | None, project: str | None = None, pool: str | None = None
    ) -> Target | None:
        """The most specific target of the metric on a day: project and pool, then project, then pool, then all.

        ``on`` None means the latest. Falls back on the catalogue's own target, if it has one.
        """
        key = (metric.name, metric.target, metric.warn, on, project, pool)
        if key not in self._known:
            self._known[key] = self._find(metric, on, project, pool)
        return self._known[key]

    def _find(self, metric: Metric, on: dt.date | None, project: str | None, pool: str | None) -> Target | None:
        fitting = [rule for rule in self._rules.get(metric.name, ()) if rule.fits(on, project, pool)]
        if fitting:
            return max(fitting, key=lambda rule: rule.rank).target
        if metric.target is not None:
            return Target(metric.target, metric.target if metric.warn is None else metric.warn)
        return None


def _text(value: object) -> str | None:
    return None if value is None or value != value else str(value)


def _day(value: object) -> dt.date | None:
    return None if pd.isna(value) else pd.Timestamp(value).date()


def status(metric: Metric, value: float, low: float, high: float, target: Target | None) -> Status:
    """How an estimate stands: the value meets the target, misses it within its interval, or misses it whole.

    A number without an interval is watched while it is on the right side of the warn level. NaN ends mean none.
    """
    if value is None or np.isnan(value):
        return Status.TOO_FEW
    if target is None or metric.direction is Direction.NONE:
        return Status.NO_TARGET
    if metric.direction is Direction.BAND:
        bottom, top = sorted((target.target, target.warn))
        if bottom <= value <= top:
            return Status.ON_TARGET
        reaches = not np.isnan(low) and low <= top and high >= bottom
        return Status.WATCH if reaches else Status.OFF_TARGET
    better = 1 if metric.direction is Direction.HIGHER else -1
    if better * (value - target.target) >= 0:
        return Status.ON_TARGET
    best_end = high if better > 0 else low
    if np.isnan(best_end):
        return Status.WATCH if better * (value - target.warn) >= 0 else Status.OFF_TARGET
    return Status.WATCH if better * (best_end - target.target) >= 0 else Status.OFF_TARGET
