"""The pages about money and delivery on odd rows: refunds, shifts without hours, escalations that name no pool."""

from __future__ import annotations

import pytest
import streamlit as st

from tests.data_access import toy
from tests.data_access.test_ledger import frames, snapshot_of
from tests.pages.test_pages import opened, text

PAGES = ("costs.py", "cost_and_quality.py", "queue_and_capacity.py", "productivity.py")


def odd(kind: str) -> dict:
    tables = frames(23)
    if kind == "refund":
        tables["costs"].loc[0, "amount"] = -900.0
    elif kind == "no hours":
        seconds = [name for name in tables["shifts"] if name.endswith("_seconds")]
        tables["shifts"][seconds] = 0.0
    else:
        tables["escalations"]["pool_id"] = None
    return tables


@pytest.mark.parametrize("kind", ["refund", "no hours", "no pool"])
def test_odd_rows_break_no_page(kind, tmp_path, monkeypatch):
    st.cache_data.clear()
    snapshot = snapshot_of(tmp_path, odd(kind))
    monkeypatch.setenv("RATERSCOPE_WAREHOUSE_URL", toy.duckdb_url(tmp_path))
    monkeypatch.setenv("RATERSCOPE_SNAPSHOT", str(snapshot.path))
    for page in PAGES:
        at = opened(page)
        assert not at.exception, (page, at.exception)
        assert at.title and at.title[0].value
        if kind == "refund" and page in PAGES[:2]:
            said = text(at).replace("\\", "")
            assert "Corrections exceed what was booked in this period: they bring labour" in said
            assert "cannot be told" not in at.title[0].value and "no number" not in at.title[0].value
            assert len(at.dataframe) >= 1
    snapshot.close()
