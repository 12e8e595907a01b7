"""What every consensus method returns."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIES = ("abstain", "split")

TIE = 1e-9
"""Posteriors closer than this are a tie: equal evidence differs by rounding only."""


@dataclass(frozen=True, eq=False)
class Consensus:
    """Labels of N items from the ratings of W raters on q declared labels. Arrays are read-only, and hold no NaN.

    items: (N,) ids and raters: (W,) ids, in order of their first rating. labels: q, as declared.
    posterior: (N, q) shares, rows sum to 1: the probability of each label; for ``majority_vote`` the share of votes.
    prior: (q,) the share of items of each label; None without items.
    confusion: (W, q, q), [w, k, l] = probability that rater w gives label l to an item of label k; a row is 0 when he
        rated no item that could be k. None where the method has none.
    skill: (W,) how good each rater is, on the method's own scale (see there). difficulty: (N,) above 0, larger is
        harder. None where the method has none.
    log_likelihood: natural log of the probability of all ratings (and gold labels); None when no model was fitted.
    path: what each iteration maximised: the log-likelihood, plus the log prior density of the parameters where
        pseudo-counts or priors are used. It never decreases.
    iterations, converged: how the fit ended; False when it met its cap or nothing was fitted.
    reason: why no model was fitted, in words; the posterior then holds the votes and nothing is said of the raters.
    ties: what ``decision`` does with a tie, "abstain" or "split".
    n_ratings, n_unlabelled, n_repeats, n_gold: rows used; rows left out for want of a label; rows used that repeat
        the rater and item of another; gold items used.
    """

    items: NDArray
    raters: NDArray
    labels: tuple[Hashable, ...]
    posterior: Floats
    prior: Floats | None = None
    confusion: Floats | None = None
    skill: Floats | None = None
    difficulty: Floats | None = None
    log_likelihood: float | None = None
    path: tuple[float, ...] = ()
    iterations: int = 0
    converged: bool = False
    reason: str = ""
    ties: str = "abstain"
    n_ratings: int = 0
    n_unlabelled: int = 0
    n_repeats: int = 0
    n_gold: int = 0

    def __post_init__(self) -> None:
        n, w, q = len(self.items), len(self.raters), len(self.labels)
        shapes = {"posterior": (n, q), "prior": (q,), "confusion": (w, q, q), "skill": (w,), "difficulty": (n,)}
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array is None:
                continue
            if array.shape != shape or not np.isfinite(array).all():
                raise ValueError(f"A consensus has finite {name} of shape {shape}, not {array.shape}.")
        for field in fields(self):
            array = getattr(self, field.name)
            if isinstance(array, np.ndarray):
                # A view, so that locking it does not lock the caller's array.
                view = array.view()
                view.flags.writeable = False
                object.__setattr__(self, field.name, view)

    @functools.cached_property
    def confidence(self) -> Floats:
        """The largest posterior of each item, (N,), 1/q to 1."""
        return self.posterior.max(axis=1, initial=0.0)

    @functools.cached_property
    def tied(self) -> NDArray[np.bool_]:
        """For each item whether two labels or more share the largest posterior, (N,)."""
        return self._top.sum(axis=1) > 1

    @functools.cached_property
    def winner(self) -> NDArray[np.object_]:
        """The label of each item, (N,); None on a tie, whatever ``ties`` says: the order of labels decides nothing."""
        named = np.empty(len(self.labels) + 1, dtype=object)
        named[:-1] = _objects(self.labels)
        best = self.posterior.argmax(axis=1) if len(self.labels) else np.zeros(len(self.items), dtype=int)
        return named[np.where(self.tied, len(self.labels), best)]

    @functools.cached_property
    def decision(self) -> Floats:
        """The weight with which each label is taken, (N, q): 1 for a winner, ties by the rule of ``ties``.

        "abstain": 0 for every label of a tied item. "split": 1/m for each of m tied labels, so that the mean weight on
        the true label is the expected accuracy under a fair draw.
        """
        taken = self._top / self._top.sum(axis=1, keepdims=True) if len(self.labels) else self._top.astype(float)
        return np.where(self.tied[:, None] & (self.ties == "abstain"), 0.0, taken)

    @functools.cached_property
    def _top(self) -> NDArray[np.bool_]:
        return self.posterior >= self.confidence[:, None] - TIE


def _objects(values: tuple[Hashable, ...]) -> NDArray[np.object_]:
    """The values one by one: numpy would make columns of tuples."""
    array = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        array[position] = value
    return array
