"""Expectation maximisation for raters with a confusion matrix each, however it is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from metrics.consensus.ratings import Ratings
from metrics.consensus.result import Floats

MStep = Callable[[Floats], tuple[Floats, float]]
"""From soft counts [w, l, k] to the probabilities of label l given k, in the same shape, and their log prior density.

The soft count is how many ratings of rater w gave label l to items of label k, each item counted by its posterior.
"""


@dataclass(frozen=True, eq=False)
class Fit:
    """What expectation maximisation found; ``soft`` are the soft counts that ``rates`` were made of."""

    posterior: Floats
    prior: Floats
    rates: Floats
    soft: Floats
    log_likelihood: float
    path: tuple[float, ...]
    converged: bool

    def findings(self) -> dict[str, object]:
        """The fields of a Consensus that every such fit fills."""
        return {
            "posterior": self.posterior,
            "prior": self.prior,
            "confusion": np.ascontiguousarray(self.rates.transpose(0, 2, 1)),
            "log_likelihood": self.log_likelihood,
            "path": self.path,
            "iterations": len(self.path),
            "converged": self.converged,
        }


def maximise(ratings: Ratings, posterior: Floats, m_step: MStep, tolerance: float, max_iterations: int) -> Fit:
    """Alternates between the raters' rates and the items' posterior until the likelihood stops rising.

    posterior: (N, q) to start from. The objective is the observed-data log-likelihood
    Σ_i ln Σ_k p_k Π P(rating | k), of a gold item its known term alone, plus the log prior density of the rates. It
    never decreases; the fit has converged when it rises by at most ``tolerance`` times its size. The posterior returned
    is that under the prior and the rates returned, which it does not re-estimate.
    Sparse products hold the cost of a step to the ratings: soft = Xᵀ T and S = X ln(rates). Source: Dawid and Skene
    1979; Dempster, Laird and Rubin 1977.
    """
    cells, q = ratings.matrix, len(ratings.labels)
    shape = (len(ratings.raters), q, q)
    path: list[float] = []
    converged = False
    while not converged and len(path) < max_iterations:
        prior = posterior.mean(axis=0)
        soft = (cells.T @ posterior).reshape(shape)
        rates, log_density = m_step(soft)
        with np.errstate(divide="ignore"):
            # -inf is safe here: a sparse product skips the cells that hold no rating, so it never meets 0 · -inf.
            posterior = cells @ np.log(rates).reshape(-1, q)
            posterior += np.log(prior)
        log_likelihood = normalise(posterior, ratings)
        path.append(log_likelihood + log_density)
        converged = len(path) > 1 and path[-1] - path[-2] <= tolerance * abs(path[-1])
    return Fit(posterior, prior, rates, soft, log_likelihood, tuple(path), converged)


def normalise(joint: Floats, ratings: Ratings) -> float:
    """Turns log joint probabilities, (N, q), into posteriors in place, and returns their observed log-likelihood.

    Rows of gold items become their gold label; their part of the likelihood is the joint probability with that label.
    """
    known = joint[ratings.gold_item, ratings.gold_label].sum()
    # Column by column: a reduction over a handful of neighbours costs numpy more than the exponentials.
    columns = joint.T
    largest = columns[0].copy()
    for column in columns[1:]:
        np.maximum(largest, column, out=largest)
    joint -= largest[:, None]
    np.exp(joint, out=joint)
    total = columns[0].copy()
    for column in columns[1:]:
        total += column
    joint /= total[:, None]
    per_item = np.log(total)
    per_item += largest
    per_item[ratings.gold_item] = 0.0
    ratings.clamp(joint)
    return float(per_item.sum() + known)
