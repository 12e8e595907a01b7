"""What is said of changes: signs and units, the verb by the design, plans with their assumptions."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from metrics import ladder
from metrics.change_ledger import Row
from metrics.change_mix import Mix
from metrics.change_overlaps import Overlap
from metrics.change_units import Change
from metrics.effects import Design, Effect, Verdict
from metrics.effects.effect import TOO_EARLY
from metrics.effects.verdict import Judgement
from metrics.spec import Estimate
from metrics.unexplained import Move
from ui import change_checks, change_planning, change_words, charts
from ui import format as fmt
from ui.theme import DARK, LIGHT

NAMES = {"project": {"P1": "Comments"}, "pool": {"A": "Jakarta"}}
HELD = {"pre_trend": True, "placebo": True}


def row(
    verdict=Verdict.HARM, metric="gold_accuracy", estimate=(-0.05, -0.08, -0.02), design=Design.COMPARED, **more
) -> Row:
    change = Change("CH-1", "training", "P1", "A", dt.date(2026, 3, 2), 30, 30, None)
    numbers = Estimate.missing(TOO_EARLY) if estimate is None else Estimate(*estimate, 8)
    effect = Effect(
        design,
        numbers,
        p_value=0.001,
        placebo_p=0.02,
        pre_trend_p=0.5,
        statistic=-4.0,
        weeks=np.arange(-30.0, 12.0),
        gaps=np.concatenate([0.02 * np.sin(np.arange(30)), np.full(12, -0.05)]),
        comparison=() if design is Design.SERIES else (("B", 0.25), ("C", 0.75)),
        placebos=np.linspace(-2, 2, 49),
    )
    reason = more.get("reason", "the interval is away from zero")
    return Row(change, metric, {"project": "P1", "pool": "A"}, effect, 0.004, Judgement(verdict, reason, HELD))


def plain(text: str) -> str:
    return text.replace(fmt.SPACE, " ")


@pytest.mark.parametrize(
    ("metric", "ends", "said"),
    [
        ("gold_accuracy", (-0.05, -0.08, -0.02), "−5.0 points (−8.0 to −2.0)"),
        ("gold_accuracy", (0.424, 0.3657, 0.4839), "+42 points (37 to 48)"),
        # a logarithm of 1.5 is half as much again, of .8 a fifth less
        ("cost_per_label", (np.log(1.5), np.log(1.4), np.log(1.6)), "+50 % (40 to 60)"),
        ("handle_time_log_mean_seconds", (np.log(0.9), np.log(0.85), 0.0), "−10.0 % (−15.0 to 0.0)"),
        ("gold_accuracy", (None, None, None), fmt.NONE),
    ],
)
def test_effects_in_words(metric, ends, said):
    assert plain(change_words.amount(metric, *ends)) == said


def test_the_verb_follows_the_design():
    compared = plain(change_words.narrative(row(), NAMES))
    assert compared == (
        "CH-1: −5.0 points (−8.0 to −2.0) in gold accuracy of Comments, Jakarta, which had it, against 2 other pools "
        "of the project, which had not"
    )
    alone = change_words.narrative(row(design=Design.SERIES), NAMES)
    assert "against" not in alone
    assert ladder.overclaims(alone, ladder.Rung.ADJUSTED) == []
    assert "caused" in change_words.narrative(row(design=Design.RANDOMISED), NAMES)


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("design", [Design.COMPARED, Design.SERIES])
def test_no_verdict_is_said_in_stronger_words_than_its_rung(verdict, design):
    estimate = None if verdict is Verdict.TOO_EARLY else (-0.05, -0.08, -0.02)
    one = row(verdict, estimate=estimate, design=design, reason=TOO_EARLY if estimate is None else "made-up changes")
    sentences = [
        change_words.narrative(one, NAMES),
        change_words.of_change("CH-1", [one], NAMES),
        change_checks.not_claimed(one),
        *change_checks.checks(one),
    ]
    for sentence in sentences:
        assert ladder.overclaims(sentence, change_words.rung(one)) == [], sentence


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"project": "P1"}, "within the same project"),
        ({"pool": "A"}, "within the same pool"),
        ({"everything": "all work in view"}, "within all work in view"),
    ],
)
def test_without_a_comparison_it_is_said_whose_weeks_before_count(where, said):
    one = dataclasses.replace(row(design=Design.SERIES), where=where)
    assert f"CH-1: {said}, gold accuracy moved by" in change_words.narrative(one, NAMES)


def test_the_finding_counts_verdicts_and_names_the_clearest():
    said = plain(
        change_words.finding({"CH-1": [row()], "CH-2": [], "CH-3": [row(Verdict.WORKED)]}, NAMES, {"CH-1": "A course."})
    )
    assert said.startswith(
        "Of 3 changes 1 worked, 1 did harm and 1 cannot be told; clearest is “A course”: −5.0 points"
    )
    assert change_words.finding({}, NAMES, {}) == "No dated change to weigh"


def test_made_up_changes_are_counted_from_their_p():
    assert any(
        "Of 49 made-up changes" in s and "none looks as large (p at most 0.02)" in s
        for s in change_checks.checks(row())
    )


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.01, "its own p is 0.01 or below"), (0.02, "its own p is not 0.01 or below")],
)
def test_too_few_made_up_changes_are_said_to_be(p, said):
    """Eleven of them cannot be a share of one in twenty, so no share is shown."""
    one = row()
    few = dataclasses.replace(one.effect, placebos=np.linspace(-2, 2, 11), placebo_p=1 / 12)
    checks = change_checks.checks(dataclasses.replace(one, effect=few, p_adjusted=p))
    assert f"Too few made-up changes to compare with (11); {said}." in checks
    assert not any("0.083" in sentence for sentence in checks)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_charts_of_one_change(colours):
    import altair as alt

    spec, said = charts.event_study(row(), colours, "Comments")
    alt.LayerChart.from_dict(spec, validate=True)
    assert "−5.0" in said
    drawn = spec["data"]["values"]
    assert [v["week"] for v in drawn] == list(range(-30, 12))
    assert drawn[-1]["gap"] == pytest.approx(-5.0)
    spec, said = charts.placebos(row(), colours)
    alt.LayerChart.from_dict(spec, validate=True)
    assert sum(v["n"] for v in spec["data"]["values"]) == 49
    assert "0 of 49" in said


def test_a_plan_names_weeks_pools_and_what_it_rests_on():
    y = 0.9 + 0.02 * np.random.default_rng(4).normal(size=60)
    easy = change_planning.answer("gold_accuracy", y, 10.0, "Jakarta")
    hard = change_planning.answer("gold_accuracy", y, 0.5, "Jakarta")
    assert "after 3 full weeks" in easy  # five standard deviations of a week
    assert "would not be called: no more than 8 weeks under a change count" in hard
    assert "more weeks before it would not do either" in hard
    needed = float(hard.split("over 8 at least ")[1].split()[0])
    enough, short = (change_planning.answer("gold_accuracy", y, needed + by, "Jakarta") for by in (0.1, -0.2))
    assert "would be called after 8 full weeks" in enough
    assert f"at least {needed} points is needed" in plain(short)
    assert "p 0.05 for this one metric" in easy
    assert "p 0.05 over the 4 metrics it is judged by" in change_planning.answer("gold_accuracy", y, 5.0, "Jakarta", 4)
    assert "4 of each over 8 weeks would do" in easy  # fewer are not weighed as a rollout
    assert "80 of 100 tries" in easy
    assert "60 weeks at hand" in easy
    assert "too few weeks" in change_planning.answer("gold_accuracy", y[:5], 5.0, "Jakarta")


def test_a_row_as_plain_values():
    early = row(Verdict.TOO_EARLY, estimate=None, design=Design.SERIES, reason=TOO_EARLY)
    found = change_words.record(early, NAMES)
    assert tuple(found) == change_words.RECORD
    assert {name: found[name] for name in found if name not in ("narrative", "placebo_p")} == {
        "design_reason": "",
        "reason": TOO_EARLY,
        "change_id": "CH-1",
        "kind": "training",
        "metric": "gold_accuracy",
        "where": {"project": "P1", "pool": "A"},
        "starts_on": "2026-03-02",
        "design": "interrupted time series",
        "effect": None,
        "low": None,
        "high": None,
        "verdict": "too early",
    }
    assert found["narrative"] == f"CH-1: too early for gold accuracy in Comments, Jakarta: {TOO_EARLY}"
    halved = change_words.record(row(metric="cost_per_label", estimate=(np.log(0.5),) * 3), NAMES)
    assert halved["effect"] == pytest.approx(-0.5)


def rollout(design=Design.STAGGERED, n=6):
    one = row(design=design, estimate=(0.03, 0.01, 0.05))
    e = dataclasses.replace(one.effect, effect=Estimate(0.03, 0.01, 0.05, n))
    judgement = Judgement(Verdict.WORKED, one.judgement.reason, {} if design is Design.RANDOMISED else HELD)
    where = {"rollout": "6 pools"}
    return dataclasses.replace(one, where=where, effect=e, judgement=judgement, why="6 units got it, 2 did not")


def test_a_rollout_in_words():
    several = rollout()
    said = plain(change_words.narrative(several, NAMES))
    assert "rollout of 6 pools, which had it, against 2 other pools, which had not" in said
    checks = change_checks.checks(several)
    assert checks[0] == "Staggered difference-in-differences: 6 units got it, 2 did not."
    assert "the eighth to fifth week before" in checks[1]
    assert "other ways to deal the change out" in checks[2]
    assert checks[3] == "It rests on 6 pools with and 2 without the change, over 8 weeks under it, averaged."
    lots = rollout(Design.RANDOMISED, 8)
    assert "caused" in change_words.narrative(lots, NAMES)
    assert "It rests on 6 pools with and 2 without the change" in " ".join(change_checks.checks(lots))
    for one in (several, lots):
        for sentence in (change_words.narrative(one, NAMES), *change_checks.checks(one)):
            assert ladder.overclaims(sentence, change_words.rung(one)) == []


def test_single_weeks_have_their_intervals_drawn():
    one = row()
    before = one.effect.weeks < 0
    half = np.where(before, np.nan, 0.04)
    e = dataclasses.replace(one.effect, gap_low=one.effect.gaps - half, gap_high=one.effect.gaps + half)
    spec, _ = charts.event_study(dataclasses.replace(one, effect=e), LIGHT, "here")
    weeks = spec["data"]["values"]
    drawn = [w for w in weeks if "low" in w]
    assert {w["week"] for w in drawn} == set(range(12))
    assert drawn[0]["low"] == pytest.approx(100 * (-0.05 - 0.04))
    assert drawn[0]["high"] == pytest.approx(100 * (-0.05 + 0.04))
    assert "(−9.0 to −1.0)" in plain(drawn[0]["said"])
    rules = [layer for layer in spec["layer"] if layer.get("transform") == [{"filter": "isValid(datum.low)"}]]
    assert rules[0]["encoding"]["y2"] == {"field": "high"}


def test_another_mix_of_work_is_named():
    moved = Mix("policy", "hate", 0.12, 0.42)
    said = [
        plain(
            change_checks.checks(dataclasses.replace(row(metric=metric), mix=moved), {"policy": {"hate": "Hate"}})[-1]
        )
        for metric in ("handle_time_log_mean_seconds", "sla_attainment", "cost_per_label")
    ]
    assert said[0] == (
        "The mix of work moved: Hate went from 12 to 42 % of what typical handle time is taken over; "
        "it is taken kind by kind, so the mix alone does not move it."
    )
    assert "it is not taken kind by kind" in said[1]
    assert "it is taken kind by kind" in said[2]
    assert not any("mix" in sentence for sentence in change_checks.checks(row()))


def test_benchmarks_of_models_are_told_in_versions_and_after_the_work():
    where = {"project": "P1", "benchmark": "jailbreaks"}
    one = row(metric="attack_success_rate", estimate=(0.07, 0.05, 0.09), design=Design.SERIES)
    models = dataclasses.replace(one, where=where, effect=dataclasses.replace(one.effect, statistic=20.0))
    said = plain(change_words.narrative(models, NAMES))
    assert said == "CH-1: within the same project, attack success rate moved by +7.0 points (5.0 to 9.0) when it came"
    checks = " ".join(change_checks.checks(models))
    assert "30 versions before and 8 under the change" in checks
    assert "week" not in checks
    assert "The test's own p, after all that the change is judged by" in checks
    assert "not proof of cause" in change_checks.not_claimed(models)
    assert change_words.leading([models, row()]).metric == "gold_accuracy"
    assert change_words.leading([models]) is models
    spec, alt = charts.event_study(models, LIGHT, "here")
    assert "over the first 8 versions" in alt
    assert spec["data"]["values"][0]["when"] == "30 versions before"


def test_other_changes_to_the_same_work_are_told_and_flagged():
    one = row()
    day = dt.date(2025, 9, 1)
    met = (
        Overlap("CH-0", 0.28, day, dt.date(2025, 12, 1), True, False),
        Overlap("CH-2", 1.0, dt.date(2026, 3, 30), dt.date(2026, 6, 1), True, False),
        Overlap("CH-3", 0.6, dt.date(2026, 1, 5), dt.date(2026, 4, 6), False, False),
        Overlap("CH-4", 1.0, dt.date(2026, 3, 2), dt.date(2026, 6, 1), False, True),
    )
    kept = ~((one.effect.weeks >= -26) & (one.effect.weeks < -13))
    e = dataclasses.replace(one.effect, weeks=one.effect.weeks[kept], gaps=one.effect.gaps[kept])
    one = dataclasses.replace(one, overlaps=met, effect=e)
    told = [plain(s) for s in change_checks.checks(one)]
    assert (
        "CH-0 came to 28 % of this work: the weeks in which that was new, 1 Sep 2025 to 30 Nov 2025, are left out."
        in told
    )
    assert "CH-2 came to all of this work on 30 Mar 2026: weeks from then on are left out." in told
    assert "CH-3 came to 60 % of this work on 5 Jan 2026: what it did may be part of this." in told
    assert "CH-4 came to all of this work at the same time: what moved is of both." in told
    spec, _ = charts.event_study(one, LIGHT, "here")
    flags = [layer["data"]["values"] for layer in spec["layer"] if layer["mark"].get("type") == "text"][-1]
    assert [(flag["text"], flag["at"]) for flag in flags] == [
        ("CH-0", -26.5),
        ("CH-2", 3.5),
        ("CH-3", -8.5),
        ("CH-4", -0.5),
    ]
    # The line does not run over the weeks that were left out.
    runs = [value["run"] for value in spec["data"]["values"]]
    assert len(set(runs)) == 3


def test_what_was_seen_stands_beside_what_would_have_been():
    one = row(metric="utilisation", estimate=(np.log(0.8), np.log(0.78), np.log(0.82)))
    seen = dataclasses.replace(one, effect=dataclasses.replace(one.effect, level=np.log(0.656)))
    assert plain(change_words.levels(seen, "USD")) == "65.6 % instead of 82.0 %"
    shares = row()
    seen = dataclasses.replace(shares, effect=dataclasses.replace(shares.effect, level=0.80))
    assert plain(change_words.levels(seen, "USD")) == "80.0 % instead of 85.0 %"
    assert change_words.levels(one, "USD") == ""


def test_a_move_before_the_change_is_told():
    def move(weeks, metric="gold_accuracy", change=None, **where):
        since = dt.date(2026, 3, 2) - dt.timedelta(weeks=weeks)
        return Move(metric, {"project": "P1", "pool": "A"} | where, since, 0.9, 0.84, change)

    near = move(5)
    others = [move(13), move(0), move(-2), move(5, "first_pass_yield"), move(5, change="CH-0"), move(5, pool="B")]
    assert change_checks.moved_before(row(), [near, *others]) == [near]
    assert "moved by −6.0 points in the week of 26 Jan 2026" in plain(change_checks.moved_already(near))
    assert plain(change_words.move_size(near)) == "−6.0 points, worse"
    faster = near._replace(metric="handle_time_log_mean_seconds", before=3.0, after=2.9)
    assert change_words.move_size(faster).endswith("better")
