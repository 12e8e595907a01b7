"""In which cells of policy x language a project's label errors sit, by gold or else by audits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from metrics.ceiling import LEAST_CELLS, concentration
from metrics.qualities import QUALITIES, overdispersion

SOURCES = {"gold": ("gold_correct", "gold_n"), "audits": ("audited_passed", "audited_n")}
LEAST_ERRORS = 30  # found in a project, below which nothing is said of where they sit
NOTHING = f"fewer than {LEAST_ERRORS} errors are known from gold or audits"


@dataclass(frozen=True)
class NoiseCells:
    """The worst 5 % of cells, or the worst one where there are fewer than 20. Shares from 0 to 1; else a reason.

    source: "gold" or "audits", what found the errors. share: of all errors, those in the worst cells; items: the share
    of judgements there; chance: the share of errors that the worst cells would have if all were equally good. cells:
    how many have judgements. worst: policy and language of each, worst first. few: whether there are fewer than 20.
    """

    source: str = ""
    share: float | None = None
    items: float | None = None
    chance: float | None = None
    cells: int = 0
    worst: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    @property
    def few(self) -> bool:
        """Whether the worst 5 % of cells are not even one cell, so that the worst one stands for them."""
        return self.cells < LEAST_CELLS


def noise_cells(sums: pd.DataFrame, project: str) -> NoiseCells:
    """Where the project's label errors sit.

    sums: by batch, policy and language, with project_id and the columns of SOURCES. Gold goes first, audits where gold
    finds too few errors; audits count as they were drawn, unweighted. Chance: of metrics.ceiling.concentration, counts
    divided by how much more gold scatters than independent judgements (metrics.qualities.overdispersion).
    """
    ours = sums[sums["project_id"] == project]
    for source, columns in SOURCES.items():
        cells = ours.groupby(["policy", "language"], as_index=False)[list(columns)].sum()
        right, n = (cells[c].fillna(0.0).to_numpy(float) for c in columns)
        if (n - right).sum() < LEAST_ERRORS or (n > 0).sum() < 2:
            continue
        found = concentration(n - right, n, least=2)
        spread = 1.0
        if source == "gold":
            spread = float(overdispersion(QUALITIES["gold_accuracy"], ours).get(project, 1.0))
        thin = np.round(np.column_stack([n - right, n]) / spread)
        alike = concentration(np.minimum(*thin.T), thin[:, 1], least=2) if spread > 1 else found
        chance = alike.worst_chance if alike.worst_chance is not None else found.worst_chance
        names = cells[["policy", "language"]].astype(str).to_numpy()
        worst = tuple((str(p), str(w)) for p, w in names[list(found.worst)])
        return NoiseCells(source, found.worst_share, found.worst_items, chance, found.cells, worst)
    return NoiseCells(reason=NOTHING)
