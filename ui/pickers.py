"""What a reader chooses on the KPI page beside the filters: KPI, step in time, dimension. All in the URL."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from data_access.filters import DIMENSIONS, TIME_DIMENSIONS, Filters
from metrics.catalogue import AREAS, METRICS, headline
from ui import links
from ui.figures import BREAKDOWNS
from ui.filter_bar import go_to

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
    _choice(st.selectbox, "KPI", "metric", list(METRICS), own, filters, _metric_name, width=300)


def grain(own: Mapping[str, str], filters: Filters) -> None:
    """Day, week or month."""
    with st.container(key="beside_trend"):
        _choice(st.segmented_control, "Step in time", "grain", list(GRAINS), own, filters, GRAINS.get)


def dimension(own: Mapping[str, str], filters: Filters) -> None:
    """What the KPI is broken down by."""
    with st.container(key="beside_breakdown"):
        _choice(st.selectbox, "Break down by", "by", list(BREAKDOWNS), own, filters, _breakdown_name, width=200)


def _breakdown_name(name: str) -> str:
    return f"By {DIMENSIONS[name]}"


def _metric_name(name: str) -> str:
    return f"{METRICS[name].label} · {AREAS[METRICS[name].area]}"


def _choice(widget, label: str, param: str, options: list[str], own, filters: Filters, shown, **more) -> None:
    """A widget that starts from the URL and writes it back."""
    key = f"{param} {own[param]}"

    def choose() -> None:
        go_to(filters, {**own, param: st.session_state[key] or own[param]})

    start = {"default": own[param]} if widget is st.segmented_control else {"index": options.index(own[param])}
    widget(label, options, format_func=shown, key=key, on_change=choose, label_visibility="collapsed", **start, **more)
