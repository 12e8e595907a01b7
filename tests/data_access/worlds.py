"""Toy warehouses with their snapshots, for tests of what is read from either."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from hypothesis import strategies as st

from data_access.filters import Filters, Scope
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from tests.data_access import oracle, toy

ZONES = {1: "UTC", 2: "Asia/Singapore", 3: "UTC"}
OFFSET_HOURS = {"UTC": 0.0, "Asia/Singapore": 8.0}
SEEDS = tuple(ZONES)
ON_SQLITE = 3  # the others are DuckDB files
EVERYONE = Scope.everything()


@dataclass(frozen=True, eq=False)
class World:
    """A warehouse's raw rows, its judgements as the oracle has them, its settings and its snapshot."""

    frames: dict[str, pd.DataFrame]
    rows: pd.DataFrame
    settings: Settings
    snapshot: Snapshot


def settings(folder: Path, seed: int) -> Settings:
    """The settings that name the warehouse and snapshot of a folder."""
    url = f"sqlite:///{folder / 'warehouse.sqlite'}" if seed == ON_SQLITE else toy.duckdb_url(folder)
    return Settings(url, folder / "snapshot.duckdb", "", timezone=ZONES[seed])


def written(folder: Path, seed: int, frames: dict[str, pd.DataFrame]) -> Settings:
    """A warehouse of these frames, and the settings that name it."""
    ours = settings(folder, seed)
    toy.write(ours.warehouse_url, frames)
    return ours


def world(settings: Settings, seed: int, frames: dict[str, pd.DataFrame]) -> World:
    """A world whose snapshot is made."""
    rows = oracle.judged(frames, OFFSET_HOURS[ZONES[seed]])
    return World(frames, rows, settings, Snapshot(settings.snapshot))


VALUES = {
    "project": ["P1", "P2", "P3"],
    "product": ["A", "B"],
    "policy_area": ["x", "y"],
    "task_type": ["moderation", "labelling", "evaluation"],
    "pool": ["Q1", "Q2", "Q3"],
    "vendor": ["V1", "V2"],
    "site": ["S1", "S2", "S3"],
    "region": ["N", "S"],
    "rater": [f"R{k}" for k in range(9)],
    "lead": ["L1", "L2"],
    "language": ["en", "th"],
    "locale": ["en-SG", "th-TH"],
    "policy": ["spam", "hate"],
    "content_type": ["text", "image"],
    "guideline_version": ["v1", "v2", "not recorded"],
    "stage": ["label", "review"],
    "time_basis": ["active", "lead"],
    "tenure_band": ["under 1 month", "1 to 3 months", "3 to 6 months", "6 to 12 months", "over 12 months"],
}


@st.composite
def filters(draw, dimensions=tuple(VALUES), most: int = 2):
    """Random filters on some of the dimensions, over a random period."""
    where = {}
    for name in draw(st.lists(st.sampled_from(dimensions), max_size=most, unique=True)):
        where[name] = draw(st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=2, unique=True))
    first = draw(st.none() | st.integers(0, 20))
    length = draw(st.none() | st.integers(0, 15))
    start = (toy.START + pd.Timedelta(days=first)).date() if first is not None else None
    end = ((start or toy.START.date()) + pd.Timedelta(days=length)) if length is not None else None
    return Filters.of(where, start, end)


@st.composite
def scopes(draw):
    """Random scopes of readers who may see raters."""
    projects = draw(st.none() | st.frozensets(st.sampled_from(VALUES["project"]), max_size=2))
    pools = draw(st.none() | st.frozensets(st.sampled_from(VALUES["pool"]), max_size=2))
    return Scope(frozenset({"manager"}), projects, pools, pseudonymous=False, minimum_raters=0, minimum_items=0)


def narrowed(rows: pd.DataFrame, filters: Filters, scope: Scope = EVERYONE, time: str = "day") -> pd.DataFrame:
    """Filters and scope by other means."""
    for name, values in filters.where:
        rows = rows[rows[name].isin(values)]
    if filters.start:
        rows = rows[rows[time] >= pd.Timestamp(filters.start)]
    if filters.end:
        rows = rows[rows[time] <= pd.Timestamp(filters.end)]
    for name, allowed in (("project", scope.projects), ("pool", scope.pools)):
        if allowed is not None:
            rows = rows[rows[name].isin(allowed)]
    return rows
