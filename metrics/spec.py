"""What a metric is and what measuring it gives: units, directions, estimates, statuses."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np


class Direction(enum.StrEnum):
    """Which way is better."""

    HIGHER = "higher is better"
    LOWER = "lower is better"
    BAND = "inside the band is better"
    NONE = "neither way is better"


class Unit(enum.StrEnum):
    """What a value counts. Shares run 0 to 1; only the formatter makes percents."""

    SHARE = "share"
    COEFFICIENT = "coefficient"
    COUNT = "count"
    SECONDS = "seconds"
    HOURS = "hours"
    MONEY = "money"
    PER_HOUR = "per hour"


class Status(enum.StrEnum):
    """A value's standing against the target in force."""

    ON_TARGET = "on_target"
    WATCH = "watch"
    OFF_TARGET = "off_target"
    TOO_FEW = "too_few"
    NO_TARGET = "no_target"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval and its n, or the reason why there is none.

    ``value`` is None exactly when ``reason`` is not empty. ``low <= value <= high`` where both ends exist; a number
    without sampling error (a count) has neither. ``n`` is the denominator in its own unit.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: float = 0
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.value is None) != bool(self.reason):
            raise ValueError(f"An estimate has either a value or a reason, not {self.value!r} with {self.reason!r}.")
        if any(x is not None and not math.isfinite(x) for x in (self.value, self.low, self.high)):
            raise ValueError("An estimate holds finite numbers or None, never NaN or infinity.")

    @classmethod
    def missing(cls, reason: str, n: float = 0) -> Estimate:
        """No number, and why."""
        return cls(None, n=n, reason=reason)


ESTIMATE_COLUMNS = ("value", "low", "high", "n", "reason")


class Estimates(NamedTuple):
    """Estimates of many groups, an array each: NaN for what an ``Estimate`` leaves out, ``reason`` text."""

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    reason: np.ndarray

    @classmethod
    def of(cls, estimates: list[Estimate]) -> Estimates:
        """Single estimates put together."""
        ends = [[np.nan if x is None else x for x in (e.value, e.low, e.high, e.n)] for e in estimates]
        columns = np.array(ends, float).reshape(len(estimates), 4).T
        return cls(*columns, np.array([e.reason for e in estimates], object))

    def without(self, blank: np.ndarray, reason: np.ndarray | str, n: float | None = None) -> Estimates:
        """The estimates with no number where ``blank``, for this reason."""
        value, low, high = (np.where(blank, np.nan, x) for x in (self.value, self.low, self.high))
        counted = self.n if n is None else np.where(blank, n, self.n)
        return Estimates(value, low, high, counted, np.where(blank, np.asarray(reason, object), self.reason))


@dataclass(frozen=True)
class Metric:
    """One metric, declared once: everything a page, a target, an export or the command line says about it.

    ``shape`` turns summed columns of ``mart`` into estimates (metrics/shapes.py). ``min_n`` is the n below which no
    number is given. ``nothing`` is the reason given when n is 0. ``needs`` names the contract tables it is read from,
    ``column`` the one column ("items.claimed_at") a warehouse may lack and without which there is no number.
    """

    name: str
    label: str
    area: str
    unit: Unit
    direction: Direction
    mart: str
    shape: Shape
    meaning: str
    formula: str
    counts: str
    nothing: str
    needs: tuple[str, ...]
    column: str = ""
    min_n: int = 30
    headline: bool = False
    caution: str = ""
    target: float | None = None
    warn: float | None = None

    def __post_init__(self) -> None:
        if self.target is not None and self.warn is not None:
            wrong = {
                Direction.HIGHER: self.warn > self.target,
                Direction.LOWER: self.warn < self.target,
                Direction.BAND: self.warn < self.target,
                Direction.NONE: True,
            }
            if wrong[self.direction]:
                raise ValueError(f"{self.name}: a warn level of {self.warn} does not suit the target {self.target}.")


class Shape(Protocol):
    """How a metric follows from sums. ``columns`` are the mart's columns it sums."""

    columns: tuple[str, ...]

    def estimate(self, sums: Mapping[str, np.ndarray], metric: Metric) -> Estimates:
        """One estimate per row of ``sums``, in its order."""
        ...
