"""What the costs pages call units, measures and parts of a change, and how they write a share."""

from __future__ import annotations

from metrics.catalogue import METRICS
from metrics.spec import Metric
from ui import cost_bridge, costs
from ui import format as fmt

ONE = {costs.CORRECT: "A correct label", costs.ACCEPTED: "An accepted label", costs.LABEL: "A label"}
UNITS = {costs.CORRECT: "Correct label", costs.ACCEPTED: "Accepted label", costs.LABEL: "Label made"}
OF = {costs.UNIT: "Cost of a label", costs.TOTAL: "Total cost"}
QUALITY = {costs.GOLD: "Right on gold", costs.AUDIT: "Right by audits"}
PARTS = {
    "volume": "Volume",
    cost_bridge.BETWEEN: "Mix of projects",
    cost_bridge.INSIDE: "Mix inside projects",
    "efficiency": "Hours a label",
    "price": "Cost an hour",
    "unsplit": "Cost a label",
    "unlabelled": "Cost without labels",
    cost_bridge.ACCURACY: "Accuracy",
}
SHARE = METRICS["gold_accuracy"]
TOTAL = METRICS["total_cost"]


def metric_of(ask: costs.Ask) -> Metric:
    """What the bridge is of."""
    return TOTAL if ask.of == costs.TOTAL else costs.METRIC[ask.unit]


def percent(share: float) -> str:
    """9 %, 0.4 %."""
    return fmt.value(share, SHARE) if abs(share) < 0.0995 else f"{100 * share:.0f}{fmt.SPACE}%"


def signed_percent(change: float) -> str:
    """+9 %, −0.4 %; unchanged; nothing where it is not known."""
    if fmt.is_missing(change):
        return ""
    if abs(change) < 0.0005:
        return "unchanged"
    return f"{'+' if change > 0 else fmt.MINUS}{percent(abs(change))}"
