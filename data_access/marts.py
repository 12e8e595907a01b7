"""Each mart as portable SELECTs: the additive sums every metric is a function of.

A statement is SUM, COUNT, CASE, joins and GROUP BY over ``judged`` (one row per annotation with its item's
attributes), over ``audited`` (one row per audit, likewise) or over ``items``. The builder in snapshot.py decides which
window of time those cover, runs the statements where the data is, and adds the parts up: every sum is additive, so
windows may cut anywhere. What follows from other marts alone is derived in the snapshot, at the end of this file.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from data_access import tables as t
from data_access.dialect import business_day, month_of, row_checksum, seconds_between, week_of
from metrics.catalogue import SENSITIVE_CAP_HOURS
from metrics.patterns import Encoding
from metrics.quantiles import BUCKET_NUDGE, BUCKETS_PER_LOG, LONGEST_SECONDS, SHORTEST_SECONDS

NOT_RECORDED = "not recorded"  # the guideline version of work that names none
_NOT_RECORDED = sa.literal_column(f"'{NOT_RECORDED}'", sa.String)
_ONE, _ZERO = sa.literal_column("1", sa.Integer), sa.literal_column("0", sa.Integer)
PENALTY = {"minor": 0.1, "major": 0.5, "critical": 1.0}  # of severity_weighted_quality


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


def _sum(condition: sa.ColumnElement[bool], name: str) -> sa.ColumnElement:
    return sa.func.sum(sa.case((condition, 1), else_=0)).label(name)


def _sum_of(value: sa.ColumnElement, name: str, condition: sa.ColumnElement[bool] | None = None) -> sa.ColumnElement:
    return sa.func.sum(value if condition is None else sa.case((condition, value), else_=0.0)).label(name)


def _bucket(seconds: sa.ColumnElement) -> sa.ColumnElement:
    """The log bucket of a duration, as metrics.quantiles.bucket_of finds it."""
    shortest, longest = _number(SHORTEST_SECONDS), _number(LONGEST_SECONDS)
    clipped = sa.case((seconds < shortest, shortest), (seconds > longest, longest), else_=seconds)
    scaled = sa.func.ln(clipped) * _number(BUCKETS_PER_LOG) + _number(BUCKET_NUDGE)
    return sa.cast(sa.func.floor(scaled), sa.Integer)


def _number(value: float) -> sa.ColumnElement:
    """A constant written into the statement: engines do not see that two bound ones in GROUP BY are the same."""
    return sa.literal_column(f"{value:.17e}", sa.Double)  # the exponent makes it a double on every engine


# ---- what the statements read ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """Half-open UTC bounds on the time a statement reads by; None is open.

    ``first_key`` and ``last_key`` bound the ids of what lies inside (items created, annotations audited): they change
    no result, and let an engine whose ids rise with time skip the rest of the table it joins.
    """

    start: dt.datetime | None = None
    end: dt.datetime | None = None
    first_key: str | None = None
    last_key: str | None = None

    def on(self, moment: sa.ColumnElement) -> list[sa.ColumnElement[bool]]:
        """The conditions that hold a timestamp inside."""
        conditions = []
        if self.start is not None:
            conditions.append(moment >= self.start)
        if self.end is not None:
            conditions.append(moment < self.end)
        return conditions

    def holds(self, key: sa.ColumnElement) -> list[sa.ColumnElement[bool]]:
        """The condition on the joined table's key, where the bounds are known."""
        return [key.between(self.first_key, self.last_key)] if self.first_key is not None else []


def _in_batch(source: sa.FromClause, batched: bool) -> tuple[sa.FromClause, sa.ColumnElement]:
    """The source with its batches, and the batch a judgement is in: the item's, if it came by the batch's close.

    Every judgement of an open batch is in it. A batch that the table of batches does not have is none.
    """
    b = t.batches.c
    if not batched:
        return source, sa.cast(sa.null(), sa.String(64)).label("batch_id")
    in_time = sa.or_(b.closed_at.is_(None), t.annotations.c.submitted_at <= b.closed_at)
    known = source.outerjoin(t.batches, b.batch_id == t.items.c.batch_id)
    return known, sa.case((in_time, b.batch_id), else_=None).label("batch_id")


def judged(
    zone: str,
    *,
    created: Window | None = None,
    submitted: Window | None = None,
    item_key: sa.ColumnElement | None = None,
    batched: bool = False,
) -> sa.Select:
    """One row per annotation of the window, with what the marts need of its item.

    ``item_key`` stands in for the item's id where an engine has a shorter key of its own. ``batched`` tells the batch
    that a judgement is in, see ``_in_batch``; without it there is none.
    """
    a, i = t.annotations.c, t.items.c
    source, batch = _in_batch(t.annotations.join(t.items, a.item_id == i.item_id), batched)
    return (
        sa.select(
            (a.item_id if item_key is None else item_key).label("item_id"),
            row_checksum(i.item_id).label("chance"),
            a.project_id,
            a.rater_id,
            a.stage,
            a.status,
            a.label,
            business_day(a.submitted_at, zone).label("day"),
            business_day(i.created_at, zone).label("created_day"),
            i.created_at,
            i.language,
            i.policy,
            i.content_type,
            sa.func.coalesce(a.guideline_version, _NOT_RECORDED).label("guideline_version"),
            a.time_basis,
            a.handle_seconds,
            a.is_rework,
            i.gold_label,
            batch,
        )
        .select_from(source)
        .where(
            *((*created.on(i.created_at), *created.holds(a.item_id)) if created else ()),
            *(submitted.on(a.submitted_at) if submitted else ()),
        )
    )


def audited(
    zone: str,
    *,
    at: Window | None = None,
    submitted: Window | None = None,
    created: Window | None = None,
    batched: bool = False,
) -> sa.Select:
    """One row per audit of the window, with what the marts need of its annotation and item."""
    a, i, u = t.annotations.c, t.items.c, t.audits.c
    whole = t.audits.join(t.annotations, u.annotation_id == a.annotation_id).join(t.items, a.item_id == i.item_id)
    source, batch = _in_batch(whole, batched)
    return (
        sa.select(
            a.project_id,
            a.rater_id,
            a.stage,
            a.label,
            business_day(a.submitted_at, zone).label("day"),
            business_day(u.audited_at, zone).label("audited_day"),
            i.language,
            i.policy,
            i.content_type,
            sa.func.coalesce(a.guideline_version, _NOT_RECORDED).label("guideline_version"),
            a.time_basis,
            u.correct_label,
            u.verdict,
            u.weight,
            business_day(i.created_at, zone).label("created_day"),
            batch,
        )
        .select_from(source)
        .where(
            a.status != "skipped",
            *((*at.on(u.audited_at), *at.holds(a.annotation_id)) if at else ()),
            *(submitted.on(a.submitted_at) if submitted else ()),
            *((*created.on(i.created_at), *created.holds(a.item_id)) if created else ()),
        )
    )


# ---- work ------------------------------------------------------------------------------------------------------


def _keys(source: sa.FromClause, mart: Mart) -> list[sa.ColumnElement]:
    """The grain of a mart of judgements; its week is that of the item's creation."""
    c = source.c
    return [week_of(c.created_day).label(name) if name == "week" else c[name] for name in mart.keys]


def _grouped(source: sa.FromClause, sums: list[sa.Label], mart: Mart, of: sa.FromClause) -> sa.Select:
    """The sums that the mart keeps, over its grain: of all rows, or for a mart of batches of those in one."""
    keys = _keys(source, mart)
    grouped = sa.select(*keys, *(s for s in sums if s.name in mart.sums)).select_from(of)
    if "batch_id" in mart.keys:
        grouped = grouped.where(source.c.batch_id.is_not(None))
    return grouped.group_by(*(key.element if isinstance(key, sa.Label) else key for key in keys))


def work_judgements(source: sa.FromClause, mart: Mart = WORK) -> sa.Select:
    """Counts and handle times of all judgements, at the grain of `work` or of another mart of its sums."""
    c, r = source.c, t.raters.c
    done, label_stage, first = c.status != "skipped", c.stage == "label", sa.not_(c.is_rework)
    timed = sa.and_(done, c.handle_seconds > 0)
    seconds = sa.case((timed, c.handle_seconds), else_=None)
    log = sa.func.ln(seconds)
    sums = [
        sa.func.count().label("served"),
        _sum(done, "judgements"),
        _sum(c.status == "skipped", "skipped"),
        _sum(c.status == "submitted", "pending"),
        _sum(c.status == "accepted", "accepted"),
        _sum(c.status == "rejected", "rejected"),
        _sum(c.status.in_(("accepted", "rejected")), "decided"),
        _sum(sa.and_(done, c.is_rework), "rework"),
        _sum(sa.and_(c.status == "accepted", first, label_stage), "first_accepted"),
        _sum(sa.and_(c.status.in_(("accepted", "rejected")), first, label_stage), "first_decided"),
        _sum(sa.and_(done, label_stage), "labels"),
        _sum(sa.and_(c.status == "accepted", label_stage), "accepted_labels"),
        _sum(sa.and_(c.status == "rejected", label_stage), "rejected_labels"),
        _sum(sa.and_(done, r.language == c.language), "language_matched"),
        sa.func.count(seconds).label("handle_n"),
        _sum(sa.and_(timed, c.status == "accepted", label_stage), "handle_accepted_labels"),
        _sum_of(seconds, "handle_sum_seconds"),
        _sum_of(log, "handle_sum_log"),
        _sum_of(log * log, "handle_sum_log_squared"),
        _sum_of(seconds, "handle_rework_seconds", c.is_rework),
        _sum_of(c.handle_seconds, "handle_skipped_seconds", sa.and_(sa.not_(done), c.handle_seconds > 0)),
        _sum_of(c.handle_seconds, "handle_served_seconds", c.handle_seconds > 0),
    ]
    of = source.outerjoin(t.raters, r.rater_id == c.rater_id) if "language_matched" in mart.sums else source
    return _grouped(source, sums, mart, of)


def _violation(alias: str) -> sa.Subquery:
    """Which labels mean a violation, as 0 or 1."""
    label = t.labels.c
    return sa.select(
        label.project_id, label.label, sa.case((label.is_violation, 1), else_=0).label("violation")
    ).subquery(alias)


def _with_violations(source: sa.FromClause, truth: sa.ColumnElement) -> tuple[sa.FromClause, sa.Subquery, sa.Subquery]:
    """The source joined with whether the true and the given label mean a violation."""
    true_label, given = _violation("true_label"), _violation("given_label")
    joined = source.outerjoin(
        true_label, sa.and_(true_label.c.project_id == source.c.project_id, true_label.c.label == truth)
    ).outerjoin(given, sa.and_(given.c.project_id == source.c.project_id, given.c.label == source.c.label))
    return joined, true_label, given


def work_gold(source: sa.FromClause, mart: Mart = WORK) -> sa.Select:
    """Judgements on gold items against the gold label, at the grain of `work` or of another mart of its sums."""
    c = source.c
    joined, true_label, given = _with_violations(source, c.gold_label)
    harmless, violating = true_label.c.violation == 0, true_label.c.violation == 1
    sums = [
        sa.func.count().label("gold_n"),
        _sum(c.label == c.gold_label, "gold_correct"),
        _sum(harmless, "gold_harmless_n"),
        _sum(sa.and_(harmless, given.c.violation == 1), "gold_overreached"),
        _sum(violating, "gold_violating_n"),
        _sum(sa.and_(violating, given.c.violation == 0), "gold_missed"),
    ]
    known = (c.gold_label.is_not(None), c.status != "skipped", c.label.is_not(None))
    return _grouped(source, sums, mart, joined).where(*known)


def work_audits(source: sa.FromClause, mart: Mart = WORK) -> sa.Select:
    """Audits and their weights, at the grain of `work` or of another mart of its sums; a day is that of the work."""
    c = source.c
    joined, true_label, given = _with_violations(source, c.correct_label)
    harmless, violating = true_label.c.violation == 0, true_label.c.violation == 1
    weight, squared = c.weight, c.weight * c.weight
    penalty = sa.case(*((c.verdict == verdict, weight * value) for verdict, value in PENALTY.items()), else_=0.0)
    sums = [
        sa.func.count().label("audited_n"),
        _sum(c.verdict == "pass", "audited_passed"),
        _sum(c.verdict == "critical", "audited_critical"),
        _sum_of(weight, "audited_weight"),
        _sum_of(squared, "audited_weight_squared"),
        _sum_of(weight, "audited_weight_passed", c.verdict == "pass"),
        _sum_of(weight, "audited_weight_critical", c.verdict == "critical"),
        _sum_of(penalty, "audited_weight_penalty"),
        _sum(harmless, "audited_harmless_n"),
        _sum_of(weight, "audited_weight_harmless", harmless),
        _sum_of(squared, "audited_weight_harmless_squared", harmless),
        _sum_of(weight, "audited_weight_overreached", sa.and_(harmless, given.c.violation == 1)),
        _sum(violating, "audited_violating_n"),
        _sum_of(weight, "audited_weight_violating", violating),
        _sum_of(squared, "audited_weight_violating_squared", violating),
        _sum_of(weight, "audited_weight_missed", sa.and_(violating, given.c.violation == 0)),
    ]
    return _grouped(source, sums, mart, joined)


# ---- confusion, handle time ------------------------------------------------------------------------------------


def confusion_gold(source: sa.FromClause) -> sa.Select:
    """Gold label against the label each rater gave."""
    c = source.c
    keys = (week_of(c.day).label("week"), c.project_id, c.rater_id, c.language, c.policy)
    return (
        sa.select(
            *keys,
            sa.literal_column("'gold'").label("basis"),
            c.gold_label.label("truth"),
            c.label.label("label"),
            sa.func.count().label("n"),
            sa.func.sum(_number(1.0)).label("weight"),
        )
        .where(c.gold_label.is_not(None), c.status != "skipped", c.label.is_not(None))
        .group_by(*(k.element if isinstance(k, sa.Label) else k for k in keys), c.gold_label, c.label)
    )


def confusion_audits(source: sa.FromClause) -> sa.Select:
    """The auditor's label against the label each rater gave, with the audits' weights."""
    c = source.c
    keys = (week_of(c.day).label("week"), c.project_id, c.rater_id, c.language, c.policy)
    return (
        sa.select(
            *keys,
            sa.literal_column("'audit'").label("basis"),
            c.correct_label.label("truth"),
            c.label.label("label"),
            sa.func.count().label("n"),
            sa.func.sum(c.weight).label("weight"),
        )
        .where(c.label.is_not(None))
        .group_by(*(k.element if isinstance(k, sa.Label) else k for k in keys), c.correct_label, c.label)
    )


def handle_time(source: sa.FromClause) -> sa.Select:
    """Histogram of handle seconds on fixed log buckets."""
    c, r = source.c, t.raters.c
    bucket = _bucket(c.handle_seconds)
    keys = (c.day, c.project_id, r.pool_id, c.time_basis)
    return (
        sa.select(*keys, bucket.label("bucket"), sa.func.count().label("n"))
        .select_from(source.join(t.raters, r.rater_id == c.rater_id))
        .where(c.status != "skipped", c.handle_seconds > 0)
        .group_by(*keys, bucket)
    )


def labels_given(source: sa.FromClause) -> sa.Select:
    """How often each rater gave each label in the label stage, by week of submission."""
    c = source.c
    week = week_of(c.day)
    return (
        sa.select(week.label("week"), c.project_id, c.rater_id, c.label, sa.func.count().label("n"))
        .where(*_ratings(source))
        .group_by(week, c.project_id, c.rater_id, c.label)
    )


# ---- a rater against the others of the item --------------------------------------------------------------------


def peers(source: sa.FromClause) -> sa.Select:
    """Each rater's labels against those of the other raters of the same items, by week of the items' creation.

    judged: ratings whose other ratings have one most frequent label (ties and items rated once are not judged).
    matched: those that give this label. paired: ratings of items with another rating. agreeing_share: sum over them of
    the share of the other ratings that agree, so that an item counts once for its rater however many others rated it.
    pairs, agreeing_pairs: the rating against each other rating. A rater's repeat on an item counts as another's
    rating, as in ``agreement``.

    Each rating leaves its own vote out. So the others' most frequent label follows from the item's counts alone: how
    high the highest count is, how many labels have it, and how many have one less.
    """
    c = source.c
    given = (
        sa.select(c.item_id, c.label, sa.func.count().label("n"))
        .where(*_ratings(source))
        .group_by(c.item_id, c.label)
        .subquery("given")
    )
    g = given.c
    highest = (
        sa.select(g.item_id, sa.func.sum(g.n).label("ratings"), sa.func.max(g.n).label("most"))
        .group_by(g.item_id)
        .having(sa.func.sum(g.n) > 1)
        .subquery("highest")
    )
    h = highest.c
    standing = (
        sa.select(
            h.item_id,
            h.ratings,
            h.most,
            _sum(g.n == h.most, "at_most"),
            _sum(g.n == h.most - 1, "one_less"),
        )
        .select_from(highest.join(given, g.item_id == h.item_id))
        .group_by(h.item_id, h.ratings, h.most)
        .subquery("standing")
    )
    s = standing.c
    matched = sa.and_(g.n == s.most, s.at_most == 1, s.one_less == 0)
    outvoted = sa.or_(sa.and_(g.n < s.most, s.at_most == 1), sa.and_(g.n == s.most, s.at_most == 2))
    verdict = (
        sa.select(
            g.item_id,
            g.label,
            sa.case((sa.or_(matched, outvoted), 1), else_=0).label("judged"),
            sa.case((matched, 1), else_=0).label("matched"),
            (s.ratings - 1).label("others"),
            (g.n - 1).label("agreeing"),
        )
        .select_from(given.join(standing, s.item_id == g.item_id))
        .subquery("verdict")
    )
    v = verdict.c
    week = week_of(c.created_day)
    keys = (week, c.project_id, c.rater_id, c.language)
    return (
        sa.select(
            week.label("week"),
            *keys[1:],
            sa.func.sum(v.judged).label("judged"),
            sa.func.sum(v.matched).label("matched"),
            sa.func.count().label("paired"),
            sa.func.sum(v.agreeing * _number(1.0) / v.others).label("agreeing_share"),
            sa.func.sum(v.others).label("pairs"),
            sa.func.sum(v.agreeing).label("agreeing_pairs"),
        )
        .select_from(source.join(verdict, sa.and_(v.item_id == c.item_id, v.label == c.label)))
        .where(*_ratings(source))
        .group_by(*keys)
    )


# ---- agreement by patterns -------------------------------------------------------------------------------------


def guideline_periods() -> sa.Subquery:
    """Each guideline version with the moments from and until which it is in force."""
    g, later = t.guidelines.alias("g"), t.guidelines.alias("later")
    until = (
        sa.select(sa.func.min(later.c.effective_from))
        .where(later.c.project_id == g.c.project_id, later.c.effective_from > g.c.effective_from)
        .scalar_subquery()
    )
    return sa.select(g.c.project_id, g.c.version, g.c.effective_from, until.label("effective_to")).subquery("in_force")


def label_digits(encodings: dict[str, Encoding], sets: dict[str, tuple[str, ...]], words: int) -> sa.Subquery:
    """(project_id, label, digit_0, digit_1 ...): what one rating with this label adds to its item's code.

    Label positions come from the contract's `labels`; projects in ``sets`` (label sets) take one position per distinct
    set instead, given here.
    """
    label = t.labels.c
    wide: dict[Encoding, list[str]] = {}
    for project, encoding in encodings.items():
        if project not in sets:
            wide.setdefault(encoding, []).append(project)

    def digit(word: int) -> sa.ColumnElement:
        branches = []
        for encoding, projects in wide.items():
            ours = [
                (label.position == p, sa.literal(encoding.weight(p), sa.BigInteger))
                for p in range(encoding.labels)
                if encoding.word(p) == word
            ]
            if ours:
                branches.append((label.project_id.in_(sorted(projects)), sa.case(*ours, else_=0)))
        zero = sa.literal(0, sa.BigInteger)
        return sa.cast(sa.case(*branches, else_=zero) if branches else zero, sa.BigInteger).label(f"digit_{word}")

    plain = sa.select(label.project_id, label.label, *(digit(w) for w in range(words))).where(
        label.project_id.in_(sorted(p for projects in wide.values() for p in projects))
    )
    literal_rows = [
        sa.select(
            sa.cast(sa.literal(project), sa.String(64)).label("project_id"),
            sa.cast(sa.literal(member), sa.String).label("label"),
            *(
                sa.cast(
                    sa.literal(encodings[project].weight(p) if encodings[project].word(p) == w else 0, sa.BigInteger),
                    sa.BigInteger,
                ).label(f"digit_{w}")
                for w in range(words)
            ),
        )
        for project, members in sets.items()
        for p, member in enumerate(members)
    ]
    return (sa.union_all(plain, *literal_rows) if literal_rows else plain).subquery("digits")


def _ratings(source: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    """What counts as a rating for agreement: a given label of the label stage."""
    return [source.c.stage == "label", source.c.status != "skipped", source.c.label.is_not(None)]


def _codes(digits: sa.Subquery, words: int, prefix: str = "code") -> list[sa.ColumnElement]:
    return [sa.cast(sa.func.sum(digits.c[f"digit_{w}"]), sa.BigInteger).label(f"{prefix}_{w}") for w in range(words)]


def coded_items(source: sa.FromClause, digits: sa.Subquery, words: int, facts: tuple[str, ...]) -> sa.Select:
    """One row per rated item: its id, these columns of the source, how many ratings it has and their code."""
    c = source.c
    columns = [c[name] for name in facts]
    return (
        sa.select(c.item_id, *columns, sa.func.count().label("ratings"), *_codes(digits, words))
        .select_from(source.join(digits, sa.and_(digits.c.project_id == c.project_id, digits.c.label == c.label)))
        .where(*_ratings(source))
        .group_by(c.item_id, *columns)
    )


def agreement(source: sa.FromClause, digits: sa.Subquery, words: int) -> sa.Select:
    """Items counted by their label-count code, with the guideline in force when the item was created."""
    facts = ("created_at", "created_day", "project_id", "language", "policy")
    per_item = coded_items(source, digits, words, facts).subquery("per_item")
    p, g = per_item.c, guideline_periods()
    week = week_of(p.created_day)
    version = sa.func.coalesce(g.c.version, _NOT_RECORDED)
    codes = [p[f"code_{w}"] for w in range(words)]
    return (
        sa.select(
            week.label("week"),
            p.project_id,
            p.language,
            p.policy,
            version.label("guideline_version"),
            *codes,
            p.ratings,
            sa.func.count().label("items"),
        )
        .select_from(
            per_item.outerjoin(
                g,
                sa.and_(
                    g.c.project_id == p.project_id,
                    p.created_at >= g.c.effective_from,
                    sa.or_(g.c.effective_to.is_(None), p.created_at < g.c.effective_to),
                ),
            )
        )
        .group_by(week, p.project_id, p.language, p.policy, version, *codes, p.ratings)
    )


def overlap_sample(source: sa.FromClause, digits: sa.Subquery) -> sa.Select:
    """Single ratings of the first ``SAMPLED_ITEMS`` items with two raters of each project and month.

    First by a checksum of the id: as good as chance, and the same whenever it is asked (where an engine has no hash,
    by the id itself). The window's first are enough: the first of a month are among the first of each part of it.
    """
    c = source.c
    joined = source.join(digits, sa.and_(digits.c.project_id == c.project_id, digits.c.label == c.label))
    overlapped = (
        sa.select(c.item_id, c.chance, c.project_id, c.created_day)
        .select_from(joined)
        .where(*_ratings(source))
        .group_by(c.item_id, c.chance, c.project_id, c.created_day)
        .having(sa.func.count(sa.distinct(c.rater_id)) > 1)
        .subquery("overlapped")
    )
    o = overlapped.c
    place = sa.func.row_number().over(
        partition_by=(o.project_id, month_of(o.created_day)), order_by=(o.chance, o.item_id)
    )
    placed = sa.select(o.item_id, place.label("place")).subquery("placed")
    keys = (c.created_day, c.project_id, c.language, c.policy, c.item_id, c.chance, c.rater_id, c.label)
    return (
        sa.select(c.created_day.label("day"), *keys[1:], sa.func.count().label("ratings"))
        .select_from(joined.join(placed, placed.c.item_id == c.item_id))
        .where(placed.c.place <= SAMPLED_ITEMS, *_ratings(source))
        .group_by(*keys)
    )


# ---- flow ------------------------------------------------------------------------------------------------------


def item_lives(zone: str, created: Window) -> sa.Select:
    """Items counted by the days they were created, due and closed: every flow figure follows from these."""
    i = t.items.c
    in_time = sa.case(
        (sa.and_(i.closed_at.is_not(None), i.due_at.is_not(None), i.closed_at <= i.due_at), _ONE), else_=_ZERO
    )
    keys = (
        business_day(i.created_at, zone).label("created_day"),
        i.project_id,
        i.language,
        i.policy,
        business_day(i.due_at, zone).label("due_day"),
        business_day(i.closed_at, zone).label("closed_day"),
        in_time.label("in_time"),
    )
    return (
        sa.select(*keys, sa.func.count().label("items"))
        .where(*created.on(i.created_at))
        .group_by(*(k.element if isinstance(k, sa.Label) else k for k in keys))
    )


def promises(zone: str, created: Window) -> sa.Select:
    """Items counted by the hours from creation to when they are due, to the nearest hour, by week of creation."""
    i = t.items.c
    hours = seconds_between(i.created_at, i.due_at) / _number(3600.0)
    # Half an hour goes up on every engine, also on those that count seconds in fractions of days.
    hours = sa.cast(sa.func.floor(hours + _number(0.500001)), sa.Integer)
    keys = (week_of(business_day(i.created_at, zone)), i.project_id, i.language, i.policy, hours)
    return (
        sa.select(keys[0].label("week"), *keys[1:4], hours.label("hours"), sa.func.count().label("items"))
        .where(i.due_at.is_not(None), *created.on(i.created_at))
        .group_by(*keys)
    )


def turnaround(zone: str, closed: Window) -> sa.Select:
    """Histogram of hours from creation to closing, by week of closing."""
    i = t.items.c
    bucket = _bucket(seconds_between(i.created_at, i.closed_at))
    week = week_of(business_day(i.closed_at, zone))
    return (
        sa.select(
            week.label("week"), i.project_id, i.language, i.policy, bucket.label("bucket"), sa.func.count().label("n")
        )
        .where(i.closed_at.is_not(None), *closed.on(i.closed_at))
        .group_by(week, i.project_id, i.language, i.policy, bucket)
    )


def claim_time(zone: str, created: Window) -> sa.Select:
    """Histogram of the time from creation to the last claim, by weeks of creation and of the claim."""
    i = t.items.c
    bucket = _bucket(seconds_between(i.created_at, i.claimed_at))
    weeks = (week_of(business_day(i.created_at, zone)), week_of(business_day(i.claimed_at, zone)))
    keys = (i.project_id, i.language, i.policy)
    return (
        sa.select(
            weeks[0].label("created_week"),
            weeks[1].label("week"),
            *keys,
            bucket.label("bucket"),
            sa.func.count().label("n"),
        )
        .where(i.claimed_at.is_not(None), *created.on(i.created_at))
        .group_by(*weeks, *keys, bucket)
    )


# ---- small facts -----------------------------------------------------------------------------------------------


def appeal_facts(zone: str) -> sa.Select:
    """Appeals filed, decided and overturned, by the day filed."""
    p, i = t.appeals.c, t.items.c
    keys = (business_day(p.filed_at, zone).label("day"), i.project_id, i.language, i.policy)
    return (
        sa.select(
            *keys,
            sa.func.count().label("appeals_filed"),
            sa.func.count(p.decided_at).label("appeals_decided"),
            _sum(sa.and_(p.decided_at.is_not(None), p.overturned), "appeals_overturned"),
        )
        .select_from(t.appeals.join(t.items, p.item_id == i.item_id))
        .group_by(keys[0].element, *keys[1:])
    )


def appeal_time(zone: str) -> sa.Select:
    """Histogram of the time from filing to decision, by week of decision."""
    p, i = t.appeals.c, t.items.c
    bucket = _bucket(seconds_between(p.filed_at, p.decided_at))
    week = week_of(business_day(p.decided_at, zone))
    return (
        sa.select(
            week.label("week"), i.project_id, i.language, i.policy, bucket.label("bucket"), sa.func.count().label("n")
        )
        .select_from(t.appeals.join(t.items, p.item_id == i.item_id))
        .where(p.decided_at.is_not(None))
        .group_by(week, i.project_id, i.language, i.policy, bucket)
    )


def shift_facts(has_available: bool = True) -> sa.Select:
    """Hours by day and pool; ``available_active_seconds`` are those of shifts whose available time is known."""
    s, r = t.shifts.c, t.raters.c
    available = s.available_seconds if has_available else sa.cast(sa.null(), sa.Double)
    idle = sa.case((s.logged_seconds > s.active_seconds, s.logged_seconds - s.active_seconds), else_=0.0)
    return (
        sa.select(
            s.work_date.label("day"),
            r.pool_id,
            sa.func.count().label("rater_days"),
            _sum_of(s.scheduled_seconds, "scheduled_seconds"),
            _sum_of(s.logged_seconds, "logged_seconds"),
            _sum_of(s.active_seconds, "active_seconds"),
            _sum_of(s.sensitive_seconds, "sensitive_seconds"),
            _sum_of(idle, "idle_seconds"),
            _sum_of(available, "available_seconds"),
            _sum_of(s.active_seconds, "available_active_seconds", available.is_not(None)),
            _sum(s.sensitive_seconds > SENSITIVE_CAP_HOURS * 3600.0, "cap_breaches"),
        )
        .select_from(t.shifts.join(t.raters, s.rater_id == r.rater_id))
        .group_by(s.work_date, r.pool_id)
    )


def training_facts() -> sa.Select:
    """Courses by the day they were due."""
    c = t.trainings.c
    done = c.completed_on.is_not(None)
    return (
        sa.select(
            c.due_on.label("day"),
            c.rater_id,
            sa.func.count().label("due"),
            _sum(sa.and_(done, c.completed_on <= c.due_on), "completed_in_time"),
            _sum(sa.and_(done, c.passed.is_not(None)), "attempted"),
            _sum(sa.and_(done, c.passed), "passed"),
        )
        .where(c.due_on.is_not(None))
        .group_by(c.due_on, c.rater_id)
    )


def comparison_facts(zone: str) -> sa.Select:
    """Decided comparisons by day, project and rater, and in how many the answer shown first was chosen."""
    c = t.comparisons.c
    day = business_day(c.submitted_at, zone)
    return (
        sa.select(
            day.label("day"),
            c.project_id,
            c.rater_id,
            sa.func.count().label("decided"),
            _sum(c.choice == c.first_shown, "first_chosen"),
        )
        .where(c.choice != "tie")
        .group_by(day, c.project_id, c.rater_id)
    )


def cost_facts() -> sa.Select:
    """Money by day, project and pool, one column a kind."""
    c = t.costs.c
    return sa.select(
        c.cost_date.label("day"),
        c.project_id,
        c.pool_id,
        _sum_of(c.amount, "cost"),
        *(_sum_of(c.amount, f"cost_{kind}", c.kind == kind) for kind in t.COST_KINDS),
    ).group_by(c.cost_date, c.project_id, c.pool_id)


def escalation_facts(zone: str) -> sa.Select:
    """Escalations by the day they were opened."""
    e = t.escalations.c
    day = business_day(e.opened_at, zone)
    return sa.select(day.label("day"), e.project_id, e.pool_id, sa.func.count().label("escalations")).group_by(
        day, e.project_id, e.pool_id
    )
