"""How late audits come in."""

from __future__ import annotations

import pandas as pd

from ui import format as fmt
from ui.charts.base import TREND_HEIGHT, spec, tips
from ui.theme import Palette


def arrival(rows: pd.DataFrame, colours: Palette, provisional_days: int) -> tuple[dict, str]:
    """The share of audits that have come by so many days after the work, with the provisional days marked.

    rows: data_access.health.arrival(): days, n, share.
    """
    reach = max(provisional_days + 2, int(rows.loc[rows["share"] < 0.995, "days"].max() or 0) + 1)
    near = rows[rows["days"] <= reach]
    values = [
        {"days": int(d), "share": 100 * s, "said": f"{100 * s:.1f}{fmt.SPACE}%", "n": f"{n:,}"}
        for d, s, n in zip(near["days"], near["share"], near["n"], strict=True)
    ]
    whole = {"format": "d", "title": "days after the work", "tickMinStep": 1, "grid": False}
    x = {"field": "days", "type": "quantitative", "axis": whole, "scale": {"domain": [0, reach], "nice": False}}
    percent = {"title": None, "tickCount": 5, "domain": False, "ticks": False, "format": ".3~g"}
    y = {"field": "share", "type": "quantitative", "axis": percent, "scale": {"domain": [0, 100]}}
    tip = tips(days="Days after the work", said="Come by then", n="On that day")
    mark = {"at": provisional_days, "text": f"provisional until day {provisional_days}"}
    at = {"field": "at", "type": "quantitative"}
    layer = [
        {"mark": {"type": "line", "color": colours.ink, "strokeWidth": 2}, "encoding": {"x": x, "y": y}},
        {
            "mark": {"type": "point", "size": 34, "filled": True, "color": colours.ink, "opacity": 1},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
        {
            "data": {"values": [mark]},
            "mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted},
            "encoding": {"x": at},
        },
        {
            "data": {"values": [mark]},
            "mark": {"type": "text", "align": "left", "dx": 6, "color": colours.muted, "y": {"expr": "height - 10"}},
            "encoding": {"x": at, "text": {"field": "text"}},
        },
    ]
    by_then = near.loc[near["days"] <= provisional_days, "share"].max()
    title = "Audits that have come, by days after the work"
    alt = f"{title}: {100 * by_then:.0f}{fmt.SPACE}% within {provisional_days} days."
    return spec(colours, title, "% of all audits so far", TREND_HEIGHT, layer, data={"values": values}), alt
