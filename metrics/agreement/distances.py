"""How far two labels are apart: one matrix per measurement level, and MASI or Jaccard for label sets."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from metrics.agreement.estimates import NEGATIVE, NOT_NUMBERS, Floats, known

LEVELS = ("nominal", "ordinal", "interval", "ratio", "set")
SET_DISTANCES = ("masi", "jaccard")

SEPARATOR = "|"
"""Between the members of a label set that is written as one string; the empty string is the empty set."""


def members(label: str | Iterable[Hashable]) -> frozenset:
    """The label set that a label stands for: the members of an iterable, or of a string between "|"."""
    return frozenset(filter(None, label.split(SEPARATOR))) if isinstance(label, str) else frozenset(label)


def level_distances(
    level: str, values: Sequence | None, labels: int, set_distance: str = "masi"
) -> Floats | str | None:
    """Distances between the declared labels, (labels, labels), 0 on the diagonal.

    Nominal [c≠k]; interval (x_c - x_k)²; ratio ((x_c - x_k)/(x_c + x_k))² with 0/0 = 0; sets MASI or Jaccard. None at
    the ordinal level: Krippendorff's ordinal metric follows from the frequencies of the data. A sentence when values
    do not suit the level. values: numbers or sets of members, one a label; positions where interval or ratio has none.
    Raises UnknownName for another level or set distance, ValueError when values and labels differ in number.
    """
    known("measurement level", level, LEVELS)
    known("set distance", set_distance, SET_DISTANCES)
    if level == "nominal":
        return 1 - np.eye(labels)
    if level == "ordinal":
        return None
    if values is None:
        values = range(labels) if level != "set" else None
    if values is None or len(values) != labels:
        raise ValueError(f"The {level} level needs one value for each of {labels} labels.")
    if level == "set":
        return _between_sets(tuple(members(v) for v in values), set_distance)
    x = as_numbers(values)
    if x is None:
        return NOT_NUMBERS
    apart = x[:, None] - x[None, :]
    if level == "interval":
        return apart**2
    if np.any(x < 0):
        return NEGATIVE
    together = x[:, None] + x[None, :]
    return (apart / np.where(together > 0, together, 1)) ** 2


@functools.lru_cache(maxsize=50)
def _between_sets(sets: tuple[frozenset, ...], kind: str) -> Floats:
    """All distances at once, kept: a page asks for those of one project dozens of times."""
    distances = np.array([[set_distance_of(a, b, kind) for b in sets] for a in sets]).reshape(len(sets), len(sets))
    distances.flags.writeable = False
    return distances


def set_distance_of(a: frozenset, b: frozenset, kind: str = "masi") -> float:
    """Distance of two label sets, 0 to 1: Jaccard 1 - J with J = |A∩B|/|A∪B|, or MASI 1 - J·M.

    M is 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap (nltk before 3.10 rounds these to .67
    and .33). Two empty sets are equal, an empty and another one share nothing. Source: Passonneau 2006.
    """
    if a == b:
        return 0.0
    overlap = len(a & b) / len(a | b)
    if kind == "jaccard":
        return 1 - overlap
    return 1 - overlap * (2 / 3 if a <= b or b <= a else 1 / 3)


def as_numbers(values: Sequence) -> Floats | None:
    """The values as finite numbers, or None when one is not."""
    try:
        x = np.array([float(v) for v in values])
    except (TypeError, ValueError):
        return None
    return x if np.isfinite(x).all() else None
