"""The words of the definitions page."""

import pytest

from data_access.snapshot import Snapshot
from metrics.catalogue import METRICS
from metrics.spec import Status
from ui import glossary, words

NAMES = sorted(METRICS)


def test_every_metric_has_its_definition(sample_snapshot):
    snapshot = Snapshot(sample_snapshot)
    rows = glossary.definitions(list(METRICS.values()), snapshot).set_index("metric")
    snapshot.close()
    assert rows.index.tolist() == list(METRICS)
    for name, row in rows.iterrows():
        assert (row["formula"], row["meaning"], row["minimum_n"]) == (
            METRICS[name].formula,
            METRICS[name].meaning,
            METRICS[name].min_n,
        )
    assert (rows["target"] != "none").any()


def test_definitions_stand_without_a_snapshot():
    assert (glossary.definitions(list(METRICS.values()))["target"] == "none").any()


@pytest.mark.parametrize("name", NAMES)
def test_a_metric_is_found_by_its_name_and_by_its_label(name):
    assert METRICS[name] in glossary.search(name)
    assert METRICS[name] in glossary.search(METRICS[name].label.upper())


def test_a_search_takes_every_word_and_the_area():
    assert len(glossary.search()) == len(METRICS)
    found = glossary.search("gold accuracy")
    assert [m.name for m in found][:1] == ["gold_accuracy"]
    assert {m.area for m in glossary.search("", "cost")} == {"cost"}
    assert [m.name for m in glossary.search("gold", "cost")] == ["cost_per_correct_label", "qa_cost_share"]
    assert glossary.search("turnaround", "cost") == []
    assert glossary.search("no such word at all") == []


def test_what_others_call_it_finds_it_too():
    assert METRICS["under_enforcement_rate"] in glossary.search("leakage")
    assert METRICS["gold_accuracy"] in glossary.search("honeypot")
    assert METRICS["handle_time_p50_seconds"] in glossary.search("AHT")


def test_each_term_stands_once_and_every_status_is_explained():
    every = [t.word for t in (*glossary.TERMS, *glossary.READING, *glossary.STATUSES)]
    assert len(every) == len(set(every))
    said = " ".join(glossary.terms(glossary.STATUSES)["word"])
    assert all(words.STATUS[status] in said for status in Status)


def test_the_target_says_how_many_are_more_specific(sample_snapshot):
    snapshot = Snapshot(sample_snapshot)
    rows = snapshot.table("target")
    last = snapshot.meta.last_day
    for name in rows["metric"].unique():
        ours = rows[(rows["metric"] == name) & (rows["project_id"].notna() | rows["pool_id"].notna())]
        current = ours[ours["valid_to"].isna() & (ours["valid_from"].dt.date <= last)]
        text = glossary.target_text(METRICS[name], snapshot)
        said = {0: "", 1: "; one more holds for"}.get(len(current), f"; {len(current)} more hold for")
        assert said in text and ("single projects" in text) == (len(current) > 0)
    snapshot.close()
