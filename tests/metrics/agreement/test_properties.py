"""What must not matter, over every coefficient."""

import numpy as np
import pytest

from metrics import agreement
from tests.shared_data import rows_of_table

from .examples import NOMINAL, SCALED, TWO_RATERS, simulated_rows

LABELS = [1, 2, 3, 4]
EVERY = {**NOMINAL, **SCALED, **TWO_RATERS}
UNSCALED = {**NOMINAL, **{name: TWO_RATERS[name] for name in ("scott", "cohen")}}
every_coefficient = pytest.mark.parametrize("name", EVERY)
seeds = pytest.mark.parametrize("seed", [0, 1, 2])


def sample(name, seed, n=40):
    """Rows with gaps, and with items rated once; two raters for the coefficients of two."""
    item, rater, label = simulated_rows(n, 4, 2 if name in TWO_RATERS else 4, 0.6, seed, overlap=0.9)
    kept = np.random.default_rng(seed).random(len(item)) < 0.9
    return item[kept], rater[kept], label[kept] + 1


def numbers(found):
    """Value, ends and n; the bootstrap draws patterns in an order of their own, so its ends are left out on request."""
    assert found.value is not None, found.reason
    return [found.value, found.low, found.high, found.n]


def same(name, first, second):
    # Patterns are drawn in the order of the labels: another order is another, equally good, draw.
    kept = slice(0, 1) if "bootstrap" in name else slice(None)
    return numbers(second)[kept] == pytest.approx(numbers(first)[kept], abs=1e-9)


@seeds
@every_coefficient
def test_the_order_and_the_names_of_items_and_raters_do_not_matter(name, seed):
    item, rater, label = sample(name, seed)
    first = EVERY[name](item, rater, label, labels=LABELS)
    order = np.random.default_rng(seed + 100).permutation(len(item))
    renamed = np.array(["dora", "carl", "bea", "abe"])[rater]
    assert same(name, first, EVERY[name](item[order], rater[order], label[order], labels=LABELS))
    assert same(name, first, EVERY[name]([f"item {9999 - i}" for i in item], renamed, label, labels=LABELS))


@seeds
@pytest.mark.parametrize("name", UNSCALED)
def test_the_names_and_the_order_of_nominal_labels_do_not_matter(name, seed):
    item, rater, label = sample(name, seed)
    first = EVERY[name](item, rater, label, labels=LABELS)
    names = np.array(["", "safe", "hate", "abuse", "spam"])
    assert same(name, first, EVERY[name](item, rater, names[label], labels=["abuse", "spam", "safe", "hate"]))
    assert same(name, first, EVERY[name](item, rater, names[label]))


@pytest.mark.parametrize("name", SCALED)
def test_the_order_of_a_scale_matters_but_not_its_direction(name):
    """Raters who err err by one step, so that a scale in another order shows them further apart."""
    rng = np.random.default_rng(0)
    item, rater = np.indices((60, 3)).reshape(2, -1)
    label = np.clip(rng.integers(1, 5, 60)[item] + rng.choice([-1, 0, 1], 180, p=[0.2, 0.6, 0.2]), 1, 4)
    first = EVERY[name](item, rater, label, labels=LABELS)
    if "ratio" not in name:
        assert EVERY[name](item, rater, 5 - label, labels=LABELS).value == pytest.approx(first.value)
    mixed = np.array([0, 3, 1, 4, 2])[label]
    assert EVERY[name](item, rater, mixed, labels=LABELS).value < first.value - 0.05


@seeds
@every_coefficient
def test_a_further_rating_of_the_same_rater_does_not_count(name, seed):
    """nltk counts it as another rater: alpha .686 becomes .400."""
    item, rater, label = sample(name, seed)
    again = np.random.default_rng(seed).permutation(len(item))[:15]
    other = label[again] % 4 + 1
    doubled = np.r_[item, item[again]], np.r_[rater, rater[again]], np.r_[label, other]
    assert EVERY[name](*doubled, labels=LABELS) == EVERY[name](item, rater, label, labels=LABELS)


@seeds
@every_coefficient
def test_null_alone_is_missing(name, seed):
    """A row without a label is as good as no row; 0 and the empty string are labels like others."""
    item, rater, label = sample(name, seed)
    first = EVERY[name](item, rater, label, labels=LABELS)
    holes = np.r_[label.astype(object), [None, np.nan, None]]
    padded = np.r_[item, [0, 1, 777]], np.r_[rater, [88, 88, 0]]
    assert EVERY[name](*padded, holes, labels=LABELS) == first
    if name in UNSCALED:
        zeros, blanks = np.where(label == 1, 0, label), np.array(["", "", "b", "c", "d"])[label]
        assert same(name, first, EVERY[name](item, rater, zeros))
        assert same(name, first, EVERY[name](item, rater, blanks))


OF_PATTERNS = {
    "percent": agreement.percent_agreement_of_patterns,
    "alpha": agreement.alpha_of_patterns,
    "alpha bootstrap": lambda p: agreement.alpha_of_patterns(p, interval="bootstrap", draws=200),
    "alpha ordinal": lambda p: agreement.alpha_of_patterns(p, "ordinal", interval="linearised"),
    "alpha irrcac": lambda p: agreement.alpha_of_patterns(p, interval="irrcac"),
    "fleiss": agreement.fleiss_kappa_of_patterns,
    "fleiss linear": lambda p: agreement.fleiss_kappa_of_patterns(p, "linear"),
    "ac1": agreement.gwet_ac1_of_patterns,
    "ac2": agreement.gwet_ac2_of_patterns,
    "brennan_prediger": agreement.brennan_prediger_of_patterns,
}


@seeds
@pytest.mark.parametrize("name", OF_PATTERNS)
def test_merged_slices_give_the_statistic_of_the_pooled_rows(name, seed):
    item, rater, label = sample(name, seed, n=90)
    whole = agreement.tally(item, rater, label, LABELS).patterns
    slices = [item % 3 == s for s in range(3)]
    parts = [agreement.tally(item[s], rater[s], label[s], LABELS).patterns for s in slices]
    assert OF_PATTERNS[name](parts[0] + parts[1] + parts[2]) == OF_PATTERNS[name](whole)


OF_TABLE = {
    "scott": lambda t: _of_table(t, agreement.scott_pi),
    "conger": lambda t: _of_table(t, agreement.conger_kappa),
    **{
        f"cohen {weights}": lambda t, weights=weights: agreement.cohen_kappa_of_table(t, weights, LABELS)
        for weights in ("identity", "linear", "quadratic", "ordinal_gwet")
    },
}


def _of_table(table, coefficient):
    """The coefficient of a table of two raters, 4 x 4, by way of rows of its own."""
    return coefficient(*rows_of_table(table), labels=[0, 1, 2, 3])


def table_of(item, rater, label):
    """Items that raters 0 and 1 both rated, by the label of the first and of the second, (4, 4)."""
    seen = {(i, r): x for i, r, x in zip(item, rater, label, strict=True)}
    table = np.zeros((4, 4), dtype=int)
    for i in set(item):
        if (i, 0) in seen and (i, 1) in seen:
            table[seen[i, 0] - 1, seen[i, 1] - 1] += 1
    return table


@seeds
@pytest.mark.parametrize("name", OF_TABLE)
def test_summed_tables_of_two_raters_give_their_pooled_coefficients(name, seed):
    """Of the items both rated: those with one rating have no cell, and are left out of the pooled rows too."""
    item, rater, label = sample("scott", seed, n=60)
    both = np.isin(item, [i for i in set(item) if (item == i).sum() == 2])
    item, rater, label = item[both], rater[both], label[both]
    tables = [table_of(item[s], rater[s], label[s]) for s in (item % 2 == 0, item % 2 == 1)]
    family, _, weights = name.partition(" ")
    of_rows = {"scott": agreement.scott_pi, "cohen": agreement.cohen_kappa, "conger": agreement.conger_kappa}[family]
    pooled = of_rows(item, rater, label, labels=LABELS, **({"weights": weights} if weights else {}))
    assert min(t.sum() for t in tables) > 10
    assert numbers(OF_TABLE[name](sum(tables))) == pytest.approx(numbers(pooled), abs=1e-9)


@seeds
@pytest.mark.parametrize("distance", ["masi", "jaccard"])
def test_merged_slices_of_label_sets_give_the_alpha_of_the_pooled_rows(distance, seed):
    item, rater, label = sample("ac1", seed, n=60)
    sets = np.array(["", "hate", "hate|spam", "spam|abuse"], dtype=object)
    declared = [agreement.members(x) for x in sets]
    options = {"set_distance": distance, "interval": "score"}
    pooled = agreement.krippendorff_alpha(item, rater, sets[label - 1], "set", declared, **options)
    halves = (item % 2 == 0, item % 2 == 1)
    first, second = (agreement.tally(item[s], rater[s], sets[label[s] - 1], declared, "set").patterns for s in halves)
    merged = agreement.alpha_of_patterns(first + second, "set", declared, **options)
    assert numbers(merged) == pytest.approx(numbers(pooled))


@every_coefficient
def test_every_interval_holds_its_value(name):
    for seed in range(10):
        found = EVERY[name](*sample(name, seed, n=12), labels=LABELS)
        if found.low is not None:
            assert found.low <= found.value <= found.high <= 1


@every_coefficient
def test_full_agreement_is_1_and_none_is_less_than_chance(name):
    perfect = rows_of_table(np.diag([5, 6, 7, 8]))
    found = EVERY[name](*perfect, labels=[0, 1, 2, 3])
    # Score intervals alone say how far from 1 the truth may be.
    scored = name == "alpha" or not (name.startswith("alpha") or "irrcac" in name)
    assert (found.value, found.high) == (pytest.approx(1), 1 if scored else None)
    assert 0.7 < found.low < 1 if scored else found.low is None
    apart = rows_of_table(np.fliplr(np.diag([5, 6, 7, 8])))
    assert EVERY[name](*apart, labels=[0, 1, 2, 3]).value < (0.8 if "percent" in name else 0.01)


@every_coefficient
def test_one_label_is_never_agreement_beyond_chance_but_for_those_that_do_not_look_at_it(name):
    """Only AC1, AC2, Brennan-Prediger and percent agreement know a chance where all ratings are the same."""
    item, rater, _ = rows_of_table(np.diag([20, 0]))
    found = EVERY[name](item, rater, np.ones(len(item), dtype=int), labels=[1, 2])
    knows = any(word in name for word in ("percent", "ac1", "ac2", "brennan"))
    assert found.value == (1 if knows else None)
    assert found.reason == ("" if knows else agreement.NO_VARIATION)
    assert (found.low is None) == (not knows)


# ---- tables of raters and of pairs


BY_RATER = {
    "consensus_match": agreement.consensus_match,
    "consensus_match abstain": lambda *rows, **options: agreement.consensus_match(*rows, ties="abstain", **options),
    "peer_agreement": agreement.peer_agreement,
    "self_consistency": agreement.self_consistency_by_rater,
    "pairwise kappa": agreement.pairwise,
    "pairwise percent": lambda *rows, **options: agreement.pairwise(*rows, "percent_agreement", **options),
}
NUMBERS = ["value", "low", "high", "n"]


@seeds
@pytest.mark.parametrize("name", BY_RATER)
def test_tables_of_raters_do_not_depend_on_order_or_names(name, seed):
    item, rater, label = sample("ac1", seed)
    again = np.random.default_rng(seed).permutation(len(item))[:30]
    if name == "self_consistency":
        item, rater, label = np.r_[item, item[again]], np.r_[rater, rater[again]], np.r_[label, label[again] % 4 + 1]
    first = BY_RATER[name](item, rater, label, labels=LABELS)
    order = np.random.default_rng(seed + 100).permutation(len(item))
    shuffled = BY_RATER[name](item[order], rater[order], label[order], labels=LABELS)
    names = np.array(["", "safe", "hate", "abuse", "spam"])
    relabelled = BY_RATER[name](-item, rater + 10, names[label], labels=["spam", "safe", "hate", "abuse"])
    for other in (shuffled, relabelled):
        np.testing.assert_allclose(other[NUMBERS].to_numpy(), first[NUMBERS].to_numpy(), atol=1e-9)
    # A number or a reason, never both and never neither.
    assert (first["value"].isna() == (first["reason"] != "")).all()
    if name != "self_consistency":
        doubled = np.r_[item, item[again]], np.r_[rater, rater[again]], np.r_[label, label[again] % 4 + 1]
        np.testing.assert_allclose(BY_RATER[name](*doubled, labels=LABELS)[NUMBERS], first[NUMBERS])


@seeds
@pytest.mark.parametrize("level", ["masi", "jaccard"])
def test_alpha_of_label_sets_does_not_depend_on_order_names_or_repeats(level, seed):
    item, rater, label = sample("ac1", seed)
    sep = agreement.SEPARATOR
    sets = np.array(["", "hate", sep.join(["hate", "spam"]), "spam", sep.join(["abuse", "hate"])], dtype=object)[label]
    renamed = np.array(["", "x", sep.join(["x", "y"]), "y", sep.join(["w", "x"])], dtype=object)[label]

    def found(*rows):
        return agreement.krippendorff_alpha(*rows, "set", set_distance=level, interval="linearised")

    first = found(item, rater, sets)
    order = np.random.default_rng(seed).permutation(len(item))
    again = order[:15]
    assert numbers(found(item[order], rater[order], sets[order])) == pytest.approx(numbers(first))
    assert numbers(found(-item, rater + 5, renamed)) == pytest.approx(numbers(first))
    doubled = np.r_[item, item[again]], np.r_[rater, rater[again]], np.r_[sets, sets[order[15:30]]]
    assert numbers(found(*doubled)) == pytest.approx(numbers(first))
    assert found(item, rater, np.full(len(item), "hate", dtype=object)).value is None
