"""Published tables, simulated ratings, and every coefficient under one signature."""

import numpy as np

from metrics import agreement
from metrics.patterns import Patterns

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

# ---- with the intervals that irrCAC prints (for Cohen's kappa the large-sample error, with the normal)


def _printed(function):
    def of_rows(*data, **options):
        return function(*data, interval="irrcac", **options)

    return of_rows


PRINTED_BY_IRRCAC = {
    "cohen_kappa": lambda *data, **options: agreement.cohen_kappa(*data, interval="asymptotic", **options),
    "krippendorff_alpha": _printed(weighted_alpha),
    "percent_agreement": _printed(agreement.percent_agreement),
    "scott_pi": _printed(agreement.scott_pi),
    "gwet_ac2": _printed(agreement.gwet_ac2),
    "fleiss_kappa": _printed(agreement.fleiss_kappa),
    "conger_kappa": _printed(agreement.conger_kappa),
    "brennan_prediger": _printed(agreement.brennan_prediger),
}
