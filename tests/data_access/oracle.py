"""Every additive metric worked out by pandas from the raw rows: a second way to each number, sharing no code."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd


def judged(frames: dict[str, pd.DataFrame], offset_hours: float = 0.0) -> pd.DataFrame:
    """Annotations with their item, rater, pool and project, the business day, and one 0/1 column per count."""
    shift = dt.timedelta(hours=offset_hours)
    a = frames["annotations"].merge(
        frames["items"][["item_id", "created_at", "language", "policy", "content_type", "gold_label"]], on="item_id"
    )
    raters = frames["raters"].rename(columns={"language": "rater_language"})
    a = a.merge(raters, on="rater_id").merge(frames["pools"][["pool_id", "vendor", "site", "region"]], on="pool_id")
    a = a.merge(frames["projects"][["project_id", "product", "policy_area", "task_type"]], on="project_id")
    violation = frames["labels"].set_index(["project_id", "label"])["is_violation"]

    def violates(column: str) -> np.ndarray:
        keys = list(zip(a["project_id"], a[column], strict=True))
        return np.array([violation.get(k, np.nan) if isinstance(k[1], str) else np.nan for k in keys], float)

    audits = frames["audits"].set_index("annotation_id")
    a = a.join(audits[["correct_label", "verdict", "weight"]], on="annotation_id")
    a["day"] = (a["submitted_at"] + shift).dt.normalize()
    a["week"] = a["day"] - pd.to_timedelta(a["day"].dt.day_of_week, unit="D")
    a["month"] = a["day"].dt.to_period("M").dt.to_timestamp()
    a["guideline_version"] = a["guideline_version"].fillna("not recorded")
    done = a["status"] != "skipped"
    label_stage = a["stage"] == "label"
    gold = done & a["gold_label"].notna()
    audited = done & a["verdict"].notna()
    truth, given, correct = violates("gold_label"), violates("label"), violates("correct_label")
    w = a["weight"].where(audited, 0.0)
    first = label_stage & ~a["is_rework"].astype(bool)
    timed = done & (a["handle_seconds"] > 0)
    penalty = a["verdict"].map({"pass": 0.0, "minor": 0.1, "major": 0.5, "critical": 1.0})
    a = a.assign(
        all_=1,
        done=done.astype(int),
        skipped=(~done).astype(int),
        pending=(a["status"] == "submitted").astype(int),
        decided=a["status"].isin(["accepted", "rejected"]).astype(int),
        accepted=(a["status"] == "accepted").astype(int),
        rework=(done & a["is_rework"].astype(bool)).astype(int),
        first_accepted=((a["status"] == "accepted") & first).astype(int),
        first_decided=(a["status"].isin(["accepted", "rejected"]) & first).astype(int),
        accepted_labels=((a["status"] == "accepted") & label_stage).astype(int),
        matched=(done & (a["language"] == a["rater_language"])).astype(int),
        gold=gold.astype(int),
        gold_right=(gold & (a["label"] == a["gold_label"])).astype(int),
        gold_harmless=(gold & (truth == 0)).astype(int),
        gold_over=(gold & (truth == 0) & (given == 1)).astype(int),
        gold_violating=(gold & (truth == 1)).astype(int),
        gold_missed=(gold & (truth == 1) & (given == 0)).astype(int),
        audited=audited.astype(int),
        w=w,
        w_pass=w.where(a["verdict"] == "pass", 0.0),
        w_critical=w.where(a["verdict"] == "critical", 0.0),
        w_quality=(w * (1 - penalty)).fillna(0.0),
        w_harmless=w.where(correct == 0, 0.0),
        w_over=w.where((correct == 0) & (given == 1), 0.0),
        w_violating=w.where(correct == 1, 0.0),
        w_missed=w.where((correct == 1) & (given == 0), 0.0),
        timed=timed.astype(int),
        timed_accepted=(timed & (a["status"] == "accepted") & label_stage).astype(int),
        seconds=a["handle_seconds"].where(timed, 0.0),
    )
    hired = pd.to_datetime(a["hired_on"])
    tenure = (a["day"] - hired).dt.days
    a["tenure_band"] = pd.cut(
        tenure,
        [-np.inf, 29, 89, 179, 364, np.inf],
        labels=["under 1 month", "1 to 3 months", "3 to 6 months", "6 to 12 months", "over 12 months"],
    ).astype(str)
    return a.rename(columns={"project_id": "project", "pool_id": "pool", "rater_id": "rater"})


# metric: (numerator, denominator) of the columns above; no denominator is a plain sum.
WORK_METRICS: dict[str, tuple[str, str | None]] = {
    "gold_accuracy": ("gold_right", "gold"),
    "gold_exposure_rate": ("gold", "done"),
    "gold_over_enforcement_rate": ("gold_over", "gold_harmless"),
    "gold_under_enforcement_rate": ("gold_missed", "gold_violating"),
    "audit_accuracy": ("w_pass", "w"),
    "critical_error_rate": ("w_critical", "w"),
    "severity_weighted_quality": ("w_quality", "w"),
    "over_enforcement_rate": ("w_over", "w_harmless"),
    "under_enforcement_rate": ("w_missed", "w_violating"),
    "audit_coverage": ("audited", "done"),
    "first_pass_yield": ("first_accepted", "first_decided"),
    "final_acceptance": ("accepted", "decided"),
    "rework_rate": ("rework", "done"),
    "judgements": ("done", None),
    "accepted_labels": ("accepted_labels", None),
    "skip_rate": ("skipped", "all_"),
    "pending_share": ("pending", "done"),
    "language_match_rate": ("matched", "done"),
    "throughput_per_hour": ("timed", "seconds"),
    "accepted_labels_per_hour": ("timed_accepted", "seconds"),
}
SCALE = {"throughput_per_hour": 3600.0, "accepted_labels_per_hour": 3600.0}


def work_metrics(rows: pd.DataFrame, by: list[str]) -> dict[str, pd.Series]:
    """Every metric's value for each group; groups without a denominator are left out."""
    columns = list(dict.fromkeys(column for both in WORK_METRICS.values() for column in both if column))
    sums = rows.groupby(by, dropna=False)[columns].sum() if by else rows[columns].sum().to_frame().T
    return {name: _of_sums(name, sums) for name in WORK_METRICS}


def _of_sums(name: str, sums: pd.DataFrame) -> pd.Series:
    top, bottom = WORK_METRICS[name]
    if bottom is None:
        return sums[top].astype(float)
    sums = sums[sums[bottom] > 0]
    return sums[top] / sums[bottom] * SCALE.get(name, 1.0)
