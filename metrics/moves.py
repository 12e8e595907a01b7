"""The largest moves of a benchmark from one version to the next, and all on record as changed between the two."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from metrics.label_changes import LabelChanges
from metrics.linkage import Exposed, Link, series

LARGE = 2.5
"""A move is large from this many usual moves on (their median size, scaled to a standard deviation)."""

BEYOND = 3.0
"""A data volume is unusual from this many scaled median deviations from the project's median on, and a fifth."""

LABELS, CONFOUNDED, UNEXPLAINED = "labels moved too", "something else changed too", "nothing on record"
MOVES = [
    "project", "benchmark", "metric", "model_version", "previous_version", "old", "new", "change", "quality_change",
    "quality_error", "confounders", "labels_under", "reading", "labels",
]  # fmt: skip


def moves(
    links: Iterable[Link],
    quality: str,
    exposed: Exposed,
    models: pd.DataFrame,
    changes: pd.DataFrame,
    batches: pd.DataFrame | None = None,
    pools: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Large moves of every benchmark, the gravest fall first: MOVES.

    change: new less old, turned so that above 0 is better. quality_change, quality_error: how the labels' quality moved
    between the two versions, with its standard error. confounders: what else changed, in words: base model, a recorded
    change of kind model that began between the two measurements or since the earlier training, data volume beyond its
    usual range. labels_under: the recorded changes that held while the labels of either version were made, in words;
    they act through the labels and are no confounders (batches, pools: see metrics.label_changes; without batches
    nothing is known of it). reading: CONFOUNDED where there is any, whatever the labels did; LABELS where quality moved
    the same way by two standard errors or more; else UNEXPLAINED. None of them says what did it.
    """
    trained = models.drop_duplicates("model_version").set_index("model_version")["trained_at"]
    model_changes = changes[changes["kind"] == "model"] if len(changes) else changes
    under = None if batches is None else LabelChanges(batches, models, changes, pools)
    ours = [link for link in links if not link.reason]
    found = [row for link in ours for row in _of(link, quality, exposed, trained, model_changes, under)]
    rows = pd.DataFrame(found, columns=[*MOVES, "size"])
    return rows.sort_values(["change", "size"], ascending=[True, False], ignore_index=True)[MOVES]


def _of(
    link: Link,
    quality: str,
    exposed: Exposed,
    trained: pd.Series,
    changes: pd.DataFrame,
    under: LabelChanges | None,
) -> list[dict]:
    rows = series(link, quality, exposed)
    rows = rows.assign(base=link.base, volume=_unusual(rows["items"]))[np.isfinite(rows["y"])]
    sign = 1.0 if link.higher else -1.0
    steps = sign * rows["y"].diff()
    usual = 1.4826 * steps.abs().median()
    if len(rows) < 5 or not usual > 0:
        return []
    out = []
    for k in np.flatnonzero(steps.abs().to_numpy() > LARGE * usual):
        now, before = rows.iloc[k], rows.iloc[k - 1]
        moved = now["x"] - before["x"]
        error = float(np.sqrt(now["x_variance"] + before["x_variance"]))
        others = _others(now, before, trained, changes, link.project)
        same = np.isfinite(moved) and error > 0 and moved * steps.iloc[k] > 0 and abs(moved) >= 2 * error
        out.append(
            {
                "project": link.project,
                "benchmark": link.benchmark,
                "metric": link.metric,
                "model_version": now.name,
                "previous_version": before.name,
                "old": before["y"],
                "new": now["y"],
                "change": steps.iloc[k],
                "quality_change": moved,
                "quality_error": error,
                "confounders": "; ".join(others),
                "labels_under": under.between(str(now.name), str(before.name)) if under else "",
                "reading": CONFOUNDED if others else LABELS if same else UNEXPLAINED,
                "labels": bool(same),
                "size": abs(steps.iloc[k]) / usual,
            }
        )
    return out


def _others(now: pd.Series, before: pd.Series, trained: pd.Series, changes: pd.DataFrame, project: str) -> list[str]:
    """What else is on record as changed between two versions, in words."""
    found = []
    if now["base"] != before["base"]:
        found.append(f"the base model changed from {before['base'] or 'unknown'} to {now['base'] or 'unknown'}")
    if len(changes):
        start = pd.to_datetime(changes["starts_on"])
        ours = changes["project_id"].isna() | (changes["project_id"] == project)
        # A change on the day of training may have come first.
        day = pd.Timedelta(days=1)
        between = (start > trained[before.name] - day) & (start <= trained[now.name] + day)
        found += [f"recorded change: {text}" for text in changes.loc[ours & between, "summary"]]
    if now["volume"]:
        found.append(now["volume"])
    return found


def _unusual(items: pd.Series) -> list[str]:
    """For each version, in words, whether its labels are many more or fewer than usual; empty where not."""
    with np.errstate(all="ignore"):
        size = np.log(items.where(items > 0).astype(float))
    usual = size.median()
    limit = max(BEYOND * 1.4826 * (size - usual).abs().median(), np.log(1.2))
    ratio = np.exp(size - usual)
    return [
        f"it was trained on {r:.1f} times the usual number of items" if abs(np.log(r)) > limit else ""
        for r in ratio.fillna(1.0)
    ]
