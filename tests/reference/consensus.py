"""Labels decided by votes and models, beside plain EM in numpy and crowd-kit.

Where packages differ:
- crowd-kit's Dawid and Skene stops at the first fall of its bound, whatever the tolerance: its priors are those of our
  fifth step (log-likelihood -192.9093), where EM goes on to -192.8909. The labels are the same.
- crowd-kit gives every tie of a vote to one label, here 1: .875 on rte and .939394 on temp are luck, bad and good. The
  expected accuracy of a fair draw is what we give.
- crowd-kit's MACE holds label shares equal and uses variational Bayes; ours finds the shares: 3 items better of 800
  and 1 of 462. Its GLAD holds them equal too: equal on rte, 2 of 462 better on temp. Each is right by its own model.
"""

from functools import cache

import numpy as np

from metrics import consensus
from tests.metrics.consensus.consensus_cases import accuracy, counts_of, fit_to, plain_em
from tests.reference import Compared
from tests.shared_data import gold_of, real

PATIENTS = "dawid_skene_1979"
STEPS_OF_CROWD_KIT = 5


@cache
def patients():
    """Dawid and Skene's 45 patients, every one of the first observer's three ratings used."""
    return fit_to(1e-9, 192.89, *real(PATIENTS), [1, 2, 3, 4])


@cache
def patients_stopped_early():
    return consensus.dawid_skene(*real(PATIENTS), [1, 2, 3, 4], tolerance=0, max_iterations=STEPS_OF_CROWD_KIT)


def priors(entry):
    found = patients_stopped_early() if "crowd-kit" in entry["source"] else patients()
    yield Compared("value", found.prior, entry["value"], 1e-6)
    if "classes" in entry:
        yield Compared("classes", found.labels, entry["classes"], 0)
        yield Compared("log_likelihood", found.log_likelihood, entry["log_likelihood"], 1e-9)
        yield Compared("iterations", found.iterations, entry["iterations"], 0)


def confusion(entry):
    observer = list(patients().raters).index(entry["options"]["observer"])
    yield Compared("value", patients().confusion[observer], entry["value"], 1.1e-6)


def posterior(entry):
    yield Compared("patients", patients().items, np.arange(1, 46), 0)
    yield Compared("value", patients().posterior, entry["value"], 6e-6)


def same_labels(entry):
    """How many patients crowd-kit's early end and the maximum label alike."""
    yield Compared("value", np.mean(patients().winner == patients_stopped_early().winner), entry["value"], 0)


# ---- Snow's tasks


def items_with_gold(entry):
    found = consensus.compare(*real(entry["dataset"]), gold=gold_of(entry["dataset"]))
    yield Compared("value", found.majority_accuracy.n, entry["value"], 0)


def fair_vote(entry):
    found = consensus.majority_vote(*real(entry["dataset"]), ties="split")
    yield Compared("value", accuracy(found, gold_of(entry["dataset"])), entry["value"], 1e-12)
    yield Compared("n_ties", found.tied.sum(), entry["n_ties"], 0)


def vote_with_ties_to_1(entry):
    found, truth = consensus.majority_vote(*real(entry["dataset"])), gold_of(entry["dataset"])
    named = [1 if x is None else x for x in found.winner]
    right = np.mean([truth[i] == x for i, x in zip(found.items, named, strict=True)])
    yield Compared("value", right, entry["value"], 1e-6)


def dawid_skene(entry):
    rows, options = real(entry["dataset"]), entry["options"]
    if "crowd-kit" in entry["source"]:
        found = consensus.dawid_skene(*rows)
    elif options["smoothing"]:
        # It stops by the likelihood without the prior's part, ours with it: so the steps are those of a plain EM.
        found = fit_to(1e-11, 1e3, *rows, pseudo_counts=options["smoothing"])
        steps = len(plain_em(counts_of(found, rows), options["smoothing"], 1e-9)[1])
        yield Compared("iterations", steps, entry["iterations"], 0)
    else:
        found = fit_to(1e-9, entry["log_likelihood"], *rows)
        yield Compared("log_likelihood", found.log_likelihood, entry["log_likelihood"], 1e-5)
        yield Compared("iterations", found.iterations, entry["iterations"], 0)
        yield Compared("class_priors", found.prior, entry["class_priors"], 1e-6)
    yield Compared("value", accuracy(found, gold_of(entry["dataset"])), entry["value"], 1e-6)


def model(name, items_apart):
    """Accuracy of a model against gold; items_apart: by how many items two sound fits of it may differ."""

    def compared(entry):
        truth = gold_of(entry["dataset"])
        found = getattr(consensus, name)(*real(entry["dataset"]))
        within = (items_apart + 0.5) / len(truth) if items_apart else 1e-6
        yield Compared("value", accuracy(found, truth), entry["value"], within)

    return compared
