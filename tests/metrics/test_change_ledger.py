"""The change ledger on simulated weeks: planted changes found where they are, changes without effect not called."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from scipy import special

from metrics.change_ledger import NOT_KEPT, ledger, overall
from metrics.change_units import Change, weekly
from metrics.effects import measures
from metrics.effects.effect import TOO_EARLY, Design
from metrics.effects.measures import BY_KIND, MEASURES
from metrics.effects.verdict import Verdict
from tests.metrics.effects.simulated import ar1

WEEKS = 60
MONDAYS = pd.date_range("2025-01-06", periods=WEEKS, freq="7D")
LAST_DAY = (MONDAYS[-1] + pd.Timedelta(days=6)).date()
PROJECTS = {
    "P1": ("A", "B", "C"),
    "P2": ("A", "B", "D"),
    "P3": ("B", "C", "D"),
    "P4": ("A", "C", "D"),
    "P5": ("A", "D"),
}
POLICIES = ("hate", "spam")


def work(seed: int) -> pd.DataFrame:
    """Weekly gold and handle times by project, pool and policy: levels carry over, nothing changes."""
    rng = np.random.default_rng(seed)
    rows = []
    for project, pools in PROJECTS.items():
        shared = 0.15 * ar1(rng, (WEEKS,), 0.4)
        for pool in pools:
            level, pace = (
                2.0 + 0.4 * rng.normal() + shared + 0.15 * ar1(rng, (WEEKS,), 0.4),
                0.05 * ar1(rng, (WEEKS,), 0.4),
            )
            for k, policy in enumerate(POLICIES):
                gold = rng.poisson(40, WEEKS)
                right = rng.binomial(gold, special.expit(level - 0.8 * k))
                harmless = rng.binomial(gold, 0.5)
                over = rng.binomial(harmless, special.expit(-level - 0.5 + 0.8 * k))
                first = rng.poisson(300, WEEKS)
                rows.append(
                    pd.DataFrame(
                        {
                            "week": MONDAYS,
                            "project_id": project,
                            "pool_id": pool,
                            "language": "en",
                            "policy": policy,
                            "gold_n": gold,
                            "gold_correct": right,
                            "gold_harmless_n": harmless,
                            "gold_overreached": over,
                            "gold_violating_n": gold - harmless,
                            "gold_missed": rng.binomial(gold - harmless, special.expit(-level - 0.5 + 0.8 * k)),
                            "first_decided": first,
                            "first_accepted": rng.binomial(first, special.expit(2.5 + shared)),
                            "handle_n": 300,
                            "handle_sum_log": 300 * (3 + 0.5 * k + pace + 0.03 * rng.normal(size=WEEKS)),
                        }
                    )
                )
    return pd.concat(rows, ignore_index=True)


def change(kind="training", project="P1", pool=None, week=45, last=None, name="CH-1", days=0) -> dict:
    starts = MONDAYS[0] + pd.Timedelta(days=7 * week + days)
    ends = pd.NaT if last is None else MONDAYS[last] + pd.Timedelta(days=6)
    return {
        "change_id": name,
        "kind": kind,
        "project_id": project,
        "pool_id": pool,
        "starts_on": starts,
        "ends_on": ends,
    }


def moved(
    frame: pd.DataFrame, logit: float, first: int, last: int = WEEKS, column="gold_correct", **where
) -> pd.DataFrame:
    """The frame with the share right of some rows moved by so many logits from week ``first`` on."""
    frame = frame.copy()
    at = (frame["week"] >= MONDAYS[first]) & (frame["week"] <= MONDAYS[min(last, WEEKS - 1)])
    for name, value in where.items():
        at &= frame[name] == value
    below = {"gold_correct": "gold_n", "gold_overreached": "gold_harmless_n"}[column]
    share = special.logit((frame.loc[at, column] + 0.5) / (frame.loc[at, below] + 1)) + logit
    frame.loc[at, column] = np.random.default_rng(9).binomial(frame.loc[at, below], special.expit(share))
    return frame


def rows_of(frame, *changes):
    return ledger(pd.DataFrame(list(changes)), {"work": frame}, LAST_DAY)


@pytest.mark.parametrize(("span", "said"), [((0, 44), Verdict.WORKED), ((45, WEEKS), Verdict.HARM)])
def test_a_planted_change_of_one_pool_is_found(span, said):
    frame = moved(work(1), -1.2, *span, project_id="P1", pool_id="A")
    rows = rows_of(frame, change(pool="A"))
    row = next(row for row in rows if row.metric == "gold_accuracy")
    assert (row.judgement.verdict, row.effect.design) == (said, Design.COMPARED)
    assert {name for name, _ in row.effect.comparison} == {"B", "C"}
    assert row.effect.placebo_p <= 0.05
    assert len(row.effect.placebos) >= 19
    assert row.where == {"project": "P1", "pool": "A"}
    assert overall(rows) is said


def test_harm_in_one_part_of_a_project_is_found_where_an_average_hides_it():
    frame = moved(work(2), 2.5, 45, column="gold_overreached", project_id="P2", pool_id="D", policy="spam")
    rows = rows_of(frame, change("guideline", "P2"))
    part = rows[-1]
    assert part.judgement.verdict is Verdict.HARM
    assert part.where == {"project": "P2", "pool": "D", "policy": "spam"}
    assert part.metric == "gold_over_enforcement_rate"
    assert overall(rows) is Verdict.HARM


def test_changes_without_effect_are_called_at_most_one_in_twenty():
    """The whole procedure: kinds, levels and dates mixed, every metric and every part looked at."""
    called = asked = 0
    for seed in range(5):
        rng = np.random.default_rng(100 + seed)
        changes = []
        for k, kind in enumerate(("guideline", "training", "tool", "staffing", "vendor", "guideline")):
            project = list(PROJECTS)[int(rng.integers(5))]
            pool = None if kind == "guideline" else str(rng.choice(PROJECTS[project]))
            week = int(rng.integers(30, 55))
            last = week + 5 if rng.random() < 0.3 and week < 50 else None
            changes.append(change(kind, project, pool, week, last, f"CH-{k}", int(rng.integers(7))))
        rows = rows_of(work(seed), *changes)
        for one in changes:
            said = overall([row for row in rows if row.change.change_id == one["change_id"]])
            called += said in (Verdict.WORKED, Verdict.HARM)
            asked += 1
    assert asked == 30
    assert called <= 1


def test_another_mix_of_work_is_no_effect():
    """The slow policy's share grows fourfold and nothing changes inside a policy: the effect is what it was."""
    frame = work(4).astype({"handle_n": float, "handle_sum_log": float})
    late = (frame["week"] >= MONDAYS[45]) & (frame["project_id"] == "P3") & (frame["policy"] == "spam")
    mixed = frame.copy()
    mixed.loc[late, ["handle_n", "handle_sum_log"]] *= 4
    rows = [
        next(r for r in rows_of(f, change("workflow", "P3")) if r.metric == "handle_time_log_mean_seconds")
        for f in (frame, mixed)
    ]
    effects = [row.effect.effect for row in rows]
    assert effects[1].value == pytest.approx(effects[0].value, abs=0.005)
    assert rows[0].mix is None
    assert (rows[1].mix.dimension, rows[1].mix.member) == ("policy", "spam")
    assert (rows[1].mix.before, rows[1].mix.after) == pytest.approx((0.5, 0.8))
    weekly_sums = mixed[mixed["project_id"] == "P3"].groupby("week")[["handle_sum_log", "handle_n"]].sum()
    plain = weekly_sums["handle_sum_log"] / weekly_sums["handle_n"]
    assert plain[MONDAYS[45:]].mean() - plain[MONDAYS[:45]].mean() > 0.1  # what the plain average would say


def test_another_mix_of_work_is_no_cost():
    """Labels of one policy cost three times those of the other, and their share grows: by kind nothing moves."""
    rng = np.random.default_rng(12)
    frame = work(4)[["week", "project_id", "pool_id", "language", "policy"]]
    price = np.where(frame["policy"] == "spam", 3.0, 1.0) * np.exp(0.02 * rng.normal(size=len(frame)))
    late = (frame["week"] >= MONDAYS[45]) & (frame["project_id"] == "P3") & (frame["policy"] == "spam")
    rows = []
    for more, dearer in ((1, 1.0), (4, 1.0), (4, 1.5)):
        labels = np.where(late, 100.0 * more, 100.0)
        paid = np.where((frame["week"] >= MONDAYS[45]) & (frame["project_id"] == "P3"), price * dearer, price)
        cells = frame.assign(labels=labels, cost=labels * paid)
        rows += ledger(pd.DataFrame([change("workflow", "P3")]), {"ledger": cells}, LAST_DAY)
    same, mixed, dearer = (row.effect.effect for row in rows)
    assert mixed.value == pytest.approx(same.value, abs=0.01)
    assert [row.judgement.verdict for row in rows] == [Verdict.NO_EFFECT, Verdict.NO_EFFECT, Verdict.HARM]
    assert dearer.low <= np.log(1.5) <= dearer.high
    assert rows[1].mix.member == "spam"


def test_a_pool_that_took_work_over_is_judged_by_the_language():
    frame = work(5)
    frame.loc[frame["pool_id"] == "A", "language"] = "id"
    late = (frame["project_id"] == "P1") & (frame["pool_id"] == "A") & (frame["week"] >= MONDAYS[45])
    frame.loc[late, "pool_id"] = "N"
    frame = moved(frame, -1.5, 45, project_id="P1", pool_id="N")
    row = rows_of(frame, change("vendor", "P1", "N"))[0]
    assert row.where == {"project": "P1", "language": "id"}
    assert row.judgement.verdict is Verdict.HARM


def test_a_change_to_a_whole_pool_is_compared_with_other_pools():
    frame = moved(work(6), -1.5, 40, 45, pool_id="B")
    row = rows_of(frame, change("training", None, "B", 40, 45))[0]
    assert (row.where, row.judgement.verdict) == ({"pool": "B"}, Verdict.HARM)
    assert {name for name, _ in row.effect.comparison} == {"A", "C", "D"}


def test_units_that_something_else_changed_in_are_not_compared_with():
    changes = (
        change(pool="A"),
        change("tool", "P1", "B", 44, name="CH-2"),
        change("tool", "P1", None, 43, name="CH-3"),
    )
    row = rows_of(work(7), *changes)[0]
    assert {name for name, _ in row.effect.comparison} == {"C"}  # what is new to all of P1 is new to A too


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"week": 58}, TOO_EARLY), ({"week": 57, "days": 1}, TOO_EARLY), ({"week": 70}, TOO_EARLY)],
)
def test_a_change_of_late_is_too_early(options, reason):
    rows = rows_of(work(8), change(pool="A", **options))
    assert {row.effect.effect.reason for row in rows} == {reason}
    assert overall(rows) is Verdict.TOO_EARLY


def test_a_short_change_cannot_be_told():
    assert overall(rows_of(work(8), change(pool="A", week=40, last=41))) is Verdict.CANNOT_TELL
    assert overall([]) is Verdict.CANNOT_TELL


@pytest.mark.parametrize("options", [{"project": "P9"}, {"pool": "Z"}, {"project": "P9", "kind": "guideline"}])
def test_a_change_of_work_that_nobody_knows_has_a_row_that_says_so(options):
    (row,) = rows_of(work(8), change(**options))
    assert (row.effect.design, row.judgement.verdict) == (Design.NONE, Verdict.CANNOT_TELL)
    assert row.judgement.reason == row.why == NOT_KEPT
    assert row.where == {"project": options.get("project", "P1"), **({"pool": "Z"} if "pool" in options else {})}


def test_every_change_has_a_row_whatever_is_kept():
    """Also where no frame is given, or none of its metrics, or lots were drawn for a change to everything."""
    changes = pd.DataFrame([change("model"), change("tool", None, name="CH-2"), change(pool="A", name="CH-3")])
    for frames in ({}, {"flow": work(8)[["week", "project_id"]]}):
        rows = ledger(changes, frames, LAST_DAY)
        assert [row.change.change_id for row in rows] == ["CH-1", "CH-2", "CH-3"]
        assert {row.effect.design for row in rows} == {Design.NONE}
    drawn = ledger(changes.assign(randomised=True), {"work": work(8)}, LAST_DAY)
    assert {row.change.change_id for row in drawn} == {"CH-1", "CH-2", "CH-3"}


@pytest.mark.parametrize(("by", "said"), [(-1.5, Verdict.HARM), (1.5, Verdict.WORKED)])
def test_a_change_to_everything_is_a_series_over_all_work(by, said):
    rows = rows_of(moved(work(6), by, 45), change(project=None))
    row = next(row for row in rows if row.metric == "gold_accuracy")
    assert (row.where, row.effect.design) == ({"everything": "all work in view"}, Design.SERIES)
    assert row.effect.comparison == ()
    assert (row.judgement.verdict, overall(rows)) == (said, said)
    gold = moved(work(6), by, 45).groupby("week")[["gold_correct", "gold_n"]].sum()
    plain = gold["gold_correct"] / gold["gold_n"]
    step = plain[MONDAYS[45:53]].mean() - plain[MONDAYS[:45]].mean()
    assert row.effect.effect.low <= step <= row.effect.effect.high
    assert overall(rows_of(work(6), change(project=None))) not in (Verdict.HARM, Verdict.WORKED)


def test_weekly_values_and_their_errors():
    frame = pd.DataFrame({"week": [MONDAYS[0]] * 2 + [MONDAYS[1]], "unit": "u", "gold_n": [30, 70, 100]})
    frame["gold_missed"], frame["gold_violating_n"] = [3, 7, 30], frame["gold_n"]
    names, value, se = weekly(frame, MEASURES["gold_under_enforcement_rate"], MONDAYS[:3], 1)
    np.testing.assert_allclose(value, [[0.1, 0.3, np.nan]])
    np.testing.assert_allclose(se[0, :2], np.sqrt(0.2 * 0.8 / 100))
    assert names == ("u",)


def test_a_weekly_cost_is_what_its_kinds_usually_cost():
    """Two kinds at 1 and 3 a label: 1 and 3 whatever the mix; half as dear in the third week is a half."""
    frame = pd.DataFrame(
        {
            "week": np.repeat(MONDAYS[:3], 2),
            "unit": "u",
            "policy": ["a", "b"] * 3,
            "labels": [50.0, 50, 10, 90, 90, 10],
            "cost": [50.0, 150, 10, 270, 45, 15],
        }
    )
    _, value, se = weekly(frame, MEASURES["cost_per_label"], MONDAYS[:3], 2)
    np.testing.assert_allclose(np.exp(value), 540 / 300 * np.array([[1, 1, 0.5]]))
    assert se is None


def test_every_kind_is_judged_by_declared_metrics():
    for names in BY_KIND.values():
        assert set(names) <= set(MEASURES)
        assert len(set(names)) == len(names) <= 4
    assert set(measures.SLICED_BY) <= set(MEASURES)


def test_a_change_covers_what_it_names():
    one = Change("x", "tool", "P1", None, dt.date(2025, 1, 1), 0, 1, None)
    assert one.covers("P1", "A")
    assert one.covers("P1", None)
    assert not one.covers("P2", "A")
