"""What items are promised, against the raw rows of random warehouses counted with pandas."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from data_access import refresh
from data_access.snapshot import Snapshot
from tests.conftest import settings_for
from tests.data_access import toy


def counted(frames: dict[str, pd.DataFrame]) -> dict[tuple, int]:
    """Items with a deadline by week of creation (UTC), project, language, policy and whole hours until due."""
    found: dict[tuple, int] = {}
    for row in frames["items"].to_dict("records"):
        if pd.isna(row["due_at"]):
            continue
        day = row["created_at"].date()
        seconds = (row["due_at"] - row["created_at"]).total_seconds()
        key = (
            day - dt.timedelta(days=day.weekday()),
            row["project_id"],
            row["language"],
            row["policy"],
            int((seconds + 1800) // 3600),
        )
        found[key] = found.get(key, 0) + 1
    return found


def kept(path: Path) -> dict[tuple, int]:
    snapshot = Snapshot(path)
    rows = snapshot.table("promise")
    snapshot.close()
    keys = ("week", "project_id", "language", "policy", "hours", "items")
    return {(row[0].date(), *row[1:5]): row[5] for row in rows[[*keys]].itertuples(index=False, name=None)}


@pytest.mark.parametrize("engine", ["duckdb", "sqlite"])
def test_promises_are_those_of_the_items(tmp_path, engine):
    frames = toy.frames(3, items=150)
    # To the nearest hour, and some are due before they come.
    shift = [dt.timedelta(minutes=int(m)) for m in (29, 31, -400, 0, 90)]
    due = frames["items"]["due_at"]
    frames["items"]["due_at"] = [d if pd.isna(d) else d + shift[k % 5] for k, d in enumerate(due)]
    url = f"{engine}:///{tmp_path / 'warehouse.db'}"
    toy.write(url, frames)
    ours = settings_for(tmp_path / "warehouse.db", tmp_path / "snapshot.duckdb", warehouse_url=url)
    refresh.refresh(ours)
    expected = counted(frames)
    assert len(expected) > 50 and min(key[-1] for key in expected) < 0
    assert kept(ours.snapshot) == expected
    # A deadline that moves moves its week's promises at the next refresh, and no other.
    k = frames["items"]["due_at"].first_valid_index()
    frames["items"].loc[k, "due_at"] = frames["items"].loc[k, "created_at"] + dt.timedelta(hours=200)
    (tmp_path / "warehouse.db").unlink()
    toy.write(url, frames)
    assert refresh.refresh(ours).kind == "incremental"
    assert kept(ours.snapshot) == counted(frames) != expected
