"""The real data and the reference values beside the repository: where they are, and how each set is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
FILES = SHARED / "data"
REFERENCE_VALUES = SHARED / "reference_values.json"
ABSENT = "the real data of shared/data is not beside the repository"
NEEDS_SHARED = [pytest.mark.shared_data, pytest.mark.skipif(not FILES.is_dir(), reason=ABSENT)]


def needs_shared(test):
    """The test, skipped where the real data is absent."""
    for mark in NEEDS_SHARED:
        test = mark(test)
    return test


def entries() -> list[dict]:
    """Every reference value; none where the file is absent."""
    return json.loads(REFERENCE_VALUES.read_text(encoding="utf-8")) if REFERENCE_VALUES.exists() else []


def frame(file: str) -> pd.DataFrame:
    """A file of shared/data."""
    return pd.read_csv(FILES / file)


# ---- rating tables, as columns item, rater, label


def rows_of_table(table):
    """Columns item, rater, label (position) of a table of two raters."""
    first, second = (np.repeat(side.ravel(), table.ravel()) for side in np.indices(table.shape))
    n = len(first)
    return np.tile(np.arange(n), 2), np.repeat([0, 1], n), np.r_[first, second]


def rows_of_counts(counts):
    """Columns item, rater, label (position) of counts per label; who rated is not known."""
    item, label = (np.repeat(side.ravel(), counts.ravel()) for side in np.indices(counts.shape))
    rater = np.concatenate([np.arange(n) for n in counts.sum(axis=1)])
    return item, rater, label


def wide(file, transpose=False):
    """Columns item, rater, label of a table with a row per unit and a column per rater."""
    table = frame(file)
    table = table.drop(columns=[c for c in ("Units", "Group") if c in table])
    if transpose:
        table = table.set_index(table.columns[0]).T
    cells = table.reset_index(drop=True).stack().reset_index()
    return tuple(cells.iloc[:, c] for c in range(3))


def crossed(file):
    """Columns item, rater, label of a table of two raters."""
    return rows_of_table(pd.read_csv(FILES / file, index_col=0).to_numpy())


def counted(file):
    """Columns item, rater, label of a table with a row per unit and a column per label."""
    return rows_of_counts(pd.read_csv(FILES / file, index_col=0).to_numpy())


def long(file):
    """Columns item, rater, label of a file with a row per rating."""
    table = frame(file)
    return table["item"], table["rater"], table["label"]


DATA = {
    **{
        f"irrcac/{name}": (wide, f"irrcac/{name}.csv")
        for name in ("raw_4raters", "raw_5observers", "raw_g1g2", "raw_gender", "raw_ben_gerry")
    },
    **{
        f"irrcac/{name}": (crossed, f"irrcac/{name}.csv")
        for name in ("table_cont3x3abstractors", "table_cont4x4diagnosis")
    },
    "irrcac/distrib_6raters": (counted, "irrcac/distrib_6raters.csv"),
    "fleiss_14raters_10subjects": (counted, "irrcac/fleiss_wikipedia_14raters.csv"),
    "krippendorff_2011_4obs_12units": (wide, "irrcac/raw_4raters.csv"),
    "krippendorff_3coders_15units": (wide, "irrcac/krippendorff_3coders_15units.csv", True),
    "pandalm": (long, "pandalm/long.csv"),
    "lewidi/HS-Brexit": (long, "hs_brexit/long.csv"),
    "snow2008/rte": (long, "snow2008/rte.long.csv"),
    "snow2008/temp": (long, "snow2008/temp.long.csv"),
    "snow2008/valence": (long, "snow2008/valence.long.csv"),
    "dawid_skene_1979": (long, "dawid_skene_1979/long.csv"),
}
"""The datasets of the reference values whose ratings are there, by the name the reference values give them."""


def real(dataset):
    """Columns item, rater, label of a dataset."""
    read, *arguments = DATA[dataset]
    return read(*arguments)


def gold_of(dataset):
    """Gold label by item, of Snow's tasks."""
    table = frame(DATA[dataset][1])
    return dict(zip(table["item"], table["gold"], strict=True))


def caries():
    """The caries file, counted patterns of five dentists, as one row per rating."""
    table = frame("caries/caries.csv")
    patterns = table.filter(like="rater_").to_numpy(int)
    xrays = np.repeat(patterns, table["n"].astype(int), axis=0)
    item, rater = np.indices(xrays.shape)
    return item.ravel(), rater.ravel(), xrays.ravel()
