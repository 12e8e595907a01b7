"""Counts from the snapshot for the statistics that are more than a metric: confusions, patterns, raters' cells."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import sqlalchemy as sa

from data_access import dimensions as dim
from data_access import privacy, selects
from data_access.dimensions import expression, why_not
from data_access.filters import Filters, Scope, dimension
from data_access.snapshot import Snapshot
from metrics.shapes import LabelSet, Parts, group_patterns

AXES = ("pool", "site", "region", "vendor", "rater_language", "locale", "gender", "age_band")  # groups of raters


def counts(
    snapshot: Snapshot,
    mart: str,
    columns: Sequence[str],
    by: Sequence[str],
    filters: Filters,
    scope: Scope,
    extra: Sequence[str] = (),
    shown: bool = False,
) -> pd.DataFrame:
    """Sums of a mart's columns over groups, as they are: ``by``, the mart's own keys ``extra``, and the columns.

    ``shown``: the reader sees these very groups, so those too small for the scope are left out and named in
    ``attrs["withheld"]``. Without it they are parts of larger sums, and whoever shows those withholds. Raises
    NotAllowed when single raters are asked for and the scope does not show them, ValueError when the mart does not keep
    a dimension or filter.
    """
    by = [dimension(name) for name in by]
    privacy.check_people((*by, *extra, *(name for name, _ in filters.where)), scope)
    source = dim.SOURCES[mart]
    for name in (*by, *(name for name, _ in filters.where)):
        if expression(source, name) is None:
            raise ValueError(why_not(source, name))
    question, values = selects.ask(mart, (by,), (filters,), scope)
    rows = pd.DataFrame(snapshot.columns(selects.counts_by(question, tuple(extra), tuple(columns)), values))
    if not shown:
        return rows
    behind = privacy.denominators(columns)
    return _large_enough(snapshot, mart, rows, columns[0], behind, tuple(by), tuple(extra), filters, scope)


def _large_enough(
    snapshot: Snapshot,
    mart: str,
    rows: pd.DataFrame,
    size: str,
    behind: tuple[str, ...],
    by: tuple[str, ...],
    extra: tuple[str, ...],
    filters: Filters,
    scope: Scope,
) -> pd.DataFrame:
    """The rows of groups with enough behind them: raters with each column of ``behind``, and a sum of ``size``."""
    if rows.empty or mart in privacy.NO_RATERS or not (scope.minimum_raters or scope.minimum_items):
        return rows
    groups = {name: name for name in by}
    groups |= {name: f"{name}_id" for name in ("project", "pool") if f"{name}_id" in extra and name not in by}
    if not groups:
        keys = [()] * len(rows)
    else:
        keys = list(zip(*(rows[column].tolist() for column in groups.values()), strict=True))
    hidden = np.zeros(len(rows), bool)
    for column in behind:
        raters = privacy.raters_behind(snapshot, tuple(groups), filters, scope, column)
        hidden |= privacy.too_few(np.array([raters.get(key, 0) for key in keys]), scope)
    number, _ = pd.factorize(np.array([*map(str, keys)], object))
    hidden |= np.bincount(number, rows[size].to_numpy(float))[number] < scope.minimum_items
    found = rows[~hidden].reset_index(drop=True)
    found.attrs["withheld"] = sorted({key for key, gone in zip(keys, hidden, strict=True) if gone}, key=str)
    return found


def confusion(
    snapshot: Snapshot, filters: Filters, scope: Scope, by: Sequence[str] = (), basis: str = "gold"
) -> pd.DataFrame:
    """How often each label was given where another was right: ``by``, project_id, truth, label, n, weight.

    ``basis`` is gold or audit; the weight of an audit is the judgements it stands for. By week, project, pool,
    language and policy.
    """
    found = counts(
        snapshot, "confusion", ("n", "weight"), by, filters, scope, ("project_id", "basis", "truth", "label")
    )
    found = found[found["basis"] == basis].drop(columns="basis").reset_index(drop=True)
    known = ("gold_n",) if basis == "gold" else ("audited_n",)  # who worked says nothing of who met a known answer
    return _large_enough(snapshot, "confusion", found, "n", known, tuple(by), ("project_id",), filters, scope)


def patterns(
    snapshot: Snapshot, filters: Filters, scope: Scope, by: Sequence[str] = ()
) -> list[tuple[dict[str, object], Parts]]:
    """Each group's items by label counts, one entry per label set: what every rater-free coefficient is made of.

    By week, project, language, policy and guideline version. They are parts of larger groups, as a rule: who shows them
    withholds the small ones.
    """
    codes = tuple(f"code_{w}" for w in range(snapshot.code_words))
    rows = counts(snapshot, "agreement", ("items",), by, filters, scope, ("project_id", *codes))
    if not by:
        group, keys = np.zeros(len(rows), np.int64), [{}]
    else:
        grouping = rows.groupby(list(by), sort=True, dropna=False)
        group = grouping.ngroup().to_numpy()
        keys = grouping.size().reset_index()[list(by)].to_dict("records")
    columns = {name: rows[name].to_numpy() for name in rows}
    found = group_patterns(columns, group, len(keys), snapshot.label_sets)
    return list(zip(keys, found, strict=True))


def sampled_ratings(snapshot: Snapshot, axis: str, filters: Filters, scope: Scope) -> pd.DataFrame:
    """Single ratings of a sample of the items with two raters, a rating a row: what groups of raters agree on.

    Columns: project_id, policy, item and rater (numbers that name nobody), label, group (of the rater on ``axis``, one
    of AXES; None where not known), language (the rater's). Up to marts.SAMPLED_ITEMS items of a project and month of
    creation, whole. Filters that the sample does not keep (see ``kept``) do not narrow it. Raises ValueError for
    another axis.
    """
    _known_axis(axis)
    question, values = selects.ask("overlap_sample", ((),), (kept(filters),), scope)
    rows = pd.DataFrame(snapshot.columns(_sampled(question), values))
    item, rater = pd.factorize(rows["item_id"])[0], pd.factorize(rows["rater_id"])
    people = _people(snapshot).set_index("rater_id").reindex(rater[1])
    group, language = people[_column(axis)], people["language"].fillna("")
    return rows[["project_id", "policy", "label"]].assign(
        item=item,
        rater=rater[0],
        group=group.where(group.notna(), None).to_numpy(object)[rater[0]],
        language=language.to_numpy(object)[rater[0]],
    )


def kept(filters: Filters) -> Filters:
    """The filters, over the same days, that the sample of ratings keeps: those on the item."""
    source = dim.SOURCES["overlap_sample"]
    where = {name: values for name, values in filters.where if expression(source, name) is not None}
    return Filters.of(where, filters.start, filters.end)


def raters_in_groups(snapshot: Snapshot, axis: str, filters: Filters, scope: Scope) -> dict[str, int]:
    """How many raters of each group judged something in the period, under the filters that ``kept`` leaves."""
    _known_axis(axis)
    question, values = selects.ask("work", (("pool",),), (kept(filters),), scope)
    active = pd.DataFrame({"rater_id": snapshot.columns(_active(question), values)["rater_id"]})
    return _people(snapshot).merge(active, on="rater_id")[_column(axis)].dropna().value_counts().to_dict()


def _known_axis(axis: str) -> None:
    if axis not in AXES:
        raise ValueError(f"Agreement by group is kept over {', '.join(AXES)}, not {axis}.")


def _column(axis: str) -> str:
    """The axis among the columns of ``_people``."""
    return {"pool": "pool_id", "rater_language": "language"}.get(axis, axis)


def _people(snapshot: Snapshot) -> pd.DataFrame:
    pools = snapshot.table("pool")[["pool_id", "site", "region", "vendor"]]
    return snapshot.table("rater").merge(pools, on="pool_id", how="left")


@functools.lru_cache(maxsize=200)
def _sampled(question: selects.Question) -> sa.Select:
    names = ("project_id", "policy", "item_id", "rater_id", "label")
    columns = [sa.literal_column(f'"overlap_sample"."{name}"').label(name) for name in names]
    return selects.narrowed(question).with_only_columns(*columns).order_by(*columns)


@functools.lru_cache(maxsize=200)
def _active(question: selects.Question) -> sa.Select:
    work = dim.SOURCES["work"].table
    return (
        selects.narrowed(question)
        .with_only_columns(work.c.rater_id)
        .where(work.c.judgements > 0)
        .group_by(work.c.rater_id)
    )


def label_set(snapshot: Snapshot, project: str) -> LabelSet | None:
    """The project's declared labels in order, its level and their packing; None without labels."""
    return snapshot.label_sets.get(project)


def violating_labels(snapshot: Snapshot, project: str) -> frozenset[str]:
    """The project's labels that mean a violation."""
    rows = snapshot.table("label")
    rows = rows[(rows["project_id"] == project) & rows["is_violation"].astype(bool)]
    return frozenset(rows["label"])
