"""The boxes and links of the lineage flow: batches, dataset versions, model versions, outcomes, with what each says."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from metrics import lineage as steps
from metrics.spec import Status
from ui import format as fmt
from ui import lineage_words as say
from ui import words
from ui.lineage import GOLD, GRAVE, Line
from ui.lineage_trace import BATCH, BY_LINE, MODEL, Trace, grouped, shown_batches
from ui.theme import SHAPES

NODES = ["key", "column", "size", "label", "status", "trace", "on", "tip"]
LINKS = ["source", "target", "size", "status", "on", "column"]
BATCHES, DATASETS, MODELS, OUTCOMES = range(4)


@st.cache_data(**BY_LINE)
def boxes(line: Line, trace: Trace, versions: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """The nodes (NODES) and links (LINKS) that lead to some versions, and how batches are shown: batch, week or month.

    size: items. status: gold accuracy of the batch, or of the labels of the dataset and the version; an outcome's: of
    _outcome. trace: what a click on the box traces. on: whether it lies on the traced way; all do where nothing is
    traced. tip: the box in words.
    """
    batches = shown_batches(line, trace, versions)
    names, grain = grouped(batches)
    batches = batches.assign(shown=names)
    models = line.models[line.models["model_version"].isin(versions)].sort_values("trained_at")
    all_on = not trace.batches and not trace.versions
    on_way = {**dict.fromkeys(trace.batches, True), **dict.fromkeys(trace.versions, True)}

    def on(*members: object) -> bool:
        return all_on or any(member in on_way for member in members)

    nodes, links = [], []
    for shown, rows in batches.groupby("shown", sort=False):
        nodes.append(_batch(str(shown), rows, grain, on(*rows["batch_id"])))
    fed = batches.groupby("dataset_version", sort=False, dropna=True)
    held = {name: (float(rows["items"].sum()), on(*rows["batch_id"])) for name, rows in fed}
    for name, of in models.groupby("dataset_version", sort=False):
        if name in held:
            size, lit = held[name]
            state = of["status"].iloc[0]
            tip = f"Dataset version {name}: {fmt.count(size)} items, gold accuracy {say.quality(of.iloc[0])}"
            nodes.append(_node(f"d:{name}", DATASETS, size * len(of), name, state, "", lit, tip))
    for name, rows in batches[batches["state"] != steps.USED].groupby(["state", "dataset_version"], dropna=False):
        nodes.append(_waiting(name, rows, on(*rows["batch_id"])))
    for (shown, dataset, state), rows in batches.groupby(
        ["shown", "dataset_version", "state"], sort=False, dropna=False
    ):
        target = f"d:{dataset}" if state == steps.USED else _waiting_key(state, dataset)
        size, status = float(rows["items"].sum()), _worst(rows)
        links.append((f"b:{shown}", target, size, status, on(*rows["batch_id"]), BATCHES))
    for row in models.to_dict("records"):
        name, dataset = row["model_version"], row["dataset_version"]
        size, _ = held.get(dataset, (0.0, False))
        lit = all_on or name in on_way
        tip = (
            f"Version {name}, trained {fmt.day(row['trained_at'].date())}: labels with gold accuracy {say.quality(row)}"
        )
        nodes.append(_node(f"m:{name}", MODELS, size, name, row["status"], f"{MODEL}:{name}", lit, tip))
        state, shape = _outcome(row)
        label = f"{shape} {say.outcome(row)}".strip()
        tip = f"{name}: {say.outcome_in_full(row)}"
        nodes.append(_node(f"o:{name}", OUTCOMES, size, label, state, f"{MODEL}:{name}", lit, tip))
        if dataset in held:
            links.append((f"d:{dataset}", f"m:{name}", size, row["status"], lit, DATASETS))
        links.append((f"m:{name}", f"o:{name}", size, state, lit, MODELS))
    return pd.DataFrame(nodes, columns=NODES), pd.DataFrame(links, columns=LINKS), grain


def _node(*values: object) -> dict[str, object]:
    return dict(zip(NODES, values, strict=True))


def _batch(shown: str, rows: pd.DataFrame, grain: str, lit: bool) -> dict[str, object]:
    size, status = float(rows["items"].sum()), _worst(rows)
    if grain == "batch":
        row = rows.iloc[0]
        value = fmt.value(row["value"], GOLD) if not fmt.is_missing(row["value"]) else "–"
        tip = (
            f"Batch {shown}: gold accuracy {say.quality(row)}, {words.STATUS[Status(status)]}; {fmt.count(size)} items"
        )
        trace, label = f"{BATCH}:{shown}", f"{shown}  {value} {SHAPES[status]}"
    else:
        below = int((rows["status"] == Status.OFF_TARGET).sum())
        when = fmt.bucket(shown, grain)
        tip = f"{when}: {say.counted(len(rows), 'batch')}, {below} below target; {fmt.count(size)} items"
        trace, label = "", f"{when}  {SHAPES[status]}"
    return _node(f"b:{shown}", BATCHES, size, label, status, trace, lit, tip)


def _waiting_key(state: str, dataset: object) -> str:
    return f"w:{dataset}" if isinstance(dataset, str) else f"w:{state}"


def _waiting(name: tuple, rows: pd.DataFrame, lit: bool) -> dict[str, object]:
    """Where batches end that no version was trained on."""
    state, dataset = name
    label = f"{dataset}: {state}" if isinstance(dataset, str) else str(state)
    size = float(rows["items"].sum())
    tip = f"{say.counted(len(rows), 'batch')} {state}: {fmt.count(size)} items"
    return _node(_waiting_key(state, dataset), DATASETS, size, label, Status.TOO_FEW.value, "", lit, tip)


def _worst(rows: pd.DataFrame) -> str:
    """The gravest status of some batches: a month with one batch below target is not on target."""
    order = (Status.OFF_TARGET, Status.WATCH, Status.ON_TARGET, Status.TOO_FEW, Status.NO_TARGET)
    there = set(rows["status"])
    return next(s.value for s in order if s in there)


def _outcome(row: dict) -> tuple[str, str]:
    """The status and shape of what became of a version: the graver of its incidents and its change of benchmark.

    Any incident of severity GRAVE or above is bad, whatever the benchmarks say, and a lesser one is to be watched; a
    version can be better than a bad one before it and still do harm.
    """
    if row["worse"] or (row["incidents"] and row["severity"] >= GRAVE):
        state = Status.OFF_TARGET
    elif row["incidents"]:
        state = Status.WATCH
    else:
        state = Status.ON_TARGET if row["better"] else Status.TOO_FEW
    return state.value, SHAPES[state]
