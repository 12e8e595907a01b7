"""A score against human labels beside its ceiling: one bar."""

from __future__ import annotations

from metrics.score_ceiling import Ceiling
from ui.charts.base import TITLE_ROOM, spec, wrapped
from ui.theme import Palette

HEIGHT = 64


def ceiling_bar(found: Ceiling, benchmark: str, colours: Palette) -> tuple[dict, str]:
    """The score with its interval, the band the best model could reach, and the whole to 100 %."""
    low, high = (100 * end for end in found.headroom.ceiling)
    score = 100 * found.score.value
    values = [{"y": "", "score": score, "low": low, "high": high, "least": 100 * found.score.low,
               "most": 100 * found.score.high, "start": 50, "end": 100}]  # fmt: skip
    axis = {"title": "% of human labels the model agrees with", "tickCount": 6, "grid": False, "domain": False}
    x = {"field": "start", "type": "quantitative", "scale": {"domain": [50, 100]}, "axis": axis}
    y = {"field": "y", "type": "nominal", "axis": None}
    layer = [
        {"mark": {"type": "bar", "color": colours.panel, "height": 26},
         "encoding": {"y": y, "x": x, "x2": {"field": "end"}}},
        {"mark": {"type": "bar", "color": colours.accent, "opacity": 0.3, "height": 26},
         "encoding": {"y": y, "x": {**x, "field": "low"}, "x2": {"field": "high"}}},
        {"mark": {"type": "rule", "color": colours.ink, "strokeWidth": 2},
         "encoding": {"y": y, "x": {**x, "field": "least"}, "x2": {"field": "most"}}},
        {"mark": {"type": "point", "filled": True, "size": 90, "color": colours.ink, "opacity": 1},
         "encoding": {"y": y, "x": {**x, "field": "score"}}},
    ]  # fmt: skip
    title = f"How far {benchmark} can still rise"
    subtitle = "Dot: newest score. Blue: the most a model can reach against one rater's label. From a coin flip on"
    alt = f"{title}: the score is {score:.1f} %, the ceiling lies between {low:.1f} and {high:.1f} %."
    return spec(colours, wrapped(title, TITLE_ROOM), wrapped(subtitle), HEIGHT, layer, data={"values": values}), alt
