"""What the rater pages show follows from the sums, keeps the three answers apart, and names nobody it should not."""

from __future__ import annotations

import datetime as dt
import math
import re

import altair as alt
import numpy as np
import pandas as pd
import pytest

from data_access.filters import Filters, Scope
from data_access.snapshot import Snapshot
from metrics import confusion_elsewhere, fatigue, gap, skill
from metrics.catalogue import METRICS
from metrics.errors import NotAllowed
from metrics.learning import learning_curve
from metrics.spec import Estimate, Status
from ui import (
    charts,
    data,
    periods,
    profile_words,
    rater_cell_words,
    rater_error_words,
    rater_errors,
    rater_gap,
    rater_gap_words,
    rater_history,
    rater_history_words,
    rater_list_panels,
    rater_weeks,
    raters,
)
from ui import rater_profile as profiles
from ui import rater_words as words
from ui.theme import DARK, LIGHT

NASTY = "![x](y) <img src=1> | 'quote' \"double\""


@pytest.fixture(scope="module")
def snapshot(sample_snapshot):
    opened = Snapshot(sample_snapshot)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def half_year(snapshot):
    return Filters.of((), *periods.last_weeks(snapshot.meta, 26))


# ---- pools -----------------------------------------------------------------------------------------------------


def test_pools_of_one_name_are_told_apart(snapshot, half_year):
    rows, why_not = rater_weeks.pools(snapshot, half_year, "gold_accuracy")
    assert why_not == ""
    assert rows["label"].is_unique
    assert sum("Jakarta evening" in label for label in rows["label"]) == 2


@pytest.mark.parametrize("metric", rater_weeks.MEASURES)
def test_the_weeks_add_up_to_the_whole(snapshot, half_year, metric):
    found = rater_weeks.weekly(snapshot, half_year, metric)
    assert len(found.points) == rater_weeks.WEEKS
    assert found.points["at"].is_monotonic_increasing
    known = found.points[found.points["low"].notna()]
    assert ((known["low"] <= known["center"]) & (known["center"] <= known["high"])).all()
    if metric == "gold_accuracy":
        direct = data.sums(snapshot, "work", ("gold_n",), (), half_year)["gold_n"].iloc[0]
        assert found.points["n"].sum() == direct


def test_a_short_history_has_no_limits_and_says_so(snapshot):
    first = snapshot.meta.first_day
    found = rater_weeks.weekly(snapshot, Filters.of((), first, first + dt.timedelta(days=20)), "gold_accuracy")
    assert "fewer than" in found.reason
    assert "no usual band yet" in words.usual(found)


# ---- errors ----------------------------------------------------------------------------------------------------


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


# ---- raters ----------------------------------------------------------------------------------------------------


def test_every_rater_of_the_pool_is_there_once_with_the_work_done(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-10")
    direct = data.sums(snapshot, "work", ("gold_n", "judgements"), ("rater",), half_year.with_("pool", "POOL-10"))
    mine, theirs = found.rows.set_index("rater").sort_index(), direct.set_index("rater").sort_index()
    assert mine.index.tolist() == theirs.index.tolist()
    assert np.allclose(mine["n"], theirs["gold_n"]) and np.allclose(mine["judgements"], theirs["judgements"])


def test_the_three_answers_come_in_order_and_too_little_is_no_answer(snapshot, half_year):
    rows = raters.raters(snapshot, half_year, "POOL-10").rows
    assert rows["place"].is_monotonic_increasing
    assert set(rows["group"]) <= {*raters.GROUPS, ""}
    assert (rows.loc[rows["n"] == 0, "group"] == "").all()
    open_ = rows[rows["group"] == skill.CANNOT_TELL]
    assert ((open_["more"] >= 1) | (open_["more_reason"] != "")).all()
    assert rows.loc[rows["group"] != skill.CANNOT_TELL, "more"].isna().all()


def test_gold_left_out_is_as_if_it_had_never_been_met(snapshot, half_year):
    """All gold of one policy is left out, as cells or by a filter that does not choose it."""
    cells = raters.Gold(snapshot, half_year).cells
    gone = cells["policy"] == "spam"
    assert cells["gold_n"][gone].sum() > 0
    names = ("pool", "rater", *raters.KIND, "gold_n", "gold_correct")
    left = raters.Gold(snapshot, half_year, {name: cells[name][gone] for name in names})
    others = [str(p) for p in np.unique(cells["policy"][~gone].astype(str))]
    chosen = raters.Gold(snapshot, Filters.of({"policy": others}, half_year.start, half_year.end))
    one, other = (gold.judged("POOL-10", 0.84) for gold in (left, chosen))
    assert one.n.sum() == other.n.sum() > 0 and one.right.sum() == other.right.sum()
    verdicts = [judged.found["verdict"].dropna().value_counts().to_dict() for judged in (one, other)]
    assert verdicts[0] == verdicts[1]


def test_raters_are_only_for_those_who_manage_them(snapshot, half_year, monkeypatch):
    monkeypatch.setattr(data, "current_scope", Scope.stakeholder)
    with pytest.raises(NotAllowed):
        raters.raters(snapshot, half_year, "POOL-11")


def test_a_pool_without_work_has_a_reason(snapshot, half_year):
    found = raters.raters(snapshot, half_year.with_("language", "th").with_("policy", "nothing"), "POOL-13")
    assert found.rows.empty and found.reason
    assert "nobody can be judged" in words.pool_raters(found, "X")


def test_the_profile_is_the_row_of_the_pool(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-10")
    rater = found.rows["rater"].iloc[0]
    person = profiles.profile(snapshot, half_year.with_("rater", rater))
    assert person.pool == "POOL-10" and person.row["value"] == found.rows["value"].iloc[0]
    rows = profiles.over_time(snapshot, half_year, rater, "month", 0.84)
    assert (rows.loc[rows["n"] < profiles.LEAST_GOLD, "value"].isna()).all()
    assert profiles.profile(snapshot, half_year) is None


def by_hand(snapshot, filters, pool: str, project: str, truth: str, label: str):
    """Cases where the label could be mistaken and those where it was, by language and policy: ours, the others'."""
    rows = data.confusion(snapshot, filters.with_("project", project), ("pool", "language", "policy"))
    rows = rows[rows["truth"] == truth]
    rows = rows.assign(made=rows["n"].where(rows["label"] == label, 0.0))
    sides = [rows["pool"] == pool, rows["pool"] != pool]
    return [rows[side].groupby(["language", "policy"])[["n", "made"]].sum() for side in sides]


def test_the_main_confusion_counts_as_the_matrices_do(snapshot, half_year):
    main = rater_gap.main_confusion(snapshot, half_year, "POOL-10")
    mine, theirs = by_hand(snapshot, half_year, "POOL-10", main.project, main.truth, main.label)
    assert main.found.here.n == mine["n"].sum()
    assert main.found.here.value == pytest.approx(mine["made"].sum() / mine["n"].sum())
    wrong = data.confusion(snapshot, half_year.with_("pool", "POOL-10"))
    wrong = wrong[wrong["truth"] != wrong["label"]]
    assert mine["made"].sum() == wrong["n"].max() and main.found.part.n == wrong["n"].sum()
    # Nobody else works in its language, so that only other languages can be looked at.
    assert not mine.index.intersection(theirs.index).size
    assert main.found.there.value is None and main.found.verdict == confusion_elsewhere.CANNOT_TELL
    policies = mine["n"].groupby("policy").sum()
    far = theirs.groupby("policy").sum().reindex(policies.index)
    assert (far["n"] >= confusion_elsewhere.LEAST_IN_STRATUM).all()
    weighted = (policies * far["made"] / far["n"]).sum() / policies.sum()
    assert main.found.beyond.value == pytest.approx(weighted)


def test_the_main_confusion_is_compared_on_the_same_language_and_policy(snapshot):
    whole, compared = Filters.of((), snapshot.meta.first_day, snapshot.meta.last_day), 0
    for pool in snapshot.names["pool"]:
        main = rater_gap.main_confusion(snapshot, whole, pool)
        if main is None or main.found.there.value is None:
            continue
        compared += 1
        mine, theirs = by_hand(snapshot, whole, pool, main.project, main.truth, main.label)
        both = theirs.index[theirs["n"] >= confusion_elsewhere.LEAST_IN_STRATUM].intersection(mine.index)
        mine, theirs = mine.loc[both], theirs.loc[both]
        assert main.found.here.value == pytest.approx(mine["made"].sum() / mine["n"].sum())
        weighted = (mine["n"] * theirs["made"] / theirs["n"]).sum() / mine["n"].sum()
        assert main.found.there.value == pytest.approx(weighted)
    assert compared >= 2


def test_agreement_with_peers_is_that_of_the_mart(snapshot, half_year):
    rows = raters.raters(snapshot, half_year, "POOL-10").rows.set_index("rater")
    direct = data.sums(
        snapshot, "peers", ("paired", "agreeing_share"), ("rater",), half_year.with_("pool", "POOL-10")
    ).set_index("rater")
    both = rows.index.intersection(direct.index)
    assert len(both) and (rows.loc[both, "peers_n"] == direct.loc[both, "paired"]).all()
    share = direct.loc[both, "agreeing_share"] / direct.loc[both, "paired"]
    assert np.allclose(rows.loc[both, "peers"], share)
    assert ((rows["peers_low"] <= rows["peers"]) & (rows["peers"] <= rows["peers_high"]))[both].all()


def test_filters_that_peers_and_labels_do_not_keep_leave_the_raters_standing(snapshot, half_year):
    found = raters.raters(snapshot, half_year.with_("content_type", "text"), "POOL-10")
    assert len(found.rows) and set(found.rows["spam"].dropna()) <= {"no sign", "cannot tell", "look closer"}


def a_shift(rng: np.random.Generator, harder_late: bool, tired: float) -> pd.DataFrame:
    """Twelve raters in eight hours, two kinds of item; the hard kind comes late, or each at any hour."""
    rows = []
    for rater in range(12):
        able = rng.normal(0, 0.03)
        for hour in range(8):
            late = hour / 7 if harder_late else 0.5
            for policy, n, p in (("easy", round(60 * (1 - late)), 0.05), ("hard", round(60 * late), 0.35)):
                wrong = rng.binomial(n, np.clip(p + able + tired * hour, 0.001, 1))
                rows.append((f"R{rater}", "POOL-10", hour, "P01", "hi", policy, n, wrong))
    columns = ["rater_id", "pool_id", "hour", "project_id", "language", "policy", "n", "wrong"]
    found = pd.DataFrame(rows, columns=columns)
    return found[found["n"] > 0]


@pytest.mark.parametrize(
    "harder_late, tired, verdict", [(True, 0.0, None), (False, 0.02, fatigue.RISE), (True, 0.02, fatigue.RISE)]
)
def test_harder_items_late_in_the_shift_are_no_tiredness(snapshot, half_year, monkeypatch, harder_late, tired, verdict):
    rng = np.random.default_rng(11)
    said, slopes = [], []
    for _ in range(20):
        cells = a_shift(rng, harder_late, tired)
        monkeypatch.setattr(data, "hours_into_shift", lambda *_, cells=cells: cells)
        found = rater_history.tired(snapshot, half_year)
        said.append(found.slopes["verdict"].iloc[0] == fatigue.RISE)
        slopes.append(found.slopes["value"].iloc[0])
    assert np.mean(said) >= 0.9 if verdict else np.mean(said) <= 0.1
    # Where both rise together the items take a part of the slope.
    assert np.mean(slopes) == pytest.approx(tired, abs=0.003 if not (harder_late and tired) else 0.006)


def test_errors_by_hour_know_that_raters_are_clusters(snapshot, half_year, monkeypatch):
    """Half the raters are never wrong and half are in every second case: ten raters, not a thousand judgements."""
    rows = [(f"R{r}", "POOL-10", 0, "P01", "hi", "spam", 100, 50 * (r % 2)) for r in range(10)]
    columns = ["rater_id", "pool_id", "hour", "project_id", "language", "policy", "n", "wrong"]
    monkeypatch.setattr(data, "hours_into_shift", lambda *_: pd.DataFrame(rows, columns=columns))
    hours = rater_history.tired(snapshot, half_year).hours
    assert hours[["x", "value", "n"]].to_numpy().tolist() == [[1.0, 0.25, 1000.0]]
    error = np.std([0.0, 0.5] * 5, ddof=1) / np.sqrt(10)
    assert hours["high"][0] - hours["low"][0] > 3 * error
    monkeypatch.setattr(data, "hours_into_shift", lambda *_: pd.DataFrame([], columns=columns))
    assert rater_history.tired(snapshot, half_year).hours.empty


# ---- sentences -------------------------------------------------------------------------------------------------


def pool_rows(*statuses: Status, target: float = 0.93) -> pd.DataFrame:
    count = len(statuses)
    return pd.DataFrame(
        {
            "metric": "gold_accuracy",
            "label": [f"Pool {k}" for k in range(count)],
            "value": [0.9 - k / 100 for k in range(count)],
            "low": 0.85,
            "high": 0.95,
            "before": 0.95,
            "change": [-0.05 - k / 100 for k in range(count)],
            "verdict": ["worse" if s is Status.OFF_TARGET else "cannot tell" for s in statuses],
            "score": [2.0 + k for k in range(count)],
            "status": [s.value for s in statuses],
            "target": target,
            "reason": "",
        }
    )


def test_the_pools_sentence_counts_and_names_the_clearest_fall():
    metric = METRICS["gold_accuracy"]
    text = words.pools(pool_rows(Status.OFF_TARGET, Status.OFF_TARGET, Status.WATCH, Status.ON_TARGET), metric)
    assert text.startswith("2 of 4 pools are surely below the 93\u00a0% target on gold accuracy, 1 may be")
    assert "Pool 1 fell most clearly, by 6" in text
    assert words.pools(pool_rows(Status.ON_TARGET), metric).startswith("Every pool meets")
    assert "none clearly fell" in words.pools(pool_rows(Status.WATCH), metric)
    assert words.pools(pd.DataFrame(), metric, why_not="no gold").endswith("has no number here: no gold")


def test_false_discovery_is_said(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-10")
    below = len(found.group(skill.BELOW))
    if below:
        assert f"Of the {below} called below target" in words.how_sure(found)
        assert found.wrong * below < below


def test_no_rater_is_called_whose_interval_holds_the_target(snapshot, half_year):
    called = 0
    for pool in ("POOL-09", "POOL-10", "POOL-12"):
        found = raters.raters(snapshot, half_year, pool)
        rows = found.rows[found.rows["group"].isin((skill.BELOW, skill.ABOVE))]
        called += len(rows)
        # An end leaves the target out exactly where that side is 95 % sure.
        rows = found.rows[found.rows["p_below"].between(0.051, 0.949)]
        assert ((rows["low"] < found.target) & (found.target < rows["high"])).all()
        rows = found.rows[~found.rows["p_below"].between(0.049, 0.951) & found.rows["p_below"].notna()]
        assert not ((rows["low"] < found.target) & (found.target < rows["high"])).any()
        rows = found.rows[found.rows["group"].isin((skill.BELOW, skill.ABOVE))]
        assert not ((rows["low"] < found.target) & (found.target < rows["high"])).any()
    assert called


def test_one_interval_is_named_wherever_a_rater_s_accuracy_stands(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-09")
    row = found.group(skill.BELOW).iloc[0].to_dict()
    drawn = people()
    told = (
        words.how_sure(found),
        rater_cell_words.between(row),
        profile_words.profile(row, "Rater 1", "X", found.target),
        rater_list_panels.HEADS["between"].help,
        charts.caterpillar(drawn, 0.84, LIGHT, "X")[0]["title"]["subtitle"],
        charts.pace(drawn, 0.84, LIGHT)[0]["title"]["subtitle"],
    )
    for text in told:
        assert "90 % interval" in text.replace("\u00a0", " ")


def test_the_profile_says_what_was_right_as_judged(snapshot, half_year):
    found = raters.raters(snapshot, half_year, "POOL-09")
    work = data.sums(snapshot, "work", ("gold_n", "gold_correct"), ("rater",), half_year.with_("pool", "POOL-09"))
    work = work.set_index("rater")
    rows = found.rows[found.rows["group"] != ""]
    assert len(rows)
    for row in rows.to_dict("records"):
        right, n = (int(work.loc[row["rater"], c]) for c in ("gold_correct", "gold_n"))
        said = profile_words.profile(row, "Rater 1", "X", found.target).replace("\u00a0", " ")
        raw = re.search(rf"got {right} of {n} right \((\S+) %\) on gold; cleared of how hard the items were", said)
        assert float(raw[1]) == pytest.approx(100 * right / n, abs=0.05)


def gap_of(items: float, shared: float, own: float) -> gap.Gap:
    parts = [Estimate(x, x - 0.01, x + 0.01, 300.0) for x in (items + shared + own, items, shared, own)]
    return gap.Gap(*parts)


@pytest.mark.parametrize("own", [0.391, 0.0])
def test_a_rater_s_gap_counts_from_the_accuracy_as_judged(own):
    """84 % less 44.9 % is 39.1 points: the sentence names the 44.9 % beside the gap, not only the cleared accuracy."""
    parts = (0.0, 0.0, own) if own else (0.391 / 3,) * 3
    found = gap_of(*parts)
    if not own:  # parts that are not clear
        found = gap.Gap(found.gap, *[Estimate(0.13, -0.1, 0.3, 49.0)] * 3)
    said = rater_gap_words.gap(found, own=rater_gap_words.ONE, right=0.449).replace("\u00a0", " ")
    assert "44.9 % right" in said and "39.1 points short" in said
    assert "44.9" not in rater_gap_words.gap(found)


@pytest.mark.parametrize(
    "parts, verdict, said",
    [
        ((0.0, 0.0, 0.05), confusion_elsewhere.HERE, ("Mostly single raters", "calibrate the people")),
        ((0.06, 0.0, 0.0), confusion_elsewhere.SHARED, ("Mostly the items", "look at the guideline and the gold")),
        (
            (0.06, 0.0, 0.0),
            confusion_elsewhere.READING,
            ("Mostly the items", "look at how the guideline reads in that language"),
        ),
        ((0.0, 0.05, 0.02), confusion_elsewhere.CANNOT_TELL, ("all raters here share", "one cannot tell")),
        ((0.005, 0.005, 0.005), None, ("by people or items one cannot tell",)),
        ((-0.03, 0.0, 0.01), confusion_elsewhere.HERE, ("no gap",)),
    ],
)
def test_people_items_or_guideline_in_two_sentences(parts, verdict, said):
    share = Estimate(0.2, 0.15, 0.25, 100.0)
    main = rater_gap.MainConfusion(
        confusion_elsewhere.Confusion(0, share, share, share, share, verdict), "P01", "harmful", "benign"
    )
    text = rater_gap_words.gap(gap_of(*parts), main=main)
    assert all(one in text for one in said)
    assert text.replace(".0", "").count(". ") <= 1


def test_the_main_confusion_says_where_it_lies_who_is_left_out_and_that_nobody_else_works_there():
    share, none = Estimate(0.2, 0.15, 0.25, 100.0), Estimate.missing(confusion_elsewhere.NOBODY_ELSE)
    found = confusion_elsewhere.Confusion(0, share, share, none, share, confusion_elsewhere.CANNOT_TELL, 0)
    main = rater_gap.MainConfusion(found, "P01", "harmful", "benign", "vi", "malware", 3)
    said = rater_gap_words.confused(main).replace("\u00a0", " ").replace("20.0 %", "20 %")
    assert said.startswith("Without the 3 raters whose labels look unread, the main confusion, harmful labelled benign")
    assert "(mostly malware in vi)" in said and "20 % of cases here and in 20 % in other languages" in said
    assert "nobody else works" in said.replace("hardly anybody", "nobody") and "one cannot tell" in said
    assert "calibrate" not in said


def test_why_there_is_no_learning_curve():
    start, end = dt.date(2026, 5, 18), dt.date(2026, 11, 15)
    long = rater_history_words.no_learning(start - dt.timedelta(days=800), start, end)
    assert "first 26 weeks" in long and "here for 2 years" in long
    assert "have 5 gold judgements or more" in rater_history_words.no_learning(end - dt.timedelta(days=40), start, end)
    assert "not known when" in rater_history_words.no_learning(None, start, end)


def test_matrices_that_are_not_drawn_are_named():
    assert rater_error_words.further_matrices(["A"]).startswith("One more project has gold of this rater: A. Choose it")
    assert "Two more projects have gold of this rater: A and B. Choose one" in rater_error_words.further_matrices(
        ["A", "B"]
    )


@pytest.mark.parametrize("days, said", [(10, "1 weeks"), (400, "13 months"), (1200, "3 years")])
def test_tenure(days, said):
    on = dt.date(2026, 11, 15)
    assert rater_history_words.tenure(on - dt.timedelta(days=days), on) == said
    assert rater_history_words.tenure(None, on) == "not known"


# ---- charts ----------------------------------------------------------------------------------------------------


def valid(spec: dict) -> bool:
    alt.LayerChart.from_dict(spec, validate=True)
    return True


def people(count: int = 9) -> pd.DataFrame:
    group = [raters.GROUPS[k * 3 // count] for k in range(count)]
    value = np.linspace(0.6, 0.97, count)
    rows = pd.DataFrame({"rater": [f"R{k}" for k in range(count)], "alias": NASTY, "group": group, "value": value})
    rows = rows.assign(low=value - 0.05, high=np.minimum(value + 0.03, 1), n=40.0, judgements=500.0, pace=1.2)
    rows = rows.assign(pace_low=1.1, pace_high=1.3, spam="no sign", signals="", said="x")
    return rows.assign(status=[raters.status_of_group(g) for g in group])


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_caterpillar_keeps_the_groups_apart_and_shows_no_name(colours):
    spec, said = charts.caterpillar(people(), 0.84, colours, "Da Nang day")
    assert valid(spec)
    at = [v["at"] for v in spec["data"]["values"]]
    assert at[3] - at[2] > 1.5 and at[6] - at[5] > 1.5
    assert "3 below target, 3 cannot tell, 3 above target" in said
    assert all(layer["encoding"].get("text", {}).get("field") != "label" for layer in spec["layer"])


def test_the_workload_stands_beneath_the_caterpillar_rater_by_rater():
    rows = people().assign(judgements=[100.0 * k for k in range(1, 10)])
    spec, said = charts.caterpillar(rows, 0.84, LIGHT, "X")
    drawn = spec["data"]["values"]
    bars = next(layer for layer in spec["layer"] if layer["encoding"].get("y", {}).get("field") == "bar")
    points = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "point")
    assert bars["encoding"]["x"] == points["encoding"]["x"] and "data" not in bars
    floor = drawn[0]["floor"]
    assert bars["encoding"]["y2"] == {"field": "floor"} and {v["floor"] for v in drawn} == {floor} == {spec["height"]}
    heights = np.array([floor - v["bar"] for v in drawn])
    assert np.allclose(heights / heights.max(), rows["judgements"] / rows["judgements"].max())
    assert floor - heights.max() > points["encoding"]["y"]["scale"]["range"][0]  # below every interval
    assert "100 to 900" in said
    assert "is not known" in words.sensitive(math.nan, "X") and "by pool and not by rater" in words.sensitive(60.0, "X")


def test_pace_marks_the_chosen_rater(snapshot):
    spec, _ = charts.pace(people(), 0.84, LIGHT, "R3")
    assert valid(spec)
    assert [v["member"] for v in spec["data"]["values"] if v["mine"]] == ["R3"]


@pytest.mark.parametrize("metric", rater_weeks.MEASURES)
def test_control_is_valid_with_and_without_limits(snapshot, half_year, metric):
    changes = pd.DataFrame({"starts_on": [pd.Timestamp("2026-09-01")], "kind": ["tool"], "summary": [NASTY]})
    points = rater_weeks.weekly(snapshot, half_year, metric).points
    spec, said = charts.control(points, METRICS[metric], LIGHT, 0.84, snapshot.meta.provisional_from, changes)
    assert valid(spec) and "usual band" in said
    blank = points.assign(low=math.nan, high=math.nan, center=math.nan)
    assert valid(charts.control(blank, METRICS[metric], DARK)[0])


def test_confusion_mutes_the_diagonal_and_counts(snapshot, half_year):
    found = rater_errors.matrix(snapshot, half_year, "P01")
    spec, said = charts.confusion(found.counts, found.labels, DARK, NASTY, "on gold")
    assert valid(spec)
    assert sum(c["n"] for c in spec["data"]["values"]) == found.counts.sum()
    assert "judgements are wrong" in said
    assert "every judgement is right" in charts.confusion(np.eye(2), ["a", "b"], LIGHT, "", "on gold")[1]


def test_the_margins_of_a_matrix_are_recall_and_precision_and_macro_f1_stands_beneath(snapshot, half_year):
    """Against plain counts of the same judgements, one row each."""
    found = rater_errors.matrix(snapshot, half_year, "P01")
    rows = data.confusion(snapshot, half_year.with_("project", "P01"))
    truth, given = (np.repeat(rows[c].to_numpy(), rows["n"].astype(int)) for c in ("truth", "label"))
    spec, _ = charts.confusion(found.counts, found.labels, LIGHT, "", "on gold")
    margins = [v for layer in spec["layer"] for v in layer.get("data", {}).get("values", [])]
    assert len(margins) == 2 * len(found.labels)
    for label in found.labels:
        both = np.sum((truth == label) & (given == label))
        shares = {"recall": both / np.sum(truth == label), "precision": both / np.sum(given == label)}
        for measure, share in shares.items():
            (drawn,) = [m for m in margins if m["of"] == label and m["measure"].startswith(measure)]
            assert float(drawn["text"]) == pytest.approx(100 * share, abs=0.051)
            assert " to " in drawn["said"]
    f1 = []
    for label in found.labels:
        both = np.sum((truth == label) & (given == label))
        f1.append(2 * both / (np.sum(truth == label) + np.sum(given == label)))
    assert found.macro.value == pytest.approx(np.mean(f1))
    assert f"{100 * np.mean(f1):.1f}" in rater_error_words.macro_f1(found) and " to " in rater_error_words.macro_f1(
        found
    )
    many = rater_errors.matrix(snapshot, half_year, "P05")
    assert "in sets" in rater_error_words.macro_f1(many)
    spec, _ = charts.confusion(many.counts, many.labels, LIGHT, "", "on gold", rater_errors.OTHER)
    assert valid(spec)
    margins = [v for layer in spec["layer"] for v in layer.get("data", {}).get("values", [])]
    assert rater_errors.OTHER not in {m["of"] for m in margins}


def test_a_project_of_the_error_mix_opens_its_labels(snapshot, half_year):
    found = rater_errors.errors(snapshot, half_year)
    spec, _ = charts.error_sides(found.rows, LIGHT, found.by, "on gold", "its labels")
    assert valid(spec) and spec["layer"][0]["params"][0]["name"] == "cell"
    assert {v["member"] for v in spec["data"]["values"]} <= set(snapshot.names["project"])
    assert "Click a project" in spec["title"]["subtitle"]
    plain, _ = charts.error_sides(found.rows, LIGHT, found.by, "on gold")
    assert "params" not in plain["layer"][0]


def test_errors_and_shares_are_valid(snapshot, half_year):
    found = rater_errors.errors(snapshot, half_year)
    assert valid(charts.error_sides(found.rows, LIGHT, found.by, "on gold")[0])
    assert valid(charts.share_dots(rater_errors.verdicts(snapshot, half_year), DARK, "T", "s", "audits")[0])


def test_curve_draws_what_is_fitted():
    weeks = np.arange(1, 13)
    rows = learning_curve(weeks, np.full(12, 300), np.round(300 * (0.1 + 0.3 * weeks**-1.0))).fitted
    spec, _ = charts.curve(rows.rename(columns={"period": "x"}), LIGHT, "T", "s", "weeks")
    assert valid(spec)
    assert all(v["fitted"] is not None for v in spec["data"]["values"])
