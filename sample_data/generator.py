"""Puts the sample together: roster, work, judgements, then everything that follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from metrics.errors import RaterscopeError
from sample_data import cases, events, models, operations, people, rows, targets, volume, world
from sample_data.judged import Annotations, Items
from sample_data.judgements import judge, make_items
from sample_data.roster import Roster, build
from sample_data.tally import Tally
from sample_data.write import Warehouse, building, write_truth

MIN_ANNOTATIONS, MAX_ANNOTATIONS = 10_000, 900_000_000  # ids hold nine digits
MIN_WEEKS, MAX_WEEKS = 26, 520
MAX_SEED = 2**32 - 1

Progress = Callable[[int, int, str], None]


def _check(out: Path, annotations: int, weeks: int, seed: int) -> None:
    """Raise RaterscopeError when an argument makes no sense."""
    for name, value, low, high in (
        ("annotations", annotations, MIN_ANNOTATIONS, MAX_ANNOTATIONS),
        ("weeks", weeks, MIN_WEEKS, MAX_WEEKS),
        ("seed", seed, 0, MAX_SEED),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise RaterscopeError(
                f"A sample needs {name} to be a whole number from {low:,} to {high:,}, not {value!r}."
            )
    if not out.parent.is_dir():
        raise RaterscopeError(
            f"The folder {out.parent} does not exist: create it or choose another place for the sample."
        )
    if out.is_dir():
        raise RaterscopeError(f"{out} is a folder: give the name of a file for the sample.")


def _rng(seed: int, *subject: int) -> np.random.Generator:
    """The generator of one subject; subjects do not disturb each other."""
    return np.random.Generator(np.random.SFC64([seed, *subject]))


def _truth(seed: int, annotations: int, roster: Roster, warehouse: Warehouse) -> dict[str, Any]:
    """The truth document: every planted event in the sample, every link, and the rows written."""
    planted = []
    for event in events.in_sample(roster.days):
        where = dict(event.where)
        if event.event_id in roster.raters.picked:
            where["rater"] = [str(roster.raters.rater_id[r]) for r in roster.raters.picked[event.event_id]]
        planted.append(
            {
                "event_id": event.event_id,
                "kind": event.kind,
                "metrics": list(event.metrics),
                "where": where,
                "starts_on": event.starts_on.isoformat(),
                "ends_on": None if event.ends_on is None else event.ends_on.isoformat(),
                "effect": event.effect,
                "cause": event.cause,
            }
        )
    return {
        "seed": seed,
        "annotations": annotations,
        "first_day": world.first_day(roster.days // 7).isoformat(),
        "last_day": world.LAST_DAY.isoformat(),
        "events": planted,
        "links": models.links(),
        "rows": dict(warehouse.rows),
    }


def _small_tables(seed: int, warehouse: Warehouse, roster: Roster, tally: Tally) -> None:
    """Write every table whose size does not follow the annotations."""
    days = roster.days
    worked = operations.hours(_rng(seed, 4), roster, tally)
    versions = models.model_versions(days)
    frames = {
        "projects": people.projects(days),
        "labels": people.labels(),
        "pools": people.pools(),
        "raters": people.raters(roster.raters, days),
        "guidelines": people.guidelines(days),
        "batches": models.batches(days),
        "shifts": operations.shifts(_rng(seed, 13), roster, worked),
        "costs": operations.costs(_rng(seed, 5), roster, worked),
        "budgets": operations.budgets(_rng(seed, 6), roster, worked, tally),
        "trainings": people.trainings(_rng(seed, 7), roster.raters, days),
        "escalations": operations.escalations(_rng(seed, 8), days),
        "changes": operations.changes(days),
        "targets": targets.table(days),
        "dataset_versions": models.dataset_versions(days),
        "model_versions": versions,
        "model_metrics": models.model_metrics(_rng(seed, 9), days, tally),
        "incidents": models.incidents(_rng(seed, 10), days, versions),
    }
    for name, frame in frames.items():
        warehouse.insert_frame(name, frame)
    cases.write(_rng(seed, 12), warehouse, frames["model_metrics"])


Chunk = tuple[np.random.Generator, Items, Annotations]


def _judged(seed: int, roster: Roster, work: volume.Plan, tally: Tally) -> Iterator[Chunk]:
    """Chunks of judged items in order, each with its own random generator; each is added to the tally."""
    for number, arrived in enumerate(volume.arrivals(seed, roster, work)):
        rng = _rng(seed, 11, number)
        items = make_items(rng, roster, work, arrived)
        notes = judge(rng, roster, items)
        tally.add(roster, items, notes)
        yield rng, items, notes


def _ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks, the next one made on a thread while the caller writes the last."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, chunks, None)
        while (chunk := waiting.result()) is not None:
            waiting = pool.submit(next, chunks, None)
            yield chunk


def generate(
    out: Path, annotations: int = 1_500_000, weeks: int = 78, seed: int = 7, progress: Progress | None = None
) -> dict[str, Any]:
    """Write a sample warehouse to ``out`` and its truth beside it; the truth document.

    ``progress`` is told (rows done, rows in all, what). Nothing is left behind by a failure.
    """
    out = Path(out)
    _check(out, annotations, weeks, seed)
    days = weeks * 7
    tell = progress or (lambda done, total, what: None)
    tell(0, annotations, "roster")
    roster = build(_rng(seed, 1), days)
    work = volume.plan(_rng(seed, 3), roster, annotations)
    tally, at = Tally.empty(roster), rows.Position()
    with building(out) as warehouse:
        for number, (rng, items, notes) in enumerate(_ahead(_judged(seed, roster, work, tally))):
            rows.write_chunk(rng, _rng(seed, 12, number), warehouse, roster, items, notes, at)
            tell(min(at.annotations, annotations), annotations, "annotations")
        _small_tables(seed, warehouse, roster, tally)
        truth = _truth(seed, annotations, roster, warehouse)
    write_truth(out, truth)
    tell(annotations, annotations, "done")
    return truth
