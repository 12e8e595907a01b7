"""Raters side by side with their intervals, in three groups that are kept apart; nobody's name stands on it."""

from __future__ import annotations

import pandas as pd

from metrics.catalogue import METRICS
from metrics.skill import CALLING
from ui import format as fmt
from ui.charts.base import by_status, number, shape_by_status, spec, tips
from ui.theme import SHAPES, Palette

HEIGHT, GAP = 300, 2.5
STRIP_TOP, STRIP_HEIGHT = HEIGHT + 34, 52  # the workload beneath, on pixels of its own and the same raters
PERCENT = 100.0


def caterpillar(rows: pd.DataFrame, goal: float, colours: Palette, pool: str) -> tuple[dict, str]:
    """Each rater's accuracy with its interval, by group and then value; a selection "cell" on the rater's id.

    Beneath stands the workload, a bar of judgements for each rater in the same order.

    rows: raters.PoolRaters.rows with `group`, `status` and `said`, those without gold left out; groups in the order to
    show. Returns the specification and its alt text.
    """
    groups = list(dict.fromkeys(rows["group"]))
    most = max(float(rows["judgements"].max()), 1.0)
    floor = STRIP_TOP + STRIP_HEIGHT
    values, heads, at = [], [], 0.0
    metric = METRICS["gold_accuracy"]
    for group in groups:
        part = rows[rows["group"] == group]
        first = at
        for row in part.to_dict("records"):
            values.append(
                {
                    "at": at,
                    "member": row["rater"],
                    "label": row["alias"],
                    "value": number(row["value"], PERCENT),
                    "low": number(row["low"], PERCENT),
                    "high": number(row["high"], PERCENT),
                    "status": str(row["status"]),
                    "state": group,
                    "said": row["said"],
                    "n": f"{fmt.count(row['n'])} {metric.counts}",
                    "work": f"{fmt.count(row['judgements'])} judgements",
                    "bar": floor - STRIP_HEIGHT * float(row["judgements"]) / most,
                    "floor": floor,
                }
            )
            at += 1
        shape = SHAPES[part["status"].iloc[0]]
        heads.append(
            {"at": (first + at - 1) / 2, "text": [f"{shape} {len(part)}", group], "status": values[-1]["status"]}
        )
        at += max(GAP, len(rows) / 30)
    x = {"field": "at", "type": "quantitative", "axis": None, "scale": {"nice": False, "zero": False, "padding": 24}}
    axis = {"format": ",.3~r", "title": "% right on gold", "tickCount": 5, "domain": False, "ticks": False}
    scale = {"zero": False, "nice": True, "padding": 8, "range": [HEIGHT, 0]}
    y = {"field": "value", "type": "quantitative", "axis": axis, "scale": scale}
    tip = tips(label="Rater", said="Accuracy", n="n", state="Standing", work="Work")
    colour = by_status(colours)
    end = {"at": max((v["at"] for v in values), default=0.0) + 0.6, "value": goal * PERCENT}
    target_line = [{**end, "text": f"target {fmt.target(goal, metric)}"}]
    layer = [
        {
            "data": {"values": target_line},
            "mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted},
            "encoding": {"y": y},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 2.2, "opacity": 0.45, "strokeCap": "round"},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour, "tooltip": tip},
        },
        {
            "params": [
                {"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click", "nearest": True}}
            ],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "cursor": "pointer"},
            "encoding": {"x": x, "y": y, "color": colour, "shape": shape_by_status(), "tooltip": tip},
        },
        {
            "data": {"values": heads},
            "mark": {"type": "text", "y": 0, "baseline": "bottom", "dy": -8, "fontWeight": 600, "lineHeight": 14},
            "encoding": {"x": x, "text": {"field": "text"}, "color": colour},
        },
        {
            "data": {"values": target_line},
            "mark": {"type": "text", "align": "right", "dy": 12, "color": colours.muted},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        },
    ]
    title = f"Raters of {pool} against the target"
    layer += [
        {
            "mark": {"type": "rule", "strokeWidth": max(2, min(9, 420 // len(values))), "opacity": 0.75},
            "encoding": {
                "x": x,
                "y": {"field": "bar", "type": "quantitative", "scale": None, "axis": None},
                "y2": {"field": "floor"},
                "color": {"value": colours.muted},
                "tooltip": tip,
            },
        },
        {
            "data": {"values": [{"text": f"Workload, judgements in the period: up to {fmt.count(most)}"}]},
            "mark": {"type": "text", "align": "left", "x": 0, "y": STRIP_TOP - 12, "color": colours.muted},
            "encoding": {"text": {"field": "text"}},
        },
    ]
    level = f"{PERCENT * CALLING:.0f} % interval"
    subtitle = f"Each mark is one rater with the {level} that decides the call; how hard the items were is allowed for"
    counts = {group: int((rows["group"] == group).sum()) for group in groups}
    said = ", ".join(f"{n} {group}" for group, n in counts.items())
    alt = f"{title}: {said}. Nobody is ranked inside a group. Beneath, a bar of judgements for each: "
    alt += f"{fmt.count(float(rows['judgements'].min()))} to {fmt.count(most)}."
    chart = spec(colours, title, subtitle, floor, layer, data={"values": values})
    chart["title"]["offset"] = 44
    return chart, alt
