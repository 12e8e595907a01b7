"""Wear of the gold pool: by hand, and intervals that cover simulated days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics.errors import UnknownName
from metrics.gold_exposure import gold_exposure_of_sums

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
