"""Real data beside the repository: counts as its README gives them, labels and gold as in the files."""

import csv
from collections import Counter

import numpy as np
import pytest
import sqlalchemy as sa

from data_access import imports
from tests.shared_data import FILES, NEEDS_SHARED

from .conftest import MAPPINGS, NOW, SECRET, everything, hashes, rows

pytestmark = NEEDS_SHARED
LOADS = {  # mapping: file, annotations, items, raters
    "snow_rte": ("snow2008/rte.long.csv", 8_000, 800, 164),
    "snow_temp": ("snow2008/temp.long.csv", 4_620, 462, 76),
    "hs_brexit": ("hs_brexit/long.csv", 6_720, 1_120, 6),
    "pandalm": ("pandalm/long.csv", 2_997, 999, 3),
    "dawid_skene": ("dawid_skene_1979/long.csv", 315, 45, 7),
    "irrcac_4raters": ("irrcac/raw_4raters.csv", 41, 12, 4),
    "label_studio": ("label_studio_export/project-2.json", 84, 30, 3),
}


def load(engine, name):
    path = FILES / LOADS[name][0]
    return imports.load([path], engine, SECRET, mapping=MAPPINGS / f"{name}.toml", now=NOW)


def source(name):
    with (FILES / LOADS[name][0]).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        *(("sqlite", name) for name in LOADS),
        *(("duckdb", name) for name in ("snow_rte", "dawid_skene", "label_studio")),
    ],
    indirect=["engine"],
)
def test_counts_are_the_readmes_and_a_second_load_changes_nothing(engine, name):
    _, annotations, items, raters = LOADS[name]
    report = load(engine, name)
    assert report.rejections == []
    assert [len(rows(engine, t)) for t in ("annotations", "items", "raters")] == [annotations, items, raters]
    before = hashes(engine)
    again = load(engine, name)
    assert (again.accepted, again.present) == (0, report.accepted)
    assert hashes(engine) == before


@pytest.mark.parametrize(("name", "prefix"), [("snow_rte", "rte-"), ("snow_temp", "temp-")])
def test_labels_and_gold_are_those_of_the_file(sqlite, name, prefix):
    load(sqlite, name)
    expected = source(name)
    held = {(r["item_id"], r["rater_id"]): r["label"] for r in rows(sqlite, "annotations")}
    assert held == {(prefix + r["item"], imports.pseudonym(r["rater"], SECRET)): r["label"] for r in expected}
    gold = {r["item_id"]: r["gold_label"] for r in rows(sqlite, "items")}
    assert gold == {prefix + r["item"]: r["gold"] for r in expected}
    stored = everything(sqlite)
    assert not any(rater in stored for rater in {r["rater"] for r in expected})


def test_all_of_them_live_in_one_warehouse(sqlite):
    for name in LOADS:
        assert load(sqlite, name).rejected == 0
    held = Counter(r["project_id"] for r in rows(sqlite, "annotations"))
    assert held.total() == sum(annotations for _, annotations, _, _ in LOADS.values())
    assert len(held) == len(LOADS)


def test_groups_of_hs_brexit_are_pools(sqlite):
    load(sqlite, "hs_brexit")
    assert Counter(r["pool_id"] for r in rows(sqlite, "raters")) == {"group1": 3, "group2": 3}
    assert Counter(r["label"] for r in rows(sqlite, "annotations")) == Counter(r["label"] for r in source("hs_brexit"))


def test_label_studio_counts_its_gold_and_cancelled_apart(sqlite):
    report = load(sqlite, "label_studio")
    assert (report.read, report.accepted) == (87, 87)
    assert Counter(r["status"] for r in rows(sqlite, "annotations")) == {"submitted": 82, "skipped": 2}
    gold = {r["item_id"]: r["gold_label"] for r in rows(sqlite, "items") if r["gold_label"]}
    assert gold == {"ls-2-1": "Positive", "ls-2-11": "Negative", "ls-2-21": "Positive"}
    assert {r["time_basis"] for r in rows(sqlite, "annotations")} == {"lead"}


def test_label_studios_csv_and_tsv_load_by_mapping(sqlite, write):
    rules = write(
        "m.toml",
        '[project]\nproject_id = "ls-csv"\n[columns]\nannotation_id = "annotation_id"\nitem_id = "id"\n'
        'rater_id = "annotator"\nlabel = "sentiment"\nsubmitted_at = "created_at"\nhandle_seconds = "lead_time"\n'
        '[constants]\ntime_basis = "lead"\n',
    )
    folder = FILES / "label_studio_export"
    first = imports.load([folder / "project-2.csv"], sqlite, SECRET, mapping=rules, now=NOW)
    assert (first.accepted, first.rejected) == (85, 0)  # the export drops the 2 cancelled, and cannot mark the gold
    assert imports.load([folder / "project-2.tsv"], sqlite, SECRET, mapping=rules, now=NOW).present == 85


def test_dawid_and_skenes_values_come_out_when_sessions_are_folded_into_persons(sqlite):
    load(sqlite, "dawid_skene")
    held = rows(sqlite, "annotations")
    persons = [imports.person(r["rater_id"]) for r in held]
    assert len(set(persons)) == 5
    assert Counter(persons)[imports.pseudonym("1", SECRET)] == 135
    prior, log_likelihood = dawid_skene([r["item_id"] for r in held], persons, [int(r["label"]) - 1 for r in held])
    assert prior == pytest.approx([0.399555, 0.421983, 0.111795, 0.066667], abs=1e-5)  # ../reference_values.json
    assert log_likelihood == pytest.approx(-192.890881, abs=1e-4)


def dawid_skene(item, rater, label, classes=4, steps=200):
    """Plain EM from vote shares (Dawid and Skene 1979): the class shares and the log-likelihood."""
    (_, i), (_, r), k = np.unique(item, return_inverse=True), np.unique(rater, return_inverse=True), np.array(label)
    counts = np.zeros((i.max() + 1, r.max() + 1, classes))
    np.add.at(counts, (i, r, k), 1)
    posterior = counts.sum(1) / counts.sum((1, 2))[:, None]
    for _ in range(steps):
        prior = posterior.mean(0)
        confusion = np.einsum("it,irk->rtk", posterior, counts)
        confusion /= confusion.sum(2, keepdims=True)
        joint = prior * np.exp(np.einsum("irk,rtk->it", counts, np.log(np.maximum(confusion, 1e-300))))
        posterior = joint / joint.sum(1, keepdims=True)
    return prior, float(np.log(joint.sum(1)).sum())


def test_one_warehouse_of_sqlite_and_one_of_duckdb_hold_the_same(tmp_path):
    held = []
    for url in (f"sqlite:///{tmp_path / 'a'}", f"duckdb:///{tmp_path / 'b'}"):
        engine = sa.create_engine(url)
        load(engine, "snow_temp")
        held.append(hashes(engine))
        engine.dispose()
    assert held[0] == held[1]
