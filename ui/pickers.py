"""What a reader chooses on the KPI page beside the filters: KPI, step in time, dimension. All in the URL."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from data_access.filters import DIMENSIONS, TIME_DIMENSIONS, Filters
from metrics.catalogue import AREAS, METRICS, headline
from ui import links
from ui.choice import choice
from ui.figures import BREAKDOWNS

GRAINS = {name: f"By {name}" for name in TIME_DIMENSIONS}


def from_url() -> tuple[dict[str, str], tuple[str, ...]]:
    """The page's own parameters, `metric`, `by` and `grain`, and a sentence for each that was not honoured."""
    problems: list[str] = []

    def read(name: str, called: str, known: Mapping[str, str], fallback: str) -> str:
        return links.one_of(called, st.query_params.get(name), known, fallback, problems)

    own = {
        "metric": read("metric", "KPI", {m.name: m.label for m in METRICS.values()}, headline()[0].name),
        "by": read("by", "breakdown", {d: DIMENSIONS[d] for d in BREAKDOWNS}, BREAKDOWNS[0]),
        "grain": read("grain", "step in time", GRAINS, "week"),
    }
    return own, tuple(problems)


def metric(own: Mapping[str, str], filters: Filters) -> None:
    """The KPI, chosen from the whole catalogue."""
    names = {m.name: f"{m.label} · {AREAS[m.area]}" for m in METRICS.values()}
    choice(st.selectbox, "KPI", "metric", names, own, filters, width=300)


def grain(own: Mapping[str, str], filters: Filters) -> None:
    """Day, week or month."""
    with st.container(key="beside_trend"):
        choice(st.segmented_control, "Step in time", "grain", GRAINS, own, filters)


def dimension(own: Mapping[str, str], filters: Filters) -> None:
    """What the KPI is broken down by."""
    with st.container(key="beside_breakdown"):
        names = {name: f"By {DIMENSIONS[name]}" for name in BREAKDOWNS}
        choice(st.selectbox, "Break down by", "by", names, own, filters, width=200)
