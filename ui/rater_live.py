"""What the rater pages read from the warehouse when asked, and what is said where that cannot be."""

from __future__ import annotations

import streamlit as st

from ui.words import md, md_error

NOT_ALLOWED = "Single raters are shown only to those who manage them; ask for access to their pool"


def asked_for(label: str, key: str, help_text: str) -> bool:
    """Whether the reader asked for what only the warehouse knows; once asked it stays for this view."""
    kept = st.session_state.setdefault("asked of the warehouse", set())
    if key not in kept:
        st.button(label, key=f"ask {key}", icon=":material/database:", help=help_text, on_click=kept.add, args=(key,))
    return key in kept


def cannot_read(what: str, error: Exception) -> None:
    """In place of a live part: one sentence why it is missing; the rest of the page stands."""
    st.info(f"{md(what)} cannot be shown: {md_error(str(error))}", icon=":material/database_off:")
