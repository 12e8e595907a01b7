"""Krippendorff's alpha: another package on any data, its intervals, several projects, and what cannot be said."""

import krippendorff
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metrics import agreement
from metrics.agreement import (
    agreement_weights,
    alpha_of_patterns,
    krippendorff_alpha,
    stratified_alpha,
    tally,
)
from metrics.agreement.alpha import Disagreement
from metrics.errors import UnknownName
from metrics.patterns import Patterns
from tests.shared_data import needs_shared, real

from .examples import NUMERIC_LEVELS, RAW_4RATERS, SCALE, ends, patterns, rows, simulated

SETS = [
    ("hate", "hate", "hate|threat"),
    ("spam", "spam", "spam"),
    ("hate|threat", "threat", "threat"),
    ("spam", "spam|fraud", "fraud"),
    ("hate", "spam", "hate"),
    ("threat", "threat", "threat"),
    ("spam|fraud", "spam|fraud", "spam|fraud"),
]


@pytest.mark.parametrize(("distance", "value"), [("masi", 0.5705521472392638), ("jaccard", 0.6153846153846154)])
def test_alpha_of_label_sets_equals_nltks(distance, value):
    """nltk 3.10.4, AnnotationTask(..., distance=masi_distance | jaccard_distance).alpha()."""
    item, rater, label = zip(*[(i, r, x) for i, row in enumerate(SETS) for r, x in enumerate(row)], strict=True)
    assert krippendorff_alpha(item, rater, label, "set", set_distance=distance).value == pytest.approx(value, abs=1e-12)
    as_sets = [frozenset(x.split("|")) for x in label]
    found = krippendorff_alpha(item, rater, as_sets, "set", set_distance=distance)
    assert found.value == pytest.approx(value, abs=1e-12)


def test_empty_label_sets_agree_with_one_another_and_with_nothing_else():
    """Two empty sets 0, one empty 1: the same as a nominal scale of two labels."""
    item, rater, label = [0, 0, 1, 1, 2, 2, 3, 3], [0, 1] * 4, ["", "", "", "a", "a", "a", "a", "a"]
    for distance in ("masi", "jaccard"):
        found = krippendorff_alpha(item, rater, label, "set", set_distance=distance)
        assert found.value == pytest.approx(krippendorff_alpha(item, rater, label).value)


@needs_shared
def test_hs_brexit_by_every_interval():
    """statistics.md section 4: analytic .3084 to .3865; items one by one .3079 to .3886; patterns .3081 to .3865."""
    counted = tally(*real("lewidi/HS-Brexit")).patterns
    assert len(counted.counts) == 7
    for interval in ("linearised", "irrcac", "bootstrap"):
        found = alpha_of_patterns(counted, interval=interval, draws=20_000)
        assert found.value == pytest.approx(0.347462, abs=1e-6)
        assert ends(found) == pytest.approx([0.3082, 0.3865], abs=1e-3)


# ---- another package on any data


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 6).flatmap(
        lambda q: st.lists(st.lists(st.integers(0, 4), min_size=q, max_size=q), min_size=2, max_size=12)
    ),
    st.sampled_from(NUMERIC_LEVELS),
)
def test_alpha_equals_the_krippendorff_package(counts, level):
    """Live oracle on any label counts, single-rated and unrated items and unused labels included."""
    counts = np.array(counts)
    pairable = counts[counts.sum(axis=1) >= 2]
    assume(len(pairable) >= 2 and np.count_nonzero(pairable.sum(axis=0)) >= 2)
    values = np.arange(counts.shape[1]) * 2.0
    expected = krippendorff.alpha(value_counts=pairable, value_domain=values, level_of_measurement=level)
    found = alpha_of_patterns(Patterns(counts, np.ones(len(counts))), level, values, interval="none")
    assert found.value == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=2, max_size=10))
def test_masi_alpha_equals_the_krippendorff_package_with_its_distances(counts):
    """Distances by hand (Passonneau 2006): {a} {b} 1; {a} {a,b} 1 - 1/2·2/3; {a,b} {b,c} 1 - 1/3·1/3."""
    masi = np.array([[0, 1, 2 / 3, 1], [1, 0, 2 / 3, 2 / 3], [2 / 3, 2 / 3, 0, 8 / 9], [1, 2 / 3, 8 / 9, 0]])
    counts = np.array(counts)
    pairable = counts[counts.sum(axis=1) >= 2]
    assume(len(pairable) >= 2 and np.count_nonzero(pairable.sum(axis=0)) >= 2)
    expected = krippendorff.alpha(
        value_counts=pairable,
        value_domain=np.arange(4.0),
        level_of_measurement=lambda v1, v2, i1, i2, n_v, dtype=float: masi[i1, i2],
    )
    found = alpha_of_patterns(Patterns(counts, np.ones(len(counts))), "set", ["a", "b", "a|b", "b|c"], interval="none")
    assert found.value == pytest.approx(expected, abs=1e-9)


# ---- what must not matter


def test_scales_of_other_units_change_nothing_at_the_interval_level():
    counted = patterns(RAW_4RATERS)
    first = alpha_of_patterns(counted, "interval", SCALE)
    second = alpha_of_patterns(counted, "interval", [10 + 7 * x for x in SCALE])
    assert [second.value, *ends(second)] == pytest.approx([first.value, *ends(first)])


def test_an_ordinal_scale_depends_on_order_alone():
    counted = patterns(RAW_4RATERS)
    assert alpha_of_patterns(counted, "ordinal", ["a", "b", "c", "d", "e"]) == alpha_of_patterns(counted, "ordinal")
    backwards = Patterns(counted.counts[:, ::-1], counted.items)
    shuffled = Patterns(counted.counts[:, [2, 0, 1, 4, 3]], counted.items)
    value = alpha_of_patterns(counted, "ordinal").value
    assert alpha_of_patterns(backwards, "ordinal").value == pytest.approx(value)
    assert abs(alpha_of_patterns(shuffled, "ordinal").value - value) > 0.01


@pytest.mark.parametrize("level", ["nominal", "interval", "ratio"])
def test_a_duplicate_of_every_item_leaves_observed_disagreement_unchanged(level):
    """D_o stays, and D_e moves only by n(n - 1): alpha follows from the coincidences of one copy."""
    counted = patterns(RAW_4RATERS)
    doubled = Patterns(counted.counts, 2 * counted.items)
    n = counted.coincidences().sum()
    once, twice = (1 - alpha_of_patterns(p, level, SCALE, interval="none").value for p in (counted, doubled))
    assert twice / once == pytest.approx((2 * n - 1) / (2 * (n - 1)))


# ---- what cannot be said


@pytest.mark.parametrize(
    ("units", "reason"),
    [
        ([], "no rated items"),
        (["1", "2", "2"], "no item has two ratings"),
        (["12", "2"], "only one item has two ratings"),
        (["111", "11", "11"], "no variation: every rating is the same label"),
    ],
)
def test_undefined_cases_say_why(units, reason):
    """krippendorff raises or gives NaN, nltk and irrCAC give 1 where there is no variation: none of these is known."""
    counted = patterns(units) if units else Patterns(np.zeros((0, 5), int), np.zeros(0))
    for level in NUMERIC_LEVELS:
        assert alpha_of_patterns(counted, level, SCALE).reason == reason


def test_perfect_agreement_is_1_with_a_score_interval_alone():
    """irrCAC gives it a standard error and a p-value of 0."""
    counted = patterns(["111", "222", "11", "333"])
    for level in NUMERIC_LEVELS:
        found = alpha_of_patterns(counted, level, SCALE)
        assert (found.value, found.high) == (1.0, 1.0)
        assert found.low < 0.75
        for interval in ("bootstrap", "linearised", "irrcac"):
            found = alpha_of_patterns(counted, level, SCALE, interval=interval)
            assert (found.value, found.low, found.high) == (1.0, None, None)


def test_items_that_all_disagree_alike_have_no_interval():
    counted = patterns(["12", "12", "12"])
    for interval in ("bootstrap", "linearised", "irrcac"):
        found = alpha_of_patterns(counted, interval=interval)
        assert found.value < 0
        assert found.low is None


def test_no_interval_when_too_many_draws_show_no_variation():
    """One item in ten differs: a third of the resamples miss it."""
    found = alpha_of_patterns(patterns(["11"] * 9 + ["12"]), interval="bootstrap")
    assert found.value is not None
    assert found.low is None


def test_labels_that_are_no_numbers_cannot_make_an_interval_scale():
    counted = patterns(RAW_4RATERS)
    assert "needs numbers" in alpha_of_patterns(counted, "interval", list("abcde")).reason
    assert "needs numbers" in alpha_of_patterns(counted, "interval", [1, 2, 3, 4, np.nan]).reason
    assert "negative" in alpha_of_patterns(counted, "ratio", [-1, 2, 3, 4, 5]).reason
    assert "do not differ" in alpha_of_patterns(counted, "interval", [2] * 5).reason


def test_what_is_not_known_is_refused():
    counted = patterns(RAW_4RATERS)
    with pytest.raises(UnknownName, match="ordinal"):
        alpha_of_patterns(counted, "ordinl")
    with pytest.raises(UnknownName, match="bootstrap"):
        alpha_of_patterns(counted, interval="bootstrp")
    with pytest.raises(UnknownName, match="masi"):
        alpha_of_patterns(counted, set_distance="massi")
    with pytest.raises(UnknownName, match="interval"):
        stratified_alpha([(counted, "nominal", None)], interval="irrcac")
    with pytest.raises(ValueError, match="one value for each of 5 labels"):
        alpha_of_patterns(counted, "interval", [1, 2])
    with pytest.raises(ValueError, match="one value for each of 5 labels"):
        alpha_of_patterns(counted, "set")


@pytest.mark.parametrize(
    "distances", [np.zeros((2, 2)), np.eye(5), -1 + np.eye(5), np.triu(np.ones((5, 5)), 1), np.full((5, 5), np.nan)]
)
def test_distances_that_are_none_are_refused(distances):
    with pytest.raises(ValueError, match="Distances"):
        alpha_of_patterns(patterns(RAW_4RATERS), distances=distances)


def test_distances_of_ones_own_stand_for_the_levels():
    """irrCAC's quadratic alpha is Krippendorff's at the interval level; its ordinal one (.834) is not his (.815)."""
    counted = patterns(RAW_4RATERS)
    quadratic, ordinal = (1 - agreement_weights(w, 5) for w in ("quadratic", "ordinal_gwet"))
    for interval in ("bootstrap", "linearised", "irrcac"):
        own = alpha_of_patterns(counted, distances=quadratic, interval=interval)
        level = alpha_of_patterns(counted, "interval", SCALE, interval=interval)
        assert [own.value, *ends(own)] == pytest.approx([level.value, *ends(level)])
    assert alpha_of_patterns(counted, distances=ordinal).value == pytest.approx(0.833638, abs=1e-6)
    assert alpha_of_patterns(counted, "ordinal").value == pytest.approx(0.815388, abs=1e-6)


# ---- rows


def test_declared_order_and_not_the_alphabet_makes_an_ordinal_scale():
    item, rater, label = rows(RAW_4RATERS)
    names = np.array(["", "none", "mild", "grave", "dire", "worst"])
    found = krippendorff_alpha(item, rater, names[label], "ordinal", labels=names[1:].tolist())
    assert found.value == pytest.approx(0.815388, abs=1e-6)


def test_no_rows_are_no_rated_items():
    assert krippendorff_alpha([], [], []).reason == "no rated items"


# ---- intervals


def one_by_one(counted, draws, seed, level="nominal", values=None):
    """Percentile bootstrap that resamples the items themselves, by the krippendorff package or our own value."""
    rng = np.random.default_rng(seed)
    items = np.repeat(np.arange(len(counted.items)), counted.items.astype(int))
    found = []
    for _ in range(draws):
        picked = np.bincount(rng.choice(items, len(items)), minlength=len(counted.items))
        found.append(alpha_of_patterns(Patterns(counted.counts, picked), level, values, interval="none").value)
    return np.quantile(found, [0.025, 0.975])


@pytest.mark.parametrize("level", ["nominal", "ordinal", "ratio"])
def test_bootstrap_over_patterns_is_the_bootstrap_over_items(level):
    counted = simulated(300, labels=4, seed=1)
    by_patterns = ends(alpha_of_patterns(counted, level, [1, 2, 4, 8], interval="bootstrap", draws=4000))
    by_items = one_by_one(counted, 1500, 5, level, [1, 2, 4, 8])
    assert by_patterns == pytest.approx(by_items, abs=0.01)


@needs_shared
def test_bootstrap_over_patterns_is_the_bootstrap_over_items_of_hs_brexit():
    counted = tally(*real("lewidi/HS-Brexit")).patterns
    by_patterns = ends(alpha_of_patterns(counted, interval="bootstrap", draws=4000))
    assert by_patterns == pytest.approx(one_by_one(counted, 1500, 5), abs=0.005)


def test_draws_are_seeded():
    counted = simulated(200)
    first, again, other = (alpha_of_patterns(counted, interval="bootstrap", seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


SHAPES = [
    pytest.param({"n": 1000}, id="three labels"),
    pytest.param({"n": 1500, "labels": 2, "shares": [0.9, 0.1]}, id="skewed"),
    pytest.param({"n": 1200, "labels": 5, "raters": 5, "kept": 0.5}, id="five raters"),
    pytest.param({"n": 4000, "labels": 4, "raters": 2, "overlap": 0.4}, id="many rated once"),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("level", [*NUMERIC_LEVELS, "set"])
def test_linearised_interval_agrees_with_the_bootstrap_to_two_digits(shape, level):
    counted = simulated(**shape)
    values = (
        ["a", "b", "a|b", "b|c", "c"][: counted.n_labels] if level == "set" else [1, 2, 4, 7, 11][: counted.n_labels]
    )
    linear, drawn = (
        alpha_of_patterns(counted, level, values, interval=interval, draws=4000)
        for interval in ("linearised", "bootstrap")
    )
    assert linear.value == drawn.value
    assert ends(linear) == pytest.approx(ends(drawn), abs=0.005)
    width = np.ptp(ends(drawn))
    assert np.abs(ends(linear) - ends(drawn)).max() < 0.07 * width


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_influences_are_the_derivatives_of_the_disagreements(level, normalised):
    """By finite differences of n·Do and n·De in the weight of each pattern."""
    counted = simulated(60, labels=4, raters=4, seed=3)
    distance = None if level == "ordinal" else agreement.level_distances(level, [1, 2, 4, 8], 4)
    whole = Disagreement(counted, distance, normalised)
    exact = np.array(whole.influence())
    step = 1e-4
    for k in range(len(whole.items)):
        nudged = np.tile(whole.items, (2, 1))
        nudged[:, k] += [step, -step]
        up, down = np.array(whole.of_draws(nudged)).T
        assert exact[:, k] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_the_linearised_error_is_the_infinitesimal_jackknife(level):
    """By finite differences of alpha itself: n/(n - 1) Σ items·derivative², half-width by t with n - 1."""
    counted = patterns(["112", "122", "333", "111", "23", "24"])
    derivatives = []
    for k in range(len(counted.items)):
        up, down = (
            alpha_of_patterns(Patterns(counted.counts, counted.items + s * np.eye(6)[k]), level, SCALE).value
            for s in (1e-4, -1e-4)
        )
        derivatives.append((up - down) / 2e-4)
    assert counted.items @ derivatives == pytest.approx(0, abs=0.1)
    centred = derivatives - np.mean(derivatives)
    error = np.sqrt(6 / 5 * (centred**2).sum())
    found = alpha_of_patterns(counted, level, SCALE, interval="linearised")
    assert found.value - found.low == pytest.approx(2.570582 * error, rel=1e-4)


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_a_draw_of_the_items_themselves_is_the_items(level):
    counted = simulated(80, labels=4, raters=4, seed=4)
    distance = None if level == "ordinal" else agreement.level_distances(level, [1, 2, 4, 8], 4)
    whole = Disagreement(counted, distance, True)
    assert np.ravel(whole.of_draws(whole.items[None, :])) == pytest.approx(whole.of_all())


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_the_score_interval_is_the_linearised_one_when_items_are_many(level):
    """The ordinal metric moves with the data, which the score interval leaves out as irrCAC does."""
    counted = simulated(20_000, labels=4, raters=4, overlap=0.7, seed=6)
    score, linear = (
        np.array(ends(alpha_of_patterns(counted, level, [1, 2, 4, 8], interval=interval)))
        for interval in ("score", "linearised")
    )
    assert score == pytest.approx(linear, abs=0.03 * np.ptp(linear))
    assert alpha_of_patterns(counted, level, [1, 2, 4, 8], interval="none").low is None


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_irrcacs_error_is_the_linearised_one_to_the_order_of_one_item(level):
    """Exactly so only where distances do not move with the data; at the ordinal level it leaves their error out."""
    counted = simulated(2000, labels=4, raters=4, overlap=0.7, seed=6)
    printed, linear = (
        np.ptp(ends(alpha_of_patterns(counted, level, [1, 2, 4, 8], interval=interval)))
        for interval in ("irrcac", "linearised")
    )
    assert printed == pytest.approx(linear, rel=0.02 if level == "ordinal" else 0.002)


def test_the_cost_of_an_interval_does_not_follow_the_items():
    """The bootstrap draws patterns: a hundred million items take the arrays that a thousand take."""
    few = simulated(1000, labels=5, raters=5, kept=0.5)
    many = Patterns(few.counts, 100_000 * few.items)
    found = alpha_of_patterns(many, interval="bootstrap")
    assert found.n == 1e8
    width = np.ptp(ends(alpha_of_patterns(few, interval="bootstrap")))
    assert np.ptp(ends(found)) == pytest.approx(width / 100_000**0.5, rel=0.1)


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_interval_holds_its_value(counts):
    counted = Patterns(np.array(counts), np.ones(len(counts)))
    for found in (
        alpha_of_patterns(counted, "ordinal", draws=200),
        alpha_of_patterns(counted, interval="linearised"),
        alpha_of_patterns(counted, interval="irrcac"),
        stratified_alpha([(counted, "ordinal", None), (counted, "nominal", None)], draws=200),
    ):
        if found.low is not None:
            assert found.low <= found.value <= found.high <= 1


# ---- several projects


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_stratified_alpha_of_one_project_is_its_alpha(level):
    counted = patterns(RAW_4RATERS)
    for interval in ("linearised", "bootstrap"):
        alone = alpha_of_patterns(counted, level, SCALE, interval=interval)
        found = stratified_alpha([(counted, level, SCALE)], interval=interval)
        assert found.value == pytest.approx(alone.value)
        assert ends(found) == pytest.approx(ends(alone))


def test_stratified_alpha_is_the_ratio_of_summed_disagreements():
    """From Krippendorff's Do and De of each project, by the coincidences, distances divided by their greatest."""
    first, second = patterns(RAW_4RATERS), simulated(50, labels=3, seed=2)
    sums = np.zeros(2)
    for counted, distance in ((first, (np.subtract.outer(SCALE, SCALE) / 4.0) ** 2), (second, 1 - np.eye(3))):
        o = counted.coincidences()
        n = o.sum()
        sums += [(o * distance).sum(), (np.outer(o.sum(0), o.sum(0)) * distance).sum() / (n - 1)]
    found = stratified_alpha([(first, "interval", SCALE), (second, "nominal", None)])
    assert found.value == pytest.approx(1 - sums[0] / sums[1])
    assert found.n == 61


def test_stratified_alpha_weighs_projects_and_does_not_see_their_labels_apart():
    """Two projects that always use one label each agree by chance alone, though pooled they look perfect."""
    always_first, always_second = patterns(["11"] * 20 + ["12"], 2), patterns(["22"] * 20 + ["12"], 2)
    pooled = alpha_of_patterns(always_first + always_second)
    apart = stratified_alpha([(always_first, "nominal", None), (always_second, "nominal", None)])
    assert pooled.value > 0.85
    assert apart.value < 0.05


def test_stratified_alpha_lies_between_the_projects_alphas():
    parts = [simulated(300, kept=kept, seed=1) for kept in (0.5, 0.9)]
    low, high = (alpha_of_patterns(p).value for p in parts)
    assert low < stratified_alpha([(p, "nominal", None) for p in parts]).value < high


def test_binary_projects_weigh_alike_at_every_level():
    """With two labels every scale is the nominal one, once its greatest distance is 1."""
    first, second = simulated(200, labels=2, seed=1), simulated(300, labels=2, kept=0.5, seed=2)
    nominal = stratified_alpha([(first, "nominal", None), (second, "nominal", None)], interval="none").value
    for level in ("ordinal", "interval"):
        mixed = stratified_alpha([(first, level, [1, 100]), (second, "nominal", None)], interval="none").value
        assert mixed == pytest.approx(nominal)


def test_stratified_intervals_agree_and_projects_without_pairs_add_nothing():
    parts = [
        (simulated(400, seed=1), "nominal", None),
        (simulated(600, labels=5, kept=0.6, seed=2), "ordinal", None),
        (simulated(300, labels=4, kept=0.9, seed=3), "interval", [0, 1, 5, 9]),
    ]
    linear, drawn = (stratified_alpha(parts, interval=i, draws=4000) for i in ("linearised", "bootstrap"))
    assert ends(linear) == pytest.approx(ends(drawn), abs=0.003)
    single = (patterns(["1", "2"]), "nominal", None)
    assert stratified_alpha([*parts, single], interval="linearised") == linear


def test_stratified_alpha_without_anything_to_compare_says_why():
    assert stratified_alpha([]).reason == "no rated items"
    assert stratified_alpha([(patterns(["1", "2"]), "nominal", None)]).reason == "no item has two ratings"
    same = [(patterns(["11", "11"]), "nominal", None), (patterns(["22", "22"]), "ordinal", None)]
    assert stratified_alpha(same).reason == "no variation: every rating is the same label"
