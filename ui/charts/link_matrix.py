"""Qualities of labels x benchmarks: which go together, in how strong a tint; what does not stand is grey."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from metrics.linkage import STANDS
from ui import format as fmt
from ui import model_impact_words as say
from ui.charts.base import CELL_HEIGHT, spec, tips, wrapped
from ui.theme import APART, TOGETHER, Palette

BLANK, NOT_CLEAR = "blank", "not clear"


def link_matrix(
    rows: pd.DataFrame, names: Mapping[str, str], chosen: tuple[str, str], colours: Palette
) -> tuple[dict, str]:
    """A cell for each quality and benchmark; a selection "cell" on both.

    rows: linkage.matrix() of one lag, with member. names: member -> what the benchmark is called. chosen: the member
    and quality looked at, framed.
    """
    order = [say.heading(name) for name in dict.fromkeys(rows["metric"])]
    members = [names[m] for m in dict.fromkeys(rows["member"])]
    cells = [_cell(row, names, chosen, colours) for row in rows.to_dict("records")]
    bare = {"title": None, "domain": False, "ticks": False}
    x = {
        "field": "quality",
        "type": "nominal",
        "sort": order,
        "scale": {"domain": order, "paddingInner": 0.03, "paddingOuter": 0},
        "axis": {
            **bare,
            "orient": "top",
            "labelLimit": 110,
            "labelLineHeight": 14,
            "labelBaseline": "line-bottom",
            "labelPadding": 48,
            "labelExpr": "split(replace(datum.label, '-enforcement', '- enforcement'), ' ')",
        },
    }
    y = {
        "field": "label",
        "type": "nominal",
        "sort": members,
        "scale": {"domain": members, "paddingInner": 0.08, "paddingOuter": 0},
        "axis": {**bare, "labelColor": colours.ink, "labelLimit": 330, "labelPadding": 10},
    }
    tip = tips(quality="Quality of labels", label="Benchmark", said="Correlation", state="Standing", n="Versions")
    fill = {"field": "fill", "type": "nominal", "scale": None, "legend": None}
    text = {"condition": {"test": f"datum.kind == '{NOT_CLEAR}'", "value": colours.muted}, "value": colours.ink}
    layer = [
        {
            "params": [{"name": "cell", "select": {"type": "point", "fields": ["member", "metric"], "on": "click"}}],
            "mark": {"type": "rect", "cornerRadius": 3, "cursor": "pointer", "opacity": 1},
            "encoding": {"x": x, "y": y, "color": fill, "tooltip": tip},
        },
        {
            "transform": [{"filter": f"datum.kind == '{BLANK}'"}],
            "mark": {"type": "rect", "filled": False, "stroke": colours.line, "strokeDash": [3, 3], "cornerRadius": 3},
            "encoding": {"x": x, "y": y, "tooltip": tip},
        },
        {
            "transform": [{"filter": "datum.chosen"}],
            "mark": {"type": "rect", "filled": False, "stroke": colours.ink, "strokeWidth": 2, "cornerRadius": 3},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "text", "cursor": "pointer"},
            "encoding": {"x": x, "y": y, "text": {"field": "text"}, "color": text, "tooltip": tip},
        },
    ]
    title = "Which qualities and benchmarks move together"
    subtitle = (
        "Blue: better labels with a better model; orange: with a worse one. Strong grey: clear of chance, neither way "
        "better. Faint grey: may be chance. Dashed: no coefficient"
    )
    stand = [c for c in cells if c["kind"] not in (BLANK, NOT_CLEAR)]
    alt = f"{title}: {len(stand)} of {sum(c['kind'] != BLANK for c in cells)} links shown stand clear of chance"
    if stand:
        best = max(stand, key=lambda c: c["size"])
        alt += f"; strongest is {best['quality'].lower()} with {best['label']}, {best['said']}"
    return spec(colours, title, wrapped(subtitle), CELL_HEIGHT * len(members), layer, data={"values": cells}), f"{alt}."


def _cell(row: dict, names: Mapping[str, str], chosen: tuple[str, str], colours: Palette) -> dict:
    value, missing = row["estimate"], fmt.is_missing(row["estimate"])
    stands = not missing and row["q_value"] <= STANDS
    side = row["better"]
    kind = (
        BLANK if missing else NOT_CLEAR if not stands else "together" if fmt.is_missing(side) or side > 0 else "apart"
    )
    tone = colours.muted if fmt.is_missing(side) else TOGETHER if kind == "together" else APART
    fill = {BLANK: colours.paper, NOT_CLEAR: colours.panel}.get(kind) or _mixed(tone, colours.paper, abs(value))
    return {
        "member": row["member"],
        "metric": row["metric"],
        "label": names[row["member"]],
        "quality": say.heading(row["metric"]),
        "kind": kind,
        "fill": fill,
        "size": 0.0 if missing else abs(float(value)),
        "text": "" if missing else say.signed(value),
        "said": say.sentence_case(row["reason"]) if missing else f"{say.signed(value)} {say.between(row)}",
        "state": "no coefficient" if missing else f"q {row['q_value']:.2g}, {'stands' if stands else 'may be chance'}",
        "n": "" if missing else f"{fmt.count(row['n'])}, worth {fmt.count(round(row['n_effective']))} independent ones",
        "chosen": (row["member"], row["metric"]) == chosen,
    }


def _mixed(over: str, under: str, strength: float) -> str:
    """A colour thinned over paper by the strength of a link, so that ink on it keeps its contrast."""
    share = 0.12 + 0.4 * min(strength, 1.0)
    pair = (tuple(int(c[k : k + 2], 16) for k in (1, 3, 5)) for c in (over, under))
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in zip(*pair, strict=True))
