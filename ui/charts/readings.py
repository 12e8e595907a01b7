"""Policy by group of raters: where a group labels otherwise than the others do."""

from __future__ import annotations

import pandas as pd

from ui import agreement_group_words, agreement_more_words, agreement_words, words
from ui import format as fmt
from ui.charts.base import CELL_HEIGHT, MOST_ROWS, spec, tips
from ui.theme import Palette


def group_readings(cells: pd.DataFrame, colours: Palette, what: str) -> tuple[dict, str]:
    """A cell for each policy and group; where the test speaks, in the accent, with the label that differs most.

    cells: agreement_readings.Readings.cells, of policies and groups with a tested cell; a selection "cell" on project
    and policy.
    """
    places = list(dict.fromkeys(cells["place"]))[:MOST_ROWS]
    shown = cells[cells["place"].isin(places)]
    groups = sorted(dict.fromkeys(shown["label"]))
    bare = {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelPadding": 8}
    x = {
        "field": "label",
        "type": "nominal",
        "axis": {**bare, "orient": "top", "labelAngle": 0, "labelLimit": max(70, 1000 // max(len(groups), 1))},
        "scale": {"domain": groups, "paddingInner": 0.03, "paddingOuter": 0},
    }
    y = {
        "field": "place",
        "type": "nominal",
        "axis": {**bare, "labelLimit": 260},
        "scale": {"domain": places, "paddingInner": 0.08, "paddingOuter": 0},
    }
    tip = tips(place="Policy", label=what.capitalize(), said="Reading", n="Items rated by both", q="Test")
    found = {"condition": {"test": "datum.found", "value": colours.accent}, "value": colours.panel}
    text = {"condition": {"test": "datum.found", "value": colours.paper}, "value": colours.muted}
    select = {"type": "point", "fields": ["project", "policy"], "on": "click"}
    layer = [
        {
            "params": [{"name": "cell", "select": select}],
            "mark": {"type": "rect", "cursor": "pointer", "cornerRadius": 3, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": found, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "cursor": "pointer", "limit": max(60, 1000 // max(len(groups), 1) - 12)},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}, "color": text, "tooltip": tip},
        },
    ]
    title = f"Where a {what} reads a policy otherwise than the others"
    subtitle = (
        "Blue: labels the shared items otherwise than shuffled raters do; the label given more (+) or less (−), in "
    )
    subtitle += "points. Dot: no clear difference. Blank: too few to judge. Click a cell to test it on all ratings."
    values = [_cell(row) for row in shown.to_dict("records")]
    chart = spec(colours, title, subtitle, CELL_HEIGHT * len(places), layer, data={"values": values})
    return chart, _alt(cells, title, what)


def _cell(row: dict) -> dict:
    known = not row["reason"]
    sure = not fmt.is_missing(row["q"])
    return {
        "place": row["place"],
        "label": row["label"],
        "project": row["project"],
        "policy": row["policy"],
        "found": bool(row["found"]),
        "text": _text(row) if known else "",
        "said": agreement_group_words.shifted(row) if known else row["reason"],
        "n": fmt.count(row["n"]),
        "q": f"q {agreement_words.probability(row['q'])}" if sure else "too few to judge",
    }


def _text(row: dict) -> str:
    if row["found"]:
        return f"{agreement_words.label_name(row['given'])} {agreement_more_words.points(row['shift'])}"
    # How far apart they lie otherwise rests on how many items and labels there are: a number would mislead.
    return "•"


def _alt(cells: pd.DataFrame, title: str, what: str) -> str:
    tested = int(cells["p"].notna().sum())
    text = f"{title}: {tested} cells of {cells['place'].nunique()} policies and {cells['label'].nunique()} "
    text += f"{words.plural(what)} can be tested"
    found = cells[cells["found"]]
    if found.empty:
        return f"{text}; none differs more than shuffled raters do."
    rows = found.head(3).to_dict("records")
    listed = [f"{row['label']} on {row['place']}, {agreement_group_words.shifted(row)}" for row in rows]
    return f"{text}; more than shuffled raters: {words.listed(listed)}."
