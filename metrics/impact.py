"""All links between labels and models at once: what the page and the command line are made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from metrics import association, ladder, lineage, linkage
from metrics.exposures import CELLS, Grouped, Labels, exposures
from metrics.linkage import ALL_PROJECTS, PANEL, ROW, STANDS, Exposed, Link
from metrics.panel import Panel
from metrics.qualities import QUALITIES
from metrics.sizes import CORRECTED, LEAVES_OUT, RAW, SECOND, sizes
from metrics.spec import Estimate

NO_MEASURES = "no benchmark of a model version is on record"
NO_BATCHES = "no batches of labels are on record, so it is not known which labels a model was trained on"

TO_READ, NOT_TO_READ = "the size to read of this link", "not the size to read of this link"


@dataclass(frozen=True)
class Impact:
    """The benchmarks with their versions, the exposures, the matrix of links, and what took no part and why.

    rows: linkage.matrix(). untimely: lineage.untimely(). reason: why there is nothing to link at all.
    """

    links: tuple[Link, ...]
    exposed: Exposed
    rows: pd.DataFrame
    untimely: pd.DataFrame
    reason: str = ""

    @property
    def tests(self) -> int:
        """How many cells, slices and lags were tested: the m of the q values."""
        return int(self.rows["p_value"].notna().sum())

    def link(self, project: str, benchmark: str, metric: str) -> Link | None:
        """One benchmark of a project."""
        return next((one for one in self.links if one.key == (project, benchmark, metric)), None)


def impact(
    line: Sequence[pd.DataFrame],
    sums: Mapping[str, pd.DataFrame],
    items: Mapping[str, pd.DataFrame],
    patterns: Mapping[str, Grouped],
    method: str = association.SPEARMAN,
) -> Impact:
    """Every link of what data_access.link_data gives; line: batches, datasets, models, measures."""
    batches, datasets, models, measures = line[:4]
    wrong = lineage.untimely(batches, datasets, models, measures)
    sums = sums if len(batches) else {}
    found = tuple(linkage.links(measures, models, wrong, CELLS in sums))
    both = any(link.by == CELLS for link in found)
    exposed = Exposed(exposures(Labels(batches, models, sums, items, patterns), both))
    reason = NO_MEASURES if not found else NO_BATCHES if not len(batches) else ""
    return Impact(found, exposed, linkage.matrix(list(found), exposed, method=method), wrong, reason)


def by_method(found: Impact, method: str) -> Impact:
    """The same links with the matrix made by another method of linkage.CALLED."""
    return replace(found, rows=linkage.matrix(list(found.links), found.exposed, method=method))


def coefficients(found: Impact, names: Iterable[str], links: Iterable[Link]) -> pd.DataFrame:
    """Coefficient rows (ROW, corrected, reason) of these qualities and benchmarks, and of all projects together.

    Each link has up to two: with the measurement error taken off by its known size, and by agreement as a second
    measure (SECOND); the narrative says which to read (metrics.sizes). All projects: one row for each benchmark metric
    that several of the projects have.
    """
    links, out = list(links), []
    for name in names:
        for link in links:
            panel, design = linkage.coefficient(link, name, found.exposed)
            second = linkage.by_agreement(link, name, found.exposed)
            out.append(_marked(linkage.coefficient_row(link, name, panel, design), panel, second))
            if second.value is not None:
                row = linkage.row_of(link, name, 0, SECOND, second, np.nan, None)
                row |= {"design": ladder.PARTIAL, "corrected": True}
                out.append(_marked(row | {"narrative": linkage.narrative(row)}, panel, second))
        for metric in sorted({link.metric for link in links}):
            ours = [link for link in links if link.metric == metric]
            if len({link.project for link in ours}) > 1:
                out.append(_over_projects(found, ours, metric, name))
    return pd.DataFrame(out, columns=[*ROW, *linkage.BESIDE, "corrected"])


def _marked(row: dict[str, object], panel: Panel, second: Estimate) -> dict[str, object]:
    """The row, its narrative saying whether this is the size to read or what its interval leaves out."""
    found = sizes(panel, second)
    if row["reason"] or not found:
        return row
    kind = SECOND if row["method"] == SECOND else CORRECTED if row["corrected"] else RAW
    mark = TO_READ if kind == found[0].kind else f"{NOT_TO_READ}: {LEAVES_OUT[kind]}"
    return row | {"narrative": f"{row['narrative']}; {mark}"}


def _over_projects(found: Impact, ours: list[Link], metric: str, name: str) -> dict[str, object]:
    panel = linkage.over_projects(ours, metric, name, found.exposed)
    row = linkage.coefficient_row(ours[0], name, panel, ladder.FIXED_EFFECTS)
    row |= {"project": ALL_PROJECTS, "benchmark": metric, "method": PANEL}
    return row | {"narrative": linkage.narrative(row)}


def sized() -> list[str]:
    """The qualities that say how often labels are right: those sized without being asked for."""
    return [q.name for q in QUALITIES.values() if q.sized]


def standing(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the matrix that stand (q <= STANDS), surest first."""
    return rows[rows["q_value"] <= STANDS].sort_values(["q_value", "p_value"], ignore_index=True)
