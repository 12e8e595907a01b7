"""What one more rating per item would buy: accuracy of the majority, its price, and when to stop asking.

All of it supposes raters of one kind, drawn anew for each item. That they err independently is the assumption that
flatters most: raters share blind spots, and ``correlation`` says how much (see ``error_correlation``).
"""

from metrics.raters_per_item.curve import ratings_curve, ratings_curve_of_confusion
from metrics.raters_per_item.majority import (
    error_correlation,
    majority_accuracy,
    majority_accuracy_table,
    plurality_accuracy,
)
from metrics.raters_per_item.next_rating import value_of_next_rating
from metrics.raters_per_item.stopping import adaptive_stopping

__all__ = [
    "adaptive_stopping",
    "error_correlation",
    "majority_accuracy",
    "majority_accuracy_table",
    "plurality_accuracy",
    "ratings_curve",
    "ratings_curve_of_confusion",
    "value_of_next_rating",
]
