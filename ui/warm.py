"""The two costliest pages made ready when a server opens a snapshot, so that no reader waits for them.

Model impact and Changes ask the same of everyone who sees everything, and it takes seconds. A thread of the server asks
it through the functions that the pages ask, whose answers are kept; a reader who comes meanwhile waits for the rest of
that work and does none of it twice.
"""

from __future__ import annotations

import logging
import threading
import time

import streamlit as st
from streamlit import runtime

from data_access.filters import Scope
from data_access.snapshot import Snapshot

log = logging.getLogger("raterscope")

PAUSE = 2.0
"""Seconds before the work begins: the page that opened the snapshot is drawn first."""


def begin(snapshot: Snapshot, scope: Scope) -> None:
    """Starts the work once per server and snapshot, where the app runs without sign-in: what single readers may see is
    not guessed. Does nothing outside a server, as in a test of a page.
    """
    if scope == Scope.everything() and runtime.exists() and type(runtime.get_instance()) is runtime.Runtime:
        _begun(snapshot)


@st.cache_resource(max_entries=3, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def _begun(snapshot: Snapshot) -> threading.Thread:
    thread = threading.Thread(target=make_ready, args=(snapshot, PAUSE), name="raterscope warm", daemon=True)
    thread.start()
    return thread


def make_ready(snapshot: Snapshot, pause: float = 0.0) -> None:
    """Asks what both pages ask first, for a reader of everything. Never raises: what fails is left to the reader, whose
    page says why.
    """
    time.sleep(pause)
    for step in (_model_impact, _changes):
        try:
            step(snapshot, Scope.everything())
        except Exception:
            log.warning("a page could not be made ready for its first reader", exc_info=True)


def _model_impact(snapshot: Snapshot, scope: Scope) -> None:
    from ui import model_impact

    model_impact.prepare(snapshot, scope)


def _changes(snapshot: Snapshot, scope: Scope) -> None:
    from ui import changes

    changes.prepare(snapshot, scope)
