"""Time shares and time to claim: pandas on the raw rows, one time basis at a time, columns a warehouse may lack."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from data_access import contract, queries, refresh
from data_access.filters import Filters, Scope
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from data_access.warehouse import Warehouse
from metrics.shapes import LONGER_THAN_WHOLE
from tests.data_access import toy

EVERYONE = Scope.everything()
SHARES = ("occupancy", "idle_share", "rework_time_share", "skip_time_share")
CLAIMS = ("time_to_claim_p50_hours", "time_to_claim_p90_hours")
NO_CLAIMS, NO_AVAILABLE = "the warehouse has no claimed_at", "the warehouse has no available_seconds"


def built(folder: Path, frames: dict[str, pd.DataFrame], kind: str = "duckdb", drop: tuple[str, ...] = ()) -> Snapshot:
    """The snapshot of a warehouse of these frames, without the columns of ``drop``."""
    url = f"{kind}:///{folder / 'warehouse.db'}"
    toy.write(url, frames)
    alter(url, *(f"ALTER TABLE {c.split('.')[0]} DROP COLUMN {c.split('.')[1]}" for c in drop))
    refresh.refresh(settings(url, folder))
    return Snapshot(folder / "snapshot.duckdb")


def settings(url: str, folder: Path) -> Settings:
    return Settings(url, folder / "snapshot.duckdb", "", timezone="Asia/Singapore")


def alter(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def measured(snapshot: Snapshot, *names: str, **options) -> dict[str, dict]:
    """One row per metric, in all."""
    rows = queries.measure(snapshot, names, scope=EVERYONE, **options)
    return {row["metric"]: row for row in rows.to_dict("records")}


@pytest.fixture(
    scope="module", params=[pytest.param(k, marks=pytest.mark.xdist_group(f"time-{k}")) for k in ("duckdb", "sqlite")]
)
def world(request, tmp_path_factory):
    """Frames with long times, so that every pool has its hour, and their snapshot."""
    frames = toy.frames(21, items=150)
    frames["annotations"]["handle_seconds"] *= 30
    snapshot = built(tmp_path_factory.mktemp(request.param), frames, request.param)
    yield frames, snapshot
    snapshot.close()


# ---- shares against the raw rows -------------------------------------------------------------------------------


def expected(frames: dict[str, pd.DataFrame], pool: str | None) -> dict[str, float]:
    """The shares by pandas, of one pool or of all."""
    raters = frames["raters"][["rater_id", "pool_id"]]
    notes, shifts = (frames[n].merge(raters, on="rater_id") for n in ("annotations", "shifts"))
    if pool:
        notes, shifts = notes[notes["pool_id"] == pool], shifts[shifts["pool_id"] == pool]
    notes = notes[notes["handle_seconds"].notna()]
    seconds, skipped = notes["handle_seconds"], notes["status"] == "skipped"
    known = shifts["available_seconds"].notna()
    return {
        "occupancy": shifts.loc[known, "active_seconds"].sum() / shifts.loc[known, "available_seconds"].sum(),
        "idle_share": (shifts["logged_seconds"] - shifts["active_seconds"]).sum() / shifts["logged_seconds"].sum(),
        "rework_time_share": seconds[~skipped & notes["is_rework"]].sum() / seconds[~skipped].sum(),
        "skip_time_share": seconds[skipped].sum() / seconds.sum(),
    }


def test_shares_of_time_equal_pandas_on_the_raw_rows_in_all_and_by_pool(world):
    frames, snapshot = world
    found = measured(snapshot, *SHARES)
    assert {name: found[name]["value"] for name in SHARES} == pytest.approx(expected(frames, None))
    rows = queries.measure(snapshot, SHARES, by=["pool"], scope=EVERYONE).set_index(["pool", "metric"])
    for pool in sorted(set(frames["raters"]["pool_id"])):
        for name, value in expected(frames, pool).items():
            assert rows.loc[(pool, name), "value"] == pytest.approx(value), (pool, name)
    known = rows.dropna(subset=["value", "low", "high"])
    assert len(known) >= 10
    assert (known["low"] <= known["value"]).all() and (known["value"] <= known["high"]).all()
    assert (known["high"] <= 1).all()


def test_utilisation_and_idle_time_fill_the_paid_hours(world):
    found = measured(world[1], "utilisation", "idle_share")
    assert found["utilisation"]["value"] + found["idle_share"]["value"] == pytest.approx(1)


@pytest.mark.parametrize(
    "where", [{}, {"project": ["P1"]}, {"language": ["th"]}, {"project": ["P2"], "policy": ["hate"]}]
)
def test_time_to_claim_is_a_quantile_of_claimed_less_created(world, where):
    frames, snapshot = world
    items = frames["items"].rename(columns={"project_id": "project"})
    for name, values in where.items():
        items = items[items[name].isin(values)]
    waited = (pd.to_datetime(items["claimed_at"]) - items["created_at"]).dropna().dt.total_seconds() / 3600
    filters = Filters.of(where)
    found = measured(snapshot, *CLAIMS, filters=filters)
    for name, level in zip(CLAIMS, (0.5, 0.9), strict=True):
        if len(waited) < 30:
            assert np.isnan(found[name]["value"]) and "fewer than 30 claimed items" in found[name]["reason"]
            continue
        assert found[name]["n"] == len(waited)
        near = np.quantile(waited, [max(level - 0.03, 0), min(level + 0.03, 1)])
        assert 0.9 * near[0] <= found[name]["value"] <= 1.1 * near[1]  # a bucket is 9 % wide


# ---- time bases ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_bases(tmp_path_factory):
    """P2's times are lead times; P3's skips carry no time."""
    frames = toy.frames(22, items=150)
    notes = frames["annotations"]
    notes["handle_seconds"] *= 30
    notes.loc[notes["project_id"] == "P2", "time_basis"] = "lead"
    notes.loc[(notes["project_id"] == "P3") & (notes["status"] == "skipped"), "handle_seconds"] = None
    snapshot = built(tmp_path_factory.mktemp("bases"), frames)
    yield frames, snapshot
    snapshot.close()


@pytest.mark.xdist_group("two bases")
@pytest.mark.parametrize("name", ["rework_time_share", "skip_time_share"])
def test_times_of_two_bases_are_never_mixed(two_bases, name):
    frames, snapshot = two_bases
    mixed = measured(snapshot, name)[name]
    assert np.isnan(mixed["value"]) and "choose one time basis" in mixed["reason"]
    notes = frames["annotations"]
    lead = expected(frames | {"annotations": notes[notes["time_basis"] == "lead"]}, None)
    assert measured(snapshot, name, timed_on="lead")[name]["value"] == pytest.approx(lead[name])
    only = Filters.of({"project": ["P2"]})
    assert measured(snapshot, name, filters=only)[name]["value"] == pytest.approx(lead[name])


@pytest.mark.xdist_group("two bases")
def test_skips_without_times_are_unknown_and_not_nothing(two_bases):
    found = measured(two_bases[1], "skip_time_share", "skip_rate", filters=Filters.of({"project": ["P3"]}))
    assert np.isnan(found["skip_time_share"]["value"])
    assert found["skip_time_share"]["reason"] == "skips carry no handle times: read skips by count"
    assert found["skip_rate"]["value"] > 0


def test_no_rework_is_a_share_of_zero(tmp_path):
    frames = toy.frames(23, items=60)
    frames["annotations"] = frames["annotations"].assign(is_rework=False)
    frames["annotations"]["handle_seconds"] *= 30
    found = measured(built(tmp_path, frames), "rework_time_share")["rework_time_share"]
    assert found["value"] == 0 and found["reason"] == ""


def test_more_handling_than_available_time_is_no_share(tmp_path):
    frames = toy.frames(24, items=60)
    frames["shifts"] = frames["shifts"].assign(available_seconds=frames["shifts"]["active_seconds"] / 2)
    found = measured(built(tmp_path, frames), "occupancy")["occupancy"]
    assert np.isnan(found["value"]) and found["reason"] == LONGER_THAN_WHOLE


# ---- columns a warehouse may lack ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["duckdb", "sqlite"])
def test_a_warehouse_without_the_columns_is_refreshed_and_says_what_it_lacks(tmp_path, kind):
    frames = toy.frames(25, items=60)
    full = built(_folder(tmp_path, "full"), frames, kind)
    lacks = {
        "items": frames["items"].drop(columns="claimed_at"),
        "shifts": frames["shifts"].drop(columns="available_seconds"),
    }
    folder = _folder(tmp_path, "lacks")
    less = built(folder, frames | lacks, kind, ("items.claimed_at", "shifts.available_seconds"))
    assert less.meta.lacking == {"items.claimed_at", "shifts.available_seconds"} and not full.meta.lacking
    found = measured(less, *CLAIMS, "occupancy")
    assert [found[name]["reason"] for name in (*CLAIMS, "occupancy")] == [NO_CLAIMS, NO_CLAIMS, NO_AVAILABLE]
    others = ("utilisation", "idle_share", "adherence", "turnaround_p50_hours", "sla_attainment", "judgements")
    kept, whole = measured(less, *others), measured(full, *others)
    assert [kept[name]["value"] for name in others] == pytest.approx([whole[name]["value"] for name in others])
    said = contract.check_structure(Warehouse(f"{kind}:///{folder / 'warehouse.db'}").present())
    assert [(f.severity, f.table, f.column) for f in said] == [
        ("note", "items", "claimed_at"),
        ("note", "shifts", "available_seconds"),
    ]
    assert "Time to claim, median" in said[0].message and "Occupancy" in said[1].message


def test_by_a_dimension_too_there_is_one_reason(tmp_path):
    frames = toy.frames(25, items=40)
    frames["items"] = frames["items"].assign(claimed_at=None)  # there, and nowhere filled in
    rows = queries.measure(
        built(tmp_path, frames), ["time_to_claim_p50_hours", "judgements"], by=["project"], scope=EVERYONE
    )
    claims = rows[rows["metric"] == "time_to_claim_p50_hours"]
    assert claims["reason"].tolist() == [NO_CLAIMS] and len(rows) == 4


def test_a_column_that_comes_later_is_read_by_the_next_refresh(tmp_path):
    frames = toy.frames(26, items=60)
    without = frames | {"items": frames["items"].drop(columns="claimed_at")}
    assert "items.claimed_at" in built(tmp_path, without, drop=("items.claimed_at",)).meta.lacking
    url = f"duckdb:///{tmp_path / 'warehouse.db'}"
    alter(
        url,
        "ALTER TABLE items ADD COLUMN claimed_at TIMESTAMP",
        "UPDATE items SET claimed_at = created_at + INTERVAL 2 HOUR",
    )
    report = refresh.refresh(settings(url, tmp_path))
    found = measured(Snapshot(tmp_path / "snapshot.duckdb"), *CLAIMS)
    assert report.kind == "incremental"
    assert [found[name]["value"] for name in CLAIMS] == pytest.approx([2, 2], rel=0.05)
    assert found[CLAIMS[0]]["n"] == 60


def _folder(path: Path, name: str) -> Path:
    (path / name).mkdir()
    return path / name


def test_a_missing_column_that_is_required_still_stops_a_refresh(tmp_path):
    with pytest.raises(refresh.ContractBroken, match="created_at"):
        built(tmp_path, {}, drop=("items.created_at",))


def test_days_are_those_of_the_business_zone(tmp_path):
    """A claim at 17:00 UTC on Sunday belongs to Monday's week in Singapore."""
    frames = toy.frames(27, items=40)
    sunday = toy.START + dt.timedelta(days=6, hours=17)
    frames["items"] = frames["items"].assign(created_at=sunday - dt.timedelta(hours=1), claimed_at=sunday)
    rows = queries.measure(built(tmp_path, frames), CLAIMS[:1], by=["week"], scope=EVERYONE)
    assert [str(w.date()) for w in pd.to_datetime(rows["week"])] == ["2026-03-09"]
