"""Distances between two label mixes and their intervals: total variation and the Jensen-Shannon divergence.

Both are sums of what cannot be below 0, so chance makes them larger: labels that did not move at all look as if they
had. An interval must take off as much as that adds, which depends on which labels did move.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special

from metrics.items.shared import Floats

HALVINGS = 16  # of a span of at most 1: ends exact to 2e-5, far below what the draws leave open


def total_variation(first: Floats, second: Floats) -> Floats:
    """Half the sum of absolute differences over the last axis, 0 to 1."""
    return np.abs(first - second).sum(axis=-1) / 2


def jensen_shannon(first: Floats, second: Floats) -> Floats:
    """The divergence over the last axis in bits, 0 to 1."""
    middle = (first + second) / 2
    entropies = special.entr(middle) - (special.entr(first) + special.entr(second)) / 2
    return np.clip(entropies.sum(axis=-1) / math.log(2), 0, 1)


def variation_ends(
    share: Floats, size: Floats, wider: float, confidence: float, draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Ends of the total variation by inverting a test: every distance that could have shown the value seen.

    share: (2, q) of the two mixes; size: (2,) effective numbers of labels; wider: a factor on the error.
    A distance t is tried as a change of t in a direction u, |u|/2 = 1, around the mix of both periods together, with
    the errors that would hold there (normal, ``draws`` of them): t is too small when t·u + error reaches the value seen
    in less than (1 - confidence)/2 of the draws, too large when it stays below it that seldom. Downwards only labels
    whose change is beyond its own error count as moved, so that the rest adds all that chance can add; upwards every
    label moves as seen. Which labels moved is not known, and each end takes the side that is safe.
    """
    tail = (1 - confidence) / 2
    change, value = share[1] - share[0], float(total_variation(*share))
    pooled = size @ share / size.sum()
    normal = rng.standard_normal((2, draws, len(pooled)))

    def shown(t: float, direction: Floats) -> Floats:
        moved_by = t * direction
        found = np.tile(moved_by, (draws, 1))
        for z, n, part in zip(normal, size, (-size[1], size[0]), strict=True):
            mix = np.maximum(pooled + moved_by * part / size.sum(), 0)
            root = np.sqrt(mix / mix.sum())
            # The covariance of shares among n labels: (diag(mix) - mix mix')/n.
            found += np.sign(part) * wider * root * (z - (z @ root)[:, None] * root) / np.sqrt(n)
        return np.abs(found).sum(axis=1) / 2

    if value <= 0:
        return 0.0, float(np.quantile(shown(0.0, change), 1 - tail))
    error = wider * np.sqrt(pooled * (1 - pooled) * (1 / size).sum())
    clear = np.abs(change) > special.ndtri(1 - tail) * error
    moved = np.where(clear, change, 0) if clear.any() else change
    moved = moved / (np.abs(moved).sum() / 2)
    seen = change / value
    low = _crossing(lambda t: bool(np.mean(shown(t, moved) >= value) > tail), 0.0, value)
    return low, _crossing(lambda t: bool(np.mean(shown(t, seen) <= value) <= tail), value, 1.0)


def _crossing(holds: Callable[[float], bool], below: float, above: float) -> float:
    """Where a condition that fails at ``below`` begins to hold; ``below`` if it holds there, else up to ``above``."""
    if holds(below):
        return below
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        below, above = (below, middle) if holds(middle) else (middle, above)
    return above


def divergence_ends(share: Floats, size: Floats, wider: float, confidence: float) -> tuple[float, float]:
    """Ends of the Jensen-Shannon divergence in bits, by inverting a noncentral chi-square distribution.

    share: (2, q) of the two mixes; size: (2,) effective numbers of labels; wider: a factor on the error.
    The divergence seen is taken as a² χ²_f(J/a²), J the true one: mean J + f·a², variance 4a²J + 2f·a⁴. a² and f are
    those of the delta method, a² = V/4J from the variance V of its linear part and f·a² = b from its bias to second
    order, b = Σ_c [(1 - p_c) q_c/n₁ + (1 - q_c) p_c/n₂]/(4(p_c + q_c)), both in nats. Of two mixes that do not differ
    f is q - 1 and the divergence is Pearson's chi-square over 8/(1/n₁ + 1/n₂).
    """
    tail = (1 - confidence) / 2
    seen = float(jensen_shannon(*share)) * math.log(2)
    p, q = share[:, share.sum(axis=0) > 0]
    if len(p) < 2:
        return 0.0, 0.0
    bias = float(((1 - p) * q / (p + q)).sum() / size[0] + ((1 - q) * p / (p + q)).sum() / size[1]) / 4
    unit = float((1 / size).sum()) / 8 * wider**2
    if seen > 1e-9:
        slopes = [np.log(np.where(x > 0, 2 * x / (p + q), 1)) / 2 for x in (p, q)]
        spread = [x @ slope**2 - (x @ slope) ** 2 for x, slope in zip((p, q), slopes, strict=True)]
        unit = float((spread / size).sum()) / (4 * seen) * wider**2 or unit
    free = max(bias / unit, 0.1)
    ends = (_noncentrality(seen / unit, free, chance) * unit / math.log(2) for chance in (1 - tail, tail))
    return tuple(ends)


def _noncentrality(x: float, free: float, chance: float) -> float:
    """The noncentrality at which a chi-square variable stays below x with this chance; 0 where none is that small."""
    if special.chdtr(free, x) <= chance:
        return 0.0
    return float(special.chndtrinc(x, free, chance))
