"""How hire cohorts come up to speed: throughput and accuracy by weeks since hire."""

from __future__ import annotations

import pandas as pd

from ui import format as fmt
from ui.charts.base import number, spec, tips
from ui.theme import Palette

HEIGHT = 240
PACE, ACCURACY = "of_tenured", "accuracy"
SHOWN = {
    PACE: ("of_tenured", "of_low", "of_high", "of_fitted"),
    ACCURACY: ("accuracy", "accuracy_low", "accuracy_high", "accuracy_fitted"),
}


def ramp(rows: pd.DataFrame, what: str, goal: float | None, chosen: str, colours: Palette) -> tuple[dict, str]:
    """Learning curves of cohorts: the chosen one in ink with intervals, the others light grey.

    rows: cohort, called, week, raters and the columns of SHOWN[what], shares; goal: the rule to reach, a share.
    """
    columns = SHOWN[what]
    values = [
        {
            "week": int(row["week"]),
            **{k: number(row[c], 100.0) for k, c in zip(("value", "low", "high", "fitted"), columns, strict=True)},
            "called": row["called"],
            "mine": row["cohort"] == chosen,
            "said": _said(row, columns),
            "n": f"{fmt.count(row['raters'])} people",
        }
        for row in rows.to_dict("records")
    ]
    unit = "% of tenured throughput" if what == PACE else "% right on gold"
    x = {
        "field": "week",
        "type": "quantitative",
        "axis": {"title": "weeks since hired", "grid": False, "tickMinStep": 1, "format": "d", "domain": False},
        "scale": {"nice": False, "zero": False, "padding": 14},
    }
    y = {
        "field": "value",
        "type": "quantitative",
        "axis": {"title": unit, "tickCount": 5, "domain": False, "ticks": False},
        "scale": {"zero": False, "nice": True, "padding": 6},
    }
    mine, others = [{"filter": "datum.mine"}], [{"filter": "!datum.mine"}]
    tip = tips(called="Hired", week="Week", said=unit[2:].capitalize(), n="At work")
    layer: list[dict] = [
        {
            "transform": [*others, {"filter": "datum.fitted !== null"}],
            "mark": {"type": "line", "strokeWidth": 1.4, "color": colours.faint, "opacity": 0.55},
            "encoding": {"x": x, "y": {**y, "field": "fitted"}, "detail": {"field": "called"}},
        },
        {
            "transform": mine,
            "mark": {"type": "rule", "strokeWidth": 2.2, "opacity": 0.3, "color": colours.ink},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "transform": [*mine, {"filter": "datum.fitted !== null"}],
            "mark": {"type": "line", "strokeWidth": 2.2, "color": colours.accent},
            "encoding": {"x": x, "y": {**y, "field": "fitted"}},
        },
        {
            "transform": mine,
            "mark": {"type": "point", "filled": True, "size": 50, "opacity": 1, "color": colours.ink},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
    ]
    if goal:
        line = [{"value": 100 * goal, "text": f"to reach {fmt.count(round(100 * goal, 1))}{fmt.SPACE}%"}]
        rule = {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted}
        text = {"type": "text", "align": "left", "x": 0, "dx": 3, "dy": -8, "color": colours.muted}
        layer.append({"data": {"values": line}, "mark": rule, "encoding": {"y": y}})
        layer.append({"data": {"values": line}, "mark": text, "encoding": {"y": y, "text": {"field": "text"}}})
    own = [v for v in values if v["mine"] and v["value"] is not None]
    title = "Pace of new raters" if what == PACE else "Accuracy of new raters"
    subtitle = f"Hired {own[0]['called']} in ink, with 95 % intervals; other cohorts grey" if own else "Fitted curves"
    alt = f"{title} by weeks since hired"
    if own:
        first, last = own[0], own[-1]
        alt += f": hired {first['called']}, from {first['said']} in week {first['week']} to {last['said']}"
        alt += f" in week {last['week']}"
    return spec(colours, title, subtitle, HEIGHT, layer, data={"values": values}), alt + "."


def _said(row: dict, columns: tuple[str, ...]) -> str:
    value, low, high = (row[c] for c in columns[:3])
    if fmt.is_missing(value):
        return fmt.NONE
    between = "" if fmt.is_missing(low) else f" ({100 * low:.0f} to {100 * high:.0f})"
    return f"{100 * value:.0f}{fmt.SPACE}%{between}"
