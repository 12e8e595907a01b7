"""What groups of raters show: from rows, one rating each, or from patterns."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from metrics.groups.ends import INTERVALS, Evidence, known
from metrics.groups.patterns import GroupPatterns, Integers
from metrics.groups.shuffles import (
    TESTED,
    all_splits,
    draw_splits,
    of_profiles,
    p_values,
    read,
    splits_of,
    with_p,
)
from metrics.groups.terms import STATISTICS
from metrics.spec import Estimate

MIN_RATERS, MIN_ITEMS = 5, 20
"""Fewest raters of a group, and of the rest, and fewest items: below them a group is a handful of persons."""

EXACT_UP_TO = 2_000
"""Splits of the raters into groups of these sizes up to which all are tried and none is drawn."""

NO_PAIRS = "no item has two ratings of the group"
NO_SHARED = "no item is rated by the group and by others"
NO_VARIATION = "no variation: every rating is the same label"
NOT_ABOVE_CHANCE = "agreement with the other raters is not above chance, so nothing can be divided by it"
NO_INDEX = "no group has a group association index"
ONE_SPLIT = "the raters can be split into these groups in one way only"


@dataclass(frozen=True, eq=False)
class GroupAgreement:
    """What groups of raters show, and the evidence for it.

    table: a row per group and statistic:
        group, statistic ("irr", "xrr", "gai", "negentropy", "plurality_size"), value, low, high, n (items), reason
        (text, empty when there is a value), interval_reason (why a value has no interval, else empty), raters (of the
        group, NaN when not told), side ("high" or "low": where the value lies among the shuffled ones, else ""), p
        (share of shuffles beyond the value on that side), p_two_sided (min(1, 2p): the side was chosen by looking), q
        (Benjamini-Hochberg over p_two_sided of all tests).
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
        known("statistic", statistic, STATISTICS)
        known("group", group, list(self.table["group"].unique()))
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
    rows = read(item, rater, label, group, labels, within)
    q = len(rows.labels)
    members = np.bincount(rows.group_of_rater[rows.group_of_rater >= 0], minlength=len(rows.groups))
    parts = {
        name: [GroupPatterns.of(rows.item, rows.group_of_rater[rows.rater] == g, rows.label, q)]
        for g, name in enumerate(rows.groups)
    }
    outside = len(rows.group_of_rater) - members
    table, dsi, dsi_group = _table(parts, members, outside, min_raters, min_items, interval, draws, seed, confidence)
    common = {"n_duplicates": rows.n_duplicates, "n_unlabelled": rows.n_unlabelled}
    splits = splits_of(rows.group_of_rater, rows.block_of_rater, EXACT_UP_TO)
    exact = splits <= EXACT_UP_TO
    if permutations < 1 or splits == 1:
        reason = "no shuffles were asked for" if permutations < 1 else ONE_SPLIT
        return GroupAgreement(table, dsi, dsi_group, p_reason=reason, **common)
    rng = np.random.default_rng(seed)
    if exact:
        profiles = all_splits(rows.group_of_rater, rows.block_of_rater)
    else:
        profiles = draw_splits(rows.group_of_rater, rows.block_of_rater, permutations, rng)
    observed = of_profiles(rows, rows.group_of_rater[None, :])[0]
    shuffled = of_profiles(rows, profiles)
    p, side = p_values(observed, shuffled, exact)
    complementary = len(parts) == 2 and not np.any(rows.group_of_rater < 0)
    table, tests = with_p(table, list(parts), p, side, complementary)
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
    rows = read(item, rater, label, group, labels, None)
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

    interval, speaking of other items judged by the same raters:
    - "score": irr, xrr and the two means as ``metrics.agreement.score``, every truth within a normal quantile of the
      value by the error that would hold at it; gai by Fieller's theorem, t with n - 1 degrees of freedom, its errors
      widened as much as the score intervals are wider than linearised ones. gai needs ten items' worth of ratings with
      another label than the commonest. Of 100, by simulation with 5 and 5 raters and 30 to 250 items: irr and xrr hold
      95 to 98 where a label takes 6 of 100 (tiny samples of it are what is at 97 and 98), 95 to 97 where one takes 4 of
      10; gai, where it has an interval, 93 to 96; the two means 95 to 97.
    - "linearised", value ± t·se by the infinitesimal jackknife, n - 1 degrees of freedom; "bootstrap", percentiles of
      ``draws`` resamples of the items (a multinomial over patterns, seeded), widened to the value where they miss it.
      Both see no error where a rare label was hardly met, so irr, xrr and gai need twenty such items' worth: linearised
      irr and xrr then hold 93 to 94.
    - "none".
    Perfect agreement has a score interval alone, and gai none where xrr may be 0 by its own interval.
    dsi: max gai. Its interval runs from the largest low, at 1 - (1 - confidence)/G for G groups, to the largest high at
    ``confidence``: too high a low of any group puts the interval above the truth, too low a high only that of the group
    that is the largest. It is on the safe side where groups do not differ: 97 of 100 and more.
    Raises UnknownName for another interval.
    """
    parts = {name: [p] if isinstance(p, GroupPatterns) else list(p) for name, p in groups.items()}
    members = outside = None
    if raters is not None:
        members = np.array([raters.get(name, 0) for name in parts])
        outside = sum(raters.values()) - members
    table, dsi, dsi_group = _table(parts, members, outside, min_raters, min_items, interval, draws, seed, confidence)
    return GroupAgreement(table, dsi, dsi_group)


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
    known("interval", interval, INTERVALS)
    found: list[tuple] = []
    judged: dict[Hashable, Evidence] = {}
    for g, (name, patterns) in enumerate(parts.items()):
        one = Evidence(patterns, interval, draws, seed)
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
    one: Evidence, statistic: int, inside: int | None, rest: int | None, min_raters: int, min_items: int
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
