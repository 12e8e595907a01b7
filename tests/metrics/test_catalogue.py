"""Rules that every metric of the catalogue keeps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data_access import dimensions
from data_access import tables as t
from metrics import catalogue
from metrics.catalogue import METRICS
from metrics.errors import UnknownName
from metrics.spec import Direction, Estimate

every_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)


def test_there_are_at_least_thirty_over_every_area():
    assert len(METRICS) >= 30
    assert {m.area for m in METRICS.values()} == set(catalogue.AREAS)


@every_metric
def test_its_sums_are_columns_of_its_mart(metric):
    columns = dimensions.SOURCES[metric.mart].table.c
    assert all(name in columns for name in metric.shape.columns)


@every_metric
def test_it_says_what_it_means_and_reads_tables_that_exist(metric):
    for text in (metric.label, metric.meaning, metric.formula, metric.counts, metric.nothing):
        assert text.strip() == text != ""
    assert metric.meaning.endswith(".")
    assert set(metric.needs) <= set(t.metadata.tables)


def test_labels_are_unlike_each_other():
    labels = [m.label for m in METRICS.values()]
    assert len(set(labels)) == len(labels)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(UnknownName, match="krippendorff_alpha"):
        catalogue.metric("kripendorf_alpha")


def test_a_target_that_does_not_suit_the_direction_is_refused_at_import():
    with pytest.raises(ValueError, match="does not suit"):
        replace(METRICS["gold_accuracy"], target=0.8, warn=0.9)
    with pytest.raises(ValueError, match="does not suit"):
        replace(METRICS["rework_rate"], target=0.2, warn=0.1)
    assert METRICS["rework_rate"].direction is Direction.LOWER


def test_an_estimate_has_a_value_or_a_reason_and_never_nan():
    assert Estimate.missing("no gold items").value is None
    for wrong in ({"value": None}, {"value": 1.0, "reason": "x"}, {"value": float("nan")}):
        with pytest.raises(ValueError):
            Estimate(**wrong)
