"""What the money of each group was spent on, as stacked bars."""

from __future__ import annotations

import pandas as pd

from ui import cost_names
from ui import format as fmt
from ui.charts.base import MOST_ROWS, spec
from ui.charts.stacked import stacked
from ui.theme import CATEGORIES as HUES
from ui.theme import Palette


def cost_kinds(
    rows: pd.DataFrame, kinds: tuple[str, ...], colours: Palette, what: str, currency: str
) -> tuple[dict, str]:
    """A stacked bar of money per group, dearest first; a selection "cell" on the group.

    rows, kinds: of cost_kinds.Kinds. What is below 0, a correction, stands left of 0.
    """
    shown = rows.head(MOST_ROWS)
    order = shown["label"].tolist()
    values = [
        {
            "label": str(row["label"]),
            "member": row["member"],
            "kind": kind,
            "rank": rank,
            "amount": row[kind],
            "said": f"{fmt.money(row[kind], currency)}, {cost_names.percent(row[kind] / row['cost'])} of its cost"
            if row["cost"] > 0
            else fmt.money(row[kind], currency),
        }
        for row in shown.to_dict("records")
        for rank, kind in enumerate(kinds)
        if row[kind]
    ]
    axis = {"title": f"spent, {currency}", "tickCount": 5, "domain": False, "format": "~s"}
    hues = {kind: HUES[k % len(HUES)] for k, kind in enumerate(kinds)}
    layer, height = stacked(order, "kind", hues, ("amount", axis), colours, what, {"columns": 3})
    title = f"Cost by {what} and kind"
    more = f"; the first {MOST_ROWS} of {len(rows)}, all in the table" if len(rows) > MOST_ROWS else ""
    alt = f"{title}: {len(order)} bars, dearest {order[0]}." if order else f"{title}: no costs."
    subtitle = f"As booked, dearest first{more}"
    return spec(colours, title, subtitle, height, layer, data={"values": values}), alt
