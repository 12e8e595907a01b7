"""What the metrics should reach: for all, then for single projects and pools, some of it dated."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from sample_data import world

# (metric, project, pool, target, warn, first day or None, last day or None, owner); days count back from the last day
_Row = tuple[str, str | None, str | None, float, float, int | None, int | None, str]

GLOBAL: tuple[_Row, ...] = (
    ("gold_accuracy", None, None, 0.84, 0.81, None, None, "quality lead"),
    ("audit_accuracy", None, None, 0.83, 0.80, None, None, "quality lead"),
    ("critical_error_rate", None, None, 0.004, 0.008, None, None, "quality lead"),
    ("over_enforcement_rate", None, None, 0.10, 0.13, None, None, "policy lead"),
    ("under_enforcement_rate", None, None, 0.11, 0.14, None, None, "policy lead"),
    ("percent_agreement", None, None, 0.70, 0.66, None, None, "quality lead"),
    ("krippendorff_alpha", None, None, 0.60, 0.52, None, None, "quality lead"),
    ("gwet_ac1", None, None, 0.64, 0.58, None, None, "quality lead"),
    ("overlap_coverage", None, None, 0.30, 0.60, None, None, "quality lead"),
    ("gold_exposure_rate", None, None, 0.05, 0.15, None, 201, "quality lead"),
    ("gold_exposure_rate", None, None, 0.06, 0.13, 200, None, "quality lead"),
    ("first_pass_yield", None, None, 0.84, 0.80, None, None, "operations lead"),
    ("rework_rate", None, None, 0.16, 0.20, None, None, "operations lead"),
    ("skip_rate", None, None, 0.01, 0.04, None, None, "operations lead"),
    ("sla_attainment", None, None, 0.95, 0.92, None, 201, "operations lead"),
    ("sla_attainment", None, None, 0.96, 0.93, 200, None, "operations lead"),
    ("turnaround_p90_hours", None, None, 36.0, 48.0, None, None, "operations lead"),
    ("cost_per_label", None, None, 0.45, 0.52, None, None, "finance partner"),
    ("cost_per_accepted_label", None, None, 0.47, 0.54, None, None, "finance partner"),
    ("cost_per_correct_label", None, None, 0.54, 0.62, None, None, "finance partner"),
    ("cost_of_poor_quality_share", None, None, 0.03, 0.05, None, None, "finance partner"),
    ("overturn_rate", None, None, 0.38, 0.45, None, None, "policy lead"),
    ("training_completion", None, None, 0.88, 0.84, None, None, "people lead"),
    ("utilisation", None, None, 0.75, 0.86, None, None, "operations lead"),
    ("exposure_cap_breach_rate", None, None, 0.02, 0.05, None, None, "people lead"),
)

# by metric: the owner, then (target, warn) of a project
_BY_PROJECT: dict[str, tuple[str, dict[str, tuple[float, float]]]] = {
    "gold_accuracy": ("quality lead", {
        "P01": (0.86, 0.84), "P02": (0.86, 0.83), "P03": (0.87, 0.84), "P04": (0.86, 0.83), "P05": (0.81, 0.78),
        "P06": (0.81, 0.78), "P07": (0.79, 0.76), "P08": (0.84, 0.81), "P11": (0.83, 0.80),
    }),
    "audit_accuracy": ("quality lead", {
        "P01": (0.85, 0.83), "P02": (0.85, 0.82), "P03": (0.86, 0.83), "P04": (0.85, 0.82), "P05": (0.79, 0.76),
        "P06": (0.79, 0.76), "P07": (0.78, 0.75), "P08": (0.82, 0.79), "P11": (0.82, 0.79), "P12": (0.83, 0.78),
    }),
    "critical_error_rate": ("quality lead", {"P12": (0.015, 0.025)}),
    "over_enforcement_rate": ("policy lead", {
        "P01": (0.12, 0.15), "P02": (0.04, 0.06), "P03": (0.12, 0.15), "P04": (0.13, 0.16), "P06": (0.065, 0.09),
        "P07": (0.05, 0.08), "P08": (0.17, 0.20), "P11": (0.06, 0.08),
    }),
    "under_enforcement_rate": ("policy lead", {"P02": (0.075, 0.10), "P06": (0.24, 0.28), "P08": (0.14, 0.18)}),
    "percent_agreement": ("quality lead", {
        "P01": (0.76, 0.73), "P02": (0.74, 0.71), "P03": (0.76, 0.72), "P04": (0.76, 0.73), "P05": (0.66, 0.62),
        "P06": (0.70, 0.66), "P07": (0.67, 0.63), "P08": (0.76, 0.73), "P09": (0.55, 0.50), "P10": (0.54, 0.50),
        "P11": (0.72, 0.68), "P12": (0.74, 0.68),
    }),
    "krippendorff_alpha": ("quality lead", {
        "P02": (0.80, 0.75), "P03": (0.58, 0.52), "P05": (0.56, 0.50), "P06": (0.57, 0.50), "P07": (0.85, 0.80),
        "P08": (0.56, 0.50), "P09": (0.30, 0.24), "P10": (0.74, 0.69), "P11": (0.75, 0.70),
    }),
    "gwet_ac1": ("quality lead", {
        "P01": (0.70, 0.65), "P04": (0.70, 0.65), "P06": (0.62, 0.56), "P07": (0.59, 0.54), "P09": (0.34, 0.28),
        "P10": (0.44, 0.38), "P11": (0.63, 0.58),
    }),
    "overlap_coverage": ("quality lead", {
        "P01": (0.20, 0.35), "P02": (0.20, 0.35), "P03": (0.20, 0.35), "P04": (0.20, 0.35), "P05": (0.50, 0.75),
        "P06": (0.50, 0.75), "P07": (0.50, 0.75), "P08": (0.85, 1.0), "P09": (0.95, 1.0), "P10": (0.95, 1.0),
        "P11": (0.85, 1.0), "P12": (0.05, 0.20),
    }),
    "first_pass_yield": ("operations lead", {"P01": (0.86, 0.83), "P02": (0.85, 0.82), "P07": (0.79, 0.75)}),
    "rework_rate": ("operations lead", {"P01": (0.13, 0.16), "P02": (0.14, 0.17), "P07": (0.21, 0.25)}),
    "handle_time_p50_seconds": ("operations lead", {
        "P01": (43.0, 47.0), "P02": (62.0, 68.0), "P03": (37.0, 41.0), "P04": (46.0, 52.0), "P05": (80.0, 90.0),
        "P06": (52.0, 58.0), "P07": (51.0, 57.0), "P08": (125.0, 138.0), "P09": (145.0, 160.0), "P10": (172.0, 190.0),
        "P11": (136.0, 150.0), "P12": (280.0, 320.0),
    }),
    "sla_attainment": ("operations lead", {"P02": (0.94, 0.91), "P05": (0.97, 0.95)}),
    "turnaround_p90_hours": ("operations lead", {
        "P01": (9.0, 12.0), "P02": (7.0, 9.0), "P03": (12.0, 16.0), "P04": (16.0, 20.0), "P05": (38.0, 52.0),
        "P06": (40.0, 52.0), "P07": (42.0, 54.0), "P08": (64.0, 80.0), "P09": (70.0, 90.0), "P10": (70.0, 90.0),
        "P11": (64.0, 80.0), "P12": (52.0, 70.0),
    }),
    "cost_per_label": ("finance partner", {
        "P01": (0.19, 0.22), "P02": (0.40, 0.45), "P03": (0.185, 0.21), "P04": (0.22, 0.25), "P05": (0.55, 0.62),
        "P06": (0.27, 0.31), "P07": (0.25, 0.29), "P08": (0.88, 0.97), "P09": (0.82, 0.92), "P10": (0.85, 0.95),
        "P11": (0.75, 0.83), "P12": (1.80, 2.10),
    }),
    "cost_per_accepted_label": ("finance partner", {
        "P01": (0.195, 0.225), "P02": (0.41, 0.46), "P03": (0.19, 0.215), "P04": (0.225, 0.255), "P05": (0.57, 0.64),
        "P06": (0.28, 0.32), "P07": (0.26, 0.30), "P08": (0.90, 0.99), "P09": (0.83, 0.93), "P10": (0.86, 0.96),
        "P11": (0.77, 0.85), "P12": (1.85, 2.15),
    }),
}  # fmt: skip

LOCAL: tuple[_Row, ...] = (
    *(
        (metric, project, None, target, warn, None, None, owner)
        for metric, (owner, rows) in _BY_PROJECT.items()
        if metric != "handle_time_p50_seconds"
        for project, (target, warn) in rows.items()
    ),
    *(
        (
            "handle_time_p50_seconds",
            project,
            None,
            target,
            warn,
            None if project != "P06" else 120,
            None,
            "operations lead",
        )
        for project, (target, warn) in _BY_PROJECT["handle_time_p50_seconds"][1].items()
    ),
    ("handle_time_p50_seconds", "P06", None, 60.0, 66.0, None, 121, "operations lead"),
    ("gold_accuracy", None, "POOL-13", 0.85, 0.82, 150, None, "quality lead"),
    ("gold_accuracy", "P03", "POOL-14", 0.82, 0.78, 252, 163, "quality lead"),
    ("gold_accuracy", "P03", "POOL-14", 0.86, 0.83, 162, None, "quality lead"),
    ("utilisation", None, "POOL-11", 0.72, 0.82, None, None, "operations lead"),
    ("utilisation", None, "POOL-08", 0.72, 0.83, None, None, "operations lead"),
    ("training_completion", None, "POOL-07", 0.92, 0.88, None, None, "people lead"),
    ("overturn_rate", "P04", None, 0.35, 0.42, None, None, "policy lead"),
    ("exposure_cap_breach_rate", None, "POOL-11", 0.03, 0.06, None, None, "people lead"),
)


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
