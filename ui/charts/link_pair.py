"""One quality beside one benchmark: releases as dots with the line through them; bars at each lag."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from metrics import association
from metrics.association import Association, Line
from metrics.linkage import CALLED, PREWHITENED
from ui import format as fmt
from ui import model_impact_words as say
from ui.charts.base import TITLE_ROOM, spec, tips, wrapped
from ui.theme import CATEGORIES, Palette

SHORT = {PREWHITENED: "rank correlation"}  # what the axis has room for
HEIGHT, LAG_HEIGHT = 320, 190
CLEARED = "Both axes cleared of data volume, base model and trend"
SHAPES = ("circle", "diamond", "triangle-up", "square")


def link_scatter(
    rows: pd.DataFrame, band: Line | None, quality: str, benchmark: str, metric: str, colours: Palette
) -> tuple[dict, str]:
    """Versions by the quality of their labels (x) and their benchmark (y), with intervals of x and base models.

    rows: of metrics.linkage.added_variable; dots stand where volume, base model and trend leave them, which is what the
    correlation and the band are about. Tooltips tell the values as measured.
    """
    known = rows[np.isfinite(rows["x_left"]) & np.isfinite(rows["y_left"])]
    bases = list(dict.fromkeys(known["base"]))
    scale, unit = say.axis(quality)
    values = [
        {
            "x": scale(row.x_left),
            "low": None if fmt.is_missing(row.x_low) else scale(row.x_low - row.x + row.x_left),
            "high": None if fmt.is_missing(row.x_high) else scale(row.x_high - row.x + row.x_left),
            "y": 100 * row.y_left,
            "version": str(row.Index),
            "base": row.base or "not on record",
            "day": fmt.day(row.day.date(), known["day"].max().date()),
            "said": f"{say.quality_value(row.x, quality)} {say.quality_between(row.x_low, row.x_high, quality)}",
            "score": f"{100 * row.y:.1f}{fmt.SPACE}%",
        }
        for row in known.itertuples()
    ]
    line = [] if band is None else _line(band, scale)
    x = {
        "field": "x",
        "type": "quantitative",
        "axis": {
            "title": f"{say.heading(quality)} of the labels it was trained on, {unit}",
            "tickCount": 6,
            "grid": False,
            "domain": False,
        },
        "scale": {"zero": False, "nice": False, "padding": 12},
    }  # fmt: skip
    y = {
        "field": "y",
        "type": "quantitative",
        "axis": {"title": f"{say.metric_label(metric)}, %", "tickCount": 5, "domain": False, "ticks": False},
        "scale": {"zero": False, "nice": True, "padding": 12},
    }
    domain = [v or "not on record" for v in bases]
    colour = {"field": "base", "type": "nominal", "legend": None,
              "scale": {"domain": domain, "range": list(CATEGORIES[: len(domain)])}}  # fmt: skip
    shape = {"field": "base", "type": "nominal", "legend": None,
             "scale": {"domain": domain, "range": [SHAPES[k % len(SHAPES)] for k in range(len(domain))]}}  # fmt: skip
    tip = tips(version="Version", day="Trained", base="Base model", said=say.heading(quality), score="Benchmark")
    layer = [
        {
            "data": {"values": line},
            "mark": {"type": "area", "color": colours.accent, "opacity": 0.14},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": {"values": line},
            "mark": {"type": "line", "color": colours.accent, "strokeWidth": 2},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 1.4, "opacity": 0.28, "color": colours.ink},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "tooltip": tip},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 60, "opacity": 0.95},
            "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "tooltip": tip},
        },
    ]
    title = f"{say.heading(quality)} and {benchmark}, by version"
    marks = ", ".join(f"{'●◆▲■'[k % 4]} {name}" for k, name in enumerate(domain))
    subtitle = (
        f"{marks}. {CLEARED}; tips tell the values as measured. Lines: 95 % interval of the labels' quality. "
        "Band: 95 % band of the line"
    )
    alt = f"{title}: {len(values)} versions."
    if line:
        rise = "rises" if line[-1]["y"] > line[0]["y"] else "falls"
        alt += f" The line {rise} from {line[0]['y']:.1f} % to {line[-1]['y']:.1f} % as the quality grows."
    return spec(colours, wrapped(title, TITLE_ROOM), wrapped(subtitle), HEIGHT, layer, data={"values": values}), alt


def _line(band: Line, scale) -> list[dict]:
    rows = zip(band.at, band.value, band.low, band.high, strict=True)
    return [{"x": scale(at), "y": 100 * v, "low": 100 * low, "high": 100 * high} for at, v, low, high in rows]


def link_lags(lags: Sequence[Association], quality: str, method: str, colours: Palette) -> tuple[dict, str]:
    """The correlation at each lag with what chance alone reaches at one of them; lag 0 in ink."""
    known = [one for one in lags if one.estimate.value is not None]
    values = [
        {
            "lag": say.lag_words(one.lag),
            "value": one.estimate.value,
            "limit": association.chance_limit(one, len(known)),
            "less": -association.chance_limit(one, len(known)),
            "said": f"{say.signed(one.estimate.value)} {say.between(one.estimate)}",
            "own": one.lag == 0,
        }
        for one in known
    ]
    order = [v["lag"] for v in values]
    axis = {"title": "labels of", "domain": False, "ticks": False}
    x = {"field": "lag", "type": "nominal", "sort": order, "axis": axis, "scale": {"paddingInner": 0.35}}
    axis = {"title": SHORT.get(method, CALLED[method]), "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "value", "type": "quantitative", "scale": {"domain": [-1, 1]}, "axis": axis}
    tip = tips(lag="Labels of", said=say.sentence_case(CALLED[method]))
    paint = {"condition": {"test": "datum.own", "value": colours.accent}, "value": colours.faint}
    layer = [
        {
            "mark": {"type": "bar", "color": colours.line, "opacity": 0.55, "width": {"band": 1}},
            "encoding": {"x": x, "y": {**y, "field": "less"}, "y2": {"field": "limit"}},
        },
        {
            "mark": {"type": "bar", "cornerRadiusEnd": 2},
            "encoding": {"x": x, "y": y, "color": paint, "tooltip": tip},
        },
    ]
    title = "Do labels of the version before go with it too?"
    subtitle = "Grey: what chance alone reaches at one bar in 5 of 100 cases"
    alt = f"{title} {'; '.join(v['lag'] + ': ' + v['said'] for v in values)}." if values else title
    return spec(colours, wrapped(title, TITLE_ROOM), wrapped(subtitle), LAG_HEIGHT, layer, data={"values": values}), alt
