"""From labels to models, read from the snapshot: batches, datasets, model versions, benchmarks, incidents.

Every function takes the reader's scope; no scope, no rows. Quality is as of each batch's close, see batch_marts.py.
A reader with a minimum group sees no row of fewer raters or labels than that, and of gold, audits and handle times
only sums that enough raters stand behind: the others are empty. What is withheld is named in ``attrs["withheld"]``.
A frame without rows says why in ``attrs["reason"]``.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
import sqlalchemy as sa

from data_access import dimensions as dim
from data_access import selects
from data_access.batch_marts import BATCH_WORK
from data_access.dimensions import expression
from data_access.filters import Filters, Scope
from data_access.privacy import FAMILIES, too_few
from data_access.snapshot import Snapshot
from metrics.shapes import Parts, group_patterns

BY = {
    "batch_sum": ("batch", "pool", "language", "policy", "guideline_version"),
    "batch_patterns": ("batch", "language", "policy"),
    "batch_items": ("batch", "language", "policy"),
}
WHOLE = ("batch",)
EPOCH = pd.Timestamp("2020-01-01")
BEHIND = {
    column: next((base for start, base in FAMILIES.items() if column.startswith(start)), "judgements")
    for column in BATCH_WORK.sums
}
"""The column that says which raters stand behind a sum of the batches' work."""
_BASES = tuple(dict.fromkeys(BEHIND.values()))


class Lineage(NamedTuple):
    """How labels reached models, one frame a step; ids that lead nowhere are kept as they are.

    batches: batch_id, project, closed_at (NaT while open), dataset_version (None while not yet used), items (all of the
    batch), labels (judged by its close), labelled_at (the middle of the weeks its items were created in, by items).
    datasets: dataset_version, project, built_at. models: model_version, project (of its dataset; None where that is not
    known), product, base_model, dataset_version, trained_at, released_at. measures: model_version, project (the one it
    names, or the model's), language, policy, benchmark, metric, value, n, measured_at, higher_is_better. incidents:
    incident_id, occurred_at, detected_at, resolved_at, product, project (the model's), policy, language, severity,
    model_version, summary. Times are UTC.
    """

    batches: pd.DataFrame
    datasets: pd.DataFrame
    models: pd.DataFrame
    measures: pd.DataFrame
    incidents: pd.DataFrame


def lineage(snapshot: Snapshot, scope: Scope) -> Lineage:
    """Batches, datasets, models, benchmark values and incidents of the scope's projects.

    A reader of single pools sees the models of the projects, their own labels, and no items (None), which no pool owns.
    A model, measure or incident that leads to no project is shown to readers of all projects alone.
    """
    batches, *others = (_within(rows, scope) for rows in _linked(snapshot))
    sums = {"items": batch_items(snapshot, scope), "labels": batch_sums(snapshot, scope)}
    known = scope.pools is None
    for name, found in sums.items():
        number = batches["batch_id"].map(dict(zip(found["batch_id"], found[name].astype(float), strict=True)))
        hidden = batches["batch_id"].isin([key[0] for key in found.attrs["withheld"]])
        batches[name] = number.fillna(0.0).where(~hidden & (known or name == "labels"))
    batches["labelled_at"] = pd.to_datetime(batches["batch_id"].map(_labelled_at(snapshot, ()).to_dict()))
    names = ("batches", "dataset_versions", "model_versions", "model_metrics", "incidents")
    parts = zip((batches, *others), names, strict=True)
    return Lineage(*(_said(rows, snapshot, name, scope) for rows, name in parts))


def batch_sums(
    snapshot: Snapshot,
    scope: Scope,
    by: Sequence[str] = WHOLE,
    filters: Filters = Filters(),  # noqa: B008  frozen
) -> pd.DataFrame:
    """Sums of the work in each batch: batch_id, project_id, the rest of ``by``, and BATCH_WORK's sums as numbers.

    by: batch, and any of pool, language, policy, guideline_version. Judgements by the batch's close; their gold and
    audits whenever made; handle times on the time basis that most of the project's work has. The filters' days are
    those of the weeks in which items were created. Raises ValueError for another dimension.
    """
    by = _known("batch_sum", by)
    question, values = selects.ask("batch_sum", (by,), (filters,), scope)
    keys = ["batch_id", "project_id", *by]
    rows = pd.DataFrame(snapshot.columns(_in_order(question, (), BATCH_WORK.sums), values))
    hidden = rows["judgements"] < scope.minimum_items
    if scope.minimum_raters:
        question, values = selects.ask("batch_work", (by,), (filters,), scope)
        raters = rows[keys].merge(pd.DataFrame(snapshot.columns(_raters(question), values)), how="left", on=keys)
        few = {base: too_few(raters[base].to_numpy(), scope) for base in _BASES}
        hidden |= few["judgements"]
        for column, base in BEHIND.items():
            rows[column] = rows[column].mask(few[base])
    found = rows[~hidden].reset_index(drop=True)
    found.attrs["withheld"] = list(rows.loc[hidden, ["batch_id", *by]].itertuples(index=False, name=None))
    return _said(found, snapshot, "batches", scope)


def batch_items(
    snapshot: Snapshot,
    scope: Scope,
    by: Sequence[str] = WHOLE,
    filters: Filters = Filters(),  # noqa: B008  frozen
) -> pd.DataFrame:
    """How many items each batch has, judged or not: batch_id, project_id, the rest of ``by``, items.

    by: batch, and any of language, policy. No rater's work can be read off it, so nothing is withheld.
    """
    by = _known("batch_items", by)
    question, values = selects.ask("batch_items", (by,), (filters,), scope)
    found = pd.DataFrame(snapshot.columns(_in_order(question, (), ("items",)), values))
    found.attrs["withheld"] = []
    return _said(found, snapshot, "batches", scope)


def labelled_at(snapshot: Snapshot, scope: Scope, by: Sequence[str] = WHOLE) -> pd.DataFrame:
    """When the labels of each batch were asked for on average: batch_id, the rest of ``by``, labelled_at in UTC.

    by: batch, and any of language, policy. The middle of the weeks the items were created in, by items.
    """
    by = _known("batch_items", by)
    found = _labelled_at(snapshot, by).rename("labelled_at").reset_index()
    batches = _within(_linked(snapshot)[0], scope)["batch_id"]
    return found[found["batch_id"].isin(batches)].reset_index(drop=True)


def batch_patterns(
    snapshot: Snapshot,
    scope: Scope,
    by: Sequence[str] = WHOLE,
    filters: Filters = Filters(),  # noqa: B008  frozen
) -> list[tuple[dict[str, object], Parts]]:
    """Each batch's items by label counts as of its close: what agreement within a batch is made of.

    by: batch, and any of language, policy; the keys of a group are batch, project and these. One entry of parts, since
    a batch has one project; none where the project's agreement is not kept. A batch's groups that too few raters or
    labels stand behind are left out.
    """
    by = _known("batch_patterns", by)
    question, values = selects.ask("batch_patterns", (by,), (filters,), scope)
    codes = tuple(f"code_{w}" for w in range(snapshot.code_words))
    rows = snapshot.columns(_in_order(question, codes, ("items",)), values)
    frame = pd.DataFrame({name: rows[name] for name in ("batch_id", "project_id", *by)})
    if scope.minimum_raters or scope.minimum_items:
        shown = batch_sums(snapshot, scope, ("batch", *by), filters)[["batch_id", *by]].assign(shown=True)
        kept = frame.merge(shown, how="left", on=["batch_id", *by])["shown"].notna().to_numpy()
        frame, rows = frame[kept], {name: column[kept] for name, column in rows.items()}
    grouping = frame.groupby(["batch_id", "project_id", *by], sort=True)
    keys = grouping.size().reset_index().rename(columns={"batch_id": "batch", "project_id": "project"})
    names = ["batch", "project", *by]
    found = group_patterns(rows, grouping.ngroup().to_numpy(), len(keys), snapshot.label_sets)
    return list(zip(keys[names].to_dict("records"), found, strict=True))


def case_pairs(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """Common cases of consecutive versions of a benchmark: benchmark, model_version, previous_version, project (the
    model's), language, policy, and how many cases both_passed, lost (passed before, fails now), gained, both_failed.

    Consecutive by when they were first measured on it, or else trained; language and policy are the cases', None where
    they have none. No rater stands behind it.
    """
    rows = snapshot.table("case_pairs")
    models = _linked(snapshot)[2]
    rows.insert(
        3, "project", rows["model_version"].map(dict(zip(models["model_version"], models["project"], strict=True)))
    )
    found = _within(rows.sort_values(["benchmark", "model_version", "language", "policy"]), scope)
    return _said(found, snapshot, "case_results", scope)


# ---- parts of these --------------------------------------------------------------------------------------------


def _known(mart: str, by: Sequence[str]) -> tuple[str, ...]:
    """What is asked beside the batch, in the mart's order."""
    wrong = [name for name in by if name not in BY[mart]]
    if wrong or "batch" not in by:
        raise ValueError(f"Batches are kept by {', '.join(BY[mart])}, the batch always among them, not {list(by)}.")
    return tuple(name for name in BY[mart] if name in by and name != "batch")


@functools.lru_cache(maxsize=200)
def _in_order(question: selects.Question, codes: tuple[str, ...], columns: tuple[str, ...]) -> sa.Select:
    """Sums of a mart of batches: batch_id, project_id, the question's dimensions, codes, columns; in that order."""
    keys = ("batch_id", "project_id", *question.dimensions, *codes)
    rows = selects.counts_by(question, ("batch_id", "project_id", *codes), columns).order_by(None).subquery("rows").c
    return sa.select(*(rows[name] for name in (*keys, *columns))).order_by(*(rows[name] for name in keys))


@functools.lru_cache(maxsize=200)
def _raters(question: selects.Question) -> sa.Select:
    """How many raters stand behind each kind of sum, by group of the batches' work."""
    source = dim.SOURCES["batch_work"]
    c = source.table.c
    keys = [c.batch_id, c.project_id, *(expression(source, name).label(name) for name in question.dimensions)]
    elements = [key.element if isinstance(key, sa.Label) else key for key in keys]
    sums = [sa.func.sum(c[base]).label(base) for base in _BASES]
    each = selects.narrowed(question).with_only_columns(*keys, *sums).group_by(*elements, c.rater_id).subquery("each").c
    over = [each[key.name] for key in keys]
    counts = [sa.cast(sa.func.sum(sa.case((each[b] > 0, 1), else_=0)), sa.BigInteger).label(b) for b in _BASES]
    return sa.select(*over, *counts).group_by(*over)


@functools.lru_cache(maxsize=4)
def _linked(snapshot: Snapshot) -> tuple[pd.DataFrame, ...]:
    """Batches, datasets, models, measures and incidents of all projects, with their project: read once a snapshot.

    A model is its dataset's project's, whatever the reader's scope.
    """
    batches, datasets, models, measures, incidents = (
        snapshot.table(name).rename(columns={"project_id": "project"})
        for name in ("batch", "dataset_version", "model_version", "model_metric", "incident")
    )
    owner = dict(zip(datasets["dataset_version"], datasets["project"], strict=True))
    models.insert(1, "project", models["dataset_version"].map(owner).astype(object))
    whose = dict(zip(models["model_version"], models["project"], strict=True))
    of_model = measures["model_version"].map(whose).astype(object)
    measures["project"] = measures["project"].where(measures["project"].notna(), of_model)
    incidents.insert(5, "project", incidents["model_version"].map(whose).astype(object))
    return batches, datasets, models, measures, incidents


@functools.lru_cache(maxsize=12)
def _labelled_at(snapshot: Snapshot, by: tuple[str, ...]) -> pd.Series:
    """When the labels of each batch were asked for on average, by batch and ``by``: a date, whoever reads it."""
    rows = snapshot.table("batch_items")
    middle = pd.to_datetime(rows["week"]) + pd.Timedelta(days=3.5)
    days = (middle - EPOCH) / pd.Timedelta(days=1)
    sums = pd.DataFrame({"day": days * rows["items"], "items": rows["items"]})
    sums = sums.groupby([rows[name] for name in ("batch_id", *by)]).sum()
    return EPOCH + pd.to_timedelta((sums["day"] / sums["items"]).round(2), unit="D")


def _within(rows: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """The rows whose project the scope allows."""
    if scope.is_nobody:
        rows = rows.iloc[:0]
    elif scope.projects is not None:
        rows = rows[rows["project"].isin(scope.projects)]
    return rows.reset_index(drop=True)


def _said(rows: pd.DataFrame, snapshot: Snapshot, table: str, scope: Scope) -> pd.DataFrame:
    """The rows; where there are none, with the reason in words."""
    if len(rows):
        rows.attrs["reason"] = ""
    elif scope.is_nobody:
        rows.attrs["reason"] = "nothing here is shared with you"
    else:
        sources = snapshot.table("source").set_index("table_name")
        there = table in sources.index and bool(sources.loc[table, "present"])
        rows.attrs["reason"] = (
            f"no {table.replace('_', ' ')} in view" if there else (f'the warehouse has no table "{table}"')
        )
    return rows
