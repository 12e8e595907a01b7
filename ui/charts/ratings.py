"""Ratings an item: how often the consensus is right against what the item costs, fixed and when stopping when sure."""

from __future__ import annotations

import itertools

import pandas as pd

from metrics.catalogue import METRICS
from ui import format as fmt
from ui.charts.base import number, spec, tips
from ui.theme import Palette

HEIGHT = 300
SHARE, COST = METRICS["gold_accuracy"], METRICS["cost_per_label"]


def ratings(
    curve: pd.DataFrame, plans: pd.DataFrame, priced: bool, colours: Palette, currency: str
) -> tuple[dict, str]:
    """Accuracy of the majority (band), of the likeliest label, and of asking until sure, by cost of an item.

    curve, plans: cost_quality.Raters. Without a price the axis counts ratings.
    """
    values = []
    for row in curve.to_dict("records"):
        said = f"{fmt.value(row['accuracy'], SHARE)} {fmt.interval(row['low'], row['high'], SHARE, row['accuracy'])}"
        values.append(
            {
                "cost": number(row["cost"]),
                "value": number(row["accuracy"], 100),
                "low": number(row["low"], 100),
                "high": number(row["high"], 100),
                "likeliest": number(row["likeliest"], 100),
                "text": f"{row['k']}",
                "k": f"{row['k']} ratings" if row["k"] > 1 else "1 rating",
                "said": said,
                "price": _price(row["cost"], priced, currency),
                "likely": fmt.value(row["likeliest"], SHARE),
            }
        )
    stops = [
        {
            "cost": number(row["cost"]),
            "value": number(row["accuracy"], 100),
            "k": f"until {fmt.value(row['threshold'], SHARE)} sure",
            "text": f"until {100 * row['threshold']:.0f} % sure",
            "said": f"{fmt.value(row['accuracy'], SHARE)}, {row['ratings']:.1f} ratings an item",
            "price": _price(row["cost"], priced, currency),
        }
        for row in plans.to_dict("records")
    ]
    reach = 0.12 * (values[-1]["cost"] - values[0]["cost"]) if values else 0.0
    for one, following in itertools.pairwise(stops):
        if following["cost"] - one["cost"] < reach:  # two names on one another are none
            one["text"] = ""
    name = f"cost of an item, {currency}" if priced else "ratings an item"
    axis = {"title": name, "tickCount": 6, "domain": False, "format": ",.3~r"}
    x = {"field": "cost", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": False, "padding": 26}}
    axis = {"title": "% right", "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 10}}
    tip = tips(k="Ask", said="Right", price="An item")
    likely = [v for v in values if v["likeliest"] is not None]
    layer = [
        {
            "mark": {"type": "area", "opacity": 0.16, "color": colours.accent},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {"mark": {"type": "line", "color": colours.ink, "strokeWidth": 2}, "encoding": {"x": x, "y": y}},
        {
            "data": {"values": likely},
            "mark": {"type": "line", "color": colours.faint, "strokeWidth": 1.5, "strokeDash": [4, 3]},
            "encoding": {"x": x, "y": {**y, "field": "likeliest"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 55, "color": colours.ink, "opacity": 1},
            "encoding": {"x": x, "y": y, "tooltip": [*tip, {"field": "likely", "title": "Likeliest label"}]},
        },
        {
            "mark": {"type": "text", "dy": 15, "color": colours.ink},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        },
        {
            "data": {"values": stops},
            "mark": {
                "type": "point",
                "shape": "diamond",
                "filled": True,
                "size": 110,
                "color": colours.accent,
                "opacity": 1,
            },
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
        {
            "data": {"values": stops},
            "mark": {"type": "text", "align": "right", "dx": -9, "dy": -4, "color": colours.accent},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        },
    ]
    title = "How often the consensus is right, by what an item costs"
    subtitle = (
        "● majority of 1, 3, 5 or 7 with its 95 % interval; - - likeliest label (Dawid-Skene); ◆ ask until one is sure"
    )
    ends = (
        (f"{values[0]['said']} with {values[0]['k']}", f"{values[-1]['said']} with {values[-1]['k']}") if values else ()
    )
    alt = f"{title}: {', '.join(ends)}."
    return spec(colours, title, subtitle, HEIGHT, layer, data={"values": values}), alt


def _price(cost: float, priced: bool, currency: str) -> str:
    return fmt.money(cost, currency) if priced else f"{cost:.1f} ratings"
