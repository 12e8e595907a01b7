"""Benchmarks of versions about a change to their labels: effects found, idle changes not, others kept out."""

import numpy as np
import pandas as pd
import pytest

from metrics.change_ledger import ledger, overall
from metrics.change_models import SAME
from metrics.effects.effect import Design
from metrics.effects.verdict import Verdict
from tests.metrics.effects.simulated import ar1

VERSIONS = 40
FIRST = pd.Timestamp("2025-01-06")
LAST_DAY = (FIRST + pd.Timedelta(days=7 * 2 * VERSIONS - 1)).date()
CALLED = (Verdict.WORKED, Verdict.HARM)


def models(rng, projects=("P1", "P2", "P3"), benchmarks=("safety",), moved=0.0, start=24, stop=VERSIONS, wander=0.004):
    """Versions of two weekly batches each; the first project's are moved from version ``start`` on. A case is one of
    3,000, and versions are off beyond that, the next one the same way.
    """
    scores, batches = [], []
    for project in projects:
        for k in range(VERSIONS):
            version = f"{project}-{k:02d}"
            at = FIRST + pd.Timedelta(days=14 * k)
            batches += [(version, at + pd.Timedelta(days=d), 1000.0) for d in (3, 10)]
        for benchmark in benchmarks:
            level = 0.85 + wander * ar1(rng, (VERSIONS,), 0.5)
            if project == projects[0]:
                level[start:stop] += moved
            for k in range(VERSIONS):
                share = rng.binomial(3000, level[k]) / 3000
                trained = FIRST + pd.Timedelta(days=14 * k + 16)
                scores.append((f"{project}-{k:02d}", project, trained, benchmark, "score", share, 3000.0, True))
    columns = ["model_version", "project_id", "trained_at", "benchmark", "metric", "value", "n", "higher_is_better"]
    return {
        "scores": pd.DataFrame(scores, columns=columns),
        "batches": pd.DataFrame(batches, columns=["model_version", "labelled_at", "items"]),
    }


def change(version=24, last=None, name="CH-1", kind="training", project="P1", days=0):
    ends = pd.NaT if last is None else FIRST + pd.Timedelta(days=14 * last + 13)
    starts = FIRST + pd.Timedelta(days=14 * version + days)
    return {
        "change_id": name,
        "kind": kind,
        "project_id": project,
        "pool_id": None,
        "starts_on": starts,
        "ends_on": ends,
    }


def work():
    """A frame without any metric of its own: only the weeks it spans matter."""
    weeks = pd.date_range(FIRST, periods=2 * VERSIONS, freq="7D")
    return pd.DataFrame({"week": weeks, "project_id": "P1", "pool_id": "A", "language": "en", "policy": "spam"})


def weighed(found, *changes):
    return ledger(pd.DataFrame(list(changes)), {"work": work()}, LAST_DAY, found)


@pytest.mark.parametrize(("moved", "said"), [(-0.05, Verdict.HARM), (0.05, Verdict.WORKED)])
def test_versions_trained_on_labels_of_a_change_are_moved_by_it(moved, said):
    row = weighed(models(np.random.default_rng(1), moved=moved), change())[0]
    assert row.where == {"project": "P1", "benchmark": "safety"}
    assert (row.metric, row.effect.design, row.judgement.verdict) == ("score", Design.SERIES, said)
    assert row.effect.effect.n == 8
    assert row.effect.effect.low <= moved <= row.effect.effect.high
    assert len(row.effect.placebos) >= 10
    assert row.of_models
    assert overall([row]) is said


def test_a_version_with_a_smaller_part_of_such_labels_is_on_neither_side():
    """The change comes between the two batches of version 24: half its items, which is not most."""
    found = models(np.random.default_rng(2), moved=-0.05, start=25)
    found["scores"].loc[24, "value"] = 0.2
    row = weighed(found, change(days=8))[0]
    assert row.effect.weeks[row.effect.weeks < 0].max() == -2
    assert row.effect.effect.low <= -0.05 <= row.effect.effect.high


def test_a_change_that_ended_is_measured_by_the_versions_it_reached():
    row = weighed(models(np.random.default_rng(3), moved=-0.05, stop=28), change(last=27))[0]
    assert row.effect.effect.n == 4
    assert row.judgement.verdict is Verdict.HARM


@pytest.mark.parametrize("kind", ["guideline", "model"])
def test_what_another_change_did_to_the_same_models_is_not_counted(kind):
    found = models(np.random.default_rng(4), moved=-0.2, start=30)
    own, other = change(), change(30, name="CH-2", kind=kind)
    row = weighed(found, own, other)[0]
    assert row.effect.effect.n <= 6
    assert row.judgement.verdict not in CALLED
    near = weighed(found, own, change(25, name="CH-2", kind=kind))[0]
    assert near.judgement.reason == SAME
    assert weighed(found, own, change(30, name="CH-2", project="P2"))[0].effect.effect.n == 8


def test_late_early_and_odd_ones_have_reasons():
    found = models(np.random.default_rng(5))
    late, early = (weighed(found, change(version))[0].judgement for version in (38, 5))
    assert (late.verdict, late.reason) == (Verdict.TOO_EARLY, "fewer than 3 versions since the change")
    assert early.reason == "fewer than 8 versions with data before the change"
    assert weighed(found, change(project="P9")) == []
    assert weighed(found, change(kind="model")) == []
    ratings = {**found, "scores": found["scores"].assign(value=1200.0)}
    assert weighed(ratings, change()) == []
    assert weighed({**found, "batches": found["batches"].iloc[:0]}, change()) == []


def test_versions_whose_batches_nobody_knows_are_on_neither_side():
    found = models(np.random.default_rng(7), moved=-0.05)
    unknown = ("P1-03", "P1-20", "P1-26")
    batches = found["batches"][~found["batches"]["model_version"].isin(unknown)]
    row = weighed({**found, "batches": batches}, change())[0]
    assert not {3 - 24, 20 - 24, 26 - 24} & set(row.effect.weeks.astype(int))
    assert (row.effect.effect.n, row.judgement.verdict) == (7, Verdict.HARM)


def test_benchmarks_are_adjusted_as_a_family():
    row, other = weighed(models(np.random.default_rng(6), benchmarks=("safety", "refusals"), moved=-0.01), change())
    p = sorted([row.effect.p_value, other.effect.p_value])
    assert sorted([row.p_adjusted, other.p_adjusted]) == pytest.approx([min(1, 2 * p[0]), min(1, max(2 * p[0], p[1]))])


def test_changes_without_effect_are_called_at_most_one_in_twenty():
    draws, called = 60, 0
    for seed in range(draws):
        rng = np.random.default_rng(500 + seed)
        found = models(rng, benchmarks=("safety", "refusals"), wander=0.008)
        rows = weighed(found, change(int(rng.integers(12, 36))))
        called += any(row.judgement.verdict in CALLED for row in rows)
    assert called <= 6  # binomial: of 60 at .05 more than 6 in 1 of 30 worlds
