"""Numbers of the audit planner: where audits or gold go, what they buy, what a batch plan lets through, gold's wear.

All of it follows from one read of the snapshot's work by project, stage and stratum, and is kept per question; only how
worn the gold is comes live from the warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
from scipy import special

from data_access.dimensions import SOURCES, expression
from data_access.filters import DIMENSIONS, Filters
from data_access.snapshot import Snapshot
from metrics import audit_allocation
from metrics.audit_allocation import PRIOR_AUDITS, Allocation
from metrics.catalogue import metric as find_metric
from ui import data
from ui.figures import KEPT

AUDITS, GOLD = "audits", "gold"
UNCERTAINTY, SEVERITY, VIOLATING = "uncertainty", "severity", "violating"
AUTO = "auto"
STRATA: dict[str, tuple[str, ...]] = {
    AUTO: (),
    "project_policy": ("project", "policy"),
    "policy_language": ("policy", "language"),
    "project_language": ("project", "language"),
    "project_content_type": ("project", "content_type"),
    "project_pool": ("project", "pool"),
    "project_policy_language": ("project", "policy", "language"),
}
METRIC = {AUDITS: "audit_accuracy", GOLD: "gold_accuracy"}
Z95 = float(special.ndtri(0.975))
NO_RIGHT_ANSWER = "preference"  # a task type: taste has no right answer that an audit could find
CURVE_STEPS = (0.5, 1.0, 2.0)  # of the audits asked for: where the curve of what they buy is worked out

SUMS = (
    "judgements",
    "audited_n",
    "audited_weight",
    "audited_weight_squared",
    "audited_weight_passed",
    "audited_weight_penalty",
    "audited_weight_violating",
    "audited_weight_harmless",
    "gold_n",
    "gold_correct",
    "gold_violating_n",
    "gold_harmless_n",
)


@dataclass(frozen=True)
class Ask:
    """What the reader plans: how many audits (or gold judgements), for what, how they are split; and the two tests.

    ``of`` is audits or gold; ``aim`` uncertainty, severity or violating; ``strata`` a key of STRATA. acceptable, limit,
    good and bad are percents, as they stand in the URL.
    """

    audits: int = 500
    of: str = AUDITS
    aim: str = UNCERTAINTY
    floor: int = 5
    strata: str = AUTO
    acceptable: float = 10.0
    limit: float = 20.0
    lot: int = 1000
    good: float = 90.0
    bad: float = 80.0


@dataclass(frozen=True, eq=False)
class Plan:
    """Where the audits go, a row per stratum, most audits first; and what they buy.

    rows: the dimensions of ``keys`` (ids), label, spoken (the label in a sentence), left (judgements not looked at
    yet), judgements, audited, error_rate, low, high (NaN where hidden), known (why there is no error rate, or that it
    rests on few, else ""), harm (1 is the average), audits, proportional, price, lift and drag (what about it draws
    audits or needs none). half_before, half_after, half_even: half widths of the 95 % interval of the (weighted) error
    share, None where a stratum has no audit at all, which ``unseen`` names. left_out: projects that cannot be planned
    for, by why. curve: what other numbers of audits would buy.
    """

    rows: pd.DataFrame
    keys: tuple[str, ...]
    audits: int = 0
    unallotted: int = 0
    overall: float = float("nan")
    half_before: float | None = None
    half_after: float | None = None
    half_even: float | None = None
    unseen: tuple[str, ...] = ()
    price: float | None = None
    price_of_one: float | None = None
    left_out: tuple[tuple[str, tuple[str, ...]], ...] = ()
    stages: tuple[str, ...] = ()
    curve: pd.DataFrame | None = None
    reason: str = ""


def strata_of(ask: Ask, filters: Filters) -> tuple[str, ...]:
    """The dimensions that strata are made of; by themselves project and policy, inside one project what it leaves open.

    A dimension that the filters fix to one value gives way to one they leave open.
    """
    if ask.strata != AUTO:
        return STRATA[ask.strata]
    if len(filters.values("project")) != 1:
        return STRATA["project_policy"]
    free = [d for d in ("policy", "language", "pool") if len(filters.values(d)) != 1]
    return tuple(free[:2]) or STRATA["policy_language"]


@st.cache_data(**KEPT)
def plan(snapshot: Snapshot, filters: Filters, ask: Ask) -> Plan:
    """The allocation of the next audits or gold judgements over the strata, and what it buys."""
    keys = strata_of(ask, filters)
    cells = data.sums(snapshot, "work", SUMS, tuple(dict.fromkeys(("project", "stage", *keys))), filters)
    nothing = Plan(pd.DataFrame(), keys, reason="no judgements match these filters")
    if cells.empty or not cells["judgements"].sum() > 0:
        return nothing
    price = _price(snapshot, filters, cells)
    looked = "audited_n" if ask.of == AUDITS else "gold_n"
    cells, left_out = _plannable(snapshot, cells, looked if ask.of == GOLD else "")
    by_stage = cells.groupby("stage")[looked].sum()
    stages = tuple(by_stage[by_stage > 0].index) or tuple(by_stage.index[by_stage.index == "label"])
    cells = cells[cells["stage"].isin(stages or tuple(by_stage.index))]
    if cells.empty or not cells["judgements"].sum() > 0:
        whose = "; ".join(f"{', '.join(names)}: {why}" for why, names in left_out)
        return replace(nothing, left_out=left_out, reason=whose or nothing.reason)
    price_of = {project: price(project) for project in cells["project"].unique()}
    cells = cells.assign(priced=cells["project"].map(price_of).astype(float) * cells["judgements"])
    rows = cells.groupby(list(keys), sort=True, dropna=False)[[*SUMS, "priced"]].sum(min_count=1).reset_index()
    rows[list(SUMS)] = rows[list(SUMS)].fillna(0.0)
    rows = rows[rows["judgements"] > 0].reset_index(drop=True)
    named = {k: names_of(snapshot, k, rows[k]) for k in keys}
    rows = rows.assign(label=_labels(named, filters), spoken=_spoken(named, filters), **_evidence(rows, ask.of))
    rows["harm"] = _harm(rows, ask.aim)
    found = _allocate(rows, ask.audits, ask)
    return _finished(snapshot, filters, ask, keys, rows, found, left_out, stages)


def _plannable(
    snapshot: Snapshot, cells: pd.DataFrame, needed: str
) -> tuple[pd.DataFrame, tuple[tuple[str, tuple[str, ...]], ...]]:
    """The cells of projects that can be planned for, and the others' names by why they cannot."""
    projects = snapshot.table("project").set_index("project_id")
    names, kinds = projects["name"], projects["task_type"]
    taste = {p for p in cells["project"].unique() if kinds.get(p) == NO_RIGHT_ANSWER}
    without: set = set()
    if needed:
        total = cells.groupby("project")[needed].sum()
        without = set(total.index[total <= 0]) - taste
    said = (("preferences have no right answer to find", taste), ("no gold items to give out", without))
    left_out = tuple((why, tuple(str(names.get(p, p)) for p in sorted(who))) for why, who in said if who)
    return cells[~cells["project"].isin(taste | without)], left_out


def _price(snapshot: Snapshot, filters: Filters, cells: pd.DataFrame):
    """What one more look costs in a project: its review cost over its reviews and audits; None where unknown.

    Costs are booked by day, project and pool: filters on anything else do not narrow them, nor the looks they paid for.
    """
    booked = SOURCES["escalation_ledger"]  # the ledger as it is booked, without languages and policies
    kept = Filters.of({n: v for n, v in filters.where if expression(booked, n) is not None}, filters.start, filters.end)
    spent = data.sums(snapshot, "ledger", ("cost_review",), ("project",), kept).set_index("project")["cost_review"]
    looked = cells if kept == filters else data.sums(snapshot, "work", SUMS, ("project", "stage"), kept)
    looks = looked["audited_n"] + np.where(looked["stage"] == "review", looked["judgements"], 0.0)
    looks = looks.groupby(looked["project"]).sum().reindex(spent.index).fillna(0.0)
    known = (spent > 0) & (looks > 0)
    average = float(spent[known].sum() / looks[known].sum()) if known.any() else None
    each = (spent[known] / looks[known]).to_dict()
    return lambda project: each.get(project, average)


def names_of(snapshot: Snapshot, dimension: str, ids: pd.Series) -> list[str]:
    """What members are called."""
    names = snapshot.names.get(dimension, {})
    return [names.get(str(member), str(member)) for member in ids]


def _labels(named: dict[str, list[str]], filters: Filters) -> list[str]:
    """What each stratum is called: its members, without those the filters fix anyway."""
    shown = [k for k in named if len(filters.values(k)) != 1] or list(named)
    return [" · ".join(each) for each in zip(*(named[k] for k in shown), strict=True)]


def _spoken(named: dict[str, list[str]], filters: Filters) -> list[str]:
    """The same in a sentence: harassment in language id of Comment moderation."""
    said = []
    for each in zip(*named.values(), strict=True):
        of = dict(zip(named, each, strict=True))
        language = f"language {of['language']}" if "language" in of else ""
        first = [f"the work of {of['pool']}" if "pool" in of else "", of.get("policy", ""), language]
        text = " in ".join(part for part in first if part)
        if "content_type" in of:
            text = f"{text}{' in ' if text else ''}content of type {of['content_type']}"
        link = "of" if language or "pool" in of else "in"
        project = of.get("project", "")
        said.append(f"{text} {link} {project}" if text and project else text or project)
    return said


def _evidence(rows: pd.DataFrame, of: str) -> dict[str, np.ndarray]:
    """audited, and what the audits are worth: seen (effective n of the weighted sample) and wrong (errors among it)."""
    if of == GOLD:
        n = rows["gold_n"].to_numpy(float)
        return {"audited": n, "seen": n, "wrong": n - rows["gold_correct"].to_numpy(float)}
    n, w, w2, passed = (
        rows[c].to_numpy(float)
        for c in ("audited_n", "audited_weight", "audited_weight_squared", "audited_weight_passed")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        seen = np.minimum(np.where(n > 0, w**2 / w2, 0.0), n)
        share = np.clip(np.where(n > 0, 1 - passed / w, 0.0), 0.0, 1.0)
    return {"audited": n, "seen": seen, "wrong": np.minimum(seen * share, seen)}


def _harm(rows: pd.DataFrame, aim: str) -> np.ndarray:
    """How much an error of each stratum weighs, 1 on average over the work; drawn to the average where little is known.

    severity: the mean penalty of the errors found (minor 0.1, major 0.5, critical 1). violating: the share of content
    that violates, by audits and, without any, by gold.
    """
    if aim == UNCERTAINTY:
        return np.ones(len(rows))
    if aim == SEVERITY:
        part = rows["audited_weight_penalty"].to_numpy(float)
        whole = (rows["audited_weight"] - rows["audited_weight_passed"]).to_numpy(float)
    else:
        part = rows["audited_weight_violating"].to_numpy(float)
        whole = part + rows["audited_weight_harmless"].to_numpy(float)
        if not whole.sum() > 0:
            part = rows["gold_violating_n"].to_numpy(float)
            whole = part + rows["gold_harmless_n"].to_numpy(float)
    if not (part.sum() > 0 and whole.sum() > 0):
        return np.ones(len(rows))
    overall = part.sum() / whole.sum()
    # Weights stand for judgements: PRIOR_AUDITS of them weigh as much as the average audit does.
    audits = rows["audited_n"].sum() or rows["gold_n"].sum()
    prior = PRIOR_AUDITS * whole.sum() / max(audits, 1.0)
    harm = (part + prior * overall) / (whole + prior)
    size = rows["judgements"].to_numpy(float)
    return harm / float((harm * size).sum() / size.sum())


def _allocate(rows: pd.DataFrame, audits: int, ask: Ask) -> Allocation:
    # What weighting costs in audits is taken off the size, so that what is left is what nobody has looked at.
    size = rows["judgements"] - rows["audited"] + rows["seen"]
    return audit_allocation.allocate_audits(
        rows["label"].tolist(), size, rows["seen"], rows["wrong"], audits, harm=rows["harm"], floor=ask.floor
    )


def _finished(
    snapshot: Snapshot,
    filters: Filters,
    ask: Ask,
    keys: tuple[str, ...],
    rows: pd.DataFrame,
    found: Allocation,
    left_out: tuple,
    stages: tuple[str, ...],
) -> Plan:
    table, size = found.table, rows["judgements"].to_numpy(float)
    minimum = find_metric(METRIC[ask.of]).min_n
    known = np.select([rows["audited"] == 0, rows["audited"] < minimum], ["not looked at yet", "too few to judge"], "")
    hidden = _hidden(snapshot, filters, ask, keys, rows)
    blank = hidden | (rows["audited"].to_numpy() == 0)
    price = rows["priced"].to_numpy(float) / size * table["audits"].to_numpy(float)
    done = pd.DataFrame(
        {
            **{k: rows[k].astype(str) for k in keys},
            "label": rows["label"],
            "spoken": rows["spoken"],
            "judgements": size,
            "left": size - rows["audited"],
            "audited": rows["audited"],
            **{c: table[c].where(~blank) for c in ("error_rate", "low", "high")},
            "known": np.where(hidden, "too small a group to show", known),
            "harm": rows["harm"],
            "audits": table["audits"],
            "proportional": table["proportional"],
            "price": price,
            **_reasons(rows, table),
        }
    )
    unseen = tuple(rows.loc[rows["audited"] == 0, "label"])
    order = done.sort_values(["audits", "left"], ascending=False, kind="stable").index
    total = float(np.nansum(price)) if np.isfinite(price).any() else None
    return Plan(
        rows=done.loc[order].reset_index(drop=True),
        keys=keys,
        audits=found.audits,
        unallotted=found.unallotted,
        overall=float(rows["wrong"].sum() / rows["seen"].sum()) if rows["seen"].sum() > 0 else float("nan"),
        half_before=_half(found.se_before),
        half_after=_half(found.se_after),
        half_even=_half(found.se_proportional),
        unseen=unseen,
        price=total,
        price_of_one=total / found.audits if total is not None and found.audits else None,
        left_out=left_out,
        stages=stages,
        curve=None if unseen else _curve(rows, ask, found),
        reason=found.reason,
    )


def _half(error: float | None) -> float | None:
    return None if error is None else Z95 * error


def _hidden(snapshot: Snapshot, filters: Filters, ask: Ask, keys: tuple[str, ...], rows: pd.DataFrame) -> np.ndarray:
    """Strata whose error rate the reader's scope is too small a group for."""
    scope = data.current_scope()
    if scope.sees_raters and not scope.minimum_items:
        return np.zeros(len(rows), bool)
    found = data.measure(snapshot, (METRIC[ask.of],), keys, filters)
    shown = found[~found["reason"].str.startswith("too small")]
    allowed = set(shown[list(keys)].itertuples(index=False, name=None)) if len(shown) else set()
    few = rows["audited"].to_numpy(float) < scope.minimum_items
    return few | np.array([key not in allowed for key in rows[list(keys)].itertuples(index=False, name=None)], bool)


def _reasons(rows: pd.DataFrame, table: pd.DataFrame) -> dict[str, list[tuple[str, ...]]]:
    """What about each stratum stands out from the others: ``lift`` draws audits, ``drag`` spares them."""
    size, rate = rows["judgements"].to_numpy(float), table["error_rate"].to_numpy(float)
    mean_rate = float((rate * size).sum() / size.sum())
    covered, mean_covered = rows["seen"].to_numpy(float) / size, float(rows["seen"].sum() / size.sum())
    looked = rows["audited"].to_numpy() > 0
    harm = rows["harm"].to_numpy(float)
    fewer = table["audits"].to_numpy() < table["proportional"].to_numpy()
    likely, rare = (table["low"].to_numpy() > mean_rate) & looked, (table["high"].to_numpy() < mean_rate) & looked
    lift = (
        ("errors are likely", likely),
        ("errors seem likely", (rate > 1.08 * mean_rate) & looked & ~likely),
        ("errors weigh most", harm > 1.15),
        ("volume is high", size > 1.5 * size.mean()),
        ("nobody has looked yet", ~looked),
        ("little has been looked at", looked & (covered < 0.92 * mean_covered)),
    )
    drag = (
        ("errors are rare", rare & fewer),
        ("errors seem rare", (rate < 0.92 * mean_rate) & looked & ~rare & fewer),
        ("errors weigh less", (harm < 0.85) & fewer),
        ("looked at more than most", (covered > 1.08 * mean_covered) & fewer),
    )
    return {
        name: [tuple(why for why, holds in reasons if holds[k]) for k in range(len(rows))]
        for name, reasons in (("lift", lift), ("drag", drag))
    }


def _curve(rows: pd.DataFrame, ask: Ask, asked: Allocation) -> pd.DataFrame:
    """What other numbers of audits would buy: audits, half (width placed this way), even (spread by size)."""
    points = [(0, asked.se_before, asked.se_before)]
    for step in CURVE_STEPS:
        wanted = round(step * ask.audits)
        found = asked if step == 1.0 else _allocate(rows, wanted, ask)
        points.append((found.audits, found.se_after, found.se_proportional))
    table = pd.DataFrame(points, columns=["audits", "half", "even"]).drop_duplicates("audits")
    return table.assign(half=Z95 * table["half"].astype(float), even=Z95 * table["even"].astype(float))


def stratum_name(keys: tuple[str, ...]) -> str:
    """What a stratum is: "project and policy"."""
    names = [DIMENSIONS[k] for k in keys]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def worklist(snapshot: Snapshot, plan: Plan) -> pd.DataFrame:
    """The plan as a file for those who do it: ids and names, what to do, and what it rests on."""
    raw = ("audits", "proportional", "left", "judgements", "audited", "error_rate", "low", "high", "known", "harm")
    parts = {}
    for key in plan.keys:
        parts[key] = plan.rows[key]
        if key in snapshot.names:
            parts[f"{key}_name"] = names_of(snapshot, key, plan.rows[key])
    found = pd.DataFrame({**parts, **{name: plan.rows[name] for name in (*raw, "price")}})
    return found.rename(columns={"audits": "to_do", "proportional": "by_size_alone", "left": "not_looked_at"})
