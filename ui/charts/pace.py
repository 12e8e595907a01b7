"""Speed against accuracy, a mark per rater: who is far from the others in both stands out."""

from __future__ import annotations

import pandas as pd

from metrics.catalogue import METRICS
from metrics.skill import CALLING
from ui import format as fmt
from ui.charts.base import TREND_HEIGHT, by_status, number, shape_by_status, spec, tips
from ui.theme import Palette

ACCURACY = METRICS["gold_accuracy"]


def pace(rows: pd.DataFrame, goal: float, colours: Palette, chosen: str = "") -> tuple[dict, str]:
    """Raters by pace and accuracy with both intervals; with ``chosen`` that rater in ink, the others in light grey.

    rows: raters.PoolRaters.rows with `status` and `said`, those with both numbers. Returns the specification, with a
    selection "cell" on the rater's id, and its alt text.
    """
    values = [
        {
            "member": row["rater"],
            "label": row["alias"],
            "pace": number(row["pace"]),
            "pace_low": number(row["pace_low"]),
            "pace_high": number(row["pace_high"]),
            "value": number(row["value"], 100.0),
            "low": number(row["low"], 100.0),
            "high": number(row["high"], 100.0),
            "status": str(row["status"]),
            "state": row["group"],
            "said": row["said"],
            "took": f"{fmt.count(round(row['pace'], 2))} times the usual",
            "sign": row["signals"] or "none",
            "flag": "unread?" if row["spam"] == "likely" else "",
            "mine": row["rater"] == chosen,
        }
        for row in rows.to_dict("records")
    ]
    x = {
        "field": "pace",
        "type": "quantitative",
        "axis": {"title": "time per judgement, times the usual", "format": ".2~f", "grid": False, "domain": False},
        "scale": {"type": "log", "nice": False, "padding": 14},
    }
    ticks = [t for t in (0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5) if values]
    x["axis"]["values"] = ticks
    y = {
        "field": "value",
        "type": "quantitative",
        "axis": {"title": "% right on gold", "tickCount": 5, "domain": False, "ticks": False},
        "scale": {"zero": False, "nice": True, "padding": 8},
    }
    tip = tips(label="Rater", took="Time", said="Accuracy", state="Standing", sign="Signs of unread labels")
    colour = by_status(colours)
    quiet = {"condition": {"test": "!datum.mine", "value": colours.faint}, "value": colours.accent}
    shade = quiet if chosen else colour
    thin = {"type": "rule", "strokeWidth": 1.1, "opacity": 0.3}
    line = [{"value": goal * 100.0, "text": f"target {fmt.target(goal, ACCURACY)}"}]
    layer = [
        {
            "data": {"values": line},
            "mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted},
            "encoding": {"y": y},
        },
        {
            "data": {"values": line},
            "mark": {"type": "text", "align": "right", "x": "width", "dx": -2, "dy": 11, "color": colours.muted},
            "encoding": {"y": y, "text": {"field": "text"}},
        },
        {"mark": thin, "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": shade}},
        {
            "mark": thin,
            "encoding": {"y": y, "x": {**x, "field": "pace_low"}, "x2": {"field": "pace_high"}, "color": shade},
        },
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}],
            "mark": {"type": "point", "filled": True, "opacity": 0.95, "cursor": "pointer"},
            "encoding": {
                "x": x,
                "y": y,
                "color": shade,
                "shape": shape_by_status(),
                "size": {"condition": {"test": "datum.mine", "value": 150}, "value": 60},
                "tooltip": tip,
            },
        },
        {
            "transform": [{"filter": "datum.flag !== ''"}],
            "mark": {"type": "text", "align": "left", "dx": 9, "color": colours.bad},
            "encoding": {"x": x, "y": y, "text": {"field": "flag"}},
        },
    ]
    title = "Pace against accuracy"
    lines = f"{100 * CALLING:.0f} % interval of accuracy, 95 % of pace"
    subtitle = f"Lines: {lines}. Left is faster than others on the same kind of work"
    flagged = sum(bool(v["flag"]) for v in values)
    alt = f"{title} of {len(values)} raters; {flagged} of them far faster than others and no better than blind labels."
    return spec(colours, title, subtitle, TREND_HEIGHT, layer, data={"values": values}), alt
