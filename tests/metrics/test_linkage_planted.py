"""The sample's planted links and events in the models, found by what the model impact page shows."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data_access.filters import Scope
from data_access.link_data import LinkData, link_data
from data_access.snapshot import Snapshot
from metrics import impact, lineage, linkage, moves, sizes
from sample_data import guides
from ui import model_impact_words as words

pytestmark = pytest.mark.xdist_group("planted links")  # one worker makes what all here read


class Planted(NamedTuple):
    """The sample's links, as they are found and as they were planted."""

    data: LinkData
    found: impact.Impact
    truth: dict


@pytest.fixture(scope="module")
def planted(whole_sample, whole_snapshot):
    truth = json.loads(whole_sample.with_name(f"{whole_sample.name}.truth.json").read_text(encoding="utf-8"))
    snapshot = Snapshot(whole_snapshot)
    data = link_data(snapshot, Scope.everything())
    yield Planted(data, impact.impact(data.lineage, data.sums, data.items, data.patterns), truth)
    snapshot.close()


def event(planted: Planted, kind: str) -> dict:
    return next(e for e in planted.truth["events"] if e["kind"] == kind)


def coefficients(planted: Planted) -> list[tuple[float, object]]:
    """The true coefficient and each corrected estimate of gold accuracy that is given for its link."""
    out = []
    for link in planted.found.links:
        true = next(t["coefficient"] for t in planted.truth["links"] if t["benchmark"] == link.benchmark)
        second = linkage.by_agreement(link, "gold_accuracy", planted.found.exposed)
        if second.value is not None:
            out.append((true, second))
    return out


def test_every_link_of_the_sample_is_looked_at(planted):
    asked = {(t["project"], t["benchmark"], t["benchmark_metric"]) for t in planted.truth["links"]}
    assert {link.key for link in planted.found.links} == asked


def test_coefficients_freed_of_error_by_agreement_hold_the_true_one(planted):
    """All links but those of the two projects without gold; which of them leave out the truth is chance, 1 in 20."""
    given = coefficients(planted)
    assert len(given) == sum(t["project"] not in ("P09", "P10") for t in planted.truth["links"])
    inside = sum(one.low <= true <= one.high for true, one in given)
    assert inside >= stats.binom.ppf(0.05, len(given), 0.95)
    # One project's benchmarks share the error of its labels and may be right or wrong together: a project counts once.
    projects: dict[str, list[bool]] = {}
    for link in planted.found.links:
        true = next(t["coefficient"] for t in planted.truth["links"] if t["benchmark"] == link.benchmark)
        one = linkage.by_agreement(link, "gold_accuracy", planted.found.exposed)
        if one.value is not None:
            projects.setdefault(link.project, []).append(one.low <= true <= one.high)
    assert len(projects) == 9
    assert sum(map(all, projects.values())) >= stats.binom.ppf(0.05, len(projects), 0.95)
    sure = [(true, one) for true, one in given if one.low * one.high > 0]
    assert len(sure) >= 6
    assert all(true * one.value > 0 for true, one in sure)


def test_coefficients_corrected_by_the_known_error_hold_the_true_one(planted):
    """Benchmarks of a project share one realised error of gold and are wrong together: a project counts once.

    It counts as holding the truth only where all of its benchmarks do; P06 has three that share an error. So few
    projects would pass with one that holds: all together they may also be no further off than chance puts them.
    """
    holds: dict[str, list[bool]] = {}
    off: dict[str, list[float]] = {}
    for link in planted.found.links:
        true = next(t["coefficient"] for t in planted.truth["links"] if t["benchmark"] == link.benchmark)
        one = linkage.coefficient(link, "gold_accuracy", planted.found.exposed)[0].corrected
        if one.value is not None:
            holds.setdefault(link.project, []).append(one.low <= true <= one.high)
            off.setdefault(link.project, []).append(abs(one.value - true) / (one.high - one.low) * 2 * 1.96)
    squares = sum(np.mean(errors) ** 2 for errors in off.values())
    assert squares <= stats.chi2.ppf(0.99, len(off))
    assert sum(map(len, holds.values())) >= 4 and len(holds["P06"]) == 3
    assert sum(all(inside) for inside in holds.values()) >= stats.binom.ppf(0.05, len(holds), 0.95)


def test_the_size_to_read_is_the_second_measures_where_there_is_one(planted):
    links = planted.found.links
    rows = impact.coefficients(planted.found, ["gold_accuracy"], links)
    rows = rows[(rows["project"] != linkage.ALL_PROJECTS) & (rows["reason"] == "")]
    marked = rows["narrative"].str.endswith(impact.TO_READ) & ~rows["narrative"].str.contains(impact.NOT_TO_READ)
    assert (marked.groupby([rows["project"], rows["benchmark"]]).sum() == 1).all()
    assert set(rows.loc[marked, "method"]) == {sizes.SECOND}
    assert rows.loc[~marked, "narrative"].str.contains("its interval").all()


def test_a_link_without_a_corrected_size_says_why(planted):
    for link in planted.found.links:
        panel, _ = linkage.coefficient(link, "gold_accuracy", planted.found.exposed)
        for one in (panel.raw, panel.corrected):
            assert one.value is not None or one.reason


def test_no_link_that_stands_points_the_wrong_way(planted):
    stand = impact.standing(planted.found.rows)
    assert len(stand) >= 20
    turned = stand["better"].dropna()
    assert (turned > 0).mean() >= 0.95
    assert {"harmful-prompts", "harmful-prompts-languages", "jailbreak-suite"} <= set(stand["benchmark"])


def test_the_lag_in_days_is_the_planted_one(planted):
    line = planted.data.lineage
    weighted = lineage.weights(line.batches, line.models)
    for true in planted.truth["links"]:
        measures = line.measures[line.measures["benchmark"] == true["benchmark"]]
        rows = lineage.lags(weighted, line.batches[["batch_id", "labelled_at"]], measures).dropna(subset="lag_days")
        assert rows["lag_days"].median() == pytest.approx(true["lag_days"], abs=1.0)
        assert rows["first_days"].median() - 0.5 <= true["lag_days"] <= rows["last_days"].median() + 0.5
        # The interval is the spread of the labels' ages: from the newest to the oldest of the weeks in a dataset.
        weeks = round((true["lag_days"] - guides.MEASURED_DAYS) / 3.5)
        assert (rows["last_days"] - rows["first_days"]).median() == pytest.approx(7 * (weeks - 1), abs=1.5)


def largest_fall(planted: Planted, project: str, start: str, end: str) -> pd.Series:
    """The largest fall of a benchmark among the project's versions trained in these days or up to three weeks after."""
    line = planted.data.lineage
    asked = (planted.found.links, "gold_accuracy", planted.found.exposed, line.models, planted.data.changes)
    rows = moves.moves(*asked, line.batches, planted.data.pools)
    trained = rows["model_version"].map(line.models.set_index("model_version")["trained_at"])
    until = pd.Timestamp(end) + pd.Timedelta(days=21)
    rows = rows[(rows["project"] == project) & (trained >= pd.Timestamp(start)) & (trained <= until)]
    return rows.sort_values("change").iloc[0]


def test_the_fall_at_the_new_base_model_is_not_put_down_to_labels(planted):
    change = event(planted, "base_model_change")
    fall = largest_fall(planted, change["where"]["project"], change["starts_on"], change["ends_on"])
    assert fall["change"] < -0.04
    assert fall["reading"] == moves.CONFOUNDED and not fall["labels"]
    assert "compass-base-2 to compass-base-3" in fall["confounders"]


def test_the_noisy_batches_show_in_labels_and_benchmark(planted):
    noise = event(planted, "label_noise")
    fall = largest_fall(planted, noise["where"]["project"], noise["starts_on"], noise["ends_on"])
    assert fall["change"] < -0.08 and fall["quality_change"] < -0.1
    assert fall["reading"] == moves.LABELS and fall["confounders"] == ""
    # The labels' own change is no confounder, and it is said.
    changes = planted.data.changes
    asked = (changes["project_id"] == noise["where"]["project"], changes["starts_on"] == noise["starts_on"])
    tool = changes[asked[0] & asked[1]].iloc[0]
    under = f"its labels were made under {tool['change_id']} ({tool['summary'].rstrip('.')})"
    assert under in fall["labels_under"].split("; ")
    said = words.move({**fall, "benchmark": "b"}, "P")
    assert under in said and said.index(under) < said.index("nothing else on record changed")
