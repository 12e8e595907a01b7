"""Groups of raters: agreement inside the group, with the others, and the one over the other."""

from __future__ import annotations

import math

import pandas as pd

from ui import agreement_group_words, agreement_words, words
from ui import format as fmt
from ui.charts import panels
from ui.charts.base import MOST_ROWS, spec, tips
from ui.theme import Palette

ROW = 34
LANE = 7


def group_agreement(rows: pd.DataFrame, colours: Palette, what: str, tested: bool) -> tuple[dict, str]:
    """For each group of raters IRR and XRR with intervals, and their ratio beside; findings of the test in the accent.

    rows: agreement_groups.Grouped.rows, in the order to show.
    """
    shown = rows.head(MOST_ROWS)
    lows = [v for name in ("irr_low", "xrr_low", "irr", "xrr") for v in shown[name].dropna()]
    low = math.floor(min([0.0, *lows]) * 5) / 5
    main, width = panels.Panel(low, 1.0, low, 1.0), 1.0 - low
    highs = [v for name in ("gai", "gai_high") for v in shown[name].dropna()]
    top = min(max(2.0, math.ceil(2 * max([1.0, *highs])) / 2), 5.0)
    ratio = panels.Panel(1 + 0.1 * width, 1 + 0.62 * width, 0.0, top)
    said = panels.Panel(1 + 0.66 * width, 1 + (1.18 if tested else 0.98) * width)
    three = (main, ratio, said)
    x = panels.axis(three, [k / 5 for k in range(round(low * 5), 6)])
    values = [_row(row, main, ratio, said, tested) for row in shown.to_dict("records")]
    y = panels.rows([v["label"] for v in values], colours, 240)
    height = ROW * len(values)
    tip = tips(
        label=what.capitalize(), irr="Inside the group", xrr="With the others", gai="Inside over others", finding="Test"
    )
    found = {"condition": {"test": "datum.found", "value": colours.accent}, "value": colours.ink}

    def line(name: str, lane: int) -> dict:
        mark = {"type": "rule", "strokeWidth": 2, "opacity": 0.45, "strokeCap": "round", "yOffset": lane}
        ends = {"x": {**x, "field": f"{name}_from"}, "x2": {"field": f"{name}_to"}}
        return {"mark": mark, "encoding": {"y": y, **ends, "color": found, "tooltip": tip}}

    def dot(name: str, lane: int, **mark: object) -> dict:
        whole = {"type": "point", "opacity": 1, "size": 75, "yOffset": lane, **mark}
        return {"mark": whole, "encoding": {"y": y, "x": {**x, "field": f"{name}_x"}, "color": found, "tooltip": tip}}

    layer = [
        panels.separators(ROW, x, y, colours),
        *panels.headings(three, ("", "Inside over others (GAI)", "Shuffled raters" if tested else ""), x, colours),
        *panels.foot(ratio, list(range(int(top) + 1)), height, x, colours),
        {
            "data": {"values": [{"x": ratio.at(1.0)}]},
            "mark": {"type": "rule", "strokeDash": [5, 4], "strokeWidth": 1.2, "color": colours.muted},
            "encoding": {"x": x},
        },
        line("irr", -LANE),
        line("xrr", LANE),
        line("gai", 0),
        dot("irr", -LANE, filled=True),
        dot("xrr", LANE, shape="diamond", fill=colours.paper, strokeWidth=1.6),
        dot("gai", 0, filled=True),
        _text("finding", "left", {**x, "field": "said_start"}, y, "true", colours.ink),
    ]
    title = f"Agreement inside and between groups of raters, by {what}"
    subtitle = "● inside the group (IRR) · ◇ with all other raters (XRR) · lines: 95 % intervals over items"
    subtitle += " · blue: differs more than shuffled raters do" if tested else ""
    return spec(colours, title, subtitle, height, layer, data={"values": values}), _alt(rows, what, title, tested)


def _row(row: dict, main: panels.Panel, ratio: panels.Panel, said: panels.Panel, tested: bool) -> dict:
    value = {"start": main.start, "end": said.end, "said_start": said.start}
    for name, panel in (("irr", main), ("xrr", main), ("gai", ratio)):
        value |= {
            f"{name}_x": panel.at(row[name]),
            f"{name}_from": panel.at(row[f"{name}_low"]),
            f"{name}_to": panel.at(row[f"{name}_high"]),
            name: _said(row, name),
        }
    raters = "" if fmt.is_missing(row["raters"]) else f" · {fmt.count(row['raters'])} raters"
    return value | {
        "label": f"{row['label']}{raters}",
        "found": bool(row["finding"]),
        "finding": _note(row, tested),
    }


def _note(row: dict, tested: bool) -> str:
    """What stands at the end of a row: the test's answer, or why there is nothing to compare with."""
    if row["finding"]:
        return agreement_group_words.group_finding(row)
    reason = str(row["irr_reason"] or row["gai_reason"])
    if reason:
        return "shares no item with others" if reason.startswith("no item is rated by the group and") else reason
    return agreement_group_words.group_finding(row) if tested else ""


def _said(row: dict, name: str) -> str:
    if fmt.is_missing(row[name]):
        return str(row[f"{name}_reason"])
    text = agreement_words.with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
    unsure = f"; no interval: {row[f'{name}_interval_reason']}" if row[f"{name}_interval_reason"] else ""
    return f"{text}, {fmt.count(row[f'{name}_n'])} items{unsure}"


def _text(field: str, align: str, x: dict, y: dict, test: str, colour: str) -> dict:
    return {
        "transform": [{"filter": test}],
        "mark": {"type": "text", "align": align, "color": colour, "limit": 320},
        "encoding": {"y": y, "x": x, "text": {"field": field}},
    }


def _alt(rows: pd.DataFrame, what: str, title: str, tested: bool) -> str:
    with_ratio = int(rows["gai"].notna().sum())
    text = f"{title}: {len(rows)} {words.plural(what)}, {with_ratio} of them share items with others."
    found = rows[rows["finding"] != ""]
    if tested and len(found):
        listed = words.listed([f"{r['label']} {r['finding']}" for r in found.head(3).to_dict("records")])
        return f"{text} More than shuffled raters do: {listed}."
    return f"{text} None differs more than shuffled raters do." if tested else text
