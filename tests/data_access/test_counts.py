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

from data_access import counts
from data_access.dimensions import SOURCES
from data_access.filters import DIMENSIONS, Filters, Scope
from metrics.errors import NotAllowed, UnknownName
from metrics.patterns import decode
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


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A world per seed."""
    yield from worlds.built(tmp_path_factory.mktemp)


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
        created_month=created.dt.to_period("M").dt.to_timestamp(),
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
    with pytest.raises(ValueError, match="costs are not kept by language; kept are project"):
        counts.counts(snapshot, "ledger", ["cost"], ["language"], Filters(), EVERYONE)
    with pytest.raises(ValueError, match="not kept by policy"):
        counts.counts(snapshot, "ledger", ["cost"], [], Filters.of({"policy": ["hate"]}), EVERYONE)
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
        assert counts.group_codes(snapshot, "pool", Filters(), scope).empty
        assert counts.raters_in_groups(snapshot, "pool", Filters(), scope) == {}


def test_a_scope_by_pool_sees_no_mart_that_keeps_no_pool(found):
    scope = replace(EVERYONE, pools=frozenset({"Q1"}))
    assert not counts.patterns(found[1].snapshot, Filters(), scope, ["project"])
    assert counts.group_codes(found[1].snapshot, "pool", Filters(), scope).empty


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


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("axis", counts.AXES)
def test_group_codes_are_label_counts_inside_and_in_all(found, seed, axis):
    world = found[seed]
    assert world.snapshot.meta.group_sample == 1
    projects = Filters.of({"project": ["P1", "P3"]})
    rows = rater_labels(world, projects)
    want: Counter = Counter()
    for (project, _), part in rows.groupby(["project", "item_id"]):
        if len(part) < 2:
            continue
        total = tuple(int((part["label"] == label).sum()) for label in toy.LABELS[project])
        for group, ours in part[part[axis_column(axis)].notna()].groupby(axis_column(axis)):
            inside = tuple(int((ours["label"] == label).sum()) for label in toy.LABELS[project])
            want[group, project, inside, total] += 1
    got: Counter = Counter()
    for row in counts.group_codes(world.snapshot, axis, projects, EVERYONE).to_dict("records"):
        encoding = world.snapshot.label_sets[row["project_id"]].encoding
        pair = []
        for side in ("inside", "total"):
            code = np.array([[row[f"{side}_{w}"] for w in range(encoding.words)]], np.int64)
            pair.append(tuple(int(v) for v in decode(code, encoding)[0]))
        got[row["group_name"], row["project_id"], *pair] += row["items"]
    assert got == want


def test_group_codes_count_whole_months(found):
    world = found[1]
    inside = Filters.of({}, dt.date(2026, 3, 10), dt.date(2026, 3, 12))
    whole = Filters.of({}, dt.date(2026, 3, 1), dt.date(2026, 3, 31))
    got, want = (counts.group_codes(world.snapshot, "pool", f, EVERYONE) for f in (inside, whole))
    pd.testing.assert_frame_equal(got, want)
    assert len(got)
    assert counts.group_codes(world.snapshot, "pool", whole.over(dt.date(2026, 5, 2), None), EVERYONE).empty


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (None, None, (None, None)),
        (dt.date(2026, 2, 14), dt.date(2026, 2, 14), (dt.date(2026, 2, 1), dt.date(2026, 2, 28))),
        (dt.date(2024, 1, 31), dt.date(2024, 2, 1), (dt.date(2024, 1, 1), dt.date(2024, 2, 29))),
        (None, dt.date(2026, 12, 31), (None, dt.date(2026, 12, 31))),
    ],
)
def test_months_touched(start, end, months):
    assert counts.months(Filters.of({}, start, end)) == months


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("axis", "project"), list(itertools.product(counts.AXES, [None, "P2"])))
def test_raters_in_groups_are_those_who_judged(found, seed, axis, project):
    world = found[seed]
    filters = Filters.of({"project": [project]} if project else {}, dt.date(2026, 3, 5), dt.date(2026, 3, 9))
    months = filters.over(*counts.months(filters))
    rows = narrowed(world.rows[world.rows["status"] != "skipped"], months)
    want = rows.groupby(axis_column(axis))["rater"].nunique().to_dict()
    assert counts.raters_in_groups(world.snapshot, axis, filters, EVERYONE) == want


@pytest.mark.parametrize("ask", [counts.group_codes, counts.raters_in_groups])
def test_an_axis_that_is_not_kept_is_refused(found, ask):
    with pytest.raises(ValueError, match="kept over pool, site"):
        ask(found[1].snapshot, "shoe_size", Filters(), EVERYONE)


def test_every_summed_column_named_here_is_one_of_the_mart():
    assert set(WORK) <= {c.name for c in SOURCES["work"].table.c}
