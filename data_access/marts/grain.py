"""Each mart's grain, its sums, and the period that an incremental refresh replaces."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mart:
    """A table of the snapshot: its grain, its sums, and the period key that an incremental refresh replaces."""

    name: str
    keys: tuple[str, ...]
    sums: tuple[str, ...]
    period: str = "day"
    real: frozenset[str] = frozenset()  # sums kept as DOUBLE; the others are BIGINT


WORK = Mart(
    "work",
    keys=(
        "day",
        "project_id",
        "rater_id",
        "stage",
        "language",
        "policy",
        "content_type",
        "guideline_version",
        "time_basis",
    ),
    sums=(
        "served",
        "judgements",
        "skipped",
        "pending",
        "accepted",
        "rejected",
        "decided",
        "rework",
        "first_accepted",
        "first_decided",
        "labels",
        "accepted_labels",
        "rejected_labels",
        "language_matched",
        "gold_n",
        "gold_correct",
        "gold_harmless_n",
        "gold_overreached",
        "gold_violating_n",
        "gold_missed",
        "audited_n",
        "audited_passed",
        "audited_critical",
        "audited_weight",
        "audited_weight_squared",
        "audited_weight_passed",
        "audited_weight_critical",
        "audited_weight_penalty",
        "audited_harmless_n",
        "audited_weight_harmless",
        "audited_weight_harmless_squared",
        "audited_weight_overreached",
        "audited_violating_n",
        "audited_weight_violating",
        "audited_weight_violating_squared",
        "audited_weight_missed",
        "handle_n",
        "handle_accepted_labels",
        "handle_sum_seconds",
        "handle_sum_log",
        "handle_sum_log_squared",
        "handle_rework_seconds",
        "handle_skipped_seconds",
        "handle_served_seconds",
    ),
    real=frozenset(
        {
            "audited_weight",
            "audited_weight_squared",
            "audited_weight_passed",
            "audited_weight_critical",
            "audited_weight_penalty",
            "audited_weight_harmless",
            "audited_weight_harmless_squared",
            "audited_weight_overreached",
            "audited_weight_violating",
            "audited_weight_violating_squared",
            "audited_weight_missed",
            "handle_sum_seconds",
            "handle_sum_log",
            "handle_sum_log_squared",
            "handle_rework_seconds",
            "handle_skipped_seconds",
            "handle_served_seconds",
        }
    ),
)
CONFUSION = Mart(
    "confusion",
    keys=("week", "project_id", "rater_id", "language", "policy", "basis", "truth", "label"),
    sums=("n", "weight"),
    period="week",
    real=frozenset({"weight"}),
)
HANDLE_TIME = Mart("handle_time", keys=("day", "project_id", "pool_id", "time_basis", "bucket"), sums=("n",))
AGREEMENT = Mart(
    "agreement",
    keys=("week", "project_id", "language", "policy", "guideline_version"),  # and code_0, code_1 ...
    sums=("items",),
    period="week",
)
OVERLAP_SAMPLE = Mart(
    "overlap_sample",
    keys=("day", "project_id", "language", "policy", "item_id", "chance", "rater_id", "label"),
    sums=("ratings",),
)
LABELS_GIVEN = Mart("labels_given", keys=("week", "project_id", "rater_id", "label"), sums=("n",), period="week")
PEERS = Mart(
    "peers",
    keys=("week", "project_id", "rater_id", "language"),
    sums=("judged", "matched", "paired", "agreeing_share", "pairs", "agreeing_pairs"),
    period="week",
    real=frozenset({"agreeing_share"}),
)
SAMPLED_ITEMS = 64  # of a project and month: 3 % of the annotations where most items are rated three times
LIVES = Mart(
    "item_lives",
    keys=("created_day", "project_id", "language", "policy", "due_day", "closed_day", "in_time"),
    sums=("items",),
    period="created_day",
)
PROMISE = Mart("promise", keys=("week", "project_id", "language", "policy", "hours"), sums=("items",), period="week")
CLAIM_TIME = Mart(
    "claim_time",
    keys=("created_week", "week", "project_id", "language", "policy", "bucket"),  # week: of the claim
    sums=("n",),
    period="created_week",
)
TURNAROUND = Mart("turnaround", keys=("week", "project_id", "language", "policy", "bucket"), sums=("n",), period="week")
