"""What the lineage page says. A trace is an association: where trouble and labels met, not what was at fault."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from data_access.filters import DIMENSIONS
from metrics import ladder
from metrics import lineage as steps
from metrics.slice_labels import SAME
from metrics.spec import Status
from ui import format as fmt
from ui import words
from ui.lineage import CLEAR, GOLD, GRAVE, Line
from ui.lineage_own import Own, previous
from ui.lineage_trace import BATCH, DROP, FINDING, INCIDENT, MODEL, Trace, on, row_of

TABLES = {
    "batches": "batches",
    "dataset_versions": "dataset versions",
    "model_versions": "model versions",
}
NO_PROJECT = "No project with batches or model versions is left by these filters. Free a filter."
NO_ITEMS = (
    "How many items a batch has is not shown to readers of single pools, so versions cannot be traced to batches here."
)
NOT_SHOWN = "No batch and no version can be shown here."
NOT_USED = "No version was trained on these batches yet. Choose a batch above to see how far it has come."
NO_PROOF = f"Where trouble and labels met, {ladder.NOT_PROOF}"


def counted(n: int, what: str) -> str:
    """1 batch, 3 batches."""
    plural = "batches" if what == "batch" else words.plural(what)
    return f"{n:,} {what if n == 1 else plural}"


def share(value: float) -> str:
    """A share in percent: 4 %, 0.4 %."""
    if fmt.is_missing(value):
        return fmt.NONE
    return f"{100 * value:.{0 if value >= 0.0095 or value == 0 else 1}f}{fmt.SPACE}%"


def points(change: float) -> str:
    """The size of a difference of two shares: 10.8 points."""
    return fmt.size(change, GOLD, change)


def quality(row: Mapping) -> str:
    """Gold accuracy with its interval: 59.4 % (49.7 to 68.5); too few to judge."""
    if fmt.is_missing(row["value"]):
        return "too few gold judgements to judge"
    return f"{fmt.value(row['value'], GOLD)} {fmt.interval(row['low'], row['high'], GOLD, row['value'])}".strip()


# ---- on top ----------------------------------------------------------------------------------------------------


def finding(line: Line, name: str) -> str:
    """The page's sentence: what of the project's trouble traces to batches below target."""
    if not line.project:
        return "No batch of labels and no model version is on record here"
    if line.models.empty and len(line.untimely):
        return f"No version of {name} is on record in good order, so nothing can be traced"
    if line.models.empty:
        return f"No version of {name} is on record: its {counted(len(line.batches), 'batch')} are not yet used"
    if line.weighted.empty:
        return f"The {counted(len(line.models), 'version')} of {name} cannot be traced to batches of labels"
    judged = line.batches[~line.batches["status"].isin([Status.TOO_FEW, Status.NO_TARGET])]
    known = len(line.incidents[line.incidents["model_version"].isin(line.weighted["model_version"])])
    if line.incidents.empty:
        return (
            f"No incident of {name} is on record: "
            f"{len(line.below)} of {counted(len(judged), 'batch')} that can be judged and were used are below target"
        )
    if judged.empty:
        return (
            f"{counted(known, 'incident')} of {name} cannot be traced to weak labels: "
            "no batch of it has enough gold judgements and a target"
        )
    below, traced = line.below, line.reached(line.below)
    hit, part = int(traced["reached"]), traced["label_share"]
    if not below:
        return (
            f"None of {counted(known, 'incident')} of {name} traces to a batch below target: "
            f"no batch that a version was trained on is clearly below its gold accuracy target"
        )
    them = counted(len(below), "batch")
    whose = "this was" if len(below) == 1 else "these were"
    if not hit:
        return (
            f"None of {counted(known, 'incident')} of {name} traces to the {them} "
            f"whose gold accuracy was below target; {whose} {share(part)} of its labels"
        )
    verb = "traces" if hit == 1 else "trace"
    chance = "" if clear(traced) else ", as many as chance may give"
    return (
        f"{hit} of {counted(known, 'incident')} of {name} {verb} to {them} whose gold accuracy was below target"
        f"{chance}; {whose} {share(part)} of its labels"
    )


def clear(traced: Mapping) -> bool:
    """Whether incidents fall on the traced versions more often than chance gives."""
    return traced["p_value"] is not None and traced["p_value"] <= CLEAR


def span(line: Line, ignored: list[str]) -> str:
    """What the page rests on: versions, since when, and the filters it does not apply."""
    if line.models.empty:
        return ""
    first, last = (fmt.day(day.date()) for day in (line.models["trained_at"].min(), line.models["trained_at"].max()))
    years = {line.models["trained_at"].min().year, line.models["trained_at"].max().year}
    if len(years) > 1:
        first, last = (f"{fmt.bucket(day, 'month')}" for day in (line.models["trained_at"].iloc[[0, -1]]))
    text = (
        f"Traced over all {counted(len(line.models), 'version')} trained by the end of the period, {first} to {last}; "
        "where nothing is traced, those of the period are shown."
    )
    if ignored:
        text += f" The filters on {words.listed([DIMENSIONS[name] for name in ignored])} do not apply here."
    return text


def figures(line: Line) -> list[tuple[str, str, str]]:
    """The figures under the sentence: label, value, what it rests on."""
    batches, models = line.batches, line.models
    judged = int((~batches["status"].isin([Status.TOO_FEW, Status.NO_TARGET])).sum())
    traced = line.reached(line.below)
    grave = int((line.incidents["severity"] >= GRAVE).sum())
    worse = models[models["worse"] > 0]
    waiting = batches["state"] != steps.USED
    return [
        ("Batches below target", f"{len(line.below)} of {judged}", "used and with enough gold judgements"),
        ("Their share of labels", share(traced["label_share"]), "of the labels in all versions"),
        (
            "Incidents traced to them",
            f"{traced['reached']} of {traced['incidents']}",
            _in_versions(line, traced),
        ),
        ("Grave incidents", f"{grave} of {len(line.incidents)}", f"severity {GRAVE} or 3"),
        ("Versions that got worse", f"{len(worse)} of {len(models)}", "beside the version before"),
        ("Batches not yet used", f"{int(waiting.sum())} of {len(batches)}", "no version was trained on them"),
    ]


def _in_versions(line: Line, traced: Mapping) -> str:
    """How many versions the batches below target are in, and how many incidents cannot be traced to any batch."""
    said = f"they are in {share(traced['base_share'])} of versions" if len(line.below) else "none to trace to"
    lost = len(line.incidents) - int(traced["incidents"])
    return f"{said}; {lost} more cannot be traced" if lost else said


def unnamed(incidents: pd.DataFrame) -> str:
    """The incidents that name no model version, by product; empty where every one names one."""
    lost = incidents[incidents["model_version"].isna()]
    if lost.empty:
        return ""
    counts = lost["product"].fillna("no product").value_counts(sort=False).sort_index()
    named = words.listed([f"{n} of {product}" for product, n in counts.items()])
    verb = "names" if len(lost) == 1 else "name"
    return (
        f"{counted(len(lost), 'incident')} {verb} no model version, so no project and no page of this kind has "
        f"{'it' if len(lost) == 1 else 'them'}: {named}."
    )


def among(narrow: Mapping[str, str]) -> str:
    """Among which labels an incident or a drop is traced: labels of hate in id."""
    if not narrow:
        return ""
    parts = [narrow[name].replace("_", " ") for name in ("policy", "language") if name in narrow]
    return f"labels of {' in '.join(parts)}" if "policy" in narrow else f"labels in {parts[0]}"


# ---- versions and batches --------------------------------------------------------------------------------------


def outcome(row: Mapping) -> str:
    """What became of a version: 3 incidents, 10.8 points worse."""
    text = change_of(row)
    return f"{counted(row['incidents'], 'incident')}, {text}" if row["incidents"] else text


def change_of(row: Mapping) -> str:
    """The clearest change of a version's benchmarks: 10.8 points worse."""
    if row["worse"] or row["better"]:
        return f"{points(row['change'])} {'worse' if row['worse'] else 'better'}"
    return "no clear change" if row["compared"] else "nothing to compare"


def lead(row: Mapping) -> str:
    """The benchmark, with its policy or language, that changed most clearly; empty where none did."""
    return on(row) if row["worse"] or row["better"] else ""


def outcome_in_full(row: Mapping) -> str:
    """What became of a version, with the benchmark and how many were compared."""
    text = outcome(row)
    if lead(row):
        text += f"; most clearly on {lead(row)}; worse on {row['worse']}, better on {row['better']}"
        text += f" of {row['compared']} compared"
    return text


def state(row: Mapping) -> str:
    """How far a batch has come, where no version was trained on it."""
    return str(row["state"])


# ---- traces ----------------------------------------------------------------------------------------------------


def trace_heading(trace: Trace) -> str:
    """What the section below the flow is about."""
    return {
        FINDING: "What the batches below target reached",
        BATCH: f"What batch {trace.member} reached",
        MODEL: f"What version {trace.member} is made of",
        INCIDENT: f"Where incident {trace.member} traces to",
        DROP: f"Where the drop of version {''.join(trace.versions)} traces to",
    }.get(trace.kind, "Where the labels behind incidents came from")


def traced(line: Line, trace: Trace, own: Own | None = None) -> str:
    """The trace in a few sentences; own: lineage_own.own(), the labels behind what is traced back to a version."""
    if trace.kind == INCIDENT:
        return _incident(line, trace, own)
    if trace.kind == DROP:
        return f"{_drop(row_of(line, trace))} {_version(line, trace, own)}"
    if trace.kind == MODEL:
        return _version(line, trace, own)
    if not trace.forward:
        return "Choose an incident, a drop, a version or a batch above, or click one in the chart."
    if not trace.batches:
        return "No batch that a version was trained on is clearly below its target."
    found = line.reached(list(trace.batches))
    if trace.kind == BATCH:
        row = line.batches[line.batches["batch_id"] == trace.member].iloc[0]
        told = f"Batch {trace.member}: gold accuracy {quality(row)}"
        if row["state"] != steps.USED:
            return f"{told}; {state(row)}, so nothing can be said of what it does to a model."
        if not trace.versions:
            return f"{told}; no version that is on record in good order was trained on it."
        return f"{told}. {_reached(found)}"
    return _reached(found)


def _reached(found: Mapping) -> str:
    text = (
        f"{found['reached']} of {counted(found['incidents'], 'incident')} are of versions trained on them, "
        f"which are {share(found['base_share'])} of all versions"
    )
    if found["p_value"] is None:
        return f"{text}."
    p = found["p_value"]
    said = "less than 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    much = "more often than chance gives" if clear(found) else "no more than chance may give"
    return f"{text}: {much} (p {said}). {NO_PROOF}."


def _incident(line: Line, trace: Trace, own: Own | None) -> str:
    row = row_of(line, trace)
    when = fmt.day(pd.Timestamp(row["occurred_at"]).date())
    told = f"{when}, severity {row['severity']}: {row['summary']}"
    if not trace.versions:
        named = isinstance(row["model_version"], str)
        why = f"version {row['model_version']}, which is not on record in good order" if named else "no model version"
        return f"{told} It names {why}, so it cannot be traced."
    return f"{told} {_version(line, trace, own)}"


def _drop(row: Mapping) -> str:
    """What was lost: version and benchmark, by how much with its interval, beside which version."""
    ends = f"{100 * -row['high']:.1f} to {100 * -row['low']:.1f}"
    alike = ", on the same cases" if row["paired"] else ""
    return (
        f"Version {row['model_version']} got {points(row['change'])} worse ({ends}) on {on(row)} than "
        f"{row['previous_version']}: {100 * row['new']:.1f}{fmt.SPACE}% after {100 * row['old']:.1f}{fmt.SPACE}%, "
        f"n {fmt.count(row['n'])}{alike}."
    )


def _version(line: Line, trace: Trace, own: Own) -> str:
    """A version's labels and outcome beside those of the version before; its own labels first where there are any."""
    name = trace.versions[0]
    models = line.models.set_index("model_version")
    row, earlier = models.loc[name], previous(line, trace)
    whose = "It" if trace.kind == DROP else f"Version {name}"  # a drop has named its version
    told = _labels(f"{whose} was trained on labels", own.whole) if not own.own else _own(whose, name, own)
    if earlier not in models.index:
        return f"{told} It is the first on record."
    if trace.kind != DROP:
        told += f" Outcome: {outcome_in_full(row)}."
    base = models.loc[earlier, "base_model"]
    if row["base_model"] != base:
        told += f" Its base model changed too, from {base} to {row['base_model']}."
    return f"{told} {NO_PROOF}."


def _labels(which: str, found: Mapping) -> str:
    """How good some labels were, beside those of the version before."""
    if fmt.is_missing(found["now_value"]):
        return f"{which}; how good they were cannot be told: {found['now_reason']}."
    return f"{which} with gold accuracy {_judged(found, 'now')}{_beside(found)}."


def _own(whose: str, name: str, own: Own) -> str:
    """How good a version's labels of the policy and language in question were; where that is not known, all of them."""
    what, held = among(own.named), own.own["now_items"]
    part = f" ({share(own.share)} of its labels, {share(own.base_share)} over all versions)"
    part = "" if fmt.is_missing(own.share) or not held else part
    if not fmt.is_missing(own.own["now_value"]):
        return _labels(f"{whose} was trained on {what}{part}", own.own)
    few = f"are too few to judge, gold n {fmt.count(own.own['now_n'])}" if held else "are not on record"
    told = f"Its {what}{part} {few}." if whose == "It" else f"{whose}: its {what}{part} {few}."
    if own.narrow != own.named:
        told += f" Below it is traced among all {among(own.narrow) or 'its labels'}."
    return f"{told} {_labels(f'All labels together: version {name} was trained on labels', own.whole)}"


def _judged(found: Mapping, whose: str) -> str:
    """Gold accuracy with its interval and n: 59.4 % (49.7 to 68.5), n 101."""
    row = {name: found[f"{whose}_{name}"] for name in ("value", "low", "high")}
    return f"{quality(row)}, n {fmt.count(found[f'{whose}_n'])}"


def _beside(found: Mapping) -> str:
    """How a version's labels stand beside those of the version before: the change with its interval."""
    change, low, high = (found[name] for name in ("exposure_change", "exposure_low", "exposure_high"))
    if found["exposure_reason"] == SAME:
        return ", the same labels as the version before"
    if fmt.is_missing(found["before_value"]):
        return "; those of the version before are too few to judge" if found["before_items"] else ""
    told = f", after {_judged(found, 'before')}, in the version before"
    if low <= 0 <= high:
        return f"{told}: not clearly different ({signed(change)} points, {signed(low)} to {signed(high)})"
    near, far = sorted((abs(low), abs(high)))
    way = "lower" if change < 0 else "higher"
    return f"{told}: {points(change)} {way} ({100 * near:.1f} to {100 * far:.1f})"


def signed(difference: float) -> str:
    """A difference of shares in points with its sign: +1.4, −24.7."""
    return f"{100 * difference:+.1f}".replace("-", fmt.MINUS)


def outstanding(rows: pd.DataFrame) -> str:
    """The batches that are behind more incidents than chance gives; rows: of lineage_trace.back() by batch."""
    if rows.empty:
        return "There are no labels by batch behind incidents."
    clearly = rows[rows["p_value"] <= CLEAR].sort_values("p_value")
    if clearly.empty:
        return "No batch stands out by itself: each is behind no more incidents than chance may give."
    told = words.listed([f"{row['label']} ({behind(row)})" for row in clearly.to_dict("records")])
    name, verb = ("Batch", "is") if len(clearly) == 1 else ("Batches", "are")
    return f"{name} {told} {verb} behind more incidents than chance gives, all batches tested. {NO_PROOF}."


def behind(row: Mapping) -> str:
    """How many incidents a batch is behind: 3 of 17."""
    return f"{int(row['reached'])} of {int(row['incidents'])}"


def over(rows: pd.DataFrame, by: str, whose: str, what: str = "labels") -> str:
    """The most over-represented place of a trace back: "68 % of the labels behind it came from batch B, 4 % of all".

    what: the labels it is traced among, "labels of hate in id".
    """
    if rows.empty:
        return f"There are no {what} by {by} behind {whose}."
    top = rows.iloc[0]
    level = int((rows["ratio"] > top["ratio"] - 0.005).sum()) - 1
    alike = f", and {counted(level, by)} more likewise" if level else ""
    return (
        f"{by.capitalize()} {top['label']} gave {share(top['share'])} of the {what} behind {whose} "
        f"and {share(top['base_share'])} of those behind all versions{alike}."
    )


# ---- nothing to show -------------------------------------------------------------------------------------------


def missing(line: Line) -> str:
    """What the page would show and which tables it needs."""
    lacking = [f"`{name}`" for name in (line.missing or tuple(TABLES))]
    return (
        "This page shows which batches of labels each model version was trained on, how good they were at their close, "
        "and what became of the version: benchmark changes and incidents. It needs rows in the warehouse's "
        f"{'table' if len(lacking) == 1 else 'tables'} {words.listed(lacking)} (and `model_metrics` and `incidents` "
        "for the outcomes). Load them with `python manage.py load FILE`, then run `python manage.py refresh`."
    )
