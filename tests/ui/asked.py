"""What tests of ui/ ask for and look at: filters written short, and the specifications of charts."""

from __future__ import annotations

import datetime as dt

import altair as alt

from data_access.filters import Filters


def over(first: str, last: str, **where: str) -> Filters:
    """Filters of these days, each dimension narrowed to one value."""
    return Filters.of(where, dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def valid(spec: dict) -> bool:
    """Whether Vega-Lite's schema allows the chart; raises where it does not."""
    alt.LayerChart.from_dict(spec, validate=True)
    return True


def values(spec: dict) -> list[dict]:
    """The rows a chart draws."""
    return spec["data"]["values"]
