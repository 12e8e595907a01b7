"""What is traced: an incident, a drop or a version back to its labels, batches forward to what they reached.

Traced shares stand beside the shares over all versions of the project. A share that is larger among the traced says
where to look, not what was at fault.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import lineage as steps
from ui import data, lineage
from ui import format as fmt
from ui.figures import KEPT
from ui.lineage import Line

FINDING, VERSIONS, INCIDENT, DROP, MODEL, BATCH = "finding", "versions", "incident", "drop", "model", "batch"
BREAKDOWNS = {
    "batch": "batch",
    "pool": "pool",
    "guideline_version": "guideline version",
    "policy": "policy",
    "language": "language",
}
MOST_VERSIONS, MOST_BATCHES = 12, 24  # shown in the flow at once
LEAST_VERSIONS = 4  # shown where the period has fewer
WAITING = 4  # batches shown that no version was trained on yet
MOST_DROPS = 5  # of a benchmark, one a version, listed before the incidents among the things to trace
LEAST_OWN = 30  # labels of an incident's or drop's own policy and language, from which on they alone are traced
BY_CHANCE = ["reached", "incidents", "p_value"]  # of a batch, beside its shares
BESIDE = 2  # versions shown on either side of the traced ones


BY_LINE = {"max_entries": 200, "show_spinner": False, "hash_funcs": {Line: lambda line: line.stamp}}
BY_BOTH = {**BY_LINE, "hash_funcs": BY_LINE["hash_funcs"] | KEPT["hash_funcs"]}


@dataclass(frozen=True)
class Trace:
    """What the reader follows: its kind and member, and the batches and versions on its way.

    FINDING: the batches below target, forward. BATCH: one, forward. MODEL, INCIDENT, DROP: a version, back. VERSIONS:
    none. The member of a DROP is lineage.drop_key().
    """

    kind: str
    member: str = ""
    batches: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()

    @property
    def forward(self) -> bool:
        """Whether it starts from batches."""
        return self.kind in (FINDING, BATCH)

    @property
    def text(self) -> str:
        """As the URL has it."""
        return f"{self.kind}:{self.member}" if self.member else self.kind


@st.cache_data(**BY_LINE)
def options(line: Line) -> dict[str, str]:
    """Everything that can be traced in the project, as the URL has it: the largest drops, then all, newest first."""
    incidents = line.incidents.sort_values("occurred_at", ascending=False)
    models = line.models.sort_values("trained_at", ascending=False)
    batches = line.batches.sort_values("labelled_at", ascending=False)
    found = {FINDING: "The batches below target", VERSIONS: "Nothing: the versions of the period"}
    lost = drops(line)
    largest = lost.drop_duplicates("model_version").head(MOST_DROPS)
    for kind, names, called in (
        (DROP, largest["drop"], largest["said"]),
        (INCIDENT, incidents["incident_id"], incident_names(incidents)),
        (DROP, lost["drop"], lost["said"]),
        (MODEL, models["model_version"], "Version " + models["model_version"]),
        (BATCH, batches["batch_id"], "Batch " + batches["batch_id"]),
    ):
        for name, said in zip(names, called, strict=True):
            found.setdefault(f"{kind}:{name}", said)
    return found


def incident_names(incidents: pd.DataFrame) -> list[str]:
    """What each incident is called: N-00103, 4 Aug, severity 3, self harm; the year where it is not the newest's."""
    newest = incidents["occurred_at"].max()
    found = []
    for row in incidents.to_dict("records"):
        severity = [] if fmt.is_missing(row["severity"]) else [f"severity {row['severity']:.0f}"]
        when = fmt.day(row["occurred_at"].date(), newest.date())
        found.append(", ".join([str(row["incident_id"]), when, *severity, *filter(None, [part(row)])]))
    return found


def drops(line: Line) -> pd.DataFrame:
    """The rows of compare() that got clearly worse, the largest loss first, with ``said``, the loss in words."""
    worse = line.compared[line.compared["drop"] != ""].sort_values("change", kind="stable")
    said = [
        f"Drop {row['model_version']}, {fmt.size(row['change'], lineage.GOLD, row['change'])} lost on {on(row)}"
        for row in worse.to_dict("records")
    ]
    return worse.assign(said=pd.Series(said, index=worse.index, dtype=object))


def on(row: Mapping) -> str:
    """A benchmark and its policy or language: harmful-prompts-languages (vi)."""
    return f"{row['benchmark']} ({part(row)})" if part(row) else str(row["benchmark"])


def part(row: Mapping) -> str:
    """The policy and language that a row names: self harm in ko; empty where it names none."""
    names = [str(row[name]).replace("_", " ") for name in ("policy", "language") if not fmt.is_missing(row[name])]
    return " in ".join(names)


def row_of(line: Line, trace: Trace) -> Mapping:
    """The incident or the drop that is traced, as a row; empty for other kinds."""
    rows, key = {INCIDENT: (line.incidents, "incident_id"), DROP: (line.compared, "drop")}.get(trace.kind, (None, ""))
    return {} if rows is None else rows[rows[key] == trace.member].iloc[0].to_dict()


def resolve(line: Line, text: str) -> Trace:
    """The trace that one of options() names."""
    kind, _, member = text.partition(":")
    if kind in (FINDING, BATCH):
        batches = line.below if kind == FINDING else [member]
        versions = steps.trace_forward(line.weighted, batches, line.models)["model_version"]
        return Trace(kind, member, tuple(batches), tuple(versions))
    if kind == INCIDENT:
        versions = line.incidents.loc[line.incidents["incident_id"] == member, "model_version"].dropna()
    elif kind == DROP:
        versions = line.compared.loc[line.compared["drop"] == member, "model_version"]
    else:
        versions = line.models.loc[line.models["model_version"] == member, "model_version"]
    batches = line.weighted.loc[line.weighted["model_version"].isin(versions), "batch_id"]
    return Trace(kind, member, tuple(batches.drop_duplicates()), tuple(versions))


def _behind(line: Line, trace: Trace) -> pd.DataFrame:
    """Like ``line.weighted``, of what is traced back: the traced version, or from batches on every incident alike."""
    if trace.versions and not trace.forward:
        return line.weighted[line.weighted["model_version"].isin(trace.versions)]
    named = line.incidents[["incident_id", "model_version"]].merge(line.weighted, on="model_version")
    return named.assign(model_version=named["incident_id"]).drop(columns="incident_id")


def named(line: Line, trace: Trace) -> dict[str, str]:
    """The policy and language that a traced incident or drop names; empty where it names none."""
    row = row_of(line, trace)
    return {name: row[name] for name in ("policy", "language") if isinstance(row.get(name), str)}


def own_labels(snapshot: Snapshot, line: Line, trace: Trace) -> dict[str, str]:
    """The policy and language among whose labels an incident or a drop is traced; empty: among all.

    Both that it names where the version has LEAST_OWN labels of them, else the policy alone, else the language alone.
    """
    names = named(line, trace) if trace.versions else {}
    for narrow in (names, *({name: value} for name, value in names.items())):
        if narrow and _of_labels(snapshot, trace.batches, narrow)["labels"].sum() >= LEAST_OWN:
            return narrow
    return {}


def _of_labels(snapshot: Snapshot, batches: Collection[str], narrow: Mapping[str, str], by: str = "") -> pd.DataFrame:
    """batch_sums() of some batches, of one policy or language where ``narrow`` names them."""
    split = dict.fromkeys([*narrow, *([by] if by else [])])
    sums = data.batch_sums(snapshot, ("batch", *split))
    kept = sums["batch_id"].isin(batches)
    for name, value in narrow.items():
        kept &= sums[name] == value
    return sums[kept]


@st.cache_data(**BY_BOTH)
def back(snapshot: Snapshot, line: Line, trace: Trace, by: str) -> pd.DataFrame:
    """Where the labels of the traced version came from, or of each incident's version, each incident counted alike.

    by: one of BREAKDOWNS. Columns member, label, share, base_share (over all versions), ratio and lineage.QUALITY, that
    of these labels. Shares of batches by items, of the rest by the labels judged in them. An incident or a drop that
    names its policy or language is traced among the labels of these alone, here and over all versions, and then all
    shares are by labels judged (own_labels; a breakdown by policy keeps all policies). The most over-represented come
    first. A reader with a minimum group sees the groups large enough alone. By batch also reached, incidents and
    p_value of lineage.incidents_by_batch().
    """
    split = (by,) if by != "batch" else ()
    key = "batch_id" if by == "batch" else by
    narrow = {name: value for name, value in own_labels(snapshot, line, trace).items() if name != by}
    weighted, ours = line.weighted, _behind(line, trace)
    sums = _of_labels(snapshot, line.batches["batch_id"], narrow, *split).dropna(subset=[key])
    cells = line.batches if by == "batch" and not narrow else sums.assign(items=sums["labels"])
    cells = cells[["batch_id", *split, "items"]]
    if narrow:
        held = line.batches[["batch_id", "dataset_version"]]
        held = held.assign(items=held["batch_id"].map(sums.groupby("batch_id")["labels"].sum()))
        weighted = steps.weights(held, line.models)
        ours = weighted[weighted["model_version"].isin(trace.versions)]
    found = steps.trace_back(ours, cells, ours["model_version"].unique(), [key])
    if found.empty:
        return found.assign(member=[], label=[], **{name: [] for name in (*lineage.QUALITY, *BY_CHANCE)})
    everything = steps.trace_back(weighted, cells, weighted["model_version"].unique(), [key])
    base = found[key].map(everything.set_index(key)["share"])
    found = found.assign(base_share=base, ratio=found["share"] / base)
    found = found.sort_values(["ratio", "share"], ascending=False, ignore_index=True).rename(columns={key: "member"})
    used = ours["batch_id"].unique()
    gold = sums[sums["batch_id"].isin(used)].groupby(key)[["gold_correct", "gold_n"]].sum()
    gold = gold.reindex(found["member"]).reset_index(drop=True)
    closed = line.batches.set_index("batch_id")["closed_at"]
    when = found["member"].map(closed) if by == "batch" else closed.reindex(used).max()
    rows = found.assign(hits=gold["gold_correct"], n=gold["gold_n"], project=line.project, closed_at=when)
    names = snapshot.names.get(by, {})
    rows = lineage.judged(snapshot, rows).assign(label=[names.get(m, str(m)) for m in rows["member"]])
    rows = rows.drop(columns=["hits", "project", "closed_at"])
    if by != "batch":
        return rows
    behind = steps.incidents_by_batch(line.weighted, line.incidents).set_index("batch_id")[BY_CHANCE]
    return rows.join(behind, on="member")


def forward(line: Line, trace: Trace) -> pd.DataFrame:
    """The versions that the traced batches reached, with weight: the share of their labels from these batches."""
    return steps.trace_forward(line.weighted, trace.batches, line.models)


# ---- the flow --------------------------------------------------------------------------------------------------


def window(line: Line, trace: Trace, filters: Filters) -> list[str]:
    """The versions to show, in order of training: the traced ones and those beside them, else the period's newest.

    At least LEAST_VERSIONS where the batches behind them have room.
    """
    models = line.models.reset_index(drop=True)
    names = models["model_version"].tolist()
    traced = [k for k, name in enumerate(names) if name in set(trace.versions)]
    if traced:
        span = range(max(0, traced[0] - BESIDE), min(len(names), traced[-1] + BESIDE + 1))
        chosen = list(span) if len(span) <= MOST_VERSIONS else traced
    else:
        start = pd.Timestamp(filters.start) if filters.start else pd.Timestamp.min
        late = int((models["trained_at"] >= start).sum())
        chosen = list(range(len(names)))[-max(late, LEAST_VERSIONS) :]
    fed = line.weighted.groupby("model_version").size()
    kept, batches = [], 0
    for k in reversed(chosen):
        batches += int(fed.get(names[k], 0))
        if kept and (len(kept) >= MOST_VERSIONS or batches > MOST_BATCHES):
            break
        kept.append(names[k])
    return kept[::-1]


def shown_batches(line: Line, trace: Trace, versions: list[str]) -> pd.DataFrame:
    """The batches of some versions, and those no model was trained on yet: the newest of them, or the traced one."""
    used = set(line.weighted.loc[line.weighted["model_version"].isin(versions), "batch_id"])
    waiting = line.batches[line.batches["state"] != steps.USED].sort_values("labelled_at")
    if trace.kind == VERSIONS:
        used |= set(waiting["batch_id"].tail(WAITING))
    elif trace.kind == BATCH:
        used |= set(waiting["batch_id"]) & set(trace.batches)
    rows = line.batches[line.batches["batch_id"].isin(used)]
    return rows.sort_values(["labelled_at", "batch_id"], ignore_index=True)


def grouped(batches: pd.DataFrame) -> tuple[pd.Series, str]:
    """What each batch is shown as, and the step: single batches where they are few, else weeks, else months."""
    for grain, code in (("batch", ""), ("week", "W-SUN"), ("month", "M")):
        days = pd.to_datetime(batches["labelled_at"])
        names = batches["batch_id"] if grain == "batch" else days.dt.to_period(code).dt.start_time.astype(str)
        if grain == "month" or names.nunique() <= MOST_BATCHES + WAITING:
            return names.astype(object), grain
    raise AssertionError("months are the last step")
