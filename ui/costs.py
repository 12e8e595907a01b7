"""What pages say about money: unit costs, what moved them, what poor quality costs, and whether the budget is enough.

Costs are kept by day, project and pool. Hours and policies stand in other marts: paid hours of a pool are shared out to
its projects and policies as the time spent on judgements was, and so is a project's cost in a pool to its policies.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st
from scipy import special

from data_access.dimensions import SOURCES, expression, why_not
from data_access.filters import DIMENSIONS, Filters
from data_access.snapshot import Snapshot
from metrics import budget as budgets
from metrics import unit_cost
from metrics.bridge import COST, UNIT_COST, Bridge, cost_bridge
from metrics.catalogue import METRICS
from metrics.spec import Estimate, Metric, Status
from ui import data, figures, periods

CORRECT, ACCEPTED, LABEL = "correct", "accepted", "label"
METRIC: dict[str, Metric] = {
    CORRECT: replace(
        METRICS["cost_per_accepted_label"],
        name="cost_per_correct_label",
        label="Cost per correct label",
        meaning="All money spent for each label that was right.",
        formula="all costs / (judgements of the label stage x the share that is right on gold or by audits)",
        counts="labels",
        nothing="no costs or no labels",
        headline=False,
        caution="Labels of work that has no gold count as right as often as the others.",
    ),
    ACCEPTED: METRICS["cost_per_accepted_label"],
    LABEL: METRICS["cost_per_label"],
}
SUMS = {CORRECT: ("cost", "labels"), ACCEPTED: ("cost", "accepted_labels"), LABEL: ("cost_labour_and_fees", "labels")}
COLUMN = {CORRECT: "correct", ACCEPTED: "accepted", LABEL: "label_made"}  # of a table of groups
UNIT, TOTAL = "unit", "total"
GOLD, AUDIT = "gold_accuracy", "audit_accuracy"
GROUPS = ("project", "pool", "vendor", "site", "product")
CATALOGUE = ("cost_per_accepted_label", "cost_per_label", "cost_per_decided_item", "qa_cost_share", "total_cost")
MONEY = (
    *("cost", "cost_labour", "cost_review", "cost_rework", "cost_tooling", "cost_training", "cost_fee"),
    "cost_labour_and_fees",
)
COUNTS = ("labels", "accepted_labels", "rejected_labels", "escalations")
POOLS = ("pool", "vendor", "site", "region")
PROJECTS = ("project", "product", "policy_area", "task_type")
KEPT = figures.KEPT
LOAD = "no {0} are loaded: load the table {0} with python manage.py load, then run python manage.py refresh"
NO_COSTS, NO_BUDGETS = LOAD.format("costs"), LOAD.format("budgets")
Z95 = float(special.ndtri(0.975))


@dataclass(frozen=True)
class Ask:
    """What a reader chose. harm, appeal, escalation: money that an escaped error, an appeal, an escalation costs."""

    unit: str = CORRECT
    of: str = UNIT
    by: str = "project"
    quality: str = GOLD
    harm: float = 1.0
    appeal: float = 2.0
    escalation: float = 25.0
    instead: bool = False  # no label has a known right answer, so accepted labels stand for correct ones


def cannot(snapshot: Snapshot, filters: Filters) -> str:
    """Why costs cannot be shown under these filters; empty where they can."""
    if not loaded(snapshot, "costs"):
        return NO_COSTS
    for name, _ in filters.where:
        if expression(SOURCES["ledger"], name) is None:
            return f"{why_not(SOURCES['ledger'], name)}; free the filter by {DIMENSIONS[name]}"
    return ""


def loaded(snapshot: Snapshot, table: str) -> bool:
    """Whether a table of the warehouse had rows at the refresh."""
    rows = small(snapshot, "source")
    return bool((rows.loc[rows["table_name"] == table, "n"] > 0).any())


# ---- sums ------------------------------------------------------------------------------------------------------


@st.cache_data(**KEPT)
def ledger(snapshot: Snapshot, filters: Filters) -> pd.DataFrame:
    """Costs and labels by day, project and pool, with what both belong to: the weeks of a trend and the period before.

    Rows of nothing are left out.
    """
    start = min(filters.before().start, periods.around((filters.start, filters.end), "week")[0])
    span = filters.over(start, filters.end)
    rows = data.sums(snapshot, "ledger", (*COUNTS, *MONEY), ("day", "project", "pool"), span)
    sums = np.nan_to_num(rows[[*COUNTS, *MONEY]].to_numpy(float))
    rows = pd.concat([rows[["day", "project", "pool"]], pd.DataFrame(sums, columns=[*COUNTS, *MONEY])], axis=1)
    rows = rows[sums[:, : len(COUNTS) + 1].any(axis=1)].reset_index(drop=True)  # counts, and cost in all
    day = pd.to_datetime(rows["day"])
    places = small(snapshot, "pool").set_index("pool_id")
    products = small(snapshot, "project").set_index("project_id")["product"]
    return rows.assign(
        day=day,
        week=day - pd.to_timedelta(day.dt.day_of_week, unit="D"),
        vendor=rows["pool"].map(places["vendor"]),
        site=rows["pool"].map(places["site"]),
        product=rows["project"].map(products),
    )


@st.cache_data(**KEPT)
def small(snapshot: Snapshot, name: str) -> pd.DataFrame:
    """A small table of the snapshot, whole; the caller keeps to the reader's scope."""
    return snapshot.table(name)


def between(rows: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows of the period."""
    return rows[rows["day"].between(pd.Timestamp(filters.start), pd.Timestamp(filters.end))]


def effective_n(value: np.ndarray, low: np.ndarray, high: np.ndarray, n: np.ndarray) -> np.ndarray:
    """How many independent judgements give an interval this wide (Wilson's, solved for n); at most n."""
    with np.errstate(all="ignore"):
        found = [Z95**2 * end * (1 - end) / (value - end) ** 2 for end in (low, high)]
        smaller = np.fmin(*(np.where(np.isfinite(f) & (f > 0), f, np.nan) for f in found))
    return np.fmin(n, np.where(np.isnan(smaller), n, smaller))


def accuracy(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Shrunk accuracies of measured ones: ``keys`` and the columns of unit_cost.shrunk_accuracy()."""
    n = rows["n"].to_numpy(float)
    value, low, high = (rows[c].to_numpy(float) for c in ("value", "low", "high"))
    n = np.where(np.isnan(value), 0.0, n)  # too few to judge, or too small a group to show
    share = np.clip(np.nan_to_num(value), 0, 1)
    found = unit_cost.shrunk_accuracy(share * n, n, effective_n(share, low, high, n))
    reason = np.where(found["reason"] != "", rows["reason"].where(rows["reason"] != "", found["reason"]), "")
    return pd.concat([rows[list(keys)].reset_index(drop=True), found.assign(reason=reason)], axis=1)


# ---- unit costs ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Unit:
    """What a label cost. now, before: a row of the chosen unit; score: the catalogue's unit costs with their changes.

    rows: a row per group with all three unit costs, now and before. weeks: the chosen unit by week.
    """

    now: pd.Series | None
    before: pd.Series | None
    score: pd.DataFrame
    right: pd.Series | None
    rows: pd.DataFrame
    reason: str = ""

    @property
    def change(self) -> float:
        """The change as a share of the period before; NaN where either has no number."""
        if self.now is None or self.before is None or not self.before["value"] > 0:
            return float("nan")
        return float(self.now["value"] / self.before["value"] - 1)


def _costs(rows: pd.DataFrame, unit: str, by: Sequence[str], right: pd.DataFrame | None) -> pd.DataFrame:
    """One unit's cost by group; a correct label's with the accuracies ``right`` of the groups."""
    cost, count = SUMS[unit]
    found = unit_cost.cost_per(rows, by, cost=cost, count=count)
    if unit != CORRECT:
        return found
    if right is None or right.empty:
        right = pd.DataFrame(columns=[*by, "value", "low", "high", "n", "reason"])
    known = found[list(by)].merge(right, on=list(by), how="left") if by else right.reset_index(drop=True)
    known["reason"] = known["reason"].fillna(unit_cost.NO_GOLD)
    return unit_cost.cost_per_correct(found, known.fillna({"n": 0.0}))


def _clusters(rows: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Sums by week, project and pool, as cost per label clusters."""
    keys = list(dict.fromkeys(("week", "project", "pool", *by)))
    return rows.groupby(keys, sort=False, dropna=False)[[*COUNTS, *MONEY]].sum().reset_index()


@st.cache_data(**KEPT)
def unit(snapshot: Snapshot, filters: Filters, ask: Ask) -> Unit:
    """What a label cost in the period and before it, in all and by group."""
    nothing = Unit(None, None, pd.DataFrame(), None, pd.DataFrame(), "")
    reason = cannot(snapshot, filters)
    if reason or not filters.days:
        return replace(nothing, reason=reason or "there is no period")
    rows = ledger(snapshot, filters)
    sides = [between(rows, f) for f in (filters, filters.before())]
    if not len(sides[0]):
        return replace(nothing, reason="no costs match these filters")
    measured = figures.measure(snapshot, (ask.quality,), ((), (ask.by,)), (filters, filters.before()))
    found, groups, chosen = [], [], pd.DataFrame()
    for k, side in enumerate(sides):
        right = accuracy(measured[0][k], ())
        found.append((_costs(_clusters(side), ask.unit, (), right).iloc[0], right.iloc[0]))
        here = measured[1][k]
        known = accuracy(here[here[ask.by].notna()], (ask.by,))
        groups.append(_values(side, ask.by, known))
        if not k:
            chosen = _costs(_clusters(side, (ask.by,)), ask.unit, (ask.by,), known)
    now = found[0][0]
    if not sides[0]["cost"].sum() > 0:
        return replace(nothing, reason="no money was spent in this period")
    score = figures.compared(snapshot, filters, CATALOGUE, ((),))[0]
    return Unit(now, found[1][0], score, found[0][1], _groups(snapshot, chosen, groups, sides, ask), "")


def _values(side: pd.DataFrame, by: str, right: pd.DataFrame) -> pd.DataFrame:
    """All unit costs of each group as values alone."""
    sums = side.groupby(by)[[*dict.fromkeys(c for pair in SUMS.values() for c in pair)]].sum()
    known = right.set_index(by)["value"].reindex(sums.index)
    found = {}
    for u, (cost, count) in SUMS.items():
        made = sums[count] * (known if u == CORRECT else 1.0)
        found[COLUMN[u]] = sums[cost] / made.where(made > 0)
    return pd.DataFrame(found)


def _groups(
    snapshot: Snapshot, chosen: pd.DataFrame, values: list[pd.DataFrame], sides: list[pd.DataFrame], ask: Ask
) -> pd.DataFrame:
    """A row per group: the chosen unit as figures.breakdown() gives it, and all units now and before."""
    metric, by = METRIC[ask.unit], ask.by
    rows = chosen.rename(columns={"accuracy": "right", "accuracy_n": "right_n"})
    for name, side in zip(("", "_before"), values, strict=True):
        for u in COLUMN.values():
            rows[f"{u}{name}"] = rows[by].map(side[u]).astype(float)
    spent = sides[0].groupby(by)["cost"].sum()
    rows = rows.assign(spent=rows[by].map(spent).fillna(0.0).astype(float))
    rows = rows[rows[by].notna() & ((rows["spent"] > 0) | (rows["n"] > 0))].reset_index(drop=True)
    least = data.current_scope().minimum_items
    hidden = (rows["n"] < least).to_numpy() if least else np.zeros(len(rows), bool)
    if hidden.any():
        rows.loc[hidden, ["value", "low", "high", "spent"]] = np.nan
        rows.loc[hidden, [c for u in COLUMN.values() for c in (u, f"{u}_before")]] = np.nan
        rows.loc[hidden, "reason"] = "too small a group to show"
    names = snapshot.names.get(by, {})
    targets = _targets(snapshot, metric, rows[by], by, sides[0]["day"].max().date())
    rows = rows.assign(
        metric=metric.name,
        member=rows[by].astype(str),
        label=[names.get(str(m), str(m)) for m in rows[by]],
        target=[t[0] for t in targets],
        warn=[t[1] for t in targets],
        change=rows[COLUMN[ask.unit]] / rows[f"{COLUMN[ask.unit]}_before"] - 1,
    )
    rows["status"] = [_status(row) for row in rows.to_dict("records")]
    order = rows["status"].map(figures.ORDER)
    return (
        rows.assign(order=order)
        .sort_values(["order", "value"], ascending=[True, False], kind="stable")
        .reset_index(drop=True)
    )


def _targets(snapshot: Snapshot, metric: Metric, members: pd.Series, by: str, on: dt.date) -> list[tuple]:
    """The target in force of each group; only projects and pools have their own."""
    found = []
    for member in members:
        where = {by: str(member)} if by in ("project", "pool") else {}
        goal = snapshot.targets.in_force(metric, on, **where) if where else None
        found.append((goal.target, goal.warn) if goal else (np.nan, np.nan))
    return found


def _status(row: Mapping) -> str:
    if pd.isna(row["value"]):
        return Status.TOO_FEW.value
    if pd.isna(row["target"]):
        return Status.NO_TARGET.value
    if row["value"] <= row["target"]:
        return Status.ON_TARGET.value
    return (Status.WATCH if not row["low"] > row["target"] else Status.OFF_TARGET).value


@st.cache_data(**KEPT)
def over_time(snapshot: Snapshot, filters: Filters, unit: str, quality: str) -> pd.DataFrame:
    """One unit cost by week as figures.over_time() gives a metric of the catalogue."""
    if unit != CORRECT:
        return figures.over_time(snapshot, filters, METRIC[unit].name, "week")
    right = figures.over_time(snapshot, filters, quality, "week")
    if right.empty:
        return right
    period = periods.around((filters.start, filters.end), "week")
    rows = _clusters(between(ledger(snapshot, filters), filters.over(*period)))
    right = right[right["at"].notna()].assign(week=right["at"])
    found = _costs(rows, CORRECT, ("week",), accuracy(right, ("week",)))
    return found.assign(
        metric=METRIC[CORRECT].name,
        at=pd.to_datetime(found["week"]),
        target=np.nan,
        warn=np.nan,
        status=np.where(found["value"].notna(), Status.NO_TARGET.value, Status.TOO_FEW.value),
        whole=[periods.complete(at, "week", period) for at in found["week"]],
    )


# ---- what moved ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Moved:
    """What moved the cost. parts: part, amount (they sum to change). drivers: part, project, pool, amount, and what

    changed there (from, to), largest first; they sum to change as well. hours: what the hours are.
    """

    before: float | None
    after: float | None
    change: float | None
    parts: pd.DataFrame
    drivers: pd.DataFrame
    hours: str = "paid"
    reason: str = ""


BETWEEN, INSIDE, ACCURACY = "mix of projects", "mix inside a project", "accuracy"
PART_ORDER = ("volume", BETWEEN, INSIDE, "efficiency", "price", "unsplit", "unlabelled", ACCURACY)


@st.cache_data(**KEPT)
def bridge(snapshot: Snapshot, filters: Filters, ask: Ask) -> Moved:
    """The change of the chosen unit cost, or of the total cost, between the period before and this one, exact."""
    nothing = Moved(None, None, None, pd.DataFrame(), pd.DataFrame())
    reason = cannot(snapshot, filters)
    if reason or not filters.days:
        return replace(nothing, reason=reason or "there is no period")
    rows = ledger(snapshot, filters)
    spans = (filters.before(), filters)
    sides = [_cells(snapshot, span, between(rows, span), ask) for span in spans]
    if not all(len(s[0]) and s[0]["cost"].sum() > 0 for s in sides):
        return replace(nothing, reason="there are no costs in one of the two periods")
    hours = "paid" if all(s[1] == "paid" for s in sides) else "handling"
    cells = [s[0].assign(hours=s[0][hours]) for s in sides]
    of = COST if ask.of == TOTAL else UNIT_COST
    found = cost_bridge(*cells, ("project", "pool", "policy"), of=of, hours=hours)
    if found.change is None:
        return replace(nothing, reason=found.reason)
    scale, quality = 1.0, 0.0
    if ask.of == UNIT and ask.unit == CORRECT:
        measured = figures.measure(snapshot, (ask.quality,), ((),), spans)[0]
        right = [accuracy(m, ()).iloc[0] for m in measured]
        if any(not r["value"] > 0 for r in right):
            return replace(nothing, reason=next(r["reason"] for r in right if not r["value"] > 0))
        # A correct label is cost a label over accuracy: two factors, each with the mean of the other.
        inverse = [1 / r["value"] for r in right]
        scale, quality = sum(inverse) / 2, (inverse[1] - inverse[0]) * (found.before + found.after) / 2
        totals = found.before * inverse[0], found.after * inverse[1]
    else:
        right, totals = [], (found.before, found.after)
    drivers = _drivers(found, cells, of)
    drivers["amount"] *= scale
    if quality:
        new = {"part": ACCURACY, "project": "", "pool": "", "amount": quality}
        new |= {"was": right[0]["value"], "now": right[1]["value"]}
        drivers = pd.concat([drivers, pd.DataFrame([new])], ignore_index=True)
    change = totals[1] - totals[0]
    drivers = drivers[drivers["amount"].abs() > 1e-12].assign(share=lambda d: d["amount"] / change if change else 0.0)
    order = drivers["amount"].abs().sort_values(ascending=False, kind="stable").index
    drivers = drivers.loc[order].reset_index(drop=True)
    sums = drivers.groupby("part")["amount"].sum() if len(drivers) else pd.Series(dtype=float)
    parts = pd.DataFrame([(p, float(sums.get(p, 0.0))) for p in PART_ORDER], columns=["part", "amount"])
    keep = parts["amount"].abs() > 1e-9 * max(abs(totals[0]), abs(totals[1]))
    return Moved(*totals, change, parts[keep].reset_index(drop=True), drivers, hours, "")


def _cells(snapshot: Snapshot, span: Filters, rows: pd.DataFrame, ask: Ask) -> tuple[pd.DataFrame, str]:
    """Project x pool x policy: labels, cost, paid and handling hours of a period; and which hours are known."""
    cost, count = SUMS[ask.unit] if ask.of == UNIT else ("cost", "labels")
    money = rows.groupby(["project", "pool"], dropna=False)[cost].sum().rename("cost").reset_index()
    # A pool's paid hours are shared by all that it works on, whatever project is looked at.
    whole = Filters.of({n: v for n, v in span.where if n in POOLS}, span.start, span.end)
    columns = ("labels", "accepted_labels", "judgements", "handle_n", "handle_sum_seconds")
    work = data.sums(snapshot, "work", columns, ("project", "pool", "policy"), whole)
    for name in columns:
        work[name] = work[name].astype(float).fillna(0.0)
    timed = work["handle_n"] > 0
    each = work["handle_sum_seconds"].where(timed) / work["handle_n"].where(timed)
    pooled = work.groupby("pool")[["handle_sum_seconds", "handle_n"]].sum()
    usual = work["pool"].map(pooled["handle_sum_seconds"] / pooled["handle_n"].where(pooled["handle_n"] > 0))
    work["seconds"] = (each.fillna(usual) * work["judgements"]).fillna(0.0)
    work["handling"] = (work["seconds"] / 3600).where(work["seconds"] > 0)
    paid = _paid_hours(snapshot, whole)
    total = work.groupby("pool")["seconds"].transform("sum")
    work["paid"] = (work["pool"].map(paid).astype(float) * work["seconds"] / total.where(total > 0)).where(
        work["seconds"] > 0
    )
    cells = money.merge(work, on=["project", "pool"], how="left")
    inside = cells.groupby(["project", "pool"], dropna=False)
    by_time, by_work = inside["seconds"].transform("sum"), inside["judgements"].transform("sum")
    share = (cells["seconds"] / by_time.where(by_time > 0)).fillna(cells["judgements"] / by_work.where(by_work > 0))
    cells = cells.assign(
        cost=cells["cost"] * share.fillna(1.0),
        labels=cells[count].fillna(0.0),
        policy=cells["policy"].fillna(""),
        pool=cells["pool"].fillna(""),
    )
    cells = cells[(cells["cost"] > 0) | (cells["labels"] > 0)]
    return cells, "paid" if len(paid) else "handling"


def _paid_hours(snapshot: Snapshot, whole: Filters) -> pd.Series:
    """Paid hours by pool; empty without shifts, and where the reader does not see all that the pools work on."""
    if data.current_scope().projects is not None:
        return pd.Series(dtype=float)
    rows = data.sums(snapshot, "shift", ("logged_seconds",), ("pool",), whole)
    rows = rows[rows["logged_seconds"] > 0]
    return rows.set_index("pool")["logged_seconds"] / 3600


def _drivers(found: Bridge, cells: list[pd.DataFrame], of: str) -> pd.DataFrame:
    """The parts by where they lie: volume in all, mix by project, the others by project and pool."""
    table = found.cells
    volume = [float(table[c].sum()) for c in ("labels_before", "labels_after")]
    rows: list[dict] = []
    if table["volume"].abs().sum():
        total = {"part": "volume", "project": "", "pool": "", "amount": table["volume"].sum()}
        rows.append(total | {"was": volume[0], "now": volume[1]})
    rows += _mix(found, volume, 1.0 if of == UNIT_COST else sum(volume) / 2)
    handling = [c.groupby(["project", "pool"])["handling"].sum() for c in cells]
    sums = ["labels_before", "labels_after", "hours_before", "hours_after", "cost_before", "cost_after"]
    parts = ["efficiency", "price", "unsplit", "unlabelled"]
    by_place = table.groupby(["project", "pool"])[[*sums, *parts]].sum()
    for row in by_place.reset_index().to_dict("records"):
        place = {"project": row["project"], "pool": row["pool"]}
        touch = [h.get((row["project"], row["pool"]), math.nan) for h in handling]
        each = [_each(row, side, time) for side, time in zip(("before", "after"), touch, strict=True)]
        for part in parts:
            if row[part]:
                was, now = (e.get(part, e["all"]) for e in each)
                one = {"part": part, **place, "amount": row[part], "was": was, "now": now}
                rows.append(one | {"touch_was": each[0]["touch"], "touch_now": each[1]["touch"]})
    columns = ["part", "project", "pool", "amount", "was", "now", "touch_was", "touch_now", "what"]
    return pd.DataFrame(rows).reindex(columns=columns) if rows else pd.DataFrame(columns=columns)


def _each(row: dict, side: str, touch: float) -> dict[str, float]:
    """Of a place and period: paid and handling seconds a label, cost an hour, cost a label; NaN where there is none."""
    labels, hours, cost = (row[f"{name}_{side}"] or math.nan for name in ("labels", "hours", "cost"))
    return {
        "efficiency": 3600 * hours / labels,
        "touch": 3600 * touch / labels,
        "price": cost / hours,
        "all": cost / labels,
    }


def _mix(found: Bridge, volume: list[float], scale: float) -> list[dict]:
    """Mix as labels moving between projects, and inside each project between its pools and policies; sums to mix."""
    mixed = found.drivers[found.drivers["part"] == "mix"].groupby("project")["amount"].sum()
    table = found.cells
    made = table[(table["labels_before"] > 0) | (table["labels_after"] > 0)]
    sums = made.groupby("project")[["labels_before", "labels_after", "cost_before", "cost_after"]].sum()
    labels, cost = sums.to_numpy(float)[:, :2], sums.to_numpy(float)[:, 2:]
    overall = _mean_price(cost.sum(axis=0)[None], labels.sum(axis=0)[None])[0]
    level = _mean_price(cost, labels)
    share = labels / np.where(np.array(volume) > 0, volume, 1.0)
    shifted = _shifted(made)
    rows = []
    for k, project in enumerate(sums.index):
        between = (share[k, 1] - share[k, 0]) * (level[k] - overall) * scale if len(sums) > 1 else 0.0
        here = {"project": project, "pool": ""}
        rows.append({"part": BETWEEN, **here, "amount": between, "was": share[k, 0], "now": share[k, 1]})
        what, was, now = shifted.get(project, ("", 0.0, 0.0))
        amount = float(mixed.get(project, 0.0)) - between
        rows.append({"part": INSIDE, **here, "amount": amount, "was": was, "now": now, "what": what})
    return rows


def _mean_price(cost: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cost a label, the mean of the two periods; of one where only that has labels."""
    each = np.divide(cost, labels, out=np.zeros_like(cost), where=labels > 0)
    return each.sum(axis=1) / np.maximum((labels > 0).sum(axis=1), 1)


def _shifted(cells: pd.DataFrame) -> dict[str, tuple[str, float, float]]:
    """By project the pool or policy whose share of the labels grew most: "pool:POOL-01" or "policy:hate", was, now."""
    best: dict[str, tuple[str, float, float]] = {}
    for name in ("policy", "pool"):
        sums = cells.groupby(["project", name])[["labels_before", "labels_after"]].sum()
        whole = sums.groupby(level=0).transform("sum").to_numpy(float)
        shares = np.divide(sums.to_numpy(float), whole, out=np.zeros_like(whole), where=whole > 0)
        for (project, member), both, (was, now) in zip(sums.index, whole, shares, strict=True):
            _, low, high = best.get(project, ("", 0.0, 0.0))
            if both.all() and now - was > high - low:
                best[project] = (f"{name}:{member}", float(was), float(now))
    return best


# ---- poor quality ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class PoorQuality:
    """What quality costs: ``whole`` for all, and a row per group and category with amount and share of its cost."""

    whole: unit_cost.CostOfQuality
    rows: pd.DataFrame
    labels: float


@st.cache_data(**KEPT)
def poor_quality(snapshot: Snapshot, filters: Filters, ask: Ask) -> PoorQuality:
    """Prevention, appraisal, internal and external failure, in all and by group."""
    rows = between(ledger(snapshot, filters), filters)
    measured = figures.measure(snapshot, (ask.quality,), ((), (ask.by,)), (filters,))
    gold = data.sums(snapshot, "work", ("gold_n",), (ask.by,), filters)
    appeals, appeals_by = _appeals(snapshot, filters, ask.by)
    right = accuracy(measured[0][0], ()).iloc[0]
    whole = _quality(rows[[*COUNTS, *MONEY]].sum(), float(gold["gold_n"].astype(float).sum()), appeals, right, ask)
    here = measured[1][0]
    known = accuracy(here[here[ask.by].notna()], (ask.by,)).set_index(ask.by)
    sums = rows.groupby(ask.by)[[*COUNTS, *MONEY]].sum()
    sums = sums[(sums["cost"] > 0) & (sums["labels"] >= max(1, data.current_scope().minimum_items))]
    gold_by = gold.set_index(ask.by)["gold_n"].astype(float).fillna(0.0)
    names = snapshot.names.get(ask.by, {})
    parts = []
    for member, row in sums.iterrows():
        one = known.loc[member] if member in known.index else None
        found = _quality(row, float(gold_by.get(member, 0.0)), appeals_by.get(member), one, ask)
        parts.append(
            found.categories.assign(member=str(member), label=names.get(str(member), str(member)), cost=row["cost"])
        )
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["category", "member", "label"])
    return PoorQuality(whole, table, float(rows["labels"].sum()))


def _quality(sums: pd.Series, gold: float, appeals: float | None, right: pd.Series | None, ask: Ask):
    known = {name: float(sums[name]) for name in (*COUNTS, *MONEY)} | {"gold_judgements": gold}
    if appeals is not None:
        known["appeals_decided"] = appeals
    wrong = None
    if right is not None:
        wrong = Estimate.missing(str(right["reason"]), float(right["n"])) if right["reason"] else None
        if wrong is None:
            value, low, high = (1 - float(right[c]) for c in ("value", "high", "low"))
            wrong = Estimate(value, min(low, value), max(high, value), float(right["n"]))
    return unit_cost.cost_of_quality(
        known,
        escaped_error_cost=ask.harm,
        error_share=wrong,
        appeal_cost=ask.appeal,
        escalation_cost=ask.escalation,
    )


def _appeals(snapshot: Snapshot, filters: Filters, by: str) -> tuple[float | None, dict]:
    """Appeals decided, in all and by group; none by pool: an appeal is filed against an item, not a pool."""
    if not loaded(snapshot, "appeals"):
        return None, {}
    held = [n for n, _ in filters.where if expression(SOURCES["flow"], n) is None]
    if held:
        return None, {}
    rows = data.sums(snapshot, "flow", ("appeals_decided",), ("project",), filters)
    total = float(rows["appeals_decided"].fillna(0).sum())
    if by == "project":
        return total, dict(zip(rows["project"], rows["appeals_decided"].fillna(0).astype(float), strict=True))
    if by == "product":
        products = small(snapshot, "project").set_index("project_id")["product"]
        return total, rows.groupby(rows["project"].map(products))["appeals_decided"].sum().astype(float).to_dict()
    return total, {}


# ---- budget ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Budget:
    """Budget against actual. rows: a row per project and one of all, with the forecast at completion.

    start, end: the months budgeted. as_of: the last day counted.
    """

    rows: pd.DataFrame
    total: pd.Series | None
    start: dt.date | None = None
    end: dt.date | None = None
    as_of: dt.date | None = None
    reason: str = ""
    left_out: tuple[str, ...] = ()


@st.cache_data(**KEPT)
def budget(snapshot: Snapshot, filters: Filters) -> Budget:
    """Budget, actual and forecast at completion of the budgeted months of the year that the period ends in."""
    nothing = Budget(pd.DataFrame(), None)
    if not loaded(snapshot, "budgets"):
        return replace(nothing, reason=NO_BUDGETS)
    if not loaded(snapshot, "costs"):
        return replace(nothing, reason=NO_COSTS)
    kept = {n: v for n, v in filters.where if n in PROJECTS}
    left_out = tuple(n for n, _ in filters.where if n not in PROJECTS)
    if not filters.end or snapshot.meta.last_day is None:
        return replace(nothing, reason="there is no period")
    as_of = min(filters.end, snapshot.meta.last_day)
    year = Filters.of(kept, as_of.replace(month=1, day=1), as_of)
    rows = data.sums(snapshot, "ledger", ("cost", "accepted_labels"), ("day", "project"), year)
    rows = rows.assign(cost=rows["cost"].astype(float).fillna(0), accepted_labels=rows["accepted_labels"].fillna(0))
    plan = small(snapshot, "budget")
    plan = plan.assign(month=pd.to_datetime(plan["month"]))
    plan = plan[plan["project_id"].isin(_projects(snapshot, filters)) & (plan["month"].dt.year == as_of.year)]
    if plan.empty:
        return replace(nothing, reason=f"no budget of {as_of.year} for these projects", left_out=left_out)
    # A year that is budgeted from some month on is compared from that month on.
    start = plan["month"].min()
    rows = rows[pd.to_datetime(rows["day"]) >= start]
    end = (plan["month"].max() + pd.offsets.MonthEnd(0)).date()
    actual = rows.rename(columns={"project": "project_id"})
    earned = budgets.earned_value(actual, plan, as_of)
    weeks_left = max((end - as_of).days / 7, 0.0)
    names = snapshot.names["project"]
    weekly = _weekly(rows, start, as_of)
    limits = plan.groupby("project_id")["amount"].sum()
    found = []
    for row in earned.to_dict("records"):
        project = row["project_id"]
        if project not in limits.index:
            continue
        series, before = weekly.get(project, (np.zeros(0), 0.0))
        forecast = budgets.forecast_at_completion(
            series, weeks_left=weeks_left, budget=float(limits[project]), spent_before=before
        )
        found.append({**row, **_completion(forecast), "label": names.get(project, project)})
    with_plan = [weekly[p] for p in limits.index if p in weekly]
    length = max((len(s) for s, _ in with_plan), default=0)
    total = sum((s for s, _ in with_plan), np.zeros(length))
    whole = budgets.forecast_at_completion(
        total, weeks_left=weeks_left, budget=float(limits.sum()), spent_before=sum(b for _, b in with_plan)
    )
    table = pd.DataFrame(found)
    summed = table[["budget", "budget_to_date", "actual"]].sum()
    table = table.sort_values(["over_budget", "at_completion"], ascending=False, kind="stable", na_position="last")
    return Budget(
        table.reset_index(drop=True),
        pd.Series({**summed, **_completion(whole), "label": "All"}),
        start.date(),
        end,
        as_of,
        "",
        left_out,
    )


def _projects(snapshot: Snapshot, filters: Filters) -> set[str]:
    """The projects that the reader may see and the filters leave."""
    rows = small(snapshot, "project").rename(columns={"project_id": "project"})
    scope = data.current_scope()
    keep = rows["project"].notna() if scope.projects is None else rows["project"].isin(scope.projects)
    for name in PROJECTS:
        if filters.values(name):
            keep &= rows[name].isin(filters.values(name))
    return set(rows.loc[keep, "project"])


def _weekly(rows: pd.DataFrame, start: pd.Timestamp, as_of: dt.date) -> dict[str, tuple[np.ndarray, float]]:
    """Cost by weeks of seven days that end on ``as_of``, and what was spent before the first of them, by project."""
    weeks = ((pd.Timestamp(as_of) - start).days + 1) // 7
    back = (pd.Timestamp(as_of) - pd.to_datetime(rows["day"])).dt.days.to_numpy() // 7
    spent, found = rows["cost"].to_numpy(float), {}
    for project, places in rows.groupby("project").indices.items():
        at, cost = back[places], spent[places]
        series = np.bincount(at, weights=cost, minlength=weeks + 1)
        found[str(project)] = (series[:weeks][::-1], float(series[weeks:].sum()))
    return found


def _completion(forecast: budgets.Forecast) -> dict[str, object]:
    end = forecast.at_completion
    missing = float("nan")
    return {
        "at_completion": missing if end.value is None else end.value,
        "low": missing if end.low is None else end.low,
        "high": missing if end.high is None else end.high,
        "over_budget": missing if forecast.over_budget is None else forecast.over_budget,
        "forecast_reason": end.reason,
        "weeks": end.n,
    }
