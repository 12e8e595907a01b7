"""How often chance alone shows as much: raters' profiles shuffled between groups."""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.errors import UnknownName
from metrics.groups.patterns import CELLS_AT_ONCE, Floats, Integers
from metrics.groups.terms import values_of
from metrics.multiple import benjamini_hochberg

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TESTED = ("irr", "xrr", "gai")


@dataclass(frozen=True, eq=False)
class Rows:
    """Ratings as numbers: item, rater and label positions of each row; group and block positions of each rater."""

    item: Integers
    rater: Integers
    label: Integers
    labels: list
    groups: list
    group_of_rater: Integers
    block_of_rater: Integers
    n_duplicates: int
    n_unlabelled: int


def read(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    group: ArrayLike,
    labels: Sequence[Hashable] | None,
    within: ArrayLike | None,
) -> Rows:
    """Rows with a label, the first of each rater on each item."""
    columns = {"item": item, "rater": rater, "label": label, "group": group}
    columns = {name: pd.Series(np.asarray(values), dtype=object) for name, values in columns.items()}
    if within is not None:
        columns["block"] = pd.Series(np.asarray(within), dtype=object)
    if len({len(c) for c in columns.values()}) != 1:
        lengths = ", ".join(f"{name} {len(c)}" for name, c in columns.items())
        raise ValueError(f"The columns differ in length: {lengths}.")
    rows = pd.DataFrame(columns)
    if within is None:
        rows["block"] = 0
    for column, kind in (("group", "groups"), ("block", "blocks")):
        pairs = rows[["rater", column]].drop_duplicates()
        twice = pairs["rater"][pairs["rater"].duplicated()]
        if len(twice):
            raise ValueError(f"Rater {twice.iloc[0]!s} is in several {kind}; give each rater one.")
    labelled = rows[rows["label"].notna()]
    first = labelled.drop_duplicates(["item", "rater"])
    declared = sorted(first["label"].unique(), key=_sort_key) if labels is None else list(labels)
    position = pd.Index(declared, dtype=object).get_indexer(pd.Index(first["label"], dtype=object))
    if np.any(position < 0):
        raise UnknownName("declared label", str(first["label"].to_numpy()[position < 0][0]), map(str, declared))
    raters = first.drop_duplicates("rater")
    groups = sorted(raters["group"].dropna().unique(), key=_sort_key)
    which = pd.Index(raters["rater"], dtype=object)
    of_rater = pd.Index(groups, dtype=object).get_indexer(pd.Index(raters["group"], dtype=object))
    return Rows(
        pd.factorize(first["item"])[0],
        which.get_indexer(pd.Index(first["rater"], dtype=object)),
        position.astype(np.int64),
        declared,
        groups,
        of_rater.astype(np.int64),
        pd.factorize(raters["block"])[0],
        n_duplicates=len(labelled) - len(first),
        n_unlabelled=len(rows) - len(labelled),
    )


def _sort_key(value: object) -> tuple[str, object]:
    return (type(value).__name__, value) if isinstance(value, str | int | float) else ("", str(value))


def splits_of(group: Integers, block: Integers, limit: int) -> int:
    """In how many ways raters can be given these profiles within blocks; ``limit`` + 1 when more."""
    ways = 1
    for b in np.unique(block):
        left = np.count_nonzero(block == b)
        for size in np.unique(group[block == b], return_counts=True)[1]:
            ways *= math.comb(left, int(size))
            left -= size
            if ways > limit:
                return limit + 1
    return ways


def all_splits(group: Integers, block: Integers) -> Integers:
    """Every way to give raters these profiles within blocks, (ways, raters)."""
    found = np.tile(group, (1, 1))
    for b in np.unique(block):
        places = np.flatnonzero(block == b)
        of_block = np.array(list(_arrangements(group[places])))
        found = np.repeat(found, len(of_block), axis=0)
        found[:, places] = np.tile(of_block, (len(found) // len(of_block), 1))
    return found


def _arrangements(profile: Integers) -> list[Integers]:
    """Distinct orders of a list of profiles."""
    values, sizes = np.unique(profile, return_counts=True)
    if len(values) == 1:
        return [profile]
    found = []
    rest = profile[profile != values[0]]
    for places in itertools.combinations(range(len(profile)), int(sizes[0])):
        others = np.setdiff1d(np.arange(len(profile)), places)
        for tail in _arrangements(rest):
            row = np.full(len(profile), values[0])
            row[others] = tail
            found.append(row)
    return found


def draw_splits(group: Integers, block: Integers, draws: int, rng: np.random.Generator) -> Integers:
    """Profiles shuffled among the raters of each block, (draws, raters)."""
    found = np.tile(group, (draws, 1))
    for b in np.unique(block):
        places = np.flatnonzero(block == b)
        found[:, places] = rng.permuted(found[:, places], axis=1)
    return found


def of_profiles(rows: Rows, profiles: Integers) -> Floats:
    """IRR, XRR and GAI of every group for every assignment of profiles to raters, (assignments, groups, 3).

    One sparse product gives the label counts of all items for many assignments at once.
    """
    from scipy import sparse  # slow to import, and only shuffles need it

    q = len(rows.labels)
    keys, cell = np.unique(rows.item * q + rows.label, return_inverse=True)
    items, item_of_cell = np.unique(keys // q, return_inverse=True)
    ones = np.ones(len(cell))
    raters = len(rows.group_of_rater)
    ratings = sparse.csr_array((ones, (cell, rows.rater)), shape=(len(keys), raters))
    by_label = sparse.csr_array((np.ones(len(keys)), (keys % q, np.arange(len(keys)))), shape=(q, len(keys)))
    per_item = sparse.csr_array((ones, (item_of_cell[cell], rows.rater)), shape=(len(items), raters))
    total = np.bincount(cell, minlength=len(keys)).astype(float)[:, None]
    all_ratings = np.bincount(item_of_cell[cell], minlength=len(items)).astype(float)[:, None]
    groups = len(rows.groups)
    found = np.empty((len(profiles), groups, 3))
    step = max(1, CELLS_AT_ONCE // max(len(keys), 1))
    for start in range(0, len(profiles), step):
        some = profiles[start : start + step]
        for g in range(groups):
            of_group = (some == g).T.astype(float)
            counts, r = ratings @ of_group, per_item @ of_group
            found[start : start + step, g] = _from_cells(counts, r, total, all_ratings, item_of_cell, by_label)
    return found


def _from_cells(
    inside: Floats, r: Floats, total: Floats, all_ratings: Floats, item: Integers, by_label: csr_array
) -> Floats:
    """(assignments, 3) from a group's counts by item and label, (cells, assignments), and by item, (items, ...)."""
    s = all_ratings - r
    paired, shared = r >= 2, (r >= 1) & (s >= 1)
    per_pair = np.where(paired, 1 / np.maximum(r - 1, 1), 0)
    own = (per_pair * r**2).sum(axis=0) - np.einsum("ij,ij,ij->j", per_pair[item], inside, inside)
    n = by_label @ (inside * paired[item])
    product = np.where(shared, all_ratings / np.maximum(r * s, 1), 0)
    cross = (shared * all_ratings).sum(axis=0) - np.einsum("ij,ij,ij->j", product[item], inside, total - inside)
    together = shared[item]
    x = by_label @ (inside * together)
    y = by_label @ (total * together) - x
    n_all, x_all, y_all = n.sum(axis=0), x.sum(axis=0), y.sum(axis=0)
    expected = (n_all**2 - (n**2).sum(axis=0)) / np.maximum(n_all - 1, 1)
    across = (x_all * y_all - (x * y).sum(axis=0)) / np.maximum(x_all * y_all, 1) * (x_all + y_all)
    blank = np.zeros_like(own)
    return values_of(np.stack([own, expected, cross, across, blank, blank, blank, blank], axis=-1))[:, :3]


def p_values(observed: Floats, shuffled: Floats, exact: bool) -> tuple[Floats, NDArray[np.bool_]]:
    """Shares (groups, 3) of shuffles beyond each value on its side of their median; whether that is the high side."""
    n = len(shuffled)
    undefined = np.isnan(shuffled)
    filled = np.where(undefined, np.inf, shuffled)
    middle = np.median(filled, axis=0)
    high = observed >= middle - 1e-9
    beyond = np.where(high, filled >= observed - 1e-9, undefined | (filled <= observed + 1e-9))
    count = beyond.sum(axis=0)
    p = count / n if exact else (count + 1) / (n + 1)
    return np.where(np.isnan(observed), np.nan, p), high


def with_p(
    table: pd.DataFrame, names: list, p: Floats, high: NDArray[np.bool_], complementary: bool
) -> tuple[pd.DataFrame, int]:
    """The table with p, its two-sided form and q, and how many tests there were."""
    table = table.copy()
    place = {name: g for g, name in enumerate(names)}
    tested = table["statistic"].isin(TESTED) & table["value"].notna()
    at = [(place[g], TESTED.index(s)) for g, s in table.loc[tested, ["group", "statistic"]].itertuples(index=False)]
    table.loc[tested, "p"] = [p[cell] for cell in at]
    table.loc[tested, "side"] = ["high" if high[cell] else "low" for cell in at]
    table["p_two_sided"] = np.minimum(1, 2 * table["p"])
    # The XRR of two groups that hold all raters is one number under two names, hence one test.
    again = complementary & table["statistic"].eq("xrr") & table["group"].eq(names[-1])
    table["q"], tests = benjamini_hochberg(table["p_two_sided"].mask(again).to_numpy(float))
    if complementary:
        shared = table["statistic"].eq("xrr")
        table.loc[shared, "q"] = table.loc[shared, "q"].max()
    return table, tests
