"""A share by week inside the limits that its own history gives, with the weeks that left them."""

from __future__ import annotations

import pandas as pd

from metrics.spec import Metric, Unit
from ui import format as fmt
from ui.charts.base import TREND_HEIGHT, number, spec, tips
from ui.charts.trend import _flags
from ui.theme import Palette


def control(
    points: pd.DataFrame,
    metric: Metric,
    colours: Palette,
    goal: float | None = None,
    provisional: object = None,
    changes: pd.DataFrame | None = None,
) -> tuple[dict, str]:
    """The weekly share against its limits (band), its usual level and the target; weeks outside are triangles.

    points: raters.Weekly.points. Weeks before the period are faint, provisional ones hollow.
    """
    known = points[points["value"].notna()]
    values = [_point(row, metric, provisional) for row in known.to_dict("records")]
    axis = {"format": fmt.D3_FORMAT[metric.unit], "title": None, "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "value", "type": "quantitative", "axis": axis, "scale": _scale(values, metric)}
    x_axis = {"format": "%-d %b", "title": None, "grid": False, "labelOverlap": True, "tickCount": 8}
    x = {"field": "at", "type": "temporal", "axis": x_axis}
    tip = tips(when="Week of", said=metric.label, usual="Usual band", n="n", note="Note")
    shades = [{"test": "datum.out", "value": colours.bad}, {"test": "!datum.inside", "value": colours.faint}]
    hollow = {"test": "datum.open", "value": colours.paper}
    layer: list[dict] = [
        {
            "transform": [{"filter": "datum.low !== null"}],
            "mark": {"type": "area", "opacity": 0.13, "color": colours.accent, "interpolate": "step"},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "line", "strokeWidth": 1, "color": colours.accent, "opacity": 0.6},
            "encoding": {"x": x, "y": {**y, "field": "center"}},
        },
        {"mark": {"type": "line", "strokeWidth": 1.6, "color": colours.faint}, "encoding": {"x": x, "y": y}},
        {
            "mark": {"type": "point", "filled": True, "opacity": 1, "strokeWidth": 1.4},
            "encoding": {
                "x": x,
                "y": y,
                "tooltip": tip,
                "size": {"condition": {"test": "datum.out", "value": 110}, "value": 38},
                "shape": {
                    "condition": {"test": "datum.out", "value": "triangle-up"},
                    "value": "circle",
                },
                "fill": {"condition": [hollow, *shades], "value": colours.ink},
                "stroke": {"condition": shades, "value": colours.ink},
            },
        },
    ]
    if goal is not None and values:
        scale = fmt.AXIS_SCALE.get(metric.unit, 1.0)
        line = [{"at": values[-1]["at"], "value": goal * scale, "text": f"target {fmt.target(goal, metric)}"}]
        under = values[-1]["value"] < goal * scale
        text = {"type": "text", "align": "right", "dy": -8 if under else 11, "dx": 4, "color": colours.muted}
        rule = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted}
        layer.append({"data": {"values": line}, "mark": rule, "encoding": {"y": y}})
        layer.append({"data": {"values": line}, "mark": text, "encoding": {"x": x, "y": y, "text": {"field": "text"}}})
    layer += _flags(changes, known, colours, x)
    title = f"{metric.label} by week"
    band = known["low"].notna().any()
    subtitle = f"{fmt.axis_title(metric)}; " + (
        "band: what is usual here; ▲ outside it" if band else "no usual band yet"
    )
    out = known[known["out"] & known["inside"]]
    alt = f"{title} over {len(known)} weeks: {len(out)} of the period's weeks lie outside the usual band."
    return spec(colours, title, subtitle, TREND_HEIGHT, layer, data={"values": values}), alt


def _scale(values: list[dict], metric: Metric) -> dict:
    """The vertical scale; a share ends at 100 %."""
    top = max((v["high"] or v["value"] for v in values), default=0.0)
    full = fmt.AXIS_SCALE.get(metric.unit, 1.0)
    capped = {"domainMax": full, "nice": False} if metric.unit is Unit.SHARE and top > 0.98 * full else {"nice": True}
    return {"zero": False, "padding": 8, **capped}


def _point(row: dict, metric: Metric, provisional: object) -> dict:
    scale = fmt.AXIS_SCALE.get(metric.unit, 1.0)
    late = provisional is not None and row["at"] + pd.Timedelta(days=6) >= pd.Timestamp(provisional)
    banded = not fmt.is_missing(row["low"])
    out = bool(row["out"])
    return {
        "at": row["at"].isoformat(),
        "value": number(row["value"], scale),
        "center": number(row["center"], scale),
        "low": number(row["low"], scale),
        "high": number(row["high"], scale),
        "inside": bool(row["inside"]),
        "out": out,
        "open": bool(late) and not out,
        "when": fmt.day(row["at"].date()),
        "said": fmt.value(row["value"], metric),
        "usual": fmt.interval(row["low"], row["high"], metric, row["value"]).strip("()") if banded else fmt.NONE,
        "n": f"{fmt.count(round(row['n']))} {metric.counts}",
        "note": "outside the usual band" if out else "provisional" if late else "as usual" if banded else "",
    }
