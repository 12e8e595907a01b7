"""A file whose rows are rows of one contract table: raters.csv, costs.parquet and the like."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from data_access import tables
from data_access.imports import checks, land, pseudonyms
from data_access.imports.landing import Landing, find_column
from data_access.imports.mapping import Mapping
from data_access.imports.report import Faults, show
from data_access.imports.times import Clock
from data_access.imports.values import MOST_HINTS, PERSONS, nearest, parse, sentence

CONFLICT = "conflict with a row loaded before"


@dataclass
class Outcome:
    """What became of one file's rows, and how many new rows each table has."""

    accepted: int
    present: int
    written: dict[str, int]
    notes: list[str] = field(default_factory=list)
    switched_off: list[str] = field(default_factory=list)
    currency: str = ""  # of the file's amounts, where it names one


def sources(path: Path, table: sa.Table, columns: list[str], mapping: Mapping) -> dict[str, str]:
    """{contract column: file column} of what the file gives. Raises LoadRefused when a required one is lacking."""
    found: dict[str, str] = {}
    for column in table.c:
        name = column.name
        if (table.name, name) == ("raters", "alias"):
            continue  # made from the pseudonym: a name in the file must not reach the database
        if name in mapping.columns:
            found[name] = find_column(path, mapping.columns[name], columns, f" (mapped to {name})")
        elif name in columns and name not in mapping.columns.values():
            found[name] = name
        elif name not in mapping.constants and not column.nullable:
            find_column(path, name, columns, f", which {table.name} requires")
    return found


def fits(table: sa.Table, columns: list[str]) -> bool:
    """Whether a file with these columns has every required column of the table."""
    return all(c.nullable or c.name in columns or (table.name, c.name) == ("raters", "alias") for c in table.c)


def constant(value: str, rows: int) -> pd.Series:
    """One text for every row."""
    return pd.Series(pa.repeat(pa.scalar(value, pa.large_string()), rows).to_pandas(), dtype="str")


def hashed(ids: pd.Series, secret: str, prefix: str = "") -> pd.Series:
    """Source ids of raters as pseudonyms, missing where missing."""
    codes, distinct = pd.factorize(ids)
    made = np.array([pseudonyms.pseudonym(prefix + source, secret) for source in distinct] + [None], dtype=object)
    return pd.Series(made[codes], index=ids.index, dtype="str", name=ids.name)


def aliases(rater_ids: pd.Series) -> pd.Series:
    """The alias of each rater id."""
    return pd.Series([None if pd.isna(r) else pseudonyms.alias(r) for r in rater_ids], rater_ids.index, dtype="str")


def load_table(
    connection: sa.Connection, landing: Landing, table: sa.Table, mapping: Mapping, secret: str, clock: Clock
) -> tuple[Outcome, Faults]:
    """Check the file's rows against the contract and the warehouse, and insert those that are new."""
    faults = Faults(landing.path.name, landing.lines, landing.unit)
    frame = _typed(landing, table, mapping, secret, clock, faults)
    checks.check_order(table.name, frame, faults)
    notes = checks.check_hours(frame, faults) if table is tables.shifts else []
    key = land.key_of(table)
    again = checks.check_repeated(frame, key, faults)
    if table is tables.annotations:
        _check_annotations(frame, again, mapping, faults)
    good = faults.good()
    good[list(again)] = False
    with land.staged(connection, list(table.c), frame[good], np.flatnonzero(good)) as stage:
        _check_references(connection, stage, table, faults)
        _check_labels(connection, stage, table, frame, faults)
        if table is tables.annotations:
            _check_against_items(connection, stage, faults)
        _reject_conflicts(connection, stage, table, key, faults)
        land.forget(connection, stage, np.flatnonzero(good & ~faults.good()))
        inserted, there = land.insert_new(connection, stage, table, key)
    rejected = {row for row in again.values() if not faults.good()[row]}
    for row, first in again.items():
        if first in rejected:
            faults.add([row], "repeats a rejected row", f"It repeats {faults.place(first)}, which is rejected.")
    present = there + int(faults.good()[list(again)].sum()) if again else there
    absent = [c for c in table.c if c.nullable and c.name not in mapping.constants and frame[c.name].isna().all()]
    switched_off = [f"no {c.name}: what needs it is not available ({c.comment.rstrip('.')})" for c in absent]
    return Outcome(inserted, present, {table.name: inserted}, notes, switched_off), faults


def _typed(landing: Landing, table: sa.Table, mapping: Mapping, secret: str, clock: Clock, faults: Faults):
    given = sources(landing.path, table, landing.columns, mapping)
    rows = len(landing.frame)
    typed: dict[str, pd.Series] = {}
    for column in table.c:
        name = column.name
        if name in given:
            text = landing.frame[given[name]]
        elif name in mapping.constants:
            text = constant(mapping.constants[name], rows)
        else:
            text = pd.Series([None] * rows, dtype="str")
        optional = column.nullable or (table.name, name) == ("raters", "alias")
        typed[name] = parse(column, text, clock, faults, required=not optional)
        if name in PERSONS:
            typed[name] = hashed(typed[name], secret, mapping.rater_prefix)
    if table is tables.raters:
        typed["alias"] = aliases(typed["rater_id"])
    return pd.DataFrame(typed, index=pd.RangeIndex(rows))


def _check_annotations(frame: pd.DataFrame, again: dict[int, int], mapping: Mapping, faults: Faults) -> None:
    skipped = (frame["status"] == "skipped").to_numpy(bool)
    check_answers(frame["label"], skipped, faults)
    alone = frame.drop(index=list(again))
    checks.check_repeats(alone, mapping.keep, FaultsOfSome(faults, alone.index))


def check_answers(label: pd.Series, skipped: np.ndarray, faults: Faults) -> None:
    """Reject judgements without a label, unless skipped, and skipped ones with a label."""
    empty = label.isna().to_numpy()
    faults.add(
        np.flatnonzero(empty & ~skipped),
        "no label",
        'label is empty; where the rater skipped, set status to "skipped".',
    )
    faults.add(
        np.flatnonzero(~empty & skipped),
        "label on a skipped row",
        "status is skipped but there is a label; remove one.",
    )


class FaultsOfSome:
    """Faults seen by some rows only: ``good`` answers for those, ``add`` and ``place`` still take positions."""

    def __init__(self, faults: Faults, index: pd.Index) -> None:
        self._faults, self._index = faults, index
        self.add, self.place = faults.add, faults.place

    def good(self) -> np.ndarray:
        """One boolean per row of the subset: whether nothing was found against it."""
        return self._faults.good()[self._index]


def _check_references(connection: sa.Connection, stage: sa.Table, table: sa.Table, faults: Faults) -> None:
    before = -1
    while before != len(faults):  # a rejected row of the file may be what another one refers to
        before = len(faults)
        for column in table.c:
            if column.info.get("refers_to"):
                reject_unknown(connection, column, land.unknown(connection, stage, column), faults)
                if column.info["refers_to"] == table.name:
                    land.forget(connection, stage, np.flatnonzero(~faults.good()))


def reject_unknown(connection: sa.Connection, column: sa.Column, found: list[tuple[int, str]], faults: Faults) -> None:
    """Reject rows that refer to something not loaded, naming the nearest; a rater is never named."""
    if not found:
        return
    target = column.info["refers_to"]
    one = target.replace("_", " ").removesuffix("s").replace("batche", "batch")
    known: list[str] = []
    if column.name not in PERSONS:
        (key,) = tables.metadata.tables[target].primary_key
        known = list(connection.scalars(sa.select(key).order_by(key).limit(1_000)))
    reasons: dict[str, str] = {}
    for row, value in found:
        if value not in reasons:
            name = "" if column.name in PERSONS else f" {show(value)}"
            near = nearest(value, known) if len(reasons) < MOST_HINTS else ""
            near = near or f"; load {target} first"
            reasons[value] = sentence(f"There is no {one}{name} in the warehouse ({column.name}){near}")
        faults.add([row], f"unknown {one}", reasons[value])


def _check_labels(connection: sa.Connection, stage: sa.Table, table: sa.Table, frame: pd.DataFrame, faults: Faults):
    name = {"annotations": "label", "items": "gold_label", "audits": "correct_label"}.get(table.name)
    if name is None:
        return
    projects = frame["project_id"] if "project_id" in frame else _audited_projects(connection, stage, frame)
    declared, levels = checks.declared_labels(connection)
    checks.check_labels(projects, frame[name], declared, levels, faults)


def _audited_projects(connection: sa.Connection, stage: sa.Table, frame: pd.DataFrame) -> pd.Series:
    a = tables.annotations
    query = sa.select(stage.c[land.ROW], a.c.project_id).join(a, a.c.annotation_id == stage.c.annotation_id)
    found = dict(connection.execute(query).all())
    return pd.Series([found.get(row) for row in frame.index], index=frame.index, dtype="str")


def _check_against_items(connection: sa.Connection, stage: sa.Table, faults: Faults) -> None:
    i = tables.items
    wrong = sa.select(stage.c[land.ROW]).join(i, i.c.item_id == stage.c.item_id)
    rows = list(connection.scalars(wrong.where(i.c.project_id != stage.c.project_id)))
    faults.add(rows, "item of another project", "The item belongs to another project; correct project_id or item_id.")


def _reject_conflicts(connection: sa.Connection, stage: sa.Table, table: sa.Table, key: tuple, faults: Faults) -> None:
    for row, column in land.conflicts(connection, stage, table, key):
        faults.add([row], CONFLICT, conflict_reason(column))
    if table is tables.annotations:
        reject_judged(land.judged_before(connection, stage), faults)


def conflict_reason(column: str) -> str:
    """The sentence for a key that is in the warehouse with another value in ``column``."""
    return (
        f"It conflicts with a row loaded before: {column} differs; a load never changes rows, correct the row in the "
        "warehouse or the file."
    )


def reject_judged(rows: list[int], faults: Faults) -> None:
    """Reject annotations of an item its rater has judged at that stage, under another annotation id."""
    faults.add(
        rows, "repeated judgement", "The warehouse has another judgement of this item by this rater at this stage."
    )
