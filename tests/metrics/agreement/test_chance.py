"""Percent agreement, Scott, Fleiss, AC1, AC2, Brennan-Prediger: other packages on any data, and what cannot be said."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import binom, chi2, norm
from statsmodels.stats import inter_rater
from statsmodels.stats.proportion import proportion_confint

from metrics.agreement import (
    agreement_weights,
    alpha_of_patterns,
    brennan_prediger,
    brennan_prediger_of_patterns,
    fleiss_kappa,
    fleiss_kappa_of_patterns,
    gwet_ac1,
    gwet_ac1_of_patterns,
    gwet_ac2,
    gwet_ac2_of_patterns,
    percent_agreement,
    percent_agreement_of_patterns,
    scott_pi,
    scott_pi_of_patterns,
)
from metrics.errors import UnknownName
from metrics.patterns import Patterns
from tests.shared_data import rows_of_table

from .examples import RAW_4RATERS, SCALE, ends, patterns, rows, simulated

OF_PATTERNS = [
    percent_agreement_of_patterns,
    fleiss_kappa_of_patterns,
    gwet_ac1_of_patterns,
    gwet_ac2_of_patterns,
    brennan_prediger_of_patterns,
]
BEYOND_CHANCE = OF_PATTERNS[1:]


def test_percent_agreement_of_raw_4raters():
    """irrCAC: .818182 over the 11 items with two ratings or more."""
    found = percent_agreement(*rows(RAW_4RATERS))
    assert (found.value, found.n) == (pytest.approx(0.818182, abs=1e-6), 11)


def test_the_kappa_paradox():
    """118, 5, 2, 0: all are right, so p_a and AC1 stand beside kappa (shared/notes/statistics.md, section 5)."""
    typed = rows_of_table(np.array([[118, 5], [2, 0]]))
    for coefficient, value in (
        (percent_agreement, 0.944),
        (scott_pi, -0.029),
        (fleiss_kappa, -0.029),
        (gwet_ac1, 0.941),
        (brennan_prediger, 0.888),
    ):
        assert coefficient(*typed).value == pytest.approx(value, abs=6e-4)
    assert alpha_of_patterns(Patterns([[2, 0], [1, 1]], [118, 7])).value == pytest.approx(-0.025, abs=6e-4)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=5, max_size=5), min_size=2, max_size=12))
def test_fleiss_and_randolph_equal_statsmodels_on_complete_data(labels):
    """statsmodels refuses unequal numbers of ratings (AssertionError); the generalised form is Gwet's."""
    counts = np.array([np.bincount(row, minlength=4) for row in labels])
    assume(np.count_nonzero(counts.sum(axis=0)) > 1)
    counted = Patterns(counts, np.ones(len(counts)))
    for ours, method in ((fleiss_kappa_of_patterns, "fleiss"), (brennan_prediger_of_patterns, "randolph")):
        assert ours(counted).value == pytest.approx(inter_rater.fleiss_kappa(counts, method=method), abs=1e-9)


@pytest.mark.parametrize("raters", [2, 4])
def test_alpha_is_fleiss_kappa_with_its_small_sample_term(raters):
    """Complete data: 1 - alpha = (1 - kappa)(1 - 1/n). Both right: .34736 and .34746 on HS-Brexit differ by that."""
    counted = simulated(50, raters=raters)
    n = counted.n_ratings
    kappa, alpha = fleiss_kappa_of_patterns(counted).value, alpha_of_patterns(counted).value
    assert 1 - alpha == pytest.approx((1 - kappa) * (1 - 1 / n))


@pytest.mark.parametrize("coefficient", BEYOND_CHANCE)
def test_single_rated_items_count_in_the_marginals_and_nowhere_else(coefficient):
    """irrCAC's rule, which matches R; alpha drops them."""
    counted = patterns(RAW_4RATERS)
    paired = counted.ratings >= 2
    pairable = Patterns(counted.counts[paired], counted.items[paired])
    assert percent_agreement_of_patterns(counted) == percent_agreement_of_patterns(pairable)
    same = coefficient is brennan_prediger_of_patterns
    assert (coefficient(counted).value == pytest.approx(coefficient(pairable).value)) == same


@pytest.mark.parametrize("coefficient", OF_PATTERNS)
def test_repeated_rows_of_patterns_are_one(coefficient):
    counted = patterns(RAW_4RATERS)
    split = Patterns(np.vstack([counted.counts, counted.counts]), np.r_[counted.items / 2, counted.items / 2])
    first, second = coefficient(counted), coefficient(split)
    assert [second.value, *ends(second)] == pytest.approx([first.value, *ends(first)])


@pytest.mark.parametrize("coefficient", BEYOND_CHANCE)
def test_irrcacs_interval_is_ours_when_pairable_items_are_many(coefficient):
    counted = simulated(20_000)
    printed = ends(coefficient(counted, interval="irrcac"))
    assert ends(coefficient(counted)) == pytest.approx(printed, abs=0.02 * np.ptp(printed))
    single = simulated(1000, kept=0.95, overlap=0.2)
    assert np.ptp(ends(coefficient(single))) < 0.7 * np.ptp(ends(coefficient(single, interval="irrcac")))


def fewest_apart(apart, n):
    """The low end of a share of few: Wilson's bound, shifted by Gart and Nam's skewness, less so towards 3 expected."""
    quantile = norm.ppf(0.975)

    def beyond(p):
        error, skewness = (p * (1 - p) / n) ** 0.5, (1 - 2 * p) / (n * p * (1 - p)) ** 0.5
        shift = skewness * (quantile**2 - 1) / 6 * max(1 - n * p / (1 - p) / np.log(20), 0)
        return apart / n - p - (quantile + shift) * error

    return brentq(beyond, 1e-9, apart / n)


@pytest.mark.parametrize("agreed", [0, 1, 9, 22, 26, 27, 28, 29, 30])
def test_of_two_ratings_percent_agreement_has_wilsons_interval_with_a_longer_end_where_few_differ(agreed):
    counted = Patterns([[2, 0], [1, 1], [1, 0]], [agreed, 30 - agreed, 5])
    low, high = proportion_confint(agreed, 30, method="wilson")
    if agreed in (26, 27, 28, 29):
        assert high < 1 - fewest_apart(30 - agreed, 30)
        high = 1 - fewest_apart(30 - agreed, 30)
    assert ends(percent_agreement_of_patterns(counted)) == pytest.approx([low, high], abs=1e-9)


def test_of_many_items_the_ends_near_1_are_those_of_brown_cai_and_dasgupta():
    """Theirs of a Poisson mean of 1, 2 and 3 counts, half a chi-square's 5 % point; Wilson's are .177, .548, 1.02."""
    for apart in (1, 2, 3):
        found = percent_agreement_of_patterns(Patterns([[2, 0], [1, 1]], [100_000 - apart, apart]))
        assert 100_000 * (1 - found.high) == pytest.approx(chi2.ppf(0.05, 2 * apart) / 2, abs=0.05)


@pytest.mark.parametrize("n", [30, 50, 100])
def test_of_two_ratings_percent_agreement_covers_what_a_count_can(n):
    """Exactly, over every truth: 92 to 98, and more only where one outcome less would be less than 94.5."""
    found = [percent_agreement_of_patterns(Patterns([[2, 0], [1, 1]], [n - apart, apart])) for apart in range(n + 1)]
    truth = np.linspace(0.0005, 0.5, 1500)
    chance = binom.pmf(np.arange(n + 1)[:, None], n, truth)
    low, high = 1 - np.array([[f.high for f in found], [f.low for f in found]])
    holds = (low[:, None] <= truth) & (truth <= high[:, None])
    held = (chance * holds).sum(axis=0)
    assert held.min() > 0.92
    assert held[n * truth < 2].min() > 0.94
    assert 0.945 < held.mean() < 0.96
    outermost = np.array([holds.argmax(axis=0), n - holds[::-1].argmax(axis=0)])
    without = held - np.take_along_axis(chance, outermost, axis=0).min(axis=0)
    assert without[held > 0.98].max() < 0.945


def test_labels_declared_but_never_used_move_ac1_and_brennan_prediger_alone():
    typed = rows(["112", "221", "11-", "222", "1-1"])
    for coefficient in (gwet_ac1, brennan_prediger):
        assert coefficient(*typed, labels=SCALE).value > coefficient(*typed).value + 0.01
    for coefficient in (percent_agreement, fleiss_kappa):
        assert coefficient(*typed, labels=SCALE) == coefficient(*typed)


def test_names_of_a_scale_count_in_their_declared_order():
    """sklearn and irrCAC sort them by the alphabet."""
    item, rater, label = rows(RAW_4RATERS)
    names = np.array(["", "none", "mild", "grave", "dire", "worst"])
    for coefficient in (fleiss_kappa, gwet_ac2, brennan_prediger):
        for weights in ("linear", "quadratic", "ordinal_gwet"):
            by_number = coefficient(item, rater, label, weights, SCALE)
            by_name = coefficient(item, rater, names[label], weights, names[1:].tolist())
            assert by_name == by_number
            with pytest.raises(ValueError, match="declared in order"):
                coefficient(item, rater, names[label], weights)


def test_numbers_count_by_their_distance():
    """Labels 1, 2, 10: a 1 beside a 2 is nearly right. Positions would put 2 half way."""
    item, rater, label = rows(["11", "12", "22", "33", "13", "31"])
    values = np.array([0, 1, 2, 10])[label]
    by_value = fleiss_kappa(item, rater, values, "linear").value
    counted = Patterns.of(item, label - 1, 3)
    assert by_value == fleiss_kappa_of_patterns(counted, "linear", [1, 2, 10]).value
    assert by_value != fleiss_kappa_of_patterns(counted, "linear").value


def test_a_matrix_of_weights_is_as_good_as_its_name():
    typed = rows(RAW_4RATERS)
    matrix = agreement_weights("quadratic", 5)
    assert gwet_ac2(*typed, matrix, SCALE) == gwet_ac2(*typed, "quadratic", SCALE)
    with pytest.raises(ValueError, match="needs the labels declared"):
        fleiss_kappa(*typed, matrix)


def test_several_projects_are_pooled_by_items():
    first, second = simulated(30), simulated(20, labels=5)
    pooled = percent_agreement_of_patterns(first, second)
    a, b = percent_agreement_of_patterns(first), percent_agreement_of_patterns(second)
    assert (pooled.value, pooled.n) == (pytest.approx((30 * a.value + 20 * b.value) / 50), 50)


# ---- what cannot be said

NONE, ONE, NO_PAIR, SAME = (
    "no rated items",
    "only one item has two ratings",
    "no item has two ratings",
    "no variation: every rating is the same label",
)


@pytest.mark.parametrize(
    ("units", "percent", "fleiss", "ac1", "even"),
    [
        ([], NONE, NONE, NONE, NONE),
        (["1", "2", "2"], NO_PAIR, NO_PAIR, NO_PAIR, NO_PAIR),
        (["12", "2"], 0.0, ONE, ONE, ONE),
        (["111", "11", "11"], 1.0, SAME, 1.0, 1.0),
    ],
)
def test_undefined_cases_say_why(units, percent, fleiss, ac1, even):
    """irrCAC gives Fleiss 1 with a standard error of 0 where every rating is the same label; statsmodels NaN."""
    counted = patterns(units) if units else Patterns(np.zeros((0, 5), int), np.zeros(0))
    expected = [percent, fleiss, ac1, ac1, even]
    found = [coefficient(counted) for coefficient in OF_PATTERNS]
    assert [f.reason or f.value for f in found] == expected
    assert all((f.low is None) == (f.value is None) for f in found)


def test_perfect_agreement_is_1_and_its_interval_says_from_how_few_items():
    counted = patterns(["111", "222", "11", "333"])
    many = Patterns(counted.counts, 100 * counted.items)
    for coefficient in OF_PATTERNS:
        found = coefficient(counted)
        assert (found.value, found.high) == (1.0, 1.0)
        assert found.low < 0.75 < 0.97 < coefficient(many).low < 1
        assert coefficient(counted, interval="irrcac").low is None


def test_two_declared_labels_are_needed():
    one = Patterns(np.array([[2], [3]]), np.ones(2))
    for coefficient in BEYOND_CHANCE:
        assert coefficient(one).reason == "fewer than two labels are declared"
    assert gwet_ac1([0, 0, 1, 1], [0, 1, 0, 1], ["ok"] * 4).reason == "fewer than two labels are declared"
    assert gwet_ac1([0, 0, 1, 1], [0, 1, 0, 1], ["ok"] * 4, ["ok", "hate"]).value == 1


def test_labels_that_do_not_differ_on_the_scale():
    counted = Patterns([[1, 1, 0], [2, 0, 0], [0, 2, 0]], [3, 2, 4])
    assert "do not differ" in fleiss_kappa_of_patterns(counted, "linear", [1, 1, 2]).reason
    assert "do not differ" in gwet_ac2_of_patterns(counted, "linear", [1, 1, 1]).reason
    assert "needs numbers" in brennan_prediger_of_patterns(counted, "linear", list("abc")).reason
    assert "needs numbers" in percent_agreement_of_patterns(counted, weights="linear", values=list("abc")).reason


def test_scotts_pi_is_of_two_raters():
    assert "two raters" in scott_pi(*rows(RAW_4RATERS)).reason
    assert "two raters" in scott_pi_of_patterns(patterns(RAW_4RATERS)).reason
    # Never more than two ratings on an item, but three raters.
    assert "two raters" in scott_pi([1, 1, 2, 2], [1, 2, 2, 3], list("abab")).reason
    assert scott_pi([], [], []).reason == NONE


def test_coefficients_far_below_chance_are_not_cut_off():
    """Two items that disagree among thousands rated once: p_e is near 1, and kappa is -499.5 by its formula."""
    counted = Patterns([[1, 1], [1, 0]], [2, 1998])
    pi = 1 / 2000
    expected = 1 - 1 / (1 - pi**2 - (1 - pi) ** 2)
    assert fleiss_kappa_of_patterns(counted).value == pytest.approx(expected)


def test_unknown_names_are_refused():
    counted = patterns(RAW_4RATERS)
    for coefficient in BEYOND_CHANCE:
        with pytest.raises(UnknownName, match="irrcac"):
            coefficient(counted, interval="irrCAC2")
    with pytest.raises(UnknownName, match="quadratic"):
        gwet_ac2_of_patterns(counted, "quadratc")


def test_no_rows_are_no_rated_items():
    for coefficient in (percent_agreement, fleiss_kappa, gwet_ac1, gwet_ac2, brennan_prediger):
        assert coefficient([], [], []).reason == NONE
        assert coefficient([], [], [], labels=["a", "b"]).reason == NONE
