"""How good a rater is when gold is scarce: three answers (above target, below target, cannot tell), never a rank.

A rater's right judgements of n on gold are beta-binomial over raters: what little one rater shows is completed by how
raters differ (empirical Bayes). A verdict asks for two things at once, because each alone misleads:

- the posterior must be sure, which keeps the calls right as a group (few of those called are called wrongly);
- an exact binomial test must agree, which protects each single rater: a rater exactly at target is called below it
  with a probability of ``wrong`` at most, whatever the others are like. Shrinkage alone does not promise that: among
  colleagues who mostly miss the target it pulls the one who meets it down with them.

How raters differ is itself uncertain, most of all with few raters; the posterior is averaged over what it may be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import special

from metrics.multiple import benjamini_hochberg, expected_false
from metrics.rater_prior import Prior, betas, counts, likely_priors
from metrics.rater_prior import fit_prior as fit_prior  # callers find it here, next to what takes it

Floats = NDArray[np.float64]

ABOVE, BELOW, CANNOT_TELL = "above target", "below target", "cannot tell"
NO_GOLD = "no gold judgements"
MOST_GOLD = 2000
"""More gold than this for one rater is no plan: the reason says that the accuracy lies too close to the target."""
CALLING = 0.90
"""The level of the interval that decides a call at ``wrong`` 0.05: its end excludes the target at P(below) >= 95 %."""
TOO_CLOSE = f"more than {MOST_GOLD:,} gold judgements: too close to the target to tell"


def rater_skill(
    right: ArrayLike,
    n: ArrayLike,
    target: float,
    expected: ArrayLike | None = None,
    wrong: float = 0.05,
    level: float = 0.95,
) -> pd.DataFrame:
    """Each rater's accuracy on gold and its standing against the target, one row per rater.

    right, n: (raters,) counts. target: a share. expected: (raters,), how many an average rater gets right of the same
    items (``expected_right``); with it everything below speaks of the average mix of items, without it of the items
    seen. wrong: how often a rater exactly at target may be called below it, and likewise above.

    Columns: value (posterior mean, a share), low, high (equal-tailed posterior interval), n, reason, ``observed``
    (right / n), ``p_below`` (posterior probability of an accuracy below target), ``verdict`` ("above target", "below
    target", "cannot tell"; None without judgements), ``error`` (posterior probability that calling the rater below
    target is wrong, 1 - p_below), ``q`` (over the raters called below only: the expected share of wrong calls among
    this one and all surer ones) and ``q_bh`` (Benjamini-Hochberg over the exact tests of all raters).

    Formula: posterior of Beta(a_r + right, b_r + n - right), a_r and b_r not taken as known but averaged over the
    ``likely_priors``, with offset o_r = logit(expected/n) - logit(Σ expected/Σ n); on the logit scale target and
    interval move by o_r. Below: p_below >= 1 - wrong and P(X <= right) <= wrong for X ~ Binomial(n, target). With
    ``expected`` the items of a rater differ in difficulty; the binomial tail then bounds the true one (Hoeffding 1956).
    The verdict asks one-sided questions at ``wrong``: the two-sided interval that goes with it has the level
    1 - 2 wrong (``CALLING``), and of a rater called its end excludes the target; one of a higher level may reach the
    target all the same, so draw the former beside the calls. Coverage by simulation, on average over raters: 93 to 97 %
    where the counts show how raters differ; up to 100 %, the safe side, where raters differ less than so few counts can
    show. Raises ValueError for counts that are none or a target outside 0..1.
    """
    if not 0 < target < 1:
        raise ValueError(f"A target accuracy lies between 0 and 1, not at {target}.")
    right, n, _ = counts(right, n, 0.0)
    offset = np.zeros(len(n)) if expected is None else mix_offset(expected, n)
    some = n > 0
    empty = np.full(len(n), np.nan)
    table = pd.DataFrame({c: empty.copy() for c in ("value", "low", "high")}).assign(
        n=n, reason=np.where(some, "", NO_GOLD), observed=empty, p_below=empty, verdict=None, error=empty, q=empty
    )
    table["verdict"] = table["verdict"].astype(object)
    table["q_bh"] = empty
    if not some.any():
        return table
    k, m, shift = right[some], n[some], offset[some]
    mean, log_weight, chance = likely_priors(k, m, shift)
    a, b = betas(mean, log_weight, shift)
    a, b = a + k, b + m - k
    aim = special.expit(special.logit(target) + shift)
    tail = (1 - level) / 2
    at = special.expit(special.logit(of_mixture(a, b, chance, (tail, 1 - tail))) - shift)
    p_below = np.minimum(chance @ special.betainc(a, b, aim), 1.0)
    test_below, test_above = binomial_at_most(k, m, aim), binomial_at_most(m - k, m, 1 - aim)
    below = (p_below >= 1 - wrong) & (test_below <= wrong)
    above = (p_below <= wrong) & (test_above <= wrong)
    low, high = np.minimum(at[1], at[0]), np.maximum(*at[::2])
    if level <= 1 - 2 * wrong + 1e-9:  # the ends are found to about 1e-4: not enough to speak against the call
        low, high = np.where(above, np.maximum(low, target), low), np.where(below, np.minimum(high, target), high)
    found = {
        "value": at[0],
        "low": low,
        "high": high,
        "observed": k / m,
        "p_below": p_below,
        "error": 1 - p_below,
        "q": expected_false(np.where(below, 1 - p_below, np.nan)).q,
        "q_bh": benjamini_hochberg(np.minimum(test_below, 1.0)).q,
    }
    for column, values in found.items():
        whole = np.full(len(n), np.nan)
        whole[some] = values
        table[column] = whole
    verdict = np.full(len(n), None, dtype=object)
    verdict[some] = np.select([below, above], [BELOW, ABOVE], CANNOT_TELL)
    table["verdict"] = pd.Series(verdict, dtype=object)
    return table


# ------------------------------------------------------------------------------------- the difficulty of what was seen


def expected_right(rater: ArrayLike, stratum: ArrayLike, right: ArrayLike, n: ArrayLike, rounds: int = 12) -> Floats:
    """How many an average rater would have got right of each rater's gold items: (raters,), 0 to Σ n of the rater.

    One entry per cell of rater x stratum (project x language x policy, say): rater and stratum are codes from 0, right
    and n counts. Indirect standardisation, with the strata's rates cleared of who worked there:
    logit P(right) = difficulty of the stratum + skill of the rater, both normal around their means, fitted by
    alternating Newton steps (penalised quasi-likelihood, variances by moments; Breslow and Clayton 1993); expected =
    Σ n expit(difficulty) over the rater's cells. Where every rater of a stratum works there only, what they share
    counts as difficulty: nobody else has seen these items. Raises ValueError for arrays of unequal lengths.
    """
    rater, stratum = np.asarray(rater, dtype=np.intp), np.asarray(stratum, dtype=np.intp)
    right, n = np.asarray(right, dtype=float), np.asarray(n, dtype=float)
    if not rater.shape == stratum.shape == right.shape == n.shape:
        raise ValueError("rater, stratum, right and n differ in length.")
    if not n.sum() > 0:
        return np.zeros(rater.max(initial=-1) + 1)
    share = np.clip(right.sum() / n.sum(), 0.5 / (n.sum() + 1), 1 - 0.5 / (n.sum() + 1))
    mean = special.logit(share)
    hard, able = np.zeros(stratum.max() + 1), np.zeros(rater.max() + 1)
    spread = [1.0, 0.5]  # variances of difficulty and skill on the logit scale, to start from
    for _ in range(rounds):
        for place, (code, effect) in enumerate(((stratum, hard), (rater, able))):
            p = special.expit(mean + hard[stratum] + able[rater])
            gradient = np.bincount(code, right - n * p, len(effect)) - effect / spread[place]
            information = np.bincount(code, n * p * (1 - p), len(effect)) + 1 / spread[place]
            effect += np.clip(gradient / information, -2, 2)
            spread[place] = max(float(np.mean(effect**2 + 1 / information)), 1e-4)
        mean += able.mean()
        able -= able.mean()
    return np.bincount(rater, n * special.expit(mean + hard[stratum]), len(able))


def mix_offset(expected: ArrayLike, n: ArrayLike) -> Floats:
    """How much easier each rater's items are than all raters' items together, in logits; 0 without judgements.

    expected: (raters,) of ``expected_right``, n: (raters,). logit(expected/n) - logit(Σ expected/Σ n).
    """
    expected, n = np.broadcast_arrays(np.asarray(expected, dtype=float), np.asarray(n, dtype=float))
    some = n > 0
    if not some.any():
        return np.zeros(n.shape)
    floor = 1e-6
    share = np.clip(np.divide(expected, n, out=np.full(n.shape, 0.5), where=some), floor, 1 - floor)
    overall = np.clip(expected[some].sum() / n[some].sum(), floor, 1 - floor)
    return np.where(some, special.logit(share) - special.logit(overall), 0.0)


# -------------------------------------------------------------------------------------------------- gold still needed


@dataclass(frozen=True, slots=True)
class ExactPlan:
    """A fixed sample that tells a good from a bad rater: look into it when at most ``flag_at_most`` of n are right.

    ``false_alarm`` and ``power`` are the exact probabilities of that for a good and for a bad rater.
    """

    n: int
    flag_at_most: int
    false_alarm: float
    power: float


def exact_plan(good: float, bad: float, wrong: float = 0.05, power: float = 0.80) -> ExactPlan:
    """The smallest gold sample that flags a bad rater with probability ``power`` and a good one with ``wrong`` at most.

    good, bad: accuracies, 0 < bad < good < 1. Exact binomial probabilities; one-sided. Raises ValueError when bad is
    not below good or when more than ``MOST_GOLD`` judgements would be needed.
    """
    if not 0 < bad < good < 1:
        raise ValueError(f"A plan needs 0 < bad < good < 1, not bad {bad} and good {good}.")
    n = np.arange(1, MOST_GOLD + 1, dtype=float)
    limit = _largest_rejected(n, np.full(len(n), good), wrong)
    reached = np.flatnonzero(binomial_at_most(limit, n, np.full(len(n), bad)) >= power)
    if not len(reached):
        raise ValueError(f"Telling {good} from {bad} takes more than {MOST_GOLD:,} gold judgements.")
    i = reached[0]
    at = [float(binomial_at_most(limit[i : i + 1], n[i : i + 1], np.array([p]))[0]) for p in (good, bad)]
    return ExactPlan(int(n[i]), int(limit[i]), *at)


def gold_needed(
    right: ArrayLike,
    n: ArrayLike,
    target: ArrayLike,
    accuracy: ArrayLike,
    prior: Prior | None = None,
    wrong: float = 0.05,
    power: float = 0.80,
) -> pd.DataFrame:
    """How many more gold judgements would settle each rater, if the accuracy is what it is taken for.

    right, n: (raters,) so far. target: a share, one or (raters,). accuracy: (raters,), as a rule ``value`` of
    ``rater_skill``. prior: that of the raters, so that the posterior is asked as well as the test. Columns: ``more``
    (the smallest number after which the verdict falls with probability ``power``; a plan has no interval), n (so far)
    and reason (when ``more`` is NaN: too close to the target). Exact binomial; found by bisection, so that a step of
    the sawtooth may be missed: at most a few judgements too many. The verdict averages over
    all likely priors, the plan asks one: by simulation 79 to 86 % of the raters are settled as planned.
    """
    right, n, _ = counts(right, n, 0.0)
    target, accuracy = (np.broadcast_to(np.asarray(x, dtype=float), n.shape) for x in (target, accuracy))
    # Settling above is settling below with right and wrong exchanged.
    down = accuracy < target
    k, aim, rate = (
        np.where(down, x, y) for x, y in ((right, n - right), (target, 1 - target), (accuracy, 1 - accuracy))
    )
    a, b = (prior.a, prior.b) if prior else (0.0, 0.0)
    a, b = np.where(down, a, b), np.where(down, b, a)
    z = special.ndtri(1 - wrong)

    def settled(more: Floats) -> NDArray[np.bool_]:
        total = n + more
        limit = _largest_rejected(total, aim, wrong)
        weight = total + a + b
        sure = np.floor(aim * weight - z * np.sqrt(aim * (1 - aim) * weight) - a) if prior else limit
        return binomial_at_most(np.minimum(limit, sure) - k, more, rate) >= power

    low, high = np.zeros(len(n)), np.full(len(n), float(MOST_GOLD))
    possible = settled(high)
    for _ in range(12):
        middle = np.floor((low + high) / 2)
        enough = settled(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    high = np.where(settled(low), low, high)
    return pd.DataFrame({"more": np.where(possible, high, np.nan), "n": n, "reason": np.where(possible, "", TOO_CLOSE)})


def binomial_at_most(k: ArrayLike, n: ArrayLike, p: ArrayLike) -> Floats:
    """P(X <= k) for X ~ Binomial(n, p): arrays of one shape; 0 for k < 0 and 1 for k >= n."""
    k, n, p = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (k, n, p)))
    inside = (k >= 0) & (k < n)
    whole = np.where(inside, np.floor(k), 0.0)
    tail = special.betainc(np.where(inside, n - whole, 1.0), whole + 1, 1 - p)
    return np.where(inside, tail, np.where(k < 0, 0.0, 1.0))


# ------------------------------------------------------------------------------------------------------------ helpers


def _largest_rejected(n: Floats, p: Floats, wrong: float) -> Floats:
    """The largest k with P(X <= k) <= wrong; -1 where there is none."""
    # A normal guess with its skewness lies within one of k (tests compare all n); special.bdtrik is ten times slower.
    z = special.ndtri(wrong)
    guess = np.floor(n * p + z * np.sqrt(n * p * (1 - p)) + (z**2 - 1) * (1 - 2 * p) / 6 - 0.5)
    guess = np.clip(guess, -1.0, n)
    guess = np.where(binomial_at_most(guess, n, p) > wrong, guess - 1, guess)
    return np.where(binomial_at_most(guess + 1, n, p) <= wrong, guess + 1, guess)


def of_mixture(a: Floats, b: Floats, chance: Floats, probabilities: tuple[float, ...]) -> Floats:
    """Means and quantiles of the mixtures over betas, (1 + probabilities, raters); a, b: (betas, raters)."""
    share = a / (a + b)
    mean = chance @ share
    variance = chance @ (share * (1 - share) / (a + b + 1) + (share - mean) ** 2)
    # From the quantile of one beta with these moments Newton's method on the logit scale needs few steps.
    weight = mean * (1 - mean) / variance - 1
    found, norm = [mean], special.betaln(a, b)
    for probability in probabilities:
        at = np.clip(special.logit(special.betaincinv(weight * mean, weight * (1 - mean), probability)), -36, 36)
        todo = np.arange(len(at))
        for _ in range(12):
            x, above, below = special.expit(at[todo]), a[:, todo], b[:, todo]
            density = chance @ np.exp(above * np.log(x) + below * special.log_expit(-at[todo]) - norm[:, todo])
            short = probability - chance @ special.betainc(above, below, x)
            step = np.clip(short / np.maximum(density, 1e-300), -1, 1)
            at[todo] += step
            # What is left after a step is about its square.
            todo = todo[np.abs(step) >= 0.01]
            if not len(todo):
                break
        found.append(special.expit(at))
    return np.array(found)
