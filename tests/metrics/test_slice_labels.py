"""Gold accuracy of the labels of one policy or language behind a version: by hand, statsmodels, and by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from metrics import lineage, slice_labels
from metrics.exposures import Labels

MODELS = pd.DataFrame({"model_version": ["m0", "m1", "m2", "m3"], "dataset_version": ["d0", "d1", "d1", None]})
BATCHES = pd.DataFrame(
    {
        "batch_id": ["a", "b", "c", "open"], "project": "P", "dataset_version": ["d0", "d1", "d1", None],
        "items": [500.0, 900.0, 100.0, 50.0], "labels": [500.0, 900.0, 100.0, 50.0],
    }
)  # fmt: skip
CELLS = pd.DataFrame(
    [
        # batch, policy, language, right, gold, items
        ("a", "hate", "vi", 45, 50, 100), ("a", "hate", "en", 80, 100, 150), ("a", "spam", "vi", 60, 80, 250),
        ("b", "hate", "vi", 20, 40, 300), ("b", "spam", "en", 70, 70, 600),
        ("c", "hate", "vi", 9, 10, 100), ("open", "hate", "vi", 0, 500, 50),
    ],
    columns=["batch_id", "policy", "language", "gold_correct", "gold_n", "items"],
)  # fmt: skip


def labels(cells: pd.DataFrame = CELLS, batches: pd.DataFrame = BATCHES, models: pd.DataFrame = MODELS) -> Labels:
    rows = cells.assign(project_id="P", judgements=cells["items"] * 2)

    def by(*names: str) -> pd.DataFrame:
        return rows.groupby(["batch_id", "project_id", *names], as_index=False).sum(numeric_only=True)

    kinds = {"": (), "policy": ("policy",), "language": ("language",), "cells": ("policy", "language")}
    sums = {kind: by(*names).drop(columns="items") for kind, names in kinds.items()}
    items = {kind: by(*names)[["batch_id", *names, "items"]] for kind, names in kinds.items() if kind}
    return Labels(batches, models, sums, items)


def asked(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["model_version", "policy", "language"])


def test_only_the_labels_of_the_slice_count_and_batches_weigh_by_its_items():
    found = slice_labels.gold_behind(labels(), asked(("m0", None, "vi"), ("m1", "hate", None), ("m1", "hate", "vi")))
    assert found["value"].tolist() == pytest.approx([105 / 130, (300 * 0.5 + 100 * 0.9) / 400, 0.6])
    assert found["n"].tolist() == [130, 50, 50] and found["items"].tolist() == [350, 400, 400]
    # One batch is behind m0: the interval is Wilson's own.
    expected = proportion_confint(105, 130, method="wilson")
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx(expected)


def test_all_labels_are_those_of_the_whole_version():
    whole = slice_labels.gold_behind(labels(), asked(("m1", None, None), ("m0", np.nan, np.nan)))
    sums = labels().sums[""].rename(columns={"gold_correct": "hits", "gold_n": "n"})
    alike = lineage.exposure(lineage.weights(BATCHES, MODELS), sums, MODELS).set_index("model_version")
    for name in ("value", "low", "high", "n"):
        np.testing.assert_allclose(whole[name], alike[name].reindex(["m1", "m0"]))
    assert whole["items"].tolist() == [1000, 500]


def test_what_cannot_be_judged_says_why_and_rows_keep_their_order():
    rows = asked(("m1", None, "en"), ("m3", None, "vi"), ("m0", "hate", "ko"), ("m1", None, "en"))
    few = CELLS.assign(gold_n=CELLS["gold_n"].where(CELLS["language"] != "en", 29))
    found = slice_labels.gold_behind(labels(few), rows.set_axis([7, 3, 5, 1]))
    assert found.index.tolist() == [7, 3, 5, 1] and found["value"].isna().all() and found["low"].isna().all()
    assert found["reason"].tolist() == [
        lineage.FEW_JUDGED, lineage.NO_BATCHES, lineage.NO_BATCHES, lineage.FEW_JUDGED
    ]  # fmt: skip
    assert found["n"].tolist() == [29, 0, 0, 29]


def test_without_items_judgements_weigh_and_gold_that_is_withheld_counts_for_nothing():
    given = labels(CELLS.assign(gold_n=CELLS["gold_n"].where(CELLS["batch_id"] != "c").astype(float)))
    bare = Labels(given.batches, given.models, given.sums, {})
    found = slice_labels.gold_behind(bare, asked(("m1", "hate", None)))
    assert found.loc[0, ["value", "n", "items"]].tolist() == [0.5, 40, 800]


def test_scatter_widens_the_interval_of_a_change_alone():
    """By 1.3: as were there 1.3 times fewer judgements; only for the project it is of."""
    rows = pd.DataFrame(
        {"model_version": ["m1"], "previous_version": ["m0"], "policy": ["spam"], "language": None, "project": "P"}
    )
    plain, wide, other = (
        slice_labels.gold_change(labels(), rows, given).iloc[0]
        for given in (None, pd.Series({"P": 1.3}), pd.Series({"Q": 9.0}))
    )
    low, high = confint_proportions_2indep(70 / 1.3, 70 / 1.3, 60 / 1.3, 80 / 1.3, method="newcomb")
    assert wide[["exposure_low", "exposure_high"]].tolist() == pytest.approx([low, high])
    same = ["now_low", "now_high", "now_n", "before_low", "before_high", "before_n", "exposure_change"]
    assert wide[same].tolist() == plain[same].tolist()
    assert other[["exposure_low", "exposure_high"]].tolist() == plain[["exposure_low", "exposure_high"]].tolist()


def test_a_change_is_the_slices_own_with_newcombes_interval():
    """The whole version got worse by another amount; statsmodels' method for two independent shares is MOVER's."""
    rows = pd.DataFrame(
        {"model_version": ["m1", "m1"], "previous_version": ["m0", "m0"], "policy": ["spam", None], "language": None}
    )
    found = slice_labels.gold_change(labels(), rows)
    assert found.loc[0, "exposure_change"] == pytest.approx(1.0 - 60 / 80)
    low, high = confint_proportions_2indep(70, 70, 60, 80, method="newcomb")
    assert found.loc[0, ["exposure_low", "exposure_high"]].tolist() == pytest.approx([low, high])
    assert found.loc[0, ["now_n", "before_n"]].tolist() == [70, 80]
    assert found.loc[1, "exposure_change"] == pytest.approx(0.9 * 90 / 110 + 0.1 * 0.9 - 185 / 230)


def test_the_same_labels_did_not_change_and_a_first_version_has_none_before():
    rows = pd.DataFrame(
        {
            "model_version": ["m2", "m0", "m0", "m3"], "previous_version": ["m1", None, "m3", "m0"],
            "policy": None, "language": "vi",
        }
    )  # fmt: skip
    found = slice_labels.gold_change(labels(), rows)
    assert found.loc[0, ["exposure_change", "exposure_low", "exposure_high"]].tolist() == [0, 0, 0]
    reasons = [slice_labels.SAME, slice_labels.FIRST, lineage.NO_BATCHES, lineage.NO_BATCHES]
    assert found["exposure_reason"].tolist() == reasons
    assert found.loc[1:, "exposure_change"].isna().all()


def test_nothing_asked_and_no_batches_give_nothing():
    assert slice_labels.gold_behind(labels(), asked()).empty
    empty = Labels(BATCHES.iloc[:0], MODELS, {}, {})
    assert slice_labels.gold_behind(empty, asked(("m1", None, "vi")))["reason"].tolist() == [lineage.NO_BATCHES]


def test_the_interval_of_a_change_covers():
    """1,500 pairs of versions, two batches each, other languages far off: the true change lies inside in 93 to 97 %."""
    rng, draws = np.random.default_rng(8), 1_500
    gold, items = np.array([40, 60, 35, 70]), np.array([300.0, 500.0, 250.0, 700.0])
    p = rng.uniform(0.7, 0.95, (draws, 4))
    names = [f"{d}.{k}" for d in range(draws) for k in range(4)]
    dataset = [f"{d}.{k // 2}" for d in range(draws) for k in range(4)]
    batches = pd.DataFrame({"batch_id": names, "project": "P", "dataset_version": dataset, "items": 9999.0})
    models = pd.DataFrame({"model_version": sorted(set(dataset))}).assign(dataset_version=lambda m: m["model_version"])
    own = pd.DataFrame(
        {
            "batch_id": names, "language": "vi", "judgements": 1.0, "gold_n": np.tile(gold, draws),
            "gold_correct": rng.binomial(gold, p).ravel(),
        }
    )  # fmt: skip
    sums = pd.concat([own, own.assign(language="en", gold_correct=0)])
    held = pd.DataFrame({"batch_id": names, "language": "vi", "items": np.tile(items, draws)})
    given = Labels(batches, models, {"language": sums.assign(project_id="P")}, {"language": held})
    rows = pd.DataFrame(
        {
            "model_version": [f"{d}.1" for d in range(draws)], "previous_version": [f"{d}.0" for d in range(draws)],
            "policy": None, "language": "vi",
        }
    )  # fmt: skip
    found = slice_labels.gold_change(given, rows)
    old, new = (p[:, k : k + 2] @ items[k : k + 2] / items[k : k + 2].sum() for k in (0, 2))
    inside = ((found["exposure_low"] <= new - old) & (new - old <= found["exposure_high"])).mean()
    assert 0.93 - 0.011 <= inside <= 0.97 + 0.011  # two standard errors of 1,500 draws
