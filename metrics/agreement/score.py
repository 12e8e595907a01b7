"""Score intervals: every truth that lies within a quantile of the value, by the error that would hold at that truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from metrics.agreement.estimates import ZERO, Floats
from metrics.spec import Estimate

ROUNDS = 8  # each narrows a span of at most 2 to a 32nd: ends exact to 1e-11
GRID = np.linspace(0, 1, 33)


@dataclass(frozen=True, eq=False)
class Items:
    """The items of one project, as kinds with arrays (K,): how many, and what each adds to a ratio of sums.

    The coefficient is 1 - Σ x / Σ z over items: x = weight · the mean distance of an item's pairs of ratings, and
    z = offset + scale · the mean of v over its ratings. distance (q, q), v (q,), and share (q,), the labels' shares.
    guess (q,): the shares from which raters without any agreement would draw.
    """

    items: Floats
    ratings: Floats
    x: Floats
    z: Floats
    weight: Floats
    offset: Floats
    scale: Floats
    distance: Floats
    v: Floats
    share: Floats
    guess: Floats

    def seen(self) -> Floats:
        """The means of x, z, x², xz and z² over the items."""
        return self._means(self.x, self.z, self.x**2, self.x * self.z, self.z**2)

    def perfect(self) -> Floats:
        """The same if all ratings of an item were one label, drawn by the shares."""
        v, vv = self.share @ self.v, self.share @ self.v**2
        none = np.zeros_like(self.z)
        square = self.offset**2 + 2 * self.offset * self.scale * v + self.scale**2 * vv
        return self._means(none, self.offset + self.scale * v, none, none, square)

    def by_chance(self) -> Floats:
        """The same if every rating were drawn by ``guess`` alone; two pairs of an item share no rating, one or both."""
        p, d, r = self.guess, self.distance, np.maximum(self.ratings, 1)
        to = d @ p
        apart, v, vv, both = p @ to, p @ self.v, p @ self.v**2, p @ (self.v * to)
        pairs = np.maximum(r * (r - 1) / 2, 1)
        touching = np.maximum(2 * (r - 2), 0)
        squares = (p @ d**2 @ p + touching * (p @ to**2) + np.maximum(pairs - 1 - touching, 0) * apart**2) / pairs
        of_v = (vv + (r - 1) * v**2) / r
        with_v = (2 * both + (r - 2) * apart * v) / r
        x, z = self.weight * apart, self.offset + self.scale * v
        xz = self.weight * (self.offset * apart + self.scale * with_v)
        zz = self.offset**2 + 2 * self.offset * self.scale * v + self.scale**2 * of_v
        return self._means(x, z, self.weight**2 * squares, xz, zz)

    def _means(self, *columns: Floats) -> Floats:
        return np.array([self.items @ column for column in columns]) / self.items.sum()


class Moments(Protocol):
    """What ``score_interval`` asks of the items of a project: how many of each kind, and means over them, (5,) each."""

    @property
    def items(self) -> Floats:
        """How many items of each kind, (K,)."""

    def seen(self) -> Floats:
        """The means of x, z, x², xz and z²."""

    def perfect(self) -> Floats:
        """The same at perfect agreement."""

    def by_chance(self) -> Floats:
        """The same without any agreement."""


def score_interval(
    value: float, projects: Sequence[Moments], n: float, bounds: tuple[float, float], confidence: float = 0.95
) -> Estimate:
    """The value with the ends of its score interval; without one where the items leave no error to see."""
    value = float(np.clip(value, *bounds))
    size = np.array([p.items.sum() for p in projects])
    seen, chance, perfect = (
        np.array(moments).T for moments in zip(*((p.seen(), p.by_chance(), p.perfect()) for p in projects), strict=True)
    )
    total = size @ seen[1]
    quantile = special.ndtri(0.5 + confidence / 2)
    floor = 1 - size @ chance[0] / total

    def error(kappa: Floats, moments: Floats) -> Floats:
        x, z, xx, xz, zz = moments
        rest = 1 - kappa
        variance = xx - 2 * rest * xz + rest**2 * zz - (x - rest * z) ** 2
        return np.sqrt(size @ np.maximum(variance, 0)) / total

    def end(side: int, towards: Floats, span: float) -> float:
        inside, width = 0.0, 1 - value if side > 0 else value - max(bounds[0], value - 2)
        for _ in range(ROUNDS):
            steps = inside + width * GRID
            mixed = np.minimum(steps / span, 1.0) if span > ZERO else np.zeros_like(steps)
            held = steps <= quantile * error(
                value + side * steps, seen[..., None] + mixed * (towards - seen)[..., None]
            )
            if held.all():
                return value + side * float(steps[-1])
            inside, width = float(steps[max(np.argmin(held) - 1, 0)]), width * GRID[1]
        return value + side * inside

    low, high = end(-1, chance, value - floor), end(1, perfect, 1 - value)
    if high - low < 1e-9:
        return Estimate(value, n=float(n))
    return Estimate(value, low, min(high, 1.0), float(n))
