"""Allocation of audits: textbook formulae, best plans by trying all, simulated estimates."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.audit_allocation import allocate_audits


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
