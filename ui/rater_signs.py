"""What the snapshot says of labels given unread: pace, the labels of each rater, agreement with gold and with peers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data_access.filters import Filters
from data_access.snapshot import Snapshot
from metrics import intervals, skill, spam
from ui import data, rater_errors
from ui.cells import Columns, arrays, codes, kept_by

AT_CHANCE = "no better than blind"  # as ``spam.spam_signals`` says it
TIMES = ("handle_n", "handle_sum_log", "handle_sum_log_squared")


def pace(cells: Columns, stratum: np.ndarray, code: np.ndarray, raters: int, basis: str) -> pd.DataFrame:
    """Each rater's handle time over the usual one of the same kind of work (``spam.too_fast``), on one time basis."""
    n, logs, squares = (
        on_basis(cells, name, basis) for name in ("handle_n", "handle_sum_log", "handle_sum_log_squared")
    )
    total = np.bincount(stratum, n)
    usual = np.divide(np.bincount(stratum, logs), total, out=np.zeros(len(total)), where=total > 0)[stratum]
    sums = (n, logs - n * usual, squares - 2 * usual * logs + n * usual**2)
    return spam.too_fast(*(np.bincount(code, x, raters) for x in sums))


def on_basis(cells: Columns, name: str, basis: str) -> np.ndarray:
    """A sum of times, 0 where it was timed in another way than most."""
    return np.where(cells["time_basis"] == basis, cells[name], 0.0) if basis else cells[name]


def signs(
    snapshot: Snapshot,
    filters: Filters,
    pool: str,
    names: np.ndarray,
    gold: tuple[np.ndarray, np.ndarray, np.ndarray],
    gold_by_project: dict[str, np.ndarray],
    fast: pd.DataFrame,
) -> pd.DataFrame:
    """The signs of labels given unread and the agreement with peers, a row for each of ``names``, raters of one pool.

    gold: right, n and expected right of each rater; gold_by_project: n by project; fast: pace() of the same raters.
    Columns: those of ``spam.spam_signals``, and peers, peers_low, peers_high (shares), peers_n (items). Labels are
    compared with gold where there is enough of it, else with those of peers on the same items. Whoever labels blindly
    gives gold items the labels of all others, so that a rater's whole mix tells what blind labels would get right.
    "likely" asks for a sign of behaviour beside labels no better than blind.
    """
    ours = filters.with_("pool", pool).with_("rater")
    given = _labels_given(snapshot, ours, names)
    truth = _truths(snapshot, ours)
    right, n, expected = gold
    met = _together(snapshot, ours, names)
    with np.errstate(divide="ignore", invalid="ignore"):
        on_gold = spam.at_chance(right, n, _blind(given, truth, gold_by_project, len(names)), expected / n)
        shares = {project: dict(zip(labels, counts.sum(0), strict=True)) for project, (labels, counts) in given.items()}
        by_chance = _blind(given, shares, met.by_project, len(names))
        among = spam.at_chance(np.round(met.agreeing), met.n, by_chance, met.expected / met.n)
    evidence = on_gold.where(on_gold["p"].notna(), among)
    called = spam.spam_signals(evidence, fast, _constant(given, len(names)))
    # At the usual pace with the usual labels a rater near chance may be weak or have drifted.
    weak = (called["verdict"] == spam.LIKELY) & (called["signals"] == AT_CHANCE)
    found = intervals.wilson(np.where(met.n > 0, met.agreeing, 0), met.n)
    return called.assign(
        verdict=called["verdict"].where(~weak, spam.CANNOT_TELL),
        signals=called["signals"].where(~weak, ""),
        peers=found.value,
        peers_low=found.low,
        peers_high=found.high,
        peers_n=met.n,
    )


# ---- the labels given ------------------------------------------------------------------------------------------

Given = dict[str, tuple[list[str], np.ndarray]]


def _labels_given(snapshot: Snapshot, ours: Filters, names: np.ndarray) -> Given:
    """By project the labels and how often each rater gave each: (raters, labels)."""
    kept = kept_by("labels_given", ours)
    rows = arrays(data.sums(snapshot, "labels_given", ("n",), ("rater",), kept, ("project_id", "label")))
    place, known = _places(rows["rater"], names)
    found: Given = {}
    for project in np.unique(rows["project_id"][known].astype(str)):
        here = known & (rows["project_id"] == project)
        label, labels = pd.factorize(rows["label"][here])
        size = (len(names), len(labels))
        counts = np.bincount(place[here] * size[1] + label, rows["n"][here], size[0] * size[1])
        found[project] = ([str(one) for one in labels], counts.reshape(size))
    return found


def _places(raters: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each rater's position in ``names``, and whether it has one."""
    at = pd.Index(names.astype(str)).get_indexer(raters.astype(str))
    return at, at >= 0


def _truths(snapshot: Snapshot, ours: Filters) -> dict[str, dict[str, float]]:
    """By project how often each label is the true one on gold of the pool."""
    rows, _ = rater_errors.confused(snapshot, ours)
    found: dict[str, dict[str, float]] = {}
    for project, label, n, gold in zip(rows["project"], rows["truth"], rows["n"], rows["gold"], strict=True):
        if gold:
            of_project = found.setdefault(str(project), {})
            of_project[str(label)] = of_project.get(str(label), 0.0) + n
    return found


def _blind(given: Given, truth: dict[str, dict[str, float]], n: dict[str, np.ndarray], raters: int) -> np.ndarray:
    """How often each rater's labels would be right if given without looking, over projects weighted by n; else 0."""
    right, total = np.zeros(raters), np.zeros(raters)
    for project, weight in n.items():
        labels, counts = given.get(project, ([], np.zeros((raters, 0))))
        shares = np.array([truth.get(project, {}).get(label, 0.0) for label in labels])
        # Truths that nobody ever gives count as well.
        missed = sum(truth.get(project, {}).values()) - shares.sum()
        blind = spam.blind_accuracy(
            np.column_stack([counts, np.zeros(raters)]), np.append(shares, missed) if len(shares) else np.zeros(1)
        )
        right += np.nan_to_num(blind) * weight
        total += weight
    return np.divide(right, total, out=np.zeros(raters), where=total > 0)


def _constant(given: Given, raters: int) -> pd.DataFrame:
    """``spam.constant_labels`` of each rater's main project: the raters of the pool there are the measure."""
    p, most = np.full(raters, np.nan), np.zeros(raters)
    for _, counts in given.values():
        n = counts.sum(1)
        some = n > 0
        found = np.full(raters, np.nan)
        found[some] = spam.constant_labels(counts[some])["p"]
        more = n > most
        p, most = np.where(more, found, p), np.where(more, n, most)
    return pd.DataFrame({"p": p})


# ---- agreement with peers --------------------------------------------------------------------------------------


class _Together:
    """Each rater beside the others of the same items: items, agreements, those expected of an average rater here."""

    def __init__(self, cells: Columns, names: np.ndarray) -> None:
        place, known = _places(cells["rater"], names)
        cells = {name: column[known] for name, column in cells.items()}
        place, size = place[known], len(names)
        n, agreeing = cells["paired"], cells["agreeing_share"]
        self.n, self.agreeing = (np.bincount(place, x, size) for x in (n, agreeing))
        self.expected = np.zeros(size)
        if len(place):
            usual = skill.expected_right(place, codes(cells, ("project_id", "language")), agreeing, n)
            self.expected[: len(usual)] = usual
        self.by_project = {
            str(project): np.bincount(place[here], n[here], size)
            for project in pd.unique(cells["project_id"])
            if np.any(here := cells["project_id"] == project)
        }


def _together(snapshot: Snapshot, ours: Filters, names: np.ndarray) -> _Together:
    kept = kept_by("peers", ours)
    rows = data.sums(snapshot, "peers", ("paired", "agreeing_share"), ("rater",), kept, ("project_id", "language"))
    return _Together(arrays(rows), names)
