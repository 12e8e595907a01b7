"""Score intervals of groups of raters: the moments by drawing, alpha's and Wilson's where they are these, coverage."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy.special import expit

from metrics import groups as module
from metrics.agreement.alpha import alpha_of_patterns
from metrics.agreement.score_line import line_interval
from metrics.groups import GroupPatterns, group_agreement_of_patterns
from metrics.groups.score import Across, Mean, ratio_ends
from metrics.intervals import wilson
from metrics.patterns import Patterns

KINDS = Across(
    np.array([40.0, 25, 10, 5]),
    np.array([[2.0, 0, 0], [1, 1, 0], [0, 2, 1], [0, 0, 1]]),
    np.array([[3.0, 0, 0], [1, 1, 1], [0, 2, 0], [1, 0, 1]]),
)


def moments(kinds, items, inside, outside):
    """Means of x, z, x², xz and z² of items with these counts, z by differences of the chance disagreement."""
    r, s = inside.sum(axis=1), outside.sum(axis=1)
    x = (r + s) * (1 - (inside * outside).sum(axis=1) / (r * s))

    def chance(own, other):
        n, m = own.sum(), other.sum()
        return (n + m) * (1 - own @ other / (n * m))

    own, other, step = kinds.items @ kinds.inside, kinds.items @ kinds.outside, 1e-5
    z = np.array(
        [
            (chance(own + step * i, other + step * o) - chance(own - step * i, other - step * o)) / (2 * step)
            for i, o in zip(inside, outside, strict=True)
        ]
    )
    return items @ np.column_stack([x, z, x**2, x * z, z**2]) / items.sum()


def test_the_moments_seen_are_those_of_the_definition():
    assert KINDS.seen() == pytest.approx(moments(KINDS, KINDS.items, KINDS.inside, KINDS.outside), rel=1e-6)
    # What the items add to the chance disagreement sums to it: agreement across is 1 - Σx/Σz.
    x, z = KINDS.seen()[:2]
    found = group_agreement_of_patterns(
        {"a": GroupPatterns(KINDS.inside, KINDS.inside + KINDS.outside, KINDS.items)}, interval="none", min_items=1
    )
    assert found.estimate("a", "xrr").value == pytest.approx(1 - x / z)


def test_moments_without_and_with_perfect_agreement_are_those_of_drawn_ratings():
    rng, draws = np.random.default_rng(0), 4_000
    own, other = KINDS.items @ KINDS.inside, KINDS.items @ KINDS.outside
    by_chance, perfect = [], []
    for items, inside, outside in zip(KINDS.items, KINDS.inside, KINDS.outside, strict=True):
        sides = [(inside.sum(), own / own.sum()), (outside.sum(), other / other.sum())]
        drawn = [rng.multinomial(int(n), share, size=draws).astype(float) for n, share in sides]
        by_chance.append(items * moments(KINDS, np.ones(draws), *drawn))
        label = np.eye(3)[rng.choice(3, draws, p=(own + other) / (own + other).sum())]
        perfect.append(items * moments(KINDS, np.ones(draws), *(n * label for n, _ in sides)))
    total = KINDS.items.sum()
    assert KINDS.by_chance() == pytest.approx(np.sum(by_chance, axis=0) / total, rel=0.03, abs=0.02)
    assert KINDS.perfect() == pytest.approx(np.sum(perfect, axis=0) / total, rel=0.03, abs=0.02)


def test_the_mean_of_noughts_and_ones_has_wilsons_interval():
    found = line_interval(0.9, [Mean(np.array([36.0, 4.0]), np.array([1.0, 0.0]))], 40, (-1.0, 1.0))
    expected = wilson(36, 40)
    assert (found.low, found.high) == pytest.approx((expected.low[0], expected.high[0]), abs=1e-6)


def test_a_ratio_is_inside_where_the_difference_may_be_nothing():
    low, high = ratio_ends((0.5, 0.4), (0.15, 0.1), 0.3)
    for ratio, side in ((low, 1), (high, -1)):
        half = math.sqrt(0.15**2 + (ratio * 0.1) ** 2 - 2 * 0.3 * ratio * 0.15 * 0.1)
        assert (0.5 - ratio * 0.4) == pytest.approx(side * half)
    assert ratio_ends((0.5, 0.1), (0.15, 0.1), 0.3) == (None, None)


# ---- groups


def drawn(rng, items, prevalence, clear, lean, rate=0.7):
    """Two groups of five raters who see a true label through their own bias; group b leans to it on some items."""
    bias = np.random.default_rng(7).normal(0, 0.5, 10)
    true = np.where(rng.random(items) < prevalence, clear, -clear) + rng.normal(0, 1, items)
    leaning = lean * (rng.random(items) < 0.4)
    counts = np.zeros((items, 2, 2), dtype=int)
    for rater, own in enumerate(bias):
        group = rater // 5
        rated, hit = rng.random(items) < rate, rng.random(items) < expit(true + own + group * leaning)
        counts[:, group, 1] += rated & hit
        counts[:, group, 0] += rated & ~hit
    total = counts.sum(axis=1)
    return {name: GroupPatterns(counts[:, g], total, np.ones(items)).combined() for g, name in enumerate("ab")}


RARE, COMMON = (0.06, 2.5, 1.5), (0.4, 1.5, 1.0)


def test_agreement_inside_has_alphas_interval():
    patterns = drawn(np.random.default_rng(1), 80, *RARE)
    found = group_agreement_of_patterns(patterns, interval="score").estimate("a", "irr")
    alpha = alpha_of_patterns(Patterns(patterns["a"].inside, patterns["a"].items), "nominal", interval="score")
    assert (found.value, found.low, found.high) == pytest.approx((alpha.value, alpha.low, alpha.high))


@pytest.mark.parametrize(("items", "cell", "runs"), [(60, RARE, 130), (60, COMMON, 130)])
def test_intervals_cover_the_truth_however_rare_a_label_is(items, cell, runs):
    """93 to 97 of 100, give or take three errors of 260 groups; linearised errors hold 89 to 90 of the rare label."""
    whole = group_agreement_of_patterns(drawn(np.random.default_rng(0), 80_000, *cell), interval="none")
    truth = whole.table.set_index(["group", "statistic"])["value"]
    held, shown, rng = Counter(), Counter(), np.random.default_rng(3)
    for _ in range(runs):
        found = group_agreement_of_patterns(drawn(rng, items, *cell), interval="score").table
        for row in found[found["low"].notna()].itertuples():
            shown[row.statistic] += 1
            held[row.statistic] += row.low <= truth[(row.group, row.statistic)] <= row.high
    assert shown["irr"] == shown["xrr"] == 2 * runs
    for statistic in ("irr", "xrr", *(["gai"] if cell is COMMON else [])):
        margin = 3 * math.sqrt(0.05 * 0.95 / shown[statistic])
        assert 0.93 - margin <= held[statistic] / shown[statistic] <= 0.97 + margin, statistic


def test_a_ratio_from_too_few_of_the_rarer_labels_has_a_reason_in_place_of_an_interval():
    few = group_agreement_of_patterns(drawn(np.random.default_rng(1), 40, *RARE), interval="score")
    rows = few.table.set_index(["group", "statistic"])
    assert few.estimate("a", "gai").value is not None and few.estimate("a", "gai").low is None
    assert rows.loc[("a", "gai"), "interval_reason"] == module.FEW_OTHER.format(10)
    assert rows.loc[("a", "irr"), "interval_reason"] == "" and few.estimate("a", "irr").low is not None
    many = group_agreement_of_patterns(drawn(np.random.default_rng(2), 40, *COMMON), interval="score").table
    assert (many["interval_reason"] == "").all()
    rough = group_agreement_of_patterns(drawn(np.random.default_rng(2), 40, *RARE), interval="linearised").table
    assert rough["interval_reason"].tolist()[:3] == [module.FEW_OTHER.format(20)] * 3


def test_projects_with_labels_of_their_own_or_nothing_to_compare_are_put_together():
    """A project twice as one has the ends of twice its items; one of single ratings adds nothing to irr."""
    rng = np.random.default_rng(4)
    own = drawn(rng, 80, *COMMON)["a"]
    twice = GroupPatterns(own.inside, own.total, 2 * own.items)
    wide = GroupPatterns(np.pad(own.inside, ((0, 0), (0, 1))), np.pad(own.total, ((0, 0), (0, 1))), own.items)
    alone = GroupPatterns([[1, 0]], [[1, 0]], [5])
    one, two, three = (
        group_agreement_of_patterns({"a": parts}, interval="score").table.set_index("statistic")
        for parts in ([twice], [own, own, alone], [own, wide])
    )
    columns = ["value", "low", "high"]
    np.testing.assert_allclose(one.loc["xrr", columns].astype(float), two.loc["xrr", columns].astype(float), atol=1e-9)
    # Alpha's n - 1 is taken from each project.
    np.testing.assert_allclose(one.loc["irr", columns].astype(float), two.loc["irr", columns].astype(float), atol=2e-3)
    assert (three["low"] <= three["value"]).all() and (three["value"] <= three["high"]).all()
    assert three.loc["plurality_size", "low"] > 0.5
