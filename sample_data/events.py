"""The planted events, as data: what happened, where, when, how strongly, and why. The generator reads only this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from sample_data import world


@dataclass(frozen=True)
class Event:
    """One planted event. Days count back from the last day; ``last`` None means it still holds when the sample ends."""

    event_id: str
    kind: str
    metrics: tuple[str, ...]
    where: dict[str, str | list[str]]
    first: int  # days before the last day
    last: int | None
    effect: str
    cause: str
    size: float  # in the unit its kind is applied in (logit, probability, factor), see the generator
    from_label: tuple[str, ...] = ()  # labels misread ...
    to_label: str = ""  # ... as this one
    raters: int = 0  # how many raters it concerns, chosen from the roster
    change: tuple[str, str | None, str | None, str] | None = None  # (kind, project, pool, summary) in `changes`
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def starts_on(self) -> date:
        """The first day."""
        return world.LAST_DAY - timedelta(days=self.first)

    @property
    def ends_on(self) -> date | None:
        """The last day, or None when it still holds."""
        return None if self.last is None else world.LAST_DAY - timedelta(days=self.last)

    def span(self, days: int) -> tuple[int, int]:
        """The half-open range of day numbers of a sample of ``days`` days; open events run past its end."""
        end = days + world.EXTRA_DAYS if self.last is None else days - self.last
        return days - 1 - self.first, end


EVENTS: tuple[Event, ...] = (
    Event(
        "EV01",
        "guideline_confusion",
        ("gold_accuracy", "audit_accuracy", "over_enforcement_rate", "first_pass_yield"),
        {"project": "P01", "language": "id", "policy": "harassment"},
        20,
        None,
        "50 % of permitted Indonesian harassment items are removed from guideline v6 on",
        "Guideline v6 reworded the harassment clause; its Indonesian translation turned 'may' into 'must'.",
        0.50,
        from_label=("allow",),
        to_label="remove",
        change=("guideline", "P01", None, "Guideline v6: harassment clause reworded and retranslated."),
    ),
    Event(
        "EV02",
        "vendor_switch",
        ("gold_accuracy", "audit_accuracy", "handle_time_p50_seconds", "rework_rate"),
        {"project": "P03", "language": "id", "pool": "POOL-14"},
        world.SWITCH_DAYS,
        world.SWITCH_DAYS - 90,
        "accuracy falls by 1.2 logits at the switch and recovers with a time constant of 40 days; 25 % slower at first",
        "The Indonesian desk of P03 moved from Vendor South (POOL-06) to Vendor North (POOL-14) with new people.",
        -1.2,
        extra={"recovery_days": 40.0, "slower": 0.22},
        change=("vendor", "P03", "POOL-14", "Indonesian image desk moved from Vendor South to Vendor North."),
    ),
    Event(
        "EV03",
        "training",
        ("gold_accuracy", "audit_accuracy", "krippendorff_alpha"),
        {"project": "P08", "pool": "POOL-13"},
        150,
        None,
        "accuracy rises by 1.1 logits and stays up",
        "The course 'evidence-checking' taught POOL-13 to look for the quoted source.",
        1.1,
        change=("training", "P08", "POOL-13", "Course 'evidence-checking' for the Japanese claim-check desk."),
    ),
    Event(
        "EV04",
        "spammers",
        ("gold_accuracy", "handle_time_p50_seconds", "percent_agreement", "consensus_match"),
        {"project": "P06", "pool": "POOL-09"},
        118,
        56,
        "85 % of their labels are 'benign', the rest random, at a quarter of the usual handle time",
        "Three raters clicked through after a piece-rate bonus was announced.",
        0.85,
        to_label="benign",
        raters=3,
        extra={"handle_factor": 0.25},
    ),
    Event(
        "EV05",
        "rater_drift",
        ("gold_accuracy", "audit_accuracy"),
        {"project": "P01", "pool": "POOL-10"},
        205,
        15,
        "accuracy of two raters declines steadily, by 2.4 logits in the end",
        "Two experienced raters stopped opening the conversation context.",
        -2.4,
        raters=2,
    ),
    Event(
        "EV06",
        "bad_gold",
        ("gold_accuracy", "gold_item_miss_rate"),
        {"project": "P08", "policy": "hallucination"},
        104,
        70,
        "30 % of the gold items carry a wrong answer; audits do not see a drop",
        "A batch of control items was keyed by a script that shifted the answer column.",
        0.30,
    ),
    Event(
        "EV07",
        "night_fatigue",
        ("gold_accuracy", "audit_accuracy", "under_enforcement_rate"),
        {"project": "P02", "pool": "POOL-11"},
        320,
        258,
        "accuracy falls by 1.6 logits after the fifth hour of the shift",
        "The night shift at Hyderabad ran without its second break.",
        -1.6,
        extra={"from_hour": 5.0},
        change=("staffing", "P02", "POOL-11", "Night shift at Hyderabad merged two breaks into one."),
    ),
    Event(
        "EV08",
        "backlog_surge",
        ("sla_attainment", "turnaround_p90_hours", "backlog"),
        {"project": "P04"},
        50,
        27,
        "waits are 5 times as long; arrivals rise by 40 %",
        "A listing importer opened without extra staff.",
        5.0,
        extra={"volume": 1.4},
        change=("workflow", "P04", None, "Listing importer opened to all sellers."),
    ),
    Event(
        "EV09",
        "cost_overrun",
        ("cost_per_label", "cost_per_accepted_label"),
        {"project": "P10", "pool": "POOL-08"},
        190,
        157,
        "the pool's hourly rate is 55 % higher",
        "Overtime at double rate was agreed for a release and never switched off.",
        1.55,
        change=("staffing", "P10", "POOL-08", "Overtime agreed for the release."),
    ),
    Event(
        "EV10",
        "label_noise",
        ("gold_accuracy", "under_enforcement_rate", "safety_benchmark_score"),
        {"project": "P06"},
        237,
        217,
        "45 % of harmful and dual-use prompts are labelled benign in three weekly batches; the models trained on them "
        "lose benchmark score and cause incidents",
        "The labelling tool pre-filled 'benign' after an update.",
        0.45,
        from_label=("harmful", "dual_use"),
        to_label="benign",
        change=("tool", "P06", None, "Labelling tool 4.2 with a pre-filled answer."),
    ),
    Event(
        "EV11",
        "base_model_change",
        ("safety_benchmark_score",),
        {"project": "P11"},
        133,
        77,
        "benchmark scores fall by 0.06 without any change in label noise",
        "The base model of the Compass evaluation line changed from compass-base-2 to compass-base-3.",
        -0.06,
        change=("model", "P11", None, "Base model compass-base-3 in use."),
    ),
    Event(
        "EV12",
        "group_reading",
        ("gold_accuracy", "audit_accuracy", "krippendorff_alpha", "over_enforcement_rate"),
        {"project": "P11", "policy": "satire", "region": "South Asia"},
        290,
        None,
        "38 % of safe satire is read as unsafe by this region's raters",
        "The satire policy's examples presume a press culture that is not shared.",
        0.38,
        from_label=("safe", "mostly_safe"),
        to_label="unsafe",
        change=("guideline", "P11", None, "Satire policy added with examples."),
    ),
    Event(
        "EV13",
        "mix_shift",
        ("gold_accuracy", "audit_accuracy", "handle_time_p50_seconds", "cost_per_label"),
        {"project": "P03", "policy": "hate"},
        76,
        None,
        "the share of the hard, slow policy 'hate' rises from 12 % to 42 %; nothing changes inside a policy",
        "A new detector routes more hateful symbols to people.",
        0.42,
        extra={"handle_log": 0.45},
        change=("workflow", "P03", None, "Symbol detector routes more items to people."),
    ),
    Event(
        "EV14",
        "harmless_blip",
        ("handle_time_p50_seconds",),
        {"project": "P06"},
        45,
        45,
        "handle times double on one day and are back the next",
        "The labelling tool was slow for one day.",
        2.1,
    ),
    Event(
        "EV15",
        "harmless_small_n",
        ("gold_accuracy", "sla_attainment"),
        {"project": "P07", "language": "th"},
        216,
        214,
        "volume falls to a tenth over a three-day holiday; rates jump about on a handful of items",
        "Songkran: almost nobody worked.",
        0.1,
    ),
    Event(
        "EV16",
        "new_hire_cohort",
        ("gold_accuracy", "handle_time_p50_seconds", "rework_rate"),
        {"project": "P02", "pool": "POOL-07"},
        world.COHORT_DAYS,
        world.COHORT_DAYS - 60,
        "twelve new raters start 1.9 logits lower and 55 % slower and learn with a time constant of 45 days",
        "A cohort of twelve was hired for the Thai video desk.",
        -1.0,
        extra={"slower": 0.12},
        change=("staffing", "P02", "POOL-07", "Cohort of twelve new raters on the Thai desk."),
    ),
    Event(
        "EV17",
        "appeal_wave",
        ("appeal_rate", "overturn_rate"),
        {"project": "P04"},
        175,
        161,
        "appeals are 6 times as many and fewer of them succeed",
        "Sellers organised a campaign against removals; decisions were no worse.",
        6.0,
    ),
    Event(
        "EV18",
        "tool_improvement",
        ("handle_time_p50_seconds", "cost_per_label"),
        {"project": "P06"},
        26,
        None,
        "handle times are 18 % shorter",
        "Keyboard shortcuts and preloading in labelling tool 5.0.",
        0.82,
        change=("tool", "P06", None, "Labelling tool 5.0 with shortcuts and preloading."),
    ),
    Event(
        "EV19",
        "position_bias",
        ("position_bias", "preference_agreement", "krippendorff_alpha"),
        {"project": "P09", "pool": "POOL-10"},
        112,
        63,
        "in 30 % of comparisons the answer shown first is taken unread",
        "A layout change pushed the second answer below the fold at Hyderabad's screens.",
        0.30,
        change=("tool", "P09", "POOL-10", "New comparison layout at Hyderabad."),
    ),
    Event(
        "EV20",
        "idle_time",
        ("utilisation", "cost_per_label"),
        {"pool": "POOL-12"},
        34,
        13,
        "a fifth more paid time for the same work",
        "A network migration at Taipei left raters waiting for the tool.",
        0.80,
        change=("workflow", None, "POOL-12", "Network migration at Taipei."),
    ),
)

# (kind, project, pool, first day, last day, summary): changes that did nothing measurable
IDLE_CHANGES: tuple[tuple[str, str | None, str | None, int, int | None, str], ...] = (
    ("guideline", "P02", None, 180, None, "Guideline v4: headings renumbered."),
    ("tool", "P01", None, 141, None, "Dark theme in the review tool."),
    ("training", "P04", "POOL-09", 123, None, "Refresher 'marketplace basics'."),
    ("staffing", None, "POOL-05", 92, None, "New team lead rota at Jakarta."),
    ("workflow", "P05", None, 69, None, "Batches renamed by week."),
    ("tool", "P11", None, 38, 31, "Trial of a side-by-side view, withdrawn."),
    ("model", "P01", None, 61, None, "Queue ranking model retrained."),
    ("training", "P07", "POOL-01", 204, None, "Course 'scales and anchors'."),
    ("guideline", "P08", None, 33, None, "Guideline v5: two examples added."),
    ("vendor", None, "POOL-03", 300, None, "Contract with Vendor East renewed."),
)


def by_kind(kind: str) -> Event:
    """The one event of a kind."""
    return next(event for event in EVENTS if event.kind == kind)


def in_sample(days: int) -> Iterator[Event]:
    """The events that begin inside a sample of ``days`` days (with four weeks before them to compare with)."""
    return (event for event in EVENTS if days - 1 - event.first >= 28)
