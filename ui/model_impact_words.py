"""Sentences of the model impact page. Their verbs come from the ladder: versions are observed, nothing is claimed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from metrics import ladder
from metrics.ceiling import IMPOSSIBLE
from metrics.linkage import CALLED, LAGS, STANDS
from metrics.noise_cells import NoiseCells
from metrics.panel import LEAST_CLUSTERS, Panel
from metrics.qualities import LOG, QUALITIES, SHARE
from metrics.score_ceiling import Ceiling
from metrics.sizes import RAW, SECOND, sizes
from metrics.spec import Estimate
from ui import format as fmt
from ui.words import listed, number_word

NO_LINK = "No link between the quality of labels and a benchmark stands clear of chance here"
EMPTY = (
    "This page shows which qualities of labels move together with which benchmarks, version by version. It needs the "
    "tables `batches`, `dataset_versions`, `model_versions` and `model_metrics`, and items that name their batch."
)
OF = {"policy": " of ", "language": " in "}
REMEDY = "Load them with `python manage.py load FILE`, then run `python manage.py refresh`."


def heading(quality: str) -> str:
    """A quality with a large first letter."""
    return sentence_case(QUALITIES[quality].label)


def sentence_case(text: object) -> str:
    """The text with a large first letter."""
    text = str(text)
    return text[:1].upper() + text[1:]


def metric_label(metric: str) -> str:
    """A benchmark's metric as words: safety benchmark score."""
    return metric.replace("_", " ")


def signed(value: float) -> str:
    """+0.71."""
    return f"{value + 0.0:+.2f}".replace("-0.00", "0.00").replace("+0.00", "0.00").replace("-", fmt.MINUS)


def between(row: Mapping | Estimate) -> str:
    """(+0.55 to +0.82); empty where there is no interval."""
    low, high = (row.low, row.high) if isinstance(row, Estimate) else (row["low"], row["high"])
    return "" if fmt.is_missing(low) or fmt.is_missing(high) else f"({signed(low)} to {signed(high)})"


def axis(quality: str) -> tuple[Callable[[float], float], str]:
    """How a quality is scaled for an axis, and its unit there."""
    unit = QUALITIES[quality].unit
    if unit == SHARE:
        return lambda v: 100 * v, "%"
    if unit == LOG:
        return lambda v: float(np.exp(v)), "seconds"
    return lambda v: v, "coefficient"


def quality_value(value: float, quality: str) -> str:
    """A quality's value: 91.2 %, 0.71, 38 s."""
    unit = QUALITIES[quality].unit
    if unit == SHARE:
        return f"{100 * value:.1f}{fmt.SPACE}%"
    return fmt.duration(float(np.exp(value))) if unit == LOG else f"{value:.2f}".replace("-", fmt.MINUS)


def quality_between(low: float, high: float, quality: str) -> str:
    """(90.6 % to 91.8 %)."""
    if fmt.is_missing(low) or fmt.is_missing(high):
        return ""
    return f"({quality_value(low, quality)} to {quality_value(high, quality)})"


def lag_words(lag: int) -> str:
    """What a lag is called."""
    return ("this version", "the one before")[lag] if lag < 2 else f"{lag} before"


def finding(rows: pd.DataFrame, best: Mapping | None, names: Mapping[str, str], reason: str) -> str:
    """The page's sentence: how many of the links in view stand, in which project most do, and the surest of them.

    rows: the matrix in view, with slices and lags; best: its surest row that stands; names: of projects.
    """
    if reason:
        return f"There is no link to show: {reason}"
    if best is None:
        return NO_LINK
    whose = rows.loc[rows["q_value"] <= STANDS, "project"].value_counts()
    stand, most = int(whose.sum()), names.get(whose.index[0], whose.index[0])
    where = f", in {len(whose)} projects"
    if 2 * whose.iloc[0] > stand:
        where = f", {'all' if whose.iloc[0] == stand else 'most'} in {most}" if stand > 1 else f", in {most}"
    outcome = str(best["benchmark"]) + (f" ({best['slice'].replace('_', ' ')})" if best["slice"] else "")
    if where.endswith("projects") or best["project"] != whose.index[0]:
        outcome += f" of {names.get(best['project'], best['project'])}"
    tested = int(rows["p_value"].notna().sum())
    said = ladder.linked(ladder.Rung.ASSOCIATION, QUALITIES[best["metric"]].label, outcome)
    return (
        f"{stand} of {tested} links of labels and benchmarks {'stands' if stand == 1 else 'stand'} clear of chance"
        f"{where}; {'' if stand == 1 else 'clearest: '}{said} ({_beside_sign(best)}), {ladder.NOT_PROOF}"
    )


def _beside_sign(row: Mapping) -> str:
    """A coefficient with its interval inside brackets: +0.85, +0.75 to +0.91."""
    return f"{signed(row['estimate'])}, {between(row)[1:-1]}" if between(row) else signed(row["estimate"])


def figures(rows: pd.DataFrame, versions: int, tests: int, worst: pd.Series | None) -> list[tuple[str, str, str]]:
    """Versions, links tested, links that stand, largest regression."""
    stand = rows[rows["q_value"] <= STANDS]
    tested = int(rows["p_value"].notna().sum())
    loss = ("none clear", "no version got clearly worse than the one before")
    if worst is not None:
        part = f" ({slice_of(worst)})" if slice_of(worst) else ""
        loss = (
            f"{fmt.MINUS}{100 * abs(worst['change']):.1f} points",
            f"{worst['benchmark']}{part}, {worst['model_version']}",
        )
    return [
        ("Versions", fmt.count(versions), "measured on a benchmark"),
        ("Links tested", fmt.count(tested), f"in view, of {tests} that count for q"),
        ("Links that stand", fmt.count(len(stand)), f"{_parts(stand)}at most {STANDS:.0%} of them expected chance"),
        ("Largest regression", *loss),
    ]


def _parts(stand: pd.DataFrame) -> str:
    """In which view of the matrix the links that stand are; those of slices are in none, but in the table."""
    if stand.empty:
        return ""
    views = stand["lag"].where(stand["slice"] == "", -1).astype(int).value_counts()
    of = [f"{views.get(lag, 0)} of {'this version' if lag == 0 else 'the version before'}" for lag in LAGS]
    return f"{listed([*of, f'{views.get(-1, 0)} of slices'])}; "


def slice_of(row: Mapping) -> str:
    """The policy or language of a value; empty where it is of the whole benchmark."""
    return " in ".join(str(row[c]) for c in ("policy", "language") if not fmt.is_missing(row[c])).replace("_", " ")


def points(share: float) -> str:
    """A difference of shares in points with its sign: −24.7."""
    return f"{100 * share:+.1f}".replace("-", fmt.MINUS)


def ranking(listed: int, compared: int) -> str:
    """How many regressions there are, and in which order they stand."""
    return (
        f"{listed} of {compared} comparisons; at most one in twenty is expected to be chance. In order: the gravest "
        "incident of the version, of a part those in that part; then how far the gold accuracy of its labels fell for "
        "sure; then the points lost for sure. For sure is the end of an interval nearer to 0. Choose a row to see "
        "where its labels came from."
    )


def scope_note(unused: list[str], left_out: pd.DataFrame) -> str:
    """What the filters do here, and which versions take no part."""
    said = "All versions count, whatever days are chosen; the filters narrow projects only"
    if unused:
        named = listed([u.replace("_", " ") for u in unused])
        said += f", so {named} {'is' if len(unused) == 1 else 'are'} left aside"
    said += f". Each cell is tested at lags {listed([str(lag) for lag in LAGS])} in versions, cleared of data volume, "
    said += "base model and a trend in time."
    if len(left_out):
        why = left_out.drop_duplicates("model_version")["reason"].value_counts()
        named = listed([f"{n} {reason}" for reason, n in why.items()])
        said += f" {number_word(int(why.sum()))} versions take no part: {named}."
    return said


def may_be_chance(row: Mapping | None) -> bool:
    """Whether the link of a row of the matrix was tested and does not stand."""
    return row is not None and not fmt.is_missing(row["q_value"]) and row["q_value"] > STANDS


def coefficient(pair, benchmark: str, row: Mapping | None = None) -> str:
    """The size of a link that is to be read, in words; row: its row of the matrix, which says if it may be chance."""
    quality = QUALITIES[pair.quality]
    found = sizes(pair.panel, pair.second)
    if not found:
        return f"How large the link is cannot be told: {pair.panel.raw.reason}."
    lead = found[0]
    adjusted = lead.kind != SECOND and ladder.rung_of(pair.design) == ladder.Rung.ADJUSTED
    within = "within the same project, " if adjusted else ""
    size = _size(lead.estimate, quality.unit)
    text = f"{within}{_one(quality.unit)} of {quality.label} went with {size} of {benchmark}, {_how(lead.kind, pair)}"
    text = f"May be chance (q {_q(row)}): {text}" if may_be_chance(row) else sentence_case(text)
    text = f"{text}; {ladder.NOT_PROOF}, for what else changed with the labels is in it."
    return f"{text} {SECOND_RESTS_ON}" if lead.kind == SECOND else f"{text} {sentence_case(lead.leaves_out)}."


def beside(pair) -> str:
    """The link's other sizes, each with what its interval leaves out, and why there is no corrected one."""
    quality = QUALITIES[pair.quality]
    found = sizes(pair.panel, pair.second)
    said = [f"{_how(o.kind, pair)} it is {_size(o.estimate, quality.unit)}, but {o.leaves_out}" for o in found[1:]]
    said = [f"For comparison only: {'; '.join(said)}."] if said else []
    if found and pair.panel.corrected.value is None:
        said.append(f"It cannot be corrected for errors in measuring quality: {pair.panel.corrected.reason}.")
    return " ".join(said)


SECOND_RESTS_ON = "It rests on raters' agreement having no way to the model but through right labels."


def _how(kind: str, pair, panel: Panel | None = None) -> str:
    """How a size was made."""
    if kind == SECOND:
        return "with raters' agreement as a second measure of the same quality"
    if kind == RAW:
        return "as measured"
    real = (panel or pair.panel).reliability
    share = "part" if real is None else f"{100 * real:.0f}{fmt.SPACE}%"
    return f"with errors in measuring quality taken off ({share} of its variation is real)"


def _one(unit: str) -> str:
    return {SHARE: "each point", LOG: "each 10 % more"}.get(unit, "each 0.01")


def _size(found: Estimate, unit: str) -> str:
    factor = {SHARE: 1.0, LOG: 100 * float(np.log(1.1))}.get(unit, 1.0)
    ends = [None if v is None else factor * v for v in (found.value, found.low, found.high)]
    around = "" if ends[1] is None or ends[2] is None else f" ({signed(ends[1])} to {signed(ends[2])})"
    return f"{signed(ends[0])} points{around}"


def over_projects(pair) -> str:
    """The size over all projects with the same benchmark metric, or why there is none."""
    metric, quality = metric_label(pair.link.metric), QUALITIES[pair.quality]
    found = sizes(pair.over)
    if not found:
        few = pair.projects < LEAST_CLUSTERS
        reason = f"fewer than {LEAST_CLUSTERS} projects are measured by it" if few else pair.over.raw.reason
        return f"Over all projects with a {metric} ({pair.projects}) there is no size: {reason}."
    lead = found[0]
    size = _size(lead.estimate, quality.unit)
    text = f"Over all {pair.projects} projects with a {metric}, within the same project, {_one(quality.unit)} of "
    text += f"{quality.label} went with {size} of it, {_how(lead.kind, pair, pair.over)}"
    return f"{text}; {ladder.NOT_PROOF}, and {lead.leaves_out}."


def stands(row: Mapping | None, tests: int) -> str:
    """Whether the link looked at stands among all that were tested; empty where it was none of them."""
    if row is None or fmt.is_missing(row["q_value"]):
        return ""
    clear = "it stands clear of chance" if row["q_value"] <= STANDS else "chance may give as much"
    found = f"{sentence_case(CALLED[row['method']])} {signed(row['estimate'])} {between(row)}"
    return (
        f"{found} with labels of {lag_words(row['lag'])}, q {_q(row)} among {tests} links, slices and lags tested: "
        f"{clear}."
    )


def _q(row: Mapping) -> str:
    return f"{row['q_value']:.3f}" if row["q_value"] >= 0.001 else "below 0.001"


def lag_note(days: float, newest: float, oldest: float, of: Mapping[str, str] | None = None) -> str:
    """How old labels are when they show, from the newest batch to the oldest; of: the policy or language looked at."""
    if fmt.is_missing(days):
        return ""
    labels = "Labels" + "".join(f"{OF[name]}{member.replace('_', ' ')}" for name, member in (of or {}).items())
    if fmt.is_missing(newest) or fmt.is_missing(oldest) or round(newest) == round(oldest):
        return f"{labels} were {days:.0f} days old on average when the benchmark was measured."
    return (
        f"{labels} were {newest:.0f} to {oldest:.0f} days old when the benchmark was measured, {days:.0f} on average."
    )


def ceiling(found: Ceiling) -> str:
    """The score and its ceiling as numbers, and the headroom in words."""
    room, labels = found.headroom.from_model, found.headroom.from_labels
    low, high = found.headroom.ceiling
    return (
        f"{newest(found)} The most a model can reach against one rater's label lies between {_percent(low)} and "
        f"{_percent(high)}. Raters agree with one another in {_share(found.agreement)} of cases. A better model can "
        f"still gain {_points(room)}; {_points(labels)} cannot be gained until labels are surer, part of it true "
        "ambiguity."
    )


def newest(found: Ceiling) -> str:
    """The newest score with its interval."""
    return f"{_share(found.score)}, n {fmt.count(found.score.n)}."


def corrected(found: Ceiling, noise: Estimate, source: str, project: str) -> str:
    """The score cleared of wrong labels, with whose error stands for the benchmark's; why not where it cannot be."""
    if noise.value is None:
        return f"The score cannot be cleared of wrong labels: {noise.reason}."
    whose = f"{_share(noise)} of labels are wrong by {source} in {project}"
    if found.corrected.value is not None:
        return (
            f"Cleared of wrong labels the score would be {_share(found.corrected)}: {whose}, the labelling project's "
            "error standing for the benchmark's, and a wrong label is taken to turn its case round."
        )
    if found.corrected.reason == IMPOSSIBLE:
        high = found.score.value > 0.5
        way, limit = ("above", 1 - noise.value) if high else ("below", noise.value)
        return (
            f"{whose}. Were those of the benchmark wrong as often, no model could score {way} {_percent(limit)}; this "
            "one did, so they are not, and the score cannot be cleared of wrong labels."
        )
    return f"The score cannot be cleared of wrong labels ({whose}): {found.corrected.reason}."


def concentrated(found: NoiseCells, project: str) -> str:
    """In which cells label errors sit."""
    if found.share is None:
        return f"In which policies and languages labels are wrong cannot be told: {found.reason}."
    named = listed([f"{policy.replace('_', ' ')} in {language}" for policy, language in found.worst])
    what = "worst of" if found.few else "worst 5 % of"
    by = "gold judgements" if found.source == "gold" else "audits"
    text = f"The {what} {found.cells} cells of policy and language in {project} ({named}) "
    text += f"{'have' if len(found.worst) > 1 else 'has'} {_whole(found.share)} of the label errors and "
    text += f"{_whole(found.items)} of the {by}"
    if found.chance is None:
        return f"{text}."
    worst = "worst ones" if len(found.worst) > 1 else "worst"
    return f"{text}; were all cells equally good, the {worst} would still have {_whole(found.chance)} by chance."


def _whole(share: float) -> str:
    return f"{100 * share:.0f}{fmt.SPACE}%"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}{fmt.SPACE}%"


def _share(found: Estimate) -> str:
    around = "" if found.low is None else f" ({100 * found.low:.1f} to {100 * found.high:.1f})"
    return f"{100 * found.value:.1f}{fmt.SPACE}%{around}"


def _points(band) -> str:
    return f"{100 * band.low:.1f} to {100 * band.high:.1f} points"


def move(row: Mapping, project: str) -> str:
    """One large move with what else is on record."""
    way = "got worse by" if row["change"] < 0 else "got better by"
    size = f"{100 * abs(row['change']):.1f} points"
    text = f"{row['benchmark']} of {project} {way} {size} at {row['model_version']}"
    quality = "how its labels compare is not known"
    if not fmt.is_missing(row["quality_change"]):
        size = f"{100 * abs(row['quality_change']):.1f} ± {100 * 1.96 * row['quality_error']:.1f} points"
        quality = f"gold accuracy of its labels was {size} {'lower' if row['quality_change'] < 0 else 'higher'}"
    others = row["confounders"].replace(".;", ";").rstrip(".")
    also = f"but {others}, so the move is not put down to labels" if others else "nothing else on record changed"
    under = f"{row['labels_under']}; " if row["labels_under"] else ""
    return f"{text}: {quality}; {under}{also}."
