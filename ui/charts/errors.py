"""What kind of errors: too mild to the left, too severe to the right; and shares of a whole as dots with intervals."""

from __future__ import annotations

import pandas as pd

from metrics.catalogue import METRICS
from ui import format as fmt
from ui.charts.base import ROW_HEIGHT, number, spec, tips
from ui.theme import CATEGORIES, Palette

ACCURACY = METRICS["gold_accuracy"]  # shares are written as its values are
SIDES = {"mild": ("too mild", -1.0, CATEGORIES[0]), "severe": ("too severe", 1.0, CATEGORIES[5])}


def share_text(row: dict, name: str = "value") -> str:
    """12.1 % (10.2 to 14.3), of the columns name, name_low and name_high, or value, low and high."""
    low, high = ("low", "high") if name == "value" else (f"{name}_low", f"{name}_high")
    return f"{fmt.value(row[name], ACCURACY)} {fmt.interval(row[low], row[high], ACCURACY, row[name])}".strip()


def error_sides(rows: pd.DataFrame, colours: Palette, by: str, against: str, opens: str = "") -> tuple[dict, str]:
    """For each class the share judged too mildly and too severely, with intervals, on either side of zero.

    rows: rater_errors.Errors.rows. opens: what a click on a class opens, with a selection "cell" on its ``member``; a
    class opens nothing without it.
    """
    order = [str(label) for label in rows["label"]]
    values = []
    for row in rows.to_dict("records"):
        for side, (name, sign, _) in SIDES.items():
            value, low, high = (number(row[c], 100.0 * sign) for c in (side, f"{side}_low", f"{side}_high"))
            values.append(
                {
                    "label": str(row["label"]),
                    "member": str(row["member"]),
                    "side": name,
                    "value": value,
                    "low": low,
                    "high": high,
                    "said": share_text(row, side),
                    "n": f"{fmt.count(row[f'{side}_n'])} of {fmt.count(row['n'])} judgements",
                    "other": share_text(row, "other"),
                }
            )
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order},
        "axis": {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelLimit": 180},
    }
    axis = {"title": "% of judgements", "labelExpr": "abs(datum.value)", "tickCount": 6, "domain": False}
    x = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"nice": True}}
    names = [name for name, _, _ in SIDES.values()]
    colour = {
        "field": "side",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": names, "range": [tone for _, _, tone in SIDES.values()]},
    }
    tip = tips(label=by.capitalize(), side="Error", said="Share", n="n", other="Wrong at the same severity")
    heads = [{"text": f"◀ {names[0]}", "align": "right"}, {"text": f"{names[1]} ▶", "align": "left"}]
    click = {"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}
    layer = [
        {
            **({"params": [click]} if opens else {}),
            "mark": {
                "type": "bar",
                "height": {"band": 0.62},
                "opacity": 0.85,
                **({"cursor": "pointer"} if opens else {}),
            },
            "encoding": {"y": y, "x": x, "color": colour, "tooltip": tip},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 1.4, "color": colours.ink, "opacity": 0.7},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "tooltip": tip},
        },
        *(
            {
                "data": {"values": [{"value": 0, "text": head["text"]}]},
                "mark": {
                    "type": "text",
                    "y": 0,
                    "baseline": "bottom",
                    "dy": -5,
                    "dx": -8 if head["align"] == "right" else 8,
                    "align": head["align"],
                    "color": colours.ink,
                    "fontWeight": 600,
                },
                "encoding": {"x": x, "text": {"field": "text"}},
            }
            for head in heads
        ),
    ]
    title = f"Too mild or too severe, by {by}"
    subtitle = f"Judgements {against}; line: 95 % interval, judgements taken as independent"
    subtitle += f". Click a {by} for {opens}" if opens else ""
    chart = spec(colours, title, subtitle, max(ROW_HEIGHT * len(rows), 70), layer, data={"values": values})
    chart["title"]["offset"] = 26
    worst = max(values, key=lambda v: abs(v["value"] or 0.0), default=None)
    alt = f"{title}." + (f" Largest: {worst['label']}, {worst['side']}, {worst['said']}." if worst else "")
    return chart, alt


def share_dots(rows: pd.DataFrame, colours: Palette, title: str, subtitle: str, counts: str) -> tuple[dict, str]:
    """Shares of one whole, a dot with its interval each, in the given order. rows: label, value, low, high, n."""
    order = [str(label) for label in rows["label"]]
    values = [
        {
            "label": str(row["label"]),
            "value": number(row["value"], 100.0),
            "low": number(row["low"], 100.0),
            "high": number(row["high"], 100.0),
            "said": share_text(row),
            "short": fmt.value(row["value"], ACCURACY),
            "n": f"{fmt.count(row['n'])} {counts}",
        }
        for row in rows.to_dict("records")
    ]
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order},
        "axis": {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelLimit": 180},
    }
    x = {
        "field": "value",
        "type": "quantitative",
        "axis": {"title": f"% of {counts}", "tickCount": 5, "domain": False},
        "scale": {"zero": True, "nice": True},
    }
    tip = tips(label="What", said="Share", n="n")
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.45, "color": colours.accent},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "tooltip": tip},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "color": colours.accent},
            "encoding": {"y": y, "x": x, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 8, "color": colours.ink},
            "encoding": {"y": y, "x": {**x, "field": "high"}, "text": {"field": "short"}},
        },
    ]
    alt = f"{title}: " + ", ".join(f"{v['label']} {v['said']}" for v in values) + "."
    return spec(colours, title, subtitle, ROW_HEIGHT * 1.4 * len(values), layer, data={"values": values}), alt
