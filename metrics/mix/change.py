"""The parts of a change of a mean between two periods, mix and rate (Kitagawa 1955)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.mix.cells import CELLS, Floats, half_interval, mean_variances, quotient, summed_by_cell
from metrics.spec import Estimate

TWO_PART, THREE_PART = "two-part", "three-part"
NO_JUDGEMENTS_BEFORE, NO_JUDGEMENTS_AFTER = "no judgements in the first period", "no judgements in the second period"


@dataclass(frozen=True, eq=False)
class Kitagawa:
    """A change of a mean, split into what the mix of cells did and what the cells' own means did.

    form: "two-part" (mix and rate, symmetric: swapping the periods flips every sign) or "three-part" (mix at the first
        period's means, rate at the first period's mix, interaction). before, after, change: Estimates in the unit of x;
        n is judgements. mix, rate, interaction (None in the two-part form) sum to change.
    cells: a row per cell: the keys, n_before, n_after, weight_before, weight_after (shares of n), mean_before,
        mean_after (NaN without judgements), mix, rate, interaction, total (of the three); each sums to its part.
        A cell's mix part is against the mean of all cells, so growth of a cell as slow as the average counts as 0.
    """

    form: str
    before: Estimate
    after: Estimate
    change: Estimate
    mix: Estimate
    rate: Estimate
    interaction: Estimate | None
    cells: pd.DataFrame


def kitagawa(
    before: pd.DataFrame,
    after: pd.DataFrame,
    cells: Sequence[str] = CELLS,
    *,
    form: str = TWO_PART,
    n: str = "n",
    total: str = "total",
    squares: str = "squares",
    design: tuple[float, float] = (1.0, 1.0),
    level: float = 0.95,
) -> Kitagawa:
    """The change of a mean between two periods as mix and rate, exact to rounding.

    before, after: rows of cells' sums, any number of rows a cell: ``cells`` and the columns named by n, total and
    squares (for a share squares equals total). design: by how much raters' differences widen each period's variances
    (``intervals.mean_design_effect``).

    Formula, w shares of n and r means: two-part Σ(w1 - w0)(r1 + r0)/2 and Σ(r1 - r0)(w1 + w0)/2; three-part
    Σ(w1 - w0)r0, Σ(r1 - r0)w0, Σ(w1 - w0)(r1 - r0). A cell in one period only is mix. Intervals take the mix as it
    was: they speak of the chance in the cells' means, with variances pooled towards that within all cells by
    ``POOLED_DF`` and Student's t (Satterthwaite). A period without judgements: no numbers, with the reason.
    Raises ValueError for another form or n below 0. Source: Kitagawa 1955.
    """
    if form not in (TWO_PART, THREE_PART):
        raise ValueError(f'A form is "{TWO_PART}" or "{THREE_PART}", not "{form}".')
    keys = list(cells)
    sides = [summed_by_cell(rows, keys, (n, total, squares)) for rows in (before, after)]
    index = sides[0].index[sides[0][n] > 0].union(sides[1].index[sides[1][n] > 0])
    n0, x0, s0 = sides[0].reindex(index, fill_value=0.0).to_numpy(float).T
    n1, x1, s1 = sides[1].reindex(index, fill_value=0.0).to_numpy(float).T
    table = index.to_frame(index=False).assign(n_before=n0, n_after=n1)
    if not n0.sum() or not n1.sum():
        return _nothing(form, NO_JUDGEMENTS_AFTER if n0.sum() else NO_JUDGEMENTS_BEFORE, table)
    w0, w1 = n0 / n0.sum(), n1 / n1.sum()
    r0, r1 = quotient(x0, n0), quotient(x1, n1)
    table = table.assign(weight_before=w0, weight_after=w1, mean_before=r0, mean_after=r1)
    gone, new = n1 == 0, n0 == 0
    moved, middle = w1 - w0, (w0 + w1) / 2
    # Each part is linear in the cells' means: the weights of the first and of the second period's.
    if form == TWO_PART:
        parts = {"mix": (moved / 2, moved / 2), "rate": (-middle, middle)}
        level_of_all = (x0.sum() / n0.sum() + x1.sum() / n1.sum()) / 2
    else:
        parts = {"mix": (moved, 0 * moved), "rate": (-w0, w0), "interaction": (-moved, moved)}
        level_of_all = x0.sum() / n0.sum()
    # A mean that one period lacks is the other's: its weight goes there.
    r0, r1 = np.where(new, 0, r0), np.where(gone, 0, r1)
    parts = {
        name: (np.where(gone, a + b, np.where(new, 0, a)), np.where(new, a + b, np.where(gone, 0, b)))
        for name, (a, b) in parts.items()
    }
    variance0, df0 = mean_variances(n0, x0, s0, design[0])
    variance1, df1 = mean_variances(n1, x1, s1, design[1])
    judged = float(n0.sum() + n1.sum())

    def estimate(a: Floats, b: Floats, n: float) -> Estimate:
        pieces = np.concatenate([a**2 * variance0, b**2 * variance1])
        half = half_interval(pieces, np.concatenate([df0, df1]), level)
        value = float(a @ r0 + b @ r1)
        return Estimate(value, n=n) if half is None else Estimate(value, value - half, value + half, n)

    found = {name: estimate(*weights, judged) for name, weights in parts.items()}
    for name in ("mix", "rate", "interaction"):
        table[name] = parts[name][0] * r0 + parts[name][1] * r1 if name in parts else 0.0
    table["mix"] -= moved * level_of_all
    table["total"] = table["mix"] + table["rate"] + table["interaction"]
    return Kitagawa(
        form,
        estimate(w0, 0 * w0, float(n0.sum())),
        estimate(0 * w1, w1, float(n1.sum())),
        estimate(-w0, w1, judged),
        found["mix"],
        found["rate"],
        found.get("interaction"),
        table,
    )


def _nothing(form: str, reason: str, table: pd.DataFrame) -> Kitagawa:
    columns = ("weight_before", "weight_after", "mean_before", "mean_after", "mix", "rate", "interaction", "total")
    missing = Estimate.missing(reason)
    third = missing if form == THREE_PART else None
    table = table.assign(**dict.fromkeys(columns, np.nan))
    return Kitagawa(form, missing, missing, missing, missing, missing, third, table)
