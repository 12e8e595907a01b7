"""The charts: trend, interval dots, heat strip. Each says in its title what it shows and carries its own alt text.

They are plain Vega-Lite specifications: building the same through Altair's classes costs 35 ms a chart on two cores,
a third of a page. The tests validate each against Altair's schema. Data are plain values; no field is named by data.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from metrics.catalogue import metric as find_metric
from metrics.spec import Direction, Metric, Status
from ui import format as fmt
from ui import words
from ui.theme import SHAPES, TINT, Palette, chart_config

TREND_HEIGHT, ROW_HEIGHT, CELL_HEIGHT = 260, 25, 29
MOST_ROWS = 40  # groups shown in a chart; the table holds all


def show(spec: dict, alt: str, key: str, select: bool = False, **place) -> dict | None:
    """Draws a specification; with ``select`` what the reader clicked, as {field: [values]}, else None."""
    if not select:
        st.vega_lite_chart(spec, theme=None, alt=alt, key=key, width="stretch", **place)
        return None
    event = st.vega_lite_chart(spec, theme=None, alt=alt, key=key, width="stretch", on_select="rerun", **place)
    picked = (event or {}).get("selection", {}).get("cell") or []
    return picked[0] if picked else None


def _spec(colours: Palette, title: str, subtitle: str, height: int, layer: list[dict], **more: object) -> dict:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {"text": title, "subtitle": subtitle} if subtitle else title,
        "height": height,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": chart_config(colours),
        "layer": layer,
        **more,
    }


def _number(value: object, scale: float = 1.0) -> float | None:
    return None if fmt.is_missing(value) else float(value) * scale


# ---- trend -----------------------------------------------------------------------------------------------------


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
    points = [_point(row, metric, grain, currency, scale, provisional) for row in known.to_dict("records")]
    steps = [
        {
            "x": a["at"],
            "x2": b["at"],
            "y": a["value"],
            "y2": b["value"],
            "open": b["open"],
            "old": _before(b["at"], since),
        }
        for a, b in zip(points, points[1:], strict=False)
    ]
    axis = {"format": fmt.D3_FORMAT[metric.unit], "title": None, "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 6}}
    x_axis = {"format": "%b %Y" if grain == "month" else "%-d %b", "title": None, "grid": False, "labelOverlap": True}
    x = {"field": "at", "type": "temporal", "axis": {**x_axis, "values": [p["at"] for p in points]}}
    tip = [
        {"field": f, "title": t}
        for f, t in (("when", grain.capitalize()), ("said", metric.label), ("n", "n"), ("note", "Note"))
    ]
    layer: list[dict] = [
        {
            "data": {"values": points},
            "mark": {"type": "area", "opacity": 0.16, "color": colours.accent, "interpolate": "linear"},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
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
                "color": {"condition": {"test": "datum.open", "value": colours.paper}, "value": colours.ink},
                "stroke": {"value": colours.ink},
            },
        },
        *_end_label(points, x, y, colours),
        *_target_rule(rows, metric, currency, scale, colours, x, y),
        *_flags(changes, known, colours, x),
    ]
    title = f"{metric.label} by {grain}"
    subtitle = f"{fmt.axis_title(metric, currency)}; band: 95 % interval"
    if any(p["open"] for p in points):
        subtitle += "; dashed and hollow: still provisional"
    return _spec(colours, title, subtitle, TREND_HEIGHT, layer), _trend_alt(known, metric, grain, currency)


def _point(row: dict, metric: Metric, grain: str, currency: str, scale: float, provisional: object) -> dict:
    late = provisional is not None and _last_day(row["at"], grain) >= pd.Timestamp(provisional)
    half = not row["whole"]
    return {
        "at": row["at"].isoformat(),
        "value": _number(row["value"], scale),
        "low": _number(row["low"], scale),
        "high": _number(row["high"], scale),
        "open": bool(late or half),
        "when": fmt.bucket(row["at"], grain),
        "said": words.value_text(row, metric, currency),
        "n": f"{fmt.count(row['n'])} {metric.counts}",
        "note": "incomplete" if half else "provisional" if late else words.status_word(row),
    }


def _before(at: str, since: object) -> bool:
    return since is not None and pd.Timestamp(at) < pd.Timestamp(since)


def _last_day(at: pd.Timestamp, grain: str) -> pd.Timestamp:
    if grain == "month":
        return at + pd.offsets.MonthEnd(0)
    return at + pd.Timedelta(days=6 if grain == "week" else 0)


def _end_label(points: list[dict], x: dict, y: dict, colours: Palette) -> list[dict]:
    if not points:
        return []
    last = {**points[-1], "text": points[-1]["said"].split(" (")[0]}
    mark = {"type": "text", "align": "right", "dy": -12, "dx": 4, "fontWeight": 600, "color": colours.ink}
    return [{"data": {"values": [last]}, "mark": mark, "encoding": {"x": x, "y": y, "text": {"field": "text"}}}]


def _target_rule(rows, metric: Metric, currency: str, scale: float, colours: Palette, x: dict, y: dict) -> list[dict]:
    """The target as a dashed step, labelled at its end; for a band both ends."""
    known = rows[rows["target"].notna() & rows["at"].notna()]
    if known.empty:
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
        text = {"type": "text", "align": "right", "dy": 11, "dx": 4, "color": colours.muted}
        layers.append({"data": {"values": line}, "mark": mark, "encoding": {"x": x, "y": y}})
        layers.append(
            {
                "data": {"values": [{**line[-1], "text": label}]},
                "mark": text,
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            }
        )
    return layers


def _flags(changes: pd.DataFrame | None, known: pd.DataFrame, colours: Palette, x: dict) -> list[dict]:
    """Dated changes as thin flags numbered in order; the summary on hover and in the list below the chart."""
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
    data = {"values": flags}
    return [
        {"data": data, "mark": rule, "encoding": {"x": x, "tooltip": tip}},
        {"data": data, "mark": text, "encoding": {"x": x, "text": {"field": "text"}, "tooltip": tip}},
    ]


def _trend_alt(known: pd.DataFrame, metric: Metric, grain: str, currency: str) -> str:
    if known.empty:
        return f"{metric.label} by {grain}: no {grain} has a number."
    first, last = known.iloc[0], known.iloc[-1]
    return (
        f"Line of {metric.label} by {grain}, from {fmt.value(first['value'], metric, currency)} "
        f"({fmt.bucket(first['at'], grain)}) to {fmt.value(last['value'], metric, currency)} ({fmt.bucket(last['at'], grain)}), "
        f"{words.status_word(last)}."
    )


# ---- interval dots ---------------------------------------------------------------------------------------------


def interval_dots(rows: pd.DataFrame, metric: Metric, colours: Palette, what: str, currency: str) -> tuple[dict, str]:
    """One dot with its interval per group, in the given order, coloured and shaped by status; those without a number last.

    rows: figures.breakdown(). Returns the specification, with a selection "cell" on the group's id, and its alt text.
    """
    scale = fmt.AXIS_SCALE.get(metric.unit, 1.0)
    shown = rows.head(MOST_ROWS)
    values = [
        {
            "member": row["member"],
            "label": str(row["label"]),
            "value": _number(row["value"], scale),
            "low": _number(row["low"], scale),
            "high": _number(row["high"], scale),
            "status": str(row["status"]),
            "target": _number(row["target"], scale),
            "said": words.value_text(row, metric, currency)
            if not fmt.is_missing(row["value"])
            else words.reason(row, metric),
            "n": f"{fmt.count(row['n'])} {metric.counts}",
            "state": words.status_word(row),
        }
        for row in shown.to_dict("records")
    ]
    order = [v["label"] for v in values]
    known = [v for v in values if v["value"] is not None]
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order},
        "axis": {
            "title": None,
            "domain": False,
            "ticks": False,
            "labelColor": colours.ink,
            "labelLimit": 190,
            "labelPadding": 10,
        },
    }
    axis = {
        "format": fmt.D3_FORMAT[metric.unit],
        "title": fmt.axis_title(metric, currency),
        "tickCount": 5,
        "domain": False,
    }
    x = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 12}}
    tip = [
        {"field": f, "title": t}
        for f, t in (("label", what.capitalize()), ("said", metric.label), ("n", "n"), ("state", "Status"))
    ]
    colour = _by_status(colours)
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.45, "strokeCap": "round"},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": colour, "tooltip": tip},
        },
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}],
            "mark": {"type": "point", "filled": True, "size": 95, "opacity": 1, "cursor": "pointer"},
            "encoding": {"y": y, "x": x, "color": colour, "shape": _shape(), "tooltip": tip},
        },
        {
            "transform": [{"filter": "datum.value === null"}],
            "mark": {"type": "text", "align": "left", "color": colours.muted, "fontStyle": "italic"},
            "encoding": {"y": y, "x": {"value": 4}, "text": {"field": "said"}},
        },
    ]
    goals = {v["target"] for v in known if v["target"] is not None}
    if len(goals) == 1:
        goal = [
            {"value": goals.pop(), "text": f"target {fmt.target(shown['target'].dropna().iloc[0], metric, currency)}"}
        ]
        rule = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted}
        text = {"type": "text", "y": 0, "baseline": "bottom", "dy": -4, "color": colours.muted}
        layer.append({"data": {"values": goal}, "mark": rule, "encoding": {"x": x}})
        layer.append({"data": {"values": goal}, "mark": text, "encoding": {"x": x, "text": {"field": "text"}}})
    elif goals:
        tick = {"type": "tick", "thickness": 2, "size": 16, "color": colours.muted, "orient": "vertical"}
        layer.append({"mark": tick, "encoding": {"y": y, "x": {**x, "field": "target"}}})
    title = f"{metric.label} by {what}"
    subtitle = "Dot and 95 % interval; off target first, then those that cannot be told from it"
    if len(rows) > MOST_ROWS:
        subtitle += f"; the first {MOST_ROWS} of {len(rows)}, all in the table"
    alt = f"{title}: {words.standing(rows, what, words.plural(what))}."
    if known:
        alt += f" First: {known[0]['label']}, {known[0]['said']}."
    spec = _spec(colours, title, subtitle, ROW_HEIGHT * len(values), layer, data={"values": values})
    return spec, alt


def _by_status(colours: Palette) -> dict:
    states = [*Status]
    plain = {**colours.states, Status.NO_TARGET: colours.accent}
    scale = {"domain": [str(s) for s in states], "range": [plain[s] for s in states]}
    return {"field": "status", "type": "nominal", "legend": None, "scale": scale}


def _shape() -> dict:
    shapes = {Status.ON_TARGET: "circle", Status.WATCH: "diamond", Status.OFF_TARGET: "triangle-up"}
    scale = {"domain": [str(s) for s in Status], "range": [shapes.get(s, "circle") for s in Status]}
    return {"field": "status", "type": "nominal", "legend": None, "scale": scale}


# ---- heat strip ------------------------------------------------------------------------------------------------


def heat_strip(rows: pd.DataFrame, colours: Palette, what: str, currency: str) -> tuple[dict, str]:
    """Groups x KPIs: the value in each cell, its status as tint and shape; a selection "cell" on both.

    rows: figures.heat(), groups in the order wanted.
    """
    names = list(dict.fromkeys(rows["metric"]))
    order = [find_metric(n).label for n in names]
    members = list(dict.fromkeys(rows["label"]))[:MOST_ROWS]
    cells = [_cell(row, currency) for row in rows[rows["label"].isin(members)].to_dict("records")]
    tip = [
        {"field": f, "title": t}
        for f, t in (("label", what.capitalize()), ("kpi", "KPI"), ("said", "Value"), ("n", "n"), ("state", "Status"))
    ]
    x = {
        "field": "kpi",
        "type": "nominal",
        "sort": order,
        "axis": {
            "orient": "top",
            "title": None,
            "domain": False,
            "ticks": False,
            "labelLimit": 130,
            "labelLineHeight": 14,
            "labelBaseline": "line-bottom",
            "labelPadding": 20 if any(len(label) > 13 for label in order) else 8,
            "labelExpr": _two_lines(order),
        },
        "scale": {"domain": order, "paddingInner": 0.03, "paddingOuter": 0},
    }
    y = {
        "field": "label",
        "type": "nominal",
        "sort": members,
        "axis": {
            "title": None,
            "domain": False,
            "ticks": False,
            "labelColor": colours.ink,
            "labelLimit": 200,
            "labelPadding": 10,
        },
        "scale": {"domain": members, "paddingInner": 0.08, "paddingOuter": 0},
    }
    states = [*Status]
    fill = {
        "field": "status",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": [str(s) for s in states], "range": [_tint(colours, s) for s in states]},
    }
    text = {"field": "text", "type": "nominal"}
    glyph = {
        "condition": [{"test": f"datum.status == '{s}'", "value": colours.states[s]} for s in states[:-1]],
        "value": colours.muted,
    }
    blank = {"test": "datum.status == 'too_few' || datum.status == 'no_target'", "value": colours.muted}
    layer = [
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member", "metric"], "on": "click"}}],
            "mark": {"type": "rect", "cursor": "pointer", "cornerRadius": 3, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": fill, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "right", "dx": 26, "cursor": "pointer"},
            "encoding": {
                "x": x,
                "y": y,
                "text": text,
                "color": {"condition": blank, "value": colours.ink},
                "tooltip": tip,
            },
        },
        {
            "mark": {"type": "text", "align": "left", "dx": -36, "cursor": "pointer", "fontSize": 11},
            "encoding": {"x": x, "y": y, "text": {"field": "shape"}, "color": glyph, "tooltip": tip},
        },
    ]
    title = f"Which {words.plural(what)} meet which targets"
    subtitle = "  ".join(
        f"{SHAPES[s]} {words.STATUS[s]}" for s in (Status.OFF_TARGET, Status.WATCH, Status.ON_TARGET, Status.TOO_FEW)
    )
    spec = _spec(
        colours, title, f"{subtitle}. Click a cell to open it.", CELL_HEIGHT * len(members), layer, data={"values": cells}
    )
    return spec, _heat_alt(rows, what)


def _cell(row: dict, currency: str) -> dict:
    metric, status = find_metric(row["metric"]), words.status_of(row)
    missing = fmt.is_missing(row["value"])
    return {
        "label": str(row["label"]),
        "member": row["member"],
        "metric": metric.name,
        "kpi": metric.label,
        "status": str(status),
        "shape": "" if missing and status is not Status.TOO_FEW else SHAPES[status],
        "text": fmt.NONE if missing else fmt.value(row["value"], metric, currency),
        "said": words.reason(row, metric) if missing else words.value_text(row, metric, currency),
        "n": f"{fmt.count(row['n'])} {metric.counts}",
        "state": words.status_word(row),
    }


def _tint(colours: Palette, status: Status) -> str:
    """The status colour thinned over paper, so that ink on it keeps its contrast."""
    share = TINT.get(status, 0.0)
    if not share:
        return colours.panel
    over, under = (tuple(int(c[k : k + 2], 16) for k in (1, 3, 5)) for c in (colours.states[status], colours.paper))
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in zip(over, under, strict=True))


def _two_lines(labels: Sequence[str]) -> str:
    """A Vega expression that breaks long axis labels in two near the middle."""
    parts = []
    for label in labels:
        gaps = [k for k, c in enumerate(label) if c == " "]
        if len(label) > 13 and gaps:
            cut = min(gaps, key=lambda k, n=len(label): abs(k - n / 2))
            lines = [label[:cut], label[cut + 1 :]]
        else:
            lines = [label]
        parts.append(f"datum.label == {label!r} ? {lines!r}")
    return " : ".join([*parts, "datum.label"])


def _heat_alt(rows: pd.DataFrame, what: str) -> str:
    off = rows[rows["status"] == Status.OFF_TARGET]
    judged = rows[~rows["status"].isin([Status.TOO_FEW, Status.NO_TARGET])]
    text = f"Table of {rows['member'].nunique()} {words.plural(what)} by {rows['metric'].nunique()} KPIs: "
    text += f"{len(off)} of {len(judged)} values are off target"
    if len(off):
        most = off["label"].value_counts()
        text += f", most of them in {most.index[0]} ({most.iloc[0]})"
    return text + "."


# ---- arrival ---------------------------------------------------------------------------------------------------


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
    tip = _tips(days="Days after the work"), ("said", "Come by then", n="On that day")
    mark = {"at": provisional_days, "text": f"provisional until day {provisional_days}"}
    at = {"field": "at", "type": "quantitative"}
    layer = [
        {"mark": {"type": "area", "color": colours.accent, "opacity": 0.16}, "encoding": {"x": x, "y": y}},
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
    return _spec(colours, title, "% of all audits so far", TREND_HEIGHT, layer, data={"values": values}), alt
