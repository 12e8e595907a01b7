"""What the coefficients share: the reasons why there is no number, and a value with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metrics.errors import UnknownName
from metrics.intervals import student
from metrics.patterns import Patterns
from metrics.spec import Estimate

Floats = NDArray[np.float64]

NO_ITEMS = "no rated items"
NO_PAIRS = "no item has two ratings"
ONE_ITEM = "only one item has two ratings"
NO_VARIATION = "no variation: every rating is the same label"
NO_DISTANCE = "no variation: the labels used do not differ on this scale"
ONE_LABEL = "fewer than two labels are declared"
NOT_NUMBERS = "an interval or ratio scale needs numbers as labels"
NEGATIVE = "a ratio scale has no negative values"
ONE_RATER = "fewer than two raters"

ZERO = 1e-12
"""An error or a chance disagreement below this is rounding, not data."""


def known(kind: str, name: str, names: Sequence[str]) -> None:
    """Raises UnknownName unless ``name`` is one of ``names``."""
    if name not in names:
        raise UnknownName(kind, name, names)


def reason_for_none(patterns: Patterns) -> str:
    """Why these items show no agreement corrected for chance; empty when they do."""
    if not patterns.n_items:
        return NO_ITEMS
    if not patterns.n_pairable:
        return NO_PAIRS
    return ONE_ITEM if patterns.n_pairable <= 1 else ""


def reason_for_no_chance(labels_used: int) -> str:
    """Why raters could not disagree by chance, given how many labels were used."""
    return NO_DISTANCE if labels_used > 1 else NO_VARIATION


def standard_error(influence: Floats, items: Floats, centre: float | None = None) -> float:
    """Standard error of the mean of the items' influences, both (K,); 0 for one item. centre: in place of the mean."""
    n = items.sum()
    if n <= 1:
        return 0.0
    centre = items @ influence / n if centre is None else centre
    return float(np.sqrt(items @ (influence - centre) ** 2 / (n * (n - 1))))


def student_interval(
    value: float, error: float, n: float, bounds: tuple[float, float], confidence: float, df: float | None = None
) -> Estimate:
    """Value ± t·error within bounds, t with ``df`` or n - 1 degrees of freedom.

    Without an interval where the error is 0: the data do not show how far the value could be from the truth.
    """
    value, n = float(np.clip(value, *bounds)), float(n)
    if not error > ZERO:
        return Estimate(value, n=n)
    half = student(0.5 + confidence / 2, n - 1 if df is None else df) * error
    return Estimate(value, float(max(value - half, bounds[0])), float(min(value + half, bounds[1])), n)
