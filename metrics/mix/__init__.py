"""Did the work change or its mix? A change split into mix and rate, and means standardised to one mix of cells.

A cell is a kind of work (policy x language x content type). Everything follows from sums per cell: n judgements, the
total of a quantity x over them and the total of x²: x is 0 or 1 for a share, seconds or ln(seconds) for handle time.
Durations of different time bases are never put together: filter by ``time_basis`` first.
"""

from metrics.mix.adjusted import NO_RATERS, NO_SPREAD, mix_adjusted
from metrics.mix.cells import CELLS
from metrics.mix.change import Kitagawa, kitagawa

__all__ = ["CELLS", "NO_RATERS", "NO_SPREAD", "Kitagawa", "kitagawa", "mix_adjusted"]
