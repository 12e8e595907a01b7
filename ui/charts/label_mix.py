"""How the mix of labels moved: from before to now for one project, and how far it moved in each of several."""

from __future__ import annotations

import pandas as pd

from ui import agreement_more_words, agreement_words, words
from ui import format as fmt
from ui.charts import panels
from ui.charts.base import ROW_HEIGHT, spec, tips
from ui.theme import Palette

ROW = 30


def label_mix(rows: pd.DataFrame, colours: Palette, most: int, against: str) -> tuple[dict, str]:
    """Each label's share before and now as a dumbbell, with its change and interval in words; largest change first.

    rows: agreement_more.Shifts.labels.
    """
    shown = rows.head(most)
    top = max([0.05, *shown["before"], *shown["after"]])
    main, said = panels.Panel(0.0, 1.0, 0.0, min(1.0, top * 1.08)), panels.Panel(1.06, 1.5)
    step = 0.2 if top > 0.5 else 0.1 if top > 0.2 else 0.05
    ticks = [k * step for k in range(int(main.high / step) + 1)]
    values = []
    for row in shown.to_dict("records"):
        clear = row["low"] > 0 or row["high"] < 0
        values.append(
            {
                "label": str(row["label"]),
                "start": 0.0,
                "before_x": main.at(row["before"]),
                "after_x": main.at(row["after"]),
                "said_x": said.start,
                "before": agreement_words.share(row["before"]),
                "after": agreement_words.share(row["after"]),
                "said": agreement_more_words.points_with_interval(row["change"], row["low"], row["high"]),
                "moved": bool(row["moved"]),
                "clear": bool(clear),
            }
        )
    x = panels.axis((main, said), ticks)
    x["axis"] |= {"values": [], "labels": False}
    y = panels.rows([v["label"] for v in values], colours, 220)
    height = ROW * len(values)
    tip = tips(label="Label", before="Before", after="Now", said="Change")
    paint = {"condition": {"test": "datum.clear", "value": colours.accent}, "value": colours.faint}
    percent = [{"x": main.at(t), "text": f"{100 * t:.0f}"} for t in ticks]
    foot = {"type": "text", "y": height, "baseline": "top", "dy": 8, "color": colours.muted}
    grid = {"type": "rule", "strokeWidth": 1, "color": colours.line, "opacity": 0.6}
    layer = [
        {"data": {"values": percent}, "mark": grid, "encoding": {"x": x}},
        {"data": {"values": percent}, "mark": foot, "encoding": {"x": x, "text": {"field": "text"}}},
        {
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.55},
            "encoding": {"y": y, "x": {**x, "field": "before_x"}, "x2": {"field": "after_x"}, "color": paint},
        },
        {
            "mark": {"type": "point", "size": 60, "strokeWidth": 1.6, "fill": colours.paper, "opacity": 1},
            "encoding": {"y": y, "x": {**x, "field": "before_x"}, "color": paint, "tooltip": tip},
        },
        {
            "mark": {"type": "point", "size": 80, "filled": True, "opacity": 1},
            "encoding": {"y": y, "x": {**x, "field": "after_x"}, "color": paint, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "left", "color": colours.ink},
            "encoding": {"y": y, "x": {**x, "field": "said_x"}, "text": {"field": "said"}, "tooltip": tip},
        },
        *panels.headings((main, said), ("", "Change, points"), x, colours),
    ]
    title = "How the mix of labels moved"
    subtitle = f"% of ratings: ○ {against}, ● now; change with its 95 % interval, blue where it leaves 0"
    if len(rows) > most:
        subtitle += f"; the {most} that moved most of {len(rows)}"
    moved = [v for v in values if v["clear"]]
    alt = f"{title}: {len(moved)} of {len(rows)} labels moved clear of 0."
    if moved:
        alt += f" {moved[0]['label']} went from {moved[0]['before']} to {moved[0]['after']}."
    return spec(colours, title, subtitle, height, layer, data={"values": values}), alt


def mix_shifts(rows: pd.DataFrame, colours: Palette) -> tuple[dict, str]:
    """How far the mix of labels moved in each project, with its interval and what chance alone gives.

    rows: agreement_more.Shifts.projects. A selection "cell" names the project.
    """
    values = [
        {
            "label": str(row["label"]),
            "member": row["project"],
            "value": 100 * row["value"],
            "low": 100 * row["low"],
            "high": 100 * row["high"],
            "chance": 100 * row["chance"],
            "moved": bool(row["moved"]),
            "said": f"{agreement_words.share(row['value'])} "
            f"{fmt.interval(row['low'], row['high'], agreement_words.PERCENT, row['value'])}",
            "most": f"{row['largest']}: "
            f"{agreement_more_words.points_with_interval(row['change'], row['change_low'], row['change_high'])}",
            "test": f"{'moved' if row['moved'] else 'no clear move'}, q {agreement_words.probability(row['q'])}",
        }
        for row in rows.to_dict("records")
    ]
    y = panels.rows([v["label"] for v in values], colours)
    axis = {"format": ".3~r", "title": "% of labels that would have to change", "tickCount": 5, "domain": False}
    x = {"field": "value", "type": "quantitative", "axis": axis, "scale": {"domainMin": 0, "nice": True}}
    tip = tips(label="Project", said="Share of labels that changed", most="Moved most", test="Against week to week")
    paint = {"condition": {"test": "datum.moved", "value": colours.accent}, "value": colours.muted}
    layer = [
        {
            "mark": {"type": "rule", "strokeWidth": 2.5, "opacity": 0.45, "strokeCap": "round"},
            "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}, "color": paint, "tooltip": tip},
        },
        {
            "mark": {"type": "tick", "thickness": 2, "size": 14, "color": colours.muted, "orient": "vertical"},
            "encoding": {"y": y, "x": {**x, "field": "chance"}},
        },
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}],
            "mark": {"type": "point", "filled": True, "size": 95, "opacity": 1, "cursor": "pointer"},
            "encoding": {"y": y, "x": x, "color": paint, "tooltip": tip},
        },
    ]
    title = "How far the mix of labels moved against the period before, by project"
    subtitle = "Dot with its 95 % interval; blue: more than it moves from week to week; tick: what chance gives at most"
    moved = rows[rows["moved"]]
    alt = f"{title}: it moved in {len(moved)} of {len(rows)} projects"
    alt += f", {words.listed([str(label) for label in moved['label'].head(3)])}." if len(moved) else "."
    return spec(colours, title, subtitle, ROW_HEIGHT * len(values), layer, data={"values": values}), alt
