"""Agreement coefficients side by side for each group, beside what they rest on."""

from __future__ import annotations

import math

import pandas as pd

from metrics.spec import Status
from ui import agreement_words, words
from ui import format as fmt
from ui.charts import panels
from ui.charts.base import MOST_ROWS, by_status, shape_by_status, spec, tips
from ui.theme import SHAPES, Palette

ROW = 34  # two lanes: alpha, and in grey what is read beside it
LANE = 6


def coefficients(rows: pd.DataFrame, colours: Palette, what: str) -> tuple[dict, str]:
    """For each group alpha with its interval, AC and percent agreement; commonest label; share of items rated twice.

    rows: agreement.coefficients(), in the order to show. A selection "cell" names the group.
    """
    shown = rows.head(MOST_ROWS)
    # Dots need no zero: the scale starts below the lowest interval, and says so at its ticks.
    names = ("alpha_low", "alpha", "ac", "percent")
    low = math.floor(min([0.8, *(v for name in names for v in shown[name].dropna())]) * 5) / 5
    main = panels.Panel(low, 1.0, low, 1.0)
    width = 1.0 - low
    common = panels.Panel(1 + 0.11 * width, 1 + 0.36 * width)
    twice = panels.Panel(1 + 0.42 * width, 1 + 0.62 * width)
    three = (main, common, twice)
    ticks = [k / 5 for k in range(round(low * 5), 6)]
    x = panels.axis(three, ticks)
    values = [_row(row, three) for row in shown.to_dict("records")]
    y = panels.rows([v["label"] for v in values], colours, 230)
    height = ROW * len(values)
    tip = tips(
        label=what.capitalize(),
        alpha="Alpha",
        ac="AC1 or AC2",
        kappa="Fleiss' kappa",
        percent="Percent agreement",
        common="Commonest label",
        twice="Rated twice or more",
        state="Status",
    )
    colour = by_status(colours)

    interval = {
        "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.5, "strokeCap": "round", "yOffset": -LANE},
        "encoding": {
            "y": y,
            "x": {**x, "field": "alpha_from"},
            "x2": {"field": "alpha_to"},
            "color": colour,
            "tooltip": tip,
        },
    }

    def dot(field: str, lane: int, **mark: object) -> dict:
        return {
            "mark": {"type": "point", "opacity": 1, "cursor": "pointer", "yOffset": lane, **mark},
            "encoding": {"y": y, "x": {**x, "field": field}, "tooltip": tip},
        }

    alpha = dot("alpha_x", -LANE, filled=True, size=95)
    alpha["encoding"] |= {"color": colour, "shape": shape_by_status()}
    alpha["params"] = [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}]
    layer = [
        panels.separators(ROW, x, y, colours),
        *panels.headings(three, ("", "Commonest label", "Rated twice or more"), x, colours),
        _bar("common", colours, x, y, tip),
        _bar("twice", colours, x, y, tip),
        interval,
        _tick(x, y, colours),
        # What is read beside alpha stands below it in grey, its intervals in the tooltip and the table.
        dot("percent_x", LANE, shape="stroke", angle=90, size=50, strokeWidth=1.6, color=colours.faint),
        dot("ac_x", LANE, shape="square", size=30, strokeWidth=1.3, color=colours.faint, fill=colours.paper),
        alpha,
        _words("common", colours, x, y, tip),
        _words("twice", colours, x, y, tip),
        {
            "transform": [{"filter": "datum.alpha_x === null"}],
            "mark": {"type": "text", "align": "left", "color": colours.muted, "fontStyle": "italic", "yOffset": -LANE},
            "encoding": {"y": y, "x": {"value": 4}, "text": {"field": "reason"}},
        },
    ]
    several = "" if rows["ac"].notna().any() else " (within one project only)"
    title = f"How well raters agree, by {what}"
    shapes = " ".join(SHAPES[status] for status in (Status.ON_TARGET, Status.WATCH, Status.OFF_TARGET))
    subtitle = [
        f"{shapes} alpha by status, its target the line beside it · □ Gwet's AC1 or AC2{several} · ┃ percent agreement",
        "0 is chance, 1 perfect; percent agreement knows no chance; line: alpha's 95 % interval. Click a dot to open.",
    ]
    if len(rows) > MOST_ROWS:
        subtitle[1] += f" The first {MOST_ROWS} of {len(rows)}, all in the table."
    chart = spec(colours, title, subtitle, height, layer, data={"values": values})
    return chart, _alt(rows, what, title)


def _row(row: dict, three: tuple[panels.Panel, ...]) -> dict:
    main, common, twice = three
    place = {"start": main.start, "end": twice.end, "reason": str(row["alpha_reason"]).capitalize()}
    place |= {f"{name}_x": main.at(row[name]) for name in ("alpha", "ac", "percent")}
    place |= {"alpha_from": main.at(row["alpha_low"]), "alpha_to": main.at(row["alpha_high"])}
    unknown = fmt.is_missing(row["commonest_share"])
    label = "one per project" if unknown else str(row["commonest"]).replace("|", " + ") or "none"
    said = "" if unknown else f"{agreement_words.share(row['commonest_share'])} "
    items = "" if fmt.is_missing(row["overlap"]) else f"{agreement_words.share(row['overlap'])}"
    return place | {
        "label": str(row["label"]),
        "member": row["member"],
        "status": str(row["status"]),
        "target_x": main.at(row["target"]),
        "common_from": common.start,
        "common_x": common.at(row["commonest_share"]) or common.start,
        "common": f"{said}{label}",
        "twice_from": twice.start,
        "twice_x": twice.at(row["overlap"]) or twice.start,
        "twice": f"{items} of {fmt.count(row['items'])}",
        "alpha": _said(row, "alpha"),
        "ac": _said(row, "ac"),
        "kappa": _said(row, "kappa"),
        "percent": _said(row, "percent"),
        "state": words.STATUS[Status(row["status"])],
    }


def _said(row: dict, name: str) -> str:
    if fmt.is_missing(row[name]):
        return str(row[f"{name}_reason"])
    metric = agreement_words.PERCENT if name == "percent" else agreement_words.ALPHA
    between = fmt.interval(row[f"{name}_low"], row[f"{name}_high"], metric, row[name])
    return f"{fmt.value(row[name], metric)} {between}".strip()


def _bar(name: str, colours: Palette, x: dict, y: dict, tip: list) -> dict:
    """A bar in a panel of its own, from 0."""
    return {
        "mark": {"type": "bar", "height": 20, "color": colours.faint, "opacity": 0.28},
        "encoding": {"y": y, "x": {**x, "field": f"{name}_from"}, "x2": {"field": f"{name}_x"}, "tooltip": tip},
    }


def _words(name: str, colours: Palette, x: dict, y: dict, tip: list) -> dict:
    mark = {"type": "text", "align": "left", "dx": 5, "color": colours.ink, "limit": 190}
    return {
        "mark": mark,
        "encoding": {"y": y, "x": {**x, "field": f"{name}_from"}, "text": {"field": name}, "tooltip": tip},
    }


def _tick(x: dict, y: dict, colours: Palette) -> dict:
    """Alpha's target of the row."""
    mark = {"type": "tick", "thickness": 2, "size": 16, "color": colours.muted, "orient": "vertical", "yOffset": -LANE}
    return {"mark": mark, "encoding": {"y": y, "x": {**x, "field": "target_x"}}}


def _alt(rows: pd.DataFrame, what: str, title: str) -> str:
    known = rows[rows["alpha"].notna()]
    text = f"{title}: {words.standing(rows, what, words.plural(what))}."
    if known.empty:
        return text + " No group has a number."
    low, high = known.loc[known["alpha"].idxmin()], known.loc[known["alpha"].idxmax()]
    number = agreement_words.coefficient
    return (
        f"{text} Alpha runs from {number(low['alpha'])} ({low['label']}) to {number(high['alpha'])} ({high['label']})."
    )
