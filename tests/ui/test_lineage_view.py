"""The lineage page's numbers and words on the sample, whose truth file says which batches were spoilt."""

from __future__ import annotations

import json
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data_access import model_data
from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from metrics import ladder, regressions
from metrics import lineage as steps
from metrics.qualities import QUALITIES
from metrics.spec import Status
from ui import (
    charts,
    data,
    lineage,
    lineage_boxes,
    lineage_exposures,
    lineage_heading,
    lineage_own,
    lineage_trace,
    model_impact,
)
from ui import lineage_words as say
from ui.theme import DARK, LIGHT


@pytest.fixture(scope="module")
def sample(whole_sample, whole_snapshot):
    """The snapshot of the sample as `make run` makes it, and its planted events by id."""
    snapshot = Snapshot(whole_snapshot)
    truth = json.loads(whole_sample.with_name(f"{whole_sample.name}.truth.json").read_text(encoding="utf-8"))
    yield snapshot, {event["event_id"]: event for event in truth["events"]}
    snapshot.close()


@pytest.fixture
def snapshot(sample):
    return sample[0]


@pytest.fixture
def noisy(sample):
    """Project and batches of the three weeks in which prompts were labelled benign, from the truth and the weeks."""
    snapshot, events = sample
    event = events["EV10"]
    first, last = pd.Timestamp(event["starts_on"]), pd.Timestamp(event["ends_on"])
    batches = snapshot.table("batch_items")
    weeks = pd.to_datetime(batches["week"])
    project = event["where"]["project"]
    chosen = (batches["project_id"] == project) & (weeks >= first) & (weeks <= last)
    found = set(batches.loc[chosen, "batch_id"])
    assert len(found) == 3
    return project, found


def whole(snapshot, project: str) -> lineage.Line:
    return lineage.one(snapshot, project, snapshot.meta.last_day)


# ---- the truth -------------------------------------------------------------------------------------------------


def test_the_spoilt_batches_are_below_target_and_no_others(snapshot, noisy):
    project, spoilt = noisy
    assert set(whole(snapshot, project).below) == spoilt


def test_they_are_traced_forward_to_the_versions_trained_on_them_and_their_incidents(snapshot, noisy):
    project, spoilt = noisy
    line = whole(snapshot, project)
    trace = lineage_trace.resolve(line, "finding")
    owner = snapshot.table("batch").set_index("batch_id")["dataset_version"]
    models = snapshot.table("model_version")
    trained = set(models.loc[models["dataset_version"].isin(owner[list(spoilt)]), "model_version"])
    assert set(trace.versions) == trained and len(trained) == 3
    incidents = snapshot.table("incident")
    missed = incidents[incidents["summary"].str.contains("missed harmful prompts")]
    found = line.reached(list(trace.batches))
    assert found["reached"] == len(missed) and set(missed["model_version"]) <= trained
    assert say.clear(found)


def test_tracing_back_from_their_incidents_finds_exactly_those_batches(snapshot, noisy):
    project, spoilt = noisy
    line = whole(snapshot, project)
    incidents = line.incidents[line.incidents["summary"].str.contains("missed harmful prompts")]
    over = set()
    for incident in incidents["incident_id"]:
        trace = lineage_trace.resolve(line, f"incident:{incident}")
        rows = lineage_trace.back(snapshot, line, trace, "batch")
        over |= set(rows.loc[rows["ratio"] > 1, "member"])
    assert over == spoilt
    every = lineage_trace.back(snapshot, line, lineage_trace.resolve(line, "versions"), "batch")
    assert set(every.head(3)["member"]) == spoilt  # of all incidents' labels these are the most over-represented


def test_the_page_opens_with_them(snapshot, noisy):
    project, _ = noisy
    everything = lineage.candidates(snapshot, Filters())
    assert lineage.worst(snapshot, everything, snapshot.meta.last_day) == project
    said = say.finding(whole(snapshot, project), "Prompt intent")
    assert "trace to 3 batches whose gold accuracy was below target" in said and "chance" not in said


def test_a_change_of_base_model_is_not_traced_to_labels(sample):
    snapshot, events = sample
    event = events["EV11"]
    line = whole(snapshot, event["where"]["project"])
    models = line.models.set_index("model_version")
    at = int((models["base_model"] != models["base_model"].shift()).to_numpy()[1:].argmax()) + 1
    changed, before = models.iloc[at], models.iloc[at - 1]
    assert changed["worse"] and not changed["high"] < before["low"]
    trace = lineage_trace.resolve(line, f"model:{models.index[at]}")
    said = say.traced(line, trace, lineage_own.own(snapshot, line, trace))
    assert "not clearly different" in said and "base model changed too" in said and "worse" in said
    assert not say.clear(line.reached(line.below))
    assert "as many as chance may give" in say.finding(line, "Compass")


# ---- numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", lineage_trace.BREAKDOWNS)
def test_shares_of_a_trace_add_up_to_one(snapshot, noisy, by):
    line = whole(snapshot, noisy[0])
    for text in ("finding", "model:" + line.models["model_version"].iat[-1]):
        rows = lineage_trace.back(snapshot, line, lineage_trace.resolve(line, text), by)
        assert rows["share"].sum() == pytest.approx(1.0)
        assert (rows["base_share"] <= 1).all() and rows["ratio"].is_monotonic_decreasing
        assert rows["label"].notna().all()


def test_an_incident_is_traced_among_the_labels_of_its_own_policy_and_language(snapshot, noisy):
    """By hand from the batches' sums: the shares of pools among these labels, in its version and over all versions."""
    line = whole(snapshot, noisy[0])
    known = line.incidents[line.incidents["model_version"].isin(line.weighted["model_version"])]
    row = known.dropna(subset=["policy", "language"]).iloc[-1]
    trace = lineage_trace.resolve(line, f"incident:{row['incident_id']}")
    assert lineage_trace.own_labels(snapshot, line, trace) == {"policy": row["policy"], "language": row["language"]}
    rows = lineage_trace.back(snapshot, line, trace, "pool").set_index("member")
    sums = model_data.batch_sums(snapshot, Scope.everything(), ("batch", "pool", "policy", "language"))
    ours = sums[(sums["policy"] == row["policy"]) & (sums["language"] == row["language"])]
    of_version = ours[ours["batch_id"].isin(trace.batches)].groupby("pool")["labels"].sum()
    np.testing.assert_allclose(rows["share"].reindex(of_version.index), of_version / of_version.sum())
    # P06 has one batch a version and each version counts alike: the base is the mean of the versions' shares.
    by_batch = ours[ours["batch_id"].isin(line.weighted["batch_id"])].pivot_table("labels", "batch_id", "pool", "sum")
    base = by_batch.fillna(0).div(by_batch.sum(axis=1), axis=0).mean()
    np.testing.assert_allclose(rows["base_share"], base.reindex(rows.index))
    assert rows["n"].sum() == ours[ours["batch_id"].isin(trace.batches)]["gold_n"].sum()
    # A breakdown by policy keeps all policies of the language, one by language all languages of the policy.
    assert len(lineage_trace.back(snapshot, line, trace, "policy")) > 1
    assert len(lineage_trace.back(snapshot, line, trace, "language")) > 1
    assert say.among({"policy": "self_harm", "language": "ko"}) == "labels of self harm in ko"


def drop_of(line, version: str, language: str):
    """The trace of a version's drop in a language."""
    rows = line.compared[(line.compared["model_version"] == version) & (line.compared["language"] == language)]
    return lineage_trace.resolve(line, f"drop:{rows['drop'].iloc[0]}")


def test_a_drop_in_a_language_is_traced_among_the_labels_of_that_language(snapshot, noisy):
    """By hand from the batches' sums: the shares of pools and guideline versions among Vietnamese labels alone."""
    line = whole(snapshot, noisy[0])
    spoilt = line.weighted.loc[line.weighted["batch_id"].isin(noisy[1]), "model_version"].min()
    trace = drop_of(line, spoilt, "vi")
    assert lineage_trace.own_labels(snapshot, line, trace) == {"language": "vi"}
    version = lineage_trace.resolve(line, f"model:{spoilt}")
    for by in ("pool", "guideline_version", "policy"):
        sums = model_data.batch_sums(snapshot, Scope.everything(), ("batch", by, "language"))
        sums = sums[(sums["language"] == "vi") & sums["batch_id"].isin(line.weighted["batch_id"])]
        rows = lineage_trace.back(snapshot, line, trace, by).set_index("member")
        ours = sums[sums["batch_id"].isin(trace.batches)].groupby(by)[["labels", "gold_n", "gold_correct"]].sum()
        np.testing.assert_allclose(rows["share"].reindex(ours.index), ours["labels"] / ours["labels"].sum())
        wide = sums.pivot_table("labels", "batch_id", by, "sum").fillna(0)
        base = wide.div(wide.sum(axis=1), axis=0).mean()
        np.testing.assert_allclose(rows["base_share"], base.reindex(rows.index))
        assert (rows["n"] == ours["gold_n"].reindex(rows.index)).all()
        judged = rows["value"].dropna()
        np.testing.assert_allclose(judged, (ours["gold_correct"] / ours["gold_n"]).reindex(judged.index))
        # The version as a whole has other labels behind it.
        assert rows["n"].sum() < lineage_trace.back(snapshot, line, version, by)["n"].sum()


def test_what_is_said_of_a_drop_is_said_of_its_own_labels(snapshot, noisy):
    """Value, n and share by hand; the change is that of Model impact, to the digit."""
    line = whole(snapshot, noisy[0])
    spoilt = line.weighted.loc[line.weighted["batch_id"].isin(noisy[1]), "model_version"].min()
    trace = drop_of(line, spoilt, "vi")
    own = lineage_own.own(snapshot, line, trace)
    of = model_data.batch_sums(snapshot, Scope.everything(), ("batch", "language"))
    ours = of[(of["language"] == "vi") & of["batch_id"].isin(trace.batches)][["gold_correct", "gold_n"]].sum()
    assert own.own["now_value"] == pytest.approx(ours["gold_correct"] / ours["gold_n"])
    assert own.own["now_n"] == ours["gold_n"] != own.whole["now_n"]
    items = model_data.batch_items(snapshot, Scope.everything(), ("batch", "language"))
    items = items[items["batch_id"].isin(line.weighted["batch_id"])].pivot(
        index="batch_id", columns="language", values="items"
    )
    part = items["vi"] / items.sum(axis=1)
    assert own.share == pytest.approx(part[list(trace.batches)].item())
    assert own.base_share == pytest.approx(part.mean())
    worse = model_impact.found(snapshot).worse
    row = worse[(worse["model_version"] == spoilt) & (worse["language"] == "vi")].iloc[0]
    alike = ["exposure_change", "exposure_low", "exposure_high", "now_n", "before_n"]
    assert [own.own[name] for name in alike] == pytest.approx(row[alike].tolist())
    said = say.traced(line, trace, own)
    assert f"gold accuracy {100 * own.own['now_value']:.1f}" in said and f"n {ours['gold_n']:.0f}" in said
    assert "labels in vi" in said and "on harmful-prompts-languages (vi)" in said


def test_a_drop_stands_beside_the_version_it_was_compared_with(snapshot, noisy):
    """A benchmark that was not measured on every version: the labels of the one before on record do not count."""
    line = whole(snapshot, noisy[0])
    names = line.models["model_version"].tolist()
    drop = drop_of(line, line.weighted.loc[line.weighted["batch_id"].isin(noisy[1]), "model_version"].min(), "vi")
    earlier = names[names.index(drop.versions[0]) - 3]
    mine = line.compared["drop"] == drop.member
    skipped = line.compared.assign(previous_version=line.compared["previous_version"].mask(mine, earlier))
    other = replace(line, compared=skipped, stamp=(*line.stamp, "skipped"))
    own = lineage_own.own(snapshot, other, drop)
    of = model_data.batch_sums(snapshot, Scope.everything(), ("batch", "language"))
    batch = line.weighted.set_index("model_version")["batch_id"][earlier]
    expected = of[(of["language"] == "vi") & (of["batch_id"] == batch)]["gold_n"].item()
    assert own.own["before_n"] == expected != lineage_own.own(snapshot, line, drop).own["before_n"]
    assert f"than {earlier}:" in say.traced(other, drop, own)


def test_an_incident_is_judged_by_its_own_labels_or_says_too_few_and_then_the_version(snapshot, noisy):
    line = whole(snapshot, noisy[0])
    sums = model_data.batch_sums(snapshot, Scope.everything(), ("batch", "policy", "language"))
    sums = sums.set_index(["batch_id", "policy", "language"])
    batch = line.weighted.set_index("model_version")["batch_id"]
    kinds = set()
    for row in line.incidents[line.incidents["model_version"].isin(batch.index)].to_dict("records"):
        trace = lineage_trace.resolve(line, f"incident:{row['incident_id']}")
        own = lineage_own.own(snapshot, line, trace)
        said = say.traced(line, trace, own)
        cell = sums.loc[(batch[row["model_version"]], row["policy"], row["language"])]
        assert own.own["now_n"] == cell["gold_n"]
        enough = cell["gold_n"] >= steps.LEAST_JUDGED
        kinds.add(enough)
        mine = f"labels of {row['policy'].replace('_', ' ')} in {row['language']}"
        assert mine in said
        share = cell["gold_correct"] / cell["gold_n"]
        version = line.models.set_index("model_version").loc[row["model_version"]]
        whose = f"version {row['model_version']} was trained on labels with gold accuracy {100 * version['value']:.1f}"
        assert (f"with gold accuracy {100 * share:.1f}" in said) == enough
        assert ("too few to judge, gold n" in said and whose in said) == (not enough)
    assert kinds == {True, False}


def test_an_incident_of_labels_the_version_lacks_is_traced_among_all(snapshot, noisy):
    line = whole(snapshot, noisy[0])
    known = line.incidents[line.incidents["model_version"].isin(line.weighted["model_version"])]
    strange = known.iloc[[-1]].assign(policy="nothing", language=None)
    other = replace(line, incidents=strange, stamp=(*line.stamp, "strange"))
    trace = lineage_trace.resolve(other, f"incident:{strange['incident_id'].iloc[0]}")
    assert lineage_trace.own_labels(snapshot, other, trace) == {}
    said = say.traced(other, trace, lineage_own.own(snapshot, other, trace))
    assert "its labels of nothing are not on record" in said and "traced among all its labels" in said


def test_the_largest_drops_are_listed_first_to_trace_from(snapshot, noisy):
    """Each version's largest drop, with its policy or language, the largest first; then incidents, then all drops."""
    line = whole(snapshot, noisy[0])
    options = lineage_trace.options(line)
    listed = list(options)
    worse = line.compared[line.compared["verdict"] == regressions.WORSE].sort_values("change")
    first = worse.drop_duplicates("model_version").head(lineage_trace.MOST_DROPS).to_dict("records")
    for key, row in zip(listed[2:], first, strict=False):
        trace = lineage_trace.resolve(line, key)
        assert trace.kind == "drop" and trace.versions == (row["model_version"],)
        assert lineage_trace.row_of(line, trace)["change"] == row["change"]
        named = {n: row[n] for n in ("policy", "language") if not pd.isna(row[n])}
        assert lineage_trace.named(line, trace) == named
        assert f"points lost on {row['benchmark']}" in options[key]
        assert all(f"({member})" in options[key] for member in named.values())
    assert listed[2 + len(first)].startswith("incident:")
    assert sum(key.startswith("drop:") for key in listed) == len(worse) and worse["language"].notna().any()
    assert len(listed) == 2 + len(worse) + len(line.incidents) + len(line.models) + len(line.batches)


def test_what_is_traced_leads_the_page(snapshot, noisy):
    """Every heading names the project and what is traced, in two lines at most, with numbers counted by hand."""
    line = whole(snapshot, noisy[0])

    def heading(text: str) -> str:
        trace = lineage_trace.resolve(line, text)
        return lineage_heading.heading(line, trace, lineage_own.own(snapshot, line, trace), "Prompt intent labelling")

    known = lineage_trace.options(line)
    for text in known:
        said, (kind, _, member) = heading(text), text.partition(":")
        assert " of Prompt intent labelling" in said and len(said) < 250
        assert (member.split("/")[0] in said) and (said == say.finding(line, "Prompt intent labelling")) == (not member)
        assert kind != "drop" or "points worse on" in said
    sums = model_data.batch_sums(snapshot, Scope.everything(), ("batch",)).set_index("batch_id")
    versions = line.weighted.set_index("model_version")["batch_id"]
    counts = line.incidents["model_version"].map(versions).value_counts()
    for name, batch in versions.loc[["sentinel-intent-045", "sentinel-intent-047"]].items():
        share = f"{100 * sums.loc[batch, 'gold_correct'] / sums.loc[batch, 'gold_n']:.1f}\u00a0%"
        assert f"Version {name} of Prompt intent labelling was trained on labels with gold accuracy {share}" in heading(
            f"model:{name}"
        )
        told = heading(f"batch:{batch}")
        assert share in told and f"{counts[batch]} of {counts.sum()} incidents are of versions trained on it" in told
    assert "points lower than in the version before" in heading("model:sentinel-intent-045")
    assert "points higher than in the version before" in heading("model:sentinel-intent-048")
    batch = model_data.batch_sums(snapshot, Scope.everything(), ("batch", "policy", "language"))
    gold = batch.set_index(["batch_id", "policy", "language"])["gold_n"]
    known = line.incidents[line.incidents["model_version"].isin(versions.index)]
    few = [gold[(versions[r.model_version], r.policy, r.language)] < steps.LEAST_JUDGED for r in known.itertuples()]
    told = ["labels of all kinds with" in heading(f"incident:{name}") for name in known["incident_id"]]
    assert told == few and {*few} == {True, False}
    lost = line.incidents[~line.incidents["model_version"].isin(line.models["model_version"])]
    for incident in lost["incident_id"]:
        assert heading(f"incident:{incident}").endswith("cannot be traced to a version and its labels")


def test_incidents_are_listed_by_day_severity_and_part():
    space = "\u00a0"
    rows = pd.DataFrame(
        {
            "incident_id": ["N-3", "N-2", "N-1"],
            "occurred_at": pd.to_datetime(["2026-08-04", "2026-01-31", "2025-12-31"]),
            "severity": [3.0, 1.0, None],
            "policy": ["self_harm", None, "hate"],
            "language": [None, "ko", "id"],
        }
    )
    assert lineage_trace.incident_names(rows) == [
        f"N-3, 4{space}Aug, severity 3, self harm",
        f"N-2, 31{space}Jan, severity 1, ko",
        f"N-1, 31{space}Dec{space}2025, hate in id",
    ]
    assert lineage_trace.incident_names(rows.iloc[:0]) == []


def test_incidents_that_cannot_be_traced_are_counted(snapshot, noisy):
    """P06's first version has no batch on record: its incident is in no trace, and the figure says so."""
    line = whole(snapshot, noisy[0])
    lost = int((~line.incidents["model_version"].isin(line.weighted["model_version"])).sum())
    figure = next(f for f in say.figures(line) if f[0] == "Incidents traced to them")
    assert lost == 1 and "1 more cannot be traced" in figure[2]


def test_incidents_without_a_version_are_counted_by_product(snapshot):
    rows = snapshot.table("incident").copy()
    assert say.unnamed(rows.dropna(subset="model_version")) == ""
    first = rows["product"].isin(["Bazaar", "Compass"]).to_numpy().nonzero()[0][:5]
    rows.loc[first, "model_version"] = None
    counts = rows.loc[first, "product"].value_counts()
    said = say.unnamed(rows)
    assert said.startswith("5 incidents name no model version")
    assert all(f"{n} of {product}" in said for product, n in counts.items())


def test_a_version_shows_every_quality_of_its_labels(snapshot, noisy):
    """The same numbers as the links are made from, and gold accuracy as on the rest of the page."""
    line = whole(snapshot, noisy[0])
    version = line.weighted.loc[line.weighted["batch_id"].isin(noisy[1]), "model_version"].iloc[0]
    rows = lineage_exposures.exposed(snapshot, line, version).set_index("quality")
    assert list(rows.index) == list(QUALITIES)
    gold = line.models.set_index("model_version")["value"]
    assert rows.loc["gold_accuracy", "value"] == pytest.approx(gold[version])
    at = list(gold.index).index(version)
    assert rows.loc["gold_accuracy", "before"] == pytest.approx(gold.iloc[at - 1])
    assert (rows["value"].notna() | (rows["reason"] != "")).all()
    batch = line.weighted.loc[line.weighted["model_version"] == version, "batch_id"]
    sums = model_data.batch_sums(snapshot, Scope.everything()).set_index("batch_id").loc[batch.iloc[0]]
    assert rows.loc["rework_rate", "value"] == pytest.approx(sums["rework"] / sums["judgements"])


def test_a_batch_of_incidents_counts_each_incident(snapshot, noisy):
    """By hand: P06 has one batch a version, so a batch's share is its version's share of the incidents."""
    line = whole(snapshot, noisy[0])
    rows = lineage_trace.back(snapshot, line, lineage_trace.resolve(line, "finding"), "batch").set_index("member")
    batch_of = line.weighted.set_index("model_version")["batch_id"]
    known = line.incidents["model_version"].map(batch_of).dropna()
    expected = known.value_counts(normalize=True)
    np.testing.assert_allclose(rows.loc[expected.index, "share"], expected)
    np.testing.assert_allclose(rows["base_share"], 1 / line.weighted["model_version"].nunique())


def test_a_batch_is_named_only_where_chance_does_not_give_its_incidents(snapshot, noisy):
    """On the sample no batch by itself; with nine incidents of one version more, its batch, as scipy's test has it."""
    line = whole(snapshot, noisy[0])
    trace = lineage_trace.resolve(line, "finding")
    rows = lineage_trace.back(snapshot, line, trace, "batch")
    batch_of = line.weighted.set_index("model_version")["batch_id"]
    counts = line.incidents["model_version"].map(batch_of).dropna().value_counts()
    assert {row["member"]: say.behind(row) for row in rows.to_dict("records")} == {
        name: f"{n} of {counts.sum()}" for name, n in counts.items()
    }
    base, tests = 1 / len(batch_of), len(batch_of)
    exact = stats.binomtest(int(counts.max()), int(counts.sum()), base, alternative="greater").pvalue
    assert (exact * tests <= 0.05) == ("No batch stands out" not in say.outstanding(rows))
    one = line.incidents.dropna(subset="model_version").iloc[[-1]]
    more = pd.concat([line.incidents, *[one] * 9], ignore_index=True)
    other = replace(line, incidents=more, stamp=(*line.stamp, "nine more"))
    said = say.outstanding(lineage_trace.back(snapshot, other, trace, "batch"))
    name = batch_of[one["model_version"].iloc[0]]
    assert f"{name} ({counts[name] + 9} of {counts.sum() + 9})" in said
    assert ladder.overclaims(said, ladder.Rung.ASSOCIATION) == []
    assert say.outstanding(rows.iloc[:0]).startswith("There are no labels")
    alone = say.outstanding(rows.assign(p_value=1.0))
    assert alone.startswith("No batch stands out") and not any(name in alone for name in rows["member"])
    # Of an incident-free breakdown nothing of incidents is said.
    assert not {"reached", "p_value"} & set(lineage_trace.back(snapshot, line, trace, "pool"))


def test_a_batch_without_a_model_is_not_yet_used_and_never_without_effect(snapshot):
    line = whole(snapshot, "P12")
    assert line.models.empty and set(line.batches["state"]) <= {steps.OPEN, steps.NOT_IN_DATASET, steps.NOT_USED}
    assert "not yet used" in say.finding(line, "Twelve")
    for state, rows in line.batches.groupby("state"):
        trace = lineage_trace.resolve(line, f"batch:{rows['batch_id'].iat[0]}")
        said = say.traced(line, trace)
        assert state in said and "no effect" not in said and "incident" not in said
        nodes, links, _ = lineage_boxes.boxes(line, trace, lineage_trace.window(line, trace, Filters()))
        assert state in nodes["label"].tolist() and len(links) == 1


def test_the_period_ends_what_is_traced(snapshot, noisy):
    project, spoilt = noisy
    line = lineage.one(snapshot, project, pd.Timestamp("2026-04-12").date())
    assert line.models["trained_at"].max() < pd.Timestamp("2026-04-13")
    assert set(line.below) < spoilt and len(line.incidents) < len(whole(snapshot, project).incidents)


def test_the_period_chooses_the_versions_shown(snapshot):
    line = whole(snapshot, "P01")
    nothing = lineage_trace.resolve(line, "versions")
    filters = Filters.of({}, pd.Timestamp("2026-08-01").date(), pd.Timestamp("2026-11-15").date())
    shown = line.models.set_index("model_version").loc[lineage_trace.window(line, nothing, filters), "trained_at"]
    assert shown.min() >= pd.Timestamp("2026-08-01") and shown.is_monotonic_increasing
    assert shown.max() == line.models["trained_at"].max()
    few = filters.over(pd.Timestamp("2026-11-09").date(), pd.Timestamp("2026-11-15").date())
    assert len(lineage_trace.window(line, nothing, few)) == lineage_trace.LEAST_VERSIONS


def test_incidents_decide_how_a_version_stands_before_its_benchmarks(snapshot, noisy):
    """From the incidents' severities alone: a version with a grave one is bad even if it is better than the last."""
    line = whole(snapshot, noisy[0])
    models = line.models.set_index("model_version")
    nodes = pd.concat(
        lineage_boxes.boxes(line, lineage_trace.resolve(line, f"model:{name}"), [name])[0] for name in models.index
    ).set_index("key")
    gravest = line.incidents.groupby("model_version")["severity"].max().reindex(models.index)
    grave, light, none = gravest >= 2, gravest == 1, gravest.isna()
    lost, won = models["worse"] > 0, models["better"] > 0
    kinds = [(grave & ~lost & won, "off_target", "▲"), (light & ~lost, "watch", "◐"), (lost, "off_target", "▲"),
             (none & ~lost & won, "on_target", "●"), (none & ~lost & ~won, "too_few", "○")]  # fmt: skip
    seen = 0
    for names, state, shape in kinds:
        for name in models.index[names]:
            box = nodes.loc[f"o:{name}"]
            assert box["status"] == state and box["label"].startswith(f"{shape} ")
        seen += bool(names.any())
    assert seen >= 3 and (grave & ~lost & won).any()
    light = lineage_boxes._outcome({"worse": 0, "better": 1, "incidents": 2, "severity": 1.0})
    assert light == ("watch", "◐") == lineage_boxes._outcome({**dict.fromkeys(("worse", "better"), 0), "incidents": 1,
                                                              "severity": 1.0})  # fmt: skip
    assert lineage_boxes._outcome({"worse": 1, "better": 0, "incidents": 1, "severity": 1.0})[0] == "off_target"


@pytest.mark.parametrize("project", ["P01", "P02", "P06", "P09", "P11"])
@pytest.mark.parametrize("kind", ["finding", "versions", "model", "batch"])
def test_a_flow_is_never_too_long_to_read_and_loses_no_items(snapshot, project, kind):
    line = whole(snapshot, project)
    first = {"model": line.models["model_version"], "batch": line.batches["batch_id"]}
    trace = lineage_trace.resolve(line, f"{kind}:{first[kind].iat[5]}" if kind in first else kind)
    versions = lineage_trace.window(line, trace, Filters())
    nodes, links, grain = lineage_boxes.boxes(line, trace, versions)
    assert len(versions) <= lineage_trace.MOST_VERSIONS and grain == "batch"
    assert (nodes["column"] == 0).sum() <= lineage_trace.MOST_BATCHES + lineage_trace.WAITING
    assert set(links["source"]) | set(links["target"]) <= set(nodes["key"]) and nodes["key"].is_unique
    size = nodes.set_index("key")["size"]
    into, out = links.groupby("target")["size"].sum(), links.groupby("source")["size"].sum()
    np.testing.assert_allclose(size[into.index], into)
    np.testing.assert_allclose(size[out.index], out)
    if trace.versions:
        assert set(nodes.loc[nodes["on"] & (nodes["column"] == 2), "label"]) == set(trace.versions) & set(versions)


def test_many_batches_are_shown_by_week_or_month():
    days = pd.date_range("2026-01-05", periods=150, freq="D")
    batches = pd.DataFrame({"batch_id": [f"b{k}" for k in range(150)], "labelled_at": days})
    assert lineage_trace.grouped(batches.head(28))[1] == "batch"
    names, grain = lineage_trace.grouped(batches)
    assert grain == "week" and names.nunique() == 22 and names.iat[0] == "2026-01-05" == names.iat[6] != names.iat[7]
    longer = batches.assign(labelled_at=pd.date_range("2026-01-01", periods=150, freq="2D"))
    names, grain = lineage_trace.grouped(longer)
    assert grain == "month" and names.nunique() == 10 and names.iat[0] == "2026-01-01"


def test_versions_out_of_order_take_no_part_and_are_named(snapshot, monkeypatch):
    project, real = "P06", model_data.lineage(snapshot, Scope.everything())
    models = real.models.copy()
    wrong = models.index[models["project"] == project][10]
    models.loc[wrong, "trained_at"] = pd.Timestamp("2025-05-05")  # before its dataset was built
    monkeypatch.setattr(data, "lineage", lambda snapshot: real._replace(models=models))
    lineage.whole.clear()
    lineage.one.clear()
    line = whole(snapshot, project)
    name = models.loc[wrong, "model_version"]
    lineage.whole.clear()
    lineage.one.clear()
    assert name in set(line.untimely["model_version"])
    assert line.untimely["reason"].str.len().gt(10).all()
    assert name not in set(line.models["model_version"]) | set(line.weighted["model_version"])
    assert name not in set(line.compared["model_version"])


# ---- who reads -------------------------------------------------------------------------------------------------


def test_a_stakeholder_sees_no_pool_under_the_minimum(snapshot, noisy, monkeypatch):
    project, _ = noisy
    monkeypatch.setattr(data, "current_scope", lambda: Scope.stakeholder([project]))
    assert lineage.candidates(snapshot, Filters()) == (project,)
    line = whole(snapshot, project)
    rows = lineage_trace.back(snapshot, line, lineage_trace.resolve(line, "versions"), "pool")
    sums = model_data.batch_sums(snapshot, Scope.stakeholder([project]), ("batch", "pool"))
    assert set(rows["member"]) <= set(sums["pool"])
    assert lineage.owner(snapshot, "batch", "B-P01-001") == ""


def test_a_reader_of_nothing_gets_nothing(snapshot, monkeypatch):
    monkeypatch.setattr(data, "current_scope", lambda: Scope.stakeholder([]))
    assert lineage.candidates(snapshot, Filters()) == ()
    assert lineage.worst(snapshot, (), None) == ""


# ---- words and pictures ----------------------------------------------------------------------------------------


def every_sentence(snapshot, line):
    yield say.finding(line, "Project")
    yield say.span(line, ["pool", "language"])
    yield from (text for figure in say.figures(line) for text in figure)
    for text in lineage_trace.options(line):
        trace = lineage_trace.resolve(line, text)
        own = lineage_own.own(snapshot, line, trace)
        yield say.trace_heading(trace)
        yield say.traced(line, trace, own)
        yield lineage_heading.heading(line, trace, own, "Project")
    for text in ("finding", "versions"):
        rows = lineage_trace.back(snapshot, line, lineage_trace.resolve(line, text), "policy")
        yield say.over(rows, "policy", "incidents")
        yield say.outstanding(lineage_trace.back(snapshot, line, lineage_trace.resolve(line, text), "batch"))
    yield from (say.outcome_in_full(row) for row in line.models.to_dict("records"))


@pytest.mark.parametrize("project", ["P01", "P06", "P09", "P11", "P12"])
def test_no_sentence_claims_more_than_an_association(snapshot, project):
    said = list(every_sentence(snapshot, whole(snapshot, project)))
    assert len(said) > 20
    assert [(s, ladder.overclaims(s, ladder.Rung.ASSOCIATION)) for s in said if ladder.overclaims(s, 0)] == []
    assert not [s for s in said if "nan" in s.lower().replace("finance", "") or "None batch" in s]


def test_labels_without_gold_are_said_to_be_unknown(snapshot):
    line = whole(snapshot, "P09")
    assert set(line.batches["status"]) == {Status.TOO_FEW.value}
    assert "cannot be traced to weak labels" in say.finding(line, "Reward")


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("text", ["finding", "versions", "batch:B-P06-078", "model:sentinel-intent-045"])
def test_the_flow_is_a_valid_chart(snapshot, colours, text):
    line = whole(snapshot, "P06")
    trace = lineage_trace.resolve(line, text)
    nodes, links, _ = lineage_boxes.boxes(line, trace, lineage_trace.window(line, trace, Filters()))
    spec, told = charts.lineage(nodes, links, colours, "Title", "Subtitle")
    alt.LayerChart.from_dict(spec, validate=True)
    assert told.startswith("Title: ") and f"{(nodes['column'] == 2).sum()} model versions" in told
    clicks = [layer for layer in spec["layer"] if "params" in layer]
    assert len(clicks) == 1 and {row["trace"] for row in spec["data"]["values"]} >= {f"batch:{line.below[0]}"} - {
        "" if text == "finding" else f"batch:{line.below[0]}"
    }


@pytest.mark.parametrize("by", lineage_trace.BREAKDOWNS)
def test_the_shares_are_a_valid_chart(snapshot, by):
    line = whole(snapshot, "P06")
    rows = lineage_trace.back(snapshot, line, lineage_trace.resolve(line, "finding"), by)
    spec, told = charts.traced_shares(rows, LIGHT, lineage_trace.BREAKDOWNS[by], "incidents")
    alt.LayerChart.from_dict(spec, validate=True)
    assert rows["label"].iat[0] in told
