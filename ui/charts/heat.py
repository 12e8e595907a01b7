"""Groups x KPIs: the value in each cell, its status as tint and shape."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from metrics.catalogue import metric as find_metric
from metrics.spec import Status
from ui import format as fmt
from ui import words
from ui.charts.base import CELL_HEIGHT, MOST_ROWS, spec, tips
from ui.theme import SHAPES, TINT, Palette


def heat_strip(rows: pd.DataFrame, colours: Palette, what: str, currency: str) -> tuple[dict, str]:
    """Groups x KPIs: the value in each cell, its status as tint and shape; a selection "cell" on both.

    rows: figures.heat(), groups in the order wanted.
    """
    names = list(dict.fromkeys(rows["metric"]))
    order = [find_metric(n).label for n in names]
    members = list(dict.fromkeys(rows["label"]))[:MOST_ROWS]
    cells = [_cell(row, currency) for row in rows[rows["label"].isin(members)].to_dict("records")]
    tip = tips(label=what.capitalize(), kpi="KPI", said="Value", n="n", state="Status")
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
    shown = (Status.OFF_TARGET, Status.WATCH, Status.ON_TARGET, Status.TOO_FEW)
    subtitle = "   ".join(f"{SHAPES[s]} {words.STATUS[s]}" for s in shown)
    chart = spec(
        colours,
        title,
        f"{subtitle}. Click a cell to open it.",
        CELL_HEIGHT * len(members),
        layer,
        data={"values": cells},
    )
    return chart, _heat_alt(rows, what)


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
            cut = _middle(gaps, len(label) / 2)
            lines = [label[:cut], label[cut + 1 :]]
        else:
            lines = [label]
        parts.append(f"datum.label == {label!r} ? {lines!r}")
    return " : ".join([*parts, "datum.label"])


def _middle(places: list[int], middle: float) -> int:
    return min(places, key=lambda place: abs(place - middle))


def _heat_alt(rows: pd.DataFrame, what: str) -> str:
    off = rows[rows["status"] == Status.OFF_TARGET]
    judged = rows[~rows["status"].isin([Status.TOO_FEW, Status.NO_TARGET])]
    text = f"Table of {rows['member'].nunique()} {words.plural(what)} by {rows['metric'].nunique()} KPIs: "
    text += f"{len(off)} of {len(judged)} values are off target"
    if len(off):
        most = off["label"].value_counts()
        text += f", most of them in {most.index[0]} ({most.iloc[0]})"
    return text + "."
