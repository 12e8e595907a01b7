"""Which labels each model version is made of: a flow from batches to outcomes; and traced shares beside base shares."""

from __future__ import annotations

import pandas as pd

from ui import lineage_words as say
from ui.charts.base import ROW_HEIGHT, TITLE_ROOM, Text, by_status, number, spec, tips, wrapped
from ui.lineage_flow import place, ribbons
from ui.theme import SHAPES, Palette

HEADS = ("Batches", "Dataset versions", "Model versions", "Incidents, change of benchmark")
LEFT = {0: 0.14, 1: 0.34, 2: 0.53, 3: 0.735}  # where the boxes of each column begin, as a share of the width
BOX = 0.009  # how wide a box is
HEAD = 26  # pixels above the flow for the columns' names
MOST_SHARES = 12
PHONE = 450  # pixels of a chart on a phone at most; the text behind a bar takes more of those
WITHIN = "datum.value > 100 ? '' : datum.label"  # the room for a bar's text goes beyond 100 %


def lineage(nodes: pd.DataFrame, links: pd.DataFrame, colours: Palette, title: str, subtitle: Text) -> tuple[dict, str]:
    """The flow as ribbons between boxes; nodes and links of ui.lineage_boxes.boxes().

    Width by items, colour and shape by status; what is not on the traced way is faint. Returns the specification, with
    a selection "cell" on the box's trace, and its alt text.
    """
    placed = place(nodes, links)
    right = {column: at + BOX for column, at in LEFT.items()}
    height = placed.height + HEAD
    y = {"type": "quantitative", "axis": None, "scale": {"domain": [height, 0], "nice": False}}
    x = {"type": "quantitative", "axis": None, "scale": {"domain": [0, 1], "nice": False}}
    strength = {"field": "strength", "type": "quantitative", "scale": None, "legend": None}
    lit = bool(placed.nodes["on"].all())
    ways = placed.links.to_dict("records")
    flows = [_ribbon(row, ways, lit) for row in ribbons(placed.links, LEFT, right).to_dict("records")]
    rows = [_box(row, lit) for row in placed.nodes.to_dict("records")]
    heads = [{"x": LEFT[k], "y": 8, "text": text, "first": k == 0} for k, text in enumerate(HEADS)]
    tip = tips(tip="")
    beside = {"align": "left", "dx": 6, "limit": {"expr": "width * 0.17"}}
    before = {"align": "right", "dx": -6, "limit": {"expr": "width * 0.135"}}
    layers = [
        {
            "data": {"values": flows},
            "mark": {"type": "area", "interpolate": "monotone", "line": False},
            "encoding": {
                "x": {**x, "field": "x"},
                "y": {**y, "field": "top"},
                "y2": {"field": "bottom"},
                "detail": {"field": "link", "type": "nominal"},
                "fill": by_status(colours),
                "fillOpacity": strength,
            },
        },
        {
            "mark": {"type": "rect"},
            "encoding": {
                "x": {**x, "field": "left"},
                "x2": {"field": "right"},
                "y": {**y, "field": "top"},
                "y2": {"field": "bottom"},
                "fill": by_status(colours),
                "fillOpacity": strength,
            },
        },
        *[
            {
                "transform": [{"filter": f"datum.column {'==' if first else '>'} 0"}],
                "mark": {"type": "text", "baseline": "middle", **place_of},
                "encoding": {
                    "x": {**x, "field": "left" if first else "right"},
                    "y": {**y, "field": "middle"},
                    "text": {"field": "label"},
                    "color": {"condition": {"test": "datum.on", "value": colours.ink}, "value": colours.muted},
                },
            }
            for first, place_of in ((True, before), (False, beside))
        ],
        {
            "data": {"values": heads},
            "mark": {
                "type": "text",
                "align": {"expr": "datum.first ? 'right' : 'left'"},
                "baseline": "middle",
                "color": colours.muted,
                "fontWeight": 600,
            },
            "encoding": {"x": {**x, "field": "x"}, "y": {**y, "field": "y"}, "text": {"field": "text"}},
        },
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["trace"], "on": "click"}}],
            "mark": {"type": "rect", "opacity": 0, "cursor": "pointer"},
            "encoding": {
                "x": {**x, "field": "from"},
                "x2": {"field": "to"},
                "y": {**y, "field": "above"},
                "y2": {"field": "below"},
                "tooltip": tip,
            },
        },
    ]
    chart = spec(colours, title, subtitle, int(height) + 4, layers, data={"values": rows})
    return chart, _flow_alt(title, nodes, links)


def _ribbon(row: dict, links: list[dict], lit: bool) -> dict:
    link = links[int(row["link"])]
    return {
        "link": int(row["link"]),
        "x": round(row["x"], 4),
        "top": round(row["top"] + HEAD, 2),
        "bottom": round(row["bottom"] + HEAD, 2),
        "status": link["status"],
        "strength": 0.28 if lit else 0.5 if link["on"] else 0.1,
    }


def _box(row: dict, lit: bool) -> dict:
    column = int(row["column"])
    middle = (row["top"] + row["bottom"]) / 2 + HEAD
    half = max((row["bottom"] - row["top"]) / 2, 9)
    return {
        "key": row["key"],
        "column": column,
        "left": LEFT[column],
        "right": LEFT[column] + BOX,
        "top": round(row["top"] + HEAD, 2),
        "bottom": round(row["bottom"] + HEAD, 2),
        "middle": round(middle, 2),
        "from": 0 if column == 0 else LEFT[column],
        "to": LEFT[0] + BOX if column == 0 else LEFT.get(column + 1, 1.0) - 0.03,
        "above": round(middle - half, 2),
        "below": round(middle + half, 2),
        "label": row["label"],
        "status": row["status"],
        "trace": row["trace"],
        "tip": row["tip"],
        "on": bool(row["on"]),
        "strength": 1.0 if lit or row["on"] else 0.35,
    }


def _flow_alt(title: str, nodes: pd.DataFrame, links: pd.DataFrame) -> str:
    if nodes.empty:
        return f"{title}: nothing to show."
    counts = [int((nodes["column"] == k).sum()) for k in range(4)]
    traced = nodes[nodes["on"] & (nodes["column"] == 3)]
    text = f"{title}: {counts[0]} batches or groups of them, {counts[1]} dataset versions, {counts[2]} model versions"
    if len(traced) and not nodes["on"].all():
        text += "; on the traced way " + "; ".join(traced["tip"].head(4))
    return f"{text}."


def traced_shares(
    rows: pd.DataFrame, colours: Palette, what: str, whose: str, among: str = "labels"
) -> tuple[dict, str]:
    """Bars of the share of labels behind the traced versions, a tick at the share behind all, by place of origin.

    rows: ui.lineage_trace.back(), the most over-represented first; what: "batch", "pool" ...; whose: the traced, in
    words; among: which labels, "labels in vi". Colour and shape: gold accuracy of these labels. Returns the
    specification and its alt text.
    """
    shown = rows.head(MOST_SHARES)
    values = [
        {
            "label": row["label"],
            "share": number(row["share"], 100),
            "base": number(row["base_share"], 100),
            "edge": number(max(row["share"], row["base_share"]), 100),
            "status": row["status"],
            "text": f"{SHAPES[row['status']]} {say.share(row['share'])}, {say.share(row['base_share'])} of all".strip(),
            "said": f"{say.share(row['share'])}, of all versions {say.share(row['base_share'])}",
            "quality": say.quality(row),
        }
        for row in shown.to_dict("records")
    ]
    order = [v["label"] for v in values]
    top = max((v["edge"] for v in values), default=1.0)
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order, "paddingInner": 0.28},
        "axis": {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelLimit": 210},
    }
    x = {
        "field": "share",
        "type": "quantitative",
        "scale": {"domainMin": 0, "domainMax": {"expr": f"{round(top, 3)} * (width < {PHONE} ? 1.9 : 1.35)"}},
        "axis": {"title": "% of labels", "tickCount": 5, "domain": False, "labelExpr": WITHIN},
    }
    tip = tips(label=what.capitalize(), said="Share of labels", quality="Gold accuracy")
    layers = [
        {
            "mark": {"type": "bar", "opacity": 0.75},
            "encoding": {"x": x, "y": y, "fill": by_status(colours), "tooltip": tip},
        },
        {
            "mark": {"type": "tick", "color": colours.ink, "thickness": 2, "size": 17, "orient": "vertical"},
            "encoding": {"x": {**x, "field": "base"}, "y": y, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 7, "color": colours.ink},
            "encoding": {"x": {**x, "field": "edge"}, "y": y, "text": {"field": "text"}},
        },
    ]
    title = f"{among.capitalize()} behind {whose}, by {what}"
    subtitle = "Bar: behind the traced. Tick: behind all versions. Colour: gold accuracy of these labels"
    if len(rows) > MOST_SHARES:
        subtitle += f". The first {MOST_SHARES} of {len(rows)}; all in the table"
    chart = spec(
        colours,
        wrapped(title, TITLE_ROOM),
        wrapped(subtitle),
        ROW_HEIGHT * max(len(values), 3),
        layers,
        data={"values": values},
    )
    told = "; ".join(f"{v['label']} {v['said']}" for v in values[:3])
    return chart, f"{title}: {told or 'nothing to show'}."
