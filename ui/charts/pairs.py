"""Every two raters beside one another: a matrix of kappas, by pool; never an order from good to bad."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from metrics.agreement import PairMatrix
from ui import agreement_words
from ui import format as fmt
from ui.charts.base import spec, tips
from ui.theme import LIGHT, SEQUENTIAL, Palette

CELL = 24
NUMBERED = 16  # raters up to which the cells hold their numbers


def pair_matrix(
    matrix: PairMatrix,
    labels: Sequence[str],
    pools: Sequence[str],
    clear: set,
    colours: Palette,
    least: int,
    raters: int,
) -> tuple[dict, str]:
    """Kappa of every two raters as tint; a frame marks the pairs of ``clear``; empty where too few items are shared.

    raters: how many rated at all; the title says so where they are more than those drawn.
    """
    size = len(labels)
    values = []
    for a in range(size):
        for b in range(size):
            known = not np.isnan(matrix.value[a, b])
            value = float(matrix.value[a, b]) if known else None
            marked = frozenset((matrix.raters[a], matrix.raters[b])) in clear
            values.append(
                {
                    "a": labels[a],
                    "b": labels[b],
                    "value": value,
                    "text": agreement_words.coefficient(value) if known else "",
                    "said": agreement_words.coefficient(value) if known else f"fewer than {least} shared items",
                    "n": fmt.count(matrix.n[a, b]) if known else "",
                    "pools": f"{pools[a]}, {pools[b]}",
                    "marked": marked,
                    "state": "clearly less than raters in general" if marked else "",
                    "dark": known and value >= 0.55,
                }
            )
    order = list(labels)
    bare = {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelPadding": 6}
    scale = {"domain": order, "paddingInner": 0.06, "paddingOuter": 0}
    y = {"field": "a", "type": "nominal", "sort": order, "scale": scale, "axis": {**bare, "labelLimit": 220}}
    # Names above the columns would have to stand on end: the rows' names and the tooltip say who it is.
    x = {"field": "b", "type": "nominal", "sort": order, "scale": scale, "axis": None}
    tip = tips(a="Rater", b="and", said="Kappa", n="Shared items", pools="Pools", state="Test")
    tint = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [0, 1], "clamp": True, "range": list(SEQUENTIAL)},
        "legend": {
            "title": "kappa",
            "orient": "right",
            "gradientLength": 140,
            "labelColor": colours.muted,
            "titleColor": colours.muted,
        },
    }
    layer = [
        {
            "transform": [{"filter": "datum.value === null && datum.a !== datum.b"}],
            "mark": {"type": "rect", "cornerRadius": 2, "color": colours.panel},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
        {
            "transform": [{"filter": "datum.value !== null"}],
            "mark": {"type": "rect", "cornerRadius": 2},
            "encoding": {
                "x": x,
                "y": y,
                "color": tint,
                "tooltip": tip,
            },
        },
        {
            "transform": [{"filter": "datum.marked"}],
            "mark": {"type": "rect", "filled": False, "strokeWidth": 2, "stroke": colours.watch, "cornerRadius": 2},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
    ]
    if size <= NUMBERED:
        # The ramp is the same in both themes, so is the ink on it.
        paint = {"condition": {"test": "datum.dark", "value": LIGHT.paper}, "value": LIGHT.ink}
        layer.append(
            {
                "mark": {"type": "text", "fontSize": 11},
                "encoding": {"x": x, "y": y, "text": {"field": "text"}, "color": paint, "tooltip": tip},
            }
        )
    cut = raters > size
    title = (
        f"How well {size} of {raters} raters agree, two by two" if cut else f"How well every two of {size} raters agree"
    )
    who = f"The {size} who share most items; kappa" if cut else "Kappa"
    subtitle = (
        f"{who} on shared items, by pool; empty: fewer than {least} shared; framed: clearly below raters in general"
    )
    shown = int(np.isfinite(matrix.value).sum() // 2)
    alt = f"{title}: {shown} pairs share {least} items or more, {len(clear)} of all pairs agree clearly less."
    return spec(colours, title, subtitle, CELL * size, layer, data={"values": values}), alt
