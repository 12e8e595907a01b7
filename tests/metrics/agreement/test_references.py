"""Published tables of agreement, typed in; every reference value is computed in tests/reference, and says which
package is right where they differ.
"""

import numpy as np
import pytest
from scipy import stats

from metrics import agreement
from metrics.patterns import Patterns
from tests.shared_data import FILES, needs_shared, rows_of_counts, rows_of_table

from .examples import (
    ABSTRACTORS,
    DIAGNOSIS,
    FOURTEEN_RATERS,
    PRINTED_BY_IRRCAC,
    RAW_4RATERS,
    RAW_5OBSERVERS,
    SIX_RATERS,
    THREE_CODERS,
    ends,
    rows,
)

PRINTED = {"interval": "irrcac"}

# ---- typed in: small published tables, irrCAC 0.4.4 (agrees with the R package to 3 digits); value and standard error

RAW = {
    ("4raters", "identity"): {
        "gwet_ac2": (0.77544407, 0.14294995),
        "fleiss_kappa": (0.76116928, 0.1530192),
        "krippendorff_alpha": (0.74342105, 0.14557389),
        "conger_kappa": (0.76281744, 0.14916815),
        "brennan_prediger": (0.77272727, 0.14471662),
    },
    ("4raters", "linear"): {
        "gwet_ac2": (0.85873914, 0.11732902),
        "fleiss_kappa": (0.81794477, 0.14850436),
        "krippendorff_alpha": (0.80038388, 0.13547774),
        "conger_kappa": (0.81377632, 0.1450854),
        "brennan_prediger": (0.84848485, 0.12335612),
    },
    ("4raters", "quadratic"): {
        "gwet_ac2": (0.91400072, 0.10396224),
        "fleiss_kappa": (0.86493506, 0.14603361),
        "krippendorff_alpha": (0.84910714, 0.12912997),
        "conger_kappa": (0.85771066, 0.14367066),
        "brennan_prediger": (0.90151515, 0.11089437),
    },
    ("4raters", "ordinal_gwet"): {
        "gwet_ac2": (0.89893977, 0.10690352),
        "fleiss_kappa": (0.85020619, 0.14703569),
        "krippendorff_alpha": (0.83363803, 0.13107343),
        "conger_kappa": (0.84365953, 0.14409996),
        "brennan_prediger": (0.88636364, 0.1139059),
    },
    ("5observers", "identity"): {
        "gwet_ac2": (0.49662205, 0.12197337),
        "fleiss_kappa": (0.45762169, 0.12045007),
        "krippendorff_alpha": (0.48053024, 0.11350753),
        "conger_kappa": (0.46927428, 0.11666345),
        "brennan_prediger": (0.48740741, 0.12089159),
    },
    ("5observers", "quadratic"): {
        "gwet_ac2": (0.83043357, 0.05824641),
        "fleiss_kappa": (0.75071913, 0.09732069),
        "krippendorff_alpha": (0.77186481, 0.08608133),
        "conger_kappa": (0.76178806, 0.09250482),
        "brennan_prediger": (0.80622222, 0.05859544),
    },
}


@pytest.mark.parametrize(
    ("units", "weights", "metric", "value", "error"),
    [(units, weights, m, *pair) for (units, weights), of in RAW.items() for m, pair in of.items()],
)
def test_irrcacs_raw_tables(units, weights, metric, value, error):
    typed = rows({"4raters": RAW_4RATERS, "5observers": RAW_5OBSERVERS}[units])
    found = PRINTED_BY_IRRCAC[metric](*typed, weights=weights)
    items = {"4raters": 11 if metric == "krippendorff_alpha" else 12, "5observers": 15}[units]
    assert found.value == pytest.approx(value, abs=1e-7)
    assert (found.value - found.low) / stats.t.ppf(0.975, items - 1) == pytest.approx(error, abs=1e-7)
    assert found.high == pytest.approx(min(1, 2 * found.value - found.low))


TABLES = {
    ("abstractors", "identity"): {
        "cohen_kappa": (0.7964094, 0.05891072),
        "scott_pi": (0.7962397, 0.05905473),
        "gwet_ac2": (0.84933055, 0.04321747),
        "krippendorff_alpha": (0.7972585, 0.05905473),
        "brennan_prediger": (0.835, 0.04693346),
        "percent_agreement": (0.89, 0.03128898),
    },
    ("abstractors", "linear"): {
        "cohen_kappa": (0.84290203, 0.04787212),
        "scott_pi": (0.842801, 0.0479607),
        "gwet_ac2": (0.90002272, 0.0292756),
        "krippendorff_alpha": (0.843587, 0.0479607),
        "brennan_prediger": (0.87625, 0.0352001),
        "percent_agreement": (0.945, 0.01564449),
    },
    ("abstractors", "quadratic"): {
        "cohen_kappa": (0.89215686, 0.03535151),
        "scott_pi": (0.89210926, 0.03539506),
        "gwet_ac2": (0.94023688, 0.01792019),
        "krippendorff_alpha": (0.89264872, 0.03539506),
        "brennan_prediger": (0.9175, 0.02346673),
        "percent_agreement": (0.9725, 0.00782224),
    },
    ("diagnosis", "identity"): {
        "cohen_kappa": (0.43150078, 0.04596918),
        "scott_pi": (0.43034056, 0.04623154),
        "gwet_ac2": (0.45615764, 0.04344987),
        "krippendorff_alpha": (0.43161782, 0.04623154),
        "brennan_prediger": (0.44992526, 0.04395528),
        "percent_agreement": (0.58744395, 0.03296646),
    },
    ("diagnosis", "linear"): {
        "cohen_kappa": (0.40681087, 0.05338805),
        "scott_pi": (0.40555108, 0.05366891),
        "gwet_ac2": (0.37706788, 0.05606457),
        "krippendorff_alpha": (0.40688393, 0.05366891),
        "brennan_prediger": (0.3470852, 0.05975673),
        "percent_agreement": (0.72795217, 0.02489864),
    },
    ("diagnosis", "quadratic"): {
        "cohen_kappa": (0.38318594, 0.0657947),
        "scott_pi": (0.38203037, 0.06605897),
        "gwet_ac2": (0.298573, 0.07517948),
        "krippendorff_alpha": (0.38341595, 0.06605897),
        "brennan_prediger": (0.23587444, 0.08467064),
        "percent_agreement": (0.7877429, 0.02351962),
    },
}


@pytest.mark.parametrize(
    ("name", "weights", "metric", "value", "error"),
    [(name, weights, m, *pair) for (name, weights), of in TABLES.items() for m, pair in of.items()],
)
def test_irrcacs_two_rater_tables(name, weights, metric, value, error):
    typed = {"abstractors": ABSTRACTORS, "diagnosis": DIAGNOSIS}[name]
    found = PRINTED_BY_IRRCAC[metric](*rows_of_table(typed), weights=weights)
    n = typed.sum()
    assert (found.value, found.n) == (pytest.approx(value, abs=1e-7), n)
    if metric == "cohen_kappa":
        assert ends(found) == pytest.approx(value + stats.norm.ppf([0.025, 0.975]) * error, abs=1e-6)
    else:
        ours = (found.value - found.low) / stats.t.ppf(0.975, n - 1)
        assert ours * np.sqrt((n - 1) / n) == pytest.approx(error, abs=1e-7)


@pytest.mark.parametrize(
    ("units", "level", "value"),
    [
        (RAW_4RATERS, "nominal", 0.74342105),
        (RAW_4RATERS, "ordinal", 0.8153875),
        (RAW_4RATERS, "interval", 0.84910714),
        (RAW_4RATERS, "ratio", 0.79740277),
        (THREE_CODERS, "nominal", 0.69135802),
        (THREE_CODERS, "ordinal", 0.80672142),
        (THREE_CODERS, "interval", 0.81084489),
        (THREE_CODERS, "ratio", 0.80894367),
    ],
)
def test_krippendorffs_examples(units, level, value):
    """Krippendorff 2011 prints .743 .815 .849 .797; six digits and more from the krippendorff package."""
    assert agreement.krippendorff_alpha(*rows(units), level).value == pytest.approx(value, abs=1e-7)


def test_counts_per_label_are_patterns():
    """statsmodels 0.15.0 fleiss_kappa (uniform and randolph) and krippendorff 0.9.0 with value_counts."""
    six = Patterns(SIX_RATERS, np.ones(15))
    assert agreement.fleiss_kappa_of_patterns(six).value == pytest.approx(0.4139265, abs=1e-7)
    assert agreement.brennan_prediger_of_patterns(six).value == pytest.approx(0.43888889, abs=1e-7)
    assert agreement.alpha_of_patterns(six).value == pytest.approx(0.42043843, abs=1e-7)
    fourteen = Patterns(FOURTEEN_RATERS, np.ones(10))
    assert agreement.fleiss_kappa_of_patterns(fourteen).value == pytest.approx(0.2099307, abs=1e-7)
    assert agreement.fleiss_kappa(*rows_of_counts(FOURTEEN_RATERS)).value == pytest.approx(0.2099307, abs=1e-7)


# ---- caries: grouped counts, computed by irrCAC, krippendorff and numpy alike (shared/notes/statistics.md, section 9)

PAIRS = {
    (1, 2): 0.303355,
    (1, 3): 0.469225,
    (1, 4): 0.370500,
    (1, 5): 0.184134,
    (2, 3): 0.405351,
    (2, 4): 0.317804,
    (2, 5): 0.285131,
    (3, 4): 0.364074,
    (3, 5): 0.260506,
    (4, 5): 0.208006,
}


@needs_shared
def test_caries():
    """Espeland and Handelman 1989: 5 dentists; the file's counts sum to 3,859 where its description says 3,869."""
    grouped = np.loadtxt(FILES / "caries" / "caries.csv", delimiter=",", skiprows=1).astype(int)
    answers, n = grouped[:, :5], grouped[:, 5]
    counted = Patterns(np.stack([(answers == c).sum(axis=1) for c in (1, 2)], axis=1), n)
    assert (n.sum(), len(counted.combined().items)) == (3859, 6)
    for metric, value, error in (
        (agreement.alpha_of_patterns, 0.277060, 0.010379),
        (agreement.fleiss_kappa_of_patterns, 0.277022, 0.010379),
        (agreement.gwet_ac1_of_patterns, 0.665899, 0.007530),
        (agreement.brennan_prediger_of_patterns, 0.542990, 0.007850),
    ):
        found = metric(counted, **PRINTED)
        assert found.value == pytest.approx(value, abs=1e-6)
        assert (found.value - found.low) / stats.t.ppf(0.975, 3858) == pytest.approx(error, abs=2e-6)
    assert ends(agreement.fleiss_kappa_of_patterns(counted, **PRINTED)) == pytest.approx([0.256673, 0.297371], abs=1e-6)
    assert ends(agreement.gwet_ac1_of_patterns(counted, **PRINTED)) == pytest.approx([0.651135, 0.680663], abs=1e-6)
    assert agreement.percent_agreement_of_patterns(counted).value == pytest.approx(0.771495, abs=1e-6)
    assert agreement.coverage(counted).prevalence[1] == pytest.approx(0.196735, abs=1e-6)
    each = np.repeat(answers, n, axis=0)
    item, rater = np.indices(each.shape).reshape(2, -1)
    conger = agreement.conger_kappa(item, rater + 1, each.ravel(), **PRINTED)
    assert conger.value == pytest.approx(0.293990, abs=1e-6)
    assert (conger.value - conger.low) / stats.t.ppf(0.975, 3858) == pytest.approx(0.009701, abs=1e-6)
    pairs = agreement.pairwise(item, rater + 1, each.ravel())
    assert list(zip(pairs["rater"], pairs["other"], strict=True)) == list(PAIRS)
    assert pairs["value"].to_numpy() == pytest.approx(list(PAIRS.values()), abs=1e-6)
    assert set(pairs["n"]) == {3859}
