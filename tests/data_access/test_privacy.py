"""Small groups: a reader with a minimum sees nothing of them, whichever way they ask; raters counted by other means."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from data_access import counts, filter_values, privacy, queries
from data_access.filters import Filters, Scope
from metrics.errors import NotAllowed
from tests.data_access import worlds
from tests.data_access.worlds import EVERYONE, SEEDS

LEAST = 4  # of the nine raters of a toy world
LINK = replace(Scope.stakeholder(), minimum_raters=LEAST, minimum_items=0)
SLICES = ("pool", "language", "site", "vendor", "locale", "tenure_band", "policy")


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A world per seed."""
    yield from worlds.built(tmp_path_factory.mktemp)


def behind(rows: pd.DataFrame, by: list[str], column: str) -> dict[tuple, int]:
    """Raters with something in a column, by group."""
    some = rows[rows[column] > 0]
    if not by:
        return {(): some["rater"].nunique()}
    found = some.groupby(by)["rater"].nunique()
    return {key if isinstance(key, tuple) else (key,): int(n) for key, n in found.items()}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", [[], ["pool"], ["project", "pool"], ["week", "site"], ["tenure_band"]])
@pytest.mark.parametrize(("column", "of"), [("judgements", "done"), ("gold_n", "gold"), ("handle_n", "timed")])
def test_raters_are_counted_who_have_a_denominator(found, seed, by, column, of):
    world = found[seed]
    rows = world.rows.assign(week=world.rows["day"] - pd.to_timedelta(world.rows["day"].dt.day_of_week, unit="D"))
    got = privacy.raters_behind(world.snapshot, by, Filters(), EVERYONE, column)
    got = {tuple(pd.Timestamp(k) if name == "week" else k for name, k in zip(by, key, strict=True)): n
           for key, n in got.items() if n}  # fmt: skip
    assert got == behind(rows, by, of)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", SLICES)
def test_rates_of_too_few_raters_with_gold_are_withheld(found, seed, by):
    """Six raters worked and three met gold: three stand behind the accuracy."""
    world = found[seed]
    raters = behind(world.rows, [by], "gold")
    got = queries.measure(world.snapshot, ["gold_accuracy"], by=[by], scope=LINK).set_index(by)
    whole = queries.measure(world.snapshot, ["gold_accuracy"], by=[by], scope=EVERYONE).set_index(by)
    for key, row in got.iterrows():
        if 0 < raters.get((key,), 0) < LEAST:
            assert (row["reason"], row["n"]) == (privacy.TOO_SMALL, 0) and pd.isna(row["value"])
        else:
            assert row["value"] == pytest.approx(whole.loc[key, "value"], nan_ok=True)
    assert {raters.get((key,), 0) < LEAST for key in got.index} == {True, False} or by not in ("pool", "site")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "metric", ["handle_time_p50_seconds", "krippendorff_alpha", "utilisation", "cost_per_label", "total_cost"]
)
def test_marts_that_keep_no_rater_withhold_too(found, seed, metric):
    world = found[seed]
    raters = behind(world.rows, ["pool"], "timed" if metric.startswith("handle") else "done")
    by = [] if metric == "krippendorff_alpha" else ["pool"]
    few = [pool for (pool,), n in raters.items() if n < LEAST]
    if by:
        got = queries.measure(world.snapshot, [metric], by=by, scope=LINK).set_index("pool")
        assert few and all(got.loc[pool, "reason"] == privacy.TOO_SMALL for pool in few if pool in got.index)
    every = queries.measure(world.snapshot, [metric], scope=LINK)["value"].notna().all()
    assert every == queries.measure(world.snapshot, [metric], scope=EVERYONE)["value"].notna().all()
    most = replace(LINK, minimum_raters=len(set(world.rows["rater"])) + 1)
    assert queries.measure(world.snapshot, [metric], scope=most)["reason"].tolist() == [privacy.TOO_SMALL]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_filter_that_leaves_few_raters_shows_nothing(found, seed):
    world = found[seed]
    for (pool, language), n in behind(world.rows, ["pool", "language"], "done").items():
        filters = Filters.of({"pool": [pool], "language": [language]})
        got = queries.measure(world.snapshot, ["judgements"], filters=filters, scope=LINK)
        assert (got["reason"].iloc[0] == privacy.TOO_SMALL) == (n < LEAST)
        assert counts.counts(world.snapshot, "work", ["judgements"], [], filters, LINK, shown=True).empty == (n < LEAST)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", [["pool"], ["project", "pool"], ["site", "policy"]])
def test_counts_leave_small_groups_out_and_name_them(found, seed, by):
    world = found[seed]
    for columns, of in ((["judgements"], ["done"]), (["gold_n", "judgements"], ["gold", "done"])):
        raters = [behind(world.rows, by, column) for column in of]
        got = counts.counts(world.snapshot, "work", columns, by, Filters(), LINK, shown=True)
        every = counts.counts(world.snapshot, "work", columns, by, Filters(), EVERYONE)
        keys = [tuple(row) for row in every[by].itertuples(index=False)]
        few = {key for key in keys if any(0 < r.get(key, 0) < LEAST for r in raters)}
        assert {tuple(row) for row in got[by].itertuples(index=False)} == set(keys) - few
        assert set(got.attrs["withheld"]) == few
        parts = counts.counts(world.snapshot, "work", columns, by, Filters(), LINK)
        assert len(parts) == len(every), "parts of a larger sum are all there"
    items = replace(LINK, minimum_raters=0, minimum_items=40)
    kept = counts.counts(world.snapshot, "work", ["judgements"], by, Filters(), items, shown=True)
    sizes = counts.counts(world.snapshot, "work", ["judgements"], by, Filters(), EVERYONE)["judgements"]
    assert sorted(kept["judgements"]) == sorted(sizes[sizes >= 40])


@pytest.mark.parametrize("seed", SEEDS)
def test_confusions_need_raters_who_met_gold(found, seed):
    world = found[seed]
    raters = behind(world.rows, ["project", "pool"], "gold")
    got = counts.confusion(world.snapshot, Filters(), LINK, ["pool"])
    shown = {(row.project_id, row.pool) for row in got.itertuples()}
    assert shown == {key for key, n in raters.items() if n >= LEAST} & shown
    assert not {key for key, n in raters.items() if n < LEAST} & shown
    every = counts.confusion(world.snapshot, Filters(), EVERYONE, ["pool"])
    assert len(got) < len(every)


@pytest.mark.parametrize("by", [["rater"], ["lead"], ["project", "rater"]])
def test_single_raters_are_not_measured_for_others(found, by):
    snapshot = found[1].snapshot
    with pytest.raises(NotAllowed, match="those who manage them"):
        queries.measure(snapshot, ["gold_accuracy"], by=by, scope=Scope.stakeholder())
    with pytest.raises(NotAllowed, match="those who manage them"):
        queries.measure(
            snapshot, ["judgements"], filters=Filters.of({"rater": ["R1", "R2"]}), scope=Scope.stakeholder()
        )
    assert filter_values.members(snapshot, "rater", Scope.stakeholder()).empty
    assert len(filter_values.members(snapshot, "rater", EVERYONE)) == 9


def test_changes_are_those_of_the_scope(found, monkeypatch):
    snapshot = found[1].snapshot
    rows = pd.DataFrame(
        {"change_id": list("abcd"), "project_id": ["P1", "P2", None, None], "pool_id": [None, "Q1", "Q2", None]}
    )
    monkeypatch.setattr(type(snapshot), "table", lambda self, name: rows)

    def seen(**scope):
        return "".join(filter_values.changes(snapshot, replace(EVERYONE, **scope))["change_id"])

    assert seen() == "abcd"
    assert seen(projects=frozenset({"P1"})) == "acd"
    assert seen(pools=frozenset({"Q1"})) == "abd"
    assert seen(projects=frozenset(), pools=frozenset()) == "d"
