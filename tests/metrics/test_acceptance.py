"""Acceptance sampling: published plans, smallest plans by trying all, simulated batches."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.acceptance import acceptance_probability, find_plan, operating_curve


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
