"""What a reader chooses on the model impact page, all of it in the URL: the quality, the benchmark, the lag."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from metrics.linkage import LAGS
from metrics.qualities import QUALITIES
from ui import links
from ui import model_impact as shown
from ui.choice import choice
from ui.filter_bar import go_to

Own = dict[str, str]
LAG_NAMES = {str(lag): ("Labels of the version itself", "Labels of the version before")[lag] for lag in LAGS}
LARGEST = 200  # characters of a benchmark's name in the URL


def from_url() -> tuple[Own, tuple[str, ...]]:
    """The page's own parameters, `quality`, `benchmark` and `lag`; a benchmark is looked up once models are there."""
    problems: list[str] = []
    known = {q.name: q.label for q in QUALITIES.values()}
    asked = st.query_params
    own = {
        "quality": links.one_of("quality of labels", asked.get("quality") or None, known, "", problems),
        "benchmark": str(asked.get("benchmark", ""))[:LARGEST],
        "lag": links.one_of("lag", asked.get("lag"), LAG_NAMES, "0", problems),
    }
    return own, tuple(problems)


def look_at(rows: pd.DataFrame, names: Mapping[str, str], own: Own) -> tuple[Own, str]:
    """The link looked at, and what was wrong with the one asked for: the strongest where none was chosen."""
    problems: list[str] = []
    strongest = "the one with the surest link"
    asked = links.one_of("benchmark", own["benchmark"] or None, {**names, "": strongest}, "", problems)
    best = shown.strongest(rows)
    best = best if best is not None else rows.iloc[0]
    benchmark = asked or shown.member(best)
    ours = rows[rows["member"] == benchmark]
    surest = shown.strongest(ours)
    quality = own["quality"] or (ours.iloc[0] if surest is None else surest)["metric"]
    return {**own, "benchmark": benchmark, "quality": quality}, " ".join(problems)


def pickers(names: Mapping[str, str], looked: Own, filters: Filters) -> None:
    """The benchmark and the quality, for those who do not click cells."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        choice(st.selectbox, "Benchmark", "benchmark", names, looked, filters, labelled=True, width=360)
        qualities = {name: shown.quality_label(name) for name in QUALITIES}
        choice(st.selectbox, "Quality of labels", "quality", qualities, looked, filters, labelled=True, width=260)


def lag(own: Own, filters: Filters) -> None:
    """Whose labels the matrix is about."""
    choice(st.segmented_control, "Lag", "lag", LAG_NAMES, own, filters)


def open_link(picked: Mapping | None, own: Own, filters: Filters) -> None:
    """Looks at the link that was clicked."""
    if picked:
        go_to(filters, {**own, "benchmark": str(picked["member"]), "quality": str(picked["metric"])})
        st.rerun()
