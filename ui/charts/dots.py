"""Groups beside one another: a dot with its interval each, sorted by status and value."""

from __future__ import annotations

import pandas as pd

from metrics.spec import Metric
from ui import format as fmt
from ui import words
from ui.charts.base import MOST_ROWS, ROW_HEIGHT, by_status, number, shape_by_status, spec, tips
from ui.theme import Palette


def interval_dots(rows: pd.DataFrame, metric: Metric, colours: Palette, what: str, currency: str) -> tuple[dict, str]:
    """One dot with its interval per group, in the given order, coloured and shaped by status; no number last.

    rows: figures.breakdown(). Returns the specification, with a selection "cell" on the group's id, and its alt text.
    """
    scale = fmt.AXIS_SCALE.get(metric.unit, 1.0)
    shown = rows.head(MOST_ROWS)
    values = [
        {
            "member": row["member"],
            "label": str(row["label"]),
            "value": number(row["value"], scale),
            "low": number(row["low"], scale),
            "high": number(row["high"], scale),
            "status": str(row["status"]),
            "target": number(row["target"], scale),
            "said": words.value_text(row, metric, currency)
            if not fmt.is_missing(row["value"])
            else words.reason(row, metric),
            "n": f"{fmt.count(row['n'])} {metric.counts}",
            "state": words.status_word(row),
        }
        for row in shown.to_dict("records")
    ]
    order = [v["label"] for v in values]
    known = [v for v in values if v["value"] is not None]
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order},
        "axis": {
            "title": None,
            "domain": False,
            "ticks": False,
            "labelColor": colours.ink,
            "labelLimit": 190,
            "labelPadding": 10,
        },
    }
    axis = {
        "format": fmt.D3_FORMAT[metric.unit],
        "title": fmt.axis_title(metric, currency),
        "tickCount": 5,
        "domain": False,
    }
    x = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 12}}
    tip = tips(label=what.capitalize(), said=metric.label, n="n", state="Status")
    colour = by_status(colours)
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.45, "strokeCap": "round"},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": colour, "tooltip": tip},
        },
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}],
            "mark": {"type": "point", "filled": True, "size": 95, "opacity": 1, "cursor": "pointer"},
            "encoding": {"y": y, "x": x, "color": colour, "shape": shape_by_status(), "tooltip": tip},
        },
        {
            "transform": [{"filter": "datum.value === null"}],
            "mark": {"type": "text", "align": "left", "color": colours.muted, "fontStyle": "italic"},
            "encoding": {"y": y, "x": {"value": 4}, "text": {"field": "said"}},
        },
    ]
    goals = {v["target"] for v in known if v["target"] is not None}
    if len(goals) == 1:
        goal = [
            {"value": goals.pop(), "text": f"target {fmt.target(shown['target'].dropna().iloc[0], metric, currency)}"}
        ]
        rule = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted}
        text = {"type": "text", "y": 0, "baseline": "bottom", "dy": -4, "color": colours.muted}
        layer.append({"data": {"values": goal}, "mark": rule, "encoding": {"x": x}})
        layer.append({"data": {"values": goal}, "mark": text, "encoding": {"x": x, "text": {"field": "text"}}})
    elif goals:
        tick = {"type": "tick", "thickness": 2, "size": 16, "color": colours.muted, "orient": "vertical"}
        layer.append({"mark": tick, "encoding": {"y": y, "x": {**x, "field": "target"}}})
    title = f"{metric.label} by {what}"
    subtitle = "Dot with its 95 % interval" if any(v["low"] is not None for v in values) else "Counted, not sampled"
    if any(v["target"] is not None for v in known):
        subtitle += "; off target first"
    if len(rows) > MOST_ROWS:
        subtitle += f"; the first {MOST_ROWS} of {len(rows)}, all in the table"
    alt = f"{title}: {words.standing(rows, what, words.plural(what))}."
    if known:
        alt += f" First: {known[0]['label']}, {known[0]['said']}."
    chart = spec(colours, title, subtitle, ROW_HEIGHT * len(values), layer, data={"values": values})
    return chart, alt
