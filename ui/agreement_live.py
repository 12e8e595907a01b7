"""Single ratings on the agreement page: who may read them, when they are read, and what is said if they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics.errors import RaterscopeError
from ui import agreement, data, words
from ui import agreement_controls as controls
from ui.agreement_controls import Own
from ui.filter_bar import token
from ui.page import View, guarded

PEOPLE_ONLY = "Single ratings are shown only to those who manage the raters; ask for access to their pool."
T = TypeVar("T")


def ask_for(key: str) -> None:
    """From now on the reader has asked for what ``asked`` guards under this key."""
    st.session_state[f"asked {key}"] = True


def ready(view: View, own: Own) -> bool:
    """Whether single ratings of one project may be read; says what is missing."""
    if not data.current_scope().sees_raters:
        st.info(PEOPLE_ONLY, icon=":material/lock:")
        return False
    if not agreement.one_project(view.filters):
        controls.project_picker(view, own, "Single ratings are read one project at a time")
        return False
    return True


def section(
    view: View,
    own: Own,
    why: str,
    button: str,
    key: str,
    rows: Callable[[Snapshot, Filters], T],
    draw: Callable[[View, T], None],
) -> None:
    """A section of single ratings: what it answers, the button that reads ``rows``, and what ``draw`` makes of them."""
    st.markdown(why)
    if ready(view, own):
        _asked_section(view, button, f"{key} {token(view.filters)}", rows, draw)


@st.fragment
def _asked_section(
    view: View, button: str, key: str, rows: Callable[[Snapshot, Filters], T], draw: Callable[[View, T], None]
) -> None:
    def run() -> None:
        found = read(lambda: rows(view.snapshot, view.filters)) if asked(button, key) else None
        if found is not None:
            draw(view, found)

    guarded(run)


def asked(label: str, key: str) -> bool:
    """Whether the reader asked for what is read live; until then the button that does."""
    if st.session_state.get(f"asked {key}"):
        return True
    st.button(label, icon=":material/database_search:", key=f"ask {key}", on_click=ask_for, args=(key,))
    return False


def read(read: Callable[[], T]) -> T | None:
    """What is read from the warehouse; one sentence and None where it does not answer or the reader may not."""
    try:
        with st.spinner("Reading single ratings from the warehouse"):
            return read()
    except RaterscopeError as error:
        st.info(f"{words.md_error(str(error))} The rest of the page stands.", icon=":material/cloud_off:")
    return None
