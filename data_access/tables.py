"""The warehouse contract: every table Raterscope reads, declared once.

``docs/contract.md`` is generated from these tables, ``doctor`` compares a warehouse with them, the sample
warehouse and the imports create them. Ids are strings of at most 64 characters, times are UTC, a share runs 0 to 1,
money is in one reporting currency. A warehouse may hold more tables and columns than these.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

CONTRACT_VERSION = 1

TASK_TYPES = ("moderation", "labelling", "preference", "red_team", "evaluation")
LABEL_LEVELS = ("nominal", "ordinal", "interval", "set")
STAGES = ("label", "review")
ANNOTATION_STATUSES = ("submitted", "accepted", "rejected", "skipped")
TIME_BASES = ("active", "lead", "suite", "derived", "unknown")
AUDIT_VERDICTS = ("pass", "minor", "major", "critical")
COST_KINDS = ("labour", "review", "rework", "tooling", "training", "fee")
CHANGE_KINDS = ("guideline", "training", "vendor", "tool", "workflow", "staffing", "model")

SET_SEPARATOR = "|"  # a label of a `set` project: its members in alphabetical order, joined by this

metadata = sa.MetaData()


def _may_lack(column: sa.Column) -> sa.Column:
    """A column that a warehouse may do without: only what is read from it is then missing."""
    column.info["may_lack"] = True
    return column


def _id(name: str, comment: str, *, key: bool = False, optional: bool = False, refers_to: str = "") -> sa.Column:
    info = {"refers_to": refers_to} if refers_to else {}
    return sa.Column(
        name,
        sa.String(64),
        primary_key=key,
        nullable=optional,
        autoincrement=False,
        comment=comment,
        info=info,
    )


def _column(
    name: str,
    kind: Any,
    comment: str,
    *,
    optional: bool = False,
    one_of: tuple = (),
    key: bool = False,
) -> sa.Column:
    info = {"one_of": one_of} if one_of else {}
    return sa.Column(name, kind, primary_key=key, nullable=optional, autoincrement=False, comment=comment, info=info)


def _text(name: str, comment: str, **options: Any) -> sa.Column:
    return _column(name, sa.String(), comment, **options)


def _time(name: str, comment: str, **options: Any) -> sa.Column:
    return _column(name, sa.DateTime(), comment, **options)


def _date(name: str, comment: str, **options: Any) -> sa.Column:
    return _column(name, sa.Date(), comment, **options)


def _count(name: str, comment: str, **options: Any) -> sa.Column:
    return _column(name, sa.Integer(), comment, **options)


def _number(name: str, comment: str, **options: Any) -> sa.Column:
    return _column(name, sa.Double(), comment, **options)


def _flag(name: str, comment: str, **options: Any) -> sa.Column:
    return _column(name, sa.Boolean(), comment, **options)


def _table(name: str, comment: str, *columns: sa.Column, optional: bool = False, time: str = "") -> sa.Table:
    """A contract table; ``time`` names the column whose newest value says how fresh the table is."""
    return sa.Table(name, metadata, *columns, comment=comment, info={"optional": optional, "time": time})


projects = _table(
    "projects",
    "One row per labelling project.",
    _id("project_id", "Key.", key=True),
    _text("name", "What readers call it."),
    _text("product", "The product or model family it serves."),
    _text("policy_area", "The field of harm or policy it belongs to."),
    _text("task_type", "The kind of work.", one_of=TASK_TYPES),
    _text("label_level", "The measurement level of its labels.", one_of=LABEL_LEVELS),
    _date("started_on", "First day of work."),
    _date("ended_on", "Last day of work; empty while it runs.", optional=True),
)

labels = _table(
    "labels",
    "The declared label set of each project, in order. A `set` project lists its single members.",
    _id("project_id", "The project.", key=True, refers_to="projects"),
    _id("label", "The label as it stands in annotations; a number for an interval project.", key=True),
    _count("position", "0, 1, 2 ... in the order of the scale."),
    _flag("is_violation", "Whether choosing it means a policy violation."),
    _count("severity", "0 (none) to 3 (severe)."),
)

pools = _table(
    "pools",
    "A group of raters at one site, of one vendor.",
    _id("pool_id", "Key.", key=True),
    _text("name", "What readers call it."),
    _text("vendor", "Who employs the raters."),
    _text("site", "Where they work."),
    _text("region", "The region of the site."),
    _text("timezone", "The site's IANA time zone."),
)

raters = _table(
    "raters",
    "One row per person who labels or reviews, under a pseudonym.",
    _id("rater_id", "Key: a pseudonym or a keyed hash, never a name or an address.", key=True),
    _text("alias", "What roles that manage raters see."),
    _id("pool_id", "The pool.", refers_to="pools"),
    _text("lead", "The team lead's pseudonym.", optional=True),
    _text("language", "The rater's working language."),
    _text("locale", "Language and country."),
    _date("hired_on", "First day."),
    _date("left_on", "Last day; empty while employed.", optional=True),
    _text("gender", "Self-declared; used only in groups of the minimum size.", optional=True),
    _text("age_band", "Self-declared; used only in groups of the minimum size.", optional=True),
)

guidelines = _table(
    "guidelines",
    "The versions of each project's guideline.",
    _id("project_id", "The project.", key=True, refers_to="projects"),
    _id("version", "The version's name.", key=True),
    _time("effective_from", "From when it is in force."),
    _text("summary", "What it changed."),
)

batches = _table(
    "batches",
    "Items delivered together, and the dataset they went into.",
    _id("batch_id", "Key.", key=True),
    _id("project_id", "The project.", refers_to="projects"),
    _time("closed_at", "When its labels were final.", optional=True),
    _id("dataset_version", "The dataset it went into.", optional=True, refers_to="dataset_versions"),
    optional=True,
    time="closed_at",
)

items = _table(
    "items",
    "One row per piece of content to be judged.",
    _id("item_id", "Key.", key=True),
    _id("project_id", "The project.", refers_to="projects"),
    _time("created_at", "When it entered the queue; never changes."),
    _time("due_at", "When a decision is due.", optional=True),
    _time("closed_at", "When the decision was final.", optional=True),
    _text("language", "The language of the content."),
    _text("policy", "The policy it is judged under."),
    _text("content_type", "Text, image, video, dialogue ..."),
    _count("severity", "0 (none) to 3 (severe): how harmful the content is to see."),
    _text("gold_label", "The known answer, on control items only.", optional=True),
    _id("batch_id", "The batch it was delivered in.", optional=True, refers_to="batches"),
    _may_lack(_time("claimed_at", "When a rater took it up; of several times the last.", optional=True)),
    time="created_at",
)

annotations = _table(
    "annotations",
    "One judgement: one rater, one item, one stage. A repeat is kept apart at import and counted.",
    _id("annotation_id", "Key.", key=True),
    _id("item_id", "The item.", refers_to="items"),
    _id("project_id", "The item's project.", refers_to="projects"),
    _id("rater_id", "The rater.", refers_to="raters"),
    _text("stage", "First judgement or review of it.", one_of=STAGES),
    _text("label", "The judgement; empty when skipped.", optional=True),
    _text("status", "What became of it.", one_of=ANNOTATION_STATUSES),
    _time("submitted_at", "When it was submitted: the day the work belongs to."),
    _number("handle_seconds", "Seconds spent on it.", optional=True),
    _text("time_basis", "What those seconds measure; bases are never mixed.", one_of=TIME_BASES),
    _id("guideline_version", "The guideline the rater worked by.", optional=True),
    _flag("is_rework", "Done again after a rejection."),
    time="submitted_at",
)

audits = _table(
    "audits",
    "A second look at a sampled annotation.",
    _id("audit_id", "Key.", key=True),
    _id("annotation_id", "The annotation looked at.", refers_to="annotations"),
    _id("auditor_id", "Who looked, under a pseudonym."),
    _time("audited_at", "When."),
    _text("correct_label", "The label the auditor holds to be right."),
    _text("verdict", "How grave the error is, if any.", one_of=AUDIT_VERDICTS),
    _text("root_cause", "Why, from a stable list.", optional=True),
    _number("weight", "Inverse of the probability of being sampled; at least 1."),
    optional=True,
    time="audited_at",
)

appeals = _table(
    "appeals",
    "A decision contested by the person it concerns.",
    _id("appeal_id", "Key.", key=True),
    _id("item_id", "The item decided on.", refers_to="items"),
    _time("filed_at", "When it was filed."),
    _time("decided_at", "When it was decided.", optional=True),
    _flag("overturned", "Whether the first decision fell.", optional=True),
    optional=True,
    time="filed_at",
)

shifts = _table(
    "shifts",
    "A rater's hours on one day.",
    _id("rater_id", "The rater.", key=True, refers_to="raters"),
    _date("work_date", "The day.", key=True),
    _number("scheduled_seconds", "Planned time."),
    _number("logged_seconds", "Paid time."),
    _number("active_seconds", "Time spent handling items."),
    _number("sensitive_seconds", "Of that, on content of severity 2 or 3."),
    _may_lack(
        _number("available_seconds", "Paid time without breaks, training and wellness: free for items.", optional=True)
    ),
    optional=True,
    time="work_date",
)

costs = _table(
    "costs",
    "Money spent, in the reporting currency.",
    _date("cost_date", "The day.", key=True),
    _id("project_id", "The project.", key=True, refers_to="projects"),
    _id("pool_id", "The pool.", key=True, refers_to="pools"),
    _column("kind", sa.String(64), "What for.", one_of=COST_KINDS, key=True),
    _number("amount", "How much; not negative."),
    optional=True,
    time="cost_date",
)

budgets = _table(
    "budgets",
    "The plan of a project's month.",
    _id("project_id", "The project.", key=True, refers_to="projects"),
    _date("month", "First day of the month.", key=True),
    _number("amount", "Planned spend."),
    _count("planned_labels", "Planned accepted labels."),
    optional=True,
    time="month",
)

trainings = _table(
    "trainings",
    "A course a rater is to take or took.",
    _id("rater_id", "The rater.", key=True, refers_to="raters"),
    _id("course", "The course.", key=True),
    _date("due_on", "By when.", optional=True),
    _date("completed_on", "When completed.", optional=True),
    _number("score", "Score, 0 to 1.", optional=True),
    _flag("passed", "Whether passed.", optional=True),
    _date("expires_on", "Until when it counts.", optional=True),
    optional=True,
    time="completed_on",
)

escalations = _table(
    "escalations",
    "A matter raised beyond the queue.",
    _id("escalation_id", "Key.", key=True),
    _id("project_id", "The project.", refers_to="projects"),
    _id("pool_id", "The pool, where one is concerned.", optional=True, refers_to="pools"),
    _text("kind", "What kind of matter."),
    _count("severity", "0 to 3."),
    _time("opened_at", "When raised."),
    _time("due_at", "By when an answer is due.", optional=True),
    _time("resolved_at", "When resolved.", optional=True),
    _text("summary", "In one sentence."),
    optional=True,
    time="opened_at",
)

changes = _table(
    "changes",
    "What operations changed, and where.",
    _id("change_id", "Key.", key=True),
    _text("kind", "What kind of change.", one_of=CHANGE_KINDS),
    _id("project_id", "The project; empty for all.", optional=True, refers_to="projects"),
    _id("pool_id", "The pool; empty for all.", optional=True, refers_to="pools"),
    _date("starts_on", "First day."),
    _date("ends_on", "Last day; empty when it stays.", optional=True),
    _text("summary", "In one sentence."),
    _may_lack(_flag("randomised", "Whether lots were drawn for who gets it; empty is no.", optional=True)),
    optional=True,
    time="starts_on",
)

targets = _table(
    "targets",
    "What a metric should reach, where and when. The most specific row in force holds.",
    _id("metric", "The metric's name in the catalogue."),
    _id("project_id", "The project; empty for all.", optional=True, refers_to="projects"),
    _id("pool_id", "The pool; empty for all.", optional=True, refers_to="pools"),
    _number("target", "The value to reach; for a band metric its lower end."),
    _number("warn", "The value to worry at; for a band metric its upper end."),
    _date("valid_from", "First day in force."),
    _date("valid_to", "Last day in force; empty while it holds.", optional=True),
    _text("owner", "The role that answers for it.", optional=True),
    optional=True,
    time="valid_from",
)

dataset_versions = _table(
    "dataset_versions",
    "A training set built from batches.",
    _id("dataset_version", "Key.", key=True),
    _id("project_id", "The project.", refers_to="projects"),
    _time("built_at", "When it was built."),
    optional=True,
    time="built_at",
)

model_versions = _table(
    "model_versions",
    "A model trained on a dataset version.",
    _id("model_version", "Key.", key=True),
    _text("product", "The product it serves."),
    _text("base_model", "What it was trained from."),
    _id("dataset_version", "The dataset it was trained on.", refers_to="dataset_versions"),
    _time("trained_at", "When training ended."),
    _time("released_at", "When readers met it.", optional=True),
    optional=True,
    time="trained_at",
)

model_metrics = _table(
    "model_metrics",
    "A benchmark value of a model version.",
    _id("model_version", "The model version.", refers_to="model_versions"),
    _id("project_id", "The project it measures, if one.", optional=True, refers_to="projects"),
    _text("language", "The language it measures, if one.", optional=True),
    _text("policy", "The policy it measures, if one.", optional=True),
    _text("benchmark", "The benchmark."),
    _text("metric", "What it counts."),
    _number("value", "The value."),
    _count("n", "How many cases.", optional=True),
    _time("measured_at", "When measured."),
    _flag("higher_is_better", "Its direction."),
    optional=True,
    time="measured_at",
)

case_results = _table(
    "case_results",
    "What a model version did on one case of a benchmark.",
    _id("model_version", "The model version.", key=True, refers_to="model_versions"),
    _id("benchmark", "The benchmark, as in model_metrics.", key=True),
    _id("case_id", "The case: the same from version to version.", key=True),
    _text("language", "The language of the case, if one.", optional=True),
    _text("policy", "The policy of the case, if one.", optional=True),
    _flag("passed", "Whether the model did what it should."),
    optional=True,
)

incidents = _table(
    "incidents",
    "A model behaving badly in use.",
    _id("incident_id", "Key.", key=True),
    _time("occurred_at", "When it began."),
    _time("detected_at", "When it was seen."),
    _time("resolved_at", "When it was resolved.", optional=True),
    _text("product", "The product."),
    _text("policy", "The policy concerned.", optional=True),
    _text("language", "The language concerned.", optional=True),
    _count("severity", "0 to 3."),
    _id("model_version", "The model version concerned.", optional=True, refers_to="model_versions"),
    _text("summary", "In one sentence."),
    optional=True,
    time="occurred_at",
)

comparisons = _table(
    "comparisons",
    "A rater's choice between two answers.",
    _id("comparison_id", "Key.", key=True),
    _id("project_id", "The project.", refers_to="projects"),
    _id("item_id", "The item.", refers_to="items"),
    _id("rater_id", "The rater.", refers_to="raters"),
    _text("model_a", "Who wrote answer a."),
    _text("model_b", "Who wrote answer b."),
    _text("choice", "The better answer.", one_of=("a", "b", "tie")),
    _text("first_shown", "Which was shown first.", one_of=("a", "b")),
    _count("tokens_a", "Length of a.", optional=True),
    _count("tokens_b", "Length of b.", optional=True),
    _text("ai_choice", "What an AI judge chose.", optional=True, one_of=("a", "b", "tie")),
    _time("submitted_at", "When."),
    optional=True,
    time="submitted_at",
)

attacks = _table(
    "attacks",
    "A red-team attempt against a model.",
    _id("attack_id", "Key.", key=True),
    _id("project_id", "The project.", refers_to="projects"),
    _id("rater_id", "The rater.", refers_to="raters"),
    _id("model_version", "The model attacked.", refers_to="model_versions"),
    _text("policy", "The policy attacked."),
    _text("language", "The language used."),
    _text("technique", "How."),
    _flag("succeeded", "Whether it got through."),
    _count("severity", "0 to 3."),
    _id("duplicate_of", "An earlier attack it repeats.", optional=True, refers_to="attacks"),
    _time("submitted_at", "When."),
    optional=True,
    time="submitted_at",
)

TABLES: tuple[sa.Table, ...] = tuple(metadata.tables.values())
MAY_LACK: tuple[sa.Column, ...] = tuple(c for table in TABLES for c in table.columns if c.info.get("may_lack"))
REQUIRED: tuple[str, ...] = tuple(table.name for table in TABLES if not table.info["optional"])
