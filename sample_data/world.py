"""The fixed dimensions of the sample: who works where, on what, under which policies. Everything here is invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sample_data.projects import PROJECTS, Project

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
    """The distinct labels a project's annotations can hold: of a `set` project its members in ones, twos, threes."""
    names = [label for label, _, _ in project.labels]
    if project.label_level != "set":
        return tuple(names)
    harms = sorted(name for name in names if name != "none")
    pairs = [(a, b) for i, a in enumerate(harms) for b in harms[i + 1 :]]
    threes = [
        (a, b, c) for i, a in enumerate(harms) for j, b in enumerate(harms[i + 1 :], i + 1) for c in harms[j + 1 :]
    ]
    return ("none", *harms, *("|".join(members) for members in (*pairs, *threes)))
