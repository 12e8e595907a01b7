"""A snapshot brought up to date: only the days, weeks and months that hang on what changed are read again."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable

import pandas as pd

from data_access import batch_marts, marts
from data_access.changed_days import created_days, created_days_of_batches, days_of_annotations, write_day_checks
from data_access.label_codes import raise_on_overflow
from data_access.run import Report, Run
from data_access.snapshot import Snapshot
from data_access.windows import Window, days_of_weeks, week_start, windows


class NeedsFull(Exception):
    """The old snapshot cannot be brought up to date in part."""


class ChangesRun(Run):
    """Starts from a copy of the old snapshot and puts what changed in place."""

    def run(self, old: Snapshot) -> Report:
        """Recomputes only what changed since the old snapshot, whose file this one was copied from."""
        before = self.c.execute("SELECT source, day, n, checksum FROM day_check").df()
        kept = {name: self._content(name) for name in ("label", "guideline", "rater", "pool", "project", "batch")}
        old_words = old.code_words
        self.peers_sample = old.meta.peers_sample
        write_day_checks(self.b, self.usable)
        self.b.copy(self.usable)
        self._same_ground(kept)
        self.write_label_codes()
        if self.codes.words != old_words:
            raise NeedsFull("the label sets need more words")
        changed = self._changed(before)
        judged, created, lives, audits = (changed[s] for s in ("annotations", "items", "item_lives", "audits"))
        rebatched = self._rebatched(kept["batch"])
        if not any(changed.values()) and not rebatched:
            return self.complete("incremental", 0, days=0)
        # What was judged before counts too: a judgement that is gone changed the agreement on its item.
        created_touched = set(created) | self._met("created_day", "day", judged)
        for window, _ in windows(judged, self.zone):
            created_touched |= created_days(self.b, window)
        work_days = set(judged) | self._met("day", "created_day", created)
        for window, _ in windows(created, self.zone, keys=self.keys("items")):
            work_days |= days_of_annotations(self.b, window)
        self._replace_judgements(work_days)
        reaudited = self._replace_audits(audits, work_days)
        self._replace_created(created_touched, rebatched | self._met("created_day", "day", reaudited))
        self._replace_lives(set(lives) | set(created))
        rows = sum(n for day, n in self.sizes("annotations").items() if day in work_days)
        return self.complete("incremental", rows, days=len(work_days))

    def _met(self, wanted: str, known: str, days: set[dt.date]) -> set[dt.date]:
        """Days of work and of creation that belonged together at the old refresh."""
        rows = self.c.execute(
            f"SELECT DISTINCT {wanted} FROM judged_day WHERE {known} IN ({date_list(days)})"
        ).fetchall()
        return {row[0] for row in rows}

    def _rebatched(self, before: pd.DataFrame) -> set[dt.date]:
        """The days of creation of items whose batch came, went, or closed at another time than it did."""
        columns = ["batch_id", "closed_at"]
        both = before[columns].merge(self._content("batch")[columns], how="outer", indicator=True)
        return created_days_of_batches(self.b, set(both.loc[both["_merge"] != "both", "batch_id"]))

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
                raise NeedsFull(f"{name} rows changed")
            if name in ("label", "guideline") and len(new) != len(was):
                raise NeedsFull(f"{name} rows were added")

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
        self.create_parts((marts.WORK, marts.HANDLE_TIME, marts.CONFUSION, marts.LABELS_GIVEN))
        self.c.execute(f"DELETE FROM judged_day WHERE day IN ({date_list(days)})")
        done, total = 0, len(days)
        for window, _ in windows(days, self.zone):
            self.progress(done, total, "changed days")
            self._work_of(window)
        # Confusion and the labels given are kept by week: their weeks are read whole.
        for window, _ in windows(days_of_weeks(weeks), self.zone):
            self._weekly_of(window)
        self.replace(marts.WORK, days)
        self.replace(marts.HANDLE_TIME, days)
        self.replace(marts.CONFUSION, weeks)
        self.replace(marts.LABELS_GIVEN, weeks)

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
        self.create_parts(parts)
        for window, _ in windows(days_of_weeks(weeks), self.zone, keys=self.keys("items")):
            source = self.b.judged(created=window)
            self.b.collect(marts.agreement(source, self.codes.digits, self.codes.words), "agreement_part")
            self.b.peers(source, self.peers_sample)
            self.b.batch_marts(source, window, self.codes.digits, self.codes.words)
            if self.b.batched and "audits" in self.usable:
                self.b.batch_audits(self.b.audited(created=window))
        raise_on_overflow(self.b, self.codes, "agreement_part")
        for mart in parts:
            self.replace(mart, weeks)
        if created:
            self._replace_sample(created)

    def _replace_sample(self, created: set[dt.date]) -> None:
        self.create_parts((marts.OVERLAP_SAMPLE,))
        months = {day.replace(day=1) for day in created}
        days = {m + dt.timedelta(days=k) for m in months for k in range(calendar.monthrange(m.year, m.month)[1])}
        for window, _ in windows(days, self.zone, keys=self.keys("items")):
            source = self.b.judged(created=window)
            self.b.collect(marts.overlap_sample(source, self.codes.digits), "overlap_sample_part")
        self.b.thin_sample()
        self.replace(marts.OVERLAP_SAMPLE, days)

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
        self.create_parts((marts.WORK, marts.CONFUSION))
        names = ", ".join(f'"{c}"' for c in (*marts.WORK.keys, *others))
        self.c.execute(f"INSERT INTO work_part ({names}) SELECT {names} FROM work WHERE day IN ({date_list(days)})")
        weeks = {week_start(day) for day in days}
        for window, _ in windows(days, self.zone):
            self.b.collect(marts.work_audits(self.b.audited(submitted=window)), "work_part")
        for window, _ in windows(days_of_weeks(weeks), self.zone):
            self.b.collect(marts.confusion_audits(self.b.audited(submitted=window)), "confusion_part")
        self.replace(marts.WORK, days)
        self.replace(marts.CONFUSION, weeks, "basis = 'audit'")
        return touched

    def _replace_lives(self, days: set[dt.date]) -> None:
        if not days:
            return
        listed = date_list(days)
        question = f"SELECT DISTINCT closed_day FROM {{}} WHERE created_day IN ({listed}) AND closed_day IS NOT NULL"
        closed = {r[0] for r in self.c.execute(question.format("item_lives")).fetchall()}
        self.create_parts((marts.LIVES,))
        for window, _ in windows(days, self.zone):
            self.b.collect(marts.item_lives(self.zone, window), "item_lives_part")
        self.replace(marts.LIVES, days)
        created = {week_start(day) for day in days}
        self.create_parts((marts.PROMISE,))
        for window, _ in windows(days_of_weeks(created), self.zone):
            self.b.collect(marts.promises(self.zone, window), "promise_part")
        self.replace(marts.PROMISE, created)
        closed |= {r[0] for r in self.c.execute(question.format("item_lives")).fetchall()}
        weeks = {week_start(day) for day in closed}
        if weeks:
            self.create_parts((marts.TURNAROUND,))
            for window, _ in windows(days_of_weeks(weeks), self.zone):
                self.b.collect(marts.turnaround(self.zone, window), "turnaround_part")
            self.replace(marts.TURNAROUND, weeks)
        weeks = {week_start(day) for day in days}
        self.create_parts((marts.CLAIM_TIME,))
        for window, _ in windows(days_of_weeks(weeks), self.zone):
            self.b.claims(window)
        self.replace(marts.CLAIM_TIME, weeks)

    def replace(self, mart: marts.Mart, periods: set[dt.date], only: str = "TRUE") -> None:
        """Puts the mart's fresh parts in place of its rows of these periods; ``only`` narrows which rows are theirs."""
        extra = [name for name, _ in self.extra(mart)]
        self.b.replace(mart, extra, f'"{mart.period}" IN ({date_list(periods)}) AND {only}')


def date_list(days: Iterable[dt.date]) -> str:
    """Days as a list in a statement; NULL for none, which equals nothing."""
    return ", ".join(f"DATE '{day}'" for day in sorted(days)) or "NULL"
