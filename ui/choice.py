"""One of a few that a reader chooses, kept in the URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from data_access.filters import Filters
from ui.filter_bar import go_to


def choice(
    widget: Callable,
    label: str,
    param: str,
    names: Mapping[str, str],
    own: Mapping[str, str],
    filters: Filters,
    labelled: bool = False,
    **more: object,
) -> None:
    """A select box or segmented control that starts from the page's parameter and writes it back to the URL.

    names: each value and what it is called. labelled: whether the label is to be seen and not only to be heard.
    """
    key, options = f"{param} {own[param]}", list(names)

    def choose() -> None:
        go_to(filters, {**own, param: st.session_state[key] or own[param]})

    start = {"default": own[param]} if widget is st.segmented_control else {"index": options.index(own[param])}
    visibility = "visible" if labelled else "collapsed"
    widget(
        label, options, format_func=names.get, key=key, on_change=choose, label_visibility=visibility, **start, **more
    )
