"""Whether a snapshot that was just made accounts for what the warehouse holds, before it is published."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from data_access import contract
from data_access import tables as t
from data_access.store import Store
from metrics.errors import RefreshRefused


def check(store: Store, findings: Iterable[contract.Finding]) -> list[contract.Finding]:
    """Findings about what the marts leave out; raises RefreshRefused where they do not agree with the warehouse.

    findings: those so far. Where items are lacking, sums over all annotations cannot agree and are not compared.
    """
    found = _check_rows(store)
    if not any(f.column == "item_id" for f in (*findings, *found)):
        _check_sums(store)
    return found


def _check_rows(store: Store) -> list[contract.Finding]:
    """A finding for the rows that the marts leave out; RefreshRefused where they do not account for all others."""
    read = dict(store.connection.execute("SELECT source, SUM(n)::BIGINT FROM day_check GROUP BY source").fetchall())
    kept = store.connection.execute("SELECT COALESCE(SUM(served), 0)::BIGINT FROM work").fetchone()[0]
    lives = store.connection.execute("SELECT COALESCE(SUM(items), 0)::BIGINT FROM item_lives").fetchone()[0]
    if lives != read.get("items", 0):
        raise RefreshRefused(
            f"The snapshot counts {lives:,} items where the warehouse has {read.get('items', 0):,}: "
            "it changed while being read. Run the refresh again."
        )
    missing = read.get("annotations", 0) - kept
    if missing:
        a, i = t.annotations.c, t.items.c
        orphans = store.read(
            sa.select(sa.func.count())
            .select_from(t.annotations.outerjoin(t.items, a.item_id == i.item_id))
            .where(i.item_id.is_(None))
        )[0][0]
        if orphans != missing:
            raise RefreshRefused(
                f"The snapshot counts {kept:,} annotations where the warehouse has {read.get('annotations', 0):,}, "
                f"and {orphans:,} have no item: it changed while being read, or an item stands twice. "
                "Run the refresh again; `python manage.py doctor` looks for double keys."
            )
        message = f"{orphans:,} annotations name an item that is not in the warehouse; they are left out."
        return [contract.Finding(contract.WARNING, "annotations", "item_id", message, contract.affected("annotations"))]
    return []


def _check_sums(store: Store) -> None:
    """RefreshRefused where a sum read straight from the warehouse is not the mart's."""
    a = t.annotations.c
    seconds = store.read(sa.select(sa.func.sum(a.handle_seconds)).where(a.handle_seconds > 0, a.status != "skipped"))[
        0
    ][0]
    ours = store.connection.execute("SELECT SUM(handle_sum_seconds) FROM work").fetchone()[0]
    if abs(float(seconds or 0) - float(ours or 0)) > 1e-6 * max(abs(float(seconds or 0)), 1.0):
        raise RefreshRefused(
            f"The snapshot sums {ours:,.0f} handle seconds where the warehouse has {seconds:,.0f}; "
            "it is not published. Run `python manage.py refresh --full`."
        )
