"""Makes the snapshot: in full, or only the days that changed; checks it and publishes it.

Killed at any moment, the old snapshot still serves. Two refreshes at once: the first holds the lock, the second is
told.
"""

from __future__ import annotations

import calendar
import datetime as dt
import logging
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pandas as pd
import sqlalchemy as sa

from data_access import batch_marts, contract, marts, publish
from data_access import tables as t
from data_access.build import Builder, choose_encodings, week_start, windows
from data_access.derive import derive
from data_access.marts import Window
from data_access.settings import Settings
from data_access.snapshot import FORMAT_VERSION, MAGIC, Snapshot
from data_access.warehouse import Warehouse
from metrics.errors import ContractBroken, RefreshRefused, SnapshotUnusable
from metrics.patterns import Encoding, decode, overflowed

log = logging.getLogger("raterscope.refresh")

Progress = Callable[[int, int, str], None]
PEERS_SAMPLE_ABOVE = 5_000_000  # annotations above which raters are compared with the others on a sample of the items
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
DEFAULT_PROVISIONAL_DAYS = 7


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


# ---- plan ------------------------------------------------------------------------------------------------------


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


def _make(settings, warehouse, building, usable, lacking, findings, full, progress) -> Report:
    old = None if full else _old_snapshot(settings, warehouse)
    try:
        if old is not None:
            shutil.copyfile(settings.snapshot, building)
        ratings: dict[str, int] = {}
        for _attempt in range(8):
            batched = "batches" in usable
            with Builder(building, warehouse, settings.timezone, lacking, batched=batched) as builder:
                try:
                    run = _Run(builder, settings, usable, findings, progress, ratings)
                    return run.incremental(old) if old is not None else run.full()
                except _NeedsFull as reason:
                    log.info("full build: %s", reason)
                    if old is not None:
                        old.close()
                    old = None
                except _Overflow as error:
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


class _NeedsFull(Exception):
    """The old snapshot cannot be brought up to date in part."""


class _Overflow(Exception):
    def __init__(self, project: str, ratings: int) -> None:
        super().__init__(project)
        self.project, self.ratings = project, ratings


class _Run:
    """One refresh into one file."""

    def __init__(self, builder: Builder, settings, usable, findings, progress, ratings) -> None:
        self.b = builder
        self.c = builder.connection
        self.settings = settings
        self.usable = usable
        self.findings = list(findings)
        self.progress = progress
        self.ratings = ratings
        self.zone = settings.timezone
        self.peers_sample = 1

    # ---- full --------------------------------------------------------------------------------------------------

    def full(self) -> Report:
        """Builds everything."""
        self.b.number_names()
        self.b.day_checks(self.usable)
        self.b.copy(self.usable)
        self._label_codes()
        item_days, audit_days = self._sizes("items"), self._sizes("audits")
        annotations = sum(self._sizes("annotations").values())
        total, done = annotations + sum(audit_days.values()), 0
        self.peers_sample = -(-annotations // PEERS_SAMPLE_ABOVE) or 1
        self._create_parts()
        self.c.execute("CREATE OR REPLACE TABLE audit_day (audited_day DATE, day DATE, n BIGINT)")
        self.c.execute("CREATE OR REPLACE TABLE judged_day (day DATE, created_day DATE, n BIGINT)")
        created = windows(item_days, self.zone, item_days, self._keys("items"))
        per_item = annotations / max(sum(item_days.values()), 1)
        for window, items in created:
            self.progress(done, total, "judgements")
            self.b.judgement_marts(window, self.digits, self.words, self.peers_sample)
            self.b.collect(marts.item_lives(self.zone, window), "item_lives_part")
            self.b.collect(marts.promises(self.zone, window), "promise_part")
            self.b.claims(window)
            self._raise_on_overflow("agreement_part")
            done += int(items * per_item)
        for window, audits in windows(audit_days, self.zone, audit_days, self._keys("audits")):
            self.progress(min(done, total), total, "audits")
            self.b.audit_marts(window)
            done += audits
        self.progress(total, total, "turnaround and flow")
        self.b.collect(marts.turnaround(self.zone, Window()), "turnaround_part")
        self._finish_parts()
        return self._complete("full", annotations, days=len(self._sizes("annotations")))

    # ---- incremental -------------------------------------------------------------------------------------------

    def incremental(self, old: Snapshot) -> Report:
        """Recomputes only what changed since the old snapshot, whose file this one was copied from."""
        before = self.c.execute("SELECT source, day, n, checksum FROM day_check").df()
        kept = {name: self._content(name) for name in ("label", "guideline", "rater", "pool", "project", "batch")}
        old_words = old.code_words
        self.peers_sample = old.meta.peers_sample
        self.b.day_checks(self.usable)
        self.b.copy(self.usable)
        self._same_ground(kept)
        self._label_codes()
        if self.words != old_words:
            raise _NeedsFull("the label sets need more words")
        changed = self._changed(before)
        judged, created, lives, audits = (changed[s] for s in ("annotations", "items", "item_lives", "audits"))
        rebatched = self._rebatched(kept["batch"])
        if not any(changed.values()) and not rebatched:
            return self._complete("incremental", 0, days=0)
        # What was judged before counts too: a judgement that is gone changed the agreement on its item.
        created_touched = set(created) | self._met("created_day", "day", judged)
        for window, _ in windows(judged, self.zone):
            created_touched |= self.b.created_days(window)
        work_days = set(judged) | self._met("day", "created_day", created)
        for window, _ in windows(created, self.zone, keys=self._keys("items")):
            work_days |= self.b.days_of_annotations(window)
        self._replace_judgements(work_days)
        reaudited = self._replace_audits(audits, work_days)
        self._replace_created(created_touched, rebatched | self._met("created_day", "day", reaudited))
        self._replace_lives(set(lives) | set(created))
        rows = sum(n for day, n in self._sizes("annotations").items() if day in work_days)
        return self._complete("incremental", rows, days=len(work_days))

    def _met(self, wanted: str, known: str, days: set[dt.date]) -> set[dt.date]:
        """Days of work and of creation that belonged together at the old refresh."""
        rows = self.c.execute(f"SELECT DISTINCT {wanted} FROM judged_day WHERE {known} IN ({_dates(days)})").fetchall()
        return {row[0] for row in rows}

    def _rebatched(self, before: pd.DataFrame) -> set[dt.date]:
        """The days of creation of items whose batch came, went, or closed at another time than it did."""
        columns = ["batch_id", "closed_at"]
        both = before[columns].merge(self._content("batch")[columns], how="outer", indicator=True)
        return self.b.created_days_of_batches(set(both.loc[both["_merge"] != "both", "batch_id"]))

    def _content(self, name: str) -> pd.DataFrame:
        return self.c.execute(f'SELECT * FROM "{name}" ORDER BY ALL').df()

    def _same_ground(self, kept: dict[str, pd.DataFrame]) -> None:
        """Labels, guidelines, raters' pools and label levels shape old sums: a change there needs a full build."""
        ground = {
            "label": ["project_id", "label", "position", "is_violation"],
            "guideline": ["project_id", "version", "effective_from"],
            "rater": ["rater_id", "pool_id", "language", "locale", "gender", "age_band"],
            "pool": ["pool_id", "vendor", "site", "region"],
            "project": ["project_id", "label_level"],
        }
        for name, columns in ground.items():
            new = self._content(name)[columns].astype(str)
            was = kept[name][columns].astype(str)
            if len(was.merge(new, how="left", indicator=True).query("_merge != 'both'")):
                raise _NeedsFull(f"{name} rows changed")
            if name in ("label", "guideline") and len(new) != len(was):
                raise _NeedsFull(f"{name} rows were added")

    def _changed(self, before: pd.DataFrame) -> dict[str, set[dt.date]]:
        after = self.c.execute("SELECT source, day, n, checksum FROM day_check").df()
        both = before.merge(after, on=["source", "day"], how="outer", suffixes=("", "_now"))
        differs = (both["n"] != both["n_now"]) | (both["checksum"] != both["checksum_now"])
        rows = both[differs]
        return {
            source: {d.date() for d in rows.loc[rows["source"] == source, "day"] if not pd.isna(d)}
            for source in ("annotations", "items", "item_lives", "audits")
        }

    def _replace_judgements(self, days: set[dt.date]) -> None:
        """Puts fresh judgements, gold, audits and handle times in place for these days of work."""
        if not days:
            return
        weeks = {week_start(day) for day in days}
        self._create_parts((marts.WORK, marts.HANDLE_TIME, marts.CONFUSION, marts.LABELS_GIVEN))
        self.c.execute(f"DELETE FROM judged_day WHERE day IN ({_dates(days)})")
        done, total = 0, len(days)
        for window, _ in windows(days, self.zone):
            self.progress(done, total, "changed days")
            self._work_of(window)
        # Confusion and the labels given are kept by week: their weeks are read whole.
        for window, _ in windows(_days_of_weeks(weeks), self.zone):
            self._weekly_of(window)
        self._replace(marts.WORK, days)
        self._replace(marts.HANDLE_TIME, days)
        self._replace(marts.CONFUSION, weeks)
        self._replace(marts.LABELS_GIVEN, weeks)

    def _work_of(self, window: Window) -> None:
        source = self.b.judged(submitted=window)
        self.b.judged_days(source)
        self.b.collect(marts.work_judgements(source), "work_part")
        self.b.collect(marts.work_gold(source), "work_part")
        self.b.collect(marts.handle_time(source), "handle_time_part")
        if "audits" in self.usable:
            self.b.collect(marts.work_audits(self.b.audited(submitted=window)), "work_part")

    def _weekly_of(self, window: Window) -> None:
        source = self.b.judged(submitted=window)
        self.b.collect(marts.confusion_gold(source), "confusion_part")
        self.b.collect(marts.labels_given(source), "labels_given_part")
        if "audits" in self.usable:
            self.b.collect(marts.confusion_audits(self.b.audited(submitted=window)), "confusion_part")

    def _replace_created(self, created: set[dt.date], batched: set[dt.date]) -> None:
        """Puts fresh patterns, peers and batches in place for the weeks of creation, a fresh sample for its months.

        On the days of ``batched`` only what batches keep has changed; their weeks are read along with the others.
        """
        weeks = {week_start(day) for day in created | batched}
        if not weeks:
            return
        parts = (marts.AGREEMENT, marts.PEERS, *batch_marts.ALL)
        self._create_parts(parts)
        for window, _ in windows(_days_of_weeks(weeks), self.zone, keys=self._keys("items")):
            source = self.b.judged(created=window)
            self.b.collect(marts.agreement(source, self.digits, self.words), "agreement_part")
            self.b.peers(source, self.peers_sample)
            self.b.batch_marts(source, window, self.digits, self.words)
            if self.b.batched and "audits" in self.usable:
                self.b.batch_audits(self.b.audited(created=window))
        self._raise_on_overflow("agreement_part")
        for mart in parts:
            self._replace(mart, weeks)
        if created:
            self._replace_sample(created)

    def _replace_sample(self, created: set[dt.date]) -> None:
        self._create_parts((marts.OVERLAP_SAMPLE,))
        months = {day.replace(day=1) for day in created}
        days = {m + dt.timedelta(days=k) for m in months for k in range(calendar.monthrange(m.year, m.month)[1])}
        for window, _ in windows(days, self.zone, keys=self._keys("items")):
            source = self.b.judged(created=window)
            self.b.collect(marts.overlap_sample(source, self.digits), "overlap_sample_part")
        self.b.thin_sample()
        self._replace(marts.OVERLAP_SAMPLE, days)

    def _replace_audits(self, audited: set[dt.date], fresh: set[dt.date]) -> set[dt.date]:
        """Late audits change old days: only their audit sums are read again, the days' other sums are kept.

        Returns the days of work whose audits changed.
        """
        if not audited or "audits" not in self.usable:
            return set()
        listed = ", ".join(f"DATE '{d}'" for d in sorted(audited))
        touched = {
            r[0]
            for r in self.c.execute(f"SELECT DISTINCT day FROM audit_day WHERE audited_day IN ({listed})").fetchall()
        }
        self.c.execute(f"DELETE FROM audit_day WHERE audited_day IN ({listed})")
        for window, _ in windows(audited, self.zone):
            self.b.audit_days(window)
        touched |= {
            r[0]
            for r in self.c.execute(f"SELECT DISTINCT day FROM audit_day WHERE audited_day IN ({listed})").fetchall()
        }
        days = touched - fresh
        if not days:
            return touched
        others = [s for s in marts.WORK.sums if not s.startswith("audited_")]
        self._create_parts((marts.WORK, marts.CONFUSION))
        names = ", ".join(f'"{c}"' for c in (*marts.WORK.keys, *others))
        self.c.execute(f"INSERT INTO work_part ({names}) SELECT {names} FROM work WHERE day IN ({_dates(days)})")
        weeks = {week_start(day) for day in days}
        for window, _ in windows(days, self.zone):
            self.b.collect(marts.work_audits(self.b.audited(submitted=window)), "work_part")
        for window, _ in windows(_days_of_weeks(weeks), self.zone):
            self.b.collect(marts.confusion_audits(self.b.audited(submitted=window)), "confusion_part")
        self._replace(marts.WORK, days)
        self._replace(marts.CONFUSION, weeks, "basis = 'audit'")
        return touched

    def _replace_lives(self, days: set[dt.date]) -> None:
        if not days:
            return
        listed = _dates(days)
        question = f"SELECT DISTINCT closed_day FROM {{}} WHERE created_day IN ({listed}) AND closed_day IS NOT NULL"
        closed = {r[0] for r in self.c.execute(question.format("item_lives")).fetchall()}
        self._create_parts((marts.LIVES,))
        for window, _ in windows(days, self.zone):
            self.b.collect(marts.item_lives(self.zone, window), "item_lives_part")
        self._replace(marts.LIVES, days)
        created = {week_start(day) for day in days}
        self._create_parts((marts.PROMISE,))
        for window, _ in windows(_days_of_weeks(created), self.zone):
            self.b.collect(marts.promises(self.zone, window), "promise_part")
        self._replace(marts.PROMISE, created)
        closed |= {r[0] for r in self.c.execute(question.format("item_lives")).fetchall()}
        weeks = {week_start(day) for day in closed}
        if weeks:
            self._create_parts((marts.TURNAROUND,))
            for window, _ in windows(_days_of_weeks(weeks), self.zone):
                self.b.collect(marts.turnaround(self.zone, window), "turnaround_part")
            self._replace(marts.TURNAROUND, weeks)
        weeks = {week_start(day) for day in days}
        self._create_parts((marts.CLAIM_TIME,))
        for window, _ in windows(_days_of_weeks(weeks), self.zone):
            self.b.claims(window)
        self._replace(marts.CLAIM_TIME, weeks)

    def _replace(self, mart: marts.Mart, periods: set[dt.date], only: str = "TRUE") -> None:
        """Puts the mart's fresh parts in place of its rows of these periods; ``only`` narrows which rows are theirs."""
        extra = [name for name, _ in self._extra(mart)]
        self.b.replace(mart, extra, f'"{mart.period}" IN ({_dates(periods)}) AND {only}')

    # ---- shared ------------------------------------------------------------------------------------------------

    def _sizes(self, source: str) -> dict[dt.date, int]:
        rows = self.c.execute("SELECT day, n FROM day_check WHERE source = ? AND day IS NOT NULL", [source]).fetchall()
        return dict(rows)

    def _keys(self, source: str) -> dict[dt.date, tuple[str, str]]:
        """The first and last key of each day; other engines may order text in another way than Python does."""
        if not self.b.warehouse.is_duckdb:
            return {}
        rows = self.c.execute(
            "SELECT day, first_key, last_key FROM day_check WHERE source = ? AND day IS NOT NULL", [source]
        ).fetchall()
        return {day: (first, last) for day, first, last in rows}

    def _extra(self, mart: marts.Mart) -> list[tuple[str, str]]:
        """The code columns of the marts of patterns."""
        if mart in (marts.AGREEMENT, batch_marts.BATCH_PATTERNS):
            return [*((f"code_{w}", "BIGINT") for w in range(self.words)), ("ratings", "BIGINT")]
        return []

    def _create_parts(self, parts: Iterable[marts.Mart] = PARTS) -> None:
        for mart in parts:
            self.b.create(mart, f"{mart.name}_part", self._extra(mart))

    def _finish_parts(self) -> None:
        self.b.thin_sample()
        for mart in PARTS:
            self.b.finish(mart, [name for name, _ in self._extra(mart)])

    def _label_codes(self) -> None:
        """Decides how each project's label counts are packed, and writes `label_code`."""
        levels = dict(self.c.execute("SELECT project_id, label_level FROM project").fetchall())
        sets = self.b.label_sets_in_use(sorted(p for p, level in levels.items() if level == "set"))
        declared = self.c.execute("SELECT project_id, label FROM label ORDER BY project_id, position").fetchall()
        names: dict[str, list[str]] = {p: list(members) for p, members in sets.items()}
        for project, label in declared:
            if project not in sets:
                names.setdefault(project, []).append(label)
        encodings = choose_encodings(levels, {p: len(n) for p, n in names.items()}, self.ratings)
        self.words = max([e.words for e in encodings.values()], default=1)
        self.digits = marts.label_digits(encodings, {p: n for p, n in sets.items() if p in encodings}, self.words)
        rows = [
            (project, levels[project], names[project][position], position, encoding.bits)
            for project, encoding in encodings.items()
            for position in range(encoding.labels)
        ]
        frame = pd.DataFrame(rows, columns=["project_id", "level", "label", "position", "bits"])
        self.c.register("codes", frame.astype({"position": int, "bits": int}))
        self.c.execute(
            "CREATE OR REPLACE TABLE label_code AS SELECT project_id::VARCHAR AS project_id, level::VARCHAR AS level, "
            "label::VARCHAR AS label, position::INTEGER AS position, bits::INTEGER AS bits FROM codes"
        )
        self.c.unregister("codes")
        for project in sorted(set(levels) - set(encodings)):
            n = len(names.get(project, ()))
            why = f"has {n} labels, too many to count by patterns" if n else "declares no labels"
            message = f"Project {project} {why}; its agreement is not computed."
            self.findings.append(contract.Finding(contract.WARNING, "labels", "label", message, "Agreement"))
        self.encodings: dict[str, Encoding] = encodings

    def _raise_on_overflow(self, table: str) -> None:
        """Every item's digits must add up to its ratings; a carry would make another pattern of it."""
        for project, encoding in self.encodings.items():
            most = self.c.execute(f"SELECT MAX(ratings) FROM {table} WHERE project_id = ?", [project]).fetchone()[0]
            if not most or most <= encoding.most:
                continue
            words = ", ".join(f"code_{w}" for w in range(encoding.words))
            rows = self.c.execute(f"SELECT {words}, ratings FROM {table} WHERE project_id = ?", [project]).df()
            counts = decode(rows.iloc[:, :-1].to_numpy(), encoding)
            if overflowed(counts, rows["ratings"].to_numpy()).any():
                raise _Overflow(project, max(self.b.largest_item(project), int(most)))

    def _complete(self, kind: str, rows: int, days: int) -> Report:
        """Small facts, derived tables, checks and the snapshot's own page."""
        self.b.small_facts(self.usable)
        derive(
            self.c,
            has_appeals="appeals" in self.usable,
            has_costs="costs" in self.usable,
            has_escalations="escalations" in self.usable,
        )
        self._sources()
        self._check()
        snapshot_id = uuid.uuid4().hex[:12]
        self._write_meta(snapshot_id)
        self._write_findings()
        counted = self.c.execute(
            "SELECT table_name, estimated_size FROM duckdb_tables() WHERE NOT temporary"
        ).fetchall()
        self.c.execute("CHECKPOINT")
        return Report(kind, snapshot_id, rows, 0.0, days, dict(sorted(counted)), findings=self.findings)

    def _sources(self) -> None:
        """Rows and newest time of every contract table, which the freshness table shows."""
        self.c.execute(
            "CREATE OR REPLACE TABLE source "
            "(table_name VARCHAR, present BOOLEAN, optional BOOLEAN, n BIGINT, newest TIMESTAMP)"
        )
        for table in t.TABLES:
            n, newest = 0, None
            if table.name in self.usable:
                time_column = table.info["time"]
                columns = [sa.func.count().label("n")]
                if time_column:
                    columns.append(sa.func.max(table.c[time_column]).label("newest"))
                n, *rest = self.b.read(sa.select(*columns).select_from(table))[0]
                newest = rest[0] if rest else None
            self.c.execute(
                "INSERT INTO source VALUES (?, ?, ?, ?, ?)",
                [table.name, table.name in self.usable, table.info["optional"], n, newest],
            )

    def _check(self) -> None:
        """The marts must account for every row of the warehouse, or say which they leave out."""
        read = dict(self.c.execute("SELECT source, SUM(n)::BIGINT FROM day_check GROUP BY source").fetchall())
        kept = self.c.execute("SELECT COALESCE(SUM(served), 0)::BIGINT FROM work").fetchone()[0]
        lives = self.c.execute("SELECT COALESCE(SUM(items), 0)::BIGINT FROM item_lives").fetchone()[0]
        if lives != read.get("items", 0):
            raise RefreshRefused(
                f"The snapshot counts {lives:,} items where the warehouse has {read.get('items', 0):,}: "
                "it changed while being read. Run the refresh again."
            )
        missing = read.get("annotations", 0) - kept
        if missing:
            a, i = t.annotations.c, t.items.c
            orphans = self.b.read(
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
            self.findings.append(
                contract.Finding(contract.WARNING, "annotations", "item_id", message, contract.affected("annotations"))
            )
        self._check_sums()

    def _check_sums(self) -> None:
        """A sum read straight from the warehouse must equal the mart's."""
        a = t.annotations.c
        seconds = self.b.read(
            sa.select(sa.func.sum(a.handle_seconds)).where(a.handle_seconds > 0, a.status != "skipped")
        )[0][0]
        ours = self.c.execute("SELECT SUM(handle_sum_seconds) FROM work").fetchone()[0]
        left_out = any(f.column == "item_id" for f in self.findings)
        if not left_out and abs(float(seconds or 0) - float(ours or 0)) > 1e-6 * max(abs(float(seconds or 0)), 1.0):
            raise RefreshRefused(
                f"The snapshot sums {ours:,.0f} handle seconds where the warehouse has {seconds:,.0f}; "
                "it is not published. Run `python manage.py refresh --full`."
            )

    def _write_meta(self, snapshot_id: str) -> None:
        first, last = self.c.execute(
            "SELECT MIN(day), MAX(day) FROM (SELECT day FROM work UNION ALL SELECT day FROM flow)"
        ).fetchone()
        lag = self.c.execute(
            "SELECT QUANTILE_DISC(audited_day - day, 0.9) "
            "FROM (SELECT audited_day, day, UNNEST(RANGE(LEAST(n, 50))) FROM audit_lag)"
        ).fetchone()[0]
        values = {
            "magic": MAGIC,
            "snapshot_id": snapshot_id,
            "built_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            "contract_version": t.CONTRACT_VERSION,
            "format_version": FORMAT_VERSION,
            "timezone": self.zone,
            "currency": self.settings.currency,
            "warehouse": self.b.warehouse.name,
            "first_day": first.isoformat() if first else "",
            "last_day": last.isoformat() if last else "",
            "provisional_days": DEFAULT_PROVISIONAL_DAYS if lag is None else min(max(int(lag), 3), 28),
            "peers_sample": self.peers_sample,
            "lacking": " ".join(sorted(self._without())),
        }
        self.c.execute("CREATE OR REPLACE TABLE meta (key VARCHAR, value VARCHAR)")
        self.c.executemany("INSERT INTO meta VALUES (?, ?)", [[k, str(v)] for k, v in values.items()])

    def _without(self) -> set[str]:
        """The columns a warehouse may lack that are not there, or nowhere filled in."""
        found = {"items.claimed_at": ("claim_time", "n"), "shifts.available_seconds": ("shift", "available_seconds")}
        counted = {
            column: self.c.execute(f"SELECT COUNT({name}) FROM {mart}").fetchone()[0]
            for column, (mart, name) in found.items()
        }
        return {column for column, n in counted.items() if not n}

    def _write_findings(self) -> None:
        self.c.execute(
            "CREATE OR REPLACE TABLE finding (severity VARCHAR, table_name VARCHAR, column_name VARCHAR, "
            "message VARCHAR, affects VARCHAR)"
        )
        rows = contract.to_frame(self.findings)
        if len(rows):
            self.c.executemany("INSERT INTO finding VALUES (?, ?, ?, ?, ?)", rows.to_numpy().tolist())


def _days_of_weeks(weeks: set[dt.date]) -> set[dt.date]:
    return {week + dt.timedelta(days=k) for week in weeks for k in range(7)}


def _dates(days: set[dt.date]) -> str:
    return ", ".join(f"DATE '{day}'" for day in sorted(days)) or "NULL"
