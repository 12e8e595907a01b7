"""Raters against gold, how raters differ, and groups of raters against each other."""

from functools import cache

import numpy as np

from metrics import accuracy, groups, skill
from tests.reference import Compared
from tests.shared_data import frame, real


def mean_accuracy(entry):
    """The share of all workers' labels equal to gold."""
    rows = frame(f"{entry['dataset']}.long.csv")
    labels = sorted(rows["gold"].unique())
    matrix = accuracy.confusion(rows["gold"], rows["label"], np.ones(len(rows)), labels)
    yield Compared("value", accuracy.accuracy(matrix).value, entry["value"], 1e-8)


@cache
def workers():
    """Right and rated by worker of rte, and the prior fitted to them."""
    rows = frame("snow2008/rte.long.csv")
    counts = (rows["label"] == rows["gold"]).groupby(rows["rater"]).agg(["sum", "count"])
    return counts, skill.fit_prior(counts["sum"], counts["count"])


def prior(entry):
    counts, found = workers()
    yield Compared("value", np.divide([found.a, found.b], entry["value"]), [1, 1], 1e-6)
    yield Compared("log_lik_no_binomial_coef", found.log_likelihood, entry["log_lik_no_binomial_coef"], 1e-7)
    yield Compared("prior_mean", found.mean, entry["prior_mean"], 1e-7)
    yield Compared("workers, converged", [len(counts), found.converged], [164, True], 0)


def shrunk_accuracy(entry):
    """Prior and counts together; rater_skill averages over the priors that are likely instead of taking the best."""
    counts, found = workers()
    who = entry["options"]
    right, n = counts.loc[who["worker"]]
    yield Compared("correct and rated", [right, n], [who["correct"], who["n"]], 0)
    yield Compared("value", (found.a + right) / (found.a + found.b + n), entry["value"], 1e-7)
    judged = skill.rater_skill(counts["sum"], counts["count"], target=0.8)
    shown = judged["value"].iloc[counts.index.get_loc(who["worker"])]
    yield Compared("value", shown, entry["value"], 2e-3)


@cache
def brexit():
    item, rater, label = real("lewidi/HS-Brexit")
    return groups.group_agreement(item, rater, label, frame("hs_brexit/long.csv")["group"], min_raters=3)


def group_statistic(entry):
    """p is that of the side on which the group stands among all 20 splits; the other tail is 1 at the least less p."""
    group, statistic = entry["options"]["group"], entry["metric"].removeprefix("grasp_")
    yield Compared("value", brexit().estimate(group, statistic).value, entry["value"], 1e-8)
    row = brexit().table.set_index(["group", "statistic"]).loc[(group, statistic)]
    side = {"high": "p_ge", "low": "p_le"}[row["side"]]
    yield Compared(side, row["p"], entry[side], 1e-12)
    yield Compared("side", entry[side] < entry["p_le" if side == "p_ge" else "p_ge"], True, 0)
