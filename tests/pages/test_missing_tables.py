"""Real warehouses that lack a table or its times: each page on delivery and cost stays useful and says what to load."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from data_access import refresh
from data_access.settings import Settings
from tests.data_access import toy
from ui import data

PAGES = ("productivity", "queue_and_capacity", "costs", "cost_and_quality")
LACKS = ("costs", "budgets", "shifts", "audits", "due times")
FIRST, DAYS = toy.START.date(), 63
PERIOD = {
    "from_": str(FIRST + dt.timedelta(days=DAYS - 28)),
    "to": str(FIRST + dt.timedelta(days=DAYS - 1)),
}


def frames() -> dict[str, pd.DataFrame]:
    """Nine weeks of a small organisation with everything loaded."""
    found = toy.frames(41, items=900, days=DAYS)
    last = toy.START + dt.timedelta(days=DAYS)
    notes = found["annotations"]
    found["annotations"] = notes[notes["submitted_at"] < last]
    known = set(found["annotations"]["annotation_id"])
    audits = found["audits"]
    found["audits"] = audits[audits["annotation_id"].isin(known) & (audits["audited_at"] < last)]
    items = found["items"]
    closed = pd.to_datetime(items["closed_at"])
    items["closed_at"] = closed.where(closed < last).astype(object).where(closed < last, None)
    months = sorted({(FIRST + dt.timedelta(days=k)).replace(day=1) for k in range(DAYS)})
    found["budgets"] = pd.DataFrame(
        [(p, m, 4000.0, 400) for p in toy.LABELS for m in months],
        columns=["project_id", "month", "amount", "planned_labels"],
    )
    return found


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory) -> dict[str, Path]:
    """The snapshot of the whole warehouse ("") and of each that lacks something."""
    made = {}
    for lacks in ("", *LACKS):
        folder = tmp_path_factory.mktemp(lacks.replace(" ", "_") or "whole")
        ours = frames()
        if lacks == "due times":
            ours["items"] = ours["items"].assign(due_at=None)
        url = toy.duckdb_url(folder)
        toy.write(url, {name: rows for name, rows in ours.items() if name != lacks})
        if lacks in ours:
            _drop(url, lacks)
        refresh.refresh(Settings(url, folder / "snapshot.duckdb", ""))
        made[lacks] = folder / "snapshot.duckdb"
    return made


def _drop(url: str, table: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {table}")
    engine.dispose()


@pytest.fixture
def page(monkeypatch, snapshots, opened, text, tmp_path):
    """Opens a page on the snapshot of a warehouse that lacks something: what it says, and its charts and tables."""

    def open_page(name: str, lacks: str, **params: str) -> tuple[str, int, int]:
        monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(snapshots[lacks]))
        monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", f"duckdb:///{tmp_path}/gone.duckdb")
        data.st.cache_data.clear()
        at = opened(f"{name}.py", **PERIOD, **params)
        assert not at.exception and not at.error, (name, lacks, at.exception, at.error)
        return text(at).replace("`", ""), len(at.get("arrow_vega_lite_chart")), len(at.dataframe)

    return open_page
