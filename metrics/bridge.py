"""Why did the cost change? An exact bridge between two periods: volume, mix, efficiency and price.

A cell is a project x pool. Its cost is labels of all cells x the cell's share of them x hours a label x cost an hour:
volume, mix, efficiency and price. The bridge is bookkeeping, not an estimate: its parts have no interval, they sum to
the change, and they say where the money went, not whether the same would happen again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from metrics.unit_cost import amounts

Floats = NDArray[np.float64]

KEYS = ("project_id", "pool_id")
COST, UNIT_COST = "cost", "unit cost"
SHAPLEY = "Shapley"

PARTS = ("volume", "mix", "efficiency", "price", "unsplit", "unlabelled")
MEANINGS = {
    "volume": "more or fewer labels in all",
    "mix": "labels moved between dearer and cheaper cells",
    "efficiency": "hours a label",
    "price": "cost an hour",
    "unsplit": "cost a label, in cells whose hours are not known",
    "unlabelled": "cost of cells that made no labels in the period",
}

NO_LABELS = "no labels in the {} period: there is no cost per label"


@dataclass(frozen=True, eq=False)
class Bridge:
    """From one period's cost to the next one's, part by part.

    of: "cost" or "unit cost" (cost / labels). form: "Shapley", the mean of a factor's part over all orders in which the
        factors could have changed. hours: what the hours are, as given ("paid", "handling").
    before, after, change: money, or money a label; None with reason when a period has no labels (unit cost only).
    parts: a row per part in the order of ``PARTS``: part, meaning, amount; the amounts sum to change.
    cells: a row per cell: the keys, labels_before, labels_after, hours_before, hours_after, cost_before, cost_after,
        change and a column per part, which sum to the cell's change (of the unit cost: cost / all labels). Here a cell
        that grows adds to mix all that its labels cost.
    drivers: a row per cell and part that is not 0, largest first: the keys, part, amount, share (of the sum of
        |amount|, 0 to 1). Here mix is against the mean cost a label of all cells: growth of a cell counts as dear
        or cheap. The amounts sum to change as well.
    """

    of: str
    form: str
    hours: str
    before: float | None
    after: float | None
    change: float | None
    reason: str
    parts: pd.DataFrame
    cells: pd.DataFrame
    drivers: pd.DataFrame


def cost_bridge(
    before: pd.DataFrame,
    after: pd.DataFrame,
    keys: Sequence[str] = KEYS,
    *,
    of: str = COST,
    hours: str = "paid",
) -> Bridge:
    """The change of cost or unit cost between two periods as volume, mix, efficiency and price, exact to rounding.

    before, after: rows of cells, any number a cell: ``keys``, labels, hours (NaN or no column where not known; 0 counts
    as not known where there are labels), cost and, if there is one, currency. of: "cost" or "unit cost"; the unit
    cost has no volume part. hours: the name of what the hours are.

    Formula: cell cost = V s e p, V all labels, s the cell's share, e hours a label, p cost an hour; each factor's part
    is its Shapley value, Σ over the sets S of other factors |S|!(f-1-|S|)!/f! · Δfactor · Π_S after · Π_rest before.
    A factor that a period lacks counts as unchanged: a cell that comes or goes is volume and mix only; a cell without
    hours in one of its periods has its cost a label as one factor ("unsplit"); cost without labels in a period is
    "unlabelled". A first period without any labels: all labelled cost is volume.
    Raises ValueError for amounts, labels or hours below 0, two currencies or another ``of``. Source: Shapley 1953;
    Sun 1998 (complete decomposition); for two factors it is the average-weights form of Bennet 1920 and Kitagawa 1955.
    """
    if of not in (COST, UNIT_COST):
        raise ValueError(f'A bridge is of "{COST}" or of "{UNIT_COST}", not of "{of}".')
    keys = list(keys)
    amounts([*before["cost"], *after["cost"]], _currencies(before, after))
    index, labels, hours_, cost = _cells((before, after), keys)
    table = pd.DataFrame(index)
    for name, pair in (("labels", labels), ("hours", hours_), ("cost", cost)):
        table[f"{name}_before"], table[f"{name}_after"] = pair
    volume = labels.sum(axis=1)
    if of == UNIT_COST and not volume.all():
        reason = NO_LABELS.format("second" if volume[0] else "first")
        empty = pd.DataFrame(columns=[*keys, "part", "amount", "share"])
        table = table.assign(**dict.fromkeys(("change", *PARTS), np.nan))
        parts = _parts_table(table).assign(amount=np.nan)
        return Bridge(of, SHAPLEY, hours, None, None, None, reason, parts, table, empty)

    scale = volume[:, None] if of == UNIT_COST else np.ones((2, 1))
    parts, middle = _split(labels, hours_, cost, of == COST)
    spent = cost / scale
    parts["unlabelled"] = np.diff(np.where(labels > 0, 0, spent), axis=0)[0]
    for name in PARTS:
        table[name] = parts[name]
    table.insert(table.columns.get_loc("volume"), "change", spent[1] - spent[0])
    # Shares sum to 1 in both periods, so a constant price on them moves money between cells and adds none.
    against = parts | {"mix": parts["mix"] - middle}
    drivers = _drivers(index, against)
    totals = [math.fsum(row) for row in spent]
    return Bridge(
        of,
        SHAPLEY,
        hours,
        totals[0],
        totals[1],
        totals[1] - totals[0],
        "",
        _parts_table(table),
        table,
        drivers,
    )


def shapley_of_product(before: Sequence[Floats], after: Sequence[Floats]) -> list[Floats]:
    """Each factor's part of the change of a product: arrays that sum to Π after - Π before, to rounding.

    before, after: the factors' values, an array of one shape for each factor. The value of a factor is its change times
    the mean, over all orders of change, of the product of the others. Source: Shapley 1953.
    """
    count = len(before)
    found = []
    for k in range(count):
        others = [j for j in range(count) if j != k]
        total = np.zeros(np.shape(before[k]))
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - 1 - size) / math.factorial(count)
            for changed in itertools.combinations(others, size):
                term = np.ones_like(total)
                for j in others:
                    term = term * (after[j] if j in changed else before[j])
                total = total + weight * term
        found.append((np.asarray(after[k]) - before[k]) * total)
    return found


def _split(labels: Floats, hours: Floats, cost: Floats, with_volume: bool) -> tuple[dict[str, Floats], Floats]:
    """The parts of each cell's labelled cost, and what a cell's mix part would be at the mean cost a label."""
    made = labels > 0
    volume = labels.sum(axis=1)
    share = np.divide(labels, volume[:, None], out=np.zeros_like(labels), where=volume[:, None] > 0)
    # Without any labels in a period there is no mix: the other period's stands for it.
    if not volume.all():
        share = np.repeat(share[[int(np.argmax(volume))]], 2, axis=0)
    a_label = _filled(cost, labels, made)
    known = made & (hours > 0)
    split = (known | ~made).all(axis=0) & made.any(axis=0)
    time, price = _filled(hours, labels, known), _filled(cost, hours, known)
    total = np.broadcast_to(volume[:, None], share.shape)
    parts = {name: np.zeros(labels.shape[1]) for name in PARTS}
    for here, names, factors in (
        (split, ("volume", "mix", "efficiency", "price"), (total, share, time, price)),
        (~split, ("volume", "mix", "unsplit"), (total, share, a_label)),
    ):
        used = [(n, f) for n, f in zip(names, factors, strict=True) if n != "volume" or with_volume]
        values = shapley_of_product([f[0][here] for _, f in used], [f[1][here] for _, f in used])
        for (name, _), value in zip(used, values, strict=True):
            parts[name][here] = value
    labelled = np.where(made, cost, 0).sum(axis=1)
    overall = np.divide(labelled, volume, out=np.zeros(2), where=volume > 0).mean()
    return parts, (share[1] - share[0]) * overall * (volume.mean() if with_volume else 1.0)


def _filled(a: Floats, b: Floats, known: NDArray[np.bool_]) -> Floats:
    """The ratio a / b in both periods; where only one is known it stands for both, 0 where none is."""
    ratio = np.divide(a, b, out=np.zeros_like(a), where=known)
    return np.where(known, ratio, ratio[::-1])


def _cells(sides: Sequence[pd.DataFrame], keys: list[str]) -> tuple[dict[str, np.ndarray], Floats, Floats, Floats]:
    """The cells' keys in order, and labels, hours and cost as arrays (2 periods, cells)."""
    members = list(zip(*(np.concatenate([np.asarray(s[key], object) for s in sides]) for key in keys), strict=True))
    number, cells = pd.factorize(pd.Index(members, dtype=object, tupleize_cols=False), use_na_sentinel=False)
    order = sorted(range(len(cells)), key=lambda k: [(x is None or x != x, str(x)) for x in cells[k]])
    place = np.empty(len(cells), np.int64)
    place[order] = np.arange(len(cells))
    period = np.repeat([0, 1], [len(s) for s in sides])
    found = []
    for name in ("labels", "hours", "cost"):
        parts = [s[name].to_numpy(float, na_value=np.nan) if name in s else np.zeros(len(s)) for s in sides]
        values = np.concatenate(parts)
        values = np.nan_to_num(values) if name == "hours" else values
        if name != "cost" and not np.all(values >= 0):
            raise ValueError("Labels and hours are numbers that are not negative.")
        at = period * len(cells) + place[number]
        found.append(np.bincount(at, values, 2 * len(cells)).astype(float).reshape(2, len(cells)))
    index = {key: np.array([cells[k][i] for k in order], object) for i, key in enumerate(keys)}
    return index, *found


def _drivers(index: dict[str, np.ndarray], parts: dict[str, Floats]) -> pd.DataFrame:
    """A row per cell and part that is not 0, largest first."""
    amount = np.concatenate([parts[name] for name in PARTS])
    order = np.argsort(-np.abs(amount), kind="stable")
    order = order[amount[order] != 0]
    columns = {key: np.tile(members, len(PARTS))[order] for key, members in index.items()}
    columns["part"] = np.repeat(np.array(PARTS, object), len(amount) // len(PARTS))[order]
    size = np.abs(amount[order])
    return pd.DataFrame({**columns, "amount": amount[order], "share": size / size.sum() if len(size) else size})


def _currencies(*frames: pd.DataFrame) -> list | None:
    found = [frame["currency"] for frame in frames if "currency" in frame]
    return [*itertools.chain(*found)] if found else None


def _parts_table(cells: pd.DataFrame) -> pd.DataFrame:
    amount = [math.fsum(cells[name]) for name in PARTS]
    return pd.DataFrame({"part": PARTS, "meaning": [MEANINGS[name] for name in PARTS], "amount": amount})
