"""Each mart as portable SELECTs: the additive sums every metric is a function of.

A statement is SUM, COUNT, CASE, joins and GROUP BY over ``judged`` (one row per annotation with its item's
attributes), over ``audited`` (one row per audit, likewise) or over ``items``. The builder in build.py decides which
window of time those cover, runs the statements where the data is, and adds the parts up: every sum is additive, so
windows may cut anywhere. What follows from other marts alone is derived in the snapshot, in derive.py.
"""

from data_access.marts.expressions import NOT_RECORDED
from data_access.marts.facts import (
    appeal_facts,
    appeal_time,
    comparison_facts,
    cost_facts,
    escalation_facts,
    shift_facts,
    training_facts,
)
from data_access.marts.flow import claim_time, item_lives, promises, turnaround
from data_access.marts.grain import (
    AGREEMENT,
    CLAIM_TIME,
    CONFUSION,
    HANDLE_TIME,
    LABELS_GIVEN,
    LIVES,
    OVERLAP_SAMPLE,
    PEERS,
    PROMISE,
    SAMPLED_ITEMS,
    TURNAROUND,
    WORK,
    Mart,
)
from data_access.marts.labels import confusion_audits, confusion_gold, labels_given, peers
from data_access.marts.patterns import agreement, coded_items, label_digits, overlap_sample
from data_access.marts.sources import audited, judged
from data_access.marts.work import PENALTY, handle_time, work_audits, work_gold, work_judgements

__all__ = [
    "AGREEMENT",
    "CLAIM_TIME",
    "CONFUSION",
    "HANDLE_TIME",
    "LABELS_GIVEN",
    "LIVES",
    "NOT_RECORDED",
    "OVERLAP_SAMPLE",
    "PEERS",
    "PENALTY",
    "PROMISE",
    "SAMPLED_ITEMS",
    "TURNAROUND",
    "WORK",
    "Mart",
    "agreement",
    "appeal_facts",
    "appeal_time",
    "audited",
    "claim_time",
    "coded_items",
    "comparison_facts",
    "confusion_audits",
    "confusion_gold",
    "cost_facts",
    "escalation_facts",
    "handle_time",
    "item_lives",
    "judged",
    "label_digits",
    "labels_given",
    "overlap_sample",
    "peers",
    "promises",
    "shift_facts",
    "training_facts",
    "turnaround",
    "work_audits",
    "work_gold",
    "work_judgements",
]
