"""Cost against quality: pools of one project with both intervals, and the line of those best for their price."""

from __future__ import annotations

import pandas as pd

from metrics import frontier as fr
from metrics.catalogue import METRICS
from ui import cost_quality_words as say
from ui import format as fmt
from ui.charts.base import number, spec, tips
from ui.theme import Palette

HEIGHT = 340
COST = METRICS["cost_per_label"]


def frontier(rows: pd.DataFrame, name: str, colours: Palette, currency: str) -> tuple[dict, str]:
    """Pools by cost a label (x) and accuracy (y); a selection "cell" on the pool's id.

    rows: cost_quality.Frontiers.of(). A step line joins the pools of a language that no other of it beats by the values
    alone.
    """
    known = rows[rows["quality"].notna() & rows["cost"].notna()]
    values = [
        {
            "member": row["pool"],
            "label": str(row["label"]),
            "language": str(row["language"]),
            "name": f"{row['label']} · {row['language']}",
            "cost": number(row["cost"]),
            "cost_low": number(row["cost_low"]),
            "cost_high": number(row["cost_high"]),
            "quality": number(row["quality"], 100),
            "low": number(row["quality_low"], 100),
            "high": number(row["quality_high"], 100),
            "verdict": row["verdict"] or "",
            "state": say.VERDICT.get(row["verdict"], row["reason"]),
            "costs": say.cost_text(row, currency),
            "right": say.quality_text(row),
            "beaten": f"{row['beaten_by']}, {say.probability(row['p_dominated_by'])}" if row["beaten_by"] else "none",
            "n": f"{fmt.count(row['labels'])} labels, {fmt.count(row['gold'])} with a known answer",
        }
        for row in known.to_dict("records")
    ]
    line = [v for v, best in zip(values, known["efficient"], strict=True) if best]
    line = [{k: v[k] for k in ("cost", "quality", "language")} for v in sorted(line, key=lambda v: v["cost"])]
    axis = {"format": fmt.D3_FORMAT[COST.unit], "title": f"cost a label, {currency}", "tickCount": 6, "domain": False}
    x = {"field": "cost", "type": "quantitative", "axis": axis, "scale": {"zero": False, "nice": True, "padding": 30}}
    axis = {"title": "% right", "tickCount": 5, "domain": False, "ticks": False}
    y = {
        "field": "quality",
        "type": "quantitative",
        "axis": axis,
        "scale": {"zero": False, "nice": True, "padding": 14},
    }
    tip = tips(
        label="Pool",
        language="Language",
        costs="Cost a label",
        right="Right",
        state="Standing",
        beaten="Beaten by",
        n="n",
    )
    domain = [fr.ON_FRONTIER, fr.CANNOT_TELL, fr.DOMINATED]
    colour = {
        "field": "verdict",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": [*domain, ""], "range": [colours.good, colours.muted, colours.bad, colours.faint]},
    }
    shape = {
        "field": "verdict",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": [*domain, ""], "range": ["circle", "diamond", "triangle-up", "circle"]},
    }
    thin = {"type": "rule", "strokeWidth": 1.8, "opacity": 0.35, "strokeCap": "round"}
    layer = [
        {
            "data": {"values": line},
            "mark": {"type": "line", "interpolate": "step-after", "color": colours.faint, "strokeWidth": 1.4},
            "encoding": {"x": x, "y": y, "detail": {"field": "language"}},
        },
        {
            "mark": thin,
            "encoding": {"y": y, "x": {**x, "field": "cost_low"}, "x2": {"field": "cost_high"}, "color": colour},
        },
        {"mark": thin, "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}},
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}],
            "mark": {"type": "point", "filled": True, "size": 120, "opacity": 1, "cursor": "pointer"},
            "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 9, "dy": -9, "color": colours.ink},
            "encoding": {"x": x, "y": y, "text": {"field": "name"}},
        },
    ]
    title = f"Cost against accuracy by pool: {name}"
    # In lines of its own, each short enough for a phone.
    subtitle = ["Compared inside a language; up and left is better", *say.MARKS, "Thin lines: 95 % intervals"]
    counts = known["verdict"].value_counts()
    said = ", ".join(f"{int(counts[v])} {v}" for v in domain if v in counts)
    alt = f"{title}: {len(values)} pools, {said or 'none judged'}."
    return spec(colours, title, subtitle, HEIGHT, layer, data={"values": values}), alt
