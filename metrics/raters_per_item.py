"""What one more rating per item would buy: accuracy of the majority, its price, and when to stop asking.

All of it supposes raters of one kind, drawn anew for each item. That they err independently is the assumption that
flatters most: raters share blind spots, and ``correlation`` says how much (see ``error_correlation``).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.agreement import alpha_of_patterns
from metrics.intervals import wilson
from metrics.patterns import Patterns
from metrics.spec import Estimate

Floats = NDArray[np.float64]

NO_JUDGEMENTS = "no judgements with a known true label"
MOST_STATES = 50_000
"""Label counts an exact recursion may visit: 5 labels and 12 ratings need 6,188."""

CURVE_COLUMNS = ("k", "accuracy", "low", "high", "gain", "cost", "cost_per_correct", "cost_per_extra_correct", "reason")


# ------------------------------------------------------------------------------------------------- majority of k raters


def majority_accuracy(k: int, accuracy: ArrayLike, correlation: float = 0.0) -> Floats:
    """The chance that the majority of k raters is right when there are two labels, 0 to 1, of accuracy's shape.

    accuracy: of one rater on either label. A tie is split fairly: an even k is worth no more than the odd k below it.
    correlation: intraclass correlation of right and wrong on an item, 0 to 1: an item's own accuracy varies as a beta
    around ``accuracy``; 0 is Condorcet's case, at 1 all raters say the same and k buys nothing.
    Raises ValueError for k below 1 or numbers outside 0..1.
    """
    p = np.asarray(accuracy, dtype=float)
    _check(k, correlation)
    if np.any((p < 0) | (p > 1)):
        raise ValueError("An accuracy lies between 0 and 1.")
    if correlation >= 1:
        return p.copy()
    right = np.arange(k + 1)
    logs = _log_rising(p, k, correlation) + _log_rising(1 - p, k, correlation)[..., ::-1]
    logs = logs + _log_choose(k, right) - _log_rising(1.0, k, correlation)[-1]
    return np.clip(np.exp(logs) @ np.where(2 * right == k, 0.5, 2 * right > k), 0, 1)


def plurality_accuracy(k: int, confusion: ArrayLike, prior: ArrayLike | None = None, correlation: float = 0.0) -> float:
    """The chance that the most frequent of k answers is the true label, for any number of labels, 0 to 1.

    confusion: (q, q), P(answer | true label), rows of true labels that sum to 1. prior: (q,) shares of the true labels,
    equal when omitted. Ties are split fairly. correlation: answers to an item are a Dirichlet-multinomial around its
    row. Exact: for each winning count a product of generating functions over labels, no enumeration of answers.
    With two labels of one accuracy it is ``majority_accuracy``. Raises ValueError for k below 1, rows that do not sum
    to 1, or numbers outside 0..1.
    """
    _check(k, correlation)
    confusion, prior = _model(confusion, prior)
    return float(_plurality(k, confusion[None], prior, correlation)[0])


def _plurality(k: int, confusions: Floats, prior: Floats, correlation: float) -> Floats:
    """``plurality_accuracy`` of many confusion matrices (D, q, q) at once: (D,)."""
    if correlation >= 1:
        return np.diagonal(confusions, axis1=1, axis2=2) @ prior
    return sum(prior[t] * _wins(k, confusions[:, t], t, correlation) for t in np.flatnonzero(prior))


def _wins(k: int, rows: Floats, t: int, correlation: float) -> Floats:
    """The chance that label t is the most frequent of k answers, ties shared, for answers of rows (D, q): (D,)."""
    q = rows.shape[1]
    terms = np.exp(_log_rising(rows, k, correlation) - special.gammaln(np.arange(k + 1) + 1))
    scale = math.exp(special.gammaln(k + 1) - _log_rising(1.0, k, correlation)[-1])
    chance = np.zeros(len(rows))
    for m in range(1, k + 1):
        # ways[:, ties, ratings]: the other labels so far have these ratings, none above m and ``ties`` of them at m.
        ways = np.zeros((len(rows), q, k - m + 1))
        ways[:, 0, 0] = 1
        for c in range(q):
            if c == t:
                continue
            new = np.zeros_like(ways)
            for count in range(min(m, k - m) + 1):
                moved = ways[:, :, : k - m + 1 - count] * terms[:, c, count, None, None]
                if count == m:
                    new[:, 1:, count:] += moved[:, :-1]
                else:
                    new[:, :, count:] += moved
            ways = new
        chance += terms[:, t, m] * (ways[:, :, k - m] / np.arange(1, q + 1)).sum(axis=1)
    return np.minimum(chance * scale, 1.0)


def error_correlation(right: ArrayLike, n: ArrayLike) -> Estimate:
    """How alike raters err on one item: intraclass correlation of right and wrong, at most 1; negative is as good as 0.

    right, n: (items,) right judgements and judgements of each gold item. It is Krippendorff's alpha of the answers
    "right" and "wrong", with its interval; missing with no item judged twice or without both answers.
    """
    right, n = (np.atleast_1d(np.asarray(x, dtype=np.int64)) for x in (right, n))
    return alpha_of_patterns(Patterns(np.column_stack([n - right, right]), np.ones(len(n))).combined())


# ------------------------------------------------------------------------------------------------------ what it costs


def ratings_curve(
    right: float,
    n: float,
    ks: Sequence[int] = (1, 3, 5, 7, 9),
    *,
    correlation: float = 0.0,
    cost: float = 1.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Accuracy and price of the majority of k raters for each k, from right judgements of n, with two labels.

    cost: of one rating, in any money. A row per k: k, accuracy with low, high (Wilson's interval of right/n, carried
    through ``majority_accuracy``, which rises with it), gain (accuracy over the row above, NaN in the first), cost (of
    one item, k·cost), cost_per_correct = k·cost/accuracy, cost_per_extra_correct (more cost over more accuracy than the
    row above, NaN when there is no gain), reason (text where there is no accuracy).
    Judgements count as independent; for a few raters give the effective right and n.
    """
    share = wilson(right, n, confidence)
    value, low, high = (float(x[0]) for x in share)
    if math.isnan(value):
        return _curve(ks, [(math.nan,) * 3 for _ in ks], cost, NO_JUDGEMENTS)
    found = majority_accuracy_table(ks, np.array([value, low, high]), correlation)
    return _curve(ks, found, cost, "")


def majority_accuracy_table(ks: Sequence[int], accuracy: ArrayLike, correlation: float = 0.0) -> Floats:
    """``majority_accuracy`` of every k and accuracy: (len(ks), len(accuracy))."""
    return np.array([majority_accuracy(k, accuracy, correlation) for k in ks]).reshape(len(ks), -1)


def ratings_curve_of_confusion(
    counts: ArrayLike,
    ks: Sequence[int] = (1, 3, 5, 7, 9),
    *,
    prior: ArrayLike | None = None,
    correlation: float = 0.0,
    cost: float = 1.0,
    draws: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """``ratings_curve`` for any number of labels, from counts of true labels (rows) by answers (columns).

    prior: shares of the true labels where items are asked, else those counted. The interval is of posterior draws of
    each row (Dirichlet, one count spread over its cells), seeded. A true label that was never judged makes the accuracy
    null, with a reason, when the prior gives it a share.
    """
    table = np.asarray(counts, dtype=float)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or np.any(table < 0):
        raise ValueError("Confusion counts are a square table of numbers that are not negative.")
    judged = table.sum(axis=1)
    if not judged.sum():
        return _curve(ks, [(math.nan,) * 3 for _ in ks], cost, NO_JUDGEMENTS)
    prior = judged / judged.sum() if prior is None else np.asarray(prior, dtype=float)
    if np.any((judged == 0) & (prior > 0)):
        return _curve(ks, [(math.nan,) * 3 for _ in ks], cost, "a true label was never judged")
    confusion = np.where(judged[:, None] > 0, table / np.maximum(judged, 1e-300)[:, None], np.eye(len(table)))
    gamma = np.random.default_rng(seed).standard_gamma(table + 1 / len(table), size=(draws, *table.shape))
    drawn = gamma / gamma.sum(axis=2, keepdims=True)
    found = []
    for k in ks:
        value = plurality_accuracy(k, confusion, prior, correlation)
        each = _plurality(k, drawn, prior, correlation)
        low, high = np.quantile(each, [(1 - confidence) / 2, (1 + confidence) / 2])
        found.append((value, min(low, value), max(high, value)))
    return _curve(ks, found, cost, "")


def _curve(ks: Sequence[int], found: ArrayLike, cost: float, reason: str) -> pd.DataFrame:
    accuracy, low, high = np.array(found, dtype=float).reshape(-1, 3).T
    spent = np.asarray(ks, dtype=float) * cost
    gain, more = np.diff(accuracy, prepend=np.nan), np.diff(spent, prepend=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_correct = np.where(accuracy > 0, spent / accuracy, np.nan)
        per_extra = np.where(gain > 1e-12, more / gain, np.nan)
    return pd.DataFrame(
        {
            "k": list(ks),
            "accuracy": accuracy,
            "low": low,
            "high": high,
            "gain": gain,
            "cost": spent,
            "cost_per_correct": per_correct,
            "cost_per_extra_correct": per_extra,
            "reason": reason,
        },
        columns=list(CURVE_COLUMNS),
    )


# --------------------------------------------------------------------------------------------------- stop when sure


@dataclass(frozen=True, eq=False)
class StoppingPlan:
    """Ask until one label is sure enough: what that costs and how often the label is right.

    threshold, most: stop at this posterior probability, or after this many ratings. ratings: expected ratings an item.
    accuracy: share of right labels, 0 to 1. unsure: share of items that reach ``most`` below the threshold.
    by_ratings: a row per number of ratings at which items stop: ratings, share (of items), accuracy (of those).
    fixed_k, fixed_accuracy: the fewest ratings for all alike that are right as often, and how often; None up to
        ``most``. fixed: share of right labels with 1, 2 .. most ratings of every item, each time the likeliest label.
    cost: expected, of an item; cost_per_correct: over accuracy.
    """

    threshold: float
    most: int
    ratings: float
    accuracy: float
    unsure: float
    by_ratings: pd.DataFrame
    fixed_k: int | None
    fixed_accuracy: float | None
    fixed: tuple[float, ...]
    cost: float
    cost_per_correct: float


def adaptive_stopping(
    confusion: ArrayLike,
    prior: ArrayLike | None = None,
    threshold: float = 0.95,
    most: int = 9,
    *,
    least: int = 1,
    correlation: float = 0.0,
    cost: float = 1.0,
) -> StoppingPlan:
    """What asking one rater at a time until the posterior passes ``threshold`` would cost and bring.

    confusion: (q, q), P(answer | true label), rows sum to 1; [[p, 1 - p], [1 - p, p]] for one accuracy p. prior: (q,)
    shares of the true labels, equal when omitted. least, most: fewest and most ratings an item. correlation: as in
    ``plurality_accuracy``; the posterior then allows for it. The label given is the likeliest, ties to the first.

    Exact: a recursion over label counts carries the chance of each under each true label. P(next answer c | counts
    r, true t) = ((1 - ρ)·m_tc + ρ·r_c)/(1 - ρ + ρ·Σr) with ρ the correlation: m_tc when it is 0.
    fixed_k compares with the likeliest label of as many ratings for every item, judged by the same model.
    Raises ValueError for a threshold outside 0..1, a model that is none, least above most, or too many label counts.
    """
    confusion, prior = _model(confusion, prior)
    _check(most, correlation)
    q = len(prior)
    if not 0 < threshold <= 1 or not 1 <= least <= most or correlation >= 1:
        raise ValueError("A plan needs a threshold in 0..1, 1 <= least <= most and a correlation below 1.")
    if math.comb(most + q, q) > MOST_STATES:
        raise ValueError(f"{q} labels and {most} ratings are too many to follow exactly; ask for fewer ratings.")
    open_, stopped = {(0,) * q: np.ones(q)}, []
    everyone = {(0,) * q: np.ones(q)}
    fixed = []
    for n in range(1, most + 1):
        everyone = _next_answers(everyone, confusion, correlation)
        fixed.append(sum(float((prior * chance).max()) for chance in everyone.values()))
        open_ = _next_answers(open_, confusion, correlation)
        share = right = unsure = 0.0
        for counts in list(open_):
            joint = prior * open_[counts]
            total = joint.sum()
            # A posterior that equals the threshold but for rounding has passed it.
            sure = total > 0 and joint.max() / total >= threshold - 1e-12
            if (sure and n >= least) or n == most:
                share, right = share + total, right + joint.max()
                unsure += 0 if sure else total
                del open_[counts]
        stopped.append((n, share, right / share if share > 0 else math.nan, unsure))
    by_ratings = pd.DataFrame(stopped, columns=["ratings", "share", "accuracy", "unsure"])
    ratings = float(by_ratings["ratings"] @ by_ratings["share"])
    accuracy = float((by_ratings["share"] * by_ratings["accuracy"].fillna(0)).sum())
    enough = next((k for k, a in enumerate(fixed, 1) if a >= accuracy - 1e-9), None)
    return StoppingPlan(
        threshold,
        most,
        ratings,
        accuracy,
        float(by_ratings["unsure"].sum()),
        by_ratings.loc[by_ratings["share"] > 0, ["ratings", "share", "accuracy"]].reset_index(drop=True),
        enough,
        None if enough is None else fixed[enough - 1],
        tuple(fixed),
        ratings * cost,
        ratings * cost / accuracy,
    )


def _next_answers(
    states: dict[tuple[int, ...], Floats], confusion: Floats, correlation: float
) -> dict[tuple[int, ...], Floats]:
    """Chances of all label counts after one more answer, under each true label."""
    found: dict[tuple[int, ...], Floats] = {}
    for counts, chance in states.items():
        asked = sum(counts)
        for c in range(len(counts)):
            own = (1 - correlation) * confusion[:, c] + correlation * counts[c]
            answer = own / (1 - correlation + correlation * asked)
            after = (*counts[:c], counts[c] + 1, *counts[c + 1 :])
            found[after] = found.get(after, 0) + chance * answer
    return found


NEXT_COLUMNS = ("item", "n", "label", "posterior", "after", "gain", "value", "reason")


def value_of_next_rating(
    counts: ArrayLike,
    confusion: ArrayLike,
    prior: ArrayLike | None = None,
    *,
    item: Sequence[Hashable] | None = None,
    loss: ArrayLike = 1.0,
    cost: float = 0.0,
    correlation: float = 0.0,
) -> pd.DataFrame:
    """What one more rating of each item is worth, the most valuable first: a queue of items to ask about again.

    counts: (items, q) ratings so far. confusion, prior, correlation: as in ``adaptive_stopping``. loss: of a wrong
    label, one number or one per item; cost: of a rating, in the same money.

    Columns: item, n (ratings so far), label (position of the likeliest), posterior (its probability), after (expected
    probability of the likeliest label after one more rating), gain = after - posterior, at least 0, value =
    gain·loss - cost, reason (text where the ratings so far are impossible under the model). A gain of 0 means that one
    rating alone cannot change the label; two might.
    """
    confusion, prior = _model(confusion, prior)
    _check(1, correlation)
    if correlation >= 1:
        raise ValueError("Where all raters say the same a further rating has no value: give a correlation below 1.")
    q = len(prior)
    counts = np.asarray(counts, dtype=np.int64).reshape(-1, q)
    with np.errstate(divide="ignore"):
        joint = np.log(prior) + _log_chance(counts, confusion, correlation)
    top = joint.max(axis=1, keepdims=True)
    possible = np.isfinite(top[:, 0])
    posterior = special.softmax(np.where(possible[:, None], joint, 0), axis=1)
    after = np.zeros(len(counts))
    for c in range(q):
        answer = np.broadcast_to(confusion[:, c], posterior.shape)
        if correlation > 0:
            asked = counts.sum(axis=1, keepdims=True) * correlation
            answer = ((1 - correlation) * answer + correlation * counts[:, [c]]) / (1 - correlation + asked)
        after += (posterior * answer).max(axis=1)
    now = posterior.max(axis=1)
    gain = np.where(after - now > 1e-12, after - now, 0)  # less is rounding
    blank = np.where(possible, 0.0, np.nan)
    names = range(len(counts)) if item is None else item
    found = pd.DataFrame(
        {
            "item": pd.Series(list(names), dtype=object),
            "n": counts.sum(axis=1),
            "label": posterior.argmax(axis=1),
            "posterior": now + blank,
            "after": np.maximum(after, now) + blank,
            "gain": gain + blank,
            "value": gain * np.asarray(loss, dtype=float) - cost + blank,
            "reason": np.where(possible, "", "these ratings cannot occur under the model"),
        },
        columns=list(NEXT_COLUMNS),
    )
    key = [
        (math.isnan(v), -round(v, 12) if not math.isnan(v) else 0, str(i))
        for v, i in zip(found["value"], found["item"], strict=True)
    ]
    return found.iloc[sorted(range(len(found)), key=key.__getitem__)].reset_index(drop=True)


def _log_chance(counts: NDArray[np.int64], confusion: Floats, correlation: float) -> Floats:
    """Log probability of label counts under each true label, but for what all true labels share: (items, q)."""
    rising = _log_rising(confusion, int(counts.max(initial=0)), correlation)
    q = len(confusion)
    return sum((rising[:, c, :][:, counts[:, c]].T for c in range(q)), np.zeros((len(counts), q)))


# --------------------------------------------------------------------------------------------------------------- shared


def _model(confusion: ArrayLike, prior: ArrayLike | None) -> tuple[Floats, Floats]:
    confusion = np.asarray(confusion, dtype=float)
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or not len(confusion):
        raise ValueError("A confusion matrix is square.")
    if np.any(confusion < 0) or not np.allclose(confusion.sum(axis=1), 1, atol=1e-6):
        raise ValueError("Each row of a confusion matrix holds probabilities that sum to 1.")
    prior = np.full(len(confusion), 1 / len(confusion)) if prior is None else np.asarray(prior, dtype=float)
    if prior.shape != (len(confusion),) or np.any(prior < 0) or not np.isclose(prior.sum(), 1, atol=1e-6):
        raise ValueError("The shares of the true labels are one for each and sum to 1.")
    return confusion, prior


def _check(k: int, correlation: float) -> None:
    if k < 1 or int(k) != k:
        raise ValueError(f"An item is rated once or more often, not {k} times.")
    if not 0 <= correlation <= 1:
        raise ValueError(f"A correlation of errors lies between 0 and 1, not {correlation}.")


def _log_rising(p: ArrayLike, k: int, correlation: float) -> Floats:
    """Log of the chance of 0..k like answers in a row, but for what all answers share: p's shape and (k + 1,).

    Σ_{j<n} log((1 - ρ)p + jρ): n·log p when independent, an urn with ρ above 0; no difference of large numbers.
    """
    p = np.asarray(p, dtype=float)[..., None]
    with np.errstate(divide="ignore"):
        steps = np.log((1 - correlation) * p + correlation * np.arange(k))
    return np.concatenate([np.zeros_like(p), np.cumsum(steps, axis=-1)], axis=-1)


def _log_choose(n: int, k: NDArray[np.int64]) -> Floats:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
