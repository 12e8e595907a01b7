"""Budget against actual and the forecast at completion, by project, as shares of the budget."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from ui import cost_names
from ui import format as fmt
from ui.charts.base import number, spec, tips
from ui.theme import Palette

ROW = 27


def budget(rows: pd.DataFrame, total: pd.Series, colours: Palette, currency: str, as_of: dt.date) -> tuple[dict, str]:
    """What was spent (bar) and what it will be at the end (mark with its interval) as % of each project's budget.

    rows: cost_budget.Budget.rows; total: its total. A selection "cell" on the project.
    """
    shown = [{**total.to_dict(), "project_id": ""}, *rows.to_dict("records")]
    values = [_value(row, currency) for row in shown if row["budget"] > 0]
    order = [v["label"] for v in values]
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order, "paddingInner": 0.4},
        "axis": {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelLimit": 200},
    }
    top = max([105.0, *(v["high"] or v["made"] or v["used"] for v in values)])
    domain = {"domain": [0, min(top * 1.04, 160)], "nice": False, "clamp": True}
    axis = {"title": "% of the budget", "tickCount": 6, "domain": False, "format": ",.3~r"}
    x = {"field": "used", "type": "quantitative", "axis": axis, "scale": domain}
    tip = tips(label="Project", spent="Spent", plan="Planned by now", said="At completion", chance="Exceeds its budget")
    paint = {
        "condition": [
            {"test": "datum.state === 'over'", "value": colours.bad},
            {"test": "datum.state === 'open'", "value": colours.watch},
        ],
        "value": colours.good,
    }
    line = [{"at": 100.0, "text": "budget"}]
    layer = [
        {
            "mark": {"type": "bar", "height": {"band": 0.62}, "color": colours.faint, "opacity": 0.55},
            "encoding": {"y": y, "x": x, "tooltip": tip},
        },
        {
            "mark": {"type": "tick", "orient": "vertical", "thickness": 2, "size": 17, "color": colours.ink},
            "encoding": {"y": y, "x": {**x, "field": "due"}, "tooltip": tip},
        },
        {
            "data": {"values": line},
            "mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted},
            "encoding": {"x": {**x, "field": "at"}},
        },
        {
            "data": {"values": line},
            "mark": {"type": "text", "y": 0, "baseline": "bottom", "dy": -4, "color": colours.muted},
            "encoding": {"x": {**x, "field": "at"}, "text": {"field": "text"}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.5, "strokeCap": "round"},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": paint, "tooltip": tip},
        },
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}],
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "cursor": "pointer"},
            "encoding": {
                "y": y,
                "x": {**x, "field": "made"},
                "color": paint,
                "shape": {
                    "condition": [
                        {"test": "datum.state === 'over'", "value": "triangle-up"},
                        {"test": "datum.state === 'open'", "value": "diamond"},
                    ],
                    "value": "circle",
                },
                "tooltip": tip,
            },
        },
    ]
    title = "Spent, and forecast at completion, as a share of the budget"
    subtitle = (
        f"Bar: spent by {fmt.day(as_of)}. Tick: planned by then. Mark: at completion, 95 % interval; "
        "▲ likely over, ◆ cannot tell, ● likely inside"
    )
    alt = f"{title}: all at {values[0]['said']}." if values else f"{title}: no budget."
    if len(values) > 1:
        alt += f" Most at risk: {values[1]['label']}, {values[1]['chance']}."
    return spec(colours, title, subtitle, ROW * len(values), layer, data={"values": values}), alt


def _value(row: dict, currency: str) -> dict:
    share = 100.0 / row["budget"]
    over = row["over_budget"]
    known = not fmt.is_missing(over)
    said = row["forecast_reason"]
    if not fmt.is_missing(row["at_completion"]):
        ends = [fmt.money(row[c], currency) for c in ("low", "high") if not fmt.is_missing(row[c])]
        made = fmt.money(row["at_completion"], currency)
        said = f"{made} ({' to '.join(ends) or row['forecast_reason']})"
    return {
        "label": str(row["label"]),
        "member": row["project_id"],
        "used": number(row["actual"], share),
        "due": number(row["budget_to_date"], share),
        "made": number(row["at_completion"], share),
        "low": number(row["low"], share),
        "high": number(row["high"], share),
        "state": "open" if not known or 0.2 < over < 0.8 else "over" if over >= 0.8 else "inside",
        "spent": f"{fmt.money(row['actual'], currency)} of {fmt.money(row['budget'], currency)}",
        "plan": fmt.money(row["budget_to_date"], currency),
        "said": said,
        "chance": f"with probability {cost_names.percent(over)}" if known else "cannot tell",
    }
