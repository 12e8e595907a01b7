"""Mix and rate: a published table, statsmodels' decomposition, the identity by hypothesis, simulated coverage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.oaxaca import OaxacaBlinder

from metrics.mix import kitagawa
from tests.metrics.mix.rows import shares


def test_the_published_split():
    before, after = shares([0.6, 0.3, 0.1], [0.9, 0.8, 0.6]), shares([0.3, 0.4, 0.3], [0.92, 0.75, 0.55])
    two, three = kitagawa(before, after, ["cell"]), kitagawa(before, after, ["cell"], form="three-part")
    assert [two.change.value, two.mix.value, two.rate.value] == pytest.approx([-0.099, -0.0805, -0.0185], abs=1e-12)
    assert two.interaction is None
    parts = [three.mix.value, three.rate.value, three.interaction.value]
    assert parts == pytest.approx([-0.070, -0.008, -0.021], abs=1e-12)
    assert two.cells[["mix", "rate", "total"]].sum().tolist() == pytest.approx([-0.0805, -0.0185, -0.099], abs=1e-12)
    assert (two.form, three.form) == ("two-part", "three-part")


@pytest.mark.parametrize("seed", range(4))
def test_both_forms_are_statsmodels_decomposition_on_dummies(seed):
    """With a dummy a cell, coefficients are the cells' means: weighted half and half ("reimers") it is the two-part
    form, and with the first period's means and weights the three-part one. Every cell is in both periods."""
    rng = np.random.default_rng(seed)
    cells = 5
    at = [np.concatenate([np.arange(cells), rng.choice(cells, 300, p=rng.dirichlet(np.ones(cells)))]) for _ in "ab"]
    y = [rng.normal(rng.normal(0, 1, cells)[a], 0.5) for a in at]
    frames = [pd.DataFrame({"cell": a, "n": 1.0, "total": v, "squares": v**2}) for a, v in zip(at, y, strict=True)]
    # The first of the two groups is the later period, whatever its mean.
    period = np.repeat([1.0, 0.0], [len(v) for v in y])
    table = np.column_stack([np.eye(cells)[np.concatenate(at)], period])
    oracle = OaxacaBlinder(np.concatenate(y), table, cells, hasconst=True, swap=False)
    unexplained, explained, gap = oracle.two_fold(two_fold_type="reimers").params
    two, three = (kitagawa(*frames, ["cell"], form=form) for form in ("two-part", "three-part"))
    assert (two.mix.value, two.rate.value) == (
        pytest.approx(explained, abs=1e-10),
        pytest.approx(unexplained, abs=1e-10),
    )
    endowments, coefficients, interaction, _ = oracle.three_fold().params
    assert three.mix.value == pytest.approx(endowments, abs=1e-10)
    assert three.rate.value == pytest.approx(coefficients, abs=1e-10)
    assert three.interaction.value == pytest.approx(interaction, abs=1e-10)
    assert two.change.value == pytest.approx(gap, abs=1e-10)


side = st.lists(st.tuples(st.integers(0, 200), st.floats(-1e3, 1e3)), min_size=1, max_size=7)


@settings(max_examples=30, deadline=None)
@given(side, side, st.sampled_from(["two-part", "three-part"]))
def test_parts_sum_to_the_change_whatever_is_missing(one, two, form):
    before, after = (
        pd.DataFrame(
            {
                "cell": range(len(s)),
                "n": [float(n) for n, _ in s],
                "total": [n * x for n, x in s],
                "squares": [n * x * x for n, x in s],
            }
        )
        for s in (one, two)
    )
    found = kitagawa(before, after, ["cell"], form=form)
    if not before["n"].sum() or not after["n"].sum():
        assert found.change.value is None
        assert found.mix.reason.startswith("no judgements in the")
        return
    change = after["total"].sum() / after["n"].sum() - before["total"].sum() / before["n"].sum()
    third = found.interaction.value if found.interaction else 0
    assert found.change.value == pytest.approx(change, abs=1e-9)
    assert found.mix.value + found.rate.value + third == pytest.approx(change, abs=1e-9)
    for name in ("mix", "rate", "interaction"):
        part = getattr(found, name)
        assert found.cells[name].sum() == pytest.approx(part.value if part else 0, abs=1e-9)
    if form == "two-part":
        back = kitagawa(after, before, ["cell"])
        assert (back.mix.value, back.rate.value) == pytest.approx((-found.mix.value, -found.rate.value), abs=1e-9)


@pytest.mark.parametrize("form", ["two-part", "three-part"])
def test_a_cell_of_one_period_is_mix(form):
    before, after = shares([0.5, 0.5], [0.9, 0.7]), shares([0.5, 0.5], [0.9, 0.4], cells="ac")
    found = kitagawa(before, after, ["cell"], form=form)
    assert found.rate.value == pytest.approx(0, abs=1e-12)
    assert found.mix.value == pytest.approx(0.65 - 0.8)
    assert found.cells.loc[found.cells["cell"] != "a", ["rate", "interaction"]].eq(0).all(axis=None)


def test_growth_of_an_average_cell_is_no_mix():
    before, after = shares([0.2, 0.4, 0.4], [0.5, 0.4, 0.6]), shares([0.6, 0.2, 0.2], [0.5, 0.4, 0.6])
    assert kitagawa(before, after, ["cell"]).cells["mix"][0] == pytest.approx(0, abs=1e-12)


def test_intervals_cover_the_parts_of_the_true_rates():
    rng = np.random.default_rng(1)
    w0, w1 = np.array([60, 30, 10]), np.array([30, 50, 40])
    r0, r1 = np.array([0.9, 0.7, 0.5]), np.array([0.85, 0.75, 0.4])
    truth = {}
    exact = kitagawa(shares(w0 / 100, r0, 100), shares(w1 / 120, r1, 120), ["cell"], form="two-part")
    truth = {name: getattr(exact, name).value for name in ("mix", "rate", "change")}
    hit = dict.fromkeys(truth, 0)
    for _ in range(600):
        sides = []
        for n, r in ((w0, r0), (w1, r1)):
            x = rng.binomial(n, r)
            sides.append(pd.DataFrame({"cell": list("abc"), "n": n, "total": x, "squares": x}))
        found = kitagawa(*sides, ["cell"])
        for name, value in truth.items():
            part = getattr(found, name)
            hit[name] += part.low <= value <= part.high
    assert all(0.93 <= count / 600 <= 0.97 for count in hit.values()), hit


def test_raters_who_differ_widen_and_single_judgements_have_no_interval():
    before, after = shares([0.5, 0.5], [0.9, 0.7], 200), shares([0.5, 0.5], [0.8, 0.7], 200)
    plain, wide = kitagawa(before, after, ["cell"]).rate, kitagawa(before, after, ["cell"], design=(4, 4)).rate
    assert wide.high - wide.value == pytest.approx(2 * (plain.high - plain.value))
    one = kitagawa(shares([0.5, 0.5], [1, 0], 2), shares([0.5, 0.5], [0, 1], 2), ["cell"])
    assert (one.change.value, one.change.low) == (0, None)


def test_wrong_forms_and_counts_are_refused():
    good = shares([1], [0.5])
    with pytest.raises(ValueError, match="form"):
        kitagawa(good, good, ["cell"], form="five-part")
    with pytest.raises(ValueError, match="negative"):
        kitagawa(good.assign(n=-1.0), good, ["cell"])
