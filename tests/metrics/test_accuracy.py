"""Accuracy from counts: scikit-learn's definitions written out, coverage where the truth is known, edge cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from metrics import accuracy as acc
from metrics.errors import UnknownName

LABELS = ["none", "mild", "severe"]
MATRIX = np.array([[70, 8, 2], [5, 30, 5], [1, 4, 15]])
counts = st.lists(st.integers(0, 30), min_size=9, max_size=9).map(lambda x: np.reshape(x, (3, 3)))


def covered(estimates, truth):
    return np.mean([e.low <= truth <= e.high for e in estimates])


def cell(table, label, measure):
    return table[(table["label"] == label) & (table["measure"] == measure)].iloc[0]


# ---- the matrix


def test_confusion_keeps_the_declared_order_and_sums_repeats():
    found = acc.confusion(["b", "a", "b", "b"], ["a", "a", "a", "b"], [1, 2, 3, 4], ["b", "a", "c"])
    assert found.tolist() == [[4, 4, 0], [0, 2, 0], [0, 0, 0]]


def test_confusion_refuses_what_is_not_declared_or_does_not_match():
    with pytest.raises(UnknownName, match='did you mean "severe"'):
        acc.confusion(["severe", "sever"], ["none", "none"], [1, 1], LABELS)
    with pytest.raises(ValueError, match="differ in length"):
        acc.confusion(["none"], ["none"], [1, 1], LABELS)


@pytest.mark.parametrize("matrix", [[[1, 2]], [1, 2], [[1, -1], [0, 0]]])
def test_what_is_no_confusion_matrix_is_refused(matrix):
    with pytest.raises(ValueError, match="square"):
        acc.accuracy(matrix)


# ---- measures of a class


@settings(max_examples=40, deadline=None)
@given(counts)
def test_precision_recall_and_f1_follow_from_single_judgements(matrix):
    """Counted judgement by judgement, as scikit-learn does."""
    truth, given_ = np.indices((3, 3)).reshape(2, -1).repeat(matrix.ravel(), axis=1)
    table = acc.by_class(matrix, LABELS)
    for i, label in enumerate(LABELS):
        hit = np.sum((truth == i) & (given_ == i))
        for measure, base in [("precision", np.sum(given_ == i)), ("recall", np.sum(truth == i))]:
            row = cell(table, label, measure)
            assert row["n"] == base
            if base:
                assert row["value"] == pytest.approx(hit / base)
                low, high = proportion_confint(hit, base, method="wilson")
                assert (row["low"], row["high"]) == (pytest.approx(max(low, 0)), pytest.approx(min(high, 1)))
                assert row["reason"] == ""
            else:
                assert np.isnan(row["value"])
                assert row["reason"] in ("this label was never given", "no item has this label")
        row, either = cell(table, label, "f1"), np.sum((truth == i) | (given_ == i))
        both = np.sum(truth == i) + np.sum(given_ == i)
        assert row["n"] == either
        if either:
            assert row["value"] == pytest.approx(2 * hit / both)
            assert 0 <= row["low"] <= row["value"] <= row["high"] <= 1
        else:
            assert row["reason"] == "no item has this label and it was never given"


def test_f1_interval_is_that_of_the_delta_method_when_n_is_large():
    """Takahashi et al. 2022: var F1 from the multinomial gradient, computed here by numerical differences."""
    matrix = MATRIX * 100.0

    def f1(m):
        return 2 * m[1, 1] / (m[1].sum() + m[:, 1].sum())

    share, step = matrix / matrix.sum(), 1e-6
    slope = np.array(
        [
            [(f1(share + step * np.outer(np.eye(3)[i], np.eye(3)[j])) - f1(share)) / step for j in range(3)]
            for i in range(3)
        ]
    )
    error = np.sqrt(((share * slope**2).sum() - (share * slope).sum() ** 2) / matrix.sum())
    row = cell(acc.by_class(matrix, LABELS), "mild", "f1")
    assert (row["high"] - row["low"]) / 2 == pytest.approx(1.96 * error, rel=0.01)
    macro = acc.macro_f1(matrix)
    assert macro.value == pytest.approx(np.mean([cell(acc.by_class(matrix, LABELS), x, "f1")["value"] for x in LABELS]))


@pytest.mark.parametrize("n", [60, 100, 400])
def test_intervals_cover(n):
    """Multinomial samples of a known matrix: F1 of a rare label, macro F1, balanced accuracy, weighted quality."""
    rng = np.random.default_rng(n)
    share = np.array([[0.70, 0.04, 0.01], [0.02, 0.13, 0.01], [0.01, 0.02, 0.06]])
    size = share.sum(0) + share.sum(1)
    f1 = 2 * np.diag(share) / size
    penalty = acc.severity_penalty([0, 1, 3])
    samples = [m for m in rng.multinomial(n, share.ravel(), 2000).reshape(-1, 3, 3) if m.sum(1).min() > 0]
    weighted = 1 - (share * penalty).sum() / 3
    recall = np.mean(np.diag(share) / share.sum(1))
    assert 0.93 <= covered([acc.macro_f1(m) for m in samples], f1.mean()) <= 0.97
    assert 0.93 <= covered([acc.balanced_accuracy(m) for m in samples], recall) <= 0.97
    assert 0.93 <= covered([acc.severity_weighted_quality(m, penalty) for m in samples], weighted) <= 0.97
    rare = [cell(acc.by_class(m, LABELS), "severe", "f1") for m in samples[:600]]
    assert 0.93 <= np.mean([r["low"] <= f1[2] <= r["high"] for r in rare]) <= 0.97


@pytest.mark.parametrize("n", [60, 100, 400])
def test_macro_f1_of_many_labels_covers(n):
    """Six labels, one of them on two items in five; without widening 89 % at 60 judgements."""
    rng = np.random.default_rng(6)
    share = np.array([0.4] + [0.12] * 5)[:, None] * (0.8 * np.eye(6) + 0.2 * rng.dirichlet(np.ones(6), 6))
    f1 = 2 * np.diag(share) / (share.sum(0) + share.sum(1))
    samples = rng.multinomial(n, share.ravel(), 1500).reshape(-1, 6, 6)
    seen = [m for m in samples if (m.sum(0) + m.sum(1)).min() > 0]
    assert 0.93 <= covered([acc.macro_f1(m) for m in seen], f1.mean()) <= 0.97


def test_weighted_quality_covers_where_few_judgements_show_a_fault():
    """40 judgements with a severe fault in a hundred: the variance seen is 0 or nearly so in most samples."""
    rng = np.random.default_rng(5)
    share, penalty = np.array([0.90, 0.07, 0.02, 0.01]), np.array([0, 1, 3, 10])
    found = [acc.severity_weighted_quality(n, penalty) for n in rng.multinomial(40, share, 1000)]
    assert covered(found, 1 - (share * penalty).sum() / 10) >= 0.95


def test_a_design_effect_widens_every_interval_and_moves_no_value():
    for measure in (
        acc.accuracy,
        acc.macro_f1,
        acc.balanced_accuracy,
        lambda m, d: acc.over_enforcement(m, [0, 1, 2], d),
        lambda m, d: acc.under_enforcement(m, [0, 1, 2], d),
        lambda m, d: acc.severity_weighted_quality(m, acc.severity_penalty([0, 1, 2]), design_effect=d),
    ):
        one, four = measure(MATRIX, 1.0), measure(MATRIX, 4.0)
        assert one.value == pytest.approx(four.value)
        assert one.n == four.n
        assert 1.5 < (four.high - four.low) / (one.high - one.low) < 2.1
    one, four = (acc.by_class(MATRIX, LABELS, d) for d in (1.0, 4.0))
    assert ((four["high"] - four["low"]) > 1.6 * (one["high"] - one["low"])).all()


def test_faultless_labels_have_an_interval():
    for measure in (acc.accuracy, acc.macro_f1, acc.balanced_accuracy):
        found = measure(np.diag([50, 30, 20]))
        assert found.value == found.high == 1
        assert 0.85 < found.low < 1


def test_labels_that_never_occur_are_left_out_of_macro_f1():
    padded = np.zeros((4, 4))
    padded[:3, :3] = MATRIX
    assert acc.macro_f1(padded) == acc.macro_f1(MATRIX)
    missing = acc.balanced_accuracy(padded)
    assert (missing.value, missing.reason) == (None, "a declared label is true of no item")


@pytest.mark.parametrize("measure", [acc.accuracy, acc.macro_f1, acc.balanced_accuracy])
def test_no_judgements_give_a_reason(measure):
    found = measure(np.zeros((3, 3)))
    assert (found.value, found.n, found.reason) == (None, 0, "no judgements")


# ---- enforcement and severity


def test_enforcement_of_two_kinds_is_fp_and_fn():
    violating = [False, True, True]
    over, under = acc.over_enforcement(MATRIX, violating), acc.under_enforcement(MATRIX, violating)
    assert (over.value, over.n) == (pytest.approx(10 / 80), 80)
    assert (under.value, under.n) == (pytest.approx(6 / 60), 60)
    assert (over.low, over.high) == pytest.approx(proportion_confint(10, 80, method="wilson"))


def test_enforcement_by_severity_counts_each_step():
    over, under = acc.over_enforcement(MATRIX, [0, 1, 3]), acc.under_enforcement(MATRIX, [0, 1, 3])
    assert (over.value, over.n) == (pytest.approx((8 + 2 + 5) / 120), 120)
    assert (under.value, under.n) == (pytest.approx((5 + 1 + 4) / 60), 60)
    # Turning severity round exchanges the two.
    assert acc.over_enforcement(MATRIX, [0, -1, -3]) == under


def test_enforcement_without_a_base_gives_a_reason():
    only_harmless = [[5, 0], [0, 0]]
    assert acc.under_enforcement(only_harmless, [0, 1]).reason == "no item could be judged too mildly"
    assert acc.over_enforcement([[0, 0], [0, 5]], [0, 1]).reason == "no item could be judged too severely"
    assert acc.over_enforcement(MATRIX, [1, 1, 1]).value is None


def test_weighted_quality_is_one_minus_the_share_of_the_worst():
    found = acc.severity_weighted_quality([90, 6, 3, 1], [0, 1, 3, 10])
    assert found.value == pytest.approx(1 - (6 + 9 + 10) / 1000)
    assert found.n == 100
    assert found.low < found.value < found.high
    assert acc.severity_weighted_quality(MATRIX, acc.severity_penalty([0, 0, 0], same=1)).value == pytest.approx(
        acc.accuracy(MATRIX).value
    )
    assert acc.severity_weighted_quality([0, 0], [0, 1]).reason == "no judgements"


@settings(deadline=None)
@given(counts)
def test_weighted_quality_of_equal_penalties_is_accuracy(matrix):
    found, plain = acc.severity_weighted_quality(matrix, 1 - np.eye(3)), acc.accuracy(matrix)
    assert found.value == (None if plain.value is None else pytest.approx(plain.value))
    if plain.value is not None:
        assert found.low - 1e-12 <= plain.low + 0.1
        assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("wrong", [{"n": [-1, 2], "penalty": [0, 1]}, {"n": [1, 2], "penalty": [0, 0]}])
def test_penalties_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="penalties"):
        acc.severity_weighted_quality(**wrong)


def test_macro_f1_of_one_label_is_its_f1():
    found = acc.macro_f1([[7, 0], [0, 0]])
    assert found.value == found.high == 1
    assert found.low == pytest.approx(2 / (1 + 1 / proportion_confint(7, 7, method="wilson")[0]))


# ---- audits


def audits(rng, draws, n=4000):
    """A population in which risky work is worse and sampled more, and Poisson samples of it."""
    risky = np.arange(n) < n // 4
    right = rng.random(n) < np.where(risky, 0.75, 0.97)
    chance = np.where(risky, 0.12, 0.03)
    return right, 1 / chance, rng.random((draws, n)) < chance


def test_audited_share_covers_where_the_unweighted_share_is_wrong():
    rng = np.random.default_rng(0)
    right, weight, drawn = audits(rng, 1500)
    found = [acc.audited_share(right[d], weight[d]) for d in drawn]
    assert 0.93 <= covered(found, right.mean()) <= 0.97
    assert np.mean([e.value for e in found]) == pytest.approx(right.mean(), abs=0.003)
    assert np.mean([right[d].mean() for d in drawn]) < right.mean() - 0.04


def test_rarely_sampled_bad_work_covers_too():
    """The case in which Kish's n is too large."""
    rng = np.random.default_rng(1)
    rare = np.arange(4000) < 1000
    right = rng.random(4000) < np.where(rare, 0.7, 0.98)
    weight = np.where(rare, 30.0, 8.0)
    drawn = rng.random((3000, 4000)) < 1 / weight
    found = [acc.audited_share(right[d], weight[d]) for d in drawn]
    kish = [
        acc.audited_share_of_sums(weight[d].sum(), (weight * right)[d].sum(), (weight[d] ** 2).sum(), d.sum())
        for d in drawn
    ]
    assert 0.93 <= covered(found, right.mean()) <= 0.97
    assert covered(kish, right.mean()) < covered(found, right.mean())


def test_equal_weights_are_nearly_wilson_whatever_their_size():
    hit = np.arange(200) < 170
    one, seven = (acc.audited_share(hit, np.full(200, w)) for w in (1.0, 7.0))
    assert (one.low, one.high) == pytest.approx((seven.low, seven.high))
    assert (one.low, one.high) == pytest.approx(proportion_confint(170, 200, method="wilson"), abs=2e-3)


def test_sums_give_what_rows_give():
    rng = np.random.default_rng(2)
    hit, w = rng.random(80) < 0.9, rng.uniform(1, 20, 80)
    sums = acc.audited_share_of_sums(w.sum(), (w * hit).sum(), (w**2).sum(), 80, (w**2 * hit).sum())
    rows = acc.audited_share(hit, w)
    assert (rows.value, rows.low, rows.high) == pytest.approx((sums.value, sums.low, sums.high))
    assert rows.n == 80


def test_audits_that_all_agree_and_no_audits():
    found = acc.audited_share(np.ones(30), np.full(30, 5.0))
    assert found.value == found.high == 1
    assert 0.8 < found.low < 0.9
    assert acc.audited_share([], []).reason == "no audits"
    assert acc.audited_share([True], [4.0]).low < 0.2


def test_weights_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="inverse probability"):
        acc.audited_share([1, 1], [1.0, 0.0])
    with pytest.raises(ValueError, match="differ in length"):
        acc.audited_share([1, 1], [1.0])
