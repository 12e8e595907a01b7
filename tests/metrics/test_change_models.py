"""Benchmarks of versions about a change to their labels: effects found, idle changes not, others kept out."""

import numpy as np
import pandas as pd
import pytest

from metrics.change_ledger import ledger, overall
from metrics.change_models import SAME, TOO_SMALL, over_slices
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
    """The rows of models: no metric of the work is kept here."""
    rows = ledger(pd.DataFrame(list(changes)), {"work": work()}, LAST_DAY, found)
    return [row for row in rows if row.of_models]


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


def by_pool(found, share: float):
    """The same models, of which pool A labelled a part of every batch and B the rest."""
    parts = [found["batches"].assign(pool_id=p, items=1000.0 * s) for p, s in (("A", share), ("B", 1 - share))]
    return {**found, "batches": pd.concat(parts, ignore_index=True)}


@pytest.mark.parametrize(("share", "n"), [(0.3, 0), (0.5, 0), (0.7, 8), (1.0, 8)])
def test_a_course_of_one_pool_reaches_versions_by_that_pool_s_labels_alone(share, n):
    """The scores fall when it comes; who labelled a third of the items is not credited with it."""
    found = by_pool(models(np.random.default_rng(8), moved=-0.05), share)
    row = weighed(found, {**change(), "pool_id": "A"})[-1]
    assert row.effect.effect.n == n
    assert row.judgement.verdict is (Verdict.HARM if n else Verdict.CANNOT_TELL)
    assert (row.judgement.reason == TOO_SMALL) == (not n)
    # What B was taught cuts A's versions short only where B labelled most of them.
    other = {**change(27, name="CH-2"), "pool_id": "B"}
    assert weighed(found, {**change(), "pool_id": "A"}, other)[0].effect.effect.n == n


def test_a_pool_of_all_projects_is_followed_into_the_models_of_each_it_works_for():
    found = by_pool(models(np.random.default_rng(9), moved=-0.05), 0.8)
    elsewhere = found["batches"]["model_version"].str.startswith("P3")
    found["batches"].loc[elsewhere, "pool_id"] = "C"
    rows = weighed(found, {**change(project=None), "pool_id": "A"})
    assert [row.where["project"] for row in rows] == ["P1", "P2"]
    assert [row.judgement.verdict is Verdict.HARM for row in rows] == [True, False]
    assert [row.where["project"] for row in weighed(found, change(project=None))] == ["P1", "P2", "P3"]


def test_a_change_that_ended_before_most_of_any_version_was_labelled_was_too_short():
    row = weighed(models(np.random.default_rng(3)), {**change(20), "ends_on": FIRST + pd.Timedelta(days=14 * 20 + 5)})
    assert row[-1].judgement == (Verdict.CANNOT_TELL, "the change lasted fewer than 3 versions with data", {})


def sliced(found):
    """Each score as two languages whose mean over cases it is, one a fifth lower, of a quarter of the cases."""
    whole = found["scores"]
    low, high = (
        whole.assign(language=name, policy=None, n=whole["n"] * part, value=whole["value"] + off)
        for name, part, off in (("id", 0.25, -0.15), ("en", 0.75, 0.05))
    )
    return low, high


def test_a_benchmark_measured_in_slices_is_the_mean_over_them():
    found = models(np.random.default_rng(10), moved=-0.05)
    low, high = sliced(found)
    whole = weighed(found, change())[-1].effect.effect
    parts = weighed({**found, "scores": pd.concat([low, high], ignore_index=True)}, change())[-1]
    assert parts.where == {"project": "P1", "benchmark": "safety"}
    assert (parts.effect.effect.value, parts.effect.effect.high) == pytest.approx((whole.value, whole.high), abs=1e-9)
    # Slices beside the score over all cases are not counted twice; a version without one of them has no score.
    beside = found["scores"].assign(language=None, policy=None)
    both = weighed({**found, "scores": pd.concat([beside, low], ignore_index=True)}, change())[-1]
    assert both.effect.effect.value == pytest.approx(whole.value, abs=1e-9)
    lacking = pd.concat([low.drop(index=26), high], ignore_index=True)
    assert set(found["scores"]["model_version"]) - set(over_slices(lacking)["model_version"]) == {"P1-26"}
    # A slice that came of late is no move: by itself it lies .5 lower.
    late = low[low["trained_at"] > FIRST + pd.Timedelta(days=14 * 30)].assign(language="th", value=0.3)
    more = weighed({**found, "scores": pd.concat([low, high, late], ignore_index=True)}, change())[-1]
    assert more.effect.effect.value == pytest.approx(whole.value, abs=1e-9)
    unknown = pd.concat([low.assign(n=np.nan), high.assign(n=np.nan)], ignore_index=True)
    equal = over_slices(unknown).set_index("model_version")["value"]
    assert (equal - found["scores"].set_index("model_version")["value"]).to_numpy() == pytest.approx(-0.05)


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
