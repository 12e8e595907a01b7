"""Agreement inside and between groups of raters (GRASP): IRR, XRR, the group association index and its maximum.

Two doors to the same numbers. ``group_agreement`` takes rows, one rating each, and can also say how often chance alone
does as much, by shuffling which rater belongs to which group. ``group_agreement_of_patterns`` takes what the snapshot
holds: for each group, pairs of label counts of an item (the group's, everybody's) and how many items show each pair.

A group association index above 1 says that a group agrees with itself more than with the others: its raters see
something alike that others do not, or read a guideline their own way. It does not say who is right.
Source: Prabhakaran et al. 2024 (GRASP, arXiv 2311.05074); XRR: Wong et al. 2021. Labels are nominal.
"""

from metrics.groups.agreement import (
    MIN_ITEMS,
    MIN_RATERS,
    NO_INDEX,
    NO_SHARED,
    NOT_ABOVE_CHANCE,
    ONE_SPLIT,
    GroupAgreement,
    group_agreement,
    group_agreement_of_patterns,
    group_patterns,
)
from metrics.groups.ends import FEW_OTHER, INTERVALS
from metrics.groups.patterns import GroupPatterns
from metrics.groups.shuffles import TESTED
from metrics.groups.terms import STATISTICS

__all__ = [
    "FEW_OTHER",
    "INTERVALS",
    "MIN_ITEMS",
    "MIN_RATERS",
    "NOT_ABOVE_CHANCE",
    "NO_INDEX",
    "NO_SHARED",
    "ONE_SPLIT",
    "STATISTICS",
    "TESTED",
    "GroupAgreement",
    "GroupPatterns",
    "group_agreement",
    "group_agreement_of_patterns",
    "group_patterns",
]
