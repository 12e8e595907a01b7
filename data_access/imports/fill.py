"""Landing judgements: compares them with the warehouse, then inserts them and whatever rows they need around them.

Existing rows of projects, items, raters and pools are never changed: what is missing is added, and a row of the file
that states something else about them is rejected.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import sqlalchemy as sa

from data_access import tables
from data_access.imports import checks, land, projects
from data_access.imports.contract_table import (
    CONFLICT,
    Outcome,
    aliases,
    conflict_reason,
    reject_judged,
    reject_unknown,
)
from data_access.imports.judgements import RATER, Judgements
from data_access.imports.mapping import Mapping
from data_access.imports.report import Faults
from data_access.imports.times import Clock

_ITEM_DEFAULTS = {"language": "unknown", "policy": "unknown", "content_type": "unknown", "severity": 0}
_RATER_DEFAULTS = {"language": "unknown", "locale": "unknown"}


def land_judgements(
    connection: sa.Connection, made: Judgements, own: dict[str, dict[str, str]], rules: Mapping, clock: Clock
) -> Outcome:
    """Insert what is new. Raises LoadRefused when the mapping contradicts the warehouse; faults go to ``made``."""
    frame, faults = made.frame, made.faults
    found = projects.resolve(connection, frame, own, rules, faults, clock)
    with_labels = set(found.declared) - {row["project_id"] for row in found.new}
    sets = [project for project, level in found.levels.items() if level == "set"]
    for name in ("label", "gold_label"):
        if name in frame:
            in_set = frame["project_id"].isin(sets) & frame[name].notna()
            if in_set.any():
                frame[name] = frame[name].where(
                    ~in_set, frame.loc[in_set, name].map(checks.as_set).reindex(frame.index)
                )
            checks.check_labels(frame["project_id"], frame[name], found.declared, found.levels, faults)
    _agree(frame, "item_id", [*made.stated_items, "project_id"], faults)
    _agree(frame, "rater_id", [RATER + name for name in made.stated_raters], faults)
    _compare(connection, tables.items, frame, made.stated_items, "", faults)
    _compare(connection, tables.raters, frame, made.stated_raters, RATER, faults)

    known_items = _present_items(connection, frame.loc[faults.good() & made.gold, "item_id"])
    judged = faults.good() & ~made.gold
    judged[list(made.again)] = False
    columns = list(tables.annotations.c)
    with land.staged(connection, columns, frame[judged], np.flatnonzero(judged)) as stage:
        for row, column in land.conflicts(connection, stage, tables.annotations, ("annotation_id",)):
            faults.add([row], CONFLICT, conflict_reason(column))
        reject_judged(land.judged_before(connection, stage), faults)
        land.forget(connection, stage, np.flatnonzero(judged & ~faults.good()))
        written = _surroundings(connection, made, found, with_labels, rules, clock)
        inserted, there = land.insert_new(connection, stage, tables.annotations, ("annotation_id",))
    written["annotations"] = inserted

    for row, first in made.again.items():
        if not faults.good()[first]:
            faults.add([row], "repeats a rejected row", f"It repeats {faults.place(first)}, which is rejected.")
    good = faults.good()
    again = int(good[list(made.again)].sum()) if made.again else 0
    gold = frame.loc[good & made.gold, "item_id"]
    gold_there = int(gold.isin(known_items).sum())
    outcome = Outcome(inserted + len(gold) - gold_there, there + again + gold_there, written)
    outcome.switched_off, outcome.notes = made.switched_off, made.notes
    return outcome


def _agree(frame: pd.DataFrame, key: str, columns: Sequence[str], faults: Faults) -> None:
    """Reject rows that say something else about the same item or rater than an earlier row of the file."""
    for name in columns:
        stated = frame.loc[faults.good() & frame[name].notna().to_numpy(), [key, name]]
        if stated[name].nunique() <= 1:
            continue
        first = stated.groupby(key, sort=False)[name].transform("first")
        what = name.removeprefix(RATER)
        faults.add(
            stated.index[(stated[name] != first).to_numpy(bool)],
            "contradicts an earlier row",
            f"{what} differs from what an earlier row says of the same {key.removesuffix('_id')}; keep one of them.",
        )


def _stated_rows(frame: pd.DataFrame, key: str, names: Sequence[str], prefix: str, faults: Faults) -> pd.DataFrame:
    """One row per item or rater: the first value stated in each column."""
    good = frame.loc[faults.good(), [key, *[prefix + n for n in names]]]
    rows = good.groupby(key, sort=False).first() if names else good.drop_duplicates(key).set_index(key)
    return rows.rename(columns=lambda n: n.removeprefix(prefix)).reset_index()


def _compare(
    connection: sa.Connection, table: sa.Table, frame: pd.DataFrame, names: Sequence[str], prefix: str, faults: Faults
) -> None:
    """Reject rows that contradict an item or rater in the warehouse, or refer to a batch that is not there."""
    (key,) = (c.name for c in table.primary_key)
    compared = [*names, "project_id"] if table is tables.items else list(names)
    if not compared:
        return
    stated = _stated_rows(frame, key, compared, prefix, faults)
    conflicts: list[tuple[int, str]] = []
    with land.staged(connection, [table.c[n] for n in stated.columns], stated, np.arange(len(stated))) as stage:
        conflicts = land.conflicts(connection, stage, table, (key,), stated_only=True)
        unknown = land.unknown(connection, stage, table.c.batch_id) if "batch_id" in names else []
    for name in compared:
        differing = stated[key].iloc[[place for place, column in conflicts if column == name]]
        said = frame[key].isin(set(differing)) & frame[prefix + name].notna()
        reason = conflict_reason(name)
        if name == "project_id":
            reason = 'Another project has an item of this id; set [items] prefix = "..." to keep the two apart.'
        faults.add(frame.index[said & faults.good()], CONFLICT, reason)
    if unknown:
        batches = {value for _, value in unknown}
        rows = frame.index[frame["batch_id"].isin(batches)]
        reject_unknown(connection, table.c.batch_id, [(r, frame["batch_id"][r]) for r in rows], faults)


def _present_items(connection: sa.Connection, ids: pd.Series) -> set[str]:
    """Which of the items the warehouse has already: their gold rows are then nothing new."""
    items = ids.drop_duplicates().reset_index(drop=True).to_frame()
    if items.empty:
        return set()
    with land.staged(connection, [tables.items.c.item_id], items, np.arange(len(items))) as stage:
        return set(items["item_id"].iloc[land.found_keys(connection, stage, tables.items, ("item_id",))])


def _surroundings(
    connection: sa.Connection,
    made: Judgements,
    found: projects.Projects,
    with_labels: set[str],
    rules: Mapping,
    clock: Clock,
) -> dict[str, int]:
    """Insert the missing projects, labels, pools, guidelines, raters and items of the good rows, in that order."""
    good = made.frame.loc[made.faults.good()]
    if good.empty:
        return {}
    judged = made.frame.loc[made.faults.good() & ~made.gold]
    new = [row for row in found.new if row["project_id"] in set(good["project_id"])]
    pool = projects.pool_row(connection, rules, clock)
    frames = {
        tables.projects: pd.DataFrame(new, columns=[c.name for c in tables.projects.c]),
        tables.labels: projects.labels_of(found, good, rules, with_labels),
        tables.pools: _pools(judged, made.stated_raters, pool),
        tables.guidelines: _guidelines(judged),
        tables.raters: _raters(judged, made.stated_raters, pool["pool_id"]) if len(judged) else judged,
        tables.items: _items(good, made.stated_items),
    }
    return {table.name: land.add_missing(connection, table, frame) for table, frame in frames.items()}


def _pools(judged: pd.DataFrame, stated: Sequence[str], default: dict) -> pd.DataFrame:
    named = judged[RATER + "pool_id"] if "pool_id" in stated else pd.Series([None] * len(judged), dtype="str")
    rows = [default | {"pool_id": pool, "name": pool} for pool in named.dropna().unique() if pool != default["pool_id"]]
    if named.isna().any():
        rows.append(default)
    return pd.DataFrame(rows, columns=[c.name for c in tables.pools.c])


def _guidelines(judged: pd.DataFrame) -> pd.DataFrame:
    named = judged[judged["guideline_version"].notna()]
    rows = named.groupby(["project_id", "guideline_version"], sort=True)["submitted_at"].min().reset_index()
    rows = rows.rename(columns={"guideline_version": "version", "submitted_at": "effective_from"})
    return rows.assign(summary=pd.Series(["Named by imported annotations."] * len(rows), dtype="str"))


def _raters(judged: pd.DataFrame, stated: Sequence[str], pool: str) -> pd.DataFrame:
    rows = _stated_rows(judged, "rater_id", stated, RATER, Faults("", np.arange(len(judged))))
    first = judged.groupby("rater_id", sort=False)["submitted_at"].min().dt.normalize()
    rows = _complete(rows, tables.raters, _RATER_DEFAULTS | {"pool_id": pool})
    rows["alias"] = aliases(rows["rater_id"])
    rows["hired_on"] = rows["hired_on"].fillna(rows["rater_id"].map(first))
    return rows


def _items(good: pd.DataFrame, stated: Sequence[str]) -> pd.DataFrame:
    rows = _stated_rows(good, "item_id", ["project_id", *stated], "", Faults("", np.arange(len(good))))
    first = good.groupby("item_id", sort=False)["submitted_at"].min()
    rows = _complete(rows, tables.items, _ITEM_DEFAULTS)
    rows["created_at"] = rows["created_at"].fillna(rows["item_id"].map(first))
    return rows


def _complete(rows: pd.DataFrame, table: sa.Table, defaults: dict) -> pd.DataFrame:
    """Every column of ``table``: what is stated, else the default, else missing."""
    for column in table.c:
        if column.name not in rows:
            kind = "datetime64[us]" if isinstance(column.type, sa.DateTime | sa.Date) else object
            rows[column.name] = pd.Series([None] * len(rows), index=rows.index, dtype=kind)
        if column.name in defaults:
            rows[column.name] = rows[column.name].fillna(defaults[column.name])
    return rows
