"""The frontier by brute force, by the normal integral, and where truth is known."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.frontier import CANNOT_TELL, DOMINATED, ON_FRONTIER, frontier

Z = stats.norm.ppf(0.975)


def pools(*rows):
    """Rows (pool, cost, log half interval, quality, half interval)."""
    return pd.DataFrame(
        [(p, c, c * math.exp(-h), c * math.exp(h), q, max(q - g, 0), min(q + g, 1)) for p, c, h, q, g in rows],
        columns=["pool", "cost", "cost_low", "cost_high", "quality", "quality_low", "quality_high"],
    )


def test_two_pools_are_the_product_of_two_normal_integrals():
    found = frontier(pools(("a", 0.10, 0.1, 0.90, 0.02), ("b", 0.11, 0.2, 0.89, 0.03)), draws=40_000)
    cheaper = stats.norm.cdf(math.log(1.1) / (math.hypot(0.1, 0.2) / Z))
    better = stats.norm.cdf(0.01 / (math.hypot(0.02, 0.03) / Z))
    assert found["p_dominated"].tolist() == pytest.approx([(1 - cheaper) * (1 - better), cheaper * better], abs=0.01)
    assert found["efficient"].tolist() == [True, False]
    assert found["dominated_by"].tolist() == ["b", "a"]


def test_clear_cases_and_the_doubtful_one():
    found = frontier(
        pools(
            ("cheap", 0.10, 0.02, 0.85, 0.005),
            ("good", 0.20, 0.02, 0.97, 0.005),
            ("bad", 0.25, 0.02, 0.80, 0.005),
            ("like good", 0.202, 0.05, 0.969, 0.01),
        )
    ).set_index("pool")
    assert found["verdict"].to_dict() == {
        "cheap": ON_FRONTIER,
        "good": CANNOT_TELL,
        "bad": DOMINATED,
        "like good": CANNOT_TELL,
    }
    assert found.loc["bad", "p_dominated"] == 1
    assert found.loc["cheap", "p_dominated"] == 0
    assert found.loc["cheap", "dominated_by"] is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=6))
def test_without_chance_it_is_the_frontier_by_brute_force(points):
    rows = pools(*((i, c, 0.0, q / 4, 0.0) for i, (c, q) in enumerate(points)))
    found = frontier(rows, draws=3)
    for i, (c, q) in enumerate(points):
        beaten = any(d <= c and r >= q and (d, r) != (c, q) for d, r in points)
        assert found.loc[i, "efficient"] == (not beaten)
        assert found.loc[i, "p_dominated"] == beaten


def test_asymmetric_ends_are_the_quantiles_of_the_draws():
    """A rival of fixed cost at the upper end: exceeded in 2.5 % of draws, whatever the lower end."""
    rows = pools(("a", 0.10, 0.0, 0.5, 0.0), ("b", 0.10, 0.0, 0.9, 0.0))
    rows.loc[0, ["cost_low", "cost_high"]] = 0.02, 0.12
    rows.loc[1, ["cost", "cost_low", "cost_high"]] = 0.12
    assert frontier(rows, draws=60_000).loc[0, "p_dominated"] == pytest.approx(0.025, abs=0.003)
    rows.loc[1, ["cost", "cost_low", "cost_high"]] = 0.02
    assert frontier(rows, draws=60_000).loc[0, "p_dominated"] == pytest.approx(0.975, abs=0.003)


def test_pools_without_numbers_take_no_part():
    rows = pools(
        ("a", 0.10, 0.1, 0.90, 0.02), ("b", 0.2, 0.1, 0.8, 0.03), ("c", 0.3, 0.1, 0.8, 0.03), ("d", 1, 0, 1, 0)
    )
    rows.loc[0, ["quality", "quality_low", "quality_high"]] = np.nan
    rows.loc[1, ["cost", "cost_low", "cost_high"]] = np.nan
    rows.loc[2, ["quality_low", "quality_high"]] = np.nan
    rows["cost_reason"] = ["", "no labels", "", ""]
    found = frontier(rows)
    assert found["reason"].tolist() == [
        "no quality",
        "no labels",
        "quality has no interval, so chance cannot be told",
        "",
    ]
    assert found["p_dominated"].isna().tolist() == [True, True, True, False]
    assert found["verdict"].tolist() == [None, None, None, ON_FRONTIER]
    assert frontier(rows[:3])["verdict"].tolist() == [None] * 3
    assert frontier(rows[:0]).empty


def test_draws_are_seeded_and_nonsense_is_refused():
    rows = pools(("a", 0.10, 0.1, 0.90, 0.02), ("b", 0.11, 0.2, 0.89, 0.03))
    pd.testing.assert_frame_equal(frontier(rows, seed=3), frontier(rows, seed=3))
    with pytest.raises(ValueError, match="one row"):
        frontier(pd.concat([rows, rows]))
    with pytest.raises(ValueError, match="above 0"):
        frontier(rows.assign(cost=0.0))
    with pytest.raises(ValueError, match="between 0 and 1"):
        frontier(rows.assign(quality=1.2))


def test_equal_pools_are_rarely_called_dominated_and_the_probability_means_what_it_says():
    """Truth is the same for both: what chance alone shows of the one against the other."""
    rng = np.random.default_rng(8)
    found = []
    for seed in range(400):
        cost, good = np.exp(rng.normal(math.log(0.1), 0.1 / Z, 2)), rng.normal(0.9, 0.02 / Z, 2)
        rows = pools(("a", cost[0], 0.1, good[0], 0.02), ("b", cost[1], 0.1, good[1], 0.02))
        found += frontier(rows, draws=300, seed=seed)["p_dominated"].tolist()
    found = np.array(found)
    # Chances of two comparisons are uniform, and so is each: P(UV >= x) = 1 - x + x ln x, mean 1/4.
    assert found.mean() == pytest.approx(0.25, abs=0.02)
    assert (found >= 0.95).mean() <= 0.01
    assert (found >= 0.5).mean() == pytest.approx(1 - 0.5 + 0.5 * math.log(0.5), abs=0.04)
