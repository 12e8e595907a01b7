"""Data for the tests of consensus: planted ratings with a known truth, plainly written oracles."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from metrics import consensus

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


def fit_to(gain, size, *rows, **options):
    """A fit that ends, as the reference values do, when a log-likelihood of about ``size`` rises by less than gain."""
    return consensus.dawid_skene(*rows, tolerance=gain / abs(size), max_iterations=1000, **options)


def counts_of(found, rows):
    """Counts [i, w, l] of rows in the order of a result."""
    ids = (found.items, found.raters, found.labels)
    n = np.zeros([len(of) for of in ids])
    np.add.at(n, tuple(pd.Index(of).get_indexer(column) for of, column in zip(ids, rows, strict=True)), 1)
    return n


def plain_em(n, added, gain):
    """Dawid and Skene's EM over counts [i, w, l] till the likelihood alone rises by less than gain: posterior, path."""
    posterior, path = n.sum(axis=1) / n.sum(axis=(1, 2))[:, None], []
    while len(path) < 2 or path[-1] - path[-2] >= gain:
        soft = np.einsum("ik,iwl->wkl", posterior, n) + added
        logs = np.log(posterior.mean(axis=0)) + np.einsum(
            "iwl,wkl->ik", n, np.log(soft / soft.sum(axis=2, keepdims=True))
        )
        path.append(np.logaddexp.reduce(logs, axis=1).sum())
        posterior = np.exp(logs - np.logaddexp.reduce(logs, axis=1)[:, None])
    return posterior, path
