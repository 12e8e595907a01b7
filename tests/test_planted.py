"""The sample's planted events, found by the statistics that the pages show; its truth file is the oracle."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from data_access import counts, drill
from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from metrics import drift, fatigue, items
from metrics.group_reading import group_readings
from metrics.groups import group_agreement
from tests.conftest import settings_for

EVERYONE = Scope.everything()


@pytest.fixture(scope="module")
def sample(whole_sample, whole_snapshot):
    """The sample as `make run` makes it: settings, snapshot, events by kind."""
    snapshot = Snapshot(whole_snapshot)
    truth = json.loads(whole_sample.with_name(f"{whole_sample.name}.truth.json").read_text(encoding="utf-8"))
    yield settings_for(whole_sample, whole_snapshot), snapshot, {event["kind"]: event for event in truth["events"]}
    snapshot.close()


def during(event: dict, last: dt.date | None = None, **where) -> Filters:
    """The event's own days; of what it names, only the project, and what is asked beside."""
    end = dt.date.fromisoformat(event["ends_on"]) if event["ends_on"] else last
    project = event["where"].get("project")
    return Filters.of({**({"project": project} if project else {}), **where}, _day(event), end)


def _day(event: dict) -> dt.date:
    return dt.date.fromisoformat(event["starts_on"])


def table(rows, column: str):
    return rows.pivot_table(index="rater", columns="month", values=column, aggfunc="sum", fill_value=0)


def test_raters_who_drift_are_found_and_no_others(sample):
    _, snapshot, events = sample
    event = events["rater_drift"]
    cells = counts.counts(snapshot, "work", ("gold_n", "gold_correct"), ("rater", "month"), during(event), EVERYONE)
    n, right = table(cells, "gold_n"), table(cells, "gold_correct")
    peers = drift.peer_share(right.to_numpy(), n.to_numpy())
    found = drift.rater_drift(right.to_numpy(), n.to_numpy(), peers)
    down = set(n.index[(found["verdict"] == "drifting down").to_numpy()])
    assert down == set(event["where"]["rater"])


def test_only_the_shift_without_a_break_tires(sample):
    ours, _, events = sample
    event = events["night_fatigue"]
    cells = drill.hours_into_shift(ours, during(event), EVERYONE)
    found = fatigue.fatigue(cells["rater_id"], cells["hour"], cells["n"], cells["wrong"], cells["pool_id"])
    rising = found.loc[found["verdict"] == "errors rise", "group"].tolist()
    assert rising == [event["where"]["pool"]]


def doubtful(ours, filters: Filters):
    """The gold items that the answers speak against, with their policy."""
    rows = drill.ratings(ours, filters, EVERYONE, which=drill.GOLD).rows
    gold = dict(zip(rows["item_id"], rows["gold_label"], strict=True))
    found = items.doubtful_gold(*(rows[c].to_numpy() for c in ("item_id", "rater_id", "label")), gold).table
    policy = rows.drop_duplicates("item_id").set_index("item_id")["policy"]
    return found.loc[found["fdr"] <= 0.1, "item"].map(policy)


def test_gold_keyed_wrongly_is_found_in_its_policy(sample):
    ours, _, events = sample
    event = events["bad_gold"]
    sure = doubtful(ours, during(event))
    assert len(sure) >= 5
    assert (sure == event["where"]["policy"]).mean() >= 0.9
    five_weeks_before = during(event).over(_day(event) - dt.timedelta(days=35), _day(event) - dt.timedelta(days=1))
    assert len(doubtful(ours, five_weeks_before)) <= 1


def test_the_region_that_reads_a_policy_differently_stands_apart(sample):
    ours, snapshot, events = sample
    event = events["group_reading"]
    where = event["where"]
    region = snapshot.table("pool").set_index("pool_id")["region"]
    shown = {}
    for policy in (where["policy"], "medical_advice"):
        filters = during(event, snapshot.meta.last_day, policy=policy)
        rows = drill.ratings(ours, filters, EVERYONE, which=drill.OVERLAP).rows
        if rows.empty:
            continue
        group = rows["pool_id"].map(region).to_numpy(object)
        columns = (rows[c].to_numpy() for c in ("item_id", "rater_id", "label"))
        found = group_agreement(*columns, group, permutations=400).table.set_index(["group", "statistic"])
        shown[policy] = found.loc[(where["region"], "xrr")]
    apart = shown[where["policy"]]
    assert apart["side"] == "low"
    assert apart["q"] <= 0.05


def test_by_region_no_other_policy_is_read_differently(sample):
    """All cells of policy and region from the snapshot's sample of ratings: the planted one stands alone."""
    _, snapshot, events = sample
    where = events["group_reading"]["where"]
    filters = Filters.of({}, _day(events["group_reading"]), snapshot.meta.last_day)
    rows = counts.sampled_ratings(snapshot, "region", filters, EVERYONE)
    place = pd.Series(list(zip(rows["project_id"], rows["policy"], strict=True)))
    columns = (rows[c] for c in ("item", "rater", "label", "group", "language"))
    labels = {key: snapshot.label_sets[key[0]].labels for key in set(place)}
    found = group_readings(place, *columns, labels=labels).table
    clear = found[found["q"] <= 0.05]
    assert set(clear["place"]) == {(where["project"], where["policy"])}
    row = clear[clear["group"] == where["region"]].iloc[0]
    assert row["label"] == "unsafe" and row["shift"] > 0.1
    assert found["p"].notna().sum() > 20


def test_a_harmless_holiday_moves_no_judgement_of_raters(sample):
    _, snapshot, events = sample
    event = events["harmless_small_n"]
    start = _day(event) - dt.timedelta(days=60)
    filters = Filters.of({"project": event["where"]["project"]}, start, _day(event) + dt.timedelta(days=30))
    cells = counts.counts(snapshot, "work", ("gold_n", "gold_correct"), ("rater", "month"), filters, EVERYONE)
    n, right = table(cells, "gold_n"), table(cells, "gold_correct")
    found = drift.rater_drift(right.to_numpy(), n.to_numpy(), drift.peer_share(right.to_numpy(), n.to_numpy()))
    assert not np.isin(found["verdict"], ("drifting down", "drifting up")).any()
