"""What all charts share: how one is drawn, its frame, its tooltips, the colour of a status.

Charts are plain Vega-Lite specifications: building the same through Altair's classes costs 35 ms a chart on two cores,
a third of a page. The tests validate each against Altair's schema. Data are plain values; no field is named by data.
"""

from __future__ import annotations

import textwrap

import pyarrow as pa
import streamlit as st

from metrics.spec import Status
from ui import format as fmt
from ui.theme import Palette, chart_config

Text = str | list[str]  # a text of one line, or its lines
TREND_HEIGHT, ROW_HEIGHT, CELL_HEIGHT = 260, 25, 29
TITLE_ROOM = 48  # characters of a title that a phone has room for
MOST_ROWS = 40  # groups shown in a chart; the table holds all


def show(spec: dict, alt: str, key: str, select: bool = False, **place) -> dict | None:
    """Draws a specification; with ``select`` what the reader clicked, as {field: [values]}, else None."""
    data, spec = _as_sent(spec)
    if not select:
        st.vega_lite_chart(data, spec, theme=None, alt=alt, key=key, width="stretch", **place)
        return None
    event = st.vega_lite_chart(data, spec, theme=None, alt=alt, key=key, width="stretch", on_select="rerun", **place)
    picked = (event or {}).get("selection", {}).get("cell") or []
    return picked[0] if picked else None


def _as_sent(spec: dict) -> tuple[pa.Table | None, dict]:
    """The chart's own rows as the table a browser gets, and the rest: left to Streamlit they go through a frame."""
    rows = spec.get("data", {}).get("values")
    if not rows:
        return None, spec
    names = dict.fromkeys(name for row in rows for name in row)
    try:
        table = pa.table({name: [row.get(name) for row in rows] for name in names})
    except pa.ArrowException:  # numbers and text under one name
        return None, spec
    return table, {key: part for key, part in spec.items() if key != "data"}


def spec(colours: Palette, title: Text, subtitle: Text, height: int, layer: list[dict], **more: object) -> dict:
    """A whole specification: these layers under this title, at the reader's width."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "title": {"text": title, "subtitle": subtitle} if subtitle else title,
        "height": height,
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        "config": chart_config(colours),
        "layer": layer,
        **more,
    }


def wrapped(text: str, room: int = 60) -> Text:
    """A title or subtitle in as many lines as a phone needs; one line stays a text. room: characters of a line."""
    lines = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return lines if len(lines) > 1 else text


def number(value: object, scale: float = 1.0) -> float | None:
    """The number on its axis; None where there is none."""
    return None if fmt.is_missing(value) else float(value) * scale


def tips(**fields: str) -> list[dict]:
    """Tooltip entries: field and what it is called."""
    return [{"field": field, "title": title} for field, title in fields.items()]


def by_status(colours: Palette) -> dict:
    """The colour encoding of a status; without a target the accent."""
    states = [*Status]
    plain = {**colours.states, Status.NO_TARGET: colours.accent}
    scale = {"domain": [str(s) for s in states], "range": [plain[s] for s in states]}
    return {"field": "status", "type": "nominal", "legend": None, "scale": scale}


def shape_by_status() -> dict:
    """The shape that goes with a status."""
    shapes = {Status.ON_TARGET: "circle", Status.WATCH: "diamond", Status.OFF_TARGET: "triangle-up"}
    scale = {"domain": [str(s) for s in Status], "range": [shapes.get(s, "circle") for s in Status]}
    return {"field": "status", "type": "nominal", "legend": None, "scale": scale}
