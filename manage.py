#!/usr/bin/env python
"""The command line: everything a page shows, without a browser, and what keeps the snapshot up to date."""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from data_access import settings
from metrics.errors import RaterscopeError

FORMATS = ("table", "csv", "json")
SHOWN_REJECTIONS = 20
SAMPLE_ANNOTATIONS, SAMPLE_WEEKS, SAMPLE_SEED = 1_500_000, 78, 7


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit code: 0 done, 1 a check failed, 2 refused with one sentence on stderr."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except RaterscopeError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing was changed.", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="manage.py", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    def command(name: str, run: Callable, words: str, print_as: str = "--format") -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=words, description=words)
        added.set_defaults(run=run)
        added.add_argument(print_as, dest="print_as", choices=FORMATS, default="table", help="how to print the answer")
        return added

    sample = command("sample", _sample, "make a sample warehouse and PATH.truth.json")
    sample.add_argument("--out", type=Path, default=settings.SAMPLE_WAREHOUSE, help="the DuckDB file to write")
    sample.add_argument("--annotations", type=_whole, default=SAMPLE_ANNOTATIONS, help="about how many annotations")
    sample.add_argument("--weeks", type=_whole, default=SAMPLE_WEEKS, help="how many weeks")
    sample.add_argument("--seed", type=_whole, default=SAMPLE_SEED, help="the same seed gives the same rows")

    load = command("load", _load, "load files into a warehouse: CSV, Parquet, Label Studio JSON", "--report")
    load.add_argument("files", nargs="+", type=Path, metavar="FILE")
    load.add_argument("--into", required=True, metavar="URL", help="the warehouse to load into, as a SQLAlchemy URL")
    load.add_argument("--format", dest="file_format", help="the file format, when the name does not tell")
    load.add_argument("--rejections", type=Path, metavar="CSV", help="write every rejected line and its reason here")
    load.add_argument("--mapping", type=Path, help="the mapping file; docs/loading.md describes it")

    refresh = command("refresh", _refresh, "bring the snapshot up to date with the warehouse")
    refresh.add_argument("--full", action="store_true", help="build everything anew")

    measure = command("measure", _measure, "estimates of metrics by dimensions")
    measure.add_argument("metrics", nargs="*", metavar="METRIC")
    measure.add_argument("--by", action="append", default=[], metavar="DIM", help="group by a dimension; repeats")
    measure.add_argument(
        "--where", action="append", default=[], metavar="DIM=VALUE", help="narrow; the same twice means either"
    )
    measure.add_argument("--from", dest="start", metavar="DATE", help="first day, YYYY-MM-DD")
    measure.add_argument("--to", dest="end", metavar="DATE", help="last day, YYYY-MM-DD")
    measure.add_argument("--list", action="store_true", help="print the catalogue")

    impact = command("impact", _impact, "links between the quality of labels and the models' benchmarks")
    impact.add_argument("--metric", help="one annotation quality, such as gold_accuracy")
    impact.add_argument("--benchmark", help="one benchmark, such as harmful-prompts")
    impact.add_argument(
        "--method",
        choices=("spearman", "pearson", "kendall", "prewhitened"),
        default="spearman",
        help="which correlation; prewhitened is spearman's after each series' own persistence is taken out",
    )
    command("changes", _changes, "the measured effect of each dated change, metric by metric")

    doctor = command("doctor", _doctor, "check the connection, the contract, freshness and settings")
    doctor.add_argument("--quick", action="store_true", help="look at the structure only, not at the rows")

    command("docs", _docs, "write docs/contract.md and docs/metrics.md from the code")
    command("prepare", _prepare, "make the sample warehouse and the snapshot where there are none")
    return parser


class _Parser(argparse.ArgumentParser):
    """Wrong usage is one sentence and exit code 2."""

    def error(self, message: str) -> None:
        print(f"{self.prog}: {message}. See `python {self.prog} --help`.", file=sys.stderr)
        raise SystemExit(2)


def _whole(text: str) -> int:
    """A whole number; 1_500_000 and 1500000 alike."""
    return int(text.replace(",", "").replace("_", ""))


# ---- commands --------------------------------------------------------------------------------------------------


def _sample(options: argparse.Namespace) -> int:
    import sample_data

    started = time.monotonic()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    truth = sample_data.generate(
        options.out,
        annotations=options.annotations,
        weeks=options.weeks,
        seed=options.seed,
        progress=_progress("Sample"),
    )
    _say(f"Sample warehouse {options.out}: {len(truth['events'])} planted events, {time.monotonic() - started:.0f} s.")
    return 0


def _load(options: argparse.Namespace) -> int:
    from data_access import imports
    from data_access.warehouse import writable

    engine = writable(options.into)
    try:
        report = imports.load(
            options.files, engine, settings.secret_key(), format=options.file_format, mapping=options.mapping
        )
    finally:
        engine.dispose()
    _print(report.to_frame(), options.print_as)
    for rejection in report.rejections[:SHOWN_REJECTIONS]:
        _say(f"{rejection.file}, line {rejection.line}: {rejection.reason}")
    if report.rejected > SHOWN_REJECTIONS:
        _say(f"... and {report.rejected - SHOWN_REJECTIONS:,} more; by kind:")
        for row in report.reasons().itertuples():
            _say(f"{row.rows:,} x {row.kind}, first at line {row.first_line} of {row.file}")
    if options.rejections:
        report.rejections_frame().to_csv(options.rejections, index=False)
    for line in report.remarks():
        _say(line)
    return 0


def _refresh(options: argparse.Namespace) -> int:
    from data_access import refresh

    report = refresh.refresh(settings.load(), full=options.full, progress=_progress("Refresh"))
    work = report.tables.get("work", 0)
    _say(
        f"Snapshot {report.snapshot_id} ({report.kind}): {report.days:,} days, {report.rows_read:,} annotations read, "
        f"{work:,} rows of work, {report.megabytes:,.0f} MB, {report.seconds:.1f} s."
    )
    for finding in report.findings:
        if finding.severity != "note":
            _say(f"{finding.severity}: {finding.message}")
    return 0


def _measure(options: argparse.Namespace) -> int:
    from data_access import filter_values, queries
    from data_access.filters import Filters, Scope, parse_day
    from data_access.snapshot import Snapshot
    from metrics.catalogue import METRICS

    if options.list:
        rows = [(m.name, m.label, m.area, m.unit.value, m.direction.value, m.formula) for m in METRICS.values()]
        _print(
            pd.DataFrame(rows, columns=["metric", "label", "area", "unit", "direction", "formula"]), options.print_as
        )
        return 0
    if not options.metrics:
        raise RaterscopeError("Name at least one metric; `manage.py measure --list` prints the catalogue.")
    filters = Filters.of(
        [_pair(text) for text in options.where],
        parse_day(options.start) if options.start else None,
        parse_day(options.end) if options.end else None,
    )
    snapshot = Snapshot(settings.load().snapshot)
    scope = Scope.everything()
    filter_values.check_values(snapshot, filters, scope)
    found = queries.measure(snapshot, options.metrics, by=options.by, filters=filters, scope=scope)
    by = list(dict.fromkeys(options.by))
    _print(found[["metric", *by, "value", "low", "high", "n", "reason", "status"]], options.print_as)
    return 0


def _impact(options: argparse.Namespace) -> int:
    from data_access.filters import Scope
    from data_access.link_data import link_data
    from data_access.snapshot import Snapshot
    from metrics import impact
    from metrics.agreement.estimates import known
    from metrics.linkage import ROW
    from metrics.qualities import QUALITIES

    if options.metric:
        known("annotation quality", options.metric, QUALITIES)
    data = link_data(Snapshot(settings.load().snapshot), Scope.everything())
    if options.benchmark:
        known("benchmark", options.benchmark, sorted(data.lineage.measures["benchmark"].unique()))
    found = impact.impact(data.lineage, data.sums, data.items, data.patterns, options.method)
    links = [link for link in found.links if options.benchmark in (None, link.benchmark)]
    sizes = impact.coefficients(found, [options.metric] if options.metric else impact.sized(), links)
    rows = pd.concat([one[ROW] for one in (found.rows, sizes) if len(one)] or [found.rows[ROW]], ignore_index=True)
    if options.metric:
        rows = rows[rows["metric"] == options.metric]
    if options.benchmark:
        ours = {options.benchmark, *(link.metric for link in links if len(links) > 1)}
        rows = rows[rows["benchmark"].isin(ours)]
    _print(rows, options.print_as)
    if found.reason:
        _say(f"No link is shown: {found.reason}.")
    else:
        _say(f"{found.tests} links tested; an association is not proof of cause.")
    return 0


def _changes(options: argparse.Namespace) -> int:
    """One row per change and metric; effects in shares, of the level where the metric is a time or a cost."""
    from data_access import change_data
    from data_access.filters import Scope
    from data_access.snapshot import Snapshot
    from metrics.change_ledger import ledger
    from ui import change_words

    snapshot = Snapshot(settings.load().snapshot)
    scope = Scope.everything()
    changes = change_data.changes(snapshot, scope)
    if changes.empty:
        _say(f"No change can be weighed: {changes.attrs['reason']}.")
    frames, models = change_data.weekly_sums(snapshot, scope), change_data.models(snapshot, scope)
    rows = ledger(changes, frames, snapshot.meta.last_day, models)
    found = [change_words.record(row, snapshot.names) for row in rows]
    _print(pd.DataFrame(found, columns=change_words.RECORD), options.print_as)
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise RaterscopeError(f'--where takes DIM=VALUE, such as project=P01, not "{text[:60]}".')
    return name.strip(), value.strip()


def _doctor(options: argparse.Namespace) -> int:
    from data_access import doctor

    findings = doctor.examine(settings.load(), contents=not options.quick)
    _print(findings, options.print_as)
    broken = int((findings["severity"] == "broken").sum())
    _say("Nothing stands in the way." if not broken else f"{broken} findings must be mended before a refresh.")
    return 1 if broken else 0


def _docs(options: argparse.Namespace) -> int:
    from data_access import docs

    for path in docs.write_docs(settings.ROOT / "docs"):
        _say(f"Wrote {path.relative_to(settings.ROOT)}.")
    return 0


def _prepare(options: argparse.Namespace) -> int:
    """What `make run` does first: nothing at all when a snapshot is there."""
    from data_access import refresh

    ours = settings.load()
    if ours.snapshot.is_file():
        return 0
    if ours.is_sample and not settings.SAMPLE_WAREHOUSE.is_file():
        _sample(
            argparse.Namespace(
                out=settings.SAMPLE_WAREHOUSE, annotations=SAMPLE_ANNOTATIONS, weeks=SAMPLE_WEEKS, seed=SAMPLE_SEED
            )
        )
    try:
        refresh.refresh(replace(ours), progress=_progress("Snapshot"))
    except RaterscopeError as error:
        # The pages start all the same and say what to do.
        _say(str(error))
    return 0


# ---- printing --------------------------------------------------------------------------------------------------


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _print(frame: pd.DataFrame, form: str) -> None:
    """The answer on stdout."""
    days = {
        c: frame[c].dt.strftime("%Y-%m-%d") for c in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[c])
    }
    # Places by kind are written as --where takes them, but in JSON, which has a form for them.
    flat = {
        c: [" ".join(f"{k}={v}" for k, v in cell.items()) if isinstance(cell, dict) else cell for cell in frame[c]]
        for c in frame.columns
        if form != "json" and frame[c].dtype == object
    }
    frame = frame.assign(**days, **flat)
    if form == "json":
        print(frame.to_json(orient="records", indent=1, double_precision=12))
    elif form == "csv":
        frame.to_csv(sys.stdout, index=False)
    elif len(frame):
        print(frame.to_string(index=False, na_rep="", float_format=lambda x: f"{x:.6g}"))


def _progress(what: str) -> Callable[[int, int, str], None] | None:
    """A line on stderr with rows and time left; nothing when stderr is no terminal."""
    if not sys.stderr.isatty():
        return None
    started = time.monotonic()

    def show(done: int, total: int, step: str) -> None:
        spent = time.monotonic() - started
        left = dt.timedelta(seconds=round(spent * (total - done) / done)) if done else "?"
        end = "\n" if done >= total else ""
        print(f"\r\033[K{what}: {done:,} of {total:,} rows, {step}, {left} left", end=end, file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    sys.exit(main())
