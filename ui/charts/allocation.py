"""Where the next audits go: a bar a stratum beside what its size alone would give, and how sure its error rate is."""

from __future__ import annotations

import pandas as pd

from metrics.catalogue import metric as find_metric
from ui import format as fmt
from ui import words
from ui.charts.base import ROW_HEIGHT, number, spec, tips
from ui.theme import Palette

MOST_STRATA = 18  # shown in the chart; the table holds all
LEFT = [0, {"expr": "width * 0.54"}]  # the panel of numbers of audits
RIGHT = [{"expr": "width * 0.62"}, {"expr": "width"}]  # the panel of error rates


def allocation(rows: pd.DataFrame, overall: float, what: str, each: str, colours: Palette) -> tuple[dict, str]:
    """Bars of audits per stratum with a tick at its share by size; beside them error rates with their intervals.

    rows: ui.audit_planner.Plan.rows, most audits first; overall: the error share of all of it; what: what a stratum
    is, such as "project and policy"; each: "audits" or "gold judgements". Two panels side by side share the strata, not
    an axis. Returns the specification, with a selection "cell" on the stratum's place, and its alt text.
    """
    metric = find_metric("audit_accuracy")
    shown = rows.head(MOST_STRATA)
    values = [_value(k, row, each) for k, row in enumerate(shown.to_dict("records"))]
    order = [v["label"] for v in values]
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order, "paddingInner": 0.28},
        "axis": {
            "title": None,
            "domain": False,
            "ticks": False,
            "labelColor": colours.ink,
            "labelLimit": 250,
            "labelPadding": 8,
        },
    }
    audits = {
        "field": "audits",
        "type": "quantitative",
        "scale": {"range": LEFT, "zero": True, "nice": True},
        "axis": {"title": f"next {each}", "orient": "bottom", "offset": 0, "tickCount": 4, "domain": False},
    }
    rate = {
        "field": "rate",
        "type": "quantitative",
        "scale": {"range": RIGHT, "zero": True, "nice": True},
        "axis": {"title": "error rate, %", "orient": "bottom", "offset": 0, "tickCount": 4, "domain": False},
    }
    tip = tips(label=what.capitalize(), said=f"Next {each}", rated="Error rate", seen="So far", why="Why")
    plan = [
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["place"], "on": "click"}}],
            "mark": {"type": "bar", "color": colours.accent, "opacity": 0.85, "cursor": "pointer"},
            "encoding": {"x": audits, "y": y, "tooltip": tip},
        },
        {
            "mark": {"type": "tick", "color": colours.ink, "thickness": 2, "size": 17, "orient": "vertical"},
            "encoding": {"x": {**audits, "field": "even"}, "y": y, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 6, "color": colours.ink},
            "encoding": {"x": {**audits, "field": "edge"}, "y": y, "text": {"field": "audits"}},
        },
    ]
    errors = [
        {
            "mark": {"type": "rule", "strokeWidth": 2.5, "strokeCap": "round", "color": colours.faint, "opacity": 0.7},
            "encoding": {"x": {**rate, "field": "low"}, "x2": {"field": "high"}, "y": y, "tooltip": tip},
        },
        {
            "transform": [{"filter": "datum.rate !== null"}],
            "mark": {"type": "point", "size": 55, "opacity": 1, "filled": True},
            "encoding": {
                "x": rate,
                "y": y,
                "fill": {"condition": {"test": "datum.few", "value": colours.paper}, "value": colours.ink},
                "stroke": {"value": colours.ink},
                "tooltip": tip,
            },
        },
        {
            "transform": [{"filter": "datum.rate === null"}],
            "mark": {"type": "text", "align": "left", "color": colours.muted, "fontStyle": "italic"},
            "encoding": {"x": {"value": {"expr": "width * 0.62"}}, "y": y, "text": {"field": "known"}},
        },
    ]
    if not fmt.is_missing(overall):
        at = {**rate, "field": "at"}
        goal = [{"at": 100 * overall, "text": f"all {fmt.value(overall, metric)}"}]
        rule = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted}
        text = {"type": "text", "y": 0, "baseline": "bottom", "dy": -4, "color": colours.muted}
        errors.append({"data": {"values": goal}, "mark": rule, "encoding": {"x": at}})
        errors.append({"data": {"values": goal}, "mark": text, "encoding": {"x": at, "text": {"field": "text"}}})
    title = f"Where the next {each} go, by {what}"
    subtitle = "Bar: this plan. Tick: by size alone. Right: error rate with its 95 % interval, hollow where few"
    if len(rows) > MOST_STRATA:
        subtitle += f". The first {MOST_STRATA} of {len(rows)}; all in the table"
    chart = spec(
        colours,
        title,
        subtitle,
        ROW_HEIGHT * max(len(values), 3),
        [{"layer": plan}, {"layer": errors}],
        data={"values": values},
        resolve={"scale": {"x": "independent"}},
    )
    return chart, _alt(title, rows, each)


def _value(place: int, row: dict, each: str) -> dict:
    metric = find_metric("audit_accuracy")
    rate = row["error_rate"]
    between = fmt.interval(row["low"], row["high"], metric, rate)
    rated = row["known"] if fmt.is_missing(rate) else f"{fmt.value(rate, metric)} {between}"
    return {
        "place": place,
        "label": row["label"],
        "audits": int(row["audits"]),
        "even": int(row["proportional"]),
        "edge": int(max(row["audits"], row["proportional"])),
        "rate": number(rate, 100),
        "low": number(row["low"], 100),
        "high": number(row["high"], 100),
        "few": bool(row["known"]),
        "known": row["known"],
        "said": f"{row['audits']:,}, by size alone {row['proportional']:,}",
        "rated": rated,
        "seen": f"{fmt.count(row['audited'])} of {fmt.count(row['judgements'])} judgements looked at",
        "why": words.listed([*row["lift"], *row["drag"]]) or "nothing stands out",
    }


def _alt(title: str, rows: pd.DataFrame, each: str) -> str:
    if rows.empty:
        return f"{title}: nothing to plan."
    first = rows.iloc[0]
    return (
        f"{title}: {len(rows)} strata; most, {first['audits']:,} {each}, go to {first['label']}, "
        f"where size alone would give {first['proportional']:,}."
    )
