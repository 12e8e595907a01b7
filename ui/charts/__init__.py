"""The charts. Each function gives a specification and the alt text that says what it shows; ``show`` draws it."""

from ui.charts.allocation import allocation
from ui.charts.arrival import arrival
from ui.charts.base import show
from ui.charts.caterpillar import caterpillar
from ui.charts.coefficients import coefficients
from ui.charts.confusion import confusion
from ui.charts.control import control
from ui.charts.curve import curve
from ui.charts.dots import interval_dots
from ui.charts.errors import error_sides, share_dots
from ui.charts.groups import group_agreement
from ui.charts.heat import heat_strip
from ui.charts.label_mix import label_mix, mix_shifts
from ui.charts.one_more import majority, narrower
from ui.charts.operating_curve import corridor, gains, operating_curve
from ui.charts.pace import pace
from ui.charts.pairs import pair_matrix
from ui.charts.trend import trend

__all__ = [
    "allocation",
    "arrival",
    "caterpillar",
    "coefficients",
    "confusion",
    "control",
    "corridor",
    "curve",
    "error_sides",
    "gains",
    "group_agreement",
    "heat_strip",
    "interval_dots",
    "label_mix",
    "majority",
    "mix_shifts",
    "narrower",
    "operating_curve",
    "pace",
    "pair_matrix",
    "share_dots",
    "show",
    "trend",
]
