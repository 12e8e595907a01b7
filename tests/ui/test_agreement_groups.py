"""Groups of raters on the agreement page: what is counted, what is tested, what is said and drawn of it."""

import dataclasses
import math

import altair as alt
import numpy as np
import pandas as pd
import pytest

from data_access.filters import DIMENSIONS, Filters, Scope
from data_access.snapshot import Snapshot
from ui import agreement_group_words as say
from ui import agreement_groups, agreement_readings, charts, data, periods
from ui.theme import DARK, LIGHT

NASTY = "![x](y) <img src=1> | 'quote'"


@pytest.fixture(scope="module")
def snapshot(sample_snapshot):
    opened = Snapshot(sample_snapshot)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def filters(snapshot):
    return Filters.of((), *periods.last_weeks(snapshot.meta, 26))


@pytest.fixture(autouse=True)
def fresh(request):
    """A test that changes what is read is served nothing kept before, and leaves nothing behind."""
    changes = "monkeypatch" in request.fixturenames
    if changes:
        data.st.cache_data.clear()
    yield
    if changes:
        data.st.cache_data.clear()


def valid(spec: dict) -> bool:
    alt.LayerChart.from_dict(spec, validate=True)
    return True


def values(spec: dict) -> list[dict]:
    return spec["data"]["values"]


@pytest.mark.parametrize("axis", agreement_groups.AXES)
def test_every_axis_has_its_groups(snapshot, filters, axis):
    found = agreement_groups.of_snapshot(snapshot, filters, axis)
    assert not found.tested and found.rows["label"].is_unique
    spec, said = charts.group_agreement(found.rows, LIGHT, agreement_groups.AXES[axis], found.tested)
    assert valid(spec) and "shuffled" not in said
    assert "the test says" in say.groups(found, axis) or "inside each" in say.groups(found, axis)


def test_small_groups_show_no_number(snapshot, filters):
    rows = agreement_groups.of_snapshot(snapshot, filters, "pool").rows
    few = rows[rows["raters"] < 5]
    assert few["irr"].isna().all() and few["gai"].isna().all()


def test_filters_that_the_snapshot_cannot_hold_are_told(snapshot, filters):
    narrowed = filters.with_("policy", "satire").with_("pool", "POOL-01")
    found = agreement_groups.of_snapshot(snapshot, narrowed, "region")
    assert found.left_out == ("pool",)
    period = agreement_groups.sampled_period(snapshot, narrowed)
    assert "the filter on pool does not narrow them" in say.groups_basis(found, period, DIMENSIONS)


def test_a_short_period_is_read_back_half_a_year(snapshot, filters):
    short = filters.over(*periods.last_weeks(snapshot.meta, 4))
    period = agreement_groups.sampled_period(snapshot, short)
    assert (period.end - period.start).days == 181 and period.end == short.end
    long = filters.over(snapshot.meta.first_day, snapshot.meta.last_day)
    assert agreement_groups.sampled_period(snapshot, long) == long


def test_the_axes_are_those_of_the_snapshot():
    from data_access import counts

    assert set(agreement_groups.AXES) == set(counts.AXES)


def groups_frame(tested: bool) -> agreement_groups.Grouped:
    rows = []
    for k, finding in enumerate(("agrees less with the others", "", "")):
        row = {
            "member": f"g{k}",
            "label": NASTY if k == 0 else f"G{k}",
            "raters": 8.0,
            "finding": finding if tested else "",
        }
        for s in agreement_groups.SHOWN:
            none = k == 2 and s != "irr"
            row |= {s: math.nan if none else 0.5 + k, f"{s}_low": math.nan if none else 0.4, f"{s}_high": 0.6 + k}
            row |= {f"{s}_n": 40.0, f"{s}_reason": "no item is rated by the group and by others" if none else ""}
            row |= {f"{s}_interval_reason": ""}
            q = 0.01 if k == 0 and tested else 0.4 if tested else math.nan
            row |= {f"{s}_side": "low", f"{s}_p_two_sided": q, f"{s}_q": math.nan if none else q}
        rows.append(row)
    return agreement_groups.Grouped(pd.DataFrame(rows), tests=7, splits=1000 if tested else 0, ratings=900)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
@pytest.mark.parametrize("tested", [True, False])
def test_the_chart_of_groups(colours, tested):
    found = groups_frame(tested)
    spec, said = charts.group_agreement(found.rows, colours, "region", tested)
    assert valid(spec)
    rows = values(spec)
    assert [r["found"] for r in rows] == [tested, False, False]
    assert rows[2]["gai_x"] is None and rows[2]["finding"] == "shares no item with others"
    assert ("q 0.01" in rows[0]["finding"]) == tested
    assert ("More than shuffled raters" in said) == tested
    assert "7 tests" in say.groups(found, "region") or not tested


def test_a_number_without_an_interval_says_why():
    rows = groups_frame(True).rows.assign(gai_low=math.nan, gai_high=math.nan)
    rows.loc[0, "gai_interval_reason"] = "fewer than 10 items' worth of ratings"
    shown = values(charts.group_agreement(rows, LIGHT, "region", True)[0])
    assert "no interval: fewer than 10 items' worth of ratings" in shown[0]["gai"]
    assert "no interval" not in shown[1]["gai"] + shown[0]["irr"]


def test_nothing_stands_out_is_said_with_its_limits():
    found = groups_frame(True)
    found = dataclasses.replace(found, rows=found.rows.assign(finding=""))
    assert "No region stands out" in say.groups(found, "region")


# ---- readings --------------------------------------------------------------------------------------------------


def read(flipped: float, seed: int = 5) -> pd.DataFrame:
    """Ratings of two policies: raters of North and South; South calls safe items of satire unsafe so often."""
    rng = np.random.default_rng(seed)
    rows = []
    for policy in ("satire", "privacy"):
        for item in range(150):
            truth = rng.choice(["safe", "unsafe"], p=[0.7, 0.3])
            for rater in rng.choice(24, 4, replace=False):
                south = rater % 2 == 1
                label = truth if rng.random() < 0.92 else rng.choice(["safe", "unsafe"])
                if south and policy == "satire" and label == "safe" and rng.random() < flipped:
                    label = "unsafe"
                rows.append(("P", policy, label, f"{policy} {item}", rater, "South" if south else "North", "en"))
    return pd.DataFrame(rows, columns=list(agreement_groups.COLUMNS))


@pytest.fixture
def told(snapshot, filters, monkeypatch):
    """Readings of given ratings, as if the snapshot's sample held them."""
    project = next(iter(snapshot.label_sets))
    known = dataclasses.replace(snapshot.label_sets[project], level="nominal", labels=("safe", "unsafe"))
    monkeypatch.setitem(snapshot.label_sets, project, known)

    def run(rows: pd.DataFrame) -> agreement_readings.Readings:
        data.st.cache_data.clear()
        monkeypatch.setattr(data, "sampled_ratings", lambda *_: rows.assign(project_id=project))
        return agreement_readings.of_sample(snapshot, filters, "region")

    return run


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_a_policy_that_one_region_reads_otherwise_is_one_finding(told, colours):
    found = told(read(0.4))
    assert found.tests == 4 and found.cells["found"].sum() == 2  # the two regions mirror one another
    (one,) = found.findings.to_dict("records")
    assert one["policy"] == "satire" and abs(one["shift"]) > 0.15
    sentence = say.readings(found, "region")
    assert sentence.startswith("Reads otherwise than the others: ") and " on satire" in sentence
    spec, said = charts.group_readings(found.cells, colours, "region")
    assert valid(spec) and "4 cells of 2 policies and 2 regions" in said
    cells = {(v["policy"], v["label"]): v for v in values(spec)}
    assert cells["satire", "South"]["found"] and cells["satire", "South"]["text"].startswith("unsafe +")
    assert cells["satire", "North"]["text"].startswith("safe +")
    assert not cells["privacy", "South"]["found"] and values(spec)[0]["policy"] == "satire"


def test_no_difference_is_said(told):
    found = told(read(0.0))
    assert found.tests == 4 and found.findings.empty
    assert "No region reads a policy clearly otherwise" in say.readings(found, "region")
    assert "none differs more" in charts.group_readings(found.cells, LIGHT, "region")[1]


def test_cells_of_few_raters_are_blank_and_a_strict_scope_asks_for_more(told, monkeypatch):
    rows = read(0.4)
    found = told(rows[rows["rater"].isin([0, 2, 4, 6, 8, 10, 12, 1, 3, 5])])
    assert found.tests == 0 and "cannot be told" in say.readings(found, "region")
    assert set(found.cells["reason"]) == {"fewer than 5 raters in the group", "fewer than 5 raters outside the group"}
    monkeypatch.setattr(data, "current_scope", lambda: dataclasses.replace(Scope.stakeholder(), minimum_raters=13))
    assert told(rows).tests == 0


def test_every_axis_has_readings_or_a_reason(snapshot, filters):
    for axis in agreement_groups.AXES:
        found = agreement_readings.of_sample(snapshot, filters, axis)
        assert (found.cells["p"].notna() == (found.cells["reason"] == "")).all()
        assert say.readings(found, axis) and say.readings_basis(found, 1)
