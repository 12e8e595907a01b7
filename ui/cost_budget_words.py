"""Sentences about the budget: what is spent, what the whole will have cost, and what that rests on."""

from __future__ import annotations

from ui import cost_budget, costs, words
from ui import format as fmt
from ui.cost_names import percent


def budget(found: cost_budget.Budget, currency: str) -> str:
    """How much is spent, and what the whole will have cost."""
    if found.reason:
        return f"Budget against actual cannot be shown: {found.reason}."
    total = found.total
    end = fmt.day(found.end, found.as_of)
    used = total["actual"] / total["budget"] if total["budget"] else float("nan")
    text = (
        f"{fmt.money(total['actual'], currency)} of the {fmt.money(total['budget'], currency)} budgeted to {end} was "
        f"spent by {fmt.day(found.as_of)}, {percent(used)}"
    )
    if not fmt.is_missing(total["at_completion"]):
        text += (
            f"; at the run-rate of the last {total['weeks']:.0f} weeks it will be "
            f"{fmt.money(total['at_completion'], currency)}"
        )
        if fmt.is_missing(total["low"]):
            text += f" ({total['forecast_reason']})"
        else:
            text += f" ({fmt.money(total['low'], currency)} to {fmt.money(total['high'], currency)})"
    text += by_work(found, currency)
    ahead = found.rows[found.rows["variance_share"] > 0.02]
    if len(ahead):
        most = ahead.loc[ahead["variance_share"].idxmax()]
        text += f". {most['label']} has spent {percent(most['variance_share'])} more than planned by then"
    over = found.rows[found.rows["over_budget"] >= 0.8]
    at_risk = over.sort_values("over_budget", ascending=False)["label"].tolist()
    if at_risk:
        more = f" and {len(at_risk) - 3} more" if len(at_risk) > 3 else ""
        text += f". Likely to exceed its budget: {', '.join(at_risk[:3])}{more}"
    elif found.rows["over_budget"].isna().all():
        text += ". Whether a project exceeds its budget cannot be told yet"
    else:
        text += ". No project is likely to exceed its budget"
    return text + "."


def by_work(found: cost_budget.Budget, currency: str) -> str:
    """What the whole will have cost when the planned labels are made, or what is lacking to say so."""
    made = found.rows["work_at_completion"]
    if not (found.rows["planned_labels"] > 0).any():
        return ". By work left there is no forecast: the table budgets has no planned_labels"
    if made.isna().all():
        return f". By work left there is no forecast: {found.rows['work_reason'].iloc[0]}"
    if made.notna().all():
        return (
            f". Once all planned labels are made, at the cost a label of those weeks, it will be "
            f"{fmt.money(made.sum(), currency)}{' without the projects not shown' if found.withheld else ''}"
        )
    count = int(made.notna().sum())
    return (
        f". By work left, {count} of {len(made)} projects come to {fmt.money(made.sum(), currency)}; the others lack "
        "planned labels or weeks"
    )


def budget_basis(found: cost_budget.Budget) -> str:
    """What the forecast supposes."""
    text = (
        "The forecast by run-rate supposes weeks to come like the last twelve; the end of the last budgeted month does "
        "not move. The one by work left supposes that the planned labels do not change and ends when they are made."
    )
    if found.withheld:
        one = found.withheld == 1
        text += (
            f" {found.withheld} project{' is' if one else 's are'} not shown: too small a group; the row of all counts "
            f"{'it' if one else 'them'}."
        )
    if found.below_zero:
        text += f" Left out: {words.listed(found.below_zero)}, whose costs come to less than 0 by corrections."
    if found.left_out:
        names = words.listed([costs.DIMENSIONS[n] for n in found.left_out])
        text += f" Budgets are kept by project: the filter by {names} is left out here."
    return text
