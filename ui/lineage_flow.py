"""Where the boxes and ribbons of a flow stand: columns of boxes, one box's share of the next as a ribbon.

Heights are in pixels, downwards. A box is as high as what flows through it; boxes of few items keep room for a label.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

SLOT, GAP = 18.0, 7.0  # the least room of a box, and between two
TALL = 420.0  # what the items of the fullest column take, before the gaps
THIN = 3.0  # the least height of a box


class Placed(NamedTuple):
    """nodes: with top, bottom. links: with source_top, source_bottom, target_top, target_bottom. height: of it all."""

    nodes: pd.DataFrame
    links: pd.DataFrame
    height: float


def place(nodes: pd.DataFrame, links: pd.DataFrame, tall: float = TALL) -> Placed:
    """Boxes and ribbons of a flow.

    nodes: key, column (0, 1 ...), size (what flows through it, at least its links' sum), in the order to show within a
    column. links: source, target (keys of neighbouring columns), size. A ribbon is as wide as its size at both ends;
    at a box ribbons lie one below the other in the order of the boxes they come from or go to. A box stands level with
    the middle of what flows into it, or lower where there is no room; boxes never overlap.
    """
    nodes, links = nodes.reset_index(drop=True), links.reset_index(drop=True)
    fullest = float(nodes.groupby("column")["size"].sum().max()) if len(nodes) else 0.0
    unit = tall / fullest if fullest > 0 else 0.0
    high = np.maximum(nodes["size"].to_numpy(float) * unit, THIN)
    at = {key: k for k, key in enumerate(nodes["key"])}
    source = np.array([at[key] for key in links["source"]], int)
    target = np.array([at[key] for key in links["target"]], int)
    top = np.zeros(len(nodes))
    for column in sorted(nodes["column"].unique()):
        free = 0.0
        for k in np.flatnonzero((nodes["column"] == column).to_numpy()):
            room = max(high[k], SLOT)
            into = source[target == k]
            wanted = np.mean(top[into] + high[into] / 2) - room / 2 if len(into) else free
            start = max(free, wanted)
            top[k] = start + (room - high[k]) / 2
            free = start + room + GAP
    wide = links["size"].to_numpy(float) * unit
    ends = {
        "source_top": _stacked(source, target, wide, top, high),
        "target_top": _stacked(target, source, wide, top, high),
    }
    links = links.assign(**ends)
    links = links.assign(source_bottom=links["source_top"] + wide, target_bottom=links["target_top"] + wide)
    bottom = top + high
    return Placed(nodes.assign(top=top, bottom=bottom), links, float(bottom.max(initial=0.0)))


def _stacked(box: np.ndarray, other: np.ndarray, wide: np.ndarray, top: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where each ribbon starts at its box, in the order of the boxes at its other end, centred in the box."""
    start = np.zeros(len(box))
    for k in np.unique(box):
        mine = np.flatnonzero(box == k)
        mine = mine[np.argsort(top[other[mine]], kind="stable")]
        below = np.cumsum(wide[mine])
        start[mine] = top[k] + (high[k] - below[-1]) / 2 + below - wide[mine]
    return start


def ribbons(links: pd.DataFrame, left: dict[int, float], right: dict[int, float], steps: int = 9) -> pd.DataFrame:
    """The edges of each ribbon at ``steps`` points: link (its position), x, top, bottom.

    links: of place(), with ``column``, that of the source. left, right: where each column's boxes begin and end. The
    edges follow 3t² - 2t³, level at both ends, so that ribbons leave and meet boxes at right angles.
    """
    t = np.linspace(0, 1, steps)
    bend = t * t * (3 - 2 * t)

    def along(start: np.ndarray, end: np.ndarray, way: np.ndarray) -> np.ndarray:
        start, end = np.asarray(start, float), np.asarray(end, float)
        return (start[:, None] + (end - start)[:, None] * way).ravel()

    column = links["column"]
    return pd.DataFrame(
        {
            "link": np.repeat(np.arange(len(links)), steps),
            "x": along(column.map(right), (column + 1).map(left), t),
            "top": along(links["source_top"], links["target_top"], bend),
            "bottom": along(links["source_bottom"], links["target_bottom"], bend),
        }
    )
