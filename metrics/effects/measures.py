"""What a change is judged by: the metrics each kind of change is declared to be about, as data.

Declared beforehand and few: every further metric makes each one harder to call (``multiple.holm``).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from metrics.spec import Direction


class Form(enum.StrEnum):
    """How weekly sums become a weekly value."""

    SHARE = "share"  # top / bottom; effects are in shares
    LOG_MEAN = "log mean"  # top / bottom with top a sum of logarithms; effects are in logarithms
    LOG_RATIO = "log ratio"  # log(top / bottom); effects are in logarithms


HIGHER, LOWER = Direction.HIGHER, Direction.LOWER
SHARE, LOG_MEAN, LOG_RATIO = Form.SHARE, Form.LOG_MEAN, Form.LOG_RATIO


@dataclass(frozen=True)
class Measure:
    """One metric as weekly sums. source: the frame it is read from; top, bottom: its columns; squares: of the weights
    of bottom, where it counts weights. smallest: the smallest effect that matters, a share or a logarithm. per_kind:
    values are taken less the usual of their language and policy (a ratio over it), so that another mix of work is no
    effect.
    """

    metric: str
    source: str
    top: str
    bottom: str
    direction: Direction
    form: Form
    smallest: float
    squares: str = ""
    per_kind: bool = False


MEASURES = {
    measure.metric: measure
    for measure in (
        Measure("gold_accuracy", "work", "gold_correct", "gold_n", HIGHER, SHARE, 0.03, per_kind=True),
        Measure(
            "audit_accuracy",
            "work",
            "audited_weight_passed",
            "audited_weight",
            HIGHER,
            SHARE,
            0.05,
            squares="audited_weight_squared",
        ),
        Measure("gold_over_enforcement_rate", "work", "gold_overreached", "gold_harmless_n", LOWER, SHARE, 0.05),
        Measure("gold_under_enforcement_rate", "work", "gold_missed", "gold_violating_n", LOWER, SHARE, 0.05),
        Measure("first_pass_yield", "work", "first_accepted", "first_decided", HIGHER, SHARE, 0.01),
        Measure(
            "handle_time_log_mean_seconds",
            "work",
            "handle_sum_log",
            "handle_n",
            LOWER,
            LOG_MEAN,
            0.05,
            per_kind=True,
        ),
        Measure("cost_per_label", "ledger", "cost", "labels", LOWER, LOG_RATIO, 0.05, per_kind=True),
        Measure("sla_attainment", "flow", "due_in_time", "due", HIGHER, SHARE, 0.02),
        Measure("utilisation", "shift", "active_seconds", "logged_seconds", HIGHER, LOG_RATIO, 0.02),
        Measure("position_bias", "comparison", "first_chosen", "decided", LOWER, SHARE, 0.05),
        Measure("safety_benchmark_score", "benchmark", "score", "n", HIGHER, SHARE, 0.02),
    )
}

BY_KIND: dict[str, tuple[str, ...]] = {
    "guideline": ("gold_accuracy", "audit_accuracy", "first_pass_yield"),
    "training": ("gold_accuracy", "audit_accuracy", "first_pass_yield"),
    "vendor": ("gold_accuracy", "audit_accuracy", "handle_time_log_mean_seconds", "cost_per_label"),
    "tool": ("gold_accuracy", "handle_time_log_mean_seconds", "cost_per_label", "position_bias"),
    "workflow": ("sla_attainment", "utilisation", "handle_time_log_mean_seconds", "cost_per_label"),
    "staffing": ("gold_accuracy", "handle_time_log_mean_seconds", "cost_per_label", "first_pass_yield"),
    "model": ("safety_benchmark_score", "gold_accuracy"),
}

SLICED = ("guideline",)
"""Kinds of change that may do harm in a part of the work and nowhere else: a clause, a translation."""

SLICED_BY = ("gold_accuracy", "gold_over_enforcement_rate", "gold_under_enforcement_rate")
"""What parts are looked at by: a clause read too strictly or too loosely moves one error rate far, accuracy less."""
