"""What is said of dated changes: effects in words, the finding, one change's sentence, levels, moves.

Words that say how a change and a metric hang together come from ``metrics.ladder``, by the design and its checks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from metrics import ladder
from metrics.catalogue import METRICS
from metrics.change_designs import ROLLOUT
from metrics.change_ledger import Row, overall
from metrics.change_units import ALL_WORK
from metrics.effects import Design, Verdict
from metrics.effects.measures import MEASURES, Form
from metrics.spec import Direction
from metrics.unexplained import Move
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
    return f"{change}: {effect(row)} in {metric} of {where}, but {row.judgement.reason}"


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


def of_change(change: str, rows: Sequence[Row], names: Names) -> str:
    """The sentence on top of one change, by what it is called: its verdict and what says most."""
    row = leading(rows)
    if row is None:
        return f"{change} cannot be told: {NO_ROWS}"
    said = overall(rows)
    start = {
        Verdict.WORKED: "worked",
        Verdict.HARM: "did harm",
        Verdict.NO_EFFECT: "had no effect that matters",
        Verdict.TOO_EARLY: "is too young to judge",
        Verdict.CANNOT_TELL: "cannot be told",
    }[said]
    rest = narrative(row, names).partition(": ")[2]
    return f"{change} {start}: {rest}"


def levels(row: Row, currency: str) -> str:
    """What was seen under the change, and what would have been without: "65.5 % instead of 81.7 %"; empty where the
    design compares many places, each with a level of its own.
    """
    e = row.effect
    if e.level is None or e.effect.value is None:
        return ""
    seen, foretold = (value(row.metric, level, currency) for level in (e.level, e.level - e.effect.value))
    return f"{seen} instead of {foretold}"


def move_size(move: Move) -> str:
    """How far a series moved, and whether that is better: "+61 %, worse"."""
    better = (move.after > move.before) == (MEASURES[move.metric].direction is Direction.HIGHER)
    return f"{amount(move.metric, move.after - move.before)}, {'better' if better else 'worse'}"


def value(metric: str, number: float, currency: str) -> str:
    """A weekly level as readers see it; logarithms are taken back."""
    back = number if _form(metric) is Form.SHARE else math.exp(number)
    known = METRICS.get(metric)
    return fmt.value(back, known, currency) if known else f"{100 * back:.1f}{fmt.SPACE}%"


def unexplained(shown: int, moves: int, recorded: int, series: int) -> str:
    """How the list of moves without a record is to be read; shown are those the filters leave of all."""
    if not moves:
        return f"None of {series} weekly series moved to another level without a change on record near it."
    here = f" ({shown} of them in view)" if shown < moves else ""
    return (
        f"{moves} moved, and no change is on record within two weeks{here}; {recorded} more have one. Looked at were "
        f"{series} weekly series of projects and pools; of the moves kept one in twenty is expected to be chance."
    )
