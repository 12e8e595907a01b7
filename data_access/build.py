"""Reads the marts from the warehouse into a snapshot file that is being made.

Two ways in, one set of statements (marts.py). A DuckDB warehouse is attached read-only, and each window's join of
annotations and items is staged once in a temporary table that all marts then read; any other engine runs each
statement itself and sends the grouped rows. Parts add up: rows of the same grain are summed when a mart is finished.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa

from data_access import batch_marts, marts
from data_access import tables as t
from data_access.case_marts import case_pairs
from data_access.dialect import business_day, day_start, row_checksum
from data_access.marts import Mart, Window
from data_access.snapshot import DIALECT
from data_access.warehouse import Warehouse
from metrics.patterns import Encoding

log = logging.getLogger("raterscope.refresh")

ATTACHED = "warehouse"
MEMORY = "5GB"
ITEMS_PER_WINDOW = 3_000_000
Progress = Callable[[int, int, str], None]

# Contract tables kept as they are, under the snapshot's name for them.
COPIES = {
    "project": t.projects,
    "label": t.labels,
    "pool": t.pools,
    "rater": t.raters,
    "guideline": t.guidelines,
    "budget": t.budgets,
    "change": t.changes,
    "target": t.targets,
    "batch": t.batches,
    "dataset_version": t.dataset_versions,
    "model_version": t.model_versions,
    "model_metric": t.model_metrics,
    "incident": t.incidents,
}
JUDGED_COLUMNS = tuple(marts.judged("UTC").selected_columns.keys())
AUDITED_COLUMNS = tuple(marts.audited("UTC").selected_columns.keys())
STAGED_JUDGED = sa.table("judged", *map(sa.column, JUDGED_COLUMNS), schema="temp")
STAGED_SAMPLE = sa.table("sampled", *map(sa.column, JUDGED_COLUMNS), schema="temp")
STAGED_AUDITED = sa.table("audited", *map(sa.column, AUDITED_COLUMNS), schema="temp")
# Columns of the staged tables with few distinct values, and the contract table whose values they take.
NUMBERED = {
    "project_id": "annotations",
    "rater_id": "annotations",
    "stage": "annotations",
    "status": "annotations",
    "label": "annotations",
    "guideline_version": "annotations",
    "time_basis": "annotations",
    "language": "items",
    "policy": "items",
    "content_type": "items",
    "gold_label": "items",
    "batch_id": "batches",
}
MOST_NUMBERED = 60_000
BATCHES_AT_ONCE = 500  # names in one statement
TEXT_KEYS = {"language", "policy", "benchmark", "model_version", "previous_version"}
DAY_KEYS = {"day", "week", "month", "created_day", "created_week", "due_day", "closed_day", "audited_day"}


def column_type(name: str, mart: Mart | None = None) -> str:
    """The DuckDB type of a mart's column."""
    if name in DAY_KEYS:
        return "DATE"
    if name in ("bucket", "in_time", "hours"):
        return "INTEGER"
    if name == "chance":
        return "BIGINT"
    if mart is not None and name in mart.keys:
        return "VARCHAR"
    return "DOUBLE" if mart is not None and name in mart.real else "BIGINT"


class Builder:
    """Fills the tables of one snapshot file from the warehouse."""

    def __init__(
        self,
        path: Path,
        warehouse: Warehouse,
        zone: str,
        lacking: frozenset[str] = frozenset(),
        *,
        batched: bool = False,
    ) -> None:
        """``lacking``: columns, as "items.claimed_at", that the warehouse does without; ``batched``: it has batches."""
        self.zone = zone
        self.lacking = lacking
        self.warehouse = warehouse
        self.batched = batched
        self.connection = duckdb.connect(
            str(path),
            config={
                "threads": 2,
                "memory_limit": MEMORY,
                "temp_directory": f"{path}.tmp",
                "preserve_insertion_order": False,
            },
        )
        # This optimiser packs a join's columns and so keeps the join's bounds from reaching the scan below it.
        self.connection.execute("SET disabled_optimizers = 'compressed_materialization'")
        self.connection.execute("SET enable_progress_bar = false")
        self._source: sa.Connection | None = None
        self._types: dict[str, str] = {}

    def __enter__(self) -> Builder:
        self._connected = self.warehouse.connect()
        self._source = self._connected.__enter__()
        if self.warehouse.is_duckdb:
            file = str(self.warehouse.path.resolve()).replace("'", "''")
            self.connection.execute(f"ATTACH '{file}' AS {ATTACHED} (READ_ONLY)")
        return self

    def __exit__(self, *error) -> None:
        self.connection.close()
        self._connected.__exit__(*error)

    # ---- running a statement -----------------------------------------------------------------------------------

    def _attached_sql(self, select: sa.Select) -> tuple[str, list]:
        """The select against the attached warehouse."""
        compiled = select.compile(
            dialect=DIALECT,
            schema_translate_map={None: ATTACHED, "temp": "temp"},
            compile_kwargs={"render_postcompile": True},
        )
        sql = compiled.preparer._render_schema_translates(str(compiled), {None: ATTACHED, "temp": "temp"})
        return sql, [compiled.params[name] for name in compiled.positiontup or ()]

    def read(self, select: sa.Select) -> list[tuple]:
        """The rows of a small select on the warehouse."""
        if self.warehouse.is_duckdb:
            return self.connection.execute(*self._attached_sql(select)).fetchall()
        return [tuple(row) for row in self._source.execute(select)]

    def collect(self, select: sa.Select, into: str) -> int:
        """Adds the select's rows to a table of the snapshot, matched by column name; returns how many."""
        names = ", ".join(f'"{name}"' for name in _names(select))
        if self.warehouse.is_duckdb:
            sql, values = self._attached_sql(select)
            done = self.connection.execute(f'INSERT INTO "{into}" ({names}) {sql}', values).fetchone()
            return done[0] if done else 0
        schema = self._schema(into, _names(select))
        count = 0
        for batch in self.warehouse.batches(self._source, select, schema):
            self.connection.register("incoming", batch)
            self.connection.execute(f'INSERT INTO "{into}" ({names}) SELECT {names} FROM incoming')
            self.connection.unregister("incoming")
            count += batch.num_rows
        return count

    def _schema(self, table: str, names: Iterable[str]) -> pa.Schema:
        kinds = self.connection.execute(f'SELECT * FROM "{table}" LIMIT 0').to_arrow_table().schema
        return pa.schema([kinds.field(name) for name in names])

    # ---- tables ------------------------------------------------------------------------------------------------

    def create(self, mart: Mart, name: str, extra: Iterable[tuple[str, str]] = ()) -> None:
        """An empty temporary table of the mart's columns, for its parts."""
        columns = [f'"{key}" {column_type(key, mart)}' for key in mart.keys]
        columns += [f'"{key}" {kind}' for key, kind in extra]
        columns += [f'"{key}" {column_type(key, mart)} DEFAULT 0' for key in mart.sums]
        self.connection.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" ({", ".join(columns)})')

    def finish(self, mart: Mart, extra: Iterable[str] = ()) -> None:
        """Adds up the parts of a mart and orders it by day, then project."""
        self.connection.execute(f'CREATE OR REPLACE TABLE "{mart.name}" AS {self._added_up(mart, extra)}')
        self.connection.execute(f'DROP TABLE "{mart.name}_part"')

    def replace(self, mart: Mart, extra: Iterable[str], old: str) -> None:
        """Puts the parts of a mart, added up, in place of its rows that fulfil the condition ``old``."""
        self.connection.execute(f'DELETE FROM "{mart.name}" WHERE {old}')
        names = ", ".join(f'"{name}"' for name in (*mart.keys, *extra, *mart.sums))
        self.connection.execute(f'INSERT INTO "{mart.name}" ({names}) {self._added_up(mart, extra)}')
        self.connection.execute(f'DROP TABLE "{mart.name}_part"')

    def _added_up(self, mart: Mart, extra: Iterable[str]) -> str:
        keys = [f'"{key}"' for key in (*mart.keys, *extra)]
        sums = [f'COALESCE(SUM("{s}"), 0)::{column_type(s, mart)} AS "{s}"' for s in mart.sums]
        return (
            f'SELECT {", ".join((*keys, *sums))} FROM "{mart.name}_part" '
            f"GROUP BY {', '.join(keys)} ORDER BY {', '.join(keys[:3])}"
        )

    def copy(self, present: set[str]) -> None:
        """The contract tables that are kept as they are; an absent one is empty, a flag that is lacking is false."""
        for name, table in COPIES.items():
            kinds = ", ".join(f'"{c.name}" {_plain_type(c.type)}' for c in table.columns)
            self.connection.execute(f'CREATE OR REPLACE TABLE "{name}" ({kinds})')
            if table.name in present:
                self.collect(sa.select(*(c for c in table.columns if str(c) not in self.lacking)), name)
            for column in table.columns:
                if column.info.get("may_lack"):
                    self.connection.execute(
                        f'UPDATE "{name}" SET "{column.name}" = FALSE WHERE "{column.name}" IS NULL'
                    )

    # ---- the marts ---------------------------------------------------------------------------------------------

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
        return self._staged("judged", select, STAGED_JUDGED)

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

    def _staged(self, name: str, select: sa.Select, staged: sa.FromClause) -> sa.FromClause:
        if not self.warehouse.is_duckdb:
            return select.subquery(name)
        sql, values = self._attached_sql(select)
        columns = ", ".join(
            f"{column}::{self._types[column]} AS {column}" if column in self._types else column
            for column in _names(select)
        )
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {columns} FROM ({sql})", values)
        return staged

    def number_names(self) -> None:
        """Stages names as numbers from here on, for a full build: grouping by nine texts takes twice as long."""
        if not self.warehouse.is_duckdb:
            return
        for column, table in NUMBERED.items():
            if table == "batches" and not self.batched:
                continue
            named = f"SELECT DISTINCT {column} AS name FROM {ATTACHED}.{table} WHERE {column} IS NOT NULL"
            if column == "guideline_version":
                named += f" UNION SELECT '{marts.NOT_RECORDED}'"
            count = self.connection.execute(f"SELECT COUNT(*) FROM ({named})").fetchone()[0]
            if 0 < count <= MOST_NUMBERED:
                self.connection.execute(f"CREATE TEMP TYPE name_of_{column} AS ENUM ({named} ORDER BY ALL)")
                self._types[column] = f"name_of_{column}"

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
            f"<= {marts.SAMPLED_ITEMS}"
        )

    def peers(self, source: sa.FromClause, sample: int) -> None:
        """Adds one item in ``sample`` to what raters share with the others of an item."""
        if sample > 1:
            chosen = sa.select(source).where(sa.func.mod(row_checksum(source.c.item_id), sample) == 0)
            source = self._staged("sampled", chosen, STAGED_SAMPLE)
        self.collect(marts.peers(source), "peers_part")

    @property
    def has_claims(self) -> bool:
        """Whether the warehouse says when items were claimed."""
        return "items.claimed_at" not in self.lacking

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
        return self._staged("audited", select, STAGED_AUDITED)

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

    # ---- what has changed --------------------------------------------------------------------------------------

    def day_checks(self, present: set[str]) -> None:
        """Fills `day_check`: rows and checksums of each table by day, which tell a refresh what changed."""
        self.connection.execute(
            "CREATE OR REPLACE TABLE day_check (source VARCHAR, day DATE, n BIGINT, checksum BIGINT, "
            "first_key VARCHAR, last_key VARCHAR)"
        )
        a, i, u = t.annotations.c, t.items.c, t.audits.c
        parts = {
            "annotations": (
                business_day(a.submitted_at, self.zone),
                (a.rater_id, a.label, a.status, a.stage, a.submitted_at, a.handle_seconds, a.guideline_version),
            ),
            "items": (
                business_day(i.created_at, self.zone),
                (i.created_at, i.gold_label, i.language, i.policy, i.content_type, i.batch_id),
            ),
            "item_lives": (
                business_day(i.created_at, self.zone),
                (i.created_at, i.due_at, i.closed_at, *((i.claimed_at,) if self.has_claims else ())),
            ),
            "audits": (
                business_day(u.audited_at, self.zone),
                (u.annotation_id, u.correct_label, u.verdict, u.weight),
            ),
        }
        for source, (day, columns) in parts.items():
            if source == "audits" and "audits" not in present:
                continue
            key = {"items": i.item_id, "audits": u.annotation_id}.get(source)
            keys = [] if key is None else [sa.func.min(key).label("first_key"), sa.func.max(key).label("last_key")]
            self.collect(
                sa.select(
                    sa.literal_column(f"'{source}'").label("source"),
                    day.label("day"),
                    sa.func.count().label("n"),
                    sa.cast(sa.func.sum(row_checksum(*columns)), sa.BigInteger).label("checksum"),
                    *keys,
                ).group_by(day),
                "day_check",
            )

    def days_of_annotations(self, created: Window) -> set[dt.date]:
        """The days on which items created in the window were judged."""
        source = marts.judged(self.zone, created=created).subquery("judged")
        return _days(self.read(sa.select(source.c.day).distinct()))

    def created_days_of_batches(self, batches: set[str]) -> set[dt.date]:
        """The days on which items of these batches were created."""
        listed, found = sorted(batches), set()
        for k in range(0, len(listed), BATCHES_AT_ONCE):
            found |= _days(self.read(batch_marts.created_days(self.zone, listed[k : k + BATCHES_AT_ONCE])))
        return found

    def created_days(self, submitted: Window) -> set[dt.date]:
        """The days on which items judged in the window were created."""
        source = marts.judged(self.zone, submitted=submitted).subquery("judged")
        return _days(self.read(sa.select(source.c.created_day).distinct()))

    def label_sets_in_use(self, projects: list[str]) -> dict[str, tuple[str, ...]]:
        """The distinct label sets of projects whose labels are sets, in alphabetical order."""
        if not projects:
            return {}
        a = t.annotations.c
        rows = self.read(
            sa.select(a.project_id, a.label)
            .where(a.project_id.in_(projects), a.label.is_not(None), a.stage == "label")
            .distinct()
        )
        return {p: tuple(sorted({label for project, label in rows if project == p})) for p in projects}

    def largest_item(self, project: str) -> int:
        """The most ratings any item of the project has."""
        a = t.annotations.c
        per_item = (
            sa.select(sa.func.count().label("n"))
            .where(a.project_id == project, a.stage == "label", a.status != "skipped")
            .group_by(a.item_id)
            .subquery()
        )
        return self.read(sa.select(sa.func.max(per_item.c.n)))[0][0] or 0


def _names(select: sa.Select) -> list[str]:
    """The names of a select's columns, in order."""
    return [column.key for column in select.selected_columns]


def _plain_type(kind: sa.types.TypeEngine) -> str:
    """The DuckDB type of a contract column."""
    if isinstance(kind, sa.Date):
        return "DATE"
    if isinstance(kind, sa.DateTime):
        return "TIMESTAMP"
    if isinstance(kind, sa.Boolean):
        return "BOOLEAN"
    if isinstance(kind, sa.Integer):
        return "INTEGER"
    return "DOUBLE" if isinstance(kind, sa.Double) else "VARCHAR"


def _days(rows: list[tuple]) -> set[dt.date]:
    """Days as dates; some engines answer text."""
    found = {row[0] for row in rows if row[0] is not None}
    return {
        d if isinstance(d, dt.date) and not isinstance(d, dt.datetime) else dt.date.fromisoformat(str(d)[:10])
        for d in found
    }


def windows(
    days: Iterable[dt.date],
    zone: str,
    sizes: dict[dt.date, int] | None = None,
    keys: dict[dt.date, tuple[str, str]] | None = None,
) -> list[tuple[Window, int]]:
    """Windows that cover these days, with their rows: neighbours together, up to ITEMS_PER_WINDOW rows.

    Without ``sizes`` the windows cover exactly these days; with it, days between two of them that have no rows may lie
    inside. ``keys`` are the first and last key of each day's rows.
    """
    found: list[tuple[Window, int]] = []
    run: list[dt.date] = []
    rows = 0

    def close() -> None:
        if run:
            bounds = [keys[day] for day in run if keys and keys.get(day, (None, None))[0] is not None]
            first, last = (min(b[0] for b in bounds), max(b[1] for b in bounds)) if bounds else (None, None)
            end = run[-1] + dt.timedelta(days=1)
            found.append((Window(day_start(run[0], zone), day_start(end, zone), first, last), rows))

    for day in sorted(days):
        size = (sizes or {}).get(day, 0)
        gap = run and day - run[-1] > dt.timedelta(days=1) and sizes is None
        if run and (gap or rows + size > ITEMS_PER_WINDOW):
            close()
            run, rows = [], 0
        run.append(day)
        rows += size
    close()
    return found


def week_start(day: dt.date) -> dt.date:
    """The Monday of the day's week."""
    return day - dt.timedelta(days=day.weekday())


def choose_encodings(
    level_of: dict[str, str], label_counts: dict[str, int], ratings: dict[str, int], most_words: int = 16
) -> dict[str, Encoding]:
    """How each project's label counts are packed; projects without labels or with too many are left out."""
    found = {}
    for project in level_of:
        count = label_counts.get(project, 0)
        if count:
            encoding = Encoding.choose(count, ratings.get(project))
            if encoding.words <= most_words:
                found[project] = encoding
    return found
