"""Builds a large sample, its snapshot and one day's refresh, and reruns every page on it.

    python -m bench [--annotations 100000000] [--keep]

Every figure is printed beside the budget of the design and beside a floor measured in the same run: the cheapest thing
that must happen anyway (one scan of the join, an empty page, an interpreter that imports nothing).
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "var" / "bench"
PAGES = (
    "overview",
    "kpi",
    "rater_quality",
    "rater_profile",
    "agreement",
    "audit_planner",
    "productivity",
    "queue_and_capacity",
    "costs",
    "cost_and_quality",
    "model_impact",
    "lineage",
    "changes",
    "definitions",
    "data_health",
)
RERUNS = 15

_SAMPLE = (
    "import sample_data, pathlib, sys; sample_data.generate(pathlib.Path(sys.argv[1]), annotations=int(sys.argv[2]))"
)
_REFRESH = """
import dataclasses, pathlib, sys
from data_access import refresh, settings
warehouse, snapshot = 'duckdb:///' + sys.argv[1], pathlib.Path(sys.argv[2])
ours = dataclasses.replace(settings.load(), warehouse_url=warehouse, snapshot=snapshot)
report = refresh.refresh(ours, full=sys.argv[3] == 'full')
print()
print(report.kind, report.days, report.rows_read, sum(report.tables.get(t, 0) for t in ('work',)), report.megabytes)
"""


def child(*arguments: str, env: dict | None = None) -> tuple[float, float, str]:
    """Seconds, peak megabytes and last line of output of a Python process."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, text=True
    )
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{arguments[:2]} failed")
    return time.monotonic() - started, usage.ru_maxrss / 1024, out.strip().splitlines()[-1] if out.strip() else ""


def line(what: str, figure: str, budget: str = "", floor: str = "") -> None:
    """One row of the report."""
    print(f"{what:<44} {figure:>26}   {budget:<24} {floor}", flush=True)


def quantiles(work: Callable[[], object], times: int = RERUNS) -> tuple[float, float]:
    """Median and 95th percentile of a call, in milliseconds."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append((time.perf_counter() - started) * 1000)
    spent.sort()
    return spent[len(spent) // 2], spent[min(int(len(spent) * 0.95), len(spent) - 1)]


def one_more_day(warehouse: Path) -> None:
    """A day of new items, judgements and late audits, copied from the last full week."""
    connection = duckdb.connect(str(warehouse))
    last = connection.execute("SELECT MAX(submitted_at)::DATE FROM annotations").fetchone()[0]
    day = last - dt.timedelta(days=6)
    shift = "INTERVAL 7 DAY"
    bounds = f">= DATE '{day}' AND {{}} < DATE '{day}' + INTERVAL 1 DAY"
    connection.execute(
        f"INSERT INTO items SELECT * REPLACE ('X' || item_id AS item_id, created_at + {shift} AS created_at, "
        f"due_at + {shift} AS due_at, closed_at + {shift} AS closed_at) FROM items "
        f"WHERE created_at {bounds.format('created_at')}"
    )
    connection.execute(
        f"INSERT INTO annotations SELECT a.* REPLACE ('X' || a.annotation_id AS annotation_id, "
        f"'X' || a.item_id AS item_id, a.submitted_at + {shift} AS submitted_at) "
        f"FROM annotations a JOIN items i ON i.item_id = 'X' || a.item_id "
        f"WHERE a.submitted_at {bounds.format('a.submitted_at')}"
    )
    connection.execute(
        f"INSERT INTO audits SELECT * REPLACE ('X' || audit_id AS audit_id, TIMESTAMP '{last} 12:00:00' + {shift} "
        f"AS audited_at) FROM audits WHERE audited_at {bounds.format('audited_at')} LIMIT 2000"
    )
    connection.close()


def build(annotations: int) -> tuple[Path, Path]:
    """The large sample and its snapshot, timed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    warehouse, snapshot = FOLDER / f"sample-{annotations}.duckdb", FOLDER / f"snapshot-{annotations}.duckdb"
    if not warehouse.exists():
        seconds, peak, _ = child("-c", _SAMPLE, str(warehouse), str(annotations))
        line(
            "sample", f"{seconds:.0f} s, {peak:,.0f} MB", "300 s, 8,192 MB", f"{warehouse.stat().st_size / 1e9:.1f} GB"
        )
    scan = "SELECT COUNT(*), SUM(a.handle_seconds) FROM annotations a JOIN items i USING (item_id)"
    opened = f"import duckdb; c = duckdb.connect({str(warehouse)!r}, read_only=True, config={{'threads': 2}})"
    floor, _, _ = child("-c", f"{opened}; c.execute({scan!r}).fetchall()")
    seconds, peak, out = child("-c", _REFRESH, str(warehouse), str(snapshot), "full")
    _, days, rows, work, size = out.split()
    line(
        "full refresh",
        f"{seconds:.1f} s, {peak:,.0f} MB",
        "60 s, 8,192 MB at 1e8",
        f"{seconds / floor:.1f} x one scan of the join ({floor:.1f} s)",
    )
    line("snapshot", f"{float(size):,.0f} MB", "", f"{int(rows):,} annotations, {days} days")
    line("rows of work", f"{int(work):,}", "3 % of annotations", f"{int(work) / int(rows):.2%}")
    # In a process of its own: its memory is none of the pages'.
    child(
        "-c",
        "import sys, pathlib; from bench.__main__ import one_more_day; one_more_day(pathlib.Path(sys.argv[1]))",
        str(warehouse),
    )
    seconds, peak, out = child("-c", _REFRESH, str(warehouse), str(snapshot), "incremental")
    line(
        "one day's refresh",
        f"{seconds:.1f} s, {peak:,.0f} MB",
        "5 s at 1e8",
        f"{out.split()[0]}, {out.split()[1]} days",
    )
    return warehouse, snapshot


def busiest_rater(snapshot: Path) -> str:
    """The rater with most gold, whose profile has most to show."""
    with duckdb.connect(str(snapshot), read_only=True) as kept:
        return kept.execute("SELECT rater_id FROM work GROUP BY 1 ORDER BY sum(gold_n) DESC, 1 LIMIT 1").fetchone()[0]


def pages(snapshot: Path) -> None:
    """Server-side reruns of every page with nothing cached, beside an empty page."""
    os.environ["RATERSCOPE_SNAPSHOT"] = str(snapshot)
    import streamlit as st
    from streamlit.testing.v1 import AppTest

    empty = AppTest.from_string("import streamlit as st\nst.write('x')").run()
    floor, _ = quantiles(empty.run)
    rater = busiest_rater(snapshot)
    for page in PAGES:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        app.run()
        if page == "rater_profile":  # without a rater it only says what it would show
            app.query_params["rater"] = rater
        if page != PAGES[0]:
            app.switch_page(f"pages/{page}.py").run()
        if app.exception or app.error:
            raise SystemExit(f"{page}: {app.exception or app.error}")

        def uncached(app: AppTest = app) -> None:
            st.cache_data.clear()
            app.run()

        p50, p95 = quantiles(uncached)
        cached, _ = quantiles(app.run)
        line(
            f"page {page}, nothing cached",
            f"p50 {p50:.0f} ms, p95 {p95:.0f} ms",
            "p50 100 ms, p95 250 ms",
            f"{p50 / floor:.0f} x an empty page ({floor:.0f} ms); cached {cached:.0f} ms",
        )


def measures(snapshot: Path) -> None:
    """The command line, start included."""
    env = {"RATERSCOPE_SNAPSHOT": str(snapshot)}
    floor = min(child("-c", "pass")[0] for _ in range(3))
    for arguments in (["gold_accuracy", "--by", "project"], ["krippendorff_alpha", "--by", "project"]):
        seconds = min(child("manage.py", "measure", *arguments, env=env)[0] for _ in range(3))
        line(f"measure {' '.join(arguments)}", f"{seconds:.2f} s", "1 s", f"{seconds / floor:.0f} x starting Python")


def main() -> None:
    """Runs everything and prints the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--annotations", type=int, default=int(os.environ.get("BENCH_ANNOTATIONS", 100_000_000)))
    parser.add_argument("--keep", action="store_true", help="keep the files under var/bench")
    options = parser.parse_args()
    line("what", "figure", "budget", "floor of this run")
    warehouse, snapshot = build(options.annotations)
    measures(snapshot)
    pages(snapshot)
    line("peak memory of the pages", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB", "1,024 MB")
    if not options.keep:
        for path in (warehouse, Path(f"{warehouse}.truth.json"), snapshot):
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
