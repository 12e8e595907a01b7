"""Rows of the large tables from judged items: items, annotations, audits, appeals, comparisons, attacks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_data import events, guides, world
from sample_data.judged import LABEL, SKIPPED, Annotations, Items
from sample_data.readings import PREFERENCE
from sample_data.roster import Roster
from sample_data.scales import scales
from sample_data.write import Warehouse, coded, padded, start_of, times

AUDIT_BASE = 0.030  # probability of an audit in the lowest risk stratum
AUDIT_SEVERE, AUDIT_NEW = 2.2, 1.8  # factors for severity 2 or 3 and for new raters
AUDITOR_ERROR = 0.012
AUDIT_DELAY_MEDIAN_DAYS, AUDIT_DELAY_SD_LOG = 2.6, 0.9
APPEAL_SHARE = 0.02  # of enforced moderation decisions
ROOT_CAUSES = ("guideline_unclear", "attention", "training_gap", "context_culture", "ambiguous_content", "tool")
VERDICTS = ("pass", "minor", "major", "critical")
MODELS = ("compass-a", "compass-b", "compass-c", "rival-x")
TECHNIQUES = ("role_play", "obfuscation", "multi_turn", "translation", "authority", "prompt_injection")

_MODERATION = np.array([p.task_type == "moderation" for p in world.PROJECTS])
CLAIM_BEFORE_SD_LOG = 0.5  # an item is taken up about two handle times before its first judgement is in
_HANDLE = np.array([p.handle_median_seconds for p in world.PROJECTS])
_DUE = np.array([p.due_hours * 3600 for p in world.PROJECTS], dtype=np.int32)


@dataclass
class Position:
    """How many rows each numbered table has so far."""

    items: int = 0
    annotations: int = 0
    audits: int = 0
    appeals: int = 0
    comparisons: int = 0
    attacks: int = 0


def write_chunk(
    rng: np.random.Generator,
    claims: np.random.Generator,
    warehouse: Warehouse,
    roster: Roster,
    items: Items,
    notes: Annotations,
    at: Position,
) -> None:
    """Insert everything that follows from one chunk of items and advance ``at``; ``claims`` draws claims alone."""
    first_item, first_note = at.items, at.annotations
    _items(claims, warehouse, roster, items, first_item)
    _annotations(warehouse, roster, items, notes, first_item, first_note)
    _audits(rng, warehouse, roster, items, notes, first_note, at)
    _appeals(rng, warehouse, roster, items, notes, first_item, at)
    _comparisons(rng, warehouse, roster, items, notes, first_item, at)
    _attacks(rng, warehouse, roster, items, notes, at)
    at.items += len(items.pod)
    at.annotations += len(notes.item)


def _project_ids() -> list[str]:
    return [project.project_id for project in world.PROJECTS]


def batch_ids(weeks: int) -> list[str]:
    """The batch ids of all projects and weeks of creation, by project, then week."""
    return [f"B-{project.project_id}-{week + 1:03d}" for project in world.PROJECTS for week in range(weeks)]


def _claimed(rng: np.random.Generator, items: Items, end: int) -> np.ndarray:
    """When each item was taken up, in seconds: -1 while nobody has, and in projects whose tool deals items out.

    Moderators take items from a queue; the other projects' items are assigned in batches and never claimed.
    """
    before = 2 * _HANDLE[items.project] * np.exp(CLAIM_BEFORE_SD_LOG * rng.standard_normal(len(items.pod)))
    claimed = np.maximum(items.worked - before.astype(np.int64), items.created + 1)
    return np.where(_MODERATION[items.project] & (claimed < end), claimed, -1)


def _items(rng: np.random.Generator, warehouse: Warehouse, roster: Roster, items: Items, first: int) -> None:
    start, weeks = start_of(roster.days), roster.days // 7
    warehouse.insert(
        "items",
        {
            "n": np.arange(first + 1, first + 1 + len(items.pod), dtype=np.int64),
            "project_id": coded(items.project, _project_ids()),
            "created_at": times(items.created, start),
            "due_at": times(items.created + _DUE[items.project], start),
            "closed_at": times(items.closed, start),
            "language": coded(items.language, world.LANGUAGES),
            "policy": coded(items.policy, world.POLICIES),
            "content_type": coded(items.content, world.CONTENT_TYPES),
            "severity": items.severity.astype(np.int32),
            "gold_label": coded(items.gold, scales().names),
            "claimed_at": times(_claimed(rng, items, roster.days * world.DAY_SECONDS), start),
            "batch_id": coded(items.project.astype(np.int32) * weeks + items.week, batch_ids(weeks)),
        },
        {"item_id": padded("I", "n")},
    )


def _annotations(
    warehouse: Warehouse, roster: Roster, items: Items, notes: Annotations, first_item: int, first: int
) -> None:
    project = items.project[notes.item]
    bases = ("active", "lead")
    basis_of = np.array([bases.index(p.time_basis) for p in world.PROJECTS], dtype=np.int8)
    versions, version_of = guides.by_day(roster.days)
    warehouse.insert(
        "annotations",
        {
            "n": np.arange(first + 1, first + 1 + len(notes.item), dtype=np.int64),
            "i": notes.item.astype(np.int64) + (first_item + 1),
            "project_id": coded(project, _project_ids()),
            "rater_id": coded(roster.rater[notes.rater_day], roster.raters.rater_id),
            "stage": coded(notes.stage, ("label", "review")),
            "label": coded(notes.label, scales().names),
            "status": coded(notes.status, ("submitted", "accepted", "rejected", "skipped")),
            "submitted_at": times(notes.at, start_of(roster.days)),
            "handle_seconds": notes.handle,
            "time_basis": coded(basis_of[project], bases),
            "guideline_version": coded(version_of[project, roster.day[notes.rater_day]], versions),
            "is_rework": notes.rework,
        },
        {"annotation_id": padded("A", "n"), "item_id": padded("I", "i")},
    )


def _audits(
    rng: np.random.Generator,
    warehouse: Warehouse,
    roster: Roster,
    items: Items,
    notes: Annotations,
    first: int,
    at: Position,
) -> None:
    """Risk-stratified audits of first-stage judgements; the weight is one over the probability used.

    Preferences are left out: they have no right answer to audit.
    """
    look = scales()
    severe = items.severity[notes.item] >= 2
    new = roster.is_new[notes.rater_day]
    chance = AUDIT_BASE * np.where(severe, AUDIT_SEVERE, 1.0) * np.where(new, AUDIT_NEW, 1.0)
    eligible = (notes.stage == LABEL) & (notes.status != SKIPPED) & ~PREFERENCE[items.project[notes.item]]
    rows = np.flatnonzero(eligible & (rng.random(len(chance), dtype=np.float32) < chance))
    delay = AUDIT_DELAY_MEDIAN_DAYS * np.exp(AUDIT_DELAY_SD_LOG * rng.standard_normal(len(rows)))
    audited = notes.at[rows] + (np.minimum(delay, 40.0) * world.DAY_SECONDS).astype(np.int64) + 600
    auditor = rng.integers(1, 25, len(rows))
    cause = np.digitize(rng.random(len(rows)), [0.30, 0.55, 0.70, 0.80, 0.92]).astype(np.int8)
    slip = rng.random(len(rows)) < AUDITOR_ERROR
    done = audited < roster.days * world.DAY_SECONDS  # the last days' audits are not in yet
    rows, audited, auditor, cause, slip = rows[done], audited[done], auditor[done], cause[done], slip[done]
    item, label = notes.item[rows], notes.label[rows]
    correct = np.where(slip, items.tempting[item], items.truth[item])
    passed = correct == label
    should, did = look.violation[correct], look.violation[label]
    missed = should & ~did
    severity = items.severity[item]
    verdict = np.select([passed, missed & (severity >= 3), missed | (did & ~should)], [0, 3, 2], 1).astype(np.int8)
    verdict = np.where((verdict == 2) & missed & (look.severity[correct] < 2), 1, verdict)
    _name_causes(roster, items, item, label, notes.rater_day[rows], cause)
    warehouse.insert(
        "audits",
        {
            "n": np.arange(at.audits + 1, at.audits + 1 + len(rows), dtype=np.int64),
            "a": rows.astype(np.int64) + (first + 1),
            "auditor_id": coded(auditor - 1, [f"Q-{n:03d}" for n in range(1, 25)]),
            "audited_at": times(audited, start_of(roster.days)),
            "correct_label": coded(correct, look.names),
            "verdict": coded(verdict, VERDICTS),
            "root_cause": coded(np.where(passed, -1, cause), ROOT_CAUSES),
            "weight": 1.0 / chance[rows],
        },
        {"audit_id": padded("U", "n"), "annotation_id": padded("A", "a")},
    )
    at.audits += len(rows)


_CAUSE_OF_KIND = {
    "guideline_confusion": "guideline_unclear",
    "vendor_switch": "training_gap",
    "night_fatigue": "attention",
    "spammers": "attention",
    "rater_drift": "attention",
    "label_noise": "tool",
    "group_reading": "context_culture",
    "new_hire_cohort": "training_gap",
}


def _name_causes(
    roster: Roster, items: Items, item: np.ndarray, label: np.ndarray, rd: np.ndarray, cause: np.ndarray
) -> None:
    """In place: auditors name an event's cause on most errors inside its slice."""
    day, look = roster.day[rd], scales()
    for event in events.in_sample(roster.days):
        if event.kind not in _CAUSE_OF_KIND:
            continue
        first, last = event.span(roster.days)
        here = (day >= first) & (day < last) & (items.project[item] == world.PROJECT_INDEX[str(event.where["project"])])
        if "language" in event.where:
            here &= items.language[item] == world.LANGUAGE_INDEX[str(event.where["language"])]
        if "policy" in event.where:
            here &= items.policy[item] == world.POLICY_INDEX[str(event.where["policy"])]
        if "pool" in event.where:
            here &= roster.pool[rd] == world.POOL_INDEX[str(event.where["pool"])]
        if event.event_id in roster.raters.picked:
            here &= np.isin(roster.rater[rd], roster.raters.picked[event.event_id])
        if event.to_label:
            here &= label == look.code(world.PROJECT_INDEX[str(event.where["project"])], event.to_label)
        cause[here & (np.arange(len(here)) % 4 != 3)] = ROOT_CAUSES.index(_CAUSE_OF_KIND[event.kind])


def _first_rows(items: Items) -> np.ndarray:
    """The position of each item's first annotation (of the next item's when it has none)."""
    return np.cumsum(items.rows, dtype=np.int64) - items.rows


def _appeals(
    rng: np.random.Generator,
    warehouse: Warehouse,
    roster: Roster,
    items: Items,
    notes: Annotations,
    first: int,
    at: Position,
) -> None:
    """Appeals against enforced moderation decisions; wrong decisions are appealed and overturned more often."""
    if not len(notes.item):
        return
    look = scales()
    label = notes.label[np.minimum(_first_rows(items), len(notes.item) - 1)]
    enforced = (
        _MODERATION[items.project] & (items.rows > 0) & (items.closed >= 0) & (label >= 0) & look.violation[label]
    )
    wrong = ~look.violation[items.truth]
    chance = APPEAL_SHARE * np.where(wrong, 3.0, 0.8)
    upheld_more = np.zeros(len(chance), dtype=bool)
    for event in events.in_sample(roster.days):
        if event.kind == "appeal_wave":
            begins, ends = event.span(roster.days)
            day = items.closed // world.DAY_SECONDS
            upheld_more = (
                (items.project == world.PROJECT_INDEX[str(event.where["project"])]) & (day >= begins) & (day < ends)
            )
            chance = np.where(upheld_more, chance * event.size, chance)
    rows = np.flatnonzero(enforced & (rng.random(len(chance), dtype=np.float32) < chance))
    end = roster.days * world.DAY_SECONDS
    filed = items.closed[rows] + (rng.lognormal(0.0, 0.9, len(rows)) * world.DAY_SECONDS).astype(np.int64)
    decided = filed + (rng.lognormal(0.9, 0.6, len(rows)) * world.DAY_SECONDS).astype(np.int64)
    fallen = rng.random(len(rows)) < np.where(wrong[rows], 0.66, 0.12) * np.where(upheld_more[rows], 0.5, 1.0)
    keep = filed < end
    rows, filed, decided, fallen = rows[keep], filed[keep], decided[keep], fallen[keep]
    decided = np.where(decided < end, decided, -1)
    warehouse.insert(
        "appeals",
        {
            "n": np.arange(at.appeals + 1, at.appeals + 1 + len(rows), dtype=np.int64),
            "i": rows.astype(np.int64) + (first + 1),
            "filed_at": times(filed, start_of(roster.days)),
            "decided_at": times(decided, start_of(roster.days)),
            "fallen": fallen,
        },
        {
            "appeal_id": padded("P", "n"),
            "item_id": padded("I", "i"),
            "overturned": "CASE WHEN decided_at IS NOT NULL THEN fallen END",
        },
    )
    at.appeals += len(rows)


def _comparisons(
    rng: np.random.Generator,
    warehouse: Warehouse,
    roster: Roster,
    items: Items,
    notes: Annotations,
    first: int,
    at: Position,
) -> None:
    """One comparison per preference judgement; it says what the label says, in a, b and tie."""
    look = scales()
    rows = np.flatnonzero(PREFERENCE[items.project[notes.item]] & (notes.stage == LABEL) & (notes.label >= 0))
    side = np.array(
        [
            ("a", "b").index(name[0]) if name[:1] in "ab" and name[:2] in ("a", "b", "a_", "b_") else 2
            for name in look.names
        ]
    )
    item = notes.item[rows]
    per_item = rng.integers(
        0, 2**31, len(items.pod), dtype=np.int64
    )  # what belongs to the item is the same for all its raters
    which = per_item[item]
    choice, truth = side[notes.label[rows]], side[items.truth[item]]
    tokens_a = 60 + (which % 397) + 40 * (truth == 0)
    tokens_b = 60 + (which // 397 % 389) + 40 * (truth == 1)
    judged = np.where(which // 7 % 100 < 76, truth, which // 11 % 3)
    warehouse.insert(
        "comparisons",
        {
            "n": np.arange(at.comparisons + 1, at.comparisons + 1 + len(rows), dtype=np.int64),
            "i": item.astype(np.int64) + (first + 1),
            "project_id": coded(items.project[item], _project_ids()),
            "rater_id": coded(roster.rater[notes.rater_day[rows]], roster.raters.rater_id),
            "model_a": coded(which % 4, MODELS),
            "model_b": coded((which + 1 + which // 4 % 3) % 4, MODELS),
            "choice": coded(choice, ("a", "b", "tie")),
            "first_shown": coded(np.where(notes.first_shown_a[rows], 0, 1), ("a", "b")),
            "tokens_a": tokens_a.astype(np.int32),
            "tokens_b": tokens_b.astype(np.int32),
            "ai_choice": coded(np.where(which // 13 % 100 < 90, judged, -1), ("a", "b", "tie")),
            "submitted_at": times(notes.at[rows], start_of(roster.days)),
        },
        {"comparison_id": padded("C", "n"), "item_id": padded("I", "i")},
    )
    at.comparisons += len(rows)


def _attacks(
    rng: np.random.Generator, warehouse: Warehouse, roster: Roster, items: Items, notes: Annotations, at: Position
) -> None:
    """One attack per red-team judgement, against the model version released by then; some repeat an earlier one."""
    red = np.array([p.task_type == "red_team" for p in world.PROJECTS])
    rows = np.flatnonzero(red[items.project[notes.item]] & (notes.stage == LABEL) & (notes.label >= 0))
    rows = rows[np.argsort(notes.at[rows], kind="stable")]  # an attack repeats an earlier one of its chunk
    item = notes.item[rows]
    look = scales()
    number = np.arange(at.attacks + 1, at.attacks + 1 + len(rows), dtype=np.int64)
    back = 1 + (rng.random(len(rows)) * 200).astype(np.int64)
    repeats = (rng.random(len(rows)) < 0.14) & (number - back > at.attacks)
    targets, target_of = guides.attacked_models(roster.days)
    warehouse.insert(
        "attacks",
        {
            "n": number,
            "before": number - back,
            "repeats": repeats,
            "project_id": coded(items.project[item], _project_ids()),
            "rater_id": coded(roster.rater[notes.rater_day[rows]], roster.raters.rater_id),
            "model_version": coded(target_of[roster.day[notes.rater_day[rows]]], targets),
            "policy": coded(items.policy[item], world.POLICIES),
            "language": coded(items.language[item], world.LANGUAGES),
            "technique": coded(rng.integers(0, len(TECHNIQUES), len(rows)), TECHNIQUES),
            "succeeded": look.violation[notes.label[rows]],
            "severity": look.severity[notes.label[rows]].astype(np.int32),
            "submitted_at": times(notes.at[rows], start_of(roster.days)),
        },
        {"attack_id": padded("T", "n"), "duplicate_of": f"CASE WHEN repeats THEN {padded('T', 'before')} END"},
    )
    at.attacks += len(rows)
