"""Mix and rate: the table of notes/methods.md, the identity by hypothesis, one mix by hand and by simulation."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.oaxaca import OaxacaBlinder

from metrics.mix import CELLS, NO_RATERS, NO_SPREAD, kitagawa, mix_adjusted


def shares(weights, rates, n=10_000, cells="abcdefgh"):
    count = np.array(weights) * n
    hits = count * np.array(rates)
    return pd.DataFrame({"cell": list(cells[: len(count)]), "n": count, "total": hits, "squares": hits})


def sums(seconds, **columns):
    """Rows of logged sums and of seconds' sums for arrays of durations."""
    logs = [np.log(s) for s in seconds]
    return pd.DataFrame(
        {
            **columns,
            "n": [len(s) for s in seconds],
            "total": [v.sum() for v in logs],
            "squares": [(v**2).sum() for v in logs],
            "seconds": [np.sum(s) for s in seconds],
            "seconds_squared": [np.sum(np.square(s)) for s in seconds],
        }
    )


# ---- Kitagawa


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


# ---- one mix


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
    seconds = [rng.lognormal(mu, 0.8, n) for _ in range(500) for mu, n in zip(level, (12, 60, 25), strict=True)]
    rows = sums(seconds, run=np.repeat(np.arange(500), 3), policy=list("pqr") * 500)
    found = mix_adjusted(rows, ["run"], ["policy"], reference=reference).table  # a group of its own for each run
    assert len(found) == 500
    truth = math.exp(weight @ level)
    assert 0.93 <= ((found["low"] <= truth) & (truth <= found["high"])).mean() <= 0.97


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
    runs, seconds = 300, []
    r, k = (a.ravel() for a in np.indices((raters, 3)))
    for _ in range(runs):
        n = rng.poisson(rng.gamma(2, 20, (raters, 1)) * rng.dirichlet([1, 1, 1], raters)) + 1
        off = rng.normal(0, pace, raters)
        seconds += [rng.lognormal(level[b] + off[a], sigma, n[a, b]) for a, b in zip(r, k, strict=True)]
    run = np.repeat(np.arange(runs), len(r))  # a group of its own for each
    rows = sums(seconds, run=run, rater_id=np.tile(r, runs), policy=np.tile(np.array(list("pqr"))[k], runs))
    options = {"reference": reference, "scale": scale, "total": total, "squares": squares}
    found = mix_adjusted(rows, ["run"], ["policy"], rater="rater_id", **options).table
    alone = mix_adjusted(rows, ["run"], ["policy"], **options).table
    assert len(found) == len(alone) == runs
    assert alone["value"].to_numpy() == pytest.approx(found["value"].to_numpy())
    robust, plain = (((rows["low"] <= truth) & (truth <= rows["high"])).mean() for rows in (found, alone))
    assert 0.93 <= robust <= (0.99 if raters < 10 else 0.97)
    assert plain < 0.8


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
