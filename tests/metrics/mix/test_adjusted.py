"""One mix of cells: by hand, by simulation, with empty cells and with raters who differ."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from metrics.mix import CELLS, NO_RATERS, NO_SPREAD, kitagawa, mix_adjusted
from tests.metrics.mix.rows import sums


def test_standardised_by_hand_on_both_scales():
    rows = pd.DataFrame(
        {
            "week": [1, 1, 2, 2],
            "policy": ["p", "q"] * 2,
            "n": [80, 20, 20, 80],
            "total": [80 * 3.0, 20 * 5.0, 20 * 3.1, 80 * 5.1],
            "squares": [80 * 9.5, 20 * 25.5, 20 * 10.11, 80 * 26.51],
        }
    )
    log = mix_adjusted(rows, ["week"], ["policy"]).table
    assert log["value"].tolist() == pytest.approx([math.exp(4.0), math.exp(4.1)])
    assert log["raw"].tolist() == pytest.approx([math.exp(3.4), math.exp(4.7)])
    assert log["exact_share"].tolist() == [1, 1]
    mean = mix_adjusted(rows, ["week"], ["policy"], scale="mean").table
    assert mean["value"].tolist() == pytest.approx([4.0, 4.1])
    assert mean["raw"].tolist() == pytest.approx([3.4, 4.7])
    assert ((mean["low"] < mean["value"]) & (mean["value"] < mean["high"])).all()
    # Only the reference's shares count, not its size.
    third = pd.DataFrame({"policy": ["p", "q"], "n": [1, 3], "total": [3, 15]})
    assert mix_adjusted(rows, ["week"], ["policy"], reference=third, scale="mean").table["value"][0] == pytest.approx(
        4.5
    )


def test_a_mix_shift_moves_the_raw_time_and_not_the_adjusted_one():
    rng = np.random.default_rng(2)
    cells = [("hate", "en", "text"), ("hate", "en", "video"), ("spam", "en", "text"), ("spam", "de", "text")]
    level = np.array([3.0, 4.5, 2.5, 2.8])
    parts, keys = [], []
    for week, mix in ((1, [400, 100, 400, 100]), (2, [200, 500, 200, 100])):
        for cell, mu, n in zip(cells, level, mix, strict=True):
            parts.append(rng.lognormal(mu, 0.5, n))
            keys.append((week, *cell))
    rows = sums(parts, **dict(zip(("week", *CELLS), zip(*keys, strict=True), strict=True)))
    found = mix_adjusted(rows, ["week"]).table
    assert found["raw"][1] / found["raw"][0] > 1.6
    assert found["value"][1] / found["value"][0] == pytest.approx(1, abs=0.08)
    assert found["raw_low"][1] > found["raw_high"][0]
    assert found["low"][1] < found["high"][0]
    split = kitagawa(rows[rows["week"] == 1], rows[rows["week"] == 2])
    assert split.mix.value > 0.45
    assert split.rate.low < 0 < split.rate.high


def test_an_empty_cell_falls_back_and_says_for_how_much():
    """Pool b works twice as slowly and has no video in hate: the coarser cell gives exactly twice the reference."""
    level = {"hate/text": 3.0, "hate/video": 4.0, "spam/text": 2.0, "nude/text": 2.5}
    rows = []
    for pool, slow in (("a", 0.0), ("b", math.log(2))):
        for name, mu in level.items():
            if pool == "b" and name in ("hate/video", "nude/text"):
                continue
            policy, content = name.split("/")
            n = 100
            x = n * (mu + slow)
            rows.append((pool, policy, "en", content, n, x, n * (mu + slow) ** 2 + 99 * 0.25))
    rows = pd.DataFrame(rows, columns=["pool", *CELLS, "n", "total", "squares"])
    reference = rows[rows["pool"] == "a"]
    found = mix_adjusted(rows, ["pool"], reference=reference)
    a, b = (found.table.loc[i] for i in (0, 1))
    assert b["value"] / a["value"] == pytest.approx(2)
    assert (a["exact_share"], b["exact_share"], b["fallback_share"]) == (1, 0.5, 0.5)
    assert found.fallback.to_dict("list") == {
        "pool": ["b", "b"],
        "level": ["policy x language", "all"],
        "share": [0.25, 0.25],
    }
    seconds = rows.assign(total=rows["n"] * np.exp(rows["total"] / rows["n"]))
    again = mix_adjusted(seconds, ["pool"], reference=seconds[seconds["pool"] == "a"], scale="mean", squares=None).table
    assert again["value"][1] / again["value"][0] == pytest.approx(2)
    assert again["note"].tolist() == [NO_SPREAD] * 2
    assert again["low"].isna().all()


def test_a_cell_with_few_judgements_counts_as_empty():
    rows = pd.DataFrame(
        {
            "pool": ["a", "a", "b", "b"],
            "policy": ["p", "q"] * 2,
            "n": [100, 100, 100, 3],
            "total": [300, 400, 300, 3 * 9.0],
            "squares": [1000, 1700, 1000, 250],
        }
    )
    reference = rows[:2]
    few, all_ = (mix_adjusted(rows, ["pool"], ["policy"], reference=reference, least=k) for k in (10, 1))
    assert few.fallback["share"].tolist() == [0.5]
    # The coarser cell is everything pool b did: 15 log seconds over the reference's of 103 judgements.
    assert math.log(few.table["value"][1]) == pytest.approx(3.5 + 0.5 * 15 / 103)
    assert math.log(all_.table["value"][1]) == pytest.approx(6.0)
    assert all_.fallback.empty


def test_independent_judgements_cover():
    rng = np.random.default_rng(3)
    level, weight = np.array([3.0, 4.0, 2.0]), np.array([0.5, 0.2, 0.3])
    reference = pd.DataFrame({"policy": list("pqr"), "n": weight, "total": weight * level})
    hit = 0
    for _ in range(500):
        rows = sums([rng.lognormal(mu, 0.8, n) for mu, n in zip(level, (12, 60, 25), strict=True)], policy=list("pqr"))
        found = mix_adjusted(rows.assign(all="x"), ["all"], ["policy"], reference=reference).table.iloc[0]
        hit += found["low"] <= math.exp(weight @ level) <= found["high"]
    assert 0.93 <= hit / 500 <= 0.97


@pytest.mark.parametrize(("scale", "raters"), [("log", 6), ("log", 30), ("mean", 12)])
def test_raters_who_differ_are_covered(scale, raters):
    """Raters with paces of their own and unequal mixes; without their names the interval is far too narrow.

    Six raters of unequal volume are covered a little too often (97.7 % of 600): the safe way to err.
    """
    rng = np.random.default_rng(4)
    level, weight = np.array([3.0, 4.0, 2.0]), np.array([0.5, 0.2, 0.3])
    sigma, pace = 0.5, 0.25
    lift = math.exp((sigma**2 + pace**2) / 2)
    means = level if scale == "log" else np.exp(level) * lift
    truth = math.exp(weight @ level) if scale == "log" else float(weight @ means)
    reference = pd.DataFrame({"policy": list("pqr"), "n": weight, "total": weight * means})
    total, squares = ("total", "squares") if scale == "log" else ("seconds", "seconds_squared")
    reference = reference.rename(columns={"total": total})
    robust = plain = 0
    runs = 300
    for _ in range(runs):
        n = rng.poisson(rng.gamma(2, 20, (raters, 1)) * rng.dirichlet([1, 1, 1], raters)) + 1
        off = rng.normal(0, pace, raters)
        r, k = (a.ravel() for a in np.indices(n.shape))
        seconds = [rng.lognormal(level[b] + off[a], sigma, n[a, b]) for a, b in zip(r, k, strict=True)]
        rows = sums(seconds, rater_id=r, policy=np.array(list("pqr"))[k]).assign(all="x")
        options = {"reference": reference, "scale": scale, "total": total, "squares": squares}
        found = mix_adjusted(rows, ["all"], ["policy"], rater="rater_id", **options).table.iloc[0]
        robust += found["low"] <= truth <= found["high"]
        alone = mix_adjusted(rows, ["all"], ["policy"], **options).table.iloc[0]
        assert alone["value"] == pytest.approx(found["value"])
        plain += alone["low"] <= truth <= alone["high"]
    assert 0.93 <= robust / runs <= (0.99 if raters < 10 else 0.97)
    assert plain / runs < 0.8


def test_raters_of_equal_volume_are_students_t():
    """In one cell by scipy on raters' means; in two worked by all alike it is the same of their standardised means."""
    means = np.array([[3.0, 3.4, 2.8, 3.3], [4.1, 4.2, 3.7, 4.4]])
    rows = pd.DataFrame({"policy": np.repeat(["p", "q"], 4), "rater_id": list("rstu") * 2, "pool": "a", "n": 50})
    rows["total"] = 50 * means.ravel()
    rows["squares"] = 50 * means.ravel() ** 2 + 1
    for part, seen in ((rows[:4], means[0]), (rows, means.mean(axis=0))):
        found = mix_adjusted(part, ["pool"], ["policy"], rater="rater_id").table.iloc[0]
        ends = stats.t.interval(0.95, 3, seen.mean(), stats.sem(seen))
        assert np.log([found["low"], found["high"]]) == pytest.approx(ends)


def test_no_interval_where_each_cell_has_one_rater():
    rng = np.random.default_rng(5)
    rows = sums([rng.lognormal(3, 0.5, 50) for _ in range(2)], policy=["p", "q"], rater_id=["r", "s"], pool=["a", "a"])
    found = mix_adjusted(rows, ["pool"], ["policy"], rater="rater_id").table.iloc[0]
    assert found["note"] == NO_RATERS
    assert np.isnan(found["low"])
    assert found["value"] > 0
    assert found["reason"] == ""


def test_missing_work_says_why():
    rows = pd.DataFrame({"pool": ["a", "b", "c"], "policy": ["p", "q", "p"], "n": [50, 50, 0], "total": [150, 150, 0]})
    rows["squares"] = rows["total"] * 3.5
    found = mix_adjusted(rows, ["pool"], ["policy"], reference=rows[:1]).table
    assert found["reason"].tolist() == ["", "no judgements in cells of the reference mix", "no judgements"]
    assert found["value"].notna().tolist() == [True, False, False]
    assert found["outside_share"][:2].tolist() == [0, 1]
    assert mix_adjusted(rows[:0], ["pool"], ["policy"]).table.empty
    with pytest.raises(ValueError, match="reference"):
        mix_adjusted(rows, ["pool"], ["policy"], reference=rows[2:])
    with pytest.raises(ValueError, match="time bases"):
        mix_adjusted(rows.assign(time_basis=["active", "lead", "lead"]), ["pool"], ["policy"])
    with pytest.raises(ValueError, match="scale"):
        mix_adjusted(rows, ["pool"], ["policy"], scale="cubic")


def test_unnamed_cells_are_cells():
    rows = pd.DataFrame(
        {"pool": ["a"] * 2, "policy": ["p", None], "language": ["en"] * 2, "n": [50, 50], "total": [150, 200]}
    ).assign(squares=[500, 900])
    found = mix_adjusted(rows, ["pool"], ["policy", "language"]).table
    assert found["exact_share"][0] == 1
    assert math.log(found["value"][0]) == pytest.approx(3.5)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_any_slicing_of_rows_gives_the_same(seed):
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "pool": rng.choice(list("ab"), 30),
            "policy": rng.choice(list("pqr"), 30),
            "language": rng.choice(["en", "de"], 30),
            "n": rng.integers(0, 30, 30).astype(float),
        }
    )
    rows["total"] = rows["n"] * rng.normal(3, 1, 30)
    rows["squares"] = rows["total"] ** 2 / rows["n"].where(rows["n"] > 0, 1) + rows["n"]
    halves = pd.concat([rows.assign(**{c: rows[c] / 2 for c in ("n", "total", "squares")})] * 2)
    keys = ["policy", "language"]
    one, two = (mix_adjusted(part, ["pool"], keys).table for part in (rows, halves))
    pd.testing.assert_frame_equal(one, two)
