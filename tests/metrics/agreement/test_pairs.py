"""Cohen of two raters and of every two, Conger of a panel: other packages, by hand, and what cannot be said."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats import inter_rater

from metrics.agreement import (
    cohen_kappa,
    cohen_kappa_of_table,
    conger_kappa,
    pair_matrix,
    pairwise,
    percent_agreement,
    scott_pi,
)
from metrics.errors import UnknownName
from metrics.intervals import wilson
from tests.shared_data import needs_shared, real, rows_of_table

from .examples import ABSTRACTORS, DIAGNOSIS, RAW_4RATERS, SCALE, ends, rows

SAME = "no variation: every rating is the same label"


# ---- Cohen


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=16, max_size=16),
    st.sampled_from([("identity", None), ("linear", "linear"), ("quadratic", "fc")]),
)
def test_cohen_equals_statsmodels_on_any_table(cells, weights):
    """Value and the published error of Fleiss, Cohen and Everitt, by the normal quantile whatever n."""
    ours, theirs = weights
    table = np.array(cells).reshape(4, 4)
    n = table.sum()
    assume(n >= 2 and np.count_nonzero(table.sum(0) + table.sum(1)) > 1)
    with np.errstate(all="ignore"):  # statsmodels divides by 0 where a rater gives one label alone
        expected = inter_rater.cohens_kappa(table, wt=theirs)
    found = cohen_kappa_of_table(table, ours, interval="asymptotic")
    if found.value is None:
        assert not np.isfinite(expected.kappa)
        return
    assert found.value == pytest.approx(expected.kappa, abs=1e-9)
    # statsmodels has the root of a rounding error, of either sign, where all items fill one cell of each row.
    if found.low is not None and np.isfinite(expected.std_kappa):
        half = 1.959963984540054 * expected.std_kappa
        assert ends(found) == pytest.approx(np.clip([found.value - half, found.value + half], -1, 1), abs=1e-6)


@pytest.mark.parametrize(("ours", "theirs"), [("identity", None), ("linear", "linear"), ("quadratic", "fc")])
@pytest.mark.parametrize("n", [1, 5])
def test_score_ends_are_one_quantile_away_by_the_error_that_would_hold_there(ours, theirs, n):
    """statsmodels' error of the table mixed until its kappa is the end: with chance below, with agreement above."""
    z = 1.959963984540054
    skew, even = np.array([[9, 2, 1], [1, 6, 3], [0, 1, 5]]) * n, np.array([[9, 2, 1], [2, 6, 2], [1, 2, 5]]) * n
    for table in (skew, even):
        found = cohen_kappa_of_table(table, ours)
        total = table.sum()
        chance = np.outer(table.sum(1), table.sum(0)) / total
        below = inter_rater.cohens_kappa(table + (1 - found.low / found.value) * (chance - table), wt=theirs)
        assert below.kappa == pytest.approx(found.low)
        assert found.value - found.low == pytest.approx(z * below.std_kappa, rel=1e-6)
    # With equal shares the mixture with agreement keeps them, and its kappa moves in proportion.
    perfect = np.diag(even.sum(1))
    share = (found.high - found.value) / (1 - found.value)
    above = inter_rater.cohens_kappa(even + share * (perfect - even), wt=theirs)
    assert above.kappa == pytest.approx(found.high)
    assert found.high - found.value == pytest.approx(z * above.std_kappa, rel=1e-6)


def test_score_and_published_interval_meet_when_n_is_large():
    for weights in ("identity", "linear", "quadratic"):
        score, published = (
            cohen_kappa_of_table(DIAGNOSIS * 10_000, weights, interval=x) for x in ("score", "asymptotic")
        )
        assert ends(score) - score.value == pytest.approx(ends(published) - score.value, rel=0.01)


def test_score_ends_stay_in_range_and_below_chance_too():
    for table in ([[0, 5], [5, 0]], [[3, 2], [2, 1]], [[1, 3], [4, 1]], [[2, 2], [2, 2]], [[9, 0], [1, 0]]):
        found = cohen_kappa_of_table(table)
        assert -1 <= found.low <= found.value <= found.high <= 1
        assert found.high - found.low > 0.3
    with pytest.raises(UnknownName, match="interval"):
        cohen_kappa_of_table([[1, 1], [1, 1]], interval="scored")


def test_rows_and_their_table_give_the_same():
    for table in (ABSTRACTORS, DIAGNOSIS):
        for weights in ("identity", "linear", "quadratic", "ordinal_gwet"):
            assert cohen_kappa(*rows_of_table(table), weights) == cohen_kappa_of_table(table, weights)


def test_only_items_of_both_raters_count():
    item, rater, label = rows(["11", "12", "22", "1-", "2-", "-1", "22"])
    found = cohen_kappa(item, rater, label)
    assert found == cohen_kappa_of_table([[1, 1], [0, 2]])
    assert found.n == 4


def test_scales_take_their_values_or_their_declared_order():
    """sklearn's quadratic kappa uses positions whatever the labels mean: .667 where the labels' values give .486."""
    item, rater, label = rows(["11", "12", "22", "33", "13", "31"])
    values = np.array([0, 1, 2, 10])[label]
    names = np.array(["", "low", "middle", "high"])[label]
    table = [[1, 1, 1], [0, 1, 0], [1, 0, 1]]
    assert cohen_kappa(item, rater, values, "linear") == cohen_kappa_of_table(table, "linear", [1, 2, 10])
    by_name = cohen_kappa(item, rater, names, "linear", ["low", "middle", "high"])
    assert by_name == cohen_kappa_of_table(table, "linear")
    with pytest.raises(ValueError, match="declared in order"):
        cohen_kappa(item, rater, names, "quadratic")


def test_two_raters_are_named_where_there_are_more():
    typed = rows(RAW_4RATERS)
    assert "name the two" in cohen_kappa(*typed).reason
    found = cohen_kappa(*typed, raters=(0, 2))
    assert found.n == 8
    assert cohen_kappa(*typed, raters=(2, 0)) == found
    assert cohen_kappa(*typed, raters=(0, 9)).reason == "fewer than two raters"


def test_undefined_kappas_say_why():
    assert cohen_kappa([], [], []).reason == "no rated items"
    assert cohen_kappa([1, 2], [1, 1], ["a", "b"]).reason == "fewer than two raters"
    assert cohen_kappa([1, 2], [1, 2], ["a", "b"]).reason == "no item was rated by both"
    assert cohen_kappa_of_table([[0, 1], [0, 0]]).reason == "only one item has two ratings"
    # nltk gives 1 here, sklearn and statsmodels NaN.
    assert cohen_kappa_of_table([[5, 0], [0, 0]]).reason == SAME
    assert cohen_kappa_of_table([[5]]).reason == "fewer than two labels are declared"
    assert "do not differ" in cohen_kappa_of_table([[2, 1, 0], [1, 2, 0], [0, 0, 0]], "linear", [1, 1, 5]).reason
    assert "needs numbers" in cohen_kappa_of_table(np.ones((2, 2)), "linear", ["a", "b"]).reason
    for wrong in ([[1, 2]], [1, 2], [[1, -1], [0, 1]]):
        with pytest.raises(ValueError, match="table of two raters"):
            cohen_kappa_of_table(wrong)


def test_perfect_agreement_is_1_with_a_lower_end_by_score_and_none_as_published():
    table = np.array([[3, 0], [0, 7]])
    found = cohen_kappa_of_table(table)
    assert (found.value, found.high) == (1.0, 1.0)
    mixed = table + (1 - found.low) * (np.outer([3, 7], [3, 7]) / 10 - table)
    assert 1 - found.low == pytest.approx(1.959963984540054 * inter_rater.cohens_kappa(mixed).std_kappa, rel=1e-6)
    published = cohen_kappa_of_table(table, interval="asymptotic")
    assert (published.value, published.low, published.high) == (1.0, None, None)


# ---- every two raters


def test_pairs_are_cohen_and_percent_agreement_of_the_two():
    item, rater, label = rows(RAW_4RATERS)
    for weights in ("identity", "quadratic"):
        kappas = pairwise(item, rater, label, weights=weights, labels=SCALE)
        shares = pairwise(item, rater, label, "percent_agreement", weights, SCALE)
        assert list(zip(kappas["rater"], kappas["other"], strict=True)) == list(combinations(range(4), 2))
        for (a, b), (_, kappa), (_, share) in zip(
            combinations(range(4), 2), kappas.iterrows(), shares.iterrows(), strict=True
        ):
            two = np.isin(rater, [a, b])
            expected = cohen_kappa(item[two], rater[two], label[two], weights, SCALE)
            assert [kappa["value"], kappa["low"], kappa["high"], kappa["n"]] == pytest.approx(
                [expected.value, expected.low, expected.high, expected.n], nan_ok=True
            )
            agreed = percent_agreement(item[two], rater[two], label[two], SCALE, weights=weights)
            assert (share["value"], share["n"]) == (pytest.approx(agreed.value), agreed.n)
            low, high = (float(x[0]) for x in wilson(agreed.value * agreed.n, agreed.n)[1:])
            assert [share["low"], share["high"]] == pytest.approx([low, high])


def test_pairs_without_a_number_keep_their_reason():
    item = [1, 1, 2, 2, 3, 3, 4]
    rater = ["a", "b", "a", "b", "b", "c", "d"]
    found = pairwise(item, rater, ["x", "x", "x", "x", "x", "y", "y"])
    assert found[["rater", "other"]].to_numpy().tolist() == [["a", "b"], ["b", "c"]]
    assert found["reason"].tolist() == [SAME, "only one item has two ratings"]
    assert found[["value", "low", "high"]].isna().all(axis=None)
    assert found["n"].tolist() == [2, 1]
    assert pairwise([], [], []).empty
    assert pairwise([1, 2], [1, 1], ["x", "y"]).empty
    with pytest.raises(UnknownName, match="cohen_kappa"):
        pairwise(item, rater, list("xxxxxyy"), "cohens_kappa")


def test_the_square_of_pairs():
    item, rater, label = ["i", "i", "j", "j", "k", "k", "k"], list("bababca"), list("xxyyxxy")
    pairs = pairwise(item, rater, label, "percent_agreement")
    square = pair_matrix(pairs)
    assert square.raters == ("a", "b", "c")
    assert square.n.tolist() == [[0, 3, 1], [3, 0, 1], [1, 1, 0]]
    value = np.array([[np.nan, 2 / 3, 0], [2 / 3, np.nan, 1], [0, 1, np.nan]])
    assert square.value == pytest.approx(value, nan_ok=True)


def test_mean_percent_agreement_of_pairs_is_percent_agreement_of_complete_data():
    typed = rows(RAW_4RATERS[1:9])
    pairs = pairwise(*typed, "percent_agreement")
    assert pairs["value"].mean() == pytest.approx(percent_agreement(*typed).value)


# ---- Conger


def test_conger_of_two_raters_is_cohen():
    for table in (ABSTRACTORS, DIAGNOSIS):
        for weights in ("identity", "quadratic"):
            typed = rows_of_table(table)
            assert conger_kappa(*typed, weights).value == pytest.approx(cohen_kappa(*typed, weights).value)
            assert ends(conger_kappa(*typed, weights)) == pytest.approx(ends(cohen_kappa(*typed, weights)), abs=5e-3)
            published = cohen_kappa(*typed, weights, interval="asymptotic")
            printed = conger_kappa(*typed, weights, interval="irrcac")
            assert ends(printed) == pytest.approx(ends(published), abs=5e-3)


def test_congers_chance_is_the_mean_over_pairs_of_cohens():
    item, rater, label = rows(RAW_4RATERS)
    share = np.array([np.bincount(label[rater == r], minlength=6) / (rater == r).sum() for r in range(4)])
    chance = np.mean([share[a] @ share[b] for a, b in combinations(range(4), 2)])
    observed = percent_agreement(item, rater, label).value
    assert conger_kappa(item, rater, label).value == pytest.approx((observed - chance) / (1 - chance))


def test_conger_tells_habits_from_disagreement():
    """One rater says "b" where the other says "a" more often: Conger credits what Scott takes for agreement missed."""
    typed = rows_of_table(np.array([[40, 30], [0, 30]]))
    assert conger_kappa(*typed).value > scott_pi(*typed).value + 0.02


@needs_shared
def test_conger_of_hs_brexit_is_nltks_multi_kappa():
    """nltk's kappa() is the mean of the pairwise kappas (.3466); multi_kappa() is Conger's."""
    data = real("lewidi/HS-Brexit")
    assert conger_kappa(*data).value == pytest.approx(0.354528, abs=1e-6)
    assert pairwise(*data)["value"].mean() == pytest.approx(0.346643, abs=1e-6)


def test_undefined_congers_say_why():
    assert conger_kappa([], [], []).reason == "no rated items"
    assert conger_kappa([1, 2], [1, 1], ["a", "b"]).reason == "fewer than two raters"
    assert conger_kappa([1, 2], [1, 2], ["a", "b"]).reason == "no item has two ratings"
    assert conger_kappa([1, 1], [1, 2], ["a", "b"]).reason == "only one item has two ratings"
    assert conger_kappa([1, 1, 2, 2], [1, 2, 1, 2], ["a"] * 4).reason == "fewer than two labels are declared"
    # irrCAC gives NaN.
    assert conger_kappa([1, 1, 2, 2], [1, 2, 1, 2], ["a"] * 4, labels=["a", "b"]).reason == SAME
    same = np.ones((2, 2))
    assert "do not differ" in conger_kappa([1, 1, 2, 2], [1, 2, 1, 2], list("abab"), same, ["a", "b"]).reason
    with pytest.raises(UnknownName, match="irrcac"):
        conger_kappa([1], [1], ["a"], interval="gwet")
    with pytest.raises(ValueError, match="needs the labels declared"):
        conger_kappa([1], [1], ["a"], np.eye(1))
