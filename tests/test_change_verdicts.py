"""Every dated change of the sample, planted and idle, weighed as the page weighs it; the planted truth is the oracle.

Which verdict is right follows from what was planted (sample_data/events.py), worse for the people who bought the
change or better, not from what the ledger says:
- EV01 a mistranslated clause removes half of permitted items: harm, and in Indonesian harassment, over-enforced.
- EV02 a vendor switch with new people: accuracy falls, a quarter slower: harm.
- EV03 a course raises accuracy by 1.1 logits: worked.
- EV07 a shift without its second break: accuracy falls late in the shift: harm.
- EV08 a surge of arrivals without staff: waits are five times as long: harm to the SLA.
- EV09 overtime at a higher rate: harm to cost.
- EV10 a pre-filled answer: 45 % of harmful prompts labelled benign: harm to accuracy.
- EV11 another base model: benchmark scores fall by 0.06: harm to the score.
- EV12 a policy read too strictly by one region: harm, satire over-enforced.
- EV13 another mix of work and nothing else: neither harm nor worked, costs taken kind by kind among its metrics.
- EV16 a cohort of new people, less accurate and slower: harm.
- EV18 a faster tool: handle times 18 % shorter, so cost per label too: worked.
- EV19 an answer shown first chosen unread: harm to position bias.
- EV20 a fifth more paid time for the same work: harm to utilisation.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from data_access import change_data
from data_access.filters import Scope
from data_access.snapshot import Snapshot
from metrics import ladder
from metrics.change_ledger import ledger, overall
from metrics.effects import Verdict
from metrics.effects.measures import MEASURES
from sample_data.events import EVENTS, IDLE_CHANGES
from sample_data.readings import POSITION_BIAS
from ui import change_checks, change_words

HARM, WORKED = Verdict.HARM, Verdict.WORKED
RIGHT = {  # event: the verdict, and metrics of which at least one must say so
    "EV01": (HARM, {"gold_accuracy", "gold_over_enforcement_rate"}),
    "EV02": (HARM, {"gold_accuracy", "audit_accuracy"}),
    "EV03": (WORKED, {"gold_accuracy", "audit_accuracy"}),
    "EV07": (HARM, {"gold_accuracy", "first_pass_yield"}),
    "EV08": (HARM, {"sla_attainment"}),
    "EV09": (HARM, {"cost_per_label"}),
    "EV10": (HARM, {"gold_accuracy"}),
    "EV11": (HARM, {"safety_benchmark_score"}),
    "EV12": (HARM, {"gold_accuracy", "gold_over_enforcement_rate"}),
    "EV16": (HARM, {"gold_accuracy", "handle_time_log_mean_seconds"}),
    "EV18": (WORKED, {"handle_time_log_mean_seconds", "cost_per_label"}),
    "EV19": (HARM, {"position_bias"}),
    "EV20": (HARM, {"utilisation", "cost_per_label"}),
}


@pytest.fixture(scope="module")
def weighed(whole_snapshot):
    """The rows of every change by its summary."""
    snapshot = Snapshot(whole_snapshot)
    everyone = Scope.everything()
    changes = change_data.changes(snapshot, everyone)
    frames, models = change_data.weekly_sums(snapshot, everyone), change_data.models(snapshot, everyone)
    rows = ledger(changes, frames, snapshot.meta.last_day, models)
    names = snapshot.names
    snapshot.close()
    by_id: dict[str, list] = {change: [] for change in changes["change_id"]}
    for row in rows:
        by_id[row.change.change_id].append(row)
    return {s: by_id[c] for c, s in zip(changes["change_id"], changes["summary"], strict=True)}, names


def test_all_planted_and_idle_changes_are_weighed(weighed):
    planted = [event.change[3] for event in EVENTS if event.change]
    idle = [one[5] for one in IDLE_CHANGES]
    assert (len(planted), len(idle)) == (14, 10)
    assert set(weighed[0]) == {*planted, *idle}
    assert all(weighed[0][summary] for summary in (*planted, *idle))


@pytest.mark.parametrize("event_id", RIGHT)
def test_a_planted_change_gets_its_verdict(weighed, event_id):
    event = next(event for event in EVENTS if event.event_id == event_id)
    rows = weighed[0][event.change[3]]
    right, speaking = RIGHT[event_id]
    assert overall(rows) is right
    told = [row for row in rows if row.judgement.verdict is right]
    assert speaking & {row.metric for row in told}
    for row in (row for row in told if not row.of_models):
        better = MEASURES[row.metric].direction.value.startswith("higher")
        assert (row.effect.effect.value > 0) == (better == (right is WORKED))


PLANTED = (  # event, metric, and its planted effect in the unit the metric is judged in
    ("EV09", "cost_per_label", np.log(1.55)),
    ("EV11", "safety_benchmark_score", -0.06),
    ("EV18", "handle_time_log_mean_seconds", np.log(0.82)),
    ("EV18", "cost_per_label", np.log(0.82)),
    ("EV19", "position_bias", (0.30 - POSITION_BIAS) / 2),
    ("EV20", "utilisation", np.log(0.80)),
    ("EV20", "cost_per_label", -np.log(0.80)),
)


@pytest.mark.parametrize(("event_id", "metric", "planted"), PLANTED)
def test_the_interval_holds_what_was_planted(weighed, event_id, metric, planted):
    """Where it is known in the metric's unit: a rate, pace or paid time moves the cost by the same factor, and of
    comparisons decided by the order alone half would have gone to the first answer anyway (ties aside).

    Left out are sizes planted in logits (EV02, EV03, EV07, EV16), which are points only by levels the sample draws;
    slowness that new people lose as they learn, beside others' pace (EV02, EV16); EV08's waits, of which the SLA is a
    threshold; EV10's share of harmful labels, diluted by the mix of gold. EV01 and EV12 have tests of their own.
    """
    event = next(event for event in EVENTS if event.event_id == event_id)
    found = next(r.effect.effect for r in weighed[0][event.change[3]] if r.metric == metric and not r.of_models)
    assert found.low <= planted <= found.high


def test_a_policy_read_strictly_by_one_region_is_found_with_its_size(weighed):
    """38 % of safe satire not removed before is read as unsafe: .38 (1 - rate before), and that rate is below .3."""
    event = next(event for event in EVENTS if event.event_id == "EV12")
    part = next(r for r in weighed[0][event.change[3]] if r.metric == "gold_over_enforcement_rate")
    assert part.where["policy"] == event.where["policy"]
    assert part.effect.effect.low <= 0.38
    assert part.effect.effect.high >= 0.38 * 0.7


def test_a_mistranslated_clause_is_found_where_it_was_planted(weighed):
    event = next(event for event in EVENTS if event.event_id == "EV01")
    part = next(r for r in weighed[0][event.change[3]] if r.metric == "gold_over_enforcement_rate")
    assert part.where == event.where
    # Half of the permitted items not removed before are: .5 (1 - rate before), and that rate is below .3.
    assert part.effect.effect.low <= 0.5
    assert part.effect.effect.high >= 0.35


def test_a_harm_with_few_made_up_changes_says_so_and_the_others_had_at_most_one_in_twenty(weighed):
    called = [row for rows in weighed[0].values() for row in rows if row.judgement.verdict in (HARM, WORKED)]
    few = [row for row in called if row.effect.placebo_p > 0.05]
    assert few and len(few) < len(called) / 4
    for row in few:
        assert "too few made-up changes to compare with" in row.judgement.reason
        assert any(s.startswith("Too few made-up changes") for s in change_checks.checks(row))


def test_another_mix_of_work_is_called_nothing(weighed):
    """Nothing changed inside a policy, so no metric taken per kind of work moved, costs neither."""
    event = next(event for event in EVENTS if event.event_id == "EV13")
    assert overall(weighed[0][event.change[3]]) not in (HARM, WORKED)
    per_kind = [r for r in weighed[0][event.change[3]] if not r.of_models and MEASURES[r.metric].per_kind]
    assert {row.metric for row in per_kind} == {"handle_time_log_mean_seconds", "cost_per_label"}
    cost = next(row.effect.effect for row in per_kind if row.metric == "cost_per_label")
    assert cost.low <= 0 <= cost.high
    assert not {HARM, WORKED} & {row.judgement.verdict for row in per_kind}
    for row in per_kind:  # and what did move is named
        assert (row.mix.dimension, row.mix.member) == ("policy", event.where["policy"])
        assert (row.mix.before, row.mix.after) == pytest.approx((0.12, 0.42), abs=0.03)


def test_what_labels_did_to_the_models_is_found_and_nothing_else(weighed):
    """EV10: versions trained on harmful prompts labelled benign lose score, and more attacks on them succeed."""
    event = next(event for event in EVENTS if event.event_id == "EV10")
    told = {
        (row.change.change_id, row.metric): row.effect.effect
        for rows in weighed[0].values()
        for row in rows
        if row.of_models and row.judgement.verdict in (HARM, WORKED)
    }
    own = weighed[0][event.change[3]][0].change.change_id
    assert set(told) == {(own, "safety_benchmark_score"), (own, "attack_success_rate")}
    assert told[own, "safety_benchmark_score"].high < 0 < told[own, "attack_success_rate"].low


def test_no_idle_change_is_called(weighed):
    for _, _, _, _, _, summary in IDLE_CHANGES:
        assert overall(weighed[0][summary]) not in (HARM, WORKED), summary


def test_idle_rows_fall_below_five_percent_no_more_often_than_chance(weighed):
    """Of 20 to 40 rows without effect no more have a p of .05 or below than in 19 of 20 worlds: the binomial quantile,
    3 of 20 and 4 of 30 or 40 (rows of one change hang together, which makes that a little strict).

    Parts of a project are left out: theirs is the smallest of many.
    """
    own = [
        row
        for one in IDLE_CHANGES
        for row in weighed[0][one[5]]
        if row.effect.p_value is not None and "policy" not in row.where and not row.of_models
    ]
    assert 20 <= len(own) <= 40
    assert sum(row.effect.p_value <= 0.05 for row in own) <= stats.binom.ppf(0.95, len(own), 0.05)


def test_no_sentence_claims_more_than_its_design(weighed):
    by_change, names = weighed
    every = [row for rows in by_change.values() for row in rows]
    for row in every:
        said = [change_words.narrative(row, names), change_checks.not_claimed(row), *change_checks.checks(row)]
        for sentence in said:
            assert ladder.overclaims(sentence, change_words.rung(row)) == [], sentence
    for summary, rows in by_change.items():
        sentence = change_words.of_change(summary, rows, names)
        assert ladder.overclaims(sentence, change_words.rung(change_words.leading(rows))) == []
    whole = change_words.finding(by_change, names, {})
    assert ladder.overclaims(whole, ladder.Rung.ASSOCIATION) == []
