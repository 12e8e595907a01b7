"""A snapshot made anew from the whole warehouse."""

from __future__ import annotations

from data_access import marts
from data_access.changed_days import write_day_checks
from data_access.label_codes import raise_on_overflow
from data_access.run import Report, Run
from data_access.windows import Window, windows

PEERS_SAMPLE_ABOVE = 5_000_000  # annotations above which raters are compared with the others on a sample of the items


class FullRun(Run):
    """Reads everything, window by window."""

    def run(self) -> Report:
        """Builds everything."""
        self.b.number_names()
        write_day_checks(self.b, self.usable)
        self.b.copy(self.usable)
        self.write_label_codes()
        item_days, audit_days = self.sizes("items"), self.sizes("audits")
        annotations = sum(self.sizes("annotations").values())
        total, done = annotations + sum(audit_days.values()), 0
        self.peers_sample = -(-annotations // PEERS_SAMPLE_ABOVE) or 1
        self.create_parts()
        self.c.execute("CREATE OR REPLACE TABLE audit_day (audited_day DATE, day DATE, n BIGINT)")
        self.c.execute("CREATE OR REPLACE TABLE judged_day (day DATE, created_day DATE, n BIGINT)")
        created = windows(item_days, self.zone, item_days, self.keys("items"))
        per_item = annotations / max(sum(item_days.values()), 1)
        for window, items in created:
            self.progress(done, total, "judgements")
            self.b.judgement_marts(window, self.codes.digits, self.codes.words, self.peers_sample)
            self.b.collect(marts.item_lives(self.zone, window), "item_lives_part")
            self.b.collect(marts.promises(self.zone, window), "promise_part")
            self.b.claims(window)
            raise_on_overflow(self.b, self.codes, "agreement_part")
            done += int(items * per_item)
        for window, audits in windows(audit_days, self.zone, audit_days, self.keys("audits")):
            self.progress(min(done, total), total, "audits")
            self.b.audit_marts(window)
            done += audits
        self.progress(total, total, "turnaround and flow")
        self.b.collect(marts.turnaround(self.zone, Window()), "turnaround_part")
        self.finish_parts()
        return self.complete("full", annotations, days=len(self.sizes("annotations")))
