"""Dawid and Skene's model: a confusion matrix per rater."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from metrics.consensus.coin import accuracies
from metrics.consensus.em import MStep, maximise, normalise
from metrics.consensus.ratings import Ratings, check_fit
from metrics.consensus.result import Consensus, Floats
from metrics.errors import UnknownName

TOWARDS = ("uniform", "pooled")
STARTS = ("best", "votes", "one_coin", "gold")


def dawid_skene(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    gold: Mapping[Hashable, Hashable] | None = None,
    *,
    pseudo_counts: float = 0.0,
    towards: str = "uniform",
    start: str = "best",
    tolerance: float = 1e-7,
    max_iterations: int = 200,
) -> Consensus:
    """Labels of items from raters who each have a confusion matrix: P(ratings of i | k) = Π_w Π_l E_wkl^n_iwl.

    Expectation maximisation on the observed-data log-likelihood. ``confusion`` is E; ``skill``, 0 to 1, the share of a
    rater's ratings expected right.

    pseudo_counts: ratings added to every cell of every confusion matrix, so that raters with few ratings do not run to
    0 and 1; about 0.1 is little, 1 much. towards="pooled" adds as many in all to each row, spread as all raters
    together spread theirs by the votes, which shrinks a rater towards his colleagues rather than towards chance.
    start: where the fit begins, for it ends at the nearest maximum. "votes": the vote shares; "one_coin": the posterior
    of ``one_coin``; "gold": what the confusions on gold items alone say. "best" is "votes" without gold and, with gold,
    the better end of "votes" and "gold": where many raters share a mistake the votes start on the wrong side of it, and
    even a tenth of the items as gold do not bring the fit across. Where two starts end at different log-likelihoods
    take the higher, and doubt both.
    tolerance: the fit ends when the objective rises by no more than this share of its size; max_iterations caps it.

    No model is fitted without ratings, with fewer than two labels, or, where no gold helps, without an item of two
    ratings or without variation; ``reason`` says so. Rows, ``labels`` and ``gold`` as the package says, with its
    errors; ValueError also for negative options, UnknownName for another start or direction.
    Source: Dawid and Skene 1979. Oracle: plain dense EM. crowd-kit 1.4.2 ends too early: its bound counts the log prior
    once per rating instead of once per item, falls, and is taken for converged (-192.9093 where the maximum on the 1979
    data is -192.8909).
    """
    check_fit(tolerance, max_iterations, pseudo_counts)
    if towards not in TOWARDS:
        raise UnknownName("target of pseudo-counts", str(towards), TOWARDS)
    if start not in STARTS:
        raise UnknownName("start", str(start), STARTS)
    ratings = Ratings.of(item, rater, label, labels, gold)
    if reason := ratings.reason_for_no_model():
        return ratings.votes_alone(reason)
    if start == "gold" and not len(ratings.gold_item):
        raise ValueError('The start "gold" needs gold, and no rated item has any.')
    added = _added(ratings, pseudo_counts, towards)
    starts = [start] if start != "best" else ["votes", "gold"] if len(ratings.gold_item) else ["votes"]
    fits = (
        maximise(
            ratings, _start(ratings, name, tolerance, max_iterations), _frequencies(added), tolerance, max_iterations
        )
        for name in starts
    )
    fit = max(fits, key=lambda fit: fit.path[-1])
    right = np.trace(fit.soft, axis1=1, axis2=2)
    return ratings.consensus(skill=right / fit.soft.sum(axis=(1, 2)), **fit.findings())


def _start(ratings: Ratings, name: str, tolerance: float, max_iterations: int) -> Floats:
    """The posterior, (N, q), that a fit begins with."""
    votes, q = ratings.votes(), len(ratings.labels)
    if name == "votes":
        return votes
    if name == "one_coin":
        return maximise(ratings, votes, accuracies(q), tolerance, max_iterations).posterior
    known = np.zeros_like(votes)
    ratings.clamp(known)
    own = (ratings.matrix.T @ known).reshape(-1, q, q)
    # A rater met on little gold begins as the pool, and the pool met on little gold begins as a guess.
    pool = _shares(own.sum(axis=0) + 1, otherwise=1 / q)
    posterior = ratings.matrix @ np.log(_shares(own + q * pool, otherwise=1 / q)).reshape(-1, q)
    normalise(posterior, ratings)
    return posterior


def _added(ratings: Ratings, pseudo_counts: float, towards: str) -> Floats:
    """Pseudo-counts [l, k]; they must not move during the fit, or its objective would."""
    q = len(ratings.labels)
    uniform = np.full((q, q), pseudo_counts)
    if towards == "uniform" or not pseudo_counts:
        return uniform
    pooled = (ratings.matrix.T @ ratings.votes()).reshape(-1, q, q).sum(axis=0)
    return pseudo_counts * q * _shares(pooled, otherwise=1 / q)


def _frequencies(added: Floats) -> MStep:
    """Each rater's own frequencies of labels, pseudo-counts added; their density is that of a Dirichlet, added + 1."""

    def m_step(soft: Floats) -> tuple[Floats, float]:
        rates = _shares(soft + added, otherwise=0.0)
        used = added > 0
        return rates, float((np.log(rates[:, used]) * added[used]).sum())

    return m_step


def _shares(counts: Floats, otherwise: float) -> Floats:
    """Counts [..., l, k] as shares over l; ``otherwise`` where k has no counts."""
    total = counts.sum(axis=-2, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, otherwise), where=total > 0)
