"""Small random warehouses as pandas frames, so that every sum can be worked out from the raw rows by other means."""

from __future__ import annotations

import datetime as dt
import functools
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from data_access import tables as t

START = dt.datetime(2026, 3, 2)  # a Monday
LABELS = {"P1": ["no", "maybe", "yes"], "P2": ["0", "1"], "P3": ["1", "2", "3", "4"]}
LEVELS = {"P1": "nominal", "P2": "nominal", "P3": "ordinal"}


def frames(seed: int, items: int = 120, days: int = 24) -> dict[str, pd.DataFrame]:
    """A random warehouse: every table of the contract that the marts read, as frames."""
    r = np.random.default_rng(seed)
    projects = pd.DataFrame(
        {
            "project_id": list(LABELS),
            "name": [f"Project {p}" for p in LABELS],
            "product": ["A", "A", "B"],
            "policy_area": ["x", "y", "y"],
            "task_type": ["moderation", "labelling", "evaluation"],
            "label_level": [LEVELS[p] for p in LABELS],
            "started_on": START.date(),
            "ended_on": None,
        }
    )
    labels = pd.DataFrame(
        [(p, label, k, k == len(ls) - 1, k) for p, ls in LABELS.items() for k, label in enumerate(ls)],
        columns=["project_id", "label", "position", "is_violation", "severity"],
    )
    pools = pd.DataFrame(
        {
            "pool_id": ["Q1", "Q2", "Q3"],
            "name": ["Pool 1", "Pool 2", "Pool 3"],
            "vendor": ["V1", "V2", "V2"],
            "site": ["S1", "S2", "S3"],
            "region": ["N", "N", "S"],
            "timezone": "UTC",
        }
    )
    count = 9
    raters = pd.DataFrame(
        {
            "rater_id": [f"R{k}" for k in range(count)],
            "alias": [f"Rater {k}" for k in range(count)],
            "pool_id": r.choice(["Q1", "Q2", "Q3"], count),
            "lead": r.choice(["L1", "L2"], count),
            "language": r.choice(["en", "th"], count),
            "locale": r.choice(["en-SG", "th-TH"], count),
            "hired_on": [START.date() - dt.timedelta(days=int(d)) for d in r.integers(5, 500, count)],
            "left_on": None,
            "gender": r.choice(["f", "m"], count),
            "age_band": "30-39",
        }
    )
    guidelines = pd.DataFrame(
        [
            (p, v, START + dt.timedelta(days=shift, hours=6), "words")
            for p in LABELS
            for v, shift in (("v1", -100), ("v2", 9))
        ],
        columns=["project_id", "version", "effective_from", "summary"],
    )
    project = r.choice(list(LABELS), items)
    created = [START + dt.timedelta(seconds=int(s)) for s in np.sort(r.integers(0, days * 86400, items))]
    closed = [None if r.random() < 0.2 else c + dt.timedelta(seconds=int(r.integers(60, 5 * 86400))) for c in created]
    due = [None if r.random() < 0.1 else c + dt.timedelta(hours=int(r.integers(2, 96))) for c in created]
    item = pd.DataFrame(
        {
            "item_id": [f"I{k:05d}" for k in range(items)],
            "project_id": project,
            "created_at": created,
            "due_at": due,
            "closed_at": closed,
            "language": r.choice(["en", "th"], items),
            "policy": r.choice(["spam", "hate"], items),
            "content_type": r.choice(["text", "image"], items),
            "severity": r.integers(0, 4, items),
            "gold_label": [r.choice(LABELS[p]) if r.random() < 0.4 else None for p in project],
            "batch_id": None,
        }
    )
    apart = np.random.default_rng([seed, 1])  # columns added later: the others stay as they were
    waited = apart.integers(30, 6 * 86400, items)
    item["claimed_at"] = [
        None if apart.random() < 0.3 else c + dt.timedelta(seconds=int(w)) for c, w in zip(created, waited, strict=True)
    ]
    rows = []
    for _, i in item.iterrows():
        for rater in r.choice(raters["rater_id"], r.integers(1, 6), replace=False):
            status = r.choice(["submitted", "accepted", "rejected", "skipped"], p=[0.1, 0.7, 0.1, 0.1])
            rows.append(
                {
                    "annotation_id": f"A{len(rows):06d}",
                    "item_id": i["item_id"],
                    "project_id": i["project_id"],
                    "rater_id": rater,
                    "stage": r.choice(["label", "review"], p=[0.85, 0.15]),
                    "label": None if status == "skipped" else r.choice(LABELS[i["project_id"]]),
                    "status": status,
                    "submitted_at": i["created_at"] + dt.timedelta(seconds=int(r.integers(30, 4 * 86400))),
                    "handle_seconds": None if r.random() < 0.1 else float(np.round(np.exp(r.normal(3.5, 0.8)), 3)),
                    "time_basis": "active",
                    "guideline_version": r.choice(["v1", "v2", None]),
                    "is_rework": bool(r.random() < 0.1),
                }
            )
    annotations = pd.DataFrame(rows)
    looked = annotations[(annotations["status"] != "skipped") & (r.random(len(annotations)) < 0.3)]
    right = [row.label if r.random() < 0.8 else r.choice(LABELS[row.project_id]) for row in looked.itertuples()]
    audits = pd.DataFrame(
        {
            "audit_id": [f"U{k}" for k in range(len(looked))],
            "annotation_id": looked["annotation_id"].to_numpy(),
            "auditor_id": "X1",
            "audited_at": [s + dt.timedelta(days=int(r.integers(0, 12))) for s in looked["submitted_at"]],
            "correct_label": right,
            "verdict": r.choice(["pass", "minor", "major", "critical"], len(looked), p=[0.7, 0.15, 0.1, 0.05]),
            "root_cause": None,
            "weight": np.round(1 + 5 * r.random(len(looked)), 2),
        }
    )
    work_days = sorted({s.date() for s in annotations["submitted_at"]})
    costs = pd.DataFrame(
        [
            (day, p, q, kind, float(np.round(20 * r.random(), 2)))
            for day in work_days
            for p in LABELS
            for q in ("Q1", "Q2", "Q3")
            for kind in t.COST_KINDS
            if r.random() < 0.5
        ],
        columns=["cost_date", "project_id", "pool_id", "kind", "amount"],
    )
    appealed = item[item["closed_at"].notna()].sample(frac=0.2, random_state=seed)
    appeals = pd.DataFrame(
        {
            "appeal_id": [f"AP{k}" for k in range(len(appealed))],
            "item_id": appealed["item_id"].to_numpy(),
            "filed_at": [c + dt.timedelta(hours=5) for c in appealed["closed_at"]],
            "decided_at": [
                c + dt.timedelta(hours=float(r.integers(8, 90))) if r.random() < 0.8 else None
                for c in appealed["closed_at"]
            ],
        }
    )
    appeals["overturned"] = [None if pd.isna(d) else bool(r.random() < 0.3) for d in appeals["decided_at"]]
    shifts = annotations.assign(work_date=annotations["submitted_at"].dt.date)[["rater_id", "work_date"]]
    shifts = shifts.drop_duplicates().assign(scheduled_seconds=28800.0, logged_seconds=27000.0)
    shifts["active_seconds"] = np.round(20000 * r.random(len(shifts)), 1)
    shifts["sensitive_seconds"] = np.round(shifts["active_seconds"] * r.random(len(shifts)), 1)
    known = apart.random(len(shifts)) < 0.8
    shifts["available_seconds"] = np.where(known, shifts["active_seconds"].clip(lower=24000.0), np.nan)
    trainings = pd.DataFrame(
        [
            (
                rater,
                course,
                START.date() + dt.timedelta(days=10),
                START.date() + dt.timedelta(days=int(r.integers(5, 15))) if r.random() < 0.8 else None,
            )
            for rater in raters["rater_id"]
            for course in ("basics", "safety")
        ],
        columns=["rater_id", "course", "due_on", "completed_on"],
    )
    trainings["score"] = None
    trainings["passed"] = [None if pd.isna(c) else bool(r.random() < 0.9) for c in trainings["completed_on"]]
    trainings["expires_on"] = None
    escalations = pd.DataFrame(
        {
            "escalation_id": [f"E{k}" for k in range(12)],
            "project_id": r.choice(list(LABELS), 12),
            "pool_id": r.choice(["Q1", "Q2", None], 12),
            "kind": "policy",
            "severity": 1,
            "opened_at": [START + dt.timedelta(hours=int(h)) for h in r.integers(0, days * 24, 12)],
            "due_at": None,
            "resolved_at": None,
            "summary": "words",
        }
    )
    batches = _batches(np.random.default_rng([seed, 1]), item)
    return {
        "projects": projects,
        "labels": labels,
        "pools": pools,
        "raters": raters,
        "guidelines": guidelines,
        "batches": batches,
        "items": item,
        "annotations": annotations,
        "audits": audits,
        "costs": costs,
        "appeals": appeals,
        "shifts": shifts,
        "trainings": trainings,
        "escalations": escalations,
    }


def _batches(r: np.random.Generator, item: pd.DataFrame) -> pd.DataFrame:
    """Batches of the items, which get their ids: closed early, late or not at all; some items are in none.

    Drawn apart, so that nothing else of the warehouse depends on it.
    """
    week = (pd.to_datetime(item["created_at"]) - pd.Timestamp(START)).dt.days // 10
    ids = np.array([f"B-{p}-{w}" for p, w in zip(item["project_id"], week, strict=True)], object)
    item["batch_id"] = np.where(r.random(len(item)) < 0.08, None, ids)
    names = sorted(set(ids))
    closed = [
        None if r.random() < 0.25 else START + dt.timedelta(days=10 * int(n[-1]) + float(r.integers(5, 16)))
        for n in names
    ]
    columns = {"batch_id": names, "project_id": [n[2:4] for n in names], "closed_at": closed, "dataset_version": None}
    return pd.DataFrame(columns)


def with_a_lost_batch(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The warehouse with every twelfth item in a batch that nobody declared."""
    items = frames["items"].copy()
    items.loc[::12, "batch_id"] = "lost"
    return frames | {"items": items}


def write(url: str, tables: dict[str, pd.DataFrame]) -> None:
    """Puts the frames into a new warehouse of any engine; tables not given are created empty."""
    made = sa.engine.make_url(url)
    if made.get_backend_name() in ("duckdb", "sqlite") and not Path(made.database).exists():
        Path(made.database).write_bytes(_empty(made.get_backend_name()))
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.begin() as connection:
        for name, rows in tables.items():
            insert(connection, name, rows)
    engine.dispose()


@functools.cache
def _empty(kind: str) -> bytes:
    """The file of a warehouse with every table of the contract and no row."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty"
        engine = sa.create_engine(f"{kind}:///{file}", poolclass=sa.pool.NullPool)
        t.metadata.create_all(engine)
        engine.dispose()
        return file.read_bytes()


def insert(connection: sa.Connection, name: str, rows: pd.DataFrame) -> None:
    """Adds rows to a contract table."""
    table = t.metadata.tables[name]
    if not len(rows):
        return
    plain = [_row(row, table) for row in rows.to_dict("records")]
    if connection.dialect.name != "duckdb":
        connection.execute(table.insert(), plain)
        return
    own = connection.connection.driver_connection  # row by row it takes ten times as long
    own.register("incoming", pa.Table.from_pylist(plain))
    connection.execute(sa.text(f'INSERT INTO "{name}" BY NAME SELECT * FROM incoming'))
    own.unregister("incoming")


def _row(row: dict, table: sa.Table) -> dict:
    plain = {}
    for name, value in row.items():
        missing = value is None or (not isinstance(value, str) and pd.isna(value))
        kind = table.c[name].type
        if missing:
            plain[name] = None
        elif isinstance(kind, sa.DateTime):
            plain[name] = pd.Timestamp(value).to_pydatetime()
        elif isinstance(kind, sa.Boolean):
            plain[name] = bool(value)
        elif isinstance(kind, sa.Integer):
            plain[name] = int(value)
        else:
            plain[name] = value.item() if isinstance(value, np.generic) else value
    return plain


def duckdb_url(folder: Path) -> str:
    """The URL of a DuckDB warehouse in the folder."""
    return f"duckdb:///{folder / 'warehouse.duckdb'}"
