"""Times in text to UTC: offsets, a declared zone, the hours a clock change skips or repeats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

NAIVE = "time without a zone"  # a fault of the whole file: the loader refuses it and asks for [times] timezone
EARLIEST = datetime(1990, 1, 1)

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?"
_OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
# What may lie ahead: plans and deadlines. Every other time says that something happened.
_PLANNED = frozenset(
    [
        "due_at",
        "effective_from",
        "due_on",
        "expires_on",
        "valid_from",
        "valid_to",
        "starts_on",
        "ends_on",
        "ended_on",
        "started_on",
        "month",
        "hired_on",
        "left_on",
        "cost_date",
    ]
)


@dataclass(frozen=True)
class Clock:
    """``now`` (naive UTC) bounds the future; ``zone`` is that of times written without an offset, if declared."""

    now: datetime
    zone: ZoneInfo | None = None


def parse_times(text: pd.Series, name: str, clock: Clock) -> tuple[pd.Series, dict[int, tuple[str, str]]]:
    """Naive UTC times (datetime64[us], NaT where not readable) and, by position, (kind, reason) of each fault."""
    text = text.reset_index(drop=True)
    shaped = text.str.fullmatch(f"{_TIME}{_OFFSET}?").to_numpy(bool)
    zoned = shaped & text.str.contains(f"{_OFFSET}$", regex=True).to_numpy(bool) & (text.str.len() > 10).to_numpy(bool)
    naive = shaped & ~zoned
    faults: dict[int, tuple[str, str]] = {}
    values = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us]")

    if zoned.any():
        read = pd.to_datetime(text[zoned], format="ISO8601", utc=True, errors="coerce")
        values[zoned] = read.dt.tz_localize(None).dt.as_unit("us")
    if naive.any():
        local = pd.to_datetime(text[naive], format="ISO8601", errors="coerce").dt.as_unit("us")
        if clock.zone is None:
            for i in local.index[local.notna()]:
                faults[i] = (NAIVE, f'{name} "{text[i]}" has no offset from UTC')
        else:
            values[naive] = _to_utc(local, name, text, clock.zone, faults)

    for i in np.flatnonzero(values.isna().to_numpy()):
        faults.setdefault(
            i, ("unreadable time", f'{name} "{text[i][:40]}" is no time; write it as 2024-05-31T13:45:00Z')
        )
    _check_range(values, text, name, clock.now, faults)
    return values, faults


def parse_dates(text: pd.Series, name: str, clock: Clock) -> tuple[pd.Series, dict[int, tuple[str, str]]]:
    """Dates (datetime64[us] at midnight) of ``YYYY-MM-DD`` and, by position, (kind, reason) of each fault."""
    text = text.reset_index(drop=True)
    shaped = text.str.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}").to_numpy(bool)
    values = pd.to_datetime(text.where(shaped), format="ISO8601", errors="coerce").dt.as_unit("us")
    faults = {
        int(i): ("unreadable date", f'{name} "{text[i][:40]}" is no date; write it as 2024-05-31')
        for i in np.flatnonzero(values.isna().to_numpy())
    }
    _check_range(values, text, name, clock.now, faults)
    return values, faults


def _to_utc(local: pd.Series, name: str, text: pd.Series, zone: ZoneInfo, faults: dict) -> pd.Series:
    """Local times as naive UTC; an hour the clock skips or repeats becomes NaT and a fault that says which."""
    aware = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    lost = local.index[aware.isna() & local.notna()]
    if len(lost):
        repeated = local[lost].dt.tz_localize(zone, ambiguous=np.ones(len(lost), bool), nonexistent="NaT").notna()
        for i in lost:
            faults[i] = (
                ("time in the repeated hour", f'{name} "{text[i]}" happens twice in {zone.key}; write its offset')
                if repeated[i]
                else ("time in the skipped hour", f'{name} "{text[i]}" never happens in {zone.key}; write its offset')
            )
    return aware.dt.tz_convert("UTC").dt.tz_localize(None)


def _check_range(values: pd.Series, text: pd.Series, name: str, now: datetime, faults: dict) -> None:
    """Add what lies before 1990 and, for what has happened, more than a day ahead of ``now``."""
    for i in np.flatnonzero((values < EARLIEST).to_numpy()):
        faults.setdefault(i, ("time before 1990", f'{name} "{text[i]}" is before 1990; correct it at the source'))
    if name in _PLANNED:
        return
    for i in np.flatnonzero((values > now + timedelta(days=1)).to_numpy()):
        faults.setdefault(
            i, ("time in the future", f'{name} "{text[i]}" lies in the future; check the clock or the time zone')
        )
