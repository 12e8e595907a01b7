"""What the agreement page says: its finding, which coefficient to trust and why, and how its numbers are written."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from data_access.filters import DIMENSIONS, Filters
from data_access.snapshot import Snapshot
from metrics.spec import Status
from ui import agreement, words
from ui import format as fmt
from ui.agreement import ALPHA, PERCENT, SEVERAL

SCALES = {
    "nominal": "plain labels",
    "ordinal": "ordered labels",
    "interval": "scores",
    "ratio": "quantities",
    "set": "sets of labels",
}
CREDIT = {
    "nominal": "Its labels have no order, so alpha counts each pair of ratings as agreed or not",
    "ordinal": "Its labels are ordered, so alpha counts a near miss as less than a far one",
    "interval": "Its labels are scores, so alpha counts a disagreement by its squared distance",
    "ratio": "Its labels are quantities, so alpha counts a disagreement by its ratio",
    "set": "Its labels are sets, so alpha gives sets that overlap part of the credit (MASI)",
}


def coefficient(value: float) -> str:
    """0.41."""
    return fmt.value(value, ALPHA)


def with_interval(value: float, low: float, high: float) -> str:
    """0.41 (0.37 to 0.45)."""
    return f"{fmt.value(value, ALPHA)} {fmt.interval(low, high, ALPHA, value)}".strip()


def share(value: float) -> str:
    """62.1 %."""
    return fmt.value(value, PERCENT)


def label_name(label: object) -> str:
    """A label as readers see it: a set's members joined by plus signs, the empty set as none."""
    return str(label).replace("|", " + ") or "none"


def probability(p: float) -> str:
    """P as readers see it: "below 0.001", 0.004, 0.27."""
    if fmt.is_missing(p):
        return fmt.NONE
    return "below 0.001" if p < 0.0005 else f"{p:.3f}".rstrip("0") if p < 0.0995 else f"{p:.2f}"


def called(by: str, count: int) -> str:
    """project, projects; a guideline version of several projects is still a guideline version."""
    return DIMENSIONS[by] if count == 1 else words.plural(DIMENSIONS[by])


def finding(
    snapshot: Snapshot, filters: Filters, rows: pd.DataFrame, lowest: Mapping[str, object] | None, by: str
) -> str:
    """The page's sentence: how many groups agree well enough for what their labels are used for, and the lowest one."""
    why = agreement.why_not(filters)
    if why or rows.empty or rows["alpha"].isna().all():
        reason = why or (rows["alpha_reason"].iloc[0] if len(rows) else ALPHA.nothing)
        return f"Agreement has no number here: {reason.split('; ')[0]}"
    judged = agreement.judged(rows)
    if judged.empty:
        return _range(rows, by)
    if len(judged) == 1:
        row = judged.iloc[0]
        same = lowest is not None and lowest["value"] == row["alpha"]
        return _one(row, by) + ("" if same else _lowest(snapshot, filters, lowest, by))
    well = int((judged["status"] == Status.ON_TARGET).sum())
    unclear = int((judged["status"] == Status.WATCH).sum())
    many = called(by, 2)
    if well == len(judged):
        text = f"Raters agree well on all {well} {many}"
    else:
        text = f"Raters agree well on {well or 'none'} of {len(judged)} {many}"
        text += f" and perhaps on {unclear} more" if unclear else ""
    return text + _lowest(snapshot, filters, lowest, by)


def _range(rows: pd.DataFrame, by: str) -> str:
    known = rows[rows["alpha"].notna()].sort_values("alpha")
    low, high = known.iloc[0], known.iloc[-1]
    if len(known) == 1:
        return f"Alpha is {with_interval(low['alpha'], low['alpha_low'], low['alpha_high'])} on {low['label']}"
    return (
        f"Alpha runs from {coefficient(low['alpha'])} on {low['label']} to {coefficient(high['alpha'])} on "
        f"{high['label']}; no target says what these labels need"
    )


def _one(row: Mapping[str, object], by: str) -> str:
    place = {"language": "in", "guideline_version": "under"}.get(by, "on")
    side = {
        Status.ON_TARGET: "enough for",
        Status.WATCH: "below but not clearly below",
        Status.OFF_TARGET: "below",
    }[Status(row["status"])]
    return (
        f"Raters agree at alpha {with_interval(row['alpha'], row['alpha_low'], row['alpha_high'])} {place} "
        f"{row['label']}, {side} the {fmt.target(row['target'], ALPHA)} its labels are held to"
    )


def _lowest(snapshot: Snapshot, filters: Filters, cell: Mapping[str, object] | None, by: str) -> str:
    """The clause on the cell furthest below its target."""
    if cell is None:
        return ""
    inner = "policy" if by == "project" else by
    project = snapshot.names["project"].get(cell["project"], cell["project"])
    place = {
        "policy": f"on {cell.get('policy')}",
        "language": f"on {cell.get('language')} items",
        "guideline_version": f"under guideline {cell.get('guideline_version')}",
    }[inner]
    where = place if agreement.one_project(filters) else f"{place} in {project}"
    number = with_interval(cell["value"], cell["low"], cell["high"])
    return f"; {where} alpha is {number}, below the {fmt.target(cell['target'], ALPHA)} its labels are held to"


def trust(rows: pd.DataFrame, by: str) -> str:
    """Which coefficient to read here and why, from the scales, the label sets and how the labels are spread."""
    known = rows[rows["alpha"].notna()]
    if known.empty:
        return ""
    levels = known["level"].value_counts()
    if SEVERAL in levels.index:
        first = (
            f"Read alpha: these {called(by, 2)} span projects with labels of their own, where only alpha and percent "
            "agreement exist. Alpha then sums disagreement within each project's own scale; choose a project for AC1 "
            "and the commonest label"
        )
    elif len(levels) == 1:
        near = known["level"].iloc[0]
        first = f"Read alpha first. {CREDIT[near]}" + ("" if near == "nominal" else "; AC2 gives the same credit")
    else:
        scales = ", ".join(f"{SCALES[level]} ({count})" for level, count in levels.items())
        first = f"Read alpha first: it counts near misses by each project's own scale, {scales}"
    return f"{first}. {_skew(known)}".strip()


def _skew(known: pd.DataFrame) -> str:
    """Where one label dominates, alpha and kappa fall though raters hardly differ."""
    skewed = known[known["skewed"]].sort_values("commonest_share", ascending=False)
    if skewed.empty:
        return ""
    top = skewed.iloc[0]
    named = first_three(skewed["label"])
    kinds = sorted({ac_name(level) for level in skewed["level"]})
    example = (
        f"{top['label']}: {share(top['commonest_share'])} {top['commonest']}, alpha {coefficient(top['alpha'])}, "
        f"{ac_name(top['level'])} {coefficient(top['ac'])}"
    )
    return (
        f"On {named} one label has at least half of the ratings, and alpha falls as that share grows: read "
        f"{words.listed(kinds, 'or')} beside it, never instead of it ({example})."
    )


def first_three(labels: pd.Series) -> str:
    """A, B, C and 2 more."""
    named = [str(label) for label in labels.head(3)]
    return words.listed([*named, f"{len(labels) - 3} more"] if len(labels) > 3 else named)


def ac_name(level: str) -> str:
    """AC1, or AC2 where near labels get credit."""
    return "AC1" if level in ("nominal", SEVERAL) else "AC2"


def read_as(row: Mapping[str, object]) -> str:
    """In a word or two how a row's alpha is made and what to read beside it."""
    if row["level"] == SEVERAL:
        return "alpha, summed over projects"
    text = f"alpha of {SCALES[row['level']]}"
    return f"{text}, beside {ac_name(row['level'])}" if row["skewed"] else text


# What is added where there were more ratings than are read at once.
CUT = ", the most that is read at once: choose a shorter period for all of them"


def share_with_interval(value: float, low: float, high: float) -> str:
    """57.3 % (25.4 to 72.6)."""
    return f"{share(value)} {fmt.interval(low, high, PERCENT, value)}".strip()


def nothing(filters: Filters) -> str:
    """Why there is no coefficient, and what helps."""
    why = agreement.why_not(filters)
    if why:
        return (
            f"Coefficients cannot be shown: {why}. Free that filter to see them; contested items, gold and pairs of "
            "raters follow it as it is."
        )
    return "Coefficients cannot be shown: no item here has two ratings. Free a filter or choose a longer period."
