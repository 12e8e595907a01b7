"""Who the raters are, under their pseudonyms, and how long they have been here."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from data_access.snapshot import Snapshot
from ui.cells import Columns
from ui.figures import KEPT


class Person(NamedTuple):
    """Who a rater is, under a pseudonym."""

    alias: str
    pool: str
    language: str
    hired_on: dt.date | None


@st.cache_data(**KEPT)
def people(snapshot: Snapshot) -> dict[str, Person]:
    """Every rater by id."""
    rows = snapshot.table("rater")
    hired = [None if pd.isna(at) else pd.Timestamp(at).date() for at in rows["hired_on"]]
    columns = (rows[c].to_numpy(object) for c in ("rater_id", "alias", "pool_id", "language"))
    return {
        str(rater): Person(alias if isinstance(alias, str) else str(rater), str(pool), str(language), on)
        for rater, alias, pool, language, on in zip(*columns, hired, strict=True)
    }


def tenure(snapshot: Snapshot, cells: Columns) -> np.ndarray:
    """Weeks since hire in each cell's week, from 1; NaN where nobody knows."""
    known = people(snapshot)
    code, names = pd.factorize(cells["rater"])
    hired = np.array([known[n].hired_on if n in known else None for n in names], "datetime64[D]")
    days = (cells["week"].astype("datetime64[D]") - hired[code]).astype(float) if len(code) else np.zeros(0)
    days[np.isnat(hired[code])] = np.nan
    return days // 7 + 1
