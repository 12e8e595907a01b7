"""One refresh into one file: what a build of everything and one of the changed days share."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from data_access import batch_marts, contract, marts
from data_access.build import Builder
from data_access.derive import derive
from data_access.label_codes import LabelCodes, write_label_codes
from data_access.settings import Settings
from data_access.snapshot_checks import check
from data_access.snapshot_meta import write_findings, write_meta, write_sources

Progress = Callable[[int, int, str], None]
PARTS = (
    marts.WORK,
    marts.CONFUSION,
    marts.HANDLE_TIME,
    marts.AGREEMENT,
    marts.LABELS_GIVEN,
    marts.PEERS,
    marts.OVERLAP_SAMPLE,
    marts.LIVES,
    marts.PROMISE,
    marts.TURNAROUND,
    *batch_marts.ALL,
    marts.CLAIM_TIME,
)


@dataclass
class Report:
    """What a refresh did."""

    kind: str  # full | incremental | unchanged
    snapshot_id: str
    rows_read: int
    seconds: float
    days: int  # days of work recomputed
    tables: dict[str, int] = field(default_factory=dict)
    megabytes: float = 0.0
    findings: list[contract.Finding] = field(default_factory=list)


class Run:
    """The state of one refresh: the file being made, what the warehouse has, and what was found on the way."""

    codes: LabelCodes

    def __init__(
        self,
        builder: Builder,
        settings: Settings,
        usable: set[str],
        findings: Iterable[contract.Finding],
        progress: Progress,
        ratings: dict[str, int],
    ) -> None:
        """usable: tables that can be read; ratings: the most of an item, of projects whose digits were too small."""
        self.b = builder
        self.c = builder.connection
        self.settings = settings
        self.usable = usable
        self.findings = list(findings)
        self.progress = progress
        self.ratings = ratings
        self.zone = settings.timezone
        self.peers_sample = 1

    def write_label_codes(self) -> None:
        """Packs each project's label counts, for the marts of patterns."""
        self.codes, found = write_label_codes(self.b, self.ratings)
        self.findings += found

    def sizes(self, source: str) -> dict[dt.date, int]:
        """How many rows each day has in the warehouse."""
        rows = self.c.execute("SELECT day, n FROM day_check WHERE source = ? AND day IS NOT NULL", [source]).fetchall()
        return dict(rows)

    def keys(self, source: str) -> dict[dt.date, tuple[str, str]]:
        """The first and last key of each day; other engines may order text in another way than Python does."""
        if not self.b.warehouse.is_duckdb:
            return {}
        rows = self.c.execute(
            "SELECT day, first_key, last_key FROM day_check WHERE source = ? AND day IS NOT NULL", [source]
        ).fetchall()
        return {day: (first, last) for day, first, last in rows}

    def extra(self, mart: marts.Mart) -> list[tuple[str, str]]:
        """The code columns of the marts of patterns."""
        return self.codes.columns if mart in (marts.AGREEMENT, batch_marts.BATCH_PATTERNS) else []

    def create_parts(self, parts: Iterable[marts.Mart] = PARTS) -> None:
        """Empty tables for the parts of these marts."""
        for mart in parts:
            self.b.create(mart, f"{mart.name}_part", self.extra(mart))

    def finish_parts(self) -> None:
        """Adds the parts of every mart up into its table."""
        self.b.thin_sample()
        for mart in PARTS:
            self.b.finish(mart, [name for name, _ in self.extra(mart)])

    def complete(self, kind: str, rows: int, days: int) -> Report:
        """Small facts, derived tables, checks and the snapshot's own page."""
        self.b.small_facts(self.usable)
        derive(
            self.c,
            has_appeals="appeals" in self.usable,
            has_costs="costs" in self.usable,
            has_escalations="escalations" in self.usable,
        )
        write_sources(self.b, self.usable)
        self.findings += check(self.b, self.findings)
        snapshot_id = uuid.uuid4().hex[:12]
        write_meta(self.b, snapshot_id, self.settings.currency, self.peers_sample)
        write_findings(self.b, self.findings)
        counted = self.c.execute(
            "SELECT table_name, estimated_size FROM duckdb_tables() WHERE NOT temporary"
        ).fetchall()
        self.c.execute("CHECKPOINT")
        return Report(kind, snapshot_id, rows, 0.0, days, dict(sorted(counted)), findings=self.findings)
