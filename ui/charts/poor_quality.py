"""What quality costs: prevention, appraisal, internal and external failure as shares of what was spent."""

from __future__ import annotations

import pandas as pd

from metrics.unit_cost import APPRAISAL, CATEGORIES, EXTERNAL, INTERNAL, PREVENTION
from ui import cost_names
from ui import format as fmt
from ui.charts.base import MOST_ROWS, spec
from ui.charts.stacked import stacked
from ui.theme import CATEGORIES as HUES
from ui.theme import Palette

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
            "said": f"{fmt.money(row['amount'], currency)}, {cost_names.percent(row['share'])} of its cost",
        }
        for row in known.to_dict("records")
    ]
    axis = {"title": "% of the cost of the work", "tickCount": 6, "domain": False, "format": ",.3~r"}
    hues = {category: HUE[category] for category in CATEGORIES}
    pale = {"condition": {"test": f"datum.category === '{EXTERNAL}'", "value": 0.45}, "value": 0.95}
    layer, height = stacked(order, "category", hues, ("share", axis), colours, what, opacity=pale)
    title = f"Cost of quality by {what}"
    subtitle = "Most failure first. External failure (pale) rests on the supposed cost of an escaped error"
    alt = f"{title}: {len(order)} bars; most failure at {order[0]}." if order else f"{title}: no number."
    return spec(colours, title, subtitle, height, layer, data={"values": values}), alt
