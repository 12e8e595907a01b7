"""What a snapshot says about itself: its sources, its days and settings, and what the checks found."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from data_access import contract
from data_access import tables as t
from data_access.snapshot import FORMAT_VERSION, MAGIC
from data_access.store import Store

DEFAULT_PROVISIONAL_DAYS = 7


def write_sources(store: Store, usable: set[str]) -> None:
    """Rows and newest time of every contract table, which the freshness table shows."""
    store.connection.execute(
        "CREATE OR REPLACE TABLE source "
        "(table_name VARCHAR, present BOOLEAN, optional BOOLEAN, n BIGINT, newest TIMESTAMP)"
    )
    for table in t.TABLES:
        n, newest = 0, None
        if table.name in usable:
            time_column = table.info["time"]
            columns = [sa.func.count().label("n")]
            if time_column:
                columns.append(sa.func.max(table.c[time_column]).label("newest"))
            n, *rest = store.read(sa.select(*columns).select_from(table))[0]
            newest = rest[0] if rest else None
        store.connection.execute(
            "INSERT INTO source VALUES (?, ?, ?, ?, ?)",
            [table.name, table.name in usable, table.info["optional"], n, newest],
        )


def write_meta(store: Store, snapshot_id: str, currency: str, peers_sample: int) -> None:
    """The snapshot's own page: when and from what it was made, its days, and how long audits keep coming in."""
    first, last = store.connection.execute(
        "SELECT MIN(day), MAX(day) FROM (SELECT day FROM work UNION ALL SELECT day FROM flow)"
    ).fetchone()
    lag = store.connection.execute(
        "SELECT QUANTILE_DISC(audited_day - day, 0.9) "
        "FROM (SELECT audited_day, day, UNNEST(RANGE(LEAST(n, 50))) FROM audit_lag)"
    ).fetchone()[0]
    values = {
        "magic": MAGIC,
        "snapshot_id": snapshot_id,
        "built_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "contract_version": t.CONTRACT_VERSION,
        "format_version": FORMAT_VERSION,
        "timezone": store.zone,
        "currency": currency,
        "warehouse": store.warehouse.name,
        "first_day": first.isoformat() if first else "",
        "last_day": last.isoformat() if last else "",
        "provisional_days": DEFAULT_PROVISIONAL_DAYS if lag is None else min(max(int(lag), 3), 28),
        "peers_sample": peers_sample,
        "lacking": " ".join(sorted(_without(store))),
    }
    store.connection.execute("CREATE OR REPLACE TABLE meta (key VARCHAR, value VARCHAR)")
    store.connection.executemany("INSERT INTO meta VALUES (?, ?)", [[k, str(v)] for k, v in values.items()])


def _without(store: Store) -> set[str]:
    """The columns a warehouse may lack that are not there, or nowhere filled in."""
    found = {"items.claimed_at": ("claim_time", "n"), "shifts.available_seconds": ("shift", "available_seconds")}
    counted = {
        column: store.connection.execute(f"SELECT COUNT({name}) FROM {mart}").fetchone()[0]
        for column, (mart, name) in found.items()
    }
    return {column for column, n in counted.items() if not n}


def write_findings(store: Store, findings: list[contract.Finding]) -> None:
    """What the contract check and the refresh found."""
    store.connection.execute(
        "CREATE OR REPLACE TABLE finding (severity VARCHAR, table_name VARCHAR, column_name VARCHAR, "
        "message VARCHAR, affects VARCHAR)"
    )
    rows = contract.to_frame(findings)
    if len(rows):
        store.connection.executemany("INSERT INTO finding VALUES (?, ?, ?, ?, ?)", rows.to_numpy().tolist())
