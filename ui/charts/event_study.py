"""One change on one metric: its effect week by week about the start, and how it compares with made-up changes."""

from __future__ import annotations

import numpy as np

from metrics.change_ledger import Row
from metrics.effects import Design
from ui import change_checks, change_words
from ui.charts.base import TREND_HEIGHT, spec, tips
from ui.theme import Palette

MOST_BEFORE, MOST_AFTER = 39, 26  # weeks drawn; the effect rests on all weeks before
BINS = 24
PLACEBO_HEIGHT = 170
DEVIATIONS, RATIO = "effect over its standard deviation", "gap under the change over the gap before"


def event_study(row: Row, colours: Palette, where: str) -> tuple[dict, str]:
    """What was less what would have been, by week from the start of the change.

    Weeks before in grey on their usual spread, weeks under the change in ink with the 95 % interval of each, the weeks
    that count with their mean and its 95 % interval, a zero line, flags at the start and of other changes to the
    same work; weeks that are left out are gaps.
    """
    e, metric, period = row.effect, row.metric, change_words.period(row)
    over = np.inf if e.until is None else e.until
    near = (e.weeks >= -MOST_BEFORE) & (e.weeks < MOST_AFTER)
    weeks = e.weeks[near]
    values = []
    runs = np.cumsum(np.diff(e.weeks, prepend=e.weeks[:1]) > 1)  # a line over weeks left out would say they were seen
    for k in np.flatnonzero(near):
        week, ends = int(e.weeks[k]), [float(x[k]) if len(x) else np.nan for x in (e.gap_low, e.gap_high)]
        low, high = ends if np.isfinite(ends).all() else (None, None)
        single = (
            {} if low is None else {"low": change_words.shown(metric, low), "high": change_words.shown(metric, high)}
        )
        said = change_words.amount(metric, float(e.gaps[k]), low, high)
        gap = change_words.shown(metric, float(e.gaps[k]))
        values.append(
            {
                "week": week,
                "gap": gap,
                "under": 0 <= week < over,
                "run": f"{runs[k]} {np.digitize(week, [0, over])}",
                "when": _when(week, period, over),
                "said": said,
                **single,
            }
        )
    counted = weeks[weeks >= 0][: change_checks.counted(row)]
    first, last = -0.5, float(counted.max()) + 0.5
    mean = {
        "start": first,
        "end": last,
        **{name: change_words.shown(metric, getattr(e.effect, name)) for name in ("value", "low", "high")},
        "said": change_words.effect(row),
    }
    before = e.gaps[e.weeks < 0]
    spread = 1.96 * float(before.std(ddof=2)) if len(before) > 2 else 0.0
    usual = {
        "start": float(weeks.min()) - 0.5,
        "end": first,
        "low": change_words.shown(metric, -spread),
        "high": change_words.shown(metric, spread),
    }
    axis = {"title": f"{period}s from the start of the change", "grid": False, "tickCount": 10, "format": "d"}
    scale = {"domain": [usual["start"], max(float(weeks.max()), last) + 0.5], "nice": False}
    x = {"field": "week", "type": "quantitative", "axis": axis, "scale": scale}
    up = {"title": f"{change_words.unit(metric)} more or less", "tickCount": 5, "domain": False, "ticks": False}
    y = {"field": "gap", "type": "quantitative", "axis": up, "scale": {"nice": True, "padding": 8}}
    tip = tips(when=period.capitalize(), said="Against its course")
    band = {"x": {**x, "field": "start"}, "x2": {"field": "end"}}
    paint = {"condition": {"test": "datum.under", "value": colours.ink}, "value": colours.faint}
    flag = [{"at": -0.5, "text": f"began {change_checks.dated(row.change.starts_on)}"}]
    began = {**x, "field": "at"}
    layer: list[dict] = [
        {
            "data": {"values": [usual]},
            "mark": {"type": "rect", "color": colours.faint, "opacity": 0.16},
            "encoding": {**band, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "data": {"values": [mean]},
            "mark": {"type": "rect", "color": colours.accent, "opacity": 0.2},
            "encoding": {**band, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "tooltip": tips(said="Effect")},
        },
        {"data": {"values": [{"gap": 0}]}, "mark": {"type": "rule", "color": colours.muted}, "encoding": {"y": y}},
        {
            "data": {"values": flag},
            "mark": {"type": "rule", "strokeDash": [4, 4], "color": colours.ink},
            "encoding": {"x": began},
        },
        {
            "data": {"values": flag},
            "mark": {"type": "text", "y": -4, "baseline": "bottom", "align": "right", "dx": -2, "color": colours.ink},
            "encoding": {"x": began, "text": {"field": "text"}},
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "strokeWidth": 0.8},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": paint, "tooltip": tip},
        },
        {
            "mark": {"type": "line", "strokeWidth": 1.2},
            "encoding": {"x": x, "y": y, "color": paint, "detail": {"field": "run"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 36, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": paint, "tooltip": tip},
        },
        {
            "data": {"values": [mean]},
            "mark": {"type": "rule", "strokeWidth": 3, "color": colours.accent},
            "encoding": {**band, "y": {**y, "field": "value"}, "tooltip": tips(said="Effect")},
        },
    ]
    if over <= weeks.max():
        ended = {"values": [{"at": over - 0.5, "text": "ended"}]}
        mark = {"type": "text", "y": -4, "baseline": "bottom", "align": "left", "dx": 2, "color": colours.ink}
        layer += [
            {
                "data": ended,
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": colours.ink},
                "encoding": {"x": began},
            },
            {"data": ended, "mark": mark, "encoding": {"x": began, "text": {"field": "text"}}},
        ]
    others = [
        {"at": (one.since - row.change.starts_on).days // 7 - 0.5, "text": one.change_id}
        for one in row.overlaps
        if not row.of_models
    ]
    others = [one for one in others if scale["domain"][0] <= one["at"] <= scale["domain"][1]]
    if others:
        mark = {"type": "text", "baseline": "top", "align": "left", "dx": 3, "y": 2, "color": colours.muted}
        layer += [
            {
                "data": {"values": others},
                "mark": {"type": "rule", "strokeDash": [2, 2], "color": colours.muted},
                "encoding": {"x": began},
            },
            {"data": {"values": others}, "mark": mark, "encoding": {"x": began, "text": {"field": "text"}}},
        ]
    title = f"{change_words.label(metric)} against the course it would have run, {where}"
    grey = "before, and after it ended" if over <= weeks.max() else "before"
    subtitle = (
        f"Grey: {grey}, on the band 19 of 20 such {period}s keep to; blue: the effect over {len(counted)} {period}s "
        f"and its 95 % interval; thin rules: that of one {period}"
    )
    alt = f"{title}: {mean['said']} over the first {len(counted)} {period}s under the change; zero is no effect."
    return spec(colours, title, subtitle, TREND_HEIGHT, layer, data={"values": values}), alt


def _when(at: int, period: str, over: float) -> str:
    if at >= over:
        return f"{period} {at - int(over) + 1} after it ended"
    if at >= 0:
        return f"{period} {at + 1} under the change"
    return f"{-at} {period if at == -1 else f'{period}s'} before"


def placebos(row: Row, colours: Palette) -> tuple[dict, str]:
    """How large made-up changes look, counted by size, with the real one as a rule.

    Sizes are effects over their standard deviation, without sign: noisy and quiet places can be set side by side; of a
    mix of others it is the gap under the change over that before.
    """
    mixed = row.effect.design is Design.SYNTHETIC
    sizes = np.abs(row.effect.placebos)
    own = abs(row.effect.statistic or 0.0)
    edges = np.linspace(0.0, float(max(sizes.max(initial=0.0), own)) * 1.04 + 1e-9, BINS + 1)
    counts = np.histogram(sizes, edges)[0]
    values = [
        {
            "start": float(a),
            "end": float(b),
            "n": int(n),
            "base": 0,
            "large": bool(a >= own),
            "said": f"{n} of {len(sizes)}",
        }
        for a, b, n in zip(edges[:-1], edges[1:], counts, strict=True)
    ]
    x = {
        "field": "start",
        "type": "quantitative",
        "axis": {"title": RATIO if mixed else DEVIATIONS, "grid": False, "tickCount": 6},
        "scale": {"nice": False, "domain": [0.0, float(edges[-1])]},
    }
    y = {
        "field": "n",
        "type": "quantitative",
        "axis": {"title": "made-up changes", "tickMinStep": 1, "tickCount": 4, "domain": False},
    }
    real = [{"at": own, "text": "the real one "}]
    layer = [
        {
            "mark": {"type": "bar", "color": colours.faint, "opacity": 0.8, "binSpacing": 1},
            "encoding": {
                "x": {**x, "bin": "binned"},
                "x2": {"field": "end"},
                "y": y,
                "tooltip": tips(said="Made-up changes"),
            },
        },
        {
            "data": {"values": real},
            "mark": {"type": "rule", "strokeWidth": 2, "color": colours.accent},
            "encoding": {"x": {**x, "field": "at"}},
        },
        {
            "data": {"values": real},
            "mark": {"type": "text", "align": "right", "y": 8, "dx": -3, "fontWeight": 600, "color": colours.accent},
            "encoding": {"x": {**x, "field": "at"}, "text": {"field": "text"}},
        },
    ]
    larger = int((sizes >= own * (1 - 1e-12)).sum())
    title = "Beside made-up changes"
    never = change_checks.MADE_UP.get(row.effect.design, "changes that never were, at other dates and in other places")
    subtitle = f"{len(sizes)} {never}; {larger} as large"
    alt = f"{title}: {larger} of {len(sizes)} made-up changes look at least as large as the real one."
    return spec(colours, title, subtitle, PLACEBO_HEIGHT, layer, data={"values": values}), alt
