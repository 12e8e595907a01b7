"""Errors by project, label and gravity count the same judgements, and matrices keep every one."""

from __future__ import annotations

import numpy as np
import pytest

from ui import data, rater_errors, rater_history


def test_errors_by_project_and_by_label_count_the_same_judgements(snapshot, half_year):
    everywhere = rater_errors.errors(snapshot, half_year)
    assert everywhere.by == "project"
    one = rater_errors.errors(snapshot, half_year.with_("project", "P01"))
    assert one.by == "true label"
    name = snapshot.names["project"]["P01"]
    whole = everywhere.rows.set_index("label").loc[name]
    for part in ("mild_n", "severe_n", "other_n", "n"):
        assert one.rows[part].sum() == whole[part]
    wrong = whole["mild_n"] + whole["severe_n"] + whole["other_n"]
    matrix = rater_errors.matrix(snapshot, half_year, "P01")
    assert matrix.counts.sum() == whole["n"]
    assert matrix.counts.sum() - np.trace(matrix.counts) == wrong


def test_a_matrix_of_many_labels_keeps_the_commonest_and_every_judgement(snapshot, half_year):
    found = rater_errors.matrix(snapshot, half_year, "P05")
    assert len(found.labels) <= rater_errors.MOST_LABELS and found.labels[-1] == rater_errors.OTHER
    direct = data.confusion(snapshot, half_year.with_("project", "P05"))["n"].sum()
    assert found.counts.sum() == direct


def test_a_set_of_labels_is_as_grave_as_its_gravest(snapshot):
    assert rater_errors.severities(snapshot, "P05", ["none", "hate", "harassment|self_harm"]).tolist() == [0, 2, 3]


def test_verdicts_of_audits_add_up_to_the_errors(snapshot, half_year):
    rows = rater_errors.verdicts(snapshot, half_year).set_index("label")
    audits = data.measure(snapshot, ("audit_accuracy",), (), half_year)["value"].iloc[0]
    assert rows["value"].sum() == pytest.approx(1 - audits)
    assert (rows["low"] <= rows["value"]).all() and (rows["value"] <= rows["high"]).all()
    measured = data.measure(snapshot, ("critical_error_rate", "audit_accuracy"), (), half_year).set_index("metric")
    critical, accuracy = measured.loc["critical_error_rate"], measured.loc["audit_accuracy"]
    for end in ("value", "low", "high"):
        assert rows.loc["Critical", end] == pytest.approx(critical[end])
    # A share of errors as wide as that of all errors would be, p(1 - p) apart: raters are clusters in both.
    half = (accuracy["high"] - accuracy["low"]) / 2
    for name in ("Major", "Minor"):
        p, q = rows.loc[name, "value"], accuracy["value"]
        wanted = half * np.sqrt(p * (1 - p) / (q * (1 - q)))
        assert (rows.loc[name, "high"] - rows.loc[name, "low"]) / 2 == pytest.approx(wanted, rel=0.15)


def test_a_week_s_errors_vary_as_raters_do():
    rng = np.random.default_rng(3)
    rater, week = (x.ravel() for x in np.indices((20, 26)))
    gold = np.full(len(rater), 40.0)
    independent = rng.binomial(40, 0.2, len(rater)).astype(float)
    halves = rng.binomial(40, 0.4 * rng.integers(0, 2, len(rater))).astype(float)  # never, or two of five
    # Variance of a cell's rate: .04 beside .2 * .8 / 40 = .004 by chance, less what is binomial in .04: 10.5 times.
    assert rater_history._design_effect(rater, week, gold, independent) == pytest.approx(1, abs=0.2)
    assert rater_history._design_effect(rater, week, gold, halves) == pytest.approx(10.8, rel=0.2)
    assert rater_history._design_effect(rater, week, gold, np.zeros(len(rater))) == 1


def test_a_filter_the_confusions_do_not_keep_is_a_reason(snapshot, half_year):
    found = rater_errors.errors(snapshot, half_year.with_("content_type", "text"))
    assert found.rows.empty and "not kept by content type" in found.reason
