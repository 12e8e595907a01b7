"""What the agreement page says of groups of raters: what stands out, what was tested, what it rests on."""

from __future__ import annotations

from collections.abc import Mapping

from data_access.filters import Filters
from data_access.marts import SAMPLED_ITEMS
from ui import agreement_groups, agreement_more_words, agreement_words, words
from ui import format as fmt
from ui.agreement_groups import Grouped
from ui.agreement_readings import Readings
from ui.agreement_words import CUT


def group_finding(row: Mapping[str, object]) -> str:
    """What the test says of a group: "agrees less with the others, q 0.004" or "as shuffled raters do"."""
    qs = [row[f"{s}_q"] for s in ("irr", "xrr", "gai") if not fmt.is_missing(row[f"{s}_q"])]
    if not qs:
        return "cannot tell"
    if row["finding"]:
        return f"{row['finding']}, q {agreement_words.probability(min(qs))}"
    return f"as shuffled raters do, q {agreement_words.probability(min(qs))}"


def groups(found: Grouped, axis: str) -> str:
    """What the groups show, in one or two sentences."""
    what = agreement_groups.AXES[axis]
    if found.rows.empty:
        return f"No item here has two ratings of raters whose {what} is known."
    clear = found.rows[found.rows["finding"] != ""]
    if found.tested and clear.empty:
        return (
            f"No {what} stands out: raters shuffled at random between groups differ as much. "
            f"{_tests(found)} Few raters a group can hide a difference."
        )
    if found.tested:
        parts = [
            f"{row['label']} {row['finding']} (inside {_or_none(row['irr'])}, with others {_or_none(row['xrr'])})"
            for row in clear.head(3).to_dict("records")
        ]
        return f"More than raters shuffled at random between groups: {'; '.join(parts)}. {_tests(found)}"
    shared = int(found.rows["xrr"].notna().sum())
    if not shared:
        return f"No {what} shares enough items with another to compare them; inside each the agreement is shown."
    return (
        f"{shared} of {len(found.rows)} groups share items with others. The intervals speak of other items judged by "
        "the same raters; whether the groups differ, and not only these few raters, the test says."
    )


def _or_none(value: float) -> str:
    return fmt.NONE if fmt.is_missing(value) else agreement_words.coefficient(value)


def _tests(found: Grouped) -> str:
    how = "all ways to split them" if found.exact else f"{found.splits:,} shuffles"
    return f"{found.tests} tests, {how}, at most one finding in twenty by chance (Benjamini-Hochberg)."


def groups_basis(found: Grouped, period: Filters, names: Mapping[str, str]) -> str:
    """What the groups rest on: how many ratings, which days, which filters do not hold. period: what was read."""
    parts = [f"Groups of fewer than {found.least[0]} raters or {found.least[1]} items show no number"]
    if found.tested:
        parts.append(_all(found.ratings, found.cut))
    else:
        parts.append(_sample(found.ratings, period))
        if found.left_out:
            left = words.listed([names.get(name, name) for name in found.left_out])
            parts.append(f"the filter on {left} does not narrow them, but it does narrow the test")
    return "; ".join(parts) + "."


def _all(ratings: int, cut: bool) -> str:
    return f"{ratings:,} ratings read from the warehouse{CUT if cut else ''}"


def _sample(ratings: int, period: Filters) -> str:
    """What the snapshot's sample is; it reaches back further than the period where that is short."""
    days = f" of items created {fmt.days(period.start, period.end, period.end)}" if period.days else ""
    return f"{ratings:,} ratings of the snapshot's sample, up to {SAMPLED_ITEMS} items a project and month,{days}"


# ---- readings --------------------------------------------------------------------------------------------------


def readings(found: Readings, axis: str) -> str:
    """Which groups read which policy otherwise, in one or two sentences."""
    what = agreement_groups.AXES[axis]
    if not found.tests:
        return f"Whether a {what} reads a policy otherwise cannot be told: no two share enough items of one policy."
    cells = f"{found.tests} {'cell' if found.tests == 1 else 'cells'} tested"
    clear = found.findings
    if clear.empty:
        return f"No {what} reads a policy clearly otherwise than the others: {cells}, none beyond shuffled raters."
    named = [f"{row['label']} on {row['place']}, {shifted(row)}" for row in clear.head(3).to_dict("records")]
    more = f", and {len(clear) - 3} more" if len(clear) > 3 else ""
    text = f"Reads otherwise than the others: {'; '.join(named)}{more}. {cells.capitalize()} against shuffled raters, "
    text += "at most one finding in twenty by chance (Benjamini-Hochberg). "
    return text + "The test says that they differ, not who is right: talk the guideline through with both sides."


def shifted(row: Mapping[str, object]) -> str:
    """“unsafe” +23.5 points: the label a group gives more or less often than the others do on the same items."""
    if fmt.is_missing(row["shift"]) or not row["apart"]:
        return "no difference"
    return f"“{agreement_words.label_name(row['given'])}” {agreement_more_words.points(row['shift'])} points"


def readings_basis(found: Readings, untested: int) -> str:
    """What the cells rest on. untested: policies without a cell that can be tested."""
    least = f"Cells need {found.least[0]} raters in the group and outside and {found.least[1]} items rated by both"
    parts = [least, _all(found.ratings, found.cut) if found.live else _sample(found.ratings, found.period)]
    if untested:
        parts.append(f"{untested} {'policy has' if untested == 1 else 'policies have'} no such cell")
    return "; ".join(parts) + "."
