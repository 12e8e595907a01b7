"""The fixed dimensions of the sample: who works where, on what, under which policies. Everything here is invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

LAST_DAY = date(2026, 11, 15)  # a Sunday; fixed, so that a sample made tomorrow is the same sample
DAY_SECONDS = 86_400
EXTRA_DAYS = 7  # work planned beyond the last day: what is still open when the sample ends


@dataclass(frozen=True)
class Pool:
    """A group of raters: where, for whom, in which band of the day and at what price."""

    pool_id: str
    vendor: str
    site: str
    band: str
    usd_per_hour: float
    utilisation: float

    @property
    def name(self) -> str:
        """The name readers see, such as "Jakarta evening"."""
        return f"{self.site} {self.band}"


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


@dataclass(frozen=True)
class Desk:
    """The people of one project and one language: (pool, seats, first day, last day) in days before the end."""

    project_id: str
    language: str
    seats: tuple[tuple[str, int, int | None, int | None], ...]


# site: (region, country, IANA time zone, locale country code)
SITES: dict[str, tuple[str, str, str]] = {
    "Manila": ("South-East Asia", "Asia/Manila", "PH"),
    "Kuala Lumpur": ("South-East Asia", "Asia/Kuala_Lumpur", "MY"),
    "Jakarta": ("South-East Asia", "Asia/Jakarta", "ID"),
    "Bangkok": ("South-East Asia", "Asia/Bangkok", "TH"),
    "Da Nang": ("South-East Asia", "Asia/Ho_Chi_Minh", "VN"),
    "Hyderabad": ("South Asia", "Asia/Kolkata", "IN"),
    "Taipei": ("East Asia", "Asia/Taipei", "TW"),
    "Fukuoka": ("East Asia", "Asia/Tokyo", "JP"),
}
HOME_COUNTRY = {
    "zh": "TW",
    "ja": "JP",
    "ko": "KR",
    "id": "ID",
    "th": "TH",
    "vi": "VN",
    "hi": "IN",
    "fil": "PH",
    "ms": "MY",
}
LANGUAGES = ("en", "zh", "ja", "ko", "id", "th", "vi", "hi", "fil", "ms")

# band of the day: (first second of the shift, its length); UTC, inside one UTC day so that a shift has one date
BANDS: dict[str, tuple[int, int]] = {"day": (3_600, 28_800), "evening": (25_200, 28_800), "night": (50_400, 28_800)}

POOLS = (
    Pool("POOL-01", "Vendor North", "Manila", "day", 9.0, 0.82),
    Pool("POOL-02", "Vendor North", "Manila", "night", 10.5, 0.80),
    Pool("POOL-03", "Vendor East", "Kuala Lumpur", "day", 12.0, 0.81),
    Pool("POOL-04", "Vendor East", "Kuala Lumpur", "evening", 12.5, 0.79),
    Pool("POOL-05", "Vendor South", "Jakarta", "day", 8.0, 0.83),
    Pool("POOL-06", "Vendor South", "Jakarta", "evening", 8.5, 0.80),
    Pool("POOL-07", "Vendor East", "Bangkok", "day", 10.0, 0.82),
    Pool("POOL-08", "Vendor West", "Bangkok", "night", 11.0, 0.78),
    Pool("POOL-09", "Vendor South", "Da Nang", "day", 7.5, 0.84),
    Pool("POOL-10", "Vendor West", "Hyderabad", "day", 7.0, 0.81),
    Pool("POOL-11", "Vendor West", "Hyderabad", "night", 8.0, 0.77),
    Pool("POOL-12", "Vendor North", "Taipei", "day", 16.0, 0.82),
    Pool("POOL-13", "Vendor East", "Fukuoka", "day", 19.0, 0.81),
    Pool("POOL-14", "Vendor North", "Jakarta", "evening", 8.2, 0.78),
)

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

SWITCH_DAYS = 252  # before the end: P03's Indonesian desk moves from POOL-06 to POOL-14
COHORT_DAYS = 95  # before the end: twelve new seats on P02's Thai desk

DESKS = (
    Desk("P01", "id", (("POOL-05", 15, None, None), ("POOL-06", 13, None, None))),
    Desk("P01", "en", (("POOL-01", 9, None, None), ("POOL-02", 9, None, None))),
    Desk("P01", "th", (("POOL-07", 11, None, None),)),
    Desk("P01", "vi", (("POOL-09", 11, None, None),)),
    Desk("P01", "hi", (("POOL-10", 13, None, None),)),
    Desk("P02", "en", (("POOL-02", 9, None, None), ("POOL-11", 10, None, None))),
    Desk("P02", "th", (("POOL-07", 9, None, None), ("POOL-07", 12, COHORT_DAYS, None))),
    Desk("P02", "ja", (("POOL-13", 8, None, None),)),
    Desk("P02", "zh", (("POOL-12", 8, None, None),)),
    Desk("P03", "id", (("POOL-06", 16, None, SWITCH_DAYS), ("POOL-14", 16, SWITCH_DAYS, None))),
    Desk("P03", "en", (("POOL-03", 6, None, None), ("POOL-01", 6, None, None))),
    Desk("P04", "ms", (("POOL-03", 8, None, None),)),
    Desk("P04", "fil", (("POOL-01", 8, None, None),)),
    Desk("P04", "vi", (("POOL-09", 8, None, None),)),
    Desk("P05", "en", (("POOL-03", 6, None, None), ("POOL-10", 12, None, None))),
    Desk("P05", "zh", (("POOL-12", 9, None, None),)),
    Desk("P05", "ko", (("POOL-13", 8, None, None),)),
    Desk("P06", "en", (("POOL-04", 14, None, None),)),
    Desk("P06", "vi", (("POOL-09", 9, None, None),)),
    Desk("P06", "hi", (("POOL-10", 8, None, None),)),
    Desk("P07", "en", (("POOL-01", 8, None, None),)),
    Desk("P07", "vi", (("POOL-09", 8, None, None),)),
    Desk("P07", "th", (("POOL-08", 8, None, None),)),
    Desk("P08", "en", (("POOL-10", 10, None, None), ("POOL-03", 6, None, None))),
    Desk("P08", "ja", (("POOL-13", 10, None, None),)),
    Desk("P08", "zh", (("POOL-12", 10, None, None),)),
    Desk("P09", "en", (("POOL-10", 10, None, None), ("POOL-01", 10, None, None))),
    Desk("P09", "ko", (("POOL-13", 10, None, None),)),
    Desk("P10", "en", (("POOL-08", 14, None, None),)),
    Desk("P10", "id", (("POOL-05", 10, None, None),)),
    Desk("P11", "en", (("POOL-10", 9, None, None), ("POOL-01", 9, None, None), ("POOL-03", 7, None, None))),
    Desk("P11", "zh", (("POOL-12", 11, None, None),)),
    Desk("P12", "en", (("POOL-04", 9, None, None),)),
    Desk("P12", "hi", (("POOL-11", 7, None, None),)),
)

# (month, day) on which a country's sites run on a third of their people
HOLIDAYS: dict[str, tuple[tuple[int, int], ...]] = {
    "PH": ((1, 1), (4, 9), (6, 12), (8, 25), (11, 30), (12, 25), (12, 30)),
    "MY": ((1, 1), (2, 17), (5, 1), (8, 31), (9, 16), (12, 25)),
    "ID": ((1, 1), (3, 20), (3, 21), (5, 1), (6, 1), (8, 17), (12, 25)),
    "TH": ((1, 1), (4, 13), (4, 14), (4, 15), (7, 28), (12, 5), (12, 10)),
    "VN": ((1, 1), (2, 16), (2, 17), (2, 18), (4, 30), (5, 1), (9, 2)),
    "IN": ((1, 26), (3, 4), (8, 15), (10, 2), (11, 8), (12, 25)),
    "TW": ((1, 1), (2, 16), (2, 17), (2, 18), (2, 28), (10, 10)),
    "JP": ((1, 1), (1, 2), (2, 11), (4, 29), (5, 4), (5, 5), (8, 11), (11, 3)),
}

POLICIES = tuple(sorted({policy.name for project in PROJECTS for policy in project.policies}))
CONTENT_TYPES = tuple(sorted({name for project in PROJECTS for name, _, _ in project.content_types}))
PROJECT_INDEX = {project.project_id: i for i, project in enumerate(PROJECTS)}
POOL_INDEX = {pool.pool_id: i for i, pool in enumerate(POOLS)}
POLICY_INDEX = {name: i for i, name in enumerate(POLICIES)}
LANGUAGE_INDEX = {name: i for i, name in enumerate(LANGUAGES)}


def first_day(weeks: int) -> date:
    """The first day (a Monday) of a sample of so many weeks."""
    return LAST_DAY - timedelta(days=7 * weeks - 1)


def set_labels(project: Project) -> tuple[str, ...]:
    """The distinct labels a project's annotations can hold: for a `set` project its members alone, in pairs, in threes."""
    names = [label for label, _, _ in project.labels]
    if project.label_level != "set":
        return tuple(names)
    harms = sorted(name for name in names if name != "none")
    pairs = [(a, b) for i, a in enumerate(harms) for b in harms[i + 1 :]]
    threes = [
        (a, b, c) for i, a in enumerate(harms) for j, b in enumerate(harms[i + 1 :], i + 1) for c in harms[j + 1 :]
    ]
    return ("none", *harms, *("|".join(members) for members in (*pairs, *threes)))
