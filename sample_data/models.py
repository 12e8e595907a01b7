"""From labels to models: batches, dataset and model versions, benchmarks that respond to label noise, incidents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sample_data import events, guides, world
from sample_data.guides import LINES
from sample_data.rows import batch_ids
from sample_data.tally import Tally
from sample_data.write import start_of

AUTOCORRELATION = 0.55
REFERENCE_ERROR = 0.14  # share of wrong labels at which a benchmark has its base value
_SAFETY = "safety_benchmark_score"


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of one line: base value, change a year, change per unit of label accuracy, noise, cases."""

    project_id: str
    benchmark: str
    metric: str
    base: float
    per_year: float
    coefficient: float
    noise: float
    cases: int
    higher_is_better: bool = True
    by: str = ""  # "policy" or "language": one value for each


BENCHMARKS = (
    Benchmark("P01", "comment-safety-2", _SAFETY, 0.905, 0.020, 0.60, 0.0045, 6_000),
    Benchmark("P01", "comment-safety-2-policies", _SAFETY, 0.895, 0.020, 0.60, 0.008, 1_500, by="policy"),
    Benchmark("P01", "benign-comments", "false_refusal_rate", 0.060, -0.008, -0.25, 0.004, 3_000, False),
    Benchmark("P02", "video-harms", _SAFETY, 0.870, 0.030, 0.45, 0.006, 2_400),
    Benchmark("P03", "image-safety", _SAFETY, 0.890, 0.020, 0.40, 0.006, 2_400),
    Benchmark("P04", "listing-fraud", _SAFETY, 0.880, 0.015, 0.40, 0.007, 2_000),
    Benchmark("P05", "harm-taxonomy", _SAFETY, 0.840, 0.020, 0.45, 0.006, 2_600),
    Benchmark("P06", "harmful-prompts", _SAFETY, 0.900, 0.015, 0.85, 0.0050, 4_000),
    Benchmark("P06", "harmful-prompts-languages", _SAFETY, 0.885, 0.015, 0.85, 0.010, 1_200, by="language"),
    Benchmark("P06", "jailbreak-suite", "attack_success_rate", 0.085, -0.010, -0.50, 0.005, 3_000, False),
    Benchmark("P07", "toxicity-rank", _SAFETY, 0.830, 0.020, 0.35, 0.006, 2_400),
    Benchmark("P08", "claim-support", "hallucination_rate", 0.120, -0.015, -0.50, 0.006, 2_200, False),
    Benchmark("P09", "preference-heldout", "rm_human_agreement", 0.720, 0.020, 0.30, 0.006, 2_800),
    Benchmark("P10", "dialogue-heldout", "rm_human_agreement", 0.690, 0.020, 0.25, 0.007, 2_400),
    Benchmark("P11", "response-safety", _SAFETY, 0.915, 0.012, 0.55, 0.0045, 5_000),
    Benchmark("P11", "response-safety-policies", _SAFETY, 0.905, 0.012, 0.55, 0.009, 1_300, by="policy"),
    Benchmark("P11", "benign-requests", "false_refusal_rate", 0.055, -0.006, -0.20, 0.004, 3_000, False),
)  # fmt: skip


def links() -> list[dict[str, object]]:
    """The planted links between label accuracy and benchmarks, for the truth document."""
    weeks = {line.project_id: line.weeks for line in LINES}
    return [
        {
            "metric": "gold_accuracy",
            "benchmark": b.benchmark,
            "benchmark_metric": b.metric,
            "project": b.project_id,
            "lag_days": round(weeks[b.project_id] * 3.5 + guides.MEASURED_DAYS),
            "coefficient": b.coefficient,
        }
        for b in BENCHMARKS
    ]


def _stamp(days: int, day: float) -> np.datetime64:
    return start_of(days).astype("datetime64[s]") + np.timedelta64(int(day * world.DAY_SECONDS), "s")


def batches(days: int) -> pd.DataFrame:
    """One batch per project and week of creation; an open one has no closing time, an unused one no dataset."""
    weeks = days // 7
    dataset: dict[tuple[str, int], str] = {}
    for line in LINES:
        for _, name, first, last in guides.versions_of_line(line, days)[1:]:
            dataset.update({(line.project_id, week): name for week in range(first, last)})
    rows = []
    for name in batch_ids(weeks):
        project_id, week = name[2:5], int(name[6:]) - 1
        closes = (week + 1) * 7 + guides.BATCH_CLOSES_DAYS
        closed = _stamp(days, closes) if closes < days else None
        rows.append((name, project_id, closed, dataset.get((project_id, week))))
    return pd.DataFrame(rows, columns=["batch_id", "project_id", "closed_at", "dataset_version"])


def dataset_versions(days: int) -> pd.DataFrame:
    """The dataset versions of every line."""
    rows = []
    for line in LINES:
        for _, name, _, last in guides.versions_of_line(line, days):
            built = last * 7 + guides.BUILT_DAYS if last else -20.0
            rows.append((name, line.project_id, _stamp(days, built)))
    return pd.DataFrame(rows, columns=["dataset_version", "project_id", "built_at"])


def model_versions(days: int) -> pd.DataFrame:
    """The model versions of every line; the Compass safety line changes its base model on the event's day, for good."""
    rows = []
    change = events.by_kind("base_model_change")
    for line in LINES:
        product = world.PROJECTS[world.PROJECT_INDEX[line.project_id]].product
        for version, dataset, _, last in guides.versions_of_line(line, days):
            trained = last * 7 + guides.TRAINED_DAYS if last else -15.0
            released = last * 7 + guides.RELEASED_DAYS if last else -10.0
            base = f"{product.lower()}-base-2"
            if line.project_id == change.where["project"] and trained >= change.span(days)[0]:
                base = f"{product.lower()}-base-3"
            shown = _stamp(days, released) if released < days else None
            rows.append((version, product, base, dataset, _stamp(days, trained), shown))
    columns = ["model_version", "product", "base_model", "dataset_version", "trained_at", "released_at"]
    return pd.DataFrame(rows, columns=columns)


def slices(b: Benchmark, by: str) -> list[tuple[str | None, str | None]]:
    """The (language, policy) pairs of a benchmark's project, by one of the two; of an empty ``by`` the whole."""
    project = world.PROJECTS[world.PROJECT_INDEX[b.project_id]]
    if by == "policy":
        return [(None, policy.name) for policy in project.policies]
    if by == "language":
        return [(desk.language, None) for desk in world.DESKS if desk.project_id == b.project_id]
    return [(None, None)]


def model_metrics(rng: np.random.Generator, days: int, tally: Tally) -> pd.DataFrame:
    """Benchmark values: a base, a trend, the label error of the dataset times the coefficient, and AR(1) noise.

    The label error is the true one of the batches in the dataset, so it reaches the benchmark with the line's lag.
    """
    rows = []
    change = events.by_kind("base_model_change")
    first_change, last_change = change.span(days)
    lines = {line.project_id: line for line in LINES}
    for b in BENCHMARKS:
        p = world.PROJECT_INDEX[b.project_id]
        for language, policy in slices(b, b.by):
            drift = 0.0
            for version, _, first, last in guides.versions_of_line(lines[b.project_id], days):
                measured = last * 7 + guides.MEASURED_DAYS if last else -14.0
                cells = (slice(max(first, 0), last),)
                judged, wrong = tally.judged[p][cells], tally.wrong[p][cells]
                if policy is not None:
                    judged, wrong = (x[:, world.POLICY_INDEX[policy]] for x in (judged, wrong))
                if language is not None:
                    judged, wrong = (x[..., world.LANGUAGE_INDEX[language]] for x in (judged, wrong))
                error = (wrong.sum() + 20 * REFERENCE_ERROR) / (judged.sum() + 20)
                drift = AUTOCORRELATION * drift + rng.normal(0.0, b.noise)
                value = (
                    b.base + b.per_year * (measured - days) / 365.0 - b.coefficient * (error - REFERENCE_ERROR) + drift
                )
                if (
                    b.project_id == change.where["project"]
                    and first_change <= measured < last_change + guides.MEASURED_DAYS
                ):
                    value += change.size if b.higher_is_better else -change.size * 0.5
                value = float(np.clip(value, 0.005, 0.995))
                hits = int(rng.binomial(b.cases, value))
                rows.append(
                    (version, b.project_id, language, policy, b.benchmark, b.metric, hits / b.cases, b.cases,
                     _stamp(days, measured), b.higher_is_better)
                )  # fmt: skip
    columns = ["model_version", "project_id", "language", "policy", "benchmark", "metric", "value", "n", "measured_at"]
    return pd.DataFrame(rows, columns=[*columns, "higher_is_better"])


def incidents(rng: np.random.Generator, days: int, versions: pd.DataFrame) -> pd.DataFrame:
    """Incidents of released models: a thin background, and a cluster while models of the label-noise batches serve."""
    start = start_of(days).astype("datetime64[s]")
    noise = events.by_kind("label_noise")
    noisy = noise.span(days) if noise in events.in_sample(days) else (0, -1)
    spans = {name: (first, last) for line in LINES for name, _, first, last in guides.versions_of_line(line, days)}
    rows = []
    for line in LINES:
        project = world.PROJECTS[world.PROJECT_INDEX[line.project_id]]
        languages = [desk.language for desk in world.DESKS if desk.project_id == line.project_id]
        served = versions[versions["model_version"].str.startswith(line.name) & versions["released_at"].notna()]
        ends = [*served["released_at"].iloc[1:], pd.Timestamp(start) + pd.Timedelta(days=days)]
        for version, released, until in zip(served["model_version"], served["released_at"], ends, strict=True):
            begins = max((released - pd.Timestamp(start)).total_seconds() / world.DAY_SECONDS, 0.0)
            length = (until - pd.Timestamp(start)).total_seconds() / world.DAY_SECONDS - begins
            first, last = spans[version]
            bad = line.project_id == noise.where["project"] and first * 7 < noisy[1] and last * 7 > noisy[0]
            for _ in range(rng.poisson(length * (0.45 if bad else 0.016))):
                occurred = begins + rng.random() * length
                detected = occurred + rng.lognormal(-0.7, 0.9)
                resolved = detected + rng.lognormal(0.5, 0.8)
                if detected >= days:
                    continue
                policy = project.policies[int(rng.integers(0, len(project.policies)))].name
                fault = (
                    "missed harmful prompts"
                    if bad
                    else ("over-blocked", "missed", "mislabelled")[int(rng.integers(0, 3))]
                )
                rows.append(
                    (occurred, _stamp(days, occurred), _stamp(days, detected),
                     _stamp(days, resolved) if resolved < days else None, project.product, policy,
                     languages[int(rng.integers(0, len(languages)))],
                     int(rng.choice([2, 3])) if bad else int(rng.choice(4, p=[0.2, 0.4, 0.3, 0.1])), version,
                     f"{line.name} {fault} in {policy.replace('_', ' ')}.")
                )  # fmt: skip
    rows.sort(key=lambda row: row[0])
    columns = [
        "occurred_at",
        "detected_at",
        "resolved_at",
        "product",
        "policy",
        "language",
        "severity",
        "model_version",
        "summary",
    ]
    frame = pd.DataFrame([row[1:] for row in rows], columns=columns)
    frame.insert(0, "incident_id", [f"N-{n:05d}" for n in range(1, len(frame) + 1)])
    return frame
