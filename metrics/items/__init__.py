"""Which items, labels and weeks deserve a look: contested items, doubtful gold, confused labels, a shifted label mix.

Each function ranks by what is likely so and not by what was seen, for among thousands of items with a few ratings
each the most extreme ones are extreme by luck. What it finds is a reason to look again, at the item or the guideline.
"""

from metrics.items.confusion import CONFUSION_COLUMNS, confusion_pairs
from metrics.items.contested import CONTESTED_COLUMNS, Contested, contested_items
from metrics.items.gold import GOLD_COLUMNS, GoldCheck, doubtful_gold
from metrics.items.shift import SHIFT_COLUMNS, LabelShift, label_shift

__all__ = [
    "CONFUSION_COLUMNS",
    "CONTESTED_COLUMNS",
    "GOLD_COLUMNS",
    "SHIFT_COLUMNS",
    "Contested",
    "GoldCheck",
    "LabelShift",
    "confusion_pairs",
    "contested_items",
    "doubtful_gold",
    "label_shift",
]
