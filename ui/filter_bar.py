"""The filter bar: what the URL says, and how a reader changes it. Several filters change in one step, with Apply."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from data_access.filters import DIMENSIONS, Filters, describe_period
from data_access.snapshot import Snapshot
from ui import data, links, periods
from ui.words import md

OFFERED = (
    ("project", "product", "policy_area", "task_type"),
    ("pool", "vendor", "site", "region"),
    ("language", "policy", "content_type", "stage"),
    ("guideline_version", "tenure_band", "time_basis"),
)
KEPT = "filters in force"  # of the session: what a page without filters in its URL goes on with


def filter_bar(snapshot: Snapshot, own: Mapping[str, str]) -> tuple[Filters, tuple[str, ...]]:
    """The filters in force, and a sentence for each thing in the URL that was not honoured.

    ``own`` are the page's own parameters, kept in the URL. Afterwards the URL names every filter and absolute dates.
    """
    meta = snapshot.meta
    asked = {name: st.query_params.get_all(name) for name in st.query_params}
    filtered = any(name in asked for name in (*links.PERIOD_KEYS, *(d for row in OFFERED for d in row), "rater", "lead", "locale"))
    kept: Filters | None = st.session_state.get(KEPT)
    if kept is not None and not filtered:
        asked |= {k: v if isinstance(v, list) else [v] for k, v in kept.to_params().items()}
    found = links.read(asked, meta, lambda name: labels(snapshot, name), own)
    filters, problems = found.filters, found.problems
    with st.container(key="filter_bar", horizontal=True, vertical_alignment="center", gap="small"):
        changed = _period(snapshot, filters) or _chosen(snapshot, filters) or _chips(snapshot, filters)
        if changed is not None:
            filters, problems = changed, ()
        st.space("stretch")
        _copy_link(filters, own)
    st.session_state[KEPT] = filters
    wanted = links.write(filters, **own)
    if {k: v if isinstance(v, list) else [v] for k, v in wanted.items()} != {k: st.query_params.get_all(k) for k in st.query_params}:
        st.query_params.from_dict(wanted)
    if changed is not None:
        st.rerun()
    return filters, problems


def labels(snapshot: Snapshot, dimension: str) -> dict[str, str]:
    """What a dimension can be set to: value and label, the most frequent first."""
    rows = data.members(snapshot, dimension)
    return dict(zip(rows["value"], rows["label"], strict=True))


def _token(filters: Filters) -> str:
    """Names the widgets of one state of the filters, so that they start from it whenever it changes."""
    return str(abs(hash(filters)))


def _period(snapshot: Snapshot, filters: Filters) -> Filters | None:
    meta = snapshot.meta
    if filters.start is None:
        return None
    now = periods.preset_of(meta, (filters.start, filters.end))
    picked = st.segmented_control(
        "Period",
        list(periods.PRESETS),
        default=now,
        format_func=periods.PRESETS.get,
        label_visibility="collapsed",
        key=f"period {_token(filters)}",
    )
    st.markdown(f"**{md(describe_period(filters.start, filters.end))}**", width="content")
    return filters.over(*periods.last_weeks(meta, picked)) if picked and picked != now else None


def _chosen(snapshot: Snapshot, filters: Filters) -> Filters | None:
    """The popover of all filters; what was chosen once Apply is pressed."""
    number = len(filters.where)
    key = "filters popover"
    popover = st.popover(f"Filters ({number})" if number else "Filters", icon=":material/tune:", key=key, on_change="rerun")
    with popover:
        if not popover.open:
            return None
        with st.form("filters", border=False):
            dates = _dates(snapshot, filters)
            where = dict(filters.where)
            for row in OFFERED:
                for column, name in zip(st.columns(len(row), gap="small"), row, strict=True):
                    known = labels(snapshot, name)
                    with column:
                        where[name] = tuple(
                            st.multiselect(
                                DIMENSIONS[name].capitalize(),
                                list(known),
                                default=[v for v in filters.values(name) if v in known],
                                format_func=lambda v, known=known: known.get(v, v),
                                placeholder="All",
                                key=f"filter {name} {_token(filters)}",
                            )
                        )
            with st.container(horizontal=True):
                applied = st.form_submit_button("Apply", type="primary")
                cleared = st.form_submit_button("Clear all")
    if cleared:
        period = periods.last_weeks(snapshot.meta, periods.DEFAULT_WEEKS)
        return _closed(Filters.of((), *(period or (None, None))), key)
    if applied:
        start, end = dates if len(dates) == 2 else (filters.start, filters.end)
        return _closed(Filters.of({n: v for n, v in where.items() if v}, start, end), key)
    return None


def _closed(filters: Filters, key: str) -> Filters:
    return filters


def _dates(snapshot: Snapshot, filters: Filters) -> tuple:
    meta = snapshot.meta
    if filters.start is None or meta.first_day is None:
        return ()
    low, high = min(meta.first_day, filters.start), max(meta.last_day, filters.end)
    return st.date_input(
        "Period, both days included",
        (filters.start, filters.end),
        min_value=low,
        max_value=high,
        format="YYYY-MM-DD",
        key=f"dates {_token(filters)}",
    )


def _chips(snapshot: Snapshot, filters: Filters) -> Filters | None:
    """One chip per filter in force; pressing it frees the filter."""
    for name, values in filters.where:
        known = labels(snapshot, name) if name not in ("rater", "lead") else {}
        shown = known.get(values[0], values[0]) if len(values) == 1 else f"{len(values)} {DIMENSIONS[name]} values"
        if st.button(
            f"{DIMENSIONS[name].capitalize()}: {md(shown)}",
            icon=":material/close:",
            icon_position="right",
            key=f"chip_{name}",
            help=f"Show every {DIMENSIONS[name]}",
        ):
            return filters.with_(name)
    return None


def _copy_link(filters: Filters, own: Mapping[str, str]) -> None:
    """A link with absolute dates and every filter: what it shows does not move with time."""
    with st.popover("Copy link", icon=":material/link:", type="tertiary"):
        st.caption("Opens exactly this view: absolute dates and every filter.")
        st.code(link(filters, own), language=None, wrap_lines=True)


def link(filters: Filters, own: Mapping[str, str]) -> str:
    """The page's address with every filter in it."""
    from urllib.parse import urlencode

    address = (st.context.url or "").split("?")[0]
    return f"{address}?{urlencode(links.write(filters, **own), doseq=True)}"
