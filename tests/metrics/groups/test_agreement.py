"""Agreement by group of raters: published and exact values, definitions in plain Python, planted and absent groups."""

import itertools
import math
from collections import Counter

import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import groups as module
from metrics.errors import UnknownName
from metrics.groups import GroupPatterns, group_agreement, group_agreement_of_patterns, group_patterns, shuffles
from metrics.groups import agreement as agreement_module
from metrics.groups.terms import Stratum, values_of
from metrics.patterns import Encoding, encode
from tests.shared_data import frame, needs_shared

ANY_SIZE = {"min_raters": 1, "min_items": 1}


# ---- the definitions, in plain Python


def by_hand(item, label, inside):
    """IRR and XRR of statistics.md section 2, pair by pair; None where there is none."""
    rated = {}
    for i, x, own in zip(item, label, inside, strict=True):
        rated.setdefault(i, ([], []))[0 if own else 1].append(x)
    own = [x for x, _ in rated.values() if len(x) >= 2]
    pool = [x for ratings in own for x in ratings]
    observed = sum(sum(a != b for a, b in itertools.permutations(x, 2)) / (len(x) - 1) for x in own)
    expected = sum(a != b for a, b in itertools.permutations(pool, 2)) / max(len(pool) - 1, 1)
    irr = 1 - observed / expected if expected else None
    both = [(x, y) for x, y in rated.values() if x and y]
    if not both:
        return irr, None
    weight = [len(x) + len(y) for x, y in both]
    apart = [sum(a != b for a in x for b in y) / (len(x) * len(y)) for x, y in both]
    ours, theirs = ([r for pair in both for r in pair[k]] for k in (0, 1))
    chance = sum(a != b for a in ours for b in theirs) / (len(ours) * len(theirs))
    return irr, 1 - np.average(apart, weights=weight) / chance if chance else None


def ratings(seed, items=40, raters=9, labels=3, share=0.6, groups=3, kept=0.6):
    """Rows of raters in groups who rate a share of the items and keep the true label with a chance of ``kept``."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(labels, items)
    rated = rng.random((items, raters)) < share
    guess = rng.choice(labels, (items, raters))
    given_label = np.where(rng.random((items, raters)) < kept, truth[:, None], guess)
    item, rater = np.nonzero(rated)
    return item, rater, given_label[rated], np.array(list("abcdefgh"))[rater % groups]


def values(found):
    return found.table.set_index(["group", "statistic"])["value"]


@pytest.mark.parametrize("seed", range(8))
def test_irr_xrr_and_gai_are_the_definitions(seed):
    item, rater, label, group = ratings(seed)
    found = group_agreement(item, rater, label, group, permutations=0, interval="none", **ANY_SIZE)
    for name in "abc":
        irr, xrr = by_hand(item, label, group == name)
        assert found.estimate(name, "irr").value == pytest.approx(irr, abs=1e-12)
        assert found.estimate(name, "xrr").value == pytest.approx(xrr, abs=1e-12)
        assert found.estimate(name, "gai").value == pytest.approx(irr / xrr, abs=1e-9)


def test_an_example_by_hand():
    """Group a on items 1, 2, 3: xx, xy, y; rest: x, y, yy. Alpha 1 - 3·2/6 = 0; d_o 3·½/9; d_e 1 - (3·1 + 2·3)/20."""
    item = [1, 1, 1, 2, 2, 2, 3, 3, 3]
    group = ["a", "a", "b", "a", "a", "b", "a", "b", "b"]
    rater = ["r1", "r2", "r3", "r1", "r2", "r3", "r1", "r3", "r4"]
    found = group_agreement(item, rater, list("xxxxyyyyy"), group, list("xyz"), permutations=0, **ANY_SIZE)
    assert found.estimate("a", "irr").value == pytest.approx(0, abs=1e-12)
    assert found.estimate("a", "xrr").value == pytest.approx(1 - (1.5 / 9) / (11 / 20))
    assert found.estimate("a", "plurality_size").value == pytest.approx(0.75)
    assert found.estimate("a", "negentropy").value == pytest.approx(math.log(3) - math.log(2) / 2)
    assert (found.estimate("a", "irr").n, found.estimate("a", "xrr").n, found.estimate("a", "gai").n) == (2, 3, 2)


@pytest.mark.parametrize("seed", range(3))
def test_irr_is_the_krippendorff_packages_alpha(seed):
    item, rater, label, group = ratings(seed)
    found = group_agreement(item, rater, label, group, permutations=0, interval="none", **ANY_SIZE)
    own = group == "a"
    matrix = pd.DataFrame({"i": item[own], "r": rater[own], "x": label[own]}).pivot(index="r", columns="i", values="x")
    expected = krippendorff.alpha(matrix.to_numpy(float), level_of_measurement="nominal", value_domain=[0.0, 1.0, 2.0])
    assert found.estimate("a", "irr").value == pytest.approx(expected, abs=1e-9)


# ---- published and exact values


def hs_brexit():
    rows = frame("hs_brexit/long.csv")
    return rows["item"], rows["rater"], rows["label"], rows["group"]


@pytest.fixture(scope="module")
def brexit():
    return group_agreement(*hs_brexit(), min_raters=3)


@needs_shared
def test_hs_brexit_by_all_20_splits(brexit):
    """Values and p of every statistic are compared in tests/reference."""
    assert (brexit.exact, brexit.splits, brexit.tests) == (True, 20, 5)
    tested = brexit.table[brexit.table["p"].notna()]
    assert len(tested) == 6
    assert tested["p_two_sided"].to_numpy() == pytest.approx(2 * tested["p"].to_numpy())


@needs_shared
def test_hs_brexit_by_patterns_is_the_same(brexit):
    by_rows = group_patterns(*hs_brexit())
    found = group_agreement_of_patterns(by_rows, {"group1": 3, "group2": 3}, min_raters=3)
    pd.testing.assert_frame_equal(found.table.iloc[:, :8], brexit.table.iloc[:, :8], atol=1e-12)
    assert (found.dsi, found.dsi_group) == (brexit.dsi, "group2")
    assert len(by_rows["group1"].items) <= 16
    assert brexit.dsi.low < 2 < brexit.dsi.value < 3 < brexit.dsi.high


@needs_shared
def test_the_dices_tables_are_made_as_defined():
    """GRASP tables 5 and 6: GAI is IRR / XRR to rounding, and man and woman, being all raters, share one XRR."""
    for file, rows in (("grasp_table5_dices350.csv", 20), ("grasp_table6_d3_single_axis.csv", 14)):
        table = frame(f"dices/{file}")
        assert len(table) >= rows
        rounding = 0.0005 + 0.0005 * (1 + table["IRR"] / table["XRR"]) / table["XRR"]
        assert ((table["IRR"] / table["XRR"] - table["GAI"]).abs() <= rounding).all()
    five = frame("dices/grasp_table5_dices350.csv").set_index("group")
    assert five.loc["Man", "XRR"] == five.loc["Woman", "XRR"] == 0.175


# ---- two doors


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4))
def test_both_doors_agree(seed, labels, groups):
    rows = ratings(seed, items=15, raters=8, labels=labels, groups=groups)
    declared = range(labels + 1)
    by_rows = group_agreement(*rows, declared, permutations=0, draws=50, **ANY_SIZE)
    raters = Counter(dict(zip(rows[1].tolist(), rows[3].tolist(), strict=True)).values())
    encoding = Encoding.choose(labels + 1)
    parts = {}
    for name in sorted(raters):
        counts = np.zeros((2, 15, labels + 1), dtype=int)
        for i, x, g in zip(rows[0], rows[2], rows[3], strict=True):
            counts[1, i, x] += 1
            counts[0, i, x] += g == name
        # As the mart: a code pair per item, items without a rating of the group left out.
        kept = counts[0].sum(axis=1) > 0
        codes = [encode(c[kept], encoding) for c in counts]
        parts[name] = GroupPatterns.of_codes(*codes, np.ones(kept.sum()), encoding)
    by_sums = group_agreement_of_patterns(parts, raters, draws=50, **ANY_SIZE)
    columns = ["group", "statistic", "value", "n", "reason", "raters"]
    pd.testing.assert_frame_equal(by_rows.table[columns], by_sums.table[columns], rtol=0, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_shuffles_compute_what_the_patterns_do(seed):
    rows = shuffles.read(*ratings(seed), None, None)
    found = shuffles.of_profiles(rows, rows.group_of_rater[None, :])[0]
    table = values(group_agreement(*ratings(seed), permutations=0, interval="none", **ANY_SIZE))
    expected = table.to_numpy().reshape(3, 5)[:, :3]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_projects_with_labels_of_their_own_are_summed_before_dividing():
    first, second = (group_patterns(*ratings(s, labels=q)) for s, q in ((1, 3), (2, 2)))
    pooled = group_agreement_of_patterns({g: [first[g], second[g]] for g in "abc"}, **ANY_SIZE)
    terms = [sum(Stratum(p["a"]).terms(*weights(p["a"])) for p in (first, second))]
    assert pooled.estimate("a", "irr").value == pytest.approx(1 - terms[0][0] / terms[0][1])
    assert pooled.estimate("a", "xrr").value == pytest.approx(1 - terms[0][2] / terms[0][3])
    alone = group_agreement_of_patterns({g: [first[g]] for g in "abc"}, **ANY_SIZE)
    plain = group_agreement_of_patterns(first, **ANY_SIZE)
    pd.testing.assert_frame_equal(alone.table, plain.table)


def weights(patterns):
    stratum = Stratum(patterns)
    return (stratum.items @ stratum.columns,)


# ---- what must not matter


def test_order_and_names_change_nothing():
    item, rater, label, group = ratings(5)
    order = np.random.default_rng(0).permutation(len(item))
    names = {"a": "z", "b": "y", "c": "x"}
    first = group_agreement(item, rater, label, group, permutations=0, **ANY_SIZE)
    second = group_agreement(
        [f"item {i}" for i in item[order]],
        [f"r{99 - r}" for r in rater[order]],
        np.array(["spam", "hate", "ok"])[label[order]],
        [names[g] for g in group[order]],
        permutations=0,
        **ANY_SIZE,
    )
    for (name, statistic), value in values(first).items():
        assert values(second)[(names[name], statistic)] == pytest.approx(value, abs=1e-12)


def test_p_does_not_depend_on_the_order_of_rows_when_all_splits_are_tried():
    item, rater, label, group = ratings(6, raters=6, groups=2)
    order = np.random.default_rng(1).permutation(len(item))
    first = group_agreement(item, rater, label, group, interval="none", **ANY_SIZE)
    second = group_agreement(item[order], rater[order], label[order], group[order], interval="none", **ANY_SIZE)
    pd.testing.assert_frame_equal(first.table, second.table, atol=1e-12)
    assert first.exact


def test_repeated_rows_of_patterns_are_one():
    parts = group_patterns(*ratings(7))
    split = {
        g: GroupPatterns(np.vstack([p.inside] * 2), np.vstack([p.total] * 2), np.r_[p.items, p.items] / 2)
        for g, p in parts.items()
    }
    for interval in module.INTERVALS:
        first, second = (group_agreement_of_patterns(p, interval=interval, **ANY_SIZE) for p in (parts, split))
        pd.testing.assert_frame_equal(first.table, second.table, atol=1e-12)


def test_the_first_rating_of_a_rater_counts_and_only_null_is_missing():
    item, rater, label, group = ratings(8)
    label = label.astype(object)
    more = [np.r_[x, x[:4]] for x in (item, rater, label, group)]
    more[2][-4:] = "another"
    more = [np.append(x, y) for x, y in zip(more, (99, rater[0], None, group[0]), strict=True)]
    first = group_agreement(item, rater, label, group, permutations=0, **ANY_SIZE)
    second = group_agreement(*more, permutations=0, **ANY_SIZE)
    assert (second.n_duplicates, second.n_unlabelled) == (4, 1)
    pd.testing.assert_frame_equal(first.table, second.table)


def test_raters_without_a_group_belong_to_the_rest():
    item, rater, label, group = ratings(9)
    nameless = np.where(group == "c", None, group)
    found = group_agreement(item, rater, label, nameless, permutations=0, **ANY_SIZE)
    whole = group_agreement(item, rater, label, group, permutations=0, **ANY_SIZE)
    assert set(found.table["group"]) == {"a", "b"}
    for g in "ab":
        for s in module.STATISTICS:
            assert found.estimate(g, s).value == whole.estimate(g, s).value


# ---- p by shuffling profiles


def brute_p(item, rater, label, group, name, statistic):
    """p over every distinct way to give the raters these groups, by definition."""
    raters = sorted(set(rater))
    profile = [dict(zip(rater, group, strict=True))[r] for r in raters]

    def value(profiles):
        of = dict(zip(raters, profiles, strict=True))
        irr, xrr = by_hand(item, label, [of[r] == name for r in rater])
        return {"irr": irr, "xrr": xrr, "gai": irr / xrr}[statistic]

    observed = value(profile)
    shuffled = [value(p) for p in sorted(set(itertools.permutations(profile)))]
    if observed >= np.median(shuffled) - 1e-9:
        return sum(v >= observed - 1e-9 for v in shuffled) / len(shuffled)
    return sum(v <= observed + 1e-9 for v in shuffled) / len(shuffled)


@pytest.mark.parametrize(("seed", "groups"), [(0, 2), (1, 2), (2, 3)])
def test_exact_p_is_that_of_every_split(seed, groups):
    item, rater, label, group = ratings(seed, items=12, raters=6, labels=2, share=0.9, groups=groups, kept=0.8)
    found = group_agreement(item, rater, label, group, interval="none", **ANY_SIZE)
    assert found.exact
    assert found.splits == {2: 20, 3: 90}[groups]
    table = found.table.set_index(["group", "statistic"])["p"]
    for name in "abc"[:groups]:
        for statistic in module.TESTED:
            expected = brute_p(item, rater, label, group, name, statistic)
            assert table[(name, statistic)] == pytest.approx(expected)


def test_drawn_shuffles_approach_all_splits(monkeypatch):
    rows = ratings(3, raters=8, groups=2)
    exact = group_agreement(*rows, interval="none", **ANY_SIZE)
    monkeypatch.setattr(agreement_module, "EXACT_UP_TO", 10)
    drawn = group_agreement(*rows, interval="none", permutations=2_000, **ANY_SIZE)
    assert (exact.exact, exact.splits, drawn.exact, drawn.splits) == (True, 70, False, 2_000)
    tested = exact.table["p"].notna()
    assert (exact.table["p"] - drawn.table["p"])[tested].abs().max() < 0.05
    assert exact.dsi_p == pytest.approx(drawn.dsi_p, abs=0.05)
    again = group_agreement(*rows, interval="none", permutations=2_000, **ANY_SIZE)
    pd.testing.assert_frame_equal(again.table, drawn.table)
    monkeypatch.setattr(shuffles, "CELLS_AT_ONCE", 500)
    in_parts = group_agreement(*rows, interval="none", permutations=2_000, **ANY_SIZE)
    pd.testing.assert_frame_equal(in_parts.table, drawn.table)


def test_a_drawn_p_is_never_zero():
    item, rater, label, group = planted(0)
    found = group_agreement(item, rater, label, group, interval="none", permutations=99, min_items=1)
    assert not found.exact
    assert found.table["p"].min() == pytest.approx(1 / 100)


def planted(seed, items=60, per_group=8, differ=0.7):
    """Raters of group b see another truth on a share of the items; everybody errs one time in seven."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(2, items)
    theirs = np.where(rng.random(items) < differ, rng.choice(2, items), truth)
    rater = np.arange(2 * per_group)
    seen = np.where((rater < per_group)[None, :], truth[:, None], theirs[:, None])
    given_label = np.where(rng.random(seen.shape) < 1 / 7, 1 - seen, seen)
    item, who = np.nonzero(np.ones_like(given_label))
    return item, who, given_label[item, who], np.where(who < per_group, "a", "b")


def test_a_group_that_sees_things_its_own_way_is_found():
    found = group_agreement(*planted(1), draws=200)
    table = found.table.set_index(["group", "statistic"])
    assert (table.loc[[("a", "gai"), ("b", "gai")], "q"] < 0.02).all()
    assert table.loc[("a", "xrr"), "side"] == "low"
    assert table.loc[("a", "gai"), "low"] > 1
    assert found.dsi.low > 1
    assert found.dsi_p == pytest.approx(1 / 1001)


def test_p_is_uniform_and_the_index_is_near_1_when_groups_do_not_differ():
    p, largest = [], []
    for seed in range(120):
        rows = ratings(1000 + seed, items=25, raters=14, labels=2, groups=2, kept=0.5)
        found = group_agreement(*rows, permutations=99, interval="none", seed=seed, **ANY_SIZE)
        p.append(found.table.set_index(["group", "statistic"]).loc[("a", "irr"), "p_two_sided"])
        largest.append(found.dsi_p)
    for of in (np.array(p), np.array(largest)):
        assert abs(of.mean() - 0.5) < 0.09
        assert 0.02 <= np.mean(of <= 0.1) <= 0.19
        assert 0.35 <= np.mean(of <= 0.5) <= 0.65


def test_raters_change_places_within_blocks_only():
    item, rater, label, group = ratings(4, raters=8, groups=2)
    found = group_agreement(item, rater, label, group, within=rater < 4, interval="none", **ANY_SIZE)
    assert (found.splits, found.exact) == (36, True)
    alone = group_agreement(item, rater, label, group, within=group, interval="none", **ANY_SIZE)
    assert alone.p_reason == module.ONE_SPLIT
    assert alone.table["p"].isna().all()
    read = shuffles.read(item, rater, label, group, None, (rater < 4).astype(int))
    drawn = shuffles.draw_splits(read.group_of_rater, read.block_of_rater, 50, np.random.default_rng(0))
    for b in (0, 1):
        places = read.block_of_rater == b
        assert (np.sort(drawn[:, places], axis=1) == np.sort(read.group_of_rater[places])).all()
    assert len(np.unique(drawn, axis=0)) > 5


def test_one_xrr_of_two_complementary_groups_is_one_test():
    item, rater, label, group = ratings(10, raters=10, groups=2)
    found = group_agreement(item, rater, label, group, **ANY_SIZE)
    xrr = found.table[found.table["statistic"] == "xrr"]
    assert xrr[["value", "low", "high", "p", "q"]].nunique().tolist() == pytest.approx([1] * 5)
    assert found.tests == 5
    with_others = group_agreement(item, rater, label, np.where(rater == 0, None, group), **ANY_SIZE)
    assert with_others.tests == 6
    family = found.table["p_two_sided"].drop(index=xrr.index[1]).dropna().sort_values()
    stepped = (family * 5 / np.arange(1, 6))[::-1].cummin().clip(upper=1)
    np.testing.assert_allclose(found.table["q"].drop(index=xrr.index[1]).dropna().sort_values(), stepped[::-1])


# ---- intervals


def population(seed, items):
    """Patterns of two groups of 4 and 3 raters who rate most items; group b leans to the second label on some."""
    rng = np.random.default_rng(seed)
    ease, lean = rng.beta(2, 2, items), rng.random(items) < 0.3
    chance = np.column_stack([ease, np.where(lean, ease / 2, ease)])
    counts = np.zeros((items, 2, 2), dtype=int)
    for g, size in enumerate((4, 3)):
        n = rng.binomial(size, 0.8, items)
        counts[:, g, 0] = rng.binomial(n, chance[:, g])
        counts[:, g, 1] = n - counts[:, g, 0]
    total = counts.sum(axis=1)
    return {name: GroupPatterns(counts[:, g], total, np.ones(items)).combined() for g, name in enumerate("ab")}


@pytest.fixture(scope="module")
def truth():
    return values(group_agreement_of_patterns(population(0, 120_000), interval="none"))


@pytest.mark.parametrize(("interval", "runs"), [("bootstrap", 200), ("linearised", 250)])
def test_intervals_cover_the_truth_of_other_items(interval, runs, truth):
    covered, dsi = Counter(), 0
    for seed in range(1, runs + 1):
        found = group_agreement_of_patterns(population(seed, 250), interval=interval, draws=250, seed=seed)
        for row in found.table.itertuples():
            covered[(row.group, row.statistic)] += row.low <= truth[(row.group, row.statistic)] <= row.high
        dsi += found.dsi.low <= max(truth[("a", "gai")], truth[("b", "gai")]) <= found.dsi.high
    shares = {key: count / runs for key, count in covered.items()}
    assert 0.93 <= np.mean(list(shares.values())) <= 0.97
    assert min(shares.values()) > 0.9
    assert dsi / runs >= 0.93


def test_an_index_over_what_may_be_nothing_has_no_interval():
    for interval in ("bootstrap", "linearised"):
        found = group_agreement(*ratings(2, items=60, kept=0.3), interval=interval, permutations=0, **ANY_SIZE)
        shaky = [found.estimate(g, "gai") for g in "abc" if found.estimate(g, "xrr").low < 0]
        assert any(e.value is not None for e in shaky)
        assert all(e.low is None and e.high is None for e in shaky)


def test_items_are_resampled_within_their_project():
    """Two projects that differ in everything: both intervals are those of resampling the items of each by hand."""
    rows = [ratings(21, items=150, labels=3, kept=0.9), ratings(22, items=40, labels=2, kept=0.5)]
    parts = [group_patterns(*r)["a"] for r in rows]
    rng, drawn = np.random.default_rng(0), []
    for _ in range(1_500):
        terms = 0
        for p in parts:
            stratum = Stratum(p)
            n = int(stratum.items.sum())
            chosen = rng.choice(len(stratum.items), n, p=stratum.items / n)
            terms = terms + stratum.terms(stratum.columns[chosen].sum(axis=0))
        drawn.append(values_of(terms))
    expected = np.quantile(drawn, [0.025, 0.975], axis=0)
    for interval, tolerance in (("bootstrap", 0.08), ("linearised", 0.12)):
        found = group_agreement_of_patterns({"a": parts}, interval=interval, draws=3_000, **ANY_SIZE)
        for k, statistic in enumerate(module.STATISTICS):
            estimate = found.estimate("a", statistic)
            width = expected[1, k] - expected[0, k]
            assert estimate.high - estimate.low == pytest.approx(width, rel=tolerance), (interval, statistic)


def test_linearised_derivatives_are_those_of_the_terms():
    patterns = group_patterns(*ratings(11))["a"]
    stratum = Stratum(patterns)
    exact = stratum.derivatives()
    step = 1e-5
    for k in range(len(stratum.items)):
        more, less = stratum.items.copy(), stratum.items.copy()
        more[k] += step
        less[k] -= step
        slope = (stratum.terms(more @ stratum.columns) - stratum.terms(less @ stratum.columns)) / (2 * step)
        np.testing.assert_allclose(exact[k], slope, rtol=1e-5, atol=1e-6)


def test_perfect_agreement_is_1_without_an_interval():
    item, rater = np.nonzero(np.ones((30, 6)))
    found = group_agreement(item, rater, item % 3, rater % 2, permutations=0, **ANY_SIZE)
    for statistic in ("irr", "xrr", "gai"):
        assert found.estimate(0, statistic).value == pytest.approx(1)
        assert found.estimate(0, statistic).low is None


def test_intervals_surround_their_values():
    for interval in ("bootstrap", "linearised"):
        found = group_agreement_of_patterns(population(3, 200), interval=interval).table
        assert (found["low"] <= found["value"]).all()
        assert (found["value"] <= found["high"]).all()


# ---- what cannot be said


def reason(found, statistic, group="a"):
    return found.estimate(group, statistic).reason


def test_small_groups_are_not_shown():
    item, rater, label, group = ratings(12, raters=9, groups=2)
    found = group_agreement(item, rater, label, group, min_items=1, permutations=99)
    assert reason(found, "irr", "b") == reason(found, "negentropy", "b") == "fewer than 5 raters in the group"
    assert reason(found, "irr") == ""
    assert reason(found, "xrr") == reason(found, "gai") == "fewer than 5 raters outside the group"
    assert found.dsi.reason == module.NO_INDEX
    assert found.dsi_p is None
    assert found.tests == 1
    few = group_agreement(item, rater, label, group, min_raters=1, min_items=1_000, permutations=0)
    assert reason(few, "irr") == "fewer than 1000 items with two ratings of the group"
    assert reason(few, "xrr") == "fewer than 1000 items rated by the group and by others"
    by_sums = group_agreement_of_patterns(group_patterns(item, rater, label, group), {"a": 5, "b": 4}, min_items=1)
    assert reason(by_sums, "irr", "b") == "fewer than 5 raters in the group"
    assert reason(by_sums, "xrr") == "fewer than 5 raters outside the group"


def test_no_index_where_groups_agree_no_better_than_chance():
    item, rater = np.nonzero(np.ones((30, 6)))
    found = group_agreement(item, rater, (item + rater) % 2, rater % 2, permutations=0, **ANY_SIZE)
    assert found.estimate(0, "irr").value == pytest.approx(1)
    assert found.estimate(0, "xrr").value == pytest.approx(-1)
    assert reason(found, "gai", 0) == module.NOT_ABOVE_CHANCE


@pytest.mark.parametrize(
    ("item", "label", "irr", "xrr"),
    [
        ([1, 1, 2, 2], "xyxy", "no item has two ratings of the group", ""),
        ([1, 2, 3, 4], "xyxy", "no item has two ratings of the group", "no item is rated by the group and by others"),
        ([1, 1, 1, 1], "xxxx", "no variation: every rating is the same label", "no variation"),
    ],
)
def test_undefined_cases_say_why(item, label, irr, xrr):
    raters, group = ([0, 1, 0, 1], list("abab")) if irr.startswith("no item") else ([0, 1, 2, 3], list("aabb"))
    found = group_agreement(item, raters, list(label), group, permutations=0, **ANY_SIZE)
    assert reason(found, "irr") == irr
    assert reason(found, "xrr").startswith(xrr)
    assert bool(reason(found, "xrr")) == bool(xrr)


def test_no_rows_are_no_groups():
    found = group_agreement([], [], [], [])
    assert found.table.empty
    assert found.dsi.reason == module.NO_INDEX
    one = group_agreement([1, 1], [1, 2], ["x", "y"], ["a", "a"], **ANY_SIZE)
    assert one.p_reason == module.ONE_SPLIT


def test_what_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="item 2, rater 1"):
        group_agreement([1, 2], [1], ["x"], ["a"])
    with pytest.raises(ValueError, match="Rater 7 is in several groups"):
        group_agreement([1, 2], [7, 7], ["x", "x"], ["a", "b"])
    with pytest.raises(ValueError, match="several blocks"):
        group_agreement([1, 2], [7, 7], ["x", "x"], ["a", "a"], within=[1, 2])
    with pytest.raises(UnknownName, match='no declared label "z"'):
        group_agreement([1], [1], ["z"], ["a"], ["x", "y"])
    with pytest.raises(UnknownName, match="bootstrap"):
        group_agreement_of_patterns({}, interval="bootstrp")
    with pytest.raises(UnknownName, match="xrr"):
        group_agreement([], [], [], []).estimate("a", "xr")
    for inside, total, items in (([[2, 0]], [[1, 0]], [1]), ([[1, 0]], [[1]], [1]), ([[1]], [[1]], [-1])):
        with pytest.raises(ValueError, match=r"Group patterns need|lie between"):
            GroupPatterns(inside, total, items)
