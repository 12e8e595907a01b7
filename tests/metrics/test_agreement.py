"""Agreement coefficients against published tables, other packages, and themselves under what must not matter."""

import json
from pathlib import Path

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from metrics import agreement
from metrics.agreement import (
    alpha_of_patterns,
    gwet_ac1,
    gwet_ac1_of_patterns,
    krippendorff_alpha,
    percent_agreement,
    percent_agreement_of_patterns,
    stratified_alpha,
    tally,
)
from metrics.errors import UnknownName
from metrics.patterns import Patterns

SHARED = Path(__file__).parents[2].parent / "shared"
needs_shared = [
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not (SHARED / "data").exists(), reason="the real data of shared/data is not beside the repository"
    ),
]

# Krippendorff's 4 observers x 12 units = irrCAC raw_4raters, typed in; one string per unit, "-" not rated.
RAW_4RATERS = ["11-1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "-555", "--11", "--3-"]
SCALE = [1, 2, 3, 4, 5]
NUMERIC_LEVELS = ["nominal", "ordinal", "interval", "ratio"]


def rows(units):
    """Columns item, rater, label of units written as strings of digits."""
    cells = [(i, r, int(x)) for i, unit in enumerate(units) for r, x in enumerate(unit) if x != "-"]
    return tuple(np.array(column) for column in zip(*cells, strict=True))


def patterns(units, labels=5):
    item, _, label = rows(units)
    return Patterns.of(item, label - 1, labels)


def simulated(n, labels=3, raters=3, kept=0.75, seed=0, shares=None, overlap=1.0):
    """Patterns of n items whose raters keep the true label with a chance of ``kept`` and else guess."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(labels, n, p=shares)
    guess = rng.choice(labels, (n, raters), p=shares)
    given_label = np.where(rng.random((n, raters)) < kept, truth[:, None], guess)
    rated = np.ones((n, raters), dtype=bool)
    rated[rng.random(n) >= overlap, 1:] = False
    return Patterns.of(np.nonzero(rated)[0], given_label[rated], labels)


def ends(estimate):
    return np.array([estimate.low, estimate.high])


# ---- published values


@pytest.mark.parametrize(
    ("level", "value"), [("nominal", 0.743421), ("ordinal", 0.815388), ("interval", 0.849107), ("ratio", 0.797403)]
)
def test_alpha_of_krippendorffs_example(level, value):
    """Krippendorff 2011 prints .743 .815 .849 .797; six digits from the krippendorff package."""
    assert krippendorff_alpha(*rows(RAW_4RATERS), level).value == pytest.approx(value, abs=1e-6)
    found = alpha_of_patterns(patterns(RAW_4RATERS), level, SCALE)
    assert found.value == pytest.approx(value, abs=1e-6)
    assert found.n == 11


def test_ac1_and_percent_agreement_of_raw_4raters():
    """irrCAC: AC1 .775444, SE .142950, interval .4608 to 1; percent agreement .818182."""
    found = gwet_ac1(*rows(RAW_4RATERS), SCALE, single_rated="irrcac")
    assert found.value == pytest.approx(0.775444, abs=1e-6)
    assert ends(found) == pytest.approx([0.460813, 1.0], abs=1e-6)
    assert (found.value - found.low) / 2.200985 == pytest.approx(0.142950, abs=1e-6)  # t, 11 degrees of freedom
    assert gwet_ac1(*rows(RAW_4RATERS), SCALE).value == found.value
    assert percent_agreement(*rows(RAW_4RATERS)).value == pytest.approx(0.818182, abs=1e-6)


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


def references(*metrics):
    """Reference values over real data, where present; else one entry that is skipped."""
    if not (SHARED / "reference_values.json").exists():
        return [pytest.param(None, marks=needs_shared)]
    entries = json.loads((SHARED / "reference_values.json").read_text(encoding="utf-8"))
    levels = {"identity": "nominal", "quadratic": "interval"}
    found = []
    for entry in entries:
        options = entry["options"]
        level = options.get("level") or levels.get(options.get("weights"))
        known = entry["dataset"] in DATA and set(options) <= {"level", "weights"} and level
        if known and entry["metric"] in metrics and (entry["metric"] == "krippendorff_alpha" or level == "nominal"):
            name = f"{entry['dataset']}-{entry['metric']}-{level}"
            found.append(pytest.param(entry | {"level": level}, marks=needs_shared, id=name))
    return found


def units_by_raters(path):
    frame = pd.read_csv(SHARED / "data" / path)
    return frame.drop(columns=[c for c in ("Units", "Group") if c in frame])


def long(path):
    frame = pd.read_csv(SHARED / "data" / path)
    return frame["item"], frame["rater"], frame["label"]


def wide(path, transpose=False):
    frame = units_by_raters(path)
    if transpose:
        frame = frame.set_index(frame.columns[0]).T
    cells = frame.reset_index(drop=True).stack().reset_index()
    return tuple(cells.iloc[:, c] for c in range(3))


DATA = {
    **{f"irrcac/{n}": (wide, f"irrcac/{n}.csv") for n in ("raw_4raters", "raw_5observers", "raw_g1g2", "raw_gender")},
    "irrcac/raw_ben_gerry": (wide, "irrcac/raw_ben_gerry.csv"),
    "krippendorff_3coders_15units": (wide, "irrcac/krippendorff_3coders_15units.csv", True),
    "pandalm": (long, "pandalm/long.csv"),
    "lewidi/HS-Brexit": (long, "hs_brexit/long.csv"),
    "snow2008/rte": (long, "snow2008/rte.long.csv"),
    "snow2008/temp": (long, "snow2008/temp.long.csv"),
}


def real(dataset):
    read, *arguments = DATA[dataset]
    return read(*arguments)


@pytest.mark.parametrize("reference", references("krippendorff_alpha"))
def test_alpha_of_real_data(reference):
    """irrCAC, krippendorff and nltk values of shared/reference_values.json."""
    item, rater, label = real(reference["dataset"])
    found = krippendorff_alpha(item, rater, label, reference["level"], interval="linearised")
    assert found.value == pytest.approx(reference["value"], abs=1e-6)
    if reference["dataset"] in ("pandalm", "lewidi/HS-Brexit") and reference["ci"]:
        assert ends(found) == pytest.approx(reference["ci"], abs=5e-4)


@pytest.mark.parametrize("reference", references("gwet_ac1"))
def test_ac1_of_real_data(reference):
    """irrCAC values and intervals of shared/reference_values.json."""
    found = gwet_ac1(*real(reference["dataset"]), single_rated="irrcac")
    assert found.value == pytest.approx(reference["value"], abs=1e-6)
    assert ends(found) == pytest.approx(reference["ci"], abs=1e-6)


@pytest.mark.shared_data
@pytest.mark.skipif(not (SHARED / "data").exists(), reason="the real data of shared/data is not beside the repository")
def test_hs_brexit_by_every_interval():
    """statistics.md section 4: analytic .3084 to .3865; items one by one .3079 to .3886; patterns .3081 to .3865."""
    counted = tally(*real("lewidi/HS-Brexit")).patterns
    assert len(counted.counts) == 7
    for interval in ("linearised", "bootstrap"):
        found = alpha_of_patterns(counted, interval=interval, draws=20_000)
        assert found.value == pytest.approx(0.347462, abs=1e-6)
        assert ends(found) == pytest.approx([0.3082, 0.3865], abs=1e-3)
    assert ends(gwet_ac1_of_patterns(counted)) == pytest.approx([0.789037, 0.831610], abs=1e-6)


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


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_order_and_names_of_items_and_raters_change_nothing(level):
    item, rater, label = rows(RAW_4RATERS)
    order = np.random.default_rng(0).permutation(len(item))
    renamed = np.array([f"r{9 - r}" for r in rater])
    first = krippendorff_alpha(item, rater, label, level)
    second = krippendorff_alpha((100 - item)[order], renamed[order], label[order], level)
    assert first == second


def test_names_of_labels_change_nothing_at_the_nominal_level():
    item, rater, label = rows(RAW_4RATERS)
    renamed = np.array(["", "safe", "hate", "spam", "abuse", "fraud"])[label]
    for coefficient in (krippendorff_alpha, gwet_ac1, percent_agreement):
        first, second = coefficient(item, rater, label), coefficient(item, rater, renamed)
        assert second.value == pytest.approx(first.value, abs=1e-12)


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


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_alpha_of_merged_patterns_is_alpha_of_all_rows(level):
    first, second = RAW_4RATERS[:5], RAW_4RATERS[5:]
    merged = alpha_of_patterns(patterns(first) + patterns(second), level, SCALE)
    assert merged == alpha_of_patterns(patterns(RAW_4RATERS), level, SCALE)


@pytest.mark.parametrize("level", ["nominal", "interval", "ratio"])
def test_a_duplicate_of_every_item_leaves_observed_disagreement_unchanged(level):
    """D_o stays, and D_e moves only by n(n - 1): alpha follows from the coincidences of one copy."""
    counted = patterns(RAW_4RATERS)
    doubled = Patterns(counted.counts, 2 * counted.items)
    n = counted.coincidences().sum()
    once, twice = (1 - alpha_of_patterns(p, level, SCALE, interval="none").value for p in (counted, doubled))
    assert twice / once == pytest.approx((2 * n - 1) / (2 * (n - 1)))


def test_repeated_rows_of_patterns_are_one():
    counted = patterns(RAW_4RATERS)
    split = Patterns(np.vstack([counted.counts, counted.counts]), np.r_[counted.items / 2, counted.items / 2])
    for coefficient in (alpha_of_patterns, gwet_ac1_of_patterns, percent_agreement_of_patterns):
        first, second = coefficient(counted), coefficient(split)
        assert [second.value, *ends(second)] == pytest.approx([first.value, *ends(first)])


def test_single_rated_items_count_in_ac1s_marginals_and_nowhere_else():
    counted = patterns(RAW_4RATERS)
    pairable = Patterns(counted.counts[counted.ratings >= 2], counted.items[counted.ratings >= 2])
    assert alpha_of_patterns(counted) == alpha_of_patterns(pairable)
    assert percent_agreement_of_patterns(counted) == percent_agreement_of_patterns(pairable)
    assert gwet_ac1_of_patterns(counted).value != gwet_ac1_of_patterns(pairable).value


# ---- what cannot be said


@pytest.mark.parametrize(
    ("units", "alpha", "ac1", "percent"),
    [
        ([], "no rated items", "no rated items", "no rated items"),
        (["1", "2", "2"], "no item has two ratings", "no item has two ratings", "no item has two ratings"),
        (["12", "2"], "only one item has two ratings", "only one item has two ratings", 0.0),
        (["111", "11", "11"], "no variation: every rating is the same label", 1.0, 1.0),
    ],
)
def test_undefined_cases_say_why(units, alpha, ac1, percent):
    counted = patterns(units) if units else Patterns(np.zeros((0, 5), int), np.zeros(0))
    found = (alpha_of_patterns(counted), gwet_ac1_of_patterns(counted), percent_agreement_of_patterns(counted))
    assert tuple(f.reason or f.value for f in found) == (alpha, ac1, percent)
    assert all(f.low is None and f.high is None for f in found)


def test_perfect_agreement_is_1_without_an_interval():
    counted = patterns(["111", "222", "11", "333"])
    for level in NUMERIC_LEVELS:
        found = alpha_of_patterns(counted, level, SCALE)
        assert (found.value, found.low, found.high) == (1.0, None, None)
    assert gwet_ac1_of_patterns(counted).value == 1
    assert percent_agreement_of_patterns(counted).value == 1


def test_items_that_all_disagree_alike_have_no_interval():
    counted = patterns(["12", "12", "12"])
    for interval in ("bootstrap", "linearised"):
        found = alpha_of_patterns(counted, interval=interval)
        assert found.value < 0
        assert found.low is None


def test_no_interval_when_too_many_draws_show_no_variation():
    """One item in ten differs: a third of the resamples miss it."""
    found = alpha_of_patterns(patterns(["11"] * 9 + ["12"]), interval="bootstrap")
    assert found.value is not None
    assert found.low is None


def test_ac1_needs_two_declared_labels():
    one = Patterns(np.array([[2], [3]]), np.ones(2))
    assert gwet_ac1_of_patterns(one).reason == "fewer than two labels are declared"
    assert gwet_ac1([0, 0, 1, 1], [0, 1, 0, 1], ["ok"] * 4).reason == "fewer than two labels are declared"
    assert gwet_ac1([0, 0, 1, 1], [0, 1, 0, 1], ["ok"] * 4, ["ok", "hate"]).value == 1


def test_labels_that_are_no_numbers_cannot_make_an_interval_scale():
    counted = patterns(RAW_4RATERS)
    assert "needs numbers" in alpha_of_patterns(counted, "interval", list("abcde")).reason
    assert "needs numbers" in alpha_of_patterns(counted, "interval", [1, 2, 3, 4, np.nan]).reason
    assert "negative" in alpha_of_patterns(counted, "ratio", [-1, 2, 3, 4, 5]).reason
    assert "do not differ" in alpha_of_patterns(counted, "interval", [2] * 5).reason


def test_unknown_names_are_refused():
    counted = patterns(RAW_4RATERS)
    with pytest.raises(UnknownName, match="ordinal"):
        alpha_of_patterns(counted, "ordinl")
    with pytest.raises(UnknownName, match="bootstrap"):
        alpha_of_patterns(counted, interval="bootstrp")
    with pytest.raises(UnknownName, match="masi"):
        alpha_of_patterns(counted, set_distance="massi")
    with pytest.raises(UnknownName, match="irrcac"):
        gwet_ac1_of_patterns(counted, single_rated="irrCAC2")
    with pytest.raises(ValueError, match="one value for each of 5 labels"):
        alpha_of_patterns(counted, "interval", [1, 2])
    with pytest.raises(ValueError, match="one value for each of 5 labels"):
        alpha_of_patterns(counted, "set")


# ---- rows


def test_the_first_of_several_ratings_of_one_rater_counts():
    item, rater, label = ["a", "a", "a", "b", "b", "b"], ["x", "y", "x", "x", "y", "y"], [1, 1, 2, 2, 2, 1]
    counted = tally(item, rater, label, [1, 2])
    assert (counted.n_duplicates, counted.n_raters, counted.n_unlabelled) == (2, 2, 0)
    assert counted.patterns.counts.tolist() == [[0, 2], [2, 0]]


def test_only_null_is_missing():
    counted = tally([1, 1, 1, 2, 2], [1, 2, 3, 1, 2], ["", "0", None, "0", np.nan])
    assert counted.labels == ("", "0")
    assert counted.n_unlabelled == 2
    assert counted.patterns.n_ratings == 3
    numbers = tally([1, 1, 2, 2], [1, 2, 1, 2], np.array([0.0, 0, np.nan, 1]))
    assert (numbers.labels, numbers.n_unlabelled) == ((0.0, 1.0), 1)
    sets = tally([1, 1, 2, 2], [1, 2, 1, 2], ["a|b", None, "", ("b", "a")], level="set")
    assert sets.labels == (frozenset(), frozenset("ab"))
    assert sets.patterns.n_ratings == 3


def test_an_unlabelled_rating_does_not_hide_a_later_one():
    assert tally([1, 1], [1, 1], [None, "a"]).patterns.n_ratings == 1


def test_rows_that_cannot_be_read_are_refused():
    with pytest.raises(ValueError, match="differ in length: 2, 1, 2"):
        tally([1, 2], [1], [1, 2])
    with pytest.raises(UnknownName, match='no declared label "hat": did you mean "hate"'):
        tally([1, 1], [1, 2], ["hate", "hat"], ["hate", "safe"])
    with pytest.raises(ValueError, match="declared in order"):
        krippendorff_alpha([1, 1, 2, 2], [1, 2, 1, 2], ["low", "high", "low", "low"], "ordinal")


def test_declared_order_and_not_the_alphabet_makes_an_ordinal_scale():
    item, rater, label = rows(RAW_4RATERS)
    names = np.array(["", "none", "mild", "grave", "dire", "worst"])
    found = krippendorff_alpha(item, rater, names[label], "ordinal", labels=names[1:].tolist())
    assert found.value == pytest.approx(0.815388, abs=1e-6)


def test_no_rows_are_no_rated_items():
    assert krippendorff_alpha([], [], []).reason == "no rated items"
    assert percent_agreement([], [], []).reason == "no rated items"


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


@pytest.mark.shared_data
@pytest.mark.skipif(not (SHARED / "data").exists(), reason="the real data of shared/data is not beside the repository")
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
    distance = None if level == "ordinal" else agreement._distance(level, [1, 2, 4, 8], 4, "masi")
    whole = agreement._Disagreement(counted, distance, normalised)
    exact = np.array(whole.influence())
    step = 1e-4
    for k in range(len(whole.items)):
        nudged = np.tile(whole.items, (2, 1))
        nudged[:, k] += [step, -step]
        up, down = np.array(whole.of_draws(nudged)).T
        assert exact[:, k] == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("level", NUMERIC_LEVELS)
def test_a_draw_of_the_items_themselves_is_the_items(level):
    counted = simulated(80, labels=4, raters=4, seed=4)
    distance = None if level == "ordinal" else agreement._distance(level, [1, 2, 4, 8], 4, "masi")
    whole = agreement._Disagreement(counted, distance, True)
    assert np.ravel(whole.of_draws(whole.items[None, :])) == pytest.approx(whole.of_all())


def test_auto_linearises_many_items_and_draws_for_few_or_rare_disagreement():
    many, few = simulated(800), simulated(100)
    rare = simulated(800, labels=2, kept=0.995, shares=[0.5, 0.5])
    for counted, chosen in ((many, "linearised"), (few, "bootstrap"), (rare, "bootstrap")):
        assert alpha_of_patterns(counted) == alpha_of_patterns(counted, interval=chosen)
    assert alpha_of_patterns(many, interval="none").low is None


@pytest.mark.parametrize(("n", "interval"), [(60, "bootstrap"), (600, "linearised")])
def test_alpha_interval_covers(n, interval):
    truth = alpha_of_patterns(simulated(1_000_000, seed=99), interval="none").value
    found = [alpha_of_patterns(simulated(n, seed=s), interval=interval, draws=500) for s in range(400)]
    assert 0.92 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.98


def test_ac1_and_percent_agreement_intervals_cover_when_few_items_are_rated_twice():
    """One item in five has a second rating: the printed form covers always, at twice the width."""
    shape = {"labels": 2, "shares": [0.8, 0.2], "raters": 2, "overlap": 0.2}
    whole = simulated(1_000_000, seed=99, **shape)
    ac1, percent = gwet_ac1_of_patterns(whole).value, percent_agreement_of_patterns(whole).value
    samples = [simulated(1000, seed=s, **shape) for s in range(500)]
    found = [gwet_ac1_of_patterns(s) for s in samples]
    printed = [gwet_ac1_of_patterns(s, single_rated="irrcac") for s in samples]
    shares = [percent_agreement_of_patterns(s) for s in samples]
    assert 0.92 <= np.mean([f.low <= ac1 <= f.high for f in found]) <= 0.98
    assert 0.92 <= np.mean([f.low <= percent <= f.high for f in shares]) <= 0.98
    assert np.mean([f.low <= ac1 <= f.high for f in printed]) > 0.99
    assert np.mean([np.ptp(ends(f)) for f in printed]) > 1.5 * np.mean([np.ptp(ends(f)) for f in found])


@given(st.lists(st.lists(st.integers(0, 3), min_size=3, max_size=3), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_every_interval_holds_its_value(counts):
    counted = Patterns(np.array(counts), np.ones(len(counts)))
    for found in (
        alpha_of_patterns(counted, "ordinal", draws=200),
        alpha_of_patterns(counted, interval="linearised"),
        gwet_ac1_of_patterns(counted),
        percent_agreement_of_patterns(counted),
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
