"""Places of a flow: nothing overlaps, every ribbon is as wide as its items, and lies inside its boxes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ui.lineage_flow import GAP, SLOT, TALL, place, ribbons


def random_flow(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three columns: batches that each go into one dataset, and datasets that go to one or two models."""
    rng = np.random.default_rng(seed)
    batches, datasets = int(rng.integers(2, 30)), int(rng.integers(1, 8))
    of = np.sort(rng.integers(0, datasets, batches))
    size = rng.uniform(1, 1000, batches)
    links = [(f"b{k}", f"d{of[k]}", size[k], 0) for k in range(batches)]
    nodes = [(f"b{k}", 0, size[k]) for k in range(batches)]
    for d in sorted(set(of)):
        total, models = size[of == d].sum(), int(rng.integers(1, 3))
        nodes.append((f"d{d}", 1, total * models))
        for m in range(models):
            nodes.append((f"m{d}{m}", 2, total))
            links.append((f"d{d}", f"m{d}{m}", total, 1))
    named = pd.DataFrame(nodes, columns=["key", "column", "size"])
    return named, pd.DataFrame(links, columns=["source", "target", "size", "column"])


@pytest.fixture(params=range(12))
def flow(request):
    return place(*random_flow(request.param))


def test_boxes_of_a_column_keep_their_order_and_room(flow):
    for _, column in flow.nodes.groupby("column"):
        middle = ((column["top"] + column["bottom"]) / 2).to_numpy()
        half = np.maximum(column["bottom"] - column["top"], SLOT).to_numpy() / 2
        assert ((middle - half)[1:] >= (middle + half)[:-1] + GAP - 1e-6).all()
    assert flow.nodes["bottom"].max() == pytest.approx(flow.height)


def test_a_ribbon_is_as_wide_as_its_items_at_both_ends(flow):
    links = flow.links
    wide = links["source_bottom"] - links["source_top"]
    np.testing.assert_allclose(wide, links["target_bottom"] - links["target_top"])
    assert np.ptp(wide / links["size"]) < 1e-9


@pytest.mark.parametrize("end", ["source", "target"])
def test_ribbons_fill_their_box_and_do_not_overlap(flow, end):
    box = flow.nodes.set_index("key")
    for key, mine in flow.links.groupby(end):
        mine = mine.sort_values(f"{end}_top")
        assert (mine[f"{end}_top"].to_numpy()[1:] >= mine[f"{end}_bottom"].to_numpy()[:-1] - 1e-9).all()
        high = box.loc[key, "bottom"] - box.loc[key, "top"]
        assert (mine[f"{end}_bottom"] - mine[f"{end}_top"]).sum() <= high + 1e-6
        assert mine[f"{end}_top"].min() >= box.loc[key, "top"] - 1e-6
        assert mine[f"{end}_bottom"].max() <= box.loc[key, "bottom"] + 1e-6


def test_ribbons_of_parts_of_a_whole_never_cross(flow):
    parts = flow.links[flow.links["column"] == 0].sort_values("source_top")
    assert parts["target_top"].is_monotonic_increasing


def test_one_way_through_is_straight_and_as_tall_as_said():
    nodes = pd.DataFrame({"key": ["b", "d", "m"], "column": [0, 1, 2], "size": [40.0, 40.0, 40.0]})
    links = pd.DataFrame({"source": ["b", "d"], "target": ["d", "m"], "size": [40.0, 40.0], "column": [0, 1]})
    flow = place(nodes, links)
    assert flow.height == pytest.approx(TALL)
    assert flow.nodes[["top", "bottom"]].to_numpy().tolist() == [[0.0, TALL]] * 3
    edges = ribbons(flow.links, {0: 0.1, 1: 0.4, 2: 0.7}, {0: 0.11, 1: 0.41, 2: 0.71})
    assert (edges["top"] == 0).all() and (edges["bottom"] == TALL).all()
    assert edges.groupby("link")["x"].agg(["min", "max"]).to_numpy().tolist() == [[0.11, 0.4], [0.41, 0.7]]


def test_a_ribbon_leaves_and_arrives_level_and_rises_half_way_in_the_middle():
    links = pd.DataFrame(
        {"source_top": [0.0], "source_bottom": [10.0], "target_top": [100.0], "target_bottom": [110.0]}
    )
    edges = ribbons(links.assign(column=0), {0: 0.0, 1: 1.0}, {0: 0.0, 1: 1.0}, steps=101)
    tops = edges["top"].to_numpy()
    assert (tops[0], tops[50], tops[100]) == (0.0, pytest.approx(50.0), 100.0)
    assert tops[1] < 0.1 and 100 - tops[-2] < 0.1  # level at the ends: far less than the 1 of a straight line
    np.testing.assert_allclose(edges["bottom"] - edges["top"], 10.0)


def test_a_box_stands_level_with_what_flows_into_it():
    nodes = pd.DataFrame({"key": ["a", "b", "d"], "column": [0, 0, 1], "size": [50.0, 50.0, 100.0]})
    links = pd.DataFrame({"source": ["a", "b"], "target": ["d", "d"], "size": [50.0, 50.0]})
    flow = place(nodes, links)
    middle = dict(zip(flow.nodes["key"], (flow.nodes["top"] + flow.nodes["bottom"]) / 2, strict=True))
    assert middle["d"] == pytest.approx((middle["a"] + middle["b"]) / 2)


def test_nothing_flows_without_items():
    none = pd.DataFrame(columns=["key", "column", "size"]).astype({"size": float})
    flow = place(none, pd.DataFrame(columns=["source", "target", "size"]).astype({"size": float}))
    assert flow.height == 0 and flow.nodes.empty
    still = place(pd.DataFrame({"key": ["m"], "column": [2], "size": [0.0]}), flow.links[["source", "target", "size"]])
    assert still.nodes["bottom"].iat[0] > still.nodes["top"].iat[0]
