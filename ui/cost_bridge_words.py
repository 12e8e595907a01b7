"""What moved the cost, in words. A bridge is bookkeeping: it claims no cause."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from ui import cost_bridge, costs
from ui import format as fmt
from ui.cost_names import PARTS, percent

MEANINGS = {
    "volume": "volume: more or fewer labels in all",
    cost_bridge.BETWEEN: "mix of projects: labels moved between dear and cheap projects",
    cost_bridge.INSIDE: "mix inside projects: labels moved between dear and cheap pools and policies",
    "efficiency": "hours a label: {} hours over labels, inside a pool and policy",
    "price": "cost an hour: what {} hour cost",
    "unsplit": "cost a label where hours are not known",
    "unlabelled": "cost of pools that made no labels",
    cost_bridge.ACCURACY: "accuracy: a larger share of right labels makes each one cheaper",
}
FRACTIONS = (
    (0.27, "a quarter"),
    (0.36, "a third"),
    (0.45, "two fifths"),
    (0.55, "half"),
    (0.63, "three fifths"),
    (0.7, "two thirds"),
    (0.8, "three quarters"),
    (0.95, "most"),
    (1.05, "nearly all"),
)
STILL = 0.005  # a change below this share is none worth a cause


def moved_by(change: float, moved: cost_bridge.Moved, ask: costs.Ask) -> str:
    """How a cost moved and what accounts for most of it, as the end of a sentence; nothing where it is not known."""
    if fmt.is_missing(change):
        return ""
    if abs(change) < STILL:
        return ", as much as before"
    text = f", {percent(abs(change))} {'more' if change > 0 else 'less'} than before"
    return text if moved.change is None else f"{text}: {_cause(moved)}"


def _cause(moved: cost_bridge.Moved) -> str:
    """The driver that accounts for most of the change; where none stands out, the largest part."""
    same = moved.drivers[moved.drivers["amount"] * moved.change > 0]
    if same.empty:
        return "many small changes"
    lead = _lead(same)
    if lead["share"] < 0.2:
        parts = moved.parts[moved.parts["amount"] * moved.change > 0]
        part = parts.loc[parts["amount"].abs().idxmax()]
        joint = f"mostly {PARTS[part['part']].lower()}"
        return f"{joint}, no single place a fifth of it"
    said = _share(lead["share"])
    return f"{lead['name']} {said.replace('accounts', 'account', 1) if lead['name'].endswith(' labels') else said}"


def _lead(same: pd.DataFrame) -> pd.Series:
    """The largest driver; a pool's in all its projects where it moved several of them alike."""
    lead = same.iloc[0]
    if lead["part"] not in ("price", "efficiency"):
        return lead
    alike = same[(same["part"] == lead["part"]) & (same["pool"] == lead["pool"])]
    share = alike["share"].sum()
    if len(alike) < 2 or share < 1.3 * lead["share"]:
        return lead
    return pd.Series({"name": str(lead["name"]).rsplit(" (", 1)[0], "share": share})


def _share(share: float) -> str:
    if share > 1.05:
        return "accounts for more than all of it"
    said = next(word for limit, word in FRACTIONS if share <= limit)
    return f"accounts for {said}{' of it' if said in ('most', 'nearly all') else ''}"


def named(moved: cost_bridge.Moved, names: Mapping[str, Mapping[str, str]], currency: str) -> pd.DataFrame:
    """The drivers with `name` (as it stands in a sentence), `place` and `detail`."""
    rows = moved.drivers.to_dict("records")
    return moved.drivers.assign(
        name=[_name(row, names) for row in rows],
        place=[_place(row, names) for row in rows],
        detail=[_detail(row, names, moved.hours, currency) for row in rows],
    )


def _of(names: Mapping[str, Mapping[str, str]], dimension: str, member: object) -> str:
    return names.get(dimension, {}).get(str(member), str(member))


def _name(row: Mapping, names: Mapping[str, Mapping[str, str]]) -> str:
    project, pool = _of(names, "project", row["project"]), _of(names, "pool", row["pool"])
    part = row["part"]
    if row["what"] == cost_bridge.WITHHELD:
        return "groups too small to show"
    more = "more" if row["now"] > row["was"] else "fewer"
    if part == "volume":
        return f"{more} labels"
    if part == cost_bridge.ACCURACY:
        return f"{more} right labels"
    if part == cost_bridge.BETWEEN:
        return f"{'more' if more == 'more' else 'less'} {project}"
    if part == cost_bridge.INSIDE:
        what = _what(row, names)
        return f"more {what} in {project}" if what else f"the mix of {project}"
    where = f"{pool} ({project})" if row["pool"] else project
    if part == "efficiency" and _idle(row):
        return f"paid time without handling at {where}"
    said = {"efficiency": "time a label", "price": "cost an hour", "unsplit": "cost a label"}
    return f"{said.get(part, 'cost without labels')} at {where}"


def _idle(row: Mapping) -> bool:
    """Whether paid hours a label grew while the handling inside them hardly did."""
    if not row["touch_was"] > 0 or not row["was"] > 0:
        return False
    paid, touched = row["now"] / row["was"] - 1, row["touch_now"] / row["touch_was"] - 1
    return paid > 0.05 and touched < paid / 3


def _what(row: Mapping, names: Mapping[str, Mapping[str, str]]) -> str:
    dimension, _, member = str(row["what"] or "").partition(":")
    if not member:
        return ""
    return f"work at {_of(names, 'pool', member)}" if dimension == "pool" else member.replace("_", " ")


def _place(row: Mapping, names: Mapping[str, Mapping[str, str]]) -> str:
    if row["what"] == cost_bridge.WITHHELD:
        return "Groups too small to show"
    if row["part"] == "volume":
        return "All work"
    if row["part"] == cost_bridge.ACCURACY:
        return "Share of right labels"
    project = _of(names, "project", row["project"])
    return f"{_of(names, 'pool', row['pool'])} · {project}" if row["pool"] else project


def _detail(row: Mapping, names: Mapping[str, Mapping[str, str]], hours: str, currency: str) -> str:
    """What changed there, from what to what."""
    was, now, part = row["was"], row["now"], row["part"]
    if row["what"] == cost_bridge.WITHHELD:
        return ""
    if fmt.is_missing(was) or fmt.is_missing(now):
        return "no labels in one of the periods" if part == "unlabelled" else ""
    if part == "volume":
        return f"{fmt.count(was)} to {fmt.count(now)} labels"
    if part == "price":
        return f"{fmt.money(was, currency)} to {fmt.money(now, currency)} an hour"
    if part == "efficiency":
        text = f"{fmt.duration(was)} to {fmt.duration(now)} {'paid' if hours == 'paid' else 'of handling'} a label"
        touch = (row["touch_was"], row["touch_now"])
        if hours == "paid" and not any(map(fmt.is_missing, touch)):
            text += f", of it handling {fmt.duration(touch[0])} to {fmt.duration(touch[1])}"
        return text
    if part in ("unsplit", "unlabelled"):
        return f"{fmt.money(was, currency)} to {fmt.money(now, currency)} a label"
    shares = f"{percent(was)} to {percent(now)}"
    if part == cost_bridge.ACCURACY:
        return f"{shares} right"
    if part == cost_bridge.BETWEEN:
        return f"{shares} of all labels"
    what = _what(row, names)
    return f"{what} {shares} of its labels" if what else "between its pools and policies"


def how(moved: cost_bridge.Moved, ask: costs.Ask, load: str = "") -> str:
    """What the bridge is, in a line. load: which table would tell the paid hours, where they are not known."""
    hours = "paid" if moved.hours == "paid" else "handling"
    one = "a paid" if hours == "paid" else "a handling"
    said = "; ".join(MEANINGS[p].format(hours if p == "efficiency" else one) for p in moved.parts["part"])
    text = f"Exact: the parts sum to the change. {said[0].upper() + said[1:]}." if said else ""
    if moved.hours == "paid":
        text += (
            " A pool's paid hours, and a project's cost in a pool, are shared out by policy as handling time was."
            " It says where the money went, not why."
        )
    elif ask.unit:
        text += f" Paid hours are not known here (table shifts), so hours are those of handling. {load}".rstrip()
    return text
