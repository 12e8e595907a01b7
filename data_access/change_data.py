"""What dated changes are judged by, read from the snapshot: weekly sums by project, pool, language and policy.

Every function takes the reader's scope; no scope, no rows. A reader with a minimum group gets no week of a project's
pool that fewer raters or judgements stand behind. What is withheld is named in ``attrs["withheld"]``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from data_access import counts, filter_values, privacy
from data_access.filters import Filters, Scope
from data_access.model_data import batch_sums, lineage
from data_access.snapshot import Snapshot

LABELLING = Filters.of({"stage": ["label"]})
KEYS = {"project": "project_id", "pool": "pool_id"}
WORK = (
    "judgements",
    "gold_n",
    "gold_correct",
    "gold_harmless_n",
    "gold_overreached",
    "gold_violating_n",
    "gold_missed",
    "first_accepted",
    "first_decided",
    "audited_n",
    "audited_weight",
    "audited_weight_passed",
    "audited_weight_squared",
    "handle_n",
    "handle_sum_log",
)
BENCHMARK = "safety_benchmark_score"
NOTHING = "nothing here is shared with you"


class Work(NamedTuple):
    """Where a source is read: mart, sums, dimensions beside the week, and the column that says who stands behind."""

    mart: str
    sums: tuple[str, ...]
    by: tuple[str, ...]
    needs: str  # the warehouse's table without which there is nothing


SOURCES = {
    "work": Work("work", WORK, ("project", "pool", "language", "policy"), "annotations"),
    "ledger": Work("ledger", ("cost", "labels"), ("project", "pool", "language", "policy"), "costs"),
    "flow": Work("flow", ("due", "due_in_time"), ("project", "language", "policy"), "items"),
    "shift": Work("shift", ("logged_seconds", "active_seconds"), ("pool",), "shifts"),
    "comparison": Work("comparison", ("decided", "first_chosen"), ("project", "pool"), "comparisons"),
}


def changes(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """The dated changes the scope may see, newest first; without any, ``attrs["reason"]`` says why."""
    rows = filter_values.changes(snapshot, scope) if not scope.is_nobody else snapshot.table("change").iloc[:0]
    rows = rows.sort_values(["starts_on", "change_id"], ascending=False).reset_index(drop=True)
    if scope.is_nobody:
        rows.attrs["reason"] = NOTHING
    elif rows.empty:
        there = "changes" in _present(snapshot)
        rows.attrs["reason"] = "no dated change is in view" if there else 'the warehouse has no table "changes"'
    return rows


def weekly_sums(snapshot: Snapshot, scope: Scope) -> dict[str, pd.DataFrame]:
    """The frames of ``metrics.effects.measures`` by source: week (its Monday), the keys of a cell, sums as numbers.

    work: first labels, without reviews; handle times on the time basis that most of a project's labels have. audits of
    days that still await some are left out. benchmark: weekly means by project, times cases. A source whose table the
    warehouse lacks, or that the scope cannot be told apart in, is not there.
    """
    if scope.is_nobody:
        return {}
    present = _present(snapshot)
    frames = {}
    for name, source in SOURCES.items():
        if source.needs not in present:
            continue
        rows = _work(snapshot, scope) if name == "work" else _sums(snapshot, scope, source)
        rows = _large_enough(snapshot, scope, name, rows)
        if len(rows):
            frames[name] = rows
    scores = _benchmark(snapshot, scope)
    if len(scores):
        frames["benchmark"] = scores
    return frames


def models(snapshot: Snapshot, scope: Scope) -> dict[str, pd.DataFrame]:
    """Model versions of the scope's projects as ``metrics.change_models`` reads them: scores, and the items of their
    batches by pool.

    A batch's items are shared out over pools as its judgements by its close are, those of a withheld pool to none. No
    batches for a reader of single pools: which items are theirs is not known.
    """
    found = lineage(snapshot, scope)
    versions = found.models[["model_version", "project", "trained_at", "dataset_version"]]
    versions = versions[versions["project"].notna()].rename(columns=KEYS)
    scores = found.measures[
        ["model_version", "benchmark", "metric", "language", "policy", "value", "n", "higher_is_better"]
    ]
    behind = _by_pool(found.batches[found.batches["items"].notna()], snapshot, scope)
    scores, batches = (
        rows.merge(versions, on=key) for rows, key in ((scores, "model_version"), (behind, "dataset_version"))
    )
    number = {name: pd.to_numeric(scores[name], errors="coerce").astype(float) for name in ("value", "n")}
    return {"scores": scores.assign(**number), "batches": batches[["model_version", "pool_id", "labelled_at", "items"]]}


def raters_by_week(snapshot: Snapshot, scope: Scope, where: Mapping[str, str], column: str) -> dict[dt.date, int]:
    """How many raters have something in ``column`` of `work` in each week of a part of it, by the week's Monday.

    where: project, pool, language, policy, as a row of the ledger names its work. column: as in ``privacy.FAMILIES``.
    """
    filters = Filters.of({**{name: [value] for name, value in where.items()}, "stage": ["label"]})
    found = privacy.raters_behind(snapshot, ("week",), filters, scope, column)
    return {pd.Timestamp(week).date(): raters for (week,), raters in found.items()}


# ---- parts of these --------------------------------------------------------------------------------------------


def _present(snapshot: Snapshot) -> set[str]:
    sources = snapshot.table("source")
    return set(sources.loc[sources["present"].astype(bool), "table_name"])


def _by_pool(batches: pd.DataFrame, snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """The items of batches by pool, as their judgements are: dataset_version, pool_id (null for what no pool in view
    judged), labelled_at, items.
    """
    whole = batch_sums(snapshot, scope).set_index("batch_id")["judgements"]
    pools = batch_sums(snapshot, scope, ("batch", "pool"))[["batch_id", "pool", "judgements"]]
    pools["part"] = pools["judgements"] / pools["batch_id"].map(whole)
    pools = pools[pools["part"] > 0].rename(columns=KEYS)[["batch_id", "pool_id", "part"]]
    rest = 1 - batches["batch_id"].map(pools.groupby("batch_id")["part"].sum()).fillna(0.0)
    left = batches[["batch_id"]].assign(pool_id=None, part=rest)
    shares = pd.concat([pools, left[left["part"] > 1e-9]], ignore_index=True)
    found = batches[["batch_id", "dataset_version", "labelled_at", "items"]].merge(shares, on="batch_id")
    return found.assign(items=found["items"] * found["part"])


def _work(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """First labels by week and cell, late audits and other time bases left out."""
    by = ("week", *SOURCES["work"].by)
    rows = counts.counts(snapshot, "work", WORK, by, LABELLING, scope, ("time_basis",))
    usual = rows.groupby(["project", "time_basis"])["handle_n"].sum().reset_index()
    usual = usual.sort_values(["handle_n", "time_basis"], ascending=[False, True]).drop_duplicates("project")
    basis = rows["project"].map(usual.set_index("project")["time_basis"])
    timed = [c for c in WORK if c.startswith("handle_")]
    rows[timed] = rows[timed].where(rows["time_basis"] == basis, 0.0)
    rows = rows.groupby(list(by), sort=False)[list(WORK)].sum().reset_index()
    late = snapshot.meta.provisional_from
    if late is not None:
        audited = [c for c in WORK if c.startswith("audited_")]
        ends = pd.to_datetime(rows["week"]) + pd.Timedelta(days=6)
        rows.loc[ends >= pd.Timestamp(late), audited] = 0.0
    lacking = [c for c in WORK if c.startswith("audited_")] if "audits" not in _present(snapshot) else []
    return _keyed(rows.drop(columns=lacking))


def _sums(snapshot: Snapshot, scope: Scope, source: Work) -> pd.DataFrame:
    return _keyed(counts.counts(snapshot, source.mart, source.sums, ("week", *source.by), Filters(), scope))


def _keyed(rows: pd.DataFrame) -> pd.DataFrame:
    """Weeks as timestamps, ids under the contract's names, nothing that belongs to no week."""
    rows = rows.rename(columns=KEYS)
    rows = rows[rows["week"].notna()].reset_index(drop=True)
    return rows.assign(week=pd.to_datetime(rows["week"]).astype("datetime64[ns]"))


def _large_enough(snapshot: Snapshot, scope: Scope, name: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Without the weeks of a project's pool, or of a pool, that too few raters or judgements stand behind."""
    rows.attrs["withheld"] = []
    cell = [column for column in KEYS.values() if column in rows]
    if rows.empty or "pool_id" not in rows or not (scope.minimum_raters or scope.minimum_items):
        return rows
    by = [dimension for dimension, column in KEYS.items() if column in cell]
    own = name == "comparison"
    filters, mart, column = (Filters(), name, "decided") if own else (LABELLING, "work", "judgements")
    behind = privacy.raters_behind(snapshot, ("week", *by), filters, scope, column, mart)
    cells = pd.DataFrame([(pd.Timestamp(week), *key) for week, *key in behind], columns=["week", *cell])
    cells["raters"] = list(behind.values())
    keyed = rows.merge(cells, on=["week", *cell], how="left")
    # A week in which nobody judged has no number, but may have what one rater was paid.
    few = keyed["raters"].fillna(0).to_numpy() < scope.minimum_raters
    few &= rows["pool_id"].notna().to_numpy()  # what a project pays for no pool is nobody's work
    if "judgements" in rows:
        few |= (rows.groupby(["week", *cell])["judgements"].transform("sum") < scope.minimum_items).to_numpy()
    hidden = {tuple(key) for key in rows.loc[few, cell].drop_duplicates().itertuples(index=False)}
    shown = rows[~few].reset_index(drop=True)
    left = {tuple(key) for key in shown[cell].drop_duplicates().itertuples(index=False)}
    shown.attrs["withheld"] = sorted(hidden - left)
    return shown


def _benchmark(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """Scores of a project's models by the week they were measured in; a reader of single pools has no models."""
    rows = lineage(snapshot, scope).measures
    rows = rows[rows["project"].notna() & (rows["metric"] == BENCHMARK)]
    rows = rows[rows["value"].notna() & rows["measured_at"].notna()]
    # A version measured in slices alone has its score from them; a slice of what is known whole would count twice.
    cut = rows[["language", "policy"]].notna().sum(axis=1)
    rows = rows[cut == cut.groupby(rows["model_version"]).transform(_finest)]
    n = rows["n"].fillna(1).to_numpy(float)
    monday = pd.to_datetime(rows["measured_at"]).dt.to_period("W-SUN").dt.start_time
    found = pd.DataFrame(
        {
            "week": monday.astype("datetime64[ns]"),
            "project_id": rows["project"],
            "score": np.asarray(rows["value"], float) * n,
            "n": n,
        }
    )
    found = found.groupby(["week", "project_id"], sort=False)[["score", "n"]].sum().reset_index()
    found.attrs["withheld"] = []
    return found


def _finest(cut: pd.Series) -> int:
    """Which rows of a version to take: those over all cases, where there are none those by most dimensions."""
    return 0 if (cut == 0).any() else int(cut.max())


def withheld(frames: Mapping[str, pd.DataFrame]) -> list[tuple[str, ...]]:
    """The projects' pools, or pools, of which no week could be shown in some source."""
    names: Iterable[tuple[str, ...]] = {key for frame in frames.values() for key in frame.attrs.get("withheld", [])}
    return sorted(names)
