"""What the four subjects share: rows read as codes, and reasons why there is no number."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.consensus.ratings import Ratings

Floats = NDArray[np.float64]

NO_RATINGS = "no ratings"


def first_ratings(
    item: ArrayLike,
    rater: ArrayLike,
    label: ArrayLike,
    labels: Sequence[Hashable] | None,
    gold: Mapping[Hashable, Hashable] | None,
) -> Ratings:
    """Rows as codes, the first labelled rating of each rater on each item."""
    item, rater, label = (pd.Series(x, dtype=object).reset_index(drop=True) for x in (item, rater, label))
    if not len(item) == len(rater) == len(label):
        raise ValueError(f"item, rater and label differ in length: {len(item)}, {len(rater)}, {len(label)}.")
    rows = pd.DataFrame({"item": item, "rater": rater, "label": label})
    rows = rows[rows["label"].notna()].drop_duplicates(["item", "rater"])
    return Ratings.of(rows["item"], rows["rater"], rows["label"], labels, gold)
