"""Published tables, simulated ratings, and every coefficient under one signature."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from metrics import agreement
from metrics.patterns import Patterns

SHARED = Path(__file__).parents[3].parent / "shared"
NEEDS_SHARED = [
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not (SHARED / "data").is_dir(), reason="the real data of shared/data is not beside the repository"
    ),
]


def needs_shared(test):
    """The test, skipped where the real data is absent."""
    for mark in NEEDS_SHARED:
        test = mark(test)
    return test


NUMERIC_LEVELS = ["nominal", "ordinal", "interval", "ratio"]
SCALE = [1, 2, 3, 4, 5]

# One string per unit, one digit per rater, "-" not rated.
# Krippendorff 2011: 4 observers x 12 units = irrCAC raw_4raters.
RAW_4RATERS = ["11-1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "-555", "--11", "--3-"]
# Gwet's handbook, 5 observers x 15 units = irrCAC raw_5observers; labels 0 to 3.
RAW_5OBSERVERS = ["112-2", "1101-", "2333-", "-00-0", "000-0", "000-0", "102-1", "1-20-"]
RAW_5OBSERVERS += ["222-2", "2111-", "-100-", "0000-", "1222-", "33223", "111-1"]
# Krippendorff's 3 coders x 15 units, as in the README of the krippendorff package.
THREE_CODERS = ["-1-", "---", "-22", "-11", "-33", "334", "444", "13-", "2-2", "1-1", "1-1", "3-3", "3-3", "---", "3-4"]

# Two raters' tables of Gwet's handbook: the first rater's label by the second's.
ABSTRACTORS = np.array([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
DIAGNOSIS = np.array([[40, 4, 4, 17], [6, 25, 2, 13], [4, 1, 21, 12], [15, 5, 9, 45]])

# Ratings per label: 6 psychiatrists x 15 patients (irrCAC distrib_6raters), 14 raters x 10 subjects (Wikipedia).
SIX_RATERS = ["00060", "03003", "01401", "00006", "03030", "20400", "00402", "20310", "20040", "00006"]
SIX_RATERS += ["10050", "11040", "03300", "10050", "02031"]
SIX_RATERS = np.array([[int(x) for x in row] for row in SIX_RATERS])
FOURTEEN_RATERS = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1]]
FOURTEEN_RATERS += [[7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]
FOURTEEN_RATERS = np.array(FOURTEEN_RATERS)


def rows(units):
    """Columns item, rater, label of units written as strings of digits."""
    cells = [(i, r, int(x)) for i, unit in enumerate(units) for r, x in enumerate(unit) if x != "-"]
    return tuple(np.array(column) for column in zip(*cells, strict=True))


def patterns(units, labels=5):
    item, _, label = rows(units)
    return Patterns.of(item, label - 1, labels)


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


def simulated(n, labels=3, raters=3, kept=0.75, seed=0, shares=None, overlap=1.0):
    """Patterns of n items whose raters keep the true label with a chance of ``kept`` and else guess."""
    item, _, label = simulated_rows(n, labels, raters, kept, seed, shares, overlap)
    return Patterns.of(item, label, labels)


def simulated_rows(n, labels=3, raters=3, kept=0.75, seed=0, shares=None, overlap=1.0):
    """Columns item, rater, label of ``simulated``."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(labels, n, p=shares)
    guess = rng.choice(labels, (n, raters), p=shares)
    given_label = np.where(rng.random((n, raters)) < kept, truth[:, None], guess)
    rated = np.ones((n, raters), dtype=bool)
    rated[rng.random(n) >= overlap, 1:] = False
    item, rater = np.nonzero(rated)
    return item, rater, given_label[rated]


def ends(estimate):
    return np.array([estimate.low, estimate.high])


# ---- data beside the repository


def wide(path, transpose=False):
    """Columns item, rater, label of a table with a row per unit and a column per rater."""
    frame = pd.read_csv(SHARED / "data" / path)
    frame = frame.drop(columns=[c for c in ("Units", "Group") if c in frame])
    if transpose:
        frame = frame.set_index(frame.columns[0]).T
    cells = frame.reset_index(drop=True).stack().reset_index()
    return tuple(cells.iloc[:, c] for c in range(3))


def table(path):
    """Columns item, rater, label of a table of two raters."""
    return rows_of_table(pd.read_csv(SHARED / "data" / path, index_col=0).to_numpy())


def counted(path):
    """Columns item, rater, label of a table with a row per unit and a column per label."""
    return rows_of_counts(pd.read_csv(SHARED / "data" / path, index_col=0).to_numpy())


def long(path):
    frame = pd.read_csv(SHARED / "data" / path)
    return frame["item"], frame["rater"], frame["label"]


DATA = {
    **{
        f"irrcac/{name}": (wide, f"irrcac/{name}.csv")
        for name in ("raw_4raters", "raw_5observers", "raw_g1g2", "raw_gender", "raw_ben_gerry")
    },
    **{
        f"irrcac/{name}": (table, f"irrcac/{name}.csv")
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
}


def real(dataset):
    read, *arguments = DATA[dataset]
    return read(*arguments)


# ---- every coefficient, as a function of item, rater, label and named options


def weighted_alpha(item, rater, label, weights="identity", labels=None, **options):
    """Alpha with 1 minus agreement weights as its distances, which is irrCAC's weighted alpha."""
    found = agreement.tally(item, rater, label, labels)
    distances = 1 - agreement.agreement_weights(weights, len(found.labels))
    return agreement.alpha_of_patterns(found.patterns, distances=distances, **options)


def alpha(level, **fixed):
    def of_rows(item, rater, label, labels=None, **options):
        return agreement.krippendorff_alpha(item, rater, label, level, labels, **fixed, **options)

    return of_rows


def weighted(function, weights):
    def of_rows(item, rater, label, labels=None, **options):
        return function(item, rater, label, weights=weights, labels=labels, **options)

    return of_rows


NOMINAL = {
    "percent_agreement": agreement.percent_agreement,
    "alpha": alpha("nominal"),
    "alpha bootstrap": alpha("nominal", interval="bootstrap", draws=200),
    "alpha linearised": alpha("nominal", interval="linearised"),
    "alpha irrcac": alpha("nominal", interval="irrcac"),
    "fleiss": agreement.fleiss_kappa,
    "fleiss irrcac": lambda *rows, **options: agreement.fleiss_kappa(*rows, interval="irrcac", **options),
    "ac1": agreement.gwet_ac1,
    "brennan_prediger": agreement.brennan_prediger,
    "conger": agreement.conger_kappa,
}
SCALED = {
    **{f"alpha {level}": alpha(level, interval="linearised") for level in ("ordinal", "interval", "ratio")},
    **{
        f"{function.__name__} {weights}": weighted(function, weights)
        for function in (
            agreement.percent_agreement,
            agreement.fleiss_kappa,
            agreement.gwet_ac2,
            agreement.brennan_prediger,
            agreement.conger_kappa,
        )
        for weights in ("linear", "quadratic", "ordinal_gwet")
    },
}
TWO_RATERS = {
    "scott": agreement.scott_pi,
    "cohen": agreement.cohen_kappa,
    "scott quadratic": weighted(agreement.scott_pi, "quadratic"),
    "cohen linear": weighted(agreement.cohen_kappa, "linear"),
    "cohen quadratic": weighted(agreement.cohen_kappa, "quadratic"),
}
