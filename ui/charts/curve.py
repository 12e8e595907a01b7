"""An error rate along a count of hours or weeks: dots with intervals, and the fitted curve where there is one."""

from __future__ import annotations

import pandas as pd

from metrics.catalogue import METRICS
from ui import format as fmt
from ui.charts.base import number, spec, tips
from ui.theme import Palette

HEIGHT = 200
ACCURACY = METRICS["gold_accuracy"]  # shares are written as its values are


def curve(rows: pd.DataFrame, colours: Palette, title: str, subtitle: str, along: str) -> tuple[dict, str]:
    """Shares along a count. rows: x, value, low, high (shares), n, fitted (NaN where no curve is fitted)."""

    def said(row: dict) -> str:
        between = fmt.interval(row["low"], row["high"], ACCURACY, row["value"])
        return f"{fmt.value(row['value'], ACCURACY)} {between}"

    values = [
        {
            "x": float(row["x"]),
            "value": number(row["value"], 100.0),
            "low": number(row["low"], 100.0),
            "high": number(row["high"], 100.0),
            "fitted": number(row["fitted"], 100.0),
            "when": fmt.count(row["x"]),
            "said": said(row),
            "n": f"{fmt.count(row['n'])} {ACCURACY.counts}",
        }
        for row in rows.to_dict("records")
    ]
    x = {
        "field": "x",
        "type": "quantitative",
        "axis": {"title": along, "grid": False, "tickMinStep": 1, "format": "d", "domain": False},
        "scale": {"nice": False, "zero": False, "padding": 14},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "axis": {"title": "% wrong on gold", "tickCount": 4, "domain": False, "ticks": False},
        "scale": {"zero": True, "nice": True},
    }
    tip = tips(when=along.capitalize(), said="Wrong", n="n")
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 2.2, "opacity": 0.35, "color": colours.ink},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "tooltip": tip},
        },
        {
            "transform": [{"filter": "datum.fitted !== null"}],
            "mark": {"type": "line", "strokeWidth": 2, "color": colours.accent},
            "encoding": {"x": x, "y": {**y, "field": "fitted"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1, "color": colours.ink},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
    ]
    alt = f"{title}."
    if values:
        alt += f" From {values[0]['said']} at {values[0]['when']} to {values[-1]['said']} at {values[-1]['when']}."
    return spec(colours, title, subtitle, HEIGHT, layer, data={"values": values}), alt
