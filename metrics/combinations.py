"""Logarithms of numbers of ways to choose, which themselves are soon too large for a float."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special


def log_choose(n: ArrayLike, k: ArrayLike) -> NDArray[np.float64]:
    """The logarithm of n choose k, of their broadcast shape; minus infinity where k is a whole number above n."""
    n, k = np.asarray(n, dtype=float), np.asarray(k, dtype=float)
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
