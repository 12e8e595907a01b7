"""The search for the ends of a score interval, and the plain kind of them: moments that move on a straight line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from scipy import special

from metrics.agreement.estimates import ZERO, Floats
from metrics.spec import Estimate

ROUNDS = 4  # each narrows a span of at most 2 to a 256th: ends exact to 1e-9
GRID = np.linspace(0, 1, 257)


class Moments(Protocol):
    """The items of a project: how many of each kind, and the means over them of x, z, x², xz and z², (5,)."""

    @property
    def items(self) -> Floats:
        """How many items of each kind, (K,)."""

    def seen(self) -> Floats:
        """The moments as they are."""

    def perfect(self) -> Floats:
        """The same at perfect agreement."""

    def by_chance(self) -> Floats:
        """The same without any agreement."""


def line_interval(
    value: float, projects: Sequence[Moments], n: float, bounds: tuple[float, float], confidence: float = 0.95
) -> Estimate:
    """The value, a ratio 1 - Σx/Σz, with every truth that lies within a normal quantile of it, by the error held there.

    What would hold at a truth is what is seen, some items having become of one mind (or, downwards, rated at random).
    Without an interval where the items leave no error to see.
    """
    value = float(np.clip(value, *bounds))
    size = np.array([p.items.sum() for p in projects])
    seen, chance, perfect = (
        np.array(moments).T for moments in zip(*((p.seen(), p.by_chance(), p.perfect()) for p in projects), strict=True)
    )
    total = size @ seen[1]
    quantile = special.ndtri(0.5 + confidence / 2)
    towards = {-1: chance, 1: perfect}

    def reach(side: int, steps: Floats, span: float) -> Floats:
        way = np.minimum(steps / span, 1.0) if span > ZERO else np.zeros_like(steps)
        moments = seen[..., None] + way * (towards[side] - seen)[..., None]
        return quantile * np.sqrt(size @ np.maximum(variance(moments, 1 - (value + side * steps)), 0)) / total

    floor = 1 - size @ chance[0] / total
    return search(value, (value - floor, 1 - value), bounds, n, reach)


def search(
    value: float,
    spans: tuple[float, float],
    bounds: tuple[float, float],
    n: float,
    reach: Callable[[int, Floats, float], Floats],
) -> Estimate:
    """The value with its ends; reach(side, steps, span): how far from it a truth so many steps away may lie, (G,).

    spans: the ways down to no agreement and up to perfect.
    """

    def end(side: int, span: float) -> float:
        inside, width = 0.0, 1 - value if side > 0 else value - max(bounds[0], value - 2)
        for _ in range(ROUNDS):
            steps = inside + width * GRID
            held = steps <= reach(side, steps, span)
            if held.all():
                return value + side * float(steps[-1])
            inside, width = float(steps[max(np.argmin(held) - 1, 0)]), width * GRID[1]
        return value + side * inside

    low, high = end(-1, spans[0]), end(1, spans[1])
    if high - low < 1e-9:
        return Estimate(value, n=float(n))
    return Estimate(value, low, min(high, 1.0), float(n))


def variance(moments: Floats, rest: Floats) -> Floats:
    """The variance of x - rest · z, (P, G)."""
    x, z, xx, xz, zz = moments[:5]
    return xx - 2 * rest * xz + rest**2 * zz - (x - rest * z) ** 2
