"""What is said of dated changes: effects in words, the finding, one change's sentence, its checks, what is not claimed.

Words that say how a change and a metric hang together come from ``metrics.ladder``, by the design and its checks.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Mapping, Sequence

from metrics import ladder
from metrics.catalogue import METRICS
from metrics.change_designs import ROLLOUT
from metrics.change_ledger import Row, overall
from metrics.change_overlaps import WHOLE, Overlap
from metrics.change_units import ALL_WORK
from metrics.effects import WEEKS, Design, Verdict
from metrics.effects.measures import MEASURES, Form
from metrics.effects.verdict import SURE, SURER, too_few
from ui import format as fmt
from ui import words

Names = Mapping[str, Mapping[str, str]]
NO_NAMES: Names = {}

LABELS = {
    "position_bias": "Position bias",
    "safety_benchmark_score": "Safety benchmark score",
    "handle_time_log_mean_seconds": "Typical handle time",
}
SHAPES = {
    Verdict.WORKED: "●",
    Verdict.HARM: "▲",
    Verdict.NO_EFFECT: "◇",
    Verdict.TOO_EARLY: "◌",
    Verdict.CANNOT_TELL: "○",
}
MEANING = {
    Verdict.WORKED: "something it is judged by got better, clear of chance, and its checks hold",
    Verdict.HARM: "something it is judged by got worse, clear of chance, and its checks hold",
    Verdict.NO_EFFECT: "every interval is smaller than what matters",
    Verdict.TOO_EARLY: "too few full weeks since it began",
    Verdict.CANNOT_TELL: "the weeks allow no verdict",
}
NO_ROWS = "nothing it is judged by may be shown of the work it touched"
RECORD = (
    "change_id",
    "kind",
    "metric",
    "where",
    "starts_on",
    "design",
    "effect",
    "low",
    "high",
    "placebo_p",
    "verdict",
    "narrative",
    "reason",
    "design_reason",
)
"""Keys of a row on the command line. where tells rows of one change and metric apart."""

UNITS = (Design.STAGGERED, Design.RANDOMISED)
"""Designs whose n is units, not weeks."""

BEFORE = {
    Design.STAGGERED: "the eighth to fifth week before",
    Design.SYNTHETIC: "the last eight weeks before, foretold from the earlier ones",
}
MADE_UP = {
    Design.STAGGERED: "other ways to deal the change out",
    Design.RANDOMISED: "other lots that might have been drawn",
}
DECISIVE = (Verdict.HARM, Verdict.WORKED)


def label(metric: str) -> str:
    """What readers call a metric that changes are judged by."""
    if metric in LABELS or metric in METRICS:
        return LABELS.get(metric) or METRICS[metric].label
    return metric.replace("_", " ").capitalize()  # a benchmark's, as its owner calls it


def inside(metric: str) -> str:
    """The metric's name inside a sentence: "gold accuracy", "SLA attainment"."""
    name = label(metric)
    return name if name.split(" ")[0].isupper() else name[0].lower() + name[1:]


def shown(metric: str, amount: float) -> float:
    """An effect as readers see it: points of a share, percent of the level for a logarithm."""
    return 100 * (amount if _form(metric) is Form.SHARE else math.expm1(amount))


def unit(metric: str) -> str:
    """What an effect is counted in."""
    return "points" if _form(metric) is Form.SHARE else "%"


def _form(metric: str) -> Form:
    """Benchmarks of models are shares."""
    return MEASURES[metric].form if metric in MEASURES else Form.SHARE


def period(row: Row) -> str:
    """What its series is made of."""
    return "version" if row.of_models else "week"


def _number(value: float, decimals: int, sign: bool = False) -> str:
    text = f"{value:{'+' if sign else ''}.{decimals}f}".replace("-", fmt.MINUS)
    return text.lstrip(f"+{fmt.MINUS}") if not any(c in "123456789" for c in text) else text


def amount(metric: str, value: float | None, low: float | None = None, high: float | None = None) -> str:
    """+14.0 points (4.3 to 24.5); +33 % (21 to 45)."""
    if value is None:
        return fmt.NONE
    decimals = 0 if abs(shown(metric, value)) >= 20 else 1
    joint = f"{fmt.SPACE}{unit(metric)}"
    text = _number(shown(metric, value), decimals, sign=True) + joint
    if low is None or high is None:
        return text
    ends = (_number(shown(metric, end), decimals) for end in (low, high))
    return f"{text} ({' to '.join(ends)})"


def effect(row: Row) -> str:
    """The effect of a row with its interval, in words."""
    e = row.effect.effect
    return amount(row.metric, e.value, e.low, e.high)


def named(where: Mapping[str, str], names: Names) -> str:
    """The work in words: "Comment moderation, Jakarta desk, spam", "rollout of 6 pools"."""
    return ", ".join(
        f"rollout of {value}" if kind == ROLLOUT else str(names.get(kind, {}).get(value, value))
        for kind, value in where.items()
    )


def unit_kind(row: Row) -> str:
    """What a change was compared in: project, pool, language, policy."""
    kind = [*row.where][-1]
    return row.where[kind].split()[-1].removesuffix("s") if kind == ROLLOUT else kind


def others(row: Row) -> str:
    """Who was compared with: "5 other projects"; empty for a series without a comparison."""
    count = len(row.effect.comparison)
    kinds = tuple(row.where)
    if not count or row.effect.design is Design.SERIES:
        return ""
    if len(kinds) == 1:
        kind = unit_kind(row)
        return f"{count} other {kind if count == 1 else words.plural(kind)}"
    if len(kinds) == 2:
        return f"{count} other {kinds[1] if count == 1 else words.plural(kinds[1])} of the project"
    return f"{count} other {'part' if count == 1 else 'parts'} of the project's work"


def rung(row: Row) -> ladder.Rung:
    """How strong a claim the row carries; where nothing is claimed, made-up changes not looked at fail no check."""
    if row.effect.design is Design.NONE:
        return ladder.Rung.ASSOCIATION
    checks = dict(row.judgement.checks)
    if row.effect.placebo_p is None and row.judgement.verdict not in DECISIVE:
        checks.pop("placebo", None)
    return ladder.rung_of(str(row.effect.design), checks)


def badge(row: Row) -> str:
    """quasi-experiment, adjusted association, ..."""
    return ladder.BADGES[rung(row)]


def narrative(row: Row, names: Names) -> str:
    """One sentence on one metric of one change, with no stronger word than its rung allows."""
    change, metric, where = row.change.change_id, inside(row.metric), named(row.where, names)
    said = row.judgement.verdict
    if said in DECISIVE:
        return ladder.moved(rung(row), change, metric, effect(row), where, others(row), _within(row))
    if said is Verdict.NO_EFFECT:
        return f"{change}: no effect on {metric} that matters was seen in {where}: {effect(row)}"
    if said is Verdict.TOO_EARLY:
        return f"{change}: too early for {metric} in {where}: {row.judgement.reason}"
    if row.effect.effect.value is None:
        return f"{change}: {metric} in {where} cannot be judged: {row.judgement.reason}"
    return f"{change}: cannot tell for {metric} in {where}, {effect(row)}: {row.judgement.reason}"


def _within(row: Row) -> str:
    """Whose own weeks before an effect without a comparison is measured against."""
    return "the same project" if "project" in row.where else "the same pool" if "pool" in row.where else ALL_WORK


def record(row: Row, names: Names) -> dict[str, object]:
    """A row as the command line prints it, keys as ``RECORD``; effects in shares, of the level for a logarithm; where
    by kind of place, in ids.
    """
    e, change = row.effect.effect, row.change
    low, value, high = (None if x is None else shown(row.metric, x) / 100 for x in (e.low, e.value, e.high))
    return {
        "change_id": change.change_id,
        "kind": change.kind,
        "metric": row.metric,
        "where": dict(row.where),
        "starts_on": change.starts_on.isoformat(),
        "design": str(row.effect.design),
        "effect": value,
        "low": low,
        "high": high,
        "placebo_p": row.effect.placebo_p,
        "verdict": str(row.judgement.verdict),
        "narrative": narrative(row, names).replace(fmt.SPACE, " "),
        "reason": row.judgement.reason,
        "design_reason": row.why,
    }


def why(row: Row | None) -> str:
    """Why a change was not called; empty for one that was."""
    if row is None:
        return NO_ROWS
    return "" if row.judgement.verdict in DECISIVE else row.judgement.reason


def leading(rows: Sequence[Row]) -> Row | None:
    """The row that says most of a change: of its verdict, the one furthest out of its own uncertainty; of the work
    before models, which had much else between.
    """
    if not rows:
        return None
    said = overall(rows)
    own = [row for row in rows if row.judgement.verdict is said] or list(rows)

    def clear(row: Row) -> tuple[bool, float, float]:
        p = 2.0 if row.p_adjusted is None else row.p_adjusted
        return (row.of_models, p if said not in DECISIVE else 0.0, -abs(row.effect.statistic or 0.0))

    return min(own, key=clear)


# ---- the page's sentences --------------------------------------------------------------------------------------


def finding(by_change: Mapping[str, Sequence[Row]], names: Names, summaries: Mapping[str, str]) -> str:
    """Of 24 changes 1 worked, 11 did harm, 12 cannot be told; the clearest: ..."""
    if not by_change:
        return "No dated change to weigh"
    said = Counter(overall(rows) for rows in by_change.values())
    parts = [
        f"{said[verdict] or 'none'} {called}"
        for verdict, called in (
            (Verdict.WORKED, "worked"),
            (Verdict.HARM, "did harm"),
            (Verdict.NO_EFFECT, "had no effect that matters"),
            (Verdict.TOO_EARLY, f"{'is' if said[Verdict.TOO_EARLY] == 1 else 'are'} too young"),
            (Verdict.CANNOT_TELL, "cannot be told"),
        )
        if said[verdict] or verdict in DECISIVE
    ]
    total = len(by_change)
    text = f"Of {total} changes {words.listed(parts)}" if total > 1 else f"One change: {words.listed(parts)}"
    rows = [row for found in by_change.values() for row in found if row.judgement.verdict in DECISIVE]
    if not rows:
        return text
    clearest = max(rows, key=lambda row: (not row.of_models, abs(row.effect.statistic or 0.0)))
    where = named(clearest.where, names)
    about = summaries.get(clearest.change.change_id, clearest.change.change_id).rstrip(".")
    return f"{text}; clearest is “{about}”: {effect(clearest)} in {inside(clearest.metric)} of {where}"


def of_change(change_id: str, rows: Sequence[Row], names: Names) -> str:
    """The sentence on top of one change: its verdict and what says most."""
    row = leading(rows)
    if row is None:
        return f"{change_id} cannot be told: {NO_ROWS}"
    said = overall(rows)
    start = {
        Verdict.WORKED: "worked",
        Verdict.HARM: "did harm",
        Verdict.NO_EFFECT: "had no effect that matters",
        Verdict.TOO_EARLY: "is too young to judge",
        Verdict.CANNOT_TELL: "cannot be told",
    }[said]
    rest = narrative(row, names).partition(": ")[2]
    return f"{change_id} {start}: {rest}"


def checks(row: Row, names: Names = NO_NAMES) -> list[str]:
    """What was checked, in sentences; of models a period is a version."""
    found = _checks(row, names)
    return [s.replace("weeks", "versions") for s in found] if row.of_models else found


def _checks(row: Row, names: Names) -> list[str]:
    """What was checked, in sentences: the design, the course before, made-up changes, how much there was to go by,
    other changes to the same work, and another mix of work.
    """
    e, design = row.effect, f"{str(row.effect.design).capitalize()}: {row.why}."
    found = [design] if row.why and row.effect.design is not Design.NONE else []
    if e.effect.value is None:
        return [*found, f"No effect was measured: {row.judgement.reason}."]
    if e.design is Design.RANDOMISED:
        found.append("Lots were drawn, so what was there before can differ by chance alone, and is taken off.")
    elif e.pre_trend_p is None:
        found.append("Whether it was moving before cannot be asked: too few weeks.")
    else:
        moved = "It was moving before the change came" if e.pre_trend_p <= SURE else "No move of its own before it came"
        found.append(
            f"{moved} (p {probability(e.pre_trend_p)}, {BEFORE.get(e.design, 'the last eight weeks before')})."
        )
    if e.season:
        found.append(f"Its course rides a wave of {e.season} weeks, seen in the weeks before; it is carried on.")
    if too_few(e) and row.p_adjusted is not None and row.p_adjusted <= SURE:
        sure = f"its own p is {'' if row.p_adjusted <= SURER else 'not '}{SURER} or below"
        found.append(f"Too few made-up changes to compare with ({len(e.placebos)}); {sure}.")
    elif e.placebo_p is None:
        found.append("Made-up changes were not looked at: the effect is not sure enough for them to decide.")
    else:
        found.append(
            f"Of {len(e.placebos)} {MADE_UP.get(e.design, 'made-up changes, at other dates and in other places')}, "
            f"{_as_large(row)} as large (p {probability(e.placebo_p)})."
        )
    found.append(f"It rests on {_rests_on(row)}.")
    found += [_overlap(row, one) for one in row.overlaps]
    if row.p_adjusted is not None:
        found.append(f"After all that the change is judged by, p is {probability(row.p_adjusted)}.")
    if row.mix is not None:
        found.append(_mix(row, names))
    return found


def _mix(row: Row, names: Names) -> str:
    """The mix of work that moved, and whether the metric follows it."""
    mix = row.mix
    name = names.get(mix.dimension, {}).get(mix.member, mix.member)
    share = f"{100 * mix.before:.0f} to {100 * mix.after:.0f}{fmt.SPACE}%"
    taken = (
        "it is taken kind by kind, so the mix alone does not move it"
        if MEASURES[row.metric].per_kind
        else "it is not taken kind by kind, so the mix is part of what moved"
    )
    return f"The mix of work moved: {name} went from {share} of what {inside(row.metric)} is taken over; {taken}."


def _overlap(row: Row, other: Overlap) -> str:
    """Another recorded change to the same work, and what was done about it."""
    came = f"{other.change_id} came to {'all' if other.share >= WHOLE else f'{100 * other.share:.0f}{fmt.SPACE}%'}"
    last = other.until - dt.timedelta(days=1)
    if other.at_once:
        return f"{came} of this work at the same time: what moved is of both."
    if not other.left_out:
        return f"{came} of this work on {_date(other.since)}: what it did may be part of this."
    if other.since > row.change.starts_on:
        return f"{came} of this work on {_date(other.since)}: weeks from then on are left out."
    return f"{came} of this work: the weeks in which that was new, {_date(other.since)} to {_date(last)}, are left out."


def _date(day: dt.date) -> str:
    """A day that may be long ago."""
    return f"{fmt.day(day)} {day.year}"


def _rests_on(row: Row) -> str:
    e = row.effect
    if e.design in UNITS:
        kind, without = words.plural(unit_kind(row)), len(e.comparison)
        treated = e.effect.n - (without if e.design is Design.RANDOMISED else 0)
        return (
            f"{treated:.0f} {kind} with and {without} without the change, over {counted(row)} weeks under it, averaged"
        )
    return f"{(e.weeks < 0).sum()} weeks before and {counted(row)} under the change, averaged"


def counted(row: Row) -> int:
    """The first weeks under the change over which its effect is the mean."""
    e = row.effect
    return min(int((e.weeks >= 0).sum()), WEEKS) if e.design in UNITS else int(e.effect.n)


def _as_large(row: Row) -> str:
    count = round(row.effect.placebo_p * (1 + len(row.effect.placebos))) - 1
    return "none looks" if count == 0 else "one looks" if count == 1 else f"{count} look"


def not_claimed(row: Row) -> str:
    """What the design cannot rule out, in one sentence."""
    step = rung(row)
    if row.of_models:
        return (
            "Not claimed: that its labels did it. Versions under it are those with most items labelled since it began; "
            f"whatever else went into them counts in. It is {ladder.NOT_PROOF}."
        )
    if step is ladder.Rung.RANDOMISED:
        return "Chance decided who had it, so the difference is the change's; elsewhere it may be another."
    if step is ladder.Rung.QUASI_EXPERIMENT:
        return (
            "Not claimed: that nothing else happened there in those weeks. Places that another recorded change touched "
            f"are left out; what nobody recorded is not. It is {ladder.NOT_PROOF}."
        )
    return (
        "Not claimed: that the change did it. Without a comparison that holds, whatever else happened in those weeks "
        f"counts in. It is {ladder.NOT_PROOF}."
    )


def probability(p: float) -> str:
    """P as readers see it: "below 0.001", 0.004, 0.27."""
    return "below 0.001" if p < 0.0005 else f"{p:.3f}".rstrip("0") if p < 0.0995 else f"{p:.2f}"


def value(metric: str, number: float, currency: str) -> str:
    """A weekly level as readers see it; logarithms are taken back."""
    measure = MEASURES[metric]
    back = number if measure.form is Form.SHARE else math.exp(number)
    known = METRICS.get(metric)
    return fmt.value(back, known, currency) if known else f"{100 * back:.1f}{fmt.SPACE}%"


def unexplained(moves: int, recorded: int, series: int) -> str:
    """How the list of moves without a record is to be read."""
    if not moves:
        return f"None of {series} weekly series moved to another level without a change on record near it."
    return (
        f"{moves} moved, and no change is on record within two weeks; {recorded} more have one. Looked at were "
        f"{series} weekly series of projects and pools; of the moves kept one in twenty is expected to be chance."
    )
