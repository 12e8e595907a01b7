"""What quality costs: prevention, appraisal, internal and external failure as shares of what was spent."""

from __future__ import annotations

import pandas as pd

from metrics.unit_cost import APPRAISAL, CATEGORIES, EXTERNAL, INTERNAL, PREVENTION
from ui import cost_words
from ui import format as fmt
from ui.charts.base import MOST_ROWS, spec
from ui.theme import CATEGORIES as HUES
from ui.theme import Palette

ROW = 26
HUE = {PREVENTION: HUES[2], APPRAISAL: HUES[0], INTERNAL: HUES[1], EXTERNAL: HUES[5]}


def poor_quality(rows: pd.DataFrame, colours: Palette, what: str, currency: str) -> tuple[dict, str]:
    """A stacked bar per group, most failure first, in % of the group's cost; a selection "cell" on the group.

    rows: cost_poor_quality.PoorQuality.rows. External failure is drawn lighter: it is an assumption, not spend.
    """
    failure = rows[rows["category"].isin((INTERNAL, EXTERNAL))].groupby("member")["share"].sum(min_count=1)
    labels = rows.drop_duplicates("member").set_index("member")["label"]
    order = [str(labels[m]) for m in failure.fillna(-1).sort_values(ascending=False, kind="stable").index][:MOST_ROWS]
    known = rows[rows["share"].notna() & rows["label"].isin(order)]
    values = [
        {
            "label": str(row["label"]),
            "member": row["member"],
            "category": row["category"],
            "rank": CATEGORIES.index(row["category"]),
            "share": 100 * row["share"],
            "said": f"{fmt.money(row['amount'], currency)}, {cost_words.percent(row['share'])} of its cost",
        }
        for row in known.to_dict("records")
    ]
    axis = {"title": "% of the cost of the work", "tickCount": 6, "domain": False, "format": ",.3~r"}
    y = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order, "paddingInner": 0.32},
        "axis": {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelLimit": 200},
    }
    hue = {
        "field": "category",
        "type": "nominal",
        "scale": {"domain": list(CATEGORIES), "range": [HUE[c] for c in CATEGORIES]},
        "legend": {"title": None, "orient": "top", "labelColor": colours.ink, "symbolType": "square"},
    }
    tip = [
        {"field": "label", "title": what.capitalize()},
        {"field": "category", "title": "Kind"},
        {"field": "said", "title": "Cost"},
    ]
    layer = [
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}],
            "mark": {"type": "bar", "cursor": "pointer"},
            "encoding": {
                "y": y,
                "x": {"field": "share", "type": "quantitative", "stack": "zero", "axis": axis},
                "color": hue,
                "order": {"field": "rank", "type": "quantitative"},
                "opacity": {"condition": {"test": f"datum.category === '{EXTERNAL}'", "value": 0.45}, "value": 0.95},
                "tooltip": tip,
            },
        }
    ]
    title = f"Cost of quality by {what}"
    subtitle = "Most failure first. External failure (pale) rests on the supposed cost of an escaped error"
    alt = f"{title}: {len(order)} bars; most failure at {order[0]}." if order else f"{title}: no number."
    return spec(colours, title, subtitle, ROW * max(len(order), 1), layer, data={"values": values}), alt
