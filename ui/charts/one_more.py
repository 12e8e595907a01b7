"""What further ratings buy: a narrower interval of alpha, and a majority that is right more often."""

from __future__ import annotations

import pandas as pd

from ui import agreement_more_words, agreement_words
from ui import format as fmt
from ui.charts import panels
from ui.charts.base import ROW_HEIGHT, TREND_HEIGHT, spec, tips
from ui.theme import Palette


def narrower(rows: pd.DataFrame, colours: Palette, currency: str) -> tuple[dict, str]:
    """Half the width of alpha's interval now and with one more rating of every item rated twice, by project.

    rows: agreement_more.one_more(), those with a number.
    """
    known = rows[rows["half_width"].notna()]
    values = [
        {
            "label": str(row["label"]),
            "now": row["half_width"],
            # Less than nothing is noise: the mark of what is foreseen then lies on the one of now.
            "later": min(row["later"], row["half_width"]),
            "said": f"± {fmt.size(row['half_width'], agreement_words.ALPHA, row['half_width'])}",
            "after": agreement_more_words.narrowing(row["narrowing"]),
            "price": agreement_more_words.price(row["ratings"], row["cost"], currency),
        }
        for row in known.to_dict("records")
    ]
    y = panels.rows([v["label"] for v in values], colours)
    axis = {"format": ".3~f", "title": "half the width of alpha's 95 % interval", "tickCount": 5, "domain": False}
    x = {"field": "now", "type": "quantitative", "axis": axis, "scale": {"domainMin": 0, "nice": True}}
    tip = tips(label="Project", said="Now", after="With one more", price="For")
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 3, "color": colours.accent, "opacity": 0.5},
            "encoding": {"y": y, "x": x, "x2": {"field": "later"}},
        },
        {
            "mark": {"type": "point", "size": 70, "strokeWidth": 1.6, "fill": colours.paper, "opacity": 1},
            "encoding": {"y": y, "x": x, "color": {"value": colours.muted}, "tooltip": tip},
        },
        {
            "mark": {"type": "point", "size": 80, "filled": True, "opacity": 1, "color": colours.accent},
            "encoding": {"y": y, "x": {**x, "field": "later"}, "tooltip": tip},
        },
    ]
    title = "How much surer alpha would be with one more rating"
    subtitle = "○ now · ● with one more rating of every item that has two"
    alt = f"{title}: {len(values)} projects."
    if values:
        alt += f" {values[0]['label']} is at {values[0]['said']}; one more rating makes it {values[0]['after']}."
    return spec(colours, title, subtitle, ROW_HEIGHT * len(values), layer, data={"values": values}), alt


def majority(rows: pd.DataFrame, colours: Palette) -> tuple[dict, str]:
    """How often the commonest of k answers is right on gold, with its interval. rows: agreement_more.majority()."""
    values = [
        {
            "k": int(row["k"]),
            "value": 100 * row["accuracy"],
            "low": 100 * row["low"],
            "high": 100 * row["high"],
            "said": f"{agreement_words.share(row['accuracy'])} "
            f"{fmt.interval(row['low'], row['high'], agreement_words.PERCENT, row['accuracy'])}",
            "text": agreement_words.share(row["accuracy"]),
        }
        for row in rows.to_dict("records")
    ]
    x = {
        "field": "k",
        "type": "quantitative",
        "axis": {"title": "ratings per item", "values": [v["k"] for v in values], "grid": False, "format": "d"},
        "scale": {"nice": False, "padding": 20},
    }
    axis = {"title": None, "format": ",.3~r", "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 8}}
    tip = tips(k="Ratings per item", said="Right")
    layer = [
        {
            "mark": {"type": "area", "opacity": 0.16, "color": colours.accent},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {"mark": {"type": "line", "color": colours.ink, "strokeWidth": 2}, "encoding": {"x": x, "y": y}},
        {
            "mark": {"type": "point", "filled": True, "size": 45, "color": colours.ink, "opacity": 1},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "dy": -13, "color": colours.ink},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        },
    ]
    title = "How often the majority is right, by ratings per item"
    subtitle = "% of items, from gold judgements; band: 95 % interval. At most: raters who share blind spots gain less"
    alt = f"{title}: {words_of(values)}."
    return spec(colours, title, subtitle, TREND_HEIGHT, layer, data={"values": values}), alt


def words_of(values: list[dict]) -> str:
    """The first and the last point in words."""
    if not values:
        return "no number"
    return f"{values[0]['text']} with {values[0]['k']} rating, {values[-1]['text']} with {values[-1]['k']}"
