"""A metric over time: interval as a band, target dashed, changes as flags, provisional steps dashed."""

from __future__ import annotations

import itertools

import pandas as pd

from metrics.spec import Direction, Metric
from ui import format as fmt
from ui import words
from ui.charts.base import TREND_HEIGHT, number, spec, tips
from ui.theme import Palette

STEEP = 0.05  # of the height shown: a line that comes from so far above or below would run through a label there
CLOSE = 0.06  # of the width shown: flags so near one another share one number, also on a phone
NEAR = 0.15  # of the height shown: a line that ends so near the target would run through the target's label


def trend(
    rows: pd.DataFrame,
    metric: Metric,
    colours: Palette,
    grain: str,
    currency: str,
    provisional: object = None,
    changes: pd.DataFrame | None = None,
    since: object = None,
) -> tuple[dict, str]:
    """A metric over time with its interval as a band, its target dashed, changes as flags; and its alt text.

    rows: figures.over_time(). Steps that are not whole or reach into ``provisional`` are dashed. Steps before
    ``since`` are context and faint.
    """
    scale = fmt.AXIS_SCALE.get(metric.unit, 1.0)
    known = rows[rows["value"].notna() & rows["at"].notna()]
    points = [_point(row, metric, grain, currency, scale, provisional, since) for row in known.to_dict("records")]
    _number_runs(points, grain)
    steps = [
        {"x": a["at"], "x2": b["at"], "y": a["value"], "y2": b["value"], "open": b["open"], "old": b["old"]}
        for a, b in itertools.pairwise(points)
        if a["run"] == b["run"]
    ]
    axis = {"format": fmt.D3_FORMAT[metric.unit], "title": None, "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 6}}
    x_axis = {"format": "%b %Y" if grain == "month" else "%-d %b", "title": None, "grid": False, "labelOverlap": True}
    x = {"field": "at", "type": "temporal", "axis": {**x_axis, "values": [p["at"] for p in points]}}
    tip = tips(when=grain.capitalize(), said=metric.label, n="n", note="Note")
    layer: list[dict] = [
        {
            "data": {"values": [p for p in points if p["low"] is not None]},
            "mark": {"type": "area", "opacity": 0.16, "color": colours.accent, "interpolate": "linear"},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "detail": {"field": "run"}},
        },
        {
            "data": {"values": steps},
            "mark": {"type": "rule", "strokeWidth": 2, "strokeCap": "round"},
            "encoding": {
                "x": {**x, "field": "x"},
                "x2": {"field": "x2"},
                "y": {**y, "field": "y"},
                "y2": {"field": "y2"},
                "strokeDash": {"condition": {"test": "datum.open", "value": [4, 4]}, "value": [1, 0]},
                "color": {"condition": {"test": "datum.old", "value": colours.faint}, "value": colours.ink},
            },
        },
        {
            "data": {"values": points},
            "mark": {"type": "point", "size": 34, "filled": True, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                "tooltip": tip,
                "fill": {
                    "condition": [
                        {"test": "datum.open", "value": colours.paper},
                        {"test": "datum.old", "value": colours.faint},
                    ],
                    "value": colours.ink,
                },
                "stroke": {"condition": {"test": "datum.old", "value": colours.faint}, "value": colours.ink},
            },
        },
        *_end_label(points, x, y, colours),
        *_target_rule(rows, metric, currency, scale, colours, x, y),
        *_flags(changes, known, colours, x),
    ]
    title = f"{metric.label} by {grain}"
    subtitle = fmt.axis_title(metric, currency) + ("; band: 95 % interval" if known["low"].notna().any() else "")
    if any(p["open"] for p in points):
        subtitle += "; dashed and hollow: provisional or incomplete"
    return spec(colours, title, subtitle, TREND_HEIGHT, layer), _trend_alt(known, metric, grain, currency)


def _point(
    row: dict, metric: Metric, grain: str, currency: str, scale: float, provisional: object, since: object
) -> dict:
    late = provisional is not None and _last_day(row["at"], grain) >= pd.Timestamp(provisional)
    half = not row["whole"]
    return {
        "at": row["at"].isoformat(),
        "value": number(row["value"], scale),
        "low": number(row["low"], scale),
        "goal": number(row["target"], scale),
        "high": number(row["high"], scale),
        "open": bool(late or half),
        "old": since is not None and row["at"] < pd.Timestamp(since),
        "when": fmt.bucket(row["at"], grain),
        "said": words.value_text(row, metric, currency),
        "n": f"{fmt.count(row['n'])} {metric.counts}",
        "note": "incomplete" if half else "provisional" if late else words.status_word(row),
    }


def _number_runs(points: list[dict], grain: str) -> None:
    """Numbers the stretches without a missing step, so that nothing is drawn across a gap."""
    longest = {"day": 1, "week": 7, "month": 31}[grain]
    run, last = 0, None
    for point in points:
        at = pd.Timestamp(point["at"])
        run += last is not None and (at - last).days > longest
        point["run"], last = run, at


def _last_day(at: pd.Timestamp, grain: str) -> pd.Timestamp:
    if grain == "month":
        return at + pd.offsets.MonthEnd(0)
    return at + pd.Timedelta(days=6 if grain == "week" else 0)


def _end_label(points: list[dict], x: dict, y: dict, colours: Palette) -> list[dict]:
    """The last value beside its point, on the side that the line does not come from; else away from the target."""
    if not points:
        return []
    last = {**points[-1], "text": points[-1]["said"].split(" (")[0]}
    below = last["goal"] is not None and last["value"] < last["goal"]
    values = [p["value"] for p in points]
    before = [p["value"] for p in points[-3:-1] if p["run"] == last["run"]]
    if before:
        fall = sum(before) / len(before) - last["value"]
        below = fall > 0 if abs(fall) > STEEP * (max(values) - min(values)) else below
    mark = {"type": "text", "align": "right", "dy": 14 if below else -13, "dx": 4, "fontWeight": 600}
    mark["color"] = colours.ink
    return [{"data": {"values": [last]}, "mark": mark, "encoding": {"x": x, "y": y, "text": {"field": "text"}}}]


def _target_rule(rows, metric: Metric, currency: str, scale: float, colours: Palette, x: dict, y: dict) -> list[dict]:
    """The target as a dashed step, a band's both ends; labelled at its end, or its start where the line ends on it."""
    known = rows[rows["target"].notna() & rows["at"].notna()]
    last = rows["value"].dropna().iloc[-1:]
    if known.empty or last.empty:
        return []
    layers = []
    ends = [("target", "target")] if metric.direction is not Direction.BAND else [("target", "band"), ("warn", "band")]
    for column, name in ends:
        line = [
            {"at": at.isoformat(), "value": float(v) * scale} for at, v in zip(known["at"], known[column], strict=True)
        ]
        label = f"{name} {fmt.target(known[column].iloc[-1], metric, currency)}"
        mark = {
            "type": "line",
            "strokeDash": [5, 4],
            "strokeWidth": 1.2,
            "color": colours.muted,
            "interpolate": "step-after",
        }
        shown = pd.concat([rows["value"], rows["low"], rows["high"], known[column]]).dropna()
        near = NEAR * (shown.max() - shown.min())
        ends_on_it = (rows["value"].dropna().iloc[-2:] - known[column].iloc[-1]).abs().min() < near
        at, align = (0, "left") if ends_on_it and known[column].nunique() == 1 else (-1, "right")
        beside = rows["value"].dropna().iloc[at]
        under = beside < known[column].iloc[at]
        text = {"type": "text", "align": align, "dy": -8 if under else 11, "dx": 4, "color": colours.muted}
        layers.append({"data": {"values": line}, "mark": mark, "encoding": {"x": x, "y": y}})
        layers.append(
            {
                "data": {"values": [{**line[at], "text": label}]},
                "mark": text,
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            }
        )
    return layers


def _flags(changes: pd.DataFrame | None, known: pd.DataFrame, colours: Palette, x: dict) -> list[dict]:
    """Dated changes as thin flags numbered in order, close ones together as 2–4; the summaries on hover and in the list

    below the chart.
    """
    if changes is None or changes.empty or known.empty:
        return []
    flags = [
        {
            "at": pd.Timestamp(row["starts_on"]).isoformat(),
            "text": str(k),
            "summary": f"{fmt.day(row['starts_on'])}: {row['summary']}",
        }
        for k, row in enumerate(changes.to_dict("records"), 1)
    ]
    tip = [{"field": "summary", "title": "Change"}]
    rule = {"type": "rule", "strokeWidth": 1, "color": colours.faint, "opacity": 0.55}
    text = {"type": "text", "y": 0, "baseline": "bottom", "dy": -2, "color": colours.muted, "fontSize": 11}
    shown = pd.to_datetime([*known.get("at", []), *(f["at"] for f in flags)])
    numbers = {"values": _together(flags, CLOSE * (shown.max() - shown.min()))}
    return [
        {"data": {"values": flags}, "mark": rule, "encoding": {"x": x, "tooltip": tip}},
        {"data": numbers, "mark": text, "encoding": {"x": x, "text": {"field": "text"}, "tooltip": tip}},
    ]


def _together(flags: list[dict], near: pd.Timedelta) -> list[dict]:
    """Flags with those that follow one within ``near`` of its date joined to it: their numbers would overlap."""
    groups: list[list[dict]] = []
    for flag in sorted(flags, key=lambda f: f["at"]):
        if groups and pd.Timestamp(flag["at"]) - pd.Timestamp(groups[-1][0]["at"]) < near:
            groups[-1].append(flag)
        else:
            groups.append([flag])
    found = []
    for group in groups:
        first, last = (pd.Timestamp(group[k]["at"]) for k in (0, -1))
        numbers = sorted(int(f["text"]) for f in group)
        row = numbers == list(range(numbers[0], numbers[-1] + 1)) and len(numbers) > 1
        text = f"{numbers[0]}–{numbers[-1]}" if row else ", ".join(map(str, numbers))
        summary = "; ".join(f["summary"] for f in group)
        found.append({"at": (first + (last - first) / 2).isoformat(), "text": text, "summary": summary})
    return found


def _trend_alt(known: pd.DataFrame, metric: Metric, grain: str, currency: str) -> str:
    if known.empty:
        return f"{metric.label} by {grain}: no {grain} has a number."
    first, last = known.iloc[0], known.iloc[-1]
    return (
        f"Line of {metric.label} by {grain}, from {fmt.value(first['value'], metric, currency)} "
        f"({fmt.bucket(first['at'], grain)}) to {fmt.value(last['value'], metric, currency)} "
        f"({fmt.bucket(last['at'], grain)}), "
        f"{words.status_word(last)}."
    )
