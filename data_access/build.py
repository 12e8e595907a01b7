"""Fills the marts of a snapshot file that is being made: which statements read which window of the warehouse.

Each window's join of annotations and items is staged once, where the warehouse is attached, and all marts then read
it. Parts add up: rows of the same grain are summed when a mart is finished.
"""

from __future__ import annotations

import sqlalchemy as sa

from data_access import batch_marts, marts
from data_access.case_marts import case_pairs
from data_access.dialect import row_checksum
from data_access.marts import grain
from data_access.store import ATTACHED, DAY_KEYS, Store
from data_access.windows import Window

JUDGED_COLUMNS = tuple(marts.judged("UTC").selected_columns.keys())
AUDITED_COLUMNS = tuple(marts.audited("UTC").selected_columns.keys())
STAGED_JUDGED = sa.table("judged", *map(sa.column, JUDGED_COLUMNS), schema="temp")
STAGED_SAMPLE = sa.table("sampled", *map(sa.column, JUDGED_COLUMNS), schema="temp")
STAGED_AUDITED = sa.table("audited", *map(sa.column, AUDITED_COLUMNS), schema="temp")
TEXT_KEYS = {"language", "policy", "benchmark", "model_version", "previous_version"}


class Builder(Store):
    """Reads windows of the warehouse into the parts of the marts."""

    def judgement_marts(self, created: Window, digits: sa.Subquery, words: int, peers_sample: int) -> None:
        """Adds the annotations of items created in the window to the parts of the marts that follow from them."""
        source = self.judged(created=created)
        self.collect(marts.work_judgements(source), "work_part")
        self.collect(marts.work_gold(source), "work_part")
        self.collect(marts.confusion_gold(source), "confusion_part")
        self.collect(marts.handle_time(source), "handle_time_part")
        self.collect(marts.labels_given(source), "labels_given_part")
        self.judged_days(source)
        self.collect(marts.agreement(source, digits, words), "agreement_part")
        self.peers(source, peers_sample)
        self.collect(marts.overlap_sample(source, digits), "overlap_sample_part")
        self.batch_marts(source, created, digits, words)

    def judged(self, **windows: Window | None) -> sa.FromClause:
        """The window's annotations with their items, staged where the warehouse is attached."""
        if not self.warehouse.is_duckdb:
            return marts.judged(self.zone, **windows).subquery("judged")
        # An item's row number is as good a key as its id, and quicker to join, keep and group by.
        key = sa.literal_column(f"{ATTACHED}.items.rowid")
        select = marts.judged(self.zone, item_key=key, batched=self.batched, **windows)
        return self.staged("judged", select, STAGED_JUDGED)

    def batch_marts(self, source: sa.FromClause, created: Window, digits: sa.Subquery, words: int) -> None:
        """Adds the window's items and their judgements to the parts of the marts of batches; audits come apart."""
        if not self.batched:
            return
        if not self.warehouse.is_duckdb:  # where nothing is staged, only these statements pay for the join
            source = marts.judged(self.zone, created=created, batched=True).subquery("judged")
        self.collect(batch_marts.batch_judgements(source), "batch_work_part")
        self.collect(batch_marts.batch_gold(source), "batch_work_part")
        self.collect(batch_marts.batch_patterns(source, digits, words), "batch_patterns_part")
        self.collect(batch_marts.batch_items(self.zone, created), "batch_items_part")

    def batch_audits(self, source: sa.FromClause) -> None:
        """Adds audits to the part of the mart of the batches' work."""
        if self.batched:
            self.collect(batch_marts.batch_audits(source), "batch_work_part")

    def thin_sample(self) -> None:
        """Keeps, of what the windows put forward, the first items of each project and month, under their own ids."""
        if self.warehouse.is_duckdb:
            # The key of ``judged``, a row number, is another after the warehouse is written anew.
            self.connection.execute(
                "CREATE OR REPLACE TEMP TABLE overlap_sample_part AS SELECT s.* REPLACE (i.item_id AS item_id) "
                f"FROM overlap_sample_part s JOIN {ATTACHED}.items i ON i.rowid = CAST(s.item_id AS BIGINT)"
            )
        self.connection.execute(
            "CREATE OR REPLACE TEMP TABLE overlap_sample_part AS SELECT * FROM overlap_sample_part QUALIFY "
            "DENSE_RANK() OVER (PARTITION BY project_id, DATE_TRUNC('month', day) ORDER BY chance, item_id) "
            f"<= {grain.SAMPLED_ITEMS}"
        )

    def peers(self, source: sa.FromClause, sample: int) -> None:
        """Adds one item in ``sample`` to what raters share with the others of an item."""
        if sample > 1:
            chosen = sa.select(source).where(sa.func.mod(row_checksum(source.c.item_id), sample) == 0)
            source = self.staged("sampled", chosen, STAGED_SAMPLE)
        self.collect(marts.peers(source), "peers_part")

    def claims(self, created: Window) -> None:
        """Adds the claims of items created in the window."""
        if self.has_claims:
            self.collect(marts.claim_time(self.zone, created), "claim_time_part")

    def judged_days(self, source: sa.FromClause) -> None:
        """Adds how many judgements of each day fell on items created on each day."""
        c = source.c
        days = sa.select(c.day, c.created_day, sa.func.count().label("n")).group_by(c.day, c.created_day)
        self.collect(days, "judged_day")

    def audited(self, **windows: Window | None) -> sa.FromClause:
        """The window's audits, staged where the warehouse is attached."""
        select = marts.audited(self.zone, batched=self.batched, **windows)
        return self.staged("audited", select, STAGED_AUDITED)

    def audit_marts(self, at: Window) -> None:
        """Adds the window's audits to the parts of the marts that follow from them, and to `audit_day`."""
        source = self.audited(at=at)
        self.collect(marts.work_audits(source), "work_part")
        self.collect(marts.confusion_audits(source), "confusion_part")
        self.batch_audits(source)
        self._audit_days_of(source)

    def audit_days(self, at: Window) -> None:
        """Adds how many audits of each day fell on work of each day."""
        self._audit_days_of(self.audited(at=at))

    def _audit_days_of(self, source: sa.FromClause) -> None:
        c = source.c
        days = sa.select(c.audited_day, c.day, sa.func.count().label("n")).group_by(c.audited_day, c.day)
        self.collect(days, "audit_day")

    def small_facts(self, present: set[str]) -> None:
        """The marts small enough to be read whole at every refresh."""
        facts = {
            "appeal": ("appeals", marts.appeal_facts(self.zone)),
            "appeal_time": ("appeals", marts.appeal_time(self.zone)),
            "shift": ("shifts", marts.shift_facts("shifts.available_seconds" not in self.lacking)),
            "training": ("trainings", marts.training_facts()),
            "cost": ("costs", marts.cost_facts()),
            "escalation": ("escalations", marts.escalation_facts(self.zone)),
            "case_pairs": ("case_results", case_pairs(present)),
            "comparison": ("comparisons", marts.comparison_facts(self.zone)),
        }
        for name, (needed, select) in facts.items():
            columns = []
            for column in select.selected_columns:
                if column.key in DAY_KEYS:
                    kind = "DATE"
                elif column.key.endswith("_id") or column.key in TEXT_KEYS:
                    kind = "VARCHAR"
                else:
                    kind = "DOUBLE" if column.key.startswith("cost") or column.key.endswith("_seconds") else "BIGINT"
                columns.append(f'"{column.key}" {kind}')
            self.connection.execute(f'CREATE OR REPLACE TABLE "{name}" ({", ".join(columns)})')
            if needed in present:
                self.collect(select, name)
