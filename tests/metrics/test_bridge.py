"""The bridge: by enumeration of all orders of change, the identity by hypothesis, and planted causes."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.bridge import PARTS, cost_bridge, shapley_of_product

KEYS = ["project_id", "pool_id"]


def period(rows):
    """Rows (project, pool, labels, hours, cost)."""
    return pd.DataFrame(rows, columns=[*KEYS, "labels", "hours", "cost"])


def amounts_of(bridge):
    return dict(zip(bridge.parts["part"], bridge.parts["amount"], strict=True))


def test_shapley_is_the_mean_over_all_orders():
    rng = np.random.default_rng(0)
    before, after = rng.random(4), rng.random(4)
    expected = np.zeros(4)
    for order in itertools.permutations(range(4)):
        now = before.copy()
        for k in order:
            was = now.prod()
            now[k] = after[k]
            expected[k] += now.prod() - was
    assert np.array(shapley_of_product(before, after)) == pytest.approx(expected / math.factorial(4), abs=1e-12)


def test_two_factors_are_the_average_weights_form():
    found = shapley_of_product([np.array(3.0), np.array(5.0)], [np.array(4.0), np.array(2.0)])
    assert [float(f) for f in found] == pytest.approx([1 * 3.5, -3 * 3.5])


@pytest.mark.parametrize(
    ("part", "labels", "hours", "cost"),
    [
        ("volume", [200, 100], [20, 40], [400, 600]),
        ("efficiency", [100, 50], [12, 24], [240, 360]),
        ("price", [100, 50], [10, 20], [300, 450]),
        ("mix", [50, 100], [5, 40], [100, 600]),
    ],
)
def test_a_pure_cause_is_all_of_the_change(part, labels, hours, cost):
    before = period([("p", "a", 100, 10, 200), ("p", "b", 50, 20, 300)])
    after = period([("p", pool, n, h, c) for pool, n, h, c in zip("ab", labels, hours, cost, strict=True)])
    for of in ("cost", "unit cost"):
        found = cost_bridge(before, after, of=of)
        parts = amounts_of(found)
        if of == "unit cost" and part == "volume":
            assert found.change == pytest.approx(0, abs=1e-12)
        assert parts.pop(part) == pytest.approx(found.change, abs=1e-9)
        assert list(parts.values()) == pytest.approx([0] * 5, abs=1e-9)


count = st.one_of(st.just(0.0), st.integers(1, 10_000).map(float), st.floats(0.001, 1e5))
rows = st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("abc"), count, count, count), min_size=0, max_size=8)


@settings(max_examples=40, deadline=None)
@given(rows, rows, st.sampled_from(["cost", "unit cost"]))
def test_parts_sum_to_the_change_for_any_cells(one, two, of):
    before, after = period(one), period(two)
    for frame in (before, after):
        frame[["labels", "hours", "cost"]] = frame[["labels", "hours", "cost"]].astype(float)
    found = cost_bridge(before, after, of=of)
    made = [frame["labels"].sum() for frame in (before, after)]
    if of == "unit cost" and not all(made):
        assert found.change is None
        assert "no labels in the" in found.reason
        assert found.parts["amount"].isna().all()
        return
    spent = [math.fsum(frame["cost"]) for frame in (before, after)]
    if of == "unit cost":
        spent = [c / v for c, v in zip(spent, made, strict=True)]
    # Parts that nearly cancel are each rounded: hours a label may fall from 40,000 to 0.002 here.
    size = max(1e-9 * max(1, *spent), 4 * np.finfo(float).eps * found.parts["amount"].abs().max())
    assert found.change == pytest.approx(spent[1] - spent[0], abs=size)
    assert math.fsum(found.parts["amount"]) == pytest.approx(spent[1] - spent[0], abs=size)
    assert math.fsum(found.drivers["amount"]) == pytest.approx(spent[1] - spent[0], abs=size)
    np.testing.assert_allclose(found.cells[list(PARTS)].sum(axis=1), found.cells["change"], atol=size)
    assert found.drivers["amount"].abs().is_monotonic_decreasing
    if len(found.drivers):
        assert found.drivers["share"].sum() == pytest.approx(1)
    back = cost_bridge(after, before, of=of)
    np.testing.assert_allclose(back.parts["amount"], -found.parts["amount"], atol=size)


def test_a_new_cell_is_volume_and_mix_only():
    before = period([("p", "a", 100, 10, 200)])
    after = period([("p", "a", 100, 10, 200), ("p", "b", 50, 20, 300)])
    parts = amounts_of(cost_bridge(before, after))
    assert parts["efficiency"] == parts["price"] == parts["unsplit"] == parts["unlabelled"] == 0
    # By hand: V 100 to 150, shares 1 to 2/3 and 0 to 1/3, a label 2 and 6.
    assert parts["volume"] == pytest.approx(50 * (5 / 6 * 2 + 1 / 6 * 6))
    assert parts["mix"] == pytest.approx(125 * (-2 / 3 + 6 / 3))


def test_unknown_hours_and_cost_without_labels_have_their_own_parts():
    before = period([("p", "a", 100, 10, 200), ("p", "b", 100, np.nan, 300), ("p", "c", 0, 5, 50)])
    after = period([("p", "a", 100, 10, 200), ("p", "b", 100, 20, 500), ("p", "c", 0, 5, 80)])
    parts = amounts_of(cost_bridge(before, after))
    assert parts == pytest.approx(
        {"volume": 0, "mix": 0, "efficiency": 0, "price": 0, "unsplit": 200, "unlabelled": 30}
    )
    without = cost_bridge(before.drop(columns="hours"), after.drop(columns="hours"))
    assert amounts_of(without)["unsplit"] == pytest.approx(200)
    # A cell that starts to make labels: what it cost before was unlabelled, what it costs now is volume and mix.
    started = cost_bridge(period([("p", "a", 0, 5, 50), ("p", "b", 10, 1, 10)]), period([("p", "a", 40, 5, 60)]))
    assert amounts_of(started)["unlabelled"] == -50
    assert started.change == 0


def test_a_period_without_labels():
    before, after = period([("p", "a", 0, 0, 0)]), period([("p", "a", 10, 1, 100)])
    assert amounts_of(cost_bridge(before, after))["volume"] == pytest.approx(100)
    found = cost_bridge(before, after, of="unit cost")
    assert (found.before, found.reason) == (None, "no labels in the first period: there is no cost per label")
    assert found.drivers.empty
    assert cost_bridge(before[:0], before[:0]).change == 0
    assert cost_bridge(before[:0], before[:0], of="unit cost").parts["amount"].isna().all()


def test_drivers_rank_the_planted_cause_first():
    """Pool b's hours a label rise by half while all else moves by a few percent."""
    rng = np.random.default_rng(1)
    cells = [(p, q, 1000 + 100 * i, 50.0, 1500.0) for i, (p, q) in enumerate(itertools.product("pqr", "abc"))]
    before = period(cells)
    after = before.assign(
        labels=before["labels"] * rng.normal(1, 0.02, 9),
        hours=before["hours"] * rng.normal(1, 0.01, 9),
        cost=before["cost"] * rng.normal(1, 0.01, 9),
    )
    planted = (after["project_id"] == "q") & (after["pool_id"] == "b")
    after.loc[planted, ["hours", "cost"]] *= 1.5
    for of in ("cost", "unit cost"):
        first = cost_bridge(before, after, of=of).drivers.iloc[0]
        assert (first["project_id"], first["pool_id"], first["part"]) == ("q", "b", "efficiency")


def test_growth_of_a_pool_of_average_cost_drives_nothing():
    before = period([("p", "a", 100, 10, 200), ("p", "b", 100, 10, 100), ("p", "c", 100, 10, 300)])
    after = period([("p", "a", 200, 20, 400), ("p", "b", 50, 5, 50), ("p", "c", 50, 5, 150)])
    drivers = cost_bridge(before, after, of="unit cost").drivers
    assert (drivers.loc[drivers["pool_id"] == "a", "amount"].abs() < 1e-12).all()
    by_pool = drivers[drivers["part"] == "mix"].set_index("pool_id")["amount"]
    assert by_pool["b"] > 0 > by_pool["c"]  # less of the cheap pool is dearer


def test_rows_of_a_cell_add_up_and_names_are_kept():
    before = period([("p", "a", 60, 6, 120), ("p", "a", 40, 4, 80)])
    after = period([("p", "a", 100, 12, 240)])
    found = cost_bridge(before, after, hours="handling")
    assert (found.form, found.hours, found.of) == ("Shapley", "handling", "cost")
    assert found.cells.loc[0, ["labels_before", "hours_before", "cost_before"]].tolist() == [100, 10, 200]
    assert amounts_of(found)["efficiency"] == pytest.approx(40)


def test_money_that_does_not_add_up_is_refused():
    good = period([("p", "a", 10, 1, 10)])
    with pytest.raises(ValueError, match="not negative"):
        cost_bridge(good.assign(cost=-1.0), good)
    with pytest.raises(ValueError, match="not negative"):
        cost_bridge(good, good.assign(hours=-1.0))
    with pytest.raises(ValueError, match="EUR and USD"):
        cost_bridge(good.assign(currency="USD"), good.assign(currency="EUR"))
    with pytest.raises(ValueError, match="bridge is of"):
        cost_bridge(good, good, of="speed")
