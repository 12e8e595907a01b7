"""Weekly series and panels with a known truth, for the tests of effects."""

from __future__ import annotations

import numpy as np
from scipy import signal


def ar1(rng: np.random.Generator, shape: tuple[int, ...], phi: float) -> np.ndarray:
    """Series of errors along the last axis, AR(1) with innovations of standard deviation 1, past their start."""
    early = 100
    draws = rng.normal(size=(*shape[:-1], shape[-1] + early))
    return signal.lfilter([1.0], [1.0, -phi], draws, axis=-1)[..., early:]


def within_binomial(hits: int, draws: int, low: float, high: float) -> bool:
    """Whether a share of hits between low and high is what was drawn, two standard errors of chance aside."""
    share, allowed = hits / draws, 2 * np.sqrt(0.05 * 0.95 / draws)
    return low - allowed <= share <= high + allowed
