"""Whether today's numbers can be trusted: fresh, complete, adding up, and what the check of the warehouse found.

All of it is read from the snapshot; the warehouse is not asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from data_access import health_data
from data_access.contract import BROKEN, NOTE, SEVERITIES, WARNING, affected
from data_access.filters import Scope
from data_access.snapshot import Meta, Snapshot

REFRESH_HOURS = 26  # a daily refresh, and two hours of grace
STALE_DAYS = 4  # days without new work that no long weekend explains
BEHIND_DAYS = 3  # how far a table of daily work may lag behind the newest work
DAILY = ("items", "annotations", "audits", "shifts", "costs")  # tables that grow with each day of work
PARTS = ("accepted", "rejected", "pending", "skipped")


@dataclass(frozen=True)
class Checks:
    """What the snapshot says about itself, as frames.

    sources: table_name, present, optional, n, newest. work: day, project, served, PARTS, difference. read: day, read,
    kept; None where the reader sees only a part of the work. findings: severity, table_name, column_name, message,
    affects; the gravest first. late: days, n, share (of all audits that came within that many days).
    """

    meta: Meta
    sources: pd.DataFrame
    work: pd.DataFrame
    read: pd.DataFrame | None
    findings: pd.DataFrame
    late: pd.DataFrame


@dataclass(frozen=True)
class Problem:
    """A reason not to trust the numbers: its gravity and half a sentence."""

    severity: str
    words: str


def read(snapshot: Snapshot, scope: Scope) -> Checks:
    """The checks of a snapshot for a reader's scope."""
    whole = scope.projects is None and scope.pools is None
    found = health_data.findings(snapshot)
    order = found["severity"].map({name: k for k, name in enumerate(SEVERITIES)})
    return Checks(
        meta=snapshot.meta,
        sources=health_data.freshness(snapshot),
        work=health_data.reconciliation(snapshot, by=["day", "project"], scope=scope),
        read=health_data.annotations_read(snapshot) if whole else None,
        findings=found.assign(order=order).sort_values(["order", "table_name"], kind="stable").drop(columns="order"),
        late=arrival(health_data.audit_lag(snapshot)),
    )


def arrival(lag: pd.DataFrame) -> pd.DataFrame:
    """The share of all audits that came within so many days of the work: days, n, share; every day to the last."""
    days = lag["days"].clip(lower=0).astype(int)
    counts = lag["n"].groupby(days).sum()
    counts = counts.reindex(range(int(counts.index.max()) + 1 if len(counts) else 0), fill_value=0)
    share = counts.cumsum() / counts.sum() if len(counts) else counts.astype(float)
    return pd.DataFrame({"days": counts.index, "n": counts.to_numpy(), "share": share.to_numpy(float)})


def within(late: pd.DataFrame, share: float) -> int | None:
    """In how many days this share of the audits has come; None without audits."""
    reached = late.loc[late["share"] >= share - 1e-12, "days"]
    return int(reached.iloc[0]) if len(reached) else None


def work_by(checks: Checks, grain: str) -> pd.DataFrame:
    """The reconciliation by project, day or week, the newest first: served, PARTS, difference; by time also `read`."""
    rows = checks.work
    key = rows["project"] if grain == "project" else _period(rows["day"], grain)
    table = rows.groupby(key.rename(grain))[["served", *PARTS, "difference"]].sum().reset_index()
    if grain == "project":
        return table
    if checks.read is not None:
        in_warehouse = checks.read["read"].groupby(_period(checks.read["day"], grain).rename(grain)).sum()
        table.insert(1, "read", table[grain].map(in_warehouse).fillna(0).astype("int64"))
    return table.sort_values(grain, ascending=False, ignore_index=True)


def _period(days: pd.Series, grain: str) -> pd.Series:
    days = pd.to_datetime(days)
    return days - pd.to_timedelta(days.dt.day_of_week, unit="D") if grain == "week" else days


def sources(checks: Checks, now: dt.datetime) -> pd.DataFrame:
    """Each contract table: table_name, state, n, newest, age_days, feeds; what needs a look first.

    state: absent | empty | behind | in step (with the newest work) | as it comes (does not grow every day).
    """
    rows = checks.sources.copy()
    rows["newest"] = pd.to_datetime(rows["newest"])
    work = rows.loc[rows["table_name"] == "annotations", "newest"]
    limit = work.iloc[0] - pd.Timedelta(days=BEHIND_DAYS) if len(work) and not pd.isna(work.iloc[0]) else None
    rows["state"] = [_state(row, limit) for row in rows.to_dict("records")]
    today = pd.Timestamp(now.astimezone(dt.UTC).replace(tzinfo=None))
    rows["age_days"] = (today - rows["newest"]).dt.total_seconds() / 86400
    rows["feeds"] = [affected(name) for name in rows["table_name"]]
    order = rows["state"].map({"absent": 0, "behind": 1, "empty": 2, "in step": 3}).fillna(4)
    rows = rows.assign(order=order).sort_values("order", kind="stable", ignore_index=True)
    return rows[["table_name", "state", "n", "newest", "age_days", "feeds", "optional"]]


def _state(row: dict, limit: pd.Timestamp | None) -> str:
    if not row["present"]:
        return "absent"
    if not row["n"]:
        return "empty"
    if row["table_name"] not in DAILY:
        return "as it comes"
    return "behind" if limit is not None and not pd.isna(row["newest"]) and row["newest"] < limit else "in step"


# ---- the verdict -----------------------------------------------------------------------------------------------


def problems(checks: Checks, now: dt.datetime) -> list[Problem]:
    """Every reason not to trust the numbers, the gravest first."""
    meta, found = checks.meta, []
    if checks.read is not None:
        missing = int((checks.read["read"] - checks.read["kept"]).clip(lower=0).sum())
        if missing:
            total = int(checks.read["read"].sum())
            found.append(Problem(BROKEN, f"the pages leave out {missing:,} of {total:,} annotations"))
    days = checks.work.loc[checks.work["difference"] != 0, "day"].nunique()
    if days:
        found.append(Problem(BROKEN, f"the work of {_many(days, 'day')} does not add up"))
    severities = checks.findings["severity"].value_counts()
    if severities.get(BROKEN, 0):
        found.append(Problem(BROKEN, f"{_many(severities[BROKEN], 'fault')} of the warehouse leave metrics out"))
    age = (now.astimezone(dt.UTC).date() - meta.last_day).days if meta.last_day else 0
    if age > STALE_DAYS:
        found.append(Problem(WARNING, f"nothing newer than {_day(meta.last_day)} has come in for {age} days"))
    hours = (now - meta.built_at).total_seconds() / 3600
    if hours > REFRESH_HOURS:
        old = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"
        found.append(Problem(WARNING, f"the last refresh was {old} ago"))
    table = sources(checks, now)
    behind = table.loc[table["state"] == "behind", "table_name"].tolist()
    if behind:
        found.append(Problem(WARNING, f"{_listed(behind)} lag behind the work"))
    if severities.get(WARNING, 0):
        found.append(Problem(WARNING, f"the check of the warehouse left {_many(severities[WARNING], 'warning')}"))
    return sorted(found, key=lambda problem: SEVERITIES.index(problem.severity))


def verdict(checks: Checks, now: dt.datetime) -> str:
    """The answer in one sentence."""
    if checks.meta.last_day is None or checks.work.empty:
        return "There is no work to check yet"
    found = problems(checks, now)
    if not found:
        total = int(checks.work["served"].sum())
        last = _day(checks.meta.last_day)
        return f"The numbers can be trusted: they run to {last}, and all {total:,} annotations add up"
    more = f"; {_many(len(found) - 1, 'more point')} to look at" if len(found) > 1 else ""
    if found[0].severity == BROKEN:
        return f"Some numbers cannot be trusted yet: {found[0].words}{more}"
    return f"The numbers add up, but {found[0].words}{more}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def _day(day: dt.date) -> str:
    return f"{day.day} {day:%b}"


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


__all__ = [
    "BROKEN",
    "NOTE",
    "WARNING",
    "Checks",
    "Problem",
    "arrival",
    "problems",
    "read",
    "sources",
    "verdict",
    "within",
]
