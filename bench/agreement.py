"""Alpha with its interval at 10^4 to 10^7 ratings: seconds and peak memory, beside packages without such intervals.

    python -m bench.agreement [--ratings N ...] [--peer-python PATH] [--seconds LIMIT]

500 raters, 5 labels, 5 ratings an item, rows shuffled. Ours counts the rows and finds the interval that is the
default (score), and in a run of its own the bootstrap's; alpha with either from patterns is what a page pays.
krippendorff takes the counts of labels by item, made by numpy within its time, and irrCAC a table of items by raters;
the former has no interval, the latter a linearised one. irrCAC is left out where it cannot be
imported, here or by the Python named. Each run is a process of its own; the memory of the rows is taken off. With 10^8
(--ratings 100000000) expect 10 GB.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RATERS, LABELS, RATINGS_PER_ITEM = 500, 5, 5
BOOTSTRAP = "raterscope bootstrap"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)

Rows = tuple[np.ndarray, np.ndarray, np.ndarray]


def plant(ratings: int, seed: int = 0) -> Rows:
    """item, rater, label of raters who keep an item's label two times in three and else guess; no rater twice."""
    rng = np.random.default_rng(seed)
    items = max(ratings // RATINGS_PER_ITEM, 1)
    order = rng.permutation(items * RATINGS_PER_ITEM)
    item = (order // RATINGS_PER_ITEM).astype(np.int32)
    first = rng.integers(0, RATERS, items)
    rater = ((first[item] + order % RATINGS_PER_ITEM) % RATERS).astype(np.int16)
    label = rng.integers(0, LABELS, items, dtype=np.int8)[item]
    guess = rng.random(len(item), dtype=np.float32) < 1 / 3
    label[guess] = rng.integers(0, LABELS, int(guess.sum()), dtype=np.int8)
    return item, rater, label


def ours(rows: Rows, interval: str = "score") -> dict:
    """Rows to alpha with its interval, and the same from patterns alone."""
    from metrics import agreement

    started = time.perf_counter()
    patterns = agreement.tally(*rows, range(LABELS)).patterns
    found = agreement.alpha_of_patterns(patterns, interval=interval)
    seconds = time.perf_counter() - started
    spent = []
    for _ in range(5):
        started = time.perf_counter()
        agreement.alpha_of_patterns(patterns, interval=interval)
        spent.append(time.perf_counter() - started)
    return {"seconds": seconds, "interval": sorted(spent)[2], "alpha": found.value}


def krippendorff(rows: Rows) -> dict:
    """The krippendorff package on counts of labels by item."""
    import krippendorff

    item, _, label = rows
    started = time.perf_counter()
    cells = np.bincount(item.astype(np.int64) * LABELS + label, minlength=(int(item.max()) + 1) * LABELS)
    counts = cells.reshape(-1, LABELS)
    alpha = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
    return {"seconds": time.perf_counter() - started, "alpha": float(alpha)}


def irrcac(rows: Rows) -> dict:
    """The irrCAC package on a table of items by raters; its interval is Gwet's linearised one."""
    import pandas as pd
    from irrCAC.raw import CAC

    frame = pd.DataFrame(dict(zip(("item", "rater", "label"), rows, strict=True)))
    started = time.perf_counter()
    alpha = CAC(frame.pivot(index="item", columns="rater", values="label")).krippendorff()
    return {"seconds": time.perf_counter() - started, "alpha": float(alpha["est"]["coefficient_value"])}


def bootstrapped(rows: Rows) -> dict:
    """The same with the bootstrap's interval."""
    return ours(rows, "bootstrap")


TOOLS = {"raterscope": ours, BOOTSTRAP: bootstrapped, "krippendorff": krippendorff, "irrCAC": irrcac}


def one(tool: str, ratings: int) -> None:
    """One run in this process, printed as JSON."""
    rows = plant(ratings)
    importlib.import_module({"raterscope": "metrics.agreement", BOOTSTRAP: "metrics.agreement"}.get(tool, tool))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = TOOLS[tool](rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(found | {"megabytes": (peak - before) / 1024}))


def measured(python: str, tool: str, ratings: int, limit: float) -> dict | str:
    """What a process of its own reports of one run, or why it does not."""
    command = [python, "-m", "bench.agreement", "--one", tool, "--ratings", str(ratings)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"more than {limit:.0f} s"
    if done.returncode:
        return "failed: " + (done.stderr.strip().splitlines() or ["killed"])[-1]
    return json.loads(done.stdout.strip().splitlines()[-1])


def report(tool: str, ratings: int, found: dict | str, floor: dict | str) -> None:
    """One row of the report."""
    what = f"{tool}, {ratings:,} ratings"
    if isinstance(found, str):
        print(f"{what:<42} {found}", flush=True)
        return
    beside = f"from patterns {found['interval'] * 1000:.0f} ms (budget 50 ms)" if "interval" in found else ""
    if isinstance(floor, dict) and "interval" not in found:
        memory = f"{found['megabytes'] / floor['megabytes']:.1f}" if floor["megabytes"] >= 1 else "–"
        beside = f"{found['seconds'] / floor['seconds']:.1f} x our time, {memory} x our memory"
    print(
        f"{what:<42} {found['seconds']:>9.3f} s {found['megabytes']:>8,.0f} MB   alpha {found['alpha']:.4f}   {beside}",
        flush=True,
    )


def main() -> None:
    """Runs the sizes asked for and prints the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=int, nargs="+", default=SIZES)
    parser.add_argument("--peer-python", metavar="PATH", help="Python of an environment with irrCAC")
    parser.add_argument("--seconds", type=float, default=120, help="limit of one run of a package")
    parser.add_argument("--one", choices=TOOLS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.ratings[0])
        return
    pythons = {"krippendorff": sys.executable}
    if options.peer_python or importlib.util.find_spec("irrCAC"):
        pythons["irrCAC"] = options.peer_python or sys.executable
    for ratings in options.ratings:
        floor = measured(sys.executable, "raterscope", ratings, 10 * options.seconds)
        report("raterscope", ratings, floor, floor)
        report(BOOTSTRAP, ratings, measured(sys.executable, BOOTSTRAP, ratings, 10 * options.seconds), floor)
        for tool, python in list(pythons.items()):
            found = measured(python, tool, ratings, options.seconds)
            report(tool, ratings, found, floor)
            if isinstance(found, str):
                del pythons[tool]  # What fails at one size fails at the next.


if __name__ == "__main__":
    main()
