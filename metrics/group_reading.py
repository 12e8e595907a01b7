"""Where a group of raters reads a policy otherwise than the others do: one test per place and group.

The question of a cell: on the items that both rated, does the group give other labels than the others? A rater who is
merely careless errs both ways and shifts no label; a group that reads a guideline its own way does. Raters differ from
one another anyway, so the shift is held against raters shuffled between groups, not against other items.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.groups import MIN_ITEMS, MIN_RATERS, NO_SHARED
from metrics.multiple import benjamini_hochberg

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STAGES = ((199, 0.1), (999, 0.02), (9_999, 1.0))
"""Shuffles of a stage, and the p up to which the next is gone through with shuffles of its own: p stays valid."""

CELLS_AT_ONCE = 2_000_000  # numbers in one array while shuffles are counted
ONE_SPLIT = "each language is read by one of the groups only: there is nobody to change places with"


@dataclass(frozen=True, eq=False)
class Readings:
    """table: a row per place and group, in the order of their names:

    place, group; apart: share of the labels that would have to change for the group to label like the others, 0 to 1;
    label, shift: the label whose share differs most from the others', and by how much, -1 to 1 (above 0: the group
    gives it more); n: items rated by the group and by others; raters: of the group; reason: why there is no number,
    else ""; p: share of shuffles at least as far apart, (count + 1)/(shuffles + 1); q: Benjamini-Hochberg over all rows
    with p. tests: how many rows have a p.
    """

    table: pd.DataFrame
    tests: int


def group_readings(
    place: ArrayLike,
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    group: ArrayLike,
    within: ArrayLike | None = None,
    labels: Mapping[Hashable, Sequence[Hashable]] | None = None,
    *,
    min_raters: int = MIN_RATERS,
    min_items: int = MIN_ITEMS,
    seed: int = 0,
) -> Readings:
    """For every place (a project's policy) and group: does it label the items it shares otherwise than the others do?

    place, item, rater, label, group: equal lengths, a rating a row; group null for a rater without one, who belongs to
    the others of every group. Of several ratings of a rater on an item the first counts. within: for each row a block
    of its rater (language); raters change places within their block of a place only. labels: the declared labels of
    each place; ratings with another label are left out. min_raters, min_items: fewest raters of the group and of the
    others, fewest items rated by both; below them a reason stands.

    With X_c of R ratings of an item inside the group and Y_c of S by the others giving label c, shift_c is the mean of
    X_c/R - Y_c/S over items with R, S >= 1, and apart is half the sum of |shift_c| (total variation).
    Shuffled are rater **profiles**: which group a rater is taken for, so that a lenient rater stays lenient. Under no
    difference between groups p <= a happens with chance at most a. Raises ValueError for unequal lengths.
    """
    columns = {"place": place, "item": item, "rater": rater, "label": label, "group": group}
    columns["block"] = np.zeros(len(np.asarray(item, object)), int) if within is None else within
    lengths = {name: len(pd.Series(values)) for name, values in columns.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"The columns differ in length: {', '.join(f'{k} {n}' for k, n in lengths.items())}.")
    rows = pd.DataFrame({name: pd.Series(values).reset_index(drop=True) for name, values in columns.items()})
    rows = rows[rows["label"].notna()].drop_duplicates(["place", "item", "rater"])
    rng = np.random.default_rng(seed)
    found: list[dict] = []
    # By name, so that the order of the rows changes nothing.
    for name, ours in sorted(rows.groupby("place", sort=False), key=lambda one: str(one[0])):
        declared = sorted(ours["label"].unique(), key=str) if labels is None else list(labels[name])
        found += _of_place(name, ours[ours["label"].isin(declared)], declared, min_raters, min_items, rng)
    names = ("place", "group", "apart", "label", "shift", "n", "raters", "reason", "p")
    table = pd.DataFrame(found, columns=names)
    q, tests = benjamini_hochberg(table["p"].to_numpy(float))
    return Readings(table.assign(q=q), tests)


def _of_place(
    name: Hashable, rows: pd.DataFrame, labels: list, min_raters: int, min_items: int, rng: np.random.Generator
) -> list[dict]:
    counted = _Place(rows, labels)
    judged = [counted.row(g, min_raters, min_items) for g in range(len(counted.groups))]
    open_rows = [g for g, row in enumerate(judged) if not row["reason"]]
    if open_rows and counted.one_split:
        for g in open_rows:
            judged[g] |= {"reason": ONE_SPLIT}
        open_rows = []
    for shuffles, further in STAGES:
        if not open_rows:
            break
        count = counted.beyond(open_rows, shuffles, [judged[g]["apart"] for g in open_rows], rng)
        for g, beyond in zip(open_rows, count, strict=True):
            judged[g]["p"] = (beyond + 1) / (shuffles + 1)
        open_rows = [g for g in open_rows if judged[g]["p"] <= further]
    return [{"place": name, **row} for row in judged]


class _Place:
    """The ratings of one place as matrices: ratings of each item and label by rater."""

    def __init__(self, rows: pd.DataFrame, labels: list) -> None:
        from scipy import sparse  # slow to import

        self.labels, q = labels, len(labels)
        item, items = pd.factorize(rows["item"])
        position = pd.Index(labels, dtype=object).get_indexer(pd.Index(rows["label"], dtype=object))
        keys, cell = np.unique(item * q + position, return_inverse=True)
        raters = rows.drop_duplicates("rater").sort_values("rater", key=lambda names: names.astype(str))
        rater = pd.Index(raters["rater"]).get_indexer(pd.Index(rows["rater"]))
        self.groups = sorted(raters["group"].dropna().unique(), key=str)
        self.group = pd.Index(self.groups, dtype=object).get_indexer(pd.Index(raters["group"], dtype=object))
        self.block = pd.factorize(raters["block"])[0]
        self.item, self.label = keys // max(q, 1), keys % max(q, 1)
        ones = np.ones(len(rows))
        self.by_cell = sparse.csr_array((ones, (cell, rater)), shape=(len(keys), len(raters)))
        self.by_item = sparse.csr_array((ones, (item, rater)), shape=(len(items), len(raters)))
        cells = np.arange(len(keys))
        self.of_label = sparse.csr_array((np.ones(len(keys)), (self.label, cells)), shape=(q, len(keys)))
        self.total = self.by_cell.sum(axis=1)[:, None]
        self.all = self.by_item.sum(axis=1)[:, None]

    @property
    def one_split(self) -> bool:
        """Whether every block has raters of one group only, so that shuffles change nothing."""
        pairs = pd.DataFrame({"block": self.block, "group": self.group}).drop_duplicates()
        return len(pairs) == pairs["block"].nunique()

    def row(self, g: int, min_raters: int, min_items: int) -> dict:
        """What one group shows, without p."""
        member = (self.group == g)[:, None].astype(float)
        raters = int(member.sum())
        shifts, shared = self._shifts(member)
        n = int(shared[0])
        row = {"group": self.groups[g], "n": float(n), "raters": raters, "reason": "", "p": math.nan}
        row |= {"apart": math.nan, "label": None, "shift": math.nan}
        if raters < min_raters:
            return row | {"reason": f"fewer than {min_raters} raters in the group"}
        if len(self.group) - raters < min_raters:
            return row | {"reason": f"fewer than {min_raters} raters outside the group"}
        if n < max(min_items, 1):
            return row | {
                "reason": f"fewer than {min_items} items rated by the group and by others" if n else NO_SHARED
            }
        # Of two labels that differ alike the one given more: "more unsafe" reads easier than "less safe".
        most = max(range(len(self.labels)), key=lambda c: (round(abs(shifts[c, 0]), 12), shifts[c, 0]))
        apart = float(np.abs(shifts[:, 0]).sum() / 2)
        return row | {"apart": apart, "label": self.labels[most], "shift": float(shifts[most, 0])}

    def beyond(self, groups: Sequence[int], shuffles: int, observed: Sequence[float], rng: np.random.Generator) -> list:
        """How many shuffles set each group at least as far apart as observed; those without a value count too."""
        count = np.zeros(len(groups), dtype=np.int64)
        step = max(1, CELLS_AT_ONCE // max(self.by_cell.shape[0], 1))
        for start in range(0, shuffles, step):
            profiles = self._shuffled(min(step, shuffles - start), rng)
            for k, g in enumerate(groups):
                apart = np.abs(self._shifts((profiles == g).T.astype(float))[0]).sum(axis=0) / 2
                count[k] += np.count_nonzero(~(apart < observed[k] - 1e-9))
        return count.tolist()

    def _shuffled(self, shuffles: int, rng: np.random.Generator) -> Integers:
        found = np.tile(self.group, (shuffles, 1))
        for b in np.unique(self.block):
            places = np.flatnonzero(self.block == b)
            found[:, places] = rng.permuted(found[:, places], axis=1)
        return found

    def _shifts(self, members: Floats) -> tuple[Floats, Floats]:
        """Shift of each label, (labels, columns), and the items shared; NaN where none is.

        members: (raters, columns), 1 where a rater belongs to the group.
        """
        inside, r = self.by_cell @ members, self.by_item @ members
        s = self.all - r
        shared = (r >= 1) & (s >= 1)
        # X/R - Y/S is (X - R T/A) A/(R S), T and A the ratings of all.
        weight = np.where(shared, self.all / np.maximum(r * s, 1), 0)
        expected = r[self.item] * (self.total / self.all[self.item])
        n = shared.sum(axis=0)
        with np.errstate(invalid="ignore"):
            return self.of_label @ (weight[self.item] * (inside - expected)) / n, n
