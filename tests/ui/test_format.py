"""Numbers, intervals, changes and dates as readers see them."""

import datetime as dt
import math

import pytest

from metrics.catalogue import METRICS
from metrics.spec import Unit
from ui import format as fmt

SHARE, ALPHA, COUNT = METRICS["gold_accuracy"], METRICS["krippendorff_alpha"], METRICS["judgements"]
SECONDS, HOURS, MONEY = (
    METRICS[n] for n in ("handle_time_p50_seconds", "turnaround_p90_hours", "cost_per_accepted_label")
)
RATE, BAND = METRICS["escalation_rate"], METRICS["utilisation"]


def plain(text: str) -> str:
    return text.replace(fmt.SPACE, " ").replace(fmt.MINUS, "-")


@pytest.mark.parametrize(
    ("number", "metric", "text"),
    [
        (0.912, SHARE, "91.2 %"),
        (0.0912, SHARE, "9.1 %"),
        (0.00106, SHARE, "0.11 %"),
        (0.0, SHARE, "0 %"),
        (1.0, SHARE, "100 %"),
        (0.9996, SHARE, "100.0 %"),
        (0.714, ALPHA, "0.71"),
        (-0.05, ALPHA, "-0.05"),
        (0, COUNT, "0"),
        (986, COUNT, "986"),
        (3254, COUNT, "3.25 k"),
        (35962, COUNT, "36 k"),
        (1_239_000, COUNT, "1.24 M"),
        (0.4731, RATE, "0.473"),
        (4.2, SECONDS, "4.2 s"),
        (38.4, SECONDS, "38 s"),
        (59.7, SECONDS, "1 min"),
        (130, SECONDS, "2 min 10 s"),
        (3900, SECONDS, "1 h 5 min"),
        (4.31, HOURS, "4.3 h"),
        (0.0841, MONEY, "$0.0841"),
        (0.464, MONEY, "$0.464"),
        (12.5, MONEY, "$12.50"),
        (1_240_000, MONEY, "$1.24 M"),
        (85.71, METRICS["throughput_per_hour"], "85.7 per hour"),
        (math.nan, SHARE, "–"),
    ],
)
def test_value(number, metric, text):
    assert plain(fmt.value(number, metric)) == text


def test_an_unknown_currency_is_written_as_its_code():
    assert plain(fmt.value(0.5, MONEY, "XTS")) == "XTS 0.500"


def test_interval_takes_the_decimals_of_its_value():
    assert plain(fmt.interval(0.9062, 0.9181, SHARE, 0.912)) == "(90.6 to 91.8)"
    assert plain(fmt.interval(0.000116, 0.0096, SHARE, 0.00106)) == "(0.01 to 0.96)"
    assert fmt.interval(math.nan, math.nan, COUNT, 5) == ""


@pytest.mark.parametrize(
    ("change", "metric", "now", "before", "text"),
    [
        (0.014, SHARE, 0.912, 0.898, "+1.4 points"),
        (-0.01, SHARE, 0.9, 0.91, "-1 point"),
        (-0.018, ALPHA, 0.60, 0.618, "-0.02"),
        (571, COUNT, 1047, 476, "+120 %"),
        (1395, COUNT, 35962, 34567, "+4 %"),
        (-8.1, SECONDS, 48, 56.1, "-8.1 s"),
        (0.0007, MONEY, 0.464, 0.4633, "+$0.0007"),
        (math.nan, SHARE, 0.9, math.nan, "–"),
    ],
)
def test_change_carries_its_sign_and_no_percent_of_percents(change, metric, now, before, text):
    assert plain(fmt.signed(change, metric, now, before)) == text


def test_targets_have_no_more_decimals_than_they_need():
    assert plain(fmt.target(0.86, SHARE)) == "86 %"
    assert fmt.target(0.667, ALPHA) == "0.667"
    assert plain(fmt.target_range(0.72, 0.88, BAND)) == "72 to 88 %"


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_metric_prints_and_has_an_axis(metric):
    small = metric.unit in (Unit.SHARE, Unit.COEFFICIENT)
    for number in (0.0, 0.1234, 1.0) if small else (0.0, 0.1234, 1.0, 47.0, 123456.0):
        text = fmt.value(number, metric)
        assert text and "nan" not in text
        digits = ["".join(c for c in part if c.isdigit()).lstrip("0") for part in text.split(fmt.SPACE)]
        assert max(map(len, digits)) <= (4 if text.startswith("100.0") or metric.unit is Unit.MONEY else 3), text
    assert fmt.axis_title(metric)


@pytest.mark.parametrize("unit", list(Unit))
def test_text_and_axis_know_every_unit(unit):
    assert unit in fmt.D3_FORMAT
    assert any(m.unit is unit for m in METRICS.values())


def test_dates():
    today = dt.date(2026, 11, 22)
    assert plain(fmt.day(dt.date(2026, 11, 16), today)) == "16 Nov"
    assert plain(fmt.day(dt.date(2025, 11, 16), today)) == "16 Nov 2025"
    assert plain(fmt.bucket("2026-11-16", "week")) == "week of 16 Nov"
    assert plain(fmt.bucket("2026-11-01", "month")) == "Nov 2026"


def test_age():
    now = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
    assert fmt.age(now, now) == "just now"
    assert fmt.age(now - dt.timedelta(minutes=40), now) == "40 minutes ago"
    assert fmt.age(now - dt.timedelta(hours=5), now) == "5 hours ago"
    assert fmt.age(now - dt.timedelta(days=3), now) == "3 days ago"
