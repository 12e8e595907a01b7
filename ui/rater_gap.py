"""Whose a pool's gap to target is: its parts, and whether its main confusion is made elsewhere too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import confusion_elsewhere, gap, skill
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
    cells: Columns,
    fine: np.ndarray,
    code: np.ndarray,
    names: np.ndarray,
    here: np.ndarray,
    goal: float,
    rows: pd.DataFrame,
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
    """The confusion most of a pool's errors on gold sit in, by name, and how often others make it on such items.

    language, policy: where most of its cases lie, empty where no kind of item holds half of them. left_out: how many
    raters of the pool were left out, as their labels look unread.
    """

    found: confusion_elsewhere.Confusion
    project: str = ""
    truth: str = ""
    label: str = ""
    language: str = ""
    policy: str = ""
    left_out: int = 0


@st.cache_data(**KEPT)
def main_confusion(
    snapshot: Snapshot, filters: Filters, pool: str, unread: tuple[str, ...] = ()
) -> MainConfusion | None:
    """The pool's most frequent confusion beside the same one of others on the same project, language and policy.

    unread: raters whose labels look unread; they say nothing of how the pool reads its items. None where confusions
    are not kept by these filters, or the pool met no gold.
    """
    # Other languages are asked for too: they tell how the guideline reads from what it says.
    everywhere = filters.with_("pool").with_("rater").with_("language")
    keys = ("project_id", "basis", "truth", "label")
    try:
        cells = arrays(
            data.sums(snapshot, "confusion", ("n",), ("pool", "rater", "language", "policy"), everywhere, keys)
        )
    except ValueError:
        return None
    kept = (cells["basis"] == GOLD) & ~np.isin(cells["rater"].astype(str), unread)
    cells = {name: column[kept] for name, column in cells.items()}
    ours = cells["pool"] == pool
    languages = filters.values("language")
    if languages:
        ours &= np.isin(cells["language"].astype(str), languages)
    if not np.any(ours):
        return None
    kind, stratum = codes(cells, ("project_id", "truth", "label")), codes(cells, ("project_id", "language", "policy"))
    found = confusion_elsewhere.main_confusion(
        codes(cells, ("rater",)),
        kind,
        codes(cells, ("project_id", "truth")),
        stratum,
        codes(cells, ("project_id", "policy")),
        cells["n"],
        cells["truth"] != cells["label"],
        ours,
    )
    if found.kind < 0:
        return MainConfusion(found, left_out=len(unread))

    def named(where: np.ndarray, *names: str) -> tuple[str, ...]:
        return tuple(str(cells[name][np.argmax(where)]) for name in names)

    place = named(stratum == found.stratum, "language", "policy") if found.stratum >= 0 else ("", "")
    return MainConfusion(found, *named(kind == found.kind, "project_id", "truth", "label"), *place, len(unread))
