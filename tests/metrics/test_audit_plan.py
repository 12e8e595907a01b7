"""Audit plans: textbook formulae, best plans by trying all, published plans, simulated batches and raters."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.audit_plan import (
    acceptance_probability,
    allocate_audits,
    find_plan,
    gold_exposure_of_sums,
    operating_curve,
)
from metrics.errors import UnknownName

# ---- allocation


def variance(plan, size, p, weight=1.0):
    """Variance of the weighted error share with these audits, from the definition."""
    w = np.asarray(weight) * size
    return float((w**2 * p * (1 - p) / plan * (1 - plan / size)).sum() / w.sum() ** 2)


def test_neymans_formula_without_earlier_audits_and_floor():
    """n_h ~ N_h √(p_h q_h)/√c_h, Cochran 1977 section 5.5; p_h nearly raw with a weak prior."""
    size, p, cost = np.array([4000.0, 4000, 2000]), np.array([0.1, 0.5, 0.2]), np.array([1.0, 4, 1])
    found = allocate_audits(
        list("abc"), size, [1000] * 3, 1000 * p, 900, cost=cost, floor=0, keep_earlier=False, prior_audits=1e-9
    )
    ideal = size * np.sqrt(p * (1 - p)) / np.sqrt(cost)
    assert found.table["audits"].tolist() == [round(x) for x in 900 * ideal / ideal.sum()]
    assert found.table["audits"].sum() == found.audits == 900
    assert found.cost == (found.table["audits"] * cost).sum()
    assert found.se_before is None
    plan = found.table["audits"].to_numpy()
    assert found.se_after == pytest.approx(math.sqrt(variance(plan, size, p)))
    assert found.se_proportional == pytest.approx(math.sqrt(variance(found.table["proportional"], size, p)))


@pytest.mark.parametrize("seed", range(6))
def test_no_other_plan_is_better_by_trying_all(seed):
    rng = np.random.default_rng(seed)
    size, audited = rng.integers(200, 2_000, 3), rng.integers(3, 12, 3)
    errors, harm = rng.binomial(audited, 0.3), rng.choice([1.0, 3.0], 3)
    found = allocate_audits(list("abc"), size, audited, errors, 25, harm=harm, floor=1)
    p = found.table["error_rate"].to_numpy()
    best = min(
        variance(audited + np.array([a, b, 25 - a - b]), size, p, harm)
        for a, b in itertools.product(range(1, 24), repeat=2)
        if a + b < 25
    )
    assert found.se_after**2 == pytest.approx(best, rel=2e-3)
    assert found.se_after < found.se_before
    assert found.se_before**2 == pytest.approx(variance(audited, size, p, harm))


def test_a_stratum_without_an_error_so_far_is_not_left_out():
    found = allocate_audits(["clean", "dirty"], [5_000, 5_000], [40, 40], [0, 8], 200, floor=0)
    rates = found.table.set_index("stratum")["error_rate"]
    overall = 8.5 / 81
    assert rates["clean"] == pytest.approx(4 * overall / 44)
    assert rates["dirty"] == pytest.approx((8 + 4 * overall) / 44)
    assert 0 < found.table["audits"].iloc[0] < found.table["audits"].iloc[1]
    spotless = allocate_audits(["a", "b"], [100, 300], [20, 20], [0, 0], 40, floor=0)
    assert (spotless.table["error_rate"] > 0).all()
    assert spotless.se_after > 0


strata = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 30), st.integers(0, 30), st.sampled_from([0.0, 1.0, 5.0])),
    min_size=1,
    max_size=7,
)


@settings(deadline=None)
@given(strata, st.integers(0, 800), st.integers(0, 20), st.booleans())
def test_plans_keep_their_promises(rows, audits, floor, keep):
    size = np.array([r[0] for r in rows])
    audited = np.minimum([r[1] for r in rows], size)
    errors = np.minimum([r[2] for r in rows], audited)
    found = allocate_audits(
        list(range(len(rows))), size, audited, errors, audits, harm=[r[3] for r in rows], floor=floor, keep_earlier=keep
    )
    plan, room = found.table["audits"].to_numpy(), size - (audited if keep else 0)
    assert plan.sum() == found.audits == min(audits, room.sum())
    assert found.unallotted == audits - found.audits
    assert (plan >= 0).all()
    assert (plan <= room).all()
    if np.minimum(floor, room).sum() <= audits:
        assert (plan >= np.minimum(floor, room)).all()
    if found.se_before is not None:
        assert found.se_after <= found.se_before + 1e-12
    assert (found.table["low"] <= found.table["error_rate"]).all()
    assert (found.table["error_rate"] <= found.table["high"]).all()
    assert (found.se_before is None) == bool(found.se_reason)


def test_cutting_a_stratum_in_halves_changes_nothing():
    whole = allocate_audits(["a", "b"], [4_000, 1_000], [80, 20], [8, 6], 300, floor=0)
    halves = allocate_audits(["a1", "a2", "b"], [2_000, 2_000, 1_000], [40, 40, 20], [4, 4, 6], 300, floor=0)
    # The prior counts once a stratum, so the halves' error rate moves a little.
    assert abs(halves.table["audits"].iloc[:2].sum() - whole.table["audits"].iloc[0]) <= 3
    assert halves.table["audits"].iloc[:2].tolist() in ([x, y] for x in range(300) for y in (x - 1, x, x + 1))


def test_order_of_strata_changes_nothing():
    size, audited, errors = np.array([900, 300, 50, 2_000]), np.array([30, 10, 5, 60]), np.array([3, 4, 0, 1])
    first = allocate_audits(list("abcd"), size, audited, errors, 111)
    order = [2, 0, 3, 1]
    second = allocate_audits(np.array(list("abcd"))[order], size[order], audited[order], errors[order], 111)
    pd.testing.assert_frame_equal(
        first.table.set_index("stratum"), second.table.set_index("stratum").loc[list("abcd")], check_index_type=False
    )
    assert first.se_after == pytest.approx(second.se_after)


def test_strata_that_were_audited_enough_get_their_floor():
    found = allocate_audits(["seen", "unseen"], [1_000, 1_000], [500, 10], [50, 1], 100, floor=5)
    assert found.table["audits"].tolist() == [5, 95]
    anew = allocate_audits(["seen", "unseen"], [1_000, 1_000], [500, 10], [50, 1], 100, floor=5, keep_earlier=False)
    assert abs(anew.table["audits"].iloc[0] - 50) < 8


def test_floors_that_do_not_fit_are_lowered_alike():
    found = allocate_audits(list("abc"), [100, 100, 100], [5, 5, 5], [1, 5, 2], 10, floor=5)
    assert sorted(found.table["audits"]) == [3, 3, 4]


def test_the_neyman_plan_measures_better_in_simulation():
    """Drawn samples: the error of the stratified estimate is what se_after says, below the proportional plan's."""
    rng = np.random.default_rng(0)
    size, p = np.array([6_000, 3_000, 1_000]), np.array([0.01, 0.05, 0.4])
    found = allocate_audits(list("abc"), size, [2_000] * 3, 2_000 * p, 300, floor=5, keep_earlier=False)
    true = (size * p).sum() / size.sum()
    deviation = {}
    for column in ("audits", "proportional"):
        plan = found.table[column].to_numpy()
        hits = rng.hypergeometric((size * p).astype(int), (size * (1 - p)).astype(int), plan, size=(20_000, 3))
        deviation[column] = np.sqrt((((hits / plan) @ size / size.sum() - true) ** 2).mean())
    assert deviation["audits"] == pytest.approx(found.se_after, rel=0.03)
    assert deviation["proportional"] == pytest.approx(found.se_proportional, rel=0.03)
    assert deviation["audits"] < 0.85 * deviation["proportional"]


def test_plans_that_cannot_be_say_why():
    assert allocate_audits([], [], [], [], 10).reason == "no strata with items"
    assert allocate_audits(["a"], [10], [0], [0], 0).reason == "no audits to allot"
    found = allocate_audits(list("abcde"), [10] * 5, [0] * 5, [0] * 5, 100)
    assert (found.audits, found.unallotted) == (50, 50)
    assert found.se_reason == "no audit yet in a, b, c and 2 more"
    assert found.se_after == 0
    for bad in (
        {"size": [1, 2]},
        {"size": [-1]},
        {"errors": [9]},
        {"audited": [99]},
        {"cost": [0]},
        {"floor": -1},
        {"prior_audits": 0},
    ):
        arguments = {"stratum": ["a"], "size": [10], "audited": [5], "errors": [1], "audits": 3} | bad
        with pytest.raises(ValueError, match=r"Strata need|not negative|no more"):
            allocate_audits(**arguments)


# ---- acceptance sampling


def test_the_iso_plan_of_methods_section_12():
    """ISO 2859-1, letter K: n 125, c 3 accepts 96 % of lots at 1 % errors and 12 % at 5 %."""
    found = acceptance_probability(125, 3, [0.01, 0.05])
    assert found == pytest.approx([0.96, 0.12], abs=0.005)
    curve = operating_curve(125, 3, [0, 0.01, 0.05, 1])
    assert curve["accepted"].tolist() == pytest.approx([1, *found, 0], abs=1e-12)
    assert curve["outgoing"].tolist() == pytest.approx([0, 0.01 * found[0], 0.05 * found[1], 0])


def choose(n, k):
    return math.comb(n, k) if 0 <= k <= n else 0


@given(st.integers(1, 40), st.data())
def test_acceptance_is_counting_samples(lot, data):
    n, wrong = data.draw(st.integers(0, lot)), data.draw(st.integers(0, lot))
    c = data.draw(st.integers(0, lot))
    exact = sum(choose(wrong, x) * choose(lot - wrong, n - x) for x in range(min(c, n) + 1)) / choose(lot, n)
    assert acceptance_probability(n, c, wrong / lot, lot) == pytest.approx(exact, abs=1e-10)
    p = wrong / lot
    binomial = sum(choose(n, x) * p**x * (1 - p) ** (n - x) for x in range(min(c, n) + 1))
    assert acceptance_probability(n, c, p) == pytest.approx(binomial, abs=1e-10)


def test_a_large_lot_is_nearly_endless_and_shapes_are_kept():
    rate = np.array([[0.01, 0.05], [0.1, 0.0]])
    large = acceptance_probability(50, 2, rate, lot=1_000_000)
    assert large.shape == (2, 2)
    np.testing.assert_allclose(large, acceptance_probability(50, 2, rate), atol=1e-4)


@pytest.mark.parametrize(
    ("acceptable", "limit", "alpha", "beta", "lot"),
    [
        (0.01, 0.05, 0.05, 0.10, None),
        (0.02, 0.08, 0.05, 0.10, None),
        (0.02, 0.10, 0.05, 0.10, 400),
        (0, 0.2, 0.01, 0.05, 60),
    ],
)
def test_plans_are_the_smallest_by_trying_all(acceptable, limit, alpha, beta, lot):
    found = find_plan(acceptable, limit, alpha, beta, lot)

    def keeps(n, c):
        good, bad = acceptance_probability(n, c, [acceptable, limit], lot)
        return good >= 1 - alpha and bad <= beta

    assert keeps(found.n, found.c)
    assert not any(keeps(n, c) for n in range(1, found.n) for c in range(12))
    assert not any(keeps(found.n, c) for c in range(found.c))
    good, bad = acceptance_probability(found.n, found.c, [acceptable, limit], lot)
    assert (found.producer_risk, found.consumer_risk) == pytest.approx((1 - good, bad))


def test_textbook_plan():
    """AQL 1 %, LTPD 5 %, 5 % and 10 % risks, binomial: n 132, c 3."""
    found = find_plan(0.01, 0.05)
    assert (found.n, found.c) == (132, 3)


def test_simulated_batches_are_accepted_as_often_as_said():
    drawn = np.random.default_rng(1).hypergeometric(60, 940, 80, size=40_000)
    assert acceptance_probability(80, 4, 0.06, 1_000) == pytest.approx((drawn <= 4).mean(), abs=0.01)


def test_what_is_no_plan():
    none = find_plan(0.1, 0.11, lot=20)
    assert (none.n, none.reason) == (None, "no sample of that lot keeps both risks")
    for n, c, rate, lot in ((-1, 0, 0.1, None), (5, -1, 0.1, None), (11, 0, 0.1, 10), (5, 0, 1.1, None)):
        with pytest.raises(ValueError, match=r"A plan audits|error rate"):
            acceptance_probability(n, c, rate, lot)
    for acceptable, limit, risk in ((0.05, 0.01, 0.05), (0.01, 0.05, 0), (0.01, 1.5, 0.05)):
        with pytest.raises(ValueError, match="A plan needs"):
            find_plan(acceptable, limit, risk)


# ---- wear of the gold pool


ROWS = {
    "item": ["g1", "g2", "g1", "g1", "i1", "i2", "g3", "i3", "i4", "i5"],
    "rater": ["a", "a", "a", "a", "a", "a", "b", "b", "c", "c"],
    "is_gold": [1, 1, 1, 1, 0, 0, 1, 0, 0, 0],
}


def exposure(item, rater, is_gold, pool=None, days=None):
    """Of rows, a judgement each, summed by rater as the warehouse does; the pool is the gold met when not told."""
    rows = pd.DataFrame({"item": item, "rater": rater, "gold": np.asarray(is_gold, dtype=bool)})
    met = rows[rows["gold"]]
    sums = rows.groupby("rater")["gold"].agg(judgements="size", gold_judgements="sum")
    sums["distinct_gold"] = met.groupby("rater")["item"].nunique().reindex(sums.index, fill_value=0)
    return gold_exposure_of_sums(sums.reset_index(), met["item"].nunique() if pool is None else pool, days)


def test_exposure_by_hand():
    found = exposure(**ROWS, pool=5, days=2)
    table = found.table.set_index("rater")
    assert found.table["rater"].tolist() == ["a", "b", "c"]
    assert table["judgements"].tolist() == [6, 2, 2]
    assert table["gold_judgements"].tolist() == [4, 1, 0]
    assert table["gold_share"].tolist() == pytest.approx([4 / 6, 0.5, 0])
    assert table["distinct_gold"].tolist() == [2, 1, 0]
    assert table["seen_share"].tolist() == [0.4, 0.2, 0]
    assert table["repeats"].tolist() == [2, 0, 0]
    assert table["days_left"].tolist()[:2] == [3 / 2, 4 / 0.5]
    assert table["reason"].tolist() == ["", "", "no gold judgements"]
    assert (found.pool, found.gold_share.value, found.gold_share.n) == (5, 0.5, 10)
    assert (found.first_exhausted.value, found.first_exhausted.n) == (1.5, 4)
    # Jeffreys' interval of a count of 4: half of chi-squared with 9 degrees of freedom, in two days.
    ends = (found.first_exhausted.low, found.first_exhausted.high)
    assert ends == pytest.approx((3 / (19.0228 / 4), 3 / (2.7004 / 4)), rel=1e-4)
    assert exposure(**ROWS).pool == 3


def test_the_order_of_raters_does_not_matter():
    found = exposure(**ROWS, pool=5, days=2)
    sums = found.table[["rater", "judgements", "gold_judgements", "distinct_gold"]].iloc[::-1]
    pd.testing.assert_frame_equal(gold_exposure_of_sums(sums, 5, 2).table, found.table)


def test_a_used_up_pool_has_no_days_left():
    found = exposure(["g1", "g2"], ["a", "a"], [True, True], days=1)
    assert (found.first_exhausted.value, found.first_exhausted.low, found.first_exhausted.high) == (0, 0, 0)
    assert found.table["seen_share"].tolist() == [1]
    assert exposure(["g1"], ["a"], [True]).first_exhausted.value == 0


@pytest.mark.parametrize("met_a_day", [0.6, 1, 3, 10])
def test_the_interval_of_days_left_covers_the_expected_ones(met_a_day):
    """Ten days, gold items met by a Poisson process, in 10,000 raters: to within .5 %."""
    met = np.random.default_rng(2).poisson(met_a_day * 10, 10_000)
    met = met[met > 0]
    sums = pd.DataFrame({"rater": range(len(met)), "judgements": 400, "gold_judgements": met, "distinct_gold": met})
    table = gold_exposure_of_sums(sums, 400, 10).table
    true = (400 - table["distinct_gold"]) / met_a_day
    assert 0.93 <= ((table["days_low"] <= true) & (true <= table["days_high"])).mean() <= 0.97


def test_exposure_that_cannot_be_told():
    assert exposure([], [], []).gold_share.reason == "no judgements"
    assert exposure([], [], []).first_exhausted.reason == "no judgements"
    assert exposure(["i"], ["a"], [0], days=1).first_exhausted.reason == "no gold items"
    assert exposure(["i"], ["a"], [1], pool=3).first_exhausted.reason == "days are not known"
    with pytest.raises(UnknownName, match="distinct_gold"):
        gold_exposure_of_sums(pd.DataFrame({"rater": [1], "judgements": [1], "gold_judgements": [1]}), 3)
    with pytest.raises(ValueError, match="met 2 gold items where the pool has 1"):
        exposure(["g1", "g2"], ["a", "a"], [1, 1], pool=1)
    with pytest.raises(ValueError, match="more than 0 days"):
        exposure(["g1"], ["a"], [1], days=0)
    sums = pd.DataFrame({"rater": [1], "judgements": [1], "gold_judgements": [2], "distinct_gold": [1]})
    with pytest.raises(ValueError, match="no more"):
        gold_exposure_of_sums(sums, 3)
