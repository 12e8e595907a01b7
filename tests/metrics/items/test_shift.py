"""A shifted label mix: distances by hand, restless weeks no shift, intervals that cover."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.items import (
    SHIFT_COLUMNS,
    label_shift,
)
from metrics.items.distances import divergence_ends, jensen_shannon, variation_ends


def test_distances_by_hand():
    found = label_shift([50, 30, 20], [40, 30, 30], ["a", "b", "c"])
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3])
    middle = (p + q) / 2
    divergence = sum((x * np.log2(x / middle)).sum() for x in (p, q)) / 2
    assert found.total_variation.value == pytest.approx(0.1)
    assert found.jensen_shannon.value == pytest.approx(divergence)
    chi_square = 2 * (5**2 / 45 + 5**2 / 25)
    assert found.cramers_v == pytest.approx(math.sqrt(chi_square / 200))
    assert (found.method, found.dispersion) == ("chi-square", 1)
    # P(χ² with 2 degrees of freedom > x) = exp(-x/2).
    assert found.p_value == pytest.approx(math.exp(-chi_square / 2))
    assert (found.n_before, found.n_after) == (100, 100)
    assert list(found.table.columns) == list(SHIFT_COLUMNS)
    assert set(found.table["label"][:2]) == {"a", "c"}
    assert found.table.set_index("label").loc["c", "change"] == pytest.approx(0.1)
    assert found.total_variation.low == 0


def test_the_divergence_interval_inverts_the_noncentral_chi_square():
    """The ends by searching scipy.stats' distribution, its moments from derivatives of the divergence taken apart."""
    share, size = np.array([[0.6, 0.25, 0.1, 0.05], [0.45, 0.4, 0.1, 0.05]]), np.array([200.0, 300.0])
    step, nats = 1e-4, math.log(2)

    def divergence(flat):
        return float(jensen_shannon(*flat.reshape(2, 4))) * nats

    flat, ones = share.ravel(), np.eye(8) * step
    slope = np.array([divergence(flat + e) - divergence(flat - e) for e in ones]) / (2 * step)
    bend = np.array([divergence(flat + e) - 2 * divergence(flat) + divergence(flat - e) for e in ones]) / step**2
    covariance = [(np.diag(p) - np.outer(p, p)) / n for p, n in zip(share, size, strict=True)]
    variance = sum(s @ c @ s for s, c in zip(slope.reshape(2, 4), covariance, strict=True))
    bias = sum(b @ np.diag(c) for b, c in zip(bend.reshape(2, 4), covariance, strict=True)) / 2
    seen = divergence(flat)
    unit = variance / (4 * seen)
    found = divergence_ends(share, size, 1.0, 0.95)
    for end, tail in zip(found, (0.025, 0.975), strict=True):
        # The chance of as much or more at this truth.
        assert stats.ncx2.sf(seen / unit, bias / unit, end * nats / unit) == pytest.approx(tail, abs=1e-4)


def test_ends_of_the_total_variation_are_where_as_much_is_seldom_seen():
    """Two labels are a difference of shares, whose score ends are the roots of a quadratic (Mee, pooled)."""
    size, rng = np.array([150.0, 250.0]), np.random.default_rng(0)
    share = np.array([[0.9, 0.1], [0.7, 0.3]])
    found = variation_ends(share, size, 1.0, 0.95, 40_000, rng)
    pooled = size @ share / size.sum()

    def beyond(t):
        mixes = [pooled[1] - t * size[1] / size.sum(), pooled[1] + t * size[0] / size.sum()]
        return (0.2 - t) / math.sqrt(sum(p * (1 - p) / n for p, n in zip(mixes, size, strict=True)))

    assert beyond(found[0]) == pytest.approx(1.96, abs=0.03)
    assert beyond(found[1]) == pytest.approx(-1.96, abs=0.03)
    assert variation_ends(share[[0, 0]], size, 1.0, 0.95, 2_000, rng)[0] == 0


def test_newcombes_interval_of_a_change():
    """Newcombe 1998, method 10: 56/70 against 48/80 gives .0524 to .3339."""
    found = label_shift([48, 32], [56, 14]).table.set_index("label")
    assert found.loc[0, ["change", "low", "high"]].tolist() == pytest.approx([0.2, 0.0524, 0.3339], abs=5e-5)


def test_small_counts_are_shuffled():
    found = label_shift([9, 1], [3, 7], draws=20_000)
    exact = sum(math.comb(12, x) * math.comb(8, 10 - x) for x in range(2, 11) if abs(x - 6) >= 3) / math.comb(20, 10)
    assert found.method == "shuffled labels"
    assert found.p_value == pytest.approx(exact, abs=0.006)


def weekly(seed, weeks, strength, shares, n=150):
    rng = np.random.default_rng(seed)
    mixes = rng.dirichlet(strength * np.array(shares), weeks) if strength else np.tile(shares, (weeks, 1))
    return np.array([rng.multinomial(n, mix) for mix in mixes])


MIX = [0.6, 0.25, 0.1, 0.05]


def test_restless_weeks_are_no_shift_and_plain_chi_square_would_say_so():
    """φ of Dirichlet-multinomial weeks is (n + s)/(1 + s): 150 labels and s = 100 give 2.475."""
    p, plain, dispersion, moved = [], [], [], 0
    for seed in range(250):
        before, after = weekly(2 * seed, 8, 100, MIX), weekly(2 * seed + 1, 6, 100, MIX)
        found = label_shift(before, after, draws=20)
        p.append(found.p_value)
        plain.append(label_shift(before.sum(axis=0), after.sum(axis=0), draws=20).p_value)
        dispersion.append(found.dispersion)
        moved += found.table["moved"].any()
    assert found.method == "weekly variation"
    assert np.mean(dispersion) == pytest.approx(250 / 101, rel=0.05)
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09
    assert np.mean(np.array(plain) < 0.05) > 0.25
    assert moved / 250 <= 0.09


def test_p_is_uniform_without_a_shift_in_steady_weeks():
    p = np.array(
        [label_shift(weekly(s, 1, 0, MIX)[0], weekly(s + 999, 1, 0, MIX)[0], draws=20).p_value for s in range(200)]
    )
    assert abs(p.mean() - 0.5) < 0.06
    assert 0.02 <= (p < 0.05).mean() <= 0.085


def test_a_planted_shift_is_found_and_intervals_cover():
    later, runs = [0.45, 0.4, 0.1, 0.05], 400
    covered, total, found_shift = [], 0, 0
    for seed in range(runs):
        found = label_shift(weekly(seed, 8, 120, MIX), weekly(seed + 5_000, 8, 120, later), draws=600, seed=seed)
        table = found.table.set_index("label")
        true = np.array(later) - MIX
        covered.append([(table.loc[c, "low"] <= true[c] <= table.loc[c, "high"]) for c in range(4)])
        total += found.total_variation.low <= 0.15 <= found.total_variation.high
        found_shift += found.p_value < 0.05 and set(found.table["label"][:2]) == {0, 1}
    assert 0.93 <= np.mean(covered) <= 0.97
    assert 0.93 <= total / runs <= 0.97
    assert found_shift / runs > 0.95


@pytest.mark.parametrize(
    ("sizes", "mixes"),
    [
        ((100, 100), (MIX, [0.45, 0.4, 0.1, 0.05])),
        ((300, 300), (MIX, [0.45, 0.4, 0.1, 0.05])),
        ((1000, 1000), (MIX, [0.45, 0.4, 0.1, 0.05])),
        ((100, 1000), ([0.8, 0.1, 0.06, 0.04], [0.4, 0.5, 0.06, 0.04])),
    ],
)
def test_distances_of_two_periods_without_weeks_are_covered(sizes, mixes):
    """93 to 97 of 100, give or take three errors of 200 draws: the basic bootstrap held 86 to 90 of 100 labels each."""
    rng, found = np.random.default_rng(sum(sizes)), []
    middle = np.mean(mixes, axis=0)
    truth = sum((np.array(x) * np.log2(np.array(x) / middle)).sum() for x in mixes) / 2
    apart = np.abs(np.subtract(*mixes)).sum() / 2
    for seed in range(200):
        before, after = (rng.multinomial(n, mix) for n, mix in zip(sizes, mixes, strict=True))
        shift = label_shift(before, after, draws=150, seed=seed)
        ends = ((shift.jensen_shannon, truth), (shift.total_variation, apart))
        found.append([(estimate.high < true, estimate.low > true) for estimate, true in ends])
    missed = np.mean(found, axis=0)
    margin = 3 * math.sqrt(0.05 * 0.95 / 200)
    assert (missed.sum(axis=1) <= 0.07 + margin).all()
    assert (missed.sum(axis=1) >= 0.03 - margin).all()
    assert missed.max() <= 0.065


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=6),
    st.randoms(use_true_random=False),
)
def test_shift_is_symmetric_and_knows_no_order(pairs, random):
    before, after = (np.array(x) for x in zip(*pairs, strict=True))
    if not (before.sum() and after.sum()):
        assert label_shift(before, after).reason == "one of the periods has no labels"
        return
    first, back = label_shift(before, after, draws=20), label_shift(after, before, draws=20)
    order = random.sample(range(len(pairs)), len(pairs))
    mixed = label_shift(before[order], after[order], order, draws=20)
    for other, sign in ((back, -1), (mixed, 1)):
        assert other.total_variation.value == pytest.approx(first.total_variation.value)
        assert other.jensen_shannon.value == pytest.approx(first.jensen_shannon.value)
        changes = other.table.set_index("label")["change"].sort_index() * sign
        np.testing.assert_allclose(changes, first.table.set_index("label")["change"].sort_index(), atol=1e-12)
    for estimate in (first.total_variation, first.jensen_shannon):
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert first.table["change"].sum() == pytest.approx(0, abs=1e-12)


def test_weeks_sum_to_their_period_and_empty_weeks_count_for_nothing():
    before, after = weekly(0, 5, 100, MIX), weekly(1, 5, 100, MIX)
    found = label_shift(before, after)
    with_empty = label_shift(np.vstack([before, np.zeros(4)]), after)
    assert with_empty.p_value == found.p_value
    sums = label_shift(before.sum(axis=0), after.sum(axis=0))
    assert sums.total_variation.value == found.total_variation.value
    assert sums.p_value < found.p_value
    assert found.chance > sums.chance


def test_shifts_that_cannot_be_judged():
    for before, after in (([0, 0], [1, 2]), ([1, 2], np.zeros((3, 2)))):
        found = label_shift(before, after)
        assert found.reason == found.total_variation.reason == "one of the periods has no labels"
        assert found.table.empty
    one = label_shift([5, 0], [7, 0])
    assert (one.p_value, one.cramers_v, one.total_variation.value) == (None, None, 0)
    for before, after, labels in (([1, 2], [1, 2, 3], None), ([-1, 2], [1, 2], None), ([1, 2], [1, 2], ["a"])):
        with pytest.raises(ValueError, match=r"periods count|not negative|are named"):
            label_shift(before, after, labels)
