"""Every planted event is in the data: the slice it names differs in the direction and at the time it says."""

import datetime as dt
import math

import pytest

from data_access.tables import TABLES
from sample_data import events, world

pytestmark = pytest.mark.xdist_group("planted events")  # one worker makes what all here read

JUDGED = "stage = 'label' AND label IS NOT NULL"


def pair(facts, measure: str, inside: str, outside: str, table: str = "memory.j") -> tuple[float, float]:
    """The measure inside and outside, from one table."""
    sql = f"SELECT (SELECT {measure} FROM {table} WHERE {inside}), (SELECT {measure} FROM {table} WHERE {outside})"
    return facts.execute(sql).fetchone()


def drop(facts, inside: str, outside: str, table: str = "memory.j", right: str = "gold_ok") -> tuple[float, float]:
    """How much lower a share is inside than outside, and the z value of the difference."""
    sql = f"SELECT count({right}), avg({right}) FROM {table} WHERE {JUDGED} AND "
    (n, p), (m, q) = (facts.execute(sql + f"({where})").fetchone() for where in (inside, outside))
    assert n > 20, f"only {n} in the slice"
    return q - p, (q - p) / math.sqrt(p * (1 - p) / n + q * (1 - q) / m + 1e-9)


@pytest.fixture
def event(request, truth):
    """The truth's record of the event whose kind the test names."""
    kind = request.function.__name__.removeprefix("test_")
    return next(record for record in truth["events"] if record["kind"] == kind)


def test_guideline_confusion(facts, event):
    here = "project_id = 'P01' AND language = 'id' AND policy = 'harassment'"
    change, z = drop(facts, f"{here} AND back <= 20", f"{here} AND back > 20")
    assert change > 0.15
    assert z > 3
    other, _ = drop(
        facts, f"project_id = 'P01' AND NOT ({here}) AND back <= 20", f"project_id = 'P01' AND NOT ({here})"
    )
    assert abs(other) < 0.05
    allowed = f"{here} AND correct_label = 'allow'"
    after, before = pair(
        facts, "avg((label <> 'allow')::INT)", f"{allowed} AND back <= 20", f"{allowed} AND back > 20", "memory.u"
    )
    assert after > before + 0.2
    versions = facts.execute(f"SELECT DISTINCT guideline_version FROM memory.j WHERE {here} AND back <= 20").fetchall()
    assert versions == [("v6",)]
    assert event["ends_on"] is None


def test_vendor_switch(facts, event):
    here = "project_id = 'P03' AND language = 'id'"
    change, z = drop(facts, f"{here} AND back BETWEEN 163 AND 252", f"{here} AND (back > 252 OR back < 163)")
    assert change > 0.04
    assert z > 2
    assert facts.execute(f"SELECT DISTINCT vendor FROM memory.j WHERE {here} AND back > 252").fetchall() == [
        ("Vendor South",)
    ]
    assert facts.execute(f"SELECT DISTINCT vendor FROM memory.j WHERE {here} AND back <= 252").fetchall() == [
        ("Vendor North",)
    ]
    assert event["where"]["pool"] == "POOL-14"


def test_training(facts, event):
    here = "project_id = 'P08' AND pool_id = 'POOL-13' AND NOT back BETWEEN 70 AND 104"  # those days have bad gold
    change, _ = drop(facts, f"{here} AND back <= 150", f"{here} AND back > 150")
    assert change < -0.03
    done = facts.execute("SELECT count(*) FROM trainings WHERE course = 'evidence-checking'").fetchone()[0]
    assert done >= 6
    assert event["where"] == {"project": "P08", "pool": "POOL-13"}


def test_spammers(facts, event):
    them = ", ".join(f"'{rater}'" for rater in event["where"]["rater"])
    here = f"project_id = 'P06' AND pool_id = 'POOL-09' AND back BETWEEN 56 AND 118 AND {JUDGED}"
    theirs, others = f"{here} AND rater_id IN ({them})", f"{here} AND rater_id NOT IN ({them})"
    share, usual = pair(facts, "avg((label = 'benign')::INT)", theirs, others)
    assert share > 0.75 > 0.6 > usual
    fast, normal = pair(facts, "median(handle_seconds)", theirs, others)
    assert fast < normal / 2
    assert drop(facts, theirs, others)[0] > 0.15


def test_rater_drift(facts, event):
    them = ", ".join(f"'{rater}'" for rater in event["where"]["rater"])
    here = f"rater_id IN ({them})"
    change, z = drop(facts, f"{here} AND back BETWEEN 15 AND 90", f"{here} AND back > 160")
    assert change > 0.15
    assert z > 2


def test_bad_gold(facts, event):
    here = "project_id = 'P08' AND policy = 'hallucination'"
    bad, rest = f"{here} AND back BETWEEN 70 AND 104", f"{here} AND NOT back BETWEEN 70 AND 104"
    change, z = drop(facts, bad, rest)
    assert change > 0.08
    assert z > 2
    seen = pair(facts, "sum(weight * (verdict = 'pass')::INT) / sum(weight)", bad, rest, "memory.u")
    assert seen[0] > seen[1] - 0.08  # audits see no such drop
    assert event["starts_on"] == "2026-08-03"


def test_night_fatigue(facts, event):
    here = "project_id = 'P02' AND pool_id = 'POOL-11' AND back BETWEEN 258 AND 320"
    late, early = f"{here} AND hour(submitted_at) >= 19", f"{here} AND hour(submitted_at) < 19"
    audited = "(label = correct_label)::INT"
    change = drop(facts, late, early)[0] + drop(facts, late, early, "memory.u", audited)[0]
    assert change > 0.1
    assert event["where"]["pool"] == "POOL-11"


def test_backlog_surge(facts, event):
    sql = """SELECT avg((closed_at <= due_at)::INT) FILTER (created_at::DATE BETWEEN '2026-09-26' AND '2026-10-17'),
                    avg((closed_at <= due_at)::INT) FILTER (created_at::DATE < '2026-09-20')
             FROM items WHERE project_id = 'P04'"""
    during, before = facts.execute(sql).fetchone()
    assert during < 0.75
    assert before > 0.95
    assert event["ends_on"] == "2026-10-19"


def test_cost_overrun(facts, event):
    sql = """SELECT back BETWEEN 157 AND 190 AS during, sum(amount) / sum(hours) FROM (
                 SELECT cost_date AS day, date_diff('day', cost_date, DATE '2026-11-15') AS back, sum(amount) AS amount
                 FROM costs WHERE project_id = 'P10' AND pool_id = 'POOL-08' AND kind = 'labour' GROUP BY ALL)
             JOIN (SELECT work_date AS day, sum(logged_seconds) / 3600 AS hours FROM shifts JOIN raters USING (rater_id)
                   JOIN (SELECT DISTINCT rater_id FROM annotations WHERE project_id = 'P10') USING (rater_id)
                   WHERE pool_id = 'POOL-08' GROUP BY 1) USING (day) GROUP BY 1"""
    rate = dict(facts.execute(sql).fetchall())
    assert rate[True] / rate[False] == pytest.approx(1.55, abs=0.02)
    assert event["where"]["pool"] == "POOL-08"


def test_label_noise(facts, event, truth):
    change, z = drop(facts, "project_id = 'P06' AND back BETWEEN 217 AND 237", "project_id = 'P06' AND back > 240")
    assert change > 0.10
    assert z > 3
    lag = next(link for link in truth["links"] if link["benchmark"] == "harmful-prompts")["lag_days"]
    middle = dt.date.fromisoformat(event["starts_on"]) + dt.timedelta(days=10 + lag)
    sql = """SELECT avg(value) FILTER (abs(date_diff('day', measured_at::DATE, ?)) <= 9),
                    avg(value) FILTER (date_diff('day', measured_at::DATE, ?) > 30)
             FROM model_metrics WHERE benchmark = 'harmful-prompts'"""
    noisy, before = facts.execute(sql, [middle, middle]).fetchone()
    assert noisy < before - 0.08
    sql = """SELECT count(*) FILTER (occurred_at::DATE BETWEEN '2026-04-10' AND '2026-05-10'), count(*) / 18.0
             FROM incidents WHERE model_version LIKE 'sentinel-intent-%'"""
    clustered, monthly = facts.execute(sql).fetchone()
    assert clustered > 2 * monthly


def test_base_model_change(facts, event):
    sql = """SELECT avg(value) FILTER (measured_at BETWEEN '2026-07-08' AND '2026-08-25'),
                    avg(value) FILTER (measured_at < '2026-07-01' AND measured_at > '2026-03-01')
             FROM model_metrics WHERE benchmark = 'response-safety'"""
    during, before = facts.execute(sql).fetchone()
    assert during < before - 0.035
    here = "project_id = 'P11'"
    assert abs(drop(facts, f"{here} AND back BETWEEN 77 AND 133", f"{here} AND back BETWEEN 134 AND 280")[0]) < 0.06
    bases = facts.execute(
        "SELECT DISTINCT base_model FROM model_versions WHERE model_version LIKE 'compass-safety%'"
    ).fetchall()
    assert len(bases) == 2
    assert event["starts_on"] == "2026-07-05"


def test_group_reading(facts, event):
    here = "project_id = 'P11' AND policy = 'satire' AND back <= 290 AND language = 'en'"
    change, z = drop(facts, f"{here} AND region = 'South Asia'", f"{here} AND region <> 'South Asia'")
    assert change > 0.08
    assert z > 2
    shared = f"""SELECT count(*) FROM (SELECT item_id FROM memory.j WHERE {here} AND {JUDGED}
                 GROUP BY 1 HAVING count(DISTINCT region) > 1)"""
    assert facts.execute(shared).fetchone()[0] > 100  # groups must meet on the same items to be compared
    assert event["where"]["region"] == "South Asia"


def test_mix_shift(facts, event):
    after, before = "project_id = 'P03' AND back <= 76", "project_id = 'P03' AND back BETWEEN 77 AND 162"
    share = pair(facts, "avg((policy = 'hate')::INT)", after, before)
    assert share[0] > 0.35
    assert share[1] < 0.18
    raw = pair(facts, "exp(avg(ln(handle_seconds)))", after, before)
    assert raw[0] > raw[1] * 1.08
    for policy in ("adult", "impersonation", "hate"):
        within = pair(
            facts,
            "exp(avg(ln(handle_seconds)))",
            f"{after} AND policy = '{policy}'",
            f"{before} AND policy = '{policy}'",
        )
        assert within[0] == pytest.approx(within[1], rel=0.08)
    assert event["where"] == {"project": "P03", "policy": "hate"}


def test_harmless_blip(facts, event):
    day, around = pair(
        facts,
        "median(handle_seconds)",
        "project_id = 'P06' AND back = 45",
        "project_id = 'P06' AND back BETWEEN 38 AND 52 AND back <> 45",
    )
    assert day > 1.5 * around
    assert event["starts_on"] == event["ends_on"]


def test_harmless_small_n(facts, event):
    here = "project_id = 'P07' AND language = 'th'"
    days, normal = pair(
        facts,
        "count(*)",
        f"{here} AND back BETWEEN 214 AND 216",
        f"{here} AND back BETWEEN 221 AND 223",
    )
    assert days < 0.35 * normal
    assert event["where"]["language"] == "th"


def test_new_hire_cohort(facts, event):
    here = "project_id = 'P02' AND pool_id = 'POOL-07' AND back BETWEEN 60 AND 95"
    cohort = "hired_on BETWEEN DATE '2026-08-08' AND DATE '2026-08-12'"
    assert facts.execute(f"SELECT count(DISTINCT rater_id) FROM memory.j WHERE {here} AND {cohort}").fetchone()[0] >= 8
    change, _ = drop(facts, f"{here} AND {cohort}", f"project_id = 'P02' AND pool_id = 'POOL-07' AND NOT ({cohort})")
    assert change > 0.08
    slow, usual = pair(facts, "median(handle_seconds)", f"{here} AND {cohort}", f"{here} AND NOT ({cohort})")
    assert slow > 1.1 * usual
    assert event["starts_on"] == "2026-08-12"


def test_appeal_wave(facts, event):
    sql = """SELECT count(*) FILTER (back BETWEEN 155 AND 175) / 21.0, count(*) / 546.0 FROM (
                 SELECT date_diff('day', filed_at::DATE, DATE '2026-11-15') AS back
                 FROM appeals JOIN items USING (item_id) WHERE project_id = 'P04')"""
    wave, usual = facts.execute(sql).fetchone()
    assert wave > 2.5 * usual
    assert event["where"] == {"project": "P04"}


def test_tool_improvement(facts, event):
    after, before = pair(
        facts,
        "exp(avg(ln(handle_seconds)))",
        "project_id = 'P06' AND back <= 26",
        "project_id = 'P06' AND back BETWEEN 46 AND 100 AND pool_id <> 'POOL-09'",
    )
    assert after / before == pytest.approx(0.82, abs=0.08)
    assert event["ends_on"] is None


def test_position_bias(facts, event):
    sql = """SELECT j.back BETWEEN 63 AND 112 AS during, avg((choice = first_shown)::INT)
             FROM comparisons c JOIN memory.j j USING (item_id, rater_id)
             WHERE c.project_id = 'P09' AND j.pool_id = 'POOL-10' AND choice <> 'tie' GROUP BY 1 ORDER BY 1"""
    (_, usual), (_, during) = facts.execute(sql).fetchall()
    assert during > usual + 0.07
    assert event["where"]["pool"] == "POOL-10"


def test_idle_time(facts, event):
    sql = """SELECT sum(active_seconds) FILTER (during) / sum(logged_seconds) FILTER (during),
                    sum(active_seconds) FILTER (NOT during) / sum(logged_seconds) FILTER (NOT during) FROM (
                 SELECT *, work_date BETWEEN DATE '2026-10-12' AND DATE '2026-11-02' AS during
                 FROM shifts JOIN raters USING (rater_id) WHERE pool_id = 'POOL-12')"""
    during, usual = facts.execute(sql).fetchone()
    assert during < usual - 0.1
    assert event["starts_on"] == "2026-10-12"


def test_every_event_is_tested_and_recorded(truth):
    kinds = {event.kind for event in events.EVENTS}
    assert {record["kind"] for record in truth["events"]} == kinds
    assert len(kinds) == len(events.EVENTS) >= 14
    missing = {kind for kind in kinds if f"test_{kind}" not in globals()}
    assert not missing


def test_changes_tell_of_the_events_and_of_more(facts):
    rows = facts.execute("SELECT starts_on, project_id, pool_id FROM changes").fetchall()
    for event in events.EVENTS:
        if event.change is not None:
            assert (event.starts_on, *event.change[1:3]) in rows
    assert len(rows) >= sum(event.change is not None for event in events.EVENTS) + 8


def test_the_headline_moves_in_the_last_weeks(facts):
    change, z = drop(facts, "project_id = 'P01' AND back <= 20", "project_id = 'P01' AND back BETWEEN 21 AND 160")
    assert change > 0.02
    assert z > 1.5


def test_audit_weights_reproduce_the_population(facts):
    """Where audits are complete, their weights add up to the judgements they were drawn from, in every stratum."""
    preference = ", ".join(f"'{p.project_id}'" for p in world.PROJECTS if p.task_type == "preference")
    old = f"back > 60 AND project_id NOT IN ({preference}) AND {JUDGED}"
    for slice_ in ("TRUE", "severity >= 2", "severity < 2", "project_id = 'P01'"):
        n, total, squares = facts.execute(
            f"SELECT count(*), sum(weight), sum(weight * weight) FROM memory.u WHERE {old} AND {slice_}"
        ).fetchone()
        population = facts.execute(f"SELECT count(*) FROM memory.j WHERE {old} AND {slice_}").fetchone()[0]
        assert n > 300
        assert abs(total - population) < 4 * math.sqrt(squares)
    weighted, plain = facts.execute(
        f"SELECT sum(weight * (severity >= 2)::INT) / sum(weight), avg((severity >= 2)::INT) FROM memory.u WHERE {old}"
    ).fetchone()
    share = facts.execute(f"SELECT avg((severity >= 2)::INT) FROM memory.j WHERE {old}").fetchone()[0]
    assert plain > share + 0.1  # audits look for risk ...
    assert weighted == pytest.approx(share, abs=0.02)  # ... and the weights undo it


def test_dimension_values_of_the_truth_occur(facts, truth):
    known = {
        "project": "SELECT project_id FROM projects", "pool": "SELECT pool_id FROM pools",
        "region": "SELECT region FROM pools", "rater": "SELECT rater_id FROM raters",
        "language": "SELECT language FROM items", "policy": "SELECT policy FROM items",
    }  # fmt: skip
    for record in truth["events"]:
        for dimension, value in record["where"].items():
            values = {row[0] for row in facts.execute(known[dimension]).fetchall()}
            assert set(value if isinstance(value, list) else [value]) <= values
    assert {table.name for table in TABLES} == set(truth["rows"])
