"""Counts from the snapshot against pandas and plain loops on the raw rows."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_access import counts, refresh
from data_access.dimensions import SOURCES
from data_access.filters import DIMENSIONS, Filters, Scope
from metrics.errors import NotAllowed, UnknownName
from tests.data_access import toy, worlds
from tests.data_access.worlds import EVERYONE, SEEDS, narrowed

QUICK = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
WEEKLY = ("project", "product", "policy_area", "task_type", "language", "policy")  # kept by every weekly mart
BY_POOL = ("pool", "vendor", "site", "region")
ANY = tuple(d for d in DIMENSIONS if d != "day")
# a summed column of work: the oracle's column of the same judgements
WORK = {
    "served": "all_",
    "judgements": "done",
    "skipped": "skipped",
    "pending": "pending",
    "accepted": "accepted",
    "rework": "rework",
    "first_accepted": "first_accepted",
    "gold_n": "gold",
    "gold_correct": "gold_right",
    "gold_harmless_n": "gold_harmless",
    "gold_overreached": "gold_over",
    "gold_violating_n": "gold_violating",
    "gold_missed": "gold_missed",
    "audited_n": "audited",
    "audited_weight": "w",
    "audited_weight_passed": "w_pass",
    "audited_weight_critical": "w_critical",
    "audited_weight_violating": "w_violating",
    "handle_n": "timed",
    "handle_sum_seconds": "seconds",
}


def plain(value: object) -> object:
    """A key that compares equal whatever reads it."""
    return pd.Timestamp(value) if isinstance(value, (dt.date, pd.Timestamp, np.datetime64)) else value


def keyed(rows: pd.DataFrame, keys: list[str], column: str) -> dict[tuple, float]:
    """Group to sum; empty groups are left out."""
    return {
        tuple(plain(v) for v in key): value
        for *key, value in rows[[*keys, column]].itertuples(index=False, name=None)
        if value
    }


def rater_labels(world: worlds.World, filters: Filters, scope: Scope = EVERYONE) -> pd.DataFrame:
    """Labels of the label stage by the week in which their item was created."""
    rows = world.rows
    shift = pd.Timedelta(hours=worlds.OFFSET_HOURS[world.settings.timezone])
    created = (rows["created_at"] + shift).dt.normalize()
    rows = rows.assign(
        created_week=created - pd.to_timedelta(created.dt.day_of_week, unit="D"),
        created_day=created,
    )
    rows = rows[(rows["stage"] == "label") & (rows["status"] != "skipped") & rows["label"].notna()]
    in_force = world.frames["guidelines"].query("version == 'v2'")["effective_from"].iloc[0]
    rows = rows.assign(guideline_version=np.where(rows["created_at"] >= in_force, "v2", "v1"))
    return narrowed(rows, filters, scope, "created_week")


# ---- plain sums ------------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=50, **QUICK)
def test_counts_of_work_are_sums_of_the_raw_rows(found, data):
    world = found[data.draw(st.sampled_from(SEEDS))]
    filters, scope = data.draw(worlds.filters()), data.draw(worlds.scopes())
    by = data.draw(st.lists(st.sampled_from(ANY), max_size=3, unique=True))
    columns = data.draw(st.lists(st.sampled_from(sorted(WORK)), min_size=1, max_size=4, unique=True))
    got = counts.counts(world.snapshot, "work", columns, by, filters, scope)
    rows = narrowed(world.rows, filters, scope)
    assert set(got.columns) >= {*by, *columns}
    if not by:
        for column in columns:
            total = got[column].iloc[0] if len(got) else 0.0
            assert np.nan_to_num(total) == pytest.approx(rows[WORK[column]].sum())
        return
    for column in columns:
        want = rows.groupby(by, dropna=False)[WORK[column]].sum().reset_index()
        assert keyed(got, by, column) == pytest.approx(keyed(want, by, WORK[column]))
    assert not got[by].duplicated().any()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", list(worlds.VALUES))
def test_every_filter_narrows_counts(found, seed, name):
    world = found[seed]
    for value in worlds.VALUES[name]:
        filters = Filters.of({name: [value]})
        got = counts.counts(world.snapshot, "work", ["judgements"], ["rater"], filters, EVERYONE)
        want = narrowed(world.rows, filters).groupby("rater")["done"].sum().reset_index()
        assert keyed(got, ["rater"], "judgements") == keyed(want, ["rater"], "done")


def test_further_keys_of_the_mart_split_the_groups(found):
    world = found[1]
    got = counts.counts(
        world.snapshot, "work", ["judgements"], ["project"], Filters(), EVERYONE, ("stage", "guideline_version")
    )
    want = world.rows.groupby(["project", "stage", "guideline_version"])["done"].sum().reset_index()
    keys = ["project", "stage", "guideline_version"]
    assert keyed(got, keys, "judgements") == keyed(want, keys, "done")


def test_a_mart_that_does_not_keep_a_dimension_says_which_it_keeps(found):
    snapshot = found[1].snapshot
    with pytest.raises(ValueError, match="costs are not kept by content type; kept are project"):
        counts.counts(snapshot, "ledger", ["cost"], ["content_type"], Filters(), EVERYONE)
    with pytest.raises(ValueError, match="escalations are not kept by policy"):
        counts.counts(snapshot, "escalation_ledger", ["labels"], [], Filters.of({"policy": ["hate"]}), EVERYONE)
    with pytest.raises(UnknownName, match='did you mean "language"'):
        counts.counts(snapshot, "work", ["judgements"], ["langauge"], Filters(), EVERYONE)


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_are_sums_of_the_raw_rows(found, seed):
    world = found[seed]
    costs = world.frames["costs"]
    day = toy.START.date() + dt.timedelta(days=6)
    got = counts.counts(world.snapshot, "ledger", ["cost_review", "cost"], ["project"], Filters.of({}, day), EVERYONE)
    rows = costs[costs["cost_date"] >= day]
    review = rows[rows["kind"] == "review"].groupby("project_id")["amount"].sum()
    for row in got.itertuples():
        assert row.cost_review == pytest.approx(review.get(row.project, 0.0))
        assert row.cost == pytest.approx(rows.loc[rows["project_id"] == row.project, "amount"].sum())


# ---- who may ask -----------------------------------------------------------------------------------------------

OTHERS = [
    Scope.stakeholder(),
    Scope.stakeholder(["P1"]),
    replace(EVERYONE, pseudonymous=True),
    replace(EVERYONE, minimum_raters=5),
]


@pytest.mark.parametrize("scope", OTHERS)
@pytest.mark.parametrize(
    ("by", "where", "extra"),
    [
        (["rater"], {}, ()),
        (["project", "lead"], {}, ()),
        ([], {"rater": ["R1"]}, ()),
        ([], {"lead": ["L1"]}, ()),
        ([], {}, ("rater_id",)),
    ],
)
def test_single_raters_are_for_those_who_manage_them(found, scope, by, where, extra):
    snapshot, filters = found[1].snapshot, Filters.of(where)
    with pytest.raises(NotAllowed, match="those who manage them"):
        counts.counts(snapshot, "work", ["judgements"], by, filters, scope, extra)
    if not extra:
        assert len(counts.counts(snapshot, "work", ["judgements"], by, filters, EVERYONE))


@pytest.mark.parametrize("scope", OTHERS)
def test_groups_stay_open_to_them(found, scope):
    got = counts.counts(found[1].snapshot, "work", ["judgements"], ["project"], Filters(), scope)
    allowed = {"P1"} if scope.projects else {"P1", "P2", "P3"}
    assert set(got["project"]) == allowed


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_counts_nothing(found, seed):
    snapshot = found[seed].snapshot
    for narrow in ({"projects": frozenset()}, {"pools": frozenset()}, {"projects": frozenset(), "pools": frozenset()}):
        scope = replace(EVERYONE, **narrow)
        assert counts.counts(snapshot, "work", ["judgements"], ["project"], Filters(), scope).empty
        assert counts.confusion(snapshot, Filters(), scope).empty
        assert not counts.patterns(snapshot, Filters(), scope, ["project"])
        assert counts.sampled_ratings(snapshot, "pool", Filters(), scope).empty
        assert counts.raters_in_groups(snapshot, "pool", Filters(), scope) == {}


def test_a_scope_by_pool_sees_no_mart_that_keeps_no_pool(found):
    scope = replace(EVERYONE, pools=frozenset({"Q1"}))
    assert not counts.patterns(found[1].snapshot, Filters(), scope, ["project"])
    assert counts.sampled_ratings(found[1].snapshot, "pool", Filters(), scope).empty


# ---- confusion -------------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=40, **QUICK)
def test_confusion_counts_each_pair_of_labels(found, data):
    world = found[data.draw(st.sampled_from(SEEDS))]
    filters = data.draw(worlds.filters((*WEEKLY, *BY_POOL)))
    scope = data.draw(worlds.scopes())
    basis = data.draw(st.sampled_from(["gold", "audit"]))
    by = data.draw(st.lists(st.sampled_from(["week", *WEEKLY, *BY_POOL]), max_size=2, unique=True))
    got = counts.confusion(world.snapshot, filters, scope, by, basis)
    rows = narrowed(world.rows, filters, scope, "week")
    rows = rows[(rows["status"] != "skipped") & rows["label"].notna()]
    truth = "gold_label" if basis == "gold" else "correct_label"
    want_n: Counter = Counter()
    want_weight: Counter = Counter()
    for row in rows[rows[truth].notna()].to_dict("records"):
        key = (*(plain(row[d]) for d in by), row["project"], row[truth], row["label"])
        want_n[key] += 1
        want_weight[key] += 1.0 if basis == "gold" else row["weight"]
    keys = [*by, "project_id", "truth", "label"]
    assert keyed(got, keys, "n") == dict(want_n)
    assert keyed(got, keys, "weight") == pytest.approx(dict(want_weight))
    assert "basis" not in got


# ---- patterns --------------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=30, **QUICK)
def test_patterns_are_the_label_counts_of_items(found, data):
    world = found[data.draw(st.sampled_from(SEEDS))]
    filters = data.draw(worlds.filters(WEEKLY))
    scope = replace(EVERYONE, projects=data.draw(st.sampled_from([None, frozenset({"P1", "P3"})])))
    by = data.draw(st.lists(st.sampled_from(["week", *WEEKLY, "guideline_version"]), max_size=2, unique=True))
    rows = rater_labels(world, filters, scope).rename(columns={"created_week": "a_week"})
    names = ["a_week" if d == "week" else d for d in by]
    want: dict[tuple, Counter] = {}
    for (*key, project, _), part in rows.groupby([*names, "project", "item_id"]):
        counted = tuple(int((part["label"] == label).sum()) for label in toy.LABELS[project])
        want.setdefault(tuple(plain(v) for v in key), Counter())[tuple(toy.LABELS[project]), counted] += 1
    got: dict[tuple, Counter] = {}
    for keys, parts in counts.patterns(world.snapshot, filters, scope, by):
        cell = got.setdefault(tuple(plain(keys[d]) for d in by), Counter())
        for patterns, label_set in parts:
            for counted, items in zip(patterns.counts.astype(int).tolist(), patterns.items.tolist(), strict=True):
                cell[label_set.labels, tuple(counted)] += items
    assert {k: v for k, v in got.items() if v} == want


@pytest.mark.parametrize("seed", SEEDS)
def test_a_project_s_labels_are_as_declared(found, seed):
    world = found[seed]
    for project, labels in toy.LABELS.items():
        label_set = counts.label_set(world.snapshot, project)
        assert label_set.labels == tuple(labels) and label_set.level == toy.LEVELS[project]
        assert counts.violating_labels(world.snapshot, project) == {labels[-1]}
    assert counts.label_set(world.snapshot, "nowhere") is None
    assert counts.violating_labels(world.snapshot, "nowhere") == frozenset()


# ---- groups of raters ------------------------------------------------------------------------------------------


def axis_column(axis: str) -> str:
    return {"pool": "pool", "rater_language": "rater_language"}.get(axis, axis)


def overlapped(world: worlds.World, filters: Filters) -> pd.DataFrame:
    """Ratings of the items that two raters labelled, narrowed by what is known of the item."""
    rows = rater_labels(world, Filters())
    rows = rows[rows.groupby("item_id")["rater"].transform("nunique") > 1]
    return narrowed(rows, filters, time="created_day")


@given(st.data())
@settings(max_examples=25, **QUICK)
def test_sampled_ratings_are_all_ratings_where_few_items_overlap(found, data):
    world = found[data.draw(st.sampled_from(SEEDS))]
    axis = data.draw(st.sampled_from(counts.AXES))
    filters = data.draw(worlds.filters(WEEKLY))
    rows = overlapped(world, filters)
    unknown = "none"
    want = Counter(
        (row["project"], row["policy"], row["label"], plain(row[axis_column(axis)]) or unknown)
        for row in rows.to_dict("records")
    )
    got = counts.sampled_ratings(world.snapshot, axis, filters, EVERYONE)
    assert (
        Counter(zip(got["project_id"], got["policy"], got["label"], got["group"].fillna(unknown), strict=True)) == want
    )
    assert got["item"].nunique() == rows["item_id"].nunique() and got["rater"].nunique() == rows["rater"].nunique()
    pairs = Counter(rows.groupby("item_id")["rater"].nunique())
    assert Counter(got.groupby("item")["rater"].nunique()) == pairs


def test_a_filter_on_raters_leaves_the_sample_whole(found):
    snapshot = found[1].snapshot
    whole = counts.sampled_ratings(snapshot, "pool", Filters.of({"project": ["P1"]}), EVERYONE)
    narrower = Filters.of({"project": ["P1"], "pool": ["Q1"], "rater": ["R1"]})
    pd.testing.assert_frame_equal(counts.sampled_ratings(snapshot, "pool", narrower, EVERYONE), whole)
    assert len(whole) and counts.kept(narrower) == Filters.of({"project": ["P1"]})


def test_the_sample_names_no_rater_to_anyone(found):
    for scope in (EVERYONE, Scope.stakeholder()):
        got = counts.sampled_ratings(found[1].snapshot, "region", Filters(), scope)
        assert set(got) == {"project_id", "policy", "label", "item", "rater", "group", "language"}
        assert len(got) and got["rater"].dtype.kind == got["item"].dtype.kind == "i"


def test_a_month_gives_no_more_items_than_the_sample_takes(tmp_path, monkeypatch):
    monkeypatch.setattr("data_access.marts.grain.SAMPLED_ITEMS", 5)
    monkeypatch.setattr("data_access.windows.ITEMS_PER_WINDOW", 20)  # the month is read in several windows
    frames = toy.frames(SEEDS[0])
    ours = worlds.written(tmp_path, SEEDS[0], frames)
    refresh.refresh(ours)
    world = worlds.world(ours, SEEDS[0], frames)
    rows = overlapped(world, Filters())
    rows = rows.assign(month=rows["created_day"].dt.to_period("M"))
    sizes = rows.groupby(["project", "month"])["item_id"].nunique()
    want = sizes.clip(upper=5).groupby("project").sum().to_dict()
    assert sizes.max() > 5
    got = counts.sampled_ratings(world.snapshot, "pool", Filters(), EVERYONE)
    assert got.groupby("project_id")["item"].nunique().to_dict() == want
    whole = Counter(rows.groupby("item_id")["rater"].nunique())
    assert set(got.groupby("item")["rater"].nunique()) <= set(whole)
    world.snapshot.close()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("axis", "project"), list(itertools.product(counts.AXES, [None, "P2"])))
def test_raters_in_groups_are_those_who_judged(found, seed, axis, project):
    world = found[seed]
    filters = Filters.of({"project": [project]} if project else {}, dt.date(2026, 3, 5), dt.date(2026, 3, 9))
    rows = narrowed(world.rows[world.rows["status"] != "skipped"], filters)
    want = rows.groupby(axis_column(axis))["rater"].nunique().to_dict()
    assert counts.raters_in_groups(world.snapshot, axis, filters, EVERYONE) == want


@pytest.mark.parametrize("ask", [counts.sampled_ratings, counts.raters_in_groups])
def test_an_axis_that_is_not_kept_is_refused(found, ask):
    with pytest.raises(ValueError, match="kept over pool, site"):
        ask(found[1].snapshot, "shoe_size", Filters(), EVERYONE)


def test_every_summed_column_named_here_is_one_of_the_mart():
    assert set(WORK) <= {c.name for c in SOURCES["work"].table.c}
