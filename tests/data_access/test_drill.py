"""Drill-through against pandas on the raw rows: what is read, for whom, how much, and what when it takes too long."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from data_access import drill
from data_access.filters import Filters, Scope
from data_access.settings import Settings
from metrics.errors import NotAllowed, WarehouseUnavailable
from tests.data_access import oracle, toy, worlds
from tests.data_access.worlds import EVERYONE, OFFSET_HOURS, ON_SQLITE, SEEDS, ZONES, narrowed

QUICK = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
COLUMNS = [
    "annotation_id",
    "item_id",
    "rater_id",
    "project_id",
    "pool_id",
    "language",
    "policy",
    "label",
    "gold_label",
    "guideline_version",
    "submitted_at",
    "handle_seconds",
]
ONE = {"rater": "rater_id", "project": "project_id", "pool": "pool_id"}


def given_labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Labels of the label stage, in the order they are read."""
    rows = rows[(rows["stage"] == "label") & (rows["status"] != "skipped") & rows["label"].notna()]
    return rows.sort_values(["item_id", "submitted_at", "annotation_id"], kind="stable")


def same(got: pd.DataFrame, want: pd.DataFrame, frames: dict[str, pd.DataFrame]) -> None:
    """The rows read are these, in this order, with these values."""
    assert list(got.columns) == COLUMNS
    assert got["annotation_id"].tolist() == want["annotation_id"].tolist()
    for name in ("rater", "project", "pool"):
        assert got[ONE[name]].tolist() == want[name].tolist()
    for name in ("item_id", "language", "policy", "label"):
        assert got[name].tolist() == want[name].tolist()
    assert [None if pd.isna(v) else v for v in got["gold_label"]] == [
        None if pd.isna(v) else v for v in want["gold_label"]
    ]
    assert pd.to_datetime(got["submitted_at"]).tolist() == want["submitted_at"].tolist()
    raw = frames["annotations"].set_index("annotation_id")["guideline_version"]
    assert [None if pd.isna(v) else v for v in got["guideline_version"]] == [
        None if pd.isna(raw[a]) else raw[a] for a in got["annotation_id"]
    ]
    seconds = [np.nan if v is None else float(v) for v in got["handle_seconds"]]
    np.testing.assert_allclose(seconds, want["handle_seconds"].astype(float).to_numpy(), equal_nan=True)


# ---- ratings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", list(worlds.VALUES))
def test_every_filter_narrows_ratings(found, seed, name):
    world = found[seed]
    for value in worlds.VALUES[name]:
        filters = Filters.of({name: [value]})
        got = drill.ratings(world.settings, filters, EVERYONE)
        same(got.rows, given_labels(narrowed(world.rows, filters)), world.frames)
        assert got.one_in == 1 and not got.cut


@given(st.data())
@settings(max_examples=40, **QUICK)
def test_ratings_are_those_of_pandas(found, data):
    world = found[data.draw(st.sampled_from(SEEDS))]
    filters, scope = data.draw(worlds.filters()), data.draw(worlds.scopes())
    which = data.draw(st.sampled_from([drill.ALL, drill.GOLD, drill.OVERLAP]))
    peers_of = data.draw(st.just("") | st.sampled_from(worlds.VALUES["rater"]))
    most = data.draw(st.sampled_from([1, 5, 40, 10_000]))
    rows = given_labels(narrowed(world.rows, filters, scope))
    if which == drill.GOLD:
        rows = rows[rows["gold_label"].notna()]
    if which == drill.OVERLAP:
        rows = rows[rows.groupby("item_id")["rater"].transform("nunique") > 1]
    if peers_of:
        rows = rows[rows["item_id"].isin(rows.loc[rows["rater"] == peers_of, "item_id"])]
    got = drill.ratings(world.settings, filters, scope, which=which, peers_of=peers_of, most=most)
    kept = rows if len(rows) <= most else rows.head(most)[lambda r: r["item_id"] != rows["item_id"].iloc[most]]
    same(got.rows, kept, world.frames)
    assert got.cut == (len(rows) > most)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cap_itself_is_not_a_cut(found, seed):
    world = found[seed]
    count = len(given_labels(world.rows))
    assert not drill.ratings(world.settings, Filters(), EVERYONE, most=count).cut
    less = drill.ratings(world.settings, Filters(), EVERYONE, most=count - 1)
    last = given_labels(world.rows)["item_id"].iloc[-1]
    whole = (given_labels(world.rows)["item_id"] != last).sum()
    assert less.cut and len(less.rows) == whole and last not in set(less.rows["item_id"])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("one_in", [2, 3, 10])
def test_one_in_reads_whole_items_and_about_so_many(found, seed, one_in):
    world = found[seed]
    every = drill.ratings(world.settings, Filters(), EVERYONE).rows
    got = drill.ratings(world.settings, Filters(), EVERYONE, one_in=one_in)
    assert got.one_in == one_in
    chosen = set(got.rows["item_id"])
    whole = every[every["item_id"].isin(chosen)]
    assert got.rows["annotation_id"].tolist() == whole["annotation_id"].tolist()
    items, share = every["item_id"].nunique(), 1 / one_in
    assert abs(len(chosen) - items * share) < 4 * np.sqrt(items * share * (1 - share)) + 1
    again = drill.ratings(world.settings, Filters(), EVERYONE, one_in=one_in).rows
    assert again["annotation_id"].tolist() == got.rows["annotation_id"].tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rater_s_peers_are_everyone_on_the_same_items(found, seed):
    world = found[seed]
    got = drill.ratings(world.settings, Filters(), EVERYONE, peers_of="R1").rows
    theirs = set(got.loc[got["rater_id"] == "R1", "item_id"])
    assert theirs == set(got["item_id"])
    assert got["rater_id"].nunique() > 1
    rows = given_labels(world.rows)
    assert len(got) == rows["item_id"].isin(theirs).sum()


@pytest.mark.parametrize("seed", SEEDS)
def test_days_are_days_of_the_business_time_zone(found, seed):
    world = found[seed]
    day = toy.START.date() + dt.timedelta(days=5)
    got = drill.ratings(world.settings, Filters.of({}, day, day), EVERYONE).rows
    moments = pd.to_datetime(got["submitted_at"]) + pd.Timedelta(hours=OFFSET_HOURS[ZONES[seed]])
    assert len(got) and set(moments.dt.date) == {day}


# ---- scope -----------------------------------------------------------------------------------------------------

READS = {
    "ratings": lambda s, scope: drill.ratings(s, Filters(), scope).rows,
    "hours_into_shift": lambda s, scope: drill.hours_into_shift(s, Filters(), scope),
    "gold_met": lambda s, scope: drill.gold_met(s, Filters(), scope),
}


@pytest.mark.parametrize("read", list(READS))
@pytest.mark.parametrize(
    "scope",
    [
        Scope(),
        Scope.stakeholder(),
        Scope.stakeholder(["P1"]),
        replace(EVERYONE, pseudonymous=True),
        replace(EVERYONE, minimum_raters=5),
    ],
)
def test_who_may_not_see_raters_reads_no_row(found, read, scope, monkeypatch):
    monkeypatch.setattr(drill, "_read", lambda *_: pytest.fail("the warehouse was asked"))
    assert not scope.sees_raters
    with pytest.raises(NotAllowed, match="those who manage them"):
        READS[read](found[1].settings, scope)


@pytest.mark.parametrize("read", list(READS))
@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_reads_nothing(found, seed, read):
    for narrow in ({"projects": frozenset()}, {"pools": frozenset()}):
        scope = replace(EVERYONE, **narrow)
        assert scope.is_nobody
        assert READS[read](found[seed].settings, scope).empty
        assert drill.gold_pool(found[seed].settings, (), scope) == 0


@pytest.mark.parametrize("read", list(READS))
@pytest.mark.parametrize("seed", SEEDS)
def test_a_scope_narrows_to_its_projects_and_pools(found, seed, read):
    world = found[seed]
    scope = replace(EVERYONE, projects=frozenset({"P1", "P3"}), pools=frozenset({"Q2"}))
    got = READS[read](world.settings, scope)
    raters = world.frames["raters"].set_index("rater_id")["pool_id"]
    assert len(got) and {raters[r] for r in got["rater_id"]} == {"Q2"}
    if "project_id" in got:
        assert set(got["project_id"]) <= {"P1", "P3"}
    assert len(got) <= len(READS[read](world.settings, EVERYONE))


# ---- hours into a shift ----------------------------------------------------------------------------------------


def at_work(frames: dict[str, pd.DataFrame], seed: int) -> dict[str, pd.DataFrame]:
    """The same judgements, in shifts of six to eleven hours that begin at any time of the day."""
    random = np.random.default_rng(seed)
    notes = frames["annotations"].copy()
    moments = {}
    for _, part in notes.groupby("rater_id"):
        at = toy.START + dt.timedelta(hours=float(random.integers(0, 24)))
        left = 0.0
        for index in random.permutation(part.index.to_numpy()):
            if left <= 0:
                at += dt.timedelta(hours=float(random.uniform(4.05, 15)))
                left = float(random.uniform(6, 11))
            step = float(random.choice([0, 0.25, 0.5, 1, 2, 3.9, 4]))  # exactly four hours is still the same shift
            moments[index], left = at, left - step
            at += dt.timedelta(hours=step)
    notes["submitted_at"] = pd.Series(moments)
    return {**frames, "annotations": notes}


def plain(value: object) -> object:
    return None if pd.isna(value) else value


def hours_by_hand(world_rows: pd.DataFrame, filters: Filters, scope: Scope) -> Counter:
    """(rater, hour, kind of item) -> (n, wrong) by a plain loop; the shift is that of all the rater's work."""
    cells: Counter = Counter()
    chosen = set(narrowed(world_rows, filters, scope)["annotation_id"])
    work = world_rows[world_rows["status"] != "skipped"]
    for rater, part in work.sort_values(["rater", "submitted_at"]).groupby("rater"):
        began = before = None
        for row in part.itertuples():
            if before is None or (row.submitted_at - before).total_seconds() > 4 * 3600:
                began = row.submitted_at
            before = row.submitted_at
            if row.annotation_id not in chosen or pd.isna(row.gold_label) or pd.isna(row.label):
                continue
            hour = int((row.submitted_at - began).total_seconds() // 3600)
            kind = (row.project, plain(row.language), plain(row.policy))
            cells[rater, hour, kind, "n"] += 1
            cells[rater, hour, kind, "wrong"] += row.label != row.gold_label
    return cells


@pytest.fixture(scope="module")
def shifts(tmp_path_factory):
    """Per seed the settings and judged rows of a warehouse whose raters work in shifts."""
    made = {}
    for seed in SEEDS:
        frames = at_work(toy.frames(seed), seed)
        ours = worlds.written(tmp_path_factory.mktemp(f"shifts{seed}"), seed, frames)
        made[seed] = (ours, oracle.judged(frames, OFFSET_HOURS[ZONES[seed]]))
    return made


def agrees(got: pd.DataFrame, want: Counter) -> None:
    counted = {
        (r.rater_id, int(r.hour), (r.project_id, plain(r.language), plain(r.policy)), name): int(getattr(r, name))
        for r in got.itertuples()
        for name in ("n", "wrong")
    }
    assert len(counted) == 2 * len(got)
    assert {k: v for k, v in counted.items() if v} == {k: v for k, v in want.items() if v}


@pytest.mark.parametrize("seed", SEEDS)
def test_hours_into_shift_are_those_of_a_plain_loop(shifts, seed):
    ours, rows = shifts[seed]
    got = drill.hours_into_shift(ours, Filters(), EVERYONE)
    assert got["hour"].max() >= 5
    agrees(got, hours_by_hand(rows, Filters(), EVERYONE))
    assert list(got.columns) == ["rater_id", "pool_id", "hour", "project_id", "language", "policy", "n", "wrong"]


@given(st.data())
@settings(max_examples=30, phases=[Phase.generate], **QUICK)
def test_a_filter_chooses_judgements_and_does_not_move_the_start_of_a_shift(shifts, data):
    ours, rows = shifts[data.draw(st.sampled_from(SEEDS))]
    filters, scope = data.draw(worlds.filters()), data.draw(worlds.scopes())
    agrees(drill.hours_into_shift(ours, filters, scope), hours_by_hand(rows, filters, scope))


# ---- gold ------------------------------------------------------------------------------------------------------


@given(st.data())
@settings(max_examples=30, **QUICK)
def test_gold_met_is_that_of_pandas(found, data):
    world = found[data.draw(st.sampled_from(SEEDS))]
    filters, scope = data.draw(worlds.filters()), data.draw(worlds.scopes())
    rows = narrowed(world.rows, filters, scope)
    rows = rows[rows["status"] != "skipped"]
    gold = rows[rows["gold_label"].notna()]
    want = pd.DataFrame({"judgements": rows.groupby("rater").size()})
    want["gold_judgements"] = gold.groupby("rater").size()
    want["distinct_gold"] = gold.groupby("rater")["item_id"].nunique()
    got = drill.gold_met(world.settings, filters, scope)
    assert got["rater_id"].tolist() == want.index.tolist()
    for name in want:
        assert got[name].astype(int).tolist() == want[name].fillna(0).astype(int).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gold_pool_counts_items(found, seed):
    world = found[seed]
    items = world.frames["items"]
    gold = items[items["gold_label"].notna()]
    assert drill.gold_pool(world.settings, (), EVERYONE) == len(gold)
    for projects in (("P1",), ("P1", "P3"), ("nowhere",)):
        assert drill.gold_pool(world.settings, projects, EVERYONE) == gold["project_id"].isin(projects).sum()
    scope = replace(EVERYONE, projects=frozenset({"P2"}))
    assert drill.gold_pool(world.settings, (), scope) == (gold["project_id"] == "P2").sum()
    assert drill.gold_pool(world.settings, ("P1",), scope) == 0


# ---- broken ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [*READS, "gold_pool"])
@pytest.mark.parametrize("backend", ["duckdb", "sqlite"])
def test_a_warehouse_that_is_gone_is_one_sentence(tmp_path, read, backend):
    gone = Settings(f"{backend}:///{tmp_path / 'gone.db'}", tmp_path / "s.duckdb", "")
    asked = READS.get(read) or (lambda s, scope: drill.gold_pool(s, (), scope))
    with pytest.raises(WarehouseUnavailable, match="There is no warehouse file") as caught:
        asked(gone, EVERYONE)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("seed", [1, ON_SQLITE])
def test_a_warehouse_without_the_tables_is_one_sentence(tmp_path, seed):
    ours = worlds.written(tmp_path, seed, {})
    engine = sa.create_engine(ours.warehouse_url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE annotations"))
    engine.dispose()
    with pytest.raises(WarehouseUnavailable, match="does not answer") as caught:
        drill.ratings(ours, Filters(), EVERYONE)
    assert len(str(caught.value).splitlines()) == 1


def counting(seed: int) -> sa.Select:
    """A statement that takes an embedded engine minutes."""
    if seed == ON_SQLITE:
        return sa.text(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 2e9) SELECT COUNT(*) FROM n"
        )
    return sa.text("SELECT SUM(a.range * b.range % 7) FROM range(10000000) a, range(100000) b")


@pytest.mark.parametrize("seed", [1, ON_SQLITE])
def test_a_statement_that_takes_too_long_is_stopped_with_a_remedy(found, monkeypatch, seed):
    monkeypatch.setattr(drill, "SECONDS", 0.3)
    started = time.monotonic()
    with pytest.raises(WarehouseUnavailable, match=r"took longer than 0\.3 seconds: choose a shorter period"):
        drill._read(found[seed].settings, counting(seed))
    assert time.monotonic() - started < 20
    monkeypatch.undo()
    assert len(drill.ratings(found[seed].settings, Filters(), EVERYONE).rows)  # the next reader is served


@pytest.mark.parametrize("seed", [1, ON_SQLITE])
def test_a_quick_statement_leaves_no_timer_behind(found, monkeypatch, seed):
    monkeypatch.setattr(drill, "SECONDS", 0.5)
    first = drill.ratings(found[seed].settings, Filters(), EVERYONE).rows
    time.sleep(0.7)
    assert len(drill.ratings(found[seed].settings, Filters(), EVERYONE).rows) == len(first)


def test_only_a_reader_who_sees_raters_has_a_scope_that_says_so():
    assert EVERYONE.sees_raters
    assert Scope(frozenset({"manager"}), None, frozenset({"Q1"}), pseudonymous=False, minimum_raters=1).sees_raters
    for scope in (Scope(), Scope.stakeholder(), Scope(frozenset({"lead"}), None, None, pseudonymous=False)):
        assert not scope.sees_raters
