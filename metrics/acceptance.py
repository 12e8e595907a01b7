"""Acceptance sampling: what auditing part of a batch lets through, and the smallest plan that keeps both risks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.combinations import log_choose

Floats = NDArray[np.float64]
NO_PLAN = "no sample of that lot keeps both risks"
MOST_SAMPLED = 100_000
"""Largest sample a plan is looked for."""


@dataclass(frozen=True, slots=True)
class AcceptancePlan:
    """Audit ``n`` of a batch and accept it with at most ``c`` errors.

    producer_risk: chance to reject a batch at the acceptable level; consumer_risk: chance to accept one at the limit.
    n and c are None, and reason says why, when no plan keeps both.
    """

    n: int | None
    c: int | None
    producer_risk: float | None
    consumer_risk: float | None
    reason: str = ""


def acceptance_probability(n: int, c: int, error_rate: ArrayLike, lot: int | None = None) -> Floats:
    """The chance that a batch is accepted when n of it are audited and at most c errors are allowed, 0 to 1.

    error_rate: true shares of errors, any shape. lot: items in the batch; errors in it are then error_rate·lot rounded,
    and the chance is hypergeometric; without it the batch counts as endless (binomial).
    Raises ValueError unless 0 <= c, 0 <= n <= lot and rates lie in 0..1. Source: ISO 2859-1 and any text on it.
    """
    rate = np.asarray(error_rate, dtype=float)
    if n < 0 or c < 0 or (lot is not None and n > lot):
        raise ValueError(f"A plan audits 0 to {lot if lot is not None else 'any number of'} items, not {n}, c >= 0.")
    if np.any((rate < 0) | (rate > 1)):
        raise ValueError("An error rate lies between 0 and 1.")
    if c >= n:
        return np.ones_like(rate)
    if lot is None:
        return np.asarray(special.bdtr(c, n, rate))
    wrong, seen = np.round(rate * lot)[..., None], np.arange(c + 1)
    # Impossible counts drop out by themselves: the logarithm of a negative number's factorial is infinite.
    terms = log_choose(wrong, seen) + log_choose(lot - wrong, n - seen) - log_choose(lot, n)
    return np.minimum(np.exp(terms).sum(axis=-1), 1.0)


def operating_curve(n: int, c: int, error_rates: ArrayLike | None = None, lot: int | None = None) -> pd.DataFrame:
    """What a plan lets through: a row per true error rate.

    Columns: error_rate (0 to 1; by default 0 to .2 in 41 steps), accepted (probability, see
    ``acceptance_probability``), outgoing (error share left after rejected batches are fully corrected:
    accepted · error_rate · (1 - n/lot)).
    """
    rate = np.linspace(0, 0.2, 41) if error_rates is None else np.asarray(error_rates, dtype=float)
    accepted = acceptance_probability(n, c, rate, lot)
    unseen = 1.0 if lot is None else 1 - n / lot
    return pd.DataFrame({"error_rate": rate, "accepted": accepted, "outgoing": accepted * rate * unseen})


def find_plan(
    acceptable: float, limit: float, producer_risk: float = 0.05, consumer_risk: float = 0.10, lot: int | None = None
) -> AcceptancePlan:
    """The smallest sample that accepts batches at the acceptable error rate (AQL) and stops those at the limit (LTPD).

    Smallest n, and for it the smallest c, with P(accept | acceptable) >= 1 - producer_risk and P(accept | limit) <=
    consumer_risk; see ``acceptance_probability`` for lot. Raises ValueError unless 0 <= acceptable < limit <= 1 and
    risks lie inside 0..1.
    """
    if not 0 <= acceptable < limit <= 1 or not (0 < producer_risk < 1 and 0 < consumer_risk < 1):
        raise ValueError("A plan needs 0 <= acceptable < limit <= 1 and risks between 0 and 1.")
    most = MOST_SAMPLED if lot is None else lot

    def accepted(n: int, c: int, rate: float) -> float:
        return float(acceptance_probability(n, c, rate, lot))

    n, c = 1, 0
    # For each c the smallest n that stops bad batches; the first c that also lets good ones pass has the smallest n.
    while c < most:
        low, high = max(n, c + 1), most
        if low > high or accepted(high, c, limit) > consumer_risk:
            break
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if accepted(middle, c, limit) <= consumer_risk else (middle + 1, high)
        n = low
        passed = accepted(n, c, acceptable)
        if passed >= 1 - producer_risk:
            return AcceptancePlan(n, c, 1 - passed, accepted(n, c, limit))
        c += 1
    return AcceptancePlan(None, None, None, None, NO_PLAN)
