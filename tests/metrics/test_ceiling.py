"""Ceilings: the published table, simulated raters, numerical integration; concentration by brute force and chance."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from metrics.ceiling import Band, band, concentration, expected_best, headroom, noise_corrected
from metrics.spec import Estimate

# ---- the band ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agreement", "high"), [(0.66, 0.783), (0.726, 0.836), (0.77, 0.867), (0.85, 0.918), (0.90, 0.947)]
)
def test_the_band_is_the_published_table(agreement, high):
    low, top = band(agreement)
    assert low == agreement
    assert round(top, 3) == high


def test_the_ends_are_reached_by_the_raters_they_stand_for():
    """Both ends by simulation: all items alike, and clear items mixed with coin flips. A random one lies between."""
    rng = np.random.default_rng(0)
    items = 400_000
    alike = np.full(items, 0.85)
    mixed = np.where(rng.random(items) < 0.6, 1.0, 0.5)
    between = rng.beta(3, 1, items)
    for p, end in ((alike, "high"), (mixed, "low"), (between, None)):
        first, second = rng.random((2, items)) < p
        best = np.mean(first == (p >= 0.5))
        found = band(np.mean(first == second))
        if end:
            assert best == pytest.approx(getattr(found, end), abs=0.005)
        else:
            assert found.low + 0.01 < best < found.high - 0.01


def test_no_band_without_a_reason():
    assert tuple(band(0.5)) == (0.5, 0.5)
    for agreement, words in (
        (0.49, "less than half"),
        (1.2, "share"),
        (float("nan"), "not known"),
        (None, "not known"),
    ):
        found = band(agreement)
        assert tuple(found) == (None, None)
        assert words in found.reason


# ---- three labels and more --------------------------------------------------------------------------------------

SHAPES = [(4, 1, 300), (0.6, 0.3, 200), (20, 2, 300), (0.3, 4, 300)]


def labelled(rng, a, b, items):
    labels = rng.choice([2, 3, 5], items)
    return rng.binomial(labels, rng.beta(a, b, items)), labels


def true_best(a, b):
    beta = stats.beta(a, b)
    half = [integrate.quad(lambda p: max(p, 1 - p) * beta.pdf(p), *ends)[0] for ends in ((0, 0.5), (0.5, 1))]
    return sum(half)


@pytest.mark.parametrize(("a", "b", "items"), SHAPES)
def test_the_expected_best_is_recovered(a, b, items):
    """20 samples of each shape, with all votes and with majorities only: no bias."""
    rng = np.random.default_rng(items)
    for folded in (False, True):
        found = []
        for _ in range(20):
            votes, labels = labelled(rng, a, b, items)
            found.append(expected_best(np.maximum(votes, labels - votes) if folded else votes, labels, folded))
        assert np.mean([e.value for e in found]) == pytest.approx(true_best(a, b), abs=0.015)
        assert found[-1].n == (labels >= 3).sum()


def test_its_intervals_cover():
    """250 samples over two shapes: Monte Carlo error 1.4 points."""
    rng = np.random.default_rng(1)
    inside = []
    for a, b, items in (SHAPES[0], SHAPES[3]):
        true = true_best(a, b)
        for _ in range(125):
            found = expected_best(*labelled(rng, a, b, items))
            inside.append(found.low <= true <= found.high)
    assert 0.92 <= np.mean(inside) <= 0.98


def test_the_fit_is_scipys_likelihood_at_its_greatest():
    """betabinom of scipy.stats, maximised without a grid."""
    votes, labels = labelled(np.random.default_rng(2), 4, 1, 500)
    many = labels >= 3

    def loss(log):
        return -stats.betabinom.logpmf(votes[many], labels[many], *np.exp(log)).sum()

    a, b = np.exp(optimize.minimize(loss, [0, 0], method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-8}).x)
    assert expected_best(votes, labels).value == pytest.approx(true_best(a, b), abs=0.003)


def test_items_that_are_all_clear_or_all_alike_are_no_trouble():
    sure = expected_best(np.tile([0, 3], 50), np.full(100, 3))
    assert sure.value > 0.99
    assert sure.high <= 1
    rng = np.random.default_rng(3)
    alike = expected_best(rng.binomial(5, 0.8, 2000), np.full(2000, 5))
    assert alike.low <= 0.8 + 0.01
    assert alike.value == pytest.approx(0.8, abs=0.02)


def test_no_expected_best_without_a_reason():
    assert "fewer than 30 items" in expected_best(np.ones(500), np.full(500, 2)).reason
    with pytest.raises(ValueError, match="between 0 and labels"):
        expected_best([4], [3])
    with pytest.raises(ValueError, match="majority"):
        expected_best([1], [3], folded=True)


# ---- a noisy benchmark ------------------------------------------------------------------------------------------


def test_the_noise_of_a_benchmark_is_taken_out():
    """Simulated: a model right in 92 % of cases, 7 % of the benchmark's labels flipped at random."""
    rng = np.random.default_rng(4)
    right, kept = rng.random(1_000_000) < 0.92, rng.random(1_000_000) >= 0.07
    assert noise_corrected(np.mean(right == kept), 0.07).value == pytest.approx(0.92, abs=0.002)
    assert noise_corrected(0.8, 0.0).value == 0.8
    assert noise_corrected(0.5, 0.3).value == 0.5


def test_its_interval_covers_when_score_and_noise_are_both_estimated():
    rng = np.random.default_rng(5)
    inside = []
    for _ in range(2000):
        a, e = rng.binomial(600, 0.92 * 0.9 + 0.08 * 0.1) / 600, rng.binomial(400, 0.10) / 400
        ends = [
            Estimate(p, p - 1.96 * np.sqrt(p * (1 - p) / n), p + 1.96 * np.sqrt(p * (1 - p) / n), n)
            for p, n in ((a, 600), (e, 400))
        ]
        found = noise_corrected(*ends)
        inside.append(found.low <= 0.92 <= found.high)
    assert 0.93 <= np.mean(inside) <= 0.97


def test_noise_moves_a_low_score_the_other_way():
    noise = Estimate(0.1, 0.05, 0.15, 100)
    below, above = noise_corrected(0.3, noise), noise_corrected(0.7, noise)
    assert (below.low, below.high) == pytest.approx(((0.3 - 0.15) / 0.7, (0.3 - 0.05) / 0.9))
    assert (above.low, above.high) == pytest.approx(((0.7 - 0.05) / 0.9, (0.7 - 0.15) / 0.7))


def test_no_corrected_score_without_a_reason():
    assert "half" in noise_corrected(0.9, 0.5).reason
    assert "may be half" in noise_corrected(0.9, Estimate(0.4, 0.2, 0.55, 20)).reason
    assert "cannot come" in noise_corrected(0.99, 0.2).reason
    assert "cannot come" in noise_corrected(Estimate(0.99, 0.98, 0.995, 900), 0.2).reason
    assert noise_corrected(Estimate(0.91, 0.88, 0.94, 100), 0.1).value == 1
    assert noise_corrected(None, 0.1).reason
    assert noise_corrected(Estimate.missing("no cases"), 0.1).reason == "no cases"


# ---- what is left -----------------------------------------------------------------------------------------------


def test_headroom_splits_what_is_left():
    """The note's example: 72.4 % against 72.6 % agreement leaves .2 to 11.2 points to the model, 16.4 to labels."""
    found = headroom(0.724, 0.726)
    assert tuple(found.from_model) == pytest.approx((0.002, 0.1122), abs=1e-4)
    assert tuple(found.from_labels) == pytest.approx((0.1638, 0.274), abs=1e-4)
    assert found.from_model.low + found.from_labels.high == pytest.approx(1 - 0.724)
    assert found.from_model.high + found.from_labels.low == pytest.approx(1 - 0.724)


def test_headroom_widens_with_the_intervals_and_never_falls_below_nothing():
    narrow = headroom(0.724, 0.726)
    wide = headroom(Estimate(0.724, 0.70, 0.75, 500), Estimate(0.726, 0.70, 0.76, 300))
    assert wide.from_model.low == 0
    assert wide.from_model.high > narrow.from_model.high
    assert tuple(wide.ceiling) == pytest.approx((0.70, (1 + np.sqrt(0.52)) / 2))
    above = headroom(0.95, 0.8)
    assert tuple(above.from_model) == (0, 0)
    assert tuple(above.from_labels) == pytest.approx((0.05, 0.05))


def test_several_labels_an_item_take_the_place_of_the_band():
    found = headroom(0.8, 0.75, best=Estimate(0.84, 0.82, 0.86, 400))
    assert tuple(found.ceiling) == (0.82, 0.86)
    assert tuple(found.from_model) == pytest.approx((0.02, 0.06))
    assert headroom(0.8, 0.75, best=Estimate.missing("few")).ceiling == band(0.75)


def test_no_headroom_without_a_reason():
    assert "less than half" in headroom(0.7, 0.4).from_model.reason
    assert headroom(Estimate.missing("no cases"), 0.8).from_labels == Band(None, None, "no cases")
    assert headroom(0.7, None).ceiling.reason


# ---- concentration ----------------------------------------------------------------------------------------------


def gini_by_pairs(errors, items):
    """The definition over all pairs of items, each with the rate of its cell."""
    rate = errors / items
    gaps = np.abs(rate[:, None] - rate) * np.outer(items, items)
    return gaps.sum() / (2 * errors.sum() / items.sum() * items.sum() ** 2)


def test_gini_and_worst_share_are_their_definitions():
    rng = np.random.default_rng(6)
    items = rng.integers(5, 400, 60)
    errors = rng.binomial(items, rng.beta(1, 9, 60))
    found = concentration(errors, items)
    assert found.gini == pytest.approx(gini_by_pairs(errors, items))
    beyond = errors - items * errors.sum() / items.sum()
    worst = np.argsort(-beyond)[:3]
    assert found.worst == tuple(worst)
    assert found.worst_share == pytest.approx(errors[worst].sum() / errors.sum())
    assert found.worst_items == pytest.approx(items[worst].sum() / items.sum())
    assert found.cells == 60


def test_the_same_average_is_told_apart():
    """5 % wrong everywhere, or everything wrong in one cell of twenty: Gini 0 and 1 - 1/20."""
    items = np.full(20, 1000)
    even, one = np.full(20, 50), np.where(np.arange(20) == 7, 1000, 0)
    assert concentration(even, items).gini == pytest.approx(0)
    assert concentration(even, items).worst_share == pytest.approx(0.05)
    found = concentration(one, items)
    assert found.gini == pytest.approx(0.95)
    assert (found.worst_share, found.worst_items, found.worst) == (1, pytest.approx(0.05), (7,))
    assert found.p_value < 0.01


def test_chance_alone_concentrates_and_is_shown_beside():
    """Cells all alike with few items: Gini far from 0, but as chance has it; p below .05 in 5 of 100 samples."""
    rng = np.random.default_rng(7)
    p, ratio = [], []
    for _ in range(200):
        items = rng.integers(5, 60, 60)
        found = concentration(rng.binomial(items, 0.05), items, samples=99)
        assert found.gini > 0.3
        p.append(found.p_value)
        ratio.append([found.gini / found.gini_chance, found.worst_share / found.worst_chance])
    assert np.mean(ratio, axis=0) == pytest.approx([1, 1], abs=0.03)
    assert 0.015 <= np.mean(np.array(p) <= 0.05) <= 0.09


def test_a_tiny_cell_is_not_the_worst_by_bad_luck():
    items = np.full(40, 500)
    errors = np.full(40, 20)
    items[0], errors[0], errors[1] = 2, 2, 60
    assert concentration(errors, items).worst == (1, 0)
    errors[2] = 40
    assert concentration(errors, items).worst == (1, 2)


def test_no_concentration_without_a_reason():
    assert "fewer than 20 cells" in concentration(np.ones(19), np.ones(19)).reason
    empty = concentration(np.zeros(25), np.r_[np.ones(22), np.zeros(3)])
    assert (empty.cells, empty.gini) == (22, None)
    assert "no errors" in empty.reason
    shifted = concentration(np.r_[np.zeros(20), 5.0], np.r_[np.zeros(1), np.full(20, 9.0)])
    assert shifted.worst == (20,)
    for errors, items in (([2], [1]), ([0.5], [1])):
        with pytest.raises(ValueError, match="whole numbers"):
            concentration(errors, items)
