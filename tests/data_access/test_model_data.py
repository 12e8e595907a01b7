"""Batches, lineage and case pairs from the snapshot against pandas on the raw rows."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from data_access import model_data, refresh
from data_access import tables as t
from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from tests.data_access import oracle, toy, worlds
from tests.data_access.worlds import EVERYONE, OFFSET_HOURS, SEEDS, ZONES

LEAST = 4
LINK = replace(Scope.stakeholder(), minimum_raters=LEAST, minimum_items=0)
PER_POOL = replace(EVERYONE, pools=frozenset({"Q1", "Q3"}), projects=frozenset({"P1", "P2"}))
BY = (("batch",), ("batch", "pool"), ("batch", "language", "policy"), ("batch", "guideline_version"))
MARCH = toy.START
# a sum of the batches' work: the oracle's column of the same judgements
SUMS = {
    "judgements": "done",
    "labels": "labels",
    "accepted": "accepted",
    "rejected": "rejected",
    "decided": "decided",
    "rework": "rework",
    "first_accepted": "first_accepted",
    "first_decided": "first_decided",
    "gold_n": "gold",
    "gold_correct": "gold_right",
    "gold_harmless_n": "gold_harmless",
    "gold_overreached": "gold_over",
    "gold_violating_n": "gold_violating",
    "gold_missed": "gold_missed",
    "audited_n": "audited",
    "audited_passed": "passed",
    "audited_critical": "critical",
    "audited_weight": "w",
    "audited_weight_squared": "w_squared",
    "audited_weight_passed": "w_pass",
    "audited_weight_critical": "w_critical",
    "handle_n": "timed_usual",
    "handle_sum_log": "log_usual",
}
BEHIND = {"gold": "gold", "audi": "audited", "hand": "timed"}


def frames(seed: int) -> dict[str, pd.DataFrame]:
    """A toy warehouse with two time bases, and models trained on its batches."""
    found = toy.with_a_lost_batch(toy.frames(seed))
    r = np.random.default_rng([seed, 2])
    notes = found["annotations"]
    notes["time_basis"] = np.where(r.random(len(notes)) < 0.3, "lead", "active")
    batches = found["batches"]
    named = [f"D{name[2:]}" if r.random() < 0.7 else None for name in batches["batch_id"]]
    batches["dataset_version"] = named
    datasets = batches.dropna(subset=["dataset_version"])
    found["dataset_versions"] = pd.DataFrame(
        {
            "dataset_version": datasets["dataset_version"],
            "project_id": datasets["project_id"],
            "built_at": [MARCH + dt.timedelta(days=int(d)) for d in r.integers(15, 40, len(datasets))],
        }
    )
    versions = [f"m{k}" for k in range(6)]
    found["model_versions"] = pd.DataFrame(
        {
            "model_version": versions,
            "product": ["A", "A", "A", "B", "A", "B"],
            "base_model": "base",
            "dataset_version": [*r.choice(datasets["dataset_version"], 5), "gone"],
            "trained_at": [MARCH + dt.timedelta(days=int(d)) for d in r.permutation(30)[:6]],
            "released_at": None,
        }
    )
    found["model_metrics"] = pd.DataFrame(
        [
            (v, "P2" if v == "m1" else None, None, None, b, "score", 0.5, 10, MARCH + dt.timedelta(days=int(d)), True)
            for b in ("x", "y")
            for v, d in zip(versions, r.permutation(60)[:6], strict=True)
            if not (b == "y" and v in ("m0", "m2"))  # whose place is when they were trained
        ],
        columns=[c.name for c in t.model_metrics.columns],
    )
    found["case_results"] = pd.DataFrame(
        [
            (v, b, f"c{k}", ["en", "th", None][k % 3], "spam" if b == "x" else None, bool(r.random() < 0.7))
            for b in ("x", "y")
            for v in versions
            for k in range(40)
            if r.random() < 0.9
        ],
        columns=[c.name for c in t.case_results.columns],
    )
    found["incidents"] = pd.DataFrame(
        {
            "incident_id": ["N1", "N2"],
            "occurred_at": MARCH,
            "detected_at": MARCH,
            "resolved_at": None,
            "product": "A",
            "policy": None,
            "language": None,
            "severity": 1,
            "model_version": ["m0", None],
            "summary": "words",
        }
    )
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A world per seed: DuckDB in two zones, and SQLite."""
    made = {}
    for seed in SEEDS:
        ours = frames(seed)
        settings = worlds.written(tmp_path_factory.mktemp(f"models{seed}"), seed, ours)
        refresh.refresh(settings)
        rows = oracle.judged(ours, OFFSET_HOURS[ZONES[seed]])
        made[seed] = worlds.World(ours, rows, settings, Snapshot(settings.snapshot))
    yield made
    for world in made.values():
        world.snapshot.close()


def by_the_close(world: worlds.World) -> pd.DataFrame:
    """The judgements that came by their batch's close, with the columns that ``SUMS`` names."""
    rows = world.rows.merge(world.frames["items"][["item_id", "batch_id"]], on="item_id")
    rows = rows.merge(world.frames["batches"][["batch_id", "closed_at"]], on="batch_id")
    usual = world.rows.groupby(["project", "time_basis"])["timed"].sum().unstack().idxmax(axis=1)
    late = pd.to_datetime(rows["closed_at"]) < rows["submitted_at"]
    on_usual = rows["time_basis"] == rows["project"].map(usual)
    return rows.assign(
        labels=rows["done"] * (rows["stage"] == "label"),
        rejected=rows["decided"] - rows["accepted"],
        passed=rows["audited"] * (rows["verdict"] == "pass"),
        critical=rows["audited"] * (rows["verdict"] == "critical"),
        w_squared=rows["w"] ** 2,
        timed_usual=rows["timed"] * on_usual,
        log_usual=np.log(rows["seconds"].where(on_usual & (rows["seconds"] > 0), 1.0)),
    )[~late.to_numpy()]


def scoped(rows: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    return worlds.narrowed(rows, Filters(), scope)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("scope", [EVERYONE, PER_POOL], ids=["everyone", "pools"])
def test_sums_of_batches_are_those_of_the_judgements_by_the_close(found, seed, by, scope):
    rows = scoped(by_the_close(found[seed]), scope)
    keys = ["batch_id", "project", *by[1:]]
    wanted = rows.groupby(keys)[list(SUMS.values())].sum().reset_index()
    got = model_data.batch_sums(found[seed].snapshot, scope, by).rename(columns={"project_id": "project"})
    assert list(got) == [*keys, *SUMS]
    wanted.columns = [*keys, *SUMS]
    pd.testing.assert_frame_equal(got, wanted, check_dtype=False)
    assert got.attrs["withheld"] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_worlds_hold_what_the_close_decides(found, seed):
    world = found[seed]
    rows = world.rows.merge(world.frames["items"][["item_id", "batch_id"]], on="item_id")
    batches = set(world.frames["batches"]["batch_id"])
    kept = by_the_close(world)
    late = len(rows[rows["batch_id"].isin(batches)]) - len(kept)
    assert late > 20
    assert kept["closed_at"].isna().any(), "an open batch"
    audits = world.frames["audits"].set_index("annotation_id")["audited_at"]
    assert (kept["annotation_id"].map(audits) > pd.to_datetime(kept["closed_at"])).any(), "an audit after the close"
    assert set(rows["batch_id"].dropna()) - batches == {"lost"}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", [("batch",), ("batch", "language", "policy")])
def test_items_of_batches_are_all_of_them(found, seed, by):
    world = found[seed]
    items = world.frames["items"][world.frames["items"]["batch_id"].isin(world.frames["batches"]["batch_id"])]
    keys = ["batch_id", "project_id", *by[1:]]
    wanted = items.groupby(keys).size().rename("items").reset_index()
    pd.testing.assert_frame_equal(
        model_data.batch_items(world.snapshot, EVERYONE, by), wanted, check_dtype=False, check_like=True
    )
    assert model_data.batch_items(world.snapshot, PER_POOL, by).empty, "no pool owns an item"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", [("batch",), ("batch", "policy"), ("batch", "language", "policy")])
def test_labels_of_a_policy_or_language_have_an_age_of_their_own(found, seed, by):
    """The middle of the weeks their items were created in, by items; whole batches as the lineage has them."""
    world = found[seed]
    weeks = world.snapshot.table("batch_items")
    wanted = {}
    for key, rows in weeks.groupby(["batch_id", *by[1:]]):
        middle = [pd.Timestamp(week).timestamp() + 3.5 * 86_400 for week in rows["week"]]
        wanted[key] = np.average(middle, weights=rows["items"])
    got = model_data.labelled_at(world.snapshot, EVERYONE, by)
    keys = list(got[["batch_id", *by[1:]]].itertuples(index=False, name=None))
    assert len(keys) == len(set(keys)) == len(wanted)
    for key, when in zip(keys, got["labelled_at"], strict=True):
        assert abs(when.timestamp() - wanted[key]) <= 0.005 * 86_400 + 1
    if by == ("batch",):
        whole = model_data.lineage(world.snapshot, EVERYONE).batches.set_index("batch_id")["labelled_at"].dropna()
        assert got.set_index("batch_id")["labelled_at"].to_dict() == whole.to_dict()
    inside = set(model_data.lineage(world.snapshot, PER_POOL).batches["batch_id"])
    assert set(model_data.labelled_at(world.snapshot, PER_POOL, by)["batch_id"]) == inside & {k[0] for k in wanted}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", [("batch",), ("batch", "language", "policy")])
def test_patterns_of_batches_are_those_of_the_ratings_by_the_close(found, seed, by):
    rows = by_the_close(found[seed])
    rated = rows[(rows["stage"] == "label") & (rows["done"] == 1)]
    wanted: dict[tuple, Counter] = {}
    for (_, *key), votes in rated.groupby(["item_id", "batch_id", "project", *by[1:]])["label"]:
        pattern = tuple(int((votes == label).sum()) for label in toy.LABELS[key[1]])
        wanted.setdefault(tuple(key), Counter())[pattern] += 1
    got = {}
    for keys, parts in model_data.batch_patterns(found[seed].snapshot, EVERYONE, by):
        ((patterns, label_set),) = parts
        assert list(keys) == ["batch", "project", *by[1:]]
        assert list(label_set.labels) == toy.LABELS[keys["project"]]
        counted = zip(map(tuple, patterns.counts.tolist()), patterns.items.tolist(), strict=True)
        got[tuple(keys.values())] = sum((Counter({p: int(n)}) for p, n in counted), Counter())
    assert got == wanted


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", BY)
def test_a_link_shows_no_sum_of_few_raters(found, seed, by):
    rows = by_the_close(found[seed])
    keys = ["batch_id", *by[1:]]

    def raters(column: str) -> dict[tuple, int]:
        counted = rows[rows[column] > 0].groupby(keys)["rater"].nunique()
        return {key if isinstance(key, tuple) else (key,): n for key, n in counted.items()}

    behind = {name: raters(name) for name in ("done", "gold", "audited", "timed")}
    every = model_data.batch_sums(found[seed].snapshot, EVERYONE, by)
    got = model_data.batch_sums(found[seed].snapshot, LINK, by).set_index(keys)
    few = {key for key, n in behind["done"].items() if n < LEAST}
    assert set(got.attrs["withheld"]) == few
    shown = 0
    for row in every.to_dict("records"):
        key = tuple(row[name] for name in keys)
        if key in few:
            continue
        ours = got.loc[key if len(key) > 1 else key[0]]
        for column in SUMS:
            base = BEHIND.get(column[:4], "done")
            if 0 < behind[base].get(key, 0) < LEAST:
                assert np.isnan(ours[column]), column
            else:
                assert ours[column] == row[column]
                shown += 1
    assert shown
    assert few or by == ("batch",)
    patterns = (
        model_data.batch_patterns(found[seed].snapshot, LINK, by) if set(by) <= {"batch", "language", "policy"} else []
    )
    assert not few & {tuple(keys[name.removesuffix("_id")] for name in ["batch_id", *by[1:]]) for keys, _ in patterns}


def test_a_link_shows_no_batch_of_few_judgements(found):
    scope = replace(LINK, minimum_raters=0, minimum_items=20)
    every = model_data.batch_sums(found[1].snapshot, EVERYONE)
    got = model_data.batch_sums(found[1].snapshot, scope)
    assert list(got["batch_id"]) == list(every.loc[every["judgements"] >= 20, "batch_id"])
    assert 0 < len(got) < len(every)


def test_only_what_batches_are_kept_by_can_be_asked(found):
    for by in ((), ("pool",), ("batch", "rater")):
        with pytest.raises(ValueError, match="the batch always among them"):
            model_data.batch_sums(found[1].snapshot, EVERYONE, by)
    with pytest.raises(ValueError, match="Batches are kept by batch, language, policy"):
        model_data.batch_patterns(found[1].snapshot, EVERYONE, ("batch", "pool"))


# ---- cases -----------------------------------------------------------------------------------------------------


def pairs_of(frames: dict[str, pd.DataFrame]) -> dict[tuple, tuple[int, int, int, int]]:
    """Common cases of consecutive versions, case by case."""
    results, measured = frames["case_results"], frames["model_metrics"]
    models = frames["model_versions"].set_index("model_version")
    first = measured.groupby(["benchmark", "model_version"])["measured_at"].min().to_dict()
    wanted: dict[tuple, list[int]] = {}
    for benchmark, ours in results.groupby("benchmark"):
        for _, versions in models.groupby("product"):
            when = {v: first.get((benchmark, v), versions.loc[v, "trained_at"]) for v in versions.index}
            order = sorted(set(ours["model_version"]) & set(when), key=when.get)
            for before, now in itertools.pairwise(order):
                was = ours[ours["model_version"] == before].set_index("case_id")["passed"].to_dict()
                for case in ours[ours["model_version"] == now].to_dict("records"):
                    if case["case_id"] in was:
                        kind_of = (case[c] if isinstance(case[c], str) else None for c in ("language", "policy"))
                        key = (benchmark, now, before, *kind_of)
                        kind = {(1, 1): 0, (1, 0): 1, (0, 1): 2, (0, 0): 3}[was[case["case_id"]], case["passed"]]
                        wanted.setdefault(key, [0, 0, 0, 0])[kind] += 1
    return {key: tuple(found) for key, found in wanted.items()}


def shown_pairs(snapshot: Snapshot, scope: Scope = EVERYONE) -> dict[tuple, tuple[int, int, int, int]]:
    rows = model_data.case_pairs(snapshot, scope).astype(object)
    rows = rows.where(rows.notna(), None)
    keys = zip(
        *(rows[c] for c in ("benchmark", "model_version", "previous_version", "language", "policy")), strict=True
    )
    return dict(
        zip(
            keys, rows[["both_passed", "lost", "gained", "both_failed"]].itertuples(index=False, name=None), strict=True
        )
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_case_pairs_are_those_counted_case_by_case(found, seed):
    wanted = pairs_of(found[seed].frames)
    assert shown_pairs(found[seed].snapshot) == wanted
    assert len({key[:3] for key in wanted}) == 8
    assert all(sum(counts[k] for counts in wanted.values()) for k in range(4))


@pytest.mark.parametrize("seed", [1, worlds.ON_SQLITE])
def test_a_corrected_case_is_seen_by_the_next_refresh(tmp_path, seed):
    ours = frames(seed)
    settings = worlds.written(tmp_path, seed, ours)
    refresh.refresh(settings)
    engine = sa.create_engine(settings.warehouse_url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(t.case_results.update().values(passed=True))
    engine.dispose()
    assert refresh.refresh(settings).kind == "incremental"
    snapshot = Snapshot(settings.snapshot)
    assert {counts[1:] for counts in shown_pairs(snapshot).values()} == {(0, 0, 0)}
    snapshot.close()


# ---- lineage ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_lineage_leads_from_batches_to_incidents(found, seed):
    world = found[seed]
    got = model_data.lineage(world.snapshot, EVERYONE)
    batches = world.frames["batches"]
    pd.testing.assert_frame_equal(
        got.batches[["batch_id", "dataset_version"]].sort_values("batch_id", ignore_index=True),
        batches[["batch_id", "dataset_version"]],
        check_dtype=False,
    )
    labels = by_the_close(world).groupby("batch_id")["labels"].sum()
    items = world.frames["items"].groupby("batch_id").size()
    for row in got.batches.to_dict("records"):
        assert row["labels"] == labels.get(row["batch_id"], 0)
        assert row["items"] == items.get(row["batch_id"], 0)
    owner = dict(zip(batches["dataset_version"], batches["project_id"], strict=True))
    models = world.frames["model_versions"]
    project = {v: owner.get(d) for v, d in zip(models["model_version"], models["dataset_version"], strict=True)}
    assert {
        m["model_version"]: m["project"] if isinstance(m["project"], str) else None
        for m in got.models.to_dict("records")
    } == project
    measured = got.measures.set_index(["model_version", "benchmark"])["project"]
    assert measured["m1", "x"] == "P2", "what the measure names comes before the model's"
    assert measured["m3", "x"] == project["m3"]
    assert dict(zip(got.incidents["incident_id"], got.incidents["project"].notna(), strict=True)) == {
        "N1": True,
        "N2": False,
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_lineage_and_pairs_keep_to_the_scope(found, seed):
    world = found[seed]
    every = model_data.lineage(world.snapshot, EVERYONE)
    for project in toy.LABELS:
        scope = replace(EVERYONE, projects=frozenset({project}))
        for name, whole in every._asdict().items():
            part = getattr(model_data.lineage(world.snapshot, scope), name)
            assert part.shape[0] == int((whole["project"] == project).sum()), name
            assert set(part["project"]) <= {project}
        ours = set(every.models.loc[every.models["project"] == project, "model_version"])
        wanted = {k: v for k, v in shown_pairs(world.snapshot).items() if k[1] in ours}
        assert shown_pairs(world.snapshot, scope) == wanted


def test_no_scope_no_rows(found):
    snapshot = found[1].snapshot
    for scope in (Scope(), replace(EVERYONE, pools=frozenset())):
        frames = [*model_data.lineage(snapshot, scope), model_data.case_pairs(snapshot, scope)]
        frames += [model_data.batch_sums(snapshot, scope), model_data.batch_items(snapshot, scope)]
        assert all(frame.empty and frame.attrs["reason"] == "nothing here is shared with you" for frame in frames)
        assert model_data.batch_patterns(snapshot, scope) == []


def test_a_reader_of_pools_sees_their_labels_and_no_items(found):
    got = model_data.lineage(found[1].snapshot, PER_POOL).batches
    labels = scoped(by_the_close(found[1]), PER_POOL).groupby("batch_id")["labels"].sum()
    assert got["items"].isna().all()
    assert dict(zip(got["batch_id"], got["labels"], strict=True)) == {b: labels.get(b, 0) for b in got["batch_id"]}


def test_without_the_tables_there_is_a_reason(tmp_path):
    settings = worlds.written(tmp_path, 1, frames(1))
    refresh.refresh(settings)
    engine = sa.create_engine(settings.warehouse_url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        for name in ("batches", "case_results", "model_versions", "model_metrics"):
            connection.execute(sa.text(f"DROP TABLE {name}"))
    engine.dispose()
    assert refresh.refresh(settings).kind == "incremental"
    snapshot = Snapshot(settings.snapshot)
    frames_ = [model_data.batch_sums(snapshot, EVERYONE), model_data.batch_items(snapshot, EVERYONE)]
    frames_ += [model_data.lineage(snapshot, EVERYONE).batches]
    assert [f.attrs["reason"] for f in frames_] == ['the warehouse has no table "batches"'] * 3
    assert model_data.case_pairs(snapshot, EVERYONE).attrs["reason"] == 'the warehouse has no table "case_results"'
    assert all(f.empty for f in frames_)
    snapshot.close()
