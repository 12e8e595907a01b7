"""Whether the numbers can be trusted. Oracle: faults planted in a healthy snapshot's checks, one at a time."""

import datetime as dt
from dataclasses import replace

import pandas as pd
import pytest

from data_access import health
from data_access.filters import Scope
from data_access.health import BROKEN, NOTE, PARTS, WARNING
from data_access.snapshot import Snapshot


@pytest.fixture(scope="module")
def checks(sample_snapshot):
    snapshot = Snapshot(sample_snapshot)
    found = health.read(snapshot, Scope.everything())
    snapshot.close()
    return replace(found, findings=found.findings.iloc[:0])


@pytest.fixture
def now(checks):
    """The morning after the last day, right after a refresh."""
    return checks.meta.built_at.replace(
        year=checks.meta.last_day.year, month=checks.meta.last_day.month, day=checks.meta.last_day.day
    ) + dt.timedelta(days=1)


@pytest.fixture
def healthy(checks, now):
    return replace(checks, meta=replace(checks.meta, built_at=now - dt.timedelta(hours=1)))


def _finding(severity: str) -> pd.DataFrame:
    return pd.DataFrame([(severity, "audits", "weight", "A sentence.", "Audit accuracy")], columns=_COLUMNS)


_COLUMNS = ["severity", "table_name", "column_name", "message", "affects"]


def test_a_healthy_snapshot_can_be_trusted(healthy, now):
    assert health.problems(healthy, now) == []
    sentence = health.verdict(healthy, now)
    assert sentence.startswith("The numbers can be trusted")
    assert f"{int(healthy.work['served'].sum()):,}" in sentence


def test_a_note_is_no_reason_for_doubt(healthy, now):
    assert health.problems(replace(healthy, findings=_finding(NOTE)), now) == []


def test_rows_left_out_are_counted(healthy, now):
    read = healthy.read.copy()
    read.loc[read.index[0], "read"] += 120
    found = health.problems(replace(healthy, read=read), now)
    assert [p.severity for p in found] == [BROKEN]
    assert "leave out 120 of" in found[0].words
    assert health.verdict(replace(healthy, read=read), now).startswith("Some numbers cannot be trusted yet")


def test_a_day_that_does_not_add_up_is_seen(healthy, now):
    work = healthy.work.copy()
    work.loc[work.index[3], "difference"] = -2
    found = health.problems(replace(healthy, work=work), now)
    assert "the work of 1 day does not add up" in found[0].words


@pytest.mark.parametrize(("severity", "start"), [(BROKEN, "Some numbers cannot"), (WARNING, "The numbers add up, but")])
def test_findings_weigh_by_their_gravity(healthy, now, severity, start):
    assert health.verdict(replace(healthy, findings=_finding(severity)), now).startswith(start)


def test_old_data_and_an_old_refresh_are_told_apart(healthy, now):
    later = now + dt.timedelta(days=6)
    fresh = replace(healthy, meta=replace(healthy.meta, built_at=later))
    assert ["nothing newer" in p.words for p in health.problems(fresh, later)] == [True]
    forgotten = replace(healthy, meta=replace(healthy.meta, built_at=now - dt.timedelta(days=3)))
    assert ["last refresh was 3 days ago" in p.words for p in health.problems(forgotten, now)] == [True]
    assert "1 more point to look at" in health.verdict(
        replace(healthy, meta=replace(healthy.meta, built_at=later - dt.timedelta(days=3))), later
    )


def test_a_table_that_lags_behind_the_work_is_named(healthy, now):
    rows = healthy.sources.copy()
    audits = rows["table_name"] == "audits"
    rows.loc[audits, "newest"] -= pd.Timedelta(days=9)
    lagging = replace(healthy, sources=rows)
    assert [p.words for p in health.problems(lagging, now)] == ["audits lag behind the work"]
    assert health.sources(lagging, now)["table_name"][0] == "audits"


def test_an_absent_table_comes_first_with_what_it_switches_off(healthy, now):
    rows = healthy.sources.copy()
    gone = rows["table_name"] == "costs"
    rows.loc[gone, ["present", "n", "newest"]] = [False, 0, pd.NaT]
    first = health.sources(replace(healthy, sources=rows), now).iloc[0]
    assert (first["table_name"], first["state"]) == ("costs", "absent")
    assert "Cost per accepted label" in first["feeds"]


def test_without_work_there_is_nothing_to_check(empty_snapshot):
    snapshot = Snapshot(empty_snapshot)
    found = health.read(snapshot, Scope.everything())
    snapshot.close()
    moment = dt.datetime.now(dt.UTC)
    assert health.verdict(found, moment) == "There is no work to check yet"
    assert found.late.empty and health.within(found.late, 0.9) is None
    assert (health.sources(found, moment)["state"] == "empty").all()


@pytest.mark.parametrize("grain", ["project", "week", "day"])
def test_the_reconciliation_adds_up_at_every_grain(checks, grain):
    rows = health.work_by(checks, grain)
    assert rows["served"].sum() == checks.work["served"].sum()
    assert (rows["served"] == rows[list(PARTS)].sum(axis=1)).all()
    assert not rows[grain].duplicated().any()
    if grain != "project":
        assert (rows["read"] == rows["served"]).all()
        assert rows[grain].is_monotonic_decreasing


def test_weeks_start_on_monday(checks):
    assert set(health.work_by(checks, "week")["week"].dt.day_of_week) == {0}


def test_a_reader_of_a_part_is_not_told_the_rows_of_the_whole(sample_snapshot):
    snapshot = Snapshot(sample_snapshot)
    project = sorted(snapshot.names["project"])[0]
    found = health.read(snapshot, Scope.stakeholder([project]))
    snapshot.close()
    assert found.read is None
    assert set(found.work["project"]) <= {project}


def test_no_scope_no_rows(sample_snapshot):
    snapshot = Snapshot(sample_snapshot)
    found = health.read(snapshot, Scope())
    snapshot.close()
    assert found.work.empty and found.read is None


def test_late_audits_accumulate_to_all_of_them():
    lag = pd.DataFrame({"days": [-1, 0, 1, 4], "n": [1, 1, 6, 2]})
    late = health.arrival(lag)
    assert late["days"].tolist() == [0, 1, 2, 3, 4]
    assert late["n"].tolist() == [2, 6, 0, 0, 2]
    assert late["share"].tolist() == pytest.approx([0.2, 0.8, 0.8, 0.8, 1.0])
    assert (health.within(late, 0.5), health.within(late, 0.8), health.within(late, 0.9)) == (1, 1, 4)


def test_findings_come_gravest_first(sample_snapshot, monkeypatch):
    snapshot = Snapshot(sample_snapshot)
    mixed = pd.concat([_finding(s) for s in (NOTE, BROKEN, WARNING)], ignore_index=True)
    monkeypatch.setattr(health.health_data, "findings", lambda _snapshot: mixed)
    found = health.read(snapshot, Scope.everything())
    snapshot.close()
    assert found.findings["severity"].tolist() == [BROKEN, WARNING, NOTE]
