"""What the metrics should reach: for all, then for single projects and pools, some of it dated."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from sample_data import world

# (metric, project, pool, target, warn, first day or None, last day or None, owner); days count back from the last day
_Row = tuple[str, str | None, str | None, float, float, int | None, int | None, str]

GLOBAL: tuple[_Row, ...] = (
    ("gold_accuracy", None, None, 0.86, 0.83, None, None, "quality lead"),
    ("audit_accuracy", None, None, 0.86, 0.83, None, None, "quality lead"),
    ("critical_error_rate", None, None, 0.02, 0.03, None, None, "quality lead"),
    ("over_enforcement_rate", None, None, 0.08, 0.11, None, None, "policy lead"),
    ("under_enforcement_rate", None, None, 0.13, 0.17, None, None, "policy lead"),
    ("percent_agreement", None, None, 0.75, 0.70, None, None, "quality lead"),
    ("krippendorff_alpha", None, None, 0.667, 0.60, None, None, "quality lead"),
    ("gwet_ac1", None, None, 0.70, 0.62, None, None, "quality lead"),
    ("overlap_coverage", None, None, 0.20, 0.60, None, None, "quality lead"),
    ("gold_exposure_rate", None, None, 0.05, 0.15, None, None, "quality lead"),
    ("first_pass_yield", None, None, 0.84, 0.80, None, None, "operations lead"),
    ("rework_rate", None, None, 0.15, 0.20, None, None, "operations lead"),
    ("skip_rate", None, None, 0.01, 0.05, None, None, "operations lead"),
    ("sla_attainment", None, None, 0.95, 0.92, None, None, "operations lead"),
    ("turnaround_p90_hours", None, None, 48.0, 72.0, None, None, "operations lead"),
    ("cost_per_label", None, None, 0.35, 0.42, None, None, "finance partner"),
    ("cost_per_accepted_label", None, None, 0.38, 0.45, None, None, "finance partner"),
    ("cost_of_poor_quality_share", None, None, 0.06, 0.10, None, None, "finance partner"),
    ("overturn_rate", None, None, 0.30, 0.38, None, None, "policy lead"),
    ("training_completion", None, None, 0.90, 0.85, None, None, "people lead"),
    ("utilisation", None, None, 0.72, 0.88, None, None, "operations lead"),
    ("exposure_cap_breach_rate", None, None, 0.02, 0.05, None, None, "people lead"),
)

LOCAL: tuple[_Row, ...] = ()


def table(days: int) -> pd.DataFrame:
    """The targets table; rows without a first day hold from 90 days before the sample."""
    begins = world.first_day(days // 7) - timedelta(days=90)

    def back(count: int | None) -> date | None:
        return None if count is None else world.LAST_DAY - timedelta(days=count)

    rows = []
    for metric, project, pool, target, warn, first, last, owner in (*GLOBAL, *LOCAL):
        valid_from, valid_to = back(first) or begins, back(last)
        if valid_to is None or valid_to >= begins:
            rows.append((metric, project, pool, target, warn, max(valid_from, begins), valid_to, owner))
    columns = ["metric", "project_id", "pool_id", "target", "warn", "valid_from", "valid_to", "owner"]
    return pd.DataFrame(rows, columns=columns)
