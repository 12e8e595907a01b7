"""A sparkline as a small picture: the last weeks, the target dashed, provisional weeks dashed, the last one dotted."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import math
from collections.abc import Sequence

import pandas as pd

from ui.theme import Palette

WIDTH, HEIGHT, EDGE = 132, 30, 4


def sparkline(
    weeks: Sequence[object],
    values: Sequence[float],
    target: float,
    colours: Palette,
    last: str,
    since: dt.date | None = None,
    provisional: dt.date | None = None,
) -> str:
    """A data URI of the picture; empty with fewer than two values.

    ``last`` is the colour of the last point. Weeks before ``since`` are drawn faint; those that reach into the days
    from ``provisional`` on are dashed. A week without a value leaves a gap.
    """
    points = [(pd.Timestamp(w).date(), float(v)) for w, v in zip(weeks, values, strict=True)]
    known = [(w, v) for w, v in points if math.isfinite(v)]
    if len(known) < 2:
        return ""
    shown = [v for _, v in known] + ([target] if math.isfinite(target) else [])
    bottom, top = min(shown), max(shown)
    spread = (top - bottom) or abs(top) or 1.0
    first, span = points[0][0], max((points[-1][0] - points[0][0]).days, 1)

    def x(week: dt.date) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * (week - first).days / span

    def y(value: float) -> float:
        return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - bottom) / spread

    marks = []
    if math.isfinite(target):
        marks.append(
            f'<line x1="0" x2="{WIDTH}" y1="{y(target):.1f}" y2="{y(target):.1f}" stroke="{colours.muted}" '
            'stroke-width="1" stroke-dasharray="3 3" opacity="0.8"/>'
        )
    for (week, value), (after, value_after) in itertools.pairwise(points):
        if not (math.isfinite(value) and math.isfinite(value_after)):
            continue
        recent = since is None or after >= since
        dashed = provisional is not None and after + dt.timedelta(days=6) >= provisional
        marks.append(
            f'<line x1="{x(week):.1f}" y1="{y(value):.1f}" x2="{x(after):.1f}" y2="{y(value_after):.1f}" '
            f'stroke="{colours.ink if recent else colours.faint}" stroke-width="{1.8 if recent else 1.4}" '
            f'stroke-linecap="round"{" stroke-dasharray=" + chr(34) + "2 3" + chr(34) if dashed else ""}/>'
        )
    week, value = known[-1]
    marks.append(f'<circle cx="{x(week):.1f}" cy="{y(value):.1f}" r="2.8" fill="{last}"/>')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" fill="none">{"".join(marks)}</svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
