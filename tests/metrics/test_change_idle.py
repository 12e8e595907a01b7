"""Changes without effect through the whole ledger, models among them: how often one is called, and placebo ranks."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metrics import change_ledger
from metrics.change_ledger import ledger, overall
from metrics.effects.effect import Design
from metrics.effects.verdict import Verdict
from tests.metrics.effects.simulated import ar1
from tests.metrics.test_change_ledger import LAST_DAY, MONDAYS, PROJECTS, WEEKS, change, work

KINDS = ("guideline", "training", "tool", "staffing", "vendor", "guideline", "workflow", "training")
DAY = pd.Timedelta(days=1)


def models(rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """A version a week of every project's model and two benchmarks, each off by itself and the next week as well."""
    scores, batches = [], []
    for project, pools in PROJECTS.items():
        names = [f"{project}-{k:02d}" for k in range(WEEKS)]
        batches += [
            (name, pool, at + 3 * DAY, 1000 / len(pools))
            for name, at in zip(names, MONDAYS, strict=True)
            for pool in pools
        ]
        for benchmark in ("safety", "refusals"):
            level = 0.85 + 0.008 * ar1(rng, (WEEKS,), 0.5)
            share = rng.binomial(3000, level) / 3000
            scores += [
                (name, project, at + 9 * DAY, benchmark, "score", value, 3000.0, True)
                for name, at, value in zip(names, MONDAYS, share, strict=True)
            ]
    columns = ["model_version", "project_id", "trained_at", "benchmark", "metric", "value", "n", "higher_is_better"]
    return {
        "scores": pd.DataFrame(scores, columns=columns),
        "batches": pd.DataFrame(batches, columns=["model_version", "pool_id", "labelled_at", "items"]),
    }


def test_a_ledger_of_changes_without_effect_calls_at_most_one_in_twenty():
    """Work and models together, one change per project and world; kinds, dates and lengths by chance."""
    called = asked = of_models = 0
    for seed in range(12):
        rng = np.random.default_rng(9000 + seed)
        changes = []
        for k, project in enumerate(PROJECTS):
            kind, week = KINDS[int(rng.integers(len(KINDS)))], int(rng.integers(25, 50))
            last = week + 7 if rng.random() < 0.3 else None
            changes.append(change(kind, project, None, week, last, f"CH-{k}", int(rng.integers(7))))
        rows = ledger(pd.DataFrame(changes), {"work": work(7000 + seed)}, LAST_DAY, models(rng))
        for one in changes:
            own = [row for row in rows if row.change.change_id == one["change_id"]]
            called += overall(own) in (Verdict.WORKED, Verdict.HARM)
            of_models += sum(row.of_models and row.effect.effect.value is not None for row in own)
            asked += 1
    assert (asked, of_models) == (60, 120)
    assert called <= stats.binom.ppf(0.999, asked, 0.05)


def test_all_rows_of_a_change_are_one_family():
    """Two families of 5 % each would call one idle change in ten: Holm is over work and benchmarks together."""
    rng = np.random.default_rng(3)
    rows = ledger(pd.DataFrame([change("tool")]), {"work": work(3)}, LAST_DAY, models(rng))
    p = np.array([row.effect.p_value for row in rows])
    order = np.argsort(p)
    stepped = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    assert [row.of_models for row in rows] == [False, False, True, True]
    assert np.array([row.p_adjusted for row in rows])[order] == pytest.approx(stepped)


def test_ranks_among_made_up_changes_are_even_without_an_effect(monkeypatch):
    """Pools against the others of their project; every row has its made-up changes looked at, as if it were sure."""
    monkeypatch.setattr(change_ledger, "SURE", 1.0)
    ranks = []
    for seed in range(30):
        rng = np.random.default_rng(4000 + seed)
        gold = work(4000 + seed)[["week", "project_id", "pool_id", "language", "policy", "gold_n", "gold_correct"]]
        changes = [
            change("training", p, str(rng.choice(PROJECTS[p])), int(rng.integers(25, 52)), None, f"CH-{p}")
            for p in ("P1", "P2", "P3", "P4")
        ]
        for row in ledger(pd.DataFrame(changes), {"work": gold}, LAST_DAY):
            assert row.effect.design is Design.COMPARED
            assert len(row.effect.placebos) >= 40
            ranks.append(row.effect.placebo_p)
    assert len(ranks) == 120
    assert stats.kstest(ranks, "uniform").pvalue > 0.01
