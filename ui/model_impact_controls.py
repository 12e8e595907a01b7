"""What a reader chooses on the model impact page, all of it in the URL: the quality, the benchmark, the lag."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from metrics.association import SPEARMAN
from metrics.linkage import CALLED, LAGS, PREWHITENED
from metrics.qualities import QUALITIES
from ui import links
from ui import model_impact as shown
from ui.choice import choice
from ui.filter_bar import go_to

Own = dict[str, str]
LAG_NAMES = {str(lag): ("Labels of the version itself", "Labels of the version before")[lag] for lag in LAGS}
METHODS = {
    name: {PREWHITENED: "Rank correlation, persistence taken out"}.get(name, text[:1].upper() + text[1:])
    for name, text in CALLED.items()
}
ALL, WHOLE = "all", "All together"  # in the URL and to readers; an empty choice cannot be made
LARGEST = 200  # characters of a benchmark's name in the URL


def from_url() -> tuple[Own, tuple[str, ...]]:
    """The page's own parameters: `quality`, `benchmark`, `slice`, `lag`, `method`.

    A benchmark and its slice, a policy or language, are looked up once models are there.
    """
    problems: list[str] = []
    known = {q.name: q.label for q in QUALITIES.values()}
    asked = st.query_params
    own = {
        "quality": links.one_of("quality of labels", asked.get("quality") or None, known, "", problems),
        "benchmark": str(asked.get("benchmark", ""))[:LARGEST],
        "slice": str(asked.get("slice") or ALL)[:LARGEST],
        "method": links.one_of("correlation", asked.get("method") or None, METHODS, SPEARMAN, problems),
        "lag": links.one_of("lag", asked.get("lag"), LAG_NAMES, "0", problems),
    }
    return own, tuple(problems)


def look_at(found: shown.Found, rows: pd.DataFrame, names: Mapping[str, str], own: Own) -> tuple[Own, str]:
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
    members = _slice_names(shown.slices(found, benchmark))
    member = links.one_of("policy or language of this benchmark", own["slice"], members, ALL, problems)
    return {**own, "benchmark": benchmark, "quality": quality, "slice": member}, " ".join(problems)


def _slice_names(members: tuple[str, ...]) -> dict[str, str]:
    return {ALL: WHOLE, **{name: name.replace("_", " ") for name in members}}


def pickers(found: shown.Found, names: Mapping[str, str], looked: Own, filters: Filters) -> None:
    """The benchmark, its slice and the quality, for those who do not click cells."""
    members = shown.slices(found, looked["benchmark"])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        # Another benchmark has other slices.
        choice(
            st.selectbox, "Benchmark", "benchmark", names, {**looked, "slice": ALL}, filters, labelled=True, width=360
        )
        if len(members) > 1:
            choice(st.selectbox, "Part", "slice", _slice_names(members), looked, filters, labelled=True, width=200)
        qualities = {name: shown.quality_label(name) for name in QUALITIES}
        choice(st.selectbox, "Quality of labels", "quality", qualities, looked, filters, labelled=True, width=260)


def lag(own: Own, filters: Filters) -> None:
    """Whose labels the matrix is about, and by which correlation."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        choice(st.segmented_control, "Lag", "lag", LAG_NAMES, own, filters)
        choice(st.selectbox, "Correlation", "method", METHODS, own, filters, width=300)


def open_link(picked: Mapping | None, own: Own, filters: Filters) -> None:
    """Looks at the link that was clicked."""
    if picked:
        go_to(filters, {**own, "benchmark": str(picked["member"]), "slice": ALL, "quality": str(picked["metric"])})
        st.rerun()
