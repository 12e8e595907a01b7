"""Labels given against the true ones: counts in the cells, tinted by the share of the row, the diagonal muted."""

from __future__ import annotations

import numpy as np

from metrics import accuracy
from metrics.catalogue import METRICS
from metrics.intervals import wilson
from ui import format as fmt
from ui.charts.base import spec, tips
from ui.theme import Palette

CELL, LONGEST_LABEL = 36, 18
RECALL, PRECISION = "▸ recall", "▾ precision"  # where the margins stand on the axes
MEANING = {"recall": "recall: found, of those that have it", "precision": "precision: right, of those given it"}
ACCURACY = METRICS["gold_accuracy"]  # shares are written as its values are


def confusion(
    counts: np.ndarray, labels: list[str], colours: Palette, project: str, against: str, together: str = ""
) -> tuple[dict, str]:
    """A confusion matrix: a row per true label, a column per label given. Cells say how many and tint by row share.

    Recall stands behind each row and precision under each column; of ``together``, rare
    labels put together, there is neither.
    Returns the specification, with a selection "cell" on truth and label, and its alt text.
    """
    total = counts.sum(1, keepdims=True)
    share = wilson(counts, np.broadcast_to(total, counts.shape))
    cells = []
    for i, truth in enumerate(labels):
        for j, label in enumerate(labels):
            n, some = float(counts[i, j]), total[i, 0] > 0
            cells.append(
                {
                    "truth": str(truth),
                    "label": str(label),
                    "n": n,
                    "text": fmt.count(n) if n else "",
                    "share": float(share.value[i, j]) if some else 0.0,
                    "right": i == j,
                    "said": f"{fmt.count(n)} of {fmt.count(total[i, 0])}",
                    "rate": _rate(share, i, j) if some else "no item has this label",
                }
            )
    order = [str(label) for label in labels]
    axis = {"domain": False, "ticks": False, "labelColor": colours.ink, "labelLimit": 118}
    x = {
        "field": "label",
        "type": "nominal",
        "sort": order,
        "axis": {**axis, "orient": "top", "title": "label given", "labelOverlap": False, "labelExpr": _short()},
        "scale": {"domain": [*order, RECALL], "paddingInner": 0.04},
    }
    y = {
        "field": "truth",
        "type": "nominal",
        "sort": order,
        "axis": {**axis, "title": "true label"},
        "scale": {"domain": [*order, PRECISION], "paddingInner": 0.06},
    }
    most = max((c["share"] for c in cells if not c["right"]), default=0.0)
    tint = {
        "field": "share",
        "type": "quantitative",
        "legend": None,
        "scale": {"domain": [0, max(most, 0.05)], "range": [colours.panel, colours.accent], "clamp": True},
    }
    tip = tips(truth="True label", label="Label given", said="Judgements", rate="Of this true label")
    strong = {"test": f"!datum.right && datum.share > {0.6 * max(most, 0.05):.4f}", "value": colours.paper}
    muted = {"test": "datum.right", "value": colours.muted}
    layer = [
        {
            "mark": {"type": "rect", "cornerRadius": 3, "opacity": 1},
            "encoding": {
                "x": x,
                "y": y,
                "tooltip": tip,
                "color": {"condition": {"test": "datum.right", "value": colours.panel}, **tint},
            },
        },
        {
            "mark": {"type": "text"},
            "encoding": {
                "x": x,
                "y": y,
                "text": {"field": "text"},
                "tooltip": tip,
                "color": {"condition": [strong, muted], "value": colours.ink},
            },
        },
    ]
    layer.append(
        {
            "data": {"values": _margins(counts, order, together)},
            "mark": {"type": "text", "fontWeight": 600, "color": colours.ink},
            "encoding": {
                "x": x,
                "y": y,
                "text": {"field": "text"},
                "tooltip": tips(of="Label", measure="Measure", said="Value, 95 % interval", n="n"),
            },
        }
    )
    title = f"Which labels are mistaken for which{project and f': {project}'}"
    subtitle = f"Judgements {against}, margins in %; deeper: more of its row"
    chart = spec(colours, title, subtitle, max(CELL * (len(labels) + 1), 120), layer, data={"values": cells})
    return chart, _alt(cells, title)


def _margins(counts: np.ndarray, labels: list[str], together: str) -> list[dict]:
    """Recall and precision of each label with their intervals, placed behind its row and under its column."""
    rows = accuracy.by_class(counts, labels)
    rows = rows[rows["measure"].isin(("recall", "precision")) & (rows["label"] != together)]
    return [
        {
            "truth": row["label"] if row["measure"] == "recall" else PRECISION,
            "label": row["label"] if row["measure"] == "precision" else RECALL,
            "of": row["label"],
            "measure": MEANING[row["measure"]],
            "text": fmt.NONE if row["reason"] else fmt.value(row["value"], ACCURACY).replace(f"{fmt.SPACE}%", ""),
            "said": row["reason"]
            or f"{fmt.value(row['value'], ACCURACY)} {fmt.interval(row['low'], row['high'], ACCURACY, row['value'])}",
            "n": f"{fmt.count(row['n'])} judgements",
        }
        for row in rows.to_dict("records")
    ]


def _short() -> str:
    """A Vega expression that cuts long labels on the axis; the tooltip has them whole."""
    return f"length(datum.label) > {LONGEST_LABEL} ? slice(datum.label, 0, {LONGEST_LABEL - 1}) + '…' : datum.label"


def _rate(share, i: int, j: int) -> str:
    value, low, high = (float(ends[i, j]) for ends in share)
    return f"{fmt.value(value, ACCURACY)} {fmt.interval(low, high, ACCURACY, value)}"


def _alt(cells: list[dict], title: str) -> str:
    wrong = [c for c in cells if not c["right"] and c["n"]]
    if not wrong:
        return f"{title}: every judgement is right."
    most = max(wrong, key=lambda c: c["n"])
    return (
        f"{title}: {fmt.count(sum(c['n'] for c in wrong))} of {fmt.count(sum(c['n'] for c in cells))} judgements are "
        f"wrong; most often {most['truth']} is labelled {most['label']} ({most['said']})."
    )
