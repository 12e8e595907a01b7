"""Productivity: pace split from mix, odd days told from lasting changes, and sentences that keep accuracy beside it."""

from __future__ import annotations

import datetime as dt
import math

import altair as alt
import numpy as np
import pandas as pd
import pytest
import streamlit as st

from metrics import mix
from metrics.spec import Estimate, Status
from tests.ui.asked import over
from ui import charts, data, productivity, productivity_panels, productivity_words
from ui.charts.ramp import ACCURACY, PACE
from ui.theme import DARK, LIGHT


def scores(verdict: str = "cannot tell", change: float = 0.0) -> pd.DataFrame:
    common = {"low": 0.83, "high": 0.87, "n": 500.0, "reason": "", "status": Status.ON_TARGET.value, "target": 0.8}
    return pd.DataFrame(
        [
            {"metric": productivity.PACE, "value": 38.0, "change": -4.0, "before": 42.0, "verdict": "better", **common},
            {
                "metric": productivity.GOLD,
                "value": 0.85,
                "change": change,
                "before": 0.85,
                "verdict": verdict,
                **common,
            },
        ]
    )


def parts(change: float, from_mix: float, noise: float = 0.02) -> mix.Kitagawa:
    def of(value: float) -> Estimate:
        return Estimate(value, value - noise, value + noise, 1000)

    return mix.Kitagawa("two-part", of(3.7), of(3.6), of(change), of(from_mix), of(change - from_mix), None, None)


# ---- sentences -------------------------------------------------------------------------------------------------


def said(moved: float, from_mix: float, **quality) -> str:
    found = productivity.Change(scores(**quality), parts(moved, from_mix), "hate went from 12 to 42 % of the work")
    return productivity_words.productivity(found, "USD").replace("\u00a0", " ")


def test_a_faster_pace_with_accuracy_held():
    assert (
        said(math.log(0.89), 0.0)
        == "Handle time fell 11 % to 38 s on the same mix of work, and accuracy held at 85.0 %"
    )


def test_a_fall_in_accuracy_is_a_but():
    assert "but accuracy fell 3 points" in said(math.log(0.89), 0.0, verdict="worse", change=-0.03)


def test_the_mix_and_not_the_pace():
    text = said(0.15, 0.15)
    assert "with the mix of work, not the pace (hate went from 12 to 42 % of the work)" in text


def test_held_and_hidden():
    assert "held" in said(0.005, 0.0)
    assert "a harder mix of work hid faster work" in said(0.0, 0.2)


def test_without_gold_accuracy_is_said_to_be_unknown():
    rows = scores()
    rows.loc[1, "value"] = math.nan
    assert "accuracy is not known" in productivity_words.productivity(
        productivity.Change(rows, parts(-0.1, 0.0)), "USD"
    )


# ---- odd days and lasting changes ------------------------------------------------------------------------------


def test_the_planted_odd_day_is_odd_and_no_lasting_change(whole):
    """EV14: handle times in P06 double on one day and are back the next; the tool of EV18 has not come yet."""
    found = productivity.weekly(whole, over("2026-09-14", "2026-10-11", project="P06"))
    assert [str(day.date()) for day in found.odd["day"]] == ["2026-10-01"]
    row = found.odd.iloc[0]
    assert row["alone"] and 1.6 < row["times"] < 2.6
    assert found.shift is None
    assert "no lasting change" in productivity_words.stands_out(found)


def test_the_planted_step_is_found_behind_the_odd_day(whole):
    """EV18: from 20 Oct handle times in P06 are 18 % shorter and stay so."""
    found = productivity.weekly(whole, over("2026-10-12", "2026-11-08", project="P06"))
    side, at, size = found.shift
    assert side == "faster" and abs((at - dt.date(2026, 10, 20)).days) <= 2
    assert size == pytest.approx(-0.18, abs=0.05)


def test_the_planted_holiday_is_neither(whole):
    """EV15: for three days almost nobody works on the Thai items of P07."""
    found = productivity.weekly(whole, over("2026-04-06", "2026-05-03", project="P07", language="th"))
    assert found.odd.empty and found.shift is None


# ---- the planted mix shift -------------------------------------------------------------------------------------


def test_the_mix_shift_moves_the_raw_handle_time_and_not_the_adjusted_one(snapshot):
    """EV13: from 31 Aug the share of the slow policy hate in P03 rises from 12 to 42 %; no pace changes."""
    found = productivity.change(snapshot, over("2026-08-31", "2026-10-25", project="P03"))
    assert productivity_words.clear(found.parts.mix) and found.parts.mix.value > 0.08
    assert not productivity_words.clear(found.parts.rate)
    total = found.parts.mix.value + found.parts.rate.value
    assert total == pytest.approx(found.parts.change.value, abs=1e-9)
    assert "hate" in found.moved_by


def test_the_weekly_line_at_one_mix_stays_where_the_raw_one_rises(snapshot):
    points = productivity.weekly(snapshot, over("2026-08-31", "2026-10-25", project="P03")).points
    after, before = points[points["inside"]], points[~points["inside"]]
    raw = np.log(after["raw"].mean() / before["raw"].mean())
    adjusted = np.log(after["value"].mean() / before["value"].mean())
    assert raw > 0.08 and abs(adjusted) < raw / 2


def test_with_readers_numbers_the_line_at_one_mix_hardly_moves(whole):
    """The small sample has some hundred judgements a week; the whole one shows the mix without their chance."""
    points = productivity.weekly(whole, over("2026-08-31", "2026-10-25", project="P03")).points
    inside = points["inside"]
    raw, adjusted = (np.log(points.loc[inside, c].mean() / points.loc[~inside, c].mean()) for c in ("raw", "value"))
    assert raw > 0.12 and abs(adjusted) < raw / 4


def test_more_review_is_mix_and_not_pace(snapshot, monkeypatch):
    """A review takes half as long as a label: five times as many in one period shorten the raw time, no pace."""
    period, real = over("2026-08-03", "2026-08-30", project="P03"), data.sums

    def reviewed(snap, mart, columns, by, filters, *more):
        if mart != "work":
            return real(snap, mart, columns, by, filters, *more)
        keys = tuple(dict.fromkeys((*by, "stage", "day")))
        rows = real(snap, mart, columns, keys, filters, *more)
        late = (rows["stage"] == "review") & (pd.to_datetime(rows["day"]) >= pd.Timestamp(period.start))
        rows.loc[late, list(columns)] *= 5
        return rows.groupby(list(by), as_index=False, dropna=False)[list(columns)].sum() if by else rows

    plain = productivity.change(snapshot, period).parts
    st.cache_data.clear()
    monkeypatch.setattr(data, "sums", reviewed)
    found = productivity.change(snapshot, period).parts
    points = productivity.weekly(snapshot, period).points
    st.cache_data.clear()
    assert productivity_words.clear(found.mix) and found.mix.value < plain.mix.value - 0.04
    assert not productivity_words.clear(found.rate) and abs(found.rate.value - plain.rate.value) < 0.02
    inside = points["inside"]
    raw, adjusted = (np.log(points.loc[inside, c].mean() / points.loc[~inside, c].mean()) for c in ("raw", "value"))
    assert raw < -0.04 and abs(adjusted) < abs(raw) / 2


def test_quantiles_and_accepted_labels_stand_in_the_table(snapshot):
    """From the sums themselves; a quantile lies within its histogram's error of the geometric mean's neighbourhood."""
    period = over("2026-08-31", "2026-10-25")
    rows = data.sums(snapshot, "work", ("handle_accepted_labels", "handle_sum_seconds"), ("pool", "time_basis"), period)
    rows = rows[rows["time_basis"] == productivity.basis_of(snapshot, period)].set_index("pool")
    found = productivity.of_groups(snapshot, period, "accepted_labels_per_hour").set_index("member")["value"].dropna()
    assert len(found) == 14
    for pool, value in found.items():
        each = rows.loc[pool]
        assert value == pytest.approx(3600 * each["handle_accepted_labels"] / each["handle_sum_seconds"])
    judged = productivity.of_groups(snapshot, period, "throughput_per_hour").set_index("member")["value"]
    assert (found < judged[found.index]).all()
    half, most = (productivity.of_groups(snapshot, period, name)["value"] for name in productivity.QUANTILES)
    assert (most > half).all()
    assert all("±9" in productivity_panels.COLUMNS[name][0] for name in productivity.QUANTILES)


def test_the_last_day_against_the_same_weekdays(snapshot):
    period = over("2026-08-31", "2026-10-25", project="P01")
    found = productivity.last_day(snapshot, period)
    days = data.sums(snapshot, "work", ("judgements", "gold_n"), ("day",), period.over(None, None))
    days = days.set_index(pd.to_datetime(days["day"]))["judgements"]
    sunday = pd.Timestamp("2026-10-25")
    before = [days.get(sunday - pd.Timedelta(weeks=k), np.nan) for k in range(1, 5)]
    assert found.day == sunday.date() and found.alike == pytest.approx(np.nanmean(before))
    assert found.now.set_index("metric").loc["judgements", "value"] == days[sunday]
    said = productivity_words.last_day(found, dt.date(2026, 10, 26), "USD").replace("\u00a0", " ")
    assert said.startswith(f"Yesterday (Sun 25 Oct): {days[sunday]:.0f} judgements (")
    assert "on the Sundays before)" in said and "handle time" in said and "gold accuracy" in said
    assert productivity_words.last_day(found, dt.date(2026, 10, 28), "USD").startswith("Last day (Sun")
    assert productivity.last_day(snapshot, over("2026-10-01", "2030-01-01")).day == snapshot.meta.last_day


def test_pools_are_compared_on_the_same_kind_of_work(snapshot):
    rows = productivity.beside(snapshot, over("2026-08-17", "2026-11-15"))
    assert len(rows) == 14 and rows["pace"].between(0.5, 2).all()
    assert (rows["pace_low"] <= rows["pace"]).all() and (rows["pace"] <= rows["pace_high"]).all()


# ---- charts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_charts_are_valid_and_say_what_they_show(colours, snapshot):
    period = over("2026-08-31", "2026-10-25")
    found = productivity.weekly(snapshot, period)
    odd = pd.DataFrame({"day": [pd.Timestamp("2026-10-01")], "times": [2.1], "alone": [True]})
    spec, text = charts.handle_weeks(found.points, odd, colours)
    assert alt.LayerChart.from_dict(spec, validate=True) and "1 odd days" in text
    rows = productivity.beside(snapshot, period)
    rows = rows[rows["pace"].notna() & rows["value"].notna()].assign(said="85 %", state="on target")
    spec, text = charts.pace_beside(rows, None, "pool", colours)
    assert alt.LayerChart.from_dict(spec, validate=True) and "fastest" in text
    weeks = pd.DataFrame(
        {
            **{key: [0.7, 0.8, math.nan] for key in ("of_tenured", "of_low", "of_high", "of_fitted")},
            **{key: [0.7, 0.8, 0.9] for key in ("accuracy", "accuracy_low", "accuracy_high", "accuracy_fitted")},
            "cohort": "2026-08",
            "called": "Aug 2026",
            "week": [1, 2, 3],
            "raters": 12,
        }
    )
    for what in (PACE, ACCURACY):
        spec, text = charts.ramp(weeks, what, 0.9, "2026-08", colours)
        assert alt.LayerChart.from_dict(spec, validate=True) and "Aug 2026" in text
