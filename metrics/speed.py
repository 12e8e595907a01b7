"""Speed and accuracy within the same rater: in weeks of slower work, are the labels better?

Across raters the two say little (the able are often fast as well); within a rater ability and lasting habits fall
out. It is an association: a hard week is slow and error-prone at once. Give ``expected`` and
``expected_log`` where the mix changes.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from metrics.fatigue import verdicts, within_raters

Floats = NDArray[np.float64]

SLOWER_BETTER, SLOWER_WORSE = "slower work goes with better labels", "slower work goes with worse labels"
NO_SIGN, CANNOT_TELL = "no sign", "cannot tell"
FEW_RATERS = "fewer than 5 raters have periods of different handle time"


def speed_accuracy(
    rater: ArrayLike,
    timed: ArrayLike,
    sum_log: ArrayLike,
    gold: ArrayLike,
    right: ArrayLike,
    group: ArrayLike | None = None,
    sum_log_squared: ArrayLike | None = None,
    expected_log: ArrayLike | None = None,
    expected: ArrayLike | None = None,
    margin: float = 0.01,
    false_discovery: float = 0.05,
) -> pd.DataFrame:
    """The change in accuracy that goes with twice the handle time, one row per group.

    One entry per cell of rater x period: timed judgements, sum_log = Σ ln(seconds), gold judgements and how many of
    them are right; cells without either take no part. expected_log: Σ ln(seconds) of an average rater on the same
    items; expected: how many of the gold that rater gets right; both are subtracted. margin: the change that matters.

    Columns of ``within_raters``: value is the change in the share right per doubling of handle time (.02: two points
    better in weeks twice as slow), n gold judgements; ``reliability``: which part of the variance of a cell's mean log
    time within raters is not chance, 0 to 1, NaN without sum_log_squared = Σ ln(seconds)²; chance draws the value
    towards 0 by this factor, so value / reliability is what lasting changes of pace go with; q and ``verdict`` as in
    ``fatigue.fatigue``.
    """
    timed, sum_log, gold, right = (np.asarray(c, dtype=float) for c in (timed, sum_log, gold, right))
    pace = sum_log if expected_log is None else sum_log - np.asarray(expected_log, dtype=float)
    doublings = np.divide(pace, timed * np.log(2), out=np.full(timed.shape, np.nan), where=timed > 0)
    better = right if expected is None else right - np.asarray(expected, dtype=float)
    found = within_raters(rater, doublings, better, gold, group, few=FEW_RATERS)
    found["reliability"] = np.nan
    if sum_log_squared is not None:
        found["reliability"] = _reliability(
            rater, timed, sum_log, np.asarray(sum_log_squared, dtype=float), doublings, gold, group, found["group"]
        )
    return verdicts(found, margin, false_discovery, (SLOWER_BETTER, SLOWER_WORSE, NO_SIGN, CANNOT_TELL))


def _reliability(
    rater: ArrayLike,
    timed: Floats,
    sum_log: Floats,
    squares: Floats,
    doublings: Floats,
    gold: Floats,
    group: ArrayLike | None,
    names: pd.Series,
) -> Floats:
    """1 - the variance that chance gives to cell means / their variance, both within raters and weighted by gold."""
    rows = pd.DataFrame({"rater": np.asarray(rater), "group": "all" if group is None else np.asarray(group), "w": gold})
    usable = (timed > 1) & (gold > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rows["chance"] = (squares - sum_log**2 / timed) / (timed - 1) / timed / np.log(2) ** 2
    rows["x"] = doublings
    rows = rows[usable]
    weight = rows.groupby(["group", "rater"])["w"].transform("sum")
    mean = (rows["w"] * rows["x"]).groupby([rows["group"], rows["rater"]]).transform("sum") / weight
    # A cell's own noise moves its rater's mean as well: only the rest of it, 1 - w/W, is left within the rater.
    chance = (rows["w"] * rows["chance"] * (1 - rows["w"] / weight)).groupby(rows["group"]).sum()
    seen = (rows["w"] * (rows["x"] - mean) ** 2).groupby(rows["group"]).sum()
    return (1 - chance / seen.where(seen > 0)).clip(0, 1).reindex(names).to_numpy(float)
