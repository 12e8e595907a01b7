"""Makes the snapshot: in full, or only the days that changed; checks it and publishes it.

Killed at any moment, the old snapshot still serves. Two refreshes at once: the first holds the lock, the second is
told.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from data_access import contract, publish
from data_access import tables as t
from data_access.build import Builder
from data_access.changes_run import ChangesRun, NeedsFull
from data_access.full_run import FullRun
from data_access.label_codes import Overflow
from data_access.run import Progress, Report
from data_access.settings import Settings
from data_access.snapshot import Snapshot
from data_access.warehouse import Warehouse
from metrics.errors import ContractBroken, RefreshRefused, SnapshotUnusable

log = logging.getLogger("raterscope.refresh")


def refresh(settings: Settings, *, full: bool = False, progress: Progress | None = None) -> Report:
    """Brings the snapshot up to date with the warehouse and publishes it.

    Raises ContractBroken when a required table or column is missing, RefreshRefused when another refresh runs or the
    sums do not agree with the warehouse, WarehouseUnavailable when it cannot be read; the old snapshot then stays.
    """
    started = time.monotonic()
    path = settings.snapshot
    path.parent.mkdir(parents=True, exist_ok=True)
    with publish.only_one(path):
        publish.clean(path)
        warehouse = Warehouse(settings.warehouse_url)
        present = warehouse.present()
        findings = contract.check_structure(present)
        usable = contract.usable(findings, present)
        missing = [f.message for f in findings if f.severity == contract.BROKEN and f.table in t.REQUIRED]
        if missing:
            more = f" ({len(missing) - 1} more; see `python manage.py doctor`)" if len(missing) > 1 else ""
            raise ContractBroken(missing[0] + more)
        building = path.with_name(f"{path.name}.building-{os.getpid()}")
        try:
            lacking = contract.lacking(present)
            tell = progress or (lambda *_: None)
            report = _make(settings, warehouse, building, usable, lacking, findings, full, tell)
            if report.kind != "unchanged":
                publish.publish(building, path)
        finally:
            publish.remove(building)
        report.seconds = time.monotonic() - started
        report.megabytes = path.stat().st_size / 1e6
        log.info("refresh %s: %s rows in %.1f s", report.kind, report.rows_read, report.seconds)
        return report


def _old_snapshot(settings: Settings, warehouse: Warehouse) -> Snapshot | None:
    """The snapshot there is, if an incremental refresh can start from it."""
    try:
        old = Snapshot(settings.snapshot)
    except SnapshotUnusable:
        return None
    if old.meta.timezone == settings.timezone and old.meta.warehouse == warehouse.name:
        return old
    old.close()
    return None


def _make(
    settings: Settings,
    warehouse: Warehouse,
    building: Path,
    usable: set[str],
    lacking: frozenset[str],
    findings: Iterable[contract.Finding],
    full: bool,
    progress: Progress,
) -> Report:
    """Makes the snapshot in the file ``building``: from the old one where that can be, else anew."""
    old = None if full else _old_snapshot(settings, warehouse)
    try:
        if old is not None:
            shutil.copyfile(settings.snapshot, building)
        ratings: dict[str, int] = {}
        for _attempt in range(8):
            batched = "batches" in usable
            with Builder(building, warehouse, settings.timezone, lacking, batched=batched) as builder:
                try:
                    asked = (builder, settings, usable, findings, progress, ratings)
                    return ChangesRun(*asked).run(old) if old is not None else FullRun(*asked).run()
                except NeedsFull as reason:
                    log.info("full build: %s", reason)
                    if old is not None:
                        old.close()
                    old = None
                except Overflow as error:
                    # Rare: more ratings of one label on one item than a digit holds; widen that project's digits.
                    ratings[error.project] = error.ratings
                    if old is not None:
                        old.close()
                    old = None
            publish.remove(building)
        raise RefreshRefused("The label counts of a project do not fit any code; leave that project out.")
    finally:
        if old is not None:
            old.close()
