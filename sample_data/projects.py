"""The twelve invented projects: their labels, policies, content types and the numbers that shape their work."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """A policy of a project: its share of the volume, how hard it is (logits) and the share of true violations."""

    name: str
    share: float
    hardness: float
    violating: float


@dataclass(frozen=True)
class Project:
    """A project and the numbers that shape its work; ``share`` is its share of all annotations."""

    project_id: str
    name: str
    product: str
    policy_area: str
    task_type: str
    label_level: str
    labels: tuple[tuple[str, bool, int], ...]  # (label, is_violation, severity)
    policies: tuple[Policy, ...]
    content_types: tuple[tuple[str, float, float], ...]  # (name, share, log handle-time offset)
    share: float
    rows_per_item: float  # measured mean number of annotations of an item; scales items to annotations
    ease: float  # logit of a correct judgement by an average rater on an average item
    handle_median_seconds: float
    ratings: tuple[float, ...]  # probability of 1, 2, 3 ... first-stage judgements of an ordinary item
    gold_share: float
    gold_ratings: tuple[float, ...]
    review_share: float
    skip_share: float
    wait_median_hours: float
    due_hours: float
    time_basis: str = "active"
    started_days_before_end: int | None = None
    weekend_share: float = 0.15  # of the weekday staffing
    trend_per_year: float = 0.15


_MODERATION = (("allow", False, 0), ("age_gate", True, 1), ("remove", True, 2), ("escalate", True, 3))
_GRADES = (("safe", False, 0), ("borderline", False, 1), ("violating", True, 2), ("severe", True, 3))
_MOD_RATINGS = (0.76, 0.04, 0.20)
_LAB_RATINGS = (0.36, 0.06, 0.58)
_PREF_RATINGS = (0.0, 0.0, 0.35, 0.25, 0.40)
_EVAL_RATINGS = (0.05, 0.05, 0.40, 0.20, 0.30)

PROJECTS = (
    Project(
        "P01",
        "Comment moderation",
        "Agora",
        "Hate and harassment",
        "moderation",
        "nominal",
        _MODERATION,
        (
            Policy("harassment", 0.38, 0.25, 0.30),
            Policy("hate", 0.24, 0.35, 0.26),
            Policy("spam", 0.22, -0.5, 0.45),
            Policy("self_harm", 0.10, 0.1, 0.22),
            Policy("extremism", 0.06, 0.5, 0.18),
        ),
        (("text", 0.72, 0.0), ("image", 0.28, 0.12)),
        0.22,
        1.63,
        2.55,
        42.0,
        _MOD_RATINGS,
        0.08,
        (0.4, 0.0, 0.6),
        0.16,
        0.025,
        2.2,
        12.0,
        weekend_share=0.85,
        trend_per_year=0.20,
    ),
    Project(
        "P02",
        "Video and live moderation",
        "Agora",
        "Violence and adult content",
        "moderation",
        "ordinal",
        _GRADES,
        (
            Policy("violence", 0.34, 0.2, 0.30),
            Policy("adult", 0.33, -0.1, 0.40),
            Policy("dangerous_acts", 0.21, 0.3, 0.24),
            Policy("child_safety", 0.12, -0.2, 0.20),
        ),
        (("video", 0.70, 0.25), ("livestream", 0.30, -0.05)),
        0.10,
        1.648,
        2.35,
        52.0,
        _MOD_RATINGS,
        0.08,
        (0.4, 0.0, 0.6),
        0.18,
        0.03,
        1.6,
        8.0,
        weekend_share=0.9,
        trend_per_year=0.25,
    ),
    Project(
        "P03",
        "Profile and image moderation",
        "Agora",
        "Violence and adult content",
        "moderation",
        "nominal",
        _MODERATION,
        (Policy("adult", 0.52, -0.2, 0.36), Policy("impersonation", 0.36, 0.1, 0.28), Policy("hate", 0.12, 0.9, 0.22)),
        (("image", 0.75, 0.0), ("text", 0.25, -0.15)),
        0.08,
        1.637,
        2.5,
        36.0,
        _MOD_RATINGS,
        0.08,
        (0.4, 0.0, 0.6),
        0.15,
        0.02,
        3.0,
        16.0,
        weekend_share=0.7,
        trend_per_year=0.05,
    ),
    Project(
        "P04",
        "Marketplace listings",
        "Bazaar",
        "Fraud and regulated goods",
        "moderation",
        "nominal",
        _MODERATION,
        (
            Policy("fraud", 0.45, 0.35, 0.34),
            Policy("regulated_goods", 0.35, 0.0, 0.30),
            Policy("spam", 0.20, -0.4, 0.42),
        ),
        (("listing", 0.80, 0.05), ("image", 0.20, -0.1)),
        0.06,
        1.58,
        2.45,
        44.0,
        _MOD_RATINGS,
        0.08,
        (0.4, 0.0, 0.6),
        0.14,
        0.025,
        4.0,
        24.0,
        weekend_share=0.6,
        trend_per_year=0.10,
    ),
    Project(
        "P05",
        "Harm taxonomy labelling",
        "Sentinel",
        "Hate and harassment",
        "labelling",
        "set",
        (
            ("none", False, 0),
            ("hate", True, 2),
            ("harassment", True, 1),
            ("self_harm", True, 3),
            ("sexual", True, 2),
            ("violence", True, 2),
        ),
        (
            Policy("harassment", 0.36, 0.2, 0.42),
            Policy("hate", 0.28, 0.3, 0.38),
            Policy("violence", 0.22, 0.0, 0.45),
            Policy("self_harm", 0.14, 0.1, 0.35),
        ),
        (("text", 0.65, 0.0), ("dialogue", 0.35, 0.3)),
        0.09,
        2.40,
        2.0,
        66.0,
        _LAB_RATINGS,
        0.09,
        (0.3, 0.0, 0.7),
        0.22,
        0.02,
        11.0,
        72.0,
    ),
    Project(
        "P06",
        "Prompt intent labelling",
        "Sentinel",
        "Misuse of assistants",
        "labelling",
        "nominal",
        (("benign", False, 0), ("dual_use", False, 1), ("harmful", True, 2), ("unclear", False, 0)),
        (
            Policy("jailbreak", 0.40, 0.3, 0.40),
            Policy("dangerous_goods", 0.34, 0.1, 0.32),
            Policy("privacy", 0.26, 0.0, 0.24),
        ),
        (("prompt", 0.68, 0.0), ("dialogue", 0.32, 0.35)),
        0.09,
        2.41,
        2.15,
        52.0,
        _LAB_RATINGS,
        0.09,
        (0.3, 0.0, 0.7),
        0.20,
        0.03,
        12.0,
        72.0,
    ),
    Project(
        "P07",
        "Toxicity scoring",
        "Sentinel",
        "Hate and harassment",
        "labelling",
        "interval",
        (("0", False, 0), ("1", False, 0), ("2", False, 1), ("3", True, 2), ("4", True, 3)),
        (Policy("toxicity", 0.55, 0.2, 0.30), Policy("insult", 0.30, 0.1, 0.34), Policy("threat", 0.15, 0.0, 0.22)),
        (("text", 0.80, 0.0), ("dialogue", 0.20, 0.3)),
        0.07,
        2.34,
        1.75,
        46.0,
        _LAB_RATINGS,
        0.08,
        (0.3, 0.0, 0.7),
        0.15,
        0.02,
        13.0,
        72.0,
    ),
    Project(
        "P08",
        "Claim support check",
        "Compass",
        "Misinformation",
        "evaluation",
        "nominal",
        (("supported", False, 0), ("unsupported", True, 1), ("contradicted", True, 2)),
        (
            Policy("hallucination", 0.50, 0.3, 0.34),
            Policy("medical_advice", 0.28, 0.2, 0.26),
            Policy("civic", 0.22, 0.1, 0.24),
        ),
        (("response", 0.74, 0.0), ("document", 0.26, 0.4)),
        0.08,
        3.65,
        2.1,
        108.0,
        _EVAL_RATINGS,
        0.09,
        (0.0, 0.0, 0.6, 0.4),
        0.12,
        0.025,
        20.0,
        96.0,
        time_basis="lead",
    ),
    Project(
        "P09",
        "Helpful and harmless preference",
        "Compass",
        "Misuse of assistants",
        "preference",
        "nominal",
        (("a", False, 0), ("b", False, 0), ("tie", False, 0)),
        (Policy("harmlessness", 0.55, 0.3, 0.45), Policy("helpfulness", 0.45, 0.1, 0.45)),
        (("dialogue", 0.60, 0.1), ("response", 0.40, -0.1)),
        0.055,
        3.955,
        1.25,
        140.0,
        _PREF_RATINGS,
        0.0,
        (1.0,),
        0.0,
        0.02,
        22.0,
        120.0,
    ),
    Project(
        "P10",
        "Dialogue grading",
        "Compass",
        "Misuse of assistants",
        "preference",
        "ordinal",
        (
            ("a_much_better", False, 0),
            ("a_better", False, 0),
            ("tie", False, 0),
            ("b_better", False, 0),
            ("b_much_better", False, 0),
        ),
        (Policy("harmlessness", 0.60, 0.3, 0.45), Policy("helpfulness", 0.40, 0.1, 0.45)),
        (("dialogue", 1.0, 0.0),),
        0.04,
        3.925,
        1.15,
        165.0,
        _PREF_RATINGS,
        0.0,
        (1.0,),
        0.0,
        0.025,
        24.0,
        120.0,
        started_days_before_end=420,
    ),
    Project(
        "P11",
        "Response safety evaluation",
        "Compass",
        "Misuse of assistants",
        "evaluation",
        "ordinal",
        (("safe", False, 0), ("mostly_safe", False, 1), ("unsafe", True, 2), ("severe", True, 3)),
        (
            Policy("medical_advice", 0.34, 0.2, 0.26),
            Policy("satire", 0.26, 0.4, 0.24),
            Policy("self_harm", 0.22, 0.1, 0.30),
            Policy("privacy", 0.18, 0.0, 0.22),
        ),
        (("response", 0.70, 0.0), ("dialogue", 0.30, 0.25)),
        0.075,
        3.67,
        2.0,
        122.0,
        _EVAL_RATINGS,
        0.09,
        (0.0, 0.0, 0.6, 0.4),
        0.12,
        0.02,
        20.0,
        96.0,
    ),
    Project(
        "P12",
        "Red team campaigns",
        "Compass",
        "Misuse of assistants",
        "red_team",
        "nominal",
        (("resisted", False, 0), ("partial_break", True, 2), ("full_break", True, 3)),
        (
            Policy("jailbreak", 0.50, 0.1, 0.30),
            Policy("self_harm", 0.25, 0.0, 0.22),
            Policy("dangerous_goods", 0.25, 0.1, 0.26),
        ),
        (("dialogue", 0.70, 0.1), ("prompt", 0.30, -0.2)),
        0.012,
        1.352,
        2.2,
        290.0,
        (0.9, 0.1),
        0.0,
        (1.0,),
        0.25,
        0.015,
        16.0,
        120.0,
        started_days_before_end=385,
    ),
)
