"""Handle time by week as it was and at one mix of work, and pools by pace and accuracy."""

from __future__ import annotations

import pandas as pd

from metrics.catalogue import METRICS
from ui import format as fmt
from ui.charts.base import TREND_HEIGHT, number, spec, tips
from ui.charts.pace import pace
from ui.charts.trend import _flags
from ui.theme import Palette
from ui.words import value_text

SECONDS = METRICS["handle_time_log_mean_seconds"]
TICKS = (0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.5, 1.75, 2, 3, 5)
MOST_NAMED = 7  # names in the scatter, those furthest from the middle
FAR_APART = 0.035  # of the scale: labels nearer than this would lie on one another


def handle_weeks(
    points: pd.DataFrame, odd: pd.DataFrame, colours: Palette, changes: pd.DataFrame | None = None
) -> tuple[dict, str]:
    """Two lines by week: at one mix of work in ink with its band, as it was in grey; single odd days as diamonds.

    points: productivity.Weeks.points; odd: its odd days. Weeks before the period are faint.
    """
    values = [
        {
            "at": row["at"].isoformat(),
            "value": number(row["value"]),
            "low": number(row["low"]),
            "high": number(row["high"]),
            "raw": number(row["raw"]),
            "inside": bool(row["inside"]),
            "when": fmt.day(row["at"].date()),
            "said": value_text(row, SECONDS, ""),
            "was": fmt.value(row["raw"], SECONDS),
            "n": f"{fmt.count(row['n'])} {SECONDS.counts}",
        }
        for row in points.to_dict("records")
        if not fmt.is_missing(row["value"])
    ]
    axis = {"title": None, "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 8}}
    x_axis = {"format": "%-d %b", "title": None, "grid": False, "labelOverlap": True, "tickCount": 8}
    x = {"field": "at", "type": "temporal", "axis": x_axis}
    tip = tips(when="Week of", said="At one mix of work", was="As it was", n="n")
    faint = {"condition": {"test": "!datum.inside", "value": colours.faint}, "value": colours.ink}
    raw = {**y, "field": "raw"}
    layer: list[dict] = [
        {
            "transform": [{"filter": "datum.low !== null"}],
            "mark": {"type": "area", "opacity": 0.14, "color": colours.accent},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "line", "strokeWidth": 1.6, "strokeDash": [2, 3], "color": colours.muted},
            "encoding": {"x": x, "y": raw},
        },
        {"mark": {"type": "line", "strokeWidth": 2, "color": colours.ink}, "encoding": {"x": x, "y": y}},
        {
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": 40},
            "encoding": {"x": x, "y": y, "fill": faint, "stroke": faint, "tooltip": tip},
        },
        *_ends(values, x, y, colours),
        *_odd_days(odd, values, x, colours),
        *_flags(changes, points, colours, x),
    ]
    title = "Handle time by week"
    band = any(v["low"] is not None for v in values)
    subtitle = "seconds, typical; line: at one mix of work" + (" with its 95 % interval" if band else "")
    alt = f"{title}: no week has a number."
    if values:
        first, last = values[0], values[-1]
        alt = (
            f"{title}: at one mix of work from {first['said']} to {last['said']}, as it was from {first['was']} to "
            f"{last['was']}; {len(odd)} odd days."
        )
    return spec(colours, title, f"{subtitle}; dotted: as it was", TREND_HEIGHT, layer, data={"values": values}), alt


def _ends(values: list[dict], x: dict, y: dict, colours: Palette) -> list[dict]:
    """Both lines named at their end, one above the other."""
    if not values:
        return []
    last = values[-1]
    over = last["raw"] >= last["value"]
    names = [
        (last["value"], f"one mix {fmt.value(last['value'], SECONDS)}", colours.ink, 14 if over else -12, 600),
        (last["raw"], f"as it was {fmt.value(last['raw'], SECONDS)}", colours.muted, -12 if over else 14, 400),
    ]
    return [
        {
            "data": {"values": [{"at": last["at"], "value": value, "text": text}]},
            "mark": {"type": "text", "align": "right", "dx": 4, "dy": dy, "color": colour, "fontWeight": weight},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        }
        for value, text, colour, dy, weight in names
    ]


def _odd_days(odd: pd.DataFrame, values: list[dict], x: dict, colours: Palette) -> list[dict]:
    """Single days far off the usual, at the foot of the chart: a mark and its size, no part of the line."""
    first = values[0]["at"] if values else ""
    marks = [
        {
            "at": row["day"].isoformat(),
            "text": f"{row['times']:.1f} x on {fmt.day(row['day'].date())}",
            "said": f"{row['times']:.1f} times the usual, "
            + ("one day only" if row["alone"] else "as the day beside it"),
        }
        for row in odd.to_dict("records")
        if row["day"].isoformat() >= first
    ]
    if not marks:
        return []
    tip = tips(text="Odd day", said="How far")
    at = {"x": x, "y": {"value": TREND_HEIGHT - 8}, "tooltip": tip}
    point = {"type": "point", "shape": "diamond", "size": 80, "filled": False, "color": colours.watch, "strokeWidth": 2}
    text = {"type": "text", "align": "left", "dx": 9, "color": colours.muted}
    return [
        {"data": {"values": marks}, "mark": point, "encoding": at},
        {"data": {"values": marks}, "mark": text, "encoding": {**at, "text": {"field": "text"}}},
    ]


def pace_beside(rows: pd.DataFrame, goal: float | None, what: str, colours: Palette) -> tuple[dict, str]:
    """Pools or projects by pace and gold accuracy with both intervals, named where names do not collide.

    rows: productivity.beside() with `said`. Returns the specification, with a selection "cell" on the member.
    """
    shown = rows.assign(rater=rows["member"], alias=rows["label"], group=rows["state"], signals="", spam="")
    chart, _ = pace(shown, goal if goal else float(rows["value"].mean()), colours)
    if not goal:
        chart["layer"] = chart["layer"][2:]  # no target, no rule
    for one in chart["layer"]:
        if "tooltip" in one.get("encoding", {}):
            one["encoding"]["tooltip"] = tips(label=what.capitalize(), took="Time", said="Accuracy", state="Status")
    named = _apart(chart["data"]["values"])[:MOST_NAMED]
    text = {"type": "text", "align": "left", "dx": 8, "dy": -7, "color": colours.muted, "fontSize": 11, "limit": 130}
    point = next(one for one in chart["layer"] if one.get("params"))
    ticks = [t for t in TICKS if rows["pace_low"].min() <= t <= rows["pace_high"].max()]
    for one in chart["layer"]:
        if "x" in one.get("encoding", {}):
            one["encoding"]["x"] = {**one["encoding"]["x"]}
            one["encoding"]["x"]["axis"] = {**one["encoding"]["x"].get("axis", {}), "values": ticks}
    places = {axis: point["encoding"][axis] for axis in ("x", "y")}
    chart["layer"].append({"data": {"values": named}, "mark": text, "encoding": {**places, "text": {"field": "label"}}})
    title = f"Pace beside accuracy, by {what}"
    chart["title"] = {"text": title, "subtitle": "Left is faster on the same kind of work; lines: 95 % intervals"}
    slow, fast = rows.loc[rows["pace"].idxmax()], rows.loc[rows["pace"].idxmin()]
    alt = (
        f"{title}, {len(rows)} of them: fastest {fast['label']}, {fast['pace']:.2f} times the usual at {fast['said']}; "
        f"slowest {slow['label']}, {slow['pace']:.2f} times at {slow['said']}."
    )
    return chart, alt


def _apart(values: list[dict]) -> list[dict]:
    """The marks whose names have room, those furthest from the middle first."""
    if not values:
        return []
    ends = {"pace": ("pace_low", "pace_high"), "value": ("low", "high")}
    spans = {k: _span([v[e] if v[e] is not None else v[k] for v in values for e in both]) for k, both in ends.items()}
    middle = {k: sum(v[k] for v in values) / len(values) for k in spans}
    far = sorted(values, key=lambda v: -max(abs(v[k] - middle[k]) / spans[k] for k in spans))
    kept: list[dict] = []
    for one in far:
        near = (
            abs(one["value"] - o["value"]) / spans["value"] < 2 * FAR_APART
            and abs(one["pace"] - o["pace"]) / spans["pace"] < 20 * FAR_APART
            for o in kept
        )
        if not any(near):
            kept.append(one)
    return kept


def _span(values: list[float]) -> float:
    """From the least to the most; 1 where they are one."""
    return max(values) - min(values) or 1.0
