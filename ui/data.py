"""What a page is served from: the snapshot, the reader's scope, and cached estimates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from data_access import queries, settings
from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from metrics.errors import SnapshotUnusable


def current_snapshot() -> Snapshot:
    """The newest snapshot, opened once per published file; raises SnapshotUnusable when there is none to serve.

    When the file on disk cannot be opened but an earlier one is still open, that one goes on serving.
    """
    path = settings.load().snapshot
    try:
        stamp = path.stat()
    except OSError:
        return _fallback(path)
    try:
        snapshot = _opened(str(path), stamp.st_ino, stamp.st_mtime_ns)
    except SnapshotUnusable:
        return _fallback(path)
    _last_good()[str(path)] = snapshot
    return snapshot


def _fallback(path: Path) -> Snapshot:
    kept = _last_good().get(str(path))
    return kept if kept is not None else Snapshot(path)


@st.cache_resource(max_entries=3, show_spinner=False)
def _opened(path: str, inode: int, modified: int) -> Snapshot:
    return Snapshot(Path(path))


@st.cache_resource(show_spinner=False)
def _last_good() -> dict[str, Snapshot]:
    """The last snapshot that opened, per path."""
    return {}


def current_scope() -> Scope:
    """What the reader may see, made anew on every run. Until people sign in, the server's owner reads."""
    return Scope.everything()


def measure_many(
    snapshot: Snapshot,
    metrics: Sequence[str],
    groupings: Sequence[Sequence[str]],
    periods: Sequence[Filters],
    timed_on: str = "",
) -> list[list[pd.DataFrame]]:
    """queries.measure_many() for the reader's scope, kept per snapshot, question and scope."""
    by = tuple(tuple(one) for one in groupings)
    return _measured(snapshot.id, snapshot, tuple(metrics), by, tuple(periods), timed_on, current_scope())


def measure(
    snapshot: Snapshot,
    metrics: Sequence[str],
    by: Sequence[str] = (),
    filters: Filters = Filters(),  # noqa: B008  frozen
    timed_on: str = "",
) -> pd.DataFrame:
    """queries.measure() for the reader's scope, kept likewise."""
    return measure_many(snapshot, metrics, (by,), (filters,), timed_on)[0][0]


@st.cache_data(max_entries=400, show_spinner=False)
def _measured(
    snapshot_id: str,  # the key for the snapshot itself
    _snapshot: Snapshot,
    metrics: tuple[str, ...],
    groupings: tuple[tuple[str, ...], ...],
    periods: tuple[Filters, ...],
    timed_on: str,
    scope: Scope,
) -> list[list[pd.DataFrame]]:
    return queries.measure_many(_snapshot, metrics, groupings, periods, scope=scope, timed_on=timed_on)


def members(snapshot: Snapshot, dimension: str) -> pd.DataFrame:
    """queries.members() for the reader's scope: what a filter can be set to."""
    return _members(snapshot.id, snapshot, dimension, current_scope())


@st.cache_data(max_entries=100, show_spinner=False)
def _members(snapshot_id: str, _snapshot: Snapshot, dimension: str, scope: Scope) -> pd.DataFrame:
    return queries.members(_snapshot, dimension, scope)


def changes(snapshot: Snapshot) -> pd.DataFrame:
    """The dated changes (guidelines, training, vendors, tools ...) as they stood at the refresh."""
    return _changes(snapshot.id, snapshot)


@st.cache_data(max_entries=5, show_spinner=False)
def _changes(snapshot_id: str, _snapshot: Snapshot) -> pd.DataFrame:
    return _snapshot.table("change")
