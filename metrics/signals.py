"""Spam signals of raters from rows of ratings: what ``metrics.spam`` needs, counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from metrics import spam

SHORTEST_SECONDS = 0.5  # a recorded time below it is no time


def spam_signals_of_rows(
    rater: ArrayLike, label: ArrayLike, gold: ArrayLike, seconds: ArrayLike, stratum: ArrayLike
) -> pd.DataFrame:
    """The signals of each rater of one project, one row per rater, indexed by rater in order.

    rater, label, gold, seconds, stratum: equal lengths, a rating a row. gold is the known label or null; seconds may be
    missing; stratum is the kind of item (policy and language, say), whose usual time is taken out of the rater's.
    Columns as in ``spam.spam_signals``. Raises ValueError for unequal lengths.
    """
    rows = pd.DataFrame({"rater": rater, "label": label, "gold": gold, "seconds": seconds, "stratum": stratum})
    raters = sorted(rows["rater"].unique())
    labels = sorted({*rows["label"].unique(), *rows["gold"].dropna().unique()})

    def table(part: pd.DataFrame, column: str) -> np.ndarray:
        return pd.crosstab(part["rater"], part[column]).reindex(index=raters, columns=labels, fill_value=0).to_numpy()

    known = rows[rows["gold"].notna()]
    given, truth = table(known, "label"), table(known, "gold")
    right = (known["label"] == known["gold"]).groupby(known["rater"]).sum().reindex(raters, fill_value=0).to_numpy()
    timed = rows[rows["seconds"].astype(float) >= SHORTEST_SECONDS]
    logs = np.log(timed["seconds"].astype(float))
    logs = logs - logs.groupby(timed["stratum"]).transform("median")
    sums = pd.DataFrame({"rater": timed["rater"], "log": logs, "squared": logs**2}).groupby("rater")
    found = sums.agg(n=("log", "size"), total=("log", "sum"), squared=("squared", "sum")).reindex(raters, fill_value=0)
    signals = spam.spam_signals(
        spam.at_chance(right, given.sum(axis=1), spam.blind_accuracy(given, truth)),
        spam.too_fast(found["n"].to_numpy(), found["total"].to_numpy(), found["squared"].to_numpy()),
        spam.constant_labels(table(rows, "label")),
    )
    return signals.set_axis(raters, axis=0)
