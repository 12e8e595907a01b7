"""Several scales side by side in one chart: panels on one stretched axis, with their own headings and ticks.

Vega-Lite lays out concatenated charts at fixed widths; panels on one axis follow the reader's width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ui import format as fmt
from ui.theme import Palette


@dataclass(frozen=True)
class Panel:
    """A stretch of the axis, start to end, that shows values from low to high."""

    start: float
    end: float
    low: float = 0.0
    high: float = 1.0

    def at(self, value: object) -> float | None:
        """Where a value lies on the axis, kept inside the panel; None where there is none."""
        if fmt.is_missing(value):
            return None
        inside = min(max(float(value), self.low), self.high)
        return self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start)


def axis(panels: Sequence[Panel], ticks: Sequence[float]) -> dict:
    """The stretched axis: ticks of the first panel, room for the others."""
    first = panels[0]
    scale = {"domain": [first.start, panels[-1].end], "nice": False, "zero": False}
    # Labels stand for the value on the first panel, which lies on the axis as it is.
    values = [first.at(tick) for tick in ticks]
    style = {"values": values, "format": ".2~f", "title": None, "domain": False, "ticks": False}
    return {"field": "x", "type": "quantitative", "axis": style, "scale": scale}


def headings(panels: Sequence[Panel], texts: Sequence[str], x: dict, colours: Palette) -> list[dict]:
    """The panels' headings above them."""
    values = [{"x": panel.start, "text": text} for panel, text in zip(panels, texts, strict=True) if text]
    mark = {"type": "text", "align": "left", "y": 0, "baseline": "bottom", "dy": -5, "color": colours.muted}
    return [_text(values, mark, x)]


def foot(panel: Panel, ticks: Sequence[float], height: int, x: dict, colours: Palette) -> list[dict]:
    """Tick lines of a further panel and their numbers below."""
    values = [{"x": panel.at(tick), "text": f"{tick:g}"} for tick in ticks]
    line = {"type": "rule", "strokeWidth": 1, "color": colours.line, "opacity": 0.6}
    mark = {"type": "text", "y": height, "baseline": "top", "dy": 8, "color": colours.muted}
    return [{"data": {"values": values}, "mark": line, "encoding": {"x": x}}, _text(values, mark, x)]


def _text(values: list[dict], mark: dict, x: dict) -> dict:
    return {"data": {"values": values}, "mark": mark, "encoding": {"x": x, "text": {"field": "text"}}}


def rows(labels: Sequence[str], colours: Palette, limit: int = 190) -> dict:
    """The rows' names, in this order."""
    style = {
        "title": None,
        "domain": False,
        "ticks": False,
        "labelColor": colours.ink,
        "labelLimit": limit,
        "labelPadding": 10,
    }
    order = list(labels)
    return {"field": "label", "type": "nominal", "sort": order, "scale": {"domain": order}, "axis": style}


def separators(row: int, x: dict, y: dict, colours: Palette) -> dict:
    """A faint line under each row, from its field "start" to its field "end", so that lanes stay with their name."""
    mark = {"type": "rule", "strokeWidth": 1, "color": colours.line, "opacity": 0.7, "yOffset": row / 2}
    return {"mark": mark, "encoding": {"y": y, "x": {**x, "field": "start"}, "x2": {"field": "end"}}}
