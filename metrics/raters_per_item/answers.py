"""How raters of one kind, drawn anew for each item, answer: the chance of like answers, and checks of the model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def checked_model(confusion: ArrayLike, prior: ArrayLike | None) -> tuple[Floats, Floats]:
    """The confusion (q, q) and shares of true labels (q,), equal when omitted; ValueError for no model."""
    confusion = np.asarray(confusion, dtype=float)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or not len(confusion):
        raise ValueError("A confusion matrix is square.")
    if np.any(confusion < 0) or not np.allclose(confusion.sum(axis=1), 1, atol=1e-6):
        raise ValueError("Each row of a confusion matrix holds probabilities that sum to 1.")
    prior = np.full(len(confusion), 1 / len(confusion)) if prior is None else np.asarray(prior, dtype=float)
    if prior.shape != (len(confusion),) or np.any(prior < 0) or not np.isclose(prior.sum(), 1, atol=1e-6):
        raise ValueError("The shares of the true labels are one for each and sum to 1.")
    return confusion, prior


def check_asked(k: int, correlation: float) -> None:
    """Raises ValueError for a number of ratings below 1 or a correlation outside 0..1."""
    if k < 1 or int(k) != k:
        raise ValueError(f"An item is rated once or more often, not {k} times.")
    if not 0 <= correlation <= 1:
        raise ValueError(f"A correlation of errors lies between 0 and 1, not {correlation}.")


def log_rising(p: ArrayLike, k: int, correlation: float) -> Floats:
    """Log of the chance of 0..k like answers in a row, but for what all answers share: p's shape and (k + 1,).

    Σ_{j<n} log((1 - ρ)p + jρ): n·log p when independent, an urn with ρ above 0; no difference of large numbers.
    """
    p = np.asarray(p, dtype=float)[..., None]
    with np.errstate(divide="ignore"):
        steps = np.log((1 - correlation) * p + correlation * np.arange(k))
    return np.concatenate([np.zeros_like(p), np.cumsum(steps, axis=-1)], axis=-1)
