"""From one period's cost to the next: the parts as floating steps, and the places they lie in."""

from __future__ import annotations

import itertools

import pandas as pd

from metrics.spec import Metric
from ui import cost_bridge, cost_names
from ui import format as fmt
from ui.charts.base import number, spec, tips
from ui.theme import Palette

ROW = 34
BELOW = 9  # pixels: a driver's bar below its name


def waterfall(moved: cost_bridge.Moved, metric: Metric, colours: Palette, currency: str) -> tuple[dict, str]:
    """Before, each part as a step up (dearer) or down (cheaper), after; the two ends are marks, not bars.

    The axis need not begin at 0, because a step's length is the change it stands for.
    """
    values: list[dict] = [_end("Before", moved.before, metric, currency)]
    at = moved.before
    for row in moved.parts.to_dict("records"):
        said = fmt.signed(row["amount"], metric, row["amount"], currency=currency)
        values.append(
            {
                "label": cost_names.PARTS[row["part"]],
                "start": number(at),
                "end": number(at + row["amount"]),
                "edge": number(max(at, at + row["amount"])),
                "said": said,
                "kind": "dearer" if row["amount"] > 0 else "cheaper",
            }
        )
        at += row["amount"]
    values.append(_end("Now", moved.after, metric, currency))
    links = [{"x": v["end"], "label": v["label"], "to": w["label"]} for v, w in itertools.pairwise(values)]
    order = [v["label"] for v in values]
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order, "paddingInner": 0.35},
        "axis": {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelLimit": 190},
    }
    axis = {"format": fmt.D3_FORMAT[metric.unit], "title": currency, "tickCount": 5, "domain": False}
    ends = [x for v in values for x in (v["start"], v["end"])]
    room = (max(ends) - min(ends)) or abs(max(ends)) * 0.1 or 1.0
    domain = [max(0.0, min(ends) - 0.12 * room), max(ends) + 0.3 * room]
    x = {"field": "start", "type": "quantitative", "axis": axis, "scale": {"domain": domain, "nice": False}}
    paint = {"condition": {"test": "datum.kind === 'dearer'", "value": colours.bad}, "value": colours.good}
    tip = tips(label="Part", said="Amount")
    step = {"test": "datum.kind !== 'end'"}
    layer = [
        {
            "data": {"values": links},
            "mark": {"type": "rule", "strokeWidth": 1, "color": colours.faint, "strokeDash": [2, 3]},
            "encoding": {
                "x": {**x, "field": "x"},
                "y": {**y, "field": "label", "bandPosition": 0.5},
                "y2": {"field": "to", "bandPosition": 0.5},
            },
        },
        {
            "transform": [{"filter": step["test"]}],
            "mark": {"type": "bar", "height": {"band": 0.8}, "opacity": 0.9},
            "encoding": {"y": y, "x": x, "x2": {"field": "end"}, "color": paint, "tooltip": tip},
        },
        {
            "transform": [{"filter": "datum.kind === 'end'"}],
            "mark": {
                "type": "point",
                "shape": "diamond",
                "filled": True,
                "size": 130,
                "color": colours.ink,
                "opacity": 1,
            },
            "encoding": {"y": y, "x": x, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 9, "color": colours.ink},
            "encoding": {"y": y, "x": {**x, "field": "edge"}, "text": {"field": "said"}},
        },
    ]
    title = f"{metric.label}: from the period before to this one"
    subtitle = "Right and red: dearer. Left and green: cheaper. The steps sum to the change"
    said = ", ".join(f"{v['label'].lower()} {v['said']}" for v in values[1:-1])
    alt = f"{title}: {values[0]['said']} to {values[-1]['said']}" + (f" by {said}." if said else ".")
    return spec(colours, title, subtitle, ROW * len(values), layer, data={"values": values}), alt


def _end(label: str, value: float, metric: Metric, currency: str) -> dict:
    place = number(value)
    said = fmt.value(value, metric, currency)
    return {"label": label, "start": place, "end": place, "edge": place, "said": said, "kind": "end"}


def drivers(rows: pd.DataFrame, metric: Metric, colours: Palette, currency: str, most: int = 8) -> tuple[dict, str]:
    """The places that moved the cost most, largest first: a bar left (cheaper) or right (dearer), with what changed.

    rows: cost_words.named(). A selection "cell" on the driver's place in the list.
    """
    shown = rows.head(most)
    values = [
        {
            "place": k,
            "label": f"{cost_names.PARTS[row['part']]} · {row['place']}",
            "amount": number(row["amount"]),
            "edge": number(max(row["amount"], 0.0)),
            "said": fmt.signed(row["amount"], metric, row["amount"], currency=currency),
            "share": cost_names.signed_percent(row["share"]),
            "detail": row["detail"],
            "kind": "dearer" if row["amount"] > 0 else "cheaper",
        }
        for k, row in enumerate(shown.to_dict("records"))
    ]
    order = [v["label"] for v in values]
    # The names stand above the bars and not beside them: on a phone they would leave the bars no room.
    y = {"field": "label", "type": "nominal", "sort": order, "axis": None, "scale": {"domain": order}}
    largest = max((abs(v["amount"]) for v in values), default=1.0) or 1.0
    least = min((v["amount"] for v in values), default=0.0)
    axis = {"format": fmt.D3_FORMAT[metric.unit], "title": currency, "tickCount": 4, "domain": False}
    domain = [min(least * 1.05, 0.0), largest * 1.45]
    x = {"field": "amount", "type": "quantitative", "axis": axis, "scale": {"domain": domain, "nice": False}}
    paint = {"condition": {"test": "datum.kind === 'dearer'", "value": colours.bad}, "value": colours.good}
    tip = tips(label="Where", said="Amount", share="Of the change", detail="What changed")
    layer = [
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["place"], "on": "click"}}],
            "mark": {"type": "bar", "height": 14, "yOffset": BELOW, "opacity": 0.9, "cursor": "pointer"},
            "encoding": {"y": y, "x": x, "color": paint, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "dy": BELOW, "color": colours.ink},
            "encoding": {"y": y, "x": {**x, "field": "edge"}, "text": {"field": "said"}, "tooltip": tip},
        },
        {
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "bottom",
                "dy": -1,
                "limit": 330,
                "color": colours.ink,
            },
            "encoding": {"y": y, "x": {"value": 0}, "text": {"field": "label"}, "tooltip": tip},
        },
    ]
    title = "What moved it most"
    subtitle = (
        f"The first {len(values)} of {len(rows)}; click one to look inside"
        if len(rows) > most
        else "Click one to look inside"
    )
    alt = title + (f": {values[0]['label']} {values[0]['said']}, {values[0]['detail']}." if values else ": nothing.")
    return spec(colours, title, subtitle, (ROW + 6) * max(len(values), 1), layer, data={"values": values}), alt
