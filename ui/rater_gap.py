"""Whose a pool's gap to target is: its parts, and whether its main confusion is made elsewhere too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import gap, skill
from ui import data
from ui.cells import Columns, arrays, codes
from ui.figures import KEPT
from ui.rater_errors import GOLD


@dataclass(frozen=True)
class Gaps(Mapping):
    """The parts of the gap to target of each rater of a pool with gold, worked out when asked for."""

    found: gap.Elsewhere | None = None
    goal: float = np.nan
    below: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    names: tuple[str, ...] = ()

    def __getitem__(self, rater: str) -> gap.Gap:
        if rater not in self.names:
            raise KeyError(rater)
        return gap.rater_gap(self.found, self.goal, self.names.index(rater), self.below)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def gaps(
    cells: Columns, fine: np.ndarray, code: np.ndarray, names: np.ndarray, here: np.ndarray, goal: float, rows
) -> tuple[gap.Gap, Gaps]:
    """The parts of the gap to target of the pool and of each of its raters with gold."""
    coarse = codes(cells, ("project", "policy"))
    found = gap.elsewhere(code, fine, coarse, cells["gold_correct"], cells["gold_n"], here)
    called = set(rows.loc[rows["group"] == skill.BELOW, "rater"])
    known = tuple(names[found.raters].astype(str))
    below = np.array([name in called for name in known], bool)
    return gap.pool_gap(found, goal, below), Gaps(found, goal, below, known)


@dataclass(frozen=True)
class MainConfusion:
    """The confusion most of a pool's errors on gold sit in, by name, and how often other pools make it."""

    found: gap.Confusion
    project: str = ""
    truth: str = ""
    label: str = ""


@st.cache_data(**KEPT)
def main_confusion(snapshot: Snapshot, filters: Filters, pool: str) -> MainConfusion | None:
    """The pool's most frequent confusion beside the same one of other pools in its project; None where none is kept."""
    everywhere = filters.with_("pool").with_("rater")
    keys = ("project_id", "basis", "truth", "label")
    try:
        cells = arrays(data.sums(snapshot, "confusion", ("n",), ("pool",), everywhere, keys))
    except ValueError:
        return None
    cells = {name: column[cells["basis"] == GOLD] for name, column in cells.items()}
    if not np.any(cells["pool"] == pool):
        return None
    kind, met = codes(cells, ("project_id", "truth", "label")), codes(cells, ("project_id", "truth"))
    ours = np.where(cells["pool"] == pool, cells["n"], 0.0)
    first = np.unique(kind, return_index=True)[1]
    wrong = first[(cells["truth"] != cells["label"])[first]]
    counts = []
    for n in (ours, cells["n"] - ours):
        counts += [np.bincount(kind, n)[kind[wrong]], np.bincount(met, n)[met[wrong]]]
    found = gap.main_confusion(*counts)
    if found.cell < 0:
        return MainConfusion(found)
    at = wrong[found.cell]
    return MainConfusion(found, *(str(cells[name][at]) for name in ("project_id", "truth", "label")))
