"""The charts. Each function gives a specification and the alt text that says what it shows; ``show`` draws it."""

from ui.charts.allocation import allocation
from ui.charts.arrival import arrival
from ui.charts.base import show
from ui.charts.bridge import drivers, waterfall
from ui.charts.budget import budget
from ui.charts.caterpillar import caterpillar
from ui.charts.ceiling import ceiling_bar
from ui.charts.coefficients import coefficients
from ui.charts.confusion import confusion
from ui.charts.control import control
from ui.charts.cost_kinds import cost_kinds
from ui.charts.curve import curve
from ui.charts.dots import interval_dots
from ui.charts.errors import error_sides, share_dots
from ui.charts.event_study import event_study, placebos
from ui.charts.fan import ages, arrived_decided, fan
from ui.charts.frontier import frontier
from ui.charts.groups import group_agreement
from ui.charts.handle import handle_weeks, pace_beside
from ui.charts.heat import heat_strip
from ui.charts.label_mix import label_mix, mix_shifts
from ui.charts.lineage import lineage, traced_shares
from ui.charts.link_matrix import link_matrix
from ui.charts.link_pair import link_lags, link_scatter
from ui.charts.one_more import majority, narrower
from ui.charts.operating_curve import corridor, gains, operating_curve
from ui.charts.pace import pace
from ui.charts.pairs import pair_matrix
from ui.charts.poor_quality import poor_quality
from ui.charts.ramp import ramp
from ui.charts.ratings import ratings
from ui.charts.readings import group_readings
from ui.charts.trend import trend

__all__ = [
    "ages",
    "allocation",
    "arrival",
    "arrived_decided",
    "budget",
    "caterpillar",
    "ceiling_bar",
    "coefficients",
    "confusion",
    "control",
    "corridor",
    "cost_kinds",
    "curve",
    "drivers",
    "error_sides",
    "event_study",
    "fan",
    "frontier",
    "gains",
    "group_agreement",
    "group_readings",
    "handle_weeks",
    "heat_strip",
    "interval_dots",
    "label_mix",
    "lineage",
    "link_lags",
    "link_matrix",
    "link_scatter",
    "majority",
    "mix_shifts",
    "narrower",
    "operating_curve",
    "pace",
    "pace_beside",
    "pair_matrix",
    "placebos",
    "poor_quality",
    "ramp",
    "ratings",
    "share_dots",
    "show",
    "traced_shares",
    "trend",
    "waterfall",
]
