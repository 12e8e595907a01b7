"""Qualities of many batches at once are those of each batch by itself."""

import numpy as np
import pandas as pd
import pytest

from metrics import agreement, qualities
from metrics.intervals import student
from metrics.patterns import Encoding, Patterns
from metrics.qualities import QUALITIES
from metrics.shapes import LabelSet

SETS = (
    LabelSet("P1", "nominal", ("ok", "spam", "hate"), Encoding(3, 20)),
    LabelSet("P2", "ordinal", ("1", "2", "3", "4"), Encoding(4, 15)),
    LabelSet("P3", "interval", ("1", "2", "4", "8"), Encoding(4, 15)),
    LabelSet("P4", "set", ("", "a", "a|b"), Encoding(3, 20)),
)


def batches(seed: int = 4) -> list:
    """Batches of four projects with labels of their own; the first of few items, the last of two label sets at once."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(40):
        labels = SETS[k % 4]
        likely = rng.dirichlet([0.5] * len(labels.labels), size=2 + k)
        counts = np.array([rng.multinomial(rng.integers(0, 4), p) for p in likely])
        found.append((100 + k, [(Patterns(counts, rng.integers(1, 9, len(counts)).astype(float)), labels)]))
    return [*found, (200, [*found[0][1], *found[1][1]]), (201, [])]


@pytest.mark.parametrize("name", ["krippendorff_alpha", "percent_agreement"])
def test_agreement_in_batches_is_that_of_each_with_the_error_its_interval_shows(name):
    found = qualities.coefficients(QUALITIES[name], batches()).set_index("batch_id")
    expected = {}
    for batch, parts in batches()[:40]:
        patterns, labels = parts[0]
        if name == "percent_agreement":
            one = agreement.percent_agreement_of_patterns(patterns, interval="irrcac")
        else:
            one = agreement.alpha_of_patterns(patterns, labels.level, labels.values, interval="linearised")
        if one.low is not None and one.n >= 3:
            wider = max(one.high - one.value, one.value - one.low)
            expected[batch] = (one.value, wider / float(student(0.975, one.n - 1)), one.n)
    assert len(expected) > 30
    assert list(found.index) == list(expected)
    np.testing.assert_allclose(found[["value", "error", "n"]], list(expected.values()), rtol=1e-9)


def test_match_with_consensus_of_batches_is_that_of_their_ratings_one_by_one():
    found = qualities.matched(batches())
    assert found["batch_id"].tolist() == [batch for batch, _ in batches()]
    for row, (_, parts) in zip(found.itertuples(), batches(), strict=True):
        hits = n = 0.0
        for patterns, _ in parts:
            for counts, items in zip(patterns.counts, patterns.items, strict=True):
                for label in np.repeat(np.arange(len(counts)), counts):
                    others = counts.copy()
                    others[label] -= 1
                    modes = np.flatnonzero(others == others.max())
                    if others.max() > 0 and len(modes) == 1:
                        n += items
                        hits += items * (modes[0] == label)
        assert (row.hits, row.n) == (pytest.approx(hits), pytest.approx(n))
    assert found["n"].sum() > 0


def test_scatter_is_pearsons_over_batch_and_cell_by_project():
    """The formula of McCullagh and Nelder written out with a dummy per batch and per cell."""
    rng = np.random.default_rng(6)
    cells = pd.DataFrame(
        [(p, f"{p}{b}", c, e) for p in ("P", "Q") for b in range(12) for c in "abc" for e in ("en", "de")],
        columns=["project_id", "batch_id", "policy", "language"],
    )
    cells["gold_n"] = rng.integers(3, 40, len(cells))  # some below five, which have no part
    cells["gold_correct"] = rng.binomial(cells["gold_n"], rng.beta(8, 2, len(cells)))
    cells.loc[5, "gold_correct"] = np.nan
    found = qualities.overdispersion(QUALITIES["gold_accuracy"], cells)
    for project in ("P", "Q"):
        rows = cells[(cells["project_id"] == project) & (cells["gold_n"] >= 5)].dropna().to_dict("records")

        def share(of):
            return sum(r["gold_correct"] for r in of) / sum(r["gold_n"] for r in of)

        usual = [share([o for o in rows if (o["policy"], o["language"]) == (r["policy"], r["language"])]) for r in rows]
        square = 0.0
        for r, own in zip(rows, usual, strict=True):
            mine = [(o, u) for o, u in zip(rows, usual, strict=True) if o["batch_id"] == r["batch_id"]]
            off = sum(o["gold_correct"] - o["gold_n"] * u for o, u in mine) / sum(o["gold_n"] for o, _ in mine)
            expected = min(max(own + off, 0.005), 0.995)
            variance = r["gold_n"] * expected * (1 - expected)
            square += (r["gold_correct"] - r["gold_n"] * expected) ** 2 / variance
        free = len(rows) - len({r["batch_id"] for r in rows}) - (len({(r["policy"], r["language"]) for r in rows}) - 1)
        assert free >= 20
        assert found[project] == pytest.approx(max(square / free, 1.0))
        assert found[project] > 1
