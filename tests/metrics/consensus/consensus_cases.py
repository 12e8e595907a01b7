"""Data for the tests of consensus: planted ratings with a known truth, the shared sets, plainly written oracles."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from metrics import consensus

SHARED = Path(__file__).parents[3].parent / "shared"
needs_shared = [
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not (SHARED / "data").exists(), reason="the real data of shared/data is not beside the repository"
    ),
]
METHODS = (
    consensus.majority_vote,
    consensus.dawid_skene,
    consensus.one_coin,
    consensus.mace,
    consensus.glad,
)
MODELS = METHODS[1:]
WITH_CONFUSION = (consensus.dawid_skene, consensus.one_coin, consensus.mace)

# Six items, three raters, rater "c" twice on the first item, one rating missing; made up.
ITEM = ["i1", "i1", "i1", "i1", "i2", "i2", "i2", "i3", "i3", "i3", "i4", "i4", "i5", "i5", "i5", "i6", "i6"]
RATER = ["a", "b", "c", "c", "a", "b", "c", "a", "b", "c", "a", "b", "a", "b", "c", "b", "c"]
LABEL = ["x", "x", "y", "x", "y", "y", "y", "z", "y", "z", "x", "x", "z", "z", "x", "y", "x"]


class Planted(NamedTuple):
    """Ratings whose truth is known: truth by item, parameters by rater, both in the order of their ids 0, 1, ..."""

    item: np.ndarray
    rater: np.ndarray
    label: np.ndarray
    truth: np.ndarray
    confusion: np.ndarray


def drawn(rows, rng):
    """One draw from each row of probabilities."""
    return (rng.random(len(rows))[:, None] > np.cumsum(rows, axis=1)[:, :-1]).sum(axis=1)


def plant(items, confusion, prior, ratings=5, seed=0):
    """Each item rated by ``ratings`` different raters, drawn at random; confusion [w, k, l]."""
    rng = np.random.default_rng(seed)
    truth = rng.choice(len(prior), items, p=prior)
    rater = rng.random((items, len(confusion))).argsort(axis=1)[:, :ratings].ravel()
    item = np.repeat(np.arange(items), ratings)
    label = drawn(confusion[rater, truth[item]], rng)
    return Planted(item, rater, label, truth, np.asarray(confusion))


def coins(accuracy, q):
    """Confusion matrices of raters with one accuracy each."""
    accuracy = np.asarray(accuracy)[:, None, None]
    return np.where(np.eye(q, dtype=bool), accuracy, (1 - accuracy) / (q - 1))


def by_id(ids, values):
    """Values in the order of the integer ids 0, 1, ..."""
    return np.asarray(values)[np.argsort(ids)]


def accuracy(found, gold):
    """Mean weight of the decisions on the gold label, over items with gold."""
    position = {label: k for k, label in enumerate(found.labels)}
    pairs = [(i, position[gold[x]]) for i, x in enumerate(found.items) if x in gold]
    return float(np.mean([found.decision[i, k] for i, k in pairs]))


def counts(item, rater, label, labels):
    """Dense counts [i, w, l], items and raters in order of appearance."""
    items, raters = list(dict.fromkeys(item)), list(dict.fromkeys(rater))
    table = np.zeros((len(items), len(raters), len(labels)))
    for i, w, x in zip(item, rater, label, strict=True):
        table[items.index(i), raters.index(w), list(labels).index(x)] += 1
    return table


def dense_em(n, steps, m_step, known=None):
    """Expectation maximisation over a dense table n [i, w, l], by loops: posterior, prior, rates [w, k, l], ll path.

    m_step: from soft counts [w, k, l] to rates. known: gold label position by item position.
    """
    known = known or {}
    size, raters, q = n.shape
    posterior = n.sum(axis=1) / n.sum(axis=(1, 2))[:, None]
    path = []
    for i, k in known.items():
        posterior[i] = np.eye(q)[k]
    for _ in range(steps):
        prior = posterior.mean(axis=0)
        rates = m_step(np.einsum("ik,iwl->wkl", posterior, n))
        log_likelihood = 0.0
        for i in range(size):
            joint = np.array(
                [prior[k] * np.prod([np.prod(rates[w, k] ** n[i, w]) for w in range(raters)]) for k in range(q)]
            )
            log_likelihood += np.log(joint[known[i]] if i in known else joint.sum())
            posterior[i] = np.eye(q)[known[i]] if i in known else joint / joint.sum()
        path.append(log_likelihood)
    return posterior, prior, rates, path


def shared_rows(file):
    """A shared file as a frame."""
    return pd.read_csv(SHARED / "data" / file)


def caries():
    """The caries file, counted patterns of five dentists, as one row per rating."""
    table = shared_rows("caries/caries.csv")
    patterns = table.filter(like="rater_").to_numpy(int)
    xrays = np.repeat(patterns, table["n"].astype(int), axis=0)
    item, rater = np.indices(xrays.shape)
    return item.ravel(), rater.ravel(), xrays.ravel()


def reference(dataset, metric, source=None, **options):
    """The one entry of the shared reference values with these options, from a source if one is named."""
    entries = json.loads((SHARED / "reference_values.json").read_text())
    found = [
        e
        for e in entries
        if (e["dataset"], e["metric"]) == (dataset, metric)
        and source in (None, e["source"])
        and all(e["options"].get(name) == value for name, value in options.items())
    ]
    assert len(found) == 1, (dataset, metric, options, len(found))
    return found[0]
