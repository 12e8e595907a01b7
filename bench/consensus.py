"""Dawid and Skene's model at 50,000 to 5 million ratings: seconds, peak memory, iterations, beside a floor and a peer.

    python -m bench.consensus [--ratings N ...] [--peer-python PATH]

500 raters, 5 labels, 5 ratings an item, items shuffled. The floor is one pass of the two sparse products that every
iteration needs, on the same matrix in the same process. The peer is crowd-kit, in an environment of its own whose
Python is named; with other settings of threads and stopping, so seconds are given per iteration too. Every fit runs in
a process of its own, and its memory includes the rows it was given.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RATERS, LABELS, RATINGS_PER_ITEM = 500, 5, 5
SIZES = (50_000, 500_000, 5_000_000)

_OURS = """
import json, resource, sys, time
import numpy as np
import pandas
rows = [np.load(f"{sys.argv[1]}/{name}.npy") for name in ("item", "rater", "label")]
given = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
import metrics.consensus as consensus
started = time.perf_counter()
found = consensus.dawid_skene(*rows)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
from metrics.consensus.ratings import Ratings
ratings = Ratings.of(*rows, None, None)
cells, posterior = ratings.matrix, np.ascontiguousarray(found.posterior)
spent = []
for _ in range(5):
    started = time.perf_counter()
    soft = cells.T @ posterior
    cells @ soft
    spent.append(time.perf_counter() - started)
truth = np.load(f"{sys.argv[1]}/truth.npy")
right = float((found.posterior.argmax(axis=1) == truth[found.items]).mean())
print(json.dumps({"seconds": seconds, "peak": peak, "given": given, "iterations": found.iterations, "right": right,
                  "converged": found.converged, "floor": sorted(spent)[2]}))
"""
_PEER = """
import json, resource, sys, time
import numpy as np
import pandas as pd
from crowdkit.aggregation import DawidSkene
rows = {name: np.load(f"{sys.argv[1]}/{name}.npy") for name in ("item", "rater", "label")}
frame = pd.DataFrame({"task": rows["item"], "worker": rows["rater"], "label": rows["label"]})
given = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
model = DawidSkene(n_iter=200, tol=1e-7).fit(frame)
seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
truth = np.load(f"{sys.argv[1]}/truth.npy")
right = float((model.labels_.to_numpy() == truth[model.labels_.index.to_numpy()]).mean())
print(json.dumps({"seconds": seconds, "peak": peak, "given": given, "iterations": len(model.loss_history_),
                  "right": right, "converged": True}))
"""


def plant(ratings: int, folder: Path, seed: int = 0) -> None:
    """Rows and truth of raters who each err in a direction of their own, as .npy files in the folder."""
    rng = np.random.default_rng(seed)
    items = max(ratings // RATINGS_PER_ITEM, 1)
    truth = rng.choice(LABELS, items, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    skill = rng.beta(8, 4, (RATERS, 1, 1))
    confusion = skill * np.eye(LABELS) + (1 - skill) * rng.dirichlet(np.ones(LABELS), (RATERS, LABELS))
    item = rng.permutation(np.repeat(np.arange(items), RATINGS_PER_ITEM))
    rater = rng.integers(0, RATERS, len(item))
    label = (rng.random(len(item))[:, None] > confusion.cumsum(axis=2)[rater, truth[item], :-1]).sum(axis=1)
    for name, column in (("item", item), ("rater", rater), ("label", label), ("truth", truth)):
        np.save(folder / f"{name}.npy", column)


def measured(python: str, code: str, folder: Path) -> dict:
    """What a process of its own reports of one fit."""
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2")
    done = subprocess.run(
        [python, "-c", code, str(folder)],
        cwd=ROOT,
        env={**os.environ, **limits},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{python} failed on {folder}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def line(what: str, found: dict, beside: str) -> None:
    """One row of the report."""
    print(
        f"{what:<34} {found['seconds']:>8.2f} s {found['peak'] / 1024:>8,.0f} MB ({found['given'] / 1024:,.0f} of it"
        f" before) {found['iterations']:>4} it. {'' if found['converged'] else 'NOT CONVERGED '}"
        f"right {found['right']:.4f}   {beside}",
        flush=True,
    )


def main() -> None:
    """Runs the sizes asked for and prints the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ratings", type=int, nargs="+", default=SIZES)
    parser.add_argument("--peer-python", metavar="PATH", help="Python of an environment with crowd-kit")
    options = parser.parse_args()
    for ratings in options.ratings:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            plant(ratings, folder)
            ours = measured(sys.executable, _OURS, folder)
            pace = ours["seconds"] / ours["iterations"]
            budget = "budget 20 s, 2,048 MB; " if ratings == SIZES[-1] else ""
            floor = (
                f"{budget}an iteration {pace:.4f} s, {pace / ours['floor']:.1f} x the products ({ours['floor']:.4f})"
            )
            line(f"dawid_skene, {ratings:,} ratings", ours, floor)
            if options.peer_python:
                peer = measured(options.peer_python, _PEER, folder)
                theirs = peer["seconds"] / peer["iterations"]
                ratio = (
                    f"{peer['seconds'] / ours['seconds']:.0f} x our time, {theirs / pace:.0f} x by iteration, "
                    f"{peer['peak'] / ours['peak']:.1f} x our memory"
                )
                line(f"crowd-kit, {ratings:,} ratings", peer, ratio)


if __name__ == "__main__":
    main()
