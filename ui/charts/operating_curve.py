"""What a plan of audits lets through, and when a rater's test may end."""

from __future__ import annotations

import pandas as pd

from metrics.catalogue import metric as find_metric
from metrics.sequential import ACCEPT, GO_ON, LOOK_INTO
from metrics.spec import Status
from ui import format as fmt
from ui.charts.base import spec, tips
from ui.theme import Palette

HEIGHT = 210
STATES = {LOOK_INTO: Status.OFF_TARGET, ACCEPT: Status.ON_TARGET, GO_ON: Status.TOO_FEW}  # how an answer is drawn


def operating_curve(
    curve: pd.DataFrame, acceptable: tuple[float, float], limit: tuple[float, float], colours: Palette
) -> tuple[dict, str]:
    """The chance that a batch is accepted by its true error share, with the two rates the plan was made for.

    curve: metrics.acceptance.operating_curve(). acceptable, limit: each an error share and its chance to be accepted.
    """
    values = [
        {"rate": 100 * r, "chance": 100 * a, "said": _percent(a), "at": _percent(r)}
        for r, a in zip(curve["error_rate"], curve["accepted"], strict=True)
    ]
    ends = [
        {"rate": 100 * rate, "chance": 100 * chance, "text": f"{name} {_percent(rate)}: {_percent(chance)} pass"}
        for name, (rate, chance) in (("acceptable", acceptable), ("limit", limit))
    ]
    x = {
        "field": "rate",
        "type": "quantitative",
        "axis": {"title": "errors in the batch, %", "tickCount": 6, "grid": False},
        "scale": {"nice": False, "domain": [0, float(100 * curve["error_rate"].max())]},
    }
    y = {
        "field": "chance",
        "type": "quantitative",
        "axis": {"title": None, "tickCount": 5, "domain": False, "ticks": False},
        "scale": {"domain": [0, 100]},
    }
    tip = [{"field": "at", "title": "Errors in the batch"}, {"field": "said", "title": "Accepted"}]
    ends_data = {"values": ends}
    layer = [
        {"mark": {"type": "line", "color": colours.ink, "strokeWidth": 2}, "encoding": {"x": x, "y": y}},
        {
            "mark": {"type": "point", "opacity": 0, "size": 120},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
        {
            "data": ends_data,
            "mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted},
            "encoding": {"x": x},
        },
        {
            "data": ends_data,
            "mark": {"type": "point", "filled": True, "opacity": 1, "size": 60, "color": colours.accent},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": ends_data,
            "mark": {"type": "text", "align": "left", "dx": 9, "dy": -9, "color": colours.ink},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        },
    ]
    title = "What the batch plan lets through"
    alt = f"{title}: {ends[0]['text']}; {ends[1]['text']}."
    subtitle = "% of batches accepted, by their true error rate"
    return spec(colours, title, subtitle, HEIGHT, layer, data={"values": values}), alt


def corridor(
    lines: pd.DataFrame, fixed: tuple[int, int] | None, colours: Palette, raters: pd.DataFrame | None = None
) -> tuple[dict, str]:
    """When the test of a rater may end: wrong answers at or above the upper line, or at or below the lower one.

    lines: ui.audit_tests.RaterTest.lines. fixed: the length of the fixed test and the wrong answers from which it
    looks into the rater. raters: ui.audit_tests.Tested.rows, each drawn where the test ended, or stands.
    """
    marks = _marks(raters)
    top = float(lines["enough"].max())
    top = max(top if top == top else 1.0, float(fixed[1]) if fixed else 1.0, *(m["wrong"] for m in marks)) * 1.15
    reach = max(float(lines["n"].max()), *(m["n"] for m in marks)) if marks else float(lines["n"].max())
    upper = [{"n": n, "wrong": w, "top": top} for n, w in zip(lines["n"], lines["enough"], strict=True) if w == w]
    lower = [{"n": n, "wrong": w} for n, w in zip(lines["n"], lines["few"], strict=True) if w == w]
    x = {
        "field": "n",
        "type": "quantitative",
        "axis": {"title": "gold judgements", "tickCount": 6, "grid": False},
        "scale": {"nice": False, "domain": [0, reach * 1.02]},
    }
    y = {
        "field": "wrong",
        "type": "quantitative",
        "axis": {"title": None, "tickCount": 5, "domain": False, "ticks": False},
        "scale": {"domain": [0, top], "nice": False},
    }
    step = {"type": "line", "interpolate": "step-after", "strokeWidth": 2}
    area = {"type": "area", "interpolate": "step-after", "opacity": 0.12}
    layer = [
        {
            "data": {"values": upper},
            "mark": {**area, "color": colours.watch},
            "encoding": {"x": x, "y": y, "y2": {"field": "top"}},
        },
        {"data": {"values": upper}, "mark": {**step, "color": colours.watch}, "encoding": {"x": x, "y": y}},
        {
            "data": {"values": lower},
            "mark": {**area, "color": colours.good},
            "encoding": {"x": x, "y": y, "y2": {"datum": 0}},
        },
        {"data": {"values": lower}, "mark": {**step, "color": colours.good}, "encoding": {"x": x, "y": y}},
    ]
    named = [
        (upper, "▲ end: look into it", {"align": "right", "dx": -8, "dy": -10}),
        (lower, "● end: fine", {"align": "left", "dx": 10, "dy": 14}),
    ]
    for side, text, place in named:
        middle = [{**side[len(side) // 2], "text": text}] if side else []
        mark = {"type": "text", "color": colours.ink, **place}
        layer.append(
            {"data": {"values": middle}, "mark": mark, "encoding": {"x": x, "y": y, "text": {"field": "text"}}}
        )
    if fixed:
        at = {"values": [{"n": fixed[0], "wrong": fixed[1], "text": f"fixed: {fixed[1]} wrong of {fixed[0]}"}]}
        mark = {"type": "point", "shape": "diamond", "filled": True, "size": 90, "opacity": 1, "color": colours.ink}
        layer.append({"data": at, "mark": mark, "encoding": {"x": x, "y": y}})
        text = {"type": "text", "align": "right", "dx": 2, "dy": 17, "color": colours.ink}
        layer.append({"data": at, "mark": text, "encoding": {"x": x, "y": y, "text": {"field": "text"}}})
    if marks:
        states = [str(s) for s in STATES.values()]
        tone = {"domain": states, "range": [colours.states[s] for s in STATES.values()]}
        shape = {"domain": states, "range": ["triangle-up", "circle", "circle"]}
        layer.append(
            {
                "data": {"values": marks},
                "mark": {"type": "point", "filled": True, "size": 55, "opacity": 0.9},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": {"field": "status", "type": "nominal", "legend": None, "scale": tone},
                    "shape": {"field": "status", "type": "nominal", "legend": None, "scale": shape},
                    "tooltip": tips(label="Rater", said="Gold", state="Test"),
                },
            }
        )
    title = "When a rater's test may end"
    alt = f"{title}: a corridor of wrong answers by gold judgements met, up to {fmt.count(float(lines['n'].max()))}"
    alt += f"; a fixed test looks into a rater with {fixed[1]} wrong of {fixed[0]}." if fixed else "."
    alt += f" {len(marks)} raters are drawn where it ended or stands." if marks else ""
    subtitle = "wrong answers; between the lines the test goes on" + ("; marks: raters of the pool" if marks else "")
    return spec(colours, title, subtitle, HEIGHT, layer), alt


def _marks(raters: pd.DataFrame | None) -> list[dict]:
    """The raters as marks of the corridor."""
    return [
        {
            "label": row["alias"],
            "n": float(row["n"]),
            "wrong": float(row["wrong"]),
            "said": f"{fmt.count(row['wrong'])} wrong of {fmt.count(row['n'])}",
            "state": row["state"] if row["state"] == GO_ON else f"ended: {row['state']}",
            "status": str(STATES[row["state"]]),
        }
        for row in ([] if raters is None else raters.to_dict("records"))
    ]


def gains(curve: pd.DataFrame, asked: int, each: str, colours: Palette) -> tuple[dict, str]:
    """How the uncertainty falls with the number of audits: placed by the plan, and spread by size.

    curve: ui.audit_planner.Plan.curve. asked: the number planned, which is marked.
    """
    values = [
        {"audits": float(n), "points": 100 * h, "way": way}
        for column, way in (("half", "this plan"), ("even", "by size alone"))
        for n, h in zip(curve["audits"], curve[column], strict=True)
        if h == h
    ]
    x = {
        "field": "audits",
        "type": "quantitative",
        "axis": {"title": f"more {each}", "tickCount": 6, "grid": False},
        "scale": {"nice": False, "padding": 4},
    }
    y = {
        "field": "points",
        "type": "quantitative",
        "axis": {"title": None, "tickCount": 5, "domain": False, "ticks": False},
        "scale": {"zero": True},
    }
    ours = [v for v in values if v["way"] == "this plan"]
    marked = [{**v, "text": _points(v["points"])} for v in ours if v["audits"] == asked]
    tip = [
        {"field": "way", "title": "Placed"},
        {"field": "audits", "title": each.capitalize(), "format": ",.0f"},
        {"field": "points", "title": "± points", "format": ".2f"},
    ]
    layer = [
        {
            "transform": [{"filter": "datum.way === 'by size alone'"}],
            "mark": {"type": "line", "color": colours.faint, "strokeWidth": 1.5, "strokeDash": [4, 3]},
            "encoding": {"x": x, "y": y},
        },
        {
            "transform": [{"filter": "datum.way === 'this plan'"}],
            "mark": {"type": "line", "color": colours.accent, "strokeWidth": 2, "point": False},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "point", "size": 140, "opacity": 0},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
        {
            "data": {"values": marked},
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1, "color": colours.accent},
            "encoding": {"x": x, "y": y},
        },
        {
            "data": {"values": marked},
            "mark": {"type": "text", "dy": 17, "align": "center", "color": colours.ink, "fontWeight": 600},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}},
        },
    ]
    title = f"What each further hundred {each} buy"
    subtitle = "± points of the error share; dashed: spread by size alone"
    last = f"{_points(ours[-1]['points'])} with {fmt.count(ours[-1]['audits'])}"
    alt = f"{title}: from {_points(ours[0]['points'])} now to {last}."
    return spec(colours, title, subtitle, HEIGHT, layer, data={"values": values}), alt


def _percent(share: float) -> str:
    """The share with no more decimals than it needs."""
    return fmt.target(share, find_metric("audit_accuracy"))


def _points(points: float) -> str:
    """Half the width of an interval, as people say it: ±1.3 points."""
    return f"±{fmt.size(points / 100, find_metric('audit_accuracy'), 0.5)}"
