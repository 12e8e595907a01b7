"""The charts. Each function gives a specification and the alt text that says what it shows; ``show`` draws it."""

from ui.charts.arrival import arrival
from ui.charts.base import show
from ui.charts.dots import interval_dots
from ui.charts.heat import heat_strip
from ui.charts.trend import trend

__all__ = ["arrival", "heat_strip", "interval_dots", "show", "trend"]
