"""Agreement inside and between groups of raters (GRASP): IRR, XRR, the group association index and its maximum.

Two doors to the same numbers. ``group_agreement`` takes rows, one rating each, and can also say how often chance alone
does as much, by shuffling which rater belongs to which group. ``group_agreement_of_patterns`` takes what the snapshot
holds: for each group, pairs of label counts of an item (the group's, everybody's) and how many items show each pair.

A group association index above 1 says that a group agrees with itself more than with the others: its raters see
something alike that others do not, or read a guideline their own way. It does not say who is right.
Source: Prabhakaran et al. 2024 (GRASP, arXiv 2311.05074); XRR: Wong et al. 2021. Labels are nominal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.agreement.alpha import Disagreement
from metrics.agreement.score import Items, score_interval
from metrics.errors import UnknownName
from metrics.group_intervals import Across, Ends, Mean, ratio_ends
from metrics.intervals import student
from metrics.multiple import benjamini_hochberg
from metrics.patterns import Encoding, Patterns, decode
from metrics.spec import Estimate

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

STATISTICS = ("irr", "xrr", "gai", "negentropy", "plurality_size")
TESTED = ("irr", "xrr", "gai")
INTERVALS = ("score", "bootstrap", "linearised", "none")

MIN_RATERS, MIN_ITEMS = 5, 20
"""Fewest raters of a group, and of the rest, and fewest items: below them a group is a handful of persons."""

EXACT_UP_TO = 2_000
"""Splits of the raters into groups of these sizes up to which all are tried and none is drawn."""

CELLS_AT_ONCE = 2_000_000
"""Numbers in one array while shuffles or draws are counted; more at once is no faster and only takes memory."""

UNDEFINED_DRAWS = 0.025
"""Share of resamples without a group association index up to which its interval is given: the upper end must exist."""

LEAST_OTHER = {
    "score": (0, 0, 10, 0, 0),
    "bootstrap": (20, 20, 20, 0, 0),
    "linearised": (20, 20, 20, 0, 0),
    "none": (0, 0, 0, 0, 0),
}
"""For an interval of each statistic: fewest items times the share of ratings that are not the commonest label."""

TOPS = (1.0, 1.0, math.inf, math.inf, 1.0)  # above which no statistic lies

NO_PAIRS = "no item has two ratings of the group"
NO_SHARED = "no item is rated by the group and by others"
NO_VARIATION = "no variation: every rating is the same label"
NOT_ABOVE_CHANCE = "agreement with the other raters is not above chance, so nothing can be divided by it"
NO_INDEX = "no group has a group association index"
NO_ERROR = "all items show the same, so nothing says how far off the value may be"
MAY_BE_CHANCE = "agreement with the other raters may be no better than chance, so the ratio has no upper end"
FEW_OTHER = "fewer than {} items' worth of ratings give another label than the commonest: too few to say how sure it is"
ONE_SPLIT = "the raters can be split into these groups in one way only"


@dataclass(frozen=True, eq=False)
class GroupPatterns:
    """Items counted by the label counts that one group of raters gave and that all raters gave.

    inside, total: (K, q) integers, 0 <= inside <= total, a column per **declared** label; items: (K,) numbers >= 0.
    Raises ValueError on other shapes or numbers. The rest of the raters gave total - inside.
    """

    inside: Integers
    total: Integers
    items: Floats

    def __post_init__(self) -> None:
        inside, total = np.array(self.inside, dtype=np.int64), np.array(self.total, dtype=np.int64)
        items = np.array(self.items, dtype=float)
        if inside.ndim != 2 or inside.shape != total.shape or items.shape != inside.shape[:1]:
            raise ValueError(f"Group patterns need (K, q) twice and (K,), not {inside.shape}, {total.shape}.")
        if np.any(inside < 0) or np.any(inside > total) or np.any(items < 0) or not np.isfinite(items).all():
            raise ValueError("A group's counts lie between 0 and those of all raters, and items are not negative.")
        for name, array in (("inside", inside), ("total", total), ("items", items)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, item: ArrayLike, inside: ArrayLike, label_position: ArrayLike, labels: int) -> GroupPatterns:
        """Patterns of rows, one rating each: whether its rater is in the group, and the label's position."""
        which, ids = pd.factorize(np.asarray(item))
        cell = which * labels + np.asarray(label_position, dtype=np.int64)
        total = np.bincount(cell, minlength=len(ids) * labels).reshape(len(ids), labels)
        own = np.bincount(cell[np.asarray(inside, dtype=bool)], minlength=len(ids) * labels)
        return cls(own.reshape(len(ids), labels), total, np.ones(len(ids))).combined()

    @classmethod
    def of_codes(cls, inside: ArrayLike, total: ArrayLike, items: ArrayLike, encoding: Encoding) -> GroupPatterns:
        """Patterns of the mart's codes (``inside_0``.. and ``total_0``.., (K, words)) and the items that have each."""
        return cls(decode(inside, encoding), decode(total, encoding), np.asarray(items)).combined()

    def combined(self) -> GroupPatterns:
        """The same items with equal pairs of counts in one row, in a fixed order."""
        both = np.hstack([self.inside, self.total])[self.items > 0]
        if not len(both):
            return GroupPatterns(self.inside[:0], self.total[:0], self.items[:0])
        rows, where = np.unique(both, axis=0, return_inverse=True)
        q = self.inside.shape[1]
        return GroupPatterns(rows[:, :q], rows[:, q:], np.bincount(where.ravel(), self.items[self.items > 0]))


@dataclass(frozen=True, eq=False)
class GroupAgreement:
    """What groups of raters show, and the evidence for it.

    table: a row per group and statistic:
        group, statistic ("irr", "xrr", "gai", "negentropy", "plurality_size"), value, low, high, n (items), reason
        (text, empty when there is a value), raters (of the group, NaN when not told), side ("high" or "low": where the
        value lies among the shuffled ones, else ""), p (share of shuffles beyond the value on that side), p_two_sided
        (min(1, 2p): the side was chosen by looking), q (Benjamini-Hochberg over p_two_sided of all tests).
    dsi: the diversity sensitivity index of the axis, the largest group association index, with a simultaneous interval;
        dsi_group: whose; dsi_p: share of shuffles whose largest index is at least as large, None without shuffles.
    tests: how many tests q counts. splits: shuffles, or all splits when ``exact``. p_reason: why there is no p, or "".
    n_duplicates, n_unlabelled: ratings left out, as in ``agreement.tally``; 0 for patterns.
    """

    table: pd.DataFrame
    dsi: Estimate
    dsi_group: Hashable | None
    dsi_p: float | None = None
    tests: int = 0
    splits: int = 0
    exact: bool = False
    p_reason: str = "shuffling raters between groups needs single ratings"
    n_duplicates: int = 0
    n_unlabelled: int = 0

    def estimate(self, group: Hashable, statistic: str) -> Estimate:
        """One cell of the table. Raises UnknownName for a group or statistic that is not there."""
        _known("statistic", statistic, STATISTICS)
        _known("group", group, list(self.table["group"].unique()))
        (row,) = self.table[(self.table["group"] == group) & (self.table["statistic"] == statistic)].itertuples()
        if row.reason:
            return Estimate.missing(row.reason, row.n)
        ends = (None if math.isnan(x) else x for x in (row.low, row.high))
        return Estimate(row.value, *ends, row.n)


# ---------------------------------------------------------------------------------------------------------- from rows


def group_agreement(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    group: ArrayLike,
    labels: Sequence[Hashable] | None = None,
    *,
    permutations: int = 1_000,
    within: ArrayLike | None = None,
    min_raters: int = MIN_RATERS,
    min_items: int = MIN_ITEMS,
    interval: str = "bootstrap",
    draws: int = 1_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> GroupAgreement:
    """Agreement inside each group and with the rest, how sure it is, and how often chance alone shows as much.

    item, rater, label, group: equal lengths, a rating a row; group is the group of the row's rater, null for a rater
    without one, who then belongs to the rest of every group. Ratings without a label are left out; of several ratings
    of a rater on an item the first counts. labels: the declared labels; without them those seen.

    Numbers and intervals: see ``group_agreement_of_patterns``, which they equal.

    p: rater **profiles** are shuffled (who belongs to which group), never labels, so that what a rater rated and how he
    rates stays together. p is the share of shuffled values at least as far out as the value, on the value's side of
    the shuffles' median: (count + 1)/(permutations + 1), or count/splits when the raters can be split into groups of
    these sizes in at most ``EXACT_UP_TO`` ways and all are tried. Shuffles without a value count as beyond, which errs
    on the side of caution. p is the paper's and lies in 0 to about .5; under no difference **p_two_sided** is uniform,
    and q is taken over it. The XRR of two groups that hold all raters is one number, and one test.
    within: for each row a block of its rater (project, language); raters then change places within blocks only, as
    they must where blocks rate different items.
    permutations: 0 for none. min_raters, min_items: below them a reason stands in place of the number.
    Raises ValueError for unequal lengths or a rater in two groups or blocks, UnknownName for an undeclared label.
    """
    rows = _read(item, rater, label, group, labels, within)
    q = len(rows.labels)
    members = np.bincount(rows.group_of_rater[rows.group_of_rater >= 0], minlength=len(rows.groups))
    parts = {
        name: [GroupPatterns.of(rows.item, rows.group_of_rater[rows.rater] == g, rows.label, q)]
        for g, name in enumerate(rows.groups)
    }
    outside = len(rows.group_of_rater) - members
    table, dsi, dsi_group = _table(parts, members, outside, min_raters, min_items, interval, draws, seed, confidence)
    common = {"n_duplicates": rows.n_duplicates, "n_unlabelled": rows.n_unlabelled}
    splits = _splits(rows.group_of_rater, rows.block_of_rater, EXACT_UP_TO)
    exact = splits <= EXACT_UP_TO
    if permutations < 1 or splits == 1:
        reason = "no shuffles were asked for" if permutations < 1 else ONE_SPLIT
        return GroupAgreement(table, dsi, dsi_group, p_reason=reason, **common)
    rng = np.random.default_rng(seed)
    if exact:
        profiles = _all_splits(rows.group_of_rater, rows.block_of_rater)
    else:
        profiles = _draw_splits(rows.group_of_rater, rows.block_of_rater, permutations, rng)
    observed = _of_profiles(rows, rows.group_of_rater[None, :])[0]
    shuffled = _of_profiles(rows, profiles)
    p, side = _p_values(observed, shuffled, exact)
    complementary = len(parts) == 2 and not np.any(rows.group_of_rater < 0)
    table, tests = _with_p(table, list(parts), p, side, complementary)
    dsi_p = None
    judged = table["statistic"].eq("gai") & table["value"].notna()
    if dsi.value is not None:
        columns = [list(parts).index(name) for name in table.loc[judged, "group"]]
        largest = shuffled[:, columns, TESTED.index("gai")].max(axis=1)  # NaN in, NaN out: counts as beyond
        beyond = np.count_nonzero(~(largest < dsi.value - 1e-9))
        dsi_p = beyond / len(largest) if exact else (beyond + 1) / (len(largest) + 1)
    return GroupAgreement(table, dsi, dsi_group, dsi_p, tests, len(profiles), exact, "", **common)


def group_patterns(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    group: ArrayLike,
    labels: Sequence[Hashable] | None = None,
) -> dict[Hashable, GroupPatterns]:
    """The patterns of each group of rows, as the snapshot's mart would hold them; see ``group_agreement``."""
    rows = _read(item, rater, label, group, labels, None)
    inside = rows.group_of_rater[rows.rater]
    return {
        name: GroupPatterns.of(rows.item, inside == g, rows.label, len(rows.labels))
        for g, name in enumerate(rows.groups)
    }


# ------------------------------------------------------------------------------------------------------- from patterns


def group_agreement_of_patterns(
    groups: Mapping[Hashable, GroupPatterns | Sequence[GroupPatterns]],
    raters: Mapping[Hashable, int] | None = None,
    *,
    min_raters: int = MIN_RATERS,
    min_items: int = MIN_ITEMS,
    interval: str = "bootstrap",
    draws: int = 1_000,
    seed: int = 0,
    confidence: float = 0.95,
) -> GroupAgreement:
    """Agreement inside each group (IRR), with the rest (XRR) and their ratio (GAI), without p.

    groups: each group's patterns; several where projects have labels of their own: sums over projects are then
    divided, as in ``agreement.stratified_alpha``. raters: how many raters each group has, to enforce ``min_raters``
    on the group and on the others together; without it only ``min_items`` is enforced.

    With X_c, Y_c the ratings of label c on an item inside the group and by the rest, R = ΣX_c, S = ΣY_c:
    - irr, at most 1: Krippendorff's nominal alpha of the group's own ratings; n = items with R >= 2.
    - xrr, at most 1: 1 - d_o/d_e; d_o the mean of 1 - Σ X_c Y_c/(R S) over items with R, S >= 1, weighted by R + S;
      d_e = 1 - Σ n^X_c n^Y_c/(n^X n^Y), n the ratings on those items; n = those items.
    - gai = irr/xrr, null where xrr <= 0; n = the smaller of the two.
    - negentropy, 0 to ln q: mean of ln q - H over items with R >= 2, H the entropy of the group's answers.
    - plurality_size, 1/q to 1: mean share of the most frequent answer over the same items.
    The last two are larger where an item has few ratings of the group: compare groups of like depth.

    interval: "bootstrap", percentiles of ``draws`` resamples of the items (a multinomial over patterns, seeded),
    widened to the value where they miss it; "linearised", value ± t·se by the infinitesimal jackknife, n - 1 degrees
    of freedom, about as good from 200 items on and at a tenth of the cost; "none". They speak of other items judged by
    the same raters. "linearised" holds, of 100 by simulation with 5 and 5 raters: 93 to 97 of irr, xrr and gai from 30
    items on where a label takes 4 of 10; where it takes 6 of 100, 93 to 96 from 250 items on, but 83 to 90 of irr and
    xrr and 90 to 94 of gai with 30 to 60, the truth then mostly above: two to four items show the rare label at all.
    The simultaneous interval of dsi holds 99 and more. Perfect agreement has none, and neither has gai where xrr
    may be 0 by its own interval.
    dsi: max gai. Its interval runs from the largest low to the largest high of intervals at 1 - (1 - confidence)/G, G
    groups, so that choosing the largest is allowed for.
    Raises UnknownName for another interval.
    """
    parts = {name: [p] if isinstance(p, GroupPatterns) else list(p) for name, p in groups.items()}
    members = outside = None
    if raters is not None:
        members = np.array([raters.get(name, 0) for name in parts])
        outside = sum(raters.values()) - members
    table, dsi, dsi_group = _table(parts, members, outside, min_raters, min_items, interval, draws, seed, confidence)
    return GroupAgreement(table, dsi, dsi_group)


class _Stratum:
    """One project's patterns as columns: every statistic is a function of weights @ columns."""

    def __init__(self, patterns: GroupPatterns) -> None:
        patterns = patterns.combined()
        inside, outside = patterns.inside.astype(float), (patterns.total - patterns.inside).astype(float)
        r, s = inside.sum(axis=1), outside.sum(axis=1)
        paired, shared = r >= 2, (r >= 1) & (s >= 1)
        kept = paired | shared
        inside, outside, r, s = inside[kept], outside[kept], r[kept], s[kept]
        paired, shared = paired[kept], shared[kept]
        self.items = patterns.items[kept]
        self.q = inside.shape[1]
        own = np.where(paired, (r**2 - (inside**2).sum(axis=1)) / np.maximum(r - 1, 1), 0)
        product = np.maximum(r * s, 1)
        cross = np.where(shared, (r + s) * (1 - (inside * outside).sum(axis=1) / product), 0)
        share = inside / np.maximum(r, 1)[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = -np.where(share > 0, share * np.log(share), 0).sum(axis=1)
        self.columns = np.column_stack(
            [
                own,
                cross,
                paired,
                shared,
                np.where(paired, np.log(max(self.q, 1)) - entropy, 0),
                np.where(paired, share.max(axis=1, initial=0), 0),
                inside * paired[:, None],
                inside * shared[:, None],
                outside * shared[:, None],
            ]
        )

    def scored(self, statistic: int) -> Items | Across | Mean:
        """The items as ``score_interval`` takes them, for a statistic of those but the ratio."""
        paired, shared = (self.columns[:, k] > 0 for k in (2, 3))
        n, x, y = (self.columns[:, 6 + k * self.q : 6 + (k + 1) * self.q] for k in range(3))
        if statistic == 0:
            inside = Patterns(n[paired].astype(np.int64), self.items[paired])
            return Disagreement(inside, 1 - np.eye(self.q), False).of_score()
        if statistic == 1:
            return Across(self.items[shared], x[shared], y[shared])
        negentropy, share = self.columns[paired, 4] / math.log(self.q), self.columns[paired, 5]
        return Mean(self.items[paired], negentropy if statistic == 3 else (share * self.q - 1) / (self.q - 1))

    def terms(self, sums: Floats) -> Floats:
        """(..., 8): observed and expected disagreement inside and across, pairable and shared items, two sums."""
        n, x, y = (sums[..., 6 + k * self.q : 6 + (k + 1) * self.q] for k in range(3))
        total, x_all, y_all = n.sum(axis=-1), x.sum(axis=-1), y.sum(axis=-1)
        expected = (total**2 - (n**2).sum(axis=-1)) / np.maximum(total - 1, 1)
        pairs = np.maximum(x_all * y_all, 1)
        cross = (x_all * y_all - (x * y).sum(axis=-1)) / pairs * (x_all + y_all)
        return np.stack([sums[..., 0], expected, sums[..., 1], cross, *(sums[..., k] for k in range(2, 6))], axis=-1)

    def derivatives(self) -> Floats:
        """Derivatives of the eight terms by the weight of each pattern, (K, 8)."""
        sums = self.items @ self.columns
        n, x, y = (sums[6 + k * self.q : 6 + (k + 1) * self.q] for k in range(3))
        each_n, each_x, each_y = (self.columns[:, 6 + k * self.q : 6 + (k + 1) * self.q] for k in range(3))
        total, x_all, y_all = n.sum(), max(x.sum(), 1), max(y.sum(), 1)
        r, rx, ry = each_n.sum(axis=1), each_x.sum(axis=1), each_y.sum(axis=1)
        pairs = max(total - 1, 1)
        expected = (2 * total * r - 2 * each_n @ n) / pairs - (total**2 - n @ n) / pairs**2 * r
        chance = x @ y / (x_all * y_all)
        d_chance = (each_x @ y + each_y @ x) / (x_all * y_all) - chance * (rx / x_all + ry / y_all)
        cross = (1 - chance) * (rx + ry) - (x_all + y_all) * d_chance
        c = self.columns
        return np.column_stack([c[:, 0], expected, c[:, 1], cross, *(c[:, k] for k in range(2, 6))])


def _values(terms: Floats) -> Floats:
    """(..., 5) statistics in the order of STATISTICS from the terms of all strata; NaN where there is none."""
    with np.errstate(all="ignore"):
        irr = np.where(terms[..., 1] > 0, 1 - terms[..., 0] / terms[..., 1], np.nan)
        xrr = np.where(terms[..., 3] > 0, 1 - terms[..., 2] / terms[..., 3], np.nan)
        # A remainder of rounding is no agreement to divide by.
        gai = np.where(xrr > 1e-12, irr / xrr, np.nan)
        return np.stack(
            [irr, xrr, gai, *(np.where(terms[..., 4] > 0, terms[..., k] / terms[..., 4], np.nan) for k in (6, 7))],
            axis=-1,
        )


class _Group:
    """One group's values, and the ends of an interval of each at any confidence."""

    def __init__(self, parts: Sequence[GroupPatterns], interval: str, draws: int, seed: int) -> None:
        self.interval = interval
        self.strata = [s for s in map(_Stratum, parts) if len(s.items)]
        per_stratum = [s.terms(s.items @ s.columns) for s in self.strata]
        self.terms = np.sum(per_stratum, axis=0) if per_stratum else np.zeros(8)
        self.values = _values(self.terms)
        self.pairable, self.shared = self.terms[4], self.terms[5]
        self.draws = self._bootstrap(draws, seed) if interval == "bootstrap" and self.strata else None
        self.errors = self._linearised() if interval in ("linearised", "score") and self.strata else None

    def _bootstrap(self, draws: int, seed: int) -> Floats:
        rng = np.random.default_rng(seed)
        terms = np.zeros((draws, 8))
        for s in self.strata:
            share, n = s.items / s.items.sum(), round(s.items.sum())
            step = max(1, CELLS_AT_ONCE // len(s.items))
            for start in range(0, draws, step):
                some = slice(start, min(start + step, draws))
                weights = rng.multinomial(n, share, size=some.stop - start).astype(float)
                terms[some] += s.terms(weights @ s.columns)
        return _values(terms)

    def _linearised(self) -> Floats:
        """Standard errors of the statistics, and the correlation of the first two."""
        _, xrr, gai, negentropy, plurality = self.values
        t = self.terms
        variance, together = np.zeros(5), 0.0
        with np.errstate(all="ignore"):
            for s in self.strata:
                d = s.derivatives()
                d_irr = -(d[:, 0] - t[0] / t[1] * d[:, 1]) / t[1]
                d_xrr = -(d[:, 2] - t[2] / t[3] * d[:, 3]) / t[3]
                d_gai = d_irr / xrr - gai * d_xrr / xrr
                d_negentropy = (d[:, 6] - negentropy * d[:, 4]) / t[4]
                d_plurality = (d[:, 7] - plurality * d[:, 4]) / t[4]
                each = np.column_stack([d_irr, d_xrr, d_gai, d_negentropy, d_plurality])
                n = s.items.sum()
                each = each - s.items @ each / n
                variance += s.items @ each**2 * n / max(n - 1, 1)
                together += s.items @ (each[:, 0] * each[:, 1]) * n / max(n - 1, 1)
            self.correlation = float(np.clip(np.nan_to_num(together / np.sqrt(variance[0] * variance[1])), -1, 1))
        return np.sqrt(variance)

    def ends(self, statistic: int, confidence: float) -> tuple[float | None, float | None, str]:
        """Low and high of one statistic and ""; or None, None and why the data do not show how sure it is."""
        low, high, reason = None, None, self._reason_for_no_ends(statistic)
        if not reason and self.strata and self.interval != "none":
            way = {"score": self._score_ends, "linearised": self._error_ends, "bootstrap": self._drawn_ends}
            low, high = way[self.interval](statistic, confidence)
            reason = "" if low is not None else MAY_BE_CHANCE if statistic == 2 else NO_ERROR
        return low, high, reason

    def _reason_for_no_ends(self, statistic: int) -> str:
        """Why too few ratings give another label than the commonest for an interval of irr, xrr or gai; or ""."""
        least = LEAST_OTHER[self.interval][statistic]
        return "" if self.other_labels(statistic) >= least else FEW_OTHER.format(least)

    def other_labels(self, statistic: int) -> float:
        """Items times the share of their ratings with another label than their project's commonest."""
        sides = ((2, 0),) if statistic == 0 else ((3, 1), (3, 2)) if statistic == 1 else ((2, 0), (3, 1), (3, 2))
        found = 0.0
        for s in self.strata:
            sums = s.items @ s.columns
            labels = sum(sums[6 + k * s.q : 6 + (k + 1) * s.q] for _, k in sides)
            if labels.sum() > 0:
                found += min(sums[which] for which, _ in sides) * (1 - labels.max() / labels.sum())
        return float(found)

    def _error_ends(self, statistic: int, confidence: float) -> Ends:
        """The value with t linearised errors on either side."""
        value, error = self.values[statistic], self.errors[statistic]
        if not error > 1e-12 or (statistic == 2 and not (self._error_ends(1, confidence)[0] or 0) > 0):
            return None, None
        half = self._quantile(statistic, confidence) * error
        return (float(value - half), float(min(value + half, TOPS[statistic]))) if math.isfinite(half) else (None, None)

    def _quantile(self, statistic: int, confidence: float) -> float:
        n = self.shared if statistic == 1 else min(self.pairable, self.shared) if statistic == 2 else self.pairable
        return float(student(0.5 + confidence / 2, n - 1))

    def _drawn_ends(self, statistic: int, confidence: float) -> Ends:
        """The percentiles of the resamples."""
        value, found = self.values[statistic], self.draws[:, statistic]
        if np.isnan(found).mean() > UNDEFINED_DRAWS:
            return None, None
        low, high = np.nanquantile(found, [(1 - confidence) / 2, (1 + confidence) / 2])
        if high - low < 1e-12:
            return None, None
        return float(min(low, value)), float(min(max(high, value), TOPS[statistic]))

    def _score_ends(self, statistic: int, confidence: float) -> Ends:
        """Ends that ``score_interval`` gives irr, xrr and the means, and ``ratio_ends`` their ratio."""
        value = self.values[statistic]
        if statistic == 2:
            return self._ratio_ends(confidence)
        parts = [s.scored(statistic) for s in self.strata]
        n = self.shared if statistic == 1 else self.pairable
        # The means run from what one label shared by none gives to what one label for all gives.
        bottom, span = self._scale(statistic)
        found = score_interval((value - bottom) / span, [p for p in parts if p.items.sum()], n, (-1.0, 1.0), confidence)
        if found.low is None:
            return None, None
        return float(min(bottom + found.low * span, value)), float(max(bottom + found.high * span, value))

    def _scale(self, statistic: int) -> tuple[float, float]:
        if statistic < 3:
            return 0.0, 1.0
        q = max(s.q for s in self.strata)
        return (0.0, math.log(q)) if statistic == 3 else (1 / q, 1 - 1 / q)

    def _ratio_ends(self, confidence: float) -> Ends:
        """Fieller's ends, both linearised errors widened by as much as a score interval is wider than its own."""
        quantile, errors = self._quantile(2, confidence), self.errors[:2]
        ends = [self._score_ends(k, confidence) for k in (0, 1)]
        if any(low is None for low, _ in ends) or not (errors > 1e-12).all() or not math.isfinite(quantile):
            return None, None
        wider = max(1.0, *((high - low) / 2 / quantile / e for (low, high), e in zip(ends, errors, strict=True)))
        halves = quantile * wider * errors
        return ratio_ends((self.values[0], self.values[1]), (halves[0], halves[1]), self.correlation)


def _table(
    parts: Mapping[Hashable, Sequence[GroupPatterns]],
    members: Integers | None,
    outside: Integers | None,
    min_raters: int,
    min_items: int,
    interval: str,
    draws: int,
    seed: int,
    confidence: float,
) -> tuple[pd.DataFrame, Estimate, Hashable | None]:
    """The table without p, and the largest index with its simultaneous interval."""
    _known("interval", interval, INTERVALS)
    found: list[tuple] = []
    judged: dict[Hashable, _Group] = {}
    for g, (name, patterns) in enumerate(parts.items()):
        one = _Group(patterns, interval, draws, seed)
        inside = None if members is None else int(members[g])
        rest = None if outside is None else int(outside[g])
        for k, statistic in enumerate(STATISTICS):
            n, reason = _reason(one, k, inside, rest, min_raters, min_items)
            low, high, unsure = (None, None, "") if reason else one.ends(k, confidence)
            value = None if reason else one.values[k]
            people = math.nan if inside is None else inside
            found.append((name, statistic, value, low, high, n, reason, people, unsure))
            if statistic == "gai" and not reason:
                judged[name] = one
    columns = ["group", "statistic", "value", "low", "high", "n", "reason", "raters", "interval_reason"]
    table = pd.DataFrame(found, columns=columns).astype(
        {"group": object, "value": float, "low": float, "high": float, "n": float, "raters": float}
    )
    table = table.assign(side="", p=np.nan, p_two_sided=np.nan, q=np.nan)
    if len(parts) == 2:
        # Two groups that hold all raters share one XRR: one number has one interval, whatever the draws.
        first, second = (table.index[table["statistic"] == "xrr"]).tolist()
        if abs(table.at[first, "value"] - table.at[second, "value"]) < 1e-12:
            same = ["low", "high", "interval_reason"]
            table.loc[second, same] = table.loc[first, same]
    if not judged:
        return table, Estimate.missing(NO_INDEX), None
    largest = max(judged, key=lambda name: judged[name].values[2])
    value = float(judged[largest].values[2])
    n = float(min(judged[largest].pairable, judged[largest].shared))
    levels = ((1 - (1 - confidence) / len(judged), 0), (confidence, 1))
    lows, highs = ([one.ends(2, level)[end] for one in judged.values()] for level, end in levels)
    if any(end is None for end in (*lows, *highs)):
        return table, Estimate(value, n=n), largest
    return table, Estimate(value, min(max(lows), value), max(*highs, value), n), largest


def _reason(
    one: _Group, statistic: int, inside: int | None, rest: int | None, min_raters: int, min_items: int
) -> tuple[float, str]:
    """The n of a statistic and why it is not shown; an empty reason when it is."""
    needs_own, needs_rest = statistic != 1, statistic in (1, 2)
    n = float(min(one.pairable if needs_own else math.inf, one.shared if needs_rest else math.inf))
    if inside is not None and inside < min_raters:
        return n, f"fewer than {min_raters} raters in the group"
    if needs_rest and rest is not None and rest < min_raters:
        return n, f"fewer than {min_raters} raters outside the group"
    if needs_own and not one.pairable:
        return n, NO_PAIRS
    if needs_rest and not one.shared:
        return n, NO_SHARED
    if n < min_items:
        kind = "rated by the group and by others" if needs_rest else "with two ratings of the group"
        return n, f"fewer than {min_items} items {kind}"
    if np.isnan(one.values[statistic]):
        xrr = one.values[1]
        return n, NOT_ABOVE_CHANCE if statistic == 2 and not np.isnan(xrr) and xrr <= 1e-12 else NO_VARIATION
    return n, ""


# ------------------------------------------------------------------------------------------------------------ shuffles


@dataclass(frozen=True, eq=False)
class _Rows:
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


def _read(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    group: ArrayLike,
    labels: Sequence[Hashable] | None,
    within: ArrayLike | None,
) -> _Rows:
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
    return _Rows(
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


def _splits(group: Integers, block: Integers, limit: int) -> int:
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


def _all_splits(group: Integers, block: Integers) -> Integers:
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


def _draw_splits(group: Integers, block: Integers, draws: int, rng: np.random.Generator) -> Integers:
    """Profiles shuffled among the raters of each block, (draws, raters)."""
    found = np.tile(group, (draws, 1))
    for b in np.unique(block):
        places = np.flatnonzero(block == b)
        found[:, places] = rng.permuted(found[:, places], axis=1)
    return found


def _of_profiles(rows: _Rows, profiles: Integers) -> Floats:
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
    return _values(np.stack([own, expected, cross, across, blank, blank, blank, blank], axis=-1))[:, :3]


def _p_values(observed: Floats, shuffled: Floats, exact: bool) -> tuple[Floats, NDArray[np.bool_]]:
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


def _with_p(
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


def _known(kind: str, name: Hashable, names: Sequence[Hashable]) -> None:
    if name not in names:
        raise UnknownName(kind, str(name), map(str, names))
