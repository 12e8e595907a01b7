"""How much two labels agree: 1 on the diagonal, less the further labels are apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from metrics.agreement.distances import as_numbers
from metrics.agreement.estimates import NO_DISTANCE, NOT_NUMBERS, Floats, known

WEIGHTS = ("identity", "linear", "quadratic", "ordinal_gwet")
"""Names of agreement weights. "ordinal_gwet" is what irrCAC calls ordinal: it is not Krippendorff's ordinal level."""


def agreement_weights(weights: str | ArrayLike, labels: int, values: Sequence | None = None) -> Floats | str:
    """Agreement weights of the declared labels, (labels, labels), symmetric with 1 on the diagonal and at most 1.

    - "identity": 1 for the same label, else 0.
    - "linear": 1 - |x_c - x_k|/(x_max - x_min).
    - "quadratic": 1 - (x_c - x_k)²/(x_max - x_min)²; alpha with it is alpha at the interval level.
    - "ordinal_gwet": 1 - C(|c - k| + 1, 2)/C(q, 2) on positions, whatever the frequencies (Gwet 2014, table 3.6).
    - a matrix of your own.

    values: x, one number a label in the order of the scale; positions 0..q-1 without them. A sentence when values are
    not numbers or do not differ. Raises UnknownName for another name; ValueError when values and labels differ in
    number, or when a matrix has another shape, is not symmetric, or is not 1 on the diagonal and at most 1 elsewhere.
    """
    if not isinstance(weights, str):
        return _checked(np.asarray(weights, dtype=float), labels)
    known("agreement weights", weights, WEIGHTS)
    if weights == "identity" or labels < 2:
        return np.eye(labels)
    position = np.arange(labels, dtype=float)
    if weights == "ordinal_gwet":
        apart = np.abs(position[:, None] - position)
        return 1 - apart * (apart + 1) / (labels * (labels - 1))
    if values is not None and len(values) != labels:
        raise ValueError(f"The {weights} weights need one value for each of {labels} labels.")
    x = position if values is None else as_numbers(values)
    if x is None:
        return NOT_NUMBERS
    span = np.ptp(x)
    if not span > 0:
        return NO_DISTANCE
    apart = np.abs(x[:, None] - x) / span
    return 1 - (apart if weights == "linear" else apart**2)


def is_identity(weights: str | ArrayLike) -> bool:
    """Whether the weights are the plain ones, which need no order of the labels."""
    return isinstance(weights, str) and weights == "identity"


def _checked(weights: Floats, labels: int) -> Floats:
    if weights.shape != (labels, labels):
        raise ValueError(f"Agreement weights of {labels} labels are {labels} x {labels}, not {weights.shape}.")
    if not (np.isfinite(weights).all() and np.allclose(weights, weights.T)):
        raise ValueError("Agreement weights are finite and symmetric.")
    if not np.allclose(np.diag(weights), 1) or np.any(weights > 1 + 1e-12):
        raise ValueError("Agreement weights are 1 for a label with itself and at most 1 for two labels.")
    return weights
