"""What each model did on each case of two benchmarks: as many passed as the benchmark's value says.

A case is as hard for one version as for the next, but for a little luck, so most keep their result.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from sample_data import models
from sample_data.models import BENCHMARKS, Benchmark
from sample_data.write import Warehouse, coded

WITH_CASES = {"harmful-prompts": "language", "response-safety": "policy"}  # and what tells their cases apart
LUCK = 0.3  # standard deviation of what a version adds to a case's difficulty, which has 1


def write(rng: np.random.Generator, warehouse: Warehouse, metrics: pd.DataFrame) -> None:
    """Write every version's results on the cases of these benchmarks; ``metrics`` are the rows of model_metrics."""
    for b in BENCHMARKS:
        if b.benchmark in WITH_CASES:
            ours = metrics[metrics["benchmark"] == b.benchmark]
            passed = results(rng, ours["value"].to_numpy(), b.cases)
            warehouse.insert("case_results", _columns(rng, b, list(ours["model_version"]), passed))


def results(rng: np.random.Generator, values: np.ndarray, cases: int) -> np.ndarray:
    """Which cases each version passes, shape (versions, cases): the easiest, value x cases of them exactly."""
    difficulty = rng.standard_normal(cases) + LUCK * rng.standard_normal((len(values), cases))
    rank = np.argsort(np.argsort(difficulty, axis=1), axis=1)
    return rank < np.rint(np.asarray(values) * cases)[:, None]


def _columns(rng: np.random.Generator, b: Benchmark, versions: list[str], passed: np.ndarray) -> dict[str, object]:
    """The columns of case_results, version by version."""
    by = WITH_CASES[b.benchmark]
    kinds = list(dict.fromkeys(name for pair in models.slices(b, by) for name in pair if name is not None))
    kind = rng.integers(0, len(kinds), b.cases)
    case, none = np.arange(b.cases), np.full(passed.size, -1)
    of_case = {by: coded(np.tile(kind, len(versions)), kinds)}
    return {
        "model_version": coded(np.repeat(np.arange(len(versions)), b.cases), versions),
        "benchmark": coded(np.zeros(passed.size, int), [b.benchmark]),
        "case_id": coded(np.tile(case, len(versions)), [f"{b.benchmark}-{n:04d}" for n in case + 1]),
        "language": of_case.get("language", coded(none, [])),
        "policy": of_case.get("policy", coded(none, [])),
        "passed": passed.ravel(),
    }
