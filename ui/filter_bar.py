"""The filter bar: what the URL says, and how a reader changes it. Several filters change in one step, with Apply.

The URL is the one place where filters live. A widget is named after the filters it was drawn for, so it starts from
them whenever they change; its callback writes the URL before the page runs, so a change costs one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

from data_access.filters import DIMENSIONS, FILTERABLE, Filters, describe_period
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
POPOVER = "filters popover"
LEFT = "left by a click"  # what a page showed when a click on it opened another, by the other's parameters
Own = Mapping[str, str]  # a page's own URL parameters


def filter_bar(snapshot: Snapshot, own: Own) -> tuple[Filters, tuple[str, ...]]:
    """The filters in force, and a sentence for each thing in the URL that was not honoured.

    Afterwards the URL names every filter, absolute dates and the page's own parameters.
    """
    found = links.read(_asked(own), snapshot.meta, lambda name: labels(snapshot, name), own)
    filters = found.filters
    with st.container(key="filter_bar", horizontal=True, vertical_alignment="center", gap="small"):
        _period(snapshot, filters, own)
        _popover(snapshot, filters, own)
        _chips(snapshot, filters, own)
        st.space("stretch")
        _copy_link(filters, own)
    st.session_state[KEPT] = filters.with_("rater")  # one person is looked at on one page, never carried on
    if {k: _several(v) for k, v in links.write(filters, **own).items()} != _in_url():
        go_to(filters, own)
    return filters, found.problems


def labels(snapshot: Snapshot, dimension: str) -> dict[str, str]:
    """What a dimension can be set to: value and label, the most frequent first."""
    rows = data.members(snapshot, dimension)
    return dict(zip(rows["value"], rows["label"], strict=True))


def go_to(filters: Filters, own: Own) -> None:
    """Writes the URL of these filters on the same page."""
    st.query_params.from_dict(links.write(filters, **own))


def back(label: str, filters: Filters, own: Own) -> None:
    """A way back on the same page; a link to it would leave the address as it was."""
    if st.button(label, icon=":material/arrow_back:", type="tertiary", key=f"back {label}"):
        go_to(filters, own)
        st.rerun()


def open_from_click(page: str, params: Mapping[str, str | list[str]]) -> None:
    """Opens a page from a click that is no link: a cell, a row.

    st.switch_page leaves an entry in the browser's history that is this page with the other's parameters; what this
    page showed is kept, so that Back leads to it.
    """
    wanted = {name: _several(value) for name, value in params.items()}
    st.session_state.setdefault(LEFT, {})[_sorted(wanted)] = _in_url()
    st.switch_page(page, query_params=params)


def token(filters: Filters) -> str:
    """Names the widgets of one state of the filters."""
    return f"{hash(filters) & 0xFFFFFFFF:08x}"


def _several(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _in_url() -> dict[str, list[str]]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _sorted(params: dict[str, list[str]]) -> str:
    return urlencode(sorted(params.items()), doseq=True)


def _asked(own: Own) -> dict[str, list[str]]:
    """The URL's parameters; without any filter among them those the session had."""
    asked = _in_url()
    if any(name not in (*own, *links.PERIOD_KEYS, *FILTERABLE) for name in asked):
        asked = st.session_state.get(LEFT, {}).get(_sorted(asked), asked)
    kept: Filters | None = st.session_state.get(KEPT)
    if kept is None or any(name in asked for name in (*links.PERIOD_KEYS, *FILTERABLE)):
        return asked
    return asked | {name: _several(value) for name, value in kept.to_params().items()}


# ---- period ----------------------------------------------------------------------------------------------------


def _period(snapshot: Snapshot, filters: Filters, own: Own) -> None:
    if filters.start is None or filters.end is None:
        return
    key = f"period {token(filters)}"

    def choose() -> None:
        period = periods.last_weeks(snapshot.meta, st.session_state[key] or periods.DEFAULT_WEEKS)
        go_to(filters.over(*period), own)

    st.segmented_control(
        "Period",
        list(periods.PRESETS),
        default=periods.preset_of(snapshot.meta, (filters.start, filters.end)),
        format_func=periods.PRESETS.get,
        label_visibility="collapsed",
        key=key,
        on_change=choose,
        wrap=True,
    )
    st.markdown(f"**{md(describe_period(filters.start, filters.end))}**", width="content")


# ---- filters ---------------------------------------------------------------------------------------------------


def _popover(snapshot: Snapshot, filters: Filters, own: Own) -> None:
    """All filters in one form; nothing is measured before Apply is pressed."""
    number = len(filters.where)
    label = f"Filters ({number})" if number else "Filters"
    popover = st.popover(label, icon=":material/tune:", key=POPOVER, on_change="rerun")
    with popover:
        if popover.open:
            _form(snapshot, filters, own)


def _form(snapshot: Snapshot, filters: Filters, own: Own) -> None:
    mark = token(filters)

    def apply() -> None:
        where = {d: values for d, values in filters.where if not _is_offered(d)}
        where |= {d: st.session_state[f"filter {d} {mark}"] for row in OFFERED for d in row}
        dates = st.session_state.get(f"dates {mark}") or ()
        start, end = dates if len(dates) == 2 else (filters.start, filters.end)
        _close()
        go_to(Filters.of(where, start, end), own)

    def clear() -> None:
        period = periods.last_weeks(snapshot.meta, periods.DEFAULT_WEEKS)
        _close()
        go_to(Filters.of((), *(period or (None, None))), own)

    with st.form("filters", border=False):
        _dates(snapshot, filters, mark)
        for row in OFFERED:
            for column, name in zip(st.columns(4, gap="small"), row, strict=False):
                known = labels(snapshot, name)
                column.multiselect(
                    DIMENSIONS[name].capitalize(),
                    list(known),
                    default=[v for v in filters.values(name) if v in known],
                    format_func=lambda v, known=known: known.get(v, v),
                    placeholder="All",
                    key=f"filter {name} {mark}",
                )
        with st.container(horizontal=True):
            st.form_submit_button("Apply", type="primary", on_click=apply)
            st.form_submit_button("Clear all", on_click=clear)


def _is_offered(dimension: str) -> bool:
    return any(dimension in row for row in OFFERED)


def _close() -> None:
    """The popover closes once its form has been used."""
    st.session_state[POPOVER] = False


def _dates(snapshot: Snapshot, filters: Filters, mark: str) -> None:
    meta = snapshot.meta
    if filters.start is None or filters.end is None or meta.first_day is None or meta.last_day is None:
        return
    st.date_input(
        "Period, both days included",
        (filters.start, filters.end),
        min_value=min(meta.first_day, filters.start),
        max_value=max(meta.last_day, filters.end),
        format="YYYY-MM-DD",
        key=f"dates {mark}",
        width=320,
    )


def _chips(snapshot: Snapshot, filters: Filters, own: Own) -> None:
    """One chip per filter in force; pressing it frees the filter."""
    for name, values in filters.where:
        known = labels(snapshot, name)
        shown = known.get(values[0], values[0]) if len(values) == 1 else f"{len(values)} values"
        st.button(
            f"{DIMENSIONS[name].capitalize()}: {md(shown)}",
            icon=":material/close:",
            icon_position="right",
            key=f"chip_{name}",
            help=f"Show every {DIMENSIONS[name]}",
            on_click=go_to,
            args=(filters.with_(name), own),
        )


# ---- link ------------------------------------------------------------------------------------------------------


def _copy_link(filters: Filters, own: Own) -> None:
    """A link with absolute dates and every filter: what it shows does not move with time."""
    with st.popover("Copy link", icon=":material/link:", type="tertiary"):
        st.caption("Opens exactly this view: absolute dates and every filter.")
        st.code(link(st.context.url, filters, own), language=None, wrap_lines=True)


def link(address: str | None, filters: Filters, own: Own) -> str:
    """The page's address with every filter in it."""
    place = (address or "/").split("?")[0]
    place = place if place.count("/") > 2 else f"{place.rstrip('/')}/"
    return f"{place}?{urlencode(links.write(filters, **own), doseq=True)}"
