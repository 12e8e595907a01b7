"""Coefficients of many groups of items at once, with their standard errors: what alpha and percent agreement of each by
itself give, at a hundredth of the time where groups are small.

The patterns of all groups stand one below another: counts (K, q), items (K,), and group (K,), to which of the groups,
0 to ``groups`` - 1, a pattern belongs; all have the same declared labels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from metrics.agreement.estimates import ZERO, Floats

Places = NDArray[np.intp]


class Coefficients(NamedTuple):
    """value, error and n, each (groups,): the coefficient, its standard error, and the items with two ratings or more.

    NaN where the group has no such value; error also where the data show none, as at perfect agreement.
    """

    value: Floats
    error: Floats
    n: Floats


def percent_agreement_of_groups(counts: Floats, items: Floats, group: Places, groups: int) -> Coefficients:
    """``percent_agreement_of_patterns`` of each group, error that of its interval "irrcac"."""
    counts, items, group, ratings = _paired(counts, items, group)
    n = _sum(items, group, groups)
    agreed = ((counts**2).sum(1) - ratings) / (ratings * (ratings - 1))
    with np.errstate(all="ignore"):
        value = _sum(items * agreed, group, groups) / n
        error = np.sqrt(_sum(items * (agreed - value[group]) ** 2, group, groups) / (n * (n - 1)))
    return _known(value, error, n)


def alpha_of_groups(
    counts: Floats, items: Floats, group: Places, groups: int, distances: Floats | None
) -> Coefficients:
    """``alpha_of_patterns`` of each group, error that of its interval "linearised".

    distances: of ``level_distances``, (q, q), or None for Krippendorff's ordinal metric, which follows from the ratings
    of each group: the squared distance of its labels' mid-ranks.
    """
    counts, items, group, ratings = _paired(counts, items, group)
    n = _sum(items, group, groups)
    per_partner = 1 / (ratings - 1)
    marginals = _sums(items[:, None] * counts, group, groups)
    total = marginals.sum(1)
    if distances is None:
        # Σ_k n_k (r_c - r_k)² opened up, so that no group needs a matrix of its own.
        rank = _mid_ranks(marginals)
        own = rank[group]
        level, square = (counts * own).sum(1), (counts * own**2).sum(1)
        by_item = 2 * (ratings * square - level**2) * per_partner
        whole = (marginals * rank).sum(1)[:, None], (marginals * rank**2).sum(1)[:, None]
        apart = rank**2 * total[:, None] - 2 * rank * whole[0] + whole[1]
    else:
        by_item = ((counts @ distances) * counts).sum(1) * per_partner
        apart = marginals @ distances
    observed, chance, pairs = _sum(items * by_item, group, groups), (marginals * apart).sum(1), total - 1
    # Derivatives of both disagreements by the weight of each pattern.
    d_observed, d_chance = by_item, 2 * (counts * apart[group]).sum(1)
    if distances is None:
        weighted = counts * (items * per_partner)[:, None]
        together = _sums(weighted * level[:, None], group, groups) - _sums(weighted, group, groups) * rank
        d_rank = _mid_ranks(counts)
        d_observed = d_observed + 4 * (d_rank * (marginals * rank - together)[group]).sum(1)
        d_chance = d_chance + 4 * (d_rank * (marginals * (total[:, None] * rank - whole[0]))[group]).sum(1)
    with np.errstate(all="ignore"):
        expected = chance / pairs
        d_expected = d_chance / pairs[group] - (chance / pairs**2)[group] * ratings
        influence = -(d_observed - (observed / expected)[group] * d_expected) / expected[group]
        influence -= (_sum(items * influence, group, groups) / n)[group]
        error = np.sqrt(_sum(items * influence**2, group, groups) * n / (n - 1))
        value = 1 - observed / expected
    none = (n <= 1) | ~(expected > 0)
    return _known(np.where(none, np.nan, value), np.where(observed > 0, error, np.nan), n)


def _paired(counts: Floats, items: Floats, group: Places) -> tuple[Floats, Floats, Places, Floats]:
    """The patterns that have pairs of ratings, and how many ratings each has."""
    ratings = counts.sum(1)
    paired = ratings >= 2
    return counts[paired].astype(float), items[paired], group[paired], ratings[paired].astype(float)


def _known(value: Floats, error: Floats, n: Floats) -> Coefficients:
    shown = np.isfinite(value)
    return Coefficients(np.where(shown, value, np.nan), np.where(shown & (error > ZERO), error, np.nan), n)


def _sum(values: Floats, group: Places, groups: int) -> Floats:
    return np.bincount(group, values, groups)


def _sums(table: Floats, group: Places, groups: int) -> Floats:
    """The columns of a table (K, q) added up by group: (groups, q)."""
    return np.column_stack([_sum(column, group, groups) for column in table.T])


def _mid_ranks(marginals: Floats) -> Floats:
    """Mid-rank of each label, on the last axis: ratings below it and half of its own."""
    return np.cumsum(marginals, axis=-1) - marginals / 2
