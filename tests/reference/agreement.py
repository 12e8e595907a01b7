"""Coefficients of agreement from the ratings themselves, beside what other packages print for them.

Where packages differ:
- irrCAC's tables divide the variance of raw ratings by N - 1 and that of two-rater tables by N. N - 1 is right for a
  sample; we always use it, so standard errors of tables are compared after taking it out. Cohen's has none to take out.
- Cohen's interval: irrCAC takes t, statsmodels the normal, both with the large-sample error, which is the one compared
  (interval="asymptotic", the normal). Neither covers with few items: what we offer is the score interval.
- irrCAC's "ordinal" weights are not Krippendorff's ordinal metric; both are right by their definition and have
  different names here ("ordinal_gwet", "ordinal").
- nltk's kappa() is the mean of the pairwise kappas, multi_kappa() is Conger's kappa, pi() is Fleiss'.
"""

import numpy as np
from scipy import stats

from metrics import agreement
from tests.metrics.agreement.examples import PRINTED_BY_IRRCAC
from tests.reference import Compared
from tests.shared_data import frame, real

FUNCTIONS = {
    **PRINTED_BY_IRRCAC,
    "gwet_ac1": PRINTED_BY_IRRCAC["gwet_ac2"],
    "randolph_kappa_free_marginal": agreement.brennan_prediger,
    "pi_scott_multi": agreement.fleiss_kappa,
    "fleiss_multi_kappa_davies_fleiss": agreement.conger_kappa,
}
GROUPS = {"group1": ["Ann1", "Ann2", "Ann3"], "group2": ["Ann4", "Ann5", "Ann6"]}


def rows_of(entry):
    """Columns item, rater, label of an entry's dataset; of one group of raters when it names one."""
    item, rater, label = real(entry["dataset"])
    group = entry["options"].get("raters")
    if isinstance(group, str):
        kept = rater.isin(GROUPS[group])
        return item[kept], rater[kept], label[kept]
    return item, rater, label


def weights_of(entry):
    weights = entry["options"].get("weights", "identity")
    return "ordinal_gwet" if weights == "ordinal" else weights


def found_of(entry):
    """Our estimate, with the interval that the entry's package prints."""
    data, options = rows_of(entry), entry["options"]
    if entry["metric"] == "krippendorff_alpha" and "weights" not in options:
        interval = {"interval": "bootstrap", "draws": 20_000} if "ci" in options else {}
        return agreement.krippendorff_alpha(*data, options["level"], **interval)
    chosen = {"raters": options["raters"]} if "raters" in options else {}
    return FUNCTIONS[entry["metric"]](*data, weights=weights_of(entry), **chosen)


def coefficient(entry):
    """Value; standard error and interval where printed; percent and chance agreement where printed."""
    found = found_of(entry)
    yield Compared("value", found.value, entry["value"], 1e-6)
    if "published" in entry:
        yield Compared("published", round(found.value, len(str(entry["published"])) - 2), entry["published"], 1e-12)
    if entry["ci"] is not None:
        yield from error_and_interval(entry, found)
    if "pa" in entry:
        # Alpha's percent agreement holds its small-sample term and is no figure of ours: it follows from alpha and p_e.
        pa = found.value + (1 - found.value) * entry["pe"]
        if entry["metric"] != "krippendorff_alpha":
            pa = agreement.percent_agreement(*rows_of(entry), weights=weights_of(entry)).value
        yield Compared("pa", pa, entry["pa"], 1e-6)
        yield Compared("pe", (entry["pa"] - found.value) / (1 - found.value), entry["pe"], 1e-6)


def error_and_interval(entry, found):
    if "bootstrap" in entry["options"].get("ci", ""):
        # 1,000 draws: the error of a standard error is 2 % (.0005), that of a 97.5 % point .0017.
        yield Compared("se", (found.high - found.low) / 2 / stats.norm.ppf(0.975), entry["se"], 1.5e-3)
        yield Compared("ci", [found.low, found.high], entry["ci"], 4e-3)
        return
    # Every rated item counts in irrCAC, those rated once too; in alpha only those rated twice.
    n = found.n if entry["metric"] == "krippendorff_alpha" else len(set(rows_of(entry)[0]))
    t, normal = stats.t.ppf(0.975, n - 1), stats.norm.ppf(0.975)
    by_irrcac = "irrCAC" in entry["source"]
    error = (found.value - found.low) / (normal if entry["metric"] == "cohen_kappa" else t)
    if by_irrcac and entry["dataset"].startswith("irrcac/table") and entry["metric"] != "cohen_kappa":
        error *= np.sqrt((n - 1) / n)
    ends = [found.low, found.high]
    if by_irrcac and entry["dataset"].startswith("irrcac/table"):
        ends = [found.value - error * t, min(found.value + error * t, 1)]
    yield Compared("se", error, entry["se"], 1e-7)
    yield Compared("ci", ends, entry["ci"], 1e-6)


def mean_pairwise_kappa(entry):
    yield Compared("value", agreement.pairwise(*rows_of(entry))["value"].mean(), entry["value"], 1e-6)


def pearson_of_means(entry):
    """Pearson's r of the items' mean ratings and gold, by way of alpha at the interval level.

    We offer no correlation: it does not see a rater who is off by a constant. But of two series with mean 0 and
    variance 1, D_o = 2 (1 - r) and D_e = 2 · 2n / (2n - 1), so r = 1 - (1 - alpha) · 2n / (2n - 1).
    """
    means = frame("snow2008/valence.long.csv").groupby("item").agg(workers=("label", "mean"), gold=("gold", "first"))
    scores = (means - means.mean()) / means.std(ddof=0)
    n = len(scores)
    rows = np.tile(np.arange(n), 2), np.repeat(["workers", "gold"], n), np.r_[scores["workers"], scores["gold"]]
    alpha = agreement.krippendorff_alpha(*rows, "interval", interval="linearised")
    yield Compared("value", 1 - (1 - alpha.value) * 2 * n / (2 * n - 1), entry["value"], 1e-8)
