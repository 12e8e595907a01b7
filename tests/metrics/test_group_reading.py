"""Readings of groups: the numbers against a plain loop, false calls where nothing differs, finds where one does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from metrics import groups
from metrics.group_reading import ONE_SPLIT, group_readings

LABELS = ("safe", "unsure", "unsafe")


def world(seed: int, places: int = 4, items: int = 60, raters: int = 24, flipped: float = 0.0, **more) -> pd.DataFrame:
    """Ratings of raters who each err in their own way, three an item; group A calls safe items of place 0 unsafe.

    flipped: the share of them so called. skill: accuracies lie this far apart. by_block: groups read one language each.
    """
    rng = np.random.default_rng(seed)
    group = np.array(["A", "B", "C"])[np.arange(raters) % 3]
    block = (
        np.where(group == "A", "hi", "en")
        if more.get("by_block")
        else np.array(["en", "hi"])[np.arange(raters) // 3 % 2]
    )
    skill = rng.uniform(0.95 - more.get("skill", 0.5), 0.95, raters)
    habit = rng.integers(0, 3, raters)  # what a rater says when he errs
    rows = []
    for place in range(places):
        truth = rng.choice(3, items, p=[0.6, 0.1, 0.3])
        for i, right in enumerate(truth):
            for rater in rng.choice(raters, 3, replace=False):
                label = right if rng.random() < skill[rater] else habit[rater]
                if place == 0 and group[rater] == "A" and label == 0 and rng.random() < flipped:
                    label = 2
                rows.append((place, f"{place}-{i}", rater, LABELS[label], group[rater], block[rater]))
    return pd.DataFrame(rows, columns=["place", "item", "rater", "label", "group", "block"])


def read(rows: pd.DataFrame, **options):
    columns = (rows[name] for name in ("place", "item", "rater", "label", "group", "block"))
    return group_readings(*columns, labels=dict.fromkeys(rows["place"].unique(), LABELS), **options)


def test_where_nothing_differs_few_grids_have_a_finding():
    """Raters differ widely, groups do not: at most 5 % of grids may call a cell; 120 grids, three errors of that."""
    calls = [bool((read(world(seed, items=40)).table["q"] <= 0.05).any()) for seed in range(120)]
    assert np.mean(calls) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)


def test_p_is_uniform_or_larger_where_nothing_differs():
    p = np.concatenate([read(world(seed, places=1, items=40)).table["p"] for seed in range(150)])
    for bound in (0.05, 0.2, 0.5):
        assert np.mean(p <= bound) <= bound + 3 * np.sqrt(bound * (1 - bound) / 150)
    assert np.mean(p <= 0.5) > 0.35  # and not useless


def test_a_group_that_reads_one_place_otherwise_is_found_there_alone():
    """The false calls allowed: each of 12 grids has one at most in twenty, and places 1 to 3 hold no difference."""
    hits, false = 0, 0
    for seed in range(12):
        table = read(world(100 + seed, items=150, flipped=0.5, skill=0.15)).table
        clear = table[table["q"] <= 0.05]
        hits += int(((clear["place"] == 0) & (clear["group"] == "A")).any())
        false += int((clear["place"] != 0).any())
        row = table[(table["place"] == 0) & (table["group"] == "A")].iloc[0]
        assert row["label"] in ("unsafe", "safe") and abs(row["shift"]) > 0.1 and row["apart"] > 0.1
        assert (row["shift"] > 0) == (row["label"] == "unsafe")
    assert hits == 12 and false <= 2


def test_a_group_that_is_merely_careless_is_not_found():
    """Group A errs three times as often, to any label: its agreement falls, its reading does not differ."""
    rng = np.random.default_rng(9)
    calls = 0
    for seed in range(20):
        rows = world(seed, items=80, skill=0.0)
        careless = (rows["group"] == "A") & (rng.random(len(rows)) < 0.25)
        even = rows["label"].sample(frac=1, random_state=seed).to_numpy()  # errs with the labels' own frequencies
        rows["label"] = np.where(careless, even, rows["label"])
        calls += bool((read(rows).table["q"] <= 0.05).any())
    assert calls <= 3


@pytest.mark.parametrize("seed", range(5))
def test_numbers_against_a_plain_loop(seed):
    rows = world(seed, places=1, flipped=0.6)
    table = read(rows).table.set_index("group")
    for name in "ABC":
        apart = []
        for _, part in rows.groupby("item"):
            ours, rest = part[part["group"] == name]["label"], part[part["group"] != name]["label"]
            if len(ours) and len(rest):
                apart.append([(ours == c).mean() - (rest == c).mean() for c in LABELS])
        means = np.mean(apart, axis=0)
        row = table.loc[name]
        assert row["n"] == len(apart) and row["raters"] == 8 and row["reason"] == ""
        assert row["apart"] == pytest.approx(np.abs(means).sum() / 2)
        assert row["shift"] == pytest.approx(means[LABELS.index(row["label"])])
        assert abs(row["shift"]) == pytest.approx(np.abs(means).max())


def test_reasons():
    rows = world(4, places=1, raters=12)
    assert set(read(rows).table["reason"]) == {"fewer than 5 raters in the group"}
    assert set(read(rows, min_raters=3, min_items=500).table["reason"]) == {
        "fewer than 500 items rated by the group and by others"
    }
    assert set(read(rows, min_raters=9).table["reason"]) == {"fewer than 9 raters in the group"}
    assert set(read(world(4, by_block=True).query("group != 'C'")).table["reason"]) == {ONE_SPLIT}
    alone = world(5).groupby("item").head(1)
    found = read(alone).table
    assert set(found["reason"]) == {groups.NO_SHARED} and found["p"].isna().all() and found["q"].isna().all()


def test_one_label_everywhere_is_no_difference():
    table = read(world(5).assign(label="safe")).table
    assert (table["apart"] == 0).all() and (table["p"] == 1).all()


def test_raters_without_a_group_are_others_and_undeclared_labels_are_left_out():
    rows = world(6, places=1)
    rows["group"] = rows["group"].where(rows["group"] != "C", None)
    found = read(rows).table
    assert set(found["group"]) == {"A", "B"} and (found["reason"] == "").all()
    more = pd.concat([rows, rows.assign(label="else", rater=rows["rater"] + 100)])
    pd.testing.assert_frame_equal(read(more).table, found)
    twice = pd.concat([rows, rows.assign(label="unsafe")])  # a rater's second answer does not count
    pd.testing.assert_frame_equal(read(twice).table, found)


def test_order_and_names_change_nothing():
    rows = world(7, places=1)
    found, turned = read(rows).table, rows.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(read(turned).table, found)
    renamed = read(turned.assign(rater=lambda r: "R" + r["rater"].astype(str))).table
    pd.testing.assert_frame_equal(renamed, found)


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        group_readings([1, 1], ["i"], ["r"], ["a"], ["g"])


def test_no_rows():
    found = read(world(8).head(0))
    assert found.table.empty and found.tests == 0
