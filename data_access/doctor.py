"""One list of everything that stands in the way: settings, connection, contract, freshness."""

from __future__ import annotations

import datetime as dt

import pandas as pd

from data_access import contract
from data_access.contract import BROKEN, NOTE, WARNING, Finding
from data_access.health import REFRESH_HOURS
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from data_access.warehouse import Warehouse
from metrics.errors import SnapshotUnusable, WarehouseUnavailable


def examine(settings: Settings, *, contents: bool = True, now: dt.datetime | None = None) -> pd.DataFrame:
    """Findings, the gravest first: severity, table_name, column_name, message, affects.

    ``contents`` reads the warehouse's rows for keys, references, enumerations, label sets and times.
    """
    now = now or dt.datetime.now(dt.UTC)
    findings = [*_settings(settings), *_snapshot(settings, now)]
    try:
        warehouse = Warehouse(settings.warehouse_url)
        present = warehouse.present()
    except WarehouseUnavailable as error:
        findings.append(Finding(BROKEN, "", "", str(error)))
        return contract.to_frame(findings)
    structure = contract.check_structure(present)
    findings += structure
    required_broken = any(f.severity == BROKEN for f in structure)
    if contents and not required_broken:
        findings += contract.check_contents(
            warehouse, contract.usable(structure, present), now.astimezone(dt.UTC).replace(tzinfo=None)
        )
    return contract.to_frame(findings)


def _settings(settings: Settings) -> list[Finding]:
    findings = []
    if settings.is_sample:
        findings.append(
            Finding(NOTE, "", "", "No warehouse is configured; the sample is used. Set RATERSCOPE_WAREHOUSE_URL.")
        )
    if settings.secret is not None and len(settings.secret) < 32:
        findings.append(Finding(BROKEN, "", "", "RATERSCOPE_SECRET is shorter than 32 characters; make a longer one."))
    return findings


def _snapshot(settings: Settings, now: dt.datetime) -> list[Finding]:
    try:
        snapshot = Snapshot(settings.snapshot)
    except SnapshotUnusable as error:
        return [Finding(WARNING, "", "", str(error))]
    hours = (now - snapshot.meta.built_at).total_seconds() / 3600
    snapshot.close()
    if hours <= REFRESH_HOURS:
        return []
    message = f"The snapshot is {hours:.0f} hours old; schedule `python manage.py refresh`."
    return [Finding(WARNING, "", "", message)]
