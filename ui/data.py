"""What a page is served from: the snapshot, the reader's scope, and cached estimates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from data_access import counts, drill, filter_values, model_data, privacy, queries, settings
from data_access.filters import Filters, Scope
from data_access.link_data import LinkData
from data_access.link_data import link_data as read_link_data
from data_access.snapshot import Snapshot
from metrics.errors import SnapshotUnusable

# How what is asked becomes part of a cache key: records by their text, as taking one apart costs ten times as much.
BY_TEXT = {Filters: repr, Scope: repr}


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


@st.cache_data(max_entries=400, show_spinner=False, hash_funcs=BY_TEXT)
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
    """filter_values.members() for the reader's scope: what a filter can be set to; read once, not to be changed."""
    return _members(snapshot.id, snapshot, dimension, current_scope())


@st.cache_resource(max_entries=200, show_spinner=False, hash_funcs=BY_TEXT)
def _members(snapshot_id: str, _snapshot: Snapshot, dimension: str, scope: Scope) -> pd.DataFrame:
    return filter_values.members(_snapshot, dimension, scope)


def changes(snapshot: Snapshot) -> pd.DataFrame:
    """The dated changes (guidelines, training, vendors, tools ...) as they stood at the refresh."""
    return _changes(snapshot.id, snapshot, current_scope())


@st.cache_data(max_entries=20, show_spinner=False, hash_funcs=BY_TEXT)
def _changes(snapshot_id: str, _snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    return filter_values.changes(_snapshot, scope)


# ---- counts, and rows live from the warehouse ------------------------------------------------------------------

KEPT = {"max_entries": 100, "show_spinner": False, "hash_funcs": {**BY_TEXT, Snapshot: lambda s: s.id}}
LIVE = {**KEPT, "ttl": 900}  # rows read from the warehouse a while ago are read again


@st.cache_data(**KEPT)
def _counted(name: str, snapshot: Snapshot, scope: Scope, arguments: tuple, options: tuple) -> object:
    return getattr(counts, name)(snapshot, *arguments, scope=scope, **dict(options))


def sums(
    snapshot: Snapshot,
    mart: str,
    columns: Sequence[str],
    by: Sequence[str],
    filters: Filters,
    extra: Sequence[str] = (),
    shown: bool = False,
) -> pd.DataFrame:
    """counts.counts() for the reader's scope: plain sums of a mart's columns over groups.

    ``shown``: the reader sees these very groups, so small ones are left out. Sums that a page adds up further are asked
    without it, and the page withholds what too_small() names.
    """
    options = (("extra", tuple(extra)), ("shown", shown))
    return _counted("counts", snapshot, current_scope(), (mart, tuple(columns), tuple(by), filters), options)


def too_small(
    snapshot: Snapshot, by: Sequence[str], filters: Filters, column: str = "judgements"
) -> frozenset[tuple[str, ...]]:
    """The groups, as tuples of members in the order of ``by``, with too few raters behind them for the reader's scope.

    ``column`` of `work` says who stands behind: judgements, gold_n, audited_n or handle_n.
    """
    if not current_scope().minimum_raters:
        return frozenset()
    return _too_small(snapshot, tuple(by), filters, column, current_scope())


@st.cache_data(**KEPT)
def _too_small(
    snapshot: Snapshot, by: tuple[str, ...], filters: Filters, column: str, scope: Scope
) -> frozenset[tuple[str, ...]]:
    behind = privacy.raters_behind(snapshot, by, filters, scope, column)
    return frozenset(group for group, raters in behind.items() if 0 < raters < scope.minimum_raters)


def confusion(snapshot: Snapshot, filters: Filters, by: Sequence[str] = (), basis: str = "gold") -> pd.DataFrame:
    """counts.confusion() for the reader's scope: labels given against labels that were right."""
    options = (("by", tuple(by)), ("basis", basis))
    return _counted("confusion", snapshot, current_scope(), (filters,), options)


def patterns(snapshot: Snapshot, filters: Filters, by: Sequence[str] = ()) -> list:
    """counts.patterns() for the reader's scope: items by label counts, what coefficients are made of."""
    return _counted("patterns", snapshot, current_scope(), (filters,), (("by", tuple(by)),))


def sampled_ratings(snapshot: Snapshot, axis: str, filters: Filters) -> pd.DataFrame:
    """counts.sampled_ratings() for the reader's scope: ratings of a sample of items, by group of raters."""
    return _counted("sampled_ratings", snapshot, current_scope(), (axis, filters), ())


def raters_in_groups(snapshot: Snapshot, axis: str, filters: Filters) -> dict[str, int]:
    """counts.raters_in_groups() for the reader's scope."""
    return _counted("raters_in_groups", snapshot, current_scope(), (axis, filters), ())


# ---- from labels to models -------------------------------------------------------------------------------------


@st.cache_data(**KEPT)
def _modelled(name: str, snapshot: Snapshot, scope: Scope, arguments: tuple) -> object:
    return getattr(model_data, name)(snapshot, scope, *arguments)


@st.cache_resource(**KEPT)
def _lineage(snapshot: Snapshot, scope: Scope) -> model_data.Lineage:
    return model_data.lineage(snapshot, scope)


def lineage(snapshot: Snapshot) -> model_data.Lineage:
    """model_data.lineage() for the reader's scope: batches, datasets, models, measures, incidents.

    A page asks for it a dozen times: the columns are shared, and what the caller writes to a frame stays the caller's.
    """
    return model_data.Lineage(*(rows.copy(deep=False) for rows in _lineage(snapshot, current_scope())))


def batch_sums(snapshot: Snapshot, by: Sequence[str] = model_data.WHOLE) -> pd.DataFrame:
    """model_data.batch_sums() for the reader's scope: sums of the work in each batch."""
    return _modelled("batch_sums", snapshot, current_scope(), (tuple(by),))


def batch_items(snapshot: Snapshot, by: Sequence[str]) -> pd.DataFrame:
    """model_data.batch_items() for the reader's scope: how many items each batch has of a policy or language."""
    return _modelled("batch_items", snapshot, current_scope(), (tuple(by),))


def labelled_at(snapshot: Snapshot, by: Sequence[str]) -> pd.DataFrame:
    """model_data.labelled_at() for the reader's scope: when a batch's labels of a policy or language were asked for."""
    return _modelled("labelled_at", snapshot, current_scope(), (tuple(by),))


def case_pairs(snapshot: Snapshot) -> pd.DataFrame:
    """model_data.case_pairs() for the reader's scope: common cases of consecutive versions of a benchmark."""
    return _modelled("case_pairs", snapshot, current_scope(), ())


# ---- live from the warehouse -----------------------------------------------------------------------------------


@st.cache_data(**LIVE)
def _live(name: str, url_of: str, snapshot: Snapshot, scope: Scope, arguments: tuple, options: tuple) -> object:
    return getattr(drill, name)(settings.load(), *arguments, scope=scope, **dict(options))


def _from_warehouse(name: str, snapshot: Snapshot, *arguments: object, **options: object) -> object:
    named = tuple(sorted(options.items()))
    return _live(name, snapshot.meta.warehouse, snapshot, current_scope(), arguments, named)


def ratings(snapshot: Snapshot, filters: Filters, **options: object) -> drill.Ratings:
    """drill.ratings() for the reader's scope: single ratings, live; raises WarehouseUnavailable or NotAllowed."""
    return _from_warehouse("ratings", snapshot, filters, **options)


def hours_into_shift(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """drill.hours_into_shift() for the reader's scope, live; raises as ratings() does."""
    return _from_warehouse("hours_into_shift", snapshot, filters)


def gold_met(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """drill.gold_met() for the reader's scope, live; raises as ratings() does."""
    return _from_warehouse("gold_met", snapshot, filters)


def gold_pool(snapshot: Snapshot, projects: Sequence[str]) -> int:
    """drill.gold_pool() for the reader's scope, live; raises as ratings() does."""
    return _from_warehouse("gold_pool", snapshot, tuple(projects))


def link_data(snapshot: Snapshot) -> LinkData:
    """link_data.link_data() for the reader's scope: batches, models, benchmarks and what the batches' labels are like.

    The frames are shared between readers of one scope and are not to be changed.
    """
    return _link_data(snapshot, current_scope())


@st.cache_resource(max_entries=6, show_spinner=False, hash_funcs={Snapshot: lambda s: s.id})
def _link_data(snapshot: Snapshot, scope: Scope) -> LinkData:
    return read_link_data(snapshot, scope)
