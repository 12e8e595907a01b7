"""Lineage on graphs small enough to count by hand, and on random ones by properties."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metrics import lineage

DAY = pd.Timestamp("2026-01-05")


def days(*numbers):
    return [pd.NaT if n is None else DAY + pd.Timedelta(days=n) for n in numbers]


@pytest.fixture
def graph():
    """Two models on two batches each, one on the empty dataset, and batches that have not come so far."""
    batches = pd.DataFrame(
        {
            "batch_id": ["b1", "b2", "b3", "b4", "b5", "b6"],
            "project": "P",
            "closed_at": days(7, 14, 21, 28, 35, None),
            "dataset_version": ["d1", "d1", "d2", "d2", "d3", None],
            "items": [100, 300, 50, 50, 70, 10],
            "labels": [200, 600, 100, 100, 140, 20],
        }
    )
    batches.loc[len(batches)] = ["b7", "P", days(40)[0], None, 20, 40]
    datasets = pd.DataFrame({"dataset_version": ["d0", "d1", "d2", "d3"], "built_at": days(-20, 15, 29, 36)})
    models = pd.DataFrame(
        {
            "model_version": ["m0", "m1", "m2"],
            "project": "P",
            "dataset_version": ["d0", "d1", "d2"],
            "trained_at": days(-15, 16, 30),
            "released_at": days(-10, 20, None),
        }
    )
    return batches, datasets, models


def test_weights_are_the_share_of_items(graph):
    batches, _, models = graph
    found = lineage.weights(batches, models).set_index(["model_version", "batch_id"])["weight"]
    assert found.to_dict() == {("m1", "b1"): 0.25, ("m1", "b2"): 0.75, ("m2", "b3"): 0.5, ("m2", "b4"): 0.5}


def random_graph(rng):
    batches = pd.DataFrame({"batch_id": [f"b{k}" for k in range(40)], "items": rng.integers(0, 500, 40)})
    batches["dataset_version"] = rng.choice([*[f"d{k}" for k in range(12)], None], 40)
    models = pd.DataFrame({"model_version": [f"m{k}" for k in range(15)]})
    models["dataset_version"] = rng.choice([f"d{k}" for k in range(14)], 15)
    return batches, models


@pytest.mark.parametrize("seed", range(5))
def test_weights_of_a_model_sum_to_one(seed):
    batches, models = random_graph(np.random.default_rng(seed))
    sums = lineage.weights(batches, models).groupby("model_version")["weight"].sum()
    assert len(sums)
    assert np.allclose(sums, 1.0)


def test_moving_a_batch_changes_its_descendants_alone(graph):
    batches, _, models = graph
    models.loc[len(models)] = ["m3", "P", "d3", days(40)[0], pd.NaT]
    before = lineage.weights(batches, models)
    moved = batches.assign(dataset_version=batches["dataset_version"].where(batches["batch_id"] != "b4", "d3"))
    after = lineage.weights(moved, models)

    def of(frame, model):
        return frame[frame["model_version"] == model].set_index("batch_id")["weight"].to_dict()

    assert of(after, "m1") == of(before, "m1")
    assert of(after, "m2") == {"b3": 1.0}
    assert of(after, "m3") == {"b4": 50 / 120, "b5": 70 / 120}


def test_a_batch_without_a_model_is_not_yet_used(graph):
    batches, _, models = graph
    told = dict(zip(batches["batch_id"], lineage.standing(batches, models), strict=True))
    assert told == {
        **dict.fromkeys(["b1", "b2", "b3", "b4"], "used"),
        "b5": "not yet used",
        "b6": "still open",
        "b7": "in no dataset yet",
    }
    assert lineage.trace_forward(lineage.weights(batches, models), ["b5"], models).empty


def test_exposure_is_the_item_weighted_mean(graph):
    batches, _, models = graph
    judged = pd.DataFrame({"batch_id": ["b1", "b2", "b3", "b4"], "hits": [45, 80, 90, 0], "n": [50, 100, 100, 0]})
    found = lineage.exposure(lineage.weights(batches, models), judged, models).set_index("model_version")
    assert found.loc["m1", "value"] == pytest.approx(0.25 * 0.9 + 0.75 * 0.8)
    assert found.loc["m2", "value"] == pytest.approx(0.9)  # the half that is known
    assert found.loc["m2", "covered"] == 0.5
    assert found.loc["m0", "reason"] == lineage.NO_BATCHES
    assert np.isnan(found.loc["m0", "value"])


def test_exposure_without_enough_behind_it_has_a_reason(graph):
    batches, _, models = graph
    weighted = lineage.weights(batches, models)
    few = lineage.exposure(weighted, pd.DataFrame({"batch_id": ["b1"], "hits": [9], "n": [29]}), models)
    assert few.set_index("model_version").loc["m1", "reason"] == lineage.FEW_JUDGED
    part = lineage.exposure(weighted, pd.DataFrame({"batch_id": ["b1"], "hits": [90], "n": [100]}), models)
    assert part.set_index("model_version").loc["m1", "reason"] == lineage.FEW_COVERED  # a quarter of its items
    assert part["value"].isna().all()


def test_exposure_interval_covers(graph):
    """Batches of unequal size, gold and accuracy: the item-weighted truth lies inside in 93 to 97 of 100 draws."""
    rng, draws = np.random.default_rng(5), 1_500
    items, gold = np.array([400, 900, 150, 600]), np.array([40, 25, 60, 12])
    p = rng.uniform(0.75, 0.97, (draws, 4))
    batch, draw = np.arange(4 * draws), np.repeat(np.arange(draws), 4)
    batches = pd.DataFrame({"batch_id": batch, "dataset_version": draw, "items": np.tile(items, draws)})
    models = pd.DataFrame({"model_version": np.arange(draws), "dataset_version": np.arange(draws)})
    judged = pd.DataFrame({"batch_id": batch, "hits": rng.binomial(gold, p).ravel(), "n": np.tile(gold, draws)})
    rows = (
        lineage.exposure(lineage.weights(batches, models), judged, models).set_index("model_version").loc[range(draws)]
    )
    inside = ((rows["low"] <= p @ items / items.sum()) & (p @ items / items.sum() <= rows["high"])).sum()
    assert 0.93 - 0.011 <= inside / draws <= 0.97 + 0.011  # two standard errors of 1,500 draws


def test_mean_exposure_adds_errors_in_squares(graph):
    batches, _, models = graph
    values = pd.DataFrame({"batch_id": ["b1", "b2"], "value": [0.6, 0.8], "error": [0.04, 0.02], "n": [100, 100]})
    row = lineage.mean_exposure(lineage.weights(batches, models), values, models).set_index("model_version").loc["m1"]
    assert row["value"] == pytest.approx(0.25 * 0.6 + 0.75 * 0.8)
    error = np.sqrt((0.25 * 0.04) ** 2 + (0.75 * 0.02) ** 2)
    assert (row["high"] - row["low"]) / 2 == pytest.approx(1.959964 * error)


def test_lag_is_the_age_of_the_labels(graph):
    batches, _, models = graph
    labelled = pd.DataFrame({"batch_id": ["b1", "b2"], "labelled_at": days(4, 11)})
    measures = pd.DataFrame({"model_version": ["m1", "m2"], "measured_at": days(20, 31)})
    found = lineage.lags(lineage.weights(batches, models), labelled, measures)
    assert found.loc[0, "lag_days"] == pytest.approx(20 - (0.25 * 4 + 0.75 * 11))
    assert (found.loc[0, "first_days"], found.loc[0, "last_days"]) == (9, 16)
    assert np.isnan(found.loc[1, "lag_days"])


def test_trace_back_shows_the_base_share(graph):
    batches, _, models = graph
    cells = pd.DataFrame(
        {
            "batch_id": ["b1", "b2", "b2", "b3", "b4"],
            "pool": ["north", "north", "south", "south", "south"],
            "items": [100, 150, 150, 50, 50],
        }
    )
    found = lineage.trace_back(lineage.weights(batches, models), cells, ["m1"], ["pool"]).set_index("pool")
    # m1: 100 + 150 of 400 items from the north; m2: none
    assert found.loc["north", ["share", "base_share"]].tolist() == [0.625, 0.3125]
    assert found.loc["south", ["share", "base_share"]].tolist() == [0.375, 0.6875]
    assert found["share"].sum() == pytest.approx(1)
    assert found.index[0] == "north"
    assert lineage.trace_back(lineage.weights(batches, models), cells, ["m0"], ["pool"]).empty


def test_incidents_are_counted_against_the_share_of_versions(graph):
    batches, _, models = graph
    incidents = pd.DataFrame({"model_version": ["m1", "m1", "m1", "m2", None, "m0"]})
    found = lineage.traced_incidents(lineage.weights(batches, models), incidents, ["b2"])
    assert (found["reached"], found["incidents"], found["base_share"]) == (3, 4, 0.5)
    assert found["label_share"] == pytest.approx(0.75 / 2)
    assert found["p_value"] == pytest.approx(0.5)  # one of two versions has all three
    nobody = lineage.traced_incidents(lineage.weights(batches, models), incidents[:0], ["b2"])
    assert nobody["p_value"] is None


@pytest.mark.parametrize(("counts", "versions", "chosen"), [([5, 1, 1, 2], 8, 3), ([4], 6, 2), ([1, 1, 3], 3, 2)])
def test_the_chance_of_a_sum_is_that_of_all_choices(counts, versions, chosen):
    sums = [sum(one) for one in itertools.combinations([*counts, *[0] * (versions - len(counts))], chosen)]
    for least in range(sum(counts) + 2):
        expected = np.mean([s >= least for s in sums])
        assert lineage.chance_of_sum(counts, versions, chosen, least) == pytest.approx(expected, abs=1e-12)


def test_the_chance_of_a_sum_is_hypergeometric_where_no_version_has_two():
    for least in range(8):
        expected = stats.hypergeom.sf(least - 1, 90, 25, 12)
        assert lineage.chance_of_sum([1] * 25, 90, 12, least) == pytest.approx(expected, abs=1e-10)


def test_incidents_that_come_in_bunches_are_seldom_called():
    """Gamma-Poisson incidents of 40 versions, 12 of them trained on the traced batches whatever they did."""
    rng, draws, called, one_by_one = np.random.default_rng(9), 500, 0, 0
    names = np.arange(40)
    weighted = pd.DataFrame({"model_version": names, "batch_id": np.where(names < 12, "bad", "good"), "weight": 1.0})
    for _ in range(draws):
        counts = rng.poisson(rng.gamma(0.6, 2.0, 40))
        incidents = pd.DataFrame({"model_version": np.repeat(names, counts)})
        found = lineage.traced_incidents(weighted, incidents, ["bad"])
        called += found["p_value"] is not None and found["p_value"] <= 0.05
        one_by_one += stats.binom.sf(found["reached"] - 1, found["incidents"], 0.3) <= 0.05
    assert one_by_one / draws > 0.1
    assert 0.02 <= called / draws <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / draws)


def test_forward_names_the_models_in_order_with_their_share(graph):
    batches, _, models = graph
    found = lineage.trace_forward(lineage.weights(batches, models), ["b4", "b1"], models[::-1])
    assert found["model_version"].tolist() == ["m1", "m2"]
    assert found["weight"].tolist() == [0.25, 0.5]


def test_what_is_out_of_order_is_named(graph):
    batches, datasets, models = graph
    measures = pd.DataFrame(
        {"model_version": ["m1", "m2", "m9"], "benchmark": "safety", "measured_at": days(20, 29, 1)}
    )
    found = lineage.untimely(batches, datasets, models, measures)
    assert found[["model_version", "reason"]].to_numpy().tolist() == [
        ["m2", "evaluated before the model was trained"],
        ["m9", "the model version is not on record"],
    ]
    wrong = models.assign(trained_at=days(-15, 14, 30), released_at=days(-10, 13, 20))
    told = lineage.untimely(batches, datasets, wrong, measures[:1])
    assert sorted(told["reason"]) == [
        "released before it was trained",
        "released before it was trained",
        "trained before its dataset was built",
    ]
    early = datasets.assign(built_at=days(-20, 10, 29, 36))
    assert lineage.untimely(batches, early, models, measures[:1])["reason"].tolist() == [
        "its dataset was built before a batch in it was closed"
    ]
    none = lineage.untimely(batches, datasets[:1], models, measures[:1])
    assert none["reason"].tolist() == ["trained on a dataset that is not on record"] * 2


def test_measures_on_time_leave_out_late_versions_and_early_values():
    measures = pd.DataFrame(
        {"model_version": ["a", "a", "b", "c"], "benchmark": ["x", "y", "x", "x"], "value": [1.0, 2.0, 3.0, 4.0]}
    )
    wrong = pd.DataFrame({"model_version": ["a", "b"], "benchmark": ["y", None], "reason": ["early", "late"]})
    assert lineage.on_time(measures, wrong)["value"].tolist() == [1.0, 4.0]
    assert len(lineage.on_time(measures, wrong.iloc[:0])) == 4


def test_incidents_of_a_batch_against_the_exact_binomial_test():
    """scipy's binomtest is the oracle; versions and incidents are counted by loops."""
    rng = np.random.default_rng(3)
    rows = [(f"m{v}", f"b{b}", 1.0) for v in range(12) for b in {v, (v + 1) % 12, *rng.integers(0, 12, 2)}]
    weighted = pd.DataFrame(rows, columns=["model_version", "batch_id", "weight"])
    of = [*rng.choice([f"m{v}" for v in range(12)], 20), *["m3"] * 6, "unknown", None]
    found = lineage.incidents_by_batch(weighted, pd.DataFrame({"model_version": of})).set_index("batch_id")
    assert len(found) == 12 and (found["incidents"] == 26).all()
    for batch, row in found.iterrows():
        versions = {v for v, b, _ in rows if b == batch}
        assert row["reached"] == sum(v in versions for v in of)
        assert row["base_share"] == pytest.approx(len(versions) / 12)
        exact = stats.binomtest(int(row["reached"]), 26, len(versions) / 12, alternative="greater").pvalue
        assert row["p_value"] == pytest.approx(min(12 * exact, 1.0))
    assert found["p_value"].min() < 0.5 < found["p_value"].max()


def test_a_batch_in_every_version_never_stands_out():
    weighted = pd.DataFrame({"model_version": ["m1", "m2"], "batch_id": ["b", "b"], "weight": [1.0, 0.1]})
    row = lineage.incidents_by_batch(weighted, pd.DataFrame({"model_version": ["m1"] * 9})).iloc[0]
    assert (row["reached"], row["base_share"], row["p_value"]) == (9, 1.0, 1.0)
    none = lineage.incidents_by_batch(weighted, pd.DataFrame({"model_version": pd.Series([], dtype=object)}))
    assert none["p_value"].isna().all() and (none["reached"] == 0).all()


def test_chance_names_a_batch_in_at_most_one_project_of_twenty():
    """Null: incidents fall on versions at random. How often any batch is named, of 2000 projects; fixed seed."""
    rng, named = np.random.default_rng(5), 0
    weighted = pd.DataFrame(
        [(f"m{v}", f"b{v}", 1.0) for v in range(30)], columns=["model_version", "batch_id", "weight"]
    )
    for _ in range(2000):
        of = pd.DataFrame({"model_version": [f"m{v}" for v in rng.integers(0, 30, 17)]})
        named += lineage.incidents_by_batch(weighted, of)["p_value"].min() <= 0.05
    assert named / 2000 <= 0.05
