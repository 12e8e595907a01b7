"""Dated changes weighed: the ledger's rows for the reader's scope, kept per snapshot; the tables the page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from data_access import change_data, privacy
from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from metrics.change_ledger import Row, ledger, overall
from metrics.change_units import ALL_WORK, JOINED
from metrics.effects.measures import MEASURES
from metrics.unexplained import Move, Moves, moves
from ui import change_checks, change_words, data

MINUTE = {"max_entries": 20, "show_spinner": False}
PARTS = ("language", "policy")
"""What the rows of a reader with a minimum group are told apart by beyond pools, whose small weeks were left out."""


class Weighed(NamedTuple):
    """changes: the dated changes, newest first, ``attrs["reason"]`` where there is none. rows: the ledger's rows by
    change, none for a change that cannot be told apart. withheld: pools of which the reader sees no week. places: the
    projects and pools that there is work of.
    """

    changes: pd.DataFrame
    rows: dict[str, list[Row]]
    withheld: list[tuple[str, ...]]
    places: frozenset[tuple[str, str]] = frozenset()


def changes(snapshot: Snapshot) -> pd.DataFrame:
    """The dated changes of the reader's scope, newest first."""
    return change_data.changes(snapshot, data.current_scope())


def weighed(snapshot: Snapshot) -> Weighed:
    """Every change weighed, once per snapshot and scope: seconds the first time, which the page tells."""
    found = changes(snapshot)
    many = f"{len(found)} changes" if len(found) != 1 else "one change"
    with st.spinner(f"Weighing {many} against the weeks before them, other places and made-up changes"):
        return _weighed(snapshot.id, snapshot, data.current_scope())


@st.cache_data(**MINUTE)
def _weighed(snapshot_id: str, _snapshot: Snapshot, scope: Scope) -> Weighed:
    found, frames = change_data.changes(_snapshot, scope), frames_of(_snapshot, scope)
    models = change_data.models(_snapshot, scope)
    rows = ledger(found, frames, _snapshot.meta.last_day, models)
    by_change: dict[str, list[Row]] = {str(change): [] for change in found["change_id"]}
    for row in rows:
        if _may_see(_snapshot, scope, row):
            by_change[row.change.change_id].append(row)
    return Weighed(found, by_change, change_data.withheld(frames), _places(frames))


def _places(frames: Mapping[str, pd.DataFrame]) -> frozenset[tuple[str, str]]:
    """The pairs of project and pool with any work."""
    both = [f[["project_id", "pool_id"]].dropna() for f in frames.values() if {"project_id", "pool_id"} <= {*f.columns}]
    return frozenset(pd.concat(both).drop_duplicates().itertuples(index=False, name=None)) if both else frozenset()


def frames_of(snapshot: Snapshot, scope: Scope) -> dict[str, pd.DataFrame]:
    """The weekly sums of the scope, kept per snapshot and scope."""
    return _frames(snapshot.id, snapshot, scope)


@st.cache_data(**MINUTE)
def _frames(snapshot_id: str, _snapshot: Snapshot, scope: Scope) -> dict[str, pd.DataFrame]:
    return change_data.weekly_sums(_snapshot, scope)


def _may_see(snapshot: Snapshot, scope: Scope, row: Row) -> bool:
    """Whether enough raters stand behind every week of a part that the reader would see drawn."""
    if not scope.minimum_raters or not set(PARTS) & set(row.where):
        return True
    behind = change_data.raters_by_week(snapshot, scope, row.where, _behind(row.metric))
    return not privacy.too_few(np.array([*behind.values()]), scope).any()


def _behind(metric: str) -> str:
    """The column of the work that says whose judgements a metric rests on."""
    bottom = MEASURES[metric].bottom
    return next((base for start, base in privacy.FAMILIES.items() if bottom.startswith(start)), "judgements")


@st.cache_data(**MINUTE)
def _moved(snapshot_id: str, _snapshot: Snapshot, scope: Scope) -> Moves:
    found = change_data.changes(_snapshot, scope)
    return moves(found, frames_of(_snapshot, scope), _snapshot.meta.last_day)


def moved(snapshot: Snapshot) -> Moves:
    """Lasting moves of weekly series, with the change on record near each."""
    return _moved(snapshot.id, snapshot, data.current_scope())


def prepare(snapshot: Snapshot, scope: Scope) -> None:
    """Works out what the page asks whatever is chosen on it, for readers of this scope to come."""
    _weighed(snapshot.id, snapshot, scope)
    _moved(snapshot.id, snapshot, scope)


# ---- what is shown ---------------------------------------------------------------------------------------------


def narrowed(found: Weighed, filters: Filters, verdict: str = "", kind: str = "") -> Weighed:
    """The changes that touch the projects and pools filtered for, of one verdict and one kind where asked.

    One to a pool touches the projects the pool works in, one to a project the pools that work there.
    """
    rows = found.changes
    inside = pd.Series(
        [_touches(change, found.places, filters) for change in rows.to_dict("records")], rows.index, bool
    )
    if kind:
        inside &= rows["kind"] == kind
    if verdict:
        inside &= np.array([overall(found.rows[str(c)]).name.lower() == verdict for c in rows["change_id"]], bool)
    kept = rows[inside].reset_index(drop=True)
    kept.attrs = dict(rows.attrs)
    return found._replace(changes=kept, rows={str(c): found.rows[str(c)] for c in kept["change_id"]})


def _touches(change: Mapping[str, object], places: Set[tuple[str, str]], filters: Filters) -> bool:
    """Whether a change came to any of the work filtered for."""
    project, pool = (None if pd.isna(change[f"{k}_id"]) else str(change[f"{k}_id"]) for k in ("project", "pool"))
    wanted = [set(filters.values(name)) for name in ("project", "pool")]
    own = {(p, q) for p, q in places if project in (None, p) and pool in (None, q)} or {(project, pool)}
    return any(all(not w or at is None or at in w for w, at in zip(wanted, place, strict=True)) for place in own)


def unrecorded(found: Moves, filters: Filters) -> list[Move]:
    """The moves without a change on record, of the projects and pools filtered for."""
    chosen = {name: filters.values(name) for name in ("project", "pool")}
    return [
        move
        for move in found.moves
        if move.change_id is None
        and all(not values or move.where.get(name) in (None, *values) for name, values in chosen.items())
    ]


def called(change: Mapping[str, object]) -> str:
    """What a change is called inside a sentence: its summary, or its id where it has none."""
    summary = str(change["summary"] or "").rstrip(".")
    return f"“{summary}”" if summary else str(change["change_id"])


def summaries(found: Weighed) -> dict[str, str]:
    """What each change is called."""
    return dict(zip(found.changes["change_id"], found.changes["summary"], strict=True))


def table(found: Weighed, names: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """One row per change: change_id, summary, kind, since, verdict, and of the row that says most of it metric, where
    (the work it was measured on), effect, reason (of what was not called), design, claim.
    """
    shown = []
    for change in found.changes.to_dict("records"):
        rows = found.rows[str(change["change_id"])]
        lead, said = change_words.leading(rows), overall(rows)
        measured = lead is not None and lead.effect.effect.value is not None
        shown.append(
            {
                "change_id": change["change_id"],
                "summary": change["summary"],
                "kind": change["kind"],
                "where": _place(change, names) if lead is None else change_words.named(lead.where, names),
                "since": pd.Timestamp(change["starts_on"]),
                "verdict": f"{change_words.SHAPES[said]} {said}",
                "metric": "" if lead is None else change_words.label(lead.metric),
                "effect": change_words.effect(lead) if measured else "",
                "reason": change_words.why(lead),
                "design": str(lead.effect.design) if measured else "",
                "claim": change_words.badge(lead) if measured else "",
            }
        )
    return pd.DataFrame(shown)


def _place(change: Mapping[str, object], names: Mapping[str, Mapping[str, str]]) -> str:
    """The work a change touched, as it is on record."""
    touched = {k: str(change[f"{k}_id"]) for k in ("project", "pool") if not pd.isna(change[f"{k}_id"])}
    return change_words.named(touched, names) or ALL_WORK


def metrics_table(rows: Sequence[Row], names: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """One row per metric of a change: metric, where, verdict, effect, p, reason, design, chosen (for what), claim."""
    return pd.DataFrame(
        {
            "metric": [change_words.label(row.metric) for row in rows],
            "where": [change_words.named(row.where, names) for row in rows],
            "verdict": [f"{change_words.SHAPES[row.judgement.verdict]} {row.judgement.verdict}" for row in rows],
            "effect": [change_words.effect(row) for row in rows],
            "p": ["" if row.p_adjusted is None else change_checks.probability(row.p_adjusted) for row in rows],
            "reason": [row.judgement.reason for row in rows],
            "design": [str(row.effect.design) for row in rows],
            "chosen": [row.why for row in rows],
            "claim": ["" if row.effect.effect.value is None else change_words.badge(row) for row in rows],
        }
    )


def moves_table(alone: Sequence[Move], names: Mapping[str, Mapping[str, str]], currency: str) -> pd.DataFrame:
    """Moves without a change on record: metric, where, since, before, after, moved and whether that is better."""
    return pd.DataFrame(
        {
            "metric": [change_words.label(move.metric) for move in alone],
            "where": [change_words.named(move.where, names) for move in alone],
            "since": [pd.Timestamp(move.since) for move in alone],
            "before": [change_words.value(move.metric, move.before, currency) for move in alone],
            "after": [change_words.value(move.metric, move.after, currency) for move in alone],
            "moved": [change_words.move_size(move) for move in alone],
        }
    )


def compared_with(row: Row, names: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """The units a change is compared with and their weights: name, weight; the heaviest first."""
    known = names.get(change_words.unit_kind(row), {})
    found = pd.DataFrame([(*pair,) for pair in row.effect.comparison], columns=["name", "weight"])
    # Pools of several projects are called by both.
    apart = [name.rpartition(JOINED) for name in found["name"]]
    found["name"] = [
        f"{names.get('project', {}).get(project, project)}, {known.get(unit, unit)}"
        if joined
        else known.get(unit, unit)
        for project, joined, unit in apart
    ]
    return found.sort_values("weight", ascending=False, kind="stable").reset_index(drop=True)


def one(found: Weighed, change_id: str) -> dict[str, object] | None:
    """The change of this id, None where the reader has none such."""
    rows = found.changes[found.changes["change_id"] == change_id].to_dict("records")
    return rows[0] if rows else None
