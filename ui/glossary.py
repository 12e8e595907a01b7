"""What the words mean: the field's terms and their synonyms, the statuses, and how to read an interval."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pandas as pd

from data_access.metric_facts import UNITS, facts_of
from data_access.snapshot import Snapshot
from metrics.catalogue import AREAS, METRICS
from metrics.spec import Metric
from ui import format as fmt
from ui import theme, words


@dataclass(frozen=True)
class Term:
    """A word as it is used here, what it means, and what others call the same thing."""

    word: str
    meaning: str
    synonyms: str = ""


TERMS = (
    Term("rater", "A person who judges items, under a pseudonym.", "annotator, labeller, worker, moderator, reviewer"),
    Term("item", "One piece of content to be judged.", "task, unit, example, sample, job, content"),
    Term("annotation", "One submission: one rater, one item, one stage.", "submission, response, label event"),
    Term("judgement", "An annotation that was submitted and not skipped.", "decision, answer"),
    Term("label", "The value an annotation gives.", "class, category, decision, tag, verdict"),
    Term("gold", "An item whose right label is known; raters are not told.", "golden set, control, honeypot"),
    Term("audit", "A second look at a sampled annotation by an auditor.", "quality check, QA, spot check"),
    Term("consensus", "The label that several ratings of an item lead to.", "aggregated label, adjudicated label"),
    Term("agreement", "How often raters label an item alike; nobody needs to be right.", "reliability, IRR"),
    Term("accuracy", "How far labels match a known or audited right label.", "correctness, precision of decisions"),
    Term("over-enforcement", "Harmless content decided to be a violation.", "false positive"),
    Term("under-enforcement", "Violating content let through.", "false negative, miss, leakage"),
    Term("rework", "Work done again after a rejection.", "redo, relabel, revision"),
    Term("handle time", "Seconds spent on one judgement.", "AHT, average handling time, lead time, time on task"),
    Term("backlog", "Items open at the end of a day.", "queue, open items, work in progress"),
    Term("pool", "A group of raters at one site, of one vendor.", "team, queue team, workforce, site team"),
    Term("gold exposure", "The share of judgements spent on gold.", "control rate, honeypot rate"),
    Term("overlap", "Items that two raters or more labelled independently.", "redundancy, replication, multi-pass"),
    Term(
        "alpha",
        "Krippendorff's alpha: agreement beyond what labels drawn at random would give; 1 is perfect, 0 is chance.",
        "krippendorff, inter-annotator agreement",
    ),
    Term("AC1", "Gwet's coefficient: agreement beyond chance that stays steady when one label dominates.", "gwet, AC2"),
    Term(
        "group association index",
        "Agreement inside a group of raters over its agreement with the others; above 1 it reads items its own way.",
        "GAI, in-group cohesion, GRASP",
    ),
    Term(
        "calibration", "A session in which raters label the same items and settle how the guideline is meant.", "huddle"
    ),
    Term(
        "adjusted accuracy",
        "Accuracy on gold with the difficulty of the items taken out and little data drawn towards the usual.",
        "empirical Bayes, shrunk estimate, mix-adjusted",
    ),
    Term("drift", "A rater's accuracy moving over time against that of peers on the same work.", "decay, trend"),
    Term(
        "acceptance plan",
        "Audit so many of a batch; accept it with at most so many errors.",
        "AQL, ISO 2859, sampling plan",
    ),
    Term("provisional", "Recent enough that audits are still to come in; the number may move.", "preliminary"),
    Term("snapshot", "The file of sums that serves all pages, made from the warehouse.", "extract, cube"),
    Term("pseudonym", "A made-up name that stands for a person.", "alias, anonymous id"),
)

STATUSES = tuple(
    Term(f"{theme.SHAPES[status]} {word}".strip(), f"{words.STATUS_MEANING[status].capitalize()}.")
    for status, word in words.STATUS.items()
)

READING = (
    Term("value", "The estimate from the rows that match the filters: a sum over a sum, never a mean of means."),
    Term(
        "band, interval",
        "Where the true value lies, as far as the data can tell: made this way, 95 of 100 such bands hold it. "
        "A wide band means little data, not poor work.",
        "confidence interval, margin of error, error bar",
    ),
    Term("n", "How much data the value rests on; each metric says what n counts.", "sample size, base"),
    Term("cannot tell", "The band is too wide to say whether the change is more than chance.", "not significant"),
    Term("moved together with", "Two things changed at the same time; neither need be the cause.", "correlated"),
    Term("changed after", "The order in time is known, the cause is not.", "before and after"),
    Term("caused", "Said only where chance decided who got the change.", "randomised, A/B test"),
    Term("points", "The difference of two percentages: 91.4 % is 1.4 points above 90 %.", "percentage points, pp"),
)


def terms(kind: tuple[Term, ...] = TERMS) -> pd.DataFrame:
    """Terms as a table: word, meaning, synonyms."""
    return pd.DataFrame([(t.word, t.meaning, t.synonyms) for t in kind], columns=["word", "meaning", "synonyms"])


def search(text: str = "", area: str | None = None) -> list[Metric]:
    """The metrics of an area in which each word of the text occurs, synonyms of terms included, in catalogue order."""
    return [m for m in METRICS.values() if (area is None or m.area == area) and _holds(_haystack(m), text)]


def _holds(haystack: str, text: str) -> bool:
    return all(any(same in haystack for same in _same(word)) for word in text.casefold().split())


@functools.cache
def _haystack(metric: Metric) -> str:
    said = (metric.name, metric.label, AREAS[metric.area], metric.meaning, *facts_of(metric).values())
    return " ".join(said).casefold()


def _same(word: str) -> set[str]:
    """The word, and what is called so here."""
    return {word, *(t.word for t in TERMS if word in t.synonyms.casefold().replace(",", "").split())}


def target_text(metric: Metric, snapshot: Snapshot | None) -> str:
    """The target in force for everything, and how many more specific ones hold for single projects or pools."""
    goal = snapshot.targets.in_force(metric, snapshot.meta.last_day) if snapshot else None
    currency = snapshot.meta.currency if snapshot else ""
    said = fmt.target_range(goal.target, goal.warn, metric, currency) if goal else "none"
    owner = f", {goal.owner} answers for it" if goal and goal.owner else ""
    specific = len(_specific_targets(metric, snapshot)) if snapshot else 0
    more = "" if not specific else "; one more holds" if specific == 1 else f"; {specific} more hold"
    more += " for single projects or pools" if specific else ""
    return f"{said}{owner}{more}"


def _specific_targets(metric: Metric, snapshot: Snapshot) -> pd.DataFrame:
    """The targets of single projects and pools in force on the last day."""
    rows = snapshot.table("target")
    day = pd.Timestamp(snapshot.meta.last_day)
    starts, ends = pd.to_datetime(rows["valid_from"]), pd.to_datetime(rows["valid_to"])
    ours = (rows["metric"] == metric.name) & (rows["project_id"].notna() | rows["pool_id"].notna())
    return rows[ours & (starts <= day) & (ends.isna() | (ends >= day))]


def definitions(metrics: list[Metric], snapshot: Snapshot | None = None) -> pd.DataFrame:
    """The definitions as a table, one metric a row: what an export of the page holds."""
    return pd.DataFrame(
        [
            {
                "metric": m.name,
                "label": m.label,
                "area": AREAS[m.area],
                "meaning": m.meaning,
                "formula": m.formula,
                "unit": UNITS[m.unit],
                "direction": str(m.direction),
                "minimum_n": m.min_n,
                "n_counts": m.counts,
                "target": target_text(m, snapshot),
                "tables": ", ".join(m.needs),
                "caution": m.caution,
            }
            for m in metrics
        ]
    )
