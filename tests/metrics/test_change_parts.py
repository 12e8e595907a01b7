"""The part of a project that moved most: its interval allows for how many were looked at; the truth is simulated."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from metrics.change_parts import Cut, _largest, most_moved
from metrics.change_units import Change
from metrics.effects.measures import MEASURES
from metrics.effects.placebo import placebo_p
from tests.metrics.effects.simulated import ar1

WEEKS, START, POOLS, POLICIES = 44, 34, 6, 5
MONDAYS = pd.date_range("2025-01-06", periods=WEEKS, freq="7D")
CHANGE = Change("CH-1", "guideline", "P1", None, dt.date(2025, 9, 1), START, START, None)
LEVEL = 1.5


def project(rng: np.random.Generator, by: float) -> pd.DataFrame:
    """Weekly gold of 30 parts, pool by policy, in all of which nothing happens but in the first."""
    parts = POOLS * POLICIES
    logits = LEVEL + 0.15 * ar1(rng, (WEEKS,), 0.5) + 0.2 * ar1(rng, (parts, WEEKS), 0.3)
    logits[0, START:] += by
    n = rng.poisson(60, (parts, WEEKS))
    return pd.DataFrame(
        {
            "week": np.tile(MONDAYS, parts),
            "project_id": "P1",
            "pool_id": np.repeat([f"POOL-{k // POLICIES}" for k in range(parts)], WEEKS),
            "policy": np.repeat([f"policy-{k % POLICIES}" for k in range(parts)], WEEKS),
            "gold_n": n.ravel(),
            "gold_correct": rng.binomial(n, special.expit(logits)).ravel(),
        }
    )


@pytest.mark.parametrize(("by", "names_the_first"), [(0.0, 0), (-0.7, 60)])
def test_the_interval_of_the_picked_part_holds_its_truth(by, names_the_first):
    """60 projects of 30 parts: the picked one's interval holds its truth in 93 of 100 at least, binomial error aside;
    a plain one of an idle part would in 0.95^30 of them, 21 of 100. The largest of idle parts is not near its truth.
    """
    held = plain = first = 0
    # The mean share of a part whose logits vary as planted, before and under the change.
    around = np.sqrt(0.15**2 / 0.75 + 0.2**2 / 0.91) * stats.norm.ppf((np.arange(999) + 0.5) / 999)
    moved = float((special.expit(LEVEL + by + around) - special.expit(LEVEL + around)).mean())
    for seed in range(60):
        part = most_moved(CHANGE, [CHANGE], {"work": project(np.random.default_rng(seed), by)}, MONDAYS)
        own = part.where == {"project": "P1", "pool": "POOL-0", "policy": "policy-0"}
        truth = moved if own else 0.0
        held += part.effect.effect.low <= truth <= part.effect.effect.high
        plain += part.effect.p_value / 30 > 0.05
        first += own
        assert "the largest of 30, so likely larger than the truth" in part.why
    assert held >= stats.binom.ppf(0.01, 60, 0.95), held
    assert first >= 0.9 * names_the_first
    assert plain <= 25


def test_made_up_changes_rank_the_picked_part_evenly_without_an_effect():
    """120 projects of twelve parts: the largest statistic against the largest at earlier dates and in five others."""
    rng, weeks, length, ranks = np.random.default_rng(4), 78, 16, []
    dates = range(weeks - 2 * length, 15, -length)
    for _ in range(120):
        y = ar1(rng, (6, 12, weeks), 0.4) + ar1(rng, (6, 1, weeks), 0.5)
        cuts = [Cut(MEASURES["gold_accuracy"], [{}] * 12, one, np.full(one.shape, 0.3)) for one in y]
        own = _largest(cuts[:1], [weeks - length], length)[0]
        drawn = np.concatenate([_largest([cut], dates, length) for cut in cuts])
        ranks.append(placebo_p(own, drawn) - rng.random() / (1 + len(drawn)))
    assert len(drawn) == 12
    assert stats.kstest(ranks, "uniform").pvalue > 0.01
