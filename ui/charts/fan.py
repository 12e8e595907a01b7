"""A queue's coming days: arrivals against staffed capacity, and the backlog, each with what is known before."""

from __future__ import annotations

import pandas as pd

from ui import format as fmt
from ui.charts.base import TREND_HEIGHT, number, spec, tips
from ui.theme import Palette

HEIGHT = TREND_HEIGHT
AGE_HEIGHT = 180


def fan(
    known: pd.DataFrame,
    coming: pd.DataFrame,
    title: str,
    subtitle: str,
    unit: str,
    colours: Palette,
    line: str = "",
) -> tuple[dict, str]:
    """Days known in ink, coming ones dashed with the band that holds 80 % of them, and a staffed line where named.

    known: at, value. coming: at, value, low, high and, for ``line``, capacity and heads: raters, written at the foot
    where they change. Nothing is drawn where nothing is known.
    """
    past = [{"at": row["at"].isoformat(), "value": number(row["value"])} for row in known.to_dict("records")]
    ahead = [
        {
            "at": row["at"].isoformat(),
            **{name: number(row[name]) for name in ("value", "low", "high")},
            "capacity": number(row.get("capacity")),
            "when": f"{row['at']:%a} {fmt.day(row['at'].date())}",
            "said": f"{row['value']:,.0f} ({row['low']:,.0f} to {row['high']:,.0f})",
            "staffed": f"{row['capacity']:,.0f}" if line else "",
            "heads": f"{row['heads']:,.1f}" if "heads" in row else "",
        }
        for row in coming.to_dict("records")
    ]
    for one in past:
        one["when"], one["said"] = fmt.day(pd.Timestamp(one["at"]).date()), f"{one['value'] or 0:,.0f}"
    joined = [*past[-1:], *ahead]
    x_axis = {"format": "%-d %b", "title": None, "grid": False, "labelOverlap": True, "tickCount": 8}
    x = {"field": "at", "type": "temporal", "axis": x_axis}
    axis = {"title": None, "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": True, "nice": True}}
    tip = tips(when="Day", said=unit.capitalize(), **({"staffed": "Staffed for"} if line else {}), **_raters(coming))
    solid = {"type": "line", "strokeWidth": 1.8, "color": colours.ink}
    layer: list[dict] = [
        {
            "data": {"values": ahead},
            "mark": {"type": "area", "opacity": 0.18, "color": colours.accent},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {"data": {"values": past}, "mark": solid, "encoding": {"x": x, "y": y}},
        {
            "data": {"values": joined},
            "mark": {**solid, "strokeDash": [4, 4], "color": colours.accent},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": [*past, *ahead]},
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 0},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
    ]
    if line and ahead:
        staffed = {"type": "line", "strokeWidth": 2, "color": colours.watch, "interpolate": "step"}
        held = {**y, "field": "capacity"}
        layer.append({"data": {"values": ahead}, "mark": staffed, "encoding": {"x": x, "y": held}})
        # Named above the plot: beside the line it would lie on the forecast.
        text = {"type": "text", "align": "right", "x": "width", "y": -4, "baseline": "bottom", "fontWeight": 600}
        if "heads" in coming:
            foot = {"type": "text", "align": "center", "y": HEIGHT - 3, "baseline": "bottom", "fontSize": 11}
            mark = {**foot, "color": colours.watch}
            encoding = {"x": x, "text": {"field": "raters"}}
            layer.append({"data": {"values": _changes(coming)}, "mark": mark, "encoding": encoding})
        named = {"mark": {**text, "color": colours.watch}, "encoding": {"text": {"field": "text"}}}
        layer.append({"data": {"values": [{"text": f"━ {line}"}]}, **named})
    alt = f"{title}: nothing is forecast."
    if ahead:
        last = ahead[-1]
        alt = f"{title}: from {ahead[0]['said']} on {ahead[0]['when']} to {last['said']} on {last['when']}, 80 % band."
        if line:
            alt += f" {line}, between {_ends(ahead)} a day."
            if "heads" in coming:
                alt += f" Raters: {coming['heads'].min():,.1f} to {coming['heads'].max():,.1f} a day."
    return spec(colours, title, subtitle, HEIGHT, layer), alt


def _raters(coming: pd.DataFrame) -> dict[str, str]:
    return {"heads": "Raters"} if "heads" in coming else {}


def _changes(coming: pd.DataFrame) -> list[dict]:
    """The days on which the raters are clearly more or fewer than where last written; two days apart, to be read."""
    shown: list[dict] = []
    last, when = None, -2
    for k, row in enumerate(coming.to_dict("records")):
        if k - when >= 2 and (last is None or abs(row["heads"] - last) > 0.15 * max(last, row["heads"])):
            last, when = row["heads"], k
            shown.append({"at": row["at"].isoformat(), "raters": f"{last:,.0f}" if last >= 1 else f"{last:,.1f}"})
    return shown


def _ends(ahead: list[dict]) -> str:
    held = [a["capacity"] for a in ahead if a["capacity"] is not None]
    return f"{min(held):,.0f} and {max(held):,.0f}" if held else "unknown"


def arrived_decided(rows: pd.DataFrame, colours: Palette) -> tuple[dict, str]:
    """Items that came and items decided by week, named at the end; rows: at, created, closed."""
    names = {"created": "arrived", "closed": "decided"}
    values = [
        {
            "at": row["at"].isoformat(),
            "kind": name,
            "items": float(row[column]),
            "when": fmt.day(row["at"].date()),
            "said": f"{row[column]:,.0f} {name}",
        }
        for row in rows.to_dict("records")
        for column, name in names.items()
    ]
    x_axis = {"format": "%-d %b", "title": None, "grid": False, "labelOverlap": True, "tickCount": 6}
    x = {"field": "at", "type": "temporal", "axis": x_axis}
    axis = {"title": None, "tickCount": 4, "domain": False, "ticks": False}
    y = {"field": "items", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 8}}
    scale = {"domain": list(names.values()), "range": [colours.accent, colours.ink]}
    colour = {"field": "kind", "type": "nominal", "legend": None, "scale": scale}
    last = values[-2:]
    top = max(last, key=lambda v: v["items"])["kind"] if last else ""
    tip = tips(when="Week of", said="Items")
    layer: list[dict] = [
        {"mark": {"type": "line", "strokeWidth": 1.8}, "encoding": {"x": x, "y": y, "color": colour}},
        {
            "mark": {"type": "point", "filled": True, "size": 34, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": colour, "tooltip": tip},
        },
    ]
    for one in last:
        mark = {"type": "text", "align": "right", "dx": 4, "dy": -12 if one["kind"] == top else 14, "fontWeight": 600}
        layer.append(
            {
                "data": {"values": [one]},
                "mark": mark,
                "encoding": {"x": x, "y": y, "color": colour, "text": {"field": "kind"}},
            }
        )
    came, done = (rows[c].sum() for c in names) if len(rows) else (0, 0)
    alt = f"Arrived and decided by week: {came:,.0f} items arrived, {done:,.0f} were decided in {len(rows)} weeks."
    return spec(colours, "Arrived and decided by week", "items", AGE_HEIGHT, layer, data={"values": values}), alt


def ages(rows: pd.DataFrame, due: int, colours: Palette) -> tuple[dict, str]:
    """Open items by age as bars, those older than the time allowed in the colour of a miss; rows: queue.ages()."""
    shown = rows[(rows["items"] > 0) | (rows["first"] <= max(due, 4))]
    values = [
        {
            "label": row["label"],
            "items": float(row["items"]),
            "old": row["first"] > due,
            "said": f"{row['items']:,.0f}",
        }
        for row in shown.to_dict("records")
    ]
    order = [v["label"] for v in values]
    style = {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelPadding": 8}
    y = {"field": "label", "type": "nominal", "sort": order, "scale": {"domain": order}, "axis": style}
    x = {"field": "items", "type": "quantitative", "axis": None, "scale": {"zero": True, "nice": True, "padding": 30}}
    shade = {"condition": {"test": "datum.old", "value": colours.bad}, "value": colours.faint}
    text = {"type": "text", "align": "left", "dx": 6, "color": colours.ink}
    tip = tips(label="Came", said="Open items")
    layer = [
        {"mark": {"type": "bar", "opacity": 0.85}, "encoding": {"x": x, "y": y, "color": shade, "tooltip": tip}},
        {"mark": text, "encoding": {"x": x, "y": y, "text": {"field": "said"}}},
    ]
    old = sum(v["items"] for v in values if v["old"])
    whole = rows["items"].sum()
    word = "today" if not due else f"{due} day{'s' if due > 1 else ''}"
    subtitle = f"items by days since they came; red: older than the {word} allowed"
    alt = f"Age of the backlog: {old:,.0f} of {whole:,.0f} open items are older than {word}."
    return spec(colours, "Age of the backlog", subtitle, 28 * len(values), layer, data={"values": values}), alt
