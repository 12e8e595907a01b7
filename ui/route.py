"""Every page runs through app.py, whatever address comes first.

Streamlit serves a folder named ``pages`` beside the main script by its old router until st.navigation has run once in
the process: a fresh server would show the first visitor of /kpi that page without app.py, its navigation and its
checks of who reads. A page that finds itself there hands over to app.py, whose navigation picks the same page.
"""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import streamlit as st

APP = Path(__file__).resolve().parent.parent / "app.py"
_inside: ContextVar[bool] = ContextVar("inside app.py", default=False)


@contextmanager
def inside_app() -> Iterator[None]:
    """Marks what runs within as called by app.py."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def through_app() -> None:
    """Does nothing on a page that app.py runs; on any other runs app.py in its place, and ends."""
    if not _inside.get():
        runpy.run_path(str(APP), run_name="__main__")
        st.stop()
