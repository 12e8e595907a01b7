"""From a landing frame to judgements: one row per rater, item and stage, typed, pseudonymised and with its own id."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import sqlalchemy as sa

from data_access import tables
from data_access.imports import checks, pseudonyms
from data_access.imports.contract_table import FaultsOfSome, check_answers, constant, hashed
from data_access.imports.landing import Landing, find_column
from data_access.imports.mapping import JUDGEMENT_COLUMNS, REPEAT, Mapping
from data_access.imports.report import Faults
from data_access.imports.times import Clock
from data_access.imports.values import parse
from metrics.errors import LoadRefused

RATER = "rater:"  # before the name of a rater's attribute, which may also be an item's (language)
ITEM_COLUMNS = tuple(c.name for c in tables.items.c if c.name not in ("item_id", "project_id"))
_REQUIRED = ("item_id", "rater_id", "label", "submitted_at")
_WIDE_RATER, _WIDE_LABEL = "(rater)", "(label)"
_KPIS = {
    "handle_seconds": "no duration: handle time is not available",
    "gold_label": "no gold labels: accuracy against gold is not available",
    "status": "no status: skip, rejection and rework rates are not available",
    "guideline_version": "no guideline version: KPIs by guideline are not available",
    "created_at": "no creation times: an item counts from its first judgement, so waiting times are not available",
    "closed_at": "no closing times: backlog and time to decision are not available",
    "due_at": "no due times: timeliness is not available",
}


@dataclass
class Judgements:
    """``frame``: the annotations' columns, items' columns and ``rater:`` columns, row by row of the file.

    ``stated_items`` and ``stated_raters`` name the columns the file itself gives; the rest are defaults. ``gold``
    marks a gold author's own answers, which are no judgements; ``again`` is {row: first row} of exact duplicates.
    """

    frame: pd.DataFrame
    faults: Faults
    gold: np.ndarray
    again: dict[int, int]
    stated_items: list[str]
    stated_raters: list[str]
    switched_off: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def wanted(landing_columns: list[str], mapping: Mapping) -> set[str]:
    """The columns of a file that a load of judgements reads."""
    named = {*mapping.columns.values(), *mapping.raters.values(), *mapping.wide_raters, mapping.wide_item}
    given = set(mapping.columns) | set(mapping.constants)
    return {c for c in landing_columns if c in named or (c in JUDGEMENT_COLUMNS and c not in given)}


def unfold(landing: Landing, mapping: Mapping) -> Landing:
    """A wide table as one row per rater who gave a label; any other landing as it is."""
    if not mapping.wide_item:
        return landing
    for name in (mapping.wide_item, *mapping.wide_raters):
        find_column(landing.path, name, landing.columns, " (named in [wide])")
    raters = list(mapping.wide_raters)
    rest = [c for c in landing.frame.columns if c not in raters]
    long = landing.frame.assign(**{"(row)": range(len(landing.frame))}).melt(
        id_vars=[*rest, "(row)"], value_vars=raters, var_name=_WIDE_RATER, value_name=_WIDE_LABEL
    )
    long = long[long[_WIDE_LABEL].notna()].sort_values("(row)", kind="stable", ignore_index=True)
    lines = landing.lines[long.pop("(row)").to_numpy(np.int64)]
    frame = long.astype("str")
    return Landing(landing.path, landing.format, landing.columns, frame, lines, landing.rejections, landing.unit)


class _Cells:
    """Finds the text of a contract column: mapped, constant, or a column of that name not mapped to another."""

    def __init__(self, landing: Landing, mapping: Mapping) -> None:
        self.landing = landing
        self.mapping = mapping
        self.columns = dict(mapping.columns)
        self.used = {*mapping.columns.values(), *mapping.raters.values(), *mapping.wide_raters, mapping.wide_item}
        if mapping.wide_item:
            self.columns |= {"item_id": mapping.wide_item, "rater_id": _WIDE_RATER, "label": _WIDE_LABEL}
        self.has = [*landing.columns, _WIDE_RATER, _WIDE_LABEL] if mapping.wide_item else landing.columns

    def text(self, name: str) -> pd.Series | None:
        """The cells of a contract column, by mapping, constant or its own name; None where the file has none."""
        if name in self.columns:
            return self.of_file(self.columns[name], f" (mapped to {name})")
        if name in self.mapping.constants:
            return constant(self.mapping.constants[name], len(self.landing.frame))
        return None if name in self.used else self.landing.frame.get(name)

    def of_file(self, column: str, purpose: str) -> pd.Series:
        """The cells of a column of the file; LoadRefused, with what it is for, where there is none."""
        return self.landing.frame[find_column(self.landing.path, column, self.has, purpose)]

    def needed(self, name: str) -> pd.Series:
        """The cells of a contract column; LoadRefused where the file has none."""
        text = self.text(name)
        if text is None:
            find_column(
                self.landing.path,
                name,
                self.landing.columns,
                f"; map it in [columns] or give it in [constants] ({name})",
            )
        return text


def build(landing: Landing, mapping: Mapping, secret: str, clock: Clock) -> Judgements:
    """Typed judgements of a landing frame. Raises LoadRefused when a column every judgement needs is lacking."""
    cells = _Cells(landing, mapping)
    faults = Faults(landing.path.name, landing.lines, landing.unit)
    rows = len(landing.frame)
    gold = np.zeros(rows, dtype=bool)
    if landing.gold_rows:
        gold = landing.frame[landing.gold_rows].notna().to_numpy()
    frame = pd.DataFrame(index=pd.RangeIndex(rows))
    frame["project_id"] = parse(tables.projects.c.project_id, _projects(cells, rows), clock, faults)
    stated: list[str] = []
    notes = list(landing.notes)
    for column in (*tables.annotations.c, *tables.items.c):
        name = column.name
        if name in frame:
            continue
        text = cells.needed(name) if name in _REQUIRED else cells.text(name)
        if text is None:
            continue
        stated.append(name)
        if name == "handle_seconds" and mapping.empty_impossible_times:
            frame[name], note = _possible(column, text, clock, faults)
            notes += note
        else:
            frame[name] = parse(column, text, clock, faults, required=name in _REQUIRED and name != "label")
    _defaults(frame)
    check_answers(frame["label"].mask(gold, "(gold)"), (frame["status"] == "skipped").to_numpy(bool) & ~gold, faults)
    if mapping.item_prefix:
        frame["item_id"] = mapping.item_prefix + frame["item_id"]
        _check_length(frame["item_id"], faults)
    stated_raters = _raters(cells, frame, secret, clock, faults)
    again = _sessions(cells, frame, gold, clock, faults)
    _annotation_ids(frame, faults)
    stated_items = [name for name in stated if name in ITEM_COLUMNS]
    checks.check_order("items", frame[stated_items], faults)
    switched_off = [sentence for name, sentence in _KPIS.items() if name not in stated or frame[name].isna().all()]
    if "submitted_at" in mapping.constants:
        switched_off.append("one time for every row: trends over time are not available")
    return Judgements(frame, faults, gold, again, stated_items, stated_raters, switched_off, notes)


def _projects(cells: _Cells, rows: int) -> pd.Series:
    if "project_id" in cells.mapping.project:
        return constant(cells.mapping.project["project_id"], rows)
    text = cells.text("project_id")
    if text is None:
        raise LoadRefused(
            f"{cells.landing.path.name} does not say which project it belongs to; give [project] project_id in the "
            "mapping file, or map a column to project_id."
        )
    return text


def _possible(column: sa.Column, text: pd.Series, clock: Clock, faults: Faults) -> tuple[pd.Series, list[str]]:
    """Handle times with those of 0 and of over a day emptied and counted; unreadable ones are still rejected."""
    seconds = pd.to_numeric(text, errors="coerce")
    impossible = ((seconds == 0) | ((seconds > 86_400) & np.isfinite(seconds))).to_numpy(bool)
    values = parse(column, text.mask(impossible), clock, faults)
    return values, [f"{impossible.sum():,} handle times of 0 or over 24 hours were left empty"] * bool(impossible.any())


def _defaults(frame: pd.DataFrame) -> None:
    rows = len(frame)
    for name, value in (("stage", "label"), ("status", "submitted"), ("time_basis", "unknown")):
        frame[name] = frame[name].fillna(value) if name in frame else constant(value, rows)
    if "handle_seconds" not in frame:
        frame["handle_seconds"] = np.nan
    frame["time_basis"] = frame["time_basis"].mask(frame["handle_seconds"].isna(), "unknown")
    if "guideline_version" not in frame:
        frame["guideline_version"] = pd.Series([None] * rows, dtype="str")
    rework = frame["is_rework"] if "is_rework" in frame else pd.Series([False] * rows, dtype="boolean")
    frame["is_rework"] = rework.fillna(False)


def _check_length(item_ids: pd.Series, faults: Faults) -> None:
    long = (item_ids.str.len() > 64).fillna(False).to_numpy(bool)
    faults.add(np.flatnonzero(long), "text too long", "item_id has over 64 characters with [items] prefix; shorten it.")


def _raters(cells: _Cells, frame: pd.DataFrame, secret: str, clock: Clock, faults: Faults) -> list[str]:
    frame["rater_id"] = hashed(frame["rater_id"], secret, cells.mapping.rater_prefix)
    for name, source in cells.mapping.raters.items():
        text = cells.of_file(source, f" (mapped to a rater's {name})")
        values = parse(tables.raters.c[name], text, clock, faults, required=False)
        frame[RATER + name] = hashed(values, secret, cells.mapping.rater_prefix) if name == "lead" else values
    return list(cells.mapping.raters)


def _sessions(cells: _Cells, frame: pd.DataFrame, gold: np.ndarray, clock: Clock, faults: Faults) -> dict[int, int]:
    """Tell repeats apart: all but one rejected, or each kept as a session of its rater.

    Returns {row: first row} of annotations given twice with the same id and content.
    """
    keep = cells.mapping.keep
    repeat = cells.text(REPEAT)
    if repeat is not None:
        counted = sa.Column(REPEAT, sa.Integer(), nullable=False)
        repeat = parse(counted, repeat, clock, faults)
        low = (repeat < 1).fillna(False).to_numpy(bool)
        faults.add(np.flatnonzero(low), "number out of range", "repeat counts from 1; correct it.")
    again: dict[int, int] = {}
    if "annotation_id" in frame:
        again = checks.check_repeated(frame, ["annotation_id"], faults)
    else:
        frame["annotation_id"] = pd.Series(dtype="str")
    once = ~np.isin(np.arange(len(frame)), list(again))
    if keep == "all":
        good = frame.loc[faults.good() & ~gold & once]
        if repeat is None:
            repeat = good.groupby(["project_id", "item_id", "rater_id", "stage"], sort=False).cumcount() + 1
        number = repeat.reindex(frame.index).fillna(1).clip(lower=1).astype("int64").to_numpy()
        rows = np.flatnonzero(number > 1)
        ids = frame["rater_id"].to_numpy(object).copy()
        for row in rows:
            if isinstance(ids[row], str):
                ids[row] = pseudonyms.session(ids[row], int(number[row]))
        frame["rater_id"] = pd.Series(ids, dtype="str")
        repeat = None
    judged = frame if not gold.any() else frame.assign(stage=frame["stage"].mask(gold, "gold author"))
    judged = judged[once]
    checks.check_repeats(judged, keep, FaultsOfSome(faults, judged.index), order=repeat)
    return again


def _annotation_ids(frame: pd.DataFrame, faults: Faults) -> None:
    missing = np.flatnonzero(frame["annotation_id"].isna().to_numpy() & faults.good())
    if not len(missing):
        return
    parts = frame.loc[missing, ["project_id", "item_id", "rater_id", "stage"]]
    ids = frame["annotation_id"].to_numpy(object).copy()
    ids[missing] = [
        pseudonyms.annotation_id(row) for row in zip(*(parts[c].to_numpy(object) for c in parts), strict=True)
    ]
    frame["annotation_id"] = pd.Series(ids, dtype="str")
