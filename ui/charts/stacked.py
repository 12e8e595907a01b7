"""A stacked bar for each group, of what its cost is made of; a click selects the group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ui.theme import Palette

ROW = 26


def stacked(
    order: Sequence[str],
    by: str,
    hues: Mapping[str, str],
    x: tuple[str, dict],
    colours: Palette,
    what: str,
    legend: Mapping[str, object] | None = None,
    opacity: dict | None = None,
) -> tuple[list[dict], int]:
    """The layer of bars and its height, over values with label, member, rank, said, ``by`` and the field of ``x``.

    order: the groups from the top. hues: the members of ``by`` in the order of the legend, each with its colour. x: the
    field of the lengths and its axis. legend, opacity: what the legend, and the bars, have besides.
    """
    y = {
        "field": "label",
        "type": "nominal",
        "sort": list(order),
        "scale": {"domain": list(order), "paddingInner": 0.32},
        "axis": {"title": None, "domain": False, "ticks": False, "labelColor": colours.ink, "labelLimit": 200},
    }
    colour = {
        "field": by,
        "type": "nominal",
        "scale": {"domain": list(hues), "range": list(hues.values())},
        "legend": {"title": None, "orient": "top", "labelColor": colours.ink, "symbolType": "square", **(legend or {})},
    }
    tip = [
        {"field": "label", "title": what.capitalize()},
        {"field": by, "title": "Kind"},
        {"field": "said", "title": "Cost"},
    ]
    encoding = {
        "y": y,
        "x": {"field": x[0], "type": "quantitative", "stack": "zero", "axis": x[1]},
        "color": colour,
        "order": {"field": "rank", "type": "quantitative"},
        "tooltip": tip,
    }
    layer = {
        "params": [{"name": "cell", "select": {"type": "point", "fields": ["member"], "on": "click"}}],
        "mark": {"type": "bar", "cursor": "pointer"},
        "encoding": encoding | ({"opacity": opacity} if opacity else {}),
    }
    return [layer], ROW * max(len(order), 1)
