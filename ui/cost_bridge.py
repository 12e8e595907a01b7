"""What moved the cost between the period before and this one, exact, and the places that it moved at.

A cell is a project, pool and policy. A pool's paid hours are shared out to its cells as the time spent on judgements
was.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics.bridge import COST, UNIT_COST, Bridge, cost_bridge
from ui import cost_units, data
from ui.costs import CORRECT, KEPT, LEAST_CENT, METRIC, POOLS, TOTAL, UNIT, Ask, cannot, timed_work

BETWEEN, INSIDE, ACCURACY = "mix of projects", "mix inside a project", "accuracy"
PART_ORDER = ("volume", BETWEEN, INSIDE, "efficiency", "price", "unsplit", "unlabelled", ACCURACY)
PLACE = ("project", "pool", "policy")
COLUMNS = ("part", "project", "pool", "amount", "was", "now", "touch_was", "touch_now", "what")
REFUNDED = "corrections exceed the costs of a project, pool and policy in one of the two periods"
WITHHELD = "withheld"
"""What moved at places too small for the reader, together."""

Columns = dict[str, np.ndarray]


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


def _nothing(reason: str) -> Moved:
    return Moved(None, None, None, pd.DataFrame(), pd.DataFrame(), reason=reason)


@st.cache_data(**KEPT)
def bridge(snapshot: Snapshot, filters: Filters, ask: Ask) -> Moved:
    """The change of the chosen unit cost, or of the total cost, between the period before and this one, exact."""
    reason = cannot(snapshot, filters)
    if reason:
        return _nothing(reason)
    spans = (filters.before(), filters)
    sides = [_cells(snapshot, span, ask) for span in spans]
    if not all(len(s) and s["cost"].sum() > 0 for s in sides):
        return _nothing("there are no costs in one of the two periods")
    if any((s["cost"] < -LEAST_CENT).any() for s in sides):
        return _nothing(f"{REFUNDED}; the figures and the table count them")
    sides = [s.assign(cost=s["cost"].clip(lower=0.0)) for s in sides]
    hours = "paid" if all(s["paid"].notna().any() for s in sides) else "handling"
    cells = [s.assign(hours=s[hours]) for s in sides]
    of = COST if ask.of == TOTAL else UNIT_COST
    found = cost_bridge(*cells, PLACE, of=of, hours=hours)
    if found.change is None:
        return _nothing(found.reason)
    totals, right, scale, quality = (found.before, found.after), [], 1.0, 0.0
    if ask.of == UNIT and ask.unit == CORRECT:
        both = cost_units.measured(snapshot, (filters, filters.before()), ask.quality, ((), (ask.by,)))[0]
        rows = [f.set_index("metric").loc[METRIC[CORRECT].name] for f in both[::-1]]
        missing = next((r["reason"] for r in rows if not r["value"] > 0), "")
        if missing:
            return _nothing(missing)
        # A correct label is cost a label over accuracy: two factors, each with the mean of the other.
        totals = tuple(float(r["value"]) for r in rows)
        inverse = [total / each for total, each in zip(totals, (found.before, found.after), strict=True)]
        right = [1 / i for i in inverse]
        scale, quality = sum(inverse) / 2, (inverse[1] - inverse[0]) * (found.before + found.after) / 2
    drivers = _drivers(found, cells, of)
    for row in drivers:
        row["amount"] *= scale
    if quality:
        drivers.append(
            {"part": ACCURACY, "project": "", "pool": "", "amount": quality, "was": right[0], "now": right[1]}
        )
    hidden = {by: _too_small(snapshot, by, spans) for by in (("project",), ("project", "pool"), ("project", "policy"))}
    return _moved(totals, _shown(drivers, hidden), hours)


def _moved(totals: tuple[float, float], drivers: list[dict], hours: str) -> Moved:
    """Drivers ranked, and added up by part."""
    change = totals[1] - totals[0]
    drivers = sorted((d for d in drivers if abs(d["amount"]) > 1e-12), key=lambda d: -abs(d["amount"]))
    table = pd.DataFrame(drivers, columns=[*COLUMNS])
    table["share"] = table["amount"] / change if change else 0.0
    least = 1e-9 * max(map(abs, totals))
    sums = {part: math.fsum(d["amount"] for d in drivers if d["part"] == part) for part in PART_ORDER}
    parts = pd.DataFrame([(p, a) for p, a in sums.items() if abs(a) > least], columns=["part", "amount"])
    return Moved(*totals, change, parts, table, hours)


# ---- cells -----------------------------------------------------------------------------------------------------


def _cells(snapshot: Snapshot, span: Filters, ask: Ask) -> pd.DataFrame:
    """Project x pool x policy: labels, cost, paid and handling hours of a period; NaN where hours are not known."""
    pair = METRIC[ask.unit].shape.pair if ask.of == UNIT and ask.unit != CORRECT else ("cost", "labels")
    money = _columns(snapshot, "ledger", pair, PLACE, span)
    cost, labels = (np.nan_to_num(money[c].astype(float)) for c in pair)
    handling, paid = _hours(snapshot, span)
    keys = _keys(money)
    keep = (cost != 0) | (labels > 0)
    table = {name: [key[k] for key in keys] for k, name in enumerate(PLACE)}
    table |= {"labels": labels, "cost": cost}
    table |= {
        name: [known.get(key, np.nan) for key in keys] for name, known in (("handling", handling), ("paid", paid))
    }
    return pd.DataFrame(table)[keep]


def _hours(snapshot: Snapshot, span: Filters) -> tuple[dict, dict]:
    """Handling and paid hours by cell.

    A pool's paid hours are shared by all that it works on, whatever of it the filters leave; untimed judgements count
    at the mean time of their project in the pool, where none is known at the pool's. Times are on each project's main
    basis.
    """
    whole = span.over(span.start, span.end)
    whole = Filters.of({n: v for n, v in span.where if n in POOLS}, span.start, span.end)
    columns = ("judgements", "handle_n", "handle_sum_seconds")
    everything = _arrays(timed_work(snapshot, columns, PLACE, whole), PLACE, columns)
    usual: dict[tuple, float] = {}
    for by in (("pool",), ("project", "pool")):
        places, sums = grouped(everything, by, ("handle_n", "handle_sum_seconds"))
        timed = sums["handle_n"] > 0
        mean = np.divide(sums["handle_sum_seconds"], sums["handle_n"], out=np.zeros(len(timed)), where=timed)
        usual |= {place: float(m) for place, m, known in zip(places, mean, timed, strict=True) if known}
    everything["seconds"] = _seconds(everything, usual)
    here = everything
    if whole != span:
        here = _arrays(timed_work(snapshot, columns, PLACE, span), PLACE, columns)
        here["seconds"] = _seconds(here, usual)
    pools, sums = grouped(everything, ("pool",), ("seconds",))
    total = dict(zip((p for (p,) in pools), sums["seconds"], strict=True))
    rate = {pool: hours / total[pool] for pool, hours in _paid_hours(snapshot, whole).items() if total.get(pool, 0) > 0}
    spent = {key: s for key, s in zip(_keys(here), here["seconds"].tolist(), strict=True) if s > 0}
    handling = {key: s / 3600 for key, s in spent.items()}
    return handling, {key: s * rate[key[1]] for key, s in spent.items() if key[1] in rate}


def _seconds(work: Columns, usual: dict) -> np.ndarray:
    timed = work["handle_n"] > 0
    places = zip(work["project"].tolist(), work["pool"].tolist(), strict=True)
    mean = np.array([usual.get(place, usual.get(place[1:], 0.0)) for place in places], float)
    each = np.divide(work["handle_sum_seconds"], work["handle_n"], out=mean, where=timed)
    return each * work["judgements"]


def _paid_hours(snapshot: Snapshot, whole: Filters) -> dict[str, float]:
    """Paid hours by pool; none without shifts, and where the reader does not see all that the pools work on."""
    if data.current_scope().projects is not None:
        return {}
    rows = data.sums(snapshot, "shift", ("logged_seconds",), ("pool",), whole)
    hours = rows["logged_seconds"].astype(float) / 3600
    return {pool: h for pool, h in zip(rows["pool"], hours, strict=True) if h > 0}


def _columns(snapshot: Snapshot, mart: str, names: Sequence[str], by: Sequence[str], span: Filters) -> Columns:
    """data.sums() as arrays, what is missing as 0 or ""."""
    return _arrays(data.sums(snapshot, mart, tuple(names), tuple(by), span), by, names)


def _arrays(rows: pd.DataFrame, by: Sequence[str], names: Sequence[str]) -> Columns:
    found = {name: rows[name].fillna("").to_numpy(object) for name in by}
    return found | {name: np.nan_to_num(rows[name].to_numpy(float, na_value=np.nan)) for name in names}


def _keys(columns: Columns) -> list[tuple]:
    return list(zip(*(columns[name].tolist() for name in PLACE), strict=True))


def grouped(columns: Columns, by: Sequence[str], names: Sequence[str]) -> tuple[list[tuple], Columns]:
    """Sums of columns over groups: the groups' keys in order, and an array a name."""
    keys = list(zip(*(np.asarray(columns[name], object).tolist() for name in by), strict=True))
    at = {key: k for k, key in enumerate(sorted(set(keys)))}
    code = np.array([at[key] for key in keys], np.int64)
    return list(at), {name: np.bincount(code, columns[name], len(at)) for name in names}


# ---- drivers ---------------------------------------------------------------------------------------------------


def _drivers(found: Bridge, cells: list[pd.DataFrame], of: str) -> list[dict]:
    """The parts by where they lie: volume in all, mix by project, the others by project and pool."""
    table = {name: found.cells[name].to_numpy() for name in found.cells}
    volume = [float(table[c].sum()) for c in ("labels_before", "labels_after")]
    rows: list[dict] = []
    if np.abs(table["volume"]).sum():
        total = {"part": "volume", "project": "", "pool": "", "amount": table["volume"].sum()}
        rows.append(total | {"was": volume[0], "now": volume[1]})
    rows += _mix(found, table, volume, 1.0 if of == UNIT_COST else sum(volume) / 2)
    touched = []
    for side in cells:
        places, sums = grouped(
            {n: side[n].to_numpy() for n in ("project", "pool", "handling")}, PLACE[:2], ["handling"]
        )
        touched.append(dict(zip(places, sums["handling"], strict=True)))
    names = [f"{what}_{side}" for what in ("labels", "hours", "cost") for side in ("before", "after")]
    parts = ("efficiency", "price", "unsplit", "unlabelled")
    places, sums = grouped(table, PLACE[:2], (*names, *parts))
    for k, place in enumerate(places):
        here = {name: float(column[k]) for name, column in sums.items()}
        sides = zip(("before", "after"), touched, strict=True)
        each = [_each(here, side, times.get(place, math.nan)) for side, times in sides]
        for part in parts:
            if here[part]:
                was, now = (e.get(part, e["all"]) for e in each)
                one = {
                    "part": part,
                    "project": place[0],
                    "pool": place[1],
                    "amount": here[part],
                    "was": was,
                    "now": now,
                }
                rows.append(one | {"touch_was": each[0]["touch"], "touch_now": each[1]["touch"]})
    return rows


def _each(row: dict, side: str, touch: float) -> dict[str, float]:
    """Of a place and period: paid and handling seconds a label, cost an hour, cost a label; NaN where there is none."""
    labels, hours, cost = (row[f"{name}_{side}"] or math.nan for name in ("labels", "hours", "cost"))
    return {
        "efficiency": 3600 * hours / labels,
        "touch": 3600 * touch / labels,
        "price": cost / hours,
        "all": cost / labels,
    }


def _mix(found: Bridge, table: Columns, volume: list[float], scale: float) -> list[dict]:
    """Mix as labels moving between projects, and inside each project between its pools and policies; sums to mix."""
    drivers = found.drivers[found.drivers["part"] == "mix"]
    places, sums = grouped({n: drivers[n].to_numpy() for n in ("project", "amount")}, ("project",), ("amount",))
    mixed = dict(zip(places, sums["amount"], strict=True))
    made = (table["labels_before"] > 0) | (table["labels_after"] > 0)
    here = {name: column[made] for name, column in table.items()}
    names = [f"{what}_{side}" for what in ("labels", "cost") for side in ("before", "after")]
    projects, sums = grouped(here, ("project",), names)
    labels, cost = (np.column_stack([sums[n] for n in pair]) for pair in (names[:2], names[2:]))
    overall = _mean_price(cost.sum(axis=0)[None], labels.sum(axis=0)[None])[0]
    level = _mean_price(cost, labels)
    share = labels / np.where(np.array(volume) > 0, volume, 1.0)
    shifted = _shifted(here)
    rows = []
    for k, (project,) in enumerate(projects):
        between = (share[k, 1] - share[k, 0]) * (level[k] - overall) * scale if len(projects) > 1 else 0.0
        at = {"project": project, "pool": ""}
        rows.append({"part": BETWEEN, **at, "amount": between, "was": share[k, 0], "now": share[k, 1]})
        what, was, now = shifted.get(project, ("", 0.0, 0.0))
        amount = float(mixed.get((project,), 0.0)) - between
        rows.append({"part": INSIDE, **at, "amount": amount, "was": was, "now": now, "what": what})
    return rows


def _mean_price(cost: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cost a label, the mean of the two periods; of one where only that has labels."""
    each = np.divide(cost, labels, out=np.zeros_like(cost), where=labels > 0)
    return each.sum(axis=1) / np.maximum((labels > 0).sum(axis=1), 1)


def _shifted(cells: Columns) -> dict[str, tuple[str, float, float]]:
    """By project the pool or policy whose share of the labels grew most: "pool:POOL-01" or "policy:hate", was, now."""
    sides = ("labels_before", "labels_after")
    projects, sums = grouped(cells, ("project",), sides)
    whole = {project: (b, a) for (project,), b, a in zip(projects, *(sums[s].tolist() for s in sides), strict=True)}
    best: dict[str, tuple[str, float, float]] = {}
    for name in ("policy", "pool"):
        places, sums = grouped(cells, ("project", name), sides)
        for (project, member), *made in zip(places, *(sums[s].tolist() for s in sides), strict=True):
            if not all(whole[project]):
                continue
            was, now = (part / total for part, total in zip(made, whole[project], strict=True))
            _, low, high = best.get(project, ("", 0.0, 0.0))
            if now - was > high - low:
                best[project] = (f"{name}:{member}", was, now)
    return best


# ---- groups too small to show ----------------------------------------------------------------------------------


def _too_small(snapshot: Snapshot, by: tuple[str, ...], spans: Sequence[Filters]) -> frozenset[tuple[str, ...]]:
    """The groups too small for the reader in either period."""
    return frozenset().union(*(data.too_small(snapshot, by, span) for span in spans))


def _shown(drivers: list[dict], hidden: dict[tuple[str, ...], Collection[tuple[str, ...]]]) -> list[dict]:
    """The drivers with those of places too small for the reader added up by part, so that the sum stays the change."""
    if not any(hidden.values()):
        return drivers
    shown, gone = [], {}
    for row in drivers:
        place = (row["project"], row["pool"]) if row["pool"] else (row["project"],)
        if place in hidden[PLACE[: len(place)]] or place[:1] in hidden[PLACE[:1]]:
            gone[row["part"]] = gone.get(row["part"], 0.0) + row["amount"]
            continue
        dimension, _, member = str(row.get("what") or "").partition(":")
        if member and (row["project"], member) in hidden["project", dimension]:
            row = {**row, "what": ""}
        shown.append(row)
    rest = {"project": "", "pool": "", "was": math.nan, "now": math.nan, "what": WITHHELD}
    return shown + [{"part": part, "amount": amount, **rest} for part, amount in gone.items()]
